package codec

import (
	"encoding/binary"
	"fmt"
)

// Tokens. A run of n has n-1 in the low bits of its token, or the greatest value of these bits and then n-1 minus that
// value as a uvarint.
const (
	tokIndex  = 0x00 // 00iiiiii: the colour at index i
	tokDiff   = 0x40 // 01rrggbb: left pixel + (r-2, g-2, b-2)
	tokLuma   = 0x80 // 10gggggg rrrrbbbb: left pixel + (g-32+r-8, g-32, g-32+b-8)
	tokUp     = 0xc0 // 110nnnnn: as the pixels above
	tokLeft   = 0xe0 // 1110nnnn: as the pixel to the left
	tokSkip   = 0xf0 // 11110nnn: as it is
	tokIndex2 = 0xf8 // 111110hh iiiiiiii: the colour at second index
	tokRGB    = 0xff // b g r
)

const (
	maxUp   = 31
	maxLeft = 15
	maxSkip = 7
	maxRun  = 1 << 28 // more than the bits of a token say

	// A run of pixels that stay must be longer by this than the others: what was there before does not come again, so such
	// tokens spoil the history.
	skipBias = 16
)

// A palette remembers recent colours by a hash of theirs.
type palette struct {
	first  [64]uint32
	second [1024]uint32
}

func hash6(c uint32) uint32  { return c * 0x9e3779b1 >> 26 }
func hash10(c uint32) uint32 { return c * 0x9e3779b1 >> 22 }

// tokenizer turns the rows of a rectangle into tokens. Runs go on over the ends of rows.
type tokenizer struct {
	palette palette
	out     []byte
	kind    byte // of the run that is open, 0 if none
	run     int
}

// row appends the tokens of a row cur. up is the row above it, old what the picture holds, left the pixel before
// cur[0].
func (t *tokenizer) row(cur, up, old []uint32, left uint32) {
	w := len(cur)
	up, old = up[:w], old[:w]
	for x := 0; x < w; {
		kind, n := t.longest(cur[x:], up[x:], old[x:], left, x == 0)
		if n == 0 {
			t.flush()
			t.literal(cur[x], left)
			left = cur[x]
			x++
			continue
		}
		if kind != t.kind {
			t.flush()
			t.kind = kind
		}
		t.run += n
		x += n
		left = cur[x-1]
	}
}

// longest chooses the run that reaches farthest from here; at the start of a row it likes the open one best.
func (t *tokenizer) longest(cur, up, old []uint32, left uint32, start bool) (kind byte, n int) {
	c := cur[0]
	nu, nl, ns := 0, 0, 0
	if c == up[0] {
		nu = same(cur, up)
	}
	if c == left {
		nl = repeat(cur)
	}
	if c == old[0] {
		ns = same(cur, old)
	}
	kind, n = tokUp, nu
	if nl > n {
		kind, n = tokLeft, nl
	}
	if ns > n+skipBias {
		kind, n = tokSkip, ns
	}
	if start && t.run > 0 {
		switch t.kind {
		case tokUp:
			start = nu == n
		case tokLeft:
			start = nl == n
		case tokSkip:
			start = ns >= n
		}
		if start && n > 0 {
			kind = t.kind
		}
	}
	return kind, n
}

func same(a, b []uint32) int {
	b = b[:len(a)]
	for i, v := range a {
		if v != b[i] {
			return i
		}
	}
	return len(a)
}

func repeat(a []uint32) int {
	v := a[0]
	for i, w := range a {
		if w != v {
			return i
		}
	}
	return len(a)
}

// flush ends the open run.
func (t *tokenizer) flush() {
	if t.run == 0 {
		return
	}
	limit := maxUp
	switch t.kind {
	case tokLeft:
		limit = maxLeft
	case tokSkip:
		limit = maxSkip
	}
	n := t.run - 1
	t.out = append(t.out, t.kind|byte(min(n, limit)))
	if n >= limit {
		t.out = binary.AppendUvarint(t.out, uint64(n-limit))
	}
	t.run, t.kind = 0, 0
}

