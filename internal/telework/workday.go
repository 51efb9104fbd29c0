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

// Limits of a workday.
const (
	// Longest is how long after its begin a workday goes on. Later a new one may begin, and the forgotten end is for a
	// correction.
	Longest = 24 * time.Hour
	// maxCorrected bounds a workday that is entered by correction.
	maxCorrected = 48 * time.Hour
	// maxSegments bounds the segments of a day: the log keeps as many of a corrected one.
	maxSegments = 40
	// maxReason bounds the reason of a correction, in characters.
	maxReason = 400
)

// ErrWorkday means that a report or correction cannot be meant; the text says why. The portal never sends one.
var ErrWorkday = errors.New("telework: workday")

// Workday is a telework day as segments. It belongs to the date on which it began, also when it goes on over midnight.
// Its segments are in order and do not overlap; only the last may last. The zero value with a date is a day without
// report.
type Workday struct {
	User     string
	Date     calendar.Date
	Segments []Segment
	Done     string // what was done that day
}

// WorkdayState is how far a workday is. The numbers are those of the control API.
type WorkdayState uint8

// The states.
const (
	NotStarted WorkdayState = 1 // 始業前
	Working    WorkdayState = 2 // 勤務中
	Away       WorkdayState = 3 // 休憩中 and the like
	Finished   WorkdayState = 4 // 終業
)

// State of the workday.
func (w *Workday) State() WorkdayState {
	last, ok := w.last()
	switch {
	case !ok:
		return NotStarted
	case !last.Lasts():
		return Finished
	case last.Kind.Away():
		return Away
	}
	return Working
}

func (w *Workday) last() (Segment, bool) {
	if len(w.Segments) == 0 {
		return Segment{}, false
	}
	return w.Segments[len(w.Segments)-1], true
}

// Open says that the end has not been reported.
func (w *Workday) Open() bool {
	last, ok := w.last()
	return ok && last.Lasts()
}

// Current says that the workday is open and goes on: it began less than a day ago. A day that began far in the future,
// before the clock was put right, does not.
func (w *Workday) Current(now time.Time) bool {
	return w.Open() && now.Sub(time.UnixMilli(w.Segments[0].FromMS)).Abs() < Longest
}

// MissingEnd says that the end was forgotten: it is known only to the user, and a correction must say it.
func (w *Workday) MissingEnd(now time.Time) bool { return w.Open() && !w.Current(now) }

// edge is the last time that is stamped, 0 if there is none.
func (w *Workday) edge() int64 {
	last, _ := w.last()
	return max(last.FromMS, last.UntilMS)
}

// Begin is the workday with a segment that begins now, or at the last stamped time if the clock went backwards: no
// segment is ever negative. A kind that lasts already goes on, and nothing is changed. A day cannot begin with a break
// or an interruption (workday_not_started).
func (w *Workday) Begin(kind SegmentKind, now time.Time) (next Workday, changed bool, err error) {
	last, some := w.last()
	switch {
	case !kind.Known():
		return *w, false, fmt.Errorf("%w: kind", ErrWorkday)
	case len(w.Segments) >= maxSegments:
		return *w, false, fmt.Errorf("%w: too many segments", ErrWorkday)
	case some && last.Lasts() && last.Kind == kind:
		return *w, false, nil
	case (!some || !last.Lasts()) && (kind == Break || kind == Interruption):
		return *w, false, refuse(access.WorkdayNotStarted)
	}
	at := max(now.UnixMilli(), w.edge())
	next = w.closed(at)
	next.Segments = append(next.Segments, Segment{Kind: kind, FromMS: at})
	return next, true, nil
}

// Finish is the workday ended now: workday_not_started if nothing lasts.
func (w *Workday) Finish(now time.Time) (Workday, error) {
	if !w.Open() {
		return *w, refuse(access.WorkdayNotStarted)
	}
	return w.closed(max(now.UnixMilli(), w.edge())), nil
}

// closed is a copy whose last segment has ended.
func (w *Workday) closed(at int64) Workday {
	next := *w
	next.Segments = slices.Clone(w.Segments)
	if w.Open() {
		next.Segments[len(next.Segments)-1].UntilMS = at
	}
	return next
}

// Correct is the workday with other segments. Others are the user's workdays around it, which they must not overlap.
// The last segment may last only while the workday is current. Segments with their times out of order, in the future,
// open, on another day or on another workday are refused with a code each.
func (w *Workday) Correct(segments []Segment, others []Workday, now time.Time) (Workday, error) {
	if len(segments) < 1 || len(segments) > maxSegments {
		return *w, fmt.Errorf("%w: 1 to %d segments", ErrWorkday, maxSegments)
	}
	next := *w
	next.Segments = slices.Clone(segments)
	for _, check := range []func() error{
		func() error { return checkOrder(segments, w.Current(now)) },
		func() error { return w.checkDay(segments) },
		func() error { return checkPast(segments, max(now.UnixMilli(), w.edge())) },
		func() error { return checkApart(&next, others, now) },
	} {
		if err := check(); err != nil {
			return *w, err
		}
	}
	return next, nil
}

// checkOrder: each segment takes time and begins after the one before; only the last may last, and only if mayLast.
func checkOrder(segments []Segment, mayLast bool) error {
	for i, s := range segments {
		switch {
		case !s.Kind.Known() || s.FromMS <= 0:
			return fmt.Errorf("%w: segment %d", ErrWorkday, i)
		case s.Lasts() && (i < len(segments)-1 || !mayLast):
			return refuse(access.SegmentsOpen)
		case !s.Lasts() && s.UntilMS <= s.FromMS, i > 0 && s.FromMS < segments[i-1].UntilMS:
			return refuse(access.SegmentsOrder)
		}
	}
	return nil
}

// checkDay: the day begins on its date, and ends within two days.
func (w *Workday) checkDay(segments []Segment) error {
	first, last := segments[0], segments[len(segments)-1]
	if calendar.DateOf(time.UnixMilli(first.FromMS)) != w.Date || max(last.UntilMS, last.FromMS)-first.FromMS > maxCorrected.Milliseconds() {
		return refuse(access.SegmentsDay)
	}
	return nil
}

func checkPast(segments []Segment, latest int64) error {
	if last := segments[len(segments)-1]; max(last.FromMS, last.UntilMS) > latest {
		return refuse(access.SegmentsFuture)
	}
	return nil
}

// checkApart: nobody works on two days at once. Of a day whose end is missing the last segment counts as a moment.
func checkApart(w *Workday, others []Workday, now time.Time) error {
	mine := w.spans(now)
	for i := range others {
		if others[i].Date != w.Date && mine.total() > mine.minus(others[i].spans(now)).total() {
			return refuse(access.SegmentsOverlap)
		}
	}
	return nil
}

// CheckDone refuses a text of what was done that has control characters or is longer than 2000 characters.
func CheckDone(done string) error {
	if !readable(done, maxText) {
		return fmt.Errorf("%w: text of what was done", ErrWorkday)
	}
	return nil
}

// CheckCorrection refuses a correction without a reason in 1 to 400 characters on one line.
func CheckCorrection(reason string) error {
	trimmed := strings.TrimSpace(reason)
	if trimmed == "" || utf8.RuneCountInString(reason) > maxReason || !readable(reason, maxReason) {
		return fmt.Errorf("%w: reason of the correction", ErrWorkday)
	}
	return nil
}

// Correction keeps what a workday was before somebody changed it.
type Correction struct {
	AtMS   int64
	By     string // user id
	ByName string
	Reason string
	Before []Segment // read for one day or a file; else left out
}
