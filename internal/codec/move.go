package codec

import (
	"bytes"
	"math/bits"

	"jiseki/internal/screen"
)

// A move says that the pixels of a rectangle are those that stand at an offset from it before the update.
type move struct {
	to   screen.Rect
	from screen.Point // offset from a pixel of to to where it comes from
}

// What a move must be worth; chosen by measurement on recorded office work.
const (
	maxCandidates = 4  // offsets that are verified
	minVotes      = 6  // of an offset
	voteShare     = 16 // an offset needs this part of the votes of the best
	minBlocks     = 8  // blocks that an offset must explain
	minRectBlocks = 3  // blocks that a move must explain
)

const (
	blockSide     = 8  // the grain of verifying moves
	moveTableBits = 16 // features of the mirror
	voteTable     = 1 << 12
	maxVoteProbe  = 8
)

// A mover finds moves: it samples features of the mirror and of the picture at places that the contents define, lets
// equal ones vote on an offset, and verifies the offsets with most votes pixel by pixel.
type mover struct {
	size     screen.Point
	features []feature
	votes    []vote
	row      []uint32
	moves    []move
	area     int // of all moves
	most     int // votes that an offset got

	grid screen.Rect // the searched rectangle, in blocks
	cols int
	same []bool // of a block in grid: equals the mirror or is covered by a move
}

// A feature is where in the mirror a short run of pixels stands; count 0 is an empty slot, more than 1 an ambiguous
// one.
type feature struct {
	hash  uint32
	x, y  int16
	count int32
}

type vote struct {
	from  screen.Point
	count int
}

func newMover(size screen.Point) *mover {
	return &mover{
		size:     size,
		features: make([]feature, 1<<moveTableBits),
		votes:    make([]vote, voteTable),
		row:      make([]uint32, size.X),
		same:     make([]bool, ((size.X+blockSide-1)/blockSide)*((size.Y+blockSide-1)/blockSide)),
	}
}

// reset forgets the moves.
func (m *mover) reset() { m.moves, m.area = m.moves[:0], 0 }

// find adds to m.moves moves that turn parts of the mirror into parts of pic.
func (m *mover) find(pic, mirror *screen.Picture, tiles *tileMap, clip screen.Rect) {
	dirty := tiles.bounds()
	area := dirty.Inset(-tileSide).Intersect(mirror.Bounds())
	thin := thinningOf(area)
	m.sampleMirror(mirror, area, thin)
	if !m.vote(pic, tiles, thin) {
		return
	}
	m.compare(pic, mirror, tiles, dirty, clip)
	for range maxCandidates {
		from, ok := m.winner()
		if !ok {
			return
		}
		m.verify(pic, mirror, clip, from)
	}
}

// sampleMirror fills the feature table from the mirror in and around the dirty rectangle. In large areas it samples one
// of thin.by columns of tiles.
func (m *mover) sampleMirror(mirror *screen.Picture, area screen.Rect, thin thinning) {
	clear(m.features)
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x0 := area.Min.X; x0 < area.Max.X; x0 += tileSide * thin.by {
			x1 := min(x0+tileSide+featureLen, area.Max.X)
			if thin.by == 1 {
				x1 = area.Max.X
			}
			m.each(mirror, y, x0, x1, thin.mask, func(x int, h uint32) {
				f := &m.features[h>>(32-moveTableBits)]
				if f.count == 0 || f.hash != h {
					*f = feature{hash: h, x: int16(x), y: int16(y), count: 1}
					return
				}
				f.count++
			})
			if thin.by == 1 {
				break
			}
		}
	}
}

// vote lets the features of the dirty tiles vote, in large areas those of one of thin.by rows; it reports whether there
// is any vote to speak of.
func (m *mover) vote(pic *screen.Picture, tiles *tileMap, thin thinning) bool {
	clear(m.votes)
	m.most = 0
	for i, box := range tiles.box {
		if box.Empty() {
			continue
		}
		x0 := i % tiles.cols * tileSide
		x1 := min(x0+tileSide+featureLen, m.size.X)
		for y := box.Min.Y; y < box.Max.Y; y += thin.by {
			m.each(pic, y, x0, x1, thin.mask, func(x int, h uint32) {
				if f := &m.features[h>>(32-moveTableBits)]; f.count == 1 && f.hash == h {
					m.most = max(m.most, m.cast(screen.Point{X: int(f.x) - x, Y: int(f.y) - y}))
				}
			})
		}
	}
	return m.most >= minVotes
}

