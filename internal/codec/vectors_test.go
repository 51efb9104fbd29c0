package codec

import (
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"image"
	"strconv"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"jiseki/internal/screen"
	"jiseki/internal/vectortest"
)

var update = flag.Bool("update", false, "write vectors/codec")

// A session is a scenario: the updates of a new session.
type session struct {
	name, comment string
	size          screen.Point
	expect        error // of the last update; nil for ok
	updates       [][]byte
}

// A composer makes updates out of commands.
type composer struct {
	stream *zstd.Encoder
	packed sink
}

func newComposer(t testing.TB) *composer {
	c := &composer{}
	var err error
	if c.stream, err = zstd.NewWriter(&c.packed, zstd.WithWindowSize(windowSize), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false)); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *composer) update(commands, photos []byte) []byte {
	c.packed = c.packed[:0]
	_, err1 := c.stream.Write(commands)
	err2 := c.stream.Flush()
	if err := errors.Join(err1, err2); err != nil {
		panic(err)
	}
	b := binary.AppendUvarint(nil, uint64(len(commands)))
	b = binary.AppendUvarint(b, uint64(len(c.packed)))
	return append(append(b, c.packed...), photos...)
}

// regionOf is the beginning of commands that only have a region, 20 by 10 pixels from 3, 2.
func regionOf(mode byte, body ...byte) []byte {
	return append([]byte{0, 0, 0, mode, 3, 2, 20, 10}, body...)
}

// rest fills what is left of a rectangle with a run of n pixels from above.
func rest(n int) []byte { return binary.AppendUvarint([]byte{tokUp | maxUp}, uint64(n-1-maxUp)) }

func sessions(t testing.TB) []session {
	small := screen.Point{X: 100, Y: 70}
	one := func(name, comment string, expect error, commands, photos []byte) session {
		return session{name, comment, small, expect, [][]byte{newComposer(t).update(commands, photos)}}
	}
	cat := func(parts ...[]byte) (b []byte) {
		for _, p := range parts {
			b = append(b, p...)
		}
		return b
	}
	rgb := []byte{tokRGB, 0x11, 0x22, 0x33}
	list := []session{
		one("token_rgb", "one literal colour, blue 0x11, green 0x22, red 0x33, then runs from above", nil, regionOf(0, cat(rgb, rest(199))...), nil),
		one("token_left", "a run to the right over the ends of rows", nil, regionOf(0, cat(rgb, []byte{tokLeft | 4}, []byte{tokLeft | maxLeft, 100}, rest(200-1-5-116))...), nil),
		one("token_index", "a colour by its first index, and black by its", nil, regionOf(0, cat(rgb, []byte{0x00, byte(hash6(0x332211))}, rest(197))...), nil),
		one("token_index2", "a colour by its second index", nil, regionOf(0, cat(rgb, []byte{0x00, tokIndex2 | byte(hash10(0x332211)>>8), byte(hash10(0x332211))}, rest(197))...), nil),
		one("token_diff", "small differences, also below 0 and above 255", nil, regionOf(0, cat([]byte{0x40 | 0x1b, 0x40 | 0x06, 0x40 | 0x3f, tokLeft | 3}, rest(193))...), nil),
		one("token_luma", "greater differences", nil, regionOf(0, 0x80|40, 0x3d, 0x80|7, 0xc2, 0x00, tokUp|maxUp, 0xa5, 0x01), nil),
		one("token_skip", "some pixels stay", nil, regionOf(0, cat(rgb, []byte{tokSkip | 3, tokSkip | maxSkip, 30}, rgb, rest(200-1-4-38-1))...), nil),
		one("plain", "200 pixels as B, G, R", nil, regionOf(2, pattern(600)...), nil),
		one("range_token", "a token that is none", errRange, regionOf(0, 0xfc), nil),
		one("range_run", "a run over the end of its rectangle", errRange, regionOf(0, cat(rgb, rest(200))...), nil),
		one("range_mode", "a mode that is none", errRange, regionOf(3), nil),
		one("range_rect", "a rectangle that leaves the picture", errRange, []byte{0, 0, 0, 0, 90, 2, 11, 10}, nil),
		one("range_empty", "a rectangle without height", errRange, []byte{0, 0, 0, 0, 90, 2, 10, 0}, nil),
		one("range_area", "more pixels than the picture has", errRange, cat([]byte{0, 0, 0, 0, 0, 0, 100, 70}, rest(7000), []byte{0, 1, 1, 1, 1, tokUp}), nil),
		one("range_number", "a number that is longer than needed", errRange, []byte{0x80, 0x00}, nil),
		one("range_move", "a move from outside of the picture", errRange, []byte{0, 1, 1, 0, 0, 0, 20, 20, 0, 0}, nil),
		one("range_slot", "a load from an empty slot", errRange, []byte{0, 0, 1, 0, 0, 0}, nil),
		one("range_tile", "a tile that is none", errRange, []byte{1, 0, 8, 0, 0}, nil),
		one("range_box", "a box that leaves its tile", errRange, []byte{1, 0, 2, 0, 1, 0, 2, 10, 30, 0, 7}, nil),
		one("short_tokens", "tokens end early", errShort, regionOf(0, rgb[:3]...), nil),
		one("short_plain", "pixels end early", errShort, regionOf(2, pattern(599)...), nil),
		one("short_photo", "photo codes end early", errShort, regionOf(1), pattern(20)),
		one("short_section", "the loads are missing", errShort, []byte{0, 0}, nil),
		one("trailer_photo", "a byte behind the photo codes", errTrailer, []byte{0, 0, 0}, []byte{0}),
		photoSession(t),
		storeSession(t),
		moveSession(t),
		driveSession(t),
	}
	return append(list, streamSessions(t)...)
}