func (t *tokenizer) literal(c, left uint32) {
	i := hash6(c)
	if t.palette.first[i] == c {
		t.out = append(t.out, tokIndex|byte(i))
		return
	}
	t.palette.first[i] = c
	dr, dg, db := int8(c>>16)-int8(left>>16), int8(c>>8)-int8(left>>8), int8(c)-int8(left)
	if dr >= -2 && dr < 2 && dg >= -2 && dg < 2 && db >= -2 && db < 2 {
		t.out = append(t.out, tokDiff|byte(dr+2)<<4|byte(dg+2)<<2|byte(db+2))
		return
	}
	j := hash10(c)
	if t.palette.second[j] == c {
		t.out = append(t.out, tokIndex2|byte(j>>8), byte(j))
		return
	}
	t.palette.second[j] = c
	dr, db = dr-dg, db-dg
	if dg >= -32 && dg < 32 && dr >= -8 && dr < 8 && db >= -8 && db < 8 {
		t.out = append(t.out, tokLuma|byte(dg+32), byte(dr+8)<<4|byte(db+8))
		return
	}
	t.out = append(t.out, tokRGB, byte(c), byte(c>>8), byte(c>>16))
}

// untokenizer turns tokens back into rows.
type untokenizer struct {
	palette palette
	kind    byte
	run     int
}

// row fills cur, which holds what the picture held, and returns the rest of the tokens.
func (t *untokenizer) row(in []byte, cur, up []uint32, left uint32) ([]byte, error) {
	up = up[:len(cur)]
	for x := 0; x < len(cur); {
		if t.run > 0 {
			n := min(t.run, len(cur)-x)
			t.run -= n
			switch t.kind {
			case tokUp:
				copy(cur[x:x+n], up[x:])
			case tokLeft:
				for i := x; i < x+n; i++ {
					cur[i] = left
				}
			}
			x += n
			left = cur[x-1]
			continue
		}
		var err error
		if in, err = t.token(in, &left); err != nil {
			return nil, err
		}
		if t.run == 0 {
			cur[x] = left
			x++
		}
	}
	return in, nil
}

// token reads a token: it opens a run, or sets pixel, which holds the pixel to the left, to the next colour.
func (t *untokenizer) token(in []byte, pixel *uint32) ([]byte, error) {
	if len(in) == 0 {
		return nil, errShort
	}
	b := in[0]
	in = in[1:]
	left := *pixel
	switch {
	case b < tokDiff:
		*pixel = t.palette.first[b]
		return in, nil
	case b < tokLuma:
		*pixel = add(left, b>>4&3-2, b>>2&3-2, b&3-2)
		t.palette.first[hash6(*pixel)] = *pixel
		return in, nil
	case b < tokUp:
		if len(in) < 1 {
			return nil, errShort
		}
		g := b&63 - 32
		*pixel = add(left, g+in[0]>>4-8, g, g+in[0]&15-8)
		t.remember(*pixel)
		return in[1:], nil
	case b < tokLeft:
		return t.open(tokUp, int(b&maxUp), maxUp, in)
	case b < tokSkip:
		return t.open(tokLeft, int(b&maxLeft), maxLeft, in)
	case b < tokIndex2:
		return t.open(tokSkip, int(b&maxSkip), maxSkip, in)
	case b < tokIndex2+4:
		if len(in) < 1 {
			return nil, errShort
		}
		*pixel = t.palette.second[int(b&3)<<8|int(in[0])]
		t.palette.first[hash6(*pixel)] = *pixel
		return in[1:], nil
	case b == tokRGB:
		if len(in) < 3 {
			return nil, errShort
		}
		*pixel = uint32(in[0]) | uint32(in[1])<<8 | uint32(in[2])<<16
		t.remember(*pixel)
		return in[3:], nil
	}
	return nil, fmt.Errorf("%w: token %#x", errRange, b)
}

func (t *untokenizer) remember(c uint32) {
	t.palette.first[hash6(c)] = c
	t.palette.second[hash10(c)] = c
}

func (t *untokenizer) open(kind byte, n, limit int, in []byte) ([]byte, error) {
	t.kind, t.run = kind, n+1
	if n < limit {
		return in, nil
	}
	more, in, err := uvarint(in, maxRun)
	t.run += more
	return in, err
}

// add adds to the channels of a pixel, each modulo 256.
func add(c uint32, r, g, b byte) uint32 {
	return uint32(byte(c>>16)+r)<<16 | uint32(byte(c>>8)+g)<<8 | uint32(byte(c)+b)
}
