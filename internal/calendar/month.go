package calendar

import (
	"fmt"
	"time"
)

// Month is a month in Japan. The zero value is no month.
type Month struct {
	Year  int
	Month time.Month
}

// ParseMonth reads YYYY-MM and nothing else.
func ParseMonth(s string) (Month, error) {
	d, err := ParseDate(s + "-01")
	if err != nil {
		return Month{}, err
	}
	return d.InMonth(), nil
}

// InMonth is the month of a date.
func (d Date) InMonth() Month { return Month{d.Year, d.Month} }

// String is YYYY-MM, which sorts by time.
func (m Month) String() string { return fmt.Sprintf("%04d-%02d", m.Year, m.Month) }

// First day of the month.
func (m Month) First() Date { return Date{m.Year, m.Month, 1} }

// Add is the month n months later.
func (m Month) Add(n int) Month {
	return DateOf(time.Date(m.Year, m.Month+time.Month(n), 1, 0, 0, 0, 0, JST)).InMonth()
}

// Last day of the month.
func (m Month) Last() Date { return m.Add(1).First().Add(-1) }

// Contains says whether a date is in the month.
func (m Month) Contains(d Date) bool { return d.InMonth() == m }
