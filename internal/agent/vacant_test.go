package agent

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/lock"
	"jiseki/internal/wire"
)

// TestUnlockWithNobodyThere: after a session an unlock counts only when the desk's own keyboard or mouse was used since.
// Another is undone, and nobody else gets the desk before.
func TestUnlockWithNobodyThere(t *testing.T) {
	for name, there := range map[string]bool{"nobody": false, "somebody": true} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			a, fake := newTestAgent(t, dir)
			fake.calls = make(chan struct{}) // no lock before the test takes it
			a.stands(t.Context(), lock.Open)
			first := offered(t, a, "sato", 1)
			mustTake(t, a, first)
			a.release(first, &endError{code: wire.EndedByUser})
			locks(t, fake)
			a.guard.tasks.Wait()
			a.stands(t.Context(), lock.Locked)
			if there {
				fake.used = time.Now()
			}
			a.stands(t.Context(), lock.Open)
			other := offered(t, a, "suzuki", 2)
			if there {
				mustTake(t, a, other)
				return
			}
			if _, err := a.take(other); err == nil {
				t.Error("somebody else came to a desk that was unlocked by nobody")
			}
			if w := openWork(dir); w.kept.User != "sato" {
				t.Errorf("the work counts as that of %q", w.kept.User)
			}
			locks(t, fake)
			a.guard.tasks.Wait()
			mustTake(t, a, other)
		})
	}
}

// TestLockThatFallsAtOnce: a lock is reported when one holds, not when it was undone while it was proved.
func TestLockThatFallsAtOnce(t *testing.T) {
	a, fake := newTestAgent(t, t.TempDir())
	fake.calls, fake.began = make(chan struct{}), make(chan struct{}, 16)
	first := offered(t, a, "sato", 1)
	mustTake(t, a, first)
	a.stands(t.Context(), lock.Locked)
	a.release(first, &endError{code: wire.EndedByUser})
	<-fake.began
	a.stands(t.Context(), lock.Open)
	locks(t, fake)
	<-fake.began // another try
	if got := reported(a); slices.Contains(got, lockedEvent) {
		t.Errorf("events %v, and the desk is open", got)
	}
	locks(t, fake)
	a.guard.tasks.Wait()
	if got := reported(a); !slices.Contains(got, lockedEvent) {
		t.Errorf("events %v, and the desk is locked", got)
	}
}

// TestLockedDeskWaitsForNoGrace: the lock of a desk that is locked when its link is lost is proved at once.
func TestLockedDeskWaitsForNoGrace(t *testing.T) {
	a, fake := newTestAgent(t, t.TempDir())
	first := offered(t, a, "sato", 1)
	mustTake(t, a, first)
	a.stands(t.Context(), lock.Locked)
	a.release(first, errors.New("link lost"))
	locks(t, fake)
	a.guard.tasks.Wait()
	mustTake(t, a, offered(t, a, "suzuki", 2))
}

// TestGraceEndsWithTheLock: a desk that is found open in the grace period without anybody having unlocked it, and one
// that somebody has locked there, wait no longer.
func TestGraceEndsWithTheLock(t *testing.T) {
	for name, seen := range map[string]lock.State{"torn": lock.Torn, "locked": lock.Locked} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &fakeDesk{}
				a := guarded(t, d)
				if err := a.work.begin("sato", [16]byte{1}); err != nil {
					t.Fatal(err)
				}
				a.guard.lockAfter(t.Context(), time.Minute, [16]byte{1})
				a.stands(t.Context(), seen)
				synctest.Wait()
				if tries := d.attempts(); len(tries) != 1 || tries[0] != 0 {
					t.Errorf("tries at %v, want one at once", tries)
				}
				if got := reported(a); !slices.Equal(got, []controlv1.SessionEventKind{lockedEvent}) {
					t.Errorf("events %v", got)
				}
			})
		})
	}
}

// TestKeysThatStayKeepNoLockAway: the desk is locked though its keys could not be released.
func TestKeysThatStayKeepNoLockAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &fakeDesk{stuck: errors.New("the connection is gone")}
		a := guarded(t, d)
		a.guard.lockAfter(t.Context(), 0, [16]byte{1})
		synctest.Wait()
		if got := reported(a); !slices.Equal(got, []controlv1.SessionEventKind{lockedEvent}) {
			t.Errorf("events %v", got)
		}
	})
}

// TestLockKnowsWhenSomebodyTyped: motion and releases count for nothing.
func TestLockKnowsWhenSomebodyTyped(t *testing.T) {
	for _, c := range []struct {
		message wire.Message
		want    bool
	}{
		{&wire.Key{Code: 1, Down: true}, true},
		{&wire.Key{Code: 1}, false},
		{&wire.KeyTap{Code: 1}, true},
		{&wire.Text{Text: []byte("x")}, true},
		{&wire.Pointer{Buttons: 1}, true},
		{&wire.Pointer{}, false},
		{&wire.Held{Codes: []uint16{1}}, false},
	} {
		if got := presses(c.message); got != c.want {
			t.Errorf("%#v: %v", c.message, got)
		}
	}
	d := &fakeDesk{}
	a := guarded(t, d)
	before := time.Now()
	a.guard.pressed()
	if _, err := a.guard.prove(context.Background(), time.Second); err != nil || d.typed.Before(before) {
		t.Errorf("typed at %v: %v", d.typed, err)
	}
}
