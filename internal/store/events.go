package store

import (
	"context"
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
	until := f.UntilMS
	if until == 0 {
		until = 1 << 62
	}
	all, err := list(ctx, s.read, scanEvent, selectEvent+` WHERE number < $1 AND ($2 = '' OR kind = $2) AND ($3 = '' OR actor = $3)
		AND ($4 = '' OR subject = $4) AND (CAST($5 AS BYTEA) IS NULL OR session = $5) AND time_ms >= $6 AND time_ms < $7
		ORDER BY number DESC LIMIT $8`, before, string(f.Kind), f.Actor, f.Subject, f.Session, f.FromMS, until, p.limit()+1)
	events, next = cut(all, p, func(e *audit.Event) string { return strconv.FormatUint(e.Number, 10) })
	return events, next, err
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
