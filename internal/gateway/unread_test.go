package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	h2 "golang.org/x/net/http2"
	"golang.org/x/sync/errgroup"

	"jiseki/internal/crowd"
	"jiseki/internal/link/linktest"
)

// piped is a listener of connections that hold nothing on their way.
type piped struct {
	net.Listener
	conns  chan net.Conn
	closed sync.Once
}

func (p *piped) Accept() (net.Conn, error) {
	conn, ok := <-p.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (p *piped) Close() error {
	p.closed.Do(func() { close(p.conns) })
	return nil
}

func (p *piped) Addr() net.Addr { return &net.TCPAddr{} }

// tlsPipe is a connection of HTTP/2 to a door whose every byte waits for who takes it.
func tlsPipe(t *testing.T) net.Conn {
	t.Helper()
	server, client, err := linktest.TLS()
	if err != nil {
		t.Fatal(err)
	}
	server.SessionTicketsDisabled = true // else the handshake waits for somebody who reads
	l := &piped{conns: make(chan net.Conn, 1)}
	all := &doors{log: slog.New(slog.DiscardHandler), standing: func(netip.Addr) crowd.Standing { return crowd.Stranger }}
	all.add(l, server, http.NotFoundHandler())
	ctx, stop := context.WithCancel(t.Context())
	group, ctx := errgroup.WithContext(ctx)
	all.serve(ctx, group)
	near, far := net.Pipe()
	l.conns <- far
	client.NextProtos, client.ServerName = []string{h2.NextProtoTLS}, "127.0.0.1"
	conn := tls.Client(near, client)
	t.Cleanup(func() {
		near.Close()
		stop()
		if err := group.Wait(); err != nil && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
	if err := conn.HandshakeContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	return conn
}

// TestNoMoreIsReadWhileAnswersHang: of who pings without end and reads nothing, or as little as keeps the connection,
// only a little more is read than was written; who takes the answers is read to the end.
// TestCommandsHaveTheTimeThatTheyTake: an answer over the socket of commands is not cut, as one through a door is.
func TestCommandsHaveTheTimeThatTheyTake(t *testing.T) {
	all := &doors{log: slog.New(slog.DiscardHandler), standing: func(netip.Addr) crowd.Standing { return crowd.Stranger }}
	all.add(nil, nil, http.NotFoundHandler())
	all.add(nil, &tls.Config{}, http.NotFoundHandler()) //nolint:gosec // nobody listens
	if socket, door := all.all[0].server.WriteTimeout, all.all[1].server.WriteTimeout; socket != 0 || door != bodyTimeout {
		t.Errorf("socket %v, door %v", socket, door)
	}
}

func TestNoMoreIsReadWhileAnswersHang(t *testing.T) {
	const pings, all = 9000, 9000 * 17 // fewer than net/http gives up at
	for name, c := range map[string]struct {
		take        int64 // bytes of the answers, ten times
		least, most int64 // bytes of pings that are read
	}{
		"nothing":    {0, 0, 30 << 10},
		"a little":   {2000, 0, 30<<10 + 20000},
		"everything": {all/10 + 2000, all, all},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn := tlsPipe(t)
				var sent atomic.Int64
				go ping(conn, pings, &sent)
				for range 10 {
					_, _ = io.CopyN(io.Discard, conn, c.take) // at the end fewer are left
					time.Sleep(unreadTimeout / 10)
					synctest.Wait()
				}
				if n := sent.Load(); n < c.least || n > c.most {
					t.Errorf("%d bytes of pings were read, %d of answers taken", n, 10*c.take)
				}
			})
		})
	}
}

// ping sends so many pings, as they are taken.
func ping(conn net.Conn, pings int, sent *atomic.Int64) {
	_, err := io.WriteString(conn, h2.ClientPreface)
	framer := h2.NewFramer(conn, nil)
	if err == nil {
		err = framer.WriteSettings()
	}
	for i := 0; i < pings && err == nil; i++ {
		err = framer.WritePing(false, [8]byte{})
		sent.Add(17)
	}
}
