package codec

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"

	"jiseki/internal/screen"
)

// The store keeps up to maxSlots tiles at both ends, so that what was covered can be shown again without being coded
// again. The encoder alone decides what is kept where; the decoder follows.
const (
	maxSlots    = 2048
	maxSaves    = 4096 // in an update
	maxLoads    = 4096 // in an update
	slotBytes   = tileSide * tileSide * screen.BytesPerPixel
	slotsATile  = 4                      // how many slots the encoder tries for one tile
	worthSaving = 128                    // literal pixels that a tile must have
	settled     = 100 * time.Millisecond // that a tile must have stood still for
)

// A store holds tiles. A tile at the right or lower edge of the picture fills its slot from the top left.
type store struct {
	slots [maxSlots][]byte
}

// save copies a tile of p into a slot.
func (s *store) save(slot int, p *screen.Picture, tile screen.Rect) {
	if s.slots[slot] == nil {
		s.slots[slot] = make([]byte, slotBytes)
	}
	for y := range tile.Dy() {
		copy(s.slots[slot][y*tileSide*4:], p.Row(tile.Min.Y+y, tile.Min.X, tile.Max.X))
	}
}

// load copies a box out of a slot to where it stands in the tile at origin.
func (s *store) load(slot int, p *screen.Picture, box screen.Rect, origin screen.Point) {
	for y := box.Min.Y; y < box.Max.Y; y++ {
		copy(p.Row(y, box.Min.X, box.Max.X), s.at(slot, y-origin.Y, box.Min.X-origin.X))
	}
}

// equal reports whether a slot holds the pixels of a box of the tile at origin.
func (s *store) equal(slot int, p *screen.Picture, box screen.Rect, origin screen.Point) bool {
	for y := box.Min.Y; y < box.Max.Y; y++ {
		row := p.Row(y, box.Min.X, box.Max.X)
		if !bytes.Equal(row, s.at(slot, y-origin.Y, box.Min.X-origin.X)[:len(row)]) {
			return false
		}
	}
	return true
}

func (s *store) at(slot, y, x int) []byte { return s.slots[slot][(y*tileSide+x)*4:] }

// A shelf is the encoder's side of the store: it knows which slots once stood at which tile.
type shelf struct {
	store
	tile   [maxSlots]int32 // that a slot was saved from, plus 1; 0 if the slot is free
	used   [maxSlots]bool  // loaded since the hand passed
	hand   int
	recent [][slotsATile]int16 // of a tile: its slots, the latest first, plus 1
	last   []time.Time         // of a tile: when an update touched it last
	now    time.Time
	saves  []saveCommand
	loads  []loadCommand
}

type saveCommand struct{ slot, tile int }

type loadCommand struct {
	slot, tile int
	box        screen.Rect
}

func newShelf(tiles int) *shelf {
	return &shelf{recent: make([][slotsATile]int16, tiles), last: make([]time.Time, tiles)}
}

// begin starts an update.
func (s *shelf) begin(now time.Time) {
	s.now = now
	s.saves, s.loads = s.saves[:0], s.loads[:0]
}

// touch notes that a tile is about to change, and reports whether it stood still before.
func (s *shelf) touch(i int) bool {
	still := s.now.Sub(s.last[i]) >= settled
	s.last[i] = s.now
	return still
}

// keep saves a tile, unless it stands in the store already.
func (s *shelf) keep(i int, mirror *screen.Picture, tile screen.Rect) {
	if len(s.saves) == maxSaves {
		return
	}
	for _, slot := range s.recent[i] {
		if slot > 0 && s.equal(int(slot-1), mirror, tile, tile.Min) {
			return
		}
	}
	slot := s.free()
	s.save(slot, mirror, tile)
	s.tile[slot] = int32(i + 1)
	r := &s.recent[i]
	copy(r[1:], r[:])
	r[0] = int16(slot + 1)
	s.saves = append(s.saves, saveCommand{slot, i})
}

// free takes the slot at the hand, passing once over those that were used.
func (s *shelf) free() int {
	for s.used[s.hand] {
		s.used[s.hand] = false
		s.hand = (s.hand + 1) % maxSlots
	}
	slot := s.hand
	s.hand = (s.hand + 1) % maxSlots
	if t := s.tile[slot]; t > 0 {
		r := &s.recent[t-1]
		for i := range r {
			if int(r[i]) == slot+1 {
				copy(r[i:], r[i+1:])
				r[len(r)-1] = 0
				break
			}
		}
	}
	return slot
}

