package viewer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"jiseki/internal/screen"
	"jiseki/internal/wire"
)

const (
	// maxComing bounds the layouts that wait for their first update.
	maxComing = 16
	// maxNotices are kept: a desk may send as many as it likes.
	maxNotices = 64
)

// readControl takes what the desk says beside its pictures.
func (v *Viewer) readControl(ctx context.Context) error {
	parser := wire.Parser{Route: wire.ControlToViewer}
	for {
		raw, err := v.sealed.Control.Receive(ctx)
		if err != nil {
			return err
		}
		message, err := parser.Parse(raw)
		if errors.Is(err, &wire.Error{Class: wire.Skip}) {
			continue
		}
		if err != nil {
			return err
		}
		if mark, ok := message.(*wire.Mark); ok {
			if err := v.Send(ctx, &wire.Marked{ID: mark.ID}); err != nil {
				return err
			}
			continue
		}
		if err := v.hear(message); err != nil {
			return err
		}
	}
}

// hear notes one message of the desk.
func (v *Viewer) hear(message wire.Message) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch m := message.(type) {
	case *wire.Layout:
		if len(v.coming) == maxComing {
			return errors.New("the desk sent layouts without pictures")
		}
		v.coming = append(v.coming, m.Layout)
	case *wire.Cursor:
		shape := m.Cursor
		shape.Pix = append([]byte(nil), m.Pix...)
		v.slots[m.Slot], v.cursor = &shape, &shape
	case *wire.CursorUse:
		if v.slots[m.Slot] == nil {
			return errors.New("the desk uses a cursor that it did not send")
		}
		v.cursor = v.slots[m.Slot]
	case *wire.LockState:
		v.locks = m.Locks
	case *wire.Notice:
		if len(v.notices) == maxNotices {
			v.notices = slices.Delete(v.notices, 0, 1)
		}
		v.notices = append(v.notices, *m)
	case *wire.Pong:
		v.ponged = max(v.ponged, min(m.ID, v.pings))
	case *wire.AgentEnd:
		return &EndError{m.Code}
	default:
		return errors.New("the desk sent a message that belongs elsewhere")
	}
	v.tellChange()
	return nil
}

// tellChange wakes who waits. The caller holds mu.
func (v *Viewer) tellChange() {
	close(v.changed)
	v.changed = make(chan struct{})
}

// readDisplay applies updates and acknowledges each after decoding.
func (v *Viewer) readDisplay(ctx context.Context) error {
	parser := wire.Parser{Route: wire.DisplayToViewer}
	var answer []byte
	for {
		raw, err := v.sealed.Display.Receive(ctx)
		if err != nil {
			return err
		}
		message, err := parser.Parse(raw)
		if errors.Is(err, &wire.Error{Class: wire.Skip}) {
			continue
		}
		if err != nil {
			return err
		}
		update, ok := message.(*wire.Update)
		if !ok {
			return errors.New("the desk sent a message that belongs elsewhere")
		}
		if update.Flags&wire.Fresh != 0 {
			if err := v.startAfresh(ctx, update.Generation); err != nil {
				return err
			}
		}
		began := time.Now()
		if err := v.apply(update); err != nil {
			return err
		}
		ack := &wire.Ack{Seq: update.Seq, DecodeMicros: uint32(time.Since(began).Microseconds())}
		answer = ack.Append(answer[:0])
		if err := v.sealed.Display.Send(ctx, answer); err != nil {
			return err
		}
	}
}

// startAfresh begins a new history of the coder for the layout of a generation. It waits until that layout is known:
// the channels are not ordered against each other.
func (v *Viewer) startAfresh(ctx context.Context, generation uint32) error {
	find := func() int {
		return slices.IndexFunc(v.coming, func(l screen.Layout) bool { return l.Generation == generation })
	}
	if err := v.Wait(ctx, func(State) bool { return v.layout.Generation == generation || find() >= 0 }); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	layout := v.layout
	if at := find(); at >= 0 {
		layout = v.coming[at]
		v.coming = slices.Delete(v.coming, 0, at+1)
	}
	return v.restart(layout, nil)
}

// apply decodes an update into the picture.
func (v *Viewer) apply(update *wire.Update) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if update.Seq != v.seq+1 {
		return fmt.Errorf("update %d came after update %d", update.Seq, v.seq)
	}
	if v.decoder == nil {
		return errors.New("the first update builds on nothing")
	}
	if update.Generation != v.layout.Generation {
		return fmt.Errorf("update of layout %d while %d is shown", update.Generation, v.layout.Generation)
	}
	damage, err := v.decoder.Decode(update.Coder)
	if err != nil {
		return err
	}
	v.seq, v.settled = update.Seq, update.Flags&wire.Settled != 0
	if v.cfg.Shown != nil {
		v.cfg.Shown(Shown{
			Seq: v.seq, Fresh: update.Flags&wire.Fresh != 0, Settled: v.settled,
			Bytes: len(update.Coder), Damage: damage, Picture: v.picture,
		})
	}
	v.tellChange()
	return nil
}

// A State is what a viewer knows at a moment. Picture and Cursor belong to the viewer and are valid during the call.
type State struct {
	Layout  screen.Layout
	Picture *screen.Picture // nil before the first update
	Seq     uint32          // of the last update that was applied
	Settled bool            // the picture equals the desk's as of that update
	Cursor  *screen.Cursor  // nil before the first
	Locks   wire.LockBits
	Notices []wire.Notice // the last 64 of the session
}

// Look calls use with the present state. The viewer stands still meanwhile.
func (v *Viewer) Look(use func(State)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	use(v.state())
}

// state is what Look shows. The caller holds mu.
func (v *Viewer) state() State {
	return State{
		Layout: v.layout, Picture: v.picture, Seq: v.seq, Settled: v.settled, Cursor: v.cursor, Locks: v.locks, Notices: v.notices,
	}
}

// Wait returns nil as soon as want is true of the state; an error when ctx or the session ends first.
func (v *Viewer) Wait(ctx context.Context, want func(State) bool) error {
	for {
		v.mu.Lock()
		ok, finished, changed := want(v.state()), v.finished, v.changed
		v.mu.Unlock()
		switch {
		case ok:
			return nil
		case finished != nil:
			return fmt.Errorf("session is over: %w", finished)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
