package agent

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"jiseki/internal/lock"
	"jiseki/internal/wire"
)

// noRoom stands for a disk with room for a hundred bytes and not for the file of that name; room ends it.
func noRoom(t *testing.T, path string) (room func()) {
	t.Helper()
	aside := path + ".aside"
	if err := os.Rename(path, aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(path, "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(aside, path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
}

// TestOpeningThatFailsLeavesTheDeskAsItWas: a session that cannot be written down in full has never been. The desk is
// free for others, nothing says that work lies open on it, and its own journal has no session that never was.
func TestOpeningThatFailsLeavesTheDeskAsItWas(t *testing.T) {
	for _, file := range []string{visitsFile, "events.json"} {
		t.Run(file, func(t *testing.T) {
			dir := t.TempDir()
			a, _ := newTestAgent(t, dir)
			a.stands(t.Context(), lock.Locked)
			room := noRoom(t, filepath.Join(dir, file))
			if _, err := a.take(offered(t, a, "sato", 1)); err == nil {
				t.Fatal("it was written down all the same")
			}
			room()
			if w := openWork(dir); w.kept.User != "" {
				t.Errorf("the next run takes the desk for one with work of %q", w.kept.User)
			}
			mustTake(t, a, offered(t, a, "suzuki", 2))
			visits, err := ReadVisits(dir)
			if err != nil || len(visits) != 1 || visits[0].User != "suzuki" {
				t.Errorf("the desk's journal: %+v, %v", visits, err)
			}
		})
	}
}

// TestOpeningThatFailsKeepsWhatLiesOpen: the session before has left its work open within the grace period, and is not
// forgotten for the one that did not come about.
func TestOpeningThatFailsKeepsWhatLiesOpen(t *testing.T) {
	dir := t.TempDir()
	a, fake := newTestAgent(t, dir)
	a.stands(t.Context(), lock.Open)
	first := offered(t, a, "sato", 1)
	mustTake(t, a, first)
	a.release(first, errors.New("the line was lost"))
	before := a.work.kept
	room := noRoom(t, filepath.Join(dir, visitsFile))
	if _, err := a.take(offered(t, a, "sato", 2)); err == nil {
		t.Fatal("it was written down all the same")
	}
	room()
	other := offered(t, a, "suzuki", 3)
	if _, err := a.take(other); err == nil {
		t.Fatal("suzuki came to the work of sato")
	}
	if got := openWork(dir).kept; string(got.Session) != string(before.Session) || got.User != "sato" || !got.Ended {
		t.Errorf("on the disk lies the work of %q, session %x, ended %v", got.User, got.Session, got.Ended)
	}
	a.guard.hasten() // the lock at the end of the grace period is still wanted
	locks(t, fake)
	mustTake(t, a, other)
}

// TestLockByOrderCounts: an ordered lock that was proved covers what lay open, as the agent's own does.
func TestLockByOrderCounts(t *testing.T) {
	a, fake := newTestAgent(t, t.TempDir())
	a.stands(t.Context(), lock.Open)
	first := offered(t, a, "sato", 1)
	mustTake(t, a, first)
	a.release(first, errors.New("the line was lost"))
	other := offered(t, a, "suzuki", 2)
	if _, err := a.take(other); err == nil {
		t.Fatal("suzuki came to the work of sato")
	}
	if code := a.lockNow(t.Context()); code != "" {
		t.Fatal(code)
	}
	locks(t, fake)
	mustTake(t, a, other)
}

// A gatedLock tells of each lock, which waits until the test closes its gate.
type gatedLock struct {
	*fakeLock
	gates chan chan struct{}
}

func (l gatedLock) Lock(context.Context, time.Time) error {
	gate := make(chan struct{})
	l.gates <- gate
	<-gate
	return nil
}

// TestLockByOrderThatFellDoesNotCount: the desk was seen open while the ordered lock was proved, or a session ended
// meanwhile, whose viewer may have typed.
func TestLockByOrderThatFellDoesNotCount(t *testing.T) {
	for name, seenOpen := range map[string]bool{"seen open": true, "a session ended": false} {
		t.Run(name, func(t *testing.T) {
			a, fake := newTestAgent(t, t.TempDir())
			gated := gatedLock{fake, make(chan chan struct{})}
			a.desk.Lock = gated
			a.stands(t.Context(), lock.Open)
			first := offered(t, a, "sato", 1)
			mustTake(t, a, first)
			if seenOpen {
				a.release(first, errors.New("the line was lost"))
			}
			done := make(chan string, 1)
			go func() { done <- a.lockNow(t.Context()) }()
			ordered := <-gated.gates
			if seenOpen {
				a.stands(t.Context(), lock.Torn)
			} else {
				a.release(first, &endError{code: wire.EndedByUser})
			}
			close(ordered)
			if code := <-done; code != "" {
				t.Errorf("the order is answered by %q", code)
			}
			other := offered(t, a, "suzuki", 2)
			if _, err := a.take(other); err == nil {
				t.Fatal("suzuki came to the work of sato")
			}
			close(<-gated.gates) // the agent's own lock
			a.guard.tasks.Wait()
			mustTake(t, a, other)
		})
	}
}
