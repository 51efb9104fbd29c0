package access

import (
	"time"

	"jiseki/internal/calendar"
)

// Late night (深夜) is from 22:00 to 5:00, as in article 37 of the Labour Standards Act; minutes after midnight.
const (
	nightEnds   = 5 * 60
	nightBegins = 22 * 60
	dayEnds     = 24 * 60
)

// span is a time with its beginning and without its end.
type span struct{ from, until time.Time }

// reach is the end of the time without a gap that t lies in, when spans follow or overlap each other; zero if t lies in
// none.
func reach(t time.Time, spans []span) time.Time {
	end := t
	for grown := true; grown; {
		grown = false
		for _, s := range spans {
			if !s.from.After(end) && end.Before(s.until) {
				end, grown = s.until, true
			}
		}
	}
	if end.Equal(t) {
		return time.Time{}
	}
	return end
}

// refusesOutside makes a rule of times: it refuses when they bind and now lies in none of them.
func refusesOutside(times func(*Input) ([]span, bool)) func(*Input) bool {
	return func(in *Input) bool {
		spans, binds := times(in)
		return binds && reach(in.Now, spans).IsZero()
	}
}

// bound: policy of times holds away from the hall, as long as no emergency is declared.
func (in *Input) bound() bool { return in.away() && !in.Settings.Emergency }

// registration is until the end of the yearly registration.
func (in *Input) registration() ([]span, bool) {
	var spans []span
	if !in.RegisteredUntil.IsZero() {
		spans = []span{{time.Time{}, in.RegisteredUntil.At(dayEnds)}}
	}
	return spans, in.bound() && in.Policy.Registration
}

// approval is when telework is approved or ordered; with ApprovalOutsideHours also the working hours.
func (in *Input) approval() ([]span, bool) {
	spans := in.covers(CoverRequest, CoverOrder, CoverOvertime)
	if in.Policy.Approval == ApprovalOutsideHours {
		spans = append(spans, in.plainHours()...)
	}
	return spans, in.bound() && in.Policy.Approval != ApprovalNever
}

func (in *Input) lacksApproval() bool { return refusesOutside((*Input).approval)(in) }

// approvedElsewhere: there is an approval for now, but for a satellite office.
func (in *Input) approvedElsewhere() bool {
	for _, c := range in.Covers {
		if !in.Now.Before(c.From) && in.Now.Before(c.Until) && !in.holds(&c) {
			return true
		}
	}
	return false
}

// hours are the working hours and what overtime was ordered around them. They bind where sessions end with them. A day
// off as a whole is inside: what holds on it is for workdays to say.
func (in *Input) hours() ([]span, bool) {
	spans := in.workingHours()
	for i, h := range in.Hours {
		if d := calendar.DateOf(in.Now).Add(i); !h.Works() {
			spans = append(spans, span{d.At(0), d.At(dayEnds)})
		}
	}
	return spans, in.bound() && in.Policy.AtEnd != EndNothing && in.Policy.AtEnd != EndWarn
}

func (in *Input) workingHours() []span { return append(in.plainHours(), in.covers(CoverOvertime)...) }

func (in *Input) plainHours() []span {
	var spans []span
	for i, h := range in.Hours {
		if d := calendar.DateOf(in.Now).Add(i); h.Works() {
			spans = append(spans, span{d.At(h.Start), d.At(h.End)})
		}
	}
	return spans
}

// workdays are the days on which the user works, and whatever was approved or ordered on others.
func (in *Input) workdays() ([]span, bool) {
	spans := in.covers(CoverRequest, CoverOrder, CoverOvertime)
	for i, h := range in.Hours {
		if d := calendar.DateOf(in.Now).Add(i); h.Works() {
			spans = append(spans, span{d.At(0), d.At(dayEnds)})
		}
	}
	return spans, in.bound() && !in.Policy.DaysOff
}

// daytime is from 5 to 22, and the overtime that was ordered outside of it.
func (in *Input) daytime() ([]span, bool) {
	spans := in.covers(CoverOvertime)
	for i := range in.Hours {
		d := calendar.DateOf(in.Now).Add(i)
		spans = append(spans, span{d.At(nightEnds), d.At(nightBegins)})
	}
	return spans, in.bound() && !in.Policy.Night
}

// covers are the times of some kinds of covers that hold at this place.
func (in *Input) covers(kinds ...CoverKind) []span {
	var spans []span
	for _, c := range in.Covers {
		for _, k := range kinds {
			if c.Kind == k && in.holds(&c) {
				spans = append(spans, span{c.From, c.Until})
			}
		}
	}
	return spans
}

// holds: home and other places look the same to the gateway; a satellite office does not.
func (in *Input) holds(c *Cover) bool { return c.Place != Satellite || in.Place == Satellite }
