//go:build linux

package lock

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"jiseki/internal/x11"
)

// X11Config says which X server to lock, and how.
type X11Config struct {
	Display   string // such as ":0"
	Authority string // path of the Xauthority file; empty: see x11.Options
	// Command is the locker: it must lock at once, cover the whole screen, hold the keyboard, and run until somebody
	// unlocks; such as {"i3lock", "--nofork"}.
	Command []string
	// Env is the locker's environment besides DISPLAY and XAUTHORITY.
	Env []string
	// Credential is whom the locker runs as; nil means the invoking user.
	Credential *syscall.Credential
	Log        *slog.Logger
}

// lockTime bounds how long a locker may take; a loaded machine needs seconds.
const lockTime = 20 * time.Second

// recheck is how long to wait between two looks while a locker's window covers the screen but it does not hold the
// keyboard: it is just starting or ending.
const recheck = 50 * time.Millisecond

// steadyLooks are needed for a lock; recheck lies between two.
const steadyLooks = 4

// settles is how long a locker that runs may leave the screen uncovered, as when a monitor comes and it grows its
// window.
const settles = 2 * time.Second

// watchEvery is how often a lock is looked at while nothing seems to happen.
const watchEvery = 10 * time.Second

// An X11 is the screen of an X server.
type X11 struct {
	cfg  X11Config
	conn *x11.Conn

	changed chan struct{} // windows came or went, or the locker has ended; one signal
	changes chan State
	stacked atomic.Bool   // a locker's window was there: how windows lie counts
	ended   chan struct{} // closed when the goroutine that watches has ended

	blind error                           // why use at the desk itself cannot be told; nil: it can
	made  atomic.Pointer[map[uint16]bool] // devices of XTEST
	local atomic.Int64                    // when a real device was used, Unix nanoseconds

	locking sync.Mutex         // one Lock at a time
	busy    atomic.Bool        // a Lock runs: a locker that ends is not missed yet
	seen    atomic.Bool        // a look found it locked since watch looked last
	probing sync.Mutex         // one look at a time: a probe holds the keyboard for a moment
	proof   map[x11.Client]int // the lockers of which one was seen to get the keys, until something changes; by probing

	above bool // the last look found another program's window above the lockers'; guarded by probing

	mu      sync.Mutex
	current *locker // that this process started last
}

var _ Screen = (*X11)(nil)

// OpenX11 connects to an X server.
func OpenX11(cfg X11Config) (*X11, error) {
	s := &X11{cfg: cfg, changed: make(chan struct{}, 1), changes: make(chan State, 1), ended: make(chan struct{})}
	conn, err := x11.Dial(x11.Options{Display: cfg.Display, Authority: cfg.Authority, OnEvent: s.onEvent})
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	s.conn = conn
	if err := conn.SelectEvents(conn.Setup.Root, x11.MaskSubstructure); err != nil {
		conn.Close()
		return nil, fmt.Errorf("lock: %w", err)
	}
	if err := conn.WatchLayout(); err != nil {
		cfg.Log.Warn("monitors cannot be told apart: a lock must cover the whole screen", "reason", err)
	}
	made, err := conn.WatchDevices()
	if err != nil {
		cfg.Log.Warn("use at the desk itself cannot be told", "reason", err)
	}
	s.blind = err
	s.made.Store(&made)
	go s.watch()
	return s, nil
}

func (s *X11) onEvent(e x11.Event) {
	if device, raw := e.Source(); raw {
		if made := s.made.Load(); made != nil && !(*made)[device] {
			s.local.Store(time.Now().UnixNano())
		}
		return
	}
	switch e.Type() {
	case x11.ConfigureNotify, x11.CirculateNotify: // windows that are moved about tell of each step
		if !s.stacked.Load() {
			return
		}
	}
	s.signal()
}

func (s *X11) signal() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// Can implements Screen.
func (s *X11) Can() error {
	if err := s.conn.Err(); err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	if len(s.cfg.Command) == 0 {
		return errors.New("lock: no locker is configured")
	}
	if _, err := exec.LookPath(s.cfg.Command[0]); err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	for _, name := range []string{"X-Resource", "RECORD", "XTEST"} {
		if _, err := s.conn.Extension(name); err != nil { // without them no lock can be proved
			return fmt.Errorf("lock: %w", err)
		}
	}
	if s.blind != nil { // nor who unlocks it
		return fmt.Errorf("lock: %w", s.blind)
	}
	return nil
}

// Locked implements Screen: windows of a locker cover every monitor with nothing above them, and the keyboard is held
// by a locker: the press of a key that means nothing reaches it and nobody else. The keyboard is tried only under such
// windows, so that looking disturbs nobody at work.
func (s *X11) Locked() (bool, error) {
	covered, held, err := s.look(true)
	return covered && held, err
}

