package shape

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// piece is the most that is shaped as one: 1 ms at 32 Mbit/s.
const piece = 4 << 10

// A lane is one direction for all connections.
type lane struct {
	mu     sync.Mutex
	line   Line
	free   time.Time // when the bottleneck has nothing left
	frozen time.Time // nothing arrives before
}

func newLane(l Line) *lane { return &lane{line: l} }

func (l *lane) set(line Line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.line = line
}

func (l *lane) freeze(until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if until.After(l.frozen) {
		l.frozen = until
	}
}

// admit gives n bytes their place. They arrive at the first time; the second is when the buffer has room again, before
// which nothing more may be read.
func (l *lane) admit(n int, now time.Time) (arrives, room time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.line.Rate == 0 {
		return now.Add(l.line.Delay), now
	}
	if l.free.Before(now) {
		l.free = now
	}
	l.free = l.free.Add(seconds(float64(n) / l.line.Rate))
	return l.free.Add(l.line.Delay), l.free.Add(-seconds(l.line.buffer() / l.line.Rate))
}

func (l *lane) frozenUntil() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.frozen
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// A parcel is on its way.
type parcel struct {
	data    []byte
	arrives time.Time
}

// carry takes bytes from one connection to another until the end of the first, which it passes on as an end of writing.
func (l *lane) carry(ctx context.Context, from, to net.Conn) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	way := newWay()
	sent := make(chan error, 1)
	go func() {
		err := l.deliver(ctx, way, to)
		if err != nil {
			_ = from.Close() // wakes collect
		}
		sent <- err
	}()
	err := l.collect(ctx, from, way)
	if err != nil {
		cancel() // what was broken off is not passed on as an end
	}
	way.end()
	return errors.Join(err, <-sent)
}

// collect reads as fast as the buffer before the bottleneck has room.
func (l *lane) collect(ctx context.Context, from net.Conn, way *way) error {
	for {
		if err := sleepUntil(ctx, l.frozenUntil()); err != nil {
			return err
		}
		data := make([]byte, piece)
		n, err := from.Read(data)
		if n > 0 {
			arrives, room := l.admit(n, time.Now())
			way.put(parcel{data[:n], arrives})
			if err := sleepUntil(ctx, room); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// deliver writes each parcel when it arrives.
func (l *lane) deliver(ctx context.Context, way *way, to net.Conn) error {
	for {
		p, ok := way.take(ctx)
		if err := ctx.Err(); err != nil {
			return err
		}
		if !ok {
			if half, can := to.(interface{ CloseWrite() error }); can {
				return half.CloseWrite()
			}
			return to.Close()
		}
		if err := sleepUntil(ctx, p.arrives); err != nil {
			return err
		}
		for frozen := l.frozenUntil(); time.Now().Before(frozen); frozen = l.frozenUntil() {
			if err := sleepUntil(ctx, frozen); err != nil {
				return err
			}
		}
		if _, err := to.Write(p.data); err != nil {
			return err
		}
	}
}

// sleepUntil sleeps and returns nil, or earlier with the reason why ctx ended.
func sleepUntil(ctx context.Context, t time.Time) error {
	d := time.Until(t)
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A way holds the parcels of one direction of one connection. The lane bounds them: what Rate carries in Delay, and its
// buffer; without a rate, what the sender sends in Delay.
type way struct {
	mu      sync.Mutex
	parcels []parcel
	ended   bool
	more    chan struct{} // has a token when there may be something new
}

func newWay() *way { return &way{more: make(chan struct{}, 1)} }

func (w *way) put(p parcel) {
	w.mu.Lock()
	w.parcels = append(w.parcels, p)
	w.mu.Unlock()
	w.wake()
}

func (w *way) end() {
	w.mu.Lock()
	w.ended = true
	w.mu.Unlock()
	w.wake()
}

func (w *way) wake() {
	select {
	case w.more <- struct{}{}:
	default:
	}
}

// take waits for the next parcel. It returns false after the last one and when ctx ends.
func (w *way) take(ctx context.Context) (parcel, bool) {
	for {
		w.mu.Lock()
		if len(w.parcels) > 0 {
			p := w.parcels[0]
			w.parcels = w.parcels[1:]
			w.mu.Unlock()
			return p, true
		}
		ended := w.ended
		w.mu.Unlock()
		if ended {
			return parcel{}, false
		}
		select {
		case <-w.more:
		case <-ctx.Done():
			return parcel{}, false
		}
	}
}
