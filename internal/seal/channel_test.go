package seal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"jiseki/internal/vectortest"
)

// records seals messages into records.
func recordsOf(t testing.TB, sh shape, s secret, messages ...[]byte) [][]byte {
	t.Helper()
	return recordsFrom(t, sh, newRatchet(s), messages...)
}

func recordsFrom(t testing.TB, sh shape, r *ratchet, messages ...[]byte) [][]byte {
	t.Helper()
	p, _ := newLink()
	c := &Channel{session: &Session{pipes: [2]Pipe{p, p}}, pipe: p, outShape: sh, out: r}
	for _, m := range messages {
		if err := c.Send(context.Background(), m); err != nil {
			t.Fatal(err)
		}
	}
	return p.sent
}

// receiveAll opens records until one fails or none is left.
func receiveAll(sh shape, r *ratchet, records [][]byte) (messages [][]byte, err error) {
	near, far := newLink()
	for _, m := range records {
		far.out <- m
	}
	far.Close(0, "")
	c := &Channel{session: &Session{pipes: [2]Pipe{near, near}}, pipe: near, inShape: sh, in: r}
	for {
		m, err := c.Receive(context.Background())
		if errors.Is(err, errLinkClosed) {
			return messages, nil
		}
		if err != nil {
			return messages, err
		}
		messages = append(messages, bytes.Clone(m))
	}
}

var shapes = []shape{{control, fromViewer}, {control, fromAgent}, {display, fromViewer}, {display, fromAgent}}

func TestManInTheMiddle(t *testing.T) {
	for _, sh := range shapes {
		s := secret{byte(sh.channel), byte(sh.direction), 3}
		good := recordsOf(t, sh, s, pattern(5), pattern(6), pattern(7), nil)
		foreign := recordsOf(t, sh, secret{9}, pattern(5))[0]
		for _, tt := range []struct {
			name    string
			records [][]byte
			before  int // messages that come through
			want    error
		}{
			{"untouched", good, 4, nil},
			{"replayed", [][]byte{good[0], good[0]}, 1, ErrOpen},
			{"replayed later", [][]byte{good[0], good[1], good[2], good[1]}, 3, ErrOpen},
			{"swapped", [][]byte{good[1], good[0]}, 0, ErrOpen},
			{"left out", [][]byte{good[0], good[2]}, 1, ErrOpen},
			{"starts late", good[1:], 0, ErrOpen},
			{"first bit", [][]byte{flipped(good[0], 0)}, 0, ErrOpen},
			{"bit of the tag", [][]byte{flipped(good[0], -1)}, 0, ErrOpen},
			{"cut by one byte", [][]byte{good[0][:len(good[0])-1]}, 0, ErrSize},
			{"cut to a tag", [][]byte{good[0][:tagSize]}, 0, ErrSize},
			{"cut to less", [][]byte{good[0][:5]}, 0, ErrSize},
			{"empty", [][]byte{{}}, 0, ErrSize},
			{"one byte more", [][]byte{append(bytes.Clone(good[0]), 0)}, 0, ErrSize},
			{"too long", [][]byte{make([]byte, maxPlaintext+1024+tagSize)}, 0, ErrSize},
			{"other key", [][]byte{foreign}, 0, ErrOpen},
		} {
			t.Run(fmt.Sprintf("%d %d %s", sh.channel, sh.direction, tt.name), func(t *testing.T) {
				got, err := receiveAll(sh, newRatchet(s), clone(tt.records))
				if !errors.Is(err, tt.want) || len(got) != tt.before {
					t.Errorf("%d messages, %v", len(got), err)
				}
			})
		}
	}
}

func clone(list [][]byte) (out [][]byte) {
	for _, b := range list {
		out = append(out, bytes.Clone(b))
	}
	return out
}

func flipped(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[(at+len(b))%len(b)] ^= 0x10
	return b
}

// A record of one of the four ways opens on no other.
func TestRecordsDoNotCross(t *testing.T) {
	p := newPair(t)
	viewer, agent := p.mustOpen(t)
	mustSend(t, viewer.Control, pattern(9))
	record := p.viewer[control].sent[len(p.viewer[control].sent)-1]
	p.viewer[control].in <- record // reflected
	if _, err := viewer.Control.Receive(t.Context()); !errors.Is(err, ErrOpen) {
		t.Errorf("reflected: %v", err)
	}
	p.viewer[control].link.done = make(chan struct{}) // go on in spite of that
	p.agent[display].in <- record                     // on the other channel
	if _, err := agent.Display.Receive(t.Context()); !errors.Is(err, ErrSize) {
		t.Errorf("crossed: %v", err)
	}
}

