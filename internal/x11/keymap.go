//go:build linux

package x11

import (
	"errors"
	"strings"
)

// A Device is a keyboard that belongs to a master keyboard.
type Device struct {
	ID   uint16
	Test bool // XTEST made it up
}

// Keyboards returns the keyboards that feed the core keyboard, in the order of the server, and the one whose keymap the
// core keyboard has now: the one that was used last. It needs XInput 2.0.
func (c *Conn) Keyboards() (list []Device, used uint16, err error) {
	e, err := c.Extension("XInputExtension")
	if err != nil {
		return nil, 0, err
	}
	if _, err := c.request(e.Opcode, 47).u16(2, 1).call(nil); err != nil { // XIQueryVersion
		return nil, 0, err
	}
	devices, err := c.devices(e.Opcode)
	if err != nil {
		return nil, 0, err
	}
	const masterKeyboard, slaveKeyboard = 2, 4
	for _, d := range devices {
		switch {
		case d.use == masterKeyboard && used == 0: // the first master is the core keyboard
			used = d.keysFrom
		case d.use == slaveKeyboard && d.enabled:
			list = append(list, Device{ID: d.id, Test: d.test()})
		}
	}
	return list, used, nil
}

// A device is what XIQueryDevice tells.
type device struct {
	id, use  uint16
	name     string
	enabled  bool
	keysFrom uint16 // for a master keyboard: whose keymap it has
}

// test says whether XTEST made the device up, as every X server names those.
func (d device) test() bool { return strings.Contains(d.name, "XTEST") }

func (c *Conn) devices(opcode uint8) ([]device, error) {
	const all = 0
	r, err := c.request(opcode, 48).u16(all, 0).call(nil) // XIQueryDevice
	if err != nil {
		return nil, err
	}
	var list []device
	o := 32
	for range r.u16(8) {
		if !r.has(o + 12) {
			return nil, errShort
		}
		d := device{id: r.u16(o), use: r.u16(o + 2), enabled: r.u8(o+10) != 0}
		classes, name := r.u16(o+6), int(r.u16(o+8))
		if o += 12; !r.has(o + pad4(name)) {
			return nil, errShort
		}
		d.name = string(r[o : o+name])
		o += pad4(name)
		for range classes {
			if !r.has(o+6) || r.u16(o+2) == 0 {
				return nil, errShort
			}
			const keyClass = 0
			if r.u16(o) == keyClass {
				d.keysFrom = r.u16(o + 4)
			}
			o += int(r.u16(o+2)) * 4
		}
		list = append(list, d)
	}
	return list, nil
}

// A Keymap is what each key of a keyboard means, in the server's own form. Two keyboards with equal keymaps write the
// same.
type Keymap struct{ body []byte }

// Equal says whether two keymaps are the same.
func (m Keymap) Equal(other Keymap) bool { return string(m.body) == string(other.body) }

// Parts of a keymap (XkbAllMapComponentsMask).
const allParts = 0xff

// Keymap reads the keymap of a keyboard.
func (k *Keyboard) Keymap(id uint16) (Keymap, error) {
	r, err := k.c.request(k.op, 8).u16(id, allParts, 0).bytes(make([]byte, 18)).call(nil) // XkbGetMap
	if err != nil {
		return Keymap{}, err
	}
	if !r.has(mapHead) {
		return Keymap{}, errShort
	}
	return Keymap{r[8:]}, nil
}

// mapHead is the length of the head of XkbGetMap's answer.
const mapHead = 40

// Load gives a keyboard the keymap of another: first by its names, which the server compiles, so that names, types and
// lights fit; then, where it was changed since it was compiled (xmodmap), key by key.
func (k *Keyboard) Load(to, from uint16) error {
	want, err := k.Keymap(from)
	if err != nil {
		return err
	}
	named := k.loadNamed(to, from) // not all keymaps have names that can be compiled again
	got, err := k.Keymap(to)
	if err != nil {
		return err
	}
	if got.Equal(want) {
		return nil
	}
	return errors.Join(k.setMap(to, want), named)
}

// Components of a keyboard's description that have names.
const (
	keycodesName = 1 << 0
	symbolsName  = 1 << 2
	typesName    = 1 << 4
	compatName   = 1 << 5
)

