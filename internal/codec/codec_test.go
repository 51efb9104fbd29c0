package codec

import (
	"bytes"
	"errors"
	"image"
	"testing"
	"time"

	"pgregory.net/rapid"

	"jiseki/internal/screen"
	"jiseki/internal/vectortest"
)

// A pair is an encoder and a decoder that share nothing but the updates.
type pair struct {
	encoder *Encoder
	decoder *Decoder
}

// stepping is a clock that moves at each look, so that the encoder does the same each time.
func stepping() func() time.Time {
	now := time.Unix(0, 0)
	return func() time.Time { now = now.Add(70 * time.Millisecond); return now }
}

func newPair(t testing.TB, size screen.Point) *pair {
	t.Helper()
	e, err := NewEncoder(Config{Coder: CoderQ2Z, Size: size, Now: stepping()})
	if err != nil {
		t.Fatal(err)
	}
	return &pair{e, newDecoder(t, size)}
}

// reuse takes over the memory of the zstd streams of a pair that is done with: clearing new memory would take more time
// than coding.
func (p *pair) reuse(old *pair) {
	p.encoder.stream, p.decoder.stream = old.encoder.stream, old.decoder.stream
	p.encoder.stream.Reset(&p.encoder.packed)
}

// fataler is what testing and rapid have in common.
type fataler interface {
	Fatalf(format string, args ...any)
}

// send sends one update and checks that both ends agree.
func (p *pair) send(t fataler, pic *screen.Picture, clip screen.Rect, damage []screen.Rect, budget int) (size int, done bool) {
	u, done, err := p.encoder.Encode(nil, pic, clip, damage, budget)
	if err != nil {
		t.Fatalf("encode: %v", err)
	}
	if len(u) > MaxUpdate {
		t.Fatalf("update of %d bytes", len(u))
	}
	if len(u) == 0 {
		if !done {
			t.Fatalf("no update, but not done")
		}
		return 0, done
	}
	before := append([]byte(nil), p.decoder.Picture().Pix...)
	changed, err := p.decoder.Decode(u)
	if err != nil {
		t.Fatalf("decode: %v", err)
	}
	if !bytes.Equal(p.encoder.Mirror().Pix, p.decoder.Picture().Pix) {
		t.Fatalf("the mirror is not what the decoder shows")
	}
	if at, ok := outside(before, p.decoder.Picture(), changed); ok {
		t.Fatalf("%v changed, but is not in the damage %v", at, changed)
	}
	return len(u), done
}

// outside finds a pixel that changed outside of the damage. It overwrites before.
func outside(before []byte, p *screen.Picture, damage []screen.Rect) (screen.Point, bool) {
	was := &screen.Picture{Size: p.Size, Pix: before}
	for _, r := range damage {
		for y := r.Min.Y; y < r.Max.Y; y++ {
			copy(was.Row(y, r.Min.X, r.Max.X), p.Row(y, r.Min.X, r.Max.X))
		}
	}
	for y := range p.Size.Y {
		a, b := was.Row(y, 0, p.Size.X), p.Row(y, 0, p.Size.X)
		if bytes.Equal(a, b) {
			continue
		}
		for x := range p.Size.X {
			if !bytes.Equal(a[4*x:4*x+4], b[4*x:4*x+4]) {
				return screen.Point{X: x, Y: y}, true
			}
		}
	}
	return screen.Point{}, false
}

// settle sends updates until the encoder says it is done, and checks that the picture then is there.
func (p *pair) settle(t fataler, pic *screen.Picture, clip screen.Rect, damage []screen.Rect, budget int) (size int) {
	for range 10000 {
		n, done := p.send(t, pic, clip, damage, budget)
		size += n
		if !done {
			continue
		}
		clip = clip.Intersect(pic.Bounds())
		for y := clip.Min.Y; y < clip.Max.Y; y++ {
			if !bytes.Equal(pic.Row(y, clip.Min.X, clip.Max.X), p.decoder.Picture().Row(y, clip.Min.X, clip.Max.X)) {
				t.Fatalf("row %d differs", y)
			}
		}
		return size
	}
	t.Fatalf("never done")
	return 0
}

