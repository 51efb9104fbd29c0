//go:build linux

package input

import (
	"errors"
	"log/slog"
	"sync"

	"jiseki/internal/x11"
)

// A layout keeps XTEST's keyboard like the desk's own. The server gives XTEST a keyboard with its built-in layout,
// whatever the configuration says of the real ones, and programs see the keymap of the keyboard that was used last.
//
// XTEST's keyboard also repeats by itself what is held, even while the line to the viewer is dead; that is switched
// off.
type layout struct {
	conn     *x11.Conn
	keyboard *x11.Keyboard
	log      *slog.Logger
	changed  chan struct{} // holds a signal when the server told of a change
	ended    chan struct{}

	mu         sync.Mutex
	test, real uint16        // devices; 0: there is none
	tried      [2]x11.Keymap // of the real one, and what XTEST's became by it
	watched    map[uint16]bool
	repeated   bool // XTEST's keyboard repeated by itself
}

// onEvent takes the server's word that some keyboard has changed.
func (l *layout) onEvent(e x11.Event) {
	if e.Type() == l.keyboard.Event() {
		signal(l.changed)
	}
}

// follow does the same as open whenever a keyboard has changed, until the connection ends.
func (l *layout) follow() {
	defer close(l.ended)
	for {
		select {
		case <-l.changed:
		case <-l.conn.Done():
			return
		}
		if err := l.match(); err != nil && l.conn.Err() == nil {
			l.log.Warn("remote keys may not have the layout of the desk", "err", err)
		}
	}
}

// match gives XTEST's keyboard the keymap of the real one, if it has another, and keeps it from repeating.
func (l *layout) match() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.find(); err != nil {
		return err
	}
	return errors.Join(l.copyKeymap(), l.quiet())
}

// find looks which keyboards there are. The real one is the one that was used last.
func (l *layout) find() error {
	list, used, err := l.conn.Keyboards()
	if err != nil {
		return err
	}
	var first, last, test uint16
	for _, d := range list {
		switch {
		case d.Test:
			test = d.ID
		case first == 0:
			first = d.ID
		}
		if !d.Test && (d.ID == used || last == 0 && d.ID == l.real) {
			last = d.ID
		}
	}
	if last == 0 {
		last = first
	}
	l.test, l.real = test, last
	return l.watch(x11.CoreKeyboard, test, last)
}

// watch asks for word of keyboards that were not watched yet.
func (l *layout) watch(ids ...uint16) error {
	for _, id := range ids {
		if id == 0 || l.watched[id] {
			continue
		}
		if err := l.keyboard.Watch(id); err != nil {
			return err
		}
		l.watched[id] = true
	}
	return nil
}

func (l *layout) copyKeymap() error {
	if l.test == 0 || l.real == 0 {
		return nil
	}
	want, err := l.keyboard.Keymap(l.real)
	if err != nil {
		return err
	}
	have, err := l.keyboard.Keymap(l.test)
	if err != nil || have.Equal(want) {
		return err
	}
	if l.tried[0].Equal(want) && l.tried[1].Equal(have) {
		return nil // the server takes it no closer, and each try makes it tell of a change
	}
	failed := l.keyboard.Load(l.test, l.real)
	l.tried[0] = want
	l.tried[1], err = l.keyboard.Keymap(l.test)
	return errors.Join(failed, err)
}

// quiet keeps XTEST's keyboard from repeating. What a desktop sets for all keyboards, it sets for XTEST's too, at any
// time.
func (l *layout) quiet() error {
	if l.test == 0 {
		return nil
	}
	repeat, err := l.keyboard.Repeat(l.test)
	if err != nil || !repeat.On {
		return err
	}
	l.repeated = true
	return l.keyboard.SetRepeat(l.test, false)
}

// repeat says how the desk's own keyboard repeats; without one, as XTEST's would.
func (l *layout) repeat() (x11.Repeat, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	id := l.real
	if id == 0 {
		id = l.test
	}
	repeat, err := l.keyboard.Repeat(id)
	repeat.On = repeat.On || l.real == 0 && l.repeated
	return repeat, err
}

// symbols are what the keys of XTEST's keyboard write. The core keymap has them only once XTEST was used.
func (l *layout) symbols() (syms []uint32, per int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.test == 0 {
		return l.conn.KeyboardMapping()
	}
	return l.conn.DeviceMapping(l.test)
}

// restore lets XTEST's keyboard repeat again, for others who use it.
func (l *layout) restore() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.repeated {
		return nil
	}
	return l.keyboard.SetRepeat(l.test, true)
}
