//go:build linux

package lock_test

import (
	"image"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"jiseki/internal/desktop"
	"jiseki/internal/desktop/desktoptest"
	"jiseki/internal/lock"
	"jiseki/internal/screen"
	"jiseki/internal/x11"
)

var lockers = [][]string{{"i3lock", "--nofork"}, {"xsecurelock"}}

func dial(t *testing.T, d *desktop.Desktop) *x11.Conn {
	t.Helper()
	conn, err := x11.Dial(x11.Options{Display: d.Display(), Authority: d.Authority()})
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn
}

func grabKeyboard(t *testing.T, conn *x11.Conn) {
	t.Helper()
	got, err := conn.GrabKeyboard()
	must(t, err)
	if got != x11.Grabbed {
		t.Fatalf("no grab: %v", got)
	}
}

func grabPointer(t *testing.T, conn *x11.Conn) {
	t.Helper()
	got, err := conn.GrabPointer()
	must(t, err)
	if got != x11.Grabbed {
		t.Fatalf("no grab: %v", got)
	}
}

// wantLocked looks once.
func wantLocked(t *testing.T, s *lock.X11, want bool) {
	t.Helper()
	got, err := s.Locked()
	must(t, err)
	if got != want {
		t.Errorf("locked %v, want %v", got, want)
	}
}

// TestOnlyALockerLocks: a window of somebody's that covers the screen while somebody holds the keyboard is no lock.
func TestOnlyALockerLocks(t *testing.T) {
	d := desktoptest.Bare(t, screen.Point{X: 640, Y: 480})
	s := open(t, d, "i3lock", "--nofork")
	conn := dial(t, d)
	win, err := conn.CreateWindow(image.Rect(0, 0, 640, 480), x11.Attributes{OverrideRedirect: true})
	must(t, err)
	must(t, conn.MapWindow(win))
	grabKeyboard(t, conn)
	wantLocked(t, s, false)
	must(t, s.Lock(t.Context(), time.Time{}))
	wantLocked(t, s, true)
	state(t, s, lock.Locked)
	must(t, conn.RaiseWindow(win)) // above the locker, until that insists
	for locked := false; !locked; {
		locked, err = s.Locked()
		must(t, err)
	}
}

// TestLocksWhoeverHoldsWhat locks while programs hold keyboard, pointer or both and let go of nothing by themselves.
func TestLocksWhoeverHoldsWhat(t *testing.T) {
	for _, command := range lockers {
		for name, grabs := range map[string][]func(*testing.T, *x11.Conn){
			"keyboard": {grabKeyboard}, "pointer": {grabPointer}, "both": {grabKeyboard, grabPointer},
		} {
			t.Run(command[0]+" "+name, func(t *testing.T) {
				d := desktoptest.Bare(t, screen.Point{X: 640, Y: 480})
				s := open(t, d, command...)
				holder := dial(t, d)
				for _, grab := range grabs {
					grab(t, holder)
				}
				must(t, s.Lock(t.Context(), time.Time{}))
				wantLocked(t, s, true)
				got, err := holder.GrabKeyboard()
				must(t, err)
				if !got.Held() {
					t.Error("the keyboard can be taken although the screen is locked")
				}
			})
		}
	}
}

// TestLockerWithoutKeyboardIsNoLock lets the locker's window come up while another program holds the keyboard.
func TestLockerWithoutKeyboardIsNoLock(t *testing.T) {
	d := desktoptest.Bare(t, screen.Point{X: 640, Y: 480})
	s := open(t, d)
	conn := dial(t, d)
	grabKeyboard(t, conn)
	must(t, conn.SelectEvents(conn.Setup.Root, x11.MaskSubstructure))
	must(t, d.Start("i3lock", "--nofork"))
	for cover := x11.Window(0); cover == 0; {
		var err error
		cover, err = conn.Cover(image.Rect(0, 0, 640, 480))
		must(t, err)
	}
	wantLocked(t, s, false)
	must(t, conn.UngrabKeyboard())
	state(t, s, lock.Locked) // i3lock goes on trying
	wantLocked(t, s, true)
}

// TestTornLock kills the locker: nobody has unlocked, and it is locked again.
func TestTornLock(t *testing.T) {
	for _, command := range lockers {
		t.Run(command[0], func(t *testing.T) {
			d := desktoptest.Bare(t, screen.Point{X: 640, Y: 480})
			s := open(t, d, command...)
			must(t, s.Lock(t.Context(), time.Time{}))
			state(t, s, lock.Locked)
			killLockers(t, d)
			state(t, s, lock.Torn)
			wantLocked(t, s, false)
			must(t, s.Lock(t.Context(), time.Time{}))
			state(t, s, lock.Locked)
		})
	}
}

// killLockers kills what the desk's lock has started.
func killLockers(t *testing.T, d *desktop.Desktop) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/environ")
	must(t, err)
	killed := 0
	for _, path := range all {
		env, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(env), "JISEKI_LOCKER=") || !strings.Contains(string(env), "JISEKI_DESK_HOME="+d.Home()+"\x00") {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		must(t, err)
		syscall.Kill(pid, syscall.SIGKILL) // it may have ended with another
		killed++
	}
	if killed == 0 {
		t.Fatal("no locker runs")
	}
}

// TestMonitorAddedWhileLocked: the locker grows with the screen, and what is said ends with a lock that covers all.
func TestMonitorAddedWhileLocked(t *testing.T) {
	for _, command := range lockers {
		t.Run(command[0], func(t *testing.T) {
			d := desktoptest.Bare(t, screen.Point{X: 800, Y: 600})
			s := open(t, d, command...)
			must(t, s.Lock(t.Context(), time.Time{}))
			must(t, d.AddMonitor(t.Context(), "DUMMY1", screen.Point{X: 800, Y: 600}, screen.Point{X: 800}))
			must(t, s.Lock(t.Context(), time.Time{})) // waits until it covers the new one
			wantLocked(t, s, true)
		})
	}
}

// TestKnownAgain: an agent that starts anew knows the lock of the one before.
func TestKnownAgain(t *testing.T) {
	d := desktoptest.Bare(t, screen.Point{X: 640, Y: 480})
	first := open(t, d, "sh", "-c", "i3lock --nofork; exit 3") // by a script, as offices do
	must(t, first.Lock(t.Context(), time.Time{}))
	must(t, first.Close())
	second := open(t, d, "i3lock", "--nofork")
	state(t, second, lock.Locked)
	must(t, second.Lock(t.Context(), time.Time{}))
}
