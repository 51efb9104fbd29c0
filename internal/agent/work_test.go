package agent

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"jiseki/internal/capture"
	"jiseki/internal/cert"
	"jiseki/internal/cert/certtest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/grant"
	"jiseki/internal/grant/granttest"
	"jiseki/internal/input"
	"jiseki/internal/keys"
	"jiseki/internal/lock"
	"jiseki/internal/screen"
	"jiseki/internal/wire"
)

// A fakeLock tells of each lock and locks when the test lets it.
type fakeLock struct {
	calls   chan struct{}
	began   chan struct{} // tells that a lock waits for calls, unless nil
	changes chan lock.State
	fails   error
	used    time.Time // when the desk's own keyboard was
}

func (l *fakeLock) Can() error { return nil }
func (l *fakeLock) Lock(context.Context, time.Time) error {
	if l.fails != nil {
		return l.fails
	}
	if l.began != nil {
		l.began <- struct{}{}
	}
	l.calls <- struct{}{}
	return nil
}
func (l *fakeLock) Changes() <-chan lock.State { return l.changes }
func (l *fakeLock) LoggedOn() (bool, error)    { return true, nil }
func (l *fakeLock) UsedLocally() time.Time     { return l.used }

const held = lock.Locked // where a variable is called lock

// noInput is a desk's input that takes everything.
type noInput struct{}

func (noInput) Key(keys.Code, bool) error   { return nil }
func (noInput) Pointer(screen.Point) error  { return nil }
func (noInput) Buttons(input.Buttons) error { return nil }
func (noInput) Wheel(int, int) error        { return nil }
func (noInput) Locks() (input.Locks, error) { return 0, nil }
func (noInput) SetLocks(input.Locks) error  { return nil }
func (noInput) Type(string) error           { return nil }
func (noInput) Paste(string) error          { return nil }
func (noInput) Repeat(keys.Code) error      { return nil }
func (noInput) RepeatTimes(keys.Code) (delay, every time.Duration, err error) {
	return 0, 0, nil
}
func (noInput) SetClipboard(string) error { return nil }
func (noInput) ReleaseAll() error         { return nil }
func (noInput) Close() error              { return nil }

// newTestAgent is an agent with a desk of its own; nothing of it runs yet.
func newTestAgent(t *testing.T, dir string) (*Agent, *fakeLock) {
	t.Helper()
	now := time.Now()
	ca, desk := certtest.Key(t, "desk ca"), certtest.Key(t, granttest.Desk)
	fake := &fakeLock{calls: make(chan struct{}, 16), changes: make(chan lock.State)}
	a, err := New(Config{
		Gateway: "https://127.0.0.1:1", Identity: desk, Dir: dir, Log: slog.New(slog.DiscardHandler), Now: time.Now,
		Self:   certtest.Issue(t, ca, cert.KindDesk, "desk-0304", cert.ZoneInternet, desk.Public(), now),
		Bundle: &cert.Bundle{Version: 1, DeskCAs: []cert.PublicKey{ca.Public()}}, Proxy: "direct",
		Desk: Desk{
			Screen: func() (capture.Source, error) { return newSteps(), nil }, Input: noInput{}, Lock: fake,
			Notice: func(string, func()) (io.Closer, error) { return io.NopCloser(nil), nil },
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	a.ctx = t.Context()
	t.Cleanup(a.guard.tasks.Wait)
	t.Cleanup(a.guard.relax)
	return a, fake
}

// offered is a session of a user that was granted now; number tells it from others.
func offered(t *testing.T, a *Agent, user string, number byte) *session {
	t.Helper()
	return newSession(a, granttest.New(t, time.Now(), cert.NoiseKey{}, func(g *grant.Grant) {
		g.User, g.Session, g.Grace = user, cert.SessionID{number}, time.Hour
	}))
}

func mustTake(t *testing.T, a *Agent, s *session) {
	t.Helper()
	if before, err := a.take(s); before != nil || err != nil {
		t.Fatalf("take: %v, %v", before, err)
	}
}

func locks(t *testing.T, l *fakeLock) {
	t.Helper()
	select {
	case <-l.calls:
	case <-time.After(20 * time.Second):
		t.Fatal("the desk is not locked")
	}
}

// TestKilledAgentLocksAtItsNextStart: an agent that was killed in a session left the desk open.
func TestKilledAgentLocksAtItsNextStart(t *testing.T) {
	dir := t.TempDir()
	killed, _ := newTestAgent(t, dir)
	mustTake(t, killed, offered(t, killed, "sato", 1))

	for run, want := range []bool{true, false} { // the second time all is in order
		a, lock := newTestAgent(t, dir)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- a.Run(ctx) }()
		if want {
			locks(t, lock)
		}
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run %d: %v", run, err)
		}
		if len(lock.calls) > 0 {
			t.Errorf("run %d: locked once more", run)
		}
	}
}

// TestUnreadableWorkLocksToo: what cannot be read must not leave the desk open, nor keep the agent from running.
func TestUnreadableWorkLocksToo(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "work.json"), []byte("\x00\x00"), 0o600); err != nil {
		t.Fatal(err)
	}
	a, lock := newTestAgent(t, dir)
	a.lockLeftOpen()
	locks(t, lock)
}

// TestDamagedEventsLockAndGoOn: an end may be among what cannot be read, so the desk is locked; the agent runs.
func TestDamagedEventsLockAndGoOn(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "events.json"), []byte(`[{"run":`), 0o600); err != nil {
		t.Fatal(err)
	}
	a, lock := newTestAgent(t, dir)
	a.lockLeftOpen()
	locks(t, lock)
	a.guard.tasks.Wait()
	mustTake(t, a, offered(t, a, "sato", 1))
}

