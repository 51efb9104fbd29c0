package pace

import (
	"container/heap"
	"testing"
	"time"
)

// A line is a simulated one: a bottleneck with an endless queue, a delay each way, and a viewer that decodes and
// acknowledges. All times are since the begin.
type line struct {
	rate   func(t time.Duration) float64       // bytes a second
	delay  time.Duration                       // round trip without queue
	decode time.Duration                       // per update
	bunch  time.Duration                       // acknowledgements leave only at multiples of it; 0 is at once
	frozen func(t time.Duration) time.Duration // when what would be delivered at t is delivered; nil is at t
}

// A source offers updates: the size of the next one, and when it is there at the earliest.
type source func(now time.Duration, hint int) (size int, at time.Duration)

// bulk always has a whole slice.
func bulk(now time.Duration, hint int) (int, time.Duration) { return hint, now }

// A result is what happened in one stretch of time.
type result struct {
	bytes     int
	updates   int
	maxQueue  float64       // seconds that the bottleneck needed for what waited, worst
	meanQueue float64       // mean over sent updates
	latency   time.Duration // worst time from ready to decoded
	maxFlight int
}

type event struct {
	at   time.Duration
	seq  uint32
	kind int // 0 ack, 1 look again
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].seq < e[j].seq
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any     { o := *e; x := o[len(o)-1]; *e = o[:len(o)-1]; return x }

// A simulation runs a Pacer over a line.
type simulation struct {
	t      testing.TB
	pacer  *Pacer
	line   line
	source source
	now    time.Duration
	seq    uint32
	free   time.Duration // when the bottleneck has nothing left
	screen time.Duration // when the viewer has decoded all
	queue  events
	look   time.Duration // of the event that looks at the source again; 0 is none
	acked  time.Duration // the latest acknowledgement's arrival: they do not overtake
	result result
}

var origin = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func simulate(t testing.TB, l line, s source) *simulation {
	return &simulation{t: t, pacer: New(), line: l, source: s}
}

// run goes on until the given time and returns what happened since the last run.
func (s *simulation) run(until time.Duration) result {
	s.t.Helper()
	s.result = result{}
	s.send()
	for len(s.queue) > 0 && s.queue[0].at <= until {
		e := heap.Pop(&s.queue).(event)
		s.now = e.at
		if e.kind == 0 {
			if err := s.pacer.Acked(origin.Add(s.now), e.seq, s.line.decode); err != nil {
				s.t.Fatalf("ack %d: %v", e.seq, err)
			}
		}
		s.send()
	}
	s.now = until
	if s.result.updates > 0 {
		s.result.meanQueue /= float64(s.result.updates)
	}
	return s.result
}

func (s *simulation) send() {
	for s.pacer.Allowance(origin.Add(s.now)) > 0 {
		size, at := s.source(s.now, s.pacer.SliceHint())
		if at > s.now {
			if s.look != at {
				s.look = at
				heap.Push(&s.queue, event{at: at, kind: 1})
			}
			return
		}
		s.transmit(size)
	}
}

func (s *simulation) transmit(size int) {
	s.seq++
	if err := s.pacer.Sent(origin.Add(s.now), s.seq, size); err != nil {
		s.t.Fatal(err)
	}
	queue := max(s.free-s.now, 0)
	s.free = s.leave(max(s.now, s.free), size)
	arrives := s.free + s.line.delay/2
	if s.line.frozen != nil {
		arrives = s.line.frozen(arrives)
	}
	s.screen = max(s.screen, arrives) + s.line.decode
	ack := s.screen
	if b := s.line.bunch; b > 0 {
		ack = (ack + b - 1) / b * b
	}
	s.acked = max(s.acked, ack+s.line.delay/2)
	heap.Push(&s.queue, event{at: s.acked, seq: s.seq})

	r := &s.result
	r.bytes += size
	r.updates++
	r.maxQueue = max(r.maxQueue, queue.Seconds())
	r.meanQueue += queue.Seconds()
	r.latency = max(r.latency, s.screen-s.now)
	r.maxFlight = max(r.maxFlight, s.pacer.Stats().InFlight)
}

// leave returns when size bytes have left a bottleneck that begins with them at t.
func (s *simulation) leave(t time.Duration, size int) time.Duration {
	const step = time.Millisecond
	left := float64(size)
	for {
		rate := s.line.rate(t)
		if left <= rate*step.Seconds() {
			return t + time.Duration(left/rate*float64(time.Second))
		}
		left -= rate * step.Seconds()
		t += step
	}
}

func constant(mbit float64) func(time.Duration) float64 {
	return func(time.Duration) float64 { return mbit * 1e6 / 8 }
}

func stepped(at time.Duration, before, after float64) func(time.Duration) float64 {
	return func(t time.Duration) float64 {
		if t < at {
			return before * 1e6 / 8
		}
		return after * 1e6 / 8
	}
}

func (r result) mbit(d time.Duration) float64 { return float64(r.bytes) * 8 / 1e6 / d.Seconds() }
