//go:build linux

package capture_test

import (
	"context"
	"fmt"
	"image"
	"log/slog"
	"testing"
	"time"

	"jiseki/internal/capture"
	"jiseki/internal/desktop"
	"jiseki/internal/desktop/desktoptest"
	"jiseki/internal/x11"
)

func watchX11(t *testing.T, d *desktop.Desktop) *capture.X11Watch {
	t.Helper()
	w, err := capture.WatchX11(capture.X11Config{Display: d.Display(), Authority: d.Authority(), Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	t.Cleanup(func() { w.Close() })
	return w
}

func nextFault(t *testing.T, w *capture.X11Watch) capture.Fault {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	select {
	case f, ok := <-w.Faults():
		if !ok {
			t.Fatal("the watch has ended")
		}
		return f
	case <-ctx.Done():
		t.Fatal("no fault is told")
	}
	return ""
}

// TestX11Faults tells of each server whether OpenX11 could show it, beforehand.
func TestX11Faults(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want capture.Fault
	}{
		"plain":      {nil, ""},
		"depth 16":   {[]string{"-depth", "16"}, ""},
		"palette":    {[]string{"-depth", "8"}, capture.FaultColours},
		"no DAMAGE":  {[]string{"-extension", "DAMAGE"}, capture.FaultSystem},
		"no XFIXES":  {[]string{"-extension", "XFIXES"}, capture.FaultSystem},
		"no RANDR":   {[]string{"-extension", "RANDR"}, capture.FaultSystem},
		"no MIT-SHM": {[]string{"-extension", "MIT-SHM"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := desktoptest.Bare(t, image.Pt(640, 480), c.args...)
			if got := nextFault(t, watchX11(t, d)); got != c.want {
				t.Errorf("fault %q, want %q", got, c.want)
			}
			src, err := capture.OpenX11(capture.X11Config{Display: d.Display(), Authority: d.Authority(), Log: slog.New(slog.DiscardHandler)})
			if err == nil {
				_, err = src.Next(t.Context())
				src.Close()
			}
			if (err == nil) != (c.want == "") {
				t.Errorf("the capture says %v, the watch %q", err, c.want)
			}
		})
	}
}

// TestX11FaultFollowsTheLayout has a screen grow beyond what can be shown, and shrink again; many monitors and none are
// no fault.
func TestX11FaultFollowsTheLayout(t *testing.T) {
	d, _ := desktoptest.GrowingUntil(t, image.Pt(640, 480))
	conn, err := x11.Dial(x11.Options{Display: d.Display(), Authority: d.Authority()})
	must(t, err)
	defer conn.Close()
	must(t, conn.WatchLayout())
	for i := range 17 {
		must(t, conn.SetMonitor(x11.Monitor{Name: fmt.Sprintf("M%d", i), Bounds: image.Rect(i*32, 0, i*32+32, 480)}))
	}
	must(t, conn.SetMonitor(x11.Monitor{Name: "wall", Bounds: image.Rect(0, 0, desktoptest.TooWide, 480)}))
	w := watchX11(t, d)
	if f := nextFault(t, w); f != "" {
		t.Fatalf("fault %q of more monitors than a layout has: they can be shown", f)
	}
	must(t, d.SetScreen(t.Context(), image.Pt(desktoptest.TooWide, 480)))
	if f := nextFault(t, w); f != capture.FaultSize {
		t.Fatalf("fault %q of a screen %d wide", f, desktoptest.TooWide)
	}
	must(t, d.SetScreen(t.Context(), image.Pt(640, 480)))
	if f := nextFault(t, w); f != "" {
		t.Errorf("fault %q after the screen has shrunk", f)
	}
}

// TestX11WithoutMonitors shows the whole screen when every monitor is off.
func TestX11WithoutMonitors(t *testing.T) {
	d := desktoptest.Bare(t, image.Pt(640, 480))
	must(t, d.RemoveMonitor(t.Context(), desktop.PrimaryOutput))
	if f := nextFault(t, watchX11(t, d)); f != "" {
		t.Errorf("fault %q", f)
	}
	src := openX11(t, d)
	defer src.Close()
	frame, err := src.Next(t.Context())
	if err != nil || len(frame.Layout.Monitors) != 1 {
		t.Errorf("a screen whose monitor is off: %v", err)
	}
}
