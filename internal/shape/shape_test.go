package shape_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"jiseki/internal/shape"
)

// inMemory shapes one connection over pipes; its time is the bubble's.
func inMemory(t *testing.T, up, down shape.Line) (p *shape.Proxy, client, target net.Conn) {
	t.Helper()
	client, a := net.Pipe()
	b, target := net.Pipe()
	l := &once{conn: make(chan net.Conn, 1), done: make(chan struct{})}
	l.conn <- a
	p = shape.New(shape.Config{
		Listener: l, Up: up, Down: down,
		Dial: func(context.Context) (net.Conn, error) { return b, nil },
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	return p, client, target
}

// once is a listener with one connection.
type once struct {
	conn  chan net.Conn
	done  chan struct{}
	close sync.Once
}

func (l *once) Accept() (net.Conn, error) {
	select {
	case c := <-l.conn:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *once) Close() error   { l.close.Do(func() { close(l.done) }); return nil }
func (l *once) Addr() net.Addr { return &net.TCPAddr{} }

// transfer sends b and returns how long it took until all had arrived.
func transfer(t *testing.T, from, to net.Conn, b []byte) time.Duration {
	t.Helper()
	begun := time.Now()
	go func() { _, _ = from.Write(b) }()
	got := make([]byte, len(b))
	if _, err := io.ReadFull(to, got); err != nil || !bytes.Equal(got, b) {
		t.Errorf("transfer: %v", err)
	}
	return time.Since(begun)
}

func TestDelayAndRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := shape.Line{Delay: 30 * time.Millisecond}
		down := shape.Line{Delay: 75 * time.Millisecond, Rate: 125_000}
		_, client, target := inMemory(t, up, down)
		if took := transfer(t, client, target, make([]byte, 100_000)); took != 30*time.Millisecond {
			t.Errorf("up: %v", took)
		}
		if took := transfer(t, target, client, make([]byte, 125_000)); took != 1075*time.Millisecond {
			t.Errorf("down: %v, want 1 s at the rate and 75 ms on the way", took)
		}
	})
}

func TestBufferHoldsTheSenderBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, client, target := inMemory(t, shape.Line{Rate: 10_000, Buffer: 20_000}, shape.Line{})
		go func() { _, _ = io.Copy(io.Discard, target) }()
		begun := time.Now()
		if _, err := client.Write(make([]byte, 50_000)); err != nil {
			t.Fatal(err)
		}
		// The last 20,000 wait in the buffer; a piece more or less.
		if took := time.Since(begun); took < 2500*time.Millisecond || took > 3100*time.Millisecond {
			t.Errorf("writing took %v", took)
		}
	})
}

func TestFreezeHoldsAndLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, client, target := inMemory(t, shape.Line{}, shape.Line{})
		transfer(t, client, target, []byte("before"))
		p.Freeze(10 * time.Second)
		if took := transfer(t, client, target, []byte("during")); took != 10*time.Second {
			t.Errorf("frozen for %v", took)
		}
		p.FreezeUp(5 * time.Second)
		if took := transfer(t, target, client, []byte("the other way")); took != 0 {
			t.Errorf("the other direction took %v", took)
		}
	})
}

func TestChangeWhileRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, client, target := inMemory(t, shape.Line{}, shape.Line{})
		p.SetUp(shape.Line{Delay: time.Second})
		p.SetDown(shape.Line{Rate: 1000})
		if took := transfer(t, client, target, make([]byte, 10)); took != time.Second {
			t.Errorf("up: %v", took)
		}
		if took := transfer(t, target, client, make([]byte, 3000)); took != 3*time.Second {
			t.Errorf("down: %v", took)
		}
	})
}

func TestOverTCP(t *testing.T) {
	target, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = target.Close() }()
	p, err := shape.TCP(target.Addr().String(), shape.Line{}, shape.Line{Delay: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	connect := func() (client, far net.Conn) {
		client, err := net.Dial("tcp", p.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if far, err = target.Accept(); err != nil {
			t.Fatal(err)
		}
		return client, far
	}

	client, far := connect()
	transfer(t, client, far, make([]byte, 1_000_000))
	transfer(t, far, client, make([]byte, 1_000_000))
	p.Cut()
	for _, c := range []net.Conn{client, far} {
		if n, err := c.Read(make([]byte, 1)); err == nil {
			t.Errorf("after the cut: %d bytes", n)
		}
	}

	client, far = connect() // an orderly end stays one, and the other direction goes on
	if err := client.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := far.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %v", err)
	}
	transfer(t, far, client, []byte("late answer"))
	cancel()
	if err := <-done; err != nil {
		t.Errorf("run: %v", err)
	}
}
