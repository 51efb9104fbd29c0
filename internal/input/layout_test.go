//go:build linux

package input_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

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

// TestLayoutOfTheDesk types on a desk whose layout comes from the X configuration: what a program sees must be what is
// printed on the desk's keyboard, also after somebody typed on that.
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

// TestLayoutFollowsTheDesk changes the layout of the real keyboard alone, and then single keys of it: XTEST's follows.
func TestLayoutFollowsTheDesk(t *testing.T) {
	x, w, d := open(t)
	real, err := d.Keyboard()
	must(t, err)
	defer real.Close()
	list, _, err := w.conn.Keyboards()
	must(t, err)
	keyboard, err := w.conn.Keyboard()
	must(t, err)
	var ids [2]uint16 // of the real one and of XTEST's
	for _, k := range list {
		if k.Test {
			ids[1] = k.ID
		} else {
			ids[0] = k.ID
		}
	}
	follows := func(what string, code keys.Code, want uint32) {
		t.Helper()
		must(t, real.Tap(38)) // somebody at the desk types
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
			a, err := keyboard.Keymap(ids[0])
			must(t, err)
			b, err := keyboard.Keymap(ids[1])
			must(t, err)
			if a.Equal(b) {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: XTEST's keyboard does not follow", what)
			}
		}
		must(t, x.Key(keys.KeyA, true))
		must(t, x.Key(keys.KeyA, false))
		for range 4 { // both taps
			w.next(t)
		}
		if got := w.symbols(t, code); got[0] != want {
			t.Errorf("%s: %v writes %#x, want %#x", what, code, got[0], want)
		}
	}
	device := strconv.Itoa(int(ids[0]))
	setxkbmap(t, d, "-device", device, "-layout", "us")
	follows("a layout", keys.BracketLeft, '[')
	// A keymap that no name describes: compiled from a file that swaps a key.
	file := filepath.Join(t.TempDir(), "keymap.xkb")
	run := func(name string, args ...string) {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Env = append(cmd.Environ(), "DISPLAY="+d.Display(), "XAUTHORITY="+d.Authority())
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", name, err, out)
		}
	}
	run("xkbcomp", "-i", device, d.Display(), file)
	text, err := os.ReadFile(file)
	must(t, err)
	text = bytes.Replace(text, []byte("bracketleft"), []byte("numbersign"), 1)
	must(t, os.WriteFile(file, text, 0o600))
	run("xkbcomp", "-w0", "-i", device, file, d.Display())
	follows("a key", keys.BracketLeft, '#')
}