func drawRect(t *rapid.T, size screen.Point) screen.Rect {
	x := rapid.IntRange(0, size.X-1).Draw(t, "x")
	y := rapid.IntRange(0, size.Y-1).Draw(t, "y")
	w := rapid.IntRange(1, size.X-x).Draw(t, "w")
	h := rapid.IntRange(1, size.Y-y).Draw(t, "h")
	return image.Rect(x, y, x+w, y+h)
}

// step changes the picture as a desktop would and returns where.
func step(t *rapid.T, pic *screen.Picture) screen.Rect {
	r := drawRect(t, pic.Size)
	seed := rapid.Uint32Range(1, 5).Draw(t, "seed")
	switch rapid.IntRange(0, 5).Draw(t, "step") {
	case 0:
		fill(pic, r, seed*0x123456&0xffffff)
	case 1:
		text(pic, r, seed)
	case 2:
		photo(pic, r, seed)
	case 3:
		noise(pic, r, seed)
	case 4:
		scroll(pic, r, min(r.Dy(), int(seed)*3))
	case 5:
		r = drag(pic, r, screen.Point{X: int(seed)*5 - 12, Y: 7 - int(seed)*3})
	}
	return r
}

// TestRoundTrip plays random desktops with random clips, hints and budgets.
func TestRoundTrip(t *testing.T) {
	before := newPair(t, screen.Point{X: 1, Y: 1})
	rapid.Check(t, func(r *rapid.T) {
		size := screen.Point{X: rapid.IntRange(1, 300).Draw(r, "width"), Y: rapid.IntRange(1, 200).Draw(r, "height")}
		p := newPair(t, size)
		p.reuse(before)
		pic := screen.NewPicture(size)
		for range rapid.IntRange(1, 8).Draw(r, "steps") {
			damage := []screen.Rect{step(r, pic)}
			budget := rapid.IntRange(1, 1<<16).Draw(r, "budget")
			switch rapid.IntRange(0, 2).Draw(r, "call") {
			case 0: // one slice only; the rest stays for later
				p.send(r, pic, pic.Bounds(), damage, budget)
			case 1: // with a hint; the calls before saw all the rest
				p.settle(r, pic, pic.Bounds(), damage, budget)
			case 2:
				clip := drawRect(r, size)
				p.settle(r, pic, clip, nil, budget)
				p.settle(r, pic, pic.Bounds(), nil, budget)
			}
		}
		p.settle(r, pic, pic.Bounds(), nil, 1<<18)
		if n, done := p.send(r, pic, pic.Bounds(), nil, 1<<18); n != 0 || !done {
			r.Fatalf("%d bytes for a still picture", n)
		}
	})
}

// TestSlices checks that a slice is about as large as asked for and that text goes before photos.
func TestSlices(t *testing.T) {
	p := newPair(t, screen.Point{X: 1024, Y: 768})
	pic := screen.NewPicture(p.encoder.mirror.Size)
	photo(pic, image.Rect(0, 0, 1024, 512), 1)
	text(pic, image.Rect(0, 512, 1024, 768), 2)
	_, done := p.send(t, pic, pic.Bounds(), nil, 1<<17)
	if done || !bytes.Equal(pic.Row(600, 0, 1024), p.decoder.Picture().Row(600, 0, 1024)) {
		t.Error("text is not in the first slice, or all is")
	}
	new := 0
	for i := 0; i < len(pic.Pix)/2; i += 4 {
		if p.decoder.Picture().Pix[i+1] != 0 {
			new++
		}
	}
	if new > 1<<17+tileSide*tileSide {
		t.Errorf("%d photo pixels in a slice of %d", new, 1<<17)
	}
}

