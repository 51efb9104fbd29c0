package telework_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"jiseki/internal/access"
	"jiseki/internal/calendar"
	"jiseki/internal/telework"
)

func day(text string) calendar.Date {
	d, err := calendar.ParseDate(text)
	if err != nil {
		panic(err)
	}
	return d
}

// clock is an instant on 2026-11-24 in Japan; hours from 24 on are on the days after.
func clock(hms string) int64 {
	var h, m, s int
	if _, err := fmt.Sscanf(hms, "%d:%d:%d", &h, &m, &s); err != nil {
		panic(err)
	}
	return day("2026-11-24").At(0).Add(time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second).UnixMilli()
}

func at(hms string) time.Time { return time.UnixMilli(clock(hms)) }

// seg is a segment on 2026-11-24; an empty end lasts.
func seg(kind telework.SegmentKind, from, until string) telework.Segment {
	s := telework.Segment{Kind: kind, FromMS: clock(from)}
	if until != "" {
		s.UntilMS = clock(until)
	}
	return s
}

func workday(segments ...telework.Segment) telework.Workday {
	return telework.Workday{User: "suzuki", Date: day("2026-11-24"), Segments: segments}
}

func TestWorkdayGoesFromSegmentToSegment(t *testing.T) {
	w := workday()
	for i, step := range []struct {
		at    string
		kind  telework.SegmentKind // 0: finish
		state telework.WorkdayState
	}{
		{"08:30:00", telework.Work, telework.Working},
		{"12:00:00", telework.Break, telework.Away},
		{"12:30:00", telework.Break, telework.Away},
		{"13:00:00", telework.Work, telework.Working},
		{"15:00:00", telework.Leave, telework.Away},
		{"16:00:00", telework.Hall, telework.Working},
		{"17:15:00", 0, telework.Finished},
		{"19:00:00", telework.Work, telework.Working},
		{"24:30:00", 0, telework.Finished},
	} {
		var err error
		if step.kind == 0 {
			w, err = w.Finish(at(step.at))
		} else {
			w, _, err = w.Begin(step.kind, at(step.at))
		}
		if err != nil || w.State() != step.state {
			t.Fatalf("step %d: state %d, %v", i, w.State(), err)
		}
	}
	want := []telework.Segment{
		seg(telework.Work, "08:30:00", "12:00:00"), seg(telework.Break, "12:00:00", "13:00:00"), seg(telework.Work, "13:00:00", "15:00:00"),
		seg(telework.Leave, "15:00:00", "16:00:00"), seg(telework.Hall, "16:00:00", "17:15:00"), seg(telework.Work, "19:00:00", "24:30:00"),
	}
	if d := cmp.Diff(want, w.Segments); d != "" {
		t.Error(d)
	}
}

func TestWhatCannotBegin(t *testing.T) {
	w := workday()
	for _, kind := range []telework.SegmentKind{telework.Break, telework.Interruption} {
		if _, _, err := w.Begin(kind, at("09:00:00")); !telework.RefusedWith(err, access.WorkdayNotStarted) {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if _, err := w.Finish(at("09:00:00")); !telework.RefusedWith(err, access.WorkdayNotStarted) {
		t.Errorf("finish: %v", err)
	}
	for _, kind := range []telework.SegmentKind{0, 9} {
		if _, _, err := w.Begin(kind, at("09:00:00")); !errors.Is(err, telework.ErrWorkday) {
			t.Errorf("kind %d: %v", kind, err)
		}
	}
	if _, _, err := w.Begin(telework.Leave, at("09:00:00")); err != nil {
		t.Errorf("leave in the morning: %v", err)
	}
}

// TestClockBackwardsMakesNoNegativeSegment: the times that are stamped never go back.
func TestClockBackwardsMakesNoNegativeSegment(t *testing.T) {
	w, _, err := (&telework.Workday{Date: day("2026-11-24")}).Begin(telework.Work, at("10:00:00"))
	if err != nil {
		t.Fatal(err)
	}
	if w, _, err = w.Begin(telework.Break, at("09:00:00")); err != nil {
		t.Fatal(err)
	}
	if w, err = w.Finish(at("09:30:00")); err != nil {
		t.Fatal(err)
	}
	want := []telework.Segment{seg(telework.Work, "10:00:00", "10:00:00"), seg(telework.Break, "10:00:00", "10:00:00")}
	if d := cmp.Diff(want, w.Segments); d != "" {
		t.Error(d)
	}
	if !workday(seg(telework.Work, "10:00:00", "")).Segments[0].Lasts() {
		t.Error("an open segment does not last")
	}
}

// TestSegmentsAreInOrder draws days under a clock that jumps as it likes.
func TestSegmentsAreInOrder(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		w, now := workday(), at("08:00:00")
		for range rapid.IntRange(1, 30).Draw(r, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(-7200, 7200).Draw(r, "seconds")) * time.Second)
			kind := telework.SegmentKind(rapid.IntRange(0, 8).Draw(r, "kind")) //nolint:gosec // 0 to 8
			if kind == 0 {
				w, _ = w.Finish(now)
			} else {
				w, _, _ = w.Begin(kind, now)
			}
		}
		for i, s := range w.Segments {
			switch {
			case s.Lasts() && i < len(w.Segments)-1:
				r.Fatalf("segment %d lasts: %v", i, w.Segments)
			case !s.Lasts() && s.UntilMS < s.FromMS, i > 0 && s.FromMS < w.Segments[i-1].UntilMS:
				r.Fatalf("segment %d goes back: %v", i, w.Segments)
			}
		}
		d := telework.DayReport{Workday: w}
		d.Measure(now)
		if d.WorkMS < 0 || d.AwayMS < 0 || d.GapMS < 0 {
			r.Fatalf("negative figures: %+v", d.Figures)
		}
	})
}

