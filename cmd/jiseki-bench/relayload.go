package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"jiseki/internal/link"
	"jiseki/internal/link/linktest"
)

// answerSize is a sealed record with an acknowledgement.
const answerSize = 80

// A pipe carries messages: a link, or framed TLS.
type pipe interface {
	Send(ctx context.Context, b []byte) error
	Receive(ctx context.Context) ([]byte, error)
}

// A load is all viewers and agents.
type load struct {
	cfg   *relayCommand
	pairs []pair
	close func()
	since time.Time // latencies and bytes count from when recording is set

	recording atomic.Bool
	bytes     atomic.Int64
	late      atomic.Int64

	running sync.WaitGroup

	mu  sync.Mutex
	err error
}

// A pair is a session's display, as both ends see it. Its control channel is open and idle.
type pair struct {
	viewer, agent pipe
	latencies     *[]time.Duration
}

func connectLoad(ctx context.Context, cfg *relayCommand, s *server) (*load, error) {
	l := &load{cfg: cfg, pairs: make([]pair, cfg.Pairs), since: time.Now()}
	var closers []func()
	var mu sync.Mutex
	onClose := func(f func()) {
		mu.Lock()
		closers = append(closers, f)
		mu.Unlock()
	}
	l.close = func() {
		var wg sync.WaitGroup
		for _, f := range closers {
			wg.Go(f)
		}
		wg.Wait()
	}
	connect, err := s.connector(onClose)
	if err != nil {
		return nil, err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for i := range l.pairs {
		group.Go(func() error {
			if _, _, err := connect(ctx, i, link.Control); err != nil {
				return err
			}
			v, a, err := connect(ctx, i, link.Display)
			l.pairs[i] = pair{v, a, new([]time.Duration)}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

// A connector opens one channel of one pair and returns viewer's and agent's end.
type connector func(ctx context.Context, i int, ch link.Channel) (viewer, agent pipe, err error)

func (s *server) connector(onClose func(func())) (connector, error) {
	switch s.mode {
	case modeRelay:
		return s.relayConnector(onClose), nil
	case modeCopy:
		return s.copyConnector(onClose), nil
	}
	return directConnector(onClose)
}

func (s *server) relayConnector(onClose func(func())) connector {
	return func(ctx context.Context, i int, ch link.Channel) (pipe, pipe, error) {
		var ends [2]*link.Conn
		group, ctx := errgroup.WithContext(ctx)
		for n, side := range []link.Side{link.Viewer, link.Agent} {
			group.Go(func() (err error) {
				ends[n], err = link.Dial(ctx, link.DialConfig{
					URL: "wss://" + s.address + "/relay", TLS: s.tls, Proxy: link.Direct,
					Side: side, Channel: ch, Ticket: s.tickets[i][n],
				})
				return err
			})
		}
		if err := group.Wait(); err != nil {
			return nil, nil, err
		}
		for _, c := range ends {
			onClose(func() { _ = c.Close(link.Normal, "") })
			if ch == link.Control {
				go func() { _, _ = c.Receive(context.Background()) }() // answers pings
			}
		}
		return ends[0], ends[1], nil
	}
}

func (s *server) copyConnector(onClose func(func())) connector {
	return func(ctx context.Context, i int, ch link.Channel) (pipe, pipe, error) {
		var ends [2]pipe
		for n := range ends {
			c, err := (&tls.Dialer{Config: s.tls}).DialContext(ctx, "tcp", s.address)
			if err != nil {
				return nil, nil, err
			}
			onClose(func() { _ = c.Close() })
			var id [4]byte
			binary.BigEndian.PutUint32(id[:], uint32(i<<1|int(ch)))
			if _, err := c.Write(id[:]); err != nil {
				return nil, nil, err
			}
			ends[n] = newFramed(c)
		}
		return ends[0], ends[1], nil
	}
}

// directConnector connects viewer and agent with one TLS connection in this process.
func directConnector(onClose func(func())) (connector, error) {
	serverTLS, clientTLS, err := linktest.TLS()
	if err != nil {
		return nil, err
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", serverTLS)
	if err != nil {
		return nil, err
	}
	onClose(func() { _ = l.Close() })
	clientTLS.ServerName = "localhost"
	var mu sync.Mutex // the next accepted connection is the one just dialled
	return func(ctx context.Context, _ int, _ link.Channel) (pipe, pipe, error) {
		mu.Lock()
		defer mu.Unlock()
		var far net.Conn
		group, ctx := errgroup.WithContext(ctx)
		group.Go(func() (err error) {
			if far, err = l.Accept(); err == nil {
				err = far.(*tls.Conn).HandshakeContext(ctx)
			}
			return err
		})
		near, err := (&tls.Dialer{Config: clientTLS}).DialContext(ctx, "tcp", l.Addr().String())
		if err != nil {
			return nil, nil, err
		}
		if err := group.Wait(); err != nil {
			return nil, nil, err
		}
		onClose(func() { _, _ = near.Close(), far.Close() })
		return newFramed(near), newFramed(far), nil
	}, nil
}

// start sets all agents sending and all viewers answering, until ctx ends.
func (l *load) start(ctx context.Context) {
	every := time.Duration(float64(time.Second) / l.cfg.Rate)
	for i := range l.pairs {
		p := &l.pairs[i]
		begin := time.Now().Add(every * time.Duration(i) / time.Duration(len(l.pairs))) // not all at once
		l.running.Go(func() { l.note(l.agentSends(ctx, p, begin, every)) })
		l.running.Go(func() { l.note(l.agentReceives(ctx, p)) })
		l.running.Go(func() { l.note(l.viewerAnswers(ctx, p)) })
	}
}

func (l *load) agentSends(ctx context.Context, p *pair, begin time.Time, every time.Duration) error {
	msg := make([]byte, l.cfg.Bytes)
	for due := begin; ; due = due.Add(every) {
		time.Sleep(time.Until(due))
		if ctx.Err() != nil {
			return nil
		}
		now := time.Since(l.since)
		if l.recording.Load() && time.Since(due) > 100*time.Millisecond {
			l.late.Add(1)
		}
		binary.BigEndian.PutUint64(msg, uint64(now))
		if err := p.agent.Send(ctx, msg); err != nil {
			return fmt.Errorf("agent sends: %w", err)
		}
	}
}

func (l *load) viewerAnswers(ctx context.Context, p *pair) error {
	answer := make([]byte, answerSize)
	for {
		msg, err := p.viewer.Receive(ctx)
		if err != nil {
			return fmt.Errorf("viewer receives: %w", err)
		}
		if l.recording.Load() {
			l.bytes.Add(int64(len(msg) + answerSize))
			*p.latencies = append(*p.latencies, time.Since(l.since)-time.Duration(binary.BigEndian.Uint64(msg)))
		}
		if err := p.viewer.Send(ctx, answer); err != nil {
			return fmt.Errorf("viewer sends: %w", err)
		}
	}
}

func (l *load) agentReceives(ctx context.Context, p *pair) error {
	for {
		if _, err := p.agent.Receive(ctx); err != nil {
			return fmt.Errorf("agent receives: %w", err)
		}
	}
}

// note keeps the first error while it is measured; afterwards everything ends anyway.
func (l *load) note(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.recording.Load() && l.err == nil {
		l.err = err
	}
}

// collect waits until all has ended after close and fills in what was recorded.
func (l *load) collect(m *measured) error {
	l.running.Wait()
	m.bytes, m.late = l.bytes.Load(), int(l.late.Load())
	for _, p := range l.pairs {
		m.latencies = append(m.latencies, *p.latencies...)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

func (l *load) record() time.Time {
	l.recording.Store(true)
	return time.Now()
}

// end stops recording and returns for how many seconds it ran.
func (l *load) end(begun time.Time) float64 {
	l.recording.Store(false)
	return time.Since(begun).Seconds()
}

// framed carries messages over TLS, each after its length: the least that a pipe can do.
type framed struct {
	c  net.Conn
	br *bufio.Reader
	in []byte
	mu sync.Mutex
	b  []byte
}

func newFramed(c net.Conn) *framed { return &framed{c: c, br: bufio.NewReader(c)} }

// Send writes one message.
func (f *framed) Send(_ context.Context, msg []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.b = append(binary.BigEndian.AppendUint32(f.b[:0], uint32(len(msg))), msg...)
	_, err := f.c.Write(f.b)
	return err
}

// Receive returns the next message, valid until the next call.
func (f *framed) Receive(context.Context) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(f.br, size[:]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint32(size[:]))
	if cap(f.in) < n {
		f.in = make([]byte, n)
	}
	f.in = f.in[:n]
	_, err := io.ReadFull(f.br, f.in)
	return f.in, err
}
