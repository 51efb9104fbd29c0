package bus_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"jiseki/internal/bus"
)

func start(t testing.TB) *bus.Bus {
	t.Helper()
	b, err := bus.New(bus.Config{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func echo(prefix string) bus.Handler {
	return func(_ context.Context, message []byte) []byte {
		return append([]byte(prefix), message...)
	}
}

func serve(t testing.TB, b *bus.Bus, desk string, handle bus.Handler) func() {
	t.Helper()
	stop, err := b.ServeDesk(desk, handle)
	if err != nil {
		t.Fatal(err)
	}
	return stop
}

func TestAskReachesTheDeskThatIsNamed(t *testing.T) {
	b := start(t)
	// Ids that NATS would read as wildcards or as several tokens.
	for _, desk := range []string{"d1", "a.b", "*", ">", "窓口 1"} {
		serve(t, b, desk, echo(desk+":"))
	}
	for _, desk := range []string{"d1", "a.b", "*", ">", "窓口 1"} {
		got, err := b.AskDesk(t.Context(), desk, []byte("hello"))
		if err != nil {
			t.Fatalf("%q: %v", desk, err)
		}
		if want := desk + ":hello"; string(got) != want {
			t.Errorf("desk %q answered %q, want %q", desk, got, want)
		}
	}
}

func TestAskSaysWhenNobodyHoldsTheDesk(t *testing.T) {
	b := start(t)
	if _, err := b.AskDesk(t.Context(), "d1", nil); !errors.Is(err, bus.ErrNobody) {
		t.Errorf("unknown desk: got %v, want ErrNobody", err)
	}
	stop := serve(t, b, "d1", echo(""))
	stop()
	stop() // a second call does nothing
	if _, err := b.AskDesk(t.Context(), "d1", nil); !errors.Is(err, bus.ErrNobody) {
		t.Errorf("desk that is gone: got %v, want ErrNobody", err)
	}
}

func TestAskEndsWithItsContext(t *testing.T) {
	b := start(t)
	release := make(chan struct{})
	serve(t, b, "d1", func(context.Context, []byte) []byte { <-release; return nil })
	defer close(release)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := b.AskDesk(ctx, "d1", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want DeadlineExceeded", err)
	}
}

func TestLongMessagesAreRefused(t *testing.T) {
	b := start(t)
	serve(t, b, "d1", echo(""))
	long := bytes.Repeat([]byte{'x'}, 64<<10+1)
	if _, err := b.AskDesk(t.Context(), "d1", long); err == nil {
		t.Error("a request above the limit was sent")
	}
	if err := b.Tell("t", long); err == nil {
		t.Error("a notice above the limit was sent")
	}
	if _, err := b.AskDesk(t.Context(), "d1", long[:64<<10]); err != nil {
		t.Errorf("a request at the limit: %v", err)
	}
}

func TestTellReachesAllListeners(t *testing.T) {
	b := start(t)
	got := make(chan string, 2)
	for i := range 2 {
		if _, err := b.Listen("revoked", func(_ context.Context, m []byte) []byte {
			got <- fmt.Sprint(i, " ", string(m))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Tell("revoked", []byte("s1")); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{<-got: true, <-got: true}
	if !seen["0 s1"] || !seen["1 s1"] {
		t.Errorf("listeners got %v", seen)
	}
}

// TestTopicsWaitBehindNoDesk: what is told to all is heard while as many messages to desks wait as may.
func TestTopicsWaitBehindNoDesk(t *testing.T) {
	b := start(t)
	release, entered := make(chan struct{}), make(chan struct{}, 2000)
	serve(t, b, "d1", func(context.Context, []byte) []byte { entered <- struct{}{}; <-release; return nil })
	heard := make(chan struct{})
	stop, err := b.Listen("topic", func(context.Context, []byte) []byte { close(heard); return nil })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	var asking sync.WaitGroup
	for range 1100 {
		asking.Go(func() { _, _ = b.AskDesk(t.Context(), "d1", nil) })
	}
	for range 256 {
		<-entered
	}
	if err := b.Tell("topic", nil); err != nil {
		t.Fatal(err)
	}
	select {
	case <-heard:
	case <-time.After(30 * time.Second):
		t.Error("what is told to all waits behind desks that hang")
	}
	close(release)
	asking.Wait()
}

func TestInsideTheProcessNothingListens(t *testing.T) {
	start(t)
	// The default port of NATS is what a server started by mistake would take.
	conn, err := net.DialTimeout("tcp", "127.0.0.1:4222", time.Second)
	if err == nil {
		conn.Close()
		t.Error("something listens on the port of NATS")
	}
}

func TestCloseLeavesNothingRunning(t *testing.T) {
	before := runtime.NumGoroutine()
	b, err := bus.New(bus.Config{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		serve(t, b, fmt.Sprint("d", i), echo(""))
	}
	b.Close()
	deadline := time.Now().Add(30 * time.Second)
	for runtime.NumGoroutine() > before {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("goroutines left:\n%s", stacks[:runtime.Stack(stacks, true)])
		}
		runtime.Gosched()
	}
}

func TestSubscriptionsShareTheirGoroutines(t *testing.T) {
	b := start(t)
	before := runtime.NumGoroutine()
	for i := range 200 {
		serve(t, b, fmt.Sprint("d", i), echo(""))
	}
	if grown := runtime.NumGoroutine() - before; grown > 10 {
		t.Errorf("200 desks cost %d goroutines", grown)
	}
}

func BenchmarkAskDesk(b *testing.B) {
	it := start(b)
	serve(b, it, "d1", echo(""))
	message := make([]byte, 1024)
	var once sync.Once
	for b.Loop() {
		if _, err := it.AskDesk(b.Context(), "d1", message); err != nil {
			once.Do(func() { b.Fatal(err) })
		}
	}
}
