//go:build linux

package input

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"jiseki/internal/keys"
	"jiseki/internal/screen"
	"jiseki/internal/x11"
)

// X numbers of the buttons, in the order of the bits of Buttons, and of the wheel's directions.
var buttonNumbers = [buttonCount]uint8{1, 2, 3, 8, 9}

const wheelUp, wheelDown, wheelLeft, wheelRight = 4, 5, 6, 7

// keycodeBase is the difference between X keycodes and evdev codes on every Linux X server.
const keycodeBase = 8

// maxNotches bounds the notches of one Wheel, so that a hostile viewer cannot flood the desk by one message.
const maxNotches = 100

// X11Config says which X server to act on.
type X11Config struct {
	Display   string       // such as ":0"
	Authority string       // path of the Xauthority file; empty: see x11.Options
	Log       *slog.Logger // hears of a layout that cannot be taken over; may be nil
}

// An X11 injects input to an X server by XTEST.
type X11 struct {
	conn      *x11.Conn
	test      *x11.Test
	keyboard  *x11.Keyboard
	clipboard *clipboard
	layout    *layout

	mu      sync.Mutex
	down    []uint8 // pressed keycodes, oldest first
	buttons Buttons
	wheel   [2]int // parts of a notch not yet turned, right and down
}

var _ Injector = (*X11)(nil)

// OpenX11 connects to an X server, which must have XTEST and XKB.
func OpenX11(cfg X11Config) (*X11, error) {
	x := &X11{}
	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	x.layout = &layout{log: log, watched: map[uint16]bool{}, changed: make(chan struct{}, 1), ended: make(chan struct{})}
	var ready atomic.Bool
	conn, err := x11.Dial(x11.Options{Display: cfg.Display, Authority: cfg.Authority, OnEvent: func(e x11.Event) {
		if ready.Load() {
			x.layout.onEvent(e)
		}
	}})
	if err != nil {
		return nil, fmt.Errorf("input: %w", err)
	}
	x.conn, x.layout.conn = conn, conn
	if err := x.open(cfg, &ready); err != nil {
		conn.Close()
		return nil, fmt.Errorf("input: %w", err)
	}
	go x.layout.follow()
	return x, nil
}

func (x *X11) open(cfg X11Config, ready *atomic.Bool) (err error) {
	if x.test, err = x.conn.Test(); err != nil {
		return err
	}
	if x.keyboard, err = x.conn.Keyboard(); err != nil {
		return err
	}
	x.layout.keyboard = x.keyboard
	ready.Store(true)
	if err = x.layout.match(); err != nil {
		return err
	}
	if err = x.releaseLeft(); err != nil {
		return err
	}
	x.clipboard, err = openClipboard(cfg)
	return err
}

// releaseLeft releases what an injector left down whose process was killed: the server keeps the keys of XTEST's
// devices down when their client is gone. Keys of other devices stay as they are.
func (x *X11) releaseLeft() error {
	down, err := x.conn.KeysDown()
	if err != nil {
		return err
	}
	for code := range 256 {
		if down[code/8]&(1<<(code%8)) == 0 {
			continue
		}
		if err := x.test.Key(uint8(code), false); err != nil {
			return err
		}
	}
	_, state, err := x.conn.Pointer()
	if err != nil {
		return err
	}
	for button := range uint8(maxCoreButton) {
		if state&(1<<(firstButtonBit+button)) == 0 {
			continue
		}
		if err := x.test.Button(button+1, false); err != nil {
			return err
		}
	}
	return nil
}

// Buttons in the state of the pointer: bits 8 to 12 are buttons 1 to 5.
const (
	firstButtonBit = 8
	maxCoreButton  = 5
)

// Key implements Injector.
func (x *X11) Key(code keys.Code, down bool) error {
	keycode, err := x.keycode(code)
	if err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.key(keycode, down)
}

// keycode is the X number of a key. Keys whose meaning the desk's layout has elsewhere are looked up there.
func (x *X11) keycode(code keys.Code) (uint8, error) {
	if symbols, ok := switches[code]; ok {
		return x.switchKey(symbols)
	}
	evdev, ok := code.Evdev()
	keycode := evdev + keycodeBase
	if !ok || code.Local() || keycode > uint16(x.conn.Setup.MaxKeycode) {
		return 0, ErrNoKey
	}
	return uint8(keycode), nil
}

func (x *X11) key(keycode uint8, down bool) error {
	i := slices.Index(x.down, keycode)
	if (i >= 0) == down {
		return nil
	}
	if down {
		x.down = append(x.down, keycode)
	} else {
		x.down = slices.Delete(x.down, i, i+1)
	}
	return x.test.Key(keycode, down)
}

// Repeat implements Injector.
func (x *X11) Repeat(code keys.Code) error {
	keycode, err := x.keycode(code)
	if err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if !slices.Contains(x.down, keycode) {
		return nil
	}
	return errors.Join(x.test.Key(keycode, false), x.test.Key(keycode, true))
}

