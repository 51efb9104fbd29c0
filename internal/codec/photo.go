package codec

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// The photo mode codes the planes G, R-G+128 and B-G+128 (mod 256), pixel by pixel, as the residuals of the median edge
// predictor of LOCO-I (M. Weinberger, G. Seroussi, G. Sapiro, "LOCO-I: A Low Complexity, Context-Based, Lossless Image
// Compression Algorithm", 1996) in adaptive Golomb-Rice codes; the context is how busy the neighbourhood is.
const (
	photoContexts = 20
	photoEscape   = 16 // a unary part of this many ones announces 8 plain bits
	photoHalf     = 64 // a context's statistics are halved at this count
)

// A photoModel is the state of the photo mode within one rectangle.
type photoModel struct {
	context [3][photoContexts]photoContext
}

type photoContext struct{ sum, count uint32 }

func (m *photoModel) reset() {
	for p := range m.context {
		for i := range m.context[p] {
			m.context[p][i] = photoContext{sum: 1 << (i >> 2), count: 1}
		}
	}
}

func (c *photoContext) k() uint32 {
	k := uint32(0)
	for c.count<<k < c.sum {
		k++
	}
	return k
}

func (c *photoContext) update(u uint32) {
	c.sum += u
	c.count++
	if c.count == photoHalf {
		c.sum, c.count = c.sum>>1, c.count>>1
	}
}

// busy maps a neighbourhood's sum of absolute differences to a context: twice the bit length and the bit below the
// first.
func busy(sum uint32) uint32 {
	if sum < 2 {
		return sum
	}
	n := uint32(bits.Len32(sum))
	return 2*n - 2 + sum>>(n-2)&1
}

func planesOf(c uint32) (g, r, b int32) {
	g = int32(c >> 8 & 255)
	return g, (int32(c>>16&255) - g + 128) & 255, (int32(c&255) - g + 128) & 255
}

func predict(a, b, c int32) int32 {
	lo, hi := min(a, b), max(a, b)
	return max(lo, min(hi, lo+hi-c))
}

func abs(v int32) int32 {
	m := v >> 31
	return (v ^ m) - m
}

// row appends the codes of a row. up is the row above from one pixel left of cur to one pixel right of it, left the
// pixel before cur[0].
func (m *photoModel) row(w *bitWriter, cur, up []uint32, left uint32) {
	up = up[:len(cur)+2]
	ag, ar, ab := planesOf(left)
	cg, cr, cb := planesOf(up[0])
	bg, br, bb := planesOf(up[1])
	for x, v := range cur {
		dg, dr, db := planesOf(up[x+2])
		g, r, b := planesOf(v)
		act := uint32(abs(bg-cg) + abs(cg-ag) + abs(dg-bg))
		e := m.put(w, 0, act, g-predict(ag, bg, cg))
		act = uint32(abs(br-cr)+abs(cr-ar)+abs(dr-br)) + e
		m.put(w, 1, act, r-predict(ar, br, cr))
		act = uint32(abs(bb-cb)+abs(cb-ab)+abs(db-bb)) + e
		m.put(w, 2, act, b-predict(ab, bb, cb))
		ag, ar, ab = g, r, b
		cg, cr, cb = bg, br, bb
		bg, br, bb = dg, dr, db
	}
}

func (m *photoModel) put(w *bitWriter, plane int, act uint32, residual int32) uint32 {
	c := &m.context[plane][busy(act)]
	e := int32(int8(residual))
	u := uint32(e<<1 ^ e>>31)
	k := c.k()
	c.update(u)
	if q := u >> k; q < photoEscape {
		w.put((uint64(1)<<q-1)<<(1+k)|uint64(u&(1<<k-1)), q+1+k)
	} else {
		w.put((1<<photoEscape-1)<<8|uint64(u), photoEscape+8)
	}
	return u
}