func TestWorkdayEndsToBeCurrentAfterADay(t *testing.T) {
	w := workday(seg(telework.Work, "08:30:00", ""))
	for hms, want := range map[string]bool{"08:30:00": true, "24:00:00": true, "32:29:59": true, "32:30:00": false, "50:00:00": false} {
		if w.Current(at(hms)) != want || w.MissingEnd(at(hms)) == want {
			t.Errorf("%s: current %v, missing %v", hms, w.Current(at(hms)), w.MissingEnd(at(hms)))
		}
	}
	future := telework.Workday{Segments: []telework.Segment{{Kind: telework.Work, FromMS: at("10:00:00").AddDate(10, 0, 0).UnixMilli()}}}
	if future.Current(at("10:00:00")) {
		t.Error("a day from before the clock was put right goes on")
	}
}

func TestCorrections(t *testing.T) {
	forgotten, current := workday(seg(telework.Work, "08:30:00", "")), workday(seg(telework.Work, "08:30:00", ""))
	yesterday := telework.Workday{Date: day("2026-11-23"), Segments: []telework.Segment{seg(telework.Work, "-01:00:00", "01:00:00")}}
	work := func(from, until string) []telework.Segment {
		return []telework.Segment{seg(telework.Work, from, until)}
	}
	for _, c := range []struct {
		name     string
		w        telework.Workday
		now      string
		segments []telework.Segment
		code     access.Code
	}{
		{"a forgotten end", forgotten, "40:00:00", work("08:30:00", "17:15:00"), ""},
		{"over midnight", forgotten, "40:00:00", work("22:00:00", "29:00:00"), ""},
		{"a day without a report", workday(), "40:00:00", []telework.Segment{seg(telework.Work, "08:30:00", "12:00:00"), seg(telework.Work, "13:00:00", "17:00:00")}, ""},
		{"a day that goes on", current, "12:00:00", []telework.Segment{seg(telework.Work, "08:00:00", "10:00:00"), seg(telework.Work, "10:00:00", "")}, ""},
		{"still open", forgotten, "40:00:00", work("08:30:00", ""), access.SegmentsOpen},
		{"open in the middle", current, "12:00:00", []telework.Segment{seg(telework.Work, "08:00:00", ""), seg(telework.Work, "10:00:00", "")}, access.SegmentsOpen},
		{"backwards", forgotten, "40:00:00", work("17:00:00", "08:00:00"), access.SegmentsOrder},
		{"no time", forgotten, "40:00:00", work("17:00:00", "17:00:00"), access.SegmentsOrder},
		{"overlap", forgotten, "40:00:00", []telework.Segment{seg(telework.Work, "08:00:00", "12:00:00"), seg(telework.Break, "11:59:59", "13:00:00")}, access.SegmentsOrder},
		{"the day before", forgotten, "40:00:00", work("-01:59:59", "17:00:00"), access.SegmentsDay},
		{"the day after", forgotten, "40:00:00", work("24:00:00", "25:00:00"), access.SegmentsDay},
		{"for ever", forgotten, "90:00:00", work("08:00:00", "56:00:01"), access.SegmentsDay},
		{"in the future", forgotten, "40:00:00", work("23:00:00", "40:00:01"), access.SegmentsFuture},
		{"begins in the future", current, "12:00:00", work("12:00:01", ""), access.SegmentsFuture},
		{"on yesterday's workday", forgotten, "40:00:00", work("00:59:59", "17:00:00"), access.SegmentsOverlap},
		{"right behind yesterday's", forgotten, "40:00:00", work("01:00:00", "17:00:00"), ""},
	} {
		next, err := c.w.Correct(c.segments, []telework.Workday{c.w, yesterday}, at(c.now))
		switch {
		case c.code != "" && !telework.RefusedWith(err, c.code):
			t.Errorf("%s: %v, want %s", c.name, err, c.code)
		case c.code == "" && (err != nil || !cmp.Equal(next.Segments, c.segments)):
			t.Errorf("%s: %v", c.name, err)
		case c.code != "" && !cmp.Equal(next.Segments, c.w.Segments):
			t.Errorf("%s: refused and changed", c.name)
		}
	}
	if _, err := forgotten.Correct(nil, nil, at("40:00:00")); !errors.Is(err, telework.ErrWorkday) {
		t.Errorf("nothing: %v", err)
	}
	for reason, good := range map[string]bool{"": false, " 　": false, "報告漏れ": true, "a\x00": false, string(make([]rune, 401)): false} {
		if err := telework.CheckCorrection(reason); (err == nil) != good {
			t.Errorf("%q: %v", reason, err)
		}
	}
}

