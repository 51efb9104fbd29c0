package link

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipe returns the two ends of a link over memory. Inside a synctest bubble their time is the bubble's.
func pipe() (client, server *Conn) {
	a, b := net.Pipe()
	return newConn(a, a, true, nil), newConn(b, b, false, nil)
}

func background(t *testing.T) context.Context {
	t.Helper()
	return t.Context()
}

func TestMessagesArriveAsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := pipe()
		sizes := []int{0, 1, 125, 126, 127, smallMessage, smallMessage + 1, 65535, MaxMessage}
		for _, ends := range [][2]*Conn{{client, server}, {server, client}} {
			from, to := ends[0], ends[1]
			go func() {
				for _, n := range sizes {
					if err := from.Send(background(t), pattern(n)); err != nil {
						t.Errorf("send %d: %v", n, err)
					}
				}
			}()
			for _, n := range sizes {
				got, err := to.Receive(background(t))
				if err != nil || !bytes.Equal(got, pattern(n)) {
					t.Fatalf("message of %d bytes came as %d bytes (%v)", n, len(got), err)
				}
			}
		}
		if err := client.Send(background(t), make([]byte, MaxMessage+1)); CloseCode(err) != TooLarge {
			t.Errorf("a message that is too large: %v", err)
		}
		closeBoth(client, server)
	})
}

func pattern(n int) []byte {
	b := make([]byte, n)
	r := rand.NewPCG(uint64(n), 1)
	for i := range b {
		b[i] = byte(r.Uint64())
	}
	return b
}

func closeBoth(a, b *Conn) {
	var wg sync.WaitGroup
	wg.Go(func() { _ = a.Close(Normal, "") })
	wg.Go(func() { _ = b.Close(Normal, "") })
	wg.Wait()
}

func TestSendKeepsTheCallersBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := pipe()
		msg := pattern(1000)
		go func() { _, _ = server.Receive(context.Background()) }()
		if err := client.Send(background(t), msg); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(msg, pattern(1000)) {
			t.Error("Send masked the caller's bytes")
		}
		synctest.Wait()
		closeBoth(client, server)
	})
}

func TestCloseCodeReachesThePeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := pipe()
		got := make(chan error, 1)
		go func() {
			_, err := client.Receive(background(t))
			got <- err
		}()
		if err := server.Close(Revoked, "by the administrator"); err != nil {
			t.Errorf("close: %v", err)
		}
		var ce *CloseError
		if err := <-got; !errors.As(err, &ce) || *ce != (CloseError{Revoked, "by the administrator", true}) {
			t.Errorf("the peer heard %v", err)
		}
		if err := server.Send(background(t), nil); CloseCode(err) != Revoked {
			t.Errorf("send after close: %v", err)
		}
		if _, err := client.Receive(background(t)); CloseCode(err) != Revoked {
			t.Errorf("receive after close: %v", err)
		}
	})
}

func TestCloseWakesReceive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := pipe()
		got := make(chan error, 1)
		go func() {
			_, err := server.Receive(background(t))
			got <- err
		}()
		synctest.Wait()
		begun := time.Now()
		_ = server.Close(Stopping, "") // nobody reads on the other side
		if err := <-got; CloseCode(err) != Stopping {
			t.Errorf("receive: %v", err)
		}
		if took := time.Since(begun); took > 2*closeWait {
			t.Errorf("closing towards a peer that does not read took %v", took)
		}
		_ = client.Close(Normal, "")
	})
}

func TestSilentPeerEndsTheLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, b) }() // takes everything, says nothing
		c := newConn(a, a, true, nil)
		begun := time.Now()
		_, err := c.Receive(background(t))
		if CloseCode(err) != Silent {
			t.Errorf("receive: %v", err)
		}
		if took := time.Since(begun); took < SilenceLimit || took > SilenceLimit+2*closeWait {
			t.Errorf("noticed after %v, want %v", took, SilenceLimit)
		}
		<-c.Done()
		time.Sleep(2 * closeWait) // in the bubble's time: the close frame's wait
		_ = b.Close()
	})
}

func TestPingsKeepAnIdleLinkAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := pipe()
		for _, c := range []*Conn{client, server} {
			go func() {
				if _, err := c.Receive(context.Background()); CloseCode(err) != Normal {
					t.Errorf("an idle link ended: %v", err)
				}
			}()
		}
		time.Sleep(time.Hour)
		if err := errors.Join(client.Err(), server.Err()); err != nil {
			t.Error(err)
		}
		_ = client.Close(Normal, "")
		synctest.Wait()
	})
}

