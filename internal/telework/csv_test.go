package telework_test

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/japanese"
	"pgregory.net/rapid"

	"jiseki/internal/access"
	"jiseki/internal/calendar"
	"jiseki/internal/telework"
)

// report of one day: work from 8:30 over midnight to 0:15:30.5 with a break, connected from 8:40 to 17:00.
func report(done string) telework.Report {
	d := telework.DayReport{
		Workday: telework.Workday{User: "suzuki", Date: day("2026-11-24"), Done: done, Segments: []telework.Segment{
			seg(telework.Work, "08:30:00", "12:00:00"), seg(telework.Break, "12:00:00", "13:00:01"), {Kind: telework.Work, FromMS: clock("13:00:01"), UntilMS: clock("24:15:30") + 500},
		}},
		Connections: []telework.Connection{{FromMS: clock("08:40:00"), UntilMS: clock("17:00:00"), Desk: "税務課 01", Place: access.Home}},
		Corrections: []telework.Correction{{AtMS: clock("18:00:00"), ByName: "鈴木 一郎", Reason: "報告漏れ", Before: []telework.Segment{seg(telework.Work, "08:30:00", "12:00:00")}}},
		Approved:    true, Place: access.Home,
	}
	d.Measure(time.UnixMilli(clock("34:00:00")))
	return telework.Report{User: "suzuki", UserName: "鈴木 一郎", SectionName: "税務課", Month: day("2026-11-24").InMonth(), Days: []telework.DayReport{d}}
}

func TestCSV(t *testing.T) {
	b, _, err := telework.CSV([]telework.Report{report("課税台帳の確認")}, 30*time.Minute, telework.UTF8)
	if err != nil {
		t.Fatal(err)
	}
	text, ok := strings.CutPrefix(string(b), "\ufeff")
	if !ok || strings.Count(text, "\r\n") != 2 || strings.Count(text, "\n") != 2 {
		t.Fatalf("%q", text)
	}
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"所属": "税務課", "氏名": "鈴木 一郎", "年月日": "2026/11/24", "年月日（和暦）": "令和8年11月24日", "曜日": "火", "承認": "承認", "勤務場所": "自宅", "始業": "08:30:00",
		"終業": "翌日 00:15:30", "勤務時間": "14:45:29", "離席時間": "1:00:01", "接続時間": "8:20:00", "乖離時間": "7:25:30", "乖離": "乖離あり",
		"区分": "勤務 08:30:00～12:00:00、休憩 12:00:00～13:00:01、勤務 13:00:01～翌日 00:15:30", "接続": "08:40:00～17:00:00", "実施した業務": "課税台帳の確認",
		"訂正": "2026/11/24 18:00 鈴木 一郎：報告漏れ（訂正前：勤務 08:30:00～12:00:00）", "確認日": "",
	}
	if len(lines[0]) != len(want) {
		t.Errorf("%d columns", len(lines[0]))
	}
	for i, name := range lines[0] {
		if lines[1][i] != want[name] {
			t.Errorf("%s: %q, want %q", name, lines[1][i], want[name])
		}
	}
}

// done is the cell of what was done, after Excel's way to read the file.
func done(t *testing.T, text string, charset telework.Charset) string {
	t.Helper()
	b, _, err := telework.CSV([]telework.Report{report(text)}, 0, charset)
	if err != nil {
		t.Fatal(err)
	}
	if charset == telework.CP932 {
		if b, err = japanese.ShiftJIS.NewDecoder().Bytes(b); err != nil {
			t.Fatal(err)
		}
	}
	lines, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(b, []byte("\ufeff")))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return lines[1][16]
}

func TestCSVHoldsNoFormula(t *testing.T) {
	for text, want := range map[string]string{
		"=1+1": "'=1+1", "+81": "'+81", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "＝１": "'＝１", "＋": "'＋", "－済": "'－済", "＠": "'＠", "\t=1": "'\t=1", " =1": "' =1", "　=1": "'　=1",
		"\n-x": "'\n-x", "−5": "'−5", "1=1": "1=1", "": "", "確認-済": "確認-済", "\"=1\"": "\"=1\"",
	} {
		if got := done(t, text, telework.UTF8); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

// TestNamesInCP932: the forms of 隆神福塚益 that Unicode has for compatibility are characters of CP932 in their own
// right. Selectors go, the character stays.
func TestNamesInCP932(t *testing.T) {
	for text, want := range map[string]string{
		"\uf9dc\ufa19\ufa1b\ufa10\ufa17": "\uf9dc\ufa19\ufa1b\ufa10\ufa17", "葛\U000e0100城": "葛城", "\u795e\ufe00社": "\u795e社", "辻\U000e0101さん": "辻さん",
		"\ue758": "〓", "\ufa1e": "\ufa1e", "\ufa46": "渚", "\u2f00": "〓",
	} {
		if got := done(t, text, telework.CP932); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
		if got := done(t, text, telework.UTF8); got != text {
			t.Errorf("%q became %q in UTF-8", text, got)
		}
	}
}

func TestCSVInCP932(t *testing.T) {
	for text, want := range map[string]string{
		"髙橋﨑①㈱Ⅲ": "髙橋﨑①㈱Ⅲ", "𠮷田😀": "〓田〓", "10〜12時": "10～12時", "e\u0301": "〓", "か\u3099": "が", "¥100": "￥100", "ｶﾅ": "ｶﾅ", "a\u00a0b": "a b", "한": "〓", "表\\ソ": "表\\ソ",
	} {
		if got := done(t, text, telework.CP932); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

// TestAnyTextSurvivesCSV draws texts: every file can be read again, has the same number of cells, and no cell begins a
// formula.
func TestAnyTextSurvivesCSV(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		text := strings.ReplaceAll(rapid.String().Draw(r, "text"), "\r", "")
		got := done(t, text, telework.UTF8)
		if utf8.ValidString(text) && got != text && got != "'"+text {
			r.Fatalf("%q became %q", text, got)
		}
		if got = done(t, text, telework.CP932); got != "" && strings.ContainsRune("=+-@＝＋－＠", []rune(got)[0]) {
			r.Fatalf("%q became %q", text, got)
		}
	})
}

func TestFileName(t *testing.T) {
	if got := telework.FileName(calendar.Month{Year: 2026, Month: 11}); got != "テレワーク実績報告書_令和8年11月.csv" {
		t.Error(got)
	}
}
