package calendar

import (
	"fmt"
	"unicode/utf8"

	"jiseki/internal/sheet"
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

// holidayTable is a file of holidays as the Cabinet Office publishes it.
var holidayTable = sheet.Format{
	Columns:  []sheet.Column{{Name: "date", JA: "日付", Needed: true}, {Name: "name", JA: "名称", Needed: true}},
	MaxBytes: maxHolidayBytes, MaxRows: maxHolidays, Plain: true,
}

// ParseHolidays reads holidays as the Cabinet Office publishes them (syukujitsu.csv), or as somebody's spreadsheet makes of them: perhaps a header, then
// date and name. All lines are good, or problems names the first that are not. A date before today that is there twice is only warned of; the first
// name counts.
func ParseHolidays(file []byte, today Date) (days []Holiday, warnings, problems []sheet.Problem) {
	rows, problems := holidayTable.Read(file)
	p := holidayParser{today: today, seen: map[Date]*sheet.Row{}, problems: problems}
	for i := range rows {
		p.take(&rows[i])
	}
	if len(p.problems) > 0 {
		return nil, nil, p.problems
	}
	return p.days, p.warnings, nil
}

type holidayParser struct {
	today              Date
	days               []Holiday
	seen               map[Date]*sheet.Row
	warnings, problems []sheet.Problem
}

func (p *holidayParser) fail(row *sheet.Row, column int, ja, en string) {
	if len(p.problems) < maxHolidayErrors {
		p.problems = append(p.problems, row.Problem(column, ja, en))
	}
}

func (p *holidayParser) take(row *sheet.Row) {
	before := len(p.problems)
	d, ok := readDate(row.Cell(0))
	if !ok {
		p.fail(row, 0, "日付を読み取れません。2026/11/23か令和8年11月23日の形にしてください。", "This is no date. Write it as 2026/11/23.")
	}
	name := row.Cell(1)
	if name == "" || utf8.RuneCountInString(name) > maxHolidayName {
		p.fail(row, 1, fmt.Sprintf("名称が空か、長すぎます（上限%d文字）。", maxHolidayName), fmt.Sprintf("The name is empty or too long (limit %d characters).", maxHolidayName))
	}
	former := p.seen[d]
	switch {
	case len(p.problems) > before:
	case former == nil:
		p.seen[d] = row
		p.days = append(p.days, Holiday{d, name})
	case former.Cell(1) == name: // says nothing new
	case d.Before(p.today):
		if len(p.warnings) < maxHolidayErrors {
			p.warnings = append(p.warnings, row.Problem(0, fmt.Sprintf("%d行目と同じ日付です。過ぎた日のため、この行は使わずに取り込みました。", former.Line()),
				fmt.Sprintf("The date is in line %d already. It is past; this line was left out.", former.Line())))
		}
	default:
		p.fail(row, 0, fmt.Sprintf("%d行目と同じ日付です。", former.Line()), fmt.Sprintf("The date is in line %d already.", former.Line()))
	}
}
