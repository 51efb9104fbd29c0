package store_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/cert"
	"jiseki/internal/grant"
	"jiseki/internal/store"
	"jiseki/internal/store/storetest"
)

// A peer is one of several gateways on a database. Its clock is that of the machine, on which the database runs too,
// and a bit ahead.
type peer struct {
	*store.Store
	t     *testing.T
	id    string
	ahead atomic.Int64
}

func (p *peer) now() time.Time { return time.Now().Add(time.Duration(p.ahead.Load())) }

// set puts the clock ahead, as the gateway notices with its next sign of life.
func (p *peer) set(ahead time.Duration) {
	p.t.Helper()
	p.ahead.Store(int64(ahead))
	p.ok(p.GatewayAlive(p.t.Context(), p.id))
}

func (p *peer) ok(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// wrong fails unless the gateway's clock counts as wrong, or as right.
func (p *peer) wrong(want bool) {
	p.t.Helper()
	if err := p.CheckClock(p.t.Context()); errors.Is(err, store.ErrClock) != want || !want && err != nil {
		p.t.Errorf("%s: %v, want wrong to be %v", p.id, err, want)
	}
}

// session is one that is granted at this gateway and runs for an hour; of sessions there is one at a time.
func (p *peer) session(n byte) (cert.SessionID, error) {
	x := store.Session{
		ID: cert.SessionID{n}, User: "tanaka", Device: "d1", Desk: "k1", Place: access.Home, Nonce: cert.Nonce{n},
		Viewer: grant.ViewerBrowser, Rights: grant.RightView, Relay: "gw:443", Gateway: p.id, UntilMS: time.Now().Add(time.Hour).UnixMilli(),
	}
	if err := p.PrepareSession(p.t.Context(), x); err != nil {
		return x.ID, err
	}
	_, err := p.GrantSession(p.t.Context(), store.By{Actor: "user:tanaka"}, [32]byte{}, x)
	return x.ID, err
}

func (p *peer) open(n byte) cert.SessionID {
	p.t.Helper()
	id, err := p.session(n)
	p.ok(err)
	p.ok(p.opened(id, n))
	return id
}

func (p *peer) opened(id cert.SessionID, n byte) error {
	return p.AddAgentEvent(p.t.Context(), store.AgentEvent{Desk: "k1", Run: [16]byte{9}, Seq: uint64(n), Session: id, Kind: store.AgentOpened})
}

func (p *peer) life(id cert.SessionID) store.Life {
	p.t.Helper()
	x, err := p.Session(p.t.Context(), id)
	p.ok(err)
	return x.Life
}

// hall is a town hall with gateways that have started, all with right clocks.
func hall(t *testing.T, ids ...string) []*peer {
	t.Helper()
	dsn := store.Cluster().NewDSN(t)
	peers := make([]*peer, len(ids))
	for i, id := range ids {
		p := &peer{t: t, id: id}
		var err error
		p.Store, err = store.Open(t.Context(), store.Config{DSN: dsn, Now: p.now, Gateway: id})
		p.ok(err)
		t.Cleanup(func() { _ = p.Close() })
		if i == 0 {
			storetest.Town(t, p.Store)
		}
		p.ok(p.GatewayStarted(t.Context(), id, "test"))
		peers[i] = p
	}
	return peers
}

// TestWrongClockEndsNoSessions: a gateway whose clock jumps ends no session that another opened, and a desk whose
// channel it holds goes on opening them.
func TestWrongClockEndsNoSessions(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{-90 * time.Second, -3 * time.Hour, 3 * time.Hour} {
		t.Run(ahead.String(), func(t *testing.T) {
			t.Parallel()
			peers := hall(t, "right", "wrong")
			right, wrong := peers[0], peers[1]
			id := right.open(1)
			wrong.ahead.Store(int64(ahead)) // and the sweep comes before anybody has looked
			_, err := wrong.EndStale(t.Context(), store.By{Actor: "gateway:wrong"})
			wrong.ok(err)
			if got := right.life(id); got != store.LifeOpen {
				t.Errorf("the session has life %d", got)
			}
			next, err := right.session(2)
			right.ok(err)
			running, err := wrong.RunningSessions(t.Context(), "")
			wrong.ok(err)
			if len(running) != 2 {
				t.Errorf("the lease of the gateway with the wrong clock names %d of 2 sessions", len(running))
			}
			wrong.ok(wrong.opened(next, 2))
			if got := right.life(next); got != store.LifeOpen {
				t.Errorf("the session that a desk reported to it has life %d", got)
			}
		})
	}
}

// TestWrongClockFreesNoThrottle: who guesses at two gateways in turn, one with a wrong clock, waits as at one.
func TestWrongClockFreesNoThrottle(t *testing.T) {
	t.Parallel()
	peers := hall(t, "right", "wrong")
	peers[1].ahead.Store(int64(-90 * time.Second))
	throttle := store.Throttle{Key: "user:tanaka", Forget: time.Hour, Wait: func(failures int64) time.Duration {
		if failures < 3 {
			return 0
		}
		return time.Hour
	}}
	free := 0
	for i := range 20 {
		wait, err := peers[i%2].BeginAttempt(t.Context(), throttle)
		switch {
		case i%2 == 1 && !errors.Is(err, store.ErrClock):
			t.Errorf("the gateway with the wrong clock judges a throttle: %v", err)
		case i%2 == 0 && err != nil:
			t.Fatal(err)
		case err == nil && wait == 0:
			free++
		}
	}
	if free != 3 {
		t.Errorf("%d attempts were free, want 3", free)
	}
}

// TestWrongClockGivesNothing: while its clock is wrong a gateway gives nothing and forgets nothing; it takes away, and
// what it stamps is of the others' time. When its clock is right again it goes on.
func TestWrongClockGivesNothing(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{-time.Hour, time.Hour} {
		t.Run(ahead.String(), func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			peers := hall(t, "right", "wrong")
			right, wrong := peers[0], peers[1]
			user, err := right.User(ctx, "tanaka")
			right.ok(err)
			in := store.SignIn{Hash: [32]byte{1}, User: "tanaka", Place: access.Home, UntilMS: time.Now().Add(time.Minute).UnixMilli()}
			right.ok(right.AddSignIn(ctx, in, &user, [32]byte{}))
			right.ok(right.SpendNonce(ctx, [32]byte{1}, time.Now().Add(time.Minute)))

			wrong.set(ahead)
			another := in
			another.Hash = [32]byte{2}
			for name, give := range map[string]func() error{
				"sign-in":  func() error { return wrong.AddSignIn(ctx, another, &user, [32]byte{}) },
				"session":  func() error { _, err := wrong.session(1); return err },
				"nonce":    func() error { return wrong.SpendNonce(ctx, [32]byte{2}, time.Now().Add(time.Minute)) },
				"tidying":  func() error { return wrong.Tidy(ctx, time.Hour) },
				"enabling": func() error { _, err := wrong.SetUserDisabled(ctx, storetest.Admin, "suzuki", false); return err },
			} {
				if err := give(); !errors.Is(err, store.ErrClock) {
					t.Errorf("%s by a wrong clock: %v", name, err)
				}
			}
			if _, err := wrong.SignIn(ctx, in.Hash); err != nil {
				t.Errorf("a sign-in that is good is not known: %v", err)
			}
			wrong.ok(wrong.TouchSignIn(ctx, in.Hash))
			if _, err := right.SignIn(ctx, in.Hash); err != nil {
				t.Errorf("a sign-in that was used at the gateway with the wrong clock is over: %v", err)
			}
			id := right.open(1)
			wrong.ok(wrong.EndSession(ctx, storetest.Admin, id, 4, "test"))
			_, err = wrong.SetUserDisabled(ctx, storetest.Admin, "suzuki", true)
			wrong.ok(err)
			x, err := right.Session(ctx, id)
			right.ok(err)
			if late := time.Since(time.UnixMilli(x.EndedMS)); x.Life != store.LifeEnded || late.Abs() > 30*time.Minute {
				t.Errorf("life %d, ended %s ago", x.Life, late)
			}

			wrong.set(0)
			wrong.wrong(false)
			wrong.ok(wrong.AddSignIn(ctx, another, &user, [32]byte{}))
			if err := wrong.SpendNonce(ctx, [32]byte{1}, time.Now()); !errors.Is(err, store.ErrSpent) {
				t.Errorf("a nonce that is spent: %v", err)
			}
		})
	}
}

