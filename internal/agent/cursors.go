package agent

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"time"

	"jiseki/internal/wire"
)

const (
	// shapeShare is how much of the line's time pointer shapes may take: one part of so many. What the user waits for,
	// the picture, has the others.
	shapeShare = 4
	// blindRate is how many bytes of pointer shapes a second a viewer gets that does not know marks (wire version 1).
	blindRate = 16 << 10
	// recordSize is what the smallest message takes on control.
	recordSize = 256
)

// cursors shows the shape of the desk's pointer at the viewer. One message is on its way at a time, and then the newest
// shape is next: a pointer that moves like a film never fills a slow line.
type cursors struct {
	session *session
	slots   slots
	serial  uint64 // of the shape that was sent last

	mark    uint32        // the last that was sent
	waiting bool          // for the viewer's answer to it
	sent    time.Time     // when
	size    int           // bytes of the shape before it
	fastest time.Duration // the shortest time to an answer: the line without anything on it
	rests   time.Time     // nothing is sent until then
}

// run sends shapes while the session works, or until the links are lost.
func (c *cursors) run(working, links context.Context) error {
	if err := c.measure(links); err != nil {
		return err
	}
	rest := time.NewTimer(0)
	defer rest.Stop()
	for {
		wait, err := c.step(links)
		if err != nil {
			return err
		}
		if wait > 0 {
			rest.Reset(wait)
		}
		select {
		case <-c.session.reshape:
		case <-rest.C:
		case id := <-c.session.marked:
			c.answered(id)
		case <-working.Done():
			return working.Err()
		}
	}
}

// measure sends a mark with nothing before it.
func (c *cursors) measure(ctx context.Context) error {
	if c.session.sealed.Version < wire.MarkVersion {
		return nil
	}
	return c.launch(ctx, 0)
}

// step sends the newest shape if the viewer does not show it and the line is free. wait is how long it is not, if that
// is known.
func (c *cursors) step(ctx context.Context) (wait time.Duration, err error) {
	if c.waiting || !c.session.wanted().visible {
		return 0, nil
	}
	if wait := c.rests.Sub(c.session.agent.now()); wait > 0 {
		return wait, nil
	}
	shape, serial := c.session.view.cursor()
	if shape == nil || serial == c.serial {
		return 0, nil
	}
	c.serial = serial
	m := &wire.Cursor{Cursor: *shape}
	slot, known := c.slots.place(sha256.Sum256(m.Append(nil)))
	m.Slot = slot
	if known {
		return 0, c.send(ctx, &wire.CursorUse{Slot: slot}, 0)
	}
	return 0, c.send(ctx, m, len(m.Pix))
}

// send sends a message and what will tell that it has come.
func (c *cursors) send(ctx context.Context, m wire.Message, size int) error {
	if err := c.session.tell(ctx, m); err != nil {
		return err
	}
	if c.session.sealed.Version < wire.MarkVersion {
		c.rests = c.session.agent.now().Add(time.Duration(size+recordSize) * time.Second / blindRate)
		c.session.reshaped() // looks at the rest
		return nil
	}
	return c.launch(ctx, size)
}

func (c *cursors) launch(ctx context.Context, size int) error {
	c.mark++
	c.waiting, c.size, c.sent = true, size, c.session.agent.now()
	return c.session.tell(ctx, &wire.Mark{ID: c.mark})
}

// answered takes the viewer's answer to a mark. After a shape the line rests from shapes by the time that this one took
// of it.
func (c *cursors) answered(id uint32) {
	if !c.waiting || id != c.mark {
		return
	}
	c.waiting = false
	now := c.session.agent.now()
	took := now.Sub(c.sent)
	if c.fastest == 0 || took < c.fastest {
		c.fastest = took
	}
	if c.size > 0 {
		c.rests = now.Add((took - c.fastest) * (shapeShare - 1))
	}
}

// hear passes the viewer's answer on. A viewer that answers more than it was asked is ended: nothing of it may pile up.
func (s *session) hear(m *wire.Marked) error {
	select {
	case s.marked <- m.ID:
		return nil
	default:
		return errors.New("marked without a mark")
	}
}

const (
	ghosts = 8   // shapes that are remembered after they lost their slot
	stale  = 256 // a slot that was not shown among so many shapes is given away first
)

// slots remembers which shapes the viewer holds. A film of more shapes than there are slots must not push each out just
// before it is shown again: a shape that is new takes the slot of the last new one, so that most of the film stays. A
// shape that comes back soon is none of a film, and takes the slot that was not used for longest.
type slots struct {
	sums   [wire.CursorSlots][sha256.Size]byte
	used   int
	last   int // the slot that was filled last
	shows  int
	shown  [wire.CursorSlots]int // when each was shown last
	ghosts [][sha256.Size]byte   // that lost their slots, the newest last
}

// place finds the slot for a shape; known says whether the viewer has it there.
func (s *slots) place(sum [sha256.Size]byte) (slot uint8, known bool) {
	s.shows++
	i := slices.Index(s.sums[:s.used], sum)
	if i < 0 {
		i = s.room(sum)
		s.sums[i], s.last = sum, i
	} else {
		known = true
	}
	s.shown[i] = s.shows
	return uint8(i), known //nolint:gosec // below wire.CursorSlots
}

// room frees a slot for a new shape.
func (s *slots) room(sum [sha256.Size]byte) int {
	if s.used < len(s.sums) {
		s.used++
		return s.used - 1
	}
	i := s.last
	oldest := 0
	for j, at := range s.shown {
		if at < s.shown[oldest] {
			oldest = j
		}
	}
	if slices.Contains(s.ghosts, sum) || s.shows-s.shown[oldest] > stale {
		i = oldest
	}
	if len(s.ghosts) == ghosts {
		s.ghosts = slices.Delete(s.ghosts, 0, 1)
	}
	s.ghosts = append(s.ghosts, s.sums[i])
	return i
}
