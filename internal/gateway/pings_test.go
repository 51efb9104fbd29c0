package gateway_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"runtime"
	"runtime/metrics"
	"sync"
	"syscall"
	"testing"
	"time"

	h2 "golang.org/x/net/http2"

	"jiseki/internal/gateway/gatewaytest"
)

// stingy is a dialer from an address whose sockets hold little of what nobody reads.
func stingy(address string) *net.Dialer {
	d := from(address)
	d.Timeout = time.Minute
	d.Control = func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) {
			for _, option := range []int{syscall.SO_RCVBUF, syscall.SO_SNDBUF} {
				_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, option, 4<<10) //nolint:gosec // a descriptor is small
			}
		})
	}
	return d
}

// pingUnread sends pings of which it never reads the answers, until the gateway takes no more of them. It holds the
// connection until the test ends.
func pingUnread(t *testing.T, town *gatewaytest.Town, address string, pings []byte, times int) {
	t.Helper()
	config := town.TLS()
	config.NextProtos = []string{h2.NextProtoTLS}
	conn, err := (&tls.Dialer{NetDialer: stingy(address), Config: config}).DialContext(t.Context(), "tcp", town.Host)
	if err != nil {
		return // others of the same address took the place
	}
	t.Cleanup(func() { conn.(*tls.Conn).NetConn().Close() })
	_, err = conn.Write(append([]byte(h2.ClientPreface), 0, 0, 0, byte(h2.FrameSettings), 0, 0, 0, 0, 0))
	for i := 0; i < times && err == nil; i++ {
		_ = conn.SetWriteDeadline(time.Now().Add(3 * time.Second))
		_, err = conn.Write(pings)
	}
}

// needed is the memory that this process needs, in bytes: what the garbage collector found alive last, and stacks.
func needed() uint64 {
	now := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	metrics.Read(now)
	return now[0].Value.Uint64() + now[1].Value.Uint64()
}

// peak is the most that is needed until ctx ends.
func peak(ctx context.Context) (most uint64) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		most = max(most, needed())
		select {
		case <-ctx.Done():
			return max(most, needed())
		case <-tick.C:
		}
	}
}

// TestAnswersToPingsThatNobodyReads: strangers who ping without end and read nothing take little more memory than those
// who are silent, and keep nobody from signing in. 256 connections of each address, and so much each, would be 200 MB.
func TestAnswersToPingsThatNobodyReads(t *testing.T) {
	const addresses, each, times = 4, 12, 75
	town := gatewaytest.Start(t)
	tanaka := town.Staff(t, "tanaka", "田中 太郎")
	var pings bytes.Buffer
	framer := h2.NewFramer(&pings, nil)
	for range 400 {
		if err := framer.WritePing(false, [8]byte{}); err != nil {
			t.Fatal(err)
		}
	}
	runtime.GC()
	before := needed()
	ctx, stop := context.WithCancel(t.Context())
	measured := make(chan uint64, 1)
	go func() { measured <- peak(ctx) }()
	var all sync.WaitGroup
	for i := range addresses {
		for range each {
			all.Go(func() { pingUnread(t, town, fmt.Sprintf("127.0.0.%d", 2+i), pings.Bytes(), times) })
		}
	}
	tanaka.SignIn(t, "tanaka", gatewaytest.Password)
	all.Wait()
	runtime.GC()
	stop()
	spent := (<-measured - before) / (addresses * each)
	t.Logf("%d KB a connection", spent>>10)
	if spent > 200<<10 {
		t.Errorf("%d KB a connection", spent>>10)
	}
}
