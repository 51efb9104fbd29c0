package link_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/lxzan/gws"

	"jiseki/internal/link"
	"jiseki/internal/link/linktest"
)

// serve runs an HTTPS server on loopback and returns its wss address and a client's TLS configuration.
func serve(t *testing.T, h http.Handler) (string, *tls.Config) {
	t.Helper()
	linktest.NoLeak(t, "jiseki/internal/link.")
	server, client, err := linktest.TLS()
	if err != nil {
		t.Fatal(err)
	}
	l, err := link.Listen(t.Context(), "127.0.0.1:0", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: h, TLSConfig: server, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	go func() { _ = s.ServeTLS(l, "", "") }()
	t.Cleanup(func() { _ = s.Close() })
	return "wss://" + l.Addr().String() + "/socket", client
}

// echoes is a handler that sends every message back.
func echoes(t *testing.T) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := link.Upgrade(w, r)
		if err != nil {
			t.Errorf("upgrade: %v", err)
			return
		}
		go func() {
			for {
				if _, err := c.Forward(context.Background(), c); err != nil {
					return
				}
			}
		}()
	})
}

func checkEcho(t *testing.T, c *link.Conn) {
	t.Helper()
	for _, n := range []int{0, 1, 280, 5000, 61477, link.MaxMessage} {
		msg := bytes.Repeat([]byte{byte(n), 7}, n/2+1)[:n]
		if err := c.Send(t.Context(), msg); err != nil {
			t.Fatalf("send %d: %v", n, err)
		}
		if got, err := c.Receive(t.Context()); err != nil || !bytes.Equal(got, msg) {
			t.Fatalf("%d bytes came back as %d (%v)", n, len(got), err)
		}
	}
}

func TestDialOverTLS(t *testing.T) {
	url, client := serve(t, echoes(t))
	c, err := link.DialSocket(t.Context(), link.DialConfig{URL: url, TLS: client, Proxy: link.Direct})
	if err != nil {
		t.Fatal(err)
	}
	checkEcho(t, c)
	if err := c.Close(link.Normal, "done"); err != nil {
		t.Errorf("close: %v", err)
	}
}

func TestDialRefuses(t *testing.T) {
	url, client := serve(t, http.NotFoundHandler())
	long := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Long", strings.Repeat("x", 100_000))
	}))
	defer long.Close()
	old := httptest.NewUnstartedServer(echoes(t))
	old.TLS = &tls.Config{MaxVersion: tls.VersionTLS12}
	old.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	old.StartTLS()
	defer old.Close()
	tests := []struct {
		name string
		cfg  link.DialConfig
		want string
	}{
		{"unknown CA", link.DialConfig{URL: url}, "certificate"},
		{"other name", link.DialConfig{URL: url, TLS: &tls.Config{RootCAs: client.RootCAs, ServerName: "other.example"}}, "certificate"},
		{"no TLS", link.DialConfig{URL: strings.Replace(url, "wss", "ws", 1), TLS: client}, "want wss"},
		{"HTTP error", link.DialConfig{URL: url, TLS: client}, "404"},
		{"endless header", link.DialConfig{URL: "wss" + strings.TrimPrefix(long.URL, "https"), TLS: long.Client().Transport.(*http.Transport).TLSClientConfig}, "too long"},
		{"TLS 1.2", link.DialConfig{URL: "wss" + strings.TrimPrefix(old.URL, "https"), TLS: old.Client().Transport.(*http.Transport).TLSClientConfig}, "version"},
		{"wrong proxy", link.DialConfig{URL: url, TLS: client, Proxy: "ftp://u:secret@127.0.0.1:1"}, "want http"},
		{"unreadable proxy", link.DialConfig{URL: url, TLS: client, Proxy: "http://u:secret@%%"}, "not an address"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.cfg.Proxy == "" {
				tt.cfg.Proxy = link.Direct
			}
			c, err := link.DialSocket(t.Context(), tt.cfg)
			if err == nil {
				_ = c.Close(link.Normal, "")
				t.Fatal("it was opened")
			}
			if !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%v, want %q in it and no password", err, tt.want)
			}
		})
	}
	var se *link.StatusError
	_, err := link.DialSocket(t.Context(), tests[3].cfg)
	if !errors.As(err, &se) || se.Status != http.StatusNotFound {
		t.Errorf("status: %v", err)
	}
}

