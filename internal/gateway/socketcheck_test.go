package gateway_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"jiseki/internal/gateway/gatewaytest"
	"jiseki/internal/link"
)

// TestSocketCheck opens the socket of the self-check as a page does: it is the relay's kind of socket, and only for
// those who may measure.
func TestSocketCheck(t *testing.T) {
	town := gatewaytest.Start(t)
	b := town.Staff(t, "suzuki", "鈴木 一郎")
	stranger := town.NewBrowser(t)
	own := "https://" + town.Host

	for name, c := range map[string]struct {
		browser *gatewaytest.Browser
		change  func(http.Header)
		want    int
	}{
		"a stranger":         {stranger, func(http.Header) {}, http.StatusUnauthorized},
		"another site":       {b, func(h http.Header) { h.Set("Origin", "https://example.org") }, http.StatusForbidden},
		"an upgrade cut out": {b, func(h http.Header) { h.Del("Upgrade") }, http.StatusUpgradeRequired},
		"another upgrade":    {b, func(h http.Header) { h.Set("Upgrade", "h2c") }, http.StatusUpgradeRequired},
	} {
		answer, _ := upgrade(t, town, c.browser, c.change)
		if answer.StatusCode != c.want {
			t.Errorf("%s: %s, want %d", name, answer.Status, c.want)
		}
	}
	if plain, _ := probe(t, b, http.MethodGet, own+"/relay/check", nil); plain.StatusCode != http.StatusUpgradeRequired || plain.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("without an upgrade: %s, %v", plain.Status, plain.Header)
	}

	answer, line := upgrade(t, town, b, func(http.Header) {})
	if answer.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("the socket is refused: %s", answer.Status)
	}
	sendFrame(t, line, claim(link.Viewer))
	if op, got := frame(t, line); op != 2 || !bytes.Equal(got, []byte{'J', 'L', 1, 0}) {
		t.Errorf("the answer is %d %x", op, got)
	}
	if op, got := frame(t, line); op != 8 || closeCode(got) != link.Normal {
		t.Errorf("then comes %d %x", op, got)
	}

	answer, line = upgrade(t, town, b, func(http.Header) {})
	if answer.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("the socket is refused: %s", answer.Status)
	}
	sendFrame(t, line, []byte("no claim"))
	if op, got := frame(t, line); op != 8 || closeCode(got) != link.BadClaim {
		t.Errorf("no claim is answered %d %x", op, got)
	}
}

// TestSocketCheckIsBounded holds as many sockets as one user may and asks for one more.
func TestSocketCheckIsBounded(t *testing.T) {
	town := gatewaytest.Start(t)
	b := town.Staff(t, "suzuki", "鈴木 一郎")
	for i := range 4 {
		if answer, _ := upgrade(t, town, b, func(http.Header) {}); answer.StatusCode != http.StatusSwitchingProtocols {
			t.Fatalf("socket %d: %s", i, answer.Status)
		}
	}
	answer, _ := upgrade(t, town, b, func(http.Header) {})
	if answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "" {
		t.Errorf("one more: %s, %v", answer.Status, answer.Header)
	}
}

// upgrade asks for the socket of the check with the cookies of a browser; the connection is closed when the test ends.
func upgrade(t *testing.T, town *gatewaytest.Town, b *gatewaytest.Browser, change func(http.Header)) (*http.Response, *bufio.ReadWriter) {
	t.Helper()
	dialer := tls.Dialer{Config: town.TLS()}
	c, err := dialer.DialContext(t.Context(), "tcp", town.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	bound(t, c)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+town.Host+"/relay/check", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, cookie := range b.Client.Jar.Cookies(r.URL) {
		r.AddCookie(cookie)
	}
	for name, value := range map[string]string{
		"Origin": "https://" + town.Host, "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
		"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
	} {
		r.Header.Set(name, value)
	}
	change(r.Header)
	if err := r.Write(c); err != nil {
		t.Fatal(err)
	}
	line := bufio.NewReadWriter(bufio.NewReader(c), bufio.NewWriter(c))
	answer, err := http.ReadResponse(line.Reader, r)
	if err != nil {
		t.Fatal(err)
	}
	return answer, line
}

// bound ends reading from a gateway that never answers.
func bound(t *testing.T, c net.Conn) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
}

func claim(side link.Side) []byte {
	return append([]byte{'J', 'L', 1, byte(side), 0}, make([]byte, 32)...)
}

// sendFrame writes a message as a browser does, masked.
func sendFrame(t *testing.T, line *bufio.ReadWriter, message []byte) {
	t.Helper()
	b := append([]byte{0x82, 0x80 | byte(len(message)), 0, 0, 0, 0}, message...)
	if _, err := line.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := line.Flush(); err != nil {
		t.Fatal(err)
	}
}

// frame reads a short frame of the gateway.
func frame(t *testing.T, line *bufio.ReadWriter) (op byte, payload []byte) {
	t.Helper()
	var head [2]byte
	if _, err := io.ReadFull(line, head[:]); err != nil {
		t.Fatal(err)
	}
	payload = make([]byte, head[1]&0x7f)
	if _, err := io.ReadFull(line, payload); err != nil {
		t.Fatal(err)
	}
	return head[0] & 0x0f, payload
}

func closeCode(payload []byte) link.Code {
	if len(payload) < 2 {
		return 0
	}
	return link.Code(binary.BigEndian.Uint16(payload))
}
