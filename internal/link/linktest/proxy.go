package linktest

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// A Proxy is an HTTP proxy that knows CONNECT and nothing else, as a town hall's that everybody must go through. It can
// be killed and started again.
type Proxy struct {
	// User and Password are asked for, unless User is empty.
	User, Password string
	// Dial connects to the host:port that a client asks for; nil means TCP.
	Dial func(ctx context.Context, address string) (net.Conn, error)
	// Established is the head, or the heads, by which it says that a tunnel stands; "" is the usual one.
	Established string

	mu      sync.Mutex
	address string
	server  *http.Server // nil while it does not run
	conns   map[net.Conn]struct{}
	tunnels int
	refused int
}

// Start listens on a free port of loopback, after Kill on the same one.
func (p *Proxy) Start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.address == "" {
		p.address = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", p.address)
	if err != nil {
		return fmt.Errorf("linktest: proxy: %w", err)
	}
	p.address, p.conns = l.Addr().String(), map[net.Conn]struct{}{}
	server := &http.Server{Handler: http.HandlerFunc(p.serve), ReadHeaderTimeout: time.Minute}
	p.server = server
	go func() { _ = server.Serve(l) }() // ends by Kill, with nothing to say
	return nil
}

// Address is its host:port, after the first Start.
func (p *Proxy) Address() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.address
}

// Kill breaks all tunnels off and stops listening. It does nothing on a proxy that does not run.
func (p *Proxy) Kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.server == nil {
		return
	}
	_ = p.server.Close() // a listener that is closed already is as good
	p.server = nil
	for c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
}

// Count says how many tunnels were made and how many clients were sent away for want of the password.
func (p *Proxy) Count() (tunnels, refused int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tunnels, p.refused
}

func (p *Proxy) serve(w http.ResponseWriter, r *http.Request) {
	switch {
	case !p.knows(r):
		w.Header().Set("Proxy-Authenticate", `Basic realm="town hall"`)
		w.WriteHeader(http.StatusProxyAuthRequired)
	case r.Method != http.MethodConnect:
		w.WriteHeader(http.StatusMethodNotAllowed)
	default:
		p.tunnel(w, r)
	}
}

// knows says whether the client has the password, and counts who has not.
func (p *Proxy) knows(r *http.Request) bool {
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte(p.User+":"+p.Password))
	if p.User == "" || r.Header.Get("Proxy-Authorization") == want {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refused++
	return false
}

func (p *Proxy) tunnel(w http.ResponseWriter, r *http.Request) {
	dial := p.Dial
	if dial == nil {
		dial = func(ctx context.Context, address string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", address)
		}
	}
	target, err := dial(r.Context(), r.Host)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	client, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		_ = target.Close()
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	if !p.keep(client, target) {
		return
	}
	defer p.forget(client, target)
	if _, err := io.WriteString(client, cmp.Or(p.Established, "HTTP/1.1 200 Connection established\r\n\r\n")); err != nil {
		return
	}
	done := make(chan struct{}, 2)
	carry := func(to io.Writer, from io.Reader) {
		_, _ = io.Copy(to, from) // one end of a tunnel is as good as the other
		done <- struct{}{}
	}
	go carry(target, buffered)
	go carry(client, target)
	<-done
	_ = errors.Join(client.Close(), target.Close())
	<-done
}

// keep remembers both ends of a tunnel for Kill; it closes them if that has come already.
func (p *Proxy) keep(ends ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range ends {
		if p.conns == nil {
			_ = c.Close()
			continue
		}
		p.conns[c] = struct{}{}
	}
	if p.conns == nil {
		return false
	}
	p.tunnels++
	return true
}

func (p *Proxy) forget(ends ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range ends {
		_ = c.Close()
		delete(p.conns, c)
	}
}