// TestMaxUpdate codes noise, the worst there is.
func TestMaxUpdate(t *testing.T) {
	p := newPair(t, screen.Point{X: 640, Y: 600})
	pic := screen.NewPicture(p.encoder.mirror.Size)
	noise(pic, pic.Bounds(), 1)
	p.settle(t, pic, pic.Bounds(), nil, 1<<30)
	sparse(pic, 3)
	p.settle(t, pic, pic.Bounds(), nil, 1<<30)
}

// TestStarve checks that what keeps changing does not keep the rest from being sent.
func TestStarve(t *testing.T) {
	p := newPair(t, screen.Point{X: 256, Y: 192})
	pic := screen.NewPicture(p.encoder.mirror.Size)
	photo(pic, pic.Bounds(), 1)
	p.send(t, pic, pic.Bounds(), nil, 2*tileSide*tileSide)
	for i := range 40 {
		moving := image.Rect(0, 0, 128, 96)
		noise(pic, moving, uint32(i))
		p.send(t, pic, pic.Bounds(), []screen.Rect{moving}, 2*tileSide*tileSide)
	}
	rest := image.Rect(128, 96, 256, 192)
	for y := rest.Min.Y; y < rest.Max.Y; y++ {
		if !bytes.Equal(pic.Row(y, rest.Min.X, rest.Max.X), p.decoder.Picture().Row(y, rest.Min.X, rest.Max.X)) {
			t.Fatalf("row %d has not come", y)
		}
	}
}

// TestCheap checks that what a desktop does often is cheap: that the means against it are at work.
func TestCheap(t *testing.T) {
	size := screen.Point{X: 560, Y: 420}
	paint := func() *screen.Picture {
		pic := screen.NewPicture(size)
		fill(pic, pic.Bounds(), 0xf0f0f0)
		photo(pic, image.Rect(280, 70, 560, 350), 1)
		text(pic, image.Rect(14, 14, 272, 406), 2)
		return pic
	}
	window := image.Rect(70, 70, 420, 280)
	for _, c := range []struct {
		name   string
		change func(*screen.Picture)
		most   int // bytes
	}{
		{"scroll", func(p *screen.Picture) { scroll(p, image.Rect(14, 14, 272, 406), 14) }, 2000},
		{"drag", func(p *screen.Picture) { drag(p, image.Rect(280, 70, 490, 280), screen.Point{X: -17, Y: 9}) }, 300},
		{"window opens", func(p *screen.Picture) { fill(p, window, 0xffffff) }, 300},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPair(t, size)
			pic := paint()
			p.settle(t, pic, pic.Bounds(), nil, 1<<18)
			c.change(pic)
			if n := p.settle(t, pic, pic.Bounds(), nil, 1<<18); n > c.most {
				t.Errorf("%d bytes, want at most %d", n, c.most)
			}
		})
	}
	t.Run("window closes", func(t *testing.T) {
		p := newPair(t, size)
		pic := paint()
		p.settle(t, pic, pic.Bounds(), nil, 1<<18)
		p.encoder.now() // time passes: what has just changed is not kept
		for range 3 {
			fill(pic, window, 0xffffff)
			p.settle(t, pic, pic.Bounds(), nil, 1<<18)
			pic = paint()
			if n := p.settle(t, pic, pic.Bounds(), nil, 1<<18); n > 300 {
				t.Errorf("%d bytes to show again what was there", n)
			}
		}
	})
}

// TestMirror starts both ends from a picture, as after a reconnect.
func TestMirror(t *testing.T) {
	size := screen.Point{X: 130, Y: 90}
	pic := screen.NewPicture(size)
	photo(pic, pic.Bounds(), 3)
	config := Config{Coder: CoderQ2Z, Size: size, Mirror: pic}
	e, err := NewEncoder(config)
	if err != nil {
		t.Fatal(err)
	}
	d, err := NewDecoder(config)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	p := &pair{e, d}
	if n, done := p.send(t, pic, pic.Bounds(), nil, 1<<18); n != 0 || !done {
		t.Errorf("%d bytes for what is there already", n)
	}
	set(pic, 7, 7, 0x123456)
	p.settle(t, pic, pic.Bounds(), nil, 1<<18)
}

