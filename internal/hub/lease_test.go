package hub_test

import (
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"jiseki/internal/cert"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/hub"
)

// TestNoLeaseWithoutReview: while sessions were not decided anew lately no desk gets a lease, and all get one as soon
// as they were.
func TestNoLeaseWithoutReview(t *testing.T) {
	var asked, reviewed atomic.Int64
	w := start(t, func(cfg *hub.Config) {
		cfg.Reviewed = func() time.Time { asked.Add(1); return time.Unix(reviewed.Load(), 0) }
	})
	w.desks.running["d1"] = []cert.SessionID{{5}}
	a := w.join(t, "d1")
	for asked.Load() < 2 {
		runtime.Gosched()
	}
	w.desks.mu.Lock()
	w.desks.running = map[string][]cert.SessionID{"d1": {{6}}}
	w.desks.mu.Unlock()
	reviewed.Store(time.Now().Add(time.Hour).Unix())
	a.next(func(_ *controlv1.GatewayMessage, o *controlv1.Order) bool {
		ids := o.GetLease().GetSessionIds()
		if len(ids) > 0 && ids[0][0] != 6 {
			t.Error("a lease was sent before the review")
		}
		return len(ids) > 0
	})
}

// TestDeskThatIsNotLetInIsGone: a desk whose channel fails behind its arrival does not count as there.
func TestDeskThatIsNotLetInIsGone(t *testing.T) {
	w := start(t)
	w.desks.broken = errors.New("disk is full")
	id := w.identity(t, "d1")
	id.register = &controlv1.RegisterCopy{}
	if _, next := w.hello(t, id); next.GetRefused().GetCode() != "unavailable" && next.GetSigned() == nil {
		t.Fatalf("the desk was answered %v", next)
	}
	if got := <-w.desks.detached; got != "d1 1 false" {
		t.Errorf("detached %q", got)
	}
}
