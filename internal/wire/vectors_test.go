package wire

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"jiseki/internal/screen"
	"jiseki/internal/vectortest"
)

var update = flag.Bool("update", false, "write vectors/wire")

// A good is a message that must parse.
type good struct {
	name, comment string
	route         Route
	msg           Message
}

// A bad is a body that must not parse, made by spoiling a good message of the table.
type bad struct {
	name, comment string
	of            string // name of the good vector
	spoil         func(b []byte) []byte
	class         Class
}

func run16() (r [16]byte) {
	for i := range r {
		r[i] = byte(0x10 + i)
	}
	return r
}

func hash32() (h [32]byte) {
	for i := range h {
		h[i] = byte(0xa0 + i)
	}
	return h
}

func pixels(n int) []byte {
	b := make([]byte, 4*n)
	for i := range b {
		b[i] = byte(i * 7)
	}
	return b
}

var goods = []good{
	{"start_plain", "a new viewer, all monitors", ControlToAgent, &Start{Visible: true, Monitor: AllMonitors}},
	{"start_resume", "a viewer that still has a picture", ControlToAgent, &Start{Monitor: 2, Resume: &Resume{Run: run16(), Generation: 0x01020304, Seq: 0x05060708, Hash: hash32()}}},
	{"view_monitor", "the last monitor there can be", ControlToAgent, &View{Visible: true, Monitor: 15}},
	{"view_hidden", "the tab is hidden", ControlToAgent, &View{Monitor: AllMonitors}},
	{"key_down", "KeyA down", ControlToAgent, &Key{Code: 27, Down: true}},
	{"key_up", "a code of two bytes", ControlToAgent, &Key{Code: 0x0102}},
	{"key_tap_hankaku", "半角/全角 on a Japanese keyboard", ControlToAgent, &KeyTap{Code: 1}},
	{"held_none", "nothing any more", ControlToAgent, &Held{}},
	{"held_some", "left and forward, three keys", ControlToAgent, &Held{Buttons: ButtonLeft | ButtonForward, Codes: []uint16{0x0001, 0x0041, 0x0102}}},
	{"held_most", "as many keys as there may be", ControlToAgent, &Held{Buttons: allButtons, Codes: ascending(MaxHeld)}},
	{"locks_num", "Num Lock", ControlToAgent, &Locks{Locks: NumLock}},
	{"locks_all", "all three", ControlToAgent, &Locks{Locks: allLocks}},
	{"pointer_ok", "left button at 0x0102, 0x0304", ControlToAgent, &Pointer{Generation: 0x04030201, X: 0x0102, Y: 0x0304, Buttons: ButtonLeft}},
	{"pointer_back", "back button", ControlToAgent, &Pointer{Generation: 7, X: 16383, Y: 513, Buttons: ButtonBack}},
	{"wheel_down", "two and a half notches down", ControlToAgent, &Wheel{Generation: 0x01020304, X: 0x0506, Y: 0x0708, DY: 300}},
	{"wheel_left_up", "negative steps", ControlToAgent, &Wheel{Generation: 1, X: 2, Y: 3, DX: -258, DY: -32768}},
	{"clipboard_ja", "Japanese text with a line end and a character outside the BMP", ControlToAgent, &Clipboard{Text: []byte("自席端末\n𠮷野家 𩸽")}},
	{"release_all", "focus lost", ControlToAgent, &ReleaseAll{}},
	{"ping", "round trip", ControlToAgent, &Ping{ID: 0x01020304}},
	{"viewer_end", "the user ends it", ControlToAgent, &ViewerEnd{Code: EndedByUser}},
	{"text_ja", "what a keyboard on a screen hands over", ControlToAgent, &Text{Text: []byte("自席 abc¥\n𠮷")}},
	{"marked", "all before the mark has come", ControlToAgent, &Marked{ID: 0x01020304}},

	{"welcome", "a session with a limit", ControlToViewer, &Welcome{
		Run: run16(), Resumed: true, Rights: 5,
		SessionUntil: time.UnixMilli(1795435200123).UTC(), Idle: 900 * time.Second, Desk: "desk-総務-01",
	}},
	{"welcome_last", "the last time there is, no idle limit, no name", ControlToViewer, &Welcome{Lockable: true, Rights: 0x01020304, SessionUntil: time.UnixMilli(maxTime).UTC()}},
	{"layout_one", "one monitor", ControlToViewer, layoutOf(0x01020304, 1920, 1080, screen.Monitor{Name: "DUMMY0", Bounds: rect(0, 0, 1920, 1080), Primary: true})},
	{"layout_two", "two monitors side by side, of different height", ControlToViewer, layoutOf(2, 3200, 1080,
		screen.Monitor{Name: "左", Bounds: rect(0, 56, 1280, 1024)}, screen.Monitor{Bounds: rect(1280, 0, 1920, 1080), Primary: true})},
	{"layout_most", "as great as there may be", ControlToViewer, layoutOf(3, MaxSide, MaxPixels/MaxSide, sixteen()...)},
	{"cursor_small", "3 by 2 pixels", ControlToViewer, &Cursor{Slot: 5, Cursor: screen.Cursor{Size: screen.Point{X: 3, Y: 2}, Hot: screen.Point{X: 2, Y: 1}, Pix: pixels(6)}}},
	{"cursor_hidden", "no pointer", ControlToViewer, &Cursor{Slot: 63, Cursor: screen.Cursor{Pix: []byte{}}}},
	{"cursor_use", "shown again", ControlToViewer, &CursorUse{Slot: 63}},
	{"lock_state", "Caps Lock on the desk", ControlToViewer, &LockState{Locks: CapsLock}},
	{"notice_ends_soon", "five minutes left", ControlToViewer, &Notice{Code: EndsSoon, Seconds: 300}},
	{"notice_unknown", "a code of a later release", ControlToViewer, &Notice{Code: 0x0102, Seconds: 0x03040506}},
	{"pong", "answer", ControlToViewer, &Pong{ID: 0x01020304}},
	{"mark", "behind a pointer shape", ControlToViewer, &Mark{ID: 0x01020304}},
	{"agent_end", "another device of the user", ControlToViewer, &AgentEnd{Code: TakenOver}},

	{"update_first", "the first update", DisplayToViewer, &Update{Seq: 1, Generation: 0x01020304, Flags: Fresh, Coder: []byte{9, 8, 7}}},
	{"update_settled", "nothing but the flag", DisplayToViewer, &Update{Seq: 0x05060708, Generation: 2, Flags: Settled, Coder: []byte{}}},
	{"ack", "a quick decoder", DisplayToAgent, &Ack{Seq: 0x01020304, DecodeMicros: 0x05060708}},
}

