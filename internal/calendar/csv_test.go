package calendar_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/japanese"

	"jiseki/internal/calendar"
)

var today = calendar.Date{Year: 2026, Month: time.January, Day: 10}

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
		days, _, problems := calendar.ParseHolidays([]byte(file), today)
		if d := cmp.Diff(want, days); d != "" || problems != nil {
			t.Errorf("%s: %s%v", name, d, problems)
		}
	}
}

// TestParseHolidaysAsTheyComeAlong: dates as officials and spreadsheets write them, all kinds of files.
func TestParseHolidaysAsTheyComeAlong(t *testing.T) {
	cp932 := func(s string) string {
		b, err := japanese.ShiftJIS.NewEncoder().String(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	const head = "国民の祝日・休日月日,国民の祝日・休日名称\r\n"
	for name, file := range map[string]string{
		"kanji": cp932(head + "2027年1月1日,元日\r\n2027年1月11日,成人の日\r\n"), "wareki": cp932(head + "令和9年1月1日,元日\r\nR9.1.11,成人の日\r\n"),
		"full width": cp932(head + "２０２７／１／１,元日\r\n２０２７年１月１１日,成人の日\r\n"), "mark before quotes": "\ufeff\"日付\",\"名称\"\r\n\"2027/1/1\",\"元日\"\r\n\"2027/1/11\",\"成人の日\"\r\n",
		"blank first line": cp932("\r\n" + head + "2027/1/1,元日\r\n2027/1/11,成人の日"), "semicolons": cp932("日付;名称\r\n2027/1/1;元日\r\n2027/1/11;成人の日\r\n"),
		"empty columns": head + "2027/1/1,元日,,\r\n2027/1/11,成人の日,\r\n,,,\r\n,,,\r\n", "tabs": "日付\t名称\r2027.1.1\t元日\r2027-01-11\t成人の日\r",
		"no header": "令和9年1月1日,元日\n令和９年１月１１日,成人の日\n", "weekdays": "2027/1/1(金),元日\n2027年1月11日（月）,成人の日\n", "with a time": "2027/1/1 0:00,元日\n2027/01/11 00:00:00,成人の日\n",
		"twice the same": "日付,名称\n2027/1/1,元日\n2027/1/1,元日\n2027/1/11,成人の日\n",
	} {
		days, _, problems := calendar.ParseHolidays([]byte(file), today)
		want := []calendar.Holiday{{calendar.Date{Year: 2027, Month: time.January, Day: 1}, "元日"}, {calendar.Date{Year: 2027, Month: time.January, Day: 11}, "成人の日"}}
		if d := cmp.Diff(want, days); d != "" || problems != nil {
			t.Errorf("%s: %s%v", name, d, problems)
		}
	}
	for text, want := range map[string]string{
		"平成31年4月30日": "2019-04-30", "令和元年5月1日": "2019-05-01", "令和1年5月1日": "2019-05-01", "昭和39年10月10日": "1964-10-10", "S39.10.10": "1964-10-10", "H1/1/8": "1989-01-08",
		"㍻31年1月1日": "2019-01-01", "大正元年7月30日": "1912-07-30", "明治33年1月1日": "1900-01-01", "令和0年1月1日": "", "令和9年2月29日": "", "平成31年5月1日": "2019-05-01", "X9.1.1": "", "27/1/1": "",
		"2027/1": "", "2027/1/1/1": "", "1/1/2027": "", "2027年1月": "", "20270101": "2027-01-01", "46388": "", "令和9年1月1日(土)": "",
	} {
		days, _, _ := calendar.ParseHolidays([]byte(text+",日\n"), today)
		got := ""
		if len(days) == 1 {
			got = days[0].Date.String()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func TestParseHolidaysNamesEveryError(t *testing.T) {
	file := "日付,名称\n2026/2/30,ない日\n2026/5/5,\n26/1/1,年が短い\n2026/1/1,元日,,\n2026/1/12,成人の日\n2026/1/12,二度\n"
	days, _, problems := calendar.ParseHolidays([]byte(file), today)
	got := make([][2]int, len(problems))
	for i, p := range problems {
		got[i] = [2]int{p.Line, p.Column}
		if p.JA == "" || p.EN == "" {
			t.Errorf("%+v", p)
		}
	}
	if d := cmp.Diff([][2]int{{2, 1}, {3, 2}, {4, 1}, {7, 1}}, got); d != "" || days != nil {
		t.Errorf("%s%v", d, days)
	}
	_, _, problems = calendar.ParseHolidays([]byte("日付,名称\n2026/1/1,元日,余分\n\ufffd,\u202e\n"), today)
	if len(problems) != 3 || problems[0].Column != 3 || problems[1].ColumnJA != "日付" || problems[2].ColumnEN != "name" {
		t.Errorf("%+v", problems)
	}
	days, warnings, problems := calendar.ParseHolidays([]byte("2026/1/9,はじめ\n2026/1/9,あと\n2026/1/10,今日\n"), today)
	if len(days) != 2 || days[0].Name != "はじめ" || len(warnings) != 1 || warnings[0].Line != 2 || problems != nil {
		t.Errorf("%v, %+v, %v", days, warnings, problems)
	}
	for name, file := range map[string]string{
		"nothing": "", "header only": "日付,名称\n", "open quote": "日付,名称\n2026/1/1,\"元日\n", "large": strings.Repeat("x", 1<<20+1),
	} {
		if days, _, problems := calendar.ParseHolidays([]byte(file), today); days != nil || len(problems) != 1 {
			t.Errorf("%s: %v, %v", name, days, problems)
		}
	}
	if _, _, problems := calendar.ParseHolidays([]byte(strings.Repeat("2026/13/1,x\n", 100)), today); len(problems) != 20 {
		t.Errorf("%d problems", len(problems))
	}
}

func FuzzParseHolidays(f *testing.F) {
	f.Add([]byte(cabinet))
	f.Add([]byte("2026/1/1,\"元日\n"))
	f.Add([]byte("\xef\xbb\xbf2026-01-01,a\n"))
	f.Add([]byte("\x8d\x91\x96\xaf,x\n2026/5/5,\x82\xb1\x82\xc7\x82\xe0\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		days, _, problems := calendar.ParseHolidays(file, today)
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