func TestConfig(t *testing.T) {
	size := screen.Point{X: 10, Y: 10}
	for name, c := range map[string]Config{
		"no coder":       {Size: size},
		"no size":        {Coder: CoderQ2Z},
		"too wide":       {Coder: CoderQ2Z, Size: screen.Point{X: screen.MaxSide + 1, Y: 1}},
		"too many":       {Coder: CoderQ2Z, Size: screen.Point{X: screen.MaxSide, Y: screen.MaxPixels/screen.MaxSide + 1}},
		"another mirror": {Coder: CoderQ2Z, Size: size, Mirror: screen.NewPicture(screen.Point{X: 10, Y: 11})},
	} {
		if _, err := NewEncoder(c); err == nil {
			t.Errorf("%s: encoder is made", name)
		}
		if _, err := NewDecoder(c); err == nil {
			t.Errorf("%s: decoder is made", name)
		}
	}
	if c, err := ParseCoder("q2z"); c != CoderQ2Z || err != nil || c.String() != "q2z" {
		t.Errorf("q2z is %v, %v", c, err)
	}
	if _, err := ParseCoder("zrle"); err == nil {
		t.Error("zrle is a coder")
	}
	e := newPair(t, size).encoder
	if _, _, err := e.Encode(nil, screen.NewPicture(screen.Point{X: 11, Y: 10}), image.Rect(0, 0, 1, 1), nil, 1); err == nil {
		t.Error("a picture of another size is coded")
	}
}

// TestDead checks that a decoder is of no use after an error.
func TestDead(t *testing.T) {
	p := newPair(t, screen.Point{X: 64, Y: 64})
	pic := screen.NewPicture(p.encoder.mirror.Size)
	text(pic, pic.Bounds(), 1)
	u, _, err := p.encoder.Encode(nil, pic, pic.Bounds(), nil, 1<<18)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.decoder.Decode([]byte{0}); err == nil {
		t.Fatal("a broken update is taken")
	}
	if _, err := p.decoder.Decode(u); err == nil {
		t.Error("a decoder goes on after an error")
	}
}

// TestAllocs checks that neither end allocates once it is warm.
func TestAllocs(t *testing.T) {
	p := newPair(t, screen.Point{X: 320, Y: 240})
	pic := screen.NewPicture(p.encoder.mirror.Size)
	text(pic, pic.Bounds(), 1)
	buf := make([]byte, 0, MaxUpdate)
	damage := []screen.Rect{pic.Bounds()}
	i := uint32(0)
	turn := func() {
		i++
		scroll(pic, image.Rect(0, 0, 200, 240), 7)
		photo(pic, image.Rect(210, 10, 300, 100), i%2)
		u, _, err := p.encoder.Encode(buf, pic, pic.Bounds(), damage, 1<<18)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.decoder.Decode(u); err != nil {
			t.Fatal(err)
		}
	}
	for range 60 {
		turn()
	}
	if n := testing.AllocsPerRun(20, turn); n > 0 {
		t.Errorf("%v allocations for each update", n)
	}
}

// renew makes a decoder new, but keeps the memory of its zstd stream: without that a fuzzer would do little else than
// clear it.
func renew(d *Decoder, size screen.Point) {
	*d = Decoder{picture: screen.NewPicture(size), tiles: newTileMap(size), stream: d.stream, raw: d.raw}
	for i := range d.rows {
		d.rows[i] = make([]uint32, size.X+2)
	}
}

