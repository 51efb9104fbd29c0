//go:build linux

package x11

import "image"

// Types of core events.
const (
	KeyPress         = 2
	KeyRelease       = 3
	ButtonPress      = 4
	ButtonRelease    = 5
	MotionNotify     = 6
	Expose           = 12
	VisibilityNotify = 15
	DestroyNotify    = 17
	UnmapNotify      = 18
	MapNotify        = 19
	ConfigureNotify  = 22
	CirculateNotify  = 26
	PropertyNotify   = 28
	SelectionClear   = 29
	SelectionRequest = 30
	SelectionNotify  = 31
	genericEvent     = 35
)

// Masks of core events, for SelectEvents and CreateWindow.
const (
	MaskKeys            = 1<<0 | 1<<1
	MaskButtons         = 1<<2 | 1<<3
	MaskMotion          = 1 << 6
	MaskExposure        = 1 << 15
	MaskVisibility      = 1 << 16
	MaskStructure       = 1 << 17
	MaskSubstructure    = 1 << 19
	MaskPropertyChanges = 1 << 22
)

// An Event is the raw bytes of an event: 32, or more for a generic event.
type Event []byte

// Type is the event's code, without the mark of events that another client sent.
func (e Event) Type() uint8 { return e[0] & 0x7f }

// Window is the window that a core event of the structure, property, selection or exposure kind is about.
func (e Event) Window() Window {
	switch e.Type() {
	case Expose, PropertyNotify:
		return Window(le.Uint32(e[4:]))
	case UnmapNotify, MapNotify, DestroyNotify:
		return Window(le.Uint32(e[8:]))
	case KeyPress, KeyRelease, ButtonPress, ButtonRelease, MotionNotify:
		return Window(le.Uint32(e[12:]))
	}
	return 0
}

// Detail is the keycode of a key event or the number of a button event.
func (e Event) Detail() uint8 { return e[1] }

// RootPosition is where the pointer was in layout pixels, for key, button and motion events.
func (e Event) RootPosition() image.Point {
	return image.Pt(int(int16(le.Uint16(e[20:]))), int(int16(le.Uint16(e[22:]))))
}

// Position is where the pointer was in pixels of the event's window, for key, button and motion events.
func (e Event) Position() image.Point {
	return image.Pt(int(int16(le.Uint16(e[24:]))), int(int16(le.Uint16(e[26:]))))
}

// Property is the atom that a PropertyNotify event is about, and whether the property was deleted.
func (e Event) Property() (name Atom, deleted bool) {
	return Atom(le.Uint32(e[8:])), e[16] == 1
}

// PropertyTime is when the change happened that a PropertyNotify event tells of, in the server's time.
func (e Event) PropertyTime() uint32 { return le.Uint32(e[12:]) }

// A Selection is the content of a SelectionRequest, SelectionNotify or SelectionClear event.
type Selection struct {
	Time      uint32
	Owner     Window // not in SelectionNotify
	Requestor Window // not in SelectionClear
	Selection Atom
	Target    Atom // not in SelectionClear
	Property  Atom // not in SelectionClear; 0 means refused or, from old clients, "the same as Target"
}

// Selection reads a selection event.
func (e Event) Selection() Selection {
	u := func(o int) uint32 { return le.Uint32(e[o:]) }
	switch e.Type() {
	case SelectionRequest:
		return Selection{u(4), Window(u(8)), Window(u(12)), Atom(u(16)), Atom(u(20)), Atom(u(24))}
	case SelectionNotify:
		return Selection{Time: u(4), Requestor: Window(u(8)), Selection: Atom(u(12)), Target: Atom(u(16)), Property: Atom(u(20))}
	case SelectionClear:
		return Selection{Time: u(4), Owner: Window(u(8)), Selection: Atom(u(12))}
	}
	return Selection{}
}
