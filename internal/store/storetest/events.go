package storetest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"jiseki/internal/audit"
	"jiseki/internal/cert"
	"jiseki/internal/store"
)

// last is the newest event.
func (t *suite) last() audit.Event {
	t.Helper()
	events, _, err := t.s.Events(t.ctx, store.EventFilter{}, store.Page{Limit: 1})
	t.ok(err)
	return events[0]
}

func pages(t *suite) {
	var want []cert.SessionID
	for i := range byte(7) {
		if i%2 == 0 {
			t.clock.Add(time.Second) // some share a millisecond
		}
		want = append([]cert.SessionID{Session(t.T, t.s, i+1, "tanaka", "d1", "k1")}, want...)
	}
	var got []cert.SessionID
	for p := (store.Page{Limit: 2}); ; {
		part, next, err := t.s.Sessions(t.ctx, store.SessionFilter{User: "tanaka"}, p)
		t.ok(err)
		for i := range part {
			got = append(got, part[i].ID)
		}
		if p.After = next; next == "" {
			break
		}
	}
	t.equal(got, want)
	_, _, err := t.s.Sessions(t.ctx, store.SessionFilter{}, store.Page{After: "nonsense"})
	t.fails(err, store.ErrInvalid)

	seen := 0
	last := uint64(1 << 62)
	for p := (store.Page{Limit: 5}); ; {
		part, next, err := t.s.Events(t.ctx, store.EventFilter{Actor: "cli:root"}, p)
		t.ok(err)
		for i := range part {
			if part[i].Number >= last {
				t.Fatalf("event %d after %d", part[i].Number, last)
			}
			last = part[i].Number
		}
		seen += len(part)
		if p.After = next; next == "" {
			break
		}
	}
	head, err := t.s.Head(t.ctx)
	t.ok(err)
	if seen == 0 || seen >= int(head.Number) { //nolint:gosec // a few dozen
		t.Fatalf("%d of %d events by the administrator", seen, head.Number)
	}
	events, _, err := t.s.Events(t.ctx, store.EventFilter{Kind: audit.SessionGranted, FromMS: t.clock.Now().UnixMilli()}, store.Page{})
	t.ok(err)
	t.equal(len(events), 1)
}

// eventOfEveryAct: an event that cannot be written undoes its act.
func eventOfEveryAct(t *suite) {
	mine := t.signIn(1, "tanaka", "")
	head, err := t.s.Head(t.ctx)
	t.ok(err)
	nobody := store.By{} // an event needs an actor
	for name, act := range map[string]func() error{
		"section":  func() error { return t.s.PutSection(t.ctx, nobody, store.Section{ID: "x", Name: "x"}) },
		"user":     func() error { return t.s.CreateUsers(t.ctx, nobody, []store.NewUser{{ID: "x", Name: "x"}}) },
		"password": func() error { return t.s.SetPassword(t.ctx, nobody, "tanaka", "other", mine) },
		"reset":    func() error { _, err := t.s.ResetPassword(t.ctx, nobody, "tanaka", "other"); return err },
		"disable":  func() error { _, err := t.s.SetUserDisabled(t.ctx, nobody, "tanaka", true); return err },
		"device":   func() error { return t.s.AddDevice(t.ctx, nobody, Device("x", "all")) },
		"revoke":   func() error { _, err := t.s.RevokeDevice(t.ctx, nobody, "d1", ""); return err },
		"desk":     func() error { return t.s.AddDesk(t.ctx, nobody, store.Desk{ID: "x", Name: "x", Zone: 1}) },
		"delete":   func() error { _, err := t.s.DeleteDesk(t.ctx, nobody, "k1"); return err },
		"record":   func() error { return t.s.Record(t.ctx, nobody, audit.Entry{Kind: audit.SignInRefused}) },
	} {
		if err := act(); !errors.Is(err, audit.ErrForm) {
			t.Errorf("%s: %v", name, err)
		}
	}
	after, err := t.s.Head(t.ctx)
	t.ok(err)
	t.equal(after, head)
	u, err := t.s.User(t.ctx, "tanaka")
	t.ok(err)
	t.equal([]any{u.PasswordHash, u.Disabled, u.Devices}, []any{"hash", false, 1})
	_, err = t.s.Desk(t.ctx, "k1")
	t.ok(err)
	_, err = t.s.Desk(t.ctx, "x")
	t.fails(err, store.ErrNotFound)
	err = t.s.Record(t.ctx, Admin, audit.Entry{Kind: audit.SignInRefused, Details: audit.Details{"user_password": "x"}})
	t.fails(err, audit.ErrSecret)
}

// actsAtOnce: the chain has one order, whoever writes.
func actsAtOnce(t *suite) {
	before, err := t.s.Head(t.ctx)
	t.ok(err)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 5 {
				err := t.s.Record(t.ctx, Admin, audit.Entry{Kind: audit.SessionRefused, Subject: fmt.Sprintf("desk:%d-%d", w, i)})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	after, err := t.s.Head(t.ctx)
	t.ok(err)
	t.equal(after.Number, before.Number+40)
}

func clockBackwards(t *suite) {
	t.clock.Add(-time.Hour)
	t.ok(t.s.Record(t.ctx, Admin, audit.Entry{Kind: audit.SessionRefused}))
	t.equal(t.last().TimeMS, t.clock.Now().Add(time.Hour).UnixMilli())
}

func tidy(t *suite) {
	t.signIn(1, "tanaka", "")
	t.ok(t.s.SpendNonce(t.ctx, [32]byte{1}, t.clock.Now()))
	t.clock.Add(60 * 24 * time.Hour)
	events := t.last().Number
	t.ok(t.s.Tidy(t.ctx, 1000*time.Hour))
	t.equal(t.last().Number, events)
	t.ok(t.s.SpendNonce(t.ctx, [32]byte{1}, t.clock.Now().Add(time.Hour))) // forgotten
}

// tidyByAWrongClock: a clock that is ahead for a day, however often the gateway starts meanwhile, has nothing forgotten that
// is still good when it is right again. What is old goes, also after a time without a gateway.
func tidyByAWrongClock(t *suite) {
	const day = 24 * time.Hour
	token := [32]byte{7}
	t.ok(t.s.AddDeskToken(t.ctx, Admin, store.DeskToken{Hash: token, Zone: 1, Uses: 1, UntilMS: t.clock.Now().Add(7 * day).UnixMilli()}))
	t.ok(t.s.Notify(t.ctx, approvedNotice("suzuki", "2026-11-25")))
	left := func() []any {
		t.Helper()
		open, err := t.s.DeskTokenOpen(t.ctx, token)
		t.ok(err)
		unread, err := t.s.UnreadNotices(t.ctx, "suzuki")
		t.ok(err)
		return []any{open, unread}
	}
	t.clock.Add(3 * 365 * day)
	for range 50 {
		t.ok(t.s.Tidy(t.ctx, 0))
	}
	for range 24 {
		t.ok(t.s.Tidy(t.ctx, time.Hour))
	}
	t.clock.Add(-3 * 365 * day)
	t.ok(t.s.Tidy(t.ctx, time.Hour))
	t.equal(left(), []any{true, 1})
	t.clock.Add(500 * day)
	for range 250 {
		t.ok(t.s.Tidy(t.ctx, day))
	}
	t.equal(left(), []any{false, 0})
}
