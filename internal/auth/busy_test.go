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

// TestUnheardAttemptsWriteNothing: who finds no place among those whose passwords are hashed is told so at once. Nothing of it is
// counted and no event written, so that strangers fill neither the log nor the line of those who write.
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
