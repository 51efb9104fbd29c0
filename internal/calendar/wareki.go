package calendar

import (
	"fmt"
	"strconv"
	"time"
)

// eras, newest first, with their first days. A new era is a line here. Before 1873 Japan had another calendar; such dates are
// written in years of the Common Era.
//
// Source: 元号法 and the cabinet orders (平成31年政令第143号: 令和 from 2019-05-01; 昭和64年政令第1号: 平成 from 1989-01-08); 昭和 from 1926-12-25
// and 大正 from 1912-07-30 by 詔書 of these days.
var eras = []era{
	{"令和", "R", Date{2019, time.May, 1}},
	{"平成", "H", Date{1989, time.January, 8}},
	{"昭和", "S", Date{1926, time.December, 25}},
	{"大正", "T", Date{1912, time.July, 30}},
	{"明治", "M", Date{1873, time.January, 1}},
}

type era struct {
	name, letter string
	first        Date
}

// firstYear is the year that is 元年.
func (e era) firstYear() int {
	if e.name == "明治" {
		return meijiFirst
	}
	return e.first.Year
}

// meijiFirst is the year in which 明治 began, under the former calendar.
const meijiFirst = 1868

// eraYear is 令和8年; the first year is 元年.
func eraYear(d Date) string {
	for _, era := range eras {
		if d.Before(era.first) {
			continue
		}
		if n := d.Year - era.firstYear() + 1; n > 1 {
			return era.name + strconv.Itoa(n) + "年"
		}
		return era.name + "元年"
	}
	return strconv.Itoa(d.Year) + "年"
}

// Wareki writes a date as officials do: 令和8年11月24日. Empty for no day.
func Wareki(d Date) string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%s%d月%d日", eraYear(d), d.Month, d.Day)
}

// WarekiMonth writes the month of a date: 令和8年11月. The month in which an era changes is named by the day given.
func WarekiMonth(d Date) string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%s%d月", eraYear(d), d.Month)
}

// WeekdayJA is the day of the week in one character: 月.
func WeekdayJA(d Date) string {
	return [...]string{"日", "月", "火", "水", "木", "金", "土"}[d.Weekday()]
}
