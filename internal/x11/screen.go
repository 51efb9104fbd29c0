//go:build linux

package x11

import "image"

// Shm is memory that the client and the server share.
type Shm struct {
	c   *Conn
	op  uint8
	seg uint32
}

// AttachShm gives the server the memory behind a file descriptor (MIT-SHM 1.2, AttachFd), so that it works between
// different users. The server keeps its own reference: the caller may close fd.
func (c *Conn) AttachShm(fd int) (*Shm, error) {
	e, err := c.Extension("MIT-SHM")
	if err != nil {
		return nil, err
	}
	r, err := c.request(e.Opcode, 0).call(nil)
	if err != nil {
		return nil, err
	}
	if major, minor := r.u16(8), r.u16(10); major < 1 || major == 1 && minor < 2 {
		return nil, &MissingExtensionError{"MIT-SHM 1.2"}
	}
	s := &Shm{c, e.Opcode, c.NewID()}
	w := c.request(e.Opcode, 6).u32(s.seg).u8(0, 0, 0, 0)
	w.fd = fd
	return s, w.check()
}

// Get writes a rectangle of a window to the shared memory, in rows as the server has them.
func (s *Shm) Get(win Window, r image.Rectangle, into []byte) error {
	_, err := s.c.request(s.op, 4).u32(uint32(win)).i16(r.Min.X, r.Min.Y, r.Dx(), r.Dy()).
		u32(0xffffffff).u8(2, 0, 0, 0).u32(s.seg, 0).call(into)
	return err
}

// Detach makes the server forget the memory.
func (s *Shm) Detach() error { return s.c.request(s.op, 2).u32(s.seg).send() }

// Damage watches a window for changes.
type Damage struct {
	c          *Conn
	op, fixes  uint8
	id, region uint32
}

// ScreenEvents are the types of the events that WatchDamage, WatchCursor and WatchLayout ask for. The events of the
// layout have two types: Layout and the one after it.
type ScreenEvents struct {
	Damage, Cursor, Layout uint8
}

// ScreenEvents returns the types of the events of DAMAGE, XFIXES and RANDR on this server.
func (c *Conn) ScreenEvents() (n ScreenEvents, err error) {
	damage, err := c.Extension("DAMAGE")
	if err != nil {
		return n, err
	}
	fixes, err := c.Extension("XFIXES")
	if err != nil {
		return n, err
	}
	randr, err := c.Extension("RANDR")
	if err != nil {
		return n, err
	}
	return ScreenEvents{damage.FirstEvent, fixes.FirstEvent + 1, randr.FirstEvent}, nil
}

// WatchDamage reports changes of a window and all that is in it: one event when it becomes damaged, then none until
// Take.
func (c *Conn) WatchDamage(win Window) (*Damage, error) {
	fixes, err := c.fixes()
	if err != nil {
		return nil, err
	}
	e, err := c.Extension("DAMAGE")
	if err != nil {
		return nil, err
	}
	if _, err := c.request(e.Opcode, 0).u32(1, 1).call(nil); err != nil {
		return nil, err
	}
	d := &Damage{c: c, op: e.Opcode, fixes: fixes.Opcode, id: c.NewID(), region: c.NewID()}
	if err := c.request(fixes.Opcode, 5).u32(d.region).check(); err != nil { // CreateRegion, empty
		return nil, err
	}
	const reportNonEmpty = 3
	return d, c.request(e.Opcode, 1).u32(d.id, uint32(win)).u8(reportNonEmpty, 0, 0, 0).check()
}

// Take returns the smallest rectangle that holds all damage since the last Take, and forgets that damage. What changes
// afterwards causes a new event. Grab after Take, never before, so that nothing is lost.
func (d *Damage) Take(into []byte) (image.Rectangle, []byte, error) {
	if err := d.c.request(d.op, 3).u32(d.id, 0, d.region).send(); err != nil { // Subtract everything into region
		return image.Rectangle{}, into, err
	}
	r, err := d.c.request(d.fixes, 19).u32(d.region).call(into) // FetchRegion
	if err != nil {
		return image.Rectangle{}, into, err
	}
	x, y := r.i16(8), r.i16(10)
	return image.Rect(x, y, x+int(r.u16(12)), y+int(r.u16(14))), r, nil
}

