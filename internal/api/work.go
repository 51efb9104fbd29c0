package api

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"
)

// Limits of the calls of one user.
const (
	// atWork is how many are worked on at the same time: less than the connections to the database, so that whoever
	// calls as often as he may, and for what costs most, leaves the others theirs.
	atWork = 4
	// inLine is how many more wait for their turn: those of the pages of a browser that all come back at once.
	inLine = 32
)

// work is the calls that are worked on or wait, by user.
type work struct {
	mu    sync.Mutex
	users map[string]*turns
}

// turns are the calls of one user; kept as long as there are any.
type turns struct {
	turn  *semaphore.Weighted // in the order of asking
	calls int
}

func newWork() *work { return &work{users: make(map[string]*turns)} }

// begin waits for the turn of a user's call, and gives the function that ends it.
func (w *work) begin(ctx context.Context, user string) (end func(), err error) {
	l := w.join(user)
	if l == nil {
		return nil, busy(0, nil)
	}
	if err := l.turn.Acquire(ctx, 1); err != nil {
		w.part(user, l)
		return nil, err
	}
	return func() {
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
		l = &turns{turn: semaphore.NewWeighted(atWork)}
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