func ascending(n int) []uint16 {
	c := make([]uint16, n)
	for i := range c {
		c[i] = uint16(3*i + 2)
	}
	return c
}

func rect(x, y, w, h int) screen.Rect {
	return screen.Rect{Min: screen.Point{X: x, Y: y}, Max: screen.Point{X: x + w, Y: y + h}}
}

func layoutOf(generation uint32, w, h int, monitors ...screen.Monitor) *Layout {
	return &Layout{screen.Layout{Generation: generation, Size: screen.Point{X: w, Y: h}, Monitors: monitors}}
}

func sixteen() []screen.Monitor {
	list := make([]screen.Monitor, MaxMonitors)
	for i := range list {
		list[i] = screen.Monitor{Name: strings.Repeat("m", i), Bounds: rect(i*1024, i*239, 1024, 511)}
	}
	return list
}

// put returns a spoiler that sets bytes at an offset of the message.
func put(at int, v ...byte) func([]byte) []byte {
	return func(b []byte) []byte { copy(b[at:], v); return b }
}

func cut(n int) func([]byte) []byte { return func(b []byte) []byte { return b[:len(b)-n] } }

func add(v ...byte) func([]byte) []byte { return func(b []byte) []byte { return append(b, v...) } }

var bads = []bad{
	{"empty", "not even a type", "ping", func([]byte) []byte { return nil }, Short},
	{"type_zero", "no such type", "ping", put(0, 0), Unknown},
	{"type_unknown", "must be known", "ping", put(0, 0x7f), Unknown},
	{"type_wrong_direction", "the agent's type from the viewer", "ping", put(0, 0x47), Unknown},
	{"type_wrong_channel", "a control type on display", "update_first", put(0, 0x42), Unknown},
	{"type_skip", "may be skipped", "ping", put(0, 0x80), Skip},
	{"start_no_resume", "resume is announced and missing", "start_plain", put(3, 1), Short},
	{"start_extra_resume", "resume is there and not announced", "start_resume", put(3, 0), Trailer},
	{"start_visible_2", "neither 0 nor 1", "start_plain", put(1, 2), Range},
	{"start_resume_2", "neither 0 nor 1", "start_plain", put(3, 2), Range},
	{"view_monitor_16", "there are at most 16 monitors", "view_monitor", put(2, 16), Range},
	{"key_zero", "no key", "key_down", put(1, 0, 0), Range},
	{"key_down_2", "neither 0 nor 1", "key_down", put(3, 2), Range},
	{"key_trailer", "one byte more", "key_down", add(0), Trailer},
	{"key_tap_zero", "no key", "key_tap_hankaku", put(1, 0, 0), Range},
	{"held_descending", "codes out of order", "held_some", put(3, 0, 0x42), Range},
	{"held_twice", "the same code twice", "held_some", put(3, 0, 0x41), Range},
	{"held_zero", "no key", "held_some", put(3, 0, 0), Range},
	{"held_buttons", "a sixth button", "held_some", put(1, 0x20), Range},
	{"held_33", "too many codes", "held_most", func(b []byte) []byte { b[2] = 33; return append(b, 0xff, 0xff) }, Range},
	{"held_n_more", "one code less than announced", "held_some", put(2, 4), Short},
	{"held_n_less", "one code more than announced", "held_some", put(2, 2), Trailer},
	{"locks_bit_3", "no such lock", "locks_num", put(1, 8), Range},
	{"pointer_buttons", "a sixth button", "pointer_ok", put(9, 0x21), Range},
	{"pointer_short", "one byte less", "pointer_ok", cut(1), Short},
	{"pointer_trailer", "one byte more", "pointer_ok", add(0), Trailer},
	{"clipboard_empty", "no text", "clipboard_ja", func(b []byte) []byte { return b[:1] }, Short},
	{"clipboard_nul", "a NUL", "clipboard_ja", add(0), Range},
	{"clipboard_cut", "half a character", "clipboard_ja", cut(1), Range},
	{"clipboard_surrogate", "UTF-8 of a surrogate", "clipboard_ja", add(0xed, 0xa0, 0x80), Range},
	{"clipboard_overlong", "an overlong slash", "clipboard_ja", add(0xc0, 0xaf), Range},
	{"text_empty", "no text", "text_ja", func(b []byte) []byte { return b[:1] }, Short},
	{"text_nul", "a NUL", "text_ja", add(0), Range},
	{"text_cut", "half a character", "text_ja", cut(1), Range},
	{"text_long", "a byte too long", "text_ja", func(b []byte) []byte { return append(b[:1], bytes.Repeat([]byte{'x'}, MaxText+1)...) }, Range},
	{"marked_short", "one byte less", "marked", cut(1), Short},
	{"mark_trailer", "one byte more", "mark", add(0), Trailer},
	{"release_all_body", "it has none", "release_all", add(0), Trailer},
	{"viewer_end_zero", "no code", "viewer_end", put(1, 0, 0), Range},
	{"welcome_resumed_2", "neither 0 nor 1", "welcome", put(17, 2), Range},
	{"welcome_lockable_2", "neither 0 nor 1", "welcome", put(18, 2), Range},
	{"welcome_time", "after the year 9999", "welcome_last", put(23, 0, 0, 0xe6, 0x77, 0xd2, 0x1f, 0xdc, 0), Range},
	{"welcome_time_sign", "the highest bit", "welcome", put(23, 0x80), Range},
	{"welcome_desk_short", "shorter than announced", "welcome", cut(1), Short},
	{"welcome_desk_utf8", "not UTF-8", "welcome", func(b []byte) []byte { b[len(b)-1] = 0xff; return b }, Range},
	{"layout_none", "no monitor", "layout_one", func(b []byte) []byte { b[9] = 0; return b[:10] }, Range},
	{"layout_17", "too many monitors", "layout_most", put(9, 17), Range},
	{"layout_n_more", "one monitor less than announced", "layout_one", put(9, 2), Short},
	{"layout_n_less", "one monitor more than announced", "layout_two", put(9, 1), Trailer},
	{"layout_width_0", "no width", "layout_one", put(5, 0, 0), Range},
	{"layout_width_great", "wider than 16384", "layout_one", put(5, 0x40, 1), Range},
	{"layout_height_great", "higher than 16384", "layout_one", put(7, 0x40, 1), Range},
	{"layout_area_great", "a row more than 2^26 pixels", "layout_most", put(7, 0x10, 1), Range},
	{"layout_outside", "a monitor leaves the layout", "layout_one", put(10, 0, 1), Range},
	{"layout_monitor_empty", "a monitor without height", "layout_one", put(16, 0, 0), Range},
	{"layout_primary_2", "neither 0 nor 1", "layout_one", put(18, 2), Range},
	{"cursor_slot_64", "no such slot", "cursor_small", put(1, 64), Range},
	{"cursor_257", "too wide", "cursor_small", put(2, 1, 1), Range},
	{"cursor_line", "width without height", "cursor_small", put(4, 0, 0), Range},
	{"cursor_hot_x", "points outside", "cursor_small", put(6, 0, 3), Range},
	{"cursor_hot_y", "points outside", "cursor_small", put(8, 0, 2), Range},
	{"cursor_hidden_hot", "a hidden one that points", "cursor_hidden", put(7, 1), Range},
	{"cursor_short", "a pixel is cut", "cursor_small", cut(1), Short},
	{"cursor_trailer", "a pixel too much", "cursor_small", add(1, 2, 3, 4), Trailer},
	{"cursor_use_64", "no such slot", "cursor_use", put(1, 64), Range},
	{"lock_state_bit_3", "no such lock", "lock_state", put(1, 8), Range},
	{"notice_zero", "no code", "notice_ends_soon", put(1, 0, 0), Range},
	{"agent_end_zero", "no code", "agent_end", put(1, 0, 0), Range},
	{"update_seq_0", "counted from 1", "update_first", put(1, 0, 0, 0, 0), Range},
	{"update_flags", "a third flag", "update_first", put(9, 4), Range},
	{"update_short", "no flags", "update_settled", cut(1), Short},
	{"ack_seq_0", "counted from 1", "ack", put(1, 0, 0, 0, 0), Range},
	{"ack_trailer", "one byte more", "ack", add(0), Trailer},
}

