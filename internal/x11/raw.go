//go:build linux

package x11

import "strings"

// WatchDevices asks for events of the devices that are plugged in, and returns the numbers of the devices that XTEST
// makes up. It needs XInput 2.1.
func (c *Conn) WatchDevices() (made map[uint16]bool, err error) {
	e, err := c.Extension("XInputExtension")
	if err != nil {
		return nil, err
	}
	r, err := c.request(e.Opcode, 47).u16(2, 1).call(nil) // XIQueryVersion
	if err != nil {
		return nil, err
	}
	if r.u16(8) < 2 || r.u16(8) == 2 && r.u16(10) < 1 {
		return nil, &MissingExtensionError{"XInput 2.1"}
	}
	if made, err = c.testDevices(e.Opcode); err != nil {
		return nil, err
	}
	const allMasters = 1
	const rawKeys, rawButtons, rawMotion = 1<<13 | 1<<14, 1<<15 | 1<<16, 1 << 17
	return made, c.request(e.Opcode, 46).u32(uint32(c.Setup.Root)).u16(1, 0, allMasters, 1).
		u32(rawKeys | rawButtons | rawMotion).check() // XISelectEvents
}

// testDevices returns the devices whose names say that XTEST made them, as every X server names them.
func (c *Conn) testDevices(opcode uint8) (map[uint16]bool, error) {
	const all = 0
	r, err := c.request(opcode, 48).u16(all, 0).call(nil) // XIQueryDevice
	if err != nil {
		return nil, err
	}
	made := map[uint16]bool{}
	o := 32
	for range r.u16(8) {
		if !r.has(o + 12) {
			return nil, errShort
		}
		id, classes, name := r.u16(o), r.u16(o+6), int(r.u16(o+8))
		if o += 12; !r.has(o + pad4(name)) {
			return nil, errShort
		}
		if strings.Contains(string(r[o:o+name]), "XTEST") {
			made[id] = true
		}
		o += pad4(name)
		for range classes {
			if !r.has(o+4) || r.u16(o+2) == 0 {
				return nil, errShort
			}
			o += int(r.u16(o+2)) * 4
		}
	}
	return made, nil
}

// Source is the number of the device that a raw event comes from; ok is false for other events.
func (e Event) Source() (device uint16, ok bool) {
	if e.Type() != genericEvent || len(e) < 32 {
		return 0, false
	}
	kind := le.Uint16(e[8:])
	const first, last = 13, 17
	return le.Uint16(e[20:]), kind >= first && kind <= last
}