// loadNamed has the server compile the components of one keyboard's description for another.
func (k *Keyboard) loadNamed(to, from uint16) error {
	r, err := k.c.request(k.op, 17).u16(from, 0).u32(keycodesName | symbolsName | typesName | compatName).call(nil) // XkbGetNames
	if err != nil {
		return err
	}
	if !r.has(32 + 4*4) {
		return errShort
	}
	var names [4]string // keycodes, symbols, types, compat: in the order of the bits
	for i := range names {
		if names[i], err = k.c.AtomName(Atom(r.u32(32 + 4*i))); err != nil {
			return err
		}
	}
	const allButGeometry = 0xff &^ (1 << 6)
	body := []byte{0}                                                           // no name of a whole keymap
	for _, name := range []string{names[0], names[2], names[3], names[1], ""} { // keycodes, types, compat, symbols, no geometry
		if len(name) > 0xff {
			return errors.New("x11: the name of a keymap's part is too long")
		}
		body = append(append(body, byte(len(name))), name...)
	}
	answer, err := k.c.request(k.op, 23).u16(to, allButGeometry, allButGeometry).u8(1, 0).bytes(body).call(nil) // XkbGetKbdByName
	if err != nil {
		return err
	}
	if answer.u8(10) == 0 {
		return errors.New("x11: the server cannot compile the keymap " + names[1])
	}
	return nil
}

// setMap gives a keyboard a keymap part by part. The answer of XkbGetMap and the request XkbSetMap are alike but for
// the types.
func (k *Keyboard) setMap(to uint16, m Keymap) error {
	r := reply(append(make([]byte, 8), m.body...))
	types, rest, err := setTypes(r, int(r.u8(15)))
	if err != nil {
		return err
	}
	const resize = 1
	return k.c.request(k.op, 9). // XkbSetMap
					u16(to, r.u16(12), resize).
					u8(r.u8(10), r.u8(11)).           // least and greatest keycode
					u8(r.u8(14), r.u8(15)).           // types
					u8(r.u8(17), r.u8(20)).           // symbols: first, number
					u16(r.u16(18)).                   // all symbols
					u8(r.u8(21), r.u8(24)).           // actions: first, number
					u16(r.u16(22)).                   // all actions
					u8(r.u8(25), r.u8(26), r.u8(27)). // behaviours: first, number, all
					u8(r.u8(28), r.u8(29), r.u8(30)). // explicit
					u8(r.u8(31), r.u8(32), r.u8(33)). // modifiers
					u8(r.u8(34), r.u8(35), r.u8(36)). // virtual modifiers of keys
					u16(r.u16(38)).                   // virtual modifiers
					bytes(append(types, rest...)).
					check()
}

// setTypes turns the key types of an answer into those of a request, and returns what follows them.
func setTypes(r reply, n int) (types, rest []byte, err error) {
	o := mapHead
	for range n {
		if !r.has(o + 8) {
			return nil, nil, errShort
		}
		entries, preserve := int(r.u8(o+5)), r.u8(o+6) != 0
		types = append(types, r[o:o+8]...)
		o += 8
		size := 8 * entries
		if preserve {
			size += 4 * entries
		}
		if !r.has(o + size) {
			return nil, nil, errShort
		}
		for i := range entries { // active, mask, level, mods, virtual mods u16, 2 unused: without the first two
			e := r[o+8*i:]
			types = append(types, e[2], e[3], e[4], e[5])
		}
		for i := range entries {
			if preserve { // mask, mods, virtual mods u16: with a level before, which means nothing
				e := r[o+8*entries+4*i:]
				types = append(types, 0, e[1], e[2], e[3])
			}
		}
		o += size
	}
	return types, r[o:], nil
}

// DeviceMapping is like KeyboardMapping, of one keyboard.
func (c *Conn) DeviceMapping(id uint16) (syms []uint32, per int, err error) {
	e, err := c.Extension("XInputExtension")
	if err != nil {
		return nil, 0, err
	}
	first := c.Setup.MinKeycode
	count := c.Setup.MaxKeycode - first + 1
	r, err := c.request(e.Opcode, 24).u8(uint8(id), first, count, 0).call(nil) // GetDeviceKeyMapping; device ids are below 128
	if err != nil {
		return nil, 0, err
	}
	return r.symbols(int(r.u8(8)), int(count))
}

// symbols reads what keys write, so many symbols a key.
func (r reply) symbols(per, count int) ([]uint32, int, error) {
	if !r.has(32 + 4*per*count) {
		return nil, 0, errShort
	}
	syms := make([]uint32, per*count)
	for i := range syms {
		syms[i] = r.u32(32 + 4*i)
	}
	return syms, per, nil
}