// TestWhoseClockIsWrong: gateways are held against each other, two also against the database; one by itself against
// nothing.
func TestWhoseClockIsWrong(t *testing.T) {
	t.Parallel()
	peers := hall(t, "a", "b", "c")
	a, b, c := peers[0], peers[1], peers[2]
	all := func(wrong ...bool) {
		t.Helper()
		for i, p := range peers {
			p.wrong(wrong[i])
		}
	}
	all(false, false, false)
	b.set(-90 * time.Second)
	all(false, true, false)
	a.set(-90 * time.Second) // two of three
	all(false, false, true)
	c.set(-80 * time.Second) // as if the database's clock were ahead
	all(false, false, false)

	c.ok(c.GatewayStopped(t.Context(), "c"))
	peers = peers[:2]
	all(false, false) // of two that agree, whatever the database's clock says
	a.set(0)
	all(false, true) // of two that do not, the database's clock says which
	b.ok(b.GatewayStopped(t.Context(), "b"))
	peers = peers[:1]
	a.set(5 * time.Hour)
	all(false)
}

// TestAdministratorsAreToldOfAClock once a day.
func TestAdministratorsAreToldOfAClock(t *testing.T) {
	t.Parallel()
	p := hall(t, "a", "b")[1]
	p.set(3 * time.Hour)
	for range 2 {
		p.ok(p.TellClock(t.Context(), "b"))
	}
	told, _, err := p.Notices(context.Background(), "admin", store.Page{})
	p.ok(err)
	if len(told) != 1 || told[0].Kind != "gateway_clock" || told[0].Args["gateway"] != "b" {
		t.Errorf("administrators were told %+v", told)
	}
}
