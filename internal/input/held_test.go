package input

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"jiseki/internal/keys"
	"jiseki/internal/screen"
)

// A recorder is an Injector that writes down what a desk would see.
type recorder struct {
	mu   sync.Mutex
	seen []string
	down []keys.Code
	held Buttons
	fail error

	delay, every time.Duration // of repeating
}

func (r *recorder) note(format string, args ...any) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail != nil {
		return r.fail
	}
	r.seen = append(r.seen, fmt.Sprintf(format, args...))
	return nil
}

func (r *recorder) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.seen
	r.seen = nil
	return s
}

func (r *recorder) Key(code keys.Code, down bool) error {
	if code == keys.Power {
		return ErrNoKey
	}
	if slices.Contains(r.down, code) == down {
		return nil
	}
	if down {
		r.down = append(r.down, code)
		return r.note("+%s", code.Name())
	}
	r.down = slices.DeleteFunc(r.down, func(c keys.Code) bool { return c == code })
	return r.note("-%s", code.Name())
}

func (r *recorder) Buttons(down Buttons) error {
	if r.held == down {
		return nil
	}
	r.held = down
	return r.note("buttons %d", down)
}

func (r *recorder) ReleaseAll() error             { r.down, r.held = nil, 0; return r.note("release all") }
func (r *recorder) Pointer(at screen.Point) error { return r.note("at %d,%d", at.X, at.Y) }
func (r *recorder) Wheel(dx, dy int) error        { return r.note("wheel %d,%d", dx, dy) }
func (r *recorder) Repeat(code keys.Code) error {
	return r.note("again %s", code.Name())
}

func (r *recorder) RepeatTimes(keys.Code) (delay, every time.Duration, err error) {
	return r.delay, r.every, nil
}

func (r *recorder) Type(text string) error    { return r.note("type %s", text) }
func (r *recorder) Paste(text string) error   { return r.note("paste %s", text) }
func (r *recorder) Locks() (Locks, error)     { return 0, nil }
func (r *recorder) SetLocks(Locks) error      { return nil }
func (r *recorder) SetClipboard(string) error { return nil }
func (r *recorder) Close() error              { return nil }
func (r *recorder) want(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	if diff := cmp.Diff(want, r.take()); diff != "" {
		t.Errorf("the desk saw (-want +got):\n%s", diff)
	}
}

func held(t *testing.T, test func(t *testing.T, h *Held, r *recorder)) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{}
		h := NewHeld(r)
		test(t, h, r)
		if err := h.Close(); err != nil && r.fail == nil {
			t.Error(err)
		}
	})
}

func ok(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
}

func TestHeldReleasesWhatIsNotRefreshed(t *testing.T) {
	held(t, func(t *testing.T, h *Held, r *recorder) {
		ok(t, h.Key(keys.ShiftLeft, true), h.Key(keys.KeyA, true))
		r.want(t, "+ShiftLeft", "+KeyA")
		time.Sleep(HoldTime - time.Millisecond)
		r.want(t)
		time.Sleep(time.Millisecond)
		r.want(t, "-KeyA", "-ShiftLeft")
		ok(t, h.Key(keys.KeyA, false))
		r.want(t)
	})
}

func TestHeldKeepsWhatIsRefreshed(t *testing.T) {
	held(t, func(t *testing.T, h *Held, r *recorder) {
		ok(t, h.Key(keys.KeyA, true), h.Pointer(screen.Point{X: 3, Y: 4}, Left|Right))
		r.want(t, "+KeyA", "at 3,4", "buttons 5")
		for range 40 {
			time.Sleep(250 * time.Millisecond)
			ok(t, h.Refresh([]keys.Code{keys.KeyA}, Left|Right))
		}
		r.want(t)
		ok(t, h.Refresh(nil, Right))
		r.want(t, "-KeyA", "buttons 4")
		time.Sleep(HoldTime)
		r.want(t, "buttons 0")
	})
}

func TestHeldRefreshPressesNothing(t *testing.T) {
	held(t, func(t *testing.T, h *Held, r *recorder) {
		ok(t, h.Key(keys.KeyA, true))
		time.Sleep(HoldTime)
		r.want(t, "+KeyA", "-KeyA")
		ok(t, h.Refresh([]keys.Code{keys.KeyA, keys.KeyB}, Left))
		r.want(t)
	})
}

func TestHeldRepeatedPressCounts(t *testing.T) {
	held(t, func(t *testing.T, h *Held, r *recorder) {
		ok(t, h.Key(keys.KeyA, true))
		time.Sleep(HoldTime / 2)
		ok(t, h.Key(keys.KeyA, true))
		time.Sleep(HoldTime * 3 / 4)
		r.want(t, "+KeyA")
		time.Sleep(HoldTime / 4)
		r.want(t, "-KeyA")
	})
}

func TestHeldPressDuringRelease(t *testing.T) {
	held(t, func(t *testing.T, h *Held, r *recorder) {
		ok(t, h.Key(keys.KeyA, true))
		time.Sleep(HoldTime / 2)
		ok(t, h.Key(keys.KeyB, true)) // must not extend KeyA
		time.Sleep(HoldTime / 2)
		r.want(t, "+KeyA", "+KeyB", "-KeyA")
		time.Sleep(HoldTime / 2)
		r.want(t, "-KeyB")
	})
}

