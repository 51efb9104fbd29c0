//go:build linux

package lock_test

import (
	"context"
	"errors"
	"image"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"jiseki/internal/desktop"
	"jiseki/internal/desktop/desktoptest"
	"jiseki/internal/input"
	"jiseki/internal/lock"
	"jiseki/internal/notice"
	"jiseki/internal/screen"
	"jiseki/internal/x11"
)

// TestKilledRightAfterLock: a lock that falls before anybody has looked a second time is torn, not forgotten.
func TestKilledRightAfterLock(t *testing.T) {
	for _, command := range lockers {
		t.Run(command[0], func(t *testing.T) {
			d := desktoptest.Bare(t, screen.Point{X: 640, Y: 480})
			s := open(t, d, command...)
			for range 5 {
				must(t, s.Lock(t.Context(), time.Time{}))
				killLockers(t, d)
				state(t, s, lock.Torn)
			}
		})
	}
}

// TestNoticeLeavesTheLock shows what the agent shows, before and after the desk was locked: it stays locked.
func TestNoticeLeavesTheLock(t *testing.T) {
	for _, command := range lockers {
		t.Run(command[0], func(t *testing.T) {
			d := desktoptest.Bare(t, screen.Point{X: 800, Y: 600})
			must(t, d.AddMonitor(t.Context(), "DUMMY1", screen.Point{X: 800, Y: 600}, screen.Point{X: 800}))
			s := open(t, d, command...)
			show(t, d)
			must(t, s.Lock(t.Context(), time.Time{}))
			state(t, s, lock.Locked)
			show(t, d)
			wantLocked(t, s, true)
			select {
			case now := <-s.Changes():
				t.Errorf("the screen became %v", now)
			case <-time.After(3 * time.Second): // a notice that insisted would have torn it
			}
			wantLocked(t, s, true)
		})
	}
}

func show(t *testing.T, d *desktop.Desktop) {
	t.Helper()
	n, err := notice.ShowX11(notice.X11Config{
		Display: d.Display(), Authority: d.Authority(), Name: "山田 太郎", OnEnd: func() {}, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	must(t, err)
	t.Cleanup(func() { n.Close() })
}

// TestScreenSaverIsNoLock: a screen saver's daemon runs on when somebody has unlocked; that is no torn lock.
func TestScreenSaverIsNoLock(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("known lockers belong to root, and the password is root's")
	}
	d := desktoptest.Bare(t, screen.Point{X: 640, Y: 480})
	s := open(t, d, "i3lock", "--nofork")
	conn := dial(t, d)
	before := clients(t, conn)
	must(t, d.Start(program(t, "xclip", "xscreensaver", 0), "-quiet", "-i", "/etc/hostname")) // waits for somebody who pastes
	for clients(t, conn) == before {
		time.Sleep(20 * time.Millisecond)
	}
	must(t, d.Start("i3lock", "--nofork")) // somebody's own
	state(t, s, lock.Locked)
	x, err := input.OpenX11(input.X11Config{Display: d.Display(), Authority: d.Authority()})
	must(t, err)
	defer x.Close()
	unlock(t, s, x)
}

// TestForeignLockerIsNoLock: a program that covers the screen and holds the keyboard is no lock by that alone: it must
// be known by its name, and be root's.
func TestForeignLockerIsNoLock(t *testing.T) {
	for name, owner := range map[string]int{"i3lock": 65534, "a-game": 0} {
		t.Run(name, func(t *testing.T) {
			d := desktoptest.Bare(t, screen.Point{X: 640, Y: 480})
			s := open(t, d)
			conn := dial(t, d)
			must(t, d.Start(program(t, "i3lock", name, owner), "--nofork"))
			for cover := x11.Window(0); cover == 0 || !held(t, conn); time.Sleep(20 * time.Millisecond) {
				var err error
				cover, err = conn.Cover(image.Rect(0, 0, 640, 480))
				must(t, err)
			}
			wantLocked(t, s, false)
		})
	}
}

// program is a copy of a program under another name, which belongs to somebody if root runs the test.
func program(t *testing.T, of, name string, owner int) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "jiseki-program-")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	found, err := exec.LookPath(of)
	must(t, err)
	raw, err := os.ReadFile(found)
	must(t, err)
	path := filepath.Join(dir, name)
	must(t, os.WriteFile(path, raw, 0o755))
	if os.Getuid() == 0 {
		must(t, os.Chown(path, owner, owner))
	}
	return path
}

