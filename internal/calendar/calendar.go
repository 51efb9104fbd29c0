// Package calendar is the town hall's time: dates and hours in Japan, working hours, days on which the hall is open, fiscal years
// and 和暦. It is pure: the caller passes every "now" in.
package calendar

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// JST is the zone of every date and hour of day in Jiseki. Japan has had no summer time since 1951.
var JST = time.FixedZone("JST", 9*60*60)

// ErrDate means that a text is no date.
var ErrDate = errors.New("calendar: not a date")

// Date is a day in Japan. The zero value is no day.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf is the day in Japan of an instant.
func DateOf(t time.Time) Date {
	y, m, d := t.In(JST).Date()
	return Date{y, m, d}
}

// ParseDate reads YYYY-MM-DD and nothing else.
func ParseDate(s string) (Date, error) {
	t, err := time.ParseInLocation(time.DateOnly, s, JST)
	if err != nil {
		return Date{}, fmt.Errorf("%w: %.20q", ErrDate, s)
	}
	return DateOf(t), nil
}

// String is YYYY-MM-DD, which sorts by time; empty for no day.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
}

// IsZero says that d is no day.
func (d Date) IsZero() bool { return d == Date{} }

// At is the instant minute minutes after the day began; 0 to 1440, and beyond for the next days.
func (d Date) At(minute int) time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, minute, 0, 0, JST)
}

// Add is the day n days later.
func (d Date) Add(n int) Date {
	return DateOf(time.Date(d.Year, d.Month, d.Day+n, 0, 0, 0, 0, JST))
}

// Before says whether d is earlier than e.
func (d Date) Before(e Date) bool {
	return cmp.Or(cmp.Compare(d.Year, e.Year), cmp.Compare(d.Month, e.Month), cmp.Compare(d.Day, e.Day)) < 0
}

// Weekday of the day.
func (d Date) Weekday() time.Weekday { return d.At(0).Weekday() }

// Monday is the first day of d's week. Weeks begin on Monday.
func (d Date) Monday() Date { return d.Add(-(int(d.Weekday()) + 6) % 7) }

// FiscalYear (年度) runs from 1 April to 31 March and is named by the year it begins in.
func (d Date) FiscalYear() int {
	if d.Month < time.April {
		return d.Year - 1
	}
	return d.Year
}

// FiscalYearEnd is 31 March of d's fiscal year.
func (d Date) FiscalYearEnd() Date { return Date{d.FiscalYear() + 1, time.March, 31} }

// MinuteOf is the minute of the day in Japan, 0 to 1439.
func MinuteOf(t time.Time) int {
	h, m, _ := t.In(JST).Clock()
	return h*60 + m
}

// Hours are the working hours of one day in minutes after midnight. The zero value is a day without work. Breaks lie inside.
type Hours struct {
	Start      int `json:"start"`
	End        int `json:"end"`
	BreakStart int `json:"break_start"` // equal to BreakEnd: no break
	BreakEnd   int `json:"break_end"`
}

// Works says whether there are working hours at all.
func (h Hours) Works() bool { return h.End > h.Start }

// Check refuses hours that cannot be meant.
func (h Hours) Check() error {
	switch {
	case h == Hours{}:
		return nil
	case h.Start < 0 || h.End > 24*60 || h.Start >= h.End:
		return fmt.Errorf("calendar: hours %d to %d", h.Start, h.End)
	case h.BreakStart == h.BreakEnd:
		return nil
	case h.BreakStart < h.Start || h.BreakEnd > h.End || h.BreakStart > h.BreakEnd:
		return fmt.Errorf("calendar: break %d to %d", h.BreakStart, h.BreakEnd)
	}
	return nil
}

// Days says which days the hall is open (開庁日): not on Saturdays, Sundays, from 29 December to 3 January, nor on the listed closed
// days (national holidays and local ones); and, against all of these, on the listed open ones. The zero value has no lists.
type Days struct {
	Closed map[Date]string // with the name of the holiday
	Opened map[Date]string
}

// Open says whether the hall is open on a day.
func (c Days) Open(d Date) bool {
	if _, ok := c.Opened[d]; ok {
		return true
	}
	return c.Why(d) == "" && d.Weekday() != time.Saturday && d.Weekday() != time.Sunday
}

// Why is the name of the holiday, if d is one.
func (c Days) Why(d Date) string {
	if _, ok := c.Opened[d]; ok {
		return ""
	}
	if name, ok := c.Closed[d]; ok {
		return name
	}
	if (d.Month == time.December && d.Day >= 29) || (d.Month == time.January && d.Day <= 3) {
		return "年末年始"
	}
	return ""
}

// OpenBefore is the nth open day before d; d itself for 0. It gives up, with no day, when the hall is closed for a year.
func (c Days) OpenBefore(d Date, n int) Date {
	for range 366 + n {
		if n == 0 {
			return d
		}
		d = d.Add(-1)
		if c.Open(d) {
			n--
		}
	}
	return Date{}
}
