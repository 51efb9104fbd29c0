package pace

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const ms = time.Millisecond

func TestBulkFillsTheLineAndBuildsNoQueue(t *testing.T) {
	for _, mbit := range []float64{1, 10, 100} {
		for _, delay := range []time.Duration{1 * ms, 20 * ms, 40 * ms, 150 * ms, 300 * ms} {
			t.Run(fmt.Sprintf("%vMbit/%v", mbit, delay), func(t *testing.T) {
				s := simulate(t, line{rate: constant(mbit), delay: delay, decode: ms}, bulk)
				s.run(10 * time.Second)
				r := s.run(60 * time.Second)
				if got := r.mbit(50 * time.Second); got < 0.97*mbit {
					t.Errorf("%.2f Mbit/s of %v", got, mbit)
				}
				// On short lines the slices are the queue: one in the line, two that wait.
				product := mbit * 1e6 / 8 * delay.Seconds()
				limit := max(1.5*product, 4*float64(s.pacer.SliceHint()), float64(firstWindow)*1.1)
				if q := r.maxQueue * mbit * 1e6 / 8; q > limit {
					t.Errorf("queue of %.0f bytes, more than %.0f (bandwidth × delay is %.0f)", q, limit, product)
				}
				if mean := r.meanQueue * mbit * 1e6 / 8; mean > max(4*float64(s.pacer.SliceHint()), 0.75*product) {
					t.Errorf("mean queue of %.0f bytes", mean)
				}
			})
		}
	}
}

func TestThinLineFromTheFirstMoment(t *testing.T) {
	const product = 1e6 / 8 * 0.150
	s := simulate(t, line{rate: constant(1), delay: 150 * ms, decode: 5 * ms}, bulk)
	start := s.run(5 * time.Second)
	if start.maxQueue > 0.5 {
		t.Errorf("while learning the line, %.0f ms of queue", start.maxQueue*1000)
	}
	r := s.run(120 * time.Second)
	if q := r.maxQueue * 1e6 / 8; q > 1.5*product {
		t.Errorf("queue of %.0f bytes, %.2f times bandwidth × delay", q, q/product)
	}
	if got := r.mbit(115 * time.Second); got < 0.97 {
		t.Errorf("%.2f Mbit/s", got)
	}
	t.Logf("start %.0f ms; then queue max %.0f mean %.0f ms, %.3f Mbit/s", start.maxQueue*1000, r.maxQueue*1000, r.meanQueue*1000, r.mbit(115*time.Second))
}

// A loopback line is faster than anything: only the viewer's decoding limits.
func TestLoopback(t *testing.T) {
	s := simulate(t, line{rate: constant(20_000), delay: 50 * time.Microsecond, decode: 3 * ms}, bulk)
	r := s.run(10 * time.Second)
	if busy := time.Duration(r.updates) * 3 * ms; busy < 9800*ms {
		t.Errorf("the viewer decoded only %v of 10 s", busy)
	}
	if r.latency > 100*ms {
		t.Errorf("an update waited %v", r.latency)
	}
}

// office is what a desk sends: 60 updates a second of 5 to 50 KB, none of which may wait.
func office(seed uint64) source {
	r := rand.New(rand.NewPCG(seed, 2))
	next := time.Duration(0)
	return func(now time.Duration, _ int) (int, time.Duration) {
		if now < next {
			return 0, next
		}
		next = max(next+time.Second/60, now-100*ms)
		return 5000 + r.IntN(45000), now
	}
}

// typing sends little, and now and then a whole screen.
func typing(now time.Duration, hint int) (int, time.Duration) {
	const beat = 120 * ms
	if now%beat != 0 {
		return 0, (now/beat + 1) * beat
	}
	return 600, now
}

func TestWhoSendsNowAndThenNeverStarves(t *testing.T) {
	for _, delay := range []time.Duration{ms / 2, 20 * ms, 80 * ms} {
		s := simulate(t, line{rate: constant(100), delay: delay, decode: 4 * ms}, office(1))
		s.run(2 * time.Second)
		r := s.run(62 * time.Second)
		if r.updates < 58*60 {
			t.Errorf("%v: %.1f updates a second, want 60", delay, float64(r.updates)/60)
		}
		if limit := delay/2 + 60*ms; r.latency > limit {
			t.Errorf("%v: an update took %v, more than %v", delay, r.latency, limit)
		}
	}
}

