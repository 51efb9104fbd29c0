package store

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"jiseki/internal/access"
	"jiseki/internal/audit"
	"jiseki/internal/calendar"
	"jiseki/internal/mail"
	"jiseki/internal/telework"
)

// Today is the workday that a report of now would belong to, which may have begun yesterday, with what lies beside it.
func (s *Store) Today(ctx context.Context, user string) (telework.DayReport, error) {
	w, err := workdayNow(ctx, s.read, user, s.Now())
	if err != nil {
		return telework.DayReport{}, err
	}
	return s.Workday(ctx, user, w.Date)
}

// Workday is a user's day with connections, corrections and figures; without a report it has no segments.
func (s *Store) Workday(ctx context.Context, user string, date calendar.Date) (telework.DayReport, error) {
	days, err := s.days(ctx, user, date, date, selectCorrection)
	if err != nil {
		return telework.DayReport{}, err
	}
	confirmed, _, err := s.confirmation(ctx, user, date.InMonth())
	days[0].ConfirmedMS = confirmed
	return days[0], err
}

// Month is a user's month up to today: the days that have a report, a connection or an approval. Of corrections it has
// no former segments.
func (s *Store) Month(ctx context.Context, user string, month calendar.Month) (telework.Report, error) {
	return s.month(ctx, user, month, selectCorrectionOnly)
}

// WholeMonth is Month with the former segments of corrections.
func (s *Store) WholeMonth(ctx context.Context, user string, month calendar.Month) (telework.Report, error) {
	return s.month(ctx, user, month, selectCorrection)
}

func (s *Store) month(ctx context.Context, user string, month calendar.Month, corrections string) (telework.Report, error) {
	r := telework.Report{User: user, Month: month}
	err := one(ctx, s.read, `SELECT u.name, COALESCE((SELECT x.name FROM posts p JOIN sections x ON x.id = p.section_id
		WHERE p.user_id = u.id AND p.main), '') FROM users u WHERE u.id = $1`, []any{user}, &r.UserName, &r.SectionName)
	if err != nil {
		return r, err
	}
	last := month.Last()
	if today := calendar.DateOf(s.Now()); today.Before(last) {
		last = today
	}
	if last.Before(month.First()) {
		return r, nil
	}
	days, err := s.days(ctx, user, month.First(), last, corrections)
	if err != nil {
		return r, err
	}
	r.ConfirmedMS, r.ConfirmedBy, err = s.confirmation(ctx, user, month)
	for i := range days {
		days[i].ConfirmedMS = r.ConfirmedMS
	}
	r.Keep(days)
	return r, err
}

// confirmation of a user's month: when, and the name of the one who gave it; zero if there is none.
func (s *Store) confirmation(ctx context.Context, user string, month calendar.Month) (ms int64, by string, err error) {
	err = one(ctx, s.read, `SELECT c.confirmed_ms, u.name FROM month_confirmations c JOIN users u ON u.id = c.by_user
		WHERE c.user_id = $1 AND c.month = $2`, []any{user, month.String()}, &ms, &by)
	if errors.Is(err, ErrNotFound) {
		err = nil
	}
	return ms, by, err
}

// What bounds one report.
const (
	maxDays = 100
	// maxConnections are read of a report, and dayConnections told of a day: figures count all that are read.
	maxConnections = 10_000
	dayConnections = 50
)

// days are all days from a date until another, measured, with corrections as a statement selects them.
func (s *Store) days(ctx context.Context, user string, from, until calendar.Date, corrections string) ([]telework.DayReport, error) {
	kept, err := workdays(ctx, s.read, user, from.Add(-1), until)
	if err != nil {
		return nil, err
	}
	by := map[calendar.Date]*telework.Workday{}
	for i := range kept {
		by[kept[i].Date] = &kept[i]
	}
	var days []telework.DayReport
	for d := from; !until.Before(d) && len(days) < maxDays; d = d.Add(1) {
		w := telework.Workday{User: user, Date: d}
		if by[d] != nil {
			w = *by[d]
		}
		days = append(days, telework.DayReport{Workday: w})
	}
	if err := s.fillCorrections(ctx, user, days, corrections); err != nil {
		return nil, err
	}
	if err := s.fillCovers(ctx, user, days); err != nil {
		return nil, err
	}
	return days, s.fillConnections(ctx, user, days, by)
}