// look says whether a locker's windows cover the screen, and whether a locker holds the keyboard. What was proved
// stands while the lockers are the same and the keyboard is never found free, unless a fresh proof is wanted: it wakes
// monitors.
func (s *X11) look(fresh bool) (covered, held bool, err error) {
	s.probing.Lock()
	defer s.probing.Unlock()
	covered, held, err = s.probe(fresh)
	if !covered || !held || err != nil {
		s.proof = nil
	} else {
		s.seen.Store(true)
	}
	if err != nil {
		return false, false, fmt.Errorf("lock: %w", err)
	}
	return covered, held, nil
}

func (s *X11) probe(fresh bool) (covered, held bool, err error) {
	lockers, err := s.lockers()
	if err != nil {
		return false, false, err
	}
	covered, err = s.covered(lockers)
	if err != nil || !covered {
		return false, false, err
	}
	grab, err := s.conn.GrabKeyboard()
	if err != nil {
		return true, false, err
	}
	if grab == x11.Grabbed {
		return true, false, s.conn.UngrabKeyboard()
	}
	if !fresh && grab.Held() && maps.Equal(s.proof, lockers) {
		return true, true, nil
	}
	held, err = s.getsKeys(lockers)
	s.proof = lockers
	return true, held && grab.Held(), err
}

// Lock implements Screen.
func (s *X11) Lock(ctx context.Context, typed time.Time) error {
	s.locking.Lock()
	defer s.locking.Unlock()
	s.busy.Store(true)
	defer s.busy.Store(false)
	ctx, cancel := context.WithTimeout(ctx, lockTime)
	defer cancel()
	if locked, err := s.isFresh(ctx, typed); locked || err != nil {
		return err
	}
	if err := s.Can(); err != nil {
		return err
	}
	if locked, err := s.recovers(ctx, typed); locked || err != nil {
		return err
	}
	for patience := firstPatience; ; patience *= 2 {
		err := s.attempt(ctx, patience)
		if !errors.Is(err, errNoKeyboard) {
			return err
		}
		s.cfg.Log.Warn("the locker is started anew", "reason", err)
	}
}

// firstPatience is how long a locker may cover the screen without holding the keyboard before it is started anew; after
// that, twice as long each time.
const firstPatience = time.Second

var (
	errEnded      = errors.New("it has ended")
	errNoKeyboard = errors.New("it covers the screen, but does not get the keyboard")
	errOverlaid   = errors.New("a window of another program shows above it")
)

// stays says whether the screen is locked at several looks in a row: a window that insists on the top lets the locker's
// show in between.
func (s *X11) stays(ctx context.Context, fresh bool) (bool, error) {
	for range steadyLooks {
		covered, held, err := s.look(fresh)
		if err != nil || !covered || !held {
			return false, err
		}
		if err := s.pause(ctx); err != nil {
			return false, err
		}
		fresh = false
	}
	return true, nil
}

// recovers gives a locker that runs, but does not lock, time to do so, and ends it when it does not: it would keep a new
// one from taking the keyboard. One that holds the keyboard below another window guards more than a new one would.
func (s *X11) recovers(ctx context.Context, typed time.Time) (bool, error) {
	for end := time.Now().Add(settles); time.Now().Before(end) && len(s.started()) > 0; {
		if locked, err := s.isFresh(ctx, typed); locked || err != nil {
			return locked, err
		}
		if err := s.pause(ctx); err != nil {
			return false, err
		}
	}
	pids := s.started()
	if len(pids) == 0 {
		return false, nil
	}
	overlaid, err := s.isOverlaid()
	if err != nil {
		return false, fmt.Errorf("lock: %w", err)
	}
	if overlaid {
		return false, fmt.Errorf("lock: the locker does not lock: %w", errOverlaid)
	}
	return false, s.end(ctx, pids)
}

// attempt starts a locker and returns when the screen is locked, or cannot be by this run of it. What holds keyboard or
// pointer has to let go before: once a locker runs, it may be the locker.
func (s *X11) attempt(ctx context.Context, patience time.Duration) error {
	if err := s.clear(ctx); err != nil {
		s.cfg.Log.Warn("keyboard or pointer cannot be freed for the locker", "reason", err) // it may take them all the same
	}
	l, err := s.startLocker()
	if err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	var late <-chan time.Time // when the locker has covered the screen for long enough
	for {
		covered, held, err := s.look(true)
		if err != nil {
			return err
		}
		switch {
		case covered && held:
			late = nil
			if locked, err := s.stays(ctx, false); err != nil || locked {
				return err
			}
		case covered && late == nil:
			late = time.After(patience)
		}
		select {
		case <-l.ended:
			return fmt.Errorf("lock: %s did not lock: %w", s.cfg.Command[0], cmp.Or(l.err, errEnded))
		case <-late:
			l.kill()
			return fmt.Errorf("lock: %s did not lock: %w", s.cfg.Command[0], errNoKeyboard)
		case <-ctx.Done():
			if overlaid, err := s.isOverlaid(); err == nil && overlaid {
				return fmt.Errorf("lock: %s did not lock: %w", s.cfg.Command[0], errOverlaid)
			}
			l.kill()
			return fmt.Errorf("lock: %s did not lock in time: %w", s.cfg.Command[0], ctx.Err())
		case <-time.After(recheck):
		}
	}
}

