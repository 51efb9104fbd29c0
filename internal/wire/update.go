package wire

// UpdateFlags say what an update does besides its pixels.
type UpdateFlags uint8

// Flags of an update.
const (
	// Settled: the viewer's picture now equals the desk's.
	Settled UpdateFlags = 1 << 0
	// Fresh: the coder starts afresh before this update, with a black mirror of the layout's size.
	Fresh UpdateFlags = 1 << 1

	allUpdateFlags = Settled | Fresh
)

// Update changes the viewer's picture.
//
//	seq u32 · generation u32 · flags u8 · coder bytes to the end, at most MaxCoderBytes
type Update struct {
	Seq        uint32 // counts the updates of the session from 1
	Generation uint32 // of the layout it is made for
	Flags      UpdateFlags
	Coder      []byte // after parsing a view into the parsed bytes
}

// Type is TypeUpdate.
func (m *Update) Type() Type { return TypeUpdate }

// Append appends the message to b.
func (m *Update) Append(b []byte) []byte {
	b = AppendUpdateHead(b, m.Seq, m.Generation, m.Flags)
	return append(b, m.Coder...)
}

// AppendUpdateHead appends all of an Update that comes before the coder bytes, so that a coder can append its own
// behind it without a copy.
func AppendUpdateHead(b []byte, seq, generation uint32, flags UpdateFlags) []byte {
	b = be.AppendUint32(append(b, byte(TypeUpdate)), seq)
	b = be.AppendUint32(b, generation)
	return append(b, byte(flags))
}

func (m *Update) parse(r *reader) {
	m.Seq = r.u32()
	r.check(m.Seq != 0, "seq")
	m.Generation = r.u32()
	m.Flags = UpdateFlags(r.u8())
	r.check(m.Flags&^allUpdateFlags == 0, "flags")
	r.check(len(r.b) <= MaxCoderBytes, "coder")
	m.Coder = r.rest()
}

// Ack says that all updates up to Seq have been decoded.
//
//	seq u32 · decode_us u32
type Ack struct {
	Seq          uint32
	DecodeMicros uint32 // how long decoding the last one took
}

// Type is TypeAck.
func (m *Ack) Type() Type { return TypeAck }

// Append appends the message to b.
func (m *Ack) Append(b []byte) []byte {
	b = be.AppendUint32(append(b, byte(TypeAck)), m.Seq)
	return be.AppendUint32(b, m.DecodeMicros)
}

func (m *Ack) parse(r *reader) {
	m.Seq = r.u32()
	r.check(m.Seq != 0, "seq")
	m.DecodeMicros = r.u32()
}
