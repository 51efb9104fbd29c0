//go:build linux

package e2e

import (
	"image"
	"math/rand/v2"
	"sync"

	"jiseki/internal/keys"
	"jiseki/internal/x11"
)

// A window is a program on the desk that draws what a test wants and remembers the keys that it got.
type window struct {
	h    *house
	conn *x11.Conn
	id   x11.Window
	gc   x11.Context
	size image.Point

	mu     sync.Mutex
	keys   []uint8 // keycodes that went down
	clicks []uint8
}

// window opens a window that the keys go to.
func (h *house) window(bounds image.Rectangle) *window {
	t := h.t
	t.Helper()
	w := &window{h: h, size: bounds.Size()}
	w.conn = h.client(w.event)
	var err error
	w.id, err = w.conn.CreateWindow(bounds, x11.Attributes{Background: 0x204060, Events: x11.MaskKeys | x11.MaskButtons | x11.MaskStructure})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.conn.MapWindow(w.id); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { s, err := w.conn.State(w.id); return err == nil && s.Viewable }, func() string { return "no window" })
	if w.gc, err = w.conn.CreateContext(0xffffff); err != nil {
		t.Fatal(err)
	}
	if err := w.conn.SetFocus(w.id); err != nil {
		t.Fatal(err)
	}
	w.sync()
	return w
}

func (w *window) event(e x11.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e.Type() {
	case x11.KeyPress:
		w.keys = append(w.keys, e.Detail())
	case x11.ButtonPress:
		w.clicks = append(w.clicks, e.Detail())
	}
}

// got are the keycodes that went down in the window.
func (w *window) got() []uint8 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]uint8(nil), w.keys...)
}

// codes are the keycodes of keys on an X server.
func codes(all ...keys.Code) (codes []uint8) {
	for _, k := range all {
		e, _ := k.Evdev()
		codes = append(codes, uint8(e+8))
	}
	return codes
}

// fill paints a rectangle of the window in one colour.
func (w *window) fill(r image.Rectangle, colour uint32) {
	w.h.t.Helper()
	if err := w.conn.SetColour(w.gc, colour); err != nil {
		w.h.t.Fatal(err)
	}
	if err := w.conn.FillRect(w.id, w.gc, r); err != nil {
		w.h.t.Fatal(err)
	}
	w.sync()
}

// noise paints pixels that no coder can make small, the same ones for the same seed, and returns them as they are
// painted.
func (w *window) noise(seed uint64, at, size image.Point) []byte {
	w.h.t.Helper()
	pix := noise(seed, size)
	if err := w.conn.PutPicture(w.id, w.gc, at, size, pix); err != nil {
		w.h.t.Fatal(err)
	}
	w.sync()
	return pix
}

func noise(seed uint64, size image.Point) []byte {
	source := rand.New(rand.NewPCG(seed, 1))
	pix := make([]byte, 4*size.X*size.Y)
	for i := range pix {
		if i%4 != 3 {
			pix[i] = byte(source.Uint32())
		}
	}
	return pix
}

// sync returns when the server has drawn all.
func (w *window) sync() {
	w.h.t.Helper()
	if err := w.conn.Sync(); err != nil {
		w.h.t.Fatal(err)
	}
}
