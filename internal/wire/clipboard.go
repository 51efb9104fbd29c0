package wire

import (
	"bytes"
	"log/slog"
	"strconv"
	"unicode/utf8"
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

func (m *Clipboard) parse(r *reader) {
	m.Text = r.rest()
	if len(m.Text) == 0 {
		r.fail(Short, "")
	}
	r.check(len(m.Text) <= MaxClipboard, "text")
	if r.class == "" {
		r.check(utf8.Valid(m.Text) && bytes.IndexByte(m.Text, 0) < 0, "text")
	}
}

// String hides the text.
func (m *Clipboard) String() string { return "clipboard " + strconv.Itoa(len(m.Text)) + " B" }

// LogValue hides the text.
func (m *Clipboard) LogValue() slog.Value { return slog.StringValue(m.String()) }
