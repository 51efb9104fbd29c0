//go:build linux

package capture

import (
	"jiseki/internal/screen"
	"jiseki/internal/x11"
)

// maxCursor is the greatest width or height of a pointer that is believed.
const maxCursor = 256

// Cursors implements Source.
func (s *X11) Cursors() <-chan *screen.Cursor { return s.cursors }

// deliverCursors puts the newest shape of the pointer in the channel, again and again until the connection ends.
func (s *X11) deliverCursors() {
	defer close(s.shaped)
	defer close(s.cursors)
	for {
		c := s.shape()
		select { // the newest wins
		case <-s.cursors:
		default:
		}
		s.cursors <- c // has room: nobody else sends
		select {
		case <-s.reshape:
		case <-s.conn.Done():
			return
		}
	}
}

// shape asks for the pointer. Servers refuse where no window has set one yet: then it is the default arrow, until the
// next change.
func (s *X11) shape() *screen.Cursor {
	k, err := s.conn.Cursor()
	if err != nil || k.Size.X > maxCursor || k.Size.Y > maxCursor {
		return Arrow()
	}
	return fromARGB(k)
}

// fromARGB turns a server's image into a shape. Servers tell hot spots outside of the image, as of the empty pointer
// that a program shows while somebody types: such a one is moved to the nearest pixel, for a shape points by one of its
// own.
func fromARGB(k *x11.CursorImage) *screen.Cursor {
	hot := screen.Point{X: max(0, min(k.Hot.X, k.Size.X-1)), Y: max(0, min(k.Hot.Y, k.Size.Y-1))}
	c := &screen.Cursor{Size: k.Size, Hot: hot, Pix: make([]byte, 0, len(k.ARGB)*4)}
	for _, p := range k.ARGB {
		c.Pix = append(c.Pix, byte(p>>16), byte(p>>8), byte(p), byte(p>>24))
	}
	return c
}
