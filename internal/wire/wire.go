// Package wire is the messages inside the seal: what viewer and agent say to each other, as bytes and as structs. It is
// pure: no I/O, no logger, no clock. docs/PROTOCOL.md section 5 is normative; vectors/wire pins each message in Go and
// in TypeScript (web/src/wire mirrors this package file by file).
//
// Parsing is bounded and strict: lengths are checked before anything is allocated, what is too short, too long, out of
// range or followed by more bytes is refused. Appending does not check: a message with fields out of their limits gives
// bytes that every reader refuses.
package wire

import "encoding/binary"

// Version is the version of the messages, chosen in the seal's handshake.
//
//	1  2026-11-23  first
//	2  2026-11-29  text; mark and marked
const Version = 2

// TextVersion is the first version with [Text], MarkVersion the first with [Mark] and [Marked].
const (
	TextVersion = 2
	MarkVersion = 2
)

// MinVersion is the lowest version that this package still speaks.
const MinVersion = 1

// A Message is one of the message structs of this package, by pointer.
type Message interface {
	// Type is the first byte of the message.
	Type() Type
	// Append appends the message with its type byte to b and returns the extended slice.
	Append(b []byte) []byte

	parse(r *reader)
}

// A Type is the first byte of a message. Its numbers are distinct over all routes.
type Type uint8

// Control, viewer to agent.
const (
	TypeStart      Type = 0x01
	TypeView       Type = 0x02
	TypeKey        Type = 0x03
	TypeKeyTap     Type = 0x04
	TypeHeld       Type = 0x05
	TypeLocks      Type = 0x06
	TypePointer    Type = 0x07
	TypeWheel      Type = 0x08
	TypeClipboard  Type = 0x09
	TypeReleaseAll Type = 0x0a
	TypePing       Type = 0x0b
	TypeViewerEnd  Type = 0x0c
	TypeText       Type = 0x0d
	TypeMarked     Type = 0x0e
)

// Control, agent to viewer.
const (
	TypeWelcome   Type = 0x41
	TypeLayout    Type = 0x42
	TypeCursor    Type = 0x43
	TypeCursorUse Type = 0x44
	TypeLockState Type = 0x45
	TypeNotice    Type = 0x46
	TypePong      Type = 0x47
	TypeAgentEnd  Type = 0x48
	TypeMark      Type = 0x49
)

// Display.
const (
	TypeUpdate Type = 0x61 // agent to viewer
	TypeAck    Type = 0x62 // viewer to agent
)

// skippable is the bit of types that a reader may skip if it does not know them.
const skippable Type = 0x80

// names are the names in docs/PROTOCOL.md.
var names = map[Type]string{
	TypeStart: "start", TypeView: "view", TypeKey: "key", TypeKeyTap: "key_tap", TypeHeld: "held", TypeLocks: "locks",
	TypePointer: "pointer", TypeWheel: "wheel", TypeClipboard: "clipboard", TypeReleaseAll: "release_all",
	TypePing: "ping", TypeViewerEnd: "end", TypeText: "text", TypeMarked: "marked",
	TypeWelcome: "welcome", TypeLayout: "layout", TypeCursor: "cursor", TypeCursorUse: "cursor_use",
	TypeLockState: "lock_state", TypeNotice: "notice", TypePong: "pong", TypeAgentEnd: "end", TypeMark: "mark",
	TypeUpdate: "update", TypeAck: "ack",
}

// String is the name in docs/PROTOCOL.md, or "type_" and two hexadecimal digits.
func (t Type) String() string {
	if n, ok := names[t]; ok {
		return n
	}
	const digits = "0123456789abcdef"
	return "type_" + string([]byte{digits[t>>4], digits[t&15]})
}

// A Route is a channel and a direction. Each has messages of its own.
type Route uint8

// Routes.
const (
	ControlToAgent  Route = 1 + iota // control, viewer to agent
	ControlToViewer                  // control, agent to viewer
	DisplayToViewer                  // display, agent to viewer
	DisplayToAgent                   // display, viewer to agent
)

// String names the route as in the vectors: "control to_agent".
func (r Route) String() string {
	switch r {
	case ControlToAgent:
		return "control to_agent"
	case ControlToViewer:
		return "control to_viewer"
	case DisplayToViewer:
		return "display to_viewer"
	case DisplayToAgent:
		return "display to_agent"
	}
	return "route"
}

var be = binary.BigEndian