func TestGap(t *testing.T) {
	full := []telework.Segment{seg(telework.Work, "08:30:00", "12:00:00"), seg(telework.Break, "12:00:00", "13:00:00"), seg(telework.Work, "13:00:00", "17:15:00")}
	home := func(from, until string) telework.Connection {
		c := telework.Connection{FromMS: clock(from), Place: access.Home}
		if until != "" {
			c.UntilMS = clock(until)
		}
		return c
	}
	office := home("08:00:00", "20:00:00")
	office.Place = access.Office
	for _, c := range []struct {
		name           string
		segments       []telework.Segment
		connections    []telework.Connection
		now            string
		gap, connected time.Duration
	}{
		{"nothing", nil, nil, "20:00:00", 0, 0},
		{"as reported", full, []telework.Connection{home("08:30:00", "12:00:00"), home("13:00:00", "17:15:00")}, "20:00:00", 0, 7*time.Hour + 45*time.Minute},
		{"late to connect, connected in the break", full, []telework.Connection{home("08:40:00", "17:15:00")}, "20:00:00", time.Hour, 8*time.Hour + 35*time.Minute},
		{"never connected", full, nil, "20:00:00", 7*time.Hour + 45*time.Minute, 0},
		{"never reported", nil, []telework.Connection{home("09:00:00", "10:00:00")}, "20:00:00", time.Hour, time.Hour},
		{"two desks at once", full, []telework.Connection{home("08:30:00", "17:15:00"), home("09:00:00", "10:00:00")}, "20:00:00", time.Hour, 8*time.Hour + 45*time.Minute},
		{"in the hall", []telework.Segment{seg(telework.Hall, "08:30:00", "17:15:00")}, nil, "20:00:00", 0, 0},
		{"on a trip, connected", []telework.Segment{seg(telework.Trip, "08:30:00", "17:15:00")}, []telework.Connection{home("10:00:00", "11:00:00")}, "20:00:00", 0, time.Hour},
		{"from a meeting room", nil, []telework.Connection{office}, "20:00:00", 0, 0},
		{"now", []telework.Segment{seg(telework.Work, "08:30:00", "")}, []telework.Connection{home("08:45:00", "")}, "10:00:00", 15 * time.Minute, 75 * time.Minute},
		{"end missing", []telework.Segment{seg(telework.Work, "08:30:00", "")}, []telework.Connection{home("08:30:00", "17:15:00")}, "33:00:00", 8*time.Hour + 45*time.Minute, 8*time.Hour + 45*time.Minute},
	} {
		d := telework.DayReport{Workday: workday(c.segments...), Connections: c.connections}
		d.Measure(at(c.now))
		if d.GapMS != c.gap.Milliseconds() || d.ConnectedMS != c.connected.Milliseconds() {
			t.Errorf("%s: gap %d connected %d, want %d %d", c.name, d.GapMS, d.ConnectedMS, c.gap.Milliseconds(), c.connected.Milliseconds())
		}
	}
}