// RepeatTimes implements Injector.
func (x *X11) RepeatTimes(code keys.Code) (delay, every time.Duration, err error) {
	keycode, err := x.keycode(code)
	if err != nil {
		return 0, 0, err
	}
	repeat, err := x.layout.repeat()
	if err != nil || !repeat.Key(keycode) {
		return 0, 0, err
	}
	return max(repeat.Delay, time.Millisecond), max(repeat.Every, time.Millisecond), nil
}

// Pointer implements Injector.
func (x *X11) Pointer(at screen.Point) error {
	at.X, at.Y = min(max(at.X, 0), screen.MaxSide), min(max(at.Y, 0), screen.MaxSide)
	return x.test.Move(at)
}

// Buttons implements Injector.
func (x *X11) Buttons(down Buttons) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.setButtons(down & allButtons)
}

func (x *X11) setButtons(down Buttons) error {
	for i, number := range buttonNumbers {
		bit := Buttons(1) << i
		if (x.buttons^down)&bit == 0 {
			continue
		}
		if err := x.test.Button(number, down&bit != 0); err != nil {
			return err
		}
		x.buttons ^= bit
	}
	return nil
}

// Wheel implements Injector.
func (x *X11) Wheel(dx, dy int) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return errors.Join(
		x.turn(&x.wheel[0], dx, wheelLeft, wheelRight),
		x.turn(&x.wheel[1], dy, wheelUp, wheelDown),
	)
}

// turn adds to the rest of an axis and clicks for each whole notch.
func (x *X11) turn(rest *int, by int, negative, positive uint8) error {
	if (*rest < 0) != (by < 0) && by != 0 {
		*rest = 0 // a turn back starts afresh
	}
	total := *rest + by
	*rest = total % Notch
	number := positive
	if total < 0 {
		number, total = negative, -total
	}
	for range min(total/Notch, maxNotches) {
		if err := errors.Join(x.test.Button(number, true), x.test.Button(number, false)); err != nil {
			return err
		}
	}
	return nil
}

// The symbols on the lock keys (keysymdef.h).
const keysymNumLock, keysymScrollLock, keysymCapsLock, keysymShiftLock = 0xff7f, 0xff14, 0xffe5, 0xffe6

// lockMasks returns the modifier of each lock key; 0 where the desk's layout has no such key, as with ctrl:nocaps: what
// no key of the desk can clear, nobody may set.
func (x *X11) lockMasks() (caps, num, scroll uint8, err error) {
	modifiers, err := x.conn.ModifierMap()
	if err != nil {
		return 0, 0, 0, err
	}
	syms, per, err := x.layout.symbols()
	if err != nil {
		return 0, 0, 0, err
	}
	find := func(wanted ...uint32) uint8 {
		for bit, codes := range modifiers {
			for _, code := range codes {
				o := (int(code) - int(x.conn.Setup.MinKeycode)) * per
				if slices.ContainsFunc(syms[o:o+per], func(sym uint32) bool { return slices.Contains(wanted, sym) }) {
					return 1 << bit
				}
			}
		}
		return 0
	}
	return find(keysymCapsLock, keysymShiftLock), find(keysymNumLock), find(keysymScrollLock), nil
}

// Locks implements Injector.
func (x *X11) Locks() (Locks, error) {
	caps, num, scroll, err := x.lockMasks()
	if err != nil {
		return 0, err
	}
	locked, err := x.keyboard.Locked()
	if err != nil {
		return 0, err
	}
	var on Locks
	for bit, mask := range map[Locks]uint8{Caps: caps, Num: num, Scroll: scroll} {
		if locked&mask != 0 {
			on |= bit
		}
	}
	return on, nil
}

// SetLocks implements Injector.
func (x *X11) SetLocks(on Locks) error {
	caps, num, scroll, err := x.lockMasks()
	if err != nil {
		return err
	}
	var want uint8
	for bit, mask := range map[Locks]uint8{Caps: caps, Num: num, Scroll: scroll} {
		if on&bit != 0 {
			want |= mask
		}
	}
	return x.keyboard.Lock(caps|num|scroll, want)
}

// SetClipboard implements Injector.
func (x *X11) SetClipboard(text string) error {
	if text == "" || len(text) > MaxClipboard || !utf8.ValidString(text) || slices.Contains([]byte(text), 0) {
		return ErrText
	}
	return x.clipboard.offer(text)
}

// ReleaseAll implements Injector.
func (x *X11) ReleaseAll() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.releaseAll()
}

func (x *X11) releaseAll() error {
	var errs []error
	for _, keycode := range slices.Backward(slices.Clone(x.down)) { // modifiers, pressed first, go up last
		errs = append(errs, x.key(keycode, false))
	}
	return errors.Join(append(errs, x.setButtons(0))...)
}

// Done are closed when the X server is lost, or by Close.
func (x *X11) Done() []<-chan struct{} {
	return []<-chan struct{}{x.conn.Done(), x.clipboard.conn.Done()}
}

// Close implements Injector.
func (x *X11) Close() error {
	err := errors.Join(x.ReleaseAll(), x.layout.restore())
	if err == nil {
		err = x.conn.Sync() // so that nothing of it is lost with the connection
	}
	err = errors.Join(err, x.clipboard.close(), x.conn.Close())
	<-x.layout.ended
	return err
}
