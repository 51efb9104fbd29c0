package link

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/http/httpproxy"
	"golang.org/x/sync/errgroup"
)

// Direct as a DialConfig's Proxy means none, whatever the environment says.
const Direct = "direct"

// A DialConfig says where a link goes and who it belongs to.
type DialConfig struct {
	// URL is the address of the relay (or of another socket of the gateway), with scheme wss.
	URL string

	// TLS holds the CA that is trusted. Versions below 1.3 are never spoken. It is not changed.
	TLS *tls.Config

	// Proxy is an HTTP proxy to CONNECT through: http://[user:password@]host:port, or https. Empty means what the
	// environment says (HTTPS_PROXY, NO_PROXY), Direct means none.
	Proxy string

	// Side, Channel and Ticket are the claim. DialSocket ignores them.
	Side    Side
	Channel Channel
	Ticket  Ticket

	// Log receives how the link was reached. Nil means silence.
	Log *slog.Logger

	// DialContext opens the connection to the server or the proxy. Nil means TCP.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
}

// Dial opens a link through the relay: it connects, claims, and returns when the other side has claimed too. The ctx
// bounds only the call. Errors may hold a [CloseError], for example with Unpaired or BadClaim, or a [StatusError].
func Dial(ctx context.Context, cfg DialConfig) (*Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout+pairTimeout)
	defer cancel()
	c, err := DialSocket(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := c.claim(ctx, cfg); err != nil {
		_ = c.Close(ProtocolError, "") // usually closed by the relay already
		return nil, fmt.Errorf("claim channel %d: %w", cfg.Channel, err)
	}
	return c, nil
}

// DialBoth opens the control and the display link of a session at once, as [Dial] does; cfg.Channel does not count. If
// one fails, the other is closed.
func DialBoth(ctx context.Context, cfg DialConfig) (control, display *Conn, err error) {
	dial := func(channel Channel) (*Conn, error) {
		one := cfg
		one.Channel = channel
		return Dial(ctx, one)
	}
	var group errgroup.Group
	group.Go(func() (err error) { control, err = dial(Control); return err })
	group.Go(func() (err error) { display, err = dial(Display); return err })
	if err := group.Wait(); err != nil {
		for _, c := range []*Conn{control, display} {
			if c != nil {
				_ = c.Close(GoingAway, "")
			}
		}
		return nil, nil, fmt.Errorf("reach the relay: %w", err)
	}
	return control, display, nil
}

func (c *Conn) claim(ctx context.Context, cfg DialConfig) error {
	var b [ClaimSize]byte
	claim := Claim{Side: cfg.Side, Channel: cfg.Channel, Ticket: cfg.Ticket}
	if err := c.Send(ctx, claim.Append(b[:0])); err != nil {
		return err
	}
	n, err := c.receive(ctx, PairedSize)
	if err != nil {
		return err
	}
	return ParsePaired(c.held.b[headroom : headroom+n])
}

// DialSocket opens a message socket without a claim, such as an agent's control channel.
func DialSocket(ctx context.Context, cfg DialConfig) (*Conn, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("link: address: %w", err)
	}
	if u.Scheme != "wss" || u.Host == "" {
		return nil, fmt.Errorf("link: address %q: want wss://host", u.Redacted())
	}
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	nc, err := cfg.connect(ctx, u)
	if err != nil {
		return nil, fmt.Errorf("link: connect to %s: %w", u.Host, err)
	}
	c, err := cfg.open(ctx, nc, u)
	if err != nil {
		_ = nc.Close() // the reason is in err
		return nil, fmt.Errorf("link: open %s: %w", u.Host, err)
	}
	return c, nil
}

// connect opens a byte stream to the server, through the proxy if there is one.
func (cfg *DialConfig) connect(ctx context.Context, u *url.URL) (net.Conn, error) {
	dial := cfg.DialContext
	if dial == nil {
		dial = (&net.Dialer{Control: boundQueue}).DialContext
	}
	proxy, err := cfg.proxy(u)
	if err != nil {
		return nil, err
	}
	target := withPort(u, "443")
	if proxy == nil {
		return dial(ctx, "tcp", target)
	}
	nc, err := dial(ctx, "tcp", withPort(proxy, proxyPorts[proxy.Scheme]))
	if err != nil {
		return nil, fmt.Errorf("proxy %s: %w", proxy.Host, err)
	}
	if cfg.Log != nil {
		cfg.Log.Debug("link goes through a proxy", "proxy", proxy.Host)
	}
	if proxy.Scheme == "https" {
		nc = tls.Client(nc, &tls.Config{ServerName: proxy.Hostname(), MinVersion: tls.VersionTLS12})
	}
	if err := connectThrough(ctx, nc, proxy, target); err != nil {
		_ = nc.Close() // the reason is in err
		return nil, fmt.Errorf("proxy %s: %w", proxy.Host, err)
	}
	return nc, nil
}

var proxyPorts = map[string]string{"http": "80", "https": "443"}

// proxy returns the proxy to use for u, or nil.
func (cfg *DialConfig) proxy(u *url.URL) (*url.URL, error) {
	var proxy *url.URL
	var err error
	switch cfg.Proxy {
	case Direct:
		return nil, nil
	case "":
		proxy, err = httpproxy.FromEnvironment().ProxyFunc()(&url.URL{Scheme: "https", Host: u.Host})
	default:
		proxy, err = url.Parse(cfg.Proxy)
	}
	if err != nil {
		// Not err itself: it would show the address with its password.
		return nil, errors.New("proxy: not an address")
	}
	if proxy != nil && (proxyPorts[proxy.Scheme] == "" || proxy.Host == "") {
		return nil, fmt.Errorf("proxy %q: want http://host:port", proxy.Redacted())
	}
	return proxy, nil
}

