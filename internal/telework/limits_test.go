package telework_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/calendar"
	"jiseki/internal/telework"

	"github.com/google/go-cmp/cmp"
)

func date(t testing.TB, s string) calendar.Date {
	t.Helper()
	d, err := calendar.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// rules: three days a week, by noon of the open day before, sudden reasons after the fact.
func rules() telework.Rules {
	return telework.Rules{
		Telework: true, DaysPerWeek: 3, ApplySet: true, ApplyDaysBefore: 1, ApplyMinute: 720, PersonalData: true, AfterFact: true,
		Timetable: calendar.Timetable{
			Days:  calendar.Days{Closed: map[calendar.Date]string{{Year: 2027, Month: 1, Day: 11}: "成人の日"}},
			Usual: calendar.Hours{Start: 510, End: 1035, BreakStart: 720, BreakEnd: 780},
		},
	}
}

// TestCheck changes one thing at a time. 24 November 2026 is a Tuesday.
func TestCheck(t *testing.T) {
	type drafted = func(*telework.Draft)
	is := func(reason telework.Reason) drafted { return func(d *telework.Draft) { d.Reason = reason } }
	for name, c := range map[string]struct {
		rules  func(*telework.Rules)
		draft  drafted
		days   string // comma-separated
		now    string // in Japan
		former string
		taken  string
		want   string // date:code, with ? behind what is only said
	}{
		"fine":                        {days: "2026-11-25", now: "2026-11-24 12:00", want: ""},
		"a minute late":               {days: "2026-11-25", now: "2026-11-24 12:01", want: "2026-11-25:request_late"},
		"late over a weekend":         {days: "2026-11-30", now: "2026-11-29 09:00", want: "2026-11-30:request_late"},
		"in time on Friday":           {days: "2026-11-30", now: "2026-11-27 12:00", want: ""},
		"over the turn of the year":   {days: "2027-01-04", now: "2026-12-28 12:00", want: ""},
		"late by the turn":            {days: "2027-01-04", now: "2026-12-29 09:00", want: "2027-01-04:request_late"},
		"a holiday does not count":    {days: "2027-01-12", now: "2027-01-08 12:01", want: "2027-01-12:request_late"},
		"over midnight":               {days: "2026-11-25", now: "2026-11-25 00:00", want: "2026-11-25:request_late"},
		"month end":                   {days: "2026-12-01", now: "2026-11-30 12:00", want: ""},
		"31 March":                    {days: "2027-04-01", now: "2027-03-31 12:00", want: ""},
		"31 March, late":              {days: "2027-04-01", now: "2027-03-31 23:59", want: "2027-04-01:request_late"},
		"no time to apply":            {rules: func(r *telework.Rules) { r.ApplySet = false }, days: "2026-11-25", now: "2026-11-25 08:29", want: ""},
		"begun":                       {rules: func(r *telework.Rules) { r.ApplySet = false }, days: "2026-11-25", now: "2026-11-25 08:30", want: "2026-11-25:request_after_fact"},
		"ill in the morning":          {draft: is(telework.ReasonIllness), days: "2026-11-25", now: "2026-11-25 07:00", want: ""},
		"ill, after the fact":         {draft: is(telework.ReasonIllness), days: "2026-11-25", now: "2026-11-26 09:00", want: ""},
		"disaster":                    {draft: is(telework.ReasonDisaster), days: "2026-11-25", now: "2026-11-25 15:00", want: ""},
		"care is not sudden":          {draft: is(telework.ReasonCare), days: "2026-11-25", now: "2026-11-25 15:00", want: "2026-11-25:request_after_fact"},
		"31 days back":                {draft: is(telework.ReasonIllness), days: "2026-11-25", now: "2026-12-26 09:00", want: ""},
		"32 days back":                {draft: is(telework.ReasonIllness), days: "2026-11-25", now: "2026-12-27 09:00", want: "2026-11-25:request_after_fact"},
		"policy: not after the fact":  {rules: func(r *telework.Rules) { r.AfterFact = false }, draft: is(telework.ReasonIllness), days: "2026-11-25", now: "2026-11-25 09:00", want: "2026-11-25:request_after_fact"},
		"emergency lifts times":       {rules: func(r *telework.Rules) { r.Emergency, r.AfterFact = true, false }, days: "2026-11-25,2026-11-28", now: "2026-11-25 09:00", want: "2026-11-28:request_day_off?"},
		"changed, was in time":        {days: "2026-11-25", now: "2026-11-25 08:00", former: "2026-11-25", want: ""},
		"changed to another day":      {days: "2026-11-26", now: "2026-11-26 08:00", former: "2026-11-25", want: "2026-11-26:request_late"},
		"three days":                  {days: "2026-11-25,2026-11-26,2026-11-27", now: "2026-11-24 09:00", want: ""},
		"four days in two weeks":      {days: "2026-11-26,2026-11-27,2026-11-30,2026-12-01", now: "2026-11-24 09:00", want: ""},
		"a fourth day":                {days: "2026-11-27", taken: "2026-11-24,2026-11-25,2026-11-26", now: "2026-11-24 09:00", want: "2026-11-23:request_too_many"},
		"week over the end of a year": {rules: func(r *telework.Rules) { r.DaysPerWeek = 1 }, days: "2026-12-28,2027-01-04", now: "2026-12-01 09:00", want: ""},
		"emergency lifts days":        {rules: func(r *telework.Rules) { r.Emergency = true }, days: "2026-11-27", taken: "2026-11-24,2026-11-25,2026-11-26", now: "2026-11-24 09:00", want: ""},
		"no limit":                    {rules: func(r *telework.Rules) { r.DaysPerWeek = 7 }, days: "2026-11-27", taken: "2026-11-24,2026-11-25,2026-11-26", now: "2026-11-24 09:00", want: ""},
		"Saturday":                    {draft: func(d *telework.Draft) { d.Days[0].Unit = telework.Minutes }, days: "2026-11-28", now: "2026-11-24 09:00", want: "2026-11-28:request_day_off"},
		"Saturday by policy":          {rules: func(r *telework.Rules) { r.DaysOff = true }, days: "2026-11-28", now: "2026-11-24 09:00", want: "2026-11-28:request_day_off?"},
		"whole day without hours":     {rules: func(r *telework.Rules) { r.DaysOff = true }, draft: func(d *telework.Draft) { d.Days[0].From, d.Days[0].Until = 0, 0 }, days: "2026-11-28", now: "2026-11-24 09:00", want: "2026-11-28:request_day_off"},
		"evening":                     {draft: func(d *telework.Draft) { d.Days[0].Until = 1200 }, days: "2026-11-25", now: "2026-11-24 09:00", want: "2026-11-25:request_outside_hours?"},
		"same time":                   {days: "2026-11-25", taken: "2026-11-25", now: "2026-11-24 09:00", want: "2026-11-25:request_overlaps"},
		"other half":                  {draft: func(d *telework.Draft) { d.Days[0].From = 1035; d.Days[0].Until = 1100 }, days: "2026-11-25", taken: "2026-11-25", now: "2026-11-24 09:00", want: "2026-11-25:request_outside_hours?"},
		"personal data":               {rules: func(r *telework.Rules) { r.PersonalData = false }, draft: func(d *telework.Draft) { d.PersonalData = true }, days: "2026-11-25", now: "2026-11-24 09:00", want: ":request_personal_data"},
		"personal data may":           {draft: func(d *telework.Draft) { d.PersonalData = true }, days: "2026-11-25", now: "2026-11-24 09:00", want: ""},
		"not for this employment":     {rules: func(r *telework.Rules) { r.Telework = false }, days: "2026-11-25", now: "2026-11-24 09:00", want: ":request_refused"},
		"far ahead":                   {days: "2027-11-29", now: "2026-11-24 09:00", want: "2027-11-29:request_too_far"},
		"registration ends": {
			rules: func(r *telework.Rules) {
				r.Registration, r.RegisteredUntil = true, calendar.Date{Year: 2027, Month: 3, Day: 31}
			},
			days: "2027-03-31,2027-04-01", now: "2027-03-24 09:00", want: "2027-04-01:request_unregistered?",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := rules()
			if c.rules != nil {
				c.rules(&r)
			}
			d := draft(dates(t, c.days)...)
			if c.draft != nil {
				c.draft(&d)
			}
			var others []telework.Taken
			for _, day := range dates(t, c.taken) {
				others = append(others,
					telework.Taken{Request: "x", Kind: telework.Telework, Day: telework.Day{Date: day, From: 510, Until: 1035}},
					telework.Taken{Request: "o", Kind: telework.OvertimeOrder, Day: telework.Day{Date: day.Add(1), From: 510, Until: 1035}}) // no limit counts orders
			}
			now, err := time.ParseInLocation("2006-01-02 15:04", c.now, calendar.JST)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range r.Check(&d, now, draft(dates(t, c.former)...).Days, others) {
				text := p.Date.String() + ":" + string(p.Code)
				if !p.Forbids {
					text += "?"
				}
				got = append(got, text)
			}
			if diff := cmp.Diff(c.want, strings.Join(got, " ")); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			no := telework.Forbidden(r.Check(&d, now, draft(dates(t, c.former)...).Days, others))
			if forbidden := strings.Contains(c.want+" ", "request") && strings.Count(c.want, "?") < len(got); forbidden != (no != nil) {
				t.Errorf("forbidden: %v", no)
			}
		})
	}
}