func goodOf(t testing.TB, name string) good {
	t.Helper()
	for _, g := range goods {
		if g.name == name {
			return g
		}
	}
	t.Fatalf("no message %q", name)
	return good{}
}

func build(t testing.TB) []*vectortest.Vector {
	t.Helper()
	var list []*vectortest.Vector
	field := func(n, v string) vectortest.Field { return vectortest.Field{Name: n, Value: v} }
	for _, g := range goods {
		list = append(list, &vectortest.Vector{Name: g.name, Payload: g.msg.Append([]byte{}), Header: []vectortest.Field{
			field("comment", g.comment), field("message", g.msg.Type().String()), field("route", g.route.String()),
			field("expect", "ok"), field("value", valueJSON(t, g.msg)),
		}})
	}
	for _, b := range bads {
		g := goodOf(t, b.of)
		list = append(list, &vectortest.Vector{Name: b.name, Payload: append([]byte{}, b.spoil(g.msg.Append(nil))...), Header: []vectortest.Field{
			field("comment", b.comment), field("message", g.msg.Type().String()), field("route", g.route.String()),
			field("expect", string(b.class)),
		}})
	}
	return list
}

// valueJSON is the meaning of a message as vectors/README.md describes it.
func valueJSON(t testing.TB, m Message) string {
	t.Helper()
	b, err := json.Marshal(plain(reflect.ValueOf(m).Elem()))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// plain turns a value into what encoding/json writes with sorted keys.
func plain(v reflect.Value) any {
	switch x := v.Interface().(type) {
	case time.Time:
		return x.UnixMilli()
	case time.Duration:
		return int64(x / time.Second)
	case [16]byte:
		return hex.EncodeToString(x[:])
	case [32]byte:
		return hex.EncodeToString(x[:])
	case []byte:
		return hex.EncodeToString(x)
	case Clipboard:
		return map[string]any{"text": string(x.Text)}
	case Text:
		return map[string]any{"text": string(x.Text)}
	case Cursor:
		return map[string]any{"slot": x.Slot, "width": x.Size.X, "height": x.Size.Y, "hot_x": x.Hot.X, "hot_y": x.Hot.Y, "pix": hex.EncodeToString(x.Pix)}
	case Layout:
		return map[string]any{"generation": x.Generation, "width": x.Size.X, "height": x.Size.Y, "monitors": plain(reflect.ValueOf(x.Monitors))}
	case screen.Monitor:
		size := x.Bounds.Size()
		return map[string]any{"x": x.Bounds.Min.X, "y": x.Bounds.Min.Y, "width": size.X, "height": size.Y, "primary": x.Primary, "name": x.Name}
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return plain(v.Elem())
	case reflect.Slice:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = plain(v.Index(i))
		}
		return list
	case reflect.Struct:
		m := map[string]any{}
		for i := range v.NumField() {
			m[snake(v.Type().Field(i).Name)] = plain(v.Field(i))
		}
		return m
	}
	return v.Interface()
}

