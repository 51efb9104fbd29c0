//go:build linux

package lock

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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

// recheck is how long to wait between two looks while a window covers the screen but the keyboard is free: the locker is
// just starting or ending.
const recheck = 50 * time.Millisecond

// An X11 is the screen of an X server.
type X11 struct {
	cfg  X11Config
	conn *x11.Conn

	changed chan struct{} // windows came or went; one signal
	changes chan bool
	ended   chan struct{} // closed when the goroutine that watches has ended

	made  atomic.Pointer[map[uint16]bool] // devices of XTEST
	local atomic.Int64                    // when a real device was used, Unix nanoseconds

	locking sync.Mutex // one Lock at a time
	probing sync.Mutex // one look at a time: a probe holds the keyboard for a moment
}

var _ Screen = (*X11)(nil)

// OpenX11 connects to an X server.
func OpenX11(cfg X11Config) (*X11, error) {
	s := &X11{cfg: cfg, changed: make(chan struct{}, 1), changes: make(chan bool, 1), ended: make(chan struct{})}
	conn, err := x11.Dial(x11.Options{Display: cfg.Display, Authority: cfg.Authority, OnEvent: s.onEvent})
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	s.conn = conn
	if err := conn.SelectEvents(conn.Setup.Root, x11.MaskSubstructure); err != nil {
		conn.Close()
		return nil, fmt.Errorf("lock: %w", err)
	}
	made, err := conn.WatchDevices()
	if err != nil {
		cfg.Log.Warn("use at the desk itself cannot be told", "reason", err)
	}
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
	return nil
}

// Locked implements Screen: a window covers the whole screen out of the window manager's reach, and somebody holds the
// keyboard. The keyboard is tried only under such a window, so that looking disturbs nobody at work.
func (s *X11) Locked() (bool, error) {
	covered, held, err := s.look()
	return covered && held, err
}

func (s *X11) look() (covered, held bool, err error) {
	s.probing.Lock()
	defer s.probing.Unlock()
	cover, err := s.conn.Cover()
	if err != nil {
		return false, false, fmt.Errorf("lock: %w", err)
	}
	if cover == 0 {
		return false, false, nil
	}
	got, err := s.conn.GrabKeyboard()
	if err != nil {
		return true, false, fmt.Errorf("lock: %w", err)
	}
	if got {
		return true, false, s.conn.UngrabKeyboard()
	}
	return true, true, nil
}

// Lock implements Screen.
func (s *X11) Lock(ctx context.Context) error {
	s.locking.Lock()
	defer s.locking.Unlock()
	if locked, err := s.Locked(); locked || err != nil {
		return err
	}
	if err := s.Can(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, lockTime)
	defer cancel()
	cmd, ended, err := s.startLocker()
	if err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	for {
		locked, err := s.Locked()
		if locked {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case err := <-ended:
			return fmt.Errorf("lock: %s did not lock: %w", s.cfg.Command[0], err)
		case <-ctx.Done():
			syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) //nolint:errcheck // it may just have ended
			return fmt.Errorf("lock: %s did not lock in time: %w", s.cfg.Command[0], ctx.Err())
		case <-time.After(recheck):
		}
	}
}

// startLocker starts the locker in a session of its own: it must not end with this process.
func (s *X11) startLocker() (*exec.Cmd, <-chan error, error) {
	cmd := exec.Command(s.cfg.Command[0], s.cfg.Command[1:]...)
	cmd.Env = append([]string{"DISPLAY=" + s.cfg.Display, "XAUTHORITY=" + s.cfg.Authority}, s.cfg.Env...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: s.cfg.Credential}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	ended := make(chan error, 1)
	go func() {
		err := cmd.Wait()
		if err == nil {
			err = errors.New("it has ended")
		}
		ended <- err
	}()
	return cmd, ended, nil
}

// Changes implements Screen.
func (s *X11) Changes() <-chan bool { return s.changes }

// watch looks whenever windows come or go.
func (s *X11) watch() {
	defer close(s.ended)
	defer close(s.changes)
	last, first := false, true
	for {
		covered, held, err := s.look()
		if err != nil {
			s.tell(err)
			return
		}
		if locked := covered && held; first || locked != last {
			last, first = locked, false
			s.deliver(locked)
		}
		var soon <-chan time.Time
		if covered && !held {
			soon = time.After(recheck)
		}
		select {
		case <-s.changed:
		case <-soon:
		case <-s.conn.Done():
			return
		}
	}
}

func (s *X11) tell(err error) {
	if !errors.Is(err, x11.ErrClosed) {
		s.cfg.Log.Error("the lock is not watched any more", "reason", err)
	}
}

// deliver replaces the state that nobody has taken yet.
func (s *X11) deliver(locked bool) {
	select {
	case <-s.changes:
	default:
	}
	s.changes <- locked // has room: nobody else sends
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
