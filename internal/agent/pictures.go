package agent

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"jiseki/internal/codec"
	"jiseki/internal/pace"
	"jiseki/internal/screen"
	"jiseki/internal/wire"
)

const (
	firstPicture  = 10 * time.Second // how long a session waits for its first picture
	fullCompare   = time.Second      // how often damage is not believed
	mostPixels    = 1 << 18          // an update codes at most so many new pixels (codec.MaxUpdate)
	leastPixels   = 1 << 12          // and at least so many, on the slowest line: one tile
	pixelsPerByte = 2                // of a photo, the worst that comes for long; text needs a tenth of it
)

// pictures keeps one viewer's picture equal to the desk's: whenever there is a difference and the line may carry more,
// it codes the newest picture and sends one update.
type pictures struct {
	session *session
	layout  screen.Layout
	encoder *codec.Encoder
	journal *journal // what the updates on their way overwrote

	buf     []byte
	seq     uint32
	shown   wish      // what the last update was coded for
	fresh   bool      // the next update starts with a black mirror
	behind  bool      // the mirror differed from the picture after the last update
	owing   bool      // the viewer was not told yet that its picture equals the desk's
	checked time.Time // when all pixels were last compared

	effort effort

	mu    sync.Mutex // guards what acknowledgements change
	pacer *pace.Pacer
	acked uint32 // the last update that the viewer has acknowledged
}

// newPictures waits for the first picture. resumed says whether the picture that the viewer still has counts.
func newPictures(ctx context.Context, s *session, start *wire.Start) (p *pictures, resumed bool, err error) {
	p = &pictures{session: s, pacer: pace.New(), fresh: true, effort: effort{perSecond: firstEffort}}
	ctx, cancel := context.WithTimeout(ctx, firstPicture)
	defer cancel()
	for {
		err := s.view.take(func(_ *screen.Picture, layout screen.Layout, _ []screen.Rect) error {
			p.layout = layout
			return nil
		})
		if err == nil {
			break
		}
		if !errors.Is(err, errNoPicture) {
			return nil, false, err
		}
		select {
		case <-s.wake:
		case <-ctx.Done():
			return nil, false, errors.New("no picture of the screen")
		}
	}
	mirror := s.agent.takeResume(s, p.layout, start)
	if err := p.restart(mirror); err != nil {
		return nil, false, err
	}
	p.fresh = mirror == nil
	p.behind, p.owing = true, true
	return p, mirror != nil, nil
}

// restart begins a new history of the coder. mirror is what the viewer shows, nil for black.
func (p *pictures) restart(mirror *screen.Picture) error {
	var err error
	p.journal = newJournal(p.layout.Size, p.seq)
	p.encoder, err = codec.NewEncoder(codec.Config{
		Coder: codec.Coder(p.session.sealed.Coder), Size: p.layout.Size, Mirror: mirror, Overwriting: p.journal.note,
	})
	if err != nil {
		return fmt.Errorf("start the coder: %w", err)
	}
	p.fresh = true
	return nil
}

// send sends updates while the session works, or until the links are lost.
func (p *pictures) send(working, links context.Context) error {
	for {
		sent, err := p.step(links)
		if err != nil {
			return err
		}
		if sent && working.Err() == nil {
			continue
		}
		select {
		case <-p.session.wake:
		case <-working.Done():
			return working.Err()
		}
	}
}

// step sends what the viewer lacks, as far as the line may carry it now; it says whether it sent an update.
func (p *pictures) step(ctx context.Context) (sent bool, err error) {
	wanted := p.session.wanted()
	if !wanted.visible {
		return false, nil
	}
	if !p.behind && wanted == p.shown && !p.session.view.fresh() {
		return false, nil
	}
	pixels := p.budget()
	if pixels == 0 {
		return false, nil
	}
	before := p.layout.Generation
	if err := p.encode(wanted, pixels); err != nil {
		if errors.Is(err, errNoPicture) {
			return false, nil
		}
		return false, p.session.leave(ctx, wire.CaptureFailed, err)
	}
	if p.layout.Generation != before {
		if err := p.session.tell(ctx, &wire.Layout{Layout: p.layout}); err != nil {
			return false, err
		}
	}
	if len(p.buf) == 0 {
		return false, nil
	}
	if err := p.launch(); err != nil {
		return false, err
	}
	return true, p.session.sealed.Display.Send(ctx, p.buf)
}

