package store

import (
	"context"
	"errors"
	"iter"
	"strconv"

	"jiseki/internal/audit"
)

// EventFilter narrows a list of events; empty fields do not.
type EventFilter struct {
	Kind    audit.Kind
	Actor   string
	Subject string
	Session []byte
	FromMS  int64 // included
	UntilMS int64 // excluded
}

const selectEvent = `SELECT number, time_ms, kind, actor, subject, session, outcome, code, details, hash FROM events`

func scanEvent(row scanner, e *audit.Event) error {
	var number int64
	var hash []byte
	err := row.Scan(&number, &e.TimeMS, &e.Kind, &e.Actor, &e.Subject, &e.Session, &e.Outcome, &e.Code, &e.Details, &hash)
	e.Number = uint64(number) //nolint:gosec // a negative number shows as a gap
	copy(e.Hash[:], hash)
	return err
}

// Events lists events, newest first.
func (s *Store) Events(ctx context.Context, f EventFilter, p Page) (events []audit.Event, next string, err error) {
	before := int64(1) << 62
	if p.After != "" {
		if before, err = strconv.ParseInt(p.After, 10, 64); err != nil {
			return nil, "", ErrInvalid
		}
	}
	where := where{text: ` WHERE number < $1`, args: []any{before}}
	where.is("kind", string(f.Kind))
	where.is("actor", f.Actor)
	where.is("subject", f.Subject)
	if f.Session != nil {
		where.and("session =", f.Session)
	}
	if err := s.between(ctx, &where, f.FromMS, f.UntilMS); err != nil {
		return nil, "", err
	}
	where.first("number DESC", p.limit()+1)
	all, err := list(ctx, s.read, scanEvent, selectEvent+where.text, where.args...)
	events, next = cut(all, p, func(e *audit.Event) string { return strconv.FormatUint(e.Number, 10) })
	return events, next, err
}

// between narrows a list of events to those from a time until another, 0 is none, by their numbers: times never go back.
func (s *Store) between(ctx context.Context, w *where, fromMS, untilMS int64) error {
	for _, end := range []struct {
		ms int64
		is string
	}{{fromMS, "number >="}, {untilMS, "number <"}} {
		if end.ms == 0 {
			continue
		}
		first, err := get(ctx, s.read, scanOne[int64], `SELECT number FROM events WHERE time_ms >= $1 ORDER BY time_ms, number LIMIT 1`, end.ms)
		if errors.Is(err, ErrNotFound) { // all are older
			first, err = 1<<62, nil
		}
		if err != nil {
			return err
		}
		w.and(end.is, first)
	}
	return nil
}

// EventsFrom yields the events from a number on, in order, in parts, so that a long log needs no memory and holds no
// transaction open.
func (s *Store) EventsFrom(ctx context.Context, number uint64) iter.Seq2[audit.Event, error] {
	const part = 1000
	return func(yield func(audit.Event, error) bool) {
		from := int64(number) //nolint:gosec // numbers are below 2^63
		for {
			events, err := list(ctx, s.read, scanEvent, selectEvent+` WHERE number >= $1 ORDER BY number LIMIT $2`, from, part)
			if err != nil {
				yield(audit.Event{}, err)
				return
			}
			for i := range events {
				if !yield(events[i], nil) {
					return
				}
			}
			if len(events) < part {
				return
			}
			from = int64(events[len(events)-1].Number) + 1 //nolint:gosec // numbers are below 2^63
		}
	}
}

// Head reads the head of the chain.
func (s *Store) Head(ctx context.Context) (audit.Mark, error) {
	return get(ctx, s.read, func(row scanner, m *audit.Mark) error {
		var number int64
		var hash []byte
		err := row.Scan(&number, &m.TimeMS, &hash)
		m.Number = uint64(number) //nolint:gosec // counts from 0
		copy(m.Hash[:], hash)
		return err
	}, `SELECT number, time_ms, hash FROM chain_head WHERE id = 1`)
}

// KindsAfter names the kinds of the events after one, in order, at most limit.
func (s *Store) KindsAfter(ctx context.Context, number uint64, limit int) ([]audit.Kind, error) {
	return list(ctx, s.read, func(row scanner, k *audit.Kind) error { return row.Scan(k) },
		`SELECT kind FROM events WHERE number > $1 ORDER BY number LIMIT $2`, int64(number), limit) //nolint:gosec // below 2^63
}

// VerifyEvents checks the whole chain, as long as it is when the check ends, against the head row and heads kept
// elsewhere.
func (s *Store) VerifyEvents(ctx context.Context, against audit.Against) (audit.Report, error) {
	var head audit.Mark
	against.Stored = &head
	return audit.Verify(func(yield func(audit.Event, error) bool) {
		for last, next := uint64(0), uint64(0); ; next = last + 1 {
			for e, err := range s.EventsFrom(ctx, next) {
				if !yield(e, err) {
					return
				}
				last = e.Number
			}
			var err error
			if head, err = s.Head(ctx); err != nil {
				yield(audit.Event{}, err)
				return
			}
			if head.Number <= last || last < next { // all is read, or what the head knows of is not there
				return
			}
		}
	}, against)
}
