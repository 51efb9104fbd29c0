// Package shape is a bad line to test with: a TCP proxy in user space with a delay, a rate behind a bounded buffer, and
// the ways in which lines fail: frozen (nothing comes, nothing is refused: the half-open case) and cut.
//
// It shapes the stream, not packets: it loses nothing and reorders nothing, and a full buffer holds the sender back
// instead of dropping. What congestion control makes of loss it cannot show.
package shape

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"
)

// A Line is one direction of the shaped line. The zero Line passes everything at once.
type Line struct {
	// Delay is the time that each byte travels, besides waiting.
	Delay time.Duration

	// Rate of the bottleneck in bytes a second, shared by all connections; 0 is no bottleneck.
	Rate float64

	// Buffer is how many bytes may wait before the bottleneck. 0 means what Rate carries in 100 ms, at least 16 KiB.
	Buffer int
}

func (l Line) buffer() float64 {
	if l.Buffer > 0 {
		return float64(l.Buffer)
	}
	return max(l.Rate/10, 16<<10)
}

// A Config says what to shape.
type Config struct {
	Listener net.Listener // what clients connect to; the Proxy closes it

	// Dial connects to the target.
	Dial func(ctx context.Context) (net.Conn, error)

	Up   Line // from client to target
	Down Line // from target to client
}

// A Proxy is a shaped line. Run makes it work.
type Proxy struct {
	cfg      Config
	up, down *lane

	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

// New returns a Proxy that does nothing yet.
func New(cfg Config) *Proxy {
	return &Proxy{cfg: cfg, up: newLane(cfg.Up), down: newLane(cfg.Down), conns: make(map[net.Conn]struct{})}
}

// TCP returns a Proxy on a free loopback port to a TCP address.
func TCP(target string, up, down Line) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("shape: %w", err)
	}
	dial := func(ctx context.Context) (net.Conn, error) { return new(net.Dialer).DialContext(ctx, "tcp", target) }
	return New(Config{Listener: l, Dial: dial, Up: up, Down: down}), nil
}

// Addr is the address that clients connect to.
func (p *Proxy) Addr() net.Addr { return p.cfg.Listener.Addr() }

// Run passes connections on until ctx ends, and returns when all are closed.
func (p *Proxy) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = p.cfg.Listener.Close() })
	defer stop()
	for {
		client, err := p.cfg.Listener.Accept()
		if ctx.Err() != nil {
			if err == nil {
				_ = client.Close()
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("shape: accept: %w", err)
		}
		wg.Go(func() { p.pass(ctx, client) })
	}
}

// SetUp changes the direction from client to target. What is on its way keeps the time it was given.
func (p *Proxy) SetUp(l Line) { p.up.set(l) }

// SetDown changes the direction from target to client.
func (p *Proxy) SetDown(l Line) { p.down.set(l) }

// Freeze lets nothing pass in either direction for d: what is sent meanwhile waits and comes afterwards, as by TCP's
// repetitions.
func (p *Proxy) Freeze(d time.Duration) {
	until := time.Now().Add(d)
	p.up.freeze(until)
	p.down.freeze(until)
}

// FreezeUp is Freeze for what comes from the client.
func (p *Proxy) FreezeUp(d time.Duration) { p.up.freeze(time.Now().Add(d)) }

// FreezeDown is Freeze for what comes from the target.
func (p *Proxy) FreezeDown(d time.Duration) { p.down.freeze(time.Now().Add(d)) }

// Cut resets all connections. New ones may come.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns { // all before the first is closed, for that one's end closes its other side
		if t, ok := c.(*net.TCPConn); ok {
			_ = t.SetLinger(0) // a reset, not an orderly end
		}
	}
	for c := range p.conns {
		_ = c.Close()
	}
}

// pass carries one connection until an end closes it or ctx ends.
func (p *Proxy) pass(ctx context.Context, client net.Conn) {
	defer p.forget(client)
	p.remember(client)
	target, err := p.cfg.Dial(ctx)
	if err != nil {
		return // as a line that leads nowhere: the client sees it closed
	}
	defer p.forget(target)
	p.remember(target)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		_ = client.Close()
		_ = target.Close()
	})
	defer stop()
	var wg sync.WaitGroup
	for _, way := range []struct {
		lane     *lane
		from, to net.Conn
	}{{p.up, client, target}, {p.down, target, client}} {
		wg.Go(func() {
			if err := way.lane.carry(ctx, way.from, way.to); err != nil {
				cancel() // a broken direction breaks the other; an orderly end does not
			}
		})
	}
	wg.Wait()
}

// remember keeps the connection for Cut and bounds what the kernel holds of it, so that what waits, waits in the lane.
func (p *Proxy) remember(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetReadBuffer(socketBuffer) // best effort: a larger one only blurs the picture
		_ = t.SetWriteBuffer(socketBuffer)
	}
	p.mu.Lock()
	p.conns[c] = struct{}{}
	p.mu.Unlock()
}

func (p *Proxy) forget(c net.Conn) {
	p.mu.Lock()
	delete(p.conns, c)
	p.mu.Unlock()
	_ = c.Close()
}

const socketBuffer = 32 << 10