// TestGapAgainstCounting compares the gap with one that is counted second by second.
func TestGapAgainstCounting(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		const seconds = 300
		begin := clock("09:00:00")
		var reported, home, connected [seconds]bool
		d := telework.DayReport{Workday: workday()}
		for from := 0; from < seconds; {
			until := min(from+rapid.IntRange(1, 90).Draw(r, "length"), seconds)
			if kind := telework.SegmentKind(rapid.IntRange(0, 8).Draw(r, "kind")); kind != 0 { //nolint:gosec // 0 to 8
				d.Segments = append(d.Segments, telework.Segment{Kind: kind, FromMS: begin + int64(from)*1000, UntilMS: begin + int64(until)*1000})
				for i := from; i < until; i++ {
					reported[i], home[i] = !kind.Away(), kind == telework.Work
				}
			}
			from = until
		}
		for range rapid.IntRange(0, 5).Draw(r, "connections") {
			from := rapid.IntRange(0, seconds-1).Draw(r, "from")
			until := rapid.IntRange(from, seconds).Draw(r, "until")
			d.Connections = append(d.Connections, telework.Connection{FromMS: begin + int64(from)*1000, UntilMS: begin + int64(until)*1000, Place: access.Home})
			for i := from; i < until; i++ {
				connected[i] = true
			}
		}
		var unreported, unconnected int64
		for i := range seconds {
			if connected[i] && !reported[i] {
				unreported += 1000
			}
			if home[i] && !connected[i] {
				unconnected += 1000
			}
		}
		d.Measure(at("20:00:00"))
		if d.GapMS != max(unreported, unconnected) {
			r.Fatalf("gap %d, counted %d and %d", d.GapMS, unreported, unconnected)
		}
	})
}

// TestConnectionsBelongToOneDay: a session over midnight is shared out between the days, and nothing counts twice.
func TestConnectionsBelongToOneDay(t *testing.T) {
	night := workday(seg(telework.Work, "22:00:00", "25:00:00"))
	next := telework.Workday{Date: day("2026-11-25")}
	all := []telework.Connection{{FromMS: clock("21:00:00"), UntilMS: clock("26:00:00")}, {FromMS: clock("33:00:00")}}
	from, until := telework.Window(&night, nil)
	got := telework.Clip(all, from, until)
	if d := cmp.Diff([]telework.Connection{{FromMS: clock("21:00:00"), UntilMS: clock("25:00:00")}}, got); d != "" {
		t.Error(d)
	}
	from, until = telework.Window(&next, &night)
	got = telework.Clip(all, from, until)
	if d := cmp.Diff([]telework.Connection{{FromMS: clock("25:00:00"), UntilMS: clock("26:00:00")}, {FromMS: clock("33:00:00")}}, got); d != "" {
		t.Error(d)
	}
}

func TestConfirmable(t *testing.T) {
	november := calendar.Month{Year: 2026, Month: 11}
	over := day("2026-12-01").At(0)
	for _, c := range []struct {
		open int
		now  time.Time
		code access.Code
	}{{0, over, ""}, {0, over.Add(-time.Millisecond), access.MonthNotOver}, {1, over, access.WorkdayEndMissing}} {
		if err := telework.Confirmable(november, c.open, c.now); (c.code == "") != (err == nil) || (c.code != "" && !telework.RefusedWith(err, c.code)) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestReportTotals(t *testing.T) {
	r := telework.Report{}
	r.Keep([]telework.DayReport{
		{Workday: workday(seg(telework.Work, "09:00:00", "10:00:00")), Figures: telework.Figures{WorkMS: 3_600_000, GapMS: 1_800_001}, Approved: true},
		{Workday: workday()},
		{Approved: true},
		{Figures: telework.Figures{ConnectedMS: 5, GapMS: 1_800_000}},
	})
	want := telework.Totals{Days: 1, ApprovedDays: 2, GapDays: 1, WorkMS: 3_600_000, ConnectedMS: 5}
	if got := r.Totals(30 * time.Minute); got != want || len(r.Days) != 3 {
		t.Errorf("%+v of %d days", got, len(r.Days))
	}
}
