// Package keys numbers the physical keys of a keyboard and translates between the W3C code names that browsers report
// (UI Events KeyboardEvent code Values), Linux evdev codes and Windows scan codes of set 1. A code says where a key is,
// never what it writes: the desk's layout and input method decide that.
//
// vectors/keys/codes.json and web/src/keys/codes.ts are written from the table here by
//
//	go test ./internal/keys -update
package keys

import "strconv"

// A Code is a physical key. Its number travels in wire messages, so it never changes. The zero Code is no key.
//
// On Japanese keyboards 半角/全角 is [Backquote], 英数 is [CapsLock], カタカナひらがな is [KanaMode], 変換 is [Convert],
// 無変換 is [NonConvert], ¥ is [IntlYen], ろ is [IntlRo]; on Apple's, かな is [Lang1] and 英数 is [Lang2].
type Code uint16

// limit is greater than every code.
const limit = 256

// evdevLimit is greater than every evdev code in the table, and small enough for an X key code (evdev + 8, one byte).
const evdevLimit = 248

var (
	byCode  = indexCodes()
	byEvdev = indexEvdev()
	byName  = indexNames()
	byScan  = indexScans()
)

func indexCodes() (t [limit]row) {
	for _, r := range table {
		t[r.code] = r
	}
	return t
}

func indexEvdev() (t [evdevLimit]Code) {
	for _, r := range table {
		t[r.evdev] = r.code
	}
	t[0] = 0
	return t
}

func indexNames() map[string]Code {
	m := make(map[string]Code, len(table))
	for _, r := range table {
		m[r.name] = r.code
	}
	return m
}

func indexScans() map[uint16]Code {
	m := make(map[uint16]Code, len(table)+len(scanAliases))
	for _, r := range table {
		if r.scan != 0 {
			m[r.scan] = r.code
		}
	}
	for scan, c := range scanAliases {
		m[scan] = c
	}
	return m
}

func (c Code) row() row {
	if c >= limit {
		return row{}
	}
	return byCode[c]
}

// Known reports whether c is a key of the table.
func (c Code) Known() bool { return c.row().code != 0 }

// Name is the W3C code name, such as "KeyA"; "" for a code that is not known.
func (c Code) Name() string { return c.row().name }

// String is Name, or "key_" and the number. Do not log it: a row of codes is what somebody typed.
func (c Code) String() string {
	if n := c.Name(); n != "" {
		return n
	}
	return "key_" + strconv.Itoa(int(c))
}

// Tap reports that browsers or systems may not tell when the key goes up: 半角/全角, 英数, カタカナひらがな and the
// language keys. Such a key is sent as press and release at once. Backquote is a tap on Japanese layouts only; where it
// writes a character it is an ordinary key, and who reads the event (it sees the character) decides.
func (c Code) Tap() bool { return c.row().traits&tap != 0 }

// Modifier reports whether the key is Alt, Control, Meta or Shift, left or right.
func (c Code) Modifier() bool { return c.row().traits&modifier != 0 }

// Local reports that the key acts on the device and is never sent: a device that puts its desk to sleep or switches
// it off could not come back.
func (c Code) Local() bool { return c.row().traits&local != 0 }

// Repeats reports whether a system repeats the key while it is held. Repetition is the desk's own: none is sent.
func (c Code) Repeats() bool { return c.row().traits&repeats != 0 }

// Evdev is the code in linux/input-event-codes.h, below 248 (an X key code is 8 more). ok is false if Linux has none.
func (c Code) Evdev() (code uint16, ok bool) {
	r := c.row()
	return r.evdev, r.evdev != 0
}
