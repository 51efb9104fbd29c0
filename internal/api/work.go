package api

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"jiseki/internal/store"
)

// Limits of the calls of one user.
const (
	// atWork is how many are worked on at the same time: less than the connections to the database, so that whoever
	// calls as often as he may, and for what costs most, leaves the others theirs.
	atWork = 4
	// inLine is how many more wait for their turn: those of the pages of a browser that all come back at once.
	inLine = 32
)

// ordersPerMinute is how often a user may give orders, whether they are given or refused: somebody who gives them to one
// after the other.
const ordersPerMinute = 20

// A pace counts what users do in windows of one minute.
type pace struct {
	now  func() time.Time
	most int

	mu     sync.Mutex
	window time.Time
	counts map[string]int
}

func newPace(now func() time.Time, most int) *pace {
	return &pace{now: now, most: most, counts: make(map[string]int)}
}

// take counts, and says how many seconds to wait when there was too much; 0 is go on.
func (p *pace) take(user string) (wait int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if passed := now.Sub(p.window); passed < 0 || passed >= time.Minute { // below 0: the clock was set back
		p.window = now
		clear(p.counts)
	}
	if p.counts[user]++; p.counts[user] > p.most {
		return int(wholeSeconds(p.window.Add(time.Minute).Sub(now)))
	}
	return 0
}

// work is the calls that are worked on or wait, by user.
type work struct {
	mu    sync.Mutex
	users map[string]*turns
}

// turns are the calls of one user; kept as long as there are any.
type turns struct {
	turn  *semaphore.Weighted // in the order of asking
	write *semaphore.Weighted // of those at work, the one that writes
	calls int
}

func newWork() *work { return &work{users: make(map[string]*turns)} }

// begin waits for the turn of a user's call, and gives the context to work in, in which one act of the user's at a time
// waits for the database to write, and the function that ends it.
func (w *work) begin(ctx context.Context, user string) (working context.Context, end func(), err error) {
	l := w.join(user)
	if l == nil {
		return nil, nil, busy(0, nil)
	}
	if err := l.turn.Acquire(ctx, 1); err != nil {
		w.part(user, l)
		return nil, nil, err
	}
	return store.InTurn(ctx, l.write), func() {
		l.turn.Release(1)
		w.part(user, l)
	}, nil
}

// join puts a call into its user's line, nil if that is too long.
func (w *work) join(user string) *turns {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := w.users[user]
	if l == nil {
		l = &turns{turn: semaphore.NewWeighted(atWork), write: semaphore.NewWeighted(1)}
		w.users[user] = l
	}
	if l.calls >= atWork+inLine {
		return nil
	}
	l.calls++
	return l
}

func (w *work) part(user string, l *turns) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if l.calls--; l.calls == 0 {
		delete(w.users, user)
	}
}
