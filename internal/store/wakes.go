package store

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"jiseki/internal/audit"
	"jiseki/internal/calendar"
	"jiseki/internal/telework"
)

// WakeState is how far the waking of a desk is. The numbers are those of the control API.
type WakeState int64

// The states. They only go up, but that On and Failed are both ends.
const (
	WakeQueued WakeState = 1 // waits for its turn, or for a waker
	WakeSent   WakeState = 2 // a waker has sent the packets
	WakeOn     WakeState = 3 // the desk has answered
	WakeFailed WakeState = 4
)

// Wake is one waking of a desk.
type Wake struct {
	ID        string
	Desk      string
	DeskName  string // read only
	State     WakeState
	By        string // actor
	ByName    string // read only; empty unless a user asked
	Plan      string // which entry of the morning plan; empty: somebody asked
	AskedMS   int64
	PatientMS int64 // until when it is put up with that no waker is awake
	NextMS    int64 // when the next step is due
	SentMS    int64 // first sent
	EndedMS   int64
	Waker     string   // desk id of the last that sent, empty if none
	WakerName string   // read only
	Tried     []string // desk ids of wakers in the order in which they sent or failed, the last last
	Failure   string   // reason code
}

// WakeAsk asks for the waking of a desk.
type WakeAsk struct {
	Desk      string
	Plan      string // at most one wake with the same plan is ever made; empty: no plan
	FirstMS   int64  // not before: a bulk is staggered
	PatientMS int64
}

const selectWake = `SELECT w.id, w.desk_id, k.name, w.state, w.by_actor,
	COALESCE((SELECT u.name FROM users u WHERE w.by_actor = 'user:' || u.id), ''), w.plan, w.asked_ms, w.patient_ms, w.next_ms, w.sent_ms,
	w.ended_ms, w.waker, COALESCE((SELECT x.name FROM desks x WHERE x.id = w.waker), ''), w.tried, w.failure
	FROM wakes w JOIN desks k ON k.id = w.desk_id`

func scanWake(row scanner, w *Wake) error {
	var tried string
	err := row.Scan(&w.ID, &w.Desk, &w.DeskName, &w.State, &w.By, &w.ByName, &w.Plan, &w.AskedMS, &w.PatientMS, &w.NextMS, &w.SentMS,
		&w.EndedMS, &w.Waker, &w.WakerName, &tried, &w.Failure)
	w.Tried = split(tried)
	return err
}