// fixes asks for XFIXES, whose version must be agreed before use.
func (c *Conn) fixes() (Extension, error) {
	e, err := c.Extension("XFIXES")
	if err != nil {
		return e, err
	}
	_, err = c.request(e.Opcode, 0).u32(5, 0).call(nil)
	return e, err
}

// WatchCursor asks for an event whenever the shape of the pointer changes.
func (c *Conn) WatchCursor() error {
	e, err := c.fixes()
	if err != nil {
		return err
	}
	return c.request(e.Opcode, 3).u32(uint32(c.Setup.Root), 1).check()
}

// CursorImage is the shape of the pointer. ARGB holds premultiplied pixels as 0xAARRGGBB.
type CursorImage struct {
	Size, Hot image.Point
	ARGB      []uint32
}

// Cursor returns the present shape of the pointer. WatchCursor must have been called before.
func (c *Conn) Cursor() (*CursorImage, error) {
	e, err := c.Extension("XFIXES")
	if err != nil {
		return nil, err
	}
	r, err := c.request(e.Opcode, 4).call(nil)
	if err != nil {
		return nil, err
	}
	k := &CursorImage{
		Size: image.Pt(int(r.u16(12)), int(r.u16(14))),
		Hot:  image.Pt(int(r.u16(16)), int(r.u16(18))),
	}
	n := k.Size.X * k.Size.Y
	if !r.has(32 + 4*n) {
		return nil, errShort
	}
	k.ARGB = make([]uint32, n)
	for i := range k.ARGB {
		k.ARGB[i] = r.u32(32 + 4*i)
	}
	return k, nil
}

// WatchLayout asks for events when monitors come, go, move or change their mode.
func (c *Conn) WatchLayout() error {
	e, err := c.randr()
	if err != nil {
		return err
	}
	const screenChange, crtcChange, outputChange = 1, 2, 4
	return c.request(e.Opcode, 4).u32(uint32(c.Setup.Root)).u16(screenChange|crtcChange|outputChange, 0).check()
}

func (c *Conn) randr() (Extension, error) {
	e, err := c.Extension("RANDR")
	if err != nil {
		return e, err
	}
	r, err := c.request(e.Opcode, 0).u32(1, 5).call(nil)
	if err != nil {
		return e, err
	}
	if r.u32(8) < 1 || r.u32(8) == 1 && r.u32(12) < 5 {
		return e, &MissingExtensionError{"RANDR 1.5"}
	}
	return e, nil
}

// A Monitor is one active output.
type Monitor struct {
	Name    string
	Primary bool
	Bounds  image.Rectangle
}

// SetMonitor splits the screen: it makes a monitor without an output of its own.
func (c *Conn) SetMonitor(m Monitor) error {
	e, err := c.Extension("RANDR")
	if err != nil {
		return err
	}
	name, err := c.Atom(m.Name)
	if err != nil {
		return err
	}
	return c.request(e.Opcode, 43).u32(uint32(c.Setup.Root), uint32(name)).u8(0, 0).u16(0).
		i16(m.Bounds.Min.X, m.Bounds.Min.Y, m.Bounds.Dx(), m.Bounds.Dy()).u32(0, 0).check()
}

// Monitors returns the active outputs.
func (c *Conn) Monitors() ([]Monitor, error) {
	e, err := c.Extension("RANDR")
	if err != nil {
		return nil, err
	}
	r, err := c.request(e.Opcode, 42).u32(uint32(c.Setup.Root)).u8(1, 0, 0, 0).call(nil)
	if err != nil {
		return nil, err
	}
	var out []Monitor
	o := 32
	for range r.u32(12) {
		if !r.has(o+24) || !r.has(o+24+4*int(r.u16(o+6))) {
			return nil, errShort
		}
		x, y := r.i16(o+8), r.i16(o+10)
		name, err := c.AtomName(Atom(r.u32(o)))
		if err != nil {
			return nil, err
		}
		out = append(out, Monitor{name, r.u8(o+4) != 0, image.Rect(x, y, x+int(r.u16(o+12)), y+int(r.u16(o+14)))})
		o += 24 + 4*int(r.u16(o+6))
	}
	return out, nil
}
