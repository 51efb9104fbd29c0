package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"jiseki/internal/audit"
	"jiseki/internal/store"
)

var (
	// ErrUnwritten says that something was taken away at relay and desk, and could not be written down: the database fails,
	// its disk is full. It is tried again until it is written or the gateway stops.
	ErrUnwritten = errors.New("session: taken away, but not written yet")
	// ErrLost, an ErrUnwritten: it is not tried again either, for too much is owed already. Who did it does it again.
	ErrLost = fmt.Errorf("%w, and never will be", ErrUnwritten)
)

const (
	// oweEvery is how often what is owed is tried again.
	oweEvery = 5 * time.Second
	// mostOwed bounds what is kept in memory for a database that does not come back, and mostOfOne what of it is of one
	// actor: more than the users and devices of a town hall that one administrator may have to stop on one day.
	mostOwed  = 2000
	mostOfOne = mostOwed / 4
	// mostFailed writes are tried in vain before the next turn: the database seems to take none.
	mostFailed = 50
)

// owed is what the database did not take, one of each act. It is safe for concurrent use.
type owed struct {
	mu     sync.Mutex
	writes []*write
}

// A write is an act that is still to be written. What was decided about the same since it was done holds against it.
type write struct {
	act string   // its kind and what it is about: of two that are the same the newer is kept
	by  store.By // who did it, and when
	do  func(context.Context, store.By) error
}

// late is who does something now that will be written later.
func (m *Manager) late(by store.By) store.By {
	by.Late = &store.Late{AtMS: m.cfg.Store.Now().UnixMilli(), After: m.newest.Load()}
	return by
}

// add keeps a write for later. Not kept: too much is owed, by this actor or by all. Not new: it takes the place of one
// that waits already.
func (o *owed) add(w *write) (kept, isNew bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	ofOne := 0
	for i, waits := range o.writes {
		if waits.act == w.act {
			o.writes[i] = w
			return true, false
		}
		if waits.by.Actor == w.by.Actor {
			ofOne++
		}
	}
	if len(o.writes) >= mostOwed || ofOne >= mostOfOne {
		return false, true
	}
	o.writes = append(o.writes, w)
	return true, true
}

// all are the writes that are owed now.
func (o *owed) all() []*write {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.writes)
}

// drop forgets a write, unless another one has taken its place.
func (o *owed) drop(w *write) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.writes = slices.DeleteFunc(o.writes, func(waits *write) bool { return waits == w })
}

// putLast moves a write behind the others.
func (o *owed) putLast(w *write) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if i := slices.Index(o.writes, w); i >= 0 {
		o.writes = append(slices.Delete(o.writes, i, i+1), w)
	}
}

// owe keeps a write for later, says so, and returns the error for its caller: ErrUnwritten or ErrLost.
func (m *Manager) owe(w *write, cause error) error {
	kept, isNew := m.owed.add(w)
	switch {
	case !kept:
		m.log.Error("not written down, and lost: too much is owed already", "act", w.act, "by", w.by.Actor, "err", cause)
		return errors.Join(ErrLost, cause)
	case isNew:
		m.log.Error("not written down; it is tried again", "act", w.act, "by", w.by.Actor, "err", cause)
	}
	return errors.Join(ErrUnwritten, cause)
}

// writeOwed writes what is owed, as far as the database takes it. A write that fails goes behind the others, so that it
// keeps none of them back.
func (m *Manager) writeOwed(ctx context.Context) error {
	failed := 0
	var why error
	for _, w := range m.owed.all() {
		err := w.do(ctx, w.by)
		switch {
		case ctx.Err() != nil:
			return err
		case errors.Is(err, store.ErrFailed):
			m.owed.putLast(w)
			why = fmt.Errorf("%s: %w", w.act, err)
			failed++
		default:
			if err != nil { // the store has an answer: what the act was about is gone meanwhile, or decided anew
				m.log.Warn("not written down, for it cannot apply any more", "act", w.act, "by", w.by.Actor, "err", err)
			}
			m.owed.drop(w)
		}
		if failed == mostFailed {
			break
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d acts, at last %w", failed, why)
	}
	return nil
}

// A Taking is an act that takes something away from users, devices or desks.
type Taking struct {
	Kind audit.Kind
	// From is whom it is taken from. One that names nobody is store.ErrInvalid, and nothing is done: it would stand for
	// every session.
	From store.SessionFilter
	// Do does it.
	Do Take
	// Owed is what of it takes away, if Do does more. Nothing else is written later: what was refused stays so.
	Owed Take
}

// A Take does something in the store and returns the sessions that stood on what it took away.
type Take func(context.Context, store.By) ([]store.Session, error)

// TakeAway takes something away, and returns the sessions that stood on it, which the caller ends with
// [Manager.EndAll] or [Manager.RevokeDevice]. When the database cannot write the act, the sessions are those that run
// as From says, and the error is ErrUnwritten or ErrLost: they must end all the same. Of acts of one kind about the
// same the newest is written later, unless something else was decided about it by then, through whichever gateway.
func (m *Manager) TakeAway(ctx context.Context, by store.By, t Taking) ([]store.Session, error) {
	f := t.From
	if f.User == "" && f.Device == "" && f.Desk == "" {
		return nil, fmt.Errorf("%w: it is taken away from nobody", store.ErrInvalid)
	}
	later := m.late(by)
	sessions, err := t.Do(ctx, by)
	if !errors.Is(err, store.ErrFailed) {
		return sessions, err
	}
	if t.Owed == nil {
		t.Owed = t.Do
	}
	unwritten := m.owe(&write{act: fmt.Sprintf("%s of %+v", t.Kind, f), by: later, do: func(ctx context.Context, by store.By) error {
		_, err := t.Owed(ctx, by)
		return err
	}}, err)
	running, err := m.cfg.Store.RunningSessions(ctx, f.Desk)
	if err != nil {
		return nil, errors.Join(unwritten, err)
	}
	for _, s := range running {
		if (f.User == "" || s.User == f.User) && (f.Device == "" || s.Device == f.Device) {
			sessions = append(sessions, s)
		}
	}
	return sessions, unwritten
}
