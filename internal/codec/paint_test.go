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

func fill(p *screen.Picture, r screen.Rect, c uint32) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			set(p, x, y, c)
		}
	}
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
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			n := d.roll(9)
			set(p, x, y, uint32(byte(x*a/3+n))<<16|uint32(byte((x+y*b)/2+n))<<8|uint32(byte(y+n+d.roll(3))))
		}
	}
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
