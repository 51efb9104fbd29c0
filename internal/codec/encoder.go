package codec

import (
	"encoding/binary"
	"fmt"

	"github.com/klauspost/compress/zstd"

	"jiseki/internal/screen"
)

// An Encoder codes the changes of one session's picture. It must not be used by two goroutines at once.
type Encoder struct {
	mirror  *screen.Picture
	tiles   *tileMap
	pending []bool // of a tile: known to differ from the picture that was coded last
	mover   *mover
	scratch mover2
	shelf   *shelf

	tokens tokenizer
	photo  photoModel
	saved  palette
	bits   bitWriter
	rects  []region
	chosen []bool
	photos []bool
	cursor int // the tile behind the last one coded, where the next slice goes on
	rows   [3][]uint32
	stream *zstd.Encoder
	packed sink
}

type mover2 struct{ pix []byte }

// A region is a rectangle to be coded in one mode.
type region struct {
	rect  screen.Rect
	tiles screen.Rect // the tiles that it holds
	mode  byte
}

type sink []byte

func (s *sink) Write(p []byte) (int, error) { *s = append(*s, p...); return len(p), nil }

var Level = zstd.SpeedBetterCompression

// NewEncoder returns an encoder whose first update begins the session's history.
func NewEncoder(c Config) (*Encoder, error) {
	mirror, err := c.mirror()
	if err != nil {
		return nil, err
	}
	e := &Encoder{mirror: mirror, tiles: newTileMap(c.Size), mover: newMover(c.Size)}
	e.shelf = newShelf(len(e.tiles.box))
	n := len(e.tiles.box)
	e.pending, e.chosen, e.photos = make([]bool, n), make([]bool, n), make([]bool, n)
	for i := range e.rows {
		e.rows[i] = make([]uint32, c.Size.X+2)
	}
	e.stream, err = zstd.NewWriter(&e.packed, zstd.WithEncoderLevel(Level), zstd.WithWindowSize(windowSize),
		zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, fmt.Errorf("codec: %w", err)
	}
	return e, nil
}

// Mirror is what the viewer has after all updates so far. It shares memory with the encoder.
func (e *Encoder) Mirror() *screen.Picture { return e.mirror }

// Encode appends one update.
func (e *Encoder) Encode(dst []byte, pic *screen.Picture, clip screen.Rect, damage []screen.Rect, maxPixels int) (out []byte, done bool, err error) {
	if pic.Size != e.mirror.Size || len(pic.Pix) != len(e.mirror.Pix) {
		return dst, false, fmt.Errorf("codec: picture of %v pixels, not %v", pic.Size, e.mirror.Size)
	}
	clip = clip.Intersect(pic.Bounds())
	dirty := e.compare(pic, clip, damage)
	if dirty == 0 {
		return dst, true, nil
	}
	e.keep()
	if dirty >= minMoveTiles {
		e.mover.find(pic, e.mirror, e.tiles, clip)
		e.apply(pic, clip)
	} else {
		e.mover.moves = e.mover.moves[:0]
	}
	e.recall(pic)
	e.tokens.out = appendSaves(e.tokens.out[:0], e.shelf.saves)
	e.tokens.out = appendMoves(e.tokens.out, e.mover.moves)
	e.tokens.out = appendLoads(e.tokens.out, e.shelf.loads, e.tiles)
	e.choose(pic, damage, maxPixels)
	e.plan()
	e.bits.out = e.bits.out[:0]
	for _, r := range e.rects {
		if len(e.tokens.out)+len(e.bits.out) > maxRaw-3*maxRegion-4096 {
			break
		}
		e.code(pic, r)
	}
	done = !e.settle()
	out, err = e.seal(dst)
	return out, done, err
}

var minMoveTiles = 4

// compare finds the tiles that differ and returns how many.
func (e *Encoder) compare(pic *screen.Picture, clip screen.Rect, damage []screen.Rect) int {
	e.tiles.clear()
	if damage == nil {
		e.tiles.compare(pic, e.mirror, clip)
	} else {
		for _, r := range damage {
			e.tiles.compare(pic, e.mirror, r.Intersect(clip))
		}
		for i, p := range e.pending {
			if p {
				e.tiles.recompare(pic, e.mirror, e.tiles.rect(i), clip)
			}
		}
	}
	n := 0
	for i, box := range e.tiles.box {
		e.pending[i] = !box.Empty()
		if !box.Empty() {
			n++
		}
	}
	return n
}

// apply makes the moves in the mirror.
func (e *Encoder) apply(pic *screen.Picture, clip screen.Rect) {
	e.scratch.pix = applyMoves(e.mirror, e.mover.moves, e.scratch.pix)
	for _, m := range e.mover.moves {
		e.tiles.recompare(pic, e.mirror, m.to, clip)
	}
}

// keep saves the tiles that will change in the store.
func (e *Encoder) keep() {
	e.shelf.update++
	e.shelf.saves, e.shelf.loads = e.shelf.saves[:0], e.shelf.loads[:0]
	for i, box := range e.tiles.box {
		if !box.Empty() {
			e.shelf.keep(i, e.mirror, e.tiles.rect(i), func() bool {
				cost, _ := e.classify(e.mirror, e.tiles.rect(i))
				return cost >= worthSaving
			})
		}
	}
}

