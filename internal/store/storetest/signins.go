package storetest

import (
	"sync"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/store"
)

// signIn keeps a sign-in whose hash begins with n.
func (t *suite) signIn(n byte, user, device string) [32]byte {
	t.Helper()
	in := store.SignIn{
		Hash: [32]byte{n}, User: user, Device: device, Place: access.Home, Address: "203.0.113.9",
		UntilMS: t.clock.Now().Add(time.Hour).UnixMilli(),
	}
	proven, err := t.s.User(t.ctx, user)
	t.ok(err)
	t.ok(t.s.AddSignIn(t.ctx, in, &proven, [32]byte{}))
	return in.Hash
}

// overtakenSignIns: what was proven before a change that ends sign-ins is not kept after it, and a sign-in that was
// ended changes nothing that sign-ins are proven with.
func overtakenSignIns(t *suite) {
	by := store.By{Actor: "user:tanaka"}
	mine := t.signIn(1, "tanaka", "")
	in := store.SignIn{Hash: [32]byte{2}, User: "tanaka", Device: "d1", UntilMS: t.clock.Now().Add(time.Hour).UnixMilli()}
	disabled := func(yes bool) func() error {
		return func() error { _, err := t.s.SetUserDisabled(t.ctx, Admin, "tanaka", yes); return err }
	}
	for _, change := range []func() error{
		func() error { return t.s.SetPassword(t.ctx, by, "tanaka", "newer", mine) },
		func() error { _, err := t.s.ResetPassword(t.ctx, Admin, "tanaka", "first"); return err },
		func() error { return t.s.SetTOTP(t.ctx, Admin, "tanaka", store.TOTP{Sealed: []byte("sealed")}) },
		func() error { return t.s.SetTOTP(t.ctx, Admin, "tanaka", store.TOTP{}) },
		disabled(true),
		func() error { _, err := t.s.RevokeDevice(t.ctx, Admin, "d1", "lost"); return err },
	} {
		proven, err := t.s.User(t.ctx, "tanaka")
		t.ok(err)
		t.ok(change())
		before := t.last().Number
		t.fails(t.s.AddSignIn(t.ctx, in, &proven, [32]byte{}), store.ErrStale)
		t.equal(t.last().Number, before)
		t.ok(disabled(false)())
	}
	t.fails(t.s.SetPassword(t.ctx, by, "tanaka", "thief", mine), store.ErrStale)
	t.fails(t.s.SetTOTP(t.ctx, by, "tanaka", store.TOTP{Sealed: []byte("thief"), SignIn: mine}), store.ErrStale)
	t.fails(t.s.EnrolDevice(t.ctx, by, "tanaka", [32]byte{7}, mine, Device("n1", "user:tanaka")), store.ErrStale)
	u, err := t.s.User(t.ctx, "tanaka")
	t.ok(err)
	t.equal([]any{u.PasswordHash, u.MustChange, u.TOTPSealed == nil}, []any{"first", true, true})
}

func signIns(t *suite) {
	hash := t.signIn(1, "tanaka", "d1")
	in, err := t.s.SignIn(t.ctx, hash)
	t.ok(err)
	t.equal([]any{in.User, in.Device, in.Place, in.Second}, []any{"tanaka", "d1", access.Home, false})
	t.clock.Add(2 * time.Minute)
	t.ok(t.s.TouchSignIn(t.ctx, hash))
	in, err = t.s.SignIn(t.ctx, hash)
	t.ok(err)
	t.equal(in.LastUsedMS, t.clock.Now().UnixMilli())
	t.ok(t.s.SignOut(t.ctx, store.By{Actor: "user:tanaka"}, hash))
	before := t.last().Number
	t.ok(t.s.SignOut(t.ctx, store.By{Actor: "user:tanaka"}, hash))
	t.equal(t.last().Number, before)

	former := t.signIn(4, "suzuki", "")
	next := store.SignIn{Hash: [32]byte{5}, User: "tanaka", Address: "203.0.113.9", UntilMS: t.clock.Now().Add(time.Hour).UnixMilli()}
	proven, err := t.s.User(t.ctx, "tanaka")
	t.ok(err)
	before = t.last().Number
	t.ok(t.s.AddSignIn(t.ctx, next, &proven, former))
	_, err = t.s.SignIn(t.ctx, former)
	t.fails(err, store.ErrNotFound)
	t.equal(t.last().Number, before+2) // the end of the one, the other
	next.Hash = [32]byte{6}
	t.ok(t.s.AddSignIn(t.ctx, next, &proven, former)) // is over
	t.equal(t.last().Number, before+3)

	hash = t.signIn(2, "tanaka", "")
	t.clock.Add(time.Hour)
	_, err = t.s.SignIn(t.ctx, hash)
	t.fails(err, store.ErrNotFound)
	hash = t.signIn(3, "tanaka", "")
	_, err = t.s.SetUserDisabled(t.ctx, Admin, "tanaka", true)
	t.ok(err)
	_, err = t.s.SignIn(t.ctx, hash)
	t.fails(err, store.ErrNotFound)
}

