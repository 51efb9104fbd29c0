//go:build linux

package x11

import (
	"image"
	"slices"
)

// A Window names a window or, where a drawable is meant, a pixmap.
type Window uint32

// An Atom is a number that the server gave to a name.
type Atom uint32

// Atoms that every server has from the start.
const (
	AtomAtom   Atom = 4
	AtomString Atom = 31
	AtomWMName Atom = 39
)

// An Extension is where the server put an extension's numbers.
type Extension struct {
	Opcode, FirstEvent, FirstError uint8
}

// A MissingExtensionError says that the server lacks an extension.
type MissingExtensionError struct{ Name string }

func (e *MissingExtensionError) Error() string { return "x11: the X server lacks " + e.Name }

// Extension asks for an extension by its name, such as "XTEST".
func (c *Conn) Extension(name string) (Extension, error) {
	c.mu.Lock()
	e, ok := c.ext[name]
	c.mu.Unlock()
	if ok {
		return e, nil
	}
	r, err := c.request(98, 0).u16(uint16(len(name)), 0).bytes([]byte(name)).call(nil)
	if err != nil {
		return e, err
	}
	if r.u8(8) == 0 {
		return e, &MissingExtensionError{name}
	}
	e = Extension{r.u8(9), r.u8(10), r.u8(11)}
	c.mu.Lock()
	c.ext[name] = e
	c.mu.Unlock()
	return e, nil
}

// Atom returns the number of a name, making it when it is new.
func (c *Conn) Atom(name string) (Atom, error) {
	c.mu.Lock()
	a, ok := c.atoms[name]
	c.mu.Unlock()
	if ok {
		return a, nil
	}
	r, err := c.request(16, 0).u16(uint16(len(name)), 0).bytes([]byte(name)).call(nil)
	if err != nil {
		return 0, err
	}
	a = Atom(r.u32(8))
	c.mu.Lock()
	c.atoms[name] = a
	c.mu.Unlock()
	return a, nil
}

// AtomName returns the name of an atom.
func (c *Conn) AtomName(a Atom) (string, error) {
	r, err := c.request(17, 0).u32(uint32(a)).call(nil)
	if err != nil {
		return "", err
	}
	n := int(r.u16(8))
	if !r.has(32 + n) {
		return "", errShort
	}
	return string(r[32 : 32+n]), nil
}

// Sync returns when the server has done all requests before.
func (c *Conn) Sync() error {
	_, err := c.request(43, 0).call(nil)
	return err
}

// SetFocus gives the keyboard focus to a window.
func (c *Conn) SetFocus(win Window) error {
	return c.request(42, 1).u32(uint32(win), 0).check()
}

// Focus returns the window that has the keyboard focus. 0 (None) and 1 (PointerRoot) are not windows of a client.
func (c *Conn) Focus() (Window, error) {
	r, err := c.request(43, 0).call(nil)
	if err != nil {
		return 0, err
	}
	return Window(r.u32(8)), nil
}

// Geometry returns the position in its parent and the size of a window or pixmap.
func (c *Conn) Geometry(win Window) (image.Rectangle, error) {
	r, err := c.request(14, 0).u32(uint32(win)).call(nil)
	if err != nil {
		return image.Rectangle{}, err
	}
	x, y := r.i16(12), r.i16(14)
	return image.Rect(x, y, x+int(r.u16(16)), y+int(r.u16(18))), nil
}

// A WindowState says how a window stands.
type WindowState struct {
	Viewable  bool // it and all its ancestors are mapped
	Override  bool // the window manager leaves it alone
	InputOnly bool // it shows nothing
}

// State returns how a window stands.
func (c *Conn) State(win Window) (WindowState, error) {
	r, err := c.request(3, 0).u32(uint32(win)).call(nil)
	if err != nil {
		return WindowState{}, err
	}
	if !r.has(44) {
		return WindowState{}, errShort
	}
	return WindowState{Viewable: r.u8(26) == 2, Override: r.u8(27) != 0, InputOnly: r.u16(12) == 2}, nil
}

// Cover returns the window that covers an area of the screen beyond the window manager's reach, as those of screen
// lockers do; 0 when there is none. One pixel at each edge may stay free: xsecurelock leaves it.
func (c *Conn) Cover(area image.Rectangle) (Window, error) {
	windows, err := c.Children(c.Setup.Root)
	if err != nil {
		return 0, err
	}
	for _, win := range slices.Backward(windows) {
		covers, err := c.covers(win, area.Inset(1))
		if IsError(err, BadWindow) || IsError(err, BadDrawable) {
			continue // it has just been destroyed
		}
		if covers || err != nil {
			return win, err
		}
	}
	return 0, nil
}