// recall loads what the store holds of the tiles that differ.
func (e *Encoder) recall(pic *screen.Picture) {
	for i, box := range e.tiles.box {
		if !box.Empty() && e.shelf.find(i, pic, e.tiles.rect(i), box) {
			e.tiles.box[i] = screen.Rect{}
		}
	}
	for _, c := range e.shelf.loads {
		e.shelf.load(c.slot, e.mirror, c.box, e.tiles.rect(c.tile).Min)
	}
}

// applyMoves reads the sources of all moves before it writes any. It returns its scratch memory.
func applyMoves(p *screen.Picture, moves []move, scratch []byte) []byte {
	scratch = scratch[:0]
	for _, m := range moves {
		for y := m.to.Min.Y; y < m.to.Max.Y; y++ {
			scratch = append(scratch, p.Row(y+m.from.Y, m.to.Min.X+m.from.X, m.to.Max.X+m.from.X)...)
		}
	}
	at := scratch
	for _, m := range moves {
		for y := m.to.Min.Y; y < m.to.Max.Y; y++ {
			at = at[copy(p.Row(y, m.to.Min.X, m.to.Max.X), at):]
		}
	}
	return scratch
}

func appendMoves(b []byte, moves []move) []byte {
	for i := 0; i < len(moves); {
		n := 1
		for i+n < len(moves) && moves[i+n].from == moves[i].from {
			n++
		}
		b = binary.AppendUvarint(b, uint64(n))
		b = binary.AppendVarint(b, int64(moves[i].from.X))
		b = binary.AppendVarint(b, int64(moves[i].from.Y))
		for _, m := range moves[i : i+n] {
			b = appendRect(b, m.to)
		}
		i += n
	}
	return append(b, 0)
}

func appendRect(b []byte, r screen.Rect) []byte {
	b = binary.AppendUvarint(b, uint64(r.Min.X))
	b = binary.AppendUvarint(b, uint64(r.Min.Y))
	b = binary.AppendUvarint(b, uint64(r.Dx()))
	return binary.AppendUvarint(b, uint64(r.Dy()))
}

// maxRegion is the greatest area of a coded rectangle, in pixels.
const maxRegion = 1 << 16

// choose marks the tiles that this update codes: text before photos, damaged before others.
func (e *Encoder) choose(pic *screen.Picture, damage []screen.Rect, maxPixels int) {
	clear(e.chosen)
	budget := maxPixels
	type pass struct{ photo, damaged bool }
	n := len(e.tiles.box)
	var cost []int
	cost = make([]int, n)
	for i, box := range e.tiles.box {
		if !box.Empty() {
			cost[i], e.photos[i] = e.classify(pic, box)
		}
	}
	for _, p := range []pass{{false, true}, {false, false}, {true, true}, {true, false}} {
		for j := range n {
			i := (e.cursor + j) % n
			box := e.tiles.box[i]
			if box.Empty() || e.chosen[i] || e.photos[i] != p.photo {
				continue
			}
			if p.damaged && !overlaps(box, damage) {
				continue
			}
			if budget <= 0 {
				e.cursor = i
				return
			}
			budget -= cost[i]
			e.chosen[i] = true
		}
	}
}

func overlaps(r screen.Rect, list []screen.Rect) bool {
	for _, d := range list {
		if r.Overlaps(d) {
			return true
		}
	}
	return false
}

var photoNum = 65

// classify estimates how many pixels of a box need a literal, and whether the photo mode suits it.
func (e *Encoder) classify(pic *screen.Picture, box screen.Rect) (cost int, photo bool) {
	hard, all := 0, 0
	for y := box.Min.Y; y < box.Max.Y; y += 3 {
		cur := load(e.rows[0], pic, y, box.Min.X, box.Max.X)
		up := load(e.rows[1], pic, y-1, box.Min.X, box.Max.X)
		for x := 1; x < len(cur); x++ {
			if cur[x] != cur[x-1] && cur[x] != up[x] {
				hard++
			}
		}
		all += len(cur)
	}
	area := box.Dx() * box.Dy()
	return area/16 + hard*area/all, hard*100 > all*photoNum && area >= 256
}

// plan joins chosen tiles to regions.
func (e *Encoder) plan() {
	e.rects = e.rects[:0]
	for ty := range e.tiles.rows {
		for tx := 0; tx < e.tiles.cols; {
			i := ty*e.tiles.cols + tx
			if !e.chosen[i] {
				tx++
				continue
			}
			r := region{rect: e.tiles.box[i], tiles: screen.Rect{Min: screen.Point{X: tx, Y: ty}, Max: screen.Point{X: tx + 1, Y: ty + 1}}}
			if e.photos[i] {
				r.mode = modePhoto
			}
			for tx++; tx < e.tiles.cols; tx++ {
				i++
				u := r.rect.Union(e.tiles.box[i])
				if !e.chosen[i] || e.photos[i] != (r.mode == modePhoto) || u.Dx()*u.Dy() > maxRegion {
					break
				}
				r.rect = u
				r.tiles.Max.X++
			}
			e.join(r)
		}
	}
}

