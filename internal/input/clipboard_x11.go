//go:build linux

package input

import (
	"encoding/binary"
	"errors"
	"image"
	"sync"
	"sync/atomic"

	"jiseki/internal/x11"
)

// A clipboard owns the CLIPBOARD selection while it has a text to offer (ICCCM, section 2). It needs no transfer in
// parts (INCR): in every form a text of MaxClipboard is below what X servers take in one request.
type clipboard struct {
	conn    *x11.Conn
	win     x11.Window
	atoms   clipboardAtoms
	asked   chan struct{} // one signal: requests holds something
	lost    chan struct{} // another program owns the selection now
	between atomic.Bool   // another program has owned it since the last offer
	clock   chan uint32   // times of the server, of changes of the window's properties; the newest
	ended   chan struct{}

	mu      sync.Mutex
	text    string
	owned   uint32        // when the selection became ours, in the server's time
	since   uint32        // when the text became what is offered
	fetched chan struct{} // closed when the program of by gets the text; nil: nobody waits
	by      x11.Client    // 0: any

	queue    sync.Mutex
	requests []x11.Selection // of programs, oldest first
}

// maxRequests is how many requests of programs may wait; more are left unanswered.
const maxRequests = 4096

type clipboardAtoms struct {
	clipboard, targets, timestamp, multiple, pair, integer, text, compound, utf8, plain, plainUTF8 x11.Atom
}

func openClipboard(cfg X11Config) (*clipboard, error) {
	c := &clipboard{
		asked: make(chan struct{}, 1), lost: make(chan struct{}, 1), clock: make(chan uint32, 1), ended: make(chan struct{}),
	}
	conn, err := x11.Dial(x11.Options{Display: cfg.Display, Authority: cfg.Authority, OnEvent: c.onEvent})
	if err != nil {
		return nil, err
	}
	c.conn = conn
	if err := c.open(); err != nil {
		conn.Close()
		return nil, err
	}
	go c.serve()
	return c, nil
}

func (c *clipboard) open() (err error) {
	for name, atom := range map[string]*x11.Atom{
		"CLIPBOARD": &c.atoms.clipboard, "TARGETS": &c.atoms.targets, "TIMESTAMP": &c.atoms.timestamp,
		"MULTIPLE": &c.atoms.multiple, "ATOM_PAIR": &c.atoms.pair, "INTEGER": &c.atoms.integer, "TEXT": &c.atoms.text,
		"COMPOUND_TEXT": &c.atoms.compound, "UTF8_STRING": &c.atoms.utf8, "text/plain": &c.atoms.plain,
		"text/plain;charset=utf-8": &c.atoms.plainUTF8,
	} {
		if *atom, err = c.conn.Atom(name); err != nil {
			return err
		}
	}
	c.win, err = c.conn.CreateWindow(image.Rect(-1, -1, 0, 0), x11.Attributes{
		OverrideRedirect: true, InputOnly: true, Events: x11.MaskPropertyChanges,
	})
	return err
}