// AskWakes queues wakes, all or none. A desk that is being woken already keeps its wake, and a plan that was carried
// out is not carried out again: then there is no event. It returns the newest wake of each desk, in the order of asks.
func (s *Store) AskWakes(ctx context.Context, by By, asks ...WakeAsk) ([]Wake, error) {
	err := s.act(ctx, func(t *tx) error {
		for some := range slices.Chunk(asks, maxIn) {
			if err := t.askWakes(by, some); err != nil {
				return err
			}
		}
		if t.recorded == 0 {
			return errUnchanged
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	wakes := make([]Wake, len(asks))
	for i := range asks {
		if wakes[i], err = s.NewestWake(ctx, asks[i].Desk); err != nil {
			return nil, err
		}
	}
	return wakes, nil
}

// askWakes does it for at most maxIn desks.
func (t *tx) askWakes(by By, asks []WakeAsk) error {
	names, err := t.deskNames(asks)
	if err != nil {
		return err
	}
	byID, ids := map[string]*WakeAsk{}, []string{}
	for i := range asks {
		ask := &asks[i]
		if names[ask.Desk] == "" {
			return ErrNotFound
		}
		id := newID()
		ids, byID[id] = append(ids, id), ask
		t.put(`INSERT INTO wakes (id, desk_id, state, by_actor, plan, asked_ms, patient_ms, next_ms, sent_ms, ended_ms, waker, tried,
			failure, claimed_by, claimed_until_ms) VALUES ($1, $2, 1, $3, $4, $5, $6, $7, 0, 0, '', '', '', '', 0) ON CONFLICT DO NOTHING`,
			id, ask.Desk, by.Actor, ask.Plan, t.now, ask.PatientMS, ask.FirstMS)
	}
	if err := t.flush(); err != nil {
		return err
	}
	where, args := of("id", ids)
	kept, err := list(t.ctx, t, scanOne[string], `SELECT id FROM wakes`+where, args...)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if !slices.Contains(kept, id) {
			continue // it is being woken, or was by this plan
		}
		desk := byID[id].Desk
		err := t.record(by.entry(audit.DeskWakeAsked, "desk:"+desk, audit.Details{
			"wake": id, "plan": byID[id].Plan, "name": audit.Cut(names[desk], 200),
		}))
		if err != nil {
			return err
		}
	}
	return nil
}

// deskNames are those of the desks that are asked for and in service.
func (t *tx) deskNames(asks []WakeAsk) (map[string]string, error) {
	ids := make([]string, len(asks))
	for i := range asks {
		ids[i] = asks[i].Desk
	}
	where, args := of("id", ids)
	found, err := list(t.ctx, t, func(row scanner, d *[2]string) error { return row.Scan(&d[0], &d[1]) },
		`SELECT id, name FROM desks`+where+` AND deleted_ms = 0`, args...)
	names := make(map[string]string, len(found))
	for _, d := range found {
		names[d[0]] = d[1]
	}
	return names, err
}

// dueWakes are the wakes whose next step is due and that nobody does: $1 is now, $2 is the latest time of a right
// clock: what was asked later is due at once.
const dueWakes = ` WHERE state < 3 AND (next_ms <= $1 OR asked_ms > $2) AND (claimed_until_ms <= $1 OR claimed_until_ms > $2)`

// WakesDue says whether a wake's next step is due and nobody does it.
func (s *Store) WakesDue(ctx context.Context) (due bool, err error) {
	now := s.Now()
	return get(ctx, s.read, scanOne[bool],
		`SELECT EXISTS (SELECT 1 FROM wakes`+dueWakes+`)`, now.UnixMilli(), latest(now))
}

// ClaimWakes takes wakes whose next step is due, at most so many, for a gateway and for so long: no other gateway gets
// them meanwhile. StepWake and EndWake give them back.
func (s *Store) ClaimWakes(ctx context.Context, gateway string, hold time.Duration, most int) (claimed []Wake, err error) {
	err = s.transact(ctx, func(t *tx) error {
		ids, err := list(ctx, t, scanOne[string],
			`UPDATE wakes SET claimed_by = $3, claimed_until_ms = $4`+dueWakes+`
			AND id IN (SELECT id FROM wakes`+dueWakes+` ORDER BY next_ms, id LIMIT $5) RETURNING id`,
			t.now, latest(t.time()), gateway, t.now+hold.Milliseconds(), most)
		if err != nil {
			return err
		}
		for _, id := range ids {
			w, err := get(ctx, t, scanWake, selectWake+` WHERE w.id = $1`, id)
			if err != nil {
				return err
			}
			claimed = append(claimed, w)
		}
		return nil
	})
	return claimed, err
}

// StepWake keeps a step that did not end the wake and gives it back: State, NextMS, SentMS, Waker, Tried. A desk that
// came while the step was done stays on. ErrStale if the wake is another gateway's.
func (s *Store) StepWake(ctx context.Context, gateway string, w Wake) error {
	return s.transact(ctx, func(t *tx) error {
		n, err := t.count(`UPDATE wakes SET state = CASE WHEN state < 3 THEN $3 ELSE state END, next_ms = $4, sent_ms = $5, waker = $6, tried = $7,
			claimed_by = '', claimed_until_ms = 0 WHERE id = $1 AND claimed_by = $2`, w.ID, gateway, int64(w.State), w.NextMS, w.SentMS, w.Waker, strings.Join(w.Tried, ","))
		if err == nil && n == 0 {
			return ErrStale
		}
		return err
	})
}

// EndWake ends a wake: with a code if it did not work, without one if the desk is on. ErrStale if it has ended
// meanwhile or is another gateway's.
func (s *Store) EndWake(ctx context.Context, gateway, id, code string) error {
	state := WakeOn
	if code != "" {
		state = WakeFailed
	}
	return s.act(ctx, func(t *tx) error {
		var desk string
		err := t.one(`UPDATE wakes SET state = $5, ended_ms = $3, failure = $4, claimed_by = '', claimed_until_ms = 0
			WHERE id = $1 AND claimed_by = $2 AND state < 3 RETURNING desk_id`, []any{id, gateway, t.now, code, int64(state)}, &desk)
		if errors.Is(err, ErrNotFound) {
			return ErrStale
		}
		if err != nil {
			return err
		}
		e := By{Actor: "gateway:" + gateway}.entry(audit.DeskWakeEnded, "desk:"+desk, audit.Details{"wake": id})
		if code != "" {
			e.Outcome, e.Code = audit.Failed, code
		}
		return t.record(e)
	})
}

// awake ends the running wake of a desk that has connected.
func (t *tx) awake(desk string) error {
	var id string
	var asked int64
	err := t.one(`UPDATE wakes SET state = 3, ended_ms = $2 WHERE desk_id = $1 AND state < 3 RETURNING id, asked_ms`,
		[]any{desk, t.now}, &id, &asked)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return t.record(By{Actor: "desk:" + desk}.entry(audit.DeskWakeEnded, "desk:"+desk, audit.Details{"wake": id, "after_ms": t.now - asked}))
}

// Wake reads a wake.
func (s *Store) Wake(ctx context.Context, id string) (Wake, error) {
	return get(ctx, s.read, scanWake, selectWake+` WHERE w.id = $1`, id)
}

// NewestWake reads the running wake of a desk, or else the newest: ErrNotFound if there was none.
func (s *Store) NewestWake(ctx context.Context, desk string) (Wake, error) {
	return get(ctx, s.read, scanWake, selectWake+` WHERE w.desk_id = $1 ORDER BY w.state < 3 DESC, w.asked_ms DESC, w.state, w.id LIMIT 1`, desk)
}

// Wakes lists wakes, the newest first.
func (s *Store) Wakes(ctx context.Context, p Page) (wakes []Wake, next string, err error) {
	before, id, err := parsePlace(p.After)
	if err != nil {
		return nil, "", err
	}
	all, err := list(ctx, s.read, scanWake, selectWake+` WHERE (w.asked_ms, w.id) < ($1, $2) ORDER BY w.asked_ms DESC, w.id DESC LIMIT $3`,
		before, id, p.limit()+1)
	wakes, next = cut(all, p, func(w *Wake) string { return place(w.AskedMS, w.ID) })
	return wakes, next, err
}

// DeskCover is an approved time of a user of a desk.
type DeskCover struct {
	telework.Cover
	Desk, User string
}

// DeskCovers lists the approved times of all desks' users that overlap a time, by desk and in order.
func (s *Store) DeskCovers(ctx context.Context, from, until time.Time) ([]DeskCover, error) {
	return list(ctx, s.read, func(row scanner, c *DeskCover) error {
		var fromMS, untilMS int64
		err := row.Scan(&c.Desk, &c.User, &c.Request, &c.Kind, &fromMS, &untilMS, &c.Place)
		c.From, c.Until = time.UnixMilli(fromMS).In(calendar.JST), time.UnixMilli(untilMS).In(calendar.JST)
		return err
	}, `SELECT k.id, r.user_id, d.request_id, r.kind, d.from_ms, d.until_ms, r.place
		FROM request_days d JOIN requests r ON r.id = d.request_id JOIN desk_users du ON du.user_id = r.user_id JOIN desks k ON k.id = du.desk_id
		WHERE r.state = 2 AND k.deleted_ms = 0 AND d.from_ms < $2 AND d.until_ms > $1 AND d.date >= $3 AND d.date <= $4
		ORDER BY k.id, d.from_ms, d.request_id`, overlapping(from, until)...)
}
