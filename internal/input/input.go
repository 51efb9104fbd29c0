// Package input types, points and clicks on a desk for a viewer.
//
// Keys are physical: the desk's layout and input method decide what they write. A Held on top of an Injector makes
// sure that no key stays down when the viewer or the line is lost.
package input

import (
	"errors"
	"time"

	"jiseki/internal/keys"
	"jiseki/internal/screen"
)

// Buttons are pointer buttons, a bit each, numbered as in docs/PROTOCOL.md.
type Buttons uint8

// The buttons of a pointer.
const (
	Left    Buttons = 1 << 0
	Middle  Buttons = 1 << 1
	Right   Buttons = 1 << 2
	Back    Buttons = 1 << 3
	Forward Buttons = 1 << 4

	buttonCount = 5
	allButtons  = Left | Middle | Right | Back | Forward
)

// Locks are states of the lock keys, a bit each, numbered as in docs/PROTOCOL.md.
type Locks uint8

// The lock keys.
const (
	Caps   Locks = 1 << 0
	Num    Locks = 1 << 1
	Scroll Locks = 1 << 2
)

// Notch is one notch of a wheel.
const Notch = 120

// MaxClipboard is the greatest size of a text for the clipboard, in bytes of UTF-8.
const MaxClipboard = 65536

// Errors of an Injector that concern one call only; the injector goes on working.
var (
	ErrNoKey = errors.New("input: the desk has no such key")
	ErrText  = errors.New("input: clipboard text is empty, too long, not UTF-8 or holds NUL")
)

// An Injector acts on a desk as if its own devices did. Its methods may be called from several goroutines. Errors other
// than those of this package mean that the desk is lost.
type Injector interface {
	// Key presses or releases a physical key. Keys that would switch the desk off or to sleep are ErrNoKey. Pressing
	// what is down, or releasing what is up, does nothing.
	Key(code keys.Code, down bool) error

	// Repeat writes once more what a key writes that is down, as holding it does. For a key that is up it does nothing.
	// The desk repeats nothing by itself of what an Injector holds.
	Repeat(code keys.Code) error

	// RepeatTimes says how the desk's own keyboard repeats a key that is held: how long before the first time, and
	// between two. 0, 0: not at all.
	RepeatTimes(code keys.Code) (delay, every time.Duration, err error)

	// Pointer moves the pointer to a place of the layout; beyond its edge means at its edge.
	Pointer(at screen.Point) error

	// Buttons presses and releases buttons so that exactly these are down.
	Buttons(down Buttons) error

	// Wheel turns the wheel by 1/120 notches; right and down are positive. Parts of a notch are kept for later.
	Wheel(dx, dy int) error

	// Locks returns the lock keys that are on.
	Locks() (Locks, error)

	// SetLocks switches lock keys on and off. What the desk's keyboard does not have stays off.
	SetLocks(on Locks) error

	// SetClipboard offers a text to the desk's programs. The desk's clipboard is never read.
	SetClipboard(text string) error

	// Type writes a text by keys of the desk's layout, after releasing everything. A line end is Enter. It is ErrNoKey,
	// and nothing is written, when the layout lacks a character.
	Type(text string) error

	// Paste offers a text as SetClipboard does, releases everything and has the program with the focus paste it. It
	// waits a moment until the text was fetched.
	Paste(text string) error

	// ReleaseAll releases every key and button that this injector holds down.
	ReleaseAll() error

	// Close releases everything, withdraws the clipboard and frees what the injector holds.
	Close() error
}
