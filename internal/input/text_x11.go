//go:build linux

package input

import (
	"errors"
	"slices"
	"time"
	"unicode/utf8"

	"jiseki/internal/keys"
)

// Symbols of keys (keysymdef.h).
const (
	keysymReturn, keysymTab   = 0xff0d, 0xff09
	keysymUnicode             = 0x01000000 // plus a character beyond Latin-1
	keysymMuhenkan            = 0xff22
	keysymHenkan              = 0xff23
	keysymHiragana            = 0xff25
	keysymHiraganaKatakana    = 0xff27
	keysymEisuShift           = 0xff2f
	keysymKanaLock            = 0xff2d
	controlModifier, shiftRow = 2, 0 // rows of the modifier map
	keysymLetterV             = 'v'
)

// longestPaste is how long a program may take to paste. Nothing else is typed meanwhile: it would come before the text.
const longestPaste = 2 * time.Second

// switches are keys of Apple's Japanese keyboards that say on and off to the input method, and what says so on the
// layout of an office PC: the first of these symbols that it has. Linux numbers those keys as 한/영 and 한자, which switch
// other things.
var switches = map[keys.Code][]uint32{
	keys.Lang1: {keysymHiraganaKatakana, keysymHiragana, keysymHenkan, keysymKanaLock},
	keys.Lang2: {keysymMuhenkan, keysymEisuShift},
}

// switchKey finds the key that has the first of some symbols that the layout has, without Shift.
func (x *X11) switchKey(symbols []uint32) (uint8, error) {
	syms, per, err := x.layout.symbols()
	if err != nil {
		return 0, err
	}
	for _, sym := range symbols {
		for o := 0; o+per <= len(syms); o += per {
			if per > 0 && syms[o] == sym {
				return x.conn.Setup.MinKeycode + uint8(o/per), nil //nolint:gosec // at most 255 keys
			}
		}
	}
	return 0, ErrNoKey
}

// A stroke is a key, perhaps with Shift.
type stroke struct {
	keycode uint8
	shift   bool
}

// Type implements Injector.
func (x *X11) Type(text string) error {
	strokes, shift, err := x.strokes(text)
	if err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.releaseAll(); err != nil {
		return err
	}
	shifted := false
	for _, s := range strokes {
		if s.shift != shifted {
			shifted = s.shift
			if err := x.key(shift, shifted); err != nil {
				return err
			}
		}
		if err := errors.Join(x.key(s.keycode, true), x.key(s.keycode, false)); err != nil {
			return err
		}
	}
	if shifted {
		return x.key(shift, false)
	}
	return nil
}

// strokes finds the keys for a text in the group of the layout that is in use; ErrNoKey if there are not all. shift is
// the key for Shift.
func (x *X11) strokes(text string) (list []stroke, shift uint8, err error) {
	if !utf8.ValidString(text) {
		return nil, 0, ErrText
	}
	syms, per, err := x.layout.symbols()
	if err != nil {
		return nil, 0, err
	}
	group, err := x.keyboard.Group()
	if err != nil {
		return nil, 0, err
	}
	locks, err := x.Locks()
	if err != nil {
		return nil, 0, err
	}
	modifiers, err := x.conn.ModifierMap()
	if err != nil {
		return nil, 0, err
	}
	if len(modifiers[shiftRow]) == 0 {
		return nil, 0, ErrNoKey
	}
	table := characters(syms, per, group, x.conn.Setup.MinKeycode)
	for _, r := range text {
		s, ok := table[symbol(r)]
		if !ok {
			return nil, 0, ErrNoKey
		}
		if locks&Caps != 0 && letter(r) {
			s.shift = !s.shift
		}
		list = append(list, s)
	}
	return list, modifiers[shiftRow][0], nil
}

// letter says whether Caps Lock changes a character of Latin-1.
func letter(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= 0xc0 && r <= 0xff && r != 0xd7 && r != 0xf7
}

// symbol is the symbol of a character (keysymdef.h, appendix A of the X protocol).
func symbol(r rune) uint32 {
	switch {
	case r == '\n':
		return keysymReturn
	case r == '\t':
		return keysymTab
	case r <= 0xff:
		return uint32(r)
	}
	return keysymUnicode + uint32(r)
}

// characters are the strokes for each symbol that a group of the layout has with or without Shift.
func characters(syms []uint32, per, group int, first uint8) map[uint32]stroke {
	column := 2 * group
	if column+1 >= per {
		column = 0
	}
	table := map[uint32]stroke{}
	if per < 2 {
		return table
	}
	for o := len(syms) - per; o >= 0; o -= per { // the lowest key wins
		row := syms[o+column : o+column+2]
		for level, sym := range slices.Backward(row) {
			if sym != 0 {
				table[sym] = stroke{first + uint8(o/per), level == 1} //nolint:gosec // at most 255 keys
			}
		}
	}
	return table
}

// Paste implements Injector.
func (x *X11) Paste(text string) error {
	if err := x.SetClipboard(text); err != nil {
		return err
	}
	modifiers, err := x.conn.ModifierMap()
	if err != nil {
		return err
	}
	v, err := x.switchKey([]uint32{keysymLetterV})
	if errors.Is(err, ErrNoKey) || len(modifiers[controlModifier]) == 0 {
		return ErrNoKey
	}
	if err != nil {
		return err
	}
	focus, err := x.conn.Focus()
	if err != nil {
		return err
	}
	fetched := x.clipboard.fetch(x.conn.Client(focus))
	if err := x.chord(modifiers[controlModifier][0], v); err != nil {
		return err
	}
	select { // what is typed next must come behind the text
	case <-fetched:
	case <-time.After(longestPaste):
	case <-x.conn.Done():
	}
	return nil
}

// chord releases everything, then presses one key with another.
func (x *X11) chord(modifier, key uint8) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return errors.Join(x.releaseAll(), x.key(modifier, true), x.key(key, true), x.key(key, false), x.key(modifier, false))
}