// TestAgentThatCannotRunLocks: whatever keeps an agent from running, work that an earlier run left open is not left
// open.
func TestAgentThatCannotRunLocks(t *testing.T) {
	dir := t.TempDir()
	lock := &fakeLock{calls: make(chan struct{}, 16)}
	if err := LockIfLeftOpen(t.Context(), dir, lock); err != nil || len(lock.calls) != 0 {
		t.Errorf("locked %d times where nobody worked: %v", len(lock.calls), err)
	}
	killed, _ := newTestAgent(t, dir)
	mustTake(t, killed, offered(t, killed, "sato", 1))
	if err := LockIfLeftOpen(t.Context(), dir, lock); err != nil || len(lock.calls) != 1 {
		t.Errorf("locked %d times: %v", len(lock.calls), err)
	}
}

// TestNobodyElseInTheGracePeriod: until the desk is locked, what lies open on it is its user's alone.
func TestNobodyElseInTheGracePeriod(t *testing.T) {
	a, lock := newTestAgent(t, t.TempDir())
	first := offered(t, a, "sato", 1)
	mustTake(t, a, first)
	a.release(first, errors.New("link lost"))

	other := offered(t, a, "suzuki", 2)
	if _, err := a.take(other); err == nil {
		t.Fatal("somebody else came to a desk that lies open")
	}
	again := offered(t, a, "sato", 3)
	mustTake(t, a, again)
	a.release(again, &endError{code: wire.EndedByUser})
	locks(t, lock)
	a.guard.tasks.Wait()
	mustTake(t, a, other)
}

// TestNobodyElseAfterAFailedLock is the same for a desk that could not be locked.
func TestNobodyElseAfterAFailedLock(t *testing.T) {
	a, lock := newTestAgent(t, t.TempDir())
	first := offered(t, a, "sato", 1)
	mustTake(t, a, first)
	lock.fails = errors.New("no")
	stopped, cancel := context.WithCancel(t.Context())
	cancel() // one try
	a.ctx = stopped
	a.release(first, &endError{code: wire.EndedByUser})
	a.guard.tasks.Wait()
	other := offered(t, a, "suzuki", 2)
	if _, err := a.take(other); err == nil {
		t.Fatal("somebody else came to a desk that was not locked")
	}
	lock.fails = nil
	a.stands(t.Context(), held) // by hand
	locks(t, lock)
	a.guard.tasks.Wait()
	mustTake(t, a, other)
}

// TestNobodyWhileALockIsTorn: whose work a locker covered that died is not known, so it is nobody's until the desk is
// locked again.
func TestNobodyWhileALockIsTorn(t *testing.T) {
	dir := t.TempDir()
	a, fake := newTestAgent(t, dir)
	fake.calls = make(chan struct{}) // no lock before the test takes it
	a.stands(t.Context(), lock.Locked)
	a.stands(t.Context(), lock.Torn)
	other := offered(t, a, "suzuki", 2)
	if _, err := a.take(other); err == nil {
		t.Error("somebody came to a desk whose lock had fallen")
	}
	if w := openWork(dir); w.kept.User == "" {
		t.Error("an agent that is killed now does not lock when it runs again")
	}
	locks(t, fake)
	a.guard.tasks.Wait()
	mustTake(t, a, other)
}

// TestTakeOverThatFailsLocks: the session before has ended, and the next does not come about.
func TestTakeOverThatFailsLocks(t *testing.T) {
	a, lock := newTestAgent(t, t.TempDir())
	first := offered(t, a, "sato", 1)
	mustTake(t, a, first)
	go func() {
		a.release(first, &endError{code: <-first.stop})
		close(first.ended)
	}()
	again := offered(t, a, "sato", 1) // spent already
	if err := a.commit(t.Context(), again); err == nil {
		t.Fatal("a spent grant was taken")
	}
	locks(t, lock)
}

// TestEndedOrRevokedInTheHandshake: an order that comes between offer and opening counts.
func TestEndedOrRevokedInTheHandshake(t *testing.T) {
	a, _ := newTestAgent(t, t.TempDir())
	for number, o := range []*controlv1.Order{
		{Order: &controlv1.Order_EndSession{EndSession: &controlv1.EndSessionOrder{SessionId: make([]byte, 16), Code: uint32(wire.Revoked)}}},
		{Order: &controlv1.Order_RevokeDevice{RevokeDevice: &controlv1.RevokeDeviceOrder{DeviceId: "pc-0102"}}},
	} {
		s := offered(t, a, "sato", byte(number))
		a.mu.Lock()
		a.pending[s] = true
		a.mu.Unlock()
		a.obey(t.Context(), o)
		if _, err := a.take(s); err == nil {
			t.Errorf("after %v the session opened", o)
		}
	}
}

// TestLeaseSparesWhatIsOpening: a lease was written before the session that opens now.
func TestLeaseSparesWhatIsOpening(t *testing.T) {
	a, _ := newTestAgent(t, t.TempDir())
	s := offered(t, a, "sato", 1)
	a.mu.Lock()
	a.pending[s] = true
	a.mu.Unlock()
	a.obey(t.Context(), &controlv1.Order{Order: &controlv1.Order_Lease{Lease: &controlv1.Lease{}}})
	mustTake(t, a, s)
}

// TestOrderedEndAlwaysLocks: whatever code an order names, the desk is locked after it, and the viewer gets a code.
func TestOrderedEndAlwaysLocks(t *testing.T) {
	for _, code := range []uint32{0, uint32(wire.TakenOver), uint32(wire.Replaced), 1 << 16, 1<<32 - 1} {
		switch got := orderedCode(code); got {
		case 0, wire.TakenOver, wire.Replaced:
			t.Errorf("code %d ends a session with %v", code, got)
		}
	}
}
