package agent

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/input"
)

// A fakeDesk is a desk without a screen, of which a test says whether it locks.
type fakeDesk struct {
	input.Injector // of which nothing else is used

	mu       sync.Mutex
	refusals int   // so many tries fail
	can      error // what Can says
	tries    []time.Duration
	began    time.Time
}

func (d *fakeDesk) ReleaseAll() error         { return nil }
func (d *fakeDesk) Changes() <-chan bool      { return nil }
func (d *fakeDesk) LoggedOn() (bool, error)   { return true, nil }
func (d *fakeDesk) UsedLocally() time.Time    { return time.Time{} }
func (d *fakeDesk) Can() error                { d.mu.Lock(); defer d.mu.Unlock(); return d.can }
func (d *fakeDesk) attempts() []time.Duration { d.mu.Lock(); defer d.mu.Unlock(); return d.tries }
func (d *fakeDesk) Lock(context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
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
	a := &Agent{log: slog.New(slog.DiscardHandler), desk: Desk{Input: d, Lock: d}}
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

func TestGuardTriesAgain(t *testing.T) {
	for _, c := range []struct {
		name     string
		refusals int
		can      error
		tries    int
		event    controlv1.SessionEventKind
	}{
		{"a menu is open for a moment", 3, nil, 4, lockedEvent},
		{"a menu stays open", 100, nil, lockTries, failedEvent},
		{"there is no locker", 0, errors.New("no locker"), 1, failedEvent},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &fakeDesk{refusals: c.refusals, can: c.can}
				a := guarded(t, d)
				a.guard.lockAfter(t.Context(), 0, [16]byte{1})
				time.Sleep(time.Hour)
				synctest.Wait()
				tries := d.attempts()
				if len(tries) != c.tries {
					t.Fatalf("%d tries, want %d", len(tries), c.tries)
				}
				if last, want := tries[len(tries)-1], time.Duration(c.tries-1)*lockPause; last != want {
					t.Errorf("the last try came after %v, want %v", last, want)
				}
				if got := reported(a); len(got) != 1 || got[0] != c.event {
					t.Errorf("events %v, want %v", got, c.event)
				}
			})
		})
	}
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
