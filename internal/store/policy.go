package store

import (
	"context"

	"jiseki/internal/access"
	"jiseki/internal/calendar"
	"jiseki/internal/grant"
)

// Calendar reads on which days the hall is open.
func (s *Store) Calendar(ctx context.Context) (calendar.Days, error) {
	return readCalendar(ctx, s.read)
}

func readCalendar(ctx context.Context, q querier) (calendar.Days, error) {
	holidays, err := list(ctx, q, scanHoliday, `SELECT date, name, open FROM holidays`)
	if err != nil {
		return calendar.Days{}, err
	}
	days := calendar.Days{Closed: map[calendar.Date]string{}, Opened: map[calendar.Date]string{}}
	for _, h := range holidays {
		if h.Open {
			days.Opened[h.Date] = h.Name
		} else {
			days.Closed[h.Date] = h.Name
		}
	}
	return days, nil
}

// Holiday is a day that differs from its weekday.
type Holiday struct {
	Date calendar.Date
	Name string
	Open bool // against weekends and holidays the hall is open
}

func scanHoliday(row scanner, h *Holiday) error {
	var date string
	if err := row.Scan(&date, &h.Name, &h.Open); err != nil {
		return err
	}
	var err error
	h.Date, err = calendar.ParseDate(date)
	return err
}

// HoursOn is a user's working hours on a day: the user's own of that weekday, else the organisation's. Zero on days off: closed
// days of the hall, unless the user's own hours name that weekday and the day is no holiday.
func (s *Store) HoursOn(ctx context.Context, user string, d calendar.Date) (calendar.Hours, error) {
	timetable, err := s.Timetable(ctx, user)
	if err != nil {
		return calendar.Hours{}, err
	}
	return timetable.On(d), nil
}

// Timetable reads all that says when a user works.
func (s *Store) Timetable(ctx context.Context, user string) (calendar.Timetable, error) {
	o, err := s.Organisation(ctx)
	if err != nil {
		return calendar.Timetable{}, err
	}
	days, err := s.Calendar(ctx)
	if err != nil {
		return calendar.Timetable{}, err
	}
	own, err := hoursOf(ctx, s.read, user)
	return calendar.Timetable{Days: days, Usual: o.Settings.Policy.Hours, Own: own}, err
}

func hoursOf(ctx context.Context, q querier, user string) ([]calendar.Dated, error) {
	return list(ctx, q, scanDated, `SELECT from_date, weekdays, start_minute, end_minute, break_start, break_end, note FROM staff_hours
		WHERE user_id = $1 ORDER BY from_date, weekdays`, user)
}

func scanDated(row scanner, h *calendar.Dated) error {
	var from string
	if err := row.Scan(&from, &h.Weekdays, &h.Hours.Start, &h.Hours.End, &h.Hours.BreakStart, &h.Hours.BreakEnd, &h.Note); err != nil {
		return err
	}
	var err error
	h.From, err = calendar.ParseDate(from)
	return err
}

// Standing is what policy looks at of a user.
type Standing struct {
	Sections        []string // the main section, then those above it
	Employment      string
	RegisteredUntil calendar.Date // the last day; none: not registered
	Clerk           bool
}

// Subject is the standing for desks of a zone; 0: for no desk.
func (s *Standing) Subject(zone grant.Zone) access.Subject {
	return access.Subject{Sections: s.Sections, Employment: s.Employment, Zone: zone}
}

// Standing reads what policy looks at of a user: ErrNotFound if there is no such user.
func (s *Store) Standing(ctx context.Context, user string) (Standing, error) {
	return readStanding(ctx, s.read, user)
}

func readStanding(ctx context.Context, q querier, user string) (Standing, error) {
	return get(ctx, q, scanStanding, `WITH RECURSIVE above (id, parent_id, depth) AS (
			SELECT s.id, s.parent_id, 0 FROM posts p JOIN sections s ON s.id = p.section_id WHERE p.user_id = $1 AND p.main
			UNION ALL SELECT s.id, s.parent_id, a.depth + 1 FROM above a JOIN sections s ON s.id = a.parent_id WHERE a.depth < 50)
		SELECT COALESCE((SELECT string_agg(a.id, ',' ORDER BY a.depth) FROM above a), ''), COALESCE(f.employment, ''),
			COALESCE(f.registered_until, ''), COALESCE(f.clerk, FALSE)
		FROM users u LEFT JOIN staff f ON f.user_id = u.id WHERE u.id = $1`, user)
}

func scanStanding(row scanner, s *Standing) error {
	var sections, until string
	if err := row.Scan(&sections, &s.Employment, &until, &s.Clerk); err != nil {
		return err
	}
	s.Sections = split(sections)
	if until == "" {
		return nil
	}
	var err error
	s.RegisteredUntil, err = calendar.ParseDate(until)
	return err
}

// PolicyFor is the resolved policy of a user on desks of a zone; zone 0: apart from desks.
func (s *Store) PolicyFor(ctx context.Context, user string, zone grant.Zone) (access.Policy, error) {
	o, err := s.Organisation(ctx)
	if err != nil {
		return access.Policy{}, err
	}
	standing, err := s.Standing(ctx, user)
	if err != nil {
		return access.Policy{}, err
	}
	return o.Settings.Resolve(standing.Subject(zone)), nil
}