const featureLen = 16

// A thinning says how many features are taken.
type thinning struct {
	mask uint32 // a feature is taken if these bits of its first hash are 0
	by   int    // columns of tiles of the mirror and rows of the picture
}

func thinningOf(area screen.Rect) thinning {
	switch n := area.Dx() * area.Dy(); {
	case n > 1<<19:
		return thinning{mask: 1<<4 - 1, by: 4}
	case n > 1<<17:
		return thinning{mask: 1<<4 - 1, by: 2}
	}
	return thinning{mask: 1<<3 - 1, by: 1}
}

// each calls f with the features of a row between x0 and x1.
func (m *mover) each(p *screen.Picture, y, x0, x1 int, mask uint32, f func(x int, hash uint32)) {
	row := load(m.row, p, y, x0, x1)
	if len(row) <= featureLen {
		return
	}
	last := row[0]
	for x, v := range row[1 : len(row)-featureLen+1] {
		if v == last {
			continue
		}
		last = v
		if h, ok := sample(row[x:], mask); ok {
			f(x0+x, h)
		}
	}
}

// sample hashes the pixels from p[0], if their beginning says that they are one to sample and they are not all alike.
func sample(p []uint32, mask uint32) (hash uint32, ok bool) {
	p = p[:featureLen]
	h := p[0]*0x9e3779b1 + p[1]*0x85ebca6b + p[2]*0xc2b2ae35 + p[3]*0x27d4eb2f
	if (h>>24^h>>11)&mask != 0 {
		return 0, false
	}
	changes := 0
	h64 := uint64(h)
	for i := 3; i < featureLen; i++ {
		if p[i] != p[i-1] {
			changes++
		}
		h64 = (bits.RotateLeft64(h64, 5) ^ uint64(p[i])) * 0x9e3779b97f4a7c15
	}
	return uint32(h64 >> 32), changes >= 3
}

func (m *mover) cast(from screen.Point) int {
	if from == (screen.Point{}) {
		return 0
	}
	slot := (uint32(from.X)*0x9e3779b1 ^ uint32(from.Y)*0x85ebca6b) >> 20
	for range maxVoteProbe {
		v := &m.votes[slot%voteTable]
		if v.count == 0 {
			v.from = from
		}
		if v.from == from {
			v.count++
			return v.count
		}
		slot++
	}
	return 0
}

// winner takes the offset with most votes out of the table.
func (m *mover) winner() (from screen.Point, ok bool) {
	best := 0
	for i := range m.votes {
		if m.votes[i].count > m.votes[best].count {
			best = i
		}
	}
	if m.votes[best].count < max(minVotes, m.most/voteShare) {
		return from, false
	}
	m.votes[best].count = 0
	return m.votes[best].from, true
}

// compare sets up the grid of blocks.
func (m *mover) compare(pic, mirror *screen.Picture, tiles *tileMap, dirty, clip screen.Rect) {
	m.grid = screen.Rect{
		Min: screen.Point{X: dirty.Min.X / tileSide * (tileSide / blockSide), Y: dirty.Min.Y / tileSide * (tileSide / blockSide)},
		Max: screen.Point{X: (dirty.Max.X + blockSide - 1) / blockSide, Y: (dirty.Max.Y + blockSide - 1) / blockSide},
	}
	m.cols = m.grid.Dx()
	i := 0
	for by := m.grid.Min.Y; by < m.grid.Max.Y; by++ {
		for bx := m.grid.Min.X; bx < m.grid.Max.X; bx++ {
			r := block(bx, by).Intersect(clip)
			box := tiles.box[by/(tileSide/blockSide)*tiles.cols+bx/(tileSide/blockSide)]
			m.same[i] = !r.Overlaps(box) || equal(pic, mirror, r, screen.Point{})
			i++
		}
	}
}

func block(bx, by int) screen.Rect {
	return screen.Rect{
		Min: screen.Point{X: bx * blockSide, Y: by * blockSide},
		Max: screen.Point{X: bx*blockSide + blockSide, Y: by*blockSide + blockSide},
	}
}

// equal reports whether the pixels of pic in r are those of the mirror at the offset.
func equal(pic, mirror *screen.Picture, r screen.Rect, from screen.Point) bool {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		if !bytes.Equal(pic.Row(y, r.Min.X, r.Max.X), mirror.Row(y+from.Y, r.Min.X+from.X, r.Max.X+from.X)) {
			return false
		}
	}
	return true
}

