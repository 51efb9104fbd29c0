//go:build linux

package e2e

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"image"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"
	"unicode/utf16"

	"jiseki/internal/access"
	"jiseki/internal/ca"
	"jiseki/internal/gateway"
	"jiseki/internal/wire"
)

// A tap stands before the gateway's listener with the gateway's own TLS key and sees what a relay's memory sees: all
// that both sides of a session send, without TLS.
type tap struct {
	listener net.Listener
	key      chan *tls.Config // of the gateway; comes once
	target   chan string

	mu      sync.Mutex
	streams []*stream
}

// A stream is one direction of one connection.
type stream struct {
	mu    sync.Mutex
	bytes []byte
}

func (s *stream) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bytes = append(s.bytes, b...)
	return len(b), nil
}

// newTap listens; it serves when it is given key and target.
func newTap(t *testing.T) *tap {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &tap{listener: l, key: make(chan *tls.Config, 1), target: make(chan string, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() { p.serve(ctx, &serving) })
	t.Cleanup(func() {
		cancel()
		l.Close()
		serving.Wait()
	})
	return p
}

func (p *tap) serve(ctx context.Context, serving *sync.WaitGroup) {
	var config *tls.Config
	var target string
	select {
	case config = <-p.key:
		target = <-p.target
	case <-ctx.Done():
		return
	}
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		serving.Go(func() { p.pass(ctx, tls.Server(c, config), target) })
	}
}

// pass carries one connection on and keeps all that it carries.
func (p *tap) pass(ctx context.Context, client *tls.Conn, target string) {
	defer client.Close()
	up, down := &stream{}, &stream{}
	p.mu.Lock()
	p.streams = append(p.streams, up, down)
	p.mu.Unlock()
	server, err := tls.Dial("tcp", target, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}}) //nolint:gosec // a test taps its own gateway
	if err != nil {
		return
	}
	defer server.Close()
	stop := context.AfterFunc(ctx, func() { client.NetConn().Close(); server.NetConn().Close() })
	defer stop()
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(io.MultiWriter(server, up), client); server.NetConn().Close() })
	both.Go(func() { _, _ = io.Copy(io.MultiWriter(client, down), server); client.NetConn().Close() })
	both.Wait()
}

// messages returns what the relay carried, by stream: the payloads of the WebSocket messages, unmasked, one after the
// other.
func (p *tap) messages(t *testing.T) (carried [][]byte) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.streams {
		s.mu.Lock()
		head, frames, found := bytes.Cut(s.bytes, []byte("\r\n\r\n"))
		s.mu.Unlock()
		if found && (bytes.Contains(head, []byte("/relay")) || bytes.Contains(head, []byte(" 101 "))) {
			carried = append(carried, payloads(frames))
		}
	}
	return carried
}

// payloads takes the frames of RFC 6455 apart.
func payloads(b []byte) (all []byte) {
	for len(b) >= 2 {
		n, at := int(b[1]&0x7f), 2
		switch n {
		case 126:
			n, at = int(binary.BigEndian.Uint16(b[2:])), 4
		case 127:
			n, at = int(binary.BigEndian.Uint64(b[2:])), 10
		}
		var mask [4]byte
		if b[1]&0x80 != 0 {
			at += copy(mask[:], b[at:])
		}
		for i, c := range b[at:min(at+n, len(b))] {
			all = append(all, c^mask[i%4])
		}
		b = b[min(at+n, len(b)):]
	}
	return all
}

// A needle is something that the relay must not see.
type needle struct {
	name  string
	bytes []byte
}

const (
	blindText   = "ひみつの会議資料"
	blindLetter = "mizuumi"
)