func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*i/7 + 3*i)
	}
	return b
}

// photoSession codes two photos, of which the second stands beside the first.
func photoSession(t testing.TB) session {
	size := screen.Point{X: 40, Y: 24}
	pic := screen.NewPicture(size)
	state := uint32(7)
	for i := range pic.Pix {
		state = state*1664525 + 1013904223
		if i%4 < 3 {
			x, y := i/4%size.X, i/4/size.X
			pic.Pix[i] = byte(x*3 + y*(5-i%4) + int(state>>29) + int(state>>20&0x80*(state>>31&uint32(x>>4)&uint32(y>>4))))
		}
	}
	commands := []byte{0, 0, 0}
	var w bitWriter
	var m photoModel
	mirror := screen.NewPicture(size)
	for _, r := range []screen.Rect{image.Rect(0, 0, 21, 24), image.Rect(21, 3, 40, 20)} {
		commands = appendRect(append(commands, modePhoto), r)
		m.reset()
		for y := r.Min.Y; y < r.Max.Y; y++ {
			var rows [3][64]uint32
			up := load(rows[0][:], mirror, y-1, r.Min.X-1, r.Max.X+1)
			m.row(&w, load(rows[1][:], pic, y, r.Min.X, r.Max.X), up, load(rows[2][:], mirror, y, r.Min.X-1, r.Min.X)[0])
			copy(mirror.Row(y, r.Min.X, r.Max.X), pic.Row(y, r.Min.X, r.Max.X))
		}
		w.end()
	}
	return session{"photo", "two photo regions side by side, with escapes", size, nil, [][]byte{newComposer(t).update(commands, w.out)}}
}

// storeSession saves tiles, writes over them, and loads the whole of one and a box of another.
func storeSession(t testing.TB) session {
	size := screen.Point{X: 100, Y: 70}
	c := newComposer(t)
	first := append(regionOf(2, pattern(600)...), append([]byte{2, 70, 62, 10, 8}, pattern(240)...)...)
	second := append([]byte{2, 10, 0, 2, 4, 0, 0, 0, 0, 0, 100, 70, tokRGB, 1, 2, 3, tokLeft | maxLeft}, binary.AppendUvarint(nil, 7000-1-16)...)
	third := []byte{0, 0, 2, 10, 0, 0, 2, 4, 4, 7, 1, 20}
	return session{
		"store", "saves, then loads of a whole tile and of a box of another", size, nil,
		[][]byte{c.update(first, nil), c.update(second, nil), c.update(third, nil)},
	}
}

