// Package capturetest holds the tests that every source of package capture passes, given a screen to draw on.
package capturetest

import (
	"bytes"
	"context"
	"errors"
	"image"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"jiseki/internal/capture"
	"jiseki/internal/screen"
)

// A Screen is what a source captures. Each method returns when the system has done it.
type Screen interface {
	// Fill fills a rectangle with a colour, 0x00RRGGBB.
	Fill(t testing.TB, r screen.Rect, colour uint32)
	// Put draws a picture. The fourth byte of its pixels may be anything.
	Put(t testing.TB, at screen.Point, p *screen.Picture)
	// SetMonitors gives the screen one or two monitors.
	SetMonitors(t testing.TB, bounds ...screen.Rect)
	// SetCursor makes the pointer a block of one colour.
	SetCursor(t testing.TB, size, hot screen.Point, colour uint32)
}

// Open makes a black screen of one monitor, 640 x 480, and a function that opens a source of it.
type Open func(t testing.TB) (Screen, func() capture.Source)

// Run runs all tests.
func Run(t *testing.T, open Open) {
	tests := map[string]func(*testing.T, *suite){
		"FirstFrameComesAtOnce":       testFirstFrame,
		"SeesADraw":                   testDraw,
		"PixelsAreExact":              testExact,
		"DamageHoldsEveryChange":      testDamage,
		"NewestWins":                  testNewest,
		"LayoutChanges":               testLayout,
		"TwoMonitors":                 testMonitors,
		"CursorChanges":               testCursor,
		"ContextEndsNext":             testContext,
		"CloseEndsNext":               testClose,
		"CloseLeavesNoGoroutine":      testGoroutines,
		"CloseBeforeTheFirstFrame":    testCloseEarly,
		"LayoutChangesWhileItIsDrawn": testLayoutStorm,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			scr, source := open(t)
			s := &suite{scr: scr, open: source}
			test(t, s)
		})
	}
}

type suite struct {
	scr  Screen
	open func() capture.Source
}

// patience bounds waits for what must come; it is generous for loaded machines.
const patience = time.Minute

// start opens a source that the test closes, and takes its first frame.
func (s *suite) start(t *testing.T) (capture.Source, *screen.Frame) {
	t.Helper()
	src := s.open()
	t.Cleanup(func() {
		if err := src.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return src, next(t, src)
}

func next(t *testing.T, src capture.Source) *screen.Frame {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	f, err := src.Next(ctx)
	if err != nil {
		t.Fatalf("Next: %v", err)
	}
	if want := f.Size.X * f.Size.Y * screen.BytesPerPixel; len(f.Pix) != want {
		t.Fatalf("frame of %v has %d bytes, want %d", f.Size, len(f.Pix), want)
	}
	if f.Size != f.Layout.Size {
		t.Fatalf("picture of %v in a layout of %v", f.Size, f.Layout.Size)
	}
	return f
}

// until takes frames until one fulfils a condition.
func until(t *testing.T, src capture.Source, what string, ok func(*screen.Frame) bool) *screen.Frame {
	t.Helper()
	end := time.Now().Add(patience)
	for time.Now().Before(end) {
		if f := next(t, src); ok(f) {
			return f
		}
	}
	t.Fatalf("no frame with %s", what)
	return nil
}

func at(f *screen.Frame, x, y int) uint32 {
	if !image.Pt(x, y).In(f.Bounds()) {
		return 1 << 31
	}
	p := f.Row(y, x, x+1)
	return uint32(p[0]) | uint32(p[1])<<8 | uint32(p[2])<<16 | uint32(p[3])<<24
}

// filled says whether a rectangle of a frame has one colour.
func filled(f *screen.Frame, r screen.Rect, colour uint32) bool {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if at(f, x, y) != colour {
				return false
			}
		}
	}
	return true
}

func testFirstFrame(t *testing.T, s *suite) {
	s.scr.Fill(t, image.Rect(3, 5, 20, 30), 0x123456)
	_, f := s.start(t)
	if f.Size != image.Pt(640, 480) || f.Layout.Generation != 1 || f.Damage != nil {
		t.Errorf("first frame: size %v, generation %d, damage %v", f.Size, f.Layout.Generation, f.Damage)
	}
	if !filled(f, image.Rect(3, 5, 20, 30), 0x123456) {
		t.Error("the first frame lacks what was drawn before")
	}
}

func testDraw(t *testing.T, s *suite) {
	src, _ := s.start(t)
	r := image.Rect(101, 33, 144, 200)
	s.scr.Fill(t, r, 0xfedcba)
	until(t, src, "the drawn rectangle", func(f *screen.Frame) bool { return filled(f, r, 0xfedcba) })
}

