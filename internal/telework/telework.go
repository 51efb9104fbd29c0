// Package telework is the telework day: requests and orders, the route they take through the organisation and who may
// decide them, the limits that policy sets, and workdays as segments. It is pure: what it needs of the database and of
// the clock comes in, and the same input gives the same answer. What it refuses it refuses with the codes of package
// access.
//
// It guarantees that nobody decides a request of their own, that a step of a route is decided once, and that a request
// only moves between its states as the table in decide.go says.
package telework

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"jiseki/internal/access"
	"jiseki/internal/calendar"
)

// Kind tells requests of the user from orders of the superior. The numbers are those of the control API.
type Kind uint8

// The kinds.
const (
	Telework      Kind = 1 // テレワーク申請
	TeleworkOrder Kind = 2 // 在宅勤務命令
	OvertimeOrder Kind = 3 // 時間外勤務命令
)

// State is where a request is. The numbers are those of the control API.
type State uint8

// The states.
const (
	Pending   State = 1 // 申請中
	Approved  State = 2 // 承認
	Returned  State = 3 // 差戻し: the user may submit it again
	Refused   State = 4 // 不承認
	Withdrawn State = 5 // 取下げ, before approval
	Cancelled State = 6 // 取消し, after approval, or replaced
)

// Unit is how a day was chosen. The numbers are those of the control API.
type Unit uint8

// The units.
const (
	Full      Unit = 1
	Morning   Unit = 2
	Afternoon Unit = 3
	Minutes   Unit = 4 // from and until as they were typed
)

// Reason is why somebody wants to telework. Others than the approvers do not learn it. The numbers are those of the
// control API.
type Reason uint8

// The reasons.
const (
	ReasonWork      Reason = 1
	ReasonChildcare Reason = 2
	ReasonCare      Reason = 3
	ReasonPregnancy Reason = 4
	ReasonIllness   Reason = 5
	ReasonDisaster  Reason = 6
	ReasonOther     Reason = 7
)

// sudden reasons cannot be known in advance.
func (r Reason) sudden() bool { return r == ReasonIllness || r == ReasonDisaster }

// Answer of an approver. The numbers are those of the control API.
type Answer uint8

// The answers.
const (
	Approve Answer = 1 // 承認
	Return  Answer = 2 // 差戻し
	Refuse  Answer = 3 // 不承認
)

// Day is one day of a request. From and Until are minutes after midnight; Until may lie on the next day in an overtime
// order.
type Day struct {
	Date        calendar.Date
	Unit        Unit
	From, Until int
	Leave       int // minutes of hourly leave on the same day
}

// Span is the time that the day asks for.
func (d Day) Span() (from, until time.Time) { return d.Date.At(d.From), d.Date.At(d.Until) }

// Draft is what the user fills in. Days are sorted by date once Check has seen them.
type Draft struct {
	Days          []Day
	Place         access.Place
	PlaceNote     string // where, for other places
	Reason        Reason
	ReasonText    string
	Work          string // what is planned
	PersonalData  bool   // 個人情報を扱う業務
	TakeOut       bool   // 端末の持出し
	TakeOutDevice string
}

// Limits of a draft.
const (
	maxDays = 60
	maxText = 2000 // characters
	maxNote = 200
)

// ErrDraft means that a draft cannot be meant; the text says why. Forms of the portal never send such a draft.
var ErrDraft = errors.New("telework: draft")

// Check sorts the days and refuses what cannot be meant for a kind. Hours of whole and half days may still be open; see
// Fill.
func (d *Draft) Check(kind Kind) error {
	bad := func(what string) error { return fmt.Errorf("%w: %s", ErrDraft, what) }
	switch {
	case len(d.Days) < 1 || len(d.Days) > maxDays:
		return bad("1 to 60 days")
	case d.Place < access.Home || d.Place > access.Other:
		return bad("place")
	case d.Place == access.Other && strings.TrimSpace(d.PlaceNote) == "":
		return bad("place note")
	case kind == Telework && (d.Reason < ReasonWork || d.Reason > ReasonOther), d.Reason > ReasonOther:
		return bad("reason")
	case d.TakeOut && strings.TrimSpace(d.TakeOutDevice) == "":
		return bad("device that is taken out")
	}
	for _, t := range []struct {
		text string
		most int
	}{{d.PlaceNote, maxNote}, {d.TakeOutDevice, maxNote}, {d.ReasonText, maxText}, {d.Work, maxText}} {
		if !readable(t.text, t.most) {
			return bad("text")
		}
	}
	slices.SortStableFunc(d.Days, func(a, b Day) int { return strings.Compare(a.Date.String(), b.Date.String()) })
	for i := range d.Days {
		if i > 0 && d.Days[i].Date == d.Days[i-1].Date {
			return bad("a day twice")
		}
		if !d.Days[i].possible(kind) {
			return bad("day " + d.Days[i].Date.String())
		}
	}
	return nil
}

