package wire

import "jiseki/internal/screen"

// Layout is the arrangement of the desk's monitors.
//
//	generation u32 · width u16 · height u16 · n u8 · n × ( x u16 · y u16 · width u16 · height u16 · primary u8 · name str8 )
//
// Sides are 1 to MaxSide, their product is at most MaxPixels; every monitor lies within the layout.
type Layout struct {
	screen.Layout
}

// Type is TypeLayout.
func (m *Layout) Type() Type { return TypeLayout }

// Append appends the message to b. Names are cut to MaxName bytes.
func (m *Layout) Append(b []byte) []byte {
	b = be.AppendUint32(append(b, byte(TypeLayout)), m.Generation)
	b = appendPoint(b, m.Size)
	b = append(b, byte(len(m.Monitors)))
	for i := range m.Monitors {
		mon := &m.Monitors[i]
		b = appendPoint(b, mon.Bounds.Min)
		b = appendPoint(b, mon.Bounds.Size())
		b = appendFlag(b, mon.Primary)
		b = appendStr8(b, mon.Name)
	}
	return b
}

func (m *Layout) parse(r *reader) {
	m.Generation = r.u32()
	m.Size = r.point()
	r.check(m.Size.X >= 1 && m.Size.X <= MaxSide, "width")
	r.check(m.Size.Y >= 1 && m.Size.Y <= MaxSide, "height")
	r.check(m.Size.X*m.Size.Y <= MaxPixels, "area")
	n := int(r.u8())
	r.check(n >= 1 && n <= MaxMonitors, "n")
	if len(r.b) < n*monitorHead {
		r.fail(Short, "")
	}
	if r.class != "" {
		return
	}
	m.Monitors = make([]screen.Monitor, n)
	for i := range m.Monitors {
		m.Monitors[i] = r.screenMonitor(screen.Rect{Max: m.Size})
	}
}

// screenMonitor reads one monitor, which must lie within bounds.
func (r *reader) screenMonitor(bounds screen.Rect) screen.Monitor {
	at := r.point()
	rect := screen.Rect{Min: at, Max: at.Add(r.point())}
	r.check(!rect.Empty() && rect.In(bounds), "monitor")
	primary := r.flag("primary")
	return screen.Monitor{Name: r.str8("name"), Bounds: rect, Primary: primary}
}

func (r *reader) point() screen.Point {
	x := int(r.u16())
	return screen.Point{X: x, Y: int(r.u16())}
}

func appendPoint(b []byte, p screen.Point) []byte {
	return be.AppendUint16(be.AppendUint16(b, uint16(p.X)), uint16(p.Y))
}