func snake(s string) string {
	var b strings.Builder
	lower := false
	for _, c := range s {
		if lower && unicode.IsUpper(c) {
			b.WriteByte('_')
		}
		lower = unicode.IsLower(c)
		b.WriteRune(unicode.ToLower(c))
	}
	return b.String()
}

func TestVectors(t *testing.T) {
	want := build(t)
	if *update {
		vectortest.Write(t, "wire", want)
	}
	got := map[string]*vectortest.Vector{}
	for _, v := range vectortest.Read(t, "wire") {
		got[v.Name] = v
	}
	for _, w := range want {
		if diff := cmp.Diff(w, got[w.Name]); diff != "" {
			t.Errorf("%s is not what the table says; run with -update (-want +got):\n%s", w.Name, diff)
		}
		delete(got, w.Name)
	}
	for name := range got {
		t.Errorf("%s is not in the table", name)
	}
}

// TestParseVectors parses the files, with the function and with one Parser for all, in any order.
func TestParseVectors(t *testing.T) {
	parsers := map[Route]*Parser{}
	for _, r := range routes {
		parsers[r] = &Parser{Route: r}
	}
	for _, v := range vectortest.Read(t, "wire") {
		route := routeOf(t, v)
		for how, parse := range map[string]func([]byte) (Message, error){
			"Parse":  func(b []byte) (Message, error) { return Parse(route, b) },
			"Parser": parsers[route].Parse,
		} {
			m, err := parse(v.Payload)
			if got := classOf(err); got != v.Get("expect") {
				t.Errorf("%s: %s: class %q (%v), want %q", v.Name, how, got, err, v.Get("expect"))
				continue
			}
			if err != nil {
				continue
			}
			if got := valueJSON(t, m); got != v.Get("value") {
				t.Errorf("%s: %s: value\n%s\nwant\n%s", v.Name, how, got, v.Get("value"))
			}
			if got := m.Append(nil); !bytes.Equal(got, v.Payload) {
				t.Errorf("%s: %s: appended %x, want %x", v.Name, how, got, v.Payload)
			}
		}
	}
}

var routes = []Route{ControlToAgent, ControlToViewer, DisplayToViewer, DisplayToAgent}

func routeOf(t testing.TB, v *vectortest.Vector) Route {
	t.Helper()
	for _, r := range routes {
		if r.String() == v.Get("route") {
			return r
		}
	}
	t.Fatalf("%s: route %q", v.Name, v.Get("route"))
	return 0
}

func classOf(err error) string {
	if err == nil {
		return "ok"
	}
	if e := (*Error)(nil); errors.As(err, &e) {
		return string(e.Class)
	}
	return err.Error()
}