// Corrections with and without the segments that were replaced.
const (
	selectCorrection     = `SELECT c.date, c.time_ms, c.by_user, u.name, c.reason, c.former` + fromCorrections
	selectCorrectionOnly = `SELECT c.date, c.time_ms, c.by_user, u.name, c.reason, 'null'` + fromCorrections

	fromCorrections = ` FROM workday_corrections c JOIN users u ON u.id = c.by_user
		WHERE c.user_id = $1 AND c.date BETWEEN $2 AND $3 ORDER BY c.date, c.number`
)

func (s *Store) fillCorrections(ctx context.Context, user string, days []telework.DayReport, selected string) error {
	type dated struct {
		date string
		telework.Correction
	}
	all, err := list(ctx, s.read, func(row scanner, c *dated) error {
		var former string
		if err := row.Scan(&c.date, &c.AtMS, &c.By, &c.ByName, &c.Reason, &former); err != nil {
			return err
		}
		return json.Unmarshal([]byte(former), &c.Before)
	}, selected, user, days[0].Date.String(), days[len(days)-1].Date.String())
	for i := range days {
		for j := range all {
			if all[j].date == days[i].Date.String() {
				days[i].Corrections = append(days[i].Corrections, all[j].Correction)
			}
		}
	}
	return err
}

// fillCovers notes which days are approved, and for which place.
func (s *Store) fillCovers(ctx context.Context, user string, days []telework.DayReport) error {
	covers, err := s.Covers(ctx, user, days[0].Date.At(0), days[len(days)-1].Date.Add(1).At(0))
	for i := range days {
		for _, c := range covers {
			if calendar.DateOf(c.From) != days[i].Date {
				continue
			}
			days[i].Approved = true
			if c.Kind != telework.OvertimeOrder {
				days[i].Place = c.Place
			}
		}
	}
	return err
}

// fillConnections gives each day its sessions, and measures it.
func (s *Store) fillConnections(ctx context.Context, user string, days []telework.DayReport, kept map[calendar.Date]*telework.Workday) error {
	first, _ := telework.Window(&days[0].Workday, nil)
	_, last := telework.Window(&days[len(days)-1].Workday, nil)
	// A session lasts a day at most, so that the index by its beginning serves.
	const longest = 26 * 60 * 60 * 1000
	all, err := list(ctx, s.read, func(row scanner, c *telework.Connection) error {
		return row.Scan(&c.FromMS, &c.UntilMS, &c.Desk, &c.Place)
	}, `SELECT s.opened_ms, s.ended_ms, d.name, s.place FROM sessions s JOIN desks d ON d.id = s.desk_id
		WHERE s.user_id = $1 AND s.prepared_ms BETWEEN $2 AND $3 AND s.opened_ms > 0 AND s.opened_ms < $3
		AND (s.ended_ms = 0 OR s.ended_ms > $4) ORDER BY s.opened_ms LIMIT $5`, user, first-longest, last, first, maxConnections)
	if err != nil {
		return err
	}
	for i := range days {
		d := &days[i]
		from, until := telework.Window(&d.Workday, kept[d.Date.Add(-1)])
		d.Connections = telework.Clip(all, from, until)
		if d.Place == 0 && len(d.Connections) > 0 {
			d.Place = d.Connections[0].Place
		}
		d.Measure(s.Now())
		d.Connections = d.Connections[:min(len(d.Connections), dayConnections)]
	}
	return nil
}

