package auth_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/auth"
	"jiseki/internal/store"
)

// A heldStore lets the first attempt hang in the moment in which it is counted, and counts the others.
type heldStore struct {
	*store.Store
	begun *atomic.Int64
	hold  chan struct{}
}

func (s heldStore) BeginAttempt(ctx context.Context, keys ...store.Throttle) (time.Duration, error) {
	s.begun.Add(1)
	<-s.hold
	return s.Store.BeginAttempt(ctx, keys...)
}

// A countedStore counts what it is asked, and lets it wait.
type countedStore struct {
	*store.Store
	signIns, users, most *atomic.Int64
	hold                 chan struct{}
}

func (s countedStore) SignIn(ctx context.Context, hash [32]byte) (store.SignIn, error) {
	s.signIns.Add(1)
	return s.Store.SignIn(ctx, hash)
}

func (s countedStore) User(ctx context.Context, id string) (store.User, error) {
	if n := s.users.Add(1); n > s.most.Load() {
		s.most.Store(n)
	}
	defer s.users.Add(-1)
	<-s.hold
	return s.Store.User(ctx, id)
}

// TestMadeUpTokensAskNoDatabase, nor does one of another gateway's.
func TestMadeUpTokensAskNoDatabase(t *testing.T) {
	h := newHall(t)
	token, _, err := h.signIn(auth.Attempt{User: "tanaka", Password: password})
	h.ok(err)
	cfg := h.svc.Config
	counted := countedStore{h.store, &atomic.Int64{}, &atomic.Int64{}, &atomic.Int64{}, make(chan struct{})}
	close(counted.hold)
	cfg.Store = counted
	svc := auth.New(cfg)
	for i := range len(token) {
		c := byte('A')
		if token[i] == c {
			c = 'B'
		}
		_, err := svc.Resume(t.Context(), token[:i]+string(c)+token[i+1:], home)
		h.refused(err, access.NotSignedIn)
	}
	cfg.TokenSecret[0]++
	_, err = auth.New(cfg).Resume(t.Context(), token, home)
	h.refused(err, access.NotSignedIn)
	if n := counted.signIns.Load(); n != 0 {
		t.Errorf("the database was asked %d times", n)
	}
	if _, err := svc.Resume(t.Context(), token, home); err != nil || counted.signIns.Load() != 1 {
		t.Errorf("the real one: %v, %d", err, counted.signIns.Load())
	}
}

// A fullStore has no room for what is only noted.
type fullStore struct{ *store.Store }

func (fullStore) TouchSignIn(context.Context, [32]byte) error { return store.ErrFull }

// TestFullDiskEndsNoSignIn: whoever is signed in can still stop people.
func TestFullDiskEndsNoSignIn(t *testing.T) {
	h := newHall(t)
	token, _, err := h.signIn(auth.Attempt{User: "tanaka", Password: password})
	h.ok(err)
	h.clock.Add(2 * time.Minute)
	cfg := h.svc.Config
	cfg.Store = fullStore{h.store}
	_, err = auth.New(cfg).Resume(t.Context(), token, home)
	h.ok(err)
}

// TestAttemptsAskFewAtATime: however many try to sign in, few of them have the database asked.
func TestAttemptsAskFewAtATime(t *testing.T) {
	h := newHall(t)
	cfg := h.svc.Config
	counted := countedStore{h.store, &atomic.Int64{}, &atomic.Int64{}, &atomic.Int64{}, make(chan struct{})}
	cfg.Store = counted
	svc := auth.New(cfg)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() { _, _, _ = svc.SignIn(t.Context(), auth.Attempt{User: "nobody", Password: "x", Address: home}) })
	}
	for range 50 {
		counted.hold <- struct{}{}
	}
	all.Wait()
	if n := counted.most.Load(); n > 4 {
		t.Errorf("%d at a time", n)
	}
}

// TestUnheardAttemptsWriteNothing: who finds no place among those whose passwords are hashed is told so at once.
// Nothing of it is counted and no event written, so that strangers fill neither the log nor the line of those who
// write.
func TestUnheardAttemptsWriteNothing(t *testing.T) {
	h := newHall(t)
	cfg := h.svc.Config
	held := heldStore{h.store, &atomic.Int64{}, make(chan struct{})}
	cfg.Store = held
	svc := auth.New(cfg)
	before := h.last().Number
	const waiting = 5 // one that is heard, and as many of one network as may wait
	answers := make(chan error, 100)
	try := func() {
		_, _, err := svc.SignIn(t.Context(), auth.Attempt{User: "tanaka", Password: "wrong", Address: home})
		answers <- err
	}
	var all sync.WaitGroup
	for range 100 {
		all.Go(try)
	}
	for range 100 - waiting {
		h.refused(<-answers, access.Busy)
	}
	if n := held.begun.Load(); n != 1 {
		t.Errorf("%d attempts were counted, want the one that is heard", n)
	}
	close(held.hold)
	all.Wait()
	for range waiting {
		var r *auth.Refusal
		if err := <-answers; !errors.As(err, &r) || r.Reasons[0].Code == access.Busy {
			t.Errorf("an attempt that had a place: %v", err)
		}
	}
	if n := h.last().Number - before; n > waiting {
		t.Errorf("%d events for %d attempts that were heard", n, waiting)
	}
}
