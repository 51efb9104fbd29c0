//go:build linux

package e2e

import (
	"bytes"
	"image"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"weak"

	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/keys"
	"jiseki/internal/screen"
	"jiseki/internal/viewer"
	"jiseki/internal/wire"
)

// TestSession is the thin path, on both databases: sign in, enrol, open, see, type, end, lock, account for it.
func TestSession(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { wholeSession(t, plan{}) })
	t.Run("PostgreSQL", func(t *testing.T) { wholeSession(t, plan{database: databases.empty(t)}) })
}

func wholeSession(t *testing.T, p plan) {
	h := build(t, p)
	tanaka := h.staff("tanaka")
	v := tanaka.open(look{})
	if w := v.Welcome(); !w.Lockable || w.Desk != h.name || w.Rights != 3 || w.Resumed {
		t.Errorf("welcome: %+v", w)
	}
	v.sameAsDesk()

	w := h.window(image.Rect(20, 60, 520, 400))
	w.noise(1, image.Pt(3, 5), image.Pt(200, 150))
	w.fill(image.Rect(250, 10, 400, 300), 0xc02040)
	v.sameAsDesk()

	v.press(letters("jiseki")...)
	v.press(keys.Enter)
	want := codes(append(letters("jiseki"), keys.Enter)...)
	await(t, func() bool { return slices.Equal(w.got(), want) }, func() string { return "the window got other keys" })

	if err := v.End(soon(t)); err != nil {
		t.Errorf("end: %v", err)
	}
	v.ended()
	id := v.session[:]
	h.awaitEvents(id, "session_granted ", "session_opened ", "session_ended 1", "session_locked ")
	if !h.locked() {
		t.Error("the log says locked, the desk is not")
	}
	h.restartGateway() // what it needs is in the database
	h.awaitDesk(func(d *controlv1.Desk) bool {
		return d.GetState() == controlv1.DeskState_DESK_STATE_ON && d.GetLocked()
	})
	h.verifyLog()
}

// TestTypeIntoTerminal types into a real program and finds the text in the file that it wrote.
func TestTypeIntoTerminal(t *testing.T) {
	h := build(t, plan{})
	v := h.staff("tanaka").open(look{})
	file := filepath.Join(h.screen.Home(), "typed.txt")
	if err := h.screen.Start("xterm", "-geometry", "60x10+0+60", "-e", "sh", "-c", "echo ready > "+file+"; cat >> "+file); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { return readFile(t, file) == "ready\n" }, func() string { return "the terminal does not start" })
	v.sameAsDesk()
	v.point(100, 100) // without a window manager the keys go to where the pointer is
	v.press(letters("hello")...)
	v.press(keys.Space)
	v.press(letters("jiseki")...)
	v.press(keys.Enter)
	await(t, func() bool { return readFile(t, file) == "ready\nhello jiseki\n" },
		func() string { return "typed: " + readFile(t, file) })
	v.sameAsDesk()
}

// TestLayouts changes mode and monitors while a viewer looks.
func TestLayouts(t *testing.T) {
	h := build(t, plan{})
	v := h.staff("tanaka").open(look{})
	v.sameAsDesk()
	w := h.window(image.Rect(0, 0, 2000, 2000))
	w.noise(2, image.Pt(0, 0), image.Pt(1000, 300))
	output := ""
	v.Look(func(s viewer.State) { output = s.Layout.Monitors[0].Name })

	if err := h.screen.SetMode(soon(t), output, screen.Point{X: 800, Y: 600}); err != nil {
		t.Fatal(err)
	}
	v.wait("the new mode", func(s viewer.State) bool { return s.Layout.Size == screen.Point{X: 800, Y: 600} })
	v.sameAsDesk()

	second := "DUMMY1"
	if err := h.screen.AddMonitor(soon(t), second, screen.Point{X: 640, Y: 480}, screen.Point{X: 800}); err != nil {
		t.Fatal(err)
	}
	v.wait("the second monitor", func(s viewer.State) bool { return len(s.Layout.Monitors) == 2 })
	v.sameAsDesk()

	at := uint8(0)
	var other screen.Rect
	v.Look(func(s viewer.State) {
		for i, m := range s.Layout.Monitors {
			if m.Name == second {
				at = uint8(i)
			} else {
				other = m.Bounds
			}
		}
	})
	oneMonitor(t, h, v, w, at, other)

	if err := h.screen.RemoveMonitor(soon(t), second); err != nil {
		t.Fatal(err)
	}
	v.wait("one monitor", func(s viewer.State) bool { return len(s.Layout.Monitors) == 1 })
	v.sameAsDesk()
}

