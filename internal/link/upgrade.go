package link

import (
	"bufio"
	"crypto/sha1" //nolint:gosec // RFC 6455 asks for it; nothing is protected by it
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// ErrNotUpgrade is what [Upgrade] returns after it has refused a request that asks for no WebSocket.
var ErrNotUpgrade = errors.New("link: request is no WebSocket upgrade")

// Upgrade answers a WebSocket request and takes its connection over; the caller owns the Conn and closes it. If it
// fails, the response has been written. The handler should return soon and leave the Conn to another goroutine: as
// long as it runs, the HTTP server keeps the request's memory.
func Upgrade(w http.ResponseWriter, r *http.Request) (*Conn, error) {
	key, err := checkUpgrade(r)
	if err != nil {
		w.Header().Set("Sec-WebSocket-Version", "13")
		http.Error(w, "WebSocket only", http.StatusUpgradeRequired)
		return nil, err
	}
	nc, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, "HTTP/1.1 only", http.StatusHTTPVersionNotSupported)
		return nil, fmt.Errorf("link: take the connection over: %w", err)
	}
	ahead, err := takeAhead(rw.Reader)
	if err == nil {
		err = answerUpgrade(nc, key)
	}
	if err != nil {
		_ = nc.Close() // the reason is in err
		return nil, fmt.Errorf("link: upgrade: %w", err)
	}
	return newConn(nc, underlying(nc), false, ahead), nil
}

func checkUpgrade(r *http.Request) (string, error) {
	key := r.Header.Get("Sec-WebSocket-Key")
	nonce, err := base64.StdEncoding.DecodeString(key)
	switch {
	case r.Method != http.MethodGet,
		r.Header.Get("Sec-WebSocket-Version") != "13",
		!hasToken(r.Header, "Connection", "upgrade"),
		!hasToken(r.Header, "Upgrade", "websocket"),
		err != nil, len(nonce) != 16:
		return "", ErrNotUpgrade
	}
	return key, nil
}

// takeAhead copies what the HTTP server has read beyond the request.
func takeAhead(br *bufio.Reader) ([]byte, error) {
	n := br.Buffered()
	if n == 0 {
		return nil, nil
	}
	b, err := br.Peek(n)
	return append([]byte(nil), b...), err
}

func answerUpgrade(nc net.Conn, key string) error {
	if err := nc.SetDeadline(time.Now().Add(closeWait)); err != nil {
		return err
	}
	_, err := nc.Write([]byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: " + acceptKey(key) + "\r\n\r\n"))
	if err != nil {
		return err
	}
	return nc.SetDeadline(time.Time{})
}

// acceptKey is what a server answers to a key (RFC 6455, 4.2.2).
func acceptKey(key string) string {
	h := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) //nolint:gosec // see the import
	return base64.StdEncoding.EncodeToString(h[:])
}

// hasToken reports whether a header's comma-separated lists hold the token.
func hasToken(h http.Header, name, token string) bool {
	for _, line := range h.Values(name) {
		for part := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}

func underlying(nc net.Conn) net.Conn {
	if t, ok := nc.(*tls.Conn); ok {
		return t.NetConn()
	}
	return nc
}
