package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/audit"
	"jiseki/internal/calendar"
	"jiseki/internal/mail"
	"jiseki/internal/telework"
)

// WorkdayReport is what a user reports: a segment that begins, or the end of the day.
type WorkdayReport struct {
	Kind   telework.SegmentKind // with Finish: none
	Finish bool
	Done   string // empty: what was kept stays
}

// ReportWorkday begins a segment or ends the day, stamped with the gateway's clock, and returns the date of the
// workday. A current workday goes on, over midnight too; else that of today does. Reporting what lasts already changes
// nothing. Refusals are *telework.Refusal: workday_not_started, and workday_end_missing for the end of a day that began
// more than a day ago.
func (s *Store) ReportWorkday(ctx context.Context, by By, user string, r WorkdayReport) (date calendar.Date, err error) {
	if err := telework.CheckDone(r.Done); err != nil {
		return date, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	err = s.act(ctx, func(t *tx) error {
		w, err := workdayNow(t.ctx, t, user, t.time())
		if err != nil {
			return err
		}
		date = w.Date
		if r.Finish && !w.Open() {
			if err := t.refuseForgotten(user); err != nil {
				return err
			}
		}
		next, changed, err := r.apply(&w, t.time())
		if err != nil {
			return err
		}
		if r.Done != "" && r.Done != w.Done {
			next.Done, changed = r.Done, true
		}
		if !changed {
			return errUnchanged
		}
		if err := t.putWorkday(&next); err != nil {
			return err
		}
		if err := t.unconfirm(user, date); err != nil {
			return err
		}
		return t.record(by.entry(audit.WorkdayReported, "user:"+user, audit.Details{
			"date": date.String(), "segment": r.name(), "segments": len(next.Segments),
		}))
	})
	return date, err
}

// refuseForgotten refuses to end a day that began more than a day ago: when it ended only a correction can say.
func (t *tx) refuseForgotten(user string) error {
	var open int
	if err := t.one(`SELECT COUNT(*) FROM workday_segments WHERE user_id = $1 AND until_ms = 0`, []any{user}, &open); err != nil {
		return err
	}
	if open > 0 {
		return &telework.Refusal{Problems: []telework.Problem{{Code: access.WorkdayEndMissing, Forbids: true}}}
	}
	return nil
}

// apply is the workday after the report.
func (r *WorkdayReport) apply(w *telework.Workday, now time.Time) (next telework.Workday, changed bool, err error) {
	if !r.Finish {
		next, changed, err = w.Begin(r.Kind, now)
	} else {
		next, err = w.Finish(now)
		changed = true
	}
	if errors.Is(err, telework.ErrWorkday) {
		err = fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return next, changed, err
}

func (r *WorkdayReport) name() string {
	if r.Finish {
		return "finish"
	}
	return r.Kind.String()
}

// time is the transaction's now.
func (t *tx) time() time.Time { return time.UnixMilli(t.now) }

// workdayNow is the workday that a report of now belongs to: the current one, else that of today.
func workdayNow(ctx context.Context, q querier, user string, now time.Time) (telework.Workday, error) {
	open, err := list(ctx, q, scanDate,
		`SELECT date FROM workday_segments WHERE user_id = $1 AND until_ms = 0 ORDER BY date DESC LIMIT 10`, user)
	if err != nil {
		return telework.Workday{}, err
	}
	for _, date := range open {
		w, err := workday(ctx, q, user, date)
		if err != nil || w.Current(now) {
			return w, err
		}
	}
	return workday(ctx, q, user, calendar.DateOf(now))
}

func scanDate(row scanner, d *calendar.Date) (err error) {
	var text string
	if err := row.Scan(&text); err != nil {
		return err
	}
	*d, err = calendar.ParseDate(text)
	return err
}

// workday reads one day of a user; without a report it is empty.
func workday(ctx context.Context, q querier, user string, date calendar.Date) (telework.Workday, error) {
	days, err := workdays(ctx, q, user, date, date)
	if err != nil || len(days) == 0 {
		return telework.Workday{User: user, Date: date}, err
	}
	return days[0], nil
}

// workdays reads a user's days from a date until another, both included, by date.
func workdays(ctx context.Context, q querier, user string, from, until calendar.Date) ([]telework.Workday, error) {
	days, err := list(ctx, q, func(row scanner, w *telework.Workday) (err error) {
		var date string
		if err := row.Scan(&w.User, &date, &w.Done); err != nil {
			return err
		}
		w.Date, err = calendar.ParseDate(date)
		return err
	}, `SELECT user_id, date, done FROM workdays WHERE user_id = $1 AND date BETWEEN $2 AND $3 ORDER BY date`, user, from.String(), until.String())
	if err != nil || len(days) == 0 {
		return nil, err
	}
	type dated struct {
		date string
		telework.Segment
	}
	segments, err := list(ctx, q, func(row scanner, s *dated) error {
		return row.Scan(&s.date, &s.Kind, &s.FromMS, &s.UntilMS)
	}, `SELECT date, kind, from_ms, until_ms FROM workday_segments WHERE user_id = $1 AND date BETWEEN $2 AND $3 ORDER BY date, position`,
		user, from.String(), until.String())
	at := map[string]*telework.Workday{}
	for i := range days {
		at[days[i].Date.String()] = &days[i]
	}
	for _, s := range segments {
		at[s.date].Segments = append(at[s.date].Segments, s.Segment)
	}
	return days, err
}

// putWorkday writes a day as it is now.
func (t *tx) putWorkday(w *telework.Workday) error {
	date := w.Date.String()
	err := t.exec(`INSERT INTO workdays (user_id, date, done) VALUES ($1, $2, $3)
		ON CONFLICT (user_id, date) DO UPDATE SET done = excluded.done`, w.User, date, w.Done)
	if err != nil {
		return err
	}
	if err := t.exec(`DELETE FROM workday_segments WHERE user_id = $1 AND date = $2`, w.User, date); err != nil {
		return err
	}
	for i, s := range w.Segments {
		err := t.exec(`INSERT INTO workday_segments (user_id, date, position, kind, from_ms, until_ms) VALUES ($1, $2, $3, $4, $5, $6)`,
			w.User, date, i, int64(s.Kind), s.FromMS, s.UntilMS)
		if err != nil {
			return err
		}
	}
	return nil
}

// unconfirm takes the confirmation of a date's month away, because something changed, and tells who had given it.
func (t *tx) unconfirm(user string, date calendar.Date) error {
	month := date.InMonth().String()
	var by, name string
	err := t.one(`SELECT c.by_user, u.name FROM month_confirmations c JOIN users u ON u.id = c.user_id WHERE c.user_id = $1 AND c.month = $2`,
		[]any{user, month}, &by, &name)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := t.exec(`DELETE FROM month_confirmations WHERE user_id = $1 AND month = $2`, user, month); err != nil {
		return err
	}
	return t.notify(mail.Notice{User: by, Kind: "month_corrected", Path: pathReports + "?month=" + month, Args: map[string]string{"name": name, "month": month}})
}

// SaveDone keeps what was done on a day as text. A confirmed month is no longer confirmed then.
func (s *Store) SaveDone(ctx context.Context, by By, user string, date calendar.Date, done string) error {
	if err := telework.CheckDone(done); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return s.act(ctx, func(t *tx) error {
		w, err := workday(t.ctx, t, user, date)
		if err != nil {
			return err
		}
		if w.Done == done {
			return errUnchanged
		}
		w.Done = done
		if err := t.putWorkday(&w); err != nil {
			return err
		}
		if err := t.unconfirm(user, date); err != nil {
			return err
		}
		return t.record(by.entry(audit.WorkdayDone, "user:"+user, audit.Details{"date": date.String()}))
	})
}

// CorrectWorkday replaces the segments of a user's day and keeps the former ones with who did it and why. A confirmed
// month is no longer confirmed then, and the superior is told. Refusals are *telework.Refusal.
func (s *Store) CorrectWorkday(ctx context.Context, by By, user string, date calendar.Date, segments []telework.Segment, reason string) error {
	if err := telework.CheckCorrection(reason); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return s.act(ctx, func(t *tx) error {
		w, err := workday(t.ctx, t, user, date)
		if err != nil {
			return err
		}
		others, err := workdays(t.ctx, t, user, date.Add(-3), date.Add(3))
		if err != nil {
			return err
		}
		next, err := w.Correct(segments, others, t.time())
		if errors.Is(err, telework.ErrWorkday) {
			return fmt.Errorf("%w: %w", ErrInvalid, err)
		}
		if err != nil {
			return err
		}
		if err := t.putWorkday(&next); err != nil {
			return err
		}
		if err := t.addCorrection(&w, user, reason); err != nil {
			return err
		}
		if err := t.unconfirm(user, date); err != nil {
			return err
		}
		return t.record(by.entry(audit.WorkdayCorrected, "user:"+user, audit.Details{
			"date": date.String(), "reason": audit.Cut(reason, 1200), "former": formerText(w.Segments), "now": formerText(next.Segments),
		}))
	})
}

// formerText is a day's segments for the log: kind and times, at most 40 of them.
func formerText(segments []telework.Segment) []string {
	texts := []string{}
	for _, s := range segments[:min(len(segments), 40)] {
		texts = append(texts, fmt.Sprintf("%s %d %d", s.Kind, s.FromMS, s.UntilMS))
	}
	return texts
}

// maxCorrections bounds the corrections of a day and monthCorrections those of a month: whoever reads it reads them
// all.
const (
	maxCorrections   = 30
	monthCorrections = 100
)

// addCorrection keeps what a day was.
func (t *tx) addCorrection(before *telework.Workday, by, reason string) error {
	var day, month int
	of := before.Date.InMonth()
	err := t.one(`SELECT COUNT(CASE WHEN date = $2 THEN 1 END), COUNT(*) FROM workday_corrections WHERE user_id = $1 AND date BETWEEN $3 AND $4`,
		[]any{before.User, before.Date.String(), of.First().String(), of.Last().String()}, &day, &month)
	if err != nil {
		return err
	}
	if day >= maxCorrections || month >= monthCorrections {
		return fmt.Errorf("%w: the day was corrected %d times, its month %d times", ErrInvalid, day, month)
	}
	former, err := json.Marshal(before.Segments)
	if err != nil {
		return fmt.Errorf("former segments: %w", err)
	}
	return t.exec(`INSERT INTO workday_corrections (user_id, date, number, time_ms, by_user, reason, former)
		SELECT $1, $2, COUNT(*) + 1, CAST($3 AS BIGINT), $4, $5, $6 FROM workday_corrections WHERE user_id = $1 AND date = $2`,
		before.User, before.Date.String(), t.now, by, reason, string(former))
}

// OpenSegment is what a user does now: the segment that lasts of the current workday, if there is one.
func (s *Store) OpenSegment(ctx context.Context, user string) (telework.Segment, bool, error) {
	w, err := workdayNow(ctx, s.read, user, s.Now())
	if err != nil || !w.Current(s.Now()) {
		return telework.Segment{}, false, err
	}
	return w.Segments[len(w.Segments)-1], true, nil
}
