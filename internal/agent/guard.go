package agent

import (
	"context"
	"errors"
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
	turn    uint64    // counts what makes a proof that runs worthless: see prove
	trying  *trying   // nil: none runs
	failing bool      // the desk was to be locked and is not
	typed   time.Time // when a viewer pressed something last: an unlock may be on its way
	tasks   sync.WaitGroup
}

// A trying is the work of locking the desk once: it waits, and tries until the desk is locked.
type trying struct {
	wanted context.Context // ends when it is not wanted any more
	stop   context.CancelFunc
	hurry  chan struct{} // holds one token when it is to wait no longer

	session [16]byte // that is told of; nobody: none is
	insists bool     // also while a session runs, and tells of its success after a failure alone
}

// lockAfter locks the desk after wait, in the name of a session.
func (g *guard) lockAfter(ctx context.Context, wait time.Duration, session [16]byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.cancel()
	t := g.begin(session)
	g.tasks.Go(func() {
		if t.wait(wait) {
			g.lock(ctx, t)
		}
	})
}

// insist locks the desk, and tells of its session, or of nobody's, if that fails; when it is tried already, it is tried
// now, whatever that waits for. fell says that the desk was seen open: a lock that was proved meanwhile does not count.
// It returns at once.
func (g *guard) insist(ctx context.Context, fell bool, session [16]byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if fell {
		g.turn++
	}
	if t := g.trying; t != nil {
		signal(t.hurry)
		return
	}
	t := g.begin(session)
	t.insists = true
	g.tasks.Go(func() { g.lock(ctx, t) })
}

// nobody is the session of a desk that nobody has worked on.
var nobody [16]byte

// begin starts a trying. The caller holds mu.
func (g *guard) begin(session [16]byte) *trying {
	t := &trying{hurry: make(chan struct{}, 1), session: session}
	t.wanted, t.stop = context.WithCancel(context.Background())
	g.trying = t
	return t
}

// wait waits, unless there is a hurry, and says whether the trying is still wanted.
func (t *trying) wait(d time.Duration) bool {
	if d > 0 {
		select {
		case <-time.After(d):
		case <-t.hurry:
		case <-t.wanted.Done():
		}
	}
	return t.wanted.Err() == nil
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
	if g.trying != nil {
		signal(g.trying.hurry)
	}
	g.mu.Unlock()
	g.tasks.Wait()
}

// cancel stops the trying that runs: a session has the desk, or has had it. The caller holds mu.
func (g *guard) cancel() {
	g.turn++
	if g.trying != nil {
		g.trying.stop()
	}
	g.trying = nil
}

// pressed notes that a viewer has pressed something.
func (g *guard) pressed() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.typed = time.Now()
}

// errFell is a lock that was proved and is over before anybody could rely on it.
var errFell = errors.New("the desk was unlocked at once, with nobody there")

// lock locks the desk, and reports of the trying's session which it was: locked, and proved so, or not. One that is not
// is told at the desk and to the gateway, and tried until it is, ctx ends, or it is not wanted any more.
func (g *guard) lock(ctx context.Context, t *trying) {
	told := func() {}
	defer func() { told() }()
	defer g.ended(t)
	for try := 1; ; try++ {
		if t.wanted.Err() != nil || !t.insists && g.agent.inSession() {
			return // its user came back meanwhile; nobody else can
		}
		err := g.try(ctx, t)
		if err == nil {
			if !t.insists || g.isFailing() {
				g.report(controlv1.SessionEventKind_SESSION_EVENT_KIND_LOCKED, t.session, 0)
			}
			g.agent.log.Info("desk locked", "try", try)
			return
		}
		if t.wanted.Err() != nil {
			return
		}
		g.agent.log.Warn("desk did not lock", "try", try, "err", err)
		if !g.isFailing() && (try >= lockTries || ctx.Err() != nil || g.agent.desk.Lock.Can() != nil) {
			g.setFailing(true)
			g.report(controlv1.SessionEventKind_SESSION_EVENT_KIND_LOCK_FAILED, t.session, wire.CannotLock)
			g.agent.log.Error("desk is NOT locked", "err", err)
			if ctx.Err() == nil {
				told = g.tell()
			}
		}
		if ctx.Err() != nil {
			return
		}
		rest(ctx, t, g.isFailing())
	}
}

// try locks the desk once. The trying ends with success.
func (g *guard) try(ctx context.Context, t *trying) error {
	turn, err := g.prove(ctx, lockLimit)
	if err != nil {
		return err
	}
	if !g.agent.covered(t, turn) {
		return errFell
	}
	return nil
}

// prove locks the desk and returns no error when it was proved that it is locked and nothing is on its way that unlocks
// it. That counts as long as the turn that it returns lasts: until the desk is seen open, or a session begins or ends.
func (g *guard) prove(ctx context.Context, limit time.Duration) (turn uint64, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	g.mu.Lock()
	turn = g.turn
	g.mu.Unlock()
	if err := g.agent.desk.Input.ReleaseAll(); err != nil {
		g.agent.log.Error("release keys before the lock", "err", err) // they hardly keep a locker away
	}
	g.mu.Lock()
	typed := g.typed
	g.mu.Unlock()
	return turn, g.agent.desk.Lock.Lock(ctx, typed)
}

// holds says whether a lock that was proved in a turn counts, and ends the trying whose lock it is. One of nobody's, by
// order, has a trying that waits hurry, so that it tells.
func (g *guard) holds(t *trying, turn uint64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.turn != turn {
		return false
	}
	if t != nil {
		g.trying = nil
		t.stop()
	} else if g.trying != nil {
		signal(g.trying.hurry)
	}
	return true
}

// rest waits until the next try is due; the end of ctx makes it the last.
func rest(ctx context.Context, t *trying, failing bool) {
	pause := lockPause
	if failing {
		pause = lockRest
	}
	select {
	case <-time.After(pause):
	case <-ctx.Done():
	case <-t.hurry:
	case <-t.wanted.Done():
	}
}

func (g *guard) report(kind controlv1.SessionEventKind, session [16]byte, code wire.Code) {
	if session != nobody {
		g.agent.record(kind, session, code)
	}
}

// ended forgets a trying.
func (g *guard) ended(t *trying) {
	g.mu.Lock()
	t.stop()
	if g.trying == t {
		g.trying = nil
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
