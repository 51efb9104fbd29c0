package store

import (
	"context"

	"jiseki/internal/calendar"
	"jiseki/internal/telework"
)

// WorkdaysBetween reads the segments of workdays from one date until another, both included; of one user, or of all if
// user is empty. What was done is not read.
func (s *Store) WorkdaysBetween(ctx context.Context, user string, from, until calendar.Date) ([]telework.Workday, error) {
	where := where{text: ` WHERE date >= $1 AND date <= $2`, args: []any{from.String(), until.String()}}
	where.is("user_id", user)
	rows, err := list(ctx, s.read, scanDatedSegment,
		`SELECT user_id, date, kind, from_ms, until_ms FROM workday_segments`+where.text+` ORDER BY user_id, date, position`, where.args...)
	var days []telework.Workday
	for _, r := range rows {
		if n := len(days); n == 0 || days[n-1].User != r.user || days[n-1].Date != r.date {
			days = append(days, telework.Workday{User: r.user, Date: r.date})
		}
		day := &days[len(days)-1]
		day.Segments = append(day.Segments, r.segment)
	}
	return days, err
}

type datedSegment struct {
	user    string
	date    calendar.Date
	segment telework.Segment
}

func scanDatedSegment(row scanner, d *datedSegment) error {
	var date string
	if err := row.Scan(&d.user, &date, &d.segment.Kind, &d.segment.FromMS, &d.segment.UntilMS); err != nil {
		return err
	}
	var err error
	d.date, err = calendar.ParseDate(date)
	return err
}
