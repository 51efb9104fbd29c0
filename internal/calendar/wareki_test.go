package calendar_test

import (
	"testing"

	"jiseki/internal/calendar"
)

func TestWareki(t *testing.T) {
	for date, want := range map[string]string{
		"2026-11-24": "令和8年11月24日", "2026-01-01": "令和8年1月1日", "2019-05-01": "令和元年5月1日", "2019-12-31": "令和元年12月31日", "2020-01-01": "令和2年1月1日",
		"2019-04-30": "平成31年4月30日", "1989-01-08": "平成元年1月8日", "1989-01-07": "昭和64年1月7日", "1926-12-25": "昭和元年12月25日",
		"1926-12-24": "大正15年12月24日", "1912-07-30": "大正元年7月30日", "1912-07-29": "明治45年7月29日", "1873-01-01": "明治6年1月1日",
		"1872-12-31": "1872年12月31日", "2118-05-01": "令和100年5月1日",
	} {
		d, err := calendar.ParseDate(date)
		if err != nil {
			t.Fatal(err)
		}
		if got := calendar.Wareki(d); got != want {
			t.Errorf("%s: %s, want %s", date, got, want)
		}
	}
	if got := calendar.Wareki(calendar.Date{}); got != "" {
		t.Errorf("no day is %q", got)
	}
	if got := calendar.WarekiMonth(calendar.Date{Year: 2026, Month: 3, Day: 31}); got != "令和8年3月" {
		t.Errorf("month is %q", got)
	}
	if got := calendar.WeekdayJA(calendar.Date{Year: 2026, Month: 11, Day: 24}); got != "火" {
		t.Errorf("weekday is %q", got)
	}
}