func withPort(u *url.URL, port string) string {
	if p := u.Port(); p != "" {
		port = p
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// connectThrough asks the proxy on nc for a tunnel to target.
func connectThrough(ctx context.Context, nc net.Conn, proxy *url.URL, target string) error {
	r := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: target}, Host: target, Header: http.Header{}}
	if proxy.User != nil {
		password, _ := proxy.User.Password()
		pair := proxy.User.Username() + ":" + password
		r.Header.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(pair)))
	}
	resp, ahead, err := exchange(ctx, nc, r)
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 { // any 2xx: RFC 9110 section 9.3.6
		return &StatusError{Status: resp.StatusCode}
	}
	if len(ahead) > 0 {
		return errors.New("it spoke before it was asked") // TLS begins with the client
	}
	return nil
}

// open makes TLS and a WebSocket of the stream.
func (cfg *DialConfig) open(ctx context.Context, nc net.Conn, u *url.URL) (*Conn, error) {
	tc := tls.Client(nc, cfg.tlsConfig(u.Hostname()))
	if err := tc.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	var nonce [16]byte
	if _, err := rand.Read(nonce[:]); err != nil {
		return nil, err
	}
	key := base64.StdEncoding.EncodeToString(nonce[:])
	r := &http.Request{Method: http.MethodGet, URL: &url.URL{Path: u.Path, RawQuery: u.RawQuery}, Host: u.Host}
	r.Header = http.Header{
		"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-WebSocket-Version": {"13"}, "Sec-WebSocket-Key": {key},
	}
	resp, ahead, err := exchange(ctx, tc, r)
	if err != nil {
		return nil, err
	}
	if err := checkAccepted(resp, key); err != nil {
		var refused *StatusError
		if errors.As(err, &refused) {
			_ = nc.SetReadDeadline(time.Now().Add(closeWait)) // without it only the reason is missing
			refused.Reason = reason(resp)
		}
		return nil, err
	}
	return newConn(tc, nc, true, ahead), nil
}

func (cfg *DialConfig) tlsConfig(host string) *tls.Config {
	t := &tls.Config{}
	if cfg.TLS != nil {
		t = cfg.TLS.Clone()
	}
	t.MinVersion = tls.VersionTLS13
	t.NextProtos = []string{"http/1.1"}
	if t.ServerName == "" {
		t.ServerName = host
	}
	return t
}

func checkAccepted(resp *http.Response, key string) error {
	switch {
	case resp.StatusCode != http.StatusSwitchingProtocols:
		return &StatusError{Status: resp.StatusCode}
	case !hasToken(resp.Header, "Connection", "upgrade"), !hasToken(resp.Header, "Upgrade", "websocket"),
		resp.Header.Get("Sec-WebSocket-Accept") != acceptKey(key):
		return errors.New("the server upgraded to something else")
	case resp.Header.Get("Sec-WebSocket-Extensions") != "":
		return errors.New("the server wants an extension")
	}
	return nil
}

// reason is the first line of an answer in plain text, of at most maxReason bytes, without what could mislead a reader
// of the log.
func reason(resp *http.Response) string {
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind != "text/plain" {
		return ""
	}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxReason)) // of a broken answer, what came
	line, _, _ := strings.Cut(string(body), "\n")
	return strings.Map(func(c rune) rune {
		if c == utf8.RuneError || !unicode.IsPrint(c) {
			return -1
		}
		return c
	}, line)
}

// exchange sends a request and reads the answer's head, of at most maxOpening bytes, and what came with it.
func exchange(ctx context.Context, nc net.Conn, r *http.Request) (*http.Response, []byte, error) {
	stop := context.AfterFunc(ctx, func() { _ = nc.Close() })
	resp, ahead, err := exchangeUnbound(nc, r)
	if !stop() {
		return nil, nil, ctx.Err() // nc is closed or about to be
	}
	return resp, ahead, err
}

func exchangeUnbound(nc net.Conn, r *http.Request) (*http.Response, []byte, error) {
	if err := writeRequest(nc, r); err != nil {
		return nil, nil, err
	}
	limited := &io.LimitedReader{R: nc, N: maxOpening}
	br := bufio.NewReader(limited)
	resp, err := readFinal(br, r)
	if err != nil {
		if limited.N <= 0 {
			err = errors.New("the answer is too long")
		}
		return nil, nil, err
	}
	ahead, err := takeAhead(br)
	return resp, ahead, err
}

// readFinal reads heads up to the first that is no interim answer (1xx, RFC 9110 section 15.2), such as 100 Continue.
func readFinal(br *bufio.Reader, r *http.Request) (*http.Response, error) {
	for {
		resp, err := http.ReadResponse(br, r)
		if err != nil || resp.StatusCode/100 != 1 || resp.StatusCode == http.StatusSwitchingProtocols {
			return resp, err
		}
	}
}

// writeRequest writes the head of a request without body. (Request.Write would add a User-Agent.)
func writeRequest(w io.Writer, r *http.Request) error {
	target := r.URL.Opaque
	if target == "" {
		target = r.URL.RequestURI()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", r.Method, target, r.Host)
	if err := r.Header.Write(&b); err != nil {
		return err
	}
	b.WriteString("\r\n")
	_, err := io.WriteString(w, b.String())
	return err
}
