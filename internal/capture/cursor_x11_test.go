//go:build linux

package capture

import (
	"image"
	"testing"

	"jiseki/internal/x11"
)

// TestHotSpotLiesWithin takes the images that servers tell of, whose hot spot may lie outside.
func TestHotSpotLiesWithin(t *testing.T) {
	for _, c := range []struct{ size, hot, want image.Point }{
		{image.Pt(16, 16), image.Pt(3, 15), image.Pt(3, 15)},
		{image.Pt(1, 1), image.Pt(8, 8), image.Pt(0, 0)},
		{image.Pt(16, 8), image.Pt(16, 9), image.Pt(15, 7)},
		{image.Pt(0, 0), image.Pt(4, 0), image.Pt(0, 0)},
	} {
		k := &x11.CursorImage{Size: c.size, Hot: c.hot, ARGB: make([]uint32, c.size.X*c.size.Y)}
		if got := fromARGB(k); got.Hot != c.want || got.Size != c.size {
			t.Errorf("%v with the hot spot %v became %v with %v, want %v", c.size, c.hot, got.Size, got.Hot, c.want)
		}
	}
}