// find looks for a slot that holds what the picture shows in a box of tile i, and notes to load it.
func (s *shelf) find(i int, pic *screen.Picture, tile, box screen.Rect) bool {
	if len(s.loads) == maxLoads {
		return false
	}
	for _, slot := range s.recent[i] {
		if slot == 0 || !s.equal(int(slot-1), pic, box, tile.Min) {
			continue
		}
		if s.equal(int(slot-1), pic, tile, tile.Min) {
			box = tile
		}
		s.used[slot-1] = true
		s.loads = append(s.loads, loadCommand{int(slot - 1), i, box})
		return true
	}
	return false
}

// appendSaves writes the save commands: slot and tile as differences to the successors of those before.
func appendSaves(b []byte, saves []saveCommand) []byte {
	b = binary.AppendUvarint(b, uint64(len(saves)))
	slot, tile := -1, -1
	for _, c := range saves {
		b = binary.AppendVarint(b, int64(c.slot-slot-1))
		b = binary.AppendVarint(b, int64(c.tile-tile-1))
		slot, tile = c.slot, c.tile
	}
	return b
}

// appendLoads writes the load commands.
func appendLoads(b []byte, loads []loadCommand, tiles *tileMap) []byte {
	b = binary.AppendUvarint(b, uint64(len(loads)))
	slot, tile := -1, -1
	for _, c := range loads {
		b = binary.AppendVarint(b, int64(c.slot-slot-1))
		b = binary.AppendVarint(b, int64(c.tile-tile-1))
		slot, tile = c.slot, c.tile
		r := tiles.rect(tile)
		if c.box == r {
			b = append(b, 0)
			continue
		}
		b = append(b, byte(c.box.Dy()), byte(c.box.Min.X-r.Min.X), byte(c.box.Min.Y-r.Min.Y), byte(c.box.Dx()))
	}
	return b
}

// place reads a slot and a tile.
func (d *Decoder) place(in []byte, slot, tile *int) ([]byte, error) {
	ds, in, err := varint(in)
	if err != nil {
		return nil, err
	}
	dt, in, err := varint(in)
	if err != nil {
		return nil, err
	}
	*slot, *tile = *slot+1+ds, *tile+1+dt
	if *slot < 0 || *slot >= maxSlots || *tile < 0 || *tile >= len(d.tiles.box) {
		return nil, fmt.Errorf("%w: slot %d, tile %d", errRange, *slot, *tile)
	}
	return in, nil
}

// save reads and obeys the save commands.
func (d *Decoder) save(in []byte) ([]byte, error) {
	n, in, err := uvarint(in, maxSaves)
	slot, tile := -1, -1
	for range n {
		if in, err = d.place(in, &slot, &tile); err != nil {
			return nil, err
		}
		d.store.save(slot, d.picture, d.tiles.rect(tile))
	}
	return in, err
}

// load reads and obeys the load commands.
func (d *Decoder) load(in []byte) ([]byte, error) {
	n, in, err := uvarint(in, maxLoads)
	slot, tile := -1, -1
	for range n {
		if in, err = d.place(in, &slot, &tile); err != nil {
			return nil, err
		}
		r := d.tiles.rect(tile)
		box := r
		if in, err = readBox(in, &box); err != nil {
			return nil, err
		}
		if box.Empty() || !box.In(r) || d.store.slots[slot] == nil {
			return nil, fmt.Errorf("%w: load of %v from slot %d", errRange, box, slot)
		}
		d.store.load(slot, d.picture, box, r.Min)
		d.damage = append(d.damage, box)
	}
	return in, err
}

// readBox narrows box, which is a whole tile, to the box that follows.
func readBox(in []byte, box *screen.Rect) ([]byte, error) {
	if len(in) == 0 {
		return nil, errShort
	}
	if in[0] == 0 {
		return in[1:], nil
	}
	if len(in) < 4 {
		return nil, errShort
	}
	box.Min = box.Min.Add(screen.Point{X: int(in[1]), Y: int(in[2])})
	box.Max = box.Min.Add(screen.Point{X: int(in[3]), Y: int(in[0])})
	return in[4:], nil
}
