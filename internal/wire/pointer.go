package wire

// Buttons are the pointer buttons that are down.
type Buttons uint8

// Pointer buttons.
const (
	ButtonLeft    Buttons = 1 << 0
	ButtonMiddle  Buttons = 1 << 1
	ButtonRight   Buttons = 1 << 2
	ButtonBack    Buttons = 1 << 3
	ButtonForward Buttons = 1 << 4

	allButtons = ButtonLeft | ButtonMiddle | ButtonRight | ButtonBack | ButtonForward
)

func (r *reader) buttons() Buttons {
	v := Buttons(r.u8())
	r.check(v&^allButtons == 0, "buttons")
	return v
}

// Pointer is where the pointer is and which buttons are down. A Generation other than that of the agent's layout means
// that the position is meant for another layout: it is dropped.
//
//	generation u32 · x u16 · y u16 · buttons u8
type Pointer struct {
	Generation uint32
	X, Y       uint16 // layout pixels
	Buttons    Buttons
}

// Type is TypePointer.
func (m *Pointer) Type() Type { return TypePointer }

// Append appends the message to b.
func (m *Pointer) Append(b []byte) []byte {
	b = be.AppendUint32(append(b, byte(TypePointer)), m.Generation)
	b = be.AppendUint16(b, m.X)
	b = be.AppendUint16(b, m.Y)
	return append(b, byte(m.Buttons))
}

func (m *Pointer) parse(r *reader) {
	m.Generation = r.u32()
	m.X = r.u16()
	m.Y = r.u16()
	m.Buttons = r.buttons()
}

// Notch is one notch of a wheel in the units of Wheel.
const Notch = 120

// Wheel is a turn of the wheel at a position. Generation as in Pointer.
//
//	generation u32 · x u16 · y u16 · dx i16 · dy i16
type Wheel struct {
	Generation uint32
	X, Y       uint16 // layout pixels
	DX, DY     int16  // 1/120 notch; right and down are positive
}

// Type is TypeWheel.
func (m *Wheel) Type() Type { return TypeWheel }

// Append appends the message to b.
func (m *Wheel) Append(b []byte) []byte {
	b = be.AppendUint32(append(b, byte(TypeWheel)), m.Generation)
	b = be.AppendUint16(b, m.X)
	b = be.AppendUint16(b, m.Y)
	b = be.AppendUint16(b, uint16(m.DX))
	return be.AppendUint16(b, uint16(m.DY))
}

func (m *Wheel) parse(r *reader) {
	m.Generation = r.u32()
	m.X = r.u16()
	m.Y = r.u16()
	m.DX = int16(r.u16())
	m.DY = int16(r.u16())
}
