package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"jiseki/internal/audit"
	"jiseki/internal/cert"
	"jiseki/internal/store"
	"jiseki/internal/store/storetest"
)

// failing is an act that no database takes.
func failing(context.Context, store.By) ([]store.Session, error) { return nil, store.ErrFull }

// TestLostActIsLoggedAndAnswered: an act that finds no room among those that are owed is lost: the log says so, and whoever did it is
// not told that it is made up for.
func TestLostActIsLoggedAndAnswered(t *testing.T) {
	var log bytes.Buffer
	m := &Manager{log: slog.New(slog.NewTextHandler(&log, nil))}
	for i := range mostOwed {
		if err := m.owe(&write{act: fmt.Sprint(i), by: store.By{Actor: fmt.Sprint(i % 4)}}, store.ErrFull); errors.Is(err, ErrLost) {
			t.Fatal(i, err)
		}
	}
	err := m.owe(&write{act: "the last straw", by: store.By{Actor: "another"}}, store.ErrFull)
	if !errors.Is(err, ErrLost) || !errors.Is(err, store.ErrFull) || !strings.Contains(log.String(), "lost: too much is owed already\" act=\"the last straw\"") {
		t.Errorf("%v; the log ends with %q", err, log.String()[log.Len()-100:])
	}
}

// TestOneActIsOwedOnce: whoever does the same again and again takes no place of others, and not when it is much that one does.
func TestOneActIsOwedOnce(t *testing.T) {
	h := newHall(t)
	user, admin := store.By{Actor: "user:tanaka"}, store.By{Actor: "user:admin"}
	takeAway := func(by store.By, kind audit.Kind, f store.SessionFilter) error {
		_, err := h.m.TakeAway(t.Context(), by, Taking{Kind: kind, From: f, Do: failing})
		return err
	}
	for range 3 {
		if err := takeAway(user, audit.DeviceLost, store.SessionFilter{Device: "d9"}); errors.Is(err, ErrLost) || !errors.Is(err, ErrUnwritten) {
			t.Fatal(err)
		}
	}
	for i := range mostOfOne {
		if err := takeAway(user, audit.DeviceLost, store.SessionFilter{Device: fmt.Sprint("x", i)}); errors.Is(err, ErrLost) != (i == mostOfOne-1) {
			t.Fatal(i, err)
		}
	}
	for _, kind := range []audit.Kind{audit.UserDisabled, audit.DeviceRevoked} { // two acts, not one
		if err := takeAway(admin, kind, store.SessionFilter{User: "suzuki"}); errors.Is(err, ErrLost) {
			t.Errorf("the administrator's act is lost: %v", err)
		}
	}
	if got := len(h.m.owed.all()); got != mostOfOne+2 {
		t.Errorf("%d acts are owed", got)
	}
}

// TestNewestOfTheSameIsWritten: of two changes of one desk the later holds.
func TestNewestOfTheSameIsWritten(t *testing.T) {
	h := newHall(t)
	var written []string
	full := true
	change := func(name string) {
		_, err := h.m.TakeAway(t.Context(), storetest.Admin, Taking{
			Kind: audit.DeskChanged, From: store.SessionFilter{Desk: "k9"}, Do: func(context.Context, store.By) ([]store.Session, error) {
				if full {
					return nil, store.ErrFull
				}
				written = append(written, name)
				return nil, nil
			},
		})
		if !errors.Is(err, ErrUnwritten) {
			t.Fatal(err)
		}
	}
	change("first")
	change("second")
	full = false
	h.check(h.m.writeOwed(t.Context()))
	if got := strings.Join(written, " "); got != "second" || len(h.m.owed.all()) > 0 {
		t.Errorf("wrote %s, %d are owed", got, len(h.m.owed.all()))
	}
}

// TestOwedActIsNotWrittenOverALaterOne: what was decided since an act, through whichever gateway, holds against it; and what is written
// later is what takes away, and nothing more.
func TestOwedActIsNotWrittenOverALaterOne(t *testing.T) {
	for name, looks := range map[string]bool{"the log was looked at": true, "it was not": false} {
		t.Run(name, func(t *testing.T) {
			h := newHall(t)
			ctx := t.Context()
			if looks {
				h.check(h.m.look(ctx))
				h.check(h.m.look(ctx))
			}
			full := true
			do := func(disable string) Take {
				return func(ctx context.Context, by store.By) ([]store.Session, error) {
					if full {
						return nil, store.ErrFull
					}
					return h.store.SetUserDisabled(ctx, by, disable, true)
				}
			}
			for _, user := range []string{"tanaka", "suzuki"} {
				_, err := h.m.TakeAway(ctx, storetest.Admin, Taking{Kind: audit.UserDisabled, From: store.SessionFilter{User: user}, Do: do(user)})
				if !errors.Is(err, ErrUnwritten) {
					t.Fatal(err)
				}
			}
			_, err := h.m.TakeAway(ctx, storetest.Admin, Taking{
				Kind: audit.DeskChanged, From: store.SessionFilter{Desk: "k2"}, Do: failing,
				Owed: func(ctx context.Context, by store.By) ([]store.Session, error) {
					return h.store.TakeDesk(ctx, by, "k2", []string{"suzuki"})
				},
			})
			if !errors.Is(err, ErrUnwritten) {
				t.Fatal(err)
			}
			h.clock.Add(time.Second)
			full = false
			_, err = h.store.SetUserDisabled(ctx, storetest.Admin, "suzuki", false) // at another gateway
			h.check(err)
			h.check(h.m.writeOwed(ctx))
			tanaka, err := h.store.User(ctx, "tanaka")
			h.check(err)
			suzuki, err := h.store.User(ctx, "suzuki")
			h.check(err)
			k2, err := h.store.Desk(ctx, "k2")
			h.check(err)
			if !tanaka.Disabled || suzuki.Disabled || strings.Join(k2.Users, " ") != "suzuki" || len(h.m.owed.all()) > 0 {
				t.Errorf("disabled: tanaka %v, suzuki %v; %v has k2; %d are owed", tanaka.Disabled, suzuki.Disabled, k2.Users, len(h.m.owed.all()))
			}
		})
	}
}

