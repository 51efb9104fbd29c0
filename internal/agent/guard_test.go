package agent

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/input"
	"jiseki/internal/lock"
)

// A fakeDesk is a desk without a screen, of which a test says whether it locks.
type fakeDesk struct {
	input.Injector // of which nothing else is used

	mu       sync.Mutex
	refusals int       // so many tries fail
	can      error     // what Can says
	stuck    error     // what ReleaseAll says
	typed    time.Time // as Lock was told last
	tries    []time.Duration
	began    time.Time
	shown    string
}

// Say shows a line.
func (d *fakeDesk) Say(text, _ string, _ func()) (io.Closer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shown = text
	return closer(func() { d.mu.Lock(); defer d.mu.Unlock(); d.shown = "" }), nil
}

// line is what the desk shows now.
func (d *fakeDesk) line() string { d.mu.Lock(); defer d.mu.Unlock(); return d.shown }

type closer func()

func (c closer) Close() error { c(); return nil }

func (d *fakeDesk) ReleaseAll() error          { return d.stuck }
func (d *fakeDesk) Changes() <-chan lock.State { return nil }
func (d *fakeDesk) LoggedOn() (bool, error)    { return true, nil }
func (d *fakeDesk) UsedLocally() time.Time     { return time.Time{} }
func (d *fakeDesk) Can() error                 { d.mu.Lock(); defer d.mu.Unlock(); return d.can }
func (d *fakeDesk) attempts() []time.Duration  { d.mu.Lock(); defer d.mu.Unlock(); return d.tries }
func (d *fakeDesk) Lock(_ context.Context, typed time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.typed = typed
	d.tries = append(d.tries, time.Since(d.began))
	if d.can != nil {
		return d.can
	}
	if len(d.tries) <= d.refusals {
		return errors.New("a menu holds the keyboard")
	}
	return nil
}

// guarded is an agent of which only what locks is there.
func guarded(t *testing.T, d *fakeDesk) *Agent {
	t.Helper()
	d.began = time.Now()
	a := &Agent{log: slog.New(slog.DiscardHandler), desk: Desk{Input: d, Lock: d, Say: d.Say}}
	a.guard.agent = a
	dir := t.TempDir()
	var err error
	if a.events, err = openOutbox(dir, make([]byte, 16), time.Now); err != nil {
		t.Fatal(err)
	}
	a.work = openWork(dir)
	return a
}

// reported are the kinds of the events so far.
func reported(a *Agent) (kinds []controlv1.SessionEventKind) {
	for _, e := range a.events.undelivered() {
		kinds = append(kinds, e.GetKind())
	}
	return kinds
}

const (
	lockedEvent = controlv1.SessionEventKind_SESSION_EVENT_KIND_LOCKED
	failedEvent = controlv1.SessionEventKind_SESSION_EVENT_KIND_LOCK_FAILED
)

func TestGuardLocksAfterTheGracePeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &fakeDesk{}
		a := guarded(t, d)
		a.guard.lockAfter(t.Context(), time.Minute, [16]byte{1})
		time.Sleep(time.Minute - time.Millisecond)
		synctest.Wait()
		if n := len(d.attempts()); n != 0 {
			t.Fatalf("%d tries to lock before the grace period was over", n)
		}
		time.Sleep(time.Millisecond)
		synctest.Wait()
		if n := len(d.attempts()); n != 1 {
			t.Fatalf("%d tries to lock, want 1", n)
		}
		if got := reported(a); len(got) != 1 || got[0] != lockedEvent {
			t.Errorf("events %v", got)
		}
	})
}

func TestGuardLeavesADeskInUseOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &fakeDesk{}
		a := guarded(t, d)
		a.guard.lockAfter(t.Context(), time.Minute, [16]byte{1})
		time.Sleep(59 * time.Second)
		a.guard.relax()
		a.guard.hasten() // an agent that stops has nothing to lock either
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := len(d.attempts()); n != 0 || len(reported(a)) != 0 {
			t.Errorf("%d tries to lock, events %v", n, reported(a))
		}
	})
}

// TestGuardTriesUntilTheDeskIsLocked: a desk that does not lock is reported, shown as one that cannot, and tried on.
func TestGuardTriesUntilTheDeskIsLocked(t *testing.T) {
	for _, c := range []struct {
		name     string
		refusals int
		last     time.Duration // when the last try comes
		events   []controlv1.SessionEventKind
	}{
		{"a menu is open for a moment", 3, 3 * lockPause, []controlv1.SessionEventKind{lockedEvent}},
		{"a menu stays open", 100, (lockTries-1)*lockPause + (101-lockTries)*lockRest, []controlv1.SessionEventKind{failedEvent, lockedEvent}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &fakeDesk{refusals: c.refusals}
				a := guarded(t, d)
				a.guard.lockAfter(t.Context(), 0, [16]byte{1})
				time.Sleep(c.last - time.Millisecond)
				synctest.Wait()
				if lockable := len(c.events) == 1; a.lockable() != lockable || len(d.line()) > 0 == lockable {
					t.Errorf("the desk counts as lockable: %v, and shows %q", a.lockable(), d.line())
				}
				time.Sleep(time.Hour)
				synctest.Wait()
				tries := d.attempts()
				if last := tries[len(tries)-1]; len(tries) != c.refusals+1 || last != c.last {
					t.Errorf("%d tries, the last after %v, want %d and %v", len(tries), last, c.refusals+1, c.last)
				}
				if got := reported(a); !slices.Equal(got, c.events) {
					t.Errorf("events %v, want %v", got, c.events)
				}
				if !a.lockable() || len(d.line()) > 0 {
					t.Errorf("lockable %v after all, shown %q", a.lockable(), d.line())
				}
			})
		})
	}
}

