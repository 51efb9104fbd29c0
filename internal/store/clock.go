package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"jiseki/internal/mail"
)

// Skew is how far the clocks of two gateways on one database may be apart.
const Skew = time.Minute

// maxOff is how far a gateway's clock may be from the middle of all. Two that are as far from it on either side are
// within [Skew]: each measures itself against the database's clock with an error of half a [queryTime] at most, and the
// middle was measured so too.
const maxOff = Skew/2 - queryTime

// countsFor is how long after its last sign of life a gateway's clock counts, in milliseconds of the database's clock.
const countsFor = 45_000

// ErrClock means that the gateway's clock is wrong, and that what was asked for would give somebody something by it.
var ErrClock = errors.New("store: the gateway's clock is wrong")

// Since is how long ago a stored time was. One that is ahead of now by more than [Skew] was stamped by a clock that was
// ahead and has been put right since. It counts as for ever ago: nobody waits for it, and nothing lives on it.
func Since(now time.Time, ms int64) time.Duration {
	ago := now.Sub(time.UnixMilli(ms))
	if ago < -Skew {
		return math.MaxInt64
	}
	return ago
}

// latest is the latest time that a right clock can have stamped.
func latest(now time.Time) int64 { return now.Add(Skew).UnixMilli() }

// lately says whether a stored time lies at most life milliseconds back.
func (t *tx) lately(ms, life int64) bool { return Since(t.time(), ms).Milliseconds() <= life }

// Now is the time to go by: that of the gateway's clock, or, while that is wrong, what the clocks of the gateways on
// this database say.
func (s *Store) Now() time.Time { return s.own().Add(-s.off()) }

// off is by how much our clock is ahead of what it should be, as the last look at it told; 0 while it is right.
func (s *Store) off() time.Duration { return time.Duration(s.offMS.Load()) * time.Millisecond }

// CheckClock looks at the gateway's clock: ErrClock while it is wrong.
func (s *Store) CheckClock(ctx context.Context) error {
	if _, err := s.look(ctx, s.read); err != nil {
		return err
	}
	if off := s.off(); off != 0 {
		return fmt.Errorf("%w by %s", ErrClock, off)
	}
	return nil
}

// A reading is one look at the clocks, in milliseconds; zero where no clock is held against others.
type reading struct {
	database int64 // the database's
	ahead    int64 // by how much ours is ahead of the database's
}

// look reads the database's clock and how far the other gateways' clocks were ahead of it when they last looked, and
// finds out whether ours is wrong.
func (s *Store) look(ctx context.Context, q querier) (reading, error) {
	if s.gateway == "" { // nobody else goes by what we stamp
		return reading{}, nil
	}
	type row struct {
		now   int64
		ahead *int64
	}
	scan := func(r scanner, v *row) error { return r.Scan(&v.now, &v.ahead) }
	began := s.own()
	rows, err := list(ctx, q, scan, `WITH c AS (SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) AS ms)
		SELECT c.ms, g.ahead_ms FROM c LEFT JOIN gateways g ON g.id <> $1 AND g.seen_ms BETWEEN c.ms - $2 AND c.ms + $2`,
		s.gateway, countsFor)
	if err != nil {
		return reading{}, fmt.Errorf("look at the clocks: %w", err)
	}
	ended := s.own()
	r := reading{database: rows[0].now}
	r.ahead = ended.Add(-ended.Sub(began)/2).UnixMilli() - r.database
	var others []int64
	for _, v := range rows {
		if v.ahead != nil {
			others = append(others, *v.ahead)
		}
	}
	s.offMS.Store(offMiddle(r.ahead, others))
	return r, nil
}

// offMiddle is by how much a gateway's clock is ahead of the middle of all, 0 if that is within bounds. Clocks are told by how
// far they are ahead of the database's, which is asked only when there is no middle without it: of two gateways that
// differ it says which one is wrong, and a gateway by itself goes by its own.
func offMiddle(ours int64, others []int64) int64 {
	all := append(slices.Clone(others), ours)
	if len(all)%2 == 0 {
		all = append(all, 0) // the database's
	}
	slices.Sort(all)
	off := ours - all[len(all)/2]
	if max(off, -off) <= maxOff.Milliseconds() {
		return 0
	}
	return off
}

// TellClock tells administrators that the clock of this gateway is wrong, once a day.
func (s *Store) TellClock(ctx context.Context, gateway string) error {
	return s.run(ctx, func(t *tx) error {
		return t.tellAdmins(mail.Notice{Kind: "gateway_clock", Args: map[string]string{"gateway": gateway}}, gateway)
	})
}
