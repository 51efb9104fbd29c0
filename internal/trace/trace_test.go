package trace

import (
	"bytes"
	"errors"
	"flag"
	"image"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"jiseki/internal/screen"
)

var update = flag.Bool("update", false, "write testdata/desk.pbt")

var size = screen.Point{X: 320, Y: 200}

// desk is a trace of a synthetic desktop: text that is typed, scrolls and is covered, and a photo that moves. The same calls
// make the trace in testdata and check it.
func desk(frame func(at time.Duration, p *screen.Picture, damage ...screen.Rect)) {
	p := screen.NewPicture(size)
	paint(p, p.Bounds(), func(int, int) uint32 { return 0xf4f4f4 })
	paint(p, image.Rect(200, 20, 300, 100), photo)
	at := time.Duration(0)
	show := func(damage ...screen.Rect) { frame(at, p, damage...); at += 35 * time.Millisecond }
	show(p.Bounds())
	for i := range 60 { // typing
		r := image.Rect(10+i%18*10, 10+i/18*14, 20+i%18*10, 22+i/18*14)
		paint(p, r, glyph(i))
		show(r)
	}
	column := image.Rect(10, 10, 190, 190)
	for i := range 12 { // scrolling
		for y := column.Min.Y; y < column.Max.Y-14; y++ {
			copy(p.Row(y, column.Min.X, column.Max.X), p.Row(y+14, column.Min.X, column.Max.X))
		}
		for x := range 18 {
			paint(p, image.Rect(10+x*10, 176, 20+x*10, 188), glyph(x*i))
		}
		show(column)
	}
	for i := range 8 { // a photo that moves down, and a window over it that comes and goes
		paint(p, image.Rect(200, 20+i*5, 300, 25+i*5), func(int, int) uint32 { return 0xf4f4f4 })
		paint(p, image.Rect(200, 25+i*5, 300, 105+i*5), func(x, y int) uint32 { return photo(x, y-5-i*5) })
		show(image.Rect(200, 20+i*5, 300, 25+i*5), image.Rect(200, 25+i*5, 300, 105+i*5))
	}
	window, under := image.Rect(50, 60, 260, 150), append([]byte(nil), p.Pix...)
	paint(p, window, func(x, y int) uint32 { return uint32(0xc0d0e0 - y/8*0x010101) })
	show(window)
	copy(p.Pix, under)
	show(window)
}

func paint(p *screen.Picture, r screen.Rect, colour func(x, y int) uint32) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := p.Row(y, r.Min.X, r.Max.X)
		for x := range r.Dx() {
			c := colour(r.Min.X+x, y)
			row[4*x], row[4*x+1], row[4*x+2] = byte(c), byte(c>>8), byte(c>>16)
		}
	}
}

func photo(x, y int) uint32 {
	n := (x*x*31+y*y*17+x*y*7)>>4&7 + x/3
	return uint32(byte(n+y))<<16 | uint32(byte(n+y/2))<<8 | uint32(byte(n))
}

func glyph(i int) func(x, y int) uint32 {
	return func(x, y int) uint32 {
		if h := uint32(x%10*7+y%14*3+1) * uint32(i%40+3) * 0x9e3779b1; h>>30 == 0 {
			return 0x202020 + h>>20&3*0x181818
		}
		return 0xf4f4f4
	}
}

func record(t testing.TB, w io.Writer) {
	t.Helper()
	tr, err := NewWriter(w, Header{Size: size, Meta: `{"scenario":"desk"}`})
	if err != nil {
		t.Fatal(err)
	}
	last := time.Duration(0)
	desk(func(at time.Duration, p *screen.Picture, damage ...screen.Rect) {
		if err := errors.Join(tr.Event(at, "key a"), tr.Frame(at, p, damage)); err != nil {
			t.Fatal(err)
		}
		last = at
	})
	if err := tr.Finish(last); err != nil {
		t.Fatal(err)
	}
}

// TestDesk reads the trace that the repository holds and compares every picture.
func TestDesk(t *testing.T) {
	path := filepath.Join("testdata", "desk.pbt")
	if *update {
		var b bytes.Buffer
		record(t, &b)
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil { //nolint:gosec // test data is for all
			t.Fatal(err)
		}
	}
	r, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if r.Size != size || r.Meta != `{"scenario":"desk"}` {
		t.Errorf("header %+v", r.Header)
	}
	n := 0
	desk(func(at time.Duration, p *screen.Picture, damage ...screen.Rect) {
		if rec := next(t, r); rec.Kind != KindEvent || rec.Text != "key a" || rec.At != at {
			t.Fatalf("%d: %+v", n, rec)
		}
		rec := next(t, r)
		if rec.Kind != KindFrame || rec.At != at || len(rec.Damage) != len(damage) || !bytes.Equal(r.Picture().Pix, p.Pix) {
			t.Fatalf("frame %d: %+v", n, rec)
		}
		n++
	})
	if rec := next(t, r); rec.Kind != KindEnd || rec.Hash != Hash(r.Picture()) {
		t.Errorf("the end is %+v", rec)
	}
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %v", err)
	}
}