// unrow reads a row into cur.
func (m *photoModel) unrow(r *bitReader, cur, up []uint32, left uint32) {
	up = up[:len(cur)+2]
	ag, ar, ab := planesOf(left)
	cg, cr, cb := planesOf(up[0])
	bg, br, bb := planesOf(up[1])
	for x := range cur {
		dg, dr, db := planesOf(up[x+2])
		e, u := m.get(r, 0, uint32(abs(bg-cg)+abs(cg-ag)+abs(dg-bg)))
		ag = (predict(ag, bg, cg) + e) & 255
		e, _ = m.get(r, 1, uint32(abs(br-cr)+abs(cr-ar)+abs(dr-br))+u)
		ar = (predict(ar, br, cr) + e) & 255
		e, _ = m.get(r, 2, uint32(abs(bb-cb)+abs(cb-ab)+abs(db-bb))+u)
		ab = (predict(ab, bb, cb) + e) & 255
		cur[x] = uint32(ar+ag-128)&255<<16 | uint32(ag)<<8 | uint32(ab+ag-128)&255
		cg, cr, cb = bg, br, bb
		bg, br, bb = dg, dr, db
	}
}

func (m *photoModel) get(r *bitReader, plane int, act uint32) (residual int32, u uint32) {
	c := &m.context[plane][busy(act)]
	k := c.k()
	if r.n < photoEscape+16 {
		r.fill()
	}
	q := uint32(bits.LeadingZeros32(^uint32(r.bits >> 32)))
	if q < photoEscape {
		r.drop(q + 1)
		u = q<<k | r.take(k)
		if u > 255 {
			r.bad, u = true, 255
		}
	} else {
		r.drop(photoEscape)
		u = r.take(8)
	}
	c.update(u)
	return int32(u>>1) ^ -int32(u&1), u
}

// A bitWriter appends bits, the first one highest in its byte.
type bitWriter struct {
	out  []byte
	bits uint64
	n    uint32
}

func (w *bitWriter) put(v uint64, n uint32) {
	if w.n+n > 64 {
		w.spill()
	}
	w.bits = w.bits<<n | v
	w.n += n
}

func (w *bitWriter) spill() {
	for w.n >= 8 {
		w.n -= 8
		w.out = append(w.out, byte(w.bits>>w.n))
	}
}

// end fills the last byte with zeros.
func (w *bitWriter) end() {
	w.spill()
	if w.n > 0 {
		w.out = append(w.out, byte(w.bits<<(8-w.n)))
	}
	w.bits, w.n = 0, 0
}

// A bitReader reads bits, the highest of a byte first. Behind the end it reads zeros and counts them.
type bitReader struct {
	in    []byte
	pos   int    // the next byte of in
	bits  uint64 // the next bits, left aligned; below the first n they may already hold what follows
	n     uint32 // how many are there
	extra uint32 // how many of them came from behind the end
	bad   bool   // a code was out of range
}

func (r *bitReader) fill() {
	if r.pos+8 <= len(r.in) {
		r.bits |= binary.BigEndian.Uint64(r.in[r.pos:]) >> r.n
		k := (63 - r.n) >> 3
		r.pos += int(k)
		r.n += 8 * k
		return
	}
	for r.n <= 56 {
		if r.pos < len(r.in) {
			r.bits |= uint64(r.in[r.pos]) << (56 - r.n)
			r.pos++
		} else {
			r.extra += 8
		}
		r.n += 8
	}
}

func (r *bitReader) drop(n uint32) { r.bits <<= n; r.n -= n }

func (r *bitReader) take(n uint32) uint32 {
	v := uint32(r.bits >> 32 >> (32 - n))
	r.drop(n)
	return v
}

// end closes the codes of a rectangle: the bits up to the byte's end must be zero, and none may have been missing. The
// next rectangle's codes begin with a new byte.
func (r *bitReader) end() error {
	if r.extra > r.n {
		return errShort
	}
	if r.take(r.n&7) != 0 || r.bad {
		return fmt.Errorf("%w: codes of a photo", errRange)
	}
	r.pos -= int(r.n-r.extra) / 8
	r.bits, r.n, r.extra = 0, 0, 0
	return nil
}