// TestRefusalSaysWhy: the server's reason is in the error as one short line, however long the answer is and whatever it
// holds.
func TestRefusalSaysWhy(t *testing.T) {
	for _, tt := range []struct{ kind, body, want string }{
		{"text/plain; charset=utf-8", "agent_network: not from here\n", ": agent_network: not from here"},
		{"text/plain", "one\r\nlevel=ERROR msg=forged", ": one"},
		{"text/plain", "\x1b[2Jcleared\u202e\xff", ": [2Jcleared"},
		{"text/plain", strings.Repeat("あ", 30000), ": " + strings.Repeat("あ", 66)},
		{"text/plain", "", ""},
		{"text/html", "<html>no", ""},
	} {
		url, client := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", tt.kind)
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, tt.body)
		}))
		_, err := link.DialSocket(t.Context(), link.DialConfig{URL: url, TLS: client, Proxy: link.Direct})
		var se *link.StatusError
		if !errors.As(err, &se) || se.Error() != "link refused: HTTP status 403 Forbidden"+tt.want {
			t.Errorf("%.40q: %q", tt.body, err)
		}
	}
}

func TestDialEndsWithItsContext(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // accepts in the kernel, never answers
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	ctx, cancel := context.WithCancel(t.Context())
	accepted := make(chan net.Conn, 1)
	go func() {
		c, _ := l.Accept()
		accepted <- c
		cancel()
	}()
	if _, err := link.DialSocket(ctx, link.DialConfig{URL: "wss://" + l.Addr().String(), Proxy: link.Direct}); !errors.Is(err, context.Canceled) {
		t.Errorf("dial: %v", err)
	}
	_ = (<-accepted).Close()
}

func TestUpgradeRefusesOrdinaryRequests(t *testing.T) {
	for _, change := range []func(*http.Request){
		func(r *http.Request) { r.Method = http.MethodPost },
		func(r *http.Request) { r.Header.Set("Sec-WebSocket-Version", "8") },
		func(r *http.Request) { r.Header.Set("Sec-WebSocket-Key", "short") },
		func(r *http.Request) { r.Header.Del("Sec-WebSocket-Key") },
		func(r *http.Request) { r.Header.Set("Upgrade", "h2c") },
		func(r *http.Request) { r.Header.Set("Connection", "keep-alive") },
	} {
		r := httptest.NewRequest(http.MethodGet, "/relay", nil)
		r.Header = http.Header{
			"Connection": {"keep-alive, Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"},
			"Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="},
		}
		change(r)
		w := httptest.NewRecorder()
		if _, err := link.Upgrade(w, r); !errors.Is(err, link.ErrNotUpgrade) || w.Code != http.StatusUpgradeRequired {
			t.Errorf("%v %v: %v, status %d", r.Method, r.Header, err, w.Code)
		}
	}
}

func TestDialThroughProxy(t *testing.T) {
	url, client := serve(t, echoes(t))
	p := &linktest.Proxy{User: "town", Password: "hall"}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	address := p.Address()

	c, err := link.DialSocket(t.Context(), link.DialConfig{URL: url, TLS: client, Proxy: "http://town:hall@" + address})
	if err != nil {
		t.Fatal(err)
	}
	checkEcho(t, c)
	_ = c.Close(link.Normal, "")

	var se *link.StatusError
	_, err = link.DialSocket(t.Context(), link.DialConfig{URL: url, TLS: client, Proxy: "http://town:wrong@" + address})
	if !errors.As(err, &se) || se.Status != http.StatusProxyAuthRequired || strings.Contains(err.Error(), "wrong") {
		t.Errorf("wrong password: %v", err)
	}

	// Loopback never goes through the environment's proxy, so the server gets a name here.
	t.Setenv("HTTPS_PROXY", "http://town:hall@"+address)
	_, err = link.DialSocket(t.Context(), link.DialConfig{URL: "wss://gateway.invalid/socket", TLS: client})
	if !errors.As(err, &se) || se.Status != http.StatusBadGateway {
		t.Errorf("the environment's proxy was not asked: %v", err)
	}
	if tunnels, refused := p.Count(); tunnels != 1 || refused != 1 {
		t.Errorf("%d tunnels and %d refusals, want one of each", tunnels, refused)
	}
}

