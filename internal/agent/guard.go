package agent

import (
	"context"
	"sync"
	"time"

	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/wire"
)

const (
	lockTries = 5               // before a desk that does not lock is reported
	lockPause = 2 * time.Second // between two tries
	lockLimit = 10 * time.Second
)

// A guard locks the desk when nobody works on it any more: at once after a session was ended, after the grace period
// when its link was lost. A session that opens in time stops it.
type guard struct {
	agent *Agent

	mu    sync.Mutex
	timer *time.Timer
	tasks sync.WaitGroup
}

// lockAfter locks the desk after wait, in the name of a session.
func (g *guard) lockAfter(ctx context.Context, wait time.Duration, session [16]byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.cancel()
	g.tasks.Add(1)
	g.timer = time.AfterFunc(wait, func() {
		defer g.tasks.Done()
		g.agent.dropResume()
		g.lock(ctx, session)
	})
}

// relax keeps the desk open: somebody works on it.
func (g *guard) relax() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.cancel()
}

// hasten locks now what would be locked later; used when the agent stops.
func (g *guard) hasten() {
	g.mu.Lock()
	if g.timer != nil && g.timer.Stop() {
		g.timer.Reset(0)
	}
	g.mu.Unlock()
	g.tasks.Wait()
}

// cancel stops the timer. The caller holds mu.
func (g *guard) cancel() {
	if g.timer != nil && g.timer.Stop() {
		g.tasks.Done()
	}
	g.timer = nil
}

// lock locks the desk, reads the lock back, and reports which it was. It tries a few times, for a menu or a drag can
// keep a locker from taking the keyboard, but not one that is not there.
func (g *guard) lock(ctx context.Context, session [16]byte) {
	var err error
	for try := range lockTries {
		if g.agent.inSession() {
			return // its user came back meanwhile; nobody else can
		}
		if err = g.try(ctx); err == nil {
			g.agent.record(controlv1.SessionEventKind_SESSION_EVENT_KIND_LOCKED, session, 0)
			g.agent.log.Info("desk locked")
			return
		}
		if ctx.Err() != nil || g.agent.desk.Lock.Can() != nil {
			break
		}
		g.agent.log.Warn("desk did not lock", "try", try+1, "err", err)
		select {
		case <-time.After(lockPause):
		case <-ctx.Done():
		}
	}
	g.agent.record(controlv1.SessionEventKind_SESSION_EVENT_KIND_LOCK_FAILED, session, wire.CannotLock)
	g.agent.log.Error("desk is NOT locked", "err", err)
}

func (g *guard) try(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lockLimit)
	defer cancel()
	if err := g.agent.desk.Input.ReleaseAll(); err != nil {
		return err
	}
	if err := g.agent.desk.Lock.Lock(ctx); err != nil {
		return err
	}
	g.agent.covered()
	return nil
}

// leases tells whether the gateway still wants the sessions to run.
type leases struct {
	mu   sync.Mutex
	last time.Time
}

func (l *leases) renew(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = now
}

// hold says whether the last lease still counts.
func (l *leases) hold(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return now.Sub(l.last) < leaseLimit
}
