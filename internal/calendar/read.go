package calendar

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// Dates as people and spreadsheets write them, after folding of widths: 2027/1/1, 2027-01-01, 2027.1.1, 2027年1月1日, 20270101, 令和9年1月1日, R9.1.1; then perhaps a
// day of the week in brackets and a time of midnight.
var (
	writtenDate = regexp.MustCompile(`^(\d{4}|(?:令和|平成|昭和|大正|明治|[RHSTM])(?:\d{1,2}|元))(?:[/.\-]|年)(\d{1,2})(?:[/.\-]|月)(\d{1,2})日?$`)
	digitsDate  = regexp.MustCompile(`^(\d{4})(\d{2})(\d{2})$`)
	afterDate   = regexp.MustCompile(`^(.*?)(?:\(([日月火水木金土])(?:曜日?)?\))?(?: 0{1,2}:00(?::00)?)?$`)
)

// readDate reads a date that exists, from 1900 on. A day of the week must be the right one.
func readDate(s string) (Date, bool) {
	s = strings.ToUpper(strings.TrimSpace(norm.NFKC.String(s)))
	parts := afterDate.FindStringSubmatch(s)
	if parts == nil {
		return Date{}, false
	}
	text, weekday := parts[1], parts[2]
	n := writtenDate.FindStringSubmatch(text)
	if n == nil {
		n = digitsDate.FindStringSubmatch(text)
	}
	if n == nil {
		return Date{}, false
	}
	year, ok := readYear(n[1])
	month, _ := strconv.Atoi(n[2])
	day, _ := strconv.Atoi(n[3])
	d := Date{year, time.Month(month), day}
	return d, ok && year >= 1900 && d.Add(0) == d && (weekday == "" || weekday == WeekdayJA(d))
}

// readYear reads 2027, 令和9 or R9. Years of an era after its end count on: such papers exist.
func readYear(s string) (int, bool) {
	for _, era := range eras {
		rest, ok := strings.CutPrefix(s, era.name)
		if !ok {
			rest, ok = strings.CutPrefix(s, era.letter)
		}
		if !ok {
			continue
		}
		n, err := strconv.Atoi(strings.Replace(rest, "元", "1", 1))
		return era.firstYear() + n - 1, err == nil && n > 0
	}
	year, err := strconv.Atoi(s)
	return year, err == nil
}
