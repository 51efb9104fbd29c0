// Package screen holds what a desk's screen is made of: pictures, layouts and cursors. It is pure: it reads no
// device and imports only the standard library.
package screen

import "image"

// A Point is a position in layout pixels. The origin is the top left corner of the layout.
type Point = image.Point

// A Rect is half-open: it holds Min and not Max.
type Rect = image.Rectangle

// BytesPerPixel is the size of a pixel in every picture: B, G, R, X in this order, X always 0.
const BytesPerPixel = 4

// MaxSide is the greatest width or height of a layout, in pixels.
const MaxSide = 16384

// MaxMonitors is how many monitors a layout may have.
const MaxMonitors = 16

// MaxPixels is how many pixels a layout may have: eight monitors of 3840 x 2160, and 256 MiB of memory. A few bytes of a desk make
// its viewer take that much.
const MaxPixels = 1 << 26

// Valid says whether a layout may have this size.
func Valid(size Point) bool {
	return size.X >= 1 && size.Y >= 1 && size.X <= MaxSide && size.Y <= MaxSide && size.X*size.Y <= MaxPixels
}

// A Picture is a rectangle of pixels, row after row without gaps: 4 bytes a pixel (B, G, R, X; X is 0). Read as a
// little-endian uint32, a pixel is 0x00RRGGBB.
type Picture struct {
	Size Point  // width and height in pixels
	Pix  []byte // Size.X * Size.Y * 4 bytes
}

// NewPicture returns a black picture.
func NewPicture(size Point) *Picture {
	return &Picture{Size: size, Pix: make([]byte, size.X*size.Y*BytesPerPixel)}
}

// Bounds is the rectangle from the origin to Size.
func (p *Picture) Bounds() Rect { return Rect{Max: p.Size} }

// Stride is the number of bytes in a row.
func (p *Picture) Stride() int { return p.Size.X * BytesPerPixel }

// Row returns the bytes of the pixels of row y from x0 (included) to x1 (excluded). It shares memory with p.
func (p *Picture) Row(y, x0, x1 int) []byte {
	o := y * p.Stride()
	return p.Pix[o+x0*BytesPerPixel : o+x1*BytesPerPixel]
}

// A Layout is the arrangement of a desk's monitors.
type Layout struct {
	Generation uint32 // counts the changes of the layout since the source was opened, from 1
	Size       Point  // the smallest rectangle from the origin that holds all monitors
	Monitors   []Monitor
}

// A Monitor is one output of a desk.
type Monitor struct {
	Name    string // as the system calls it, such as "DUMMY0"
	Bounds  Rect   // in layout pixels
	Primary bool
}

// A Frame is what a capture source yields: the newest picture of the whole layout.
type Frame struct {
	*Picture
	Layout Layout
	// Damage are the rectangles that may differ from the frame before; a hint that may claim too much. Nil means
	// that anything may have changed.
	Damage []Rect
}

// A Cursor is the shape of the pointer. Pix is 4 bytes a pixel, R, G, B, A, colours premultiplied by A.
type Cursor struct {
	Size Point
	Hot  Point // the pixel that points
	Pix  []byte
}
