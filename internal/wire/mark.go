package wire

// Mark comes behind messages on control that may wait on a slow line. The viewer answers with Marked at once.
//
//	id u32
//
// Since version [MarkVersion].
type Mark struct {
	ID uint32
}

// Type is TypeMark.
func (m *Mark) Type() Type { return TypeMark }

// Append appends the message to b.
func (m *Mark) Append(b []byte) []byte { return be.AppendUint32(append(b, byte(TypeMark)), m.ID) }

func (m *Mark) parse(r *reader) { m.ID = r.u32() }

// Marked says that the viewer has received everything before the Mark with the same ID.
//
//	id u32
//
// Since version [MarkVersion].
type Marked struct {
	ID uint32
}

// Type is TypeMarked.
func (m *Marked) Type() Type { return TypeMarked }

// Append appends the message to b.
func (m *Marked) Append(b []byte) []byte { return be.AppendUint32(append(b, byte(TypeMarked)), m.ID) }

func (m *Marked) parse(r *reader) { m.ID = r.u32() }
