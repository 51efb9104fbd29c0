package telework

import (
	"time"

	"jiseki/internal/access"
	"jiseki/internal/calendar"
)

// Connection is a session on a desk beside a workday, stamped by the gateway.
type Connection struct {
	FromMS  int64
	UntilMS int64 // 0 while it lasts
	Desk    string
	Place   access.Place
}

// DayReport is a workday with what the gateway saw beside it.
type DayReport struct {
	Workday
	Connections []Connection // within the day's window, see Window; the first of them
	Corrections []Correction // oldest first
	Approved    bool         // an approved request or an order covers a part of the day
	Place       access.Place // of the approval, else of the first connection; 0: unknown
	ConfirmedMS int64        // when the superior confirmed the month; 0: not
	EndMissing  bool
	Figures
}

// Figures of a day, in milliseconds. Nothing is rounded.
type Figures struct {
	WorkMS      int64 // segments that have ended: work, trips, moving, work in the hall
	AwayMS      int64 // segments that have ended: breaks, interruptions, leave, exemption
	ConnectedMS int64 // time with at least one connection from outside the hall
	GapMS       int64 // 乖離, see Measure
}

// Window is the time whose connections belong to a day: from midnight, or from where the workday before ended, until
// midnight, or until the end of this workday if it is later. Each connection so belongs to one day, in parts if it
// must.
func Window(w, before *Workday) (fromMS, untilMS int64) {
	midnight, next := w.Date.At(0).UnixMilli(), w.Date.Add(1).At(0).UnixMilli()
	fromMS, untilMS = midnight, max(next, w.edge())
	if before != nil {
		fromMS = min(max(midnight, before.edge()), untilMS)
	}
	return fromMS, untilMS
}

// Clip is the connections' parts inside a window.
func Clip(connections []Connection, fromMS, untilMS int64) []Connection {
	var out []Connection
	for _, c := range connections {
		c.FromMS = max(c.FromMS, fromMS)
		if c.UntilMS != 0 {
			c.UntilMS = min(c.UntilMS, untilMS)
		}
		if c.FromMS < untilMS && (c.UntilMS == 0 || c.UntilMS > c.FromMS) {
			out = append(out, c)
		}
	}
	return out
}

// worked are the kinds in which somebody is at work.
var worked = []SegmentKind{Work, Trip, Moving, Hall}

// Measure fills in the figures. The gap (乖離) is the longer of two times: connected without reported work, and
// reported as 勤務 without being connected; trips, moving and work in the hall need no connection. What lasts counts
// until now for the gap. Sessions from the hall itself count for nothing.
func (d *DayReport) Measure(now time.Time) {
	d.EndMissing = d.MissingEnd(now)
	d.Figures = Figures{}
	for _, s := range d.Segments {
		switch {
		case s.Lasts():
		case s.Kind.Away():
			d.AwayMS += s.UntilMS - s.FromMS
		default:
			d.WorkMS += s.UntilMS - s.FromMS
		}
	}
	connected := d.connected(now)
	d.ConnectedMS = connected.total()
	d.GapMS = max(connected.minus(d.spans(now, worked...)).total(), d.spans(now, Work).minus(connected).total())
}

func (d *DayReport) connected(now time.Time) spans {
	var all []span
	for _, c := range d.Connections {
		if c.Place == access.Office {
			continue
		}
		until := c.UntilMS
		if until == 0 {
			until = now.UnixMilli()
		}
		all = append(all, span{c.FromMS, until})
	}
	return join(all)
}

// empty says that there is nothing to report of the day.
func (d *DayReport) empty() bool {
	return len(d.Segments) == 0 && len(d.Corrections) == 0 && d.Done == "" && !d.Approved && d.ConnectedMS == 0
}

// Report is テレワーク実績報告書: one user's month.
type Report struct {
	User        string
	UserName    string
	SectionName string
	Month       calendar.Month
	Days        []DayReport // by date, those that have something to report
	ConfirmedMS int64       // 0: not confirmed, or corrected since
	ConfirmedBy string      // name
}

// Keep leaves the days out that have nothing to report.
func (r *Report) Keep(days []DayReport) {
	for i := range days {
		if !days[i].empty() {
			r.Days = append(r.Days, days[i])
		}
	}
}

// Totals of a month.
type Totals struct {
	Days         int // with a reported workday
	ApprovedDays int
	GapDays      int // with a gap above the limit
	EndMissing   int // without a reported end
	WorkMS       int64
	ConnectedMS  int64
}

// Totals of the report; a day is flagged when its gap is longer than limit.
func (r *Report) Totals(limit time.Duration) (t Totals) {
	for i := range r.Days {
		d := &r.Days[i]
		t.WorkMS += d.WorkMS
		t.ConnectedMS += d.ConnectedMS
		t.Days += count(len(d.Segments) > 0)
		t.ApprovedDays += count(d.Approved)
		t.GapDays += count(d.GapMS > limit.Milliseconds())
		t.EndMissing += count(d.EndMissing)
	}
	return t
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// Confirmable says whether a month with so many open workdays can be confirmed: it is over (month_not_over), and every
// day has its end (workday_end_missing).
func Confirmable(month calendar.Month, open int, now time.Time) error {
	if !month.Last().Before(calendar.DateOf(now)) {
		return refuse(access.MonthNotOver)
	}
	if open > 0 {
		return refuse(access.WorkdayEndMissing)
	}
	return nil
}