// After a long time of typing, a whole new screen is not held back.
func TestScreenAfterTyping(t *testing.T) {
	s := simulate(t, line{rate: constant(50), delay: 20 * ms, decode: 2 * ms}, typing)
	s.run(300 * time.Second)
	s.source = bulk
	r := s.run(301 * time.Second)
	if got := r.mbit(time.Second); got < 40 {
		t.Errorf("%.1f Mbit/s in the first second, of 50", got)
	}
}

// Typing stays quick while the line is full of other pictures: it waits for at most what is on the way.
func TestRateFalls(t *testing.T) {
	s := simulate(t, line{rate: stepped(20*time.Second, 10, 1), delay: 40 * ms, decode: ms}, bulk)
	s.run(20 * time.Second)
	s.run(24 * time.Second) // learns
	r := s.run(60 * time.Second)
	if r.maxQueue > 0.35 {
		t.Errorf("4 s after the rate fell, a queue of %.0f ms", r.maxQueue*1000)
	}
	if got := r.mbit(36 * time.Second); got < 0.95 {
		t.Errorf("%.2f Mbit/s of 1", got)
	}
}

func TestRateRises(t *testing.T) {
	s := simulate(t, line{rate: stepped(20*time.Second, 1, 50), delay: 40 * ms, decode: ms}, bulk)
	s.run(20 * time.Second)
	s.run(25 * time.Second) // finds out
	r := s.run(60 * time.Second)
	if got := r.mbit(35 * time.Second); got < 45 {
		t.Errorf("%.1f Mbit/s of 50", got)
	}
}

func TestBunchedAcknowledgements(t *testing.T) {
	s := simulate(t, line{rate: constant(10), delay: 40 * ms, decode: ms, bunch: 60 * ms}, bulk)
	s.run(10 * time.Second)
	r := s.run(60 * time.Second)
	if got := r.mbit(50 * time.Second); got < 9 {
		t.Errorf("%.1f Mbit/s of 10", got)
	}
	if r.maxQueue > 0.35 {
		t.Errorf("queue of %.0f ms", r.maxQueue*1000)
	}
	if rate := s.pacer.Stats().Rate * 8 / 1e6; rate > 15 {
		t.Errorf("bunches made the line look like %.1f Mbit/s", rate)
	}
}

// The line swallows everything for 10 s: nothing piles up, and afterwards it is used as before.
func TestSilentLine(t *testing.T) {
	frozen := func(at time.Duration) time.Duration {
		if at > 20*time.Second && at < 30*time.Second {
			return 30 * time.Second
		}
		return at
	}
	s := simulate(t, line{rate: constant(10), delay: 40 * ms, decode: ms, frozen: frozen}, bulk)
	s.run(21 * time.Second)
	if silent := s.run(29 * time.Second); silent.bytes > 0 {
		t.Errorf("%d bytes were sent into the silence", silent.bytes)
	}
	if st := s.pacer.Stats(); st.InFlight > 400_000 || origin.Add(s.now).Sub(st.Oldest) < 8*time.Second {
		t.Errorf("in the silence: %+v", st)
	}
	s.run(32 * time.Second)
	if r := s.run(60 * time.Second); r.mbit(28*time.Second) < 9.5 {
		t.Errorf("%.1f Mbit/s of 10 afterwards", r.mbit(28*time.Second))
	}
}

