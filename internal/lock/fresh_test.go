//go:build linux

package lock_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"jiseki/internal/desktop/desktoptest"
	"jiseki/internal/input"
	"jiseki/internal/lock"
	"jiseki/internal/screen"
	"jiseki/internal/x11"
)

// TestUnlockOnItsWay types the password and has the desk locked while the locker checks it: the lock that was proved
// holds, whoever started the locker.
func TestUnlockOnItsWay(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("the invoking user's password is not known")
	}
	for name, own := range map[string]bool{"ours": true, "somebody else's": false} {
		t.Run(name, func(t *testing.T) {
			d := desktoptest.Bare(t, screen.Point{X: 640, Y: 480})
			s := open(t, d, "i3lock", "--nofork")
			x, err := input.OpenX11(input.X11Config{Display: d.Display(), Authority: d.Authority()})
			must(t, err)
			defer x.Close()
			if own {
				must(t, s.Lock(t.Context(), time.Time{}))
			} else {
				must(t, d.Start("i3lock", "--nofork"))
			}
			state(t, s, lock.Locked)
			for _, pause := range []time.Duration{0, 20 * time.Millisecond, 60 * time.Millisecond, 150 * time.Millisecond} {
				write(t, x, desktoptest.Password(t))
				typed := time.Now()
				time.Sleep(pause) // some way into the check
				must(t, s.Lock(t.Context(), typed))
				t.Logf("%v after Enter, locked within %v", pause, time.Since(typed)-pause)
				// Longer than the check. What is told of the moment between two lockers may come late: then the desk is locked.
				for over := time.After(3 * time.Second); over != nil; {
					select {
					case <-s.Changes():
						wantLocked(t, s, true)
					case <-over:
						over = nil
					}
				}
				wantLocked(t, s, true)
			}
			unlock(t, s, x) // the password was right
		})
	}
}

// TestLockLeavesALockerAlone: one that came up after the last that was typed has nothing to check.
func TestLockLeavesALockerAlone(t *testing.T) {
	d := desktoptest.Bare(t, screen.Point{X: 640, Y: 480})
	s := open(t, d, "i3lock", "--nofork")
	typed := time.Now()
	must(t, s.Lock(t.Context(), typed))
	conn := dial(t, d)
	before := lockerOf(t, conn)
	must(t, s.Lock(t.Context(), typed))
	if now := lockerOf(t, conn); now != before {
		t.Errorf("process %d was ended, and %d started", before, now)
	}
	must(t, s.Lock(t.Context(), time.Now()))
	if now := lockerOf(t, conn); now == before {
		t.Error("the locker into which somebody typed still runs")
	}
}

// lockerOf is the process of i3lock on a server: of its two, the one that started the other.
func lockerOf(t *testing.T, conn *x11.Conn) (first int) {
	t.Helper()
	all, err := conn.Processes()
	must(t, err)
	for _, pid := range all {
		exe, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(pid), "exe"))
		if err == nil && filepath.Base(exe) == "i3lock" && (first == 0 || pid < first) {
			first = pid
		}
	}
	if first == 0 {
		t.Fatal("no i3lock runs")
	}
	return first
}
