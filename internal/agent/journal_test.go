package agent

import (
	"bytes"
	"crypto/sha256"
	"image"
	"log/slog"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"jiseki/internal/codec"
	"jiseki/internal/grant"
	"jiseki/internal/screen"
	"jiseki/internal/wire"
)

// A scene changes as a desk does: text, photos, scrolling, windows that come back.
type scene struct {
	pic    *screen.Picture
	before *screen.Picture
	random *rand.Rand
}

func newScene(size screen.Point, seed uint64) *scene {
	s := &scene{pic: screen.NewPicture(size), before: screen.NewPicture(size), random: rand.New(rand.NewPCG(seed, 7))}
	s.text(s.pic.Bounds())
	return s
}

func (s *scene) text(r screen.Rect) { s.paint(r, func() uint32 { return -uint32(s.random.IntN(2)) }) }

func (s *scene) rect() screen.Rect {
	x, y := s.random.IntN(s.pic.Size.X), s.random.IntN(s.pic.Size.Y)
	r := image.Rect(x, y, x+1+s.random.IntN(s.pic.Size.X), y+1+s.random.IntN(s.pic.Size.Y))
	return r.Intersect(s.pic.Bounds())
}

func (s *scene) change() {
	switch r := s.rect(); s.random.IntN(5) {
	case 0: // a photo
		s.paint(r, func() uint32 { return s.random.Uint32() })
	case 1: // a window
		colour := s.random.Uint32()
		s.paint(r, func() uint32 { return colour })
	case 2: // text
		s.text(r)
	case 3: // scrolling
		by := 1 + s.random.IntN(40)
		if by%2 == 0 {
			r = s.pic.Bounds()
		}
		for y := r.Min.Y; y+by < r.Max.Y; y++ {
			copy(s.pic.Row(y, r.Min.X, r.Max.X), s.pic.Row(y+by, r.Min.X, r.Max.X))
		}
	default: // what was there before
		now := bytes.Clone(s.pic.Pix)
		copy(s.pic.Pix, s.before.Pix)
		copy(s.before.Pix, now)
	}
}

func (s *scene) paint(r screen.Rect, pixel func() uint32) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := s.pic.Row(y, r.Min.X, r.Max.X)
		for i := 0; i < len(row); i += 4 {
			v := pixel()
			row[i], row[i+1], row[i+2] = byte(v), byte(v>>8), byte(v>>16)
		}
	}
}

// TestJournalGoesBackToEveryUpdate cuts the line after every update that the viewer may have got: the mirror must
// become what it was then, as long as the journal's size allows, which must be exactly as long as promised.
func TestJournalGoesBackToEveryUpdate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := screen.Point{X: rapid.IntRange(1, 500).Draw(t, "width"), Y: rapid.IntRange(1, 400).Draw(t, "height")}
		s := newScene(size, rapid.Uint64().Draw(t, "scene"))
		j := newJournal(size, 0)
		if rapid.Bool().Draw(t, "small") { // grows from less than one row
			j.ring = make([]byte, 1+rapid.IntRange(0, j.most-1).Draw(t, "ring"))
		}
		var noted []int // bytes by update
		encoder, err := codec.NewEncoder(codec.Config{Coder: codec.CoderQ2Z, Size: size, Overwriting: func(m *screen.Picture, r screen.Rect) {
			noted[len(noted)-1] += screen.BytesPerPixel * r.Dx() * r.Dy()
			j.note(m, r)
		}})
		if err != nil {
			t.Fatal(err)
		}
		states := [][]byte{bytes.Clone(encoder.Mirror().Pix)}
		acked := 0
		for range rapid.IntRange(1, 25).Draw(t, "updates") {
			s.change()
			acked += rapid.IntRange(0, len(states)-1-acked).Draw(t, "acknowledged")
			j.forget(uint32(acked))
			j.begin(uint32(len(states)))
			noted = append(noted, 0)
			out, _, err := encoder.Encode(nil, s.pic, s.pic.Bounds(), nil, rapid.SampledFrom([]int{500, 20_000, mostPixels}).Draw(t, "pixels"))
			if err != nil {
				t.Fatal(err)
			}
			if len(out) == 0 {
				noted = noted[:len(noted)-1]
				continue
			}
			states = append(states, bytes.Clone(encoder.Mirror().Pix))
		}
		last, held := len(states)-1, 0
		j.begin(uint32(last))
		for k := last; k >= 0; k-- {
			if k < last {
				held += noted[k]
			}
			if got := j.back(encoder.Mirror(), uint32(k)); !got {
				if k >= acked && held <= j.most {
					t.Fatalf("cannot go back to update %d of %d, %d acknowledged, %d bytes of %d", k, last, acked, held, j.most)
				}
				return
			}
			if k < acked {
				t.Fatalf("went back to update %d before %d, which was acknowledged", k, acked)
			}
			if !bytes.Equal(encoder.Mirror().Pix, states[k]) {
				t.Fatalf("the mirror is not what it was after update %d", k)
			}
		}
	})
}

func TestJournalRefusesWhatItDoesNotKnow(t *testing.T) {
	j, mirror := newJournal(screen.Point{X: 64, Y: 64}, 5), screen.NewPicture(screen.Point{X: 64, Y: 64})
	j.begin(6)
	j.note(mirror, image.Rect(0, 0, 10, 10))
	for _, seq := range []uint32{0, 4, 7, 1 << 31} {
		if j.back(mirror, seq) {
			t.Errorf("went to update %d", seq)
		}
	}
	for range 2 {
		if !j.back(mirror, 5) {
			t.Error("did not go back to the beginning")
		}
	}
}

