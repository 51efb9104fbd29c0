//go:build linux

package lock_test

import (
	"image"
	"slices"
	"testing"
	"time"

	"jiseki/internal/desktop/desktoptest"
	"jiseki/internal/input"
	"jiseki/internal/keys"
	"jiseki/internal/lock"
	"jiseki/internal/x11"
)

// TestLocksUnderMenus opens menus of real programs, which hold keyboard and pointer, and locks.
func TestLocksUnderMenus(t *testing.T) {
	d := desktoptest.Full(t)
	s := open(t, d, "i3lock", "--nofork")
	x, err := input.OpenX11(input.X11Config{Display: d.Display(), Authority: d.Authority()})
	must(t, err)
	defer x.Close()
	conn := dial(t, d)
	press := func(codes ...keys.Code) {
		t.Helper()
		for _, c := range codes {
			must(t, x.Key(c, true))
		}
		for _, c := range codes {
			must(t, x.Key(c, false))
		}
	}
	for _, c := range []struct {
		program []string
		title   string
		open    func() // a menu
	}{
		{[]string{"xterm", "-title", "plain"}, "plain", func() {
			must(t, x.Pointer(middle(t, conn)))
			must(t, x.Key(keys.ControlLeft, true))
			must(t, x.Buttons(input.Left)) // the menu is there while the button is down
		}},
		{[]string{"editor"}, "Mousepad", func() { press(keys.FromName("F10")) }},
		{[]string{"editor"}, "Mousepad", func() { press(keys.ShiftLeft, keys.FromName("F10")) }},
		{[]string{"files", d.Home() + "/文書"}, "文書", func() { press(keys.FromName("F10")) }},
	} {
		must(t, d.Start(c.program[0], c.program[1:]...))
		must(t, d.WaitWindow(t.Context(), c.title))
		t.Log("a menu of", c.program)
		for n := 0; !held(t, conn); n++ {
			if n%50 == 0 {
				c.open() // programs take keys some time after their window is there
			}
			time.Sleep(20 * time.Millisecond)
		}
		must(t, s.Lock(t.Context(), time.Time{}))
		wantLocked(t, s, true)
		must(t, x.ReleaseAll())
		wantLocked(t, s, true)
		unlock(t, s, x)
	}
}

// unlock types the password until the screen is open. Lockers drop keys while they check a password.
func unlock(t *testing.T, s *lock.X11, x *input.X11) {
	t.Helper()
	for {
		write(t, x, desktoptest.Password(t))
		for late := time.After(5 * time.Second); late != nil; {
			select {
			case now := <-s.Changes():
				if now == lock.Torn {
					t.Fatal("an unlocked screen counts as torn")
				}
				if now == lock.Open {
					return
				}
			case <-late:
				late = nil
			}
		}
	}
}

// held says whether a program holds keyboard or pointer.
func held(t *testing.T, conn *x11.Conn) bool {
	t.Helper()
	p, err := conn.GrabPointer()
	must(t, err)
	k, err := conn.GrabKeyboard()
	must(t, err)
	must(t, conn.UngrabKeyboard())
	must(t, conn.UngrabPointer())
	return p.Held() || k.Held()
}

// middle is the middle of the highest window of a program.
func middle(t *testing.T, conn *x11.Conn) image.Point {
	t.Helper()
	windows, err := conn.Children(conn.Setup.Root)
	must(t, err)
	for _, win := range slices.Backward(windows) {
		state, err := conn.State(win)
		must(t, err)
		if bounds, err := conn.Geometry(win); err == nil && state.Viewable && !state.Override && bounds.Dx() > 200 {
			return bounds.Min.Add(bounds.Size().Div(2))
		}
	}
	t.Fatal("no window")
	return image.Point{}
}
