package api

import (
	"crypto/sha256"
	"maps"
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
	// ownPerMinute is what one sign-in may call beside what its address may: ten pages that ask every five seconds, and
	// a person.
	ownPerMinute = 300
	// ownFor is how long a sign-in that has shown itself has calls of its own without another one.
	ownFor = time.Hour
	// maxCounted networks are counted in a window; beyond that those that called least are forgotten.
	maxCounted = 100_000
)

// A limiter counts calls per address in windows of one minute, of IPv6 also by the wider networks. Who is signed in has
// calls of their own, which a stranger at the same address cannot use up.
type limiter struct {
	now func() time.Time

	mu     sync.Mutex
	window time.Time
	counts map[netip.Prefix]*counts
	own    map[tokenHash]*own
}

// own is what a sign-in called in the window in which it called last.
type own struct {
	window time.Time
	calls  int
}

type tokenHash = [sha256.Size]byte

type counts struct{ all, open int }

func newLimiter(now func() time.Time) *limiter {
	return &limiter{now: now, counts: make(map[netip.Prefix]*counts), own: make(map[tokenHash]*own)}
}

// turn begins a new window when it is time. The lock is held.
func (l *limiter) turn() (now time.Time) {
	now = l.now()
	if now.Sub(l.window) < time.Minute && !now.Before(l.window) {
		return now
	}
	l.window = now
	clear(l.counts)
	maps.DeleteFunc(l.own, func(_ tokenHash, o *own) bool { return now.Sub(o.window) > ownFor || now.Before(o.window) })
	return now
}

// takeOwn counts a call of a sign-in that has shown itself before. It says no if it has not, or has no calls left of
// its own: then the call is one of its address.
func (l *limiter) takeOwn(token string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	o := l.own[sha256.Sum256([]byte(token))]
	if o == nil {
		return false
	}
	l.turn()
	if o.window != l.window {
		*o = own{window: l.window}
	}
	o.calls++
	return o.calls <= ownPerMinute
}

// meet gives a sign-in that is good calls of its own, forget takes them from one that is not (any more).
func (l *limiter) meet(token string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if key := sha256.Sum256([]byte(token)); l.own[key] == nil && len(l.own) < maxCounted {
		l.own[key] = &own{window: l.window}
	}
}

func (l *limiter) forget(token string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.own, sha256.Sum256([]byte(token)))
}

// take counts a call and says how many seconds to wait when there were too many;
// 0 is go on.
func (l *limiter) take(address netip.Addr, open bool) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.turn()
	over := false
	for _, n := range remote.Networks(address) {
		c := l.counts[n.Prefix]
		if c == nil {
			l.makeRoom()
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

// makeRoom forgets the networks that called least when there is no room for another one: half of them and more at a
// time, so that it is seldom done. Whoever calls once from each of ever new networks has nobody's calls forgotten who
// calls often.
func (l *limiter) makeRoom() {
	if len(l.counts) < maxCounted {
		return
	}
	for least := 1; len(l.counts) > maxCounted/2; least *= 2 {
		maps.DeleteFunc(l.counts, func(_ netip.Prefix, c *counts) bool { return c.all <= least })
	}
}
