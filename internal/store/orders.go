package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/audit"
	"jiseki/internal/calendar"
	"jiseki/internal/telework"
)

const (
	// maxOrders is how many orders somebody may give a user in a day.
	maxOrders = 20
	// maxOrdered bounds the users of an order times its days: what is written at once, while nobody else writes.
	maxOrdered = 4000
)

// OrderTelework gives an order to several users: to all or to none. Who is refused keeps nobody from writing.
// Refusals are *telework.Refusal: not_yours, order_too_large, too_many_at_once, request_overlaps and what a day cannot be.
func (s *Store) OrderTelework(ctx context.Context, by By, kind telework.Kind, users []string, d telework.Draft) (given []telework.Request, err error) {
	if err := d.Check(kind); err != nil {
		return nil, err
	}
	if sorted := slices.Sorted(slices.Values(users)); len(users) == 0 || len(users) > maxIn || len(slices.Compact(sorted)) != len(users) {
		return nil, fmt.Errorf("%w: users of an order", ErrInvalid)
	}
	if len(users)*len(d.Days) > maxOrdered {
		return nil, forbid(access.OrderTooLarge, calendar.Date{})
	}
	o := order{by: by, kind: kind, users: users, draft: d}
	if err := o.read(ctx, s.read, s.Now()); err != nil {
		return nil, err
	}
	err = s.act(ctx, func(t *tx) error { // once more, for what has changed since
		if err := o.read(ctx, t, t.time()); err != nil {
			return err
		}
		given = o.given
		for i := range given {
			if err := t.giveOrder(&o, &given[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return given, err
}

// forbid is a refusal for one reason.
func forbid(code access.Code, day calendar.Date) error {
	return &telework.Refusal{Problems: []telework.Problem{{Code: code, Date: day, Forbids: true}}}
}

// An order is one for several users, as it is given.
type order struct {
	by    By
	kind  telework.Kind
	users []string
	draft telework.Draft

	chart telework.Organisation
	given []telework.Request // of each user
}

// read makes what is given of what is there, or the refusal: first whose superior it is, for that costs least. It asks
// a few times, however many the users and days are.
func (o *order) read(ctx context.Context, q querier, now time.Time) (err error) {
	if o.chart, err = readChart(ctx, q, calendar.DateOf(now)); err != nil {
		return err
	}
	if err := o.chart.MayOrder(o.by.user(), o.kind, o.users, &o.draft, now); err != nil {
		return err
	}
	if err := o.refuseFlood(ctx, q, now); err != nil {
		return err
	}
	days := o.draft.Days
	hours, err := readTimetables(ctx, q, o.users, days[0].Date, days[len(days)-1].Date)
	if err != nil {
		return err
	}
	taken, err := o.taken(ctx, q)
	if err != nil {
		return err
	}
	o.given = make([]telework.Request, 0, len(o.users))
	for _, user := range o.users {
		r, err := o.of(user, hours[user], taken[user], now)
		if err != nil {
			return err
		}
		o.given = append(o.given, r)
	}
	return nil
}

// of is the order to one user.
func (o *order) of(user string, hours calendar.Timetable, taken []telework.Cover, now time.Time) (telework.Request, error) {
	r := telework.Request{ID: newID(), User: user}
	d := o.draft
	d.Days = slices.Clone(d.Days)
	d.Fill(hours.On)
	for i := range d.Days {
		day := &d.Days[i]
		if day.From >= day.Until {
			return r, forbid(access.RequestDayOff, day.Date)
		}
		from, until := day.Span()
		if slices.ContainsFunc(taken, func(c telework.Cover) bool { return c.From.Before(until) && from.Before(c.Until) }) {
			return r, forbid(access.RequestOverlaps, day.Date)
		}
	}
	return r, r.Order(&o.chart, o.kind, o.by.user(), d, now)
}

// refuseFlood refuses more orders for a user than anybody means.
func (o *order) refuseFlood(ctx context.Context, q querier, now time.Time) error {
	ms := now.UnixMilli()
	where, args := of("user_id", o.users, o.by.user(), ms-aDay, ms, maxOrders)
	many, err := list(ctx, q, scanOne[string], `SELECT user_id FROM requests`+where+` AND by_user_id = $1
		AND created_ms > $2 AND created_ms <= $3 AND kind > 1 GROUP BY user_id HAVING COUNT(*) >= $4`, args...)
	if err == nil && len(many) > 0 {
		err = tooMany()
	}
	return err
}

// taken are the times for which users have an order of the kind, on the days of this one and beside them: an order goes on
// over midnight.
func (o *order) taken(ctx context.Context, q querier) (map[string][]telework.Cover, error) {
	var dates []string
	for i := range o.draft.Days {
		date := o.draft.Days[i].Date
		dates = append(dates, date.Add(-1).String(), date.String(), date.Add(1).String())
	}
	slices.Sort(dates)
	dates = slices.Compact(dates)
	where, args := of("d.date", dates, int64(o.kind))
	type times struct {
		user string
		telework.Cover
	}
	all, err := list(ctx, q, func(row scanner, x *times) error {
		var from, until int64
		err := row.Scan(&x.user, &from, &until)
		x.From, x.Until = time.UnixMilli(from), time.UnixMilli(until)
		return err
	}, `SELECT x.user_id, d.from_ms, d.until_ms FROM request_days d JOIN requests x ON x.id = d.request_id`+where+`
		AND x.state = 2 AND x.kind = $1`, args...)
	of := map[string][]telework.Cover{}
	for _, x := range all {
		of[x.user] = append(of[x.user], x.Cover)
	}
	return of, err
}

// readTimetables reads when users work, from a day to another.
func readTimetables(ctx context.Context, q querier, users []string, from, until calendar.Date) (map[string]calendar.Timetable, error) {
	o, err := get(ctx, q, scanOrganisation, selectOrganisation)
	if err != nil {
		return nil, err
	}
	days, err := readDays(ctx, q, from, until)
	if err != nil {
		return nil, err
	}
	own, err := readHours(ctx, q, users...)
	all := make(map[string]calendar.Timetable, len(users))
	for _, user := range users {
		all[user] = calendar.Timetable{Days: days, Usual: o.Settings.Policy.Hours, Own: own[user]}
	}
	return all, err
}

func (t *tx) giveOrder(o *order, r *telework.Request) error {
	if err := t.saveRequest(r, 0); err != nil {
		return err
	}
	if err := t.tell(&o.chart, r, "order_given", o.by.user(), r.User); err != nil {
		return err
	}
	head := r.Steps[0].For
	if head != "" {
		if err := t.tell(&o.chart, r, "request_decided_for_you", o.by.user(), head); err != nil {
			return err
		}
	}
	return t.recordRequest(o.by, audit.OrderGiven, r, audit.Details{"kind": orderName(o.kind), "for": head})
}

func orderName(k telework.Kind) string {
	if k == telework.OvertimeOrder {
		return "overtime"
	}
	return "telework"
}
