package store

import (
	"math"
	"time"
)

// Skew is how far the clocks of two gateways on one database may be apart.
const Skew = time.Minute

// Since is how long ago a stored time was. One that is ahead of now by more than [Skew] was stamped by a clock that was
// ahead and has been put right since. It counts as for ever ago: nobody waits for it, and nothing lives on it.
func Since(now time.Time, ms int64) time.Duration {
	ago := now.Sub(time.UnixMilli(ms))
	if ago < -Skew {
		return math.MaxInt64
	}
	return ago
}

// latest is the latest time that a right clock can have stamped.
func latest(now time.Time) int64 { return now.Add(Skew).UnixMilli() }

// lately says whether a stored time lies at most life milliseconds back.
func (t *tx) lately(ms, life int64) bool { return Since(t.time(), ms).Milliseconds() <= life }
