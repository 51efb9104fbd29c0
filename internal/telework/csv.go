package telework

import (
	"encoding/csv"
	"fmt"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"jiseki/internal/access"
	"jiseki/internal/calendar"
	"jiseki/internal/sheet"
)

// Charset is how a CSV file is written.
type Charset uint8

// The charsets. The numbers are those of the control API.
const (
	UTF8  Charset = 1 // with byte order mark, without which Excel takes it for CP932
	CP932 Charset = 2 // Windows-31J, for older programs
)

// header of the CSV, one column each.
var header = []string{
	"所属", "氏名", "年月日", "年月日（和暦）", "曜日", "承認", "勤務場所", "始業", "終業", "勤務時間", "離席時間", "接続時間", "乖離時間", "乖離", "区分", "接続",
	"実施した業務", "訂正", "確認日",
}

// CSV writes reports as a file for Excel: one line a day, times to the second, nothing rounded. A day whose gap is
// longer than limit is flagged. No cell can be taken for a formula. UTF-8 has every character as it was entered; the
// loss is what CP932 could not hold.
func CSV(reports []Report, limit time.Duration, charset Charset) ([]byte, sheet.Loss, error) {
	var text strings.Builder
	w := csv.NewWriter(&text)
	w.UseCRLF = true
	lines := [][]string{header}
	for i := range reports {
		for j := range reports[i].Days {
			lines = append(lines, line(&reports[i], &reports[i].Days[j], limit))
		}
	}
	if err := w.WriteAll(lines); err != nil {
		return nil, sheet.Loss{}, fmt.Errorf("telework: csv: %w", err)
	}
	if charset == CP932 {
		b, loss := sheet.EncodeCP932(text.String())
		return b, loss, nil
	}
	return []byte("\ufeff" + text.String()), sheet.Loss{}, nil
}

func line(r *Report, d *DayReport, limit time.Duration) []string {
	cells := []string{
		r.SectionName, r.UserName, fmt.Sprintf("%d/%d/%d", d.Date.Year, d.Date.Month, d.Date.Day), calendar.Wareki(d.Date),
		calendar.WeekdayJA(d.Date), mark(d.Approved, "承認"), placeJA[d.Place], d.startCell(), d.endCell(), duration(d.WorkMS), duration(d.AwayMS),
		duration(d.ConnectedMS), duration(d.GapMS), mark(d.GapMS > limit.Milliseconds(), "乖離あり"), d.segmentsText(d.Segments), d.connectionsCell(), d.Done,
		d.correctionsCell(), confirmedCell(d.ConfirmedMS),
	}
	for i := range cells {
		cells[i] = harmless(cells[i])
	}
	return cells
}

// placeJA names places as the portal does.
var placeJA = map[access.Place]string{
	access.Home: "自宅", access.Satellite: "サテライトオフィス", access.Other: "その他の場所", access.Office: "庁内",
}

// segmentJA names kinds of segments as the portal does.
var segmentJA = map[SegmentKind]string{
	Work: "勤務", Break: "休憩", Interruption: "中断", Leave: "時間休", Exemption: "職務専念義務免除", Trip: "出張", Moving: "移動", Hall: "庁内勤務",
}

func mark(yes bool, word string) string {
	if yes {
		return word
	}
	return ""
}

func (d *DayReport) startCell() string {
	if len(d.Segments) == 0 {
		return ""
	}
	return d.clock(d.Segments[0].FromMS)
}

func (d *DayReport) endCell() string {
	last, ok := d.last()
	switch {
	case !ok:
		return ""
	case d.EndMissing:
		return "終業の報告なし"
	case last.Lasts():
		return "勤務中"
	}
	return d.clock(last.UntilMS)
}

// clock is the hour of an instant in Japan; on the days after the workday's own it says so.
func (d *DayReport) clock(ms int64) string {
	at := time.UnixMilli(ms).In(calendar.JST)
	text := at.Format("15:04:05")
	switch date := calendar.DateOf(at); {
	case date == d.Date:
		return text
	case date == d.Date.Add(1):
		return "翌日 " + text
	default:
		return fmt.Sprintf("%d/%d %s", date.Month, date.Day, text)
	}
}

// duration is h:mm:ss; parts of a second are cut off, as a clock does.
func duration(ms int64) string {
	s := ms / 1000
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}

func (d *DayReport) between(fromMS, untilMS int64) string {
	if untilMS == 0 {
		return d.clock(fromMS) + "～"
	}
	return d.clock(fromMS) + "～" + d.clock(untilMS)
}

func (d *DayReport) segmentsText(segments []Segment) string {
	var parts []string
	for _, s := range segments {
		parts = append(parts, segmentJA[s.Kind]+" "+d.between(s.FromMS, s.UntilMS))
	}
	return strings.Join(parts, "、")
}

func (d *DayReport) connectionsCell() string {
	var parts []string
	for _, c := range d.Connections {
		parts = append(parts, d.between(c.FromMS, c.UntilMS))
	}
	return strings.Join(parts, "、")
}

func (d *DayReport) correctionsCell() string {
	var parts []string
	for _, c := range d.Corrections {
		before := d.segmentsText(c.Before)
		if before == "" {
			before = "報告なし"
		}
		parts = append(parts, fmt.Sprintf("%s %s：%s（訂正前：%s）", time.UnixMilli(c.AtMS).In(calendar.JST).Format("2006/1/2 15:04"), c.ByName, c.Reason, before))
	}
	return strings.Join(parts, "、")
}

func confirmedCell(ms int64) string {
	if ms == 0 {
		return ""
	}
	return time.UnixMilli(ms).In(calendar.JST).Format("2006/1/2")
}

// harmless puts an apostrophe before what a spreadsheet could take for a formula, in half or full width, behind blanks
// too.
func harmless(cell string) string {
	rest := strings.TrimLeftFunc(cell, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r == '\ufeff' })
	if rest != "" && strings.ContainsAny(norm.NFKC.String(rest[:len(string([]rune(rest)[:1]))]), "=+-@−") {
		return "'" + cell
	}
	return cell
}

// FileName of a CSV of a month.
func FileName(month calendar.Month) string {
	return "テレワーク実績報告書_" + calendar.WarekiMonth(month.First()) + ".csv"
}
