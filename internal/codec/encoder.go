package codec

import (
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"time"

	"github.com/klauspost/compress/zstd"

	"jiseki/internal/screen"
)

// An Encoder codes the changes of one session's picture. It must not be used by two goroutines at once.
type Encoder struct {
	mirror  *screen.Picture
	tiles   *tileMap
	pending []bool // of a tile: known to differ from the picture that was coded last
	now     func() time.Time
	warn    func(mirror *screen.Picture, part screen.Rect) // Config.Overwriting
	mover   *mover
	shelf   *shelf
	scratch []byte
	seed    maphash.Seed
	seen    []uint64 // of a tile: the fingerprint of what moves were searched for last
	cost    []int    // of a tile that differs: about how many pixels of it need a literal

	tokens  tokenizer
	photo   photoModel
	saved   palette
	bits    bitWriter
	regions []region
	chosen  []bool
	photos  []bool
	cursor  int // the tile where the next update goes on
	fair    int // the same for updates that take all tiles alike
	turn    int // counts updates
	rows    [3][]uint32
	stream  *zstd.Encoder
	packed  sink
}

// A region is a rectangle to be coded in one mode.
type region struct {
	rect  screen.Rect
	tiles screen.Rect // the tiles that it holds
	mode  byte
}

type sink []byte

func (s *sink) Write(p []byte) (int, error) { *s = append(*s, p...); return len(p), nil }

// NewEncoder returns an encoder whose first update begins the session's history.
func NewEncoder(c Config) (*Encoder, error) {
	mirror, err := c.mirror()
	if err != nil {
		return nil, err
	}
	e := &Encoder{mirror: mirror, tiles: newTileMap(c.Size), mover: newMover(c.Size), now: c.Now, warn: c.Overwriting}
	if e.now == nil {
		e.now = time.Now
	}
	if e.warn == nil {
		e.warn = func(*screen.Picture, screen.Rect) {}
	}
	e.shelf = newShelf(len(e.tiles.box))
	n := len(e.tiles.box)
	e.pending, e.chosen, e.photos = make([]bool, n), make([]bool, n), make([]bool, n)
	e.seen, e.cost, e.seed = make([]uint64, n), make([]int, n), maphash.MakeSeed()
	for i := range e.rows {
		e.rows[i] = make([]uint32, c.Size.X+2)
	}
	e.stream, err = zstd.NewWriter(&e.packed, zstd.WithEncoderLevel(zstd.SpeedBetterCompression), zstd.WithWindowSize(windowSize),
		zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, fmt.Errorf("codec: %w", err)
	}
	return e, nil
}

// Mirror is what the viewer has after all updates so far. It shares memory with the encoder.
func (e *Encoder) Mirror() *screen.Picture { return e.mirror }

// Encode appends to dst one update, which brings the mirror closer to pic inside clip, and reports whether the mirror
// now equals pic there, as far as it was compared. It appends nothing if nothing differs.
//
// It codes about maxPixels pixels that are new and not flat, text before photos and what is in damage before the rest;
// moves and what was shown before do not count. An update never exceeds MaxUpdate, whatever maxPixels is. damage says
// where pic may differ from the picture of the call before and nil means anywhere; it is a hint: changes outside of it
// are found by the next call with nil. pic is only read, and only during the call; byte X of its pixels must be 0.
func (e *Encoder) Encode(dst []byte, pic *screen.Picture, clip screen.Rect, damage []screen.Rect, maxPixels int) (out []byte, done bool, err error) {
	if pic.Size != e.mirror.Size || len(pic.Pix) != len(e.mirror.Pix) {
		return dst, false, fmt.Errorf("codec: picture of %v pixels, not %v", pic.Size, e.mirror.Size)
	}
	clip = clip.Intersect(pic.Bounds())
	if !e.compare(pic, clip, damage) {
		return dst, true, nil
	}
	e.keep()
	e.move(pic, clip)
	e.recall(pic)
	e.tokens.out = appendSaves(e.tokens.out[:0], e.shelf.saves)
	e.tokens.out = appendMoves(e.tokens.out, e.mover.moves)
	e.tokens.out = appendLoads(e.tokens.out, e.shelf.loads, e.tiles)
	e.choose(pic, damage, maxPixels)
	e.plan()
	e.bits.out = e.bits.out[:0]
	for _, r := range e.regions {
		if len(e.tokens.out)+len(e.bits.out) > maxRaw-regionBytes {
			break
		}
		e.code(pic, r)
	}
	done = !e.settle()
	out, err = e.seal(dst)
	return out, done, err
}

