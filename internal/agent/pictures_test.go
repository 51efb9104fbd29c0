package agent

import (
	"bytes"
	"image"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"jiseki/internal/capture"
	"jiseki/internal/codec"
	"jiseki/internal/pace"
	"jiseki/internal/screen"
	"jiseki/internal/seal"
	"jiseki/internal/wire"
)

// A bench is a picture loop without links: frames go into the feed by hand, updates come out of buf.
type bench struct {
	feed   *feed
	p      *pictures
	frame  *screen.Frame
	typing int
}

func newBench(t testing.TB, size screen.Point) *bench {
	t.Helper()
	source := newSteps()
	f := newFeed(func() (capture.Source, error) { return source, nil })
	s := &session{
		agent:  &Agent{log: slog.New(slog.DiscardHandler), now: time.Now, feed: f},
		sealed: &seal.Session{Coder: uint8(codec.CoderQ2Z)},
		wake:   make(chan struct{}, 1), wish: wish{visible: true, monitor: wire.AllMonitors},
	}
	s.view = f.look(s.poke, func() {})
	t.Cleanup(s.view.close)
	b := &bench{feed: f, frame: frame(size.X, size.Y, 0)}
	b.frame.Damage = nil
	f.apply(b.frame)
	b.p = &pictures{session: s, pacer: pace.New(), layout: f.layout, owing: true, effort: effort{perSecond: 1e12}}
	if err := b.p.restart(nil); err != nil {
		t.Fatal(err)
	}
	return b
}

// encode makes the next update.
func (b *bench) encode(t testing.TB) []byte {
	t.Helper()
	if err := b.p.encode(b.p.session.wanted(), mostPixels); err != nil {
		t.Fatal(err)
	}
	return b.p.buf
}

// acknowledge acknowledges all but the last few updates.
func (b *bench) acknowledge(but uint32) {
	if b.p.seq > but {
		b.p.acked = b.p.seq - but
	}
}

// letter types one: a small rectangle of text-like pixels.
func (b *bench) letter() {
	at := image.Pt(20+b.typing%100*10, 20+b.typing/100%40*18)
	r := image.Rectangle{Min: at, Max: at.Add(image.Pt(8, 14))}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := b.frame.Row(y, r.Min.X, r.Max.X)
		for x := 0; x < len(row); x += 4 {
			v := byte(0)
			if (x/4*7+y*3+b.typing+b.typing/4000)%5 < 2 {
				v = 0xff
			}
			row[x], row[x+1], row[x+2] = v, v, v
		}
	}
	b.typing++
	b.frame.Damage = append(b.frame.Damage[:0], r)
	b.feed.apply(b.frame)
}

// TestUpdatesSayWhenThePictureIsRight follows the flags of a session's updates with a decoder of its own.
func TestUpdatesSayWhenThePictureIsRight(t *testing.T) {
	b := newBench(t, screen.Point{X: 300, Y: 200})
	var decoder *codec.Decoder
	take := func(raw []byte) *wire.Update {
		t.Helper()
		m, err := wire.Parse(wire.DisplayToViewer, bytes.Clone(raw))
		if err != nil {
			t.Fatal(err)
		}
		u := m.(*wire.Update)
		if u.Flags&wire.Fresh != 0 {
			if decoder, err = codec.NewDecoder(codec.Config{Coder: codec.CoderQ2Z, Size: b.p.layout.Size}); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(decoder.Close)
		}
		if _, err := decoder.Decode(u.Coder); err != nil {
			t.Fatal(err)
		}
		if u.Flags&wire.Settled != 0 && !bytes.Equal(decoder.Picture().Pix, b.frame.Pix) {
			t.Errorf("update %d says that the picture is right, and it is not", u.Seq)
		}
		return u
	}
	if u := take(b.encode(t)); u.Flags != wire.Fresh|wire.Settled || u.Seq != 1 {
		t.Errorf("first update of a black desk: %d, flags %b", u.Seq, u.Flags)
	}
	if more := b.encode(t); len(more) != 0 {
		t.Errorf("an update of %d bytes without a change", len(more))
	}
	b.letter()
	if u := take(b.encode(t)); u.Flags != wire.Settled || u.Seq != 2 {
		t.Errorf("a letter: %d, flags %b", u.Seq, u.Flags)
	}
	before := bytes.Clone(b.frame.Pix)
	b.letter()
	b.p.session.setWish(wish{visible: true, monitor: 0}) // the layout has none: all of it
	if u := take(b.encode(t)); u.Flags != wire.Settled {
		t.Errorf("another monitor: flags %b", u.Flags)
	}
	if bytes.Equal(before, b.frame.Pix) {
		t.Fatal("the letter changed nothing")
	}
	b.p.session.setWish(wish{visible: true, monitor: wire.AllMonitors})
	if u := take(b.encode(t)); u.Flags != wire.Settled {
		t.Errorf("all monitors again, without a change: flags %b", u.Flags)
	}
}

