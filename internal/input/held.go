package input

import (
	"errors"
	"slices"
	"sync"
	"time"

	"jiseki/internal/keys"
	"jiseki/internal/screen"
)

// HoldTime is how long a key or button stays down without being refreshed: four times the interval at which viewers
// refresh, so that one late refresh does not interrupt a drag.
const HoldTime = time.Second

// Held passes a viewer's input to an Injector and releases what the viewer does not refresh for HoldTime. Its methods
// may be called from several goroutines.
type Held struct {
	inj Injector

	mu      sync.Mutex
	keys    map[keys.Code]time.Time // when each held key was last refreshed
	order   []keys.Code             // held keys, oldest first
	buttons Buttons
	pressed time.Time // when the held buttons were last refreshed
	timer   *time.Timer
	repeat  repeating
	err     error // of a release by the timer
	closed  bool
}

// NewHeld returns a Held that holds nothing.
func NewHeld(inj Injector) *Held {
	return &Held{inj: inj, keys: map[keys.Code]time.Time{}}
}

// Key presses or releases a key.
func (h *Held) Key(code keys.Code, down bool) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.usable(); err != nil {
		return err
	}
	if err := h.inj.Key(code, down); err != nil {
		return err
	}
	if !down {
		h.forget(code)
		return nil
	}
	_, held := h.keys[code]
	if !held {
		h.order = append(h.order, code)
	}
	h.keys[code] = time.Now()
	if !held {
		h.watchRepeat(code)
	}
	h.arm()
	return nil
}

// Tap presses a key and releases it at once.
func (h *Held) Tap(code keys.Code) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.usable(); err != nil {
		return err
	}
	err := h.inj.Key(code, true)
	if err == nil {
		err = h.inj.Key(code, false)
	}
	h.forget(code)
	return err
}

// Type writes a text after releasing everything; see Injector.
func (h *Held) Type(text string) error { return h.write(text, h.inj.Type) }

// Paste has the program with the focus paste a text, after releasing everything; see Injector.
func (h *Held) Paste(text string) error { return h.write(text, h.inj.Paste) }

func (h *Held) write(text string, by func(string) error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.usable(); err != nil {
		return err
	}
	return errors.Join(h.releaseAll(), by(text))
}

// Pointer moves the pointer, then makes exactly these buttons down.
func (h *Held) Pointer(at screen.Point, down Buttons) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.usable(); err != nil {
		return err
	}
	if err := h.inj.Pointer(at); err != nil {
		return err
	}
	return h.setButtons(down)
}

// Wheel moves the pointer, then turns the wheel.
func (h *Held) Wheel(at screen.Point, dx, dy int) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.usable(); err != nil {
		return err
	}
	if err := h.inj.Pointer(at); err != nil {
		return err
	}
	return h.inj.Wheel(dx, dy)
}

// Refresh tells all that the viewer holds. It keeps down what is down, releases what is not named, and presses nothing:
// what was released for want of refreshing stays up until it is pressed anew.
func (h *Held) Refresh(codes []keys.Code, down Buttons) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.usable(); err != nil {
		return err
	}
	now := time.Now()
	for _, code := range codes {
		if _, held := h.keys[code]; held {
			h.keys[code] = now
		}
	}
	h.repeat.confirm(slices.Contains(codes, h.repeat.code))
	return errors.Join(
		h.release(func(code keys.Code) bool { return !slices.Contains(codes, code) }),
		h.setButtons(h.buttons&down),
	)
}

// ReleaseAll releases every key and button. Use it when the viewer loses the focus or the link.
func (h *Held) ReleaseAll() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.releaseAll()
}

// Close releases everything. Later calls do nothing and return an error.
func (h *Held) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	if h.timer != nil {
		h.timer.Stop()
	}
	h.repeat.stop()
	return h.releaseAll()
}

var errHeldClosed = errors.New("input: the session has ended")

func (h *Held) usable() error {
	if h.closed {
		return errHeldClosed
	}
	return h.err
}

func (h *Held) setButtons(down Buttons) error {
	if err := h.inj.Buttons(down); err != nil {
		return err
	}
	h.buttons = down
	if down != 0 {
		h.pressed = time.Now()
		h.arm()
	}
	return nil
}

func (h *Held) forget(code keys.Code) {
	if h.repeat.code == code {
		h.repeat.stop()
	}
	if _, held := h.keys[code]; held {
		delete(h.keys, code)
		h.order = slices.DeleteFunc(h.order, func(c keys.Code) bool { return c == code })
	}
}

// release releases the held keys of a kind, the newest first, so that modifiers go up last.
func (h *Held) release(which func(keys.Code) bool) error {
	var errs []error
	for _, code := range slices.Backward(slices.Clone(h.order)) {
		if which(code) {
			errs = append(errs, h.inj.Key(code, false))
			h.forget(code)
		}
	}
	return errors.Join(errs...)
}

func (h *Held) releaseAll() error {
	h.repeat.stop()
	h.buttons, h.order = 0, h.order[:0]
	clear(h.keys)
	return h.inj.ReleaseAll()
}

// arm makes the timer fire when the first key or button is due.
func (h *Held) arm() {
	next := h.due()
	if next.IsZero() {
		return
	}
	if h.timer == nil {
		h.timer = time.AfterFunc(time.Until(next), h.expire)
		return
	}
	h.timer.Reset(time.Until(next))
}

// due is when the first key or button is to be released; zero when nothing is held.
func (h *Held) due() time.Time {
	var first time.Time
	if h.buttons != 0 {
		first = h.pressed
	}
	for _, at := range h.keys {
		if first.IsZero() || at.Before(first) {
			first = at
		}
	}
	if first.IsZero() {
		return first
	}
	return first.Add(HoldTime)
}

// expire releases what is due. It runs on the timer's goroutine.
func (h *Held) expire() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	now := time.Now()
	late := func(at time.Time) bool { return now.Sub(at) >= HoldTime }
	err := h.release(func(code keys.Code) bool { return late(h.keys[code]) })
	if h.buttons != 0 && late(h.pressed) {
		h.buttons = 0
		err = errors.Join(err, h.inj.Buttons(0))
	}
	h.err = errors.Join(h.err, err)
	h.arm()
}