// noise is a picture that no error of order, offset or stride leaves alike. Its fourth bytes are not 0.
func noise(rng *rand.Rand, size screen.Point) *screen.Picture {
	p := screen.NewPicture(size)
	for i := range p.Pix {
		p.Pix[i] = byte(rng.Uint32())
	}
	for i := 3; i < len(p.Pix); i += 4 {
		p.Pix[i] = 0xff
	}
	return p
}

func testExact(t *testing.T, s *suite) {
	src, _ := s.start(t)
	rng := rand.New(rand.NewPCG(1, 2))
	for _, r := range []screen.Rect{image.Rect(0, 0, 640, 480), image.Rect(1, 1, 2, 2), image.Rect(7, 63, 200, 130), image.Rect(639, 479, 640, 480)} {
		p := noise(rng, r.Size())
		s.scr.Put(t, r.Min, p)
		until(t, src, "the drawn picture", func(f *screen.Frame) bool { return holds(f, r.Min, p) })
	}
}

// holds says whether a frame holds a picture at a place, fourth bytes being 0.
func holds(f *screen.Frame, at screen.Point, p *screen.Picture) bool {
	want := bytes.Clone(p.Pix)
	for i := 3; i < len(want); i += 4 {
		want[i] = 0
	}
	for y := range p.Size.Y {
		if !bytes.Equal(f.Row(at.Y+y, at.X, at.X+p.Size.X), want[y*p.Stride():(y+1)*p.Stride()]) {
			return false
		}
	}
	return true
}

// testDamage follows the screen by what is reported as damaged alone.
func testDamage(t *testing.T, s *suite) {
	src, f := s.start(t)
	copied := bytes.Clone(f.Pix)
	rng := rand.New(rand.NewPCG(3, 4))
	for i := range 60 {
		x, y := rng.IntN(600), rng.IntN(440)
		r := image.Rect(x, y, x+1+rng.IntN(39), y+1+rng.IntN(39))
		colour := uint32(i+1) * 0x040302 & 0xffffff
		s.scr.Fill(t, r, colour)
		until(t, src, "the drawn rectangle", func(f *screen.Frame) bool {
			before := bytes.Clone(copied)
			for _, d := range f.Damage {
				for y := d.Min.Y; y < d.Max.Y; y++ {
					o := (y*f.Size.X + d.Min.X) * 4
					copy(copied[o:], f.Row(y, d.Min.X, d.Max.X))
				}
			}
			if !bytes.Equal(copied, f.Pix) {
				t.Fatalf("draw %d: pixels changed outside of the damage %v", i, f.Damage)
			}
			if bytes.Equal(before, f.Pix) {
				t.Fatalf("draw %d: a frame without a change", i)
			}
			return filled(f, r, colour)
		})
	}
}

func testNewest(t *testing.T, s *suite) {
	src, _ := s.start(t)
	r := image.Rect(10, 10, 300, 300)
	for colour := uint32(1); colour <= 200; colour++ {
		s.scr.Fill(t, r, colour)
	}
	if f := next(t, src); !filled(f, r, 200) {
		t.Errorf("after 200 pictures the next frame shows number %d", at(f, 10, 10))
	}
}

func testLayout(t *testing.T, s *suite) {
	src, f := s.start(t)
	for _, size := range []screen.Point{{X: 1024, Y: 768}, {X: 640, Y: 480}, {X: 801, Y: 601}} {
		before := f.Layout.Generation
		s.scr.SetMonitors(t, screen.Rect{Max: size})
		changed := false
		until(t, src, "the new size", func(f *screen.Frame) bool {
			changed = changed || f.Layout.Generation > before && f.Damage == nil
			return f.Size == size
		})
		if !changed {
			t.Errorf("size %v came without a new generation and full damage", size)
		}
		corner := image.Rect(size.X-4, size.Y-4, size.X, size.Y)
		s.scr.Fill(t, corner, 0x00ff00+uint32(size.X))
		f = until(t, src, "the corner", func(f *screen.Frame) bool { return filled(f, corner, 0x00ff00+uint32(size.X)) })
	}
}