// BenchmarkTyping is a frame with one new letter on a desk of 1920x1080, from capture to update.
func BenchmarkTyping(b *testing.B) {
	x := newBench(b, screen.Point{X: 1920, Y: 1080})
	x.encode(b)
	for range 200 {
		x.letter()
		x.encode(b)
		x.acknowledge(2)
	}
	bytes := 0
	b.ReportAllocs()
	for b.Loop() {
		x.letter()
		bytes += len(x.encode(b))
		x.acknowledge(2)
	}
	b.ReportMetric(float64(bytes)/float64(b.N), "bytes/update")
}

// glyph draws one of many shapes that are 8 pixels wide and 14 high.
func glyph(p *screen.Picture, x, y, shape int) {
	for dy := range 14 {
		row := p.Row(y+dy, x, x+8)
		for i := 0; i < len(row); i += 4 {
			v := byte(0xff)
			if (i/4*(shape%7+1)+dy*(shape%5+1)+shape)%5 < 2 {
				v = 0
			}
			row[i], row[i+1], row[i+2] = v, v, v
		}
	}
}

// BenchmarkScrolling is a frame with a page that has moved up by three lines on a desk of 1920x1080: nearly all of the
// mirror is overwritten, and so kept in the journal.
func BenchmarkScrolling(b *testing.B) {
	x := newBench(b, screen.Point{X: 1920, Y: 1080})
	page := image.Rect(160, 80, 1760, 1040)
	line := func(r screen.Rect, n int) {
		random := rand.New(rand.NewPCG(uint64(n), 3))
		for y := r.Min.Y; y < r.Max.Y; y += 18 { // letters of some few shapes
			for at := r.Min.X; at < r.Max.X; at += 10 {
				glyph(x.frame.Picture, at, y, random.IntN(60))
			}
		}
	}
	line(page, 0)
	x.frame.Damage = nil
	x.feed.apply(x.frame)
	for x.p.behind = true; x.p.behind; {
		x.encode(b)
	}
	x.frame.Damage = []screen.Rect{page}
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		for y := page.Min.Y; y < page.Max.Y-54; y++ {
			copy(x.frame.Row(y, page.Min.X, page.Max.X), x.frame.Row(y+54, page.Min.X, page.Max.X))
		}
		line(image.Rect(page.Min.X, page.Max.Y-54, page.Max.X, page.Max.Y), int(x.p.seq))
		x.feed.apply(x.frame)
		b.StartTimer()
		x.encode(b)
		x.acknowledge(2)
	}
}

// BenchmarkJournal is the journal's part of BenchmarkScrolling.
func BenchmarkJournal(b *testing.B) {
	size := screen.Point{X: 1920, Y: 1080}
	j, mirror, seq := newJournal(size, 0), screen.NewPicture(size), uint32(0)
	b.ReportAllocs()
	for b.Loop() {
		seq++
		j.begin(seq)
		j.note(mirror, image.Rect(160, 80, 1760, 1040))
		if seq > 2 {
			j.forget(seq - 2)
		}
	}
}
