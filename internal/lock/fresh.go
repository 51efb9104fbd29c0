//go:build linux

package lock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// unlockLasts is how long a locker that cannot be ended has to hold after a viewer pressed something, before it is
// believed: so long it may check a password. pam_unix takes 0.1 to 0.5 s, a directory some seconds.
const unlockLasts = 8 * time.Second

// goneLimit is for the X server to notice the end of a locker.
const goneLimit = 2 * time.Second

// isFresh says whether the screen is locked by a locker that is not about to let in whoever typed. One that may be is
// ended, if another can take its place; else it has to hold.
func (s *X11) isFresh(ctx context.Context, typed time.Time) (bool, error) {
	locked, err := s.stays(ctx, true)
	if !locked || err != nil || typed.IsZero() {
		return locked, err
	}
	lockers, err := s.lockers()
	if err != nil {
		return false, fmt.Errorf("lock: %w", err)
	}
	pids, err := s.showing(lockers)
	if err != nil {
		return false, fmt.Errorf("lock: %w", err)
	}
	if len(pids) == 0 { // it has just ended, for the password was right, or is nobody's that is known
		return s.outlasts(ctx, typed)
	}
	pids = slices.DeleteFunc(pids, func(pid int) bool { return s.runsSince(pid).After(typed) })
	if len(pids) == 0 {
		return true, nil
	}
	if s.Can() == nil && !slices.ContainsFunc(pids, s.lasting) {
		s.cfg.Log.Info("somebody has typed into the locker: another takes its place")
		if err = s.end(ctx, append(pids, s.started()...)); err == nil {
			return false, nil
		}
		s.cfg.Log.Warn("the locker stays", "reason", err)
	}
	return s.outlasts(ctx, typed)
}

// outlasts says whether the screen stays locked until an unlock that was on its way at a time would be there.
func (s *X11) outlasts(ctx context.Context, typed time.Time) (bool, error) {
	for {
		covered, held, err := s.look(false)
		if locked := covered && held; !locked || err != nil || time.Since(typed) > unlockLasts {
			return locked, err
		}
		if err := s.pause(ctx); err != nil {
			return false, err
		}
	}
}

// lasting says whether a locker is none that another could take the place of.
func (s *X11) lasting(pid int) bool {
	ours := s.ours()
	return !isMarked(pid) && !knownLockers[lockerName(pid)] && (ours == nil || sessionOf(pid) != ours.pid)
}

// end ends lockers, and returns when the X server has noticed: until then they hold the keyboard.
func (s *X11) end(ctx context.Context, pids []int) error {
	for _, pid := range pids {
		syscall.Kill(pid, syscall.SIGKILL) //nolint:errcheck // it may just have ended
	}
	if l := s.ours(); l != nil && l.alive() && slices.Contains(pids, l.pid) {
		l.kill()
	}
	ctx, cancel := context.WithTimeout(ctx, goneLimit)
	defer cancel()
	for {
		clients, err := s.conn.Processes()
		if err != nil {
			return fmt.Errorf("lock: %w", err)
		}
		left := false
		for _, pid := range clients {
			left = left || slices.Contains(pids, pid)
		}
		if !left {
			return nil
		}
		if err := s.pause(ctx); err != nil {
			return errors.Join(errors.New("a locker does not end"), err)
		}
	}
}

// runsSince is when a process was started, not later than it was; zero when that cannot be told.
func (s *X11) runsSince(pid int) time.Time {
	if l := s.ours(); l != nil && l.pid == pid {
		return l.began
	}
	const start = 19               // starttime, counted from the state: proc(5)
	const tick = time.Second / 100 // USER_HZ, on every machine that Go knows
	ticks := statOf(pid, start)
	raw, err := os.ReadFile("/proc/uptime")
	if err != nil || ticks == 0 {
		return time.Time{}
	}
	first, _, _ := strings.Cut(string(raw), " ")
	up, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return time.Time{}
	}
	age := time.Duration(up*float64(time.Second)) - time.Duration(ticks)*tick
	return time.Now().Add(-age - tick)
}
