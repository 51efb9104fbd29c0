package screen

import (
	"image"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

const side = 12

// A bitmap is the model of a region: one bool a pixel.
type bitmap [side * side]bool

func (m *bitmap) change(r Rect, f func(old, in bool) bool) {
	for i := range m {
		m[i] = f(m[i], Point{X: i % side, Y: i / side}.In(r))
	}
}

func drawRect(t *rapid.T) Rect {
	v := rapid.SliceOfN(rapid.IntRange(0, side), 4, 4).Draw(t, "rect")
	return Rect{Min: Point{X: v[0], Y: v[1]}, Max: Point{X: v[2], Y: v[3]}}
}

func or(a, b bool) bool    { return a || b }
func minus(a, b bool) bool { return a && !b }
func and(a, b bool) bool   { return a && b }

// agree checks that a region is what the model says, and its form.
func agree(t *rapid.T, g *Region, m *bitmap) {
	var got bitmap
	area := 0
	for _, r := range g.Rects() {
		if r.Empty() {
			t.Fatalf("empty rectangle in %v", g.Rects())
		}
		area += r.Dx() * r.Dy()
		got.change(r, or)
	}
	if got != *m {
		t.Fatalf("%v holds other pixels than the model", g.Rects())
	}
	n := 0
	for i, in := range m {
		if in {
			n++
		}
		if p := (Point{X: i % side, Y: i / side}); g.Has(p) != in || g.Overlaps(Rect{Min: p, Max: p.Add(Point{X: 1, Y: 1})}) != in {
			t.Fatalf("pixel %v", p)
		}
	}
	if n != area || g.Area() != n || g.Empty() != (n == 0) {
		t.Fatalf("area of %v is %d, want %d without overlap", g.Rects(), area, n)
	}
	if !slices.IsSortedFunc(g.Rects(), func(a, b Rect) int {
		if a.Min.Y != b.Min.Y {
			return a.Min.Y - b.Min.Y
		}
		return a.Min.X - b.Min.X
	}) {
		t.Fatalf("%v is not in order", g.Rects())
	}
}

func TestRegion(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, m := &Region{}, &bitmap{}
		other, model := &Region{}, &bitmap{}
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			r := drawRect(t)
			switch rapid.IntRange(0, 8).Draw(t, "step") {
			case 0, 1:
				g.Add(r)
				m.change(r, or)
			case 2:
				g.Subtract(r)
				m.change(r, minus)
			case 3:
				g.Intersect(r)
				m.change(r, and)
			case 4:
				other.Add(r)
				model.change(r, or)
			case 5:
				g.Union(other)
				m.with(model, or)
			case 6:
				g.Minus(other)
				m.with(model, minus)
			case 7:
				g.Common(other)
				m.with(model, and)
			case 8:
				g, other, m, model = other, g, model, m
			}
			agree(t, g, m)
			agree(t, other, model)
		}
	})
}

func (m *bitmap) with(o *bitmap, f func(a, b bool) bool) {
	for i := range m {
		m[i] = f(m[i], o[i])
	}
}

// TestRegionForm checks that the same pixels always give the same rectangles, however they came together.
func TestRegionForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m bitmap
		a := &Region{}
		for range rapid.IntRange(1, 8).Draw(t, "rects") {
			r := drawRect(t)
			a.Add(r)
			m.change(r, or)
		}
		b := &Region{}
		for i, in := range m {
			if in {
				b.Add(image.Rect(i%side, i/side, i%side+1, i/side+1))
			}
		}
		if !a.Equal(b) {
			t.Fatalf("%v and %v hold the same pixels", a.Rects(), b.Rects())
		}
		c := NewRegion(a.Rects()...)
		c.Minus(a)
		if !c.Empty() || a.Bounds() != b.Bounds() {
			t.Fatalf("%v is left of %v", c.Rects(), a.Rects())
		}
	})
}

func TestRegionCopy(t *testing.T) {
	a := NewRegion(image.Rect(0, 0, 4, 4), image.Rect(2, 2, 6, 6))
	b := &Region{}
	b.Copy(a)
	a.Clear()
	if b.Area() != 28 || !a.Empty() {
		t.Errorf("areas %d and %d", b.Area(), a.Area())
	}
}

func BenchmarkRegionAdd(b *testing.B) {
	g := &Region{}
	b.ReportAllocs()
	for b.Loop() {
		g.Clear()
		for i := range 32 {
			x, y := i*379%1800, i*211%1000
			g.Add(image.Rect(x, y, x+100, y+60))
		}
	}
}
