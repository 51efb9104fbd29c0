package agent

import (
	"slices"

	"jiseki/internal/screen"
)

const (
	leastJournal   = 1 << 18 // bytes of pixels that a journal begins with: enough while somebody types
	journalOfSizes = 2       // it grows up to so many pictures
)

// A journal keeps what the updates on their way overwrote in the mirror, so that the mirror can be taken back to what
// the viewer shows when the line dies before all of them came. It holds as much as was asked for, forgets the oldest
// update first, and allocates nothing once it has grown to what the session needs. It is for one goroutine.
type journal struct {
	most  int    // bytes of pixels
	floor uint32 // the mirror can be taken back to what it was after this update, and not further
	last  uint32 // the update that is being coded or was coded last

	parts []part // oldest first
	ring  []byte // their pixels, one part behind the other
	end   uint64 // where the next part begins; places count on and on, modulo the ring's length
}

// A part is a rectangle of the mirror as it was before an update.
type part struct {
	seq  uint32
	rect screen.Rect
	at   uint64
}

// newJournal returns a journal for the mirror of pictures of a size after update seq.
func newJournal(size screen.Point, seq uint32) *journal {
	most := journalOfSizes * screen.BytesPerPixel * size.X * size.Y
	return &journal{most: most, floor: seq, last: seq, ring: make([]byte, min(leastJournal, most))}
}

// begin says that update seq is coded next.
func (j *journal) begin(seq uint32) { j.last = seq }

// note keeps a part of the mirror that the present update overwrites.
func (j *journal) note(mirror *screen.Picture, r screen.Rect) {
	size := screen.BytesPerPixel * r.Dx() * r.Dy()
	if j.floor >= j.last || !j.reserve(size) {
		return
	}
	j.parts = append(j.parts, part{j.last, r, j.end})
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for row := mirror.Row(y, r.Min.X, r.Max.X); len(row) > 0; {
			n := copy(j.ring[j.end%uint64(len(j.ring)):], row)
			row, j.end = row[n:], j.end+uint64(n)
		}
	}
}

// reserve makes room for so many bytes. It says no when not even the present update fits.
func (j *journal) reserve(size int) bool {
	for j.used()+size > len(j.ring) {
		switch {
		case len(j.ring) < j.most:
			j.grow()
		case len(j.parts) > 0:
			j.forget(j.parts[0].seq)
		default:
			j.forget(j.last)
		}
		if j.floor >= j.last {
			return false
		}
	}
	return true
}

func (j *journal) used() int {
	if len(j.parts) == 0 {
		return 0
	}
	return int(j.end - j.parts[0].at)
}

func (j *journal) grow() {
	next := make([]byte, min(2*len(j.ring), j.most))
	for at := j.end - uint64(j.used()); at < j.end; {
		from := j.ring[at%uint64(len(j.ring)):]
		from = from[:min(uint64(len(from)), j.end-at)]
		at += uint64(copy(next[at%uint64(len(next)):], from))
	}
	j.ring = next
}

// forget gives up what is needed only to go back before update seq was there: the viewer has it.
func (j *journal) forget(seq uint32) {
	if seq <= j.floor {
		return
	}
	j.floor = seq
	n := 0
	for n < len(j.parts) && j.parts[n].seq <= seq {
		n++
	}
	if j.parts = slices.Delete(j.parts, 0, n); len(j.parts) == 0 {
		j.end = 0 // small updates use the same few pages again and again
	}
}

// back takes the mirror back to what it was after update seq. It says no, and changes nothing, when that is too far.
func (j *journal) back(mirror *screen.Picture, seq uint32) bool {
	if seq < j.floor || seq > j.last {
		return false
	}
	for len(j.parts) > 0 && j.parts[len(j.parts)-1].seq > seq {
		p := j.parts[len(j.parts)-1]
		j.parts = j.parts[:len(j.parts)-1]
		j.end = p.at
		at := p.at
		for y := p.rect.Min.Y; y < p.rect.Max.Y; y++ {
			for row := mirror.Row(y, p.rect.Min.X, p.rect.Max.X); len(row) > 0; {
				n := copy(row, j.ring[at%uint64(len(j.ring)):])
				row, at = row[n:], at+uint64(n)
			}
		}
	}
	j.last = seq
	return true
}
