package wire

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"jiseki/internal/screen"
	"jiseki/internal/vectortest"
)

// openEnded are the messages whose last field runs to the end: the seal says where that is, so only prefixes that
// cut the part before it must fail.
var openEnded = map[Type]int{TypeClipboard: 1, TypeText: 1, TypeUpdate: 1 + updateHead}

func TestEveryPrefixFails(t *testing.T) {
	for _, g := range goods {
		whole := g.msg.Append(nil)
		n := len(whole)
		if head, ok := openEnded[g.msg.Type()]; ok {
			n = head
		}
		for i := range n {
			if _, err := Parse(g.route, whole[:i]); classOf(err) != string(Short) {
				t.Errorf("%s: the first %d of %d bytes: %v", g.name, i, len(whole), err)
			}
		}
	}
}

func TestTrailingByteFails(t *testing.T) {
	for _, g := range goods {
		if _, ok := openEnded[g.msg.Type()]; ok {
			continue
		}
		if _, err := Parse(g.route, append(g.msg.Append(nil), 0)); classOf(err) != string(Trailer) {
			t.Errorf("%s: with a byte more: %v", g.name, err)
		}
	}
}

func TestOtherRoutesRefuse(t *testing.T) {
	for _, g := range goods {
		for _, r := range routes {
			if _, err := Parse(r, g.msg.Append(nil)); (err == nil) != (r == g.route) {
				t.Errorf("%s on %v: %v", g.name, r, err)
			}
		}
	}
	if _, err := Parse(0, []byte{byte(TypePing), 0, 0, 0, 0}); classOf(err) != string(Unknown) {
		t.Errorf("no route: %v", err)
	}
}

func TestBounds(t *testing.T) {
	big := &Update{Seq: 1, Coder: make([]byte, MaxCoderBytes)}
	if b := big.Append(nil); len(b) != MaxMessage {
		t.Errorf("largest message: %d bytes, MaxMessage %d", len(b), MaxMessage)
	} else if _, err := Parse(DisplayToViewer, b); err != nil {
		t.Error(err)
	} else if _, err := Parse(DisplayToViewer, append(b, 0)); classOf(err) != string(Range) {
		t.Errorf("coder bytes over the limit: %v", err)
	}
	text := &Clipboard{Text: bytes.Repeat([]byte{'x'}, MaxClipboard)}
	if _, err := Parse(ControlToAgent, text.Append(nil)); err != nil {
		t.Error(err)
	}
	if _, err := Parse(ControlToAgent, append(text.Append(nil), 'x')); classOf(err) != string(Range) {
		t.Errorf("text over the limit: %v", err)
	}
	side := screen.Point{X: MaxCursorSide, Y: MaxCursorSide}
	cursor := &Cursor{Cursor: screen.Cursor{Size: side, Hot: screen.Point{X: 255, Y: 255}, Pix: pixels(side.X * side.Y)}}
	if _, err := Parse(ControlToViewer, cursor.Append(nil)); err != nil {
		t.Error(err)
	}
}

func TestNamesAreCutBetweenRunes(t *testing.T) {
	l := layoutOf(1, 10, 10, screen.Monitor{Name: strings.Repeat("席", 100), Bounds: rect(0, 0, 10, 10)})
	m, err := Parse(ControlToViewer, l.Append(nil))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := m.(*Layout).Monitors[0].Name, strings.Repeat("席", 85); got != want {
		t.Errorf("name of %d bytes", len(got))
	}
}

func TestAppendBeyondLimitsIsRefused(t *testing.T) {
	for name, g := range map[string]good{
		"held":    {route: ControlToAgent, msg: &Held{Codes: ascending(MaxHeld + 1)}},
		"layout":  {route: ControlToViewer, msg: layoutOf(1, 9, 9, make([]screen.Monitor, 300)...)},
		"cursor":  {route: ControlToViewer, msg: &Cursor{Cursor: screen.Cursor{Size: screen.Point{X: 2, Y: 2}, Pix: pixels(3)}}},
		"welcome": {route: ControlToViewer, msg: &Welcome{}}, // the zero time lies before 1970
	} {
		if m, err := Parse(g.route, g.msg.Append(nil)); err == nil {
			t.Errorf("%s: parsed as %v", name, m)
		}
	}
}

func TestParserReusesAndFunctionDoesNot(t *testing.T) {
	a, b := (&Ping{ID: 1}).Append(nil), (&Ping{ID: 2}).Append(nil)
	p := Parser{Route: ControlToAgent}
	m1, _ := p.Parse(a)
	m2, _ := p.Parse(b)
	if m1 != m2 {
		t.Error("the Parser has made a second Ping")
	}
	f1, _ := Parse(ControlToAgent, a)
	f2, _ := Parse(ControlToAgent, b)
	if diff := cmp.Diff([]Message{&Ping{ID: 1}, &Ping{ID: 2}}, []Message{f1, f2}); diff != "" {
		t.Error(diff)
	}
}

