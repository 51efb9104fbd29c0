//go:build linux

package capture_test

import (
	"context"
	"errors"
	"fmt"
	"image"
	"log/slog"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"jiseki/internal/capture"
	"jiseki/internal/capture/capturetest"
	"jiseki/internal/desktop"
	"jiseki/internal/desktop/desktoptest"
	"jiseki/internal/screen"
	"jiseki/internal/x11"
)

// An xScreen draws on the root window of a bare X server.
type xScreen struct {
	desk *desktop.Desktop
	conn *x11.Conn
	gc   x11.Context
	two  bool // monitors
}

func newScreen(t testing.TB, d *desktop.Desktop) *xScreen {
	t.Helper()
	conn, err := x11.Dial(x11.Options{Display: d.Display(), Authority: d.Authority(), OnError: func(e *x11.Error) { t.Error(e) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	gc, err := conn.CreateContext(0)
	if err != nil {
		t.Fatal(err)
	}
	return &xScreen{desk: d, conn: conn, gc: gc}
}

func (s *xScreen) Fill(t testing.TB, r screen.Rect, colour uint32) {
	must(t, s.conn.SetColour(s.gc, colour))
	must(t, s.conn.FillRect(s.conn.Setup.Root, s.gc, r))
	must(t, s.conn.Sync())
}

func (s *xScreen) Put(t testing.TB, at screen.Point, p *screen.Picture) {
	must(t, s.conn.PutPicture(s.conn.Setup.Root, s.gc, at, p.Size, p.Pix))
	must(t, s.conn.Sync())
}

func (s *xScreen) SetMonitors(t testing.TB, bounds ...screen.Rect) {
	ctx := context.Background()
	if len(bounds) > 1 {
		must(t, s.desk.AddMonitor(ctx, "DUMMY1", bounds[1].Size(), bounds[1].Min))
	} else if s.two {
		must(t, s.desk.RemoveMonitor(ctx, "DUMMY1"))
	}
	s.two = len(bounds) > 1
	must(t, s.desk.SetMode(ctx, desktop.PrimaryOutput, bounds[0].Size()))
}

func (s *xScreen) SetCursor(t testing.TB, size, hot screen.Point, colour uint32) {
	must(t, s.conn.SetBlockCursor(size, hot, colour))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

func openX11(t testing.TB, d *desktop.Desktop) *capture.X11 {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	src, err := capture.OpenX11(capture.X11Config{Display: d.Display(), Authority: d.Authority(), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func TestX11(t *testing.T) { runSuite(t, desktoptest.Bare(t, image.Pt(640, 480))) }

// TestX11WithoutSharedMemory runs the same tests on a server that lacks MIT-SHM.
func TestX11WithoutSharedMemory(t *testing.T) {
	runSuite(t, desktoptest.Bare(t, image.Pt(640, 480), "-extension", "MIT-SHM"))
}

func runSuite(t *testing.T, d *desktop.Desktop) {
	scr := newScreen(t, d)
	capturetest.Run(t, func(t testing.TB) (capturetest.Screen, func() capture.Source) {
		one := image.Rect(0, 0, 640, 480)
		scr.SetMonitors(t, one)
		scr.Fill(t, one, 0)
		return scr, func() capture.Source { return openX11(t, d) }
	})
}

// TestX11IdleCostsNothing measures the CPU time of this process while a still screen is captured for a second.
func TestX11IdleCostsNothing(t *testing.T) {
	d := desktoptest.Bare(t, image.Pt(640, 480))
	src := openX11(t, d)
	defer src.Close()
	if _, err := src.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	before := cpuTime(t)
	for {
		if _, err := src.Next(ctx); err != nil {
			break
		}
	}
	if used := cpuTime(t) - before; used > 10*time.Millisecond {
		t.Errorf("a still screen costs %v of CPU in a second, want less than 1 %%", used)
	}
}

// cpuTime is what this process has used. It does not depend on what else the machine does.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func TestX11ServerDies(t *testing.T) {
	d, stop := desktoptest.BareUntil(t, image.Pt(640, 480))
	src := openX11(t, d)
	defer src.Close()
	if _, err := src.Next(context.Background()); err != nil {
		t.Fatal(err)
	}
	stop()
	for {
		_, err := src.Next(context.Background())
		if err == nil {
			continue
		}
		var gone *x11.ServerGoneError
		if !errors.As(err, &gone) {
			t.Errorf("Next: %v, want that the server is gone", err)
		}
		return
	}
}

func TestX11NoServer(t *testing.T) {
	if _, err := capture.OpenX11(capture.X11Config{Display: ":64999"}); err == nil {
		t.Fatal("no error without a server")
	}
}

func BenchmarkX11(b *testing.B) {
	d := desktoptest.Bare(b, screen.Point{})
	scr := newScreen(b, d)
	for _, size := range []screen.Point{{X: 16, Y: 16}, {X: 640, Y: 480}, {X: 1920, Y: 1080}} {
		b.Run(fmt.Sprintf("%dx%d", size.X, size.Y), func(b *testing.B) {
			src := openX11(b, d)
			defer src.Close()
			if _, err := src.Next(b.Context()); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			colour := uint32(0)
			for b.Loop() {
				colour = (colour + 0x010203) & 0xffffff
				must(b, scr.conn.SetColour(scr.gc, colour))
				must(b, scr.conn.FillRect(scr.conn.Setup.Root, scr.gc, screen.Rect{Max: size}))
				if _, err := src.Next(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
