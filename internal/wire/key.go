package wire

import (
	"log/slog"
	"strconv"
)

// Key is a physical key that goes down or up.
//
//	code u16 · down u8
//
// It prints without its code: a row of codes is what somebody typed.
type Key struct {
	Code uint16 // keys.Code, not 0
	Down bool
}

// Type is TypeKey.
func (m *Key) Type() Type { return TypeKey }

// Append appends the message to b.
func (m *Key) Append(b []byte) []byte {
	b = be.AppendUint16(append(b, byte(TypeKey)), m.Code)
	return appendFlag(b, m.Down)
}

func (m *Key) parse(r *reader) {
	m.Code = r.code()
	m.Down = r.flag("down")
}

// String hides the code.
func (m *Key) String() string { return "key" }

// LogValue hides the code.
func (m *Key) LogValue() slog.Value { return slog.StringValue(m.String()) }

// code reads a key code. Whether the key is known is for the reader of the message to judge.
func (r *reader) code() uint16 {
	v := r.u16()
	r.check(v != 0, "code")
	return v
}

// KeyTap is press and release at once, for keys without key-up.
//
//	code u16
//
// It prints without its code.
type KeyTap struct {
	Code uint16 // keys.Code, not 0
}

// Type is TypeKeyTap.
func (m *KeyTap) Type() Type { return TypeKeyTap }

// Append appends the message to b.
func (m *KeyTap) Append(b []byte) []byte {
	return be.AppendUint16(append(b, byte(TypeKeyTap)), m.Code)
}

func (m *KeyTap) parse(r *reader) { m.Code = r.code() }

// String hides the code.
func (m *KeyTap) String() string { return "key_tap" }

// LogValue hides the code.
func (m *KeyTap) LogValue() slog.Value { return slog.StringValue(m.String()) }

// Held is all that is held now. The viewer sends it every HeldEvery milliseconds while anything is held; the agent
// releases what was not refreshed for one second.
//
//	buttons u8 · n u8 · n × code u16
//
// It prints the number of its codes only.
type Held struct {
	Buttons Buttons
	Codes   []uint16 // keys.Code, ascending, at most MaxHeld
}

// Type is TypeHeld.
func (m *Held) Type() Type { return TypeHeld }

// Append appends the message to b.
func (m *Held) Append(b []byte) []byte {
	b = append(b, byte(TypeHeld), byte(m.Buttons), byte(len(m.Codes)))
	for _, c := range m.Codes {
		b = be.AppendUint16(b, c)
	}
	return b
}

// parse fills Codes in its own capacity if it has enough.
func (m *Held) parse(r *reader) {
	m.Buttons = r.buttons()
	n := int(r.u8())
	r.check(n <= MaxHeld, "n")
	body := r.take(2 * n)
	if cap(m.Codes) < n && body != nil {
		m.Codes = make([]uint16, 0, n)
	}
	m.Codes = m.Codes[:0]
	last := uint16(0)
	for ; len(body) > 0; body = body[2:] {
		c := be.Uint16(body)
		r.check(c > last, "codes")
		m.Codes = append(m.Codes, c)
		last = c
	}
}

// String hides the codes.
func (m *Held) String() string { return "held " + strconv.Itoa(len(m.Codes)) }

// LogValue hides the codes.
func (m *Held) LogValue() slog.Value { return slog.StringValue(m.String()) }

// ReleaseAll says that the viewer has lost the focus: nothing is held any more. It has no body.
type ReleaseAll struct{}

// Type is TypeReleaseAll.
func (m *ReleaseAll) Type() Type { return TypeReleaseAll }

// Append appends the message to b.
func (m *ReleaseAll) Append(b []byte) []byte { return append(b, byte(TypeReleaseAll)) }

func (m *ReleaseAll) parse(*reader) {}
