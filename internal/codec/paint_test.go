package codec

import (
	"encoding/binary"

	"jiseki/internal/screen"
)

// What follows paints things that look to a coder like parts of a desktop.

func set(p *screen.Picture, x, y int, c uint32) {
	if (screen.Point{X: x, Y: y}).In(p.Bounds()) {
		binary.LittleEndian.PutUint32(p.Row(y, x, x+1), c)
	}
}

// each sets the pixels of r, which lies in the picture, row after row.
func each(p *screen.Picture, r screen.Rect, colour func(x, y int) uint32) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := p.Row(y, r.Min.X, r.Max.X)
		for x := r.Min.X; x < r.Max.X; x++ {
			binary.LittleEndian.PutUint32(row[4*(x-r.Min.X):], colour(x, y))
		}
	}
}

func fill(p *screen.Picture, r screen.Rect, c uint32) {
	each(p, r, func(int, int) uint32 { return c })
}

// A dice is a small generator of numbers.
type dice uint32

func (d *dice) roll(n int) int {
	*d = *d*1664525 + 1013904223
	return int(uint32(*d)>>8) % n
}

// text paints lines of glyphs out of a small set, with soft edges, on the ground that is there.
func text(p *screen.Picture, r screen.Rect, seed uint32) {
	d := dice(seed)
	for y := r.Min.Y; y+10 <= r.Max.Y; y += 14 {
		for x := r.Min.X; x+9 <= r.Max.X; x += 10 {
			glyph := dice(d.roll(60))
			for gy := range 10 {
				for gx := range 9 {
					switch glyph.roll(4) {
					case 0:
						set(p, x+gx, y+gy, 0x202020)
					case 1:
						set(p, x+gx, y+gy, uint32(0x606468+glyph.roll(5)*0x101818))
					}
				}
			}
		}
	}
}

// photo paints smooth colours with noise.
func photo(p *screen.Picture, r screen.Rect, seed uint32) {
	d := dice(seed)
	a, b := d.roll(7)+1, d.roll(5)+1
	each(p, r, func(x, y int) uint32 {
		n := d.roll(9)
		return uint32(byte(x*a/3+n))<<16 | uint32(byte((x+y*b)/2+n))<<8 | uint32(byte(y+n+d.roll(3)))
	})
}

// scroll moves the pixels in r up by n rows and paints new text below.
func scroll(p *screen.Picture, r screen.Rect, n int) {
	for y := r.Min.Y; y < r.Max.Y-n; y++ {
		copy(p.Row(y, r.Min.X, r.Max.X), p.Row(y+n, r.Min.X, r.Max.X))
	}
	bottom := screen.Rect{Min: screen.Point{X: r.Min.X, Y: r.Max.Y - n}, Max: r.Max}
	fill(p, bottom, 0xe8e8f0)
	text(p, bottom, uint32(n))
}

// noise paints what no coder can shorten.
func noise(p *screen.Picture, r screen.Rect, seed uint32) {
	d := dice(seed)
	each(p, r, func(int, int) uint32 { return uint32(d.roll(1<<12))<<12 | uint32(d.roll(1<<12)) })
}

// sparse changes single pixels all over the picture.
func sparse(p *screen.Picture, seed uint32) {
	d := dice(seed)
	for range p.Size.X * p.Size.Y / 5 {
		set(p, d.roll(p.Size.X), d.roll(p.Size.Y), uint32(d.roll(1<<24)))
	}
}

// drag moves the pixels of r by d and returns what changed.
func drag(p *screen.Picture, r screen.Rect, d screen.Point) screen.Rect {
	old := append([]byte(nil), p.Pix...)
	src := &screen.Picture{Size: p.Size, Pix: old}
	fill(p, r, 0x808080)
	to := r.Add(d).Intersect(p.Bounds())
	for y := to.Min.Y; y < to.Max.Y; y++ {
		copy(p.Row(y, to.Min.X, to.Max.X), src.Row(y-d.Y, to.Min.X-d.X, to.Max.X-d.X))
	}
	return r.Union(to)
}
