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
	// ownPerMinute is what one user may call, in however many sign-ins: twenty pages that ask two things every five
	// seconds, and a person.
	ownPerMinute = 600
	// ownFor is how long a sign-in that has shown itself is known without another call.
	ownFor = time.Hour
	// maxCounted networks are counted in a window; beyond that those that called least are forgotten.
	maxCounted = 100_000
)

// A limiter counts calls per address in windows of one minute, of IPv6 also by the wider networks. Who is signed in has
// calls of their own instead, which no stranger at the same address can use up, and no more in several sign-ins.
type limiter struct {
	now func() time.Time

	mu     sync.Mutex
	window time.Time
	counts map[netip.Prefix]*counts
	met    map[tokenHash]*met
	own    map[string]int // calls of the users who are signed in
}

// met is a sign-in that has shown itself: whose it is, and in which window it called last.
type met struct {
	user   string
	window time.Time
}

type tokenHash = [sha256.Size]byte

type counts struct{ all, open int }

func newLimiter(now func() time.Time) *limiter {
	return &limiter{now: now, counts: make(map[netip.Prefix]*counts), met: make(map[tokenHash]*met), own: make(map[string]int)}
}

// turn begins a new window when it is time. The lock is held.
func (l *limiter) turn() (now time.Time) {
	now = l.now()
	if now.Sub(l.window) < time.Minute && !now.Before(l.window) {
		return now
	}
	l.window = now
	clear(l.counts)
	clear(l.own)
	maps.DeleteFunc(l.met, func(_ tokenHash, m *met) bool { return now.Sub(m.window) > ownFor || now.Before(m.window) })
	return now
}

// takeOwn counts a call of a sign-in that has shown itself before, as one of its user's, and says how many seconds to wait
// when there were too many. known is false of any other: its call is one of its address.
func (l *limiter) takeOwn(token string) (known bool, wait int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.met[sha256.Sum256([]byte(token))]
	if m == nil {
		return false, 0
	}
	now := l.turn()
	m.window = l.window
	if l.own[m.user]++; l.own[m.user] > ownPerMinute {
		return true, l.rest(now)
	}
	return true, 0
}

// meet makes a good sign-in known as its user's, forget takes that from one that is not good (any more).
func (l *limiter) meet(token, user string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if key := sha256.Sum256([]byte(token)); l.met[key] == nil && len(l.met) < maxCounted {
		l.met[key] = &met{user: user, window: l.window}
	}
}

func (l *limiter) forget(token string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.met, sha256.Sum256([]byte(token)))
}

// rest is how many seconds of the window are left. The lock is held.
func (l *limiter) rest(now time.Time) int {
	return int(time.Minute-now.Sub(l.window))/int(time.Second) + 1
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
		return l.rest(now)
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
