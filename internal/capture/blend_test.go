package capture

import (
	"bytes"
	"image"
	"testing"

	"pgregory.net/rapid"

	"jiseki/internal/screen"
)

// TestBlend compares blend with what it promises, pixel by pixel.
func TestBlend(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := screen.Point{X: rapid.IntRange(1, 40).Draw(t, "w"), Y: rapid.IntRange(1, 150).Draw(t, "h")}
		p := screen.NewPicture(size)
		for i := range p.Pix {
			p.Pix[i] = byte(i % 4 % 3 * 7)
		}
		for i := 3; i < len(p.Pix); i += 4 {
			p.Pix[i] = 0
		}
		x, y := rapid.IntRange(0, size.X-1).Draw(t, "x"), rapid.IntRange(0, size.Y-1).Draw(t, "y")
		r := image.Rect(x, y, rapid.IntRange(x+1, size.X).Draw(t, "x1"), rapid.IntRange(y+1, size.Y).Draw(t, "y1"))
		src := make([]byte, 0, r.Dx()*r.Dy()*4)
		for yy := r.Min.Y; yy < r.Max.Y; yy++ {
			src = append(src, p.Row(yy, r.Min.X, r.Max.X)...)
		}
		for range rapid.IntRange(0, 5).Draw(t, "changes") {
			src[rapid.IntRange(0, len(src)-1).Draw(t, "at")] ^= byte(rapid.IntRange(1, 255).Draw(t, "by"))
		}
		checkBlend(t, p, r, src)
	})
}

func checkBlend(t *rapid.T, p *screen.Picture, r screen.Rect, src []byte) {
	before := bytes.Clone(p.Pix)
	damage := blend(p, r, src, nil)
	for y := range p.Size.Y {
		for x := range p.Size.X {
			want := before[(y*p.Size.X+x)*4:][:4]
			if at := image.Pt(x, y); at.In(r) {
				want = bytes.Clone(src[((y-r.Min.Y)*r.Dx()+x-r.Min.X)*4:][:4])
				want[3] = 0
			}
			got := p.Row(y, x, x+1)
			if !bytes.Equal(got, want) {
				t.Fatalf("pixel %d,%d is %v, want %v", x, y, got, want)
			}
			if !bytes.Equal(got, before[(y*p.Size.X+x)*4:][:4]) && !covered(damage, image.Pt(x, y)) {
				t.Fatalf("pixel %d,%d changed outside of %v", x, y, damage)
			}
		}
	}
	if bytes.Equal(before, p.Pix) != (len(damage) == 0) {
		t.Fatalf("damage %v of a picture that changed: %v", damage, !bytes.Equal(before, p.Pix))
	}
}

func covered(rects []screen.Rect, p screen.Point) bool {
	for _, r := range rects {
		if p.In(r) {
			return true
		}
	}
	return false
}

func BenchmarkBlend(b *testing.B) {
	p := screen.NewPicture(screen.Point{X: 1920, Y: 1080})
	same, other := bytes.Clone(p.Pix), bytes.Repeat([]byte{1, 2, 3, 4}, len(p.Pix)/4)
	third := bytes.Repeat([]byte{4, 3, 2, 1}, len(p.Pix)/4)
	rects := make([]screen.Rect, 0, 64)
	b.Run("same", func(b *testing.B) {
		for b.Loop() {
			blend(p, p.Bounds(), same, rects)
		}
	})
	b.Run("different", func(b *testing.B) {
		for b.Loop() {
			blend(p, p.Bounds(), other, rects)
			other, third = third, other
		}
	})
}