// TestProxiesThatSayItOtherwise: RFC 9110 lets a proxy send 1xx first, and any 2xx means a tunnel (section 9.3.6).
// Links and calls go the same way.
func TestProxiesThatSayItOtherwise(t *testing.T) {
	socket := echoes(t)
	url, client := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			socket.ServeHTTP(w, r)
		}
	}))
	for established, want := range map[string]string{
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 Connection established\r\n\r\n":                 "",
		"HTTP/1.1 102 Processing\r\nX: y\r\n\r\nHTTP/1.1 103 Early\r\n\r\nHTTP/1.0 200 OK\r\n\r\n": "",
		"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n":                                        "",
		"HTTP/1.1 204 No Content\r\n\r\n":                                                          "",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n":                                    "",
		"HTTP/1.1 302 Found\r\nLocation: http://proxy.example/\r\n\r\n":                            "302",
		"HTTP/1.1 101 Switching Protocols\r\n\r\n":                                                 "101",
		strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 1000):                                      "too long",
	} {
		p := &linktest.Proxy{Established: established}
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.Kill)
		through := "http://" + p.Address()
		calls := link.NewClient(link.ClientConfig{TLS: client, Proxy: through, Single: true})
		r, callErr := calls.Get("https" + strings.TrimPrefix(url, "wss"))
		if callErr == nil {
			_ = r.Body.Close()
		}
		c, err := link.DialSocket(t.Context(), link.DialConfig{URL: url, TLS: client, Proxy: through})
		if err == nil {
			checkEcho(t, c)
			_ = c.Close(link.Normal, "")
		}
		for way, err := range map[string]error{"link": err, "call": callErr} {
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%s after %.60q: %v, want %q", way, established, err, want)
			}
		}
	}
}

// received is the other implementation's end: it echoes what it gets and keeps why it was closed.
type received struct {
	gws.BuiltinEventHandler
	messages chan []byte
	closed   chan error
}

func (h *received) OnMessage(_ *gws.Conn, m *gws.Message) { h.messages <- bytes.Clone(m.Bytes()) }
func (h *received) OnClose(_ *gws.Conn, err error)        { h.closed <- err }

// An independent implementation agrees about what is on the line, in both roles.
func TestOtherImplementationAsClient(t *testing.T) {
	url, client := serve(t, echoes(t))
	h := &received{messages: make(chan []byte, 1), closed: make(chan error, 1)}
	c, _, err := gws.NewClient(h, &gws.ClientOption{Addr: url, TlsConfig: client})
	if err != nil {
		t.Fatal(err)
	}
	go c.ReadLoop()
	for _, n := range []int{0, 125, 126, 65535, link.MaxMessage} {
		msg := bytes.Repeat([]byte{3}, n)
		if err := c.WriteMessage(gws.OpcodeBinary, msg); err != nil {
			t.Fatal(err)
		}
		if got := <-h.messages; !bytes.Equal(got, msg) {
			t.Errorf("%d bytes came back as %d", n, len(got))
		}
	}
	if err := c.WriteMessage(gws.OpcodeText, []byte("text")); err != nil {
		t.Fatal(err)
	}
	var ce *gws.CloseError
	if err := <-h.closed; !errors.As(err, &ce) || ce.Code != uint16(link.NotBinary) {
		t.Errorf("closed with %v", err)
	}
}

func TestOtherImplementationAsServer(t *testing.T) {
	h := &received{messages: make(chan []byte, 1), closed: make(chan error, 1)}
	up := gws.NewUpgrader(h, &gws.ServerOption{})
	url, client := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := up.Upgrade(w, r)
		if err != nil {
			t.Error(err)
			return
		}
		go c.ReadLoop()
		_ = c.WritePing([]byte("are you there"))
		_ = c.WriteMessage(gws.OpcodeBinary, <-h.messages)
		_ = c.WriteClose(4006, []byte("later one"))
	}))
	c, err := link.DialSocket(t.Context(), link.DialConfig{URL: url, TLS: client, Proxy: link.Direct})
	if err != nil {
		t.Fatal(err)
	}
	msg := bytes.Repeat([]byte{9, 8}, 30000)
	if err := c.Send(t.Context(), msg); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Receive(t.Context()); err != nil || !bytes.Equal(got, msg) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if _, err := c.Receive(t.Context()); link.CloseCode(err) != link.Replaced {
		t.Errorf("closed: %v", err)
	}
	<-h.closed
}

func TestListenReportsWhatItGot(t *testing.T) {
	var log bytes.Buffer
	l, err := link.Listen(t.Context(), "127.0.0.1:0", slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	line, _ := bufio.NewReader(&log).ReadString(0)
	if !strings.Contains(line, "congestion="+l.Congestion+" ") {
		t.Errorf("got %q, logged %q", l.Congestion, line)
	}
	if _, err := link.Listen(t.Context(), l.Addr().String(), slog.New(slog.DiscardHandler)); err == nil {
		t.Error("listened twice on one address")
	}
}
