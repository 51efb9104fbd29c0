package telework

import (
	"time"

	"jiseki/internal/access"
	"jiseki/internal/calendar"
)

// backDays is how far back a request after the fact may reach; aheadDays how far ahead any may.
const (
	backDays  = 31
	aheadDays = 366
)

// Rules are what policy and calendar say of one user's requests. Make them with RulesOf.
type Rules struct {
	Telework        bool
	DaysPerWeek     int // 7: no limit
	ApplySet        bool
	ApplyDaysBefore int // open days
	ApplyMinute     int
	DaysOff         bool // requests for days without work
	PersonalData    bool // may be handled away from the hall
	AfterFact       bool // for sudden illness and disasters
	Emergency       bool // lifts the limits of days and times
	Registration    bool // the yearly registration must be valid
	RegisteredUntil calendar.Date
	Timetable       calendar.Timetable
}

// RulesOf takes the strictest of the policies that hold for one user, one for each zone in which the user has a desk.
// Without any, nothing is allowed.
func RulesOf(policies []access.Policy, emergency bool, until calendar.Date, timetable calendar.Timetable) Rules {
	r := Rules{Emergency: emergency, RegisteredUntil: until, Timetable: timetable, DaysPerWeek: 7}
	for i, p := range policies {
		first := i == 0
		r.Telework = p.Telework && (first || r.Telework)
		r.DaysOff = p.DaysOff && (first || r.DaysOff)
		r.PersonalData = p.PersonalData && (first || r.PersonalData)
		r.AfterFact = p.AfterFact && (first || r.AfterFact)
		r.Registration = p.Registration || r.Registration
		r.DaysPerWeek = min(r.DaysPerWeek, p.DaysPerWeek)
		r.addApply(&p)
	}
	return r
}

func (r *Rules) addApply(p *access.Policy) {
	if !p.ApplySet {
		return
	}
	earlier := p.ApplyDaysBefore > r.ApplyDaysBefore || (p.ApplyDaysBefore == r.ApplyDaysBefore && p.ApplyMinute < r.ApplyMinute)
	if !r.ApplySet || earlier {
		r.ApplySet, r.ApplyDaysBefore, r.ApplyMinute = true, p.ApplyDaysBefore, p.ApplyMinute
	}
}

// Latest is when a day has to be applied for at the latest; the zero time: whenever.
func (r *Rules) Latest(d calendar.Date) time.Time {
	if !r.ApplySet || r.Emergency {
		return time.Time{}
	}
	before := r.Timetable.Days.OpenBefore(d, r.ApplyDaysBefore)
	if before.IsZero() {
		return time.Time{}
	}
	return before.At(r.ApplyMinute)
}

// WeekLimit is how many days a week may be asked for; 0: no limit.
func (r *Rules) WeekLimit() int {
	if r.Emergency || r.DaysPerWeek >= 7 {
		return 0
	}
	return r.DaysPerWeek
}

// Taken is a day that the user has asked for already, in a request that waits or was approved.
type Taken struct {
	Request string
	Kind    Kind
	Day     Day
}

// Check says what policy says of a draft whose form was checked and whose hours were filled in, the days in order.
// former are the days of the request that the draft changes: what was in time then is in time now. others are the
// user's other days.
func (r *Rules) Check(d *Draft, now time.Time, former []Day, others []Taken) []Problem {
	var all []Problem
	add := func(code access.Code, day calendar.Date, n int, forbids bool) {
		all = append(all, Problem{Code: code, N: n, Date: day, Forbids: forbids})
	}
	if !r.Telework {
		add(access.RequestRefused, calendar.Date{}, 0, true)
	}
	if d.PersonalData && !r.PersonalData {
		add(access.RequestPersonalData, calendar.Date{}, 0, true)
	}
	for i := range d.Days {
		day := &d.Days[i]
		if code := r.tooLate(d, day, now, former); code != "" {
			add(code, day.Date, 0, true)
		}
		if day.Date.At(0).After(now.AddDate(0, 0, aheadDays)) {
			add(access.RequestTooFar, day.Date, 0, true)
		}
		if code, forbids := r.offHours(day); code != "" {
			add(code, day.Date, 0, forbids)
		}
		if overlaps(day, others) {
			add(access.RequestOverlaps, day.Date, 0, true)
		}
		if r.Registration && r.RegisteredUntil.Before(day.Date) {
			add(access.RequestUnregistered, day.Date, 0, false)
		}
	}
	for _, monday := range r.fullWeeks(d, others) {
		add(access.RequestTooMany, monday, r.DaysPerWeek, true)
	}
	return all
}

// tooLate: a day that has begun, or whose time to apply has passed. What the request asked for before is not asked
// anew.
func (r *Rules) tooLate(d *Draft, day *Day, now time.Time, former []Day) access.Code {
	for _, f := range former {
		if f.Date == day.Date && f.From <= day.From {
			return ""
		}
	}
	sudden := r.Emergency || (r.AfterFact && d.Reason.sudden())
	from, _ := day.Span()
	if !now.Before(from) {
		if sudden && calendar.DateOf(now).Add(-backDays).Before(day.Date.Add(1)) {
			return ""
		}
		return access.RequestAfterFact
	}
	if latest := r.Latest(day.Date); !sudden && !latest.IsZero() && now.After(latest) {
		return access.RequestLate
	}
	return ""
}

// offHours: a whole or half day on a day without work has no hours at all; other times on such a day take policy or an
// emergency.
func (r *Rules) offHours(day *Day) (code access.Code, forbids bool) {
	hours := r.Timetable.On(day.Date)
	switch {
	case day.From == day.Until:
		return access.RequestDayOff, true
	case !hours.Works():
		return access.RequestDayOff, !r.DaysOff && !r.Emergency
	case day.From < hours.Start || day.Until > hours.End:
		return access.RequestOutsideHours, false
	}
	return "", false
}

func overlaps(day *Day, others []Taken) bool {
	from, until := day.Span()
	for _, o := range others {
		f, u := o.Day.Span()
		if o.Kind == Telework && f.Before(until) && from.Before(u) {
			return true
		}
	}
	return false
}

// fullWeeks are the Mondays of weeks in which the draft asks for more days than allowed. Orders do not count.
func (r *Rules) fullWeeks(d *Draft, others []Taken) []calendar.Date {
	limit := r.WeekLimit()
	if limit == 0 {
		return nil
	}
	days := map[calendar.Date]map[calendar.Date]bool{}
	count := func(day calendar.Date) int {
		week := days[day.Monday()]
		if week == nil {
			week = map[calendar.Date]bool{}
			days[day.Monday()] = week
		}
		week[day] = true
		return len(week)
	}
	for _, o := range others {
		if o.Kind == Telework {
			count(o.Day.Date)
		}
	}
	var full []calendar.Date
	for i := range d.Days {
		monday := d.Days[i].Date.Monday()
		if count(d.Days[i].Date) > limit && (len(full) == 0 || full[len(full)-1] != monday) {
			full = append(full, monday)
		}
	}
	return full
}

// Forbidden is the refusal of a draft for the problems that forbid it, or nil.
func Forbidden(problems []Problem) error {
	var no Refusal
	for _, p := range problems {
		if p.Forbids {
			no.Problems = append(no.Problems, p)
		}
	}
	if len(no.Problems) == 0 {
		return nil
	}
	return &no
}
