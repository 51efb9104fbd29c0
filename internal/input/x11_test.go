//go:build linux

package input_test

import (
	"encoding/binary"
	"errors"
	"image"
	"slices"
	"strings"
	"testing"
	"time"

	"jiseki/internal/desktop"
	"jiseki/internal/desktop/desktoptest"
	"jiseki/internal/input"
	"jiseki/internal/keys"
	"jiseki/internal/screen"
	"jiseki/internal/x11"
)

// A seen event is what a program gets.
type seen struct {
	kind, detail uint8
	at           screen.Point
}

// A watcher is a program whose window fills the screen and has the focus.
type watcher struct {
	conn   *x11.Conn
	win    x11.Window
	events chan seen
	raw    chan x11.Selection
}

func watch(t *testing.T, d *desktop.Desktop) *watcher {
	t.Helper()
	w := &watcher{events: make(chan seen, 4096), raw: make(chan x11.Selection, 16)}
	conn, err := x11.Dial(x11.Options{Display: d.Display(), Authority: d.Authority(), OnEvent: func(e x11.Event) {
		switch e.Type() {
		case x11.KeyPress, x11.KeyRelease, x11.ButtonPress, x11.ButtonRelease:
			w.events <- seen{e.Type(), e.Detail(), e.RootPosition()}
		case x11.SelectionNotify:
			w.raw <- e.Selection()
		}
	}})
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	w.conn = conn
	w.win, err = conn.CreateWindow(image.Rect(0, 0, 640, 480), x11.Attributes{
		OverrideRedirect: true, Events: x11.MaskKeys | x11.MaskButtons,
	})
	must(t, err)
	must(t, conn.MapWindow(w.win))
	must(t, conn.SetFocus(w.win))
	return w
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// next returns the next event.
func (w *watcher) next(t *testing.T) seen {
	t.Helper()
	select {
	case e := <-w.events:
		return e
	case <-time.After(time.Minute):
		t.Fatal("no event comes")
		return seen{}
	}
}

func (w *watcher) want(t *testing.T, kind, detail uint8) {
	t.Helper()
	if e := w.next(t); e.kind != kind || e.detail != detail {
		t.Fatalf("event %d of %d, want %d of %d", e.kind, e.detail, kind, detail)
	}
}

// quiet checks that everything injected so far has been seen.
func (w *watcher) quiet(t *testing.T, x *input.X11) {
	t.Helper()
	must(t, x.Key(keys.F12, true))
	must(t, x.Key(keys.F12, false))
	w.want(t, x11.KeyPress, 96)
	w.want(t, x11.KeyRelease, 96)
}

func open(t *testing.T) (*input.X11, *watcher, *desktop.Desktop) {
	t.Helper()
	d := desktoptest.Bare(t, image.Pt(640, 480))
	w := watch(t, d)
	x, err := input.OpenX11(input.X11Config{Display: d.Display(), Authority: d.Authority()})
	must(t, err)
	t.Cleanup(func() { x.Close() })
	return x, w, d
}

// TestX11Keys presses every key that Linux has; the Japanese ones mean what is printed on them.
func TestX11Keys(t *testing.T) {
	x, w, _ := open(t)
	count := 0
	for code := range keys.Code(256) {
		evdev, ok := code.Evdev()
		switch code {
		case keys.Lang1: // かな of Apple's keyboards: カタカナひらがな here
			evdev, _ = keys.KanaMode.Evdev()
		case keys.Lang2: // 英数: 無変換
			evdev, _ = keys.NonConvert.Evdev()
		}
		if !ok || code.Local() {
			if err := x.Key(code, true); !errors.Is(err, input.ErrNoKey) {
				t.Errorf("Key(%v) = %v, want ErrNoKey", code, err)
			}
			continue
		}
		count++
		must(t, x.Key(code, true))
		w.want(t, x11.KeyPress, uint8(evdev+8))
		must(t, x.Key(code, true)) // a second press is none
		must(t, x.Key(code, false))
		w.want(t, x11.KeyRelease, uint8(evdev+8))
		must(t, x.Key(code, false))
	}
	if count < 100 {
		t.Errorf("only %d keys", count)
	}
	w.quiet(t, x)
	syms, per, err := w.conn.KeyboardMapping() // that of the keyboard that was used last
	must(t, err)
	for code, want := range map[keys.Code]uint32{
		keys.Backquote: 0xff2a, keys.Convert: 0xff23, keys.NonConvert: 0xff22, keys.KanaMode: 0xff27,
		keys.IntlYen: '\\', keys.IntlRo: '\\', keys.BracketLeft: '@', keys.F1: 0xffbe, keys.F12: 0xffc9,
	} {
		evdev, _ := code.Evdev()
		o := (int(evdev) + 8 - int(w.conn.Setup.MinKeycode)) * per
		if syms[o] != want {
			t.Errorf("%v writes %#x on a Japanese layout, want %#x", code, syms[o:o+per], want)
		}
	}
}

func TestX11PointerAndButtons(t *testing.T) {
	x, w, _ := open(t)
	numbers := map[input.Buttons]uint8{input.Left: 1, input.Middle: 2, input.Right: 3, input.Back: 8, input.Forward: 9}
	i := 0
	for button, number := range numbers {
		i++
		at := screen.Point{X: 17 * i, Y: 31 * i}
		must(t, x.Pointer(at))
		must(t, x.Buttons(button))
		if e := w.next(t); e != (seen{x11.ButtonPress, number, at}) {
			t.Errorf("button %d: %v", button, e)
		}
		must(t, x.Buttons(0))
		w.want(t, x11.ButtonRelease, number)
	}
	must(t, x.Pointer(screen.Point{X: -5, Y: 99999}))
	_, err := x.Locks() // a round trip: the pointer has moved
	must(t, err)
	at, _, err := w.conn.Pointer()
	must(t, err)
	if at != (screen.Point{X: 0, Y: 479}) {
		t.Errorf("beyond the edge the pointer is at %v", at)
	}
}

func TestX11Wheel(t *testing.T) {
	x, w, _ := open(t)
	clicks := func(number uint8, n int) {
		t.Helper()
		for range n {
			w.want(t, x11.ButtonPress, number)
			w.want(t, x11.ButtonRelease, number)
		}
		w.quiet(t, x)
	}
	for _, c := range []struct {
		dx, dy int
		number uint8
		n      int
	}{
		{0, 120, 5, 1},
		{0, -240, 4, 2},
		{120, 0, 7, 1},
		{-120, 0, 6, 1},
		{0, 50, 5, 0},
		{0, 50, 5, 0},
		{0, 50, 5, 1}, // 150: one notch, 30 left
		{0, 90, 5, 1}, // the 30 are not lost
		{0, 119, 5, 0},
		{0, -1, 4, 0}, // a turn back starts afresh
		{0, -119, 4, 1},
		{0, 32767, 5, 100},
	} {
		must(t, x.Wheel(c.dx, c.dy))
		clicks(c.number, c.n)
	}
}

func TestX11Locks(t *testing.T) {
	x, _, _ := open(t)
	for _, on := range []input.Locks{input.Caps, input.Num, input.Caps | input.Num, 0, input.Num} {
		must(t, x.SetLocks(on))
		got, err := x.Locks()
		must(t, err)
		if got != on {
			t.Errorf("locks %b, want %b", got, on)
		}
	}
	// The keys themselves switch too.
	must(t, x.Key(keys.NumLock, true))
	must(t, x.Key(keys.NumLock, false))
	if got, err := x.Locks(); err != nil || got != 0 {
		t.Errorf("after the Num Lock key: %b, %v", got, err)
	}
}

func TestX11ReleaseAllAndClose(t *testing.T) {
	x, w, _ := open(t)
	press := func() {
		must(t, x.Key(keys.ControlLeft, true))
		must(t, x.Key(keys.KeyC, true))
		must(t, x.Pointer(screen.Point{X: 5, Y: 5}))
		must(t, x.Buttons(input.Left))
		w.want(t, x11.KeyPress, 37)
		w.want(t, x11.KeyPress, 54)
		w.want(t, x11.ButtonPress, 1)
	}
	released := func() {
		t.Helper()
		w.want(t, x11.KeyRelease, 54)
		w.want(t, x11.KeyRelease, 37)
		w.want(t, x11.ButtonRelease, 1)
		down, err := w.conn.KeysDown()
		must(t, err)
		if down != [32]byte{} {
			t.Errorf("keys are down: %v", down)
		}
	}
	press()
	must(t, x.ReleaseAll())
	released()
	press()
	must(t, x.Close())
	released()
	if err := x.Key(keys.KeyA, true); err == nil {
		t.Error("a key after Close")
	}
}

// paste asks for the clipboard as a program does.
func (w *watcher) paste(t *testing.T, target string) (text []byte, refused bool) {
	t.Helper()
	clipboard, err := w.conn.Atom("CLIPBOARD")
	must(t, err)
	form, err := w.conn.Atom(target)
	must(t, err)
	into, err := w.conn.Atom("JISEKI_TEST")
	must(t, err)
	must(t, w.conn.ConvertSelection(w.win, clipboard, form, into, 0))
	select {
	case s := <-w.raw:
		if s.Property == 0 {
			return nil, true
		}
	case <-time.After(time.Minute):
		t.Fatal("no answer to a paste")
	}
	_, text, err = w.conn.Property(w.win, into)
	must(t, err)
	return text, false
}

func TestX11Clipboard(t *testing.T) {
	x, w, _ := open(t)
	for _, text := range []string{"自席端末 と\n¥ 〜 ①", strings.Repeat("あ", input.MaxClipboard/3), "x"} {
		must(t, x.SetClipboard(text))
		for _, form := range []string{"UTF8_STRING", "text/plain;charset=utf-8"} {
			if got, refused := w.paste(t, form); refused || string(got) != text {
				t.Errorf("%s: got %d bytes, refused %v, want %d bytes", form, len(got), refused, len(text))
			}
		}
	}
	if _, refused := w.paste(t, "image/png"); !refused {
		t.Error("a picture is offered")
	}
	for _, bad := range []string{"", "a\x00b", "\xff", strings.Repeat("a", input.MaxClipboard+1)} {
		if err := x.SetClipboard(bad); !errors.Is(err, input.ErrText) {
			t.Errorf("SetClipboard(%.5q) = %v, want ErrText", bad, err)
		}
	}
	// A program on the desk copies: the offer ends; a new one takes over again.
	clipboard, err := w.conn.Atom("CLIPBOARD")
	must(t, err)
	own, err := w.conn.OwnSelection(clipboard, w.win, 0)
	must(t, err)
	if !own {
		t.Fatal("a program cannot copy")
	}
	must(t, x.SetClipboard("二"))
	if got, _ := w.paste(t, "UTF8_STRING"); string(got) != "二" {
		t.Errorf("after taking over: %q", got)
	}
	must(t, x.Close())
	if _, refused := w.paste(t, "UTF8_STRING"); !refused {
		t.Error("the text outlives the session")
	}
}

// TestX11ClipboardForms asks for the text in every form that ICCCM names, several at once, and as old programs do.
func TestX11ClipboardForms(t *testing.T) {
	x, w, _ := open(t)
	for text, forms := range map[string]map[string]string{
		"café": {"UTF8_STRING": "café", "text/plain": "café", "STRING": "caf\xe9", "TEXT": "caf\xe9", "COMPOUND_TEXT": "caf\xe9"},
		"自席":   {"UTF8_STRING": "自席", "text/plain": "自席", "TEXT": "\x1b$(B<+@J\x1b(B", "COMPOUND_TEXT": "\x1b$(B<+@J\x1b(B"},
	} {
		must(t, x.SetClipboard(text))
		for form, want := range forms {
			if got, refused := w.paste(t, form); refused || string(got) != want {
				t.Errorf("%q as %s: %q, refused %v, want %q", text, form, got, refused, want)
			}
		}
		offered := w.targets(t)
		for form := range forms {
			if !slices.Contains(offered, form) {
				t.Errorf("%q: TARGETS lacks %s: %q", text, form, offered)
			}
		}
		if _, refused := w.paste(t, "STRING"); refused != !slices.Contains(offered, "STRING") {
			t.Errorf("%q: STRING refused %v, offered %q", text, refused, offered)
		}
	}
	if since, refused := w.paste(t, "TIMESTAMP"); refused || len(since) != 4 {
		t.Errorf("TIMESTAMP: %v, refused %v", since, refused)
	}
	w.pasteMany(t)
	w.pasteAsOldProgram(t)
}

func (w *watcher) atoms(t *testing.T, names ...string) (atoms []x11.Atom) {
	t.Helper()
	for _, name := range names {
		a, err := w.conn.Atom(name)
		must(t, err)
		atoms = append(atoms, a)
	}
	return atoms
}

// targets are the names of what is offered.
func (w *watcher) targets(t *testing.T) (names []string) {
	t.Helper()
	list, refused := w.paste(t, "TARGETS")
	if refused {
		t.Fatal("TARGETS is refused")
	}
	for ; len(list) >= 4; list = list[4:] {
		name, err := w.conn.AtomName(x11.Atom(binary.LittleEndian.Uint32(list)))
		must(t, err)
		names = append(names, name)
	}
	return names
}

// pasteMany asks for several forms at once, of which one is none.
func (w *watcher) pasteMany(t *testing.T) {
	t.Helper()
	a := w.atoms(t, "CLIPBOARD", "MULTIPLE", "JISEKI_TEST", "UTF8_STRING", "JISEKI_ONE", "image/png", "JISEKI_TWO", "ATOM_PAIR")
	var pairs []byte
	for _, atom := range a[3:7] {
		pairs = binary.LittleEndian.AppendUint32(pairs, uint32(atom))
	}
	must(t, w.conn.SetProperty(w.win, a[2], a[7], 32, pairs))
	must(t, w.conn.ConvertSelection(w.win, a[0], a[1], a[2], 0))
	if s := <-w.raw; s.Property != a[2] {
		t.Fatal("MULTIPLE is refused")
	}
	_, text, err := w.conn.Property(w.win, a[4])
	must(t, err)
	_, done, err := w.conn.Property(w.win, a[2])
	must(t, err)
	binary.LittleEndian.PutUint32(pairs[12:], 0)
	if len(text) == 0 || !slices.Equal(done, pairs) {
		t.Errorf("MULTIPLE gave %q and %v, want a text and %v", text, done, pairs)
	}
}

// pasteAsOldProgram names no property: the target's name is the property.
func (w *watcher) pasteAsOldProgram(t *testing.T) {
	t.Helper()
	a := w.atoms(t, "CLIPBOARD", "UTF8_STRING")
	must(t, w.conn.ConvertSelection(w.win, a[0], a[1], 0, 0))
	if s := <-w.raw; s.Property != a[1] {
		t.Fatalf("the answer is in %d, want %d", s.Property, a[1])
	}
	if _, text, err := w.conn.Property(w.win, a[1]); err != nil || len(text) == 0 {
		t.Errorf("got %q, %v", text, err)
	}
}

func BenchmarkX11Key(b *testing.B) {
	d := desktoptest.Bare(b, image.Pt(640, 480))
	x, err := input.OpenX11(input.X11Config{Display: d.Display(), Authority: d.Authority()})
	must(b, err)
	defer x.Close()
	b.ReportAllocs()
	for b.Loop() {
		must(b, x.Key(keys.KeyA, true))
		must(b, x.Key(keys.KeyA, false))
	}
}