// verify turns the blocks that an offset explains into moves of large rectangles.
func (m *mover) verify(pic, mirror *screen.Picture, clip screen.Rect, from screen.Point) {
	within := clip.Intersect(mirror.Bounds().Sub(from))
	matches := func(bx, by int) bool {
		r := block(bx, by)
		return r.In(within) && equal(pic, mirror, r, from)
	}
	if !m.promising(matches) {
		return
	}
	for by := m.grid.Min.Y; by < m.grid.Max.Y; by++ {
		for bx := m.grid.Min.X; bx < m.grid.Max.X; bx++ {
			if m.same[m.index(bx, by)] || !matches(bx, by) {
				continue
			}
			r := m.extend(bx, by, matches)
			useful := m.cover(r, false)
			if useful < minRectBlocks || len(m.moves) == maxMoves {
				continue
			}
			px := screen.Rect{Min: r.Min.Mul(blockSide), Max: r.Max.Mul(blockSide)}
			px = refine(pic, mirror, px, within, from)
			if m.area += px.Dx() * px.Dy(); m.area > m.size.X*m.size.Y {
				m.area -= px.Dx() * px.Dy()
				return
			}
			m.cover(r, true)
			m.moves = append(m.moves, move{to: px, from: from})
		}
	}
}

func (m *mover) index(bx, by int) int { return (by-m.grid.Min.Y)*m.cols + bx - m.grid.Min.X }

// promising reports whether an offset explains enough blocks that differ.
func (m *mover) promising(matches func(bx, by int) bool) bool {
	n := 0
	for by := m.grid.Min.Y; by < m.grid.Max.Y; by++ {
		for bx := m.grid.Min.X; bx < m.grid.Max.X; bx++ {
			if m.same[m.index(bx, by)] || !matches(bx, by) {
				continue
			}
			if n++; n == minBlocks {
				return true
			}
		}
	}
	return false
}

// extend grows a rectangle of blocks from its top left one to the right and then down.
func (m *mover) extend(bx, by int, matches func(bx, by int) bool) screen.Rect {
	r := screen.Rect{Min: screen.Point{X: bx, Y: by}, Max: screen.Point{X: bx + 1, Y: by + 1}}
	for r.Max.X < m.grid.Max.X && matches(r.Max.X, by) {
		r.Max.X++
	}
	for r.Max.Y < m.grid.Max.Y {
		for x := r.Min.X; x < r.Max.X; x++ {
			if !matches(x, r.Max.Y) {
				return r
			}
		}
		r.Max.Y++
	}
	return r
}

// cover counts the blocks in r that still differ and, if asked to, marks them as explained.
func (m *mover) cover(r screen.Rect, mark bool) int {
	n := 0
	for by := r.Min.Y; by < r.Max.Y; by++ {
		row := m.same[m.index(r.Min.X, by):][:r.Dx()]
		for i := range row {
			if !row[i] {
				n++
				row[i] = mark
			}
		}
	}
	return n
}

// refine moves the edges of r outwards by less than a block as long as all pixels match.
func refine(pic, mirror *screen.Picture, r, within screen.Rect, from screen.Point) screen.Rect {
	for i := 1; i < blockSide; i++ {
		if s := (screen.Rect{Min: screen.Point{X: r.Min.X, Y: r.Min.Y - 1}, Max: screen.Point{X: r.Max.X, Y: r.Min.Y}}); s.In(within) && equal(pic, mirror, s, from) {
			r.Min.Y--
		}
		if s := (screen.Rect{Min: screen.Point{X: r.Min.X, Y: r.Max.Y}, Max: screen.Point{X: r.Max.X, Y: r.Max.Y + 1}}); s.In(within) && equal(pic, mirror, s, from) {
			r.Max.Y++
		}
	}
	for i := 1; i < blockSide; i++ {
		if s := (screen.Rect{Min: screen.Point{X: r.Min.X - 1, Y: r.Min.Y}, Max: screen.Point{X: r.Min.X, Y: r.Max.Y}}); s.In(within) && equal(pic, mirror, s, from) {
			r.Min.X--
		}
		if s := (screen.Rect{Min: screen.Point{X: r.Max.X, Y: r.Min.Y}, Max: screen.Point{X: r.Max.X + 1, Y: r.Max.Y}}); s.In(within) && equal(pic, mirror, s, from) {
			r.Max.X++
		}
	}
	return r
}
