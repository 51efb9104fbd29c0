//go:build linux

package lock

import (
	"context"
	"errors"
	"image"

	"jiseki/internal/x11"
)

// isOverlaid says whether a locker holds the keyboard, and a window of another program shows above its windows.
func (s *X11) isOverlaid() (bool, error) {
	holds, err := s.lockerHolds()
	s.probing.Lock()
	defer s.probing.Unlock()
	return holds && s.above, err
}

// covered says whether windows of lockers cover every monitor, and no other window shows above them. One pixel at each
// edge may stay free: xsecurelock leaves it so that no compositor takes its window for a film.
func (s *X11) covered(lockers map[x11.Client]int) (bool, error) {
	s.above = false
	if len(lockers) == 0 {
		s.stacked.Store(false)
		return false, nil
	}
	s.stacked.Store(true) // before the windows are read: no later change is missed
	open, err := s.monitors()
	if err != nil {
		return false, err
	}
	windows, err := s.conn.Children(s.conn.Setup.Root)
	if err != nil {
		return false, err
	}
	highest := true
	for i := len(windows) - 1; i >= 0 && len(open) > 0; i-- { // the highest first
		bounds, shows, err := s.shown(windows[i])
		if err != nil {
			return false, err
		}
		if !shows {
			continue
		}
		if _, ok := lockers[s.conn.Client(windows[i])]; ok {
			open, highest = uncovered(open, bounds), false
		} else if meets(open, bounds) {
			s.above = highest
			return false, nil
		}
	}
	return len(open) == 0, nil
}

// shown says where a window is, and whether it can be seen. One that has just gone cannot.
func (s *X11) shown(win x11.Window) (bounds image.Rectangle, shows bool, err error) {
	gone := func(err error) bool { return x11.IsError(err, x11.BadWindow) || x11.IsError(err, x11.BadDrawable) }
	state, err := s.conn.State(win)
	if gone(err) || err == nil && (!state.Viewable || state.InputOnly) {
		return bounds, false, nil
	}
	if err != nil {
		return bounds, false, err
	}
	bounds, err = s.conn.Geometry(win)
	if gone(err) {
		return bounds, false, nil
	}
	return bounds, err == nil, err
}

// monitors are the parts of the screen that somebody can see.
func (s *X11) monitors() (parts []image.Rectangle, err error) {
	root, err := s.conn.Geometry(s.conn.Setup.Root)
	if err != nil {
		return nil, err
	}
	monitors, err := s.conn.Monitors()
	var missing *x11.MissingExtensionError
	if err != nil && !errors.As(err, &missing) {
		return nil, err
	}
	for _, m := range monitors {
		if b := m.Bounds.Intersect(root); !b.Empty() {
			parts = append(parts, b)
		}
	}
	if parts == nil {
		parts = append(parts, root)
	}
	return parts, nil
}

func uncovered(parts []image.Rectangle, by image.Rectangle) (rest []image.Rectangle) {
	for _, p := range parts {
		if !p.Inset(1).In(by) {
			rest = append(rest, p)
		}
	}
	return rest
}

func meets(parts []image.Rectangle, r image.Rectangle) bool {
	for _, p := range parts {
		if p.Overlaps(r) {
			return true
		}
	}
	return false
}

// getsKeys says whether the press of a key that means nothing reaches one of clients, and nobody else.
func (s *X11) getsKeys(clients map[x11.Client]int) (bool, error) {
	key, err := s.spareKey()
	if err != nil {
		return false, err
	}
	receivers, err := s.conn.KeyReceivers(key)
	if err != nil {
		return false, err
	}
	for _, r := range receivers {
		if _, ok := clients[r]; !ok {
			return false, nil
		}
	}
	return len(receivers) > 0, nil
}

// spareKey is a key without any symbol.
func (s *X11) spareKey() (uint8, error) { return s.keyOf(0) }

// keyOf is the first key whose only symbol, or whose first symbol when it is not 0, is sym.
func (s *X11) keyOf(sym uint32) (uint8, error) {
	syms, per, err := s.conn.KeyboardMapping()
	if err != nil {
		return 0, err
	}
	for i := 0; per > 0 && i+per <= len(syms); i += per {
		if key := syms[i : i+per]; key[0] == sym && (sym != 0 || isEmpty(key)) {
			return s.conn.Setup.MinKeycode + uint8(i/per), nil
		}
	}
	return 0, errNoKey
}

var errNoKey = errors.New("no such key is on the keyboard")

func isEmpty(syms []uint32) bool {
	for _, sym := range syms {
		if sym != 0 {
			return false
		}
	}
	return true
}

// symEscape is the symbol of Escape (keysymdef.h).
const symEscape = 0xff1b

// Menus lie in one another at most so deep.
const maxMenus = 8

// clear has programs let go of keyboard and pointer, which a locker needs: menus are closed by Escape; what stays, such
// as a drag or the choice of an area, loses its hold. A locker that somebody else has started keeps its own: it would
// cover the screen for good without them.
func (s *X11) clear(ctx context.Context) error {
	if locker, err := s.lockerHolds(); err != nil || locker {
		return err
	}
	for range maxMenus {
		keyboard, pointer, err := s.holds()
		if err != nil || !keyboard && !pointer {
			return err
		}
		if !keyboard {
			break // Escape would reach the window that somebody works in
		}
		if err := s.tap(symEscape); err != nil {
			break
		}
		if err := s.pause(ctx); err != nil {
			return err
		}
	}
	if err := s.ungrab(); err != nil {
		return err
	}
	keyboard, pointer, err := s.holds()
	if err == nil && (keyboard || pointer) {
		err = errors.New("a program holds them and does not let go")
	}
	return err
}

// lockerHolds says whether the keyboard is held by a locker.
func (s *X11) lockerHolds() (bool, error) {
	lockers, err := s.lockers()
	if err != nil || len(lockers) == 0 {
		return false, err
	}
	keyboard, _, err := s.holds()
	if err != nil || !keyboard {
		return false, err
	}
	return s.getsKeys(lockers)
}

// holds says whether other programs hold keyboard and pointer.
func (s *X11) holds() (keyboard, pointer bool, err error) {
	s.probing.Lock()
	defer s.probing.Unlock()
	k, err := s.conn.GrabKeyboard()
	if err != nil {
		return false, false, err
	}
	p, err := s.conn.GrabPointer()
	if err != nil {
		return false, false, err
	}
	if k == x11.Grabbed {
		err = s.conn.UngrabKeyboard()
	}
	if p == x11.Grabbed {
		err = errors.Join(err, s.conn.UngrabPointer())
	}
	return k.Held(), p.Held(), err
}

// tap presses and releases the key of a symbol.
func (s *X11) tap(sym uint32) error {
	key, err := s.keyOf(sym)
	if err != nil {
		return err
	}
	test, err := s.conn.Test()
	if err != nil {
		return err
	}
	return errors.Join(test.Key(key, true), test.Key(key, false), s.conn.Sync())
}

// ungrab has the server take keyboard and pointer back from whoever holds them.
func (s *X11) ungrab() error {
	key, err := s.spareKey()
	if err != nil {
		return err
	}
	return s.conn.UngrabAll(key)
}