func (s *X11) pause(ctx context.Context) error {
	select {
	case <-time.After(recheck):
		return nil
	case <-ctx.Done():
		return fmt.Errorf("lock: %w", ctx.Err())
	case <-s.conn.Done():
		return fmt.Errorf("lock: %w", s.conn.Err())
	}
}

// Changes implements Screen.
func (s *X11) Changes() <-chan State { return s.changes }

// watch looks whenever windows come or go.
func (s *X11) watch() {
	defer close(s.ended)
	defer close(s.changes)
	last, first := Open, true
	for {
		covered, held, err := s.look(false)
		was := last
		if s.seen.Swap(false) {
			was = Locked // somebody was told so, though it may be over already
		}
		state, pending := last, covered
		switch {
		case err != nil:
		case covered && held:
			state, pending = s.held(), false
		case was == Locked:
			state, pending, err = s.lost()
		}
		if err != nil {
			s.tell(err)
			return
		}
		if first || state != last || state != was {
			last, first = state, false
			s.deliver(state)
		}
		if state == Torn {
			last = Open // and the next lock may fall too
		}
		var soon <-chan time.Time
		switch {
		case pending:
			soon = time.After(recheck)
		case state == Locked:
			soon = time.After(watchEvery)
		}
		select {
		case <-s.changed:
		case <-soon:
		case <-s.conn.Done():
			return
		}
	}
}

// held is how the screen stands under a lock that was just seen.
func (s *X11) held() State {
	if l := s.ours(); l != nil && !l.alive() {
		s.forget() // another locks: how this one ended says nothing of that
	}
	return Locked
}

// lost says what became of a lock that is no longer there: the locker ends well only when somebody has unlocked, and
// one that runs on may cover the screen again. While a Lock runs, that one sees to it; pending means that a locker is
// just starting or ending.
func (s *X11) lost() (state State, pending bool, err error) {
	for s.busy.Load() {
		if err := s.pause(context.Background()); err != nil {
			return Open, false, err
		}
	}
	for end := time.Now().Add(settles); time.Now().Before(end); {
		if l := s.ours(); l != nil && !l.alive() {
			s.forget()
			if l.err != nil {
				s.cfg.Log.Error("the locker died: the screen is open", "reason", l.err)
				return Torn, false, nil
			}
			return Open, false, nil
		}
		if remains, err := s.remains(); err != nil || !remains {
			return Open, false, err
		}
		if locked, err := s.stays(context.Background(), false); err != nil || locked {
			return Locked, false, err
		}
		if err := s.pause(context.Background()); err != nil {
			return Open, false, err
		}
	}
	s.cfg.Log.Error("the locker runs, but does not lock any more: the screen is open")
	return Torn, true, nil
}

func (s *X11) tell(err error) {
	if !errors.Is(err, x11.ErrClosed) {
		s.cfg.Log.Error("the lock is not watched any more", "reason", err)
	}
}

// deliver replaces the state that nobody has taken yet.
func (s *X11) deliver(state State) {
	select {
	case <-s.changes:
	default:
	}
	s.changes <- state // has room: nobody else sends
}

// LoggedOn implements Screen: a window manager runs. Logon screens have none.
func (s *X11) LoggedOn() (bool, error) {
	win, err := s.conn.WindowProperty(s.conn.Setup.Root, "_NET_SUPPORTING_WM_CHECK")
	if err != nil {
		return false, fmt.Errorf("lock: %w", err)
	}
	return win != 0, nil
}

// Idle implements Screen.
func (s *X11) Idle() (time.Duration, error) {
	ms, err := s.conn.IdleTime()
	if err != nil {
		return 0, fmt.Errorf("lock: %w", err)
	}
	return time.Duration(ms) * time.Millisecond, nil
}

// UsedLocally implements Screen: a device other than those of XTEST sent something (XInput 2 raw events).
func (s *X11) UsedLocally() time.Time {
	ns := s.local.Load()
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns)
}

// Close implements Screen.
func (s *X11) Close() error {
	err := s.conn.Close()
	<-s.ended
	return err
}