// TestSessionThatCannotBeReadEndsAtTheRelay: a session that somebody orders to end ends where it is known, also while the database says
// nothing of it; the order and the end are written later.
func TestSessionThatCannotBeReadEndsAtTheRelay(t *testing.T) {
	h := newHall(t)
	r := h.prepare()
	_, err := h.m.Open(t.Context(), h.caller, r)
	h.check(err)
	if !h.offered(r.Session) {
		t.Fatal("the relay does not know the session")
	}
	h.damage(`ALTER TABLE sessions RENAME TO gone`)
	err = h.m.EndAny(t.Context(), storetest.Admin, r.Session, "test")
	if !errors.Is(err, ErrUnwritten) || h.offered(r.Session) {
		t.Errorf("%v; the relay knows it still: %v", err, h.offered(r.Session))
	}
	var owed []string
	for _, w := range h.m.owed.all() {
		owed = append(owed, strings.Fields(w.act)[0])
	}
	if got := strings.Join(owed, " "); got != "session_end_ordered session_ended" {
		t.Errorf("owed: %s", got)
	}
}

// TestWriteThatFailsKeepsNoneBack: what the database does not take waits behind what it takes, also while it has room for little.
func TestWriteThatFailsKeepsNoneBack(t *testing.T) {
	h := newHall(t)
	var tried []string
	owe := func(act string, err error) {
		do := func(context.Context, store.By) error { tried = append(tried, act); return err }
		_ = h.m.owe(&write{act: act, do: do}, store.ErrFailed)
	}
	owe("never", store.ErrFailed)
	owe("short", store.ErrFull)
	owe("third", nil)
	owe("gone", store.ErrNotFound)
	h.damage(`ALTER TABLE gateways RENAME TO gone`) // so that nothing that only asks whether it writes stops the turn
	for range 2 {
		if err := h.m.writeOwed(t.Context()); !errors.Is(err, store.ErrFull) {
			t.Error(err)
		}
	}
	if got := strings.Join(tried, " "); got != "never short third gone never short" {
		t.Errorf("tried %s", got)
	}
}

// TestEndedAndPreparedSessionsAreNotOwed: an end that takes nothing away needs no place.
func TestEndedAndPreparedSessionsAreNotOwed(t *testing.T) {
	h := newHall(t)
	ended, prepared := h.prepare(), h.prepare()
	h.check(h.m.End(t.Context(), h.caller, ended.Session))
	var sessions []store.Session
	for _, r := range []OpenRequest{ended, prepared} {
		s, err := h.store.Session(t.Context(), r.Session)
		h.check(err)
		sessions = append(sessions, s)
	}
	h.check(h.store.Close())
	for _, s := range sessions {
		if err := h.m.end(t.Context(), storetest.Admin, s, codeRevoked, "test"); errors.Is(err, ErrUnwritten) {
			t.Errorf("life %v: %v", s.Life, err)
		}
	}
	if all := h.m.owed.all(); len(all) > 0 {
		t.Errorf("%d ends are owed, the first %q", len(all), all[0].act)
	}
}

// TestSessionEndsWhateverTheStoreSays: relay and desk are told although the database answers something that nobody expects.
func TestSessionEndsWhateverTheStoreSays(t *testing.T) {
	h := newHall(t)
	h.damage(`ALTER TABLE events RENAME TO gone`)
	if err := h.m.end(t.Context(), storetest.Admin, store.Session{ID: cert.SessionID{7}, Desk: "k9", Life: store.LifeOpen}, codeRevoked, "test"); err == nil {
		t.Error("the end was written")
	}
	h.close()
	if got := h.agents.orders(); got != 1 {
		t.Errorf("the desk was told %d times", got)
	}
}

// TestSessionEndsThoughItsEndHangs: a session whose end waits too long for the database ends at its desk, and is written later.
func TestSessionEndsThoughItsEndHangs(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	s := store.Session{ID: cert.SessionID{7}, Desk: "k9", Life: store.LifeOpen}
	holds, done, released := make(chan bool), make(chan bool), make(chan bool)
	go func() {
		defer close(released)
		_, _ = h.store.BeginAttempt(context.Background(), store.Throttle{Key: "a", Wait: func(int64) time.Duration {
			close(holds) // and with it the one connection that writes
			<-done
			return 0
		}})
	}()
	<-holds
	err := h.m.end(t.Context(), store.By{Actor: "gateway:g1"}, s, codeRevoked, "test")
	close(done)
	<-released
	h.close()
	if got := h.agents.orders(); !errors.Is(err, ErrUnwritten) || got != 1 {
		t.Errorf("%v; the desk was told %d times", err, got)
	}
	if owed := h.m.owed.all(); len(owed) != 1 {
		t.Errorf("%d writes are owed", len(owed))
	}
}