// TestJournalAllocatesNothing: once it has grown.
func TestJournalAllocatesNothing(t *testing.T) {
	size := screen.Point{X: 640, Y: 480}
	j, mirror, seq := newJournal(size, 0), screen.NewPicture(size), uint32(0)
	update := func() {
		seq++
		j.begin(seq)
		j.note(mirror, image.Rect(0, 0, 640, 400))
		j.note(mirror, image.Rect(10, 10, 30, 30))
		if seq > 2 {
			j.forget(seq - 2)
		}
	}
	for range 10 {
		update()
	}
	if n := testing.AllocsPerRun(100, update); n != 0 {
		t.Errorf("%v allocations an update", n)
	}
}

// TestResume names pictures to an agent after a line has died.
func TestResume(t *testing.T) {
	b := newBench(t, screen.Point{X: 400, Y: 300})
	a, s := b.p.session.agent, b.p.session
	a.log, s.log = slog.New(slog.DiscardHandler), slog.New(slog.DiscardHandler)
	s.grant = &grant.Grant{Device: "d1"}
	hashes := [][32]byte{sha256.Sum256(b.p.encoder.Mirror().Pix)}
	for range 6 {
		b.letter()
		b.encode(t)
		hashes = append(hashes, sha256.Sum256(b.p.encoder.Mirror().Pix))
	}
	b.p.journal.forget(2)
	known := bytes.Clone(b.p.encoder.Mirror().Pix)
	for name, c := range map[string]struct {
		change func(*wire.Resume)
		want   bool
	}{
		"all came":            {func(r *wire.Resume) { r.Seq = 6 }, true},
		"some were lost":      {func(r *wire.Resume) { r.Seq = 4 }, true},
		"acknowledged":        {func(r *wire.Resume) { r.Seq = 2 }, true},
		"too old":             {func(r *wire.Resume) { r.Seq = 1 }, false},
		"never sent":          {func(r *wire.Resume) { r.Seq, r.Hash = 7, hashes[6] }, false},
		"another picture":     {func(r *wire.Resume) { r.Seq, r.Hash = 4, hashes[5] }, false},
		"another run":         {func(r *wire.Resume) { r.Seq, r.Run = 4, [16]byte{1} }, false},
		"another layout":      {func(r *wire.Resume) { r.Seq, r.Generation = 4, 9 }, false},
		"nothing is resumed ": {nil, false},
	} {
		journal := *b.p.journal
		journal.parts = append([]part(nil), journal.parts...)
		a.resume = resume{device: "d1", generation: b.p.layout.Generation, journal: &journal, mirror: screen.NewPicture(b.p.layout.Size)}
		copy(a.resume.mirror.Pix, known)
		start := &wire.Start{}
		if c.change != nil {
			start.Resume = &wire.Resume{Run: a.run, Generation: b.p.layout.Generation}
			c.change(start.Resume)
			if start.Resume.Hash == ([32]byte{}) {
				start.Resume.Hash = hashes[min(start.Resume.Seq, 6)]
			}
		}
		got := a.takeResume(s, b.p.layout, start)
		if (got != nil) != c.want {
			t.Errorf("%s: resumed %v", name, got != nil)
		}
		if got != nil && sha256.Sum256(got.Pix) != start.Resume.Hash {
			t.Errorf("%s: another picture than the viewer named", name)
		}
		if a.takeResume(s, b.p.layout, start) != nil {
			t.Errorf("%s: resumed twice", name)
		}
	}
}

// TestResumeAfterNothingCame: the viewer's last session sent updates of which none came, so that it still names the
// picture of the session before by its number there.
func TestResumeAfterNothingCame(t *testing.T) {
	b := newBench(t, screen.Point{X: 400, Y: 300})
	a, s := b.p.session.agent, b.p.session
	s.log, s.grant = slog.New(slog.DiscardHandler), &grant.Grant{Device: "d1", Grace: time.Hour}
	start := &wire.Start{Resume: &wire.Resume{
		Run: a.run, Generation: b.p.layout.Generation, Seq: 40, Hash: sha256.Sum256(b.p.encoder.Mirror().Pix),
	}}
	for range 3 {
		b.letter()
		b.encode(t)
	}
	a.keepResume(s, b.p)
	if a.takeResume(s, b.p.layout, start) == nil {
		t.Error("not resumed")
	}
}

// TestPictureOutlivesTheLock: a desk that was locked already is proved to be so at once when the line is lost; its user
// finds the picture again until the grace period ends. Then nothing of it is kept.
func TestPictureOutlivesTheLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &fakeDesk{}
		a := guarded(t, d)
		b := newBench(t, screen.Point{X: 40, Y: 30})
		s := b.p.session
		s.grant = &grant.Grant{Device: "d1", Grace: time.Minute}
		a.keepResume(s, b.p)
		isKept := func() bool {
			a.resume.mu.Lock()
			defer a.resume.mu.Unlock()
			return a.resume.mirror != nil || a.resume.journal != nil
		}
		a.guard.lockAfter(t.Context(), 0, [16]byte{1})
		time.Sleep(time.Minute - time.Nanosecond)
		synctest.Wait()
		if len(d.attempts()) != 1 || !isKept() {
			t.Errorf("%d tries to lock, the picture is kept: %v", len(d.attempts()), isKept())
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if isKept() {
			t.Error("the picture is kept after the grace period")
		}
	})
}
