package storetest

import (
	"crypto/sha256"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/audit"
	"jiseki/internal/grant"
	"jiseki/internal/store"
)

// clockAhead: what a clock that was a month ahead has stamped gives nobody anything when it is right again, and keeps
// nobody waiting.
func clockAhead(t *suite) {
	const ahead = 30 * 24 * time.Hour
	code, token := sha256.Sum256([]byte("code")), sha256.Sum256([]byte("token"))
	user := counter("user:x")
	try := func(want time.Duration) {
		t.Helper()
		wait, err := t.s.BeginAttempt(t.ctx, user)
		t.ok(err)
		t.equal(wait, want)
	}
	step := func() int64 { return t.clock.Now().Unix() / 30 }
	soon := func() int64 { return t.clock.Now().Add(time.Hour).UnixMilli() }
	t.ok(t.s.SetTOTP(t.ctx, Admin, "tanaka", store.TOTP{Sealed: []byte("sealed"), LastStep: 1}))

	t.clock.Add(ahead)
	for range 3 {
		try(0)
	}
	try(time.Minute)
	hash := t.signIn(1, "tanaka", "d1")
	t.ok(t.s.AddDeviceCode(t.ctx, Admin, "tanaka", store.NewDeviceCode{Hash: code, Kind: grant.DevicePrivate, UntilMS: soon()}))
	t.ok(t.s.AddDeskToken(t.ctx, Admin, store.DeskToken{Hash: token, Zone: grant.ZoneInternet, Section: "zeimu", Uses: 2, UntilMS: soon()}))
	t.ok(t.s.SpendTOTPStep(t.ctx, "tanaka", step()))
	t.ok(t.s.KeepRegister(t.ctx, "g1"))
	prepared, forgotten := t.bringTo(1, store.LifePrepared), t.bringTo(4, store.LifePrepared)
	granted, open := Session(t.T, t.s, 2, "tanaka", "d1", "k1"), t.bringTo(3, store.LifeOpen)
	t.clock.Add(-ahead)

	until, err := t.s.ThrottledUntil(t.ctx, "user:x")
	t.ok(err)
	t.equal(until, int64(0))
	for range 3 {
		try(0)
	}
	try(time.Minute)
	_, err = t.s.SignIn(t.ctx, hash)
	t.fails(err, store.ErrNotFound)
	t.signIn(2, "tanaka", "")
	opens, err := t.s.DeskTokenOpen(t.ctx, token)
	t.ok(err)
	t.equal(opens, false)
	t.fails(t.s.EnrolDevice(t.ctx, store.By{Actor: "user:tanaka"}, "tanaka", code, [32]byte{2}, Device("n1", "user:tanaka")), store.ErrExpired)
	_, err = t.s.EnrolDesk(t.ctx, store.DeskEnrolment{TokenHash: token, Key: Key("new"), NewID: "new", Hostname: "pc"})
	t.fails(err, store.ErrExpired)
	t.ok(t.s.SpendTOTPStep(t.ctx, "tanaka", step()))
	t.fails(t.s.SpendTOTPStep(t.ctx, "tanaka", step()), store.ErrSpent)

	t.fails(t.grant(store.By{Actor: "user:tanaka"}, store.Session{ID: prepared}), store.ErrExpired)
	t.bringTo(5, store.LifePrepared)
	_, err = t.s.Session(t.ctx, forgotten)
	t.fails(err, store.ErrNotFound)
	running, err := t.s.RunningSessions(t.ctx, "")
	t.ok(err)
	t.equal(len(running), 1) // the open one, until it is swept away
	seats, err := t.s.Seats(t.ctx, &access.Settings{})
	t.ok(err)
	t.equal(len(seats), 1) // the open one, until it is swept away
	n, err := t.s.EndStale(t.ctx, Admin)
	t.ok(err)
	t.equal(n, 2)
	for id, why := range map[[16]byte]string{granted: "never_opened", open: "clock"} {
		x, err := t.s.Session(t.ctx, id)
		t.ok(err)
		t.equal([]any{x.Life, x.EndReason}, []any{store.LifeEnded, why})
	}
	marked := t.registerOf().Len()
	t.ok(t.s.KeepRegister(t.ctx, "g1"))
	t.equal(t.registerOf().Len(), marked+1)
	// The log goes on from its last time and says the real one beside it.
	t.ok(t.s.Record(t.ctx, Admin, audit.Entry{Kind: audit.SessionRefused}))
	if got, want := t.last().Details, "{\"clock\":\"2026-11-24T00:00:00Z\"}"; got != want {
		t.Errorf("details %s, want %s", got, want)
	}
}
