package session

import (
	"sync"
	"time"

	"jiseki/internal/access"
)

// triesPerMinute is how often a user may prepare, and how often open, in a minute. A viewer on a broken line tries
// about ten times in its first minute, and a user has one or two desks.
const triesPerMinute = 30

// A pace bounds what one user can have a gateway sign, write and offer.
type pace struct {
	now func() time.Time

	mu               sync.Mutex
	window           time.Time
	prepared, opened map[string]int // by user, in this window
}

func newPace(now func() time.Time) *pace {
	return &pace{now: now, prepared: make(map[string]int), opened: make(map[string]int)}
}

// take counts a try. When there were too many in this minute it is a *Refusal that says how long to wait. It is not
// recorded: who asks so often must not fill the log.
func (p *pace) take(counts map[string]int, user string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if passed := now.Sub(p.window); passed < 0 || passed >= time.Minute { // below 0: the clock was set back
		p.window = now
		clear(p.prepared)
		clear(p.opened)
	}
	if counts[user]++; counts[user] > triesPerMinute {
		return &Refusal{Reasons: []access.Code{access.TooManyAtOnce}, RetryAfter: p.window.Add(time.Minute).Sub(now)}
	}
	return nil
}
