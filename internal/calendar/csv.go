package calendar

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/japanese"
)

// Bounds of a file of holidays. The Cabinet Office's has about a thousand lines and 20 KB.
const (
	maxHolidayBytes  = 1 << 20
	maxHolidays      = 10_000
	maxHolidayErrors = 20
	maxHolidayName   = 60 // characters
)

// Holiday is a named day.
type Holiday struct {
	Date Date
	Name string
}

// CSVError is what is wrong in one cell of a file. Line and Column count from 1; Column counts cells, 0: the line as a whole.
type CSVError struct {
	Line, Column int
	JA, EN       string
}

// ParseHolidays reads holidays as the Cabinet Office publishes them (syukujitsu.csv): a header, then date (YYYY/M/D or
// YYYY-MM-DD) and name, in UTF-8 or CP932. All lines are good or errors names the first 20 that are not.
func ParseHolidays(file []byte) (days []Holiday, problems []CSVError) {
	if len(file) > maxHolidayBytes {
		return nil, []CSVError{{1, 0, "ファイルが大きすぎます（上限1MB）。", "The file is too large (limit 1 MB)."}}
	}
	p := holidayParser{seen: map[Date]int{}}
	r := csv.NewReader(strings.NewReader(decode(file)))
	r.FieldsPerRecord, r.ReuseRecord = -1, true
	for len(p.problems) < maxHolidayErrors {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var bad *csv.ParseError
		if errors.As(err, &bad) {
			p.fail(bad.Line, 0, "引用符の使い方に誤りがあります。", "The quotation marks are wrong.")
			break // what follows cannot be told apart
		}
		line, _ := r.FieldPos(0)
		p.take(line, cells)
	}
	if len(p.days) == 0 && len(p.problems) == 0 {
		p.fail(1, 0, "休日が1日もありません。", "There is no holiday in the file.")
	}
	if len(p.problems) > 0 {
		return nil, p.problems
	}
	return p.days, nil
}

// decode reads UTF-8, or else CP932. What is neither becomes the replacement character, which no name may contain.
func decode(file []byte) string {
	file = bytes.TrimPrefix(file, []byte("\ufeff"))
	if utf8.Valid(file) {
		return string(file)
	}
	text, err := japanese.ShiftJIS.NewDecoder().Bytes(file)
	if err != nil {
		return string(bytes.ToValidUTF8(file, []byte("\ufffd")))
	}
	return string(text)
}

type holidayParser struct {
	days     []Holiday
	seen     map[Date]int // line of each date
	problems []CSVError
}

func (p *holidayParser) fail(line, column int, ja, en string) {
	p.problems = append(p.problems, CSVError{line, column, ja, en})
}

func (p *holidayParser) take(line int, cells []string) {
	if strings.TrimSpace(strings.Join(cells, "")) == "" {
		return
	}
	first := strings.TrimSpace(cells[0])
	if line == 1 && (first == "" || first[0] < '0' || first[0] > '9') {
		return // the header
	}
	before := len(p.problems)
	if len(cells) != 2 {
		p.fail(line, 0, fmt.Sprintf("列は日付と名称の2つです（%d列あります）。", len(cells)), fmt.Sprintf("A line has two columns, date and name; this has %d.", len(cells)))
		return
	}
	d, ok := holidayDate(first)
	if !ok {
		p.fail(line, 1, "日付を読み取れません。2026/11/23の形にしてください。", "This is no date. Write it as 2026/11/23.")
	}
	name := strings.TrimSpace(cells[1])
	if name == "" || utf8.RuneCountInString(name) > maxHolidayName || strings.ContainsFunc(name, func(r rune) bool { return r < 0x20 || r == 0x7f || r == utf8.RuneError }) {
		p.fail(line, 2, "名称が空か、長すぎるか、読み取れない文字を含みます。", "The name is empty, too long, or has characters that cannot be read.")
	}
	if former, twice := p.seen[d]; ok && twice {
		p.fail(line, 1, fmt.Sprintf("%d行目と同じ日付です。", former), fmt.Sprintf("The date is in line %d already.", former))
	}
	if len(p.days) == maxHolidays {
		p.fail(line, 0, "行が多すぎます。", "There are too many lines.")
	}
	if len(p.problems) == before {
		p.seen[d] = line
		p.days = append(p.days, Holiday{d, name})
	}
}

// holidayDate reads YYYY/M/D or YYYY-M-D, and no day that does not exist.
func holidayDate(s string) (Date, bool) {
	parts := strings.Split(strings.ReplaceAll(s, "-", "/"), "/")
	if len(parts) != 3 || len(parts[0]) != 4 {
		return Date{}, false
	}
	var n [3]int
	for i, part := range parts {
		v, err := strconv.ParseUint(part, 10, 16)
		if err != nil || len(part) > 4 {
			return Date{}, false
		}
		n[i] = int(v)
	}
	d := Date{n[0], time.Month(n[1]), n[2]}
	return d, d.Year >= 1900 && d.Add(0) == d
}