// lastMinute: an overtime order may go on until five in the morning.
func lastMinute(kind Kind) int {
	if kind == OvertimeOrder {
		return 29 * 60
	}
	return 24 * 60
}

func (d *Day) possible(kind Kind) bool {
	if d.Date.IsZero() || d.Unit < Full || d.Unit > Minutes || d.Leave < 0 || d.Leave > 24*60 {
		return false
	}
	open := d.From == 0 && d.Until == 0 && d.Unit != Minutes
	return open || (d.From >= 0 && d.From < d.Until && d.From < 24*60 && d.Until <= lastMinute(kind))
}

// readable text has no control characters but tabs and new lines, and at most n characters.
func readable(s string, n int) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= n && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 0x20 && r != '\n' && r != '\t' && r != '\r') || r == 0x7f
	})
}

// Fill gives whole and half days the user's hours. Days without work stay open.
func (d *Draft) Fill(hours func(calendar.Date) calendar.Hours) {
	for i := range d.Days {
		day := &d.Days[i]
		h := hours(day.Date)
		from, until := h.Start, h.End
		noon, after := h.BreakStart, h.BreakEnd
		if noon == after { // no break: the middle divides
			noon = (h.Start + h.End) / 2
			after = noon
		}
		switch day.Unit {
		case Full:
		case Morning:
			until = noon
		case Afternoon:
			from = after
		default:
			continue
		}
		day.From, day.Until = from, until
	}
}

// span is the time from the first day's beginning to the last day's end.
func (d *Draft) span() (from, until time.Time) {
	for i := range d.Days {
		f, u := d.Days[i].Span()
		if i == 0 || f.Before(from) {
			from = f
		}
		if u.After(until) {
			until = u
		}
	}
	return from, until
}

// Request is a request or an order.
type Request struct {
	ID          string
	Kind        Kind
	State       State
	User        string
	By          string // who entered it: 代理申請 if not the user
	Section     string // the user's main section when it was submitted; it may be gone by now
	SectionName string
	Draft       Draft
	AfterFact   bool // entered when its first day had begun
	CreatedMS   int64
	SubmittedMS int64
	Revision    int    // counts submissions from 1
	Replaces    string // id of the approved request that this one changes
	Steps       []Step
	History     []Change // oldest first
}

// Step of a route.
type Step struct {
	Section     string
	SectionName string
	Circulate   bool // 供覧: for reading, after the approval
	Answer      Answer
	By          string // who decided
	For         string // the absent head that By stood in for (代決)
	AtMS        int64
	Comment     string
	SeenMS      int64 // when the absent head confirmed it (後閲), or the reader read it
}

// Change is a line of a request's history.
type Change struct {
	AtMS     int64
	By       string
	State    State // after the change
	Step     int   // position of the step that was decided, from 1; 0: none was
	For      string
	Comment  string
	Revision int
}

// Cover is a time for which somebody has an approved request or an order.
type Cover struct {
	Request     string
	Kind        Kind
	From, Until time.Time
	Place       access.Place
}

// Problem is what policy says of a draft.
type Problem struct {
	Code    access.Code
	N       int           // number in the words, 0 if there is none
	Date    calendar.Date // the day it is about, or none
	Forbids bool          // it cannot be submitted so; else it is only said
}

// Refusal is a "no" with its problems, the most important first. It is an error so that steps can return it.
type Refusal struct{ Problems []Problem }

func (r *Refusal) Error() string {
	var codes []string
	for _, p := range r.Problems {
		codes = append(codes, string(p.Code))
	}
	return "telework: refused: " + strings.Join(codes, " ")
}

// refuse is the refusal with one code.
func refuse(code access.Code) error {
	return &Refusal{[]Problem{{Code: code, Forbids: true}}}
}

// RefusedWith says whether err is a refusal that names a code.
func RefusedWith(err error, code access.Code) bool {
	var no *Refusal
	return errors.As(err, &no) && slices.ContainsFunc(no.Problems, func(p Problem) bool { return p.Code == code })
}
