package store

import (
	"context"
	"errors"
	"strconv"

	"jiseki/internal/calendar"
	"jiseki/internal/mail"
)

// missingAfter is how long after its begin an open workday is taken for forgotten, and its user told: well before the
// day after it could begin.
const missingAfter = 16 * 60 * 60 * 1000

const (
	// eveningFrom is the minute of the day from which users are told that they telework tomorrow.
	eveningFrom = 15 * 60
	// registrationDays is how many days before its end users are told that their registration ends.
	registrationDays = 30
)

// Remind tells, each once: users of workdays whose end they seem to have forgotten, in the afternoon before of an
// approved day at home, and of the end of their registration; superiors of months that are over and not confirmed. One
// that cannot be told keeps no other from being told.
func (s *Store) Remind(ctx context.Context) error {
	var failed []error
	for _, due := range []func(*tx) ([]mail.Notice, error){
		(*tx).missingEnds, (*tx).tomorrows, (*tx).registrationEnds, (*tx).monthsToConfirm,
	} {
		var notices []mail.Notice
		failed = append(failed, s.transact(ctx, func(t *tx) (err error) {
			notices, err = due(t)
			return err
		}))
		for _, n := range notices {
			failed = append(failed, s.transact(ctx, func(t *tx) error { return t.notify(n) }))
		}
	}
	return errors.Join(failed...)
}

// tomorrows are for users with a desk of their own, which should stay on.
func (t *tx) tomorrows() (notices []mail.Notice, err error) {
	if calendar.MinuteOf(t.time()) < eveningFrom {
		return nil, nil
	}
	tomorrow := t.today().Add(1).String()
	users, err := list(t.ctx, t, scanOne[string], `SELECT DISTINCT r.user_id FROM requests r JOIN request_days d ON d.request_id = r.id
		WHERE r.state = 2 AND r.kind IN (1, 2) AND d.date = $1 AND EXISTS (SELECT 1 FROM desk_users k WHERE k.user_id = r.user_id)`, tomorrow)
	for _, user := range users {
		notices = append(notices, mail.Notice{
			User: user, Kind: "tomorrow_telework", Path: "/", Once: "tomorrow " + tomorrow, Args: map[string]string{"date": tomorrow},
		})
	}
	return notices, err
}

func (t *tx) registrationEnds() (notices []mail.Notice, err error) {
	type end struct{ user, date string }
	ends, err := list(t.ctx, t, func(row scanner, e *end) error { return row.Scan(&e.user, &e.date) },
		`SELECT f.user_id, f.registered_until FROM staff f JOIN users u ON u.id = f.user_id
		WHERE NOT u.disabled AND f.registered_until BETWEEN $1 AND $2`, t.today().String(), t.today().Add(registrationDays).String())
	for _, e := range ends {
		notices = append(notices, mail.Notice{
			User: e.user, Kind: "registration_ends", Once: "registration " + e.date, Args: map[string]string{"date": e.date},
		})
	}
	return notices, err
}

func (t *tx) missingEnds() (notices []mail.Notice, err error) {
	type day struct{ user, date string }
	days, err := list(t.ctx, t, func(row scanner, d *day) error { return row.Scan(&d.user, &d.date) },
		`SELECT o.user_id, o.date FROM workday_segments o JOIN workday_segments f ON f.user_id = o.user_id AND f.date = o.date AND f.position = 0
		WHERE o.until_ms = 0 AND f.from_ms < $1`, t.now-missingAfter)
	for _, d := range days {
		notices = append(notices, mail.Notice{
			User: d.user, Kind: "workday_missing_end", Path: pathMonth + "/" + d.date, Once: "missing " + d.date, Args: map[string]string{"date": d.date},
		})
	}
	return notices, err
}

// monthsToConfirm counts for each superior whose month waits. The superior is the head of the nearest section that is
// not the user's own to head.
func (t *tx) monthsToConfirm() (notices []mail.Notice, err error) {
	month := t.today().InMonth().Add(-1)
	waiting, err := list(t.ctx, t, scanOne[string], `SELECT DISTINCT w.user_id FROM workday_segments w WHERE w.date BETWEEN $1 AND $2
		AND NOT EXISTS (SELECT 1 FROM month_confirmations c WHERE c.user_id = w.user_id AND c.month = $3)`,
		month.First().String(), month.Last().String(), month.String())
	if err != nil || len(waiting) == 0 {
		return nil, err
	}
	chart, err := readChart(t.ctx, t, t.today())
	if err != nil {
		return nil, err
	}
	count := map[string]int{}
	for _, user := range waiting {
		if head := chart.SuperiorOf(user); head != "" {
			count[head]++
		}
	}
	for head, n := range count {
		notices = append(notices, mail.Notice{
			User: head, Kind: "month_to_confirm", Path: pathReports + "?month=" + month.String(), Once: "month " + month.String(),
			Args: map[string]string{"month": month.String(), "count": strconv.Itoa(n)},
		})
	}
	return notices, err
}
