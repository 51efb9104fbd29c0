package wire

import "jiseki/internal/screen"

// Cursor puts a pointer shape into a slot of the viewer and shows it. A Size of 0 × 0 hides the pointer.
//
//	slot u8 · width u16 · height u16 · hot_x u16 · hot_y u16 · width × height × 4 B
//
// Sides are at most MaxCursorSide, the hot spot lies within the shape (or is 0, 0 if the pointer is hidden).
type Cursor struct {
	Slot          uint8 // below CursorSlots
	screen.Cursor       // Pix is R, G, B, A premultiplied; after parsing a view into the parsed bytes
}

// Type is TypeCursor.
func (m *Cursor) Type() Type { return TypeCursor }

// Append appends the message to b.
func (m *Cursor) Append(b []byte) []byte {
	b = append(b, byte(TypeCursor), m.Slot)
	b = appendPoint(b, m.Size)
	b = appendPoint(b, m.Hot)
	return append(b, m.Pix...)
}

func (m *Cursor) parse(r *reader) {
	m.Slot = r.slot()
	m.Size = r.point()
	r.check(m.Size.X <= MaxCursorSide, "width")
	r.check(m.Size.Y <= MaxCursorSide && (m.Size.X == 0) == (m.Size.Y == 0), "height")
	m.Hot = r.point()
	hidden := m.Size == screen.Point{} && m.Hot == screen.Point{}
	r.check(hidden || m.Hot.X < m.Size.X, "hot_x")
	r.check(hidden || m.Hot.Y < m.Size.Y, "hot_y")
	m.Pix = r.take(m.Size.X * m.Size.Y * screen.BytesPerPixel)
}

func (r *reader) slot() uint8 {
	v := r.u8()
	r.check(v < CursorSlots, "slot")
	return v
}

// CursorUse shows what a slot holds.
//
//	slot u8
type CursorUse struct {
	Slot uint8 // below CursorSlots
}

// Type is TypeCursorUse.
func (m *CursorUse) Type() Type { return TypeCursorUse }

// Append appends the message to b.
func (m *CursorUse) Append(b []byte) []byte { return append(b, byte(TypeCursorUse), m.Slot) }

func (m *CursorUse) parse(r *reader) { m.Slot = r.slot() }
