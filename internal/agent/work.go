package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/wire"
)

// work is whose open work lies on the desk's screen: from the opening of a session until the screen was locked. It is
// kept on disk too, so that an agent that was killed in the middle of a session locks the desk when it runs again, and
// lets nobody else at it before. The agent's lock guards it.
type work struct {
	path string
	kept keptWork // of nobody when the user is empty
	last keptWork // what the last lock covered, until somebody unlocks at the desk; in memory only
}

// keptWork is the form of work on disk.
type keptWork struct {
	User    string `json:"user"`
	Session []byte `json:"session"`
	Ended   bool   `json:"ended"` // the end of the session is in the outbox
}

// openWork reads what an earlier run left. What cannot be read is somebody's work: it must not leave the desk open.
func openWork(dir string) work {
	w := work{path: filepath.Join(dir, "work.json")}
	raw, err := os.ReadFile(w.path)
	if errors.Is(err, fs.ErrNotExist) {
		return w
	}
	if err != nil || json.Unmarshal(raw, &w.kept) != nil || w.kept.User == "" || len(w.kept.Session) != 16 {
		w.kept = keptWork{}
		w.suspect()
	}
	return w
}

// unknownSession stands for the one whose work lies on a desk of which nothing else is known, and for none: nothing is
// reported of it.
var unknownSession [16]byte

// suspect takes a desk of which nothing is known for one with somebody's work, which is locked before anybody gets it.
func (w *work) suspect() {
	if w.kept.User == "" && w.last.User != "" {
		w.kept = w.last
	}
	if w.kept.User == "" {
		w.kept = keptWork{User: "?", Session: unknownSession[:]}
	}
}

// LockIfLeftOpen locks a desk on which an agent with the folder dir left work open. It is for an agent that cannot run:
// one that runs does the same by itself.
func LockIfLeftOpen(ctx context.Context, dir string, lock Locker) error {
	w := openWork(dir)
	if w.kept.User == "" {
		return nil
	}
	if err := lock.Lock(ctx, time.Now()); err != nil {
		return fmt.Errorf("lock the desk, on which work lies open: %w", err)
	}
	return nil
}

// begin notes durably that a user works on the desk. When it returns an error, nobody may.
func (w *work) begin(user string, session [16]byte) error {
	return w.note(keptWork{User: user, Session: session[:]})
}

// restore takes back a beginning of which nothing came. A note that stays on disk has the desk locked once more at the
// next start, which does no harm.
func (w *work) restore(before keptWork) error {
	w.kept = before
	if before.User != "" {
		return w.note(before)
	}
	return w.forget()
}

// leave notes that the session's end was reported, while its work still lies open.
func (w *work) leave() error {
	next := w.kept
	next.Ended = true
	return w.note(next)
}

func (w *work) note(next keptWork) error {
	if err := replaceJSON(w.path, next); err != nil {
		return fmt.Errorf("note whose work is on the desk: %w", err)
	}
	w.kept = next
	return nil
}

// end notes that the desk is locked. A note that stays on disk has the desk locked once more, which does no harm.
func (w *work) end() error {
	w.last, w.kept = w.kept, keptWork{}
	return w.forget()
}

func (w *work) forget() error {
	if err := os.Remove(w.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget whose work was on the desk: %w", err)
	}
	return nil
}

// ofOthers says whether work of somebody else than user lies open.
func (w *work) ofOthers(user string) bool { return w.kept.User != "" && w.kept.User != user }

// covered notes that the screen is locked, unless a session has the desk: it may be unlocked in it again. It says
// whether the lock that was proved in a turn counts. t is the trying whose it is, nil for a lock by order.
func (a *Agent) covered(t *trying, turn uint64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.guard.holds(t, turn) {
		return false
	}
	if a.session != nil || a.work.kept.User == "" {
		return true
	}
	if err := a.work.end(); err != nil {
		a.log.Error("the desk is locked", "err", err)
	}
	return true
}

// left is the session whose work lies on the desk, which nobody works on now; nobody when there is none. The caller
// holds mu.
func (a *Agent) left() [16]byte {
	if a.session != nil || a.work.kept.User == "" {
		return nobody
	}
	return [16]byte(a.work.kept.Session)
}

// vacate notes that nobody works on the desk from elsewhere any more: an unlock from now on counts when the desk's own
// keyboard or mouse was used meanwhile. The caller holds mu.
func (a *Agent) vacate() { a.vacant, a.usedBefore = true, a.desk.Lock.UsedLocally() }

// byNobody says whether an unlock is that of a viewer who has left: it was on its way, and nobody has used the desk
// since. The caller holds mu.
func (a *Agent) byNobody() bool {
	return a.session == nil && a.vacant && a.desk.Lock.UsedLocally().Equal(a.usedBefore)
}

// taken notes that somebody has unlocked the desk on the spot: it is theirs, and what lies on it. The caller holds mu.
func (a *Agent) taken() { a.vacant, a.work.last = false, keptWork{} }

// bare notes that the lock fell without anybody unlocking: what it covered is whose it was, and where that is not known
// nobody's, until the desk is locked again, and a later run of the agent locks too. The caller holds mu.
func (a *Agent) bare() {
	if a.session != nil || a.work.kept.User != "" {
		return
	}
	a.work.suspect()
	next := a.work.kept
	next.Ended = true // of no session that anybody could report
	if err := a.work.note(next); err != nil {
		a.log.Error("the desk's lock fell", "err", err)
	}
}

// lockLeftOpen locks a desk on which an earlier run of the agent left work open.
func (a *Agent) lockLeftOpen() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.work.kept.User != "" {
		a.log.Warn("the agent was not stopped in good order: locking the desk")
		a.vacate()
		a.guard.pressed() // for all that is known
		session := [16]byte(a.work.kept.Session)
		if !a.work.kept.Ended {
			a.record(controlv1.SessionEventKind_SESSION_EVENT_KIND_ENDED, session, wire.AgentStopping) // nobody else will
		}
		a.guard.lockAfter(a.ctx, 0, session)
	}
}
