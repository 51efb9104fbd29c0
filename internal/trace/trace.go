// Package trace reads and writes screen traces in the PBT1 format: the pictures of a desk's screen over time, recorded
// without loss as the rectangles that changed.
//
// A trace is one zstd stream (window at most 128 MB) of, little endian:
//
//	"PBT1"  u16 width  u16 height  u32 n  n bytes of JSON
//	records until the end:
//	  'F' u32 t  u16 k  k x { u16 x, y, w, h; u8 filter }  then the k rectangles' pixels, w*h*3 bytes each
//	  'E' u32 t  u16 n  n bytes of text: an input event
//	  'X' u32 t  u64 FNV-1a of the final picture as R G B bytes; the last record
//
// t is in microseconds since the start. The first frame is the whole screen. Filters: 0 is R G B row by row; 1 is the planes
// G, R-G, B-G (mod 256), each predicted by the median edge detector of LOCO-I; 2 is the same of the difference (mod 256)
// to the picture before the frame.
package trace

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"time"

	"github.com/klauspost/compress/zstd"

	"jiseki/internal/screen"
)

// The kinds of records.
const (
	KindFrame = 'F' // rectangles that changed
	KindEvent = 'E' // an input event, as text
	KindEnd   = 'X' // the last record, with the hash of the final picture
)

// The filters of a rectangle's pixels.
const (
	filterRaw  = 0
	filterMED  = 1
	filterDiff = 2
)

const (
	magic     = "PBT1"
	maxMeta   = 1 << 20
	maxPixels = 1 << 25 // of a picture: 8K UHD
	maxWindow = 1 << 27
)

// ErrMalformed is what every error about a trace's contents wraps.
var ErrMalformed = errors.New("trace: malformed")

// A Header says what a trace is of.
type Header struct {
	Size screen.Point // of every picture, in pixels
	Meta string       // free JSON
}

// A Record is one step of a trace.
type Record struct {
	Kind   byte
	At     time.Duration // since the start
	Damage []screen.Rect // KindFrame: the rectangles that changed; valid until the next call of Next
	Text   string        // KindEvent
	Hash   uint64        // KindEnd
}

// A Reader reads one trace from start to end. It must not be used by two goroutines at once.
type Reader struct {
	Header
	picture *screen.Picture
	zstd    *zstd.Decoder
	in      *bufio.Reader
	file    *os.File
	damage  []screen.Rect
	filters []byte
	pixels  []byte
	planes  []byte
	ended   bool
}

// Open opens the trace in a file.
func Open(path string) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	r, err := NewReader(f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	r.file = f
	return r, nil
}

