// Package pace decides how many bytes of updates may be on the way to a viewer, from the viewer's acknowledgements. It
// keeps the line busy and the queue short: on a slow line it is the frame rate that falls, not the delay that grows. It
// is pure: no clock, no input or output; time comes in with each call.
//
// The way is that of BBR (Cardwell et al., "BBR: Congestion-Based Congestion Control", ACM Queue 14/5, 2016; rate
// samples as in draft-cheng-iccrg-delivery-rate-estimation): window = highest recent delivery rate × lowest recent
// round trip, with phases that probe for more. It differs where screens differ from files: updates are large units that are
// acknowledged after decoding, and most of the time there is nothing to send. What was measured while there was
// nothing to send says little about the line, so it never lowers the estimate.
package pace

import (
	"errors"
	"time"
)

// Errors of Sent and Acked.
var (
	ErrOrder = errors.New("pace: updates are not sent in order")
	ErrFull  = errors.New("pace: too many updates on the way")
	ErrAck   = errors.New("pace: acknowledgement of what was never sent")
)

// MaxOnTheWay is how many updates may wait for their acknowledgement.
const MaxOnTheWay = 1024

// A Pacer paces one session's display. It is for one goroutine. All times are of one clock that does not run backwards.
type Pacer struct {
	ring  [MaxOnTheWay]update // sent, not acknowledged
	first int                 // oldest in ring
	count int
	last  uint32 // highest seq sent
	begun bool   // something was sent

	inFlight  int
	delivered uint64    // bytes acknowledged in all
	ackedAt   time.Time // when the newest acknowledgement came
	firstSent time.Time // when the last acknowledged update was sent
	roomSince time.Time // since when Allowance has been above 0; zero while it is not
	limited   uint64    // samples of updates sent before delivered reaches this say little: there was nothing to send

	rate  rateFilter
	trip  tripFilter
	cycle cycle
	round round
}

// An update on its way.
type update struct {
	seq       uint32
	size      int
	sent      time.Time
	delivered uint64 // of the Pacer when it was sent
	ackedAt   time.Time
	firstSent time.Time
	idle      bool // sent when the line had not been kept busy
}

// New returns a Pacer that knows nothing of the line yet.
func New() *Pacer {
	return &Pacer{cycle: cycle{phase: startup}}
}

// Allowance returns how many bytes may be sent now: 0 means wait for an acknowledgement. One update may be larger than
// the allowance; keep it near SliceHint.
func (p *Pacer) Allowance(now time.Time) int {
	if p.count == MaxOnTheWay {
		return 0
	}
	room := p.window() - p.inFlight
	if room <= 0 {
		return 0
	}
	if p.roomSince.IsZero() {
		p.roomSince = now
	}
	return room
}

// SliceHint returns how many bytes an update should have at most, so that it occupies the line for about SliceTime and
// the next picture does not wait long behind it.
func (p *Pacer) SliceHint() int {
	if p.rate.best() == 0 {
		return firstSlice
	}
	return min(max(int(p.rate.best()*SliceTime.Seconds()), minSlice), MaxSlice)
}

// Sent notes that the update seq, of size bytes, was given to the link. seq counts up by one.
func (p *Pacer) Sent(now time.Time, seq uint32, size int) error {
	switch {
	case p.begun && seq != p.last+1:
		return ErrOrder
	case p.count == MaxOnTheWay:
		return ErrFull
	}
	if p.inFlight == 0 {
		p.firstSent, p.ackedAt = now, now
	}
	p.noteIdle(now)
	p.begun, p.last = true, seq
	p.ring[(p.first+p.count)%MaxOnTheWay] = update{
		seq: seq, size: size, sent: now,
		delivered: p.delivered, ackedAt: p.ackedAt, firstSent: p.firstSent,
		idle: p.delivered < p.limited,
	}
	p.count++
	p.inFlight += size
	if p.inFlight >= p.window() {
		p.roomSince = time.Time{}
	} else {
		p.roomSince = now
	}
	return nil
}

// noteIdle marks what is on the way, and this update, as sent while the line was not kept busy, if there has been room
// for longer than it takes to notice an acknowledgement and encode.
func (p *Pacer) noteIdle(now time.Time) {
	if p.roomSince.IsZero() {
		return
	}
	if now.Sub(p.roomSince) > max(p.trip.best()/8, idleAfter) {
		p.limited = p.delivered + uint64(p.inFlight) + 1
	}
}

