//go:build linux

package x11

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

// testDevices returns the devices that XTEST made.
func (c *Conn) testDevices(opcode uint8) (map[uint16]bool, error) {
	devices, err := c.devices(opcode)
	if err != nil {
		return nil, err
	}
	made := map[uint16]bool{}
	for _, d := range devices {
		if d.test() {
			made[d.id] = true
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
