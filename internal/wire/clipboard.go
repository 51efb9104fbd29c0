package wire

import (
	"log/slog"
	"strconv"
)

// Clipboard is text that goes from the device to the desk. It prints its length only.
//
//	UTF-8 text to the end, 1 to MaxClipboard bytes, no NUL
type Clipboard struct {
	Text []byte // after parsing a view into the parsed bytes
}

// Type is TypeClipboard.
func (m *Clipboard) Type() Type { return TypeClipboard }

// Append appends the message to b.
func (m *Clipboard) Append(b []byte) []byte { return append(append(b, byte(TypeClipboard)), m.Text...) }

func (m *Clipboard) parse(r *reader) { m.Text = r.text(MaxClipboard) }

// String hides the text.
func (m *Clipboard) String() string { return "clipboard " + strconv.Itoa(len(m.Text)) + " B" }

// LogValue hides the text.
func (m *Clipboard) LogValue() slog.Value { return slog.StringValue(m.String()) }
