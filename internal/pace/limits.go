package pace

import "time"

// SliceTime is how long one update should occupy the line.
const SliceTime = 25 * time.Millisecond

// MaxSlice is the greatest slice in bytes: what an update may have (docs/PROTOCOL.md section 5.3).
const MaxSlice = 1 << 20

const (
	minSlice   = 4 << 10  // below it headers and the coder's flush weigh too much
	firstSlice = 16 << 10 // while nothing is known of the line

	firstWindow = 32 << 10 // while nothing is known: a quarter second at 1 Mbit/s
	minWindow   = 8 << 10
	maxWindow   = 8 << 20 // 400 Mbit/s at 160 ms

	// floorWindow is the least window on a line that carries it within floorTime. A window of the bare product starves
	// flows that send now and then.
	floorWindow = 64 << 10
	floorTime   = 60 * time.Millisecond

	// idleAfter is how long there may be room before the line counts as not kept busy: the time to notice and encode.
	idleAfter = 5 * time.Millisecond

	startupGain = 2.885 // 2/ln 2: doubles the rate each round (BBR)
	probeGain   = 1.5   // windows are coarser here than BBR's pacing; 1.25 is lost in the size of one update
	drainGain   = 0.75
	growth      = 1.25 // less growth than this in a round is none
	fullRounds  = 2    // so many rounds without growth end startup
	cruise      = 6    // rounds between two probes

	rateRounds = 8                // busy rounds for which a rate is remembered
	tripBucket = 10 * time.Second // a trip is remembered for one to two buckets

	// A round is a drop if it is slower than dropRate of the estimate while the trip is longer than dropTrip times the
	// line's plus dropSlack.
	dropRate  = 0.7
	dropTrip  = 2
	dropSlack = 20 * time.Millisecond
)
