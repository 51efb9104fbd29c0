package pace

import "time"

// A rateFilter remembers the highest rate sample, in bytes a second, of the last busy rounds.
type rateFilter struct {
	rounds [rateRounds]float64
	at     int
}

// add takes a sample. An idle one counts only if it is higher than what is known.
func (f *rateFilter) add(sample float64, idle bool) {
	if idle && sample <= f.best() {
		return
	}
	f.rounds[f.at] = max(f.rounds[f.at], sample)
}

// rotate begins a new round and forgets the oldest.
func (f *rateFilter) rotate() {
	f.at = (f.at + 1) % rateRounds
	f.rounds[f.at] = 0
}

// reset forgets all but one rate.
func (f *rateFilter) reset(rate float64) {
	*f = rateFilter{}
	f.rounds[0] = rate
}

func (f *rateFilter) best() float64 {
	var b float64
	for _, r := range f.rounds {
		b = max(b, r)
	}
	return b
}

// A tripFilter remembers the lowest round trip without decoding, and the usual time of decoding.
type tripFilter struct {
	now, before time.Duration // lowest of this bucket and of the one before; 0 is none
	since       time.Time
	decode      time.Duration // smoothed
}

func (f *tripFilter) add(now time.Time, trip, decode time.Duration) {
	trip = max(trip, time.Microsecond) // 0 means none
	if f.since.IsZero() {
		f.since, f.decode = now, decode
	}
	if now.Sub(f.since) >= tripBucket {
		f.before, f.now, f.since = f.now, 0, now
	}
	if f.now == 0 || trip < f.now {
		f.now = trip
	}
	f.decode += (decode - f.decode) / 8
}

func (f *tripFilter) best() time.Duration {
	if f.before == 0 || f.now != 0 && f.now < f.before {
		return f.now
	}
	return f.before
}

type phase uint8

const (
	startup  phase = iota // grow each round until the rate does not
	drain                 // send less than the line carries, so that the queue empties and the trip shows
	cruising              // the line's own
	probing               // more, to see whether the line carries it
)

// A cycle is the course of the phases, one step a busy round.
type cycle struct {
	phase   phase
	rounds  int     // in this phase; in startup, without growth
	rate    float64 // at the last growth
	dropped bool    // the line became slower just now: after the drain look for its rate afresh
}

// next moves on after a busy round that left the estimate at rate.
func (c *cycle) next(rate float64) {
	grew := rate >= c.rate*growth
	if grew {
		c.rate = rate
	}
	c.rounds++
	switch c.phase {
	case startup:
		if grew {
			c.rounds = 0
		}
		if c.rounds >= fullRounds {
			c.enter(drain, rate)
		}
	case drain:
		if c.dropped {
			c.dropped = false
			c.enter(startup, rate)
			return
		}
		c.enter(cruising, rate)
	case cruising:
		if c.rounds >= cruise {
			c.enter(probing, rate)
		}
	case probing:
		// A round of probing shows its rate only in the next: what is acknowledged now was sent before.
		if !grew && c.rounds >= 2 {
			c.enter(drain, rate)
		}
		if grew {
			c.rounds = 0
		}
	}
}

func (c *cycle) enter(p phase, rate float64) {
	c.phase, c.rounds, c.rate = p, 0, rate
}

func (c *cycle) gain() float64 {
	if c.phase == probing {
		return probeGain
	}
	return 1
}