func TestForm(t *testing.T) {
	sh := shape{control, fromViewer}
	s := secret{1}
	for _, tt := range []struct {
		name   string
		change func(plaintext []byte)
		want   error
	}{
		{"good", func([]byte) {}, nil},
		{"unknown flag", func(b []byte) { b[0] |= 2 }, ErrRecord},
		{"high flag", func(b []byte) { b[0] |= 0x80 }, ErrRecord},
		{"padding in the first byte", func(b []byte) { b[headerSize+5] = 1 }, ErrRecord},
		{"padding in the last byte", func(b []byte) { b[len(b)-1] = 0x80 }, ErrRecord},
		{"longer than the record", func(b []byte) { b[1], b[2] = 0, 254 }, ErrRecord},
		{"much longer than the record", func(b []byte) { b[1] = 0xff }, ErrRecord},
		{"padded and not the last", func(b []byte) { b[0] = 0 }, ErrRecord},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := make([]byte, 256, 256+tagSize)
			frame(b, pattern(5), true)
			tt.change(b)
			_, err := receiveAll(sh, newRatchet(s), [][]byte{newRatchet(s).seal(b)})
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestSizes(t *testing.T) {
	for _, tt := range []struct {
		shape shape
		size  int
		round int
	}{
		{shape{control, fromViewer}, 3, 256},
		{shape{control, fromViewer}, 256, 256},
		{shape{control, fromAgent}, 3, 256},
		{shape{control, fromAgent}, 257, 512},
		{shape{control, fromAgent}, 61_440, 61_440},
		{shape{display, fromViewer}, 3, 64},
		{shape{display, fromViewer}, 64, 64},
		{shape{display, fromAgent}, 3, 64},
		{shape{display, fromAgent}, 65, 128},
		{shape{display, fromAgent}, 1024, 1024},
		{shape{display, fromAgent}, 1025, 1280},
		{shape{display, fromAgent}, 8192, 8192},
		{shape{display, fromAgent}, 8193, 9216},
		{shape{display, fromAgent}, 61_440, 61_440},
	} {
		if got := tt.shape.round(tt.size); got != tt.round {
			t.Errorf("%v: %d becomes %d, want %d", tt.shape, tt.size, got, tt.round)
		}
	}
	for _, sh := range shapes {
		for size := -tagSize; size <= maxPlaintext+2048; size++ {
			want := size > 0 && size <= sh.largest() && sh.round(size) == size
			if got := sh.has(size); got != want {
				t.Fatalf("%v has %d: %v", sh, size, got)
			}
		}
	}
}

// The true limits, all the way: 2^16 records under a key and not one more.
func TestRatchetAfterRecords(t *testing.T) {
	s := secret{5}
	out, in := newRatchet(s), newRatchet(s)
	buf := make([]byte, 64, 64+tagSize)
	for i := range 2*keyRecords + 2 {
		want := s
		for range i / keyRecords {
			want = want.next()
		}
		frame(buf[:64], nil, true)
		record := out.seal(buf[:64])
		if out.secret != want || out.counter != uint64(i%keyRecords)+1 {
			t.Fatalf("record %d has number %d under the key", i, out.counter-1)
		}
		if _, err := in.open(record); err != nil {
			t.Fatalf("record %d: %v", i, err)
		}
	}
}

func TestRatchetAfterBytes(t *testing.T) {
	for _, tt := range []struct {
		bytes   uint64
		size    int
		ratchet bool
	}{
		{keyBytes - 64, 64, false},
		{keyBytes - 63, 64, true},
		{keyBytes, 64, true},
		{keyBytes - 61_440, 61_440, false},
		{keyBytes - 61_439, 61_440, true},
		{0, 61_440, false},
	} {
		r := newRatchet(secret{6})
		r.bytes, r.counter = tt.bytes, 17
		r.advance(tt.size)
		if got := r.secret != (secret{6}); got != tt.ratchet {
			t.Errorf("%d + %d: ratchet %v", tt.bytes, tt.size, got)
		}
		wantCounter, wantBytes := uint64(18), tt.bytes+uint64(tt.size)
		if tt.ratchet {
			wantCounter, wantBytes = 1, uint64(tt.size)
		}
		if r.counter != wantCounter || r.bytes != wantBytes {
			t.Errorf("%d + %d: counter %d, bytes %d", tt.bytes, tt.size, r.counter, r.bytes)
		}
	}
}

// Whatever is sent and whatever a man in the middle does, each receiver gets the first messages that were sent to it, whole
// and in order, and nothing else; and once something was done to a record nothing more comes through.
func TestSessionModel(t *testing.T) {
	outer := t
	rapid.Check(t, func(t *rapid.T) {
		secretOf := rapid.Byte().Draw(t, "secret")
		sh := rapid.SampledFrom(shapes).Draw(t, "way")
		start := func() *ratchet {
			r := newRatchet(secret{secretOf})
			r.counter, r.bytes = keyRecords-5, keyBytes-100_000
			return r
		}
		var sent [][]byte
		for _, n := range rapid.SliceOfN(rapid.IntRange(0, 70_000), 1, 6).Draw(t, "sizes") {
			if sh.direction == fromViewer {
				n %= 700
			}
			sent = append(sent, pattern(n))
		}
		records := clone(recordsFrom(outer, sh, start(), sent...))
		attacked := rapid.Bool().Draw(t, "attack")
		if attacked {
			records = attack(t, records, rapid.IntRange(0, len(records)-1).Draw(t, "at"))
		}
		got, err := receiveAll(sh, start(), records)
		if len(got) > len(sent) {
			t.Fatalf("%d messages of %d", len(got), len(sent))
		}
		for i := range got {
			if !bytes.Equal(got[i], sent[i]) {
				t.Fatalf("message %d differs", i)
			}
		}
		if !attacked && (err != nil || len(got) != len(sent)) {
			t.Fatalf("%d of %d messages came: %v", len(got), len(sent), err)
		}
	})
}

// attack does something to the records from at on that is not nothing.
func attack(t *rapid.T, records [][]byte, at int) [][]byte {
	switch rapid.SampledFrom([]string{"flip", "drop", "double", "swap", "cut"}).Draw(t, "kind") {
	case "flip":
		records[at][rapid.IntRange(0, len(records[at])-1).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
	case "drop":
		return append(records[:at:at], records[at+1:]...)
	case "double":
		return append(records[:at+1:at+1], append([][]byte{bytes.Clone(records[at])}, records[at+1:]...)...)
	case "swap":
		other := rapid.IntRange(0, len(records)-1).Draw(t, "with")
		records[at], records[other] = records[other], records[at]
	case "cut":
		records[at] = records[at][:rapid.IntRange(0, len(records[at])-1).Draw(t, "length")]
	}
	return records
}

func FuzzParseOffer(f *testing.F) {
	o := offer{wire: Wire{1, 3}, coders: []uint8{7, 2}}
	f.Add(o.append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := parseOffer(b)
		if err == nil && !bytes.Equal(o.append(nil), b) {
			t.Error("two byte forms of one offer")
		}
	})
}

func FuzzParseChoice(f *testing.F) {
	c := choice{version: 3, coder: 2}
	f.Add(c.append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := parseChoice(b)
		if err == nil && !bytes.Equal(c.append(nil), b) {
			t.Error("two byte forms of one choice")
		}
	})
}

// What a peer with the right key puts into a record.
func FuzzParseRecord(f *testing.F) {
	b := make([]byte, 64)
	frame(b, pattern(9), true)
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < 64 {
			return // no shape has such a size
		}
		payload, last, err := unframe(b)
		if err != nil {
			return
		}
		again := make([]byte, len(b))
		frame(again, payload, last)
		if !bytes.Equal(again, b) {
			t.Error("two byte forms of one record")
		}
	})
}