// needles are all forms in which what the test shows, types and pastes could go by.
func needles(picture []byte) (all []needle) {
	add := func(name string, b []byte) { all = append(all, needle{name, b}) }
	add("pasted text in UTF-8", []byte(blindText))
	var little, big []byte
	for _, u := range utf16.Encode([]rune(blindText)) {
		little, big = binary.LittleEndian.AppendUint16(little, u), binary.BigEndian.AppendUint16(big, u)
	}
	add("pasted text in UTF-16LE", little)
	add("pasted text in UTF-16BE", big)
	add("typed text", []byte(blindLetter))
	var messages, taps []byte
	for _, k := range letters(blindLetter)[:2] {
		messages = (&wire.Key{Code: uint16(k), Down: true}).Append(messages)
		messages = (&wire.Key{Code: uint16(k)}).Append(messages)
	}
	add("key messages", messages)
	for _, k := range letters(blindLetter) {
		taps = append(taps, codes(k)...)
	}
	add("keycodes", taps)
	add("a run of pixels", picture[:64])
	rgb := make([]byte, 0, 64)
	for i := 0; i < 64; i += 4 {
		rgb = append(rgb, picture[i+2], picture[i+1], picture[i])
	}
	add("a run of pixels as RGB", rgb)
	add("magic of zstd", []byte{0x28, 0xb5, 0x2f, 0xfd})
	add("user's name", []byte("利用者 tanaka"))
	return all
}

// find names the needles that are in what was carried.
func find(carried [][]byte, all []needle) (found []string) {
	for _, n := range all {
		if slices.ContainsFunc(carried, func(c []byte) bool { return bytes.Contains(c, n.bytes) }) {
			found = append(found, n.name)
		}
	}
	return found
}

// TestRelayIsBlind records all that passes the relay on both sides while a known picture is shown and known text is
// typed and pasted, and finds nothing of it.
func TestRelayIsBlind(t *testing.T) {
	p := newTap(t)
	h := build(t, plan{
		gateway:  func(c *gateway.Config) { c.Relay.DeskAddress = p.listener.Addr().String() },
		settings: func(s *access.Settings) { s.ClipboardInternet = true },
	})
	authority, err := ca.Open(ca.Config{Dir: h.town.Config.DataDir + "/keys", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	config, err := authority.ServerTLS([]string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	config.NextProtos = []string{"http/1.1"}
	p.key <- config
	p.target <- h.town.Host

	v := h.staffVia("tanaka", p.listener.Addr().String()).open(look{})
	w := h.window(image.Rect(20, 60, 520, 400))
	picture := w.noise(20, image.Pt(0, 0), image.Pt(64, 64))
	v.sameAsDesk()
	v.press(letters(blindLetter)...)
	want := codes(letters(blindLetter)...)
	await(t, func() bool { return slices.Equal(w.got(), want) }, func() string { return "the keys did not come" })
	if err := v.Send(soon(t), &wire.Clipboard{Text: []byte(blindText)}); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { return h.clipboardOwner() != 0 }, func() string { return "the text did not come" })
	if got := w.paste(); got != blindText {
		t.Errorf("pasted %q", got)
	}
	if err := v.End(soon(t)); err != nil {
		t.Error(err)
	}

	carried := p.messages(t)
	total := 0
	for _, c := range carried {
		total += len(c)
	}
	_, shown := v.seen()
	if len(carried) != 8 || total < 2*shown { // four links, two directions; everything passes the tap twice
		t.Fatalf("the tap saw %d streams with %d bytes of a session that showed %d: it proves nothing", len(carried), total, shown)
	}
	if found := find(carried, needles(picture)); len(found) > 0 {
		t.Errorf("the relay sees: %q", found)
	}
	checkSearch(t, picture)
}

// checkSearch makes sure that find would find: it is shown what is inside the seal.
func checkSearch(t *testing.T, picture []byte) {
	t.Helper()
	all := needles(picture)
	var open []byte
	for _, n := range all {
		open = append(open, n.bytes...)
	}
	if found := find([][]byte{nil, open}, all); len(found) != len(all) {
		t.Errorf("of %d needles in plain sight only %q were found", len(all), found)
	}
	plain := (&wire.Clipboard{Text: []byte(blindText)}).Append(nil)
	for _, k := range letters(blindLetter) {
		plain = (&wire.Key{Code: uint16(k), Down: true}).Append(plain)
		plain = (&wire.Key{Code: uint16(k)}).Append(plain)
	}
	if found := find([][]byte{plain}, all); !slices.Contains(found, "pasted text in UTF-8") || !slices.Contains(found, "key messages") {
		t.Errorf("in a session without a seal only %q was found", found)
	}
}
