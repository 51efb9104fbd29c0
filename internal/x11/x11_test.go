//go:build linux

package x11_test

import (
	"errors"
	"image"
	"os"
	"sync"
	"testing"

	"jiseki/internal/desktop/desktoptest"
	"jiseki/internal/x11"
)

func dial(t testing.TB, o x11.Options) *x11.Conn {
	t.Helper()
	c, err := x11.Dial(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestErrorsReachTheirCaller(t *testing.T) {
	d := desktoptest.Bare(t, image.Pt(640, 480))
	var mu sync.Mutex
	var unexpected []*x11.Error
	c := dial(t, x11.Options{Display: d.Display(), Authority: d.Authority(), OnError: func(e *x11.Error) {
		mu.Lock()
		defer mu.Unlock()
		unexpected = append(unexpected, e)
	}})
	const none = x11.Window(0x7ffffff0)
	if err := c.MapWindow(none); !x11.IsError(err, x11.BadWindow) {
		t.Errorf("MapWindow of no window: %v", err)
	}
	if _, err := c.Geometry(none); err == nil {
		t.Error("Geometry of no window")
	}
	if err := c.FillRect(none, 0, image.Rect(0, 0, 1, 1)); err != nil {
		t.Errorf("a request that nobody waits for: %v", err)
	}
	if err := c.Sync(); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(unexpected) != 1 || unexpected[0].Major != 70 {
		t.Errorf("errors that nobody waits for: %v", unexpected)
	}
}

// TestManyRequestsWithoutAnswer passes the point where the 16-bit sequence numbers of the protocol wrap.
func TestManyRequestsWithoutAnswer(t *testing.T) {
	d := desktoptest.Bare(t, image.Pt(640, 480))
	c := dial(t, x11.Options{Display: d.Display(), Authority: d.Authority()})
	gc, err := c.CreateContext(0)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for i := range 50_000 {
				if err := c.SetColour(gc, uint32(i)); err != nil {
					t.Error(err)
					return
				}
				if i%1000 != 0 {
					continue
				}
				if r, err := c.Geometry(c.Setup.Root); err != nil || r.Size() != image.Pt(640, 480) {
					t.Errorf("Geometry: %v, %v", r, err)
				}
			}
		})
	}
	group.Wait()
}

func TestEnd(t *testing.T) {
	d, stop := desktoptest.BareUntil(t, image.Pt(640, 480))
	closed := dial(t, x11.Options{Display: d.Display(), Authority: d.Authority()})
	c := dial(t, x11.Options{Display: d.Display(), Authority: d.Authority()})
	if err := closed.Close(); err != nil {
		t.Error(err)
	}
	if err := closed.Sync(); !errors.Is(err, x11.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	waiting := make(chan error)
	go func() {
		for {
			if err := c.Sync(); err != nil {
				waiting <- err
				return
			}
		}
	}()
	stop()
	var gone *x11.ServerGoneError
	if err := <-waiting; !errors.As(err, &gone) {
		t.Errorf("when the server dies: %v", err)
	}
	<-c.Done()
	if err := c.Close(); err != nil {
		t.Errorf("Close after the end: %v", err)
	}
}

func TestBadDisplays(t *testing.T) {
	for _, name := range []string{":", "x", ":-1", "host:0", ":64999", ":x"} {
		if c, err := x11.Dial(x11.Options{Display: name}); err == nil {
			c.Close()
			t.Errorf("display %q opens", name)
		}
	}
}

// TestServerThatDoesNotAnswer: a server that another client keeps for itself is as good as gone: nobody waits for it
// without end, neither for an answer nor for the room to ask.
func TestServerThatDoesNotAnswer(t *testing.T) {
	d := desktoptest.Bare(t, image.Pt(640, 480))
	options := x11.Options{Display: d.Display(), Authority: d.Authority()}
	asks, tells, grabs := dial(t, options), dial(t, options), dial(t, options)
	gc, err := tells.CreateContext(0)
	if err != nil {
		t.Fatal(err)
	}
	if err := grabs.GrabServer(); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for name, use := range map[string]func() error{
		"an answer": asks.Sync,
		"room to tell": func() error {
			for i := uint32(0); ; i++ {
				if err := tells.SetColour(gc, i); err != nil {
					return err
				}
			}
		},
		"a greeting": func() error { _, err := x11.Dial(options); return err },
	} {
		group.Go(func() {
			if err := use(); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("waited for %s: %v", name, err)
			}
		})
	}
	group.Wait()
	for _, c := range []*x11.Conn{asks, tells} {
		var gone *x11.ServerGoneError
		if <-c.Done(); !errors.As(c.Err(), &gone) {
			t.Errorf("the connection ended with %v", c.Err())
		}
	}
	grabs.Close()
	dial(t, options)
}