// oneMonitor looks at one monitor only: what changes on the other is not sent until it is looked at again.
func oneMonitor(t *testing.T, h *house, v *eyes, w *window, at uint8, other screen.Rect) {
	t.Helper()
	if err := v.Show(soon(t), at); err != nil {
		t.Fatal(err)
	}
	v.echo()
	before := region(v, other)
	w.noise(3, image.Pt(other.Min.X+10, other.Min.Y+100), image.Pt(100, 50)) // on the other
	marker := image.Rect(810, 10, 820, 20)
	w.fill(marker, 0x00ff7f) // on this one
	v.wait("the mark", func(s viewer.State) bool { return colour(s.Picture, 815, 15) == 0x00ff7f && s.Settled })
	if !bytes.Equal(before, region(v, other)) {
		t.Error("the monitor that nobody looks at was sent")
	}
	if err := v.Show(soon(t), wire.AllMonitors); err != nil {
		t.Fatal(err)
	}
	v.sameAsDesk()
}

// region is a copy of a part of the viewer's picture.
func region(v *eyes, r screen.Rect) (pix []byte) {
	v.Look(func(s viewer.State) {
		for y := r.Min.Y; y < r.Max.Y; y++ {
			pix = append(pix, s.Picture.Row(y, r.Min.X, r.Max.X)...)
		}
	})
	return pix
}

// colour is that of a pixel.
func colour(p *screen.Picture, x, y int) uint32 {
	if p == nil || x >= p.Size.X || y >= p.Size.Y {
		return 0xff000000
	}
	b := p.Row(y, x, x+1)
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16
}

// TestHidden sends nothing to a viewer that nobody looks at, and the newest picture when somebody does again.
func TestHidden(t *testing.T) {
	h := build(t, plan{})
	v := h.staff("tanaka").open(look{})
	v.sameAsDesk()
	if err := v.Hide(soon(t)); err != nil {
		t.Fatal(err)
	}
	v.echo()
	updates, _ := v.seen()
	w := h.window(image.Rect(20, 60, 520, 400))
	w.noise(4, image.Pt(0, 0), image.Pt(300, 300))
	for range 3 { // round trips through agent and capture, with changes before each
		w.fill(image.Rect(0, 0, 50, 50), 0x112233)
		v.echo()
	}
	if now, _ := v.seen(); len(now) != len(updates) {
		t.Errorf("%d updates were sent to a hidden viewer", len(now)-len(updates))
	}
	if err := v.Show(soon(t), wire.AllMonitors); err != nil {
		t.Fatal(err)
	}
	v.wait("a new picture", func(s viewer.State) bool { return int(s.Seq) > len(updates) })
	v.sameAsDesk()
}

// forgets checks that nobody holds a viewer that has hung up: one that has resumed its picture would hold all before
// it.
func forgets(t *testing.T, e *eyes) {
	t.Helper()
	former := weak.Make(e.Viewer)
	e.Viewer = nil
	for range 10 { // the first may find it still in use
		if runtime.GC(); former.Value() == nil {
			return
		}
	}
	t.Error("the viewer before is held")
}

// TestResume loses the line and comes back: only the differences are sent.
func TestResume(t *testing.T) {
	h := build(t, plan{})
	tanaka := h.staff("tanaka")
	v := tanaka.open(look{})
	w := h.window(image.Rect(20, 60, 520, 400))
	w.noise(5, image.Pt(0, 0), image.Pt(400, 300))
	v.sameAsDesk()
	_, whole := v.seen()
	v.hangUp()
	h.awaitEvents(v.session[:], "session_granted ", "session_opened ", "session_ended 0")

	w.fill(image.Rect(10, 10, 40, 40), 0x7f7f00)
	again := tanaka.open(look{resume: v})
	if !again.Welcome().Resumed {
		t.Error("the session does not say that it resumed")
	}
	again.sameAsDesk()
	updates, bytes := again.seen()
	if len(updates) == 0 || slices.ContainsFunc(updates, func(u viewer.Shown) bool { return u.Fresh }) || bytes > whole/10 {
		t.Errorf("resumed by %d bytes, the whole picture took %d: %+v", bytes, whole, updates)
	}
	forgets(t, v)
	again.hangUp()
	h.awaitEvents(again.session[:], "session_granted ", "session_opened ", "session_ended 0")

	other := tanaka.another().open(look{})
	if other.Welcome().Resumed {
		t.Error("another device resumed a picture that it never saw")
	}
	other.sameAsDesk()
	if h.locked() {
		t.Error("the desk was locked although somebody came back within the grace period")
	}
}

// TestBlackMonitor opens a monitor on which every pixel is black, as the coder's mirror is at first: the viewer must
// learn that this is the picture.
func TestBlackMonitor(t *testing.T) {
	h := build(t, plan{})
	if err := h.screen.AddMonitor(soon(t), "DUMMY1", screen.Point{X: 640, Y: 480}, screen.Point{X: 640}); err != nil {
		t.Fatal(err)
	}
	tanaka := h.staff("tanaka")
	for monitor := range uint8(2) {
		v := tanaka.open(look{monitor: &monitor})
		v.wait("a settled picture", func(s viewer.State) bool {
			return s.Settled && s.Picture.Size == screen.Point{X: 1280, Y: 480} && s.Layout.Monitors[monitor].Bounds.Dx() == 640
		})
	}
}