func TestViewsShareMemory(t *testing.T) {
	b := (&Update{Seq: 1, Coder: []byte{1, 2, 3}}).Append(nil)
	m, err := Parse(DisplayToViewer, b)
	if err != nil {
		t.Fatal(err)
	}
	u := m.(*Update)
	if &u.Coder[0] != &b[1+updateHead] {
		t.Error("coder bytes were copied")
	}
	if cap(u.Coder) != len(u.Coder) {
		t.Error("appending to the view would write into the caller's buffer")
	}
}

// hot are the messages that must cost no allocation.
var hot = []string{"key_down", "key_tap_hankaku", "held_most", "pointer_ok", "wheel_down", "ping", "cursor_small", "cursor_use", "pong", "update_first", "ack"}

func TestHotMessagesDoNotAllocate(t *testing.T) {
	for _, name := range hot {
		g := goodOf(t, name)
		p := Parser{Route: g.route}
		whole := g.msg.Append(nil)
		out := make([]byte, 0, len(whole))
		allocs := testing.AllocsPerRun(100, func() {
			m, err := p.Parse(whole)
			if err != nil {
				t.Fatal(err)
			}
			out = m.Append(out[:0])
		})
		if allocs != 0 {
			t.Errorf("%s: %v allocations", name, allocs)
		}
	}
}

func TestSecretsArePrintedAsLengths(t *testing.T) {
	secret := "機密の文書"
	for _, m := range []Message{
		&Clipboard{Text: []byte(secret)}, &Text{Text: []byte(secret)},
		&Key{Code: 31415, Down: true},
		&KeyTap{Code: 31415},
		&Held{Codes: []uint16{31415}},
	} {
		var out bytes.Buffer
		log := slog.New(slog.NewJSONHandler(&out, nil))
		log.Info("text", "message", m)
		slog.New(slog.NewTextHandler(&out, nil)).Info("text", "message", m)
		if s := out.String(); strings.Contains(s, secret) || strings.Contains(s, "31415") || !strings.Contains(s, m.Type().String()) {
			t.Errorf("log of %v: %s", m.Type(), s)
		}
	}
}