// NewReader reads a trace's header from r. The caller calls Close when done; r stays the caller's.
func NewReader(r io.Reader) (*Reader, error) {
	z, err := zstd.NewReader(r, zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	t := &Reader{zstd: z, in: bufio.NewReaderSize(z, 1<<16)}
	if err := t.readHeader(); err != nil {
		z.Close()
		return nil, err
	}
	return t, nil
}

// Close releases what the reader holds.
func (t *Reader) Close() error {
	t.zstd.Close()
	if t.file != nil {
		return t.file.Close()
	}
	return nil
}

// Picture is the picture after the records read so far. It shares memory with the reader.
func (t *Reader) Picture() *screen.Picture { return t.picture }

func (t *Reader) readHeader() error {
	var h [12]byte
	if err := t.fill(h[:]); err != nil {
		return err
	}
	if string(h[:4]) != magic {
		return fmt.Errorf("%w: not a %s file", ErrMalformed, magic)
	}
	t.Size = screen.Point{X: int(binary.LittleEndian.Uint16(h[4:])), Y: int(binary.LittleEndian.Uint16(h[6:]))}
	n := binary.LittleEndian.Uint32(h[8:])
	if t.Size.X == 0 || t.Size.Y == 0 || t.Size.X > screen.MaxSide || t.Size.X*t.Size.Y > maxPixels || n > maxMeta {
		return fmt.Errorf("%w: header of %v pixels and %d bytes", ErrMalformed, t.Size, n)
	}
	meta := make([]byte, n)
	if err := t.fill(meta); err != nil {
		return err
	}
	t.Meta = string(meta)
	return nil
}

// Next reads the next record and applies a frame to Picture. After KindEnd it returns io.EOF.
func (t *Reader) Next() (Record, error) {
	if t.ended {
		return Record{}, io.EOF
	}
	if t.picture == nil {
		t.picture = screen.NewPicture(t.Size)
	}
	var h [5]byte
	if err := t.fill(h[:]); err != nil {
		return Record{}, err
	}
	rec := Record{Kind: h[0], At: time.Duration(binary.LittleEndian.Uint32(h[1:])) * time.Microsecond}
	var err error
	switch rec.Kind {
	case KindFrame:
		rec.Damage, err = t.frame()
	case KindEvent:
		rec.Text, err = t.event()
	case KindEnd:
		rec.Hash, err = t.end()
	default:
		err = fmt.Errorf("%w: record kind %#x", ErrMalformed, rec.Kind)
	}
	return rec, err
}

func (t *Reader) event() (string, error) {
	var n [2]byte
	if err := t.fill(n[:]); err != nil {
		return "", err
	}
	text := make([]byte, binary.LittleEndian.Uint16(n[:]))
	err := t.fill(text)
	return string(text), err
}

func (t *Reader) end() (uint64, error) {
	var b [8]byte
	if err := t.fill(b[:]); err != nil {
		return 0, err
	}
	switch _, err := t.in.ReadByte(); {
	case err == nil:
		return 0, fmt.Errorf("%w: bytes after the end", ErrMalformed)
	case !errors.Is(err, io.EOF):
		return 0, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	t.ended = true
	return binary.LittleEndian.Uint64(b[:]), nil
}

// frame reads a frame's rectangles. Filters refer to the picture before the frame, so all are read before any is applied.
func (t *Reader) frame() ([]screen.Rect, error) {
	if err := t.frameHead(); err != nil {
		return nil, err
	}
	area := 0
	for _, r := range t.damage {
		area += r.Dx() * r.Dy()
	}
	if cap(t.pixels) < 3*area {
		t.pixels = make([]byte, 3*area)
		t.planes = make([]byte, 3*area)
	}
	at := t.pixels[:3*area]
	if err := t.fill(at); err != nil {
		return nil, err
	}
	for i, r := range t.damage {
		n := 3 * r.Dx() * r.Dy()
		if t.filters[i] != filterRaw {
			t.unfilter(at[:n], r, t.filters[i])
		}
		at = at[n:]
	}
	at = t.pixels
	for _, r := range t.damage {
		store(t.picture, r, at)
		at = at[3*r.Dx()*r.Dy():]
	}
	return t.damage, nil
}

func (t *Reader) frameHead() error {
	var k [2]byte
	if err := t.fill(k[:]); err != nil {
		return err
	}
	t.damage, t.filters = t.damage[:0], t.filters[:0]
	left := t.Size.X * t.Size.Y
	for range binary.LittleEndian.Uint16(k[:]) {
		var h [9]byte
		if err := t.fill(h[:]); err != nil {
			return err
		}
		u := func(i int) int { return int(binary.LittleEndian.Uint16(h[i:])) }
		r := screen.Rect{Min: screen.Point{X: u(0), Y: u(2)}, Max: screen.Point{X: u(0) + u(4), Y: u(2) + u(6)}}
		left -= r.Dx() * r.Dy()
		if r.Empty() || !r.In(t.picture.Bounds()) || left < 0 || h[8] > filterDiff {
			return fmt.Errorf("%w: rectangle %v, filter %d", ErrMalformed, r, h[8])
		}
		t.damage, t.filters = append(t.damage, r), append(t.filters, h[8])
	}
	return nil
}

func (t *Reader) fill(b []byte) error {
	_, err := io.ReadFull(t.in, b)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF // io.EOF is for the end of a whole trace
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return nil
}

// unfilter turns the filtered planes in px into R G B, in place.
func (t *Reader) unfilter(px []byte, r screen.Rect, filter byte) {
	w, n := r.Dx(), r.Dx()*r.Dy()
	planes := t.planes[:3*n]
	copy(planes, px)
	for p := range 3 {
		unpredict(planes[p*n:(p+1)*n], w)
	}
	for i := range n {
		g := planes[i]
		px[3*i], px[3*i+1], px[3*i+2] = planes[n+i]+g, g, planes[2*n+i]+g
	}
	if filter == filterMED {
		return
	}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := t.picture.Row(y, r.Min.X, r.Max.X)
		for x := range w {
			px[0] += row[4*x+2]
			px[1] += row[4*x+1]
			px[2] += row[4*x]
			px = px[3:]
		}
	}
}

// unpredict adds the median edge predictor to the residuals of one plane, in place.
func unpredict(s []byte, w int) {
	for x := 1; x < w; x++ {
		s[x] += s[x-1]
	}
	for y := w; y < len(s); y += w {
		up, row := s[y-w:y], s[y:y+w]
		row[0] += up[0]
		for x := 1; x < w; x++ {
			row[x] += median(row[x-1], up[x], up[x-1])
		}
	}
}

func median(a, b, c byte) byte {
	lo, hi := min(a, b), max(a, b)
	switch {
	case c >= hi:
		return lo
	case c <= lo:
		return hi
	}
	return a + b - c
}

// store writes R G B pixels into a rectangle of a picture.
func store(p *screen.Picture, r screen.Rect, px []byte) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := p.Row(y, r.Min.X, r.Max.X)
		for i := 0; i < len(row); i += 4 {
			row[i], row[i+1], row[i+2], row[i+3] = px[2], px[1], px[0], 0
			px = px[3:]
		}
	}
}

// Hash is the FNV-1a 64 of a picture's pixels as R G B bytes, the hash that ends a trace.
func Hash(p *screen.Picture) uint64 {
	h := fnv.New64a()
	row := make([]byte, 3*p.Size.X)
	for y := range p.Size.Y {
		src := p.Row(y, 0, p.Size.X)
		for x := range p.Size.X {
			row[3*x], row[3*x+1], row[3*x+2] = src[4*x+2], src[4*x+1], src[4*x]
		}
		h.Write(row)
	}
	return h.Sum64()
}