// join adds a region, or extends the one above that has the same columns.
func (e *Encoder) join(r region) {
	for i := len(e.rects) - 1; i >= 0; i-- {
		a := &e.rects[i]
		if a.tiles.Max.Y < r.tiles.Min.Y {
			break
		}
		u := a.rect.Union(r.rect)
		if a.mode == r.mode && a.tiles.Max.Y == r.tiles.Min.Y && a.tiles.Min.X == r.tiles.Min.X && a.tiles.Max.X == r.tiles.Max.X &&
			a.rect.Max.Y == r.rect.Min.Y && u.Dx()*u.Dy() <= maxRegion {
			a.rect = u
			a.tiles.Max.Y++
			return
		}
	}
	e.rects = append(e.rects, r)
}

// code appends a region and brings the mirror up to date.
func (e *Encoder) code(pic *screen.Picture, r region) {
	area := r.rect.Dx() * r.rect.Dy()
	head, codes := len(e.tokens.out), len(e.bits.out)
	e.saved = e.tokens.palette
	e.tokens.out = appendRect(append(e.tokens.out, r.mode), r.rect)
	body := len(e.tokens.out)
	if r.mode == modePhoto {
		e.photo.reset()
	}
	for y := r.rect.Min.Y; y < r.rect.Max.Y; y++ {
		x0, x1 := r.rect.Min.X, r.rect.Max.X
		up := load(e.rows[0], e.mirror, y-1, x0-1, x1+1)
		cur := load(e.rows[1], pic, y, x0, x1)
		old := load(e.rows[2], e.mirror, y, x0-1, x1)
		if r.mode == modePhoto {
			e.photo.row(&e.bits, cur, up, old[0])
		} else {
			e.tokens.row(cur, up[1:], old[1:], old[0])
		}
		copy(e.mirror.Row(y, x0, x1), pic.Row(y, x0, x1))
	}
	if r.mode == modePhoto {
		Stat[5] += area
		e.bits.end()
	} else {
		e.tokens.flush()
	}
	if len(e.tokens.out)-body+len(e.bits.out)-codes > 3*area {
		e.tokens.palette = e.saved
		e.bits.out = e.bits.out[:codes]
		e.tokens.out = appendRect(append(e.tokens.out[:head], modeRaw), r.rect)
		for y := r.rect.Min.Y; y < r.rect.Max.Y; y++ {
			row := pic.Row(y, r.rect.Min.X, r.rect.Max.X)
			for i := 0; i < len(row); i += 4 {
				e.tokens.out = append(e.tokens.out, row[i], row[i+1], row[i+2])
			}
		}
	}
	for ty := r.tiles.Min.Y; ty < r.tiles.Max.Y; ty++ {
		for tx := r.tiles.Min.X; tx < r.tiles.Max.X; tx++ {
			e.tiles.box[ty*e.tiles.cols+tx] = screen.Rect{}
		}
	}
}

// settle remembers the tiles that still differ and reports whether there are any.
func (e *Encoder) settle() bool {
	left := false
	for i, box := range e.tiles.box {
		e.pending[i] = !box.Empty()
		left = left || e.pending[i]
	}
	return left
}

var Stat [6]int

// seal compresses the commands and appends the update.
func (e *Encoder) seal(dst []byte) ([]byte, error) {
	e.packed = e.packed[:0]
	if _, err := e.stream.Write(e.tokens.out); err != nil {
		return dst, fmt.Errorf("codec: %w", err)
	}
	if err := e.stream.Flush(); err != nil {
		return dst, fmt.Errorf("codec: %w", err)
	}
	Stat[0] += len(e.tokens.out)
	Stat[1] += len(e.packed)
	Stat[2] += len(e.bits.out)
	Stat[3] += len(e.mover.moves)
	Stat[4] += len(e.rects)
	dst = binary.AppendUvarint(dst, uint64(len(e.tokens.out)))
	dst = binary.AppendUvarint(dst, uint64(len(e.packed)))
	dst = append(dst, e.packed...)
	return append(dst, e.bits.out...), nil
}

// load reads the pixels of row y from x0 to x1 into buf; those outside of the picture are 0.
func load(buf []uint32, p *screen.Picture, y, x0, x1 int) []uint32 {
	buf = buf[:x1-x0]
	if y < 0 || y >= p.Size.Y {
		clear(buf)
		return buf
	}
	at := buf
	if x0 < 0 {
		at[0] = 0
		at, x0 = at[1:], 0
	}
	if x1 > p.Size.X {
		at[len(at)-1] = 0
		at, x1 = at[:len(at)-1], p.Size.X
	}
	row := p.Row(y, x0, x1)
	for i := range at {
		at[i] = binary.LittleEndian.Uint32(row[4*i:])
	}
	return buf
}