// compare finds the tiles that differ: those in damage and those that were left over. It reports whether there is any.
func (e *Encoder) compare(pic *screen.Picture, clip screen.Rect, damage []screen.Rect) bool {
	e.tiles.clear()
	if damage == nil {
		e.tiles.compare(pic, e.mirror, clip)
		return e.settle()
	}
	for i, p := range e.pending {
		if p {
			e.tiles.compare(pic, e.mirror, e.tiles.rect(i).Intersect(clip))
		}
	}
	for _, r := range damage {
		e.tiles.compare(pic, e.mirror, r.Intersect(clip))
	}
	return e.settle()
}

// settle remembers the tiles that differ and reports whether there is any.
func (e *Encoder) settle() bool {
	left := false
	for i, box := range e.tiles.box {
		e.pending[i] = !box.Empty()
		left = left || e.pending[i]
	}
	return left
}

// keep saves in the store what is about to change.
func (e *Encoder) keep() {
	e.shelf.begin(e.now())
	for i, box := range e.tiles.box {
		if box.Empty() || !e.shelf.touch(i) {
			continue
		}
		tile := e.tiles.rect(i)
		if cost, _ := e.classify(e.mirror, tile); cost >= worthSaving {
			e.shelf.keep(i, e.mirror, tile)
		}
	}
}

// move searches for moves and makes them in the mirror.
func (e *Encoder) move(pic *screen.Picture, clip screen.Rect) {
	e.mover.reset()
	fresh := 0
	for i, box := range e.tiles.box {
		if box.Empty() {
			continue
		}
		if f := e.fingerprint(pic, box); f != e.seen[i] {
			e.seen[i] = f
			fresh++
		}
	}
	if fresh < minMoveTiles {
		return
	}
	e.mover.find(pic, e.mirror, e.tiles, clip)
	for _, m := range e.mover.moves {
		e.warn(e.mirror, m.to)
	}
	e.scratch = applyMoves(e.mirror, e.mover.moves, e.scratch)
	for _, m := range e.mover.moves {
		e.tiles.recompare(pic, e.mirror, m.to, clip)
	}
}

// minMoveTiles is how many tiles must have changed for a search for moves to be worth its time.
const minMoveTiles = 4

// fingerprint samples what the picture shows in a box.
func (e *Encoder) fingerprint(pic *screen.Picture, box screen.Rect) uint64 {
	h := uint64(0)
	for y := box.Min.Y; y < box.Max.Y; y += tileSide / 4 {
		h = h*31 + maphash.Bytes(e.seed, pic.Row(y, box.Min.X, box.Max.X))
	}
	return h
}

