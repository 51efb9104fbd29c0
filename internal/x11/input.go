//go:build linux

package x11

import "image"

// Test injects input as if devices had sent it (XTEST).
type Test struct {
	c  *Conn
	op uint8
}

// Test asks for XTEST.
func (c *Conn) Test() (*Test, error) {
	e, err := c.Extension("XTEST")
	if err != nil {
		return nil, err
	}
	if _, err := c.request(e.Opcode, 0).u8(2, 0).u16(2).call(nil); err != nil {
		return nil, err
	}
	return &Test{c, e.Opcode}, nil
}

func (t *Test) fake(kind, detail uint8, at image.Point) error {
	return t.c.request(t.op, 2).u8(kind, detail, 0, 0).u32(0, uint32(t.c.Setup.Root), 0, 0).
		i16(at.X, at.Y).u32(0, 0).send()
}

// Key presses or releases a key by its X keycode.
func (t *Test) Key(keycode uint8, down bool) error {
	if down {
		return t.fake(KeyPress, keycode, image.Point{})
	}
	return t.fake(KeyRelease, keycode, image.Point{})
}

// Button presses or releases a pointer button by its X number.
func (t *Test) Button(number uint8, down bool) error {
	if down {
		return t.fake(ButtonPress, number, image.Point{})
	}
	return t.fake(ButtonRelease, number, image.Point{})
}

// Move puts the pointer at a place of the layout.
func (t *Test) Move(at image.Point) error { return t.fake(MotionNotify, 0, at) }

// Keyboard reads and sets what modifiers are locked (XKB).
type Keyboard struct {
	c     *Conn
	op    uint8
	event uint8
}

// Event is the type of the events of Watch.
func (k *Keyboard) Event() uint8 { return k.event }

// Watch asks for an event whenever the keymap of a keyboard changes, or its controls, such as whether it repeats. For
// CoreKeyboard it also comes when another keyboard is used than before.
func (k *Keyboard) Watch(id uint16) error {
	const newKeyboard, keymap, controls = 1 << 0, 1 << 1, 1 << 3 // masks of XKB events
	const which, allParts = newKeyboard | keymap | controls, 0xff
	return k.c.request(k.op, 1).u16(id, which, 0, which, allParts, allParts).check() // XkbSelectEvents
}

// CoreKeyboard names the core keyboard, whose keys programs see, in requests that take a keyboard (XkbUseCoreKbd).
const CoreKeyboard = 0x100

// Keyboard asks for XKB.
func (c *Conn) Keyboard() (*Keyboard, error) {
	e, err := c.Extension("XKEYBOARD")
	if err != nil {
		return nil, err
	}
	r, err := c.request(e.Opcode, 0).u16(1, 0).call(nil)
	if err != nil {
		return nil, err
	}
	if r.u8(1) == 0 {
		return nil, &MissingExtensionError{"XKEYBOARD 1.0"}
	}
	return &Keyboard{c, e.Opcode, e.FirstEvent}, nil
}

// Locked returns the mask of the locked modifiers.
func (k *Keyboard) Locked() (uint8, error) {
	r, err := k.state()
	if err != nil {
		return 0, err
	}
	return r.u8(11), nil
}

// Group returns which of the layout's groups is in use, from 0.
func (k *Keyboard) Group() (int, error) {
	r, err := k.state()
	if err != nil {
		return 0, err
	}
	return int(r.u8(12)), nil
}

func (k *Keyboard) state() (reply, error) { return k.c.request(k.op, 4).u16(CoreKeyboard, 0).call(nil) } // XkbGetState

// Lock locks the modifiers of mask that are in on and unlocks the others of mask.
func (k *Keyboard) Lock(mask, on uint8) error {
	return k.c.request(k.op, 5).u16(CoreKeyboard).u8(mask, on&mask, 0, 0, 0, 0, 0, 0).u16(0).check()
}

// ModifierMap returns for each of the eight modifiers (Shift, Lock, Control, Mod1 to Mod5) the keycodes that set it.
func (c *Conn) ModifierMap() (keycodes [8][]uint8, err error) {
	r, err := c.request(119, 0).call(nil)
	if err != nil {
		return keycodes, err
	}
	per := int(r.u8(1))
	if !r.has(32 + 8*per) {
		return keycodes, errShort
	}
	for i := range keycodes {
		for _, code := range r[32+i*per : 32+(i+1)*per] {
			if code != 0 {
				keycodes[i] = append(keycodes[i], code)
			}
		}
	}
	return keycodes, nil
}

// IdleTime is the number of milliseconds since the last input at the server, by devices or by XTEST.
func (c *Conn) IdleTime() (uint32, error) {
	e, err := c.Extension("MIT-SCREEN-SAVER")
	if err != nil {
		return 0, err
	}
	r, err := c.request(e.Opcode, 1).u32(uint32(c.Setup.Root)).call(nil)
	if err != nil {
		return 0, err
	}
	return r.u32(16), nil
}
