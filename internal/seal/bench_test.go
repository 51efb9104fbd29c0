package seal

import (
	"context"
	"fmt"
	"testing"
)

// loopPipe takes everything and gives the same record again and again.
type loopPipe struct {
	record []byte
	buf    []byte
	sent   int
}

func (p *loopPipe) Send(_ context.Context, msg []byte) error { p.sent += len(msg); return nil }
func (p *loopPipe) Receive(context.Context) ([]byte, error) {
	p.buf = append(p.buf[:0], p.record...)
	return p.buf, nil
}
func (p *loopPipe) Close(int, string) error { return nil }

func loopChannel(p Pipe, sh shape) *Channel {
	return &Channel{
		session: &Session{pipes: [2]Pipe{p, p}}, pipe: p,
		outShape: sh, out: newRatchet(secret{1}), inShape: sh, in: newRatchet(secret{1}),
	}
}

var benchSizes = []struct {
	shape shape
	size  int
}{{shape{control, fromViewer}, 12}, {shape{display, fromViewer}, 9}, {shape{display, fromAgent}, 1000}, {shape{display, fromAgent}, 61_437}, {shape{display, fromAgent}, 1 << 20}}

func BenchmarkSend(b *testing.B) {
	for _, bb := range benchSizes {
		b.Run(fmt.Sprintf("%d_%d_%d", bb.shape.channel, bb.shape.direction, bb.size), func(b *testing.B) {
			c, msg, ctx := loopChannel(&loopPipe{}, bb.shape), pattern(bb.size), context.Background()
			b.SetBytes(int64(bb.size))
			b.ReportAllocs()
			for b.Loop() {
				if err := c.Send(ctx, msg); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// The counter goes back for each record, so that one record opens again and again.
func BenchmarkReceive(b *testing.B) {
	for _, bb := range benchSizes[:4] {
		b.Run(fmt.Sprintf("%d_%d_%d", bb.shape.channel, bb.shape.direction, bb.size), func(b *testing.B) {
			p := &loopPipe{record: recordsOf(b, bb.shape, secret{1}, pattern(bb.size))[0]}
			c, ctx := loopChannel(p, bb.shape), context.Background()
			b.SetBytes(int64(bb.size))
			b.ReportAllocs()
			for b.Loop() {
				c.in.counter, c.in.bytes = 0, 0
				if _, err := c.Receive(ctx); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkHandshake(b *testing.B) {
	p := newPair(b)
	for b.Loop() {
		hs, err := newInitiator(prologue(p.dial.Grant), p.dial.Key, p.dial.Statement.NoiseKey, p.dial.Wire, p.dial.Coders, nil)
		if err != nil {
			b.Fatal(err)
		}
		message2, _, err := respond(&p.accept, hs.message1)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := hs.finish(message2); err != nil {
			b.Fatal(err)
		}
	}
}

// Steady state allocates nothing, in either direction, for small records and for messages of several.
func TestNoAllocations(t *testing.T) {
	ctx := context.Background()
	for _, bb := range benchSizes {
		c, msg := loopChannel(&loopPipe{}, bb.shape), pattern(bb.size)
		if n := testing.AllocsPerRun(100, func() { _ = c.Send(ctx, msg) }); n != 0 {
			t.Errorf("send of %d bytes: %v allocations", bb.size, n)
		}
	}
	for _, bb := range benchSizes[:4] {
		p := &loopPipe{record: recordsOf(t, bb.shape, secret{1}, pattern(bb.size))[0]}
		c := loopChannel(p, bb.shape)
		if n := testing.AllocsPerRun(100, func() { c.in.counter = 0; _, _ = c.Receive(ctx) }); n != 0 {
			t.Errorf("receive of %d bytes: %v allocations", bb.size, n)
		}
		if err := c.session.Err(); err != nil {
			t.Error(err)
		}
	}
}