// moveSession makes moves that overlap what others read and write.
func moveSession(t testing.TB) session {
	c := newComposer(t)
	moves := []byte{0}
	moves = appendMoves(moves, []move{
		{image.Rect(5, 6, 25, 16), screen.Point{X: -2, Y: -4}},
		{image.Rect(3, 1, 13, 9), screen.Point{X: -2, Y: 1}},
		{image.Rect(40, 30, 60, 40), screen.Point{X: -37, Y: -28}},
		{image.Rect(50, 35, 58, 44), screen.Point{X: -45, Y: -33}},
	})
	return session{
		"moves", "moves that overlap",
		screen.Point{X: 100, Y: 70},
		nil,
		[][]byte{c.update(regionOf(2, pattern(600)...), nil), c.update(append(moves, 0), nil)},
	}
}

// driveSession is what the encoder makes of a small desktop: text, a photo, a scroll, a window that comes and goes.
func driveSession(t testing.TB) session {
	size := screen.Point{X: 200, Y: 150}
	s := session{"desktop", "an encoder's updates: text, a photo, a scroll, a window that comes and goes, in small slices", size, nil, nil}
	e, err := NewEncoder(Config{Coder: CoderQ2Z, Size: size, Now: stepping()})
	if err != nil {
		t.Fatal(err)
	}
	pic := screen.NewPicture(size)
	show := func() {
		for done := false; !done; {
			var u []byte
			if u, done, err = e.Encode(nil, pic, pic.Bounds(), nil, 1<<13); err != nil {
				t.Fatal(err)
			}
			if len(u) > 0 {
				s.updates = append(s.updates, u)
			}
		}
	}
	show()
	fill(pic, pic.Bounds(), 0xe8e8f0)
	text(pic, image.Rect(10, 10, 150, 140), 1)
	show()
	photo(pic, image.Rect(110, 20, 200, 110), 2)
	show()
	scroll(pic, image.Rect(10, 10, 110, 140), 9)
	show()
	under := pic.Pix
	pic.Pix = append([]byte(nil), under...)
	fill(pic, image.Rect(60, 40, 170, 120), 0xffffff)
	text(pic, image.Rect(64, 44, 166, 116), 3)
	show()
	pic.Pix = under
	show()
	return s
}

// streamSessions break the zstd stream and the update around it.
func streamSessions(t testing.TB) []session {
	size := screen.Point{X: 100, Y: 70}
	good := newComposer(t).update(regionOf(2, pattern(600)...), nil)
	head := 4 // two numbers of two bytes
	spoil := func(at int, v byte) [][]byte {
		b := append([]byte(nil), good...)
		b[at] = v
		return [][]byte{b}
	}
	c := newComposer(t)
	second := [][]byte{c.update(regionOf(0, rest(200)...), nil), c.update(regionOf(0, rest(200)...), nil)}
	second[1] = append([]byte(nil), second[1]...)
	second[1][0]++
	return []session{
		{"stream_magic", "another magic number", size, errStream, spoil(head, 0x29)},
		{"stream_unused", "the bit of the header that means nothing", size, errStream, spoil(head+4, 0x10)},
		{"stream_window", "a greater window", size, errStream, spoil(head+5, 0x80)},
		{"stream_last", "a block that says it is the last", size, errStream, spoil(head+6, good[head+6]|1)},
		{"stream_kind", "a block of the reserved kind", size, errStream, spoil(head+6, good[head+6]|6)},
		{"stream_more", "fewer bytes than announced, in the second update", size, errStream, second},
		{"short_update", "the stream's bytes are missing", size, errShort, [][]byte{good[:len(good)-1]}},
		{"short_numbers", "one number only", size, errShort, [][]byte{{5}}},
		{"range_commands", "no commands", size, errRange, [][]byte{{0, 0}}},
		{"range_size", "more commands than allowed", size, errRange, [][]byte{{0x81, 0x80, 0x40, 0}}},
	}
}

