package wire

import "jiseki/internal/screen"

// Limits of docs/PROTOCOL.md section 5.
const (
	// MaxMessage bounds a message with its type byte; the seal allows 2 MiB, the largest message is an update.
	MaxMessage = 1 + updateHead + MaxCoderBytes
	// MaxCoderBytes bounds the coder bytes of one update, so that a slow line is never blocked by one picture.
	MaxCoderBytes = 1 << 20
	// MaxHeld is the greatest number of keys in a Held: more than ten fingers and a stuck keyboard's worth.
	MaxHeld = 32
	// MaxClipboard bounds the text of a Clipboard, in bytes.
	MaxClipboard = 65536
	// MaxText bounds the text of a Text, in bytes: what a keyboard on a screen hands over at once.
	MaxText = 4096
	// MaxMonitors bounds the monitors of a Layout.
	MaxMonitors = screen.MaxMonitors
	// MaxCursorSide bounds the sides of a Cursor, in pixels.
	MaxCursorSide = 256
	// CursorSlots is the number of cursors that a viewer remembers.
	CursorSlots = 64
	// MaxName bounds a str8, in bytes.
	MaxName = 255
	// MaxSide bounds the sides of a Layout.
	MaxSide = screen.MaxSide
	// MaxPixels bounds the area of a Layout: a reader allocates the picture by it.
	MaxPixels = screen.MaxPixels
	// AllMonitors in Start.Monitor and View.Monitor asks for the whole layout.
	AllMonitors = 0xff
	// HeldEvery is how often a viewer sends Held while anything is held, in milliseconds.
	HeldEvery = 250
)

// maxTime is the end of the year 9999 in Unix milliseconds: what every system can show, and far below 2^53, above which
// TypeScript's numbers are not exact.
const maxTime = 253402300799999

// Sizes of bodies, without the type byte.
const (
	resumeSize  = 16 + 4 + 4 + 32
	updateHead  = 4 + 4 + 1
	monitorHead = 2 + 2 + 2 + 2 + 1 + 1
)
