package screen

import "slices"

// A Region is a set of pixels, kept as rectangles that do not overlap. The zero Region is empty and ready to use. Its
// methods reuse its memory; a Region must not be used by two goroutines at once.
//
// The rectangles are kept in bands, as in X11's regions: ordered by their upper edge, those of a band have the same upper and
// lower edge, are ordered from left to right and do not touch each other. So each set has one form only.
type Region struct {
	rects []Rect
	spare []Rect
	one   [1]Rect
	edges []int
}

// NewRegion returns the union of rects.
func NewRegion(rects ...Rect) *Region {
	g := &Region{}
	for _, r := range rects {
		g.Add(r)
	}
	return g
}

// Rects returns the rectangles: not empty, without overlap, from top to bottom and left to right. They share memory with g
// and are valid until it changes.
func (g *Region) Rects() []Rect { return g.rects }

// Empty reports whether g holds no pixel.
func (g *Region) Empty() bool { return len(g.rects) == 0 }

// Clear removes all pixels.
func (g *Region) Clear() { g.rects = g.rects[:0] }

// Area is the number of pixels.
func (g *Region) Area() int {
	n := 0
	for _, r := range g.rects {
		n += r.Dx() * r.Dy()
	}
	return n
}

// Bounds is the smallest rectangle that holds g.
func (g *Region) Bounds() Rect {
	var b Rect
	for _, r := range g.rects {
		b = b.Union(r)
	}
	return b
}

// Has reports whether g holds a pixel.
func (g *Region) Has(p Point) bool {
	return slices.ContainsFunc(g.rects, p.In)
}

// Overlaps reports whether g and r have a pixel in common.
func (g *Region) Overlaps(r Rect) bool {
	return slices.ContainsFunc(g.rects, r.Overlaps)
}

// Add adds the pixels of r.
func (g *Region) Add(r Rect) { g.combine(g.single(r), func(a, b bool) bool { return a || b }) }

// Subtract removes the pixels of r.
func (g *Region) Subtract(r Rect) {
	if g.Overlaps(r) {
		g.combine(g.single(r), func(a, b bool) bool { return a && !b })
	}
}

// Intersect keeps the pixels that are in r only.
func (g *Region) Intersect(r Rect) { g.combine(g.single(r), func(a, b bool) bool { return a && b }) }

// Union adds the pixels of o.
func (g *Region) Union(o *Region) { g.combine(o.rects, func(a, b bool) bool { return a || b }) }

// Minus removes the pixels of o.
func (g *Region) Minus(o *Region) { g.combine(o.rects, func(a, b bool) bool { return a && !b }) }

// Common keeps the pixels that are in o only.
func (g *Region) Common(o *Region) { g.combine(o.rects, func(a, b bool) bool { return a && b }) }

// Copy makes g the same set as o.
func (g *Region) Copy(o *Region) { g.rects = append(g.rects[:0], o.rects...) }

// Equal reports whether g and o hold the same pixels.
func (g *Region) Equal(o *Region) bool { return slices.Equal(g.rects, o.rects) }

func (g *Region) single(r Rect) []Rect {
	if r.Empty() {
		return nil
	}
	g.one[0] = r
	return g.one[:]
}

// combine sets g to the pixels for which keep(in g, in b) is true. keep(false, false) must be false.
func (g *Region) combine(b []Rect, keep func(a, b bool) bool) {
	a := g.rects
	out := g.spare[:0]
	g.edges = cuts(g.edges[:0], a, b)
	last := 0 // start of the band before
	for i := 1; i < len(g.edges); i++ {
		y0, y1 := g.edges[i-1], g.edges[i]
		a, b = below(a, y0), below(b, y0)
		start := len(out)
		out = mergeBand(out, band(a, y0), band(b, y0), y0, y1, keep)
		if joins(out[last:start], out[start:]) {
			for j := last; j < start; j++ {
				out[j].Max.Y = y1
			}
			out = out[:start]
			continue
		}
		last = start
	}
	g.rects, g.spare = out, g.rects
}

// cuts returns the upper and lower edges of all rectangles, ascending, each once.
func cuts(edges []int, lists ...[]Rect) []int {
	for _, l := range lists {
		for _, r := range l {
			edges = append(edges, r.Min.Y, r.Max.Y)
		}
	}
	slices.Sort(edges)
	return slices.Compact(edges)
}

// below drops the rectangles that end at or above y.
func below(l []Rect, y int) []Rect {
	for len(l) > 0 && l[0].Max.Y <= y {
		l = l[1:]
	}
	return l
}

// band returns the rectangles at the start of l that hold row y.
func band(l []Rect, y int) []Rect {
	n := 0
	for n < len(l) && l[n].Min.Y <= y {
		n++
	}
	return l[:n]
}

// mergeBand appends the rectangles of a band that keep asks for. a and b are ordered from left to right.
func mergeBand(out, a, b []Rect, y0, y1 int, keep func(a, b bool) bool) []Rect {
	inA, inB, open := false, false, false
	x0 := 0
	for len(a) > 0 || len(b) > 0 {
		x := nextEdge(a, b, inA, inB)
		a, inA = pass(a, inA, x)
		b, inB = pass(b, inB, x)
		switch k := keep(inA, inB); {
		case k && !open:
			x0, open = x, true
		case !k && open:
			out = append(out, Rect{Min: Point{X: x0, Y: y0}, Max: Point{X: x, Y: y1}})
			open = false
		}
	}
	return out
}

// nextEdge is the next x at which a or b begins or ends.
func nextEdge(a, b []Rect, inA, inB bool) int {
	switch {
	case len(a) == 0:
		return edge(b, inB)
	case len(b) == 0:
		return edge(a, inA)
	}
	return min(edge(a, inA), edge(b, inB))
}

func edge(l []Rect, in bool) int {
	if in {
		return l[0].Max.X
	}
	return l[0].Min.X
}

// pass steps over the edges of l at x.
func pass(l []Rect, in bool, x int) ([]Rect, bool) {
	if in && l[0].Max.X == x {
		l, in = l[1:], false
	}
	if !in && len(l) > 0 && l[0].Min.X == x {
		in = true
	}
	return l, in
}

// joins reports whether a band continues the one above it.
func joins(above, here []Rect) bool {
	if len(above) == 0 || len(above) != len(here) || above[0].Max.Y != here[0].Min.Y {
		return false
	}
	for i, r := range here {
		if above[i].Min.X != r.Min.X || above[i].Max.X != r.Max.X {
			return false
		}
	}
	return true
}