func clients(t *testing.T, conn *x11.Conn) int {
	t.Helper()
	all, err := conn.Processes()
	must(t, err)
	return len(all)
}

// TestLockLeavesAnotherLockerItsKeyboard locks while somebody's own locker, which hangs, holds the keyboard below
// another window: it would cover the screen for good without the keyboard.
func TestLockLeavesAnotherLockerItsKeyboard(t *testing.T) {
	d := desktoptest.Bare(t, screen.Point{X: 640, Y: 480})
	s := open(t, d, "i3lock", "--nofork")
	must(t, d.Start("i3lock", "--nofork"))
	state(t, s, lock.Locked)
	conn := dial(t, d)
	signalLocker(t, conn, syscall.SIGSTOP)
	win, err := conn.CreateWindow(image.Rect(0, 0, 300, 300), x11.Attributes{OverrideRedirect: true})
	must(t, err)
	must(t, conn.MapWindow(win))
	wantLocked(t, s, false)
	before := clients(t, conn)
	must(t, s.Lock(t.Context(), time.Time{}))
	wantLocked(t, s, true)
	killLockers(t, d)
	for clients(t, conn) > before {
		time.Sleep(20 * time.Millisecond)
	}
	if got, err := conn.GrabKeyboard(); err != nil || !got.Held() {
		t.Errorf("the keyboard of their locker: %v, %v", got, err)
	}
	signalLocker(t, conn, syscall.SIGCONT)
}

// TestWindowThatComesBackToTheTop: a lock is none that is seen between two shows of another window. The locker below it
// goes on holding the keyboard.
func TestWindowThatComesBackToTheTop(t *testing.T) {
	d := desktoptest.Bare(t, screen.Point{X: 640, Y: 480})
	s := open(t, d, "i3lock", "--nofork")
	must(t, s.Lock(t.Context(), time.Time{}))
	state(t, s, lock.Locked)
	conn := dial(t, d)
	signalLocker(t, conn, syscall.SIGSTOP)
	win, err := conn.CreateWindow(image.Rect(0, 0, 300, 300), x11.Attributes{OverrideRedirect: true})
	must(t, err)
	quiet, gone := make(chan struct{}), make(chan error)
	go func() {
		var err error
		for open := true; open && err == nil; {
			err = conn.MapWindow(win)
			select {
			case <-quiet:
				open = false
			case <-time.After(10 * time.Millisecond):
			}
			err = errors.Join(err, conn.UnmapWindow(win))
		}
		gone <- err
	}()
	state(t, s, lock.Torn)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	if err := s.Lock(ctx, time.Time{}); err == nil {
		t.Error("locked, it is said")
	}
	if got, err := dial(t, d).GrabKeyboard(); err != nil || !got.Held() {
		t.Errorf("the keyboard: %v, %v", got, err)
	}
	close(quiet)
	must(t, <-gone)
	must(t, s.Lock(t.Context(), time.Time{}))
	signalLocker(t, conn, syscall.SIGCONT)
	wantLocked(t, s, true)
}

// signalLocker sends a signal to the processes of i3lock on a server: one holds the keyboard, one brings the window to
// the top.
func signalLocker(t *testing.T, conn *x11.Conn, signal syscall.Signal) {
	t.Helper()
	all, err := conn.Processes()
	must(t, err)
	found := 0
	for _, pid := range all {
		if exe, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(pid), "exe")); err == nil && filepath.Base(exe) == "i3lock" {
			must(t, syscall.Kill(pid, signal))
			found++
		}
	}
	if found == 0 {
		t.Fatal("no i3lock runs")
	}
}