// What anybody sends to an agent as message 1, and to a viewer as message 2. The keys are those of the vectors: each process of
// a fuzzing run must have the same. One viewer serves many runs, for a message 2 that it refuses changes nothing.
func FuzzParseHandshake(f *testing.F) {
	p := fixedPair(f)
	message1 := p.initiate(f).message1
	message2, _ := p.respond(f, message1)
	for _, v := range vectortest.Read(f, "seal") {
		if m := v.Get("message"); m == "message1" || m == "message2" {
			f.Add(v.Payload)
		}
	}
	viewer := p.initiate(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		p.accept.fixed = agentFixed()
		_, _, err := respond(&p.accept, b)
		if (err == nil) != bytes.Equal(b, message1) {
			t.Errorf("the agent must answer the viewer's message 1 and no other: %v", err)
		}
		_, err = viewer.finish(b)
		if (err == nil) != bytes.Equal(b, message2) {
			t.Errorf("the viewer must take the agent's message 2 and no other: %v", err)
		}
		if viewer.state.MessageIndex() > 1 {
			viewer = p.initiate(t)
		}
		if class(err) == "untyped" {
			t.Error(err)
		}
	})
}

// What anybody sends after the handshake.
func FuzzReceive(f *testing.F) {
	s := secret{8}
	f.Add(recordsOf(f, shape{control, fromViewer}, s, pattern(9))[0], uint8(1))
	f.Fuzz(func(t *testing.T, b []byte, way uint8) {
		got, err := receiveAll(shapes[way%4], newRatchet(secret{7}), [][]byte{b})
		if len(got) > 0 || err == nil {
			t.Errorf("%d messages, %v", len(got), err)
		}
	})
}
