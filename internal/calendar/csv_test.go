package calendar_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/japanese"

	"jiseki/internal/calendar"
)

const cabinet = "国民の祝日・休日月日,国民の祝日・休日名称\r\n2026/11/3,文化の日\r\n2026/11/23,勤労感謝の日\r\n2027/1/1,元日\r\n"

func TestParseHolidays(t *testing.T) {
	cp932, err := japanese.ShiftJIS.NewEncoder().Bytes([]byte(cabinet))
	if err != nil {
		t.Fatal(err)
	}
	want := []calendar.Holiday{
		{calendar.Date{Year: 2026, Month: time.November, Day: 3}, "文化の日"},
		{calendar.Date{Year: 2026, Month: time.November, Day: 23}, "勤労感謝の日"},
		{calendar.Date{Year: 2027, Month: time.January, Day: 1}, "元日"},
	}
	for name, file := range map[string]string{
		"CP932": string(cp932), "UTF-8": cabinet, "mark": "\ufeff" + cabinet, "line feeds": strings.ReplaceAll(cabinet, "\r\n", "\n"),
		"no header": strings.SplitN(cabinet, "\r\n", 2)[1], "quoted": strings.ReplaceAll(cabinet, "文化の日", `"文化の日"`),
		"empty lines": cabinet + "\r\n,\r\n\r\n", "hyphens": strings.ReplaceAll(cabinet, "2026/11/3", "2026-11-03"),
	} {
		days, problems := calendar.ParseHolidays([]byte(file))
		if d := cmp.Diff(want, days); d != "" || problems != nil {
			t.Errorf("%s: %s%v", name, d, problems)
		}
	}
}

func TestParseHolidaysNamesEveryError(t *testing.T) {
	file := "日付,名称\n2026/2/30,ない日\n2026/5/5,\n26/1/1,年が短い\n2026/1/1,元日,余分\n2026/1/12,成人の日\n2026/1/12,二度\n\ufffd,\ufffd\n"
	days, problems := calendar.ParseHolidays([]byte(file))
	got := make([][2]int, len(problems))
	for i, p := range problems {
		got[i] = [2]int{p.Line, p.Column}
		if p.JA == "" || p.EN == "" {
			t.Errorf("%+v", p)
		}
	}
	if d := cmp.Diff([][2]int{{2, 1}, {3, 2}, {4, 1}, {5, 0}, {7, 1}, {8, 1}, {8, 2}}, got); d != "" || days != nil {
		t.Errorf("%s%v", d, days)
	}
	for name, file := range map[string]string{
		"nothing": "", "header only": "日付,名称\n", "open quote": "日付,名称\n2026/1/1,\"元日\n", "large": strings.Repeat("x", 1<<20+1),
	} {
		if days, problems := calendar.ParseHolidays([]byte(file)); days != nil || len(problems) != 1 {
			t.Errorf("%s: %v, %v", name, days, problems)
		}
	}
	if _, problems := calendar.ParseHolidays([]byte(strings.Repeat("2026/13/1,x\n", 100))); len(problems) != 20 {
		t.Errorf("%d problems", len(problems))
	}
}

func FuzzParseHolidays(f *testing.F) {
	f.Add([]byte(cabinet))
	f.Add([]byte("2026/1/1,\"元日\n"))
	f.Add([]byte("\xef\xbb\xbf2026-01-01,a\n"))
	f.Add([]byte("\x8d\x91\x96\xaf,x\n2026/5/5,\x82\xb1\x82\xc7\x82\xe0\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		days, problems := calendar.ParseHolidays(file)
		if (len(days) == 0) == (len(problems) == 0) || len(problems) > 21 {
			t.Fatalf("%d days, %d problems", len(days), len(problems))
		}
		for _, d := range days {
			if again, err := calendar.ParseDate(d.Date.String()); err != nil || again != d.Date || d.Name == "" {
				t.Fatalf("%+v: %v", d, err)
			}
		}
	})
}

// TestTimetable: weekends, shifts, and the year's end, over which no hours of one's own go.
func TestTimetable(t *testing.T) {
	usual := calendar.Hours{Start: 510, End: 1035}
	shift := calendar.Hours{Start: 780, End: 1260}
	date := func(s string) calendar.Date {
		d, err := calendar.ParseDate(s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	table := calendar.Timetable{
		Usual: usual,
		Days:  calendar.Days{Closed: map[calendar.Date]string{date("2026-11-23"): "勤労感謝の日"}, Opened: map[calendar.Date]string{date("2026-11-22"): "臨時"}},
		Own: []calendar.Dated{
			{From: date("2026-11-01"), Weekdays: 0b1000000, Hours: shift},
			{From: date("2026-12-01"), Weekdays: 0b0000001, Hours: shift},
			{From: date("2027-04-01"), Weekdays: 0b1111111},
		},
	}
	for d, want := range map[string]calendar.Hours{
		"2026-10-25": {}, "2026-11-01": shift, "2026-11-22": shift, "2026-11-21": {}, "2026-11-23": {}, "2026-11-24": usual,
		"2026-11-30": usual, "2026-12-07": shift, "2027-01-03": {}, "2027-03-31": usual, "2027-04-01": {}, "2027-04-04": {},
	} {
		if got := table.On(date(d)); got != want {
			t.Errorf("%s: %+v, want %+v", d, got, want)
		}
	}
}
