package api

import (
	"net/netip"
	"sync"
	"time"

	"jiseki/internal/remote"
)

// Limits of calls.
const (
	// callsPerMinute is what one address may call: three hundred open portals
	// behind one translated address, which ask every five seconds, and their
	// viewers that all open again after a restart.
	callsPerMinute = 6000
	// openPerMinute is what one address may call without a sign-in: two calls for
	// each of three hundred staff who come at half past eight. Such a call costs a
	// signature; password hashes have a bound of their own.
	openPerMinute = 900
	// maxCounted addresses are counted; beyond that the oldest minute goes first.
	maxCounted = 100_000
)

// A limiter counts calls per address in windows of one minute, of IPv6 also by the wider networks.
type limiter struct {
	now func() time.Time

	mu     sync.Mutex
	window time.Time
	counts map[netip.Prefix]*counts
}

type counts struct{ all, open int }

func newLimiter(now func() time.Time) *limiter {
	return &limiter{now: now, counts: make(map[netip.Prefix]*counts)}
}

// take counts a call and says how many seconds to wait when there were too many;
// 0 is go on.
func (l *limiter) take(address netip.Addr, open bool) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if now.Sub(l.window) >= time.Minute || now.Before(l.window) || len(l.counts) >= maxCounted {
		l.window = now
		clear(l.counts)
	}
	over := false
	for _, n := range remote.Networks(address) {
		c := l.counts[n.Prefix]
		if c == nil {
			c = &counts{}
			l.counts[n.Prefix] = c
		}
		c.all++
		if open {
			c.open++
		}
		over = over || c.all > callsPerMinute*n.Times || c.open > openPerMinute*n.Times
	}
	if over {
		return int(time.Minute-now.Sub(l.window))/int(time.Second) + 1
	}
	return 0
}
