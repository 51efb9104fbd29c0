//go:build linux

package input

import (
	"encoding/binary"
	"errors"
	"image"
	"sync"

	"jiseki/internal/x11"
)

// A clipboard owns the CLIPBOARD selection while it has a text to offer (ICCCM, section 2). It needs no transfer in parts
// (INCR): MaxClipboard is below what every X server takes in one request.
type clipboard struct {
	conn   *x11.Conn
	win    x11.Window
	atoms  clipboardAtoms
	events chan x11.Selection // requests of programs; more than it holds are left unanswered
	lost   chan struct{}      // another program owns the selection now
	ended  chan struct{}

	mu      sync.Mutex
	text    string
	fetched chan struct{} // closed when a program gets the text; nil: nobody waits
}

type clipboardAtoms struct {
	clipboard, targets, utf8, plain x11.Atom
}

func openClipboard(cfg X11Config) (*clipboard, error) {
	c := &clipboard{
		events: make(chan x11.Selection, 64), lost: make(chan struct{}, 1), ended: make(chan struct{}),
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
		"CLIPBOARD": &c.atoms.clipboard, "TARGETS": &c.atoms.targets, "UTF8_STRING": &c.atoms.utf8,
		"text/plain;charset=utf-8": &c.atoms.plain,
	} {
		if *atom, err = c.conn.Atom(name); err != nil {
			return err
		}
	}
	c.win, err = c.conn.CreateWindow(image.Rect(-1, -1, 0, 0), x11.Attributes{OverrideRedirect: true, InputOnly: true})
	return err
}

func (c *clipboard) onEvent(e x11.Event) {
	switch e.Type() {
	case x11.SelectionRequest:
		select {
		case c.events <- e.Selection():
		default:
		}
	case x11.SelectionClear:
		select {
		case c.lost <- struct{}{}:
		default:
		}
	}
}

// offer makes text what the desk's programs paste.
func (c *clipboard) offer(text string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	const now = 0
	owner, err := c.conn.OwnSelection(c.atoms.clipboard, c.win, now)
	if err != nil {
		return err
	}
	if !owner {
		return errors.New("input: another program holds the clipboard")
	}
	select { // that an older offer was lost means nothing any more
	case <-c.lost:
	default:
	}
	c.text = text
	return nil
}

// serve answers programs until the connection ends.
func (c *clipboard) serve() {
	defer close(c.ended)
	for {
		select {
		case s := <-c.events:
			c.answer(s)
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

// answer writes the text, or the list of its forms, where the program wants it. Programs may vanish at any time, so
// errors mean nothing.
func (c *clipboard) answer(s x11.Selection) {
	if s.Property == 0 {
		s.Property = s.Target // clients older than ICCCM
	}
	c.mu.Lock()
	text := c.text
	c.mu.Unlock()
	var err error
	switch s.Target {
	case c.atoms.targets:
		var list []byte
		for _, a := range []x11.Atom{c.atoms.targets, c.atoms.utf8, c.atoms.plain} {
			list = binary.LittleEndian.AppendUint32(list, uint32(a))
		}
		err = c.conn.SetProperty(s.Requestor, s.Property, x11.AtomAtom, 32, list)
	case c.atoms.utf8, c.atoms.plain:
		err = c.conn.SetProperty(s.Requestor, s.Property, s.Target, 8, []byte(text))
	default:
		s.Property = 0
	}
	if err != nil || text == "" {
		s.Property = 0
	}
	c.conn.NotifySelection(s) //nolint:errcheck // see above
	if s.Property != 0 && s.Target != c.atoms.targets {
		c.given()
	}
}

// fetch returns a channel that is closed when a program gets the text.
func (c *clipboard) fetch() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fetched = make(chan struct{})
	return c.fetched
}

// given wakes who waits for the text to be fetched.
func (c *clipboard) given() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fetched != nil {
		close(c.fetched)
		c.fetched = nil
	}
}

// close withdraws the text.
func (c *clipboard) close() error {
	err := c.conn.Close()
	<-c.ended
	return err
}
