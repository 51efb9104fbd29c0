package hub

import (
	"sync"
	"time"
)

// A budget is what each desk may still make us write in this minute, over all its connections: a desk in hostile hands
// that comes and goes shall fill no disk.
type budget struct {
	mu    sync.Mutex
	until time.Time // end of the minute, the same for all desks
	spent map[string]spent
}

type spent struct{ arrivals, reports int }

func newBudget() *budget { return &budget{spent: make(map[string]spent)} }

// arrive says whether a desk may come once more.
func (b *budget) arrive(desk string, now time.Time) bool {
	return b.spend(desk, now, spent{arrivals: 1})
}

// report says whether a desk may report once more.
func (b *budget) report(desk string, now time.Time) bool {
	return b.spend(desk, now, spent{reports: 1})
}

func (b *budget) spend(desk string, now time.Time, more spent) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if left := b.until.Sub(now); left <= 0 || left > time.Minute { // over, or the clock was set back
		clear(b.spent)
		b.until = now.Add(time.Minute)
	}
	s := b.spent[desk]
	s.arrivals += more.arrivals
	s.reports += more.reports
	b.spent[desk] = s
	return s.arrivals <= arrivalsPerMinute && s.reports <= eventsPerMinute
}
