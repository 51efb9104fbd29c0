package store

import (
	"context"
	"errors"
	"testing"
	"time"

	"jiseki/internal/calendar"
	"jiseki/internal/store/pgtest"
)

// TestHungDatabaseIsGivenUp: whatever is asked of a database that never answers ends by itself, as a failure of the database.
func TestHungDatabaseIsGivenUp(t *testing.T) {
	t.Parallel()
	s := engines(t)["postgresql"]
	hold, err := s.write.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = hold.Rollback() }()
	const tables = "sections, mails, throttles, register, users, month_confirmations"
	// The server ends what is idle in an act; this holds the tables as one that is at work would.
	if _, err := hold.ExecContext(t.Context(), "SET LOCAL idle_in_transaction_session_timeout = 0"); err != nil {
		t.Fatal(err)
	}
	if _, err := hold.ExecContext(t.Context(), "LOCK TABLE "+tables+" IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	type answer struct {
		of  string
		err error
	}
	asked := map[string]func(context.Context) error{
		"list":        func(ctx context.Context) error { _, err := s.Sections(ctx); return err },
		"mails":       func(ctx context.Context) error { _, _, err := s.MailCounts(ctx); return err },
		"throttles":   func(ctx context.Context) error { _, err := s.ThrottledUntil(ctx, "user:a"); return err },
		"register":    func(ctx context.Context) error { _, err := s.RegisterEnd(ctx); return err },
		"month":       func(ctx context.Context) error { _, err := s.Month(ctx, "a", calendar.Month{}); return err },
		"confirmed":   func(ctx context.Context) error { _, _, err := s.confirmation(ctx, "a", calendar.Month{}); return err },
		"transaction": func(ctx context.Context) error { return s.SpendTOTPStep(ctx, "a", 1) },
		"act": func(ctx context.Context) error {
			return s.PutSection(ctx, By{Actor: "cli:test"}, Section{ID: "s1", Name: "課"})
		},
	}
	answers := make(chan answer)
	for of, ask := range asked {
		go func() { answers <- answer{of, ask(t.Context())} }()
	}
	for range asked {
		if a := <-answers; !errors.Is(a.err, ErrFailed) {
			t.Errorf("%s: %v, want ErrFailed", a.of, a.err)
		}
	}
}

// TestHungLinesAreLeft: lines that hang are failures of the database until new ones are taken, without a word from who asks.
func TestHungLinesAreLeft(t *testing.T) {
	t.Parallel()
	line, dsn := pgtest.NewLine(t, cluster.NewDSN(t))
	s, err := Open(t.Context(), Config{DSN: dsn, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	section := func() error { return s.PutSection(t.Context(), By{Actor: "cli:test"}, Section{ID: "s1", Name: "課"}) }
	list := func() error { _, err := s.Sections(t.Context()); return err }
	if err := errors.Join(section(), list()); err != nil {
		t.Fatal(err)
	}
	line.Hang()
	left := make(chan error)
	for _, ask := range []func() error{section, list} {
		go func() {
			tries, err := 1, ask()
			for ; tries < 16 && errors.Is(err, ErrFailed); tries++ { // no more lines than the pools hold can hang
				err = ask()
			}
			if tries == 1 {
				err = errors.Join(err, errors.New("nothing hung"))
			}
			left <- err
		}()
	}
	for range 2 {
		if err := <-left; err != nil {
			t.Error(err)
		}
	}
}
