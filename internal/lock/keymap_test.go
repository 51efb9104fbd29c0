//go:build linux

package lock_test

import (
	"log/slog"
	"os/exec"
	"testing"
	"time"

	"jiseki/internal/desktop/desktoptest"
	"jiseki/internal/input"
	"jiseki/internal/screen"
	"jiseki/internal/x11"
)

// TestLocksWhileTheLayoutChanges locks a desk whose keyboard and pointer others hold, again and again, while its layout
// changes and the agent's input makes XTEST's keyboard like the real one each time: that may undo what takes the grabs
// back.
func TestLocksWhileTheLayoutChanges(t *testing.T) {
	d := desktoptest.Bare(t, screen.Point{X: 640, Y: 480})
	x, err := input.OpenX11(input.X11Config{Display: d.Display(), Authority: d.Authority(), Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	defer x.Close()
	changing, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			for _, layout := range []string{"us", "jp"} {
				select {
				case <-changing:
					return
				default:
				}
				cmd := exec.Command("setxkbmap", "-display", d.Display(), "-layout", layout)
				cmd.Env = append(cmd.Environ(), "XAUTHORITY="+d.Authority())
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("setxkbmap: %v %s", err, out)
					return
				}
			}
		}
	}()
	defer func() { close(changing); <-done }()
	s := open(t, d, "i3lock", "--nofork")
	for range 8 {
		holder := dial(t, d)
		for free := false; !free; { // until the server has buried the locker before
			got, err := holder.GrabKeyboard()
			must(t, err)
			free = got == x11.Grabbed
		}
		grabPointer(t, holder)
		must(t, s.Lock(t.Context(), time.Time{}))
		wantLocked(t, s, true)
		killLockers(t, d)
		must(t, holder.Close())
	}
}
