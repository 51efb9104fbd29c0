package agent

import (
	"context"
	"io"
	"sync"
	"time"

	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/wire"
)

const (
	lockTries = 5                // before a desk that does not lock is reported
	lockPause = 2 * time.Second  // between two tries
	lockRest  = 10 * time.Second // between two tries after that
	lockLimit = 10 * time.Second

	orderLimit = 6 * time.Second // for a lock by order: the gateway waits 8 s for the answer
)

// What a desk says that does not lock, and its button.
const (
	notLockedText   = "画面をロックできません。開いているメニューを閉じてください"
	notLockedButton = "閉じる"
)

// A guard locks the desk when nobody works on it any more: at once after a session was ended, after the grace period
// when its link was lost. A session that opens in time stops it. It tries as long as the desk is open.
type guard struct {
	agent *Agent

	mu      sync.Mutex
	timer   *time.Timer
	stop    context.CancelFunc // ends the trying that runs; nil: none runs
	failing bool               // the desk was to be locked and is not
	tasks   sync.WaitGroup
}

// lockAfter locks the desk after wait, in the name of a session.
func (g *guard) lockAfter(ctx context.Context, wait time.Duration, session [16]byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.cancel()
	g.tasks.Add(1)
	wanted := g.begin()
	g.timer = time.AfterFunc(wait, func() {
		defer g.tasks.Done()
		g.agent.dropResume()
		g.lock(ctx, wanted, session)
	})
}

// insist locks the desk in nobody's name, unless that is tried already. It returns at once.
func (g *guard) insist(ctx context.Context) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stop != nil {
		return
	}
	wanted := g.begin()
	g.tasks.Go(func() { g.lock(ctx, wanted, unknownSession) })
}

// begin starts a trying: its context ends when it is not wanted any more. The caller holds mu.
func (g *guard) begin() context.Context {
	wanted, stop := context.WithCancel(context.Background())
	g.stop = stop
	return wanted
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

// cancel stops the timer, and the trying that runs. The caller holds mu.
func (g *guard) cancel() {
	if g.timer != nil && g.timer.Stop() {
		g.tasks.Done()
	}
	g.timer = nil
	if g.stop != nil {
		g.stop()
	}
	g.stop = nil
}

// lock locks the desk, and reports in the name of a session which it was: locked, and proved so, or not. One that is
// not is told at the desk and to the gateway, and tried until it is, ctx ends, or it is not wanted any more.
func (g *guard) lock(ctx, wanted context.Context, session [16]byte) {
	told := func() {}
	defer func() { told() }()
	defer g.ended(wanted)
	for try := 1; ; try++ {
		if wanted.Err() != nil || session != unknownSession && g.agent.inSession() {
			return // its user came back meanwhile; nobody else can
		}
		err := g.try(ctx, lockLimit)
		if err == nil {
			g.agent.record(controlv1.SessionEventKind_SESSION_EVENT_KIND_LOCKED, session, 0)
			g.agent.log.Info("desk locked", "try", try)
			return
		}
		g.agent.log.Warn("desk did not lock", "try", try, "err", err)
		if !g.isFailing() && (try >= lockTries || ctx.Err() != nil || g.agent.desk.Lock.Can() != nil) {
			g.setFailing(true)
			g.agent.record(controlv1.SessionEventKind_SESSION_EVENT_KIND_LOCK_FAILED, session, wire.CannotLock)
			g.agent.log.Error("desk is NOT locked", "err", err)
			told = g.tell()
		}
		if ctx.Err() != nil {
			return
		}
		rest(ctx, wanted, g.isFailing())
	}
}

// rest waits until the next try is due; the end of ctx makes it the last.
func rest(ctx, wanted context.Context, failing bool) {
	pause := lockPause
	if failing {
		pause = lockRest
	}
	select {
	case <-time.After(pause):
	case <-ctx.Done():
	case <-wanted.Done():
	}
}

// ended forgets a trying.
func (g *guard) ended(wanted context.Context) {
	g.mu.Lock()
	if wanted.Err() == nil && g.stop != nil { // not replaced by another
		g.stop()
		g.stop = nil
	}
	g.mu.Unlock()
	g.setFailing(false)
}

func (g *guard) isFailing() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.failing
}

func (g *guard) setFailing(failing bool) {
	g.mu.Lock()
	differs := g.failing != failing
	g.failing = failing
	g.mu.Unlock()
	if differs {
		g.agent.changed()
	}
}

// tell shows at the desk that it does not lock. What it returns takes that away.
func (g *guard) tell() (done func()) {
	if g.agent.desk.Say == nil {
		return func() {}
	}
	shown := make(chan io.Closer, 1)
	takeAway := sync.OnceFunc(func() {
		if strip := <-shown; strip != nil {
			strip.Close()
		}
	})
	strip, err := g.agent.desk.Say(notLockedText, notLockedButton, takeAway)
	if err != nil {
		g.agent.log.Warn("the desk does not show that it is not locked", "err", err)
	}
	shown <- strip
	return takeAway
}

func (g *guard) try(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
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
