//go:build linux

package capture

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"jiseki/internal/screen"
	"jiseki/internal/x11"
)

// A grabber reads rectangles of the root window, through shared memory where the server can.
type grabber struct {
	conn *x11.Conn
	shm  *x11.Shm
	mem  []byte // shared with the server
	buf  []byte // replies: the pixels, when there is no shared memory
	bgrx []byte // pixels of a screen that has others, turned into ours
	why  error  // why there is none
}

// headerSize is the size of a reply without its data.
const headerSize = 32

// shared says whether pixels come through shared memory.
func (g *grabber) shared() bool { return g.shm != nil }

// resize makes room for rectangles within a picture of the given size.
func (g *grabber) resize(size screen.Point) error {
	g.free()
	n := g.conn.Setup.RowBytes(size.X) * size.Y
	if n == 0 {
		return errors.New("the screen has no pixels")
	}
	g.bgrx = nil
	if !g.conn.Setup.BGRX() {
		g.bgrx = make([]byte, size.X*size.Y*screen.BytesPerPixel)
	}
	g.buf = make([]byte, headerSize)
	if g.why = g.attach(n); g.why == nil {
		return nil
	}
	var gone *x11.ServerGoneError
	if errors.As(g.why, &gone) || errors.Is(g.why, x11.ErrClosed) {
		return g.why
	}
	g.buf = make([]byte, headerSize+n)
	return nil
}

// attach shares n bytes with the server.
func (g *grabber) attach(n int) error {
	fd, err := unix.MemfdCreate("jiseki-capture", unix.MFD_CLOEXEC)
	if err != nil {
		return fmt.Errorf("shared memory: %w", err)
	}
	defer unix.Close(fd)
	if err := unix.Ftruncate(fd, int64(n)); err != nil {
		return fmt.Errorf("shared memory: %w", err)
	}
	mem, err := unix.Mmap(fd, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("shared memory: %w", err)
	}
	shm, err := g.conn.AttachShm(fd)
	if err != nil {
		unix.Munmap(mem) //nolint:errcheck // the first error counts
		return err
	}
	g.shm, g.mem = shm, mem
	return nil
}

// get reads a rectangle: rows without gaps, 4 bytes a pixel. The bytes are valid until the next call.
func (g *grabber) get(r screen.Rect) ([]byte, error) {
	pix, err := g.read(r)
	if err != nil || g.bgrx == nil {
		return pix, err
	}
	out := g.bgrx[:r.Dx()*r.Dy()*screen.BytesPerPixel]
	g.conn.Setup.ToBGRX(out, pix, r.Dx())
	return out, nil
}

func (g *grabber) read(r screen.Rect) ([]byte, error) {
	if g.shm == nil {
		return g.conn.GetPicture(g.conn.Setup.Root, r, g.buf)
	}
	if err := g.shm.Get(g.conn.Setup.Root, r, g.buf); err != nil {
		return nil, err
	}
	return g.mem[:g.conn.Setup.RowBytes(r.Dx())*r.Dy()], nil
}

// free gives the memory back.
func (g *grabber) free() {
	if g.shm == nil {
		return
	}
	g.shm.Detach()     //nolint:errcheck // fails only with the connection, which ends the attachment too
	unix.Munmap(g.mem) //nolint:errcheck // fails only for memory that was never mapped
	g.shm, g.mem = nil, nil
}
