//go:build linux

package input_test

import (
	"bytes"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jiseki/internal/desktop/desktoptest"
	"jiseki/internal/input"
	"jiseki/internal/keys"
)

// longest is a text of the greatest size whose form as Compound Text is the longest.
func longest() string {
	line := strings.Repeat("α\u0100a", 20) + "\n" // each character in another set than the one before
	return strings.Repeat(line, input.MaxClipboard/len(line))
}

// TestXclipPastesTheLongest: the longest text is no longer than what one request carries, so that a program that knows
// no transfer in parts gets it, in every form.
func TestXclipPastesTheLongest(t *testing.T) {
	x, w, d := open(t)
	must(t, x.SetClipboard(longest()))
	for _, form := range []string{"UTF8_STRING", "text/plain;charset=utf-8", "TEXT", "COMPOUND_TEXT"} {
		cmd := exec.CommandContext(t.Context(), "xclip", "-o", "-selection", "clipboard", "-t", form)
		cmd.Env = []string{"DISPLAY=" + d.Display(), "XAUTHORITY=" + d.Authority()}
		cmd.Stderr = t.Output()
		got, err := cmd.Output()
		must(t, err)
		want := []byte(longest())
		if form == "TEXT" || form == "COMPOUND_TEXT" {
			want, _ = w.paste(t, form)
			if len(want) < 7*len(longest())/2 {
				t.Errorf("%s has %d bytes: not the longest", form, len(want))
			}
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: xclip got %d bytes of %d", form, len(got), len(want))
		}
	}
}

// TestXtermPastesTheLongest pastes into a terminal, which writes what it gets into a file.
func TestXtermPastesTheLongest(t *testing.T) {
	d := desktoptest.Bare(t, image.Pt(640, 480))
	x, err := input.OpenX11(input.X11Config{Display: d.Display(), Authority: d.Authority()})
	must(t, err)
	t.Cleanup(func() { x.Close() })
	must(t, x.SetClipboard(longest()))
	file := filepath.Join(d.Home(), "pasted")
	must(t, d.Start("xterm", "-u8", "-geometry", "+0+0", "-xrm", "XTerm*translations: #override Ctrl<Key>v: insert-selection(CLIPBOARD)",
		"-e", "sh", "-c", `stty raw -echo && exec cat >"$0"`, file))
	for _, err := os.Stat(file); err != nil; _, err = os.Stat(file) {
		time.Sleep(20 * time.Millisecond)
	}
	must(t, x.Pointer(image.Pt(100, 100))) // the focus follows it
	must(t, x.Key(keys.ControlLeft, true))
	must(t, x.Key(keys.FromName("KeyV"), true))
	must(t, x.Key(keys.FromName("KeyV"), false))
	must(t, x.Key(keys.ControlLeft, false))
	want := []byte(strings.ReplaceAll(longest(), "\n", "\r")) // as if typed
	var got []byte
	for end := time.Now().Add(time.Minute); len(got) < len(want) && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
		got, err = os.ReadFile(file)
		must(t, err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("xterm got %d bytes of %d", len(got), len(want))
	}
}
