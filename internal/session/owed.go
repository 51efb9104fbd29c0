package session

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"jiseki/internal/cert"
	"jiseki/internal/store"
)

// ErrUnwritten says that something was taken away at relay and desk, and could not be written down: the database fails,
// its disk is full. It is tried again until it is written or the gateway stops.
var ErrUnwritten = errors.New("session: taken away, but not written yet")

const (
	// settleEvery is how often what is owed is tried again.
	settleEvery = 5 * time.Second
	// mostOwed bounds what is kept in memory for a database that does not come back.
	mostOwed = 2000
)

// owed is what the database did not take, in its order. It is safe for concurrent use.
type owed struct {
	mu     sync.Mutex
	writes []write
	ends   map[cert.SessionID]bool // sessions whose end is among the writes
}

// A write is an act that is still to be written.
type write struct {
	what    string // for the log
	session cert.SessionID
	do      func(context.Context) error
}

// add keeps a write for later, unless the end of that session waits already. Full: there are too many, and it is lost.
func (o *owed) add(w write) (added, full bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ends[w.session] {
		return false, false
	}
	if len(o.writes) >= mostOwed {
		return false, true
	}
	if w.session != (cert.SessionID{}) {
		if o.ends == nil {
			o.ends = make(map[cert.SessionID]bool)
		}
		o.ends[w.session] = true
	}
	o.writes = append(o.writes, w)
	return true, false
}

// first is the write that was owed first, and of how many.
func (o *owed) first() (first write, of int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.writes) == 0 {
		return write{}, 0
	}
	return o.writes[0], len(o.writes)
}

func (o *owed) dropFirst() {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.ends, o.writes[0].session)
	o.writes = o.writes[1:]
}

// putBack makes the first write the last one.
func (o *owed) putBack() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.writes = append(o.writes[1:], o.writes[0])
}

// owe keeps a write for later, and says so.
func (m *Manager) owe(w write, cause error) {
	switch added, full := m.owed.add(w); {
	case added:
		m.log.Error("not written down; it is tried again", "act", w.what, "err", cause)
	case full:
		m.log.Error("not written down, and lost: too much is owed already", "act", w.what, "err", cause)
	}
}

// settle writes what is owed, as far as the database takes it. A write that fails although the database takes others
// keeps none back.
func (m *Manager) settle(ctx context.Context) error {
	_, most := m.owed.first()
	for range most {
		w, _ := m.owed.first()
		err := w.do(ctx)
		if ctx.Err() != nil {
			return err
		}
		if errors.Is(err, store.ErrFailed) {
			if no := m.cfg.Store.GatewayAlive(ctx, m.cfg.Gateway); errors.Is(no, store.ErrFailed) {
				return fmt.Errorf("%s: %w", w.what, err)
			}
			m.log.Error("not written down, though others are; it is tried again", "act", w.what, "err", err)
			m.owed.putBack()
			continue
		}
		if err != nil { // the store has an answer: what the act was about is gone meanwhile
			m.log.Warn("needs no writing down any more", "act", w.what, "err", err)
		}
		m.owed.dropFirst()
	}
	return nil
}

// TakeAway does an act that takes something away from users, devices or desks, and returns the sessions that stood on
// it, which the caller ends with [Manager.EndAll] or [Manager.RevokeDevice]. When the database cannot write the act,
// the sessions are those that run as the filter says, and the error is ErrUnwritten: they must end all the same. A
// filter that names nobody is store.ErrInvalid, and nothing is done: it would stand for every session.
func (m *Manager) TakeAway(
	ctx context.Context, f store.SessionFilter, act func(context.Context) ([]store.Session, error),
) ([]store.Session, error) {
	if f.User == "" && f.Device == "" && f.Desk == "" {
		return nil, fmt.Errorf("%w: it is taken away from nobody", store.ErrInvalid)
	}
	sessions, err := act(ctx)
	if !errors.Is(err, store.ErrFailed) {
		return sessions, err
	}
	m.owe(write{what: fmt.Sprintf("taking away of %+v", f), do: func(ctx context.Context) error {
		_, err := act(ctx)
		return err
	}}, err)
	running, rerr := m.cfg.Store.RunningSessions(ctx, f.Desk)
	if rerr != nil {
		return nil, errors.Join(ErrUnwritten, err, rerr)
	}
	for _, s := range running {
		if (f.User == "" || s.User == f.User) && (f.Device == "" || s.Device == f.Device) {
			sessions = append(sessions, s)
		}
	}
	return sessions, errors.Join(ErrUnwritten, err)
}
