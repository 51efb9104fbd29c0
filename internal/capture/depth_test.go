//go:build linux

package capture_test

import (
	"fmt"
	"image"
	"log/slog"
	"strings"
	"testing"

	"jiseki/internal/capture"
	"jiseki/internal/desktop/desktoptest"
	"jiseki/internal/screen"
	"jiseki/internal/x11"
)

// TestX11Depths shows screens of every depth that has true colour, with and without shared memory; of others it says
// so.
func TestX11Depths(t *testing.T) {
	for depth, loss := range map[int]int{15: 8, 16: 8, 24: 0, 30: 0} {
		for _, more := range [][]string{nil, {"-extension", "MIT-SHM"}} {
			t.Run(fmt.Sprint(depth, more), func(t *testing.T) {
				d := desktoptest.Bare(t, image.Pt(640, 480), append([]string{"-depth", fmt.Sprint(depth)}, more...)...)
				scr := newScreen(t, d)
				if got := int(scr.conn.Setup.RootDepth); got != depth {
					t.Fatalf("the test's screen has depth %d", got)
				}
				p := screen.NewPicture(screen.Point{X: 301, Y: 200}) // an odd width: rows have gaps in 2 bytes a pixel
				for i := range p.Pix {
					p.Pix[i] = byte(i * 7 / 3)
				}
				scr.Put(t, screen.Point{X: 3, Y: 5}, p)
				src := openX11(t, d)
				defer src.Close()
				frame, err := src.Next(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				compare(t, frame.Picture, screen.Point{X: 3, Y: 5}, p, loss)
			})
		}
	}
}

// compare finds a picture at a place of another; each colour may be off by less than loss.
func compare(t *testing.T, got *screen.Picture, at screen.Point, want *screen.Picture, loss int) {
	t.Helper()
	for y := range want.Size.Y {
		g, w := got.Row(y+at.Y, at.X, at.X+want.Size.X), want.Row(y, 0, want.Size.X)
		for i := range w {
			if off := int(g[i]) - int(w[i]); i%4 != 3 && (off < -loss || off > loss) {
				t.Fatalf("row %d, byte %d is %d, want %d", y, i, g[i], w[i])
			}
		}
	}
}

func TestX11DepthOfPalettes(t *testing.T) {
	d := desktoptest.Bare(t, image.Pt(640, 480), "-depth", "8")
	_, err := capture.OpenX11(capture.X11Config{Display: d.Display(), Authority: d.Authority(), Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "depth 8") {
		t.Errorf("a screen of palettes: %v", err)
	}
}

// TestX11ManyMonitors splits the screen into more monitors than a layout may have.
func TestX11ManyMonitors(t *testing.T) {
	d := desktoptest.Bare(t, image.Pt(640, 480))
	conn, err := x11.Dial(x11.Options{Display: d.Display(), Authority: d.Authority()})
	must(t, err)
	defer conn.Close()
	must(t, conn.WatchLayout())
	const n = 20
	for i := range n {
		must(t, conn.SetMonitor(x11.Monitor{Name: fmt.Sprintf("M%d", i), Bounds: image.Rect(i*32, 0, i*32+32, 480)}))
	}
	src := openX11(t, d)
	defer src.Close()
	frame, err := src.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var all screen.Rect
	for _, m := range frame.Layout.Monitors {
		all = all.Union(m.Bounds)
	}
	if len(frame.Layout.Monitors) != screen.MaxMonitors || all.Dx() != 640 {
		t.Errorf("%d monitors that show %v", len(frame.Layout.Monitors), all)
	}
}
