package viewer

import (
	"log/slog"
	"testing"

	"jiseki/internal/codec"
	"jiseki/internal/screen"
	"jiseki/internal/seal"
	"jiseki/internal/wire"
)

// alone is a viewer without a desk, to be told things.
func alone(t *testing.T) *Viewer {
	t.Helper()
	v := &Viewer{log: slog.New(slog.DiscardHandler), changed: make(chan struct{}), sealed: &seal.Session{Coder: uint8(codec.CoderQ2Z)}}
	t.Cleanup(func() {
		if v.decoder != nil {
			v.decoder.Close()
		}
	})
	return v
}

func layout(generation uint32) *wire.Layout {
	size := screen.Point{X: 8, Y: 8}
	return &wire.Layout{Layout: screen.Layout{Generation: generation, Size: size, Monitors: []screen.Monitor{{Bounds: screen.Rect{Max: size}}}}}
}

// update is a coded picture of the size of layout.
func update(t *testing.T, seq, generation uint32, flags wire.UpdateFlags) *wire.Update {
	t.Helper()
	e, err := codec.NewEncoder(codec.Config{Coder: codec.CoderQ2Z, Size: screen.Point{X: 8, Y: 8}})
	if err != nil {
		t.Fatal(err)
	}
	p := screen.NewPicture(screen.Point{X: 8, Y: 8})
	p.Pix[0] = 9
	b, _, err := e.Encode(nil, p, p.Bounds(), nil, 1<<16)
	if err != nil {
		t.Fatal(err)
	}
	return &wire.Update{Seq: seq, Generation: generation, Flags: flags, Coder: b}
}

func TestHostileDeskFillsNoMemory(t *testing.T) {
	v := alone(t)
	for i := range uint32(10_000) {
		if err := v.hear(&wire.Notice{Code: wire.EndsSoon, Seconds: i}); err != nil {
			t.Fatal(err)
		}
	}
	v.Look(func(s State) {
		if n := len(s.Notices); n != maxNotices || s.Notices[n-1].Seconds != 9_999 || cap(s.Notices) > 2*maxNotices {
			t.Errorf("%d notices are kept in %d, the last of %d s", n, cap(s.Notices), s.Notices[n-1].Seconds)
		}
	})
	for i := range uint32(maxComing) {
		if err := v.hear(layout(i + 1)); err != nil {
			t.Fatal(err)
		}
	}
	if err := v.hear(layout(maxComing + 1)); err == nil {
		t.Error("layouts without pictures are kept for ever")
	}
}

func TestDeskMustKeepOrder(t *testing.T) {
	for name, break_ := range map[string]func(*Viewer) error{
		"a cursor that was not sent": func(v *Viewer) error { return v.hear(&wire.CursorUse{Slot: 3}) },
		"a second welcome":           func(v *Viewer) error { return v.hear(&wire.Welcome{}) },
		"an update on nothing":       func(v *Viewer) error { return v.apply(update(t, 1, 1, 0)) },
		"an update left out":         func(v *Viewer) error { return first(t, v, update(t, 3, 1, 0)) },
		"an update twice":            func(v *Viewer) error { return first(t, v, update(t, 1, 1, 0)) },
		"another layout":             func(v *Viewer) error { return first(t, v, update(t, 2, 2, 0)) },
		"no update": func(v *Viewer) error {
			return first(t, v, &wire.Update{Seq: 2, Generation: 1, Coder: []byte{1, 2, 3}})
		},
	} {
		if err := break_(alone(t)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// first shows a first picture and applies another update after it.
func first(t *testing.T, v *Viewer, next *wire.Update) error {
	t.Helper()
	if err := v.hear(layout(1)); err != nil {
		t.Fatal(err)
	}
	if err := v.startAfresh(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if err := v.apply(update(t, 1, 1, wire.Fresh)); err != nil {
		t.Fatal(err)
	}
	return v.apply(next)
}