// hash is the FNV-1a 64 of a picture's bytes, B G R 0.
func hash(p *screen.Picture) string {
	h := fnv.New64a()
	h.Write(p.Pix)
	return fmt.Sprintf("%016x", h.Sum64())
}

func class(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, errShort):
		return "short"
	case errors.Is(err, errTrailer):
		return "trailer"
	case errors.Is(err, errRange):
		return "range"
	case errors.Is(err, errStream):
		return "stream"
	}
	return err.Error()
}

func (s session) vector(t testing.TB) *vectortest.Vector {
	v := &vectortest.Vector{Name: s.name}
	d := newDecoder(t, s.size)
	var lengths []string
	for i, u := range s.updates {
		_, err := d.Decode(u)
		want := s.expect
		if i < len(s.updates)-1 {
			want = nil
		}
		if class(err) != class(want) {
			t.Fatalf("%s: update %d: %v, want %v", s.name, i, err, want)
		}
		lengths = append(lengths, strconv.Itoa(len(u)))
		v.Payload = append(v.Payload, u...)
	}
	v.Header = []vectortest.Field{
		{Name: "comment", Value: s.comment},
		{Name: "expect", Value: class(s.expect)},
		{Name: "size", Value: fmt.Sprintf("%d %d", s.size.X, s.size.Y)},
		{Name: "updates", Value: strings.Join(lengths, " ")},
	}
	if s.expect == nil {
		v.Header = append(v.Header, vectortest.Field{Name: "hash", Value: hash(d.Picture())})
	}
	return v
}

func newDecoder(t testing.TB, size screen.Point) *Decoder {
	t.Helper()
	d, err := NewDecoder(Config{Coder: CoderQ2Z, Size: size})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// split returns the size and the updates of a vector.
func split(t testing.TB, v *vectortest.Vector) (size screen.Point, updates [][]byte) {
	t.Helper()
	if _, err := fmt.Sscanf(v.Get("size"), "%d %d", &size.X, &size.Y); err != nil {
		t.Fatalf("%s: %v", v.Name, err)
	}
	b := v.Payload
	for _, f := range strings.Fields(v.Get("updates")) {
		n, err := strconv.Atoi(f)
		if err != nil || n > len(b) {
			t.Fatalf("%s: updates: %v", v.Name, err)
		}
		updates = append(updates, b[:n])
		b = b[n:]
	}
	return size, updates
}

func TestVectors(t *testing.T) {
	if *update {
		var list []*vectortest.Vector
		for _, s := range sessions(t) {
			list = append(list, s.vector(t))
		}
		vectortest.Write(t, "codec", list)
	}
	for _, v := range vectortest.Read(t, "codec") {
		t.Run(v.Name, func(t *testing.T) {
			size, updates := split(t, v)
			d := newDecoder(t, size)
			for i, u := range updates {
				want := "ok"
				if i == len(updates)-1 {
					want = v.Get("expect")
				}
				if _, err := d.Decode(u); class(err) != want {
					t.Errorf("update %d: %v, want %s", i, err, want)
				}
			}
			if v.Get("expect") == "ok" && hash(d.Picture()) != v.Get("hash") {
				t.Errorf("hash %s, want %s", hash(d.Picture()), v.Get("hash"))
			}
		})
	}
}

// TestPrefixes checks that no update is good when its end is missing.
func TestPrefixes(t *testing.T) {
	for _, v := range vectortest.Read(t, "codec") {
		size, updates := split(t, v)
		if v.Get("expect") != "ok" || len(updates) > 3 {
			continue
		}
		last := updates[len(updates)-1]
		d := newDecoder(t, size)
		for n := range last {
			renew(d, size)
			for _, u := range updates[:len(updates)-1] {
				if _, err := d.Decode(u); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := d.Decode(last[:n]); !errors.Is(err, ErrMalformed) {
				t.Errorf("%s: %d of %d bytes: %v", v.Name, n, len(last), err)
			}
		}
	}
}
