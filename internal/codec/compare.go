package codec

import (
	"bytes"

	"jiseki/internal/screen"
)

// A tileMap tells for each tile of 64 x 64 pixels which rectangle of it differs from the mirror.
type tileMap struct {
	size screen.Point // in pixels
	cols int
	rows int
	box  []screen.Rect // what differs in a tile; empty if nothing does
}

func newTileMap(size screen.Point) *tileMap {
	cols, rows := (size.X+tileSide-1)/tileSide, (size.Y+tileSide-1)/tileSide
	return &tileMap{size: size, cols: cols, rows: rows, box: make([]screen.Rect, cols*rows)}
}

func (m *tileMap) clear() { clear(m.box) }

// compare sets the boxes of the tiles that touch clip to what differs between a and b inside clip. It walks in memory
// order: that is 2.5 times as fast as tile after tile.
func (m *tileMap) compare(a, b *screen.Picture, clip screen.Rect) {
	for y := clip.Min.Y; y < clip.Max.Y; y++ {
		ra, rb := a.Row(y, clip.Min.X, clip.Max.X), b.Row(y, clip.Min.X, clip.Max.X)
		if bytes.Equal(ra, rb) {
			continue
		}
		boxes := m.box[y/tileSide*m.cols:]
		for x := clip.Min.X; x < clip.Max.X; {
			end := min(x/tileSide*tileSide+tileSide, clip.Max.X)
			sa, sb := a.Row(y, x, end), b.Row(y, x, end)
			if !bytes.Equal(sa, sb) {
				grow(&boxes[x/tileSide], x, y, sa, sb)
			}
			x = end
		}
	}
}

// grow extends a box by the pixels that differ in one row of a tile, which starts at x.
func grow(box *screen.Rect, x, y int, a, b []byte) {
	if box.Empty() {
		*box = screen.Rect{Min: screen.Point{X: x + len(a)/4, Y: y}, Max: screen.Point{X: x, Y: y + 1}}
	}
	box.Min.Y, box.Max.Y = min(box.Min.Y, y), max(box.Max.Y, y+1)
	for i := 0; i < len(a) && x+i/4 < box.Min.X; i += 4 {
		if *(*[4]byte)(a[i:]) != *(*[4]byte)(b[i:]) {
			box.Min.X = x + i/4
		}
	}
	for i := len(a) - 4; i >= 0 && x+i/4 >= box.Max.X; i -= 4 {
		if *(*[4]byte)(a[i:]) != *(*[4]byte)(b[i:]) {
			box.Max.X = x + i/4 + 1
		}
	}
}

// recompare compares the tiles that touch r again, as far as they are inside clip.
func (m *tileMap) recompare(a, b *screen.Picture, r, clip screen.Rect) {
	t := m.tiles(r)
	for ty := t.Min.Y; ty < t.Max.Y; ty++ {
		clear(m.box[ty*m.cols+t.Min.X : ty*m.cols+t.Max.X])
	}
	px := screen.Rect{Min: t.Min.Mul(tileSide), Max: t.Max.Mul(tileSide)}
	m.compare(a, b, px.Intersect(clip))
}

// tiles returns the tiles that touch r, in tiles.
func (m *tileMap) tiles(r screen.Rect) screen.Rect {
	return screen.Rect{
		Min: screen.Point{X: r.Min.X / tileSide, Y: r.Min.Y / tileSide},
		Max: screen.Point{X: (r.Max.X + tileSide - 1) / tileSide, Y: (r.Max.Y + tileSide - 1) / tileSide},
	}
}

// rect is the rectangle of tile i, in pixels.
func (m *tileMap) rect(i int) screen.Rect {
	x, y := i%m.cols*tileSide, i/m.cols*tileSide
	return screen.Rect{Min: screen.Point{X: x, Y: y}, Max: screen.Point{X: min(x+tileSide, m.size.X), Y: min(y+tileSide, m.size.Y)}}
}

// bounds is the smallest rectangle around all boxes.
func (m *tileMap) bounds() screen.Rect {
	var r screen.Rect
	for _, box := range m.box {
		r = r.Union(box)
	}
	return r
}