// FuzzDecode feeds a decoder with foreign updates: an error or a picture, no panic.
func FuzzDecode(f *testing.F) {
	for _, v := range vectortest.Read(f, "codec") {
		size, updates := split(f, v)
		f.Add(uint8(size.X-1), uint8(size.Y-1), updates[0], append(updates, nil)[1])
	}
	d := newDecoder(f, screen.Point{X: 1, Y: 1})
	f.Fuzz(func(t *testing.T, width, height uint8, first, second []byte) {
		renew(d, screen.Point{X: int(width) + 1, Y: int(height) + 1})
		for _, u := range [][]byte{first, second} {
			damage, err := d.Decode(u)
			if err != nil {
				if !errors.Is(err, ErrMalformed) {
					t.Fatal(err)
				}
				return
			}
			inside(t, d.Picture(), damage)
		}
	})
}

// FuzzCommands makes a decoder obey foreign commands.
func FuzzCommands(f *testing.F) {
	for _, s := range sessions(f) {
		d := newDecoder(f, s.size)
		for _, u := range s.updates {
			_, err := d.Decode(u)
			f.Add(append([]byte(nil), d.raw...), append([]byte(nil), d.bits.in...))
			if err != nil {
				break
			}
		}
	}
	base := append([]byte{1, 0, 0}, regionOf(2, pattern(600)...)[1:]...)
	d := newDecoder(f, screen.Point{X: 1, Y: 1})
	f.Fuzz(func(t *testing.T, commands, photos []byte) {
		renew(d, screen.Point{X: 100, Y: 70})
		if err := d.obey(base, nil); err != nil {
			t.Fatal(err)
		}
		if err := d.obey(commands, photos); err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		inside(t, d.Picture(), d.damage)
	})
}

// inside checks that the damage is inside the picture, and that byte X is 0.
func inside(t *testing.T, p *screen.Picture, damage []screen.Rect) {
	for _, r := range damage {
		if r.Empty() || !r.In(p.Bounds()) {
			t.Fatalf("damage %v", r)
		}
	}
	for i := 3; i < len(p.Pix); i += 4 {
		if p.Pix[i] != 0 {
			t.Fatalf("byte X of pixel %d is %d", i/4, p.Pix[i])
		}
	}
}

func benchmark(b *testing.B, decode bool, turn func(pic *screen.Picture, i uint32)) {
	p := newPair(b, screen.Point{X: 1920, Y: 1080})
	pic := screen.NewPicture(p.encoder.mirror.Size)
	fill(pic, pic.Bounds(), 0xf8f8f8)
	text(pic, pic.Bounds(), 1)
	p.settle(b, pic, pic.Bounds(), nil, 1<<18)
	buf := make([]byte, 0, MaxUpdate)
	i, sum := uint32(0), 0
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		i++
		turn(pic, i)
		for done := false; !done; {
			if !decode {
				b.StartTimer()
			}
			u, whole, err := p.encoder.Encode(buf, pic, pic.Bounds(), nil, 1<<18)
			b.StopTimer()
			if err != nil {
				b.Fatal(err)
			}
			done, sum = whole, sum+len(u)
			if len(u) == 0 {
				continue
			}
			if decode {
				b.StartTimer()
			}
			if _, err := p.decoder.Decode(u); err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(sum)/float64(b.N), "bytes/op")
}

func typed(pic *screen.Picture, i uint32) {
	x, y := int(i*10%1900), int(i/190*14%1060)
	text(pic, image.Rect(x, y, x+10, y+14), i)
}

func scrolled(pic *screen.Picture, i uint32) {
	scroll(pic, image.Rect(100, 100, 1500, 1000), 20+int(i*i%41))
}

func photographed(pic *screen.Picture, i uint32) { photo(pic, image.Rect(400, 200, 1000, 600), i) }

func BenchmarkEncodeTyping(b *testing.B) { benchmark(b, false, typed) }
func BenchmarkEncodeScroll(b *testing.B) { benchmark(b, false, scrolled) }
func BenchmarkEncodePhoto(b *testing.B)  { benchmark(b, false, photographed) }
func BenchmarkDecodeScroll(b *testing.B) { benchmark(b, true, scrolled) }
func BenchmarkDecodePhoto(b *testing.B)  { benchmark(b, true, photographed) }