// Reports are the months of everybody whose superior or clerk a user is, by section and name, without those that have
// nothing to report.
func (s *Store) Reports(ctx context.Context, reader string, month calendar.Month) ([]telework.Report, error) {
	who, err := s.Heads(ctx, reader)
	if err != nil {
		return nil, err
	}
	users, err := list(ctx, s.read, scanOne[string], `SELECT u.id FROM users u JOIN posts p ON p.user_id = u.id AND p.main
		JOIN sections x ON x.id = p.section_id ORDER BY x.position, x.id, u.kana, u.id`)
	if err != nil {
		return nil, err
	}
	var reports []telework.Report
	for _, user := range users {
		if !who.MayApplyFor(user) {
			continue
		}
		r, err := s.Month(ctx, user, month)
		if err != nil {
			return nil, err
		}
		if len(r.Days) > 0 {
			reports = append(reports, r)
		}
	}
	return reports, nil
}

// Unconfirmed is a month that could not be confirmed, with the reason: not_allowed when the one who asked is not the
// superior, month_not_over, workday_end_missing.
type Unconfirmed struct {
	User string
	Code access.Code
}

// ConfirmMonths confirms the months of users, each for itself, and tells them. A month that is confirmed already stays
// as it is.
func (s *Store) ConfirmMonths(ctx context.Context, by By, superior string, month calendar.Month, users []string) (no []Unconfirmed, err error) {
	err = s.act(ctx, func(t *tx) error {
		no = nil
		chart, err := readChart(t.ctx, t, t.today())
		if err != nil {
			return err
		}
		open, err := t.openDays(month)
		if err != nil {
			return err
		}
		confirmed, err := list(t.ctx, t, scanOne[string], `SELECT user_id FROM month_confirmations WHERE month = $1`, month.String())
		if err != nil {
			return err
		}
		who := chart.Authority(superior)
		for _, user := range users {
			if !who.Over(user) {
				no = append(no, Unconfirmed{user, access.NotAllowed})
				continue
			}
			err := telework.Confirmable(month, open[user], t.time())
			var refusal *telework.Refusal
			switch {
			case errors.As(err, &refusal):
				no = append(no, Unconfirmed{user, refusal.Problems[0].Code})
				continue
			case err != nil:
				return err
			case slices.Contains(confirmed, user):
				continue
			}
			if err := t.confirmMonth(by, superior, chart.Names[superior], user, month); err != nil {
				return err
			}
			confirmed = append(confirmed, user) // also if it is named twice
		}
		if t.recorded == 0 {
			return errUnchanged
		}
		return nil
	})
	return no, err
}

// openDays counts the days of a month whose end is missing, by user.
func (t *tx) openDays(month calendar.Month) (map[string]int, error) {
	users, err := list(t.ctx, t, scanOne[string], `SELECT user_id FROM workday_segments WHERE until_ms = 0 AND date BETWEEN $1 AND $2`,
		month.First().String(), month.Last().String())
	open := make(map[string]int, len(users))
	for _, user := range users {
		open[user]++
	}
	return open, err
}

func (t *tx) confirmMonth(by By, superior, name, user string, month calendar.Month) error {
	t.put(`INSERT INTO month_confirmations (user_id, month, confirmed_ms, by_user) VALUES ($1, $2, $3, $4)`, user, month.String(), t.now, superior)
	err := t.notify(mail.Notice{User: user, Kind: "month_confirmed", Path: pathMonth + "?month=" + month.String(), Args: map[string]string{
		"month": month.String(), "by": name,
	}})
	if err != nil {
		return err
	}
	return t.record(by.entry(audit.MonthConfirmed, "user:"+user, audit.Details{"month": month.String()}))
}

// RecordExport notes that somebody took months of others away as a file.
func (s *Store) RecordExport(ctx context.Context, by By, month calendar.Month, users []string) error {
	return s.act(ctx, func(t *tx) error {
		return t.recordAll(by.entry(audit.MonthsExported, "", audit.Details{"month": month.String(), "count": len(users)}), each("users", users))
	})
}

// Pages of the portal that notices of workdays lead to.
const (
	pathMonth   = "/workdays"
	pathReports = "/months"
)