func dates(t testing.TB, list string) []calendar.Date {
	t.Helper()
	var all []calendar.Date
	for _, s := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' }) {
		all = append(all, date(t, s))
	}
	return all
}

func TestDraftForm(t *testing.T) {
	long := strings.Repeat("字", 2001)
	for name, c := range map[string]struct {
		kind   telework.Kind
		change func(*telework.Draft)
		ok     bool
	}{
		"fine":                 {telework.Telework, func(*telework.Draft) {}, true},
		"no days":              {telework.Telework, func(d *telework.Draft) { d.Days = nil }, false},
		"61 days":              {telework.Telework, func(d *telework.Draft) { d.Days = make([]telework.Day, 61) }, false},
		"a day twice":          {telework.Telework, func(d *telework.Draft) { d.Days = append(d.Days, d.Days[0]) }, false},
		"no date":              {telework.Telework, func(d *telework.Draft) { d.Days[0].Date = calendar.Date{} }, false},
		"no place":             {telework.Telework, func(d *telework.Draft) { d.Place = 0 }, false},
		"in the hall":          {telework.Telework, func(d *telework.Draft) { d.Place = access.Office }, false},
		"where?":               {telework.Telework, func(d *telework.Draft) { d.PlaceNote = " " }, false},
		"no reason":            {telework.Telework, func(d *telework.Draft) { d.Reason = 0 }, false},
		"order without reason": {telework.TeleworkOrder, func(d *telework.Draft) { d.Reason = 0 }, true},
		"unknown reason":       {telework.TeleworkOrder, func(d *telework.Draft) { d.Reason = 8 }, false},
		"long text":            {telework.Telework, func(d *telework.Draft) { d.Work = long }, false},
		"lines":                {telework.Telework, func(d *telework.Draft) { d.Work = "一\n二" }, true},
		"control characters":   {telework.Telework, func(d *telework.Draft) { d.ReasonText = "\x1b[2J" }, false},
		"broken text":          {telework.Telework, func(d *telework.Draft) { d.ReasonText = "\xff" }, false},
		"take out what?":       {telework.Telework, func(d *telework.Draft) { d.TakeOut = true }, false},
		"hours to fill in":     {telework.Telework, func(d *telework.Draft) { d.Days[0].From, d.Days[0].Until = 0, 0 }, true},
		"no hours":             {telework.Telework, func(d *telework.Draft) { d.Days[0] = telework.Day{Date: tuesday, Unit: telework.Minutes} }, false},
		"backwards":            {telework.Telework, func(d *telework.Draft) { d.Days[0].From = 1036 }, false},
		"before midnight":      {telework.Telework, func(d *telework.Draft) { d.Days[0].From = -1 }, false},
		"over midnight":        {telework.Telework, func(d *telework.Draft) { d.Days[0].Until = 1441 }, false},
		"overtime over it":     {telework.OvertimeOrder, func(d *telework.Draft) { d.Days[0].From, d.Days[0].Until = 1320, 1740 }, true},
		"overtime until noon":  {telework.OvertimeOrder, func(d *telework.Draft) { d.Days[0].Until = 1741 }, false},
		"begins tomorrow":      {telework.OvertimeOrder, func(d *telework.Draft) { d.Days[0].From, d.Days[0].Until = 1440, 1500 }, false},
		"unit":                 {telework.Telework, func(d *telework.Draft) { d.Days[0].Unit = 5 }, false},
		"leave":                {telework.Telework, func(d *telework.Draft) { d.Days[0].Leave = -1 }, false},
	} {
		d := draft(tuesday)
		c.change(&d)
		err := d.Check(c.kind)
		if c.ok != (err == nil) || (err != nil && !errors.Is(err, telework.ErrDraft)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	d := draft(tuesday.Add(9), tuesday, tuesday.Add(2))
	if err := d.Check(telework.Telework); err != nil || d.Days[0].Date != tuesday || d.Days[2].Date != tuesday.Add(9) {
		t.Errorf("days are not in order: %v, %v", d.Days, err)
	}
}

func TestFill(t *testing.T) {
	split := calendar.Hours{Start: 510, End: 1035, BreakStart: 720, BreakEnd: 780}
	whole := calendar.Hours{Start: 540, End: 900}
	for name, c := range map[string]struct {
		hours       calendar.Hours
		unit        telework.Unit
		from, until int
	}{
		"full":                      {split, telework.Full, 510, 1035},
		"morning":                   {split, telework.Morning, 510, 720},
		"afternoon":                 {split, telework.Afternoon, 780, 1035},
		"as typed":                  {split, telework.Minutes, 1, 2},
		"morning without a break":   {whole, telework.Morning, 540, 720},
		"afternoon without a break": {whole, telework.Afternoon, 720, 900},
		"day off":                   {calendar.Hours{}, telework.Full, 0, 0},
	} {
		d := telework.Draft{Days: []telework.Day{{Date: tuesday, Unit: c.unit, From: 1, Until: 2}}}
		d.Fill(func(calendar.Date) calendar.Hours { return c.hours })
		if got := d.Days[0]; got.From != c.from || got.Until != c.until {
			t.Errorf("%s: %d to %d", name, got.From, got.Until)
		}
	}
}

// TestRulesOf: of several policies the strictest holds, and without any nothing is allowed.
func TestRulesOf(t *testing.T) {
	none := telework.RulesOf(nil, false, calendar.Date{}, calendar.Timetable{})
	if none.Telework || none.PersonalData || none.AfterFact {
		t.Errorf("without a policy: %+v", none)
	}
	loose := access.Policy{Telework: true, DaysOff: true, PersonalData: true, AfterFact: true, DaysPerWeek: 7, ApplySet: true, ApplyDaysBefore: 1, ApplyMinute: 720}
	strict := access.Policy{Registration: true, DaysPerWeek: 2, ApplySet: true, ApplyDaysBefore: 3, ApplyMinute: 1000}
	for _, both := range [][]access.Policy{{loose, strict}, {strict, loose}} {
		r := telework.RulesOf(both, false, calendar.Date{}, calendar.Timetable{})
		if r.Telework || r.DaysOff || r.PersonalData || r.AfterFact || !r.Registration || r.WeekLimit() != 2 || r.ApplyDaysBefore != 3 || r.ApplyMinute != 1000 {
			t.Errorf("%+v", r)
		}
	}
	one := telework.RulesOf([]access.Policy{loose}, false, calendar.Date{}, calendar.Timetable{})
	if !one.Telework || !one.PersonalData || one.WeekLimit() != 0 || one.ApplyDaysBefore != 1 {
		t.Errorf("%+v", one)
	}
	if got := one.Latest(tuesday.Add(1)); !got.Equal(tuesday.At(720)) {
		t.Errorf("latest %v", got)
	}
}
