//go:build linux

package x11

import "image"

// A Context is a graphics context: how drawing requests draw.
type Context uint32

// CreateContext makes a graphics context that draws in a colour (0x00RRGGBB on a BGRX screen).
func (c *Conn) CreateContext(colour uint32) (Context, error) {
	id := c.NewID()
	return Context(id), c.request(55, 0).u32(id, uint32(c.Setup.Root), 1<<2, colour).check()
}

// SetColour changes the colour in which a context draws.
func (c *Conn) SetColour(gc Context, colour uint32) error {
	return c.request(56, 0).u32(uint32(gc), 1<<2, colour).send()
}

// FillRect fills a rectangle of a window.
func (c *Conn) FillRect(win Window, gc Context, r image.Rectangle) error {
	return c.request(70, 0).u32(uint32(win), uint32(gc)).i16(r.Min.X, r.Min.Y, r.Dx(), r.Dy()).send()
}

// maxPut is how many bytes of a picture go in one request.
const maxPut = 200_000

// PutPicture draws rows of pixels (B, G, R, unused) at a place of a window, in the server's own colours.
func (c *Conn) PutPicture(win Window, gc Context, at, size image.Point, pix []byte) error {
	stride := size.X * 4
	rows := max(1, maxPut/max(stride, 1))
	for y := 0; y < size.Y; y += rows {
		n := min(rows, size.Y-y)
		err := c.request(72, 2).u32(uint32(win), uint32(gc)).u16(uint16(size.X), uint16(n)).
			i16(at.X, at.Y+y).u8(0, c.Setup.RootDepth, 0, 0).bytes(c.Setup.fromBGRX(pix[y*stride:(y+n)*stride], size.X)).send()
		if err != nil {
			return err
		}
	}
	return nil
}

// GetPicture reads a rectangle of a window in rows as the server has them: RowBytes each. The answer shares memory with
// into when that is large enough (32 bytes more than the pixels).
func (c *Conn) GetPicture(win Window, r image.Rectangle, into []byte) ([]byte, error) {
	b, err := c.request(73, 2).u32(uint32(win)).i16(r.Min.X, r.Min.Y, r.Dx(), r.Dy()).u32(0xffffffff).call(into)
	if err != nil {
		return nil, err
	}
	n := c.Setup.RowBytes(r.Dx()) * r.Dy()
	if !b.has(32 + n) {
		return nil, errShort
	}
	return b[32 : 32+n], nil
}

// SetBlockCursor gives the root window a pointer that is a block of one colour (0x00RRGGBB).
func (c *Conn) SetBlockCursor(size, hot image.Point, colour uint32) error {
	pixmap, gc, cursor := c.NewID(), c.NewID(), c.NewID()
	root := uint32(c.Setup.Root)
	err := c.request(53, 1).u32(pixmap, root).u16(uint16(size.X), uint16(size.Y)).check() // CreatePixmap, depth 1
	if err != nil {
		return err
	}
	if err := c.request(55, 0).u32(gc, pixmap, 1<<2, 1).check(); err != nil {
		return err
	}
	if err := c.FillRect(Window(pixmap), Context(gc), image.Rectangle{Max: size}); err != nil {
		return err
	}
	part := func(shift uint) uint16 { return uint16(colour>>shift&0xff) * 0x101 }
	err = c.request(93, 0).u32(cursor, pixmap, pixmap).u16(part(16), part(8), part(0), 0, 0, 0).
		u16(uint16(hot.X), uint16(hot.Y)).check() // CreateCursor
	if err != nil {
		return err
	}
	return c.request(2, 0).u32(root, 1<<14, cursor).check()
}
