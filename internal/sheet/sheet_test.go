package sheet_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"jiseki/internal/sheet"
	"jiseki/internal/typed"
)

var people = sheet.Format{
	Columns: []sheet.Column{
		{Name: "user_id", JA: "利用者ID", Needed: true},
		{Name: "name", JA: "氏名", Needed: true},
		{Name: "kana", JA: "フリガナ"},
		{Name: "section_id", JA: "所属ID"},
		{Name: "roles", JA: "役割"},
		{Name: "desk_ids", JA: "自席端末ID"},
		{Name: "device", JA: "接続元端末"},
	},
	MaxBytes: 4096, MaxRows: 3,
}

func rowsOf(t *testing.T, file []byte) [][]string {
	t.Helper()
	rows, problems := people.Read(file)
	if problems != nil {
		t.Errorf("%+v", problems)
	}
	var all [][]string
	for _, r := range rows {
		var cells []string
		for i := range people.Columns {
			cells = append(cells, r.Cell(i))
		}
		all = append(all, cells)
	}
	return all
}

// TestFilesOfSpreadsheets reads files as Excel and others write them.
func TestFilesOfSpreadsheets(t *testing.T) {
	row := func(id, name, kana string) []string { return []string{id, name, kana, "", "staff", "", "private"} }
	for name, want := range map[string][][]string{
		"users_cp932.csv":             {row("u002", "髙﨑 ①郎", "たかさき いちろう")},
		"users_mark_quoted.csv":       {row("u003", "森田 三郎", "もりた さぶろう")},
		"users_empty_lines.csv":       {row("u004", "森田 四郎", "もりた しろう")},
		"users_empty_column.csv":      {row("u005", "森田 五郎", "もりた ごろう")},
		"users_utf16_tabs.txt":        {row("u006", "森田 六郎", "もりた ろくろう")},
		"users_utf16_other_order.txt": {row("u006", "森田 六郎", "もりた ろくろう")},
		"users_utf16_no_mark.txt":     {row("u006", "森田 六郎", "もりた ろくろう")},
		"users_fullwidth_id.csv":      {row("ｕ０１０", "森田 十郎", "もりた じゅうろう")},
		"users_invisible.csv":         {row("u014", "森田 十四", "もりた じゅうし")},
		"users_blank_line.csv":        {row("u016", "森田 十六", "もりた"), row("u017", "森田 十七", "もりた")},
		"users_japanese_header.csv":   {{"u018", "森田 十八", "もりた", "", "", "", ""}},
		"users_private_use.csv":       {{"u019", "森田 \ue000\ue757\ufa10", "", "", "staff", "", ""}},
	} {
		file, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, rowsOf(t, file)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestRead(t *testing.T) {
	for name, file := range map[string]string{
		"semicolons": "user_id;name\na;b\n", "what Excel says": "sep=;\nuser_id;name\na;b", "returns": "user_id,name\ra,b\r", "capitals": "User_ID , ＮＡＭＥ\na,b\n", "another order": "name,user_id\nb,a\n",
		"spaces": "\n 　,\n\t\nuser_id,name\n\u00a0, \n a　,\u2003b\n", "mark and quotes": "\ufeff\"user_id\",\"name\"\n\"a\",\"b\"", "long lines of nothing": "user_id,name,,,,,,,\na,b,,,,,,,,,,\n,,,,,,,,,,,,\n",
		"empty column between": "user_id,,name\na,,b\n", "short line": "user_id,name,kana\na,b\n",
	} {
		if d := cmp.Diff([][]string{{"a", "b", "", "", "", "", ""}}, rowsOf(t, []byte(file))); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// TestProblems are said by line and column, with the column's name.
func TestProblems(t *testing.T) {
	type at struct {
		line, column int
		name, en     string
	}
	for name, c := range map[string]struct {
		file string
		want []at
	}{
		"direction":         {"user_id,name\na,b\n\nc,\u202ed\n", []at{{4, 2, "氏名", "U+202E"}}},
		"control":           {"user_id,name\n\x1ba,b\x00\n", []at{{2, 1, "利用者ID", "U+001B"}, {2, 2, "氏名", "U+0000"}}},
		"line break":        {"user_id,name\n\"a\",\"b\nc\"\nd,\"e\nf\"\n", []at{{2, 2, "氏名", "line break"}, {4, 2, "氏名", "line break"}}},
		"not a character":   {"user_id,name\na,\xff\xff\n", []at{{2, 2, "氏名", "cannot be read"}}},
		"one bad byte":      {"user_id,name\na,森田三郎\xe3\nb,森田四郎\n", []at{{2, 2, "氏名", "cannot be read"}}},
		"half a surrogate":  {"\xff\xfeu\x00s\x00e\x00r\x00_\x00i\x00d\x00,\x00n\x00a\x00m\x00e\x00\n\x00a\x00,\x00\x00\xd8\n\x00", []at{{2, 2, "氏名", "cannot be read"}}},
		"odd UTF-16":        {"\xff\xfea", []at{{1, 0, "", "header"}}},
		"no header":         {"a,b\nc,d\n", []at{{1, 0, "", "user_id,name,kana"}}},
		"unknown column":    {"user_id,name,phone\na,b,c\n", []at{{1, 3, "", "phone"}, {2, 3, "", "too many"}}},
		"column twice":      {"user_id,name,氏名\na,b,c\n", []at{{1, 3, "氏名", "twice"}}},
		"column missing":    {"\nuser_id,kana\na,b\n", []at{{2, 0, "", "name"}}},
		"too many cells":    {"user_id,name\na,b,,c\n", []at{{2, 4, "", "too many"}}},
		"open quote":        {"user_id,name\na,b\nc,\"d\ne,f\n", []at{{3, 0, "", "quotation"}}},
		"quote in a value":  {"user_id,name\na,b\"c\"\n", []at{{2, 0, "", "quotation"}}},
		"too many lines":    {"user_id,name\na,b\na,b\na,b\n,\na,b\na,b\n", []at{{6, 0, "", "at most 3"}}},
		"too large":         {strings.Repeat("x", 4097), []at{{1, 0, "", "too large"}}},
		"empty":             {"", []at{{1, 0, "", "no line"}}},
		"only blanks":       {"\n,,,\n 　\n", []at{{1, 0, "", "no line"}}},
		"header only":       {"user_id,name\n", []at{{1, 0, "", "no line"}}},
		"separated by bars": {"user_id|name\na|b\n", []at{{1, 0, "", "header"}}},
	} {
		rows, problems := people.Read([]byte(c.file))
		got := make([]at, len(problems))
		for i, p := range problems {
			got[i] = at{p.Line, p.Column, p.ColumnJA, p.EN}
			if i < len(c.want) && strings.Contains(p.EN, c.want[i].en) {
				got[i].en = c.want[i].en
			}
			if p.JA == "" || (p.ColumnJA == "") != (p.ColumnEN == "") {
				t.Errorf("%s: %+v", name, p)
			}
		}
		if d := cmp.Diff(c.want, got, cmp.AllowUnexported(at{})); d != "" || rows != nil {
			t.Errorf("%s: %s%v", name, d, rows)
		}
	}
	if _, problems := people.Read([]byte("user_id,name\n" + strings.Repeat("\x01,\x01\n", 500))); len(problems) != 20 {
		t.Errorf("%d problems", len(problems))
	}
}

func TestEncodeCP932(t *testing.T) {
	for text, want := range map[string]struct {
		bytes string
		loss  sheet.Loss
	}{
		"髙﨑①": {"\xfb\xfc\xfa\xb1\x87\x40", sheet.Loss{}}, "\uf9dc\ufa19\ufa1b\ufa10\ufa17": {"\xfb\xe9\xfb\x7e\xfb\x82\xfa\x9c\xfb\x75", sheet.Loss{}},
		"隆神福塚益": {"\x97\xb2\x90\x5f\x95\x9f\x92\xcb\x89\x76", sheet.Loss{}}, "葛\U000e0100城": {"\x8a\x8b\x8f\xe9", sheet.Loss{Reduced: 1}},
		"\ue000\ue03e\ue03f\ue0bb\ue0bc\ue757": {"\xf0\x40\xf0\x7e\xf0\x80\xf0\xfc\xf1\x40\xf9\xfc", sheet.Loss{}}, "\ue758": {"\x81\xac", sheet.Loss{Lost: 1}},
		"か\u3099か\u309aヶ": {"\x82\xaa\x82\xa9\x83\x96", sheet.Loss{Reduced: 1}}, "e\u0301é": {"\x81\xac\x81\xac", sheet.Loss{Lost: 2}}, "𠮷😀": {"\x81\xac\x81\xac", sheet.Loss{Lost: 2}},
		"\ufa46": {"\x8f\x8d", sheet.Loss{Reduced: 1}}, "〜−": {"\x81\x60\x81\x7c", sheet.Loss{}}, "\xff": {"\x81\xac", sheet.Loss{Lost: 1}}, "ｶﾞ": {"\xb6\xde", sheet.Loss{}}, "": {"", sheet.Loss{}},
	} {
		b, loss := sheet.EncodeCP932(text)
		if want.bytes != "" && string(b) != want.bytes || loss != want.loss {
			t.Errorf("%+q: % x, %+v, want % x, %+v", text, b, loss, want.bytes, want.loss)
		}
		if loss != (sheet.Loss{}) || text == "〜−" || text == "" || strings.Contains(text, "\u3099") {
			continue
		}
		if got := rowsOf(t, append([]byte("user_id,name\na,"), b...)); len(got) != 1 || got[0][1] != text {
			t.Errorf("%+q came back as %+q", text, got)
		}
	}
}

func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("testdata/*.*")
	if err != nil || len(files) == 0 {
		f.Fatal(err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte("sep=\t\nuser_id\tname\n\"a\"\tb\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, plain := range []bool{false, true} {
			format := people
			format.Plain = plain
			rows, problems := format.Read(file)
			if (len(rows) == 0) == (len(problems) == 0) || len(problems) > 20 || len(rows) > format.MaxRows {
				t.Fatalf("%d rows, %d problems", len(rows), len(problems))
			}
			for i, p := range problems {
				if p.JA == "" || p.EN == "" || p.Line < 1 || p.Column < 0 || !utf8.ValidString(p.JA+p.EN) {
					t.Fatalf("%d: %+v", i, p)
				}
			}
			for _, r := range rows {
				for i := range format.Columns {
					if c := r.Cell(i); c != typed.Tidy(c) || strings.ContainsFunc(c, typed.IsBad) || r.Problem(i, "", "").Column > len(file)+1 {
						t.Fatalf("line %d: %+q", r.Line(), c)
					}
				}
			}
		}
	})
}

// FuzzEncodeCP932: nothing is lost without being counted.
func FuzzEncodeCP932(f *testing.F) {
	f.Add("髙﨑\uf9dc葛\U000e0100か\u3099\ue000")
	f.Fuzz(func(t *testing.T, text string) {
		b, loss := sheet.EncodeCP932(text)
		if len(b) > 2*utf8.RuneCountInString(text) || loss.Reduced+loss.Lost > utf8.RuneCountInString(text) {
			t.Fatalf("%d bytes, %+v", len(b), loss)
		}
	})
}
