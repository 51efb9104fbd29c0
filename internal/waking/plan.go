package waking

import (
	"slices"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/calendar"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/telework"
)

const (
	// ahead is how far a plan looks.
	ahead = 8 * 24 * time.Hour
	// ownTimer is how much earlier than its neighbours' packets the desk's own timer wakes it: then no packet is
	// needed.
	ownTimer = 3 * time.Minute
	// late is how long after the beginning of work the morning plan still wakes a desk.
	late = 15 * time.Minute
	// remindBefore the end of hours the reminder begins; it ends at remindUntil.
	remindBefore = 30 * time.Minute
	remindUntil  = 22 * 60
	// maxWakes is how many times a plan order names.
	maxWakes = 16
)

// wakeTimes are when a desk is woken for approved times: lead before each begins, each time once.
func wakeTimes(covers []telework.Cover, lead time.Duration) []time.Time {
	var times []time.Time
	for _, c := range covers {
		if at := c.From.Add(-lead); !slices.ContainsFunc(times, at.Equal) {
			times = append(times, at)
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	return times
}

// dueWake is the time of the morning plan that a desk has to be woken for now, if there is one.
func dueWake(times []time.Time, lead time.Duration, now time.Time) (time.Time, bool) {
	for _, at := range times {
		if !now.Before(at) && now.Before(at.Add(lead+late)) {
			return at, true
		}
	}
	return time.Time{}, false
}

// order is what an agent is told: when its own timer wakes the machine, and what to do after sessions. The reminder is
// added by remind.
func order(times []time.Time, after access.PowerAfter, now time.Time) *controlv1.PlanOrder {
	o := &controlv1.PlanOrder{After: uint32(after)}
	for _, at := range times {
		if own := at.Add(-ownTimer); own.After(now) && len(o.WakeMs) < maxWakes {
			o.WakeMs = append(o.WakeMs, own.UnixMilli())
		}
	}
	return o
}

// reminder is when a desk reminds its user today: from half an hour before the end of work, on the last working day
// before an approved day, unless the user teleworks at the end of today as well.
func reminder(covers []telework.Cover, hours *calendar.Timetable, now time.Time) (from, until time.Time, ok bool) {
	today := calendar.DateOf(now)
	h := hours.On(today)
	if !h.Works() {
		return from, until, false
	}
	end := today.At(h.End)
	var next calendar.Date
	for _, c := range covers {
		if !c.From.After(end) && !c.Until.Before(end) {
			return from, until, false
		}
		if d := calendar.DateOf(c.From); today.Before(d) && (next.IsZero() || d.Before(next)) {
			next = d
		}
	}
	if next.IsZero() {
		return from, until, false
	}
	for d := today.Add(1); d.Before(next); d = d.Add(1) {
		if hours.On(d).Works() {
			return from, until, false
		}
	}
	from, until = end.Add(-remindBefore), today.At(remindUntil)
	return from, until, from.Before(until)
}