func (c *clipboard) onEvent(e x11.Event) {
	switch e.Type() {
	case x11.SelectionRequest:
		c.queue.Lock()
		if len(c.requests) < maxRequests {
			c.requests = append(c.requests, e.Selection())
		}
		c.queue.Unlock()
		signal(c.asked)
	case x11.SelectionClear:
		c.between.Store(true)
		signal(c.lost)
	case x11.PropertyNotify:
		select { // the newest
		case <-c.clock:
		default:
		}
		c.clock <- e.PropertyTime() // has room: nobody else sends
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// offer makes text what the desk's programs paste.
func (c *clipboard) offer(text string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	now, err := c.now()
	if err != nil {
		return err
	}
	owner, err := c.conn.OwnSelection(c.atoms.clipboard, c.win, now)
	if err != nil {
		return err
	}
	if !owner {
		return errors.New("input: another program holds the clipboard")
	}
	if c.between.Swap(false) || c.text == "" {
		c.owned = now
	}
	c.text, c.since = text, now
	return nil
}

// now is the server's time: that of a change of a property. Selections must not be taken at "the current time" (ICCCM,
// 2.1).
func (c *clipboard) now() (uint32, error) {
	select { // an older one
	case <-c.clock:
	default:
	}
	if err := c.conn.SetProperty(c.win, c.atoms.timestamp, c.atoms.integer, 32, nil); err != nil {
		return 0, err
	}
	select {
	case t := <-c.clock:
		return t, nil
	case <-c.conn.Done():
		return 0, c.conn.Err()
	}
}

// serve answers programs until the connection ends.
func (c *clipboard) serve() {
	defer close(c.ended)
	for {
		select {
		case <-c.asked:
			c.queue.Lock()
			requests := c.requests
			c.requests = nil
			c.queue.Unlock()
			for _, s := range requests {
				c.answer(s)
			}
		case <-c.lost:
			c.forget()
		case <-c.conn.Done():
			return
		}
	}
}

// forget drops the text when another program has copied something.
func (c *clipboard) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if owner, err := c.conn.SelectionOwner(c.atoms.clipboard); err == nil && owner != c.win {
		c.text = ""
	}
}

// answer writes what a program asks for where it wants it, and tells it so, or that it is refused. Programs may vanish
// at any time, so errors mean only that.
func (c *clipboard) answer(s x11.Selection) {
	c.mu.Lock()
	text, owned, since := c.text, c.owned, c.since
	c.mu.Unlock()
	const anyTime = 0
	// Asked of who owned the selection before. The time of an older offer is as good as that of the newest: programs
	// that paste twice in a row by way of an input method name the first time again.
	early := s.Time != anyTime && int32(s.Time-owned) < 0
	done := false
	switch {
	case text == "" || early:
	case s.Target == c.atoms.multiple:
		done = s.Property != 0 && c.convertAll(s, text, since)
	default:
		if s.Property == 0 {
			s.Property = s.Target // clients older than ICCCM
		}
		done = c.convert(s.Requestor, s.Target, s.Property, text, since)
	}
	if !done {
		s.Property = 0
	}
	c.conn.NotifySelection(s) //nolint:errcheck // see above
	if s.Property != 0 && s.Target != c.atoms.targets && s.Target != c.atoms.timestamp {
		c.given(c.conn.Client(s.Requestor))
	}
}

// fetch returns a channel that is closed when a program gets the text; 0 means any. Input methods and clipboard
// managers get every text as soon as it is offered, so who waits for a paste must name the program that pastes.
func (c *clipboard) fetch(by x11.Client) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fetched, c.by = make(chan struct{}), by
	return c.fetched
}

// given wakes who waits for the text to be fetched.
func (c *clipboard) given(to x11.Client) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fetched != nil && (c.by == 0 || c.by == to) {
		close(c.fetched)
		c.fetched = nil
	}
}

// maxPairs is how many forms are written for one MULTIPLE.
const maxPairs = 64

// convertAll writes all forms that the pairs of target and property in the requestor's property name. A pair that
// cannot be done gets no property there.
func (c *clipboard) convertAll(s x11.Selection, text string, since uint32) bool {
	kind, pairs, err := c.conn.Property(s.Requestor, s.Property)
	if err != nil || kind == 0 || len(pairs)%8 != 0 || len(pairs) > maxPairs*8 {
		return false
	}
	all := pairs
	for ; len(pairs) > 0; pairs = pairs[8:] {
		target, property := x11.Atom(le.Uint32(pairs)), x11.Atom(le.Uint32(pairs[4:]))
		if property == 0 || target == c.atoms.multiple || !c.convert(s.Requestor, target, property, text, since) {
			le.PutUint32(pairs[4:], 0)
		}
	}
	return c.conn.SetProperty(s.Requestor, s.Property, c.atoms.pair, 32, all) == nil
}

// convert writes one form.
func (c *clipboard) convert(win x11.Window, target, property x11.Atom, text string, since uint32) bool {
	kind, format, data, ok := c.form(target, text, since)
	return ok && c.conn.SetProperty(win, property, kind, format, data) == nil
}

// form is what a target asks for: its type, bits an element, and bytes.
func (c *clipboard) form(
	target x11.Atom, text string, since uint32,
) (kind x11.Atom, format uint8, data []byte, ok bool) {
	a := &c.atoms
	single, isSingle := latin1(text)
	switch {
	case target == a.targets:
		list := []x11.Atom{a.targets, a.timestamp, a.multiple, a.utf8, a.plainUTF8, a.plain, a.text, a.compound}
		if isSingle {
			list = append(list, x11.AtomString)
		}
		for _, t := range list {
			data = le.AppendUint32(data, uint32(t))
		}
		return x11.AtomAtom, 32, data, true
	case target == a.timestamp:
		return a.integer, 32, le.AppendUint32(nil, since), true
	case target == a.utf8 || target == a.plainUTF8 || target == a.plain:
		return target, 8, []byte(text), true
	case isSingle && (target == x11.AtomString || target == a.text):
		return x11.AtomString, 8, single, true
	case target == a.compound || target == a.text:
		return a.compound, 8, compoundText(text), true
	}
	return 0, 0, nil, false
}

var le = binary.LittleEndian

// close withdraws the text.
func (c *clipboard) close() error {
	err := c.conn.Close()
	<-c.ended
	return err
}