func next(t *testing.T, r *Reader) Record {
	t.Helper()
	rec, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// TestFilters reads rectangles in the filters that recorders use.
func TestFilters(t *testing.T) {
	raw := []byte("PBT1\x04\x00\x03\x00\x00\x00\x00\x00")
	frame := func(filter byte, r, g, b [6]byte) {
		raw = append(raw, 'F', 1, 0, 0, 0, 1, 0, 1, 0, 1, 0, 3, 0, 2, 0, filter)
		raw = append(append(append(raw, g[:]...), r[:]...), b[:]...)
	}
	frame(filterMED, [6]byte{1, 0, 0, 0, 0, 0}, [6]byte{100, 5, 7, 3, 250, 1}, [6]byte{255, 1, 0, 0, 2, 0})
	frame(filterDiff, [6]byte{}, [6]byte{1, 0, 0, 0, 0, 9}, [6]byte{})
	// planes of G after the first frame: 100 105 112 / 103 99 107; the second adds 1 to all but the last, and 10 to that
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewReader(bytes.NewReader(z.EncodeAll(raw, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	next(t, r)
	if g := greens(r.Picture()); g != [6]byte{100, 105, 112, 103, 99, 107} {
		t.Errorf("G after the first frame: %v", g)
	}
	if px := r.Picture().Row(1, 1, 2); !bytes.Equal(px, []byte{99, 100, 101, 0}) {
		t.Errorf("first pixel: %v", px)
	}
	next(t, r)
	if g := greens(r.Picture()); g != [6]byte{101, 106, 113, 104, 100, 117} {
		t.Errorf("G after the second frame: %v", g)
	}
}

func greens(p *screen.Picture) (g [6]byte) {
	for i := range g {
		g[i] = p.Row(1+i/3, 1+i%3, 2+i%3)[1]
	}
	return g
}

// TestDamaged checks that no prefix of a trace reads to its end.
func TestDamaged(t *testing.T) {
	var b bytes.Buffer
	tr, err := NewWriter(&b, Header{Size: screen.Point{X: 8, Y: 8}})
	if err != nil {
		t.Fatal(err)
	}
	p := screen.NewPicture(screen.Point{X: 8, Y: 8})
	if err := errors.Join(tr.Frame(0, p, []screen.Rect{p.Bounds()}), tr.Event(1, "key b"), tr.Finish(2)); err != nil {
		t.Fatal(err)
	}
	z, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	e, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := z.DecodeAll(b.Bytes(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for n := range raw {
		if err := readAll(e.EncodeAll(raw[:n], nil)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%d of %d bytes: %v", n, len(raw), err)
		}
	}
	if err := readAll(e.EncodeAll(append(raw, 0), nil)); !errors.Is(err, ErrMalformed) {
		t.Errorf("a byte more: %v", err)
	}
	if err := readAll(b.Bytes()); err != nil {
		t.Errorf("whole: %v", err)
	}
}

// readAll reads a trace to its end.
func readAll(b []byte) error {
	r, err := NewReader(bytes.NewReader(b))
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		switch _, err := r.Next(); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// FuzzTrace reads foreign traces: an error or pictures, no panic.
func FuzzTrace(f *testing.F) {
	f.Add([]byte("PBT1\x08\x00\x08\x00\x00\x00\x00\x00F\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x01\x00\x01\x00\x00abcE\x00\x00\x00\x00\x01\x00aX\x00\x00\x00\x0012345678"))
	f.Add([]byte("PBT1\x04\x00\x03\x00\x02\x00\x00\x00{}F\x01\x00\x00\x00\x01\x00\x01\x00\x01\x00\x02\x00\x01\x00\x01abcdef"))
	e, err := zstd.NewWriter(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) > 8 && (raw[5] > 0 || raw[7] > 0) { // pictures of a side over 255 only cost time
			return
		}
		if err := readAll(e.EncodeAll(raw, nil)); err != nil && !errors.Is(err, ErrMalformed) {
			t.Fatal(err)
		}
	})
}
