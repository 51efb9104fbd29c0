package calendar

import "time"

// Dated are hours that hold from a day on, on some weekdays (早出遅出, 育児短時間勤務).
type Dated struct {
	From     Date
	Weekdays uint8 // bit 0 is Monday
	Hours    Hours // the zero value: no work on these weekdays
	Note     string
}

// on says whether d's weekday is one of them.
func (h *Dated) on(d Date) bool { return h.Weekdays>>((int(d.Weekday())+6)%7)&1 == 1 }

// Timetable is all that says when one user works.
type Timetable struct {
	Days  Days
	Usual Hours   // the organisation's, on days on which the hall is open
	Own   []Dated // the user's own, which count over the usual ones on their weekdays
}

// On is the hours of a day: of the user's own ones for that weekday those that began last, else the usual ones. Zero on holidays
// of the hall, and at weekends unless the user's own hours name the weekday (shifts).
func (t *Timetable) On(d Date) Hours {
	open := t.Days.Open(d)
	if own := t.own(d); own != nil {
		weekend := d.Weekday() == time.Saturday || d.Weekday() == time.Sunday
		if open || (weekend && t.Days.Why(d) == "") {
			return own.Hours
		}
		return Hours{}
	}
	if open {
		return t.Usual
	}
	return Hours{}
}

func (t *Timetable) own(d Date) *Dated {
	var newest *Dated
	for i := range t.Own {
		h := &t.Own[i]
		if h.on(d) && !d.Before(h.From) && (newest == nil || newest.From.Before(h.From)) {
			newest = h
		}
	}
	return newest
}
