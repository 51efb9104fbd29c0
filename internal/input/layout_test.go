//go:build linux

package input_test

import (
	"testing"

	"jiseki/internal/keys"
	"jiseki/internal/x11"
)

// symbols are what the core keymap, the one that programs use, says of keys.
func (w *watcher) symbols(t *testing.T, codes ...keys.Code) []uint32 {
	t.Helper()
	syms, per, err := w.conn.KeyboardMapping()
	must(t, err)
	var out []uint32
	for _, code := range codes {
		evdev, _ := code.Evdev()
		out = append(out, syms[(int(evdev)+8-int(w.conn.Setup.MinKeycode))*per])
	}
	return out
}

// TestLayoutOfTheDesk types on a desk whose layout comes from the X configuration: what a program sees must be what is printed
// on the desk's keyboard, also after somebody typed on that.
func TestLayoutOfTheDesk(t *testing.T) {
	x, w, d := open(t)
	real, err := d.Keyboard()
	must(t, err)
	defer real.Close()
	japanese := []keys.Code{keys.BracketLeft, keys.BracketRight, keys.Quote, keys.IntlYen, keys.IntlRo, keys.Backquote}
	want := []uint32{'@', '[', ':', '\\', '\\', 0xff2a}
	for round := range 3 {
		must(t, x.Key(keys.KeyA, true))
		must(t, x.Key(keys.KeyA, false))
		w.want(t, x11.KeyPress, 38)
		w.want(t, x11.KeyRelease, 38)
		for i, got := range w.symbols(t, japanese...) {
			if got != want[i] {
				t.Errorf("round %d: %v writes %#x by the remote keyboard, want %#x", round, japanese[i], got, want[i])
			}
		}
		must(t, real.Tap(38))
		w.want(t, x11.KeyPress, 38)
		w.want(t, x11.KeyRelease, 38)
		for i, got := range w.symbols(t, japanese...) {
			if got != want[i] {
				t.Errorf("round %d: %v writes %#x on the desk's keyboard, want %#x", round, japanese[i], got, want[i])
			}
		}
	}
}
