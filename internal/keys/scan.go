package keys

// extended is the prefix of extended keys in a scan code. A scan code is the byte of set 1, or 0xe000 and the byte.
const extended = 0xe000

// scanAliases are scan codes that Windows reports besides those of the table: Pause with Control, Pause as raw input
// has it (E1 1D 45), PrintScreen with Alt.
var scanAliases = map[uint16]Code{0xe046: Pause, 0xe11d: Pause, 0x54: PrintScreen}

// Scan is the scan code of set 1 as Windows reports it in window messages and keyboard hooks: the low byte is the code,
// the high byte is 0xe0 for an extended key, else 0. ok is false if Windows has none. Two are odd for historical
// reasons: NumLock is reported as extended 0x45 and Pause as 0x45. To inject, use [Code.InjectScan].
func (c Code) Scan() (scan uint16, ok bool) {
	r := c.row()
	return r.scan, r.scan != 0
}

// InjectScan is what SendInput takes with KEYEVENTF_SCANCODE: the code and whether KEYEVENTF_EXTENDEDKEY belongs to
// it. It differs from [Code.Scan] for NumLock, which the keyboard driver knows as 0x45 without prefix. ok is false if
// there is none; so for Pause, whose real code E1 1D 45 does not fit: inject it by its virtual key (VK_PAUSE, 0x13).
func (c Code) InjectScan() (code uint8, ext, ok bool) {
	switch c {
	case NumLock:
		return 0x45, false, true
	case Pause:
		return 0, false, false
	}
	s := c.row().scan
	return uint8(s), s&extended == extended, s != 0
}

// FromScan finds the key of a scan code in the form of [Code.Scan]; 0 if there is none. ext is LLKHF_EXTENDED of a
// keyboard hook, or bit 24 of a window message.
func FromScan(code uint8, ext bool) Code {
	s := uint16(code)
	if ext {
		s |= extended
	}
	return byScan[s]
}

// FromEvdev finds the key of an evdev code; 0 if there is none.
func FromEvdev(code uint16) Code {
	if code >= evdevLimit {
		return 0
	}
	return byEvdev[code]
}

// FromName finds the key of a W3C code name; 0 if there is none.
func FromName(name string) Code { return byName[name] }