// manySignIns: of one user so many are good, and those that were not used for longest give way.
func manySignIns(t *suite) {
	var hashes [][32]byte
	for n := range 25 {
		t.clock.Add(2 * time.Second)
		hashes = append(hashes, t.signIn(byte(n+1), "tanaka", "d1"))
		if n == 10 {
			other := t.signIn(100, "suzuki", "d2")
			defer func() {
				_, err := t.s.SignIn(t.ctx, other)
				t.ok(err)
			}()
		}
		if n > 0 {
			t.clock.Add(2 * time.Minute)
			t.ok(t.s.TouchSignIn(t.ctx, hashes[0]))
		}
	}
	for n, hash := range hashes {
		_, err := t.s.SignIn(t.ctx, hash)
		if n > 0 && n <= 5 {
			t.fails(err, store.ErrNotFound)
		} else {
			t.ok(err)
		}
	}
}

// sparing: who has free tries on the counter of their own is neither slowed by the other counters nor counted there.
func sparing(t *suite) {
	own, foreign, address := counter("user-inside:x"), counter("user-inside:none"), counter("address:y")
	own.Spares = 3
	begin := func(key store.Throttle, want time.Duration) {
		t.Helper()
		wait, err := t.s.BeginAttempt(t.ctx, key, address)
		t.ok(err)
		t.equal(wait, want)
	}
	for range 3 {
		begin(foreign, 0)
	}
	begin(foreign, time.Minute) // and so does whoever else is at this address
	begin(own, 0)
	t.ok(t.s.EndAttempt(t.ctx, own, address)) // right
	begin(foreign, time.Minute)               // which does not end it
	begin(own, 0)
	t.ok(t.s.UndoAttempt(t.ctx, own, address))
	begin(counter("user-inside:other"), time.Minute)
	for range 3 {
		begin(own, 0)
	}
	begin(own, time.Minute) // its own
	t.clock.Add(time.Minute)
	for n := range 3 { // 3 failures: all count from now on, on the address too
		own := own
		own.Wait = func(int64) time.Duration { return 0 }
		begin(own, 0)
		if n < 2 {
			t.clock.Add(time.Minute)
		}
	}
	begin(counter("user-inside:other"), time.Minute)
}

// counter waits a minute from the third failure on.
func counter(key string) store.Throttle {
	return store.Throttle{Key: key, Forget: time.Hour, Wait: func(failures int64) time.Duration {
		if failures < 3 {
			return 0
		}
		return time.Minute
	}}
}

func throttle(t *suite) {
	user, address := counter("user:x"), counter("address:y")
	begin := func(want time.Duration) {
		t.Helper()
		wait, err := t.s.BeginAttempt(t.ctx, user, address)
		t.ok(err)
		t.equal(wait, want)
	}
	begin(0)
	begin(0)
	begin(0)
	begin(time.Minute)
	t.clock.Add(59 * time.Second)
	begin(time.Second)
	t.clock.Add(time.Second)
	begin(0)
	begin(time.Minute)
	until, err := t.s.ThrottledUntil(t.ctx, "user:x", "user:other")
	t.ok(err)
	t.equal(until, t.clock.Now().Add(time.Minute).UnixMilli())
	t.ok(t.s.Unlock(t.ctx, Admin, "tanaka", "user:x", "address:y"))
	begin(0)
	t.ok(t.s.EndAttempt(t.ctx, user, address)) // right
	begin(0)
	begin(0)
	t.ok(t.s.UndoAttempt(t.ctx, user, address))
	begin(0)
	begin(0)
	begin(time.Minute)
	t.clock.Add(2 * time.Hour) // forgotten
	begin(0)
	begin(0)
	begin(0)
}

// attemptsAtOnce: many guesses in the same moment get no more than the free ones.
func attemptsAtOnce(t *suite) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	free := 0
	for range 20 {
		wg.Go(func() {
			wait, err := t.s.BeginAttempt(t.ctx, counter("user:x"))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			if wait == 0 {
				free++
			}
		})
	}
	wg.Wait()
	t.equal(free, 3)
}

func nonces(t *suite) {
	until := t.clock.Now().Add(time.Minute)
	t.ok(t.s.SpendNonce(t.ctx, [32]byte{1}, until))
	t.fails(t.s.SpendNonce(t.ctx, [32]byte{1}, until), store.ErrSpent)
	t.ok(t.s.SpendNonce(t.ctx, [32]byte{2}, until))
	t.clock.Add(2 * time.Minute)
	t.ok(t.s.SpendNonce(t.ctx, [32]byte{3}, until))
}