// recall loads what the store holds of what still differs.
func (e *Encoder) recall(pic *screen.Picture) {
	for i, box := range e.tiles.box {
		if !box.Empty() && e.shelf.find(i, pic, e.tiles.rect(i), box) {
			e.tiles.box[i] = screen.Rect{}
		}
	}
	for _, c := range e.shelf.loads {
		e.warn(e.mirror, c.box)
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

const (
	maxRegion   = 1 << 16            // greatest area of a coded rectangle, in pixels
	regionBytes = 3*maxRegion + 4096 // that a region, and the zstd stream's own bytes, take at most
	fairTurn    = 4                  // one of so many updates takes all tiles alike
	photoShare  = 65                 // of 100 pixels must need a literal for the photo mode
	photoArea   = 256                // pixels that the photo mode needs to learn
	flatShare   = 8                  // a flat pixel costs this part of one that needs a literal
)

// choose marks the tiles that this update codes: text before photos, damaged before others. One update of fairTurn
// takes all tiles alike and goes on where the last such update ended, so that none starves.
func (e *Encoder) choose(pic *screen.Picture, damage []screen.Rect, budget int) {
	clear(e.chosen)
	for i, box := range e.tiles.box {
		if !box.Empty() {
			e.cost[i], e.photos[i] = e.classify(pic, box)
		}
	}
	if e.turn++; e.turn%fairTurn == 0 {
		e.fair, _ = e.mark(e.fair, budget, func(int) bool { return true })
		return
	}
	for _, photo := range [...]bool{false, true} {
		for _, damaged := range [...]bool{true, false} {
			e.cursor, budget = e.mark(e.cursor, budget, func(i int) bool {
				return e.photos[i] == photo && (!damaged || overlaps(e.tiles.box[i], damage))
			})
			if budget <= 0 {
				return
			}
		}
	}
}

// mark marks tiles that fit, from start on, and returns where it stopped and what is left of the budget.
func (e *Encoder) mark(start, budget int, fits func(i int) bool) (next, left int) {
	n := len(e.tiles.box)
	for j := range n {
		i := (start + j) % n
		if e.tiles.box[i].Empty() || e.chosen[i] || !fits(i) {
			continue
		}
		e.chosen[i] = true
		if budget -= e.cost[i]; budget <= 0 {
			return (i + 1) % n, budget
		}
	}
	return start, budget
}

func overlaps(r screen.Rect, list []screen.Rect) bool {
	for _, d := range list {
		if r.Overlaps(d) {
			return true
		}
	}
	return false
}

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
	return area/flatShare + hard*area/all, hard*100 > all*photoShare && area >= photoArea
}

// plan joins chosen tiles to regions.
func (e *Encoder) plan() {
	e.regions = e.regions[:0]
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
	for i := len(e.regions) - 1; i >= 0; i-- {
		a := &e.regions[i]
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
	e.regions = append(e.regions, r)
}

// code appends a region and brings the mirror up to date. What would take more than three bytes a pixel goes plain.
func (e *Encoder) code(pic *screen.Picture, r region) {
	e.warn(e.mirror, r.rect)
	head, codes := len(e.tokens.out), len(e.bits.out)
	e.saved = e.tokens.palette
	e.tokens.out = appendRect(append(e.tokens.out, r.mode), r.rect)
	body := len(e.tokens.out)
	if r.mode == modePhoto {
		e.codePhoto(pic, r.rect)
	} else {
		e.codeTokens(pic, r.rect)
	}
	if len(e.tokens.out)-body+len(e.bits.out)-codes > 3*r.rect.Dx()*r.rect.Dy() {
		e.tokens.palette = e.saved
		e.bits.out = e.bits.out[:codes]
		e.tokens.out = appendPlain(e.tokens.out[:head], pic, r.rect)
	}
	for ty := r.tiles.Min.Y; ty < r.tiles.Max.Y; ty++ {
		clear(e.tiles.box[ty*e.tiles.cols+r.tiles.Min.X : ty*e.tiles.cols+r.tiles.Max.X])
	}
}

func (e *Encoder) codeTokens(pic *screen.Picture, r screen.Rect) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		up := load(e.rows[0], e.mirror, y-1, r.Min.X, r.Max.X)
		cur := load(e.rows[1], pic, y, r.Min.X, r.Max.X)
		old := load(e.rows[2], e.mirror, y, r.Min.X-1, r.Max.X)
		e.tokens.row(cur, up, old[1:], old[0])
		copy(e.mirror.Row(y, r.Min.X, r.Max.X), pic.Row(y, r.Min.X, r.Max.X))
	}
	e.tokens.flush()
}

func (e *Encoder) codePhoto(pic *screen.Picture, r screen.Rect) {
	e.photo.reset()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		up := load(e.rows[0], e.mirror, y-1, r.Min.X-1, r.Max.X+1)
		cur := load(e.rows[1], pic, y, r.Min.X, r.Max.X)
		left := load(e.rows[2], e.mirror, y, r.Min.X-1, r.Min.X)
		e.photo.row(&e.bits, cur, up, left[0])
		copy(e.mirror.Row(y, r.Min.X, r.Max.X), pic.Row(y, r.Min.X, r.Max.X))
	}
	e.bits.end()
}

func appendPlain(b []byte, pic *screen.Picture, r screen.Rect) []byte {
	b = appendRect(append(b, modeRaw), r)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := pic.Row(y, r.Min.X, r.Max.X)
		for i := 0; i < len(row); i += screen.BytesPerPixel {
			b = append(b, row[i], row[i+1], row[i+2])
		}
	}
	return b
}

// seal compresses the commands and appends the update.
func (e *Encoder) seal(dst []byte) ([]byte, error) {
	e.packed = e.packed[:0]
	if _, err := e.stream.Write(e.tokens.out); err != nil {
		return dst, fmt.Errorf("codec: %w", err)
	}
	if err := e.stream.Flush(); err != nil {
		return dst, fmt.Errorf("codec: %w", err)
	}
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