func (c *Conn) covers(win Window, area image.Rectangle) (bool, error) {
	bounds, err := c.Geometry(win)
	if err != nil || !area.In(bounds) {
		return false, err
	}
	state, err := c.State(win)
	return state.Viewable && state.Override, err
}

// Children returns the children of a window, the lowest first.
func (c *Conn) Children(win Window) ([]Window, error) {
	r, err := c.request(15, 0).u32(uint32(win)).call(nil)
	if err != nil {
		return nil, err
	}
	n := int(r.u16(16))
	if !r.has(32 + 4*n) {
		return nil, errShort
	}
	out := make([]Window, n)
	for i := range out {
		out[i] = Window(r.u32(32 + 4*i))
	}
	return out, nil
}

// Attributes of a new window.
type Attributes struct {
	Background       uint32 // pixel value
	OverrideRedirect bool   // the window manager leaves it alone
	Events           uint32 // mask
	InputOnly        bool
}

// CreateWindow makes a child of the root window; it is not shown yet.
func (c *Conn) CreateWindow(bounds image.Rectangle, a Attributes) (Window, error) {
	id := c.NewID()
	const valueBackPixel, valueOverride, valueEvents = 1 << 1, 1 << 9, 1 << 11
	override, class, depth := uint32(0), uint16(1), c.Setup.RootDepth
	if a.OverrideRedirect {
		override = 1
	}
	mask := uint32(valueBackPixel | valueOverride | valueEvents)
	if a.InputOnly {
		mask, class, depth = valueOverride|valueEvents, 2, 0
	}
	w := c.request(1, depth).u32(id, uint32(c.Setup.Root)).i16(bounds.Min.X, bounds.Min.Y, bounds.Dx(), bounds.Dy()).
		u16(0, class).u32(0, mask)
	if !a.InputOnly {
		w.u32(a.Background)
	}
	return Window(id), w.u32(override, a.Events).check()
}

// DestroyWindow removes a window.
func (c *Conn) DestroyWindow(win Window) error { return c.request(4, 0).u32(uint32(win)).check() }

// SelectEvents asks for events of a window, by mask.
func (c *Conn) SelectEvents(win Window, mask uint32) error {
	return c.request(2, 0).u32(uint32(win), 1<<11, mask).check()
}

// MapWindow shows a window.
func (c *Conn) MapWindow(win Window) error { return c.request(8, 0).u32(uint32(win)).check() }

// UnmapWindow hides a window.
func (c *Conn) UnmapWindow(win Window) error { return c.request(10, 0).u32(uint32(win)).check() }

// MoveWindow places a window in its parent.
func (c *Conn) MoveWindow(win Window, at image.Point) error {
	return c.request(12, 0).u32(uint32(win)).u16(1|2, 0).u32(uint32(int32(at.X)), uint32(int32(at.Y))).check()
}

// RaiseWindow puts a window above its siblings.
func (c *Conn) RaiseWindow(win Window) error {
	return c.request(12, 0).u32(uint32(win)).u16(1<<6, 0).u32(0).check()
}

// LowerBelow puts a window right below one of its siblings.
func (c *Conn) LowerBelow(win, sibling Window) error {
	return c.request(12, 0).u32(uint32(win)).u16(1<<5|1<<6, 0).u32(uint32(sibling), 1).check()
}

// SetProperty replaces a property. Format is 8, 16 or 32 bits an element.
func (c *Conn) SetProperty(win Window, name, kind Atom, format uint8, data []byte) error {
	return c.request(18, 0).u32(uint32(win), uint32(name), uint32(kind)).u8(format, 0, 0, 0).
		u32(uint32(len(data) / (int(format) / 8))).bytes(data).check()
}

// Property returns a property's type and bytes, at most 1 MB. A missing property has type 0.
func (c *Conn) Property(win Window, name Atom) (kind Atom, data []byte, err error) {
	r, err := c.request(20, 0).u32(uint32(win), uint32(name), 0, 0, 1<<18).call(nil)
	if err != nil {
		return 0, nil, err
	}
	n := int(r.u32(16)) * int(r.u8(1)) / 8
	if !r.has(32 + n) {
		return 0, nil, errShort
	}
	return Atom(r.u32(8)), r[32 : 32+n], nil
}

