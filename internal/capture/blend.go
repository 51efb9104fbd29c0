package capture

import (
	"bytes"
	"encoding/binary"

	"jiseki/internal/screen"
)

// bandHeight is the height of the strips for which one rectangle of damage each is reported.
const bandHeight = 64

// visible is the part of two pixels, read as one little-endian number, that is colour.
const visible = 0x00ffffff_00ffffff

// blend copies the rectangle r from src, which holds its rows without gaps, into p. The fourth byte of each pixel
// becomes 0. It appends the smallest rectangle around what changed in each band to damage.
func blend(p *screen.Picture, r screen.Rect, src []byte, damage []screen.Rect) []screen.Rect {
	stride := r.Dx() * screen.BytesPerPixel
	for top := r.Min.Y; top < r.Max.Y; {
		bottom := min(r.Max.Y, (top/bandHeight+1)*bandHeight)
		var changed screen.Rect
		for y := top; y < bottom; y++ {
			row := src[(y-r.Min.Y)*stride : (y-r.Min.Y+1)*stride]
			if x0, x1 := blendRow(p.Row(y, r.Min.X, r.Max.X), row); x0 < x1 {
				row := screen.Rect{Min: screen.Point{X: x0, Y: y}, Max: screen.Point{X: x1, Y: y + 1}}
				changed = changed.Union(row.Add(screen.Point{X: r.Min.X}))
			}
		}
		if !changed.Empty() {
			damage = append(damage, changed)
		}
		top = bottom
	}
	return damage
}

// blendRow copies a row of pixels and returns the range of pixels that differed: x0 included, x1 excluded.
func blendRow(dst, src []byte) (x0, x1 int) {
	if bytes.Equal(dst, src) { // the common case, at memory speed
		return 0, 0
	}
	x0, x1 = 0, len(src)/screen.BytesPerPixel
	for x0 < x1 && pixel(src, x0) == pixel(dst, x0) {
		x0++
	}
	for x0 < x1 && pixel(src, x1-1) == pixel(dst, x1-1) {
		x1--
	}
	copyVisible(dst[x0*screen.BytesPerPixel:x1*screen.BytesPerPixel], src[x0*screen.BytesPerPixel:])
	return x0, x1
}

func pixel(row []byte, x int) uint32 {
	return binary.LittleEndian.Uint32(row[x*screen.BytesPerPixel:]) & uint32(visible&0xffffffff)
}

// copyVisible fills dst with the pixels of src, the fourth byte of each made 0.
func copyVisible(dst, src []byte) {
	le := binary.LittleEndian
	for len(dst) >= 32 && len(src) >= 32 {
		le.PutUint64(dst, le.Uint64(src)&visible)
		le.PutUint64(dst[8:], le.Uint64(src[8:])&visible)
		le.PutUint64(dst[16:], le.Uint64(src[16:])&visible)
		le.PutUint64(dst[24:], le.Uint64(src[24:])&visible)
		dst, src = dst[32:], src[32:]
	}
	for len(dst) >= 4 {
		le.PutUint32(dst, pixel(src, 0))
		dst, src = dst[4:], src[4:]
	}
}