// Acked notes that the viewer has decoded all updates up to seq, the last of which took it decode. Old
// acknowledgements are ignored.
func (p *Pacer) Acked(now time.Time, seq uint32, decode time.Duration) error {
	if !p.begun || int32(seq-p.last) > 0 {
		return ErrAck
	}
	var newest update
	n := 0
	for p.count > 0 && int32(seq-p.ring[p.first].seq) >= 0 {
		newest = p.ring[p.first]
		p.first = (p.first + 1) % MaxOnTheWay
		p.count--
		p.inFlight -= newest.size
		p.delivered += uint64(newest.size)
		n++
	}
	if n == 0 {
		return nil
	}
	p.learn(now, newest, decode)
	p.Allowance(now) // notes since when there is room
	return nil
}

// learn takes a rate and a round trip from the newest update of an acknowledgement.
func (p *Pacer) learn(now time.Time, u update, decode time.Duration) {
	trip := now.Sub(u.sent)
	decode = min(max(decode, 0), trip)
	p.trip.add(now, trip-decode, decode)
	p.ackedAt, p.firstSent = now, u.sent
	newRound := u.delivered >= p.round.until
	if newRound {
		p.endRound()
	}
	// The longer of the two: sending in a burst and acknowledgements in a burst both look like a fast line.
	interval := max(u.sent.Sub(u.firstSent), now.Sub(u.ackedAt))
	if interval <= 0 {
		return
	}
	sample := float64(p.delivered-u.delivered) / interval.Seconds()
	p.rate.add(sample, u.idle)
	p.round.add(sample, trip-decode, u.idle)
}

// A round ends with the first acknowledgement of an update that was sent when all that was on the way at its begin had
// been acknowledged: about two round trips. So each of its samples but the first ones was taken under its own window.
type round struct {
	until   uint64        // delivered at its begin plus what was on the way
	best    float64       // highest rate sample, bytes a second
	trip    time.Duration // shortest trip
	samples int
	busy    bool // no sample of it was taken while there was nothing to send
}

func (r *round) add(sample float64, trip time.Duration, idle bool) {
	if r.samples == 0 {
		r.busy, r.trip = true, trip
	}
	r.samples++
	r.best = max(r.best, sample)
	r.trip = min(r.trip, trip)
	r.busy = r.busy && !idle
}

// endRound moves the probing on, and begins the next round.
func (p *Pacer) endRound() {
	busy := p.round.samples > 0 && p.round.busy
	if busy {
		p.checkDrop()
	}
	if busy || p.cycle.phase == drain { // a drain ends in any case: who sends little would starve in it
		p.cycle.next(p.rate.best())
	}
	if busy {
		p.rate.rotate()
	}
	p.round = round{until: p.delivered + uint64(p.inFlight)}
}

// checkDrop forgets the old rate at once when a whole busy round was clearly slower and the trip longer than the line
// needs: then a queue is standing, and waiting until the filter forgets would keep it.
func (p *Pacer) checkDrop() {
	r := &p.round
	if p.cycle.phase == startup || r.best > dropRate*p.rate.best() || r.trip < p.trip.best()*dropTrip+dropSlack {
		return
	}
	p.rate.reset(r.best)
	p.cycle = cycle{phase: drain, dropped: true, rate: r.best}
}

// window is how many bytes may be on the way.
func (p *Pacer) window() int {
	rate := p.rate.best()
	if rate == 0 {
		return firstWindow
	}
	product := rate * (p.trip.best() + p.trip.decode).Seconds()
	slice := float64(p.SliceHint())
	if p.cycle.phase == drain {
		return clampWindow(max(drainGain*product, slice), minWindow)
	}
	if p.cycle.phase == startup {
		return clampWindow(startupGain*product, firstWindow)
	}
	// One slice more than the product: the line must have the next one when this one has left, but its
	// acknowledgement is a whole way later.
	w := product*p.cycle.gain() + slice
	return clampWindow(w, max(minWindow, min(floorWindow, int(rate*floorTime.Seconds()))))
}

func clampWindow(w float64, least int) int {
	return int(min(max(w, float64(least)), maxWindow))
}

// Stats tells what a Pacer knows.
type Stats struct {
	Rate     float64       // estimated rate of the line, bytes a second; 0 if unknown
	Trip     time.Duration // lowest recent round trip without decoding
	Window   int           // bytes that may be on the way
	InFlight int           // bytes that are
	Oldest   time.Time     // when the oldest of them was sent; zero if there is none
}

// Stats returns what the Pacer knows now.
func (p *Pacer) Stats() Stats {
	s := Stats{Rate: p.rate.best(), Trip: p.trip.best(), Window: p.window(), InFlight: p.inFlight}
	if p.count > 0 {
		s.Oldest = p.ring[p.first].sent
	}
	return s
}