// WindowProperty reads a property that holds one window or number; 0 when it is missing.
func (c *Conn) WindowProperty(win Window, name string) (Window, error) {
	a, err := c.Atom(name)
	if err != nil {
		return 0, err
	}
	_, data, err := c.Property(win, a)
	if err != nil || len(data) < 4 {
		return 0, err
	}
	return Window(le.Uint32(data)), nil
}

// OwnSelection makes a window the owner of a selection and says whether it is now.
func (c *Conn) OwnSelection(selection Atom, win Window, time uint32) (bool, error) {
	if err := c.request(22, 0).u32(uint32(win), uint32(selection), time).check(); err != nil {
		return false, err
	}
	owner, err := c.SelectionOwner(selection)
	return owner == win, err
}

// SelectionOwner returns the window that owns a selection, or 0.
func (c *Conn) SelectionOwner(selection Atom) (Window, error) {
	r, err := c.request(23, 0).u32(uint32(selection)).call(nil)
	if err != nil {
		return 0, err
	}
	return Window(r.u32(8)), nil
}

// ConvertSelection asks a selection's owner to write its content, in the form target, to a property of win.
func (c *Conn) ConvertSelection(win Window, selection, target, property Atom, time uint32) error {
	return c.request(24, 0).u32(uint32(win), uint32(selection), uint32(target), uint32(property), time).check()
}

// NotifySelection tells who asked for a selection that the answer is in s.Property, or refused when that is 0.
func (c *Conn) NotifySelection(s Selection) error {
	return c.request(25, 0).u32(uint32(s.Requestor), 0).u8(SelectionNotify, 0, 0, 0).
		u32(s.Time, uint32(s.Requestor), uint32(s.Selection), uint32(s.Target), uint32(s.Property), 0, 0).send()
}

// Pointer returns the position of the pointer in layout pixels and the mask of held modifiers and buttons.
func (c *Conn) Pointer() (image.Point, uint16, error) {
	r, err := c.request(38, 0).u32(uint32(c.Setup.Root)).call(nil)
	if err != nil {
		return image.Point{}, 0, err
	}
	return image.Pt(r.i16(16), r.i16(18)), r.u16(24), nil
}

// KeysDown returns the bit map of pressed keys: key k is bit k%8 of byte k/8.
func (c *Conn) KeysDown() (down [32]byte, err error) {
	r, err := c.request(44, 0).call(nil)
	if err != nil {
		return down, err
	}
	if !r.has(40) {
		return down, errShort
	}
	copy(down[:], r[8:40])
	return down, nil
}

// GrabServer keeps the server from doing anything for others, until the connection ends.
func (c *Conn) GrabServer() error { return c.request(36, 0).check() }

// A Grab says what became of the wish to hold keyboard or pointer.
type Grab uint8

// The answers to GrabKeyboard and GrabPointer that callers tell apart.
const (
	Grabbed        Grab = 0
	AlreadyGrabbed Grab = 1 // another client holds it
	GrabFrozen     Grab = 4 // another client holds it, and lets no event through for now
)

// Held says whether another client holds it.
func (g Grab) Held() bool { return g == AlreadyGrabbed || g == GrabFrozen }

// GrabKeyboard tries to take the keyboard.
func (c *Conn) GrabKeyboard() (Grab, error) {
	r, err := c.request(31, 0).u32(uint32(c.Setup.Root), 0).u8(1, 1, 0, 0).call(nil)
	if err != nil {
		return 0, err
	}
	return Grab(r.u8(1)), nil
}

// UngrabKeyboard gives the keyboard back.
func (c *Conn) UngrabKeyboard() error { return c.request(32, 0).u32(0).check() }

// GrabPointer tries to take the pointer.
func (c *Conn) GrabPointer() (Grab, error) {
	r, err := c.request(26, 0).u32(uint32(c.Setup.Root)).u16(0).u8(1, 1).u32(0, 0, 0).call(nil)
	if err != nil {
		return 0, err
	}
	return Grab(r.u8(1)), nil
}

// UngrabPointer gives the pointer back.
func (c *Conn) UngrabPointer() error { return c.request(27, 0).u32(0).check() }

// KeyboardMapping returns the keysyms of each keycode from MinKeycode on, per of them a key.
func (c *Conn) KeyboardMapping() (syms []uint32, per int, err error) {
	first := c.Setup.MinKeycode
	count := c.Setup.MaxKeycode - first + 1
	r, err := c.request(101, 0).u8(first, count, 0, 0).call(nil)
	if err != nil {
		return nil, 0, err
	}
	return r.symbols(int(r.u8(1)), int(count))
}
