package bus_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"jiseki/internal/bus"
	"jiseki/internal/bus/bustest"
)

// join connects a gateway to some servers of a cluster.
func join(t *testing.T, c *bustest.Cluster, url string) *bus.Bus {
	t.Helper()
	b, err := bus.New(bus.Config{Log: slog.New(slog.DiscardHandler), URL: url, CAFile: c.CAFile})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// askUntil asks again until somebody answers: what a server has to tell the others takes a moment.
func askUntil(t *testing.T, b *bus.Bus, desk string) string {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		got, err := b.AskDesk(ctx, desk, []byte("hello"))
		cancel()
		if err == nil {
			return string(got)
		}
		if time.Now().After(deadline) {
			t.Fatalf("nobody answers for %s: %v", desk, err)
		}
		time.Sleep(5 * time.Millisecond) // between two tries, not for synchronisation
	}
}

func TestGatewaysReachEachOtherThroughTheCluster(t *testing.T) {
	c := bustest.Start(t, 2)
	a, b := join(t, c, c.URLs[0]), join(t, c, c.URLs[1])
	stop := serve(t, a, "d1", echo("a:"))
	if got := askUntil(t, b, "d1"); got != "a:hello" {
		t.Errorf("the other gateway answers %q", got)
	}
	heard := make(chan string, 1)
	if _, err := b.Listen("revoked", func(_ context.Context, m []byte) []byte {
		select {
		case heard <- string(m):
		default:
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for told := ""; told == ""; {
		if err := a.Tell("revoked", []byte("s1")); err != nil {
			t.Fatal(err)
		}
		select {
		case told = <-heard:
		case <-time.After(5 * time.Millisecond): // the subscription was not known there yet
		}
	}
	stop()
	for gone := false; !gone; {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		_, err := b.AskDesk(ctx, "d1", nil)
		cancel()
		gone = errors.Is(err, bus.ErrNobody)
		if !gone && !errors.Is(err, context.DeadlineExceeded) { // what is sent before the other server knows it is lost
			t.Fatalf("a desk that is gone: %v", err)
		}
	}
}

// TestServerOfTheClusterFails: who was connected to it goes on at another, with all subscriptions.
func TestServerOfTheClusterFails(t *testing.T) {
	c := bustest.Start(t, 3)
	a, b := join(t, c, c.URLs[0]+","+c.URLs[1]), join(t, c, c.URLs[2])
	serve(t, a, "d1", echo("a:"))
	if got := askUntil(t, b, "d1"); got != "a:hello" {
		t.Fatalf("answer %q", got)
	}
	c.Stop(0) // a is there or at the other; either way it must go on
	if got := askUntil(t, b, "d1"); got != "a:hello" {
		t.Errorf("after the failure: %q", got)
	}
}

func TestClusterIsReachedByTLSOnly(t *testing.T) {
	c := bustest.Start(t, 1)
	if b, err := bus.New(bus.Config{Log: slog.New(slog.DiscardHandler), URL: c.URLs[0]}); err == nil {
		b.Close()
		t.Error("a server whose certificate nobody trusts was taken")
	}
}

// TestSilentClusterIsGone: a line that swallows everything is given up, and nobody waits for it any more.
func TestSilentClusterIsGone(t *testing.T) {
	c := bustest.Start(t, 1)
	line, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	var swallows atomic.Bool
	go func() {
		for {
			near, err := line.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { near.Close() })
			if swallows.Load() {
				continue
			}
			far, err := net.Dial("tcp", strings.TrimPrefix(c.URLs[0], "tls://"))
			if err != nil {
				return
			}
			t.Cleanup(func() { far.Close() })
			for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
				go func() {
					b := make([]byte, 4096)
					for {
						n, err := way[0].Read(b)
						if err != nil {
							return
						}
						if !swallows.Load() {
							_, _ = way[1].Write(b[:n])
						}
					}
				}()
			}
		}
	}()
	b := join(t, c, "tls://"+line.Addr().String())
	serve(t, b, "d1", echo(""))
	if got := askUntil(t, b, "d1"); got != "hello" {
		t.Fatal(got)
	}
	swallows.Store(true)
	for deadline := time.Now().Add(time.Minute); ; {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		_, err := b.AskDesk(ctx, "d1", nil)
		cancel()
		if errors.Is(err, bus.ErrGone) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("after a minute of silence: %v", err)
		}
	}
	if _, err := b.ServeDesk("d2", echo("")); err != nil {
		t.Errorf("a desk that comes meanwhile: %v", err)
	}
}