func TestHeldTap(t *testing.T) {
	held(t, func(t *testing.T, h *Held, r *recorder) {
		ok(t, h.Tap(keys.Backquote))
		r.want(t, "+Backquote", "-Backquote")
		time.Sleep(2 * HoldTime)
		r.want(t)
	})
}

func TestHeldReleaseAllAndClose(t *testing.T) {
	held(t, func(t *testing.T, h *Held, r *recorder) {
		ok(t, h.Key(keys.KeyA, true), h.ReleaseAll())
		time.Sleep(2 * HoldTime)
		r.want(t, "+KeyA", "release all")
		ok(t, h.Key(keys.KeyB, true), h.Close())
		time.Sleep(2 * HoldTime)
		r.want(t, "+KeyB", "release all")
		if h.Key(keys.KeyC, true) == nil || h.Pointer(screen.Point{}, Left) == nil {
			t.Error("input after Close")
		}
		r.want(t)
	})
}

func TestHeldUnknownKeyChangesNothing(t *testing.T) {
	held(t, func(t *testing.T, h *Held, r *recorder) {
		if err := h.Key(keys.Power, true); !errors.Is(err, ErrNoKey) {
			t.Errorf("Key(Power) = %v, want ErrNoKey", err)
		}
		time.Sleep(2 * HoldTime)
		r.want(t)
		ok(t, h.Wheel(screen.Point{X: 1}, 0, 120))
		r.want(t, "at 1,0", "wheel 0,120")
	})
}

func TestHeldTellsALostDesk(t *testing.T) {
	held(t, func(t *testing.T, h *Held, r *recorder) {
		ok(t, h.Key(keys.KeyA, true))
		r.mu.Lock()
		r.fail = errors.New("lost")
		r.mu.Unlock()
		time.Sleep(HoldTime)
		synctest.Wait()
		if err := h.Key(keys.KeyB, true); !errors.Is(err, r.fail) {
			t.Errorf("Key = %v, want the error of the failed release", err)
		}
	})
}

// repeats gives the desk a keyboard that repeats as X servers do by default.
func repeats(t *testing.T, test func(t *testing.T, h *Held, r *recorder)) {
	held(t, func(t *testing.T, h *Held, r *recorder) {
		r.delay, r.every = 660*time.Millisecond, 40*time.Millisecond
		test(t, h, r)
	})
}

// refresh says every 250 ms, for so long, that a key is held.
func refresh(t *testing.T, h *Held, during time.Duration, code keys.Code) {
	t.Helper()
	for range during / (250 * time.Millisecond) {
		time.Sleep(250 * time.Millisecond)
		ok(t, h.Refresh([]keys.Code{code}, 0))
	}
}

// TestHeldStalledLineRepeatsNothing holds a key while the line is frozen, longer than any keyboard waits before it
// repeats.
func TestHeldStalledLineRepeatsNothing(t *testing.T) {
	repeats(t, func(t *testing.T, h *Held, r *recorder) {
		ok(t, h.Key(keys.KeyA, true))
		time.Sleep(900 * time.Millisecond)
		ok(t, h.Key(keys.KeyA, false))
		time.Sleep(2 * HoldTime)
		r.want(t, "+KeyA", "-KeyA")
	})
}

func TestHeldRepeatsWhileTheViewerSaysSo(t *testing.T) {
	repeats(t, func(t *testing.T, h *Held, r *recorder) {
		ok(t, h.Key(keys.ShiftLeft, true), h.Key(keys.KeyA, true))
		refresh := func() { ok(t, h.Refresh([]keys.Code{keys.ShiftLeft, keys.KeyA}, 0)) }
		for range 2 {
			time.Sleep(250 * time.Millisecond)
			refresh()
		}
		time.Sleep(159 * time.Millisecond)
		r.want(t, "+ShiftLeft", "+KeyA")
		time.Sleep(81 * time.Millisecond) // 740 ms
		r.want(t, "again KeyA", "again KeyA", "again KeyA")
		// The line freezes: what the viewer said 500 ms after the press counts until 850 ms.
		time.Sleep(159 * time.Millisecond)
		r.want(t, "again KeyA", "again KeyA")
		refresh() // the line is back, and the key is still held
		r.want(t, "again KeyA")
		ok(t, h.Key(keys.KeyA, false))
		time.Sleep(HoldTime)
		r.want(t, "-KeyA", "-ShiftLeft")
	})
}

func TestHeldRepeatsTheNewestKeyOnly(t *testing.T) {
	repeats(t, func(t *testing.T, h *Held, r *recorder) {
		ok(t, h.Key(keys.KeyA, true))
		time.Sleep(500 * time.Millisecond)
		ok(t, h.Key(keys.KeyB, true))
		for range 3 {
			time.Sleep(220 * time.Millisecond)
			ok(t, h.Refresh([]keys.Code{keys.KeyA, keys.KeyB}, 0))
		}
		r.want(t, "+KeyA", "+KeyB", "again KeyB")
		ok(t, h.Key(keys.KeyB, false))
		refresh(t, h, time.Second, keys.KeyA)
		r.want(t, "-KeyB")
	})
}

func TestHeldRepeatsNothingThatTheDeskDoesNot(t *testing.T) {
	held(t, func(t *testing.T, h *Held, r *recorder) {
		ok(t, h.Key(keys.KeyA, true))
		refresh(t, h, 2*time.Second, keys.KeyA)
		r.want(t, "+KeyA")
	})
}
