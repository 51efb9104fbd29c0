//go:build linux

package x11

import "errors"

// UngrabAll has the server take keyboard and pointer back from all who hold them, as the symbol XF86Ungrab does on
// keyboards that have it. For that the keyboard of XTEST, and no other, has an action of the server (XKB, Private 0x86,
// "Ungrab") on a spare key for a moment.
func (c *Conn) UngrabAll(spare uint8) error {
	test, err := c.Test()
	if err != nil {
		return err
	}
	keyboard, err := c.Keyboard()
	if err != nil {
		return err
	}
	device, err := c.testKeyboard()
	if err != nil {
		return err
	}
	err = keyboard.giveUngrab(device, spare)
	if err == nil {
		err = errors.Join(test.Key(spare, true), test.Key(spare, false))
	}
	return errors.Join(err, keyboard.takeAll(device, spare))
}

// giveUngrab gives a key of a device the symbol XF86Ungrab, and then its action: servers count the actions of a key by
// the symbols that it had before the request. It does not wait: who follows the keymap may put it right at any time.
func (k *Keyboard) giveUngrab(device uint16, key uint8) error {
	const symbol, private = 0x1008fe20, 0x86
	oneLevel := []uint8{0, 0, 0, 0, 1, 1, 1, 0} // types of the groups, groups, levels, symbols
	if err := k.setSymbols(device, key, 1).u8(oneLevel...).u32(symbol).send(); err != nil {
		return err
	}
	return k.setActions(device, key, 1).u8(1, 0, 0, 0).u8(private).u8([]byte("Ungrab\x00")...).send()
}

// takeAll takes actions and symbols from a key of a device.
func (k *Keyboard) takeAll(device uint16, key uint8) error {
	if err := k.setActions(device, key, 0).u8(0, 0, 0, 0).check(); err != nil {
		return err
	}
	return k.setSymbols(device, key, 0).u8(make([]byte, 8)...).check()
}

// setSymbols begins a request that gives a key of a device so many symbols (XkbSetMap).
func (k *Keyboard) setSymbols(device uint16, key uint8, total uint16) *writer {
	return k.beginMap(device, 1<<1).u8(0, 0, key, 1).u16(total).u8(make([]byte, 18)...)
}

// setActions begins a request that gives a key of a device so many actions.
func (k *Keyboard) setActions(device uint16, key uint8, total uint16) *writer {
	return k.beginMap(device, 1<<4).u8(make([]byte, 6)...).u8(key, 1).u16(total).u8(make([]byte, 14)...)
}

func (k *Keyboard) beginMap(device, part uint16) *writer {
	return k.c.request(k.op, 9).u16(device, part, 0).u8(k.c.Setup.MinKeycode, k.c.Setup.MaxKeycode)
}

// testKeyboard is the number of XTEST's keyboard.
func (c *Conn) testKeyboard() (uint16, error) {
	list, _, err := c.Keyboards()
	if err != nil {
		return 0, err
	}
	for _, d := range list {
		if d.Test {
			return d.ID, nil
		}
	}
	return 0, &MissingExtensionError{"the keyboard of XTEST"}
}
