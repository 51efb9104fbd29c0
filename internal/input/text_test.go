//go:build linux

package input_test

import (
	"errors"
	"os/exec"
	"testing"

	"jiseki/internal/desktop"
	"jiseki/internal/input"
	"jiseki/internal/keys"
	"jiseki/internal/x11"
)

// typed are the symbols that a program sees until all keys are up, by the core keymap and the state of Shift that it
// keeps.
func (w *watcher) typed(t *testing.T, x *input.X11) string {
	t.Helper()
	must(t, x.Key(keys.F12, true))
	must(t, x.Key(keys.F12, false))
	var out []rune
	shift := false
	for {
		e := w.next(t)
		syms, per, err := w.conn.KeyboardMapping()
		must(t, err)
		row := syms[(int(e.detail)-int(w.conn.Setup.MinKeycode))*per:]
		const f12, shiftL = 0xffc9, 0xffe1
		switch {
		case row[0] == shiftL:
			shift = e.kind == x11.KeyPress
		case row[0] == f12 && e.kind == x11.KeyRelease:
			return string(out)
		case e.kind == x11.KeyPress && row[0] != f12:
			column := 0
			if shift {
				column = 1
			}
			out = append(out, rune(row[column]))
		}
	}
}

// TestTypeText writes what an on-screen keyboard hands over by the keys of a Japanese layout.
func TestTypeText(t *testing.T) {
	x, w, _ := open(t)
	must(t, x.Key(keys.ControlLeft, true)) // held when the text comes: must not turn it into commands
	w.want(t, x11.KeyPress, 37)
	const text = `Jiseki-2026 "a@b" [x] {Y} ^_~|\ (1+2)*3=9; 'z':?`
	must(t, x.Type(text))
	w.want(t, x11.KeyRelease, 37)
	if got := w.typed(t, x); got != text {
		t.Errorf("a program saw %q, want %q", got, text)
	}
	must(t, x.Type("a\n\tb"))
	if got := w.typed(t, x); got != "a\uff0d\uff09b" { // Return and Tab
		t.Errorf("a program saw %q of a line end and a tab", got)
	}
	for _, none := range []string{"自席", "abc席", "€"} {
		if err := x.Type(none); !errors.Is(err, input.ErrNoKey) {
			t.Errorf("Type(%q) = %v, want ErrNoKey", none, err)
		}
	}
	if got := w.typed(t, x); got != "" {
		t.Errorf("a program saw %q of what cannot be typed", got)
	}
	must(t, x.SetLocks(input.Caps))
	must(t, x.Type("aB1"))
	if got := w.typed(t, x); got != "Ab1" { // Caps Lock turns it around
		t.Errorf("with Caps Lock a program saw the keys of %q, want those of %q", got, "Ab1")
	}
	must(t, x.SetLocks(0))
}

// TestPasteText has a program paste what no key writes; the next key comes behind it.
func TestPasteText(t *testing.T) {
	x, w, _ := open(t)
	done := make(chan error, 1)
	go func() { done <- x.Paste("自席端末") }()
	w.want(t, x11.KeyPress, 37)
	w.want(t, x11.KeyPress, 55)
	w.want(t, x11.KeyRelease, 55)
	w.want(t, x11.KeyRelease, 37)
	if got, refused := w.paste(t, "UTF8_STRING"); refused || string(got) != "自席端末" {
		t.Errorf("pasted %q, refused %v", got, refused)
	}
	must(t, <-done)
}

// setxkbmap changes the layout as desktops do.
func setxkbmap(t *testing.T, d *desktop.Desktop, args ...string) {
	t.Helper()
	cmd := exec.Command("setxkbmap", args...)
	cmd.Env = append(cmd.Environ(), "DISPLAY="+d.Display(), "XAUTHORITY="+d.Authority())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("setxkbmap: %v: %s", err, out)
	}
}

// TestLocksThatNoKeyClears sets no lock for which the desk's keyboard has no key.
func TestLocksThatNoKeyClears(t *testing.T) {
	x, _, d := open(t)
	setxkbmap(t, d, "-layout", "jp", "-option", "ctrl:nocaps")
	must(t, x.SetLocks(input.Caps|input.Num))
	got, err := x.Locks()
	must(t, err)
	if got != input.Num {
		t.Errorf("locks %b, want Num Lock alone", got)
	}
	k, err := x11.Dial(x11.Options{Display: d.Display(), Authority: d.Authority()})
	must(t, err)
	defer k.Close()
	keyboard, err := k.Keyboard()
	must(t, err)
	locked, err := keyboard.Locked()
	must(t, err)
	if locked&(1<<1) != 0 {
		t.Error("Caps Lock is set, and the desk has no key for it")
	}
}
