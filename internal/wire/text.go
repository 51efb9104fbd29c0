package wire

import (
	"bytes"
	"log/slog"
	"strconv"
	"unicode/utf8"
)

// Text is what the user wrote without physical keys, by a keyboard on the screen of the device. The agent types it
// where the desk's layout has keys for all of it, else pastes it where the grant allows that. It prints its length
// only.
//
//	UTF-8 text to the end, 1 to MaxText bytes, no NUL
//
// Since version [TextVersion].
type Text struct {
	Text []byte // after parsing a view into the parsed bytes
}

// Type is TypeText.
func (m *Text) Type() Type { return TypeText }

// Append appends the message to b.
func (m *Text) Append(b []byte) []byte { return append(append(b, byte(TypeText)), m.Text...) }

func (m *Text) parse(r *reader) { m.Text = r.text(MaxText) }

// text reads a text of 1 to limit bytes to the end.
func (r *reader) text(limit int) []byte {
	text := r.rest()
	if len(text) == 0 {
		r.fail(Short, "")
	}
	r.check(len(text) <= limit, "text")
	if r.class == "" {
		r.check(utf8.Valid(text) && bytes.IndexByte(text, 0) < 0, "text")
	}
	return text
}

// String hides the text.
func (m *Text) String() string { return "text " + strconv.Itoa(len(m.Text)) + " B" }

// LogValue hides the text.
func (m *Text) LogValue() slog.Value { return slog.StringValue(m.String()) }