func testMonitors(t *testing.T, s *suite) {
	src, _ := s.start(t)
	left, right := image.Rect(0, 0, 640, 480), image.Rect(640, 0, 1440, 600)
	s.scr.SetMonitors(t, left, right)
	f := until(t, src, "two monitors", func(f *screen.Frame) bool {
		return len(f.Layout.Monitors) == 2 && f.Size == image.Pt(1440, 600)
	})
	a, b := f.Layout.Monitors[0], f.Layout.Monitors[1]
	if b.Bounds == left {
		a, b = b, a
	}
	if a.Bounds != left || b.Bounds != right || a.Name == b.Name {
		t.Errorf("monitors %v", f.Layout.Monitors)
	}
	s.scr.Fill(t, image.Rect(600, 100, 700, 200), 0x654321)
	until(t, src, "a rectangle across both", func(f *screen.Frame) bool { return filled(f, image.Rect(600, 100, 700, 200), 0x654321) })
	s.scr.SetMonitors(t, image.Rect(0, 0, 640, 480))
	until(t, src, "one monitor", func(f *screen.Frame) bool {
		return len(f.Layout.Monitors) == 1 && f.Size == image.Pt(640, 480)
	})
}

// testLayoutStorm changes the layout again and again while it is captured: nothing may break.
func testLayoutStorm(t *testing.T, s *suite) {
	src, _ := s.start(t)
	drawn := make(chan struct{})
	go func() {
		defer close(drawn)
		for i := range 6 {
			size := screen.Point{X: 640 + 64*(i%3), Y: 480 + 64*(i%2)}
			s.scr.SetMonitors(t, screen.Rect{Max: size})
			s.scr.Fill(t, screen.Rect{Max: size}, uint32(i))
		}
		s.scr.SetMonitors(t, image.Rect(0, 0, 720, 500))
		s.scr.Fill(t, image.Rect(0, 0, 720, 500), 0xabcdef)
	}()
	until(t, src, "the last picture", func(f *screen.Frame) bool {
		return f.Size == image.Pt(720, 500) && filled(f, f.Bounds(), 0xabcdef)
	})
	<-drawn
}

func testCursor(t *testing.T, s *suite) {
	src := s.open()
	defer src.Close()
	for _, want := range []struct {
		size, hot screen.Point
		colour    uint32
	}{{image.Pt(9, 13), image.Pt(2, 5), 0x0080ff}, {image.Pt(32, 16), image.Pt(31, 0), 0xff8000}} {
		s.scr.SetCursor(t, want.size, want.hot, want.colour)
		waitCursor(t, src, func(c *screen.Cursor) bool {
			return c.Size == want.size && c.Hot == want.hot && block(c, want.colour)
		})
	}
}

func waitCursor(t *testing.T, src capture.Source, ok func(*screen.Cursor) bool) {
	t.Helper()
	late := time.After(patience)
	for {
		select {
		case c, open := <-src.Cursors():
			if !open {
				t.Fatal("the cursors ended")
			}
			if len(c.Pix) != c.Size.X*c.Size.Y*4 {
				t.Fatalf("cursor of %v has %d bytes", c.Size, len(c.Pix))
			}
			if ok(c) {
				return
			}
		case <-late:
			t.Fatal("the cursor does not come")
		}
	}
}

func block(c *screen.Cursor, colour uint32) bool {
	want := []byte{byte(colour >> 16), byte(colour >> 8), byte(colour), 255}
	return bytes.Equal(c.Pix, bytes.Repeat(want, c.Size.X*c.Size.Y))
}

func testContext(t *testing.T, s *suite) {
	src, _ := s.start(t)
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)
	for {
		_, err := src.Next(ctx)
		if err == nil {
			continue // something of before
		}
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Next: %v, want context.Canceled", err)
		}
		break
	}
	s.scr.Fill(t, image.Rect(0, 0, 9, 9), 0x777777)
	until(t, src, "a rectangle after the context", func(f *screen.Frame) bool { return filled(f, image.Rect(0, 0, 9, 9), 0x777777) })
}

func testClose(t *testing.T, s *suite) {
	src, _ := s.start(t)
	time.AfterFunc(50*time.Millisecond, func() { src.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var err error
	for err == nil {
		_, err = src.Next(ctx)
	}
	if !errors.Is(err, capture.ErrClosed) {
		t.Errorf("Next after Close: %v, want ErrClosed", err)
	}
	for range src.Cursors() { //nolint:revive // only the end counts
	}
}

func testCloseEarly(t *testing.T, s *suite) {
	src := s.open()
	if err := src.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if _, err := src.Next(context.Background()); !errors.Is(err, capture.ErrClosed) {
		t.Errorf("Next after Close: %v, want ErrClosed", err)
	}
}

func testGoroutines(t *testing.T, s *suite) {
	before := runtime.NumGoroutine()
	for range 5 {
		src := s.open()
		next(t, src)
		if err := src.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	for end := time.Now().Add(patience); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(end) {
			all := make([]byte, 1<<16)
			t.Fatalf("goroutines are left:\n%s", all[:runtime.Stack(all, true)])
		}
	}
}