func TestForeignAcknowledgements(t *testing.T) {
	p, now := New(), origin
	if err := p.Acked(now, 1, 0); !errors.Is(err, ErrAck) {
		t.Errorf("before anything was sent: %v", err)
	}
	first := ^uint32(0) - 1 // the numbers may wrap
	for i := range uint32(4) {
		if err := p.Sent(now, first+i, 100); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Sent(now, first+5, 100); !errors.Is(err, ErrOrder) {
		t.Errorf("a gap: %v", err)
	}
	if err := p.Acked(now, first+4, 0); !errors.Is(err, ErrAck) {
		t.Errorf("of what was not sent: %v", err)
	}
	now = now.Add(ms)
	for range 2 { // the second is old
		if err := p.Acked(now, first+2, time.Hour); err != nil {
			t.Error(err)
		}
	}
	if st := p.Stats(); st.InFlight != 100 {
		t.Errorf("%d bytes on the way, want 100", st.InFlight)
	}
}

func TestTooManyOnTheWay(t *testing.T) {
	p := New()
	for i := range uint32(MaxOnTheWay) {
		if err := p.Sent(origin, i, 0); err != nil {
			t.Fatal(err)
		}
	}
	if p.Allowance(origin) != 0 {
		t.Error("there is room for more")
	}
	if err := p.Sent(origin, MaxOnTheWay, 0); !errors.Is(err, ErrFull) {
		t.Errorf("sent all the same: %v", err)
	}
}

// Whatever happens in whatever order, the sums are right, the window is in its bounds, and an empty line may be used.
func TestInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, now := New(), origin
		var sizes []int
		sum, seq, acked := 0, uint32(0), uint32(0)
		for range rapid.IntRange(1, 400).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.Int64Range(0, 300).Draw(t, "wait")) * ms)
			if rapid.Bool().Draw(t, "send") && p.Allowance(now) > 0 {
				size := rapid.IntRange(0, MaxSlice).Draw(t, "size")
				seq++
				if err := p.Sent(now, seq, size); err != nil {
					t.Fatal(err)
				}
				sizes, sum = append(sizes, size), sum+size
			} else if seq > acked {
				acked = rapid.Uint32Range(acked, seq).Draw(t, "ack")
				if err := p.Acked(now, acked, time.Duration(rapid.Int64().Draw(t, "decode"))); err != nil {
					t.Fatal(err)
				}
				sum = 0
				for _, s := range sizes[acked:] {
					sum += s
				}
			}
			st := p.Stats()
			if st.InFlight != sum {
				t.Fatalf("%d bytes on the way, want %d", st.InFlight, sum)
			}
			if st.Window < minSlice || st.Window > maxWindow {
				t.Fatalf("window of %d", st.Window)
			}
			if h := p.SliceHint(); h < minSlice || h > MaxSlice {
				t.Fatalf("slice of %d", h)
			}
			if acked == seq && p.Allowance(now) <= 0 {
				t.Fatal("an empty line may not be used")
			}
		}
	})
}

// On any line, after a while of bulk, the line is used and the queue is bounded.
func TestAnyLine(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		mbit := rapid.Float64Range(0.5, 200).Draw(r, "mbit")
		delay := time.Duration(rapid.IntRange(1, 400).Draw(r, "delay")) * ms
		decode := time.Duration(rapid.IntRange(0, 10).Draw(r, "decode")) * ms
		s := simulate(t, line{rate: constant(mbit), delay: delay, decode: decode}, bulk)
		s.run(20 * time.Second)
		got := s.run(40 * time.Second)
		carries := min(mbit, maxWindow*8/1e6/(delay+decode).Seconds())
		if got.mbit(20*time.Second) < 0.85*carries {
			r.Errorf("%.2f Mbit/s of %.2f", got.mbit(20*time.Second), carries)
		}
		if limit := 1.5*(delay+decode).Seconds() + 0.15; got.maxQueue > max(limit, 1.1*firstWindow*8/1e6/mbit) {
			r.Errorf("queue of %.0f ms, more than %.0f", got.maxQueue*1000, limit*1000)
		}
	})
}

func BenchmarkUpdate(b *testing.B) {
	p, now := New(), origin
	b.ReportAllocs()
	var seq uint32
	for b.Loop() {
		if p.Allowance(now) > 0 {
			seq++
			if err := p.Sent(now, seq, p.SliceHint()); err != nil {
				b.Fatal(err)
			}
		}
		now = now.Add(5 * ms)
		if err := p.Acked(now, seq, ms); err != nil {
			b.Fatal(err)
		}
	}
}