// TestGuardWithoutLocker: a desk whose locker is missing is reported at once, and locked when there is one.
func TestGuardWithoutLocker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &fakeDesk{can: errors.New("no locker")}
		a := guarded(t, d)
		a.guard.lockAfter(t.Context(), 0, [16]byte{1})
		synctest.Wait()
		if got := reported(a); !slices.Equal(got, []controlv1.SessionEventKind{failedEvent}) {
			t.Errorf("events %v", got)
		}
		d.mu.Lock()
		d.can = nil
		d.mu.Unlock()
		time.Sleep(lockRest)
		synctest.Wait()
		if got := reported(a); !slices.Equal(got, []controlv1.SessionEventKind{failedEvent, lockedEvent}) {
			t.Errorf("events %v", got)
		}
	})
}

// TestGuardGivesUpForItsUser: a session that opens ends the trying.
func TestGuardGivesUpForItsUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &fakeDesk{refusals: 1000}
		a := guarded(t, d)
		a.guard.lockAfter(t.Context(), 0, [16]byte{1})
		time.Sleep(time.Minute)
		a.guard.relax()
		synctest.Wait()
		before := len(d.attempts())
		time.Sleep(time.Hour)
		if after := len(d.attempts()); after != before || !a.lockable() {
			t.Errorf("%d tries more, lockable %v", after-before, a.lockable())
		}
	})
}

// TestTornLockIsMended: a lock that falls without anybody unlocking is put up again, in nobody's name; so is one that
// was ordered and failed.
func TestTornLockIsMended(t *testing.T) {
	for name, lose := range map[string]func(*Agent, context.Context){
		"torn": func(a *Agent, ctx context.Context) { a.stands(ctx, lock.Torn) },
		"ordered": func(a *Agent, ctx context.Context) {
			a.ctx = ctx
			if code := a.lockNow(ctx); code != "cannot_lock" {
				t.Errorf("the order is answered by %q", code)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &fakeDesk{refusals: 3}
				a := guarded(t, d)
				lose(a, t.Context())
				time.Sleep(time.Hour)
				synctest.Wait()
				if n := len(d.attempts()); n != 4 || len(reported(a)) != 0 {
					t.Errorf("%d tries, events %v; want 4 and none", n, reported(a))
				}
			})
		})
	}
}

// TestTornLockThatFailsIsReported: the last session's log tells that the desk that it left locked is open.
func TestTornLockThatFailsIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &fakeDesk{}
		a := guarded(t, d)
		last := [16]byte{1}
		if err := a.work.begin("sato", last); err != nil {
			t.Fatal(err)
		}
		a.guard.lockAfter(t.Context(), 0, last)
		synctest.Wait()
		a.stands(t.Context(), lock.Torn) // and mended at once: nothing to tell
		synctest.Wait()
		d.mu.Lock()
		d.refusals = len(d.tries) + lockTries
		d.mu.Unlock()
		a.stands(t.Context(), lock.Torn)
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := reported(a); !slices.Equal(got, []controlv1.SessionEventKind{lockedEvent, failedEvent, lockedEvent}) {
			t.Errorf("events %v", got)
		}
		for _, e := range a.events.undelivered() {
			if [16]byte(e.GetSessionId()) != last {
				t.Errorf("%v is told of the session %x", e.GetKind(), e.GetSessionId())
			}
		}
	})
}

func TestGuardHastens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &fakeDesk{}
		a := guarded(t, d)
		a.guard.lockAfter(t.Context(), time.Minute, [16]byte{1})
		a.guard.hasten()
		if tries := d.attempts(); len(tries) != 1 || tries[0] != 0 {
			t.Errorf("tries at %v, want one at once", tries)
		}
	})
}

func TestLeases(t *testing.T) {
	now := time.Unix(1000, 0)
	var l leases
	if l.hold(now) {
		t.Error("sessions may run before the first lease")
	}
	l.renew(now)
	if !l.hold(now.Add(leaseLimit-time.Nanosecond)) || l.hold(now.Add(leaseLimit)) {
		t.Errorf("a lease does not hold for exactly %v", leaseLimit)
	}
}

func TestEffort(t *testing.T) {
	e := effort{perSecond: firstEffort}
	before := e.pixels()
	e.took(time.Millisecond, before, true) // done early: says nothing
	if e.pixels() != before {
		t.Errorf("an update with little in it changed the effort from %d to %d", before, e.pixels())
	}
	for range 50 { // a machine that codes 2 million pixels a second
		n := e.pixels()
		e.took(time.Duration(n)*time.Second/4e6, n, false)
	}
	if got, want := e.pixels(), int(4e6*encodeTime.Seconds()); got < want-100 || got > want+100 {
		t.Errorf("pixels %d, want about %d", got, want)
	}
	for range 50 {
		e.took(time.Hour, e.pixels(), false)
	}
	if e.pixels() != leastEffort {
		t.Errorf("a machine that hardly moves may code %d pixels, want %d", e.pixels(), leastEffort)
	}
	for range 100 {
		e.took(time.Nanosecond, e.pixels(), false)
	}
	if e.pixels() != mostPixels {
		t.Errorf("a machine without limits may code %d pixels, want %d", e.pixels(), mostPixels)
	}
}