// encode codes the newest picture into buf, which stays empty when nothing differs.
func (p *pictures) encode(wanted wish, pixels int) error {
	return p.session.view.take(func(picture *screen.Picture, layout screen.Layout, damage []screen.Rect) error {
		if layout.Generation != p.layout.Generation {
			p.layout = layout
			if err := p.restart(nil); err != nil {
				return err
			}
		}
		now := p.session.agent.now()
		if p.fresh || wanted != p.shown || now.Sub(p.checked) >= fullCompare {
			damage = nil
			p.checked = now
		}
		p.owing = p.owing || wanted != p.shown
		p.shown = wanted
		return p.update(picture, damage, pixels)
	})
}

// update writes the next update into buf, which stays empty when the viewer knows all.
func (p *pictures) update(picture *screen.Picture, damage []screen.Rect, pixels int) error {
	var flags wire.UpdateFlags
	if p.fresh {
		flags |= wire.Fresh
	}
	head := wire.AppendUpdateHead(p.buf[:0], p.seq+1, p.layout.Generation, flags)
	pixels = min(pixels, p.effort.pixels())
	p.journal.forget(p.acknowledged())
	p.journal.begin(p.seq + 1)
	began := p.session.agent.now()
	out, done, err := p.encoder.Encode(head, picture, clip(p.layout, p.shown.monitor), damage, pixels)
	if err != nil {
		return fmt.Errorf("code the picture: %w", err)
	}
	p.effort.took(p.session.agent.now().Sub(began), pixels, done)
	p.behind, p.buf = !done, out
	if len(out) == len(head) {
		if !p.owing {
			p.buf = out[:0]
			return nil
		}
		if p.buf, err = p.encoder.Nothing(out); err != nil {
			return err
		}
	}
	if done { // known only now: the head is written again in its place
		wire.AppendUpdateHead(p.buf[:0], p.seq+1, p.layout.Generation, flags|wire.Settled)
	}
	p.fresh, p.owing = false, !done
	p.seq++
	return nil
}

const (
	encodeTime  = 6 * time.Millisecond // how long coding one update may take: what was touched meanwhile waits for it
	leastEffort = 1 << 14              // pixels: with fewer, what every update costs weighs too much
	firstEffort = 1 << 23              // pixels a second, while nothing is known of this machine
)

// An effort knows how fast this machine codes.
type effort struct{ perSecond float64 }

// pixels is how many new ones can be coded in encodeTime.
func (e *effort) pixels() int {
	return max(leastEffort, min(mostPixels, int(e.perSecond*encodeTime.Seconds())))
}

// took notes how long an update took that was allowed so many pixels. One that was done early had fewer.
func (e *effort) took(d time.Duration, pixels int, done bool) {
	if d <= 0 || done && d <= encodeTime {
		return
	}
	e.perSecond += (float64(pixels)/d.Seconds() - e.perSecond) / 4
}

// clip is the part of the layout that the viewer looks at. A monitor that is gone means all of it.
func clip(layout screen.Layout, monitor uint8) screen.Rect {
	if int(monitor) < len(layout.Monitors) {
		return layout.Monitors[monitor].Bounds
	}
	return screen.Rect{Max: layout.Size}
}

// budget is how many pixels the next update may code; 0 while the line has enough.
func (p *pictures) budget() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pacer.Allowance(p.session.agent.now()) <= 0 {
		return 0
	}
	return max(leastPixels, min(mostPixels, p.pacer.SliceHint()*pixelsPerByte))
}

// launch notes the update in buf as on its way.
func (p *pictures) launch() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pacer.Sent(p.session.agent.now(), p.seq, len(p.buf))
}

// readAcks takes the viewer's acknowledgements, which give credit for the next updates.
func (p *pictures) readAcks(ctx context.Context) error {
	parser := wire.Parser{Route: wire.DisplayToAgent}
	for {
		raw, err := p.session.sealed.Display.Receive(ctx)
		if err != nil {
			return err
		}
		message, err := parser.Parse(raw)
		if errors.Is(err, &wire.Error{Class: wire.Skip}) {
			continue
		}
		ack, ok := message.(*wire.Ack)
		if err == nil && !ok {
			err = errors.New("not an acknowledgement")
		}
		if err == nil {
			err = p.acknowledge(ack)
		}
		if err != nil {
			return p.session.leave(ctx, wire.ProtocolError, err)
		}
		p.session.poke()
	}
}

// acknowledge gives the credit of all updates up to the acknowledged one back.
func (p *pictures) acknowledge(ack *wire.Ack) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.pacer.Acked(p.session.agent.now(), ack.Seq, time.Duration(ack.DecodeMicros)*time.Microsecond); err != nil {
		return err
	}
	p.acked = ack.Seq
	return nil
}

// acknowledged is the last update that the viewer has acknowledged, 0 before the first.
func (p *pictures) acknowledged() uint32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.acked
}