// A browser answers pings and sends none: the server alone keeps the link.
func TestPongsAreEnough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := pipe()
		client.timer.Stop()
		go func() { _, _ = client.Receive(context.Background()) }()
		go func() { _, _ = server.Receive(context.Background()) }()
		time.Sleep(time.Minute)
		if err := server.Err(); err != nil {
			t.Error(err)
		}
		_ = server.Close(Normal, "")
		synctest.Wait()
	})
}

func TestStalledReaderEndsTheLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := pipe() // a pipe holds nothing: who does not receive, stalls
		begun := time.Now()
		err := server.Send(background(t), pattern(100))
		if CloseCode(err) != PeerStalled {
			t.Errorf("send: %v", err)
		}
		if took := time.Since(begun); took < StallLimit || took > StallLimit+2*closeWait {
			t.Errorf("noticed after %v, want %v", took, StallLimit)
		}
		_ = client.Close(Normal, "")
	})
}

func TestContextEndsCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := pipe()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if _, err := client.Receive(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("receive: %v", err)
		}
		_ = server.Close(Normal, "")

		client, server = pipe()
		ctx, cancel = context.WithCancel(context.Background())
		time.AfterFunc(time.Second, cancel)
		if err := client.Send(ctx, pattern(9)); !errors.Is(err, context.Canceled) {
			t.Errorf("send: %v", err)
		}
		_ = server.Close(Normal, "")
	})
}

func TestContextThatEndsBetweenCallsDoesNoHarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := pipe()
		go echo(server)
		first, cancel := context.WithCancel(context.Background())
		roundTrip(t, first, client)
		cancel()
		synctest.Wait()
		roundTrip(t, background(t), client)
		if err := client.Send(first, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("send with a context that has ended: %v", err)
		}
		roundTrip(t, background(t), client)
		_ = client.Close(Normal, "")
		synctest.Wait()
	})
}

func echo(c *Conn) {
	for {
		if _, err := c.Forward(context.Background(), c); err != nil {
			return
		}
	}
}

func roundTrip(t *testing.T, ctx context.Context, c *Conn) {
	t.Helper()
	if err := c.Send(ctx, pattern(300)); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Receive(ctx); err != nil || !bytes.Equal(got, pattern(300)) {
		t.Fatalf("echo: %d bytes, %v", len(got), err)
	}
}

// Two ends that both write and get pinged must not wait for each other's pong.
func TestBothWritingUnderPings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := pipe()
		var wg sync.WaitGroup
		for _, c := range []*Conn{client, server} {
			wg.Go(func() {
				for range 50 {
					c.ping()
					if err := c.Send(context.Background(), pattern(5000)); err != nil {
						t.Errorf("send: %v", err)
						return
					}
				}
			})
			wg.Go(func() {
				for range 50 {
					if _, err := c.Receive(context.Background()); err != nil {
						t.Errorf("receive: %v", err)
						return
					}
				}
			})
		}
		wg.Wait()
		closeBoth(client, server)
	})
}

// frame is a masked or unmasked frame as raw bytes.
func frame(b0 byte, payload []byte, masked bool) []byte {
	buf := make([]byte, headroom, headroom+len(payload))
	buf = append(buf, payload...)
	var mask *[4]byte
	if masked {
		mask = &[4]byte{1, 2, 3, 4}
		xorMask(buf[headroom:], *mask, 0)
	}
	at := putHeader(buf, headroom, b0&0x0f, len(payload), mask)
	buf[at] = b0
	return buf[at:]
}

func TestFramesThatEndTheLink(t *testing.T) {
	const client = true
	tests := []struct {
		name string
		raw  []byte
		code Code
	}{
		{"text", frame(0x81, []byte("no"), client), NotBinary},
		{"not masked", frame(0x82, []byte("no"), false), ProtocolError},
		{"reserved bit", frame(0xc2, []byte("no"), client), ProtocolError},
		{"reserved opcode", frame(0x83, nil, client), ProtocolError},
		{"continuation of nothing", frame(0x80, nil, client), ProtocolError},
		{"begun twice", append(frame(0x02, nil, client), frame(0x82, nil, client)...), ProtocolError},
		{"fragmented ping", frame(0x09, nil, client), ProtocolError},
		{"long ping", frame(0x89, make([]byte, 126), client), ProtocolError},
		{"too large", []byte{0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0}, TooLarge},
		{"negative as a signed length", []byte{0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}, TooLarge},
		{"length not in its shortest form", []byte{0x82, 0xfe, 0, 1, 0, 0, 0, 0, 0}, ProtocolError},
		{"too large in parts", append(frame(0x02, make([]byte, MaxMessage), client), frame(0x80, []byte{1}, client)...), TooLarge},
		{"close with one byte", frame(0x88, []byte{3}, client), ProtocolError},
		{"close with a reserved code", frame(0x88, []byte{0x03, 0xed}, client), ProtocolError},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := net.Pipe()
				c := newConn(b, b, false, nil)
				go func() {
					_, _ = a.Write(tt.raw)
					_, _ = io.Copy(io.Discard, a)
				}()
				if _, err := c.Receive(background(t)); CloseCode(err) != tt.code {
					t.Errorf("receive: %v, want %v", err, tt.code)
				}
				_ = a.Close()
			})
		})
	}
}

func TestFragmentsBecomeOneMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		c := newConn(b, b, false, nil)
		want := pattern(MaxMessage)
		raw := frame(0x02, want[:10], true)
		raw = append(raw, frame(0x89, []byte("ping between"), true)...)
		raw = append(raw, frame(0x00, nil, true)...)
		raw = append(raw, frame(0x00, want[10:5000], true)...)
		raw = append(raw, frame(0x80, want[5000:], true)...)
		go func() {
			for piece := range slices.Chunk(raw, 3) { // in small pieces, as a bad line may deliver
				_, _ = a.Write(piece)
			}
		}()
		go func() { _, _ = io.Copy(io.Discard, a) }()
		got, err := c.Receive(background(t))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		synctest.Wait()
		_ = a.Close()
		_ = c.Close(Normal, "")
	})
}

func TestEveryPrefixOfAFrameIsALostConnection(t *testing.T) {
	raw := frame(0x82, pattern(300), true)
	for n := range raw {
		synctest.Test(t, func(t *testing.T) {
			a, b := net.Pipe()
			c := newConn(b, b, false, nil)
			go func() {
				_, _ = a.Write(raw[:n])
				_ = a.Close()
			}()
			if got, err := c.Receive(background(t)); err == nil || CloseCode(err) != 0 {
				t.Errorf("%d bytes: %d bytes, %v", n, len(got), err)
			}
		})
	}
}

func FuzzReceive(f *testing.F) {
	f.Add(frame(0x82, []byte("hello"), true))
	f.Add(append(frame(0x02, []byte("a"), true), frame(0x80, []byte("b"), true)...))
	f.Add([]byte{0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		c := newConn(&deaf{Reader: bytes.NewReader(raw)}, &deaf{Reader: bytes.NewReader(nil)}, false, nil)
		total := 0
		for {
			got, err := c.Receive(context.Background())
			if err != nil {
				break
			}
			if len(got) > MaxMessage {
				t.Fatalf("a message of %d bytes", len(got))
			}
			total += len(got)
		}
		if total > len(raw) {
			t.Errorf("%d bytes out of %d", total, len(raw))
		}
	})
}

// deaf is a connection that reads from memory and takes every write.
type deaf struct{ io.Reader }

func (*deaf) Write(p []byte) (int, error)      { return len(p), nil }
func (*deaf) Close() error                     { return nil }
func (*deaf) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (*deaf) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (*deaf) SetDeadline(time.Time) error      { return nil }
func (*deaf) SetReadDeadline(time.Time) error  { return nil }
func (*deaf) SetWriteDeadline(time.Time) error { return nil }

// endless is a connection that brings the same frame for ever.
type endless struct {
	deaf
	frame []byte
	at    int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.frame[e.at:])
	e.at = (e.at + n) % len(e.frame)
	return n, nil
}

func TestForwardAllocatesNothing(t *testing.T) {
	src := &endless{frame: frame(0x82, pattern(2000), true)}
	from, to := newConn(src, src, false, nil), newConn(&deaf{}, &deaf{}, false, nil)
	forward := func() {
		if n, err := from.Forward(context.Background(), to); n != 2000 || err != nil {
			t.Fatal(n, err)
		}
	}
	for range 10 {
		forward()
	}
	// Below one: the pools may be emptied by a collection in between.
	if n := testing.AllocsPerRun(200, forward); n >= 1 {
		t.Errorf("%v allocations a message", n)
	}
	from.timer.Stop()
	to.timer.Stop()
}

func BenchmarkForward(b *testing.B) {
	for _, size := range []int{280, 5000, 61477} {
		b.Run(byteSize(size), func(b *testing.B) {
			src := &endless{frame: frame(0x82, pattern(size), true)}
			from, to := newConn(src, src, false, nil), newConn(&deaf{}, &deaf{}, false, nil)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := from.Forward(context.Background(), to); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func byteSize(n int) string { return strconv.Itoa(n) + "B" }
