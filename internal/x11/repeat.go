//go:build linux

package x11

import "time"

// Repeat says how a keyboard repeats keys that are held.
type Repeat struct {
	On           bool
	Delay, Every time.Duration // before the first, and between two
	keys         [32]byte
}

// Key says whether a key repeats.
func (r Repeat) Key(keycode uint8) bool { return r.On && r.keys[keycode/8]&(1<<(keycode%8)) != 0 }

// repeatKeys is the bit of the controls that says whether keys repeat (XkbRepeatKeysMask).
const repeatKeys = 1 << 0

// Repeat reads how a keyboard repeats.
func (k *Keyboard) Repeat(id uint16) (Repeat, error) {
	r, err := k.c.request(k.op, 6).u16(id, 0).call(nil) // XkbGetControls
	if err != nil {
		return Repeat{}, err
	}
	if !r.has(92) {
		return Repeat{}, errShort
	}
	out := Repeat{
		On:    r.u32(56)&repeatKeys != 0,
		Delay: time.Duration(r.u16(20)) * time.Millisecond, Every: time.Duration(r.u16(22)) * time.Millisecond,
	}
	copy(out.keys[:], r[60:92])
	return out, nil
}

// SetRepeat says whether a keyboard repeats keys by itself.
func (k *Keyboard) SetRepeat(id uint16, on bool) error {
	var enabled uint32
	if on {
		enabled = repeatKeys
	}
	// XkbSetControls: nothing but this bit of the enabled controls.
	return k.c.request(k.op, 7).u16(id).bytes(make([]byte, 18)).u32(repeatKeys, enabled).bytes(make([]byte, 100-32)).check()
}