func TestErrors(t *testing.T) {
	_, err := Parse(ControlToAgent, []byte{byte(TypeLocks), 8})
	if !errors.Is(err, &Error{Class: Range}) || errors.Is(err, &Error{Class: Short}) {
		t.Errorf("class of %v", err)
	}
	if got, want := err.Error(), "wire: locks: range (locks)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	_, err = Parse(ControlToAgent, []byte{0xab, 8})
	if got, want := err.Error(), "wire: type_ab: skip"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestCodeNames(t *testing.T) {
	for c, want := range map[Code]string{0: "code_0", TakenOver: "taken_over", Replaced: "replaced", HoursEnd: "hours_end", TextDenied: "text_denied", 21: "code_21", 65535: "code_65535"} {
		if got := c.String(); got != want {
			t.Errorf("%d is %q, want %q", uint16(c), got, want)
		}
	}
}

// TestProtocolPage holds docs/PROTOCOL.md and this package together: each message has its row with its type and its
// name, each row has its message, each message has a vector, and the codes are the same.
func TestProtocolPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(page), "\n## 5. Wire")
	if !ok {
		t.Fatal("section 5 is missing")
	}
	section, _, _ = strings.Cut(section, "\n## 6.")
	rows := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^\|(?: [a-z ]+ \|)? (0x[0-9a-f]{2}) \| ([a-z_]+) \|`).FindAllStringSubmatch(section, -1) {
		rows[m[1]] = m[2]
	}
	want := map[string]string{}
	for typ, name := range names {
		want[fmt.Sprintf("0x%02x", uint8(typ))] = name
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("messages (-package +page):\n%s", diff)
	}
	vectors := map[Type]bool{}
	for _, v := range vectortest.Read(t, "wire") {
		if v.Get("expect") == "ok" {
			vectors[Type(v.Payload[0])] = true
		}
	}
	for typ, name := range names {
		if !vectors[typ] {
			t.Errorf("no vector of %s", name)
		}
	}
	checkCodes(t, section)
	if !strings.Contains(section, "\nVersions: 1 (2026-11-23) first; 2 (2026-11-29) text, mark and marked.") || Version != 2 {
		t.Error("the version's history differs")
	}
}

func checkCodes(t *testing.T, section string) {
	t.Helper()
	_, list, ok := strings.Cut(section, "End and notice codes:")
	if !ok {
		t.Fatal("the codes are missing")
	}
	list, _, _ = strings.Cut(list, "\n\n")
	found := map[string]string{}
	for _, m := range regexp.MustCompile(`(\d+) ([a-z]+(?:_[a-z]+)*)`).FindAllStringSubmatch(list, -1) {
		found[m[1]] = m[2]
	}
	want := map[string]string{}
	for c := EndedByUser; int(c) < len(codeNames); c++ {
		want[strconv.Itoa(int(c))] = c.String()
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("codes (-package +page):\n%s", diff)
	}
}

func TestRoundTripProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := genMessage().Draw(t, "message")
		whole := g.msg.Append(nil)
		m, err := Parse(g.route, whole)
		if err != nil {
			t.Fatalf("%v of %x", err, whole)
		}
		if diff := cmp.Diff(g.msg, m, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
	})
}

// genMessage draws messages of the kinds that vary in length, and a few others.
func genMessage() *rapid.Generator[good] {
	return rapid.Custom(func(t *rapid.T) good {
		u8, u16, u32 := rapid.Uint8(), rapid.Uint16(), rapid.Uint32()
		switch rapid.IntRange(0, 5).Draw(t, "kind") {
		case 0:
			codes := []uint16{}
			last := 0
			for range rapid.IntRange(0, MaxHeld).Draw(t, "n") {
				last += rapid.IntRange(1, 2000).Draw(t, "step")
				codes = append(codes, uint16(last))
			}
			return good{route: ControlToAgent, msg: &Held{Buttons: Buttons(u8.Draw(t, "buttons")) & allButtons, Codes: codes}}
		case 1:
			return good{route: ControlToAgent, msg: &Wheel{Generation: u32.Draw(t, "g"), X: u16.Draw(t, "x"), Y: u16.Draw(t, "y"), DX: rapid.Int16().Draw(t, "dx"), DY: rapid.Int16().Draw(t, "dy")}}
		case 2:
			return good{route: ControlToViewer, msg: genLayout(t)}
		case 3:
			return good{route: ControlToViewer, msg: genCursor(t)}
		case 4:
			seq := rapid.Uint32Min(1).Draw(t, "seq")
			return good{route: DisplayToViewer, msg: &Update{Seq: seq, Generation: u32.Draw(t, "g"), Flags: UpdateFlags(u8.Draw(t, "flags")) & allUpdateFlags, Coder: rapid.SliceOf(rapid.Byte()).Draw(t, "coder")}}
		}
		text := rapid.StringOfN(rapid.RuneFrom([]rune("aあ𠮷\n")), 1, 100, -1).Draw(t, "text")
		return good{route: ControlToAgent, msg: &Clipboard{Text: []byte(text)}}
	})
}

func genLayout(t *rapid.T) *Layout {
	w := rapid.IntRange(1, MaxSide).Draw(t, "w")
	h := rapid.IntRange(1, min(MaxSide, MaxPixels/w)).Draw(t, "h")
	var list []screen.Monitor
	for range rapid.IntRange(1, MaxMonitors).Draw(t, "n") {
		x, y := rapid.IntRange(0, w-1).Draw(t, "x"), rapid.IntRange(0, h-1).Draw(t, "y")
		b := rect(x, y, rapid.IntRange(1, w-x).Draw(t, "mw"), rapid.IntRange(1, h-y).Draw(t, "mh"))
		list = append(list, screen.Monitor{Name: rapid.StringN(0, 20, MaxName).Draw(t, "name"), Bounds: b, Primary: rapid.Bool().Draw(t, "primary")})
	}
	return layoutOf(rapid.Uint32().Draw(t, "g"), w, h, list...)
}

func genCursor(t *rapid.T) *Cursor {
	size := screen.Point{X: rapid.IntRange(1, 20).Draw(t, "w"), Y: rapid.IntRange(1, 20).Draw(t, "h")}
	hot := screen.Point{X: rapid.IntRange(0, size.X-1).Draw(t, "hx"), Y: rapid.IntRange(0, size.Y-1).Draw(t, "hy")}
	slot := rapid.Uint8Range(0, CursorSlots-1).Draw(t, "slot")
	return &Cursor{Slot: slot, Cursor: screen.Cursor{Size: size, Hot: hot, Pix: pixels(size.X * size.Y)}}
}

// FuzzParse: whatever parses is canonical: it appends to the very bytes it was parsed from, and the Parser agrees with
// the function.
func FuzzParse(f *testing.F) {
	for _, v := range vectortest.Read(f, "wire") {
		f.Add(uint8(routeOf(f, v)), v.Payload)
	}
	f.Fuzz(func(t *testing.T, route uint8, b []byte) {
		before := bytes.Clone(b)
		m, err := Parse(Route(route), b)
		p := Parser{Route: Route(route)}
		if _, perr := p.Parse(b); classOf(perr) != classOf(err) {
			t.Fatalf("Parse: %v, Parser: %v", err, perr)
		}
		if err == nil {
			if got := m.Append(nil); !bytes.Equal(got, b) {
				t.Fatalf("%x parses as %v, which appends %x", b, m.Type(), got)
			}
		}
		if !bytes.Equal(before, b) {
			t.Fatal("parsing wrote into its input")
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for _, name := range hot {
		g := goodOf(b, name)
		b.Run(name, func(b *testing.B) {
			p := Parser{Route: g.route}
			whole := g.msg.Append(nil)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Parse(whole); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
