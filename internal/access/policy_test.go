package access_test

import (
	"slices"
	"testing"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/calendar"
	"jiseki/internal/cert"
	"jiseki/internal/grant"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// jst is an instant of the week of 24 November 2026, a Tuesday.
func jst(day, hour, minute int) time.Time {
	return time.Date(2026, 11, day, hour, minute, 0, 0, calendar.JST)
}

func min1(a, b calendar.Date) calendar.Date {
	if a.Before(b) {
		return a
	}
	return b
}

// less is what is left of kinds when only one may stay; empty means all.
func less[T comparable](kinds []T, only T) []T {
	if len(kinds) == 1 && kinds[0] != only {
		return kinds
	}
	return []T{only}
}

// only leaves one kind of device, if it may be used at all.
func only(kind grant.DeviceKind) func(*access.Input) {
	return func(in *access.Input) {
		if slices.Contains(in.Policy.Devices, kind) {
			rule(func(r *access.PolicyRule) { r.Devices = []grant.DeviceKind{kind} })(in)
		}
	}
}

func latest(covers []access.Cover) time.Time {
	var until time.Time
	for _, c := range covers {
		if c.Until.After(until) {
			until = c.Until
		}
	}
	return until
}

// drawRule draws a rule for everybody.
func drawRule(t *rapid.T, in *access.Input) {
	allow := func(name string) access.Allow { return access.Allow(rapid.IntRange(0, 2).Draw(t, name)) }
	rule(func(r *access.PolicyRule) {
		r.Telework = access.Allow(rapid.SampledFrom([]int{0, 1, 1, 2}).Draw(t, "telework"))
		r.Approval = access.ApprovalNeed(rapid.IntRange(0, 3).Draw(t, "approval need"))
		r.AtEnd = access.AtEnd(rapid.IntRange(0, 3).Draw(t, "at end"))
		r.Night, r.DaysOff, r.Clipboard, r.Office, r.Registration = allow("night"), allow("days off"), allow("clipboard"), allow("office"), allow("registration")
		r.OnBreak = access.OnBreak(rapid.IntRange(0, 2).Draw(t, "on break"))
		r.SecondFactor = access.SecondFactorNeed(rapid.IntRange(0, 2).Draw(t, "second factor"))
		r.Viewers = rapid.SampledFrom([][]grant.ViewerKind{nil, {grant.ViewerBrowser}, {grant.ViewerNative}}).Draw(t, "viewers")
		r.Devices = rapid.SampledFrom([][]grant.DeviceKind{nil, {grant.DeviceLent}, {grant.DevicePrivate}}).Draw(t, "devices")
	})(in)
}

// drawDay draws hours, covers, registration and the workday.
func drawDay(t *rapid.T, in *access.Input, mostly func(string) bool) {
	if !mostly("approval") {
		in.Covers = nil
	}
	for range rapid.IntRange(0, 2).Draw(t, "more covers") {
		from := now.Add(time.Duration(rapid.IntRange(-3, 12).Draw(t, "from")) * time.Hour)
		in.Covers = append(in.Covers, access.Cover{
			Kind: access.CoverKind(rapid.IntRange(1, 3).Draw(t, "cover")), From: from,
			Until: from.Add(time.Duration(rapid.IntRange(1, 12).Draw(t, "long")) * time.Hour),
			Place: rapid.SampledFrom([]access.Place{access.Home, access.Satellite, access.Other}).Draw(t, "cover place"),
		})
	}
	in.Now = now.Add(time.Duration(rapid.IntRange(0, 24).Draw(t, "later")) * time.Hour / 2)
	in.OnBreak = !mostly("at work")
	if mostly("registered") {
		in.RegisteredUntil = calendar.DateOf(now).Add(rapid.IntRange(0, 2).Draw(t, "registered until"))
	}
	for i := range in.Hours {
		if !mostly("workday") {
			in.Hours[i] = calendar.Hours{}
		}
	}
	in.Viewer = grant.ViewerKind(rapid.IntRange(1, 2).Draw(t, "viewer"))
}

// TestPolicyTable changes one thing at a time in an input that everything speaks for; approved are 8:30 to 17:15 of the
// 24th.
func TestPolicyTable(t *testing.T) {
	overtime := func(from, until time.Time) func(*access.Input) {
		return func(in *access.Input) {
			in.Covers = append(in.Covers, access.Cover{Kind: access.CoverOvertime, From: from, Until: until, Place: access.Home})
		}
	}
	at := func(now time.Time, more ...func(*access.Input)) func(*access.Input) {
		return func(in *access.Input) {
			in.Now = now
			for _, f := range more {
				f(in)
			}
		}
	}
	dayOff := func(in *access.Input) { in.Hours[0] = calendar.Hours{} }
	never := rule(func(r *access.PolicyRule) { r.Approval = access.ApprovalNever })
	outside := rule(func(r *access.PolicyRule) { r.Approval = access.ApprovalOutsideHours })
	warn := rule(func(r *access.PolicyRule) { r.AtEnd = access.EndWarn })
	free := rule(func(r *access.PolicyRule) {
		r.Approval, r.AtEnd, r.Night, r.DaysOff = access.ApprovalNever, access.EndNothing, access.AllowYes, access.AllowYes
	})
	registered := rule(func(r *access.PolicyRule) { r.Registration = access.AllowYes })
	until := func(d calendar.Date) func(*access.Input) { return func(in *access.Input) { in.RegisteredUntil = d } }
	today := calendar.Date{Year: 2026, Month: time.November, Day: 24}
	for name, c := range map[string]struct {
		change func(*access.Input)
		until  time.Time // zero: refused
		codes  []access.Code
	}{
		"in hours":                {at(jst(24, 9, 0)), jst(24, 17, 15), nil},
		"first minute":            {at(jst(24, 8, 30)), jst(24, 17, 15), nil},
		"too early":               {at(jst(24, 8, 29)), time.Time{}, []access.Code{access.ApprovalNeeded, access.HoursOver}},
		"at the end":              {at(jst(24, 17, 15)), time.Time{}, []access.Code{access.ApprovalNeeded, access.HoursOver}},
		"break":                   {at(jst(24, 12, 30)), jst(24, 17, 15), nil},
		"no approval, in hours":   {at(jst(24, 9, 0), outside, func(in *access.Input) { in.Covers = nil }), jst(24, 17, 15), nil},
		"no approval, past hours": {at(jst(24, 18, 0), outside, warn), time.Time{}, []access.Code{access.ApprovalNeeded}},
		"approved beyond hours": {
			at(jst(24, 18, 0), func(in *access.Input) { in.Covers[0].Until = jst(24, 20, 0) }), time.Time{}, []access.Code{access.HoursOver},
		},
		"overtime goes on":             {at(jst(24, 17, 0), overtime(jst(24, 17, 15), jst(24, 20, 0))), jst(24, 20, 0), nil},
		"overtime with a gap":          {at(jst(24, 17, 0), overtime(jst(24, 18, 0), jst(24, 20, 0))), jst(24, 17, 15), nil},
		"in overtime":                  {at(jst(24, 19, 0), overtime(jst(24, 18, 0), jst(24, 20, 0))), jst(24, 20, 0), nil},
		"two orders":                   {at(jst(24, 19, 0), overtime(jst(24, 18, 0), jst(24, 20, 0)), overtime(jst(24, 19, 30), jst(24, 21, 0))), jst(24, 21, 0), nil},
		"early overtime into the day":  {at(jst(24, 7, 0), overtime(jst(24, 6, 0), jst(24, 8, 30))), jst(24, 17, 15), nil},
		"overtime into the night":      {at(jst(24, 21, 0), overtime(jst(24, 17, 15), jst(24, 23, 30))), jst(24, 23, 30), nil},
		"overtime over midnight":       {at(jst(24, 23, 59), overtime(jst(24, 17, 15), jst(25, 1, 0))), jst(25, 1, 0), nil},
		"overtime after midnight":      {at(jst(25, 0, 30), overtime(jst(24, 17, 15), jst(25, 1, 0))), jst(25, 1, 0), nil},
		"overtime elsewhere":           {at(jst(24, 18, 0), overtime(jst(24, 17, 15), jst(24, 20, 0)), func(in *access.Input) { in.Covers[1].Place = access.Satellite }), time.Time{}, []access.Code{access.ApprovalPlace, access.HoursOver}},
		"warned only":                  {at(jst(24, 17, 0), warn, never), jst(24, 22, 0), nil},
		"nobody asks, to the night":    {at(jst(24, 18, 0), warn, never), jst(24, 22, 0), nil},
		"night":                        {at(jst(24, 22, 0), warn, never), time.Time{}, []access.Code{access.NightClosed}},
		"last minute of the night":     {at(jst(25, 4, 59), warn, never), time.Time{}, []access.Code{access.NightClosed}},
		"morning":                      {at(jst(25, 5, 0), warn, never), jst(25, 13, 0), nil}, // the sign-in ends
		"night is open":                {at(jst(24, 22, 0), free), jst(25, 6, 0), nil},
		"day off":                      {at(jst(24, 9, 0), dayOff, func(in *access.Input) { in.Covers = nil }), time.Time{}, []access.Code{access.ApprovalNeeded, access.DayOffClosed}},
		"day off, nobody asks":         {at(jst(24, 9, 0), dayOff, never, func(in *access.Input) { in.Covers = nil }), time.Time{}, []access.Code{access.DayOffClosed}},
		"day off, approved":            {at(jst(24, 9, 0), dayOff), jst(24, 17, 15), nil},
		"day off tomorrow":             {at(jst(24, 21, 0), never, warn, func(in *access.Input) { in.Hours[1] = calendar.Hours{} }, rule(func(r *access.PolicyRule) { r.Night = access.AllowYes })), jst(25, 0, 0), nil},
		"emergency by night":           {at(jst(24, 23, 0), dayOff, func(in *access.Input) { in.Settings.Emergency, in.Covers = true, nil }), jst(25, 7, 0), nil},
		"emergency, telework refused":  {at(jst(24, 9, 0), func(in *access.Input) { in.Settings.Emergency = true }, rule(func(r *access.PolicyRule) { r.Telework = access.AllowNo })), time.Time{}, []access.Code{access.TeleworkRefused}},
		"telework refused":             {rule(func(r *access.PolicyRule) { r.Telework = access.AllowNo }), time.Time{}, []access.Code{access.TeleworkRefused}},
		"for the satellite office":     {func(in *access.Input) { in.Covers[0].Place = access.Satellite }, time.Time{}, []access.Code{access.ApprovalPlace}},
		"in the satellite office":      {func(in *access.Input) { in.Covers[0].Place, in.Place = access.Satellite, access.Satellite }, jst(24, 17, 15), nil},
		"approved for home, satellite": {func(in *access.Input) { in.Place = access.Satellite }, jst(24, 17, 15), nil},
		"native only":                  {rule(func(r *access.PolicyRule) { r.Viewers = []grant.ViewerKind{grant.ViewerNative} }), time.Time{}, []access.Code{access.ViewerRefused}},
		"unknown viewer":               {func(in *access.Input) { in.Viewer = 0 }, time.Time{}, []access.Code{access.ViewerRefused}},
		"private only":                 {rule(func(r *access.PolicyRule) { r.Devices = []grant.DeviceKind{grant.DevicePrivate} }), time.Time{}, []access.Code{access.DeviceKindRefused}},
		"on break":                     {func(in *access.Input) { in.OnBreak = true }, time.Time{}, []access.Code{access.BreakNow}},
		"on break, left alone":         {at(jst(24, 9, 0), func(in *access.Input) { in.OnBreak = true }, rule(func(r *access.PolicyRule) { r.OnBreak = access.BreakNothing })), jst(24, 17, 15), nil},
		"not registered":               {registered, time.Time{}, []access.Code{access.RegistrationOver}},
		"registered":                   {at(jst(24, 9, 0), registered, until(today.Add(7))), jst(24, 17, 15), nil},
		"registered until today":       {at(jst(24, 20, 0), registered, free, until(today)), jst(25, 0, 0), nil},
		"registered until yesterday":   {at(jst(25, 0, 0), registered, free, until(today)), time.Time{}, []access.Code{access.RegistrationOver}},
		"office by night": {
			at(jst(24, 23, 0), registered, dayOff, func(in *access.Input) { in.Place, in.Covers, in.OnBreak = access.Office, nil, true }), jst(25, 7, 0), nil,
		},
		"office refused":          {at(jst(24, 9, 0), func(in *access.Input) { in.Place = access.Office }, rule(func(r *access.PolicyRule) { r.Office = access.AllowNo })), time.Time{}, []access.Code{access.OfficeClosed}},
		"office full":             {func(in *access.Input) { in.Place, in.Seats.Office = access.Office, 100 }, time.Time{}, []access.Code{access.OfficeFull}},
		"office, others are full": {at(jst(24, 9, 0), func(in *access.Input) { in.Place, in.Seats.Running = access.Office, 200 }), jst(24, 17, 0), nil},
		"hall full, from outside": {at(jst(24, 9, 0), func(in *access.Input) { in.Seats.Office = 100 }), jst(24, 17, 15), nil},
		"full":                    {func(in *access.Input) { in.Seats.Running = 200 }, time.Time{}, []access.Code{access.Full}},
		"rest is reserved":        {func(in *access.Input) { in.Seats = access.Seats{Running: 190, Withheld: 10} }, time.Time{}, []access.Code{access.SeatsReserved}},
		"one is left":             {at(jst(24, 9, 0), func(in *access.Input) { in.Seats = access.Seats{Running: 189, Withheld: 10} }), jst(24, 17, 15), nil},
	} {
		in := good()
		in.Covers[0].From, in.Covers[0].Until = jst(24, 8, 30), jst(24, 17, 15)
		in.Now = jst(24, 9, 0)
		c.change(&in)
		in.SignInUntil = in.Now.Add(8 * time.Hour)
		if name != "morning" && !c.until.Equal(in.SignInUntil) {
			in.SignInUntil = in.Now.Add(24 * time.Hour)
			in.Settings.SessionMax = 24 * time.Hour
		}
		resolve(&in)
		d := access.Decide(in)
		if !slices.Equal(d.Reasons, c.codes) {
			t.Errorf("%s: %v, want %v", name, d.Reasons, c.codes)
		}
		if !d.Until.Equal(c.until) {
			t.Errorf("%s: until %v, want %v", name, d.Until.In(calendar.JST), c.until)
		}
	}
}

func TestWarn(t *testing.T) {
	in := good()
	in.Now = jst(24, 9, 0)
	rule(func(r *access.PolicyRule) { r.Approval, r.AtEnd = access.ApprovalNever, access.EndWarn })(&in)
	resolve(&in)
	if d := access.Decide(in); !d.Warn.Equal(jst(24, 17, 15)) {
		t.Errorf("warn %v", d.Warn)
	}
	in.Covers = append(in.Covers, access.Cover{Kind: access.CoverOvertime, From: jst(24, 17, 15), Until: jst(24, 19, 0), Place: access.Home})
	if d := access.Decide(in); !d.Warn.Equal(jst(24, 19, 0)) {
		t.Errorf("with an order: warn %v", d.Warn)
	}
	if in.Now = jst(24, 20, 0); !access.Decide(in).Warn.IsZero() {
		t.Error("warned of an end that is past")
	}
	if d := access.Decide(good()); !d.Warn.IsZero() {
		t.Error("warned although the session ends")
	}
}

// TestResolve: the nearest section wins, and in it employment before zone; what is not set comes from above.
func TestResolve(t *testing.T) {
	s := access.Default()
	s.Policy.Rules = []access.PolicyRule{
		{Section: "kakari", Telework: access.AllowYes},
		{Zone: grant.ZoneLGWAN, Idle: 3 * time.Minute, Watermark: "zone"},
		{Section: "ka", Employment: "regular", Idle: 5 * time.Minute},
		{Section: "ka", Zone: grant.ZoneLGWAN, Idle: 6 * time.Minute, Night: access.AllowNo},
		{Section: "ka", Telework: access.AllowNo, Idle: 7 * time.Minute, DaysPerWeek: 2},
		{Employment: "regular", Idle: 2 * time.Minute, DaysPerWeek: 3},
		{Idle: time.Minute, ApplySet: true, ApplyDaysBefore: 1, ApplyMinute: 17 * 60},
		{Section: "other", Telework: access.AllowNo, Idle: time.Second},
	}
	for name, c := range map[string]struct {
		sub      access.Subject
		telework bool
		idle     time.Duration
		days     int
		night    bool
		mark     string
	}{
		"nobody's":         {access.Subject{}, true, time.Minute, 7, true, s.Watermark},
		"employment":       {access.Subject{Employment: "regular"}, true, 2 * time.Minute, 3, true, s.Watermark},
		"employment, zone": {access.Subject{Employment: "regular", Zone: grant.ZoneLGWAN}, true, 2 * time.Minute, 3, true, "zone"},
		"section":          {access.Subject{Sections: []string{"ka", "bu"}}, false, 7 * time.Minute, 2, true, s.Watermark},
		"section, zone":    {access.Subject{Sections: []string{"ka", "bu"}, Zone: grant.ZoneLGWAN}, false, 6 * time.Minute, 2, false, "zone"},
		"section, both": {
			access.Subject{Sections: []string{"ka", "bu"}, Employment: "regular", Zone: grant.ZoneLGWAN}, false, 5 * time.Minute, 2, false, "zone",
		},
		"below": {access.Subject{Sections: []string{"kakari", "ka", "bu"}, Employment: "regular"}, true, 5 * time.Minute, 2, true, s.Watermark},
		"above": {access.Subject{Sections: []string{"bu"}}, true, time.Minute, 7, true, s.Watermark},
	} {
		p := s.Resolve(c.sub)
		if p.Telework != c.telework || p.Idle != c.idle || p.DaysPerWeek != c.days || p.Night != c.night || p.Watermark != c.mark || !p.ApplySet {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestValuesNameTheirRule(t *testing.T) {
	s := access.Default()
	s.ApprovalRequired = true
	s.Policy.Rules = []access.PolicyRule{{Section: "ka", Idle: 7 * time.Minute}, {AtEnd: access.EndWarn, Idle: time.Minute}}
	values := map[string]access.Value{}
	for _, v := range s.Values(access.Subject{Sections: []string{"ka"}}) {
		values[v.Name] = v
	}
	if v := values["idle_s"]; v.Value != "420" || v.Rule == nil || v.Rule.Section != "ka" {
		t.Errorf("%+v", v)
	}
	if v := values["at_end"]; v.Value != "AT_END_WARN" || v.Rule == nil || v.Rule.Section != "" {
		t.Errorf("%+v", v)
	}
	if v := values["approval"]; v.Value != "APPROVAL_NEED_ALWAYS" || v.Rule != nil {
		t.Errorf("%+v", v)
	}
	if v := values["devices"]; v.Value != "DEVICE_KIND_LENT DEVICE_KIND_PRIVATE" {
		t.Errorf("%+v", v)
	}
}

// TestResolveOrder: the order in which rules are written does not matter.
func TestResolveOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := access.Default()
		keys := rapid.SliceOfNDistinct(rapid.IntRange(0, 11), 1, 8, rapid.ID[int]).Draw(t, "rules")
		for i, k := range keys {
			s.Policy.Rules = append(s.Policy.Rules, access.PolicyRule{
				Section: []string{"", "ka", "bu"}[k%3], Employment: []string{"", "regular"}[k/3%2], Zone: []grant.Zone{0, grant.ZoneLGWAN}[k/6],
				Idle: time.Duration(i+1) * time.Minute, DaysPerWeek: i % 7,
			})
		}
		if err := s.Check(); err != nil {
			t.Fatal(err)
		}
		sub := access.Subject{Sections: []string{"ka", "bu"}, Employment: "regular", Zone: grant.ZoneLGWAN}
		before := s.Resolve(sub)
		s.Policy.Rules = rapid.Permutation(s.Policy.Rules).Draw(t, "order")
		if d := cmp.Diff(before, s.Resolve(sub)); d != "" {
			t.Fatal(d)
		}
	})
}

// TestWhyAgreesWithDecide: the why page says what is decided, whatever the input.
func TestWhyAgreesWithDecide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawn(t)
		var refuses []access.Code
		for _, c := range access.Why(in) {
			if c.Refuses {
				refuses = append(refuses, c.Code)
			}
		}
		if d := access.Decide(in); !slices.Equal(refuses, d.Reasons) {
			t.Fatalf("%v, decided %v", refuses, d.Reasons)
		}
	})
}

// TestMyNumberInEveryMode: whatever policy, approval or emergency says, desks of zone mynumber open from satellite
// offices, on lent devices, through a gateway of their own; and such a gateway opens no others.
func TestMyNumberInEveryMode(t *testing.T) {
	opened := 0
	rapid.Check(t, func(t *rapid.T) {
		in := drawn(t)
		in.Desk.Zone = grant.ZoneMyNumber
		resolve(&in)
		d := access.Decide(in)
		if d.Allowed() {
			opened++
		}
		if d.Allowed() && (!in.Gateway.MyNumberOnly || in.Place != access.Satellite || in.Device.Kind != grant.DeviceLent || d.Rights.Has(grant.RightClipboard)) {
			t.Fatalf("%+v", in)
		}
		in.Desk.Zone, in.Gateway.MyNumberOnly = grant.Zone(rapid.IntRange(1, 2).Draw(t, "other zone")), true
		if resolve(&in); access.Decide(in).Rights != 0 {
			t.Fatal("a gateway of zone mynumber opens another zone")
		}
	})
	in := good()
	in.Desk.Zone, in.Gateway.MyNumberOnly, in.Place = grant.ZoneMyNumber, true, access.Satellite
	if d := access.Decide(in); !d.Allowed() {
		t.Errorf("never allowed: %v", d.Reasons)
	}
}

func TestZeroPolicyAllowsNothing(t *testing.T) {
	in := good()
	in.Policy = access.Policy{}
	for _, in.Place = range []access.Place{access.Home, access.Satellite, access.Office} {
		if d := access.Decide(in); d.Rights != 0 || len(d.Reasons) < 2 {
			t.Errorf("%v: %+v", in.Place, d)
		}
	}
}

func TestPolicyCheck(t *testing.T) {
	for name, change := range map[string]func(*access.PolicySettings){
		"no hours":         func(p *access.PolicySettings) { p.Hours = calendar.Hours{} },
		"late break":       func(p *access.PolicySettings) { p.Hours.BreakEnd = 23 * 60 },
		"gap":              func(p *access.PolicySettings) { p.GapLimit = -1 },
		"office":           func(p *access.PolicySettings) { p.MaxOfficeSessions = -1 },
		"tls":              func(p *access.PolicySettings) { p.Mail.TLS = "ssl" },
		"server":           func(p *access.PolicySettings) { p.Mail.Server, p.Mail.From = "mail", "a@b" },
		"from":             func(p *access.PolicySettings) { p.Mail.Server, p.Mail.From = "mail:25", "a" },
		"from not ASCII":   func(p *access.PolicySettings) { p.Mail.Server, p.Mail.From = "mail:25", "総務@a" },
		"employment twice": func(p *access.PolicySettings) { p.Employments = append(p.Employments, p.Employments[0]) },
		"employment id":    func(p *access.PolicySettings) { p.Employments[0].ID = "一般職" },
		"reserved":         func(p *access.PolicySettings) { p.ReservedSeats = []access.ReservedSeats{{"a", 0}} },
		"reserved twice":   func(p *access.PolicySettings) { p.ReservedSeats = []access.ReservedSeats{{"a", 1}, {"a", 1}} },
		"reserved more":    func(p *access.PolicySettings) { p.ReservedSeats = []access.ReservedSeats{{"a", 150}, {"b", 51}} },
		"rule twice":       func(p *access.PolicySettings) { p.Rules = make([]access.PolicyRule, 2) },
		"no employment":    func(p *access.PolicySettings) { p.Rules = []access.PolicyRule{{Employment: "nobody"}} },
		"zone":             func(p *access.PolicySettings) { p.Rules = []access.PolicyRule{{Zone: 4}} },
		"allow":            func(p *access.PolicySettings) { p.Rules = []access.PolicyRule{{Night: 3}} },
		"approval":         func(p *access.PolicySettings) { p.Rules = []access.PolicyRule{{Approval: 4}} },
		"at end":           func(p *access.PolicySettings) { p.Rules = []access.PolicyRule{{AtEnd: 4}} },
		"viewer":           func(p *access.PolicySettings) { p.Rules = []access.PolicyRule{{Viewers: []grant.ViewerKind{9}}} },
		"device":           func(p *access.PolicySettings) { p.Rules = []access.PolicyRule{{Devices: []grant.DeviceKind{0}}} },
		"idle":             func(p *access.PolicySettings) { p.Rules = []access.PolicyRule{{Idle: time.Millisecond}} },
		"clipboard": func(p *access.PolicySettings) {
			p.Rules = []access.PolicyRule{{Zone: grant.ZoneLGWAN, Clipboard: access.AllowYes}}
		},
		"days":  func(p *access.PolicySettings) { p.Rules = []access.PolicyRule{{DaysPerWeek: 8}} },
		"apply": func(p *access.PolicySettings) { p.Rules = []access.PolicyRule{{ApplySet: true, ApplyMinute: 1440}} },
	} {
		s := access.Default()
		change(&s.Policy)
		if s.Check() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if s, err := access.ParseSettings([]byte(`{"worst_grade":3,"session_max":60000000000,"sign_in_max":60000000000}`)); err != nil || !s.Policy.Hours.Works() {
		t.Errorf("settings from before there was a policy: %+v, %v", s.Policy, err)
	}
	if _, err := access.ParseSettings([]byte(`{"policy":{"rule":[]}}`)); err == nil {
		t.Error("a misspelt name is accepted")
	}
}

func TestCountSeats(t *testing.T) {
	reserved := []access.ReservedSeats{{Section: "bosai", Seats: 3}, {Section: "ka", Seats: 2}, {Section: "kakari", Seats: 1}}
	seat := func(desk string, place access.Place, sections ...string) access.Seat {
		return access.Seat{Desk: desk, Place: place, Sections: sections}
	}
	taken := []access.Seat{
		seat("k1", access.Home, "kakari", "ka"), seat("k2", access.Home, "kakari", "ka"), seat("k3", access.Satellite, "other"),
		seat("k4", access.Home), seat("k5", access.Office, "bosai"), seat("k6", access.Home, "bosai"),
		seat("k6", access.Home, "bosai"), seat("k5", access.Office, "bosai"), // two sessions of one desk
	}
	for name, c := range map[string]struct {
		desk     string
		sections []string
		want     access.Seats
	}{
		"of none":       {"k9", []string{"other"}, access.Seats{Running: 5, Office: 1, Withheld: 4}},
		"of bosai":      {"k9", []string{"team", "bosai"}, access.Seats{Running: 5, Office: 1, Withheld: 2}},
		"of ka":         {"k9", []string{"ka"}, access.Seats{Running: 5, Office: 1, Withheld: 2}},
		"of kakari":     {"k9", []string{"kakari", "ka"}, access.Seats{Running: 5, Office: 1, Withheld: 4}},
		"takes over":    {"k6", []string{"other"}, access.Seats{Running: 4, Office: 1, Withheld: 5}},
		"from the hall": {"k5", []string{"other"}, access.Seats{Running: 5, Withheld: 4}},
	} {
		if got := access.CountSeats(taken, c.desk, c.sections, reserved); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// TestReservedSeatsAreKept: however others come and go, the section finds its seats.
func TestReservedSeatsAreKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := access.Default()
		s.MaxSessions = rapid.IntRange(1, 8).Draw(t, "max")
		s.Policy.ReservedSeats = []access.ReservedSeats{{Section: "bosai", Seats: rapid.IntRange(1, s.MaxSessions).Draw(t, "reserved")}}
		var taken []access.Seat
		mine := 0
		for i := range rapid.IntRange(0, 12).Draw(t, "asked") {
			sections := []string{rapid.SampledFrom([]string{"bosai", "zeimu"}).Draw(t, "section")}
			if s.SeatFor(access.Home, access.CountSeats(taken, "", sections, s.Policy.ReservedSeats)) != "" {
				if sections[0] == "bosai" && mine < s.Policy.ReservedSeats[0].Seats {
					t.Fatalf("refused with %d of %d seats", mine, s.Policy.ReservedSeats[0].Seats)
				}
				continue
			}
			if sections[0] == "bosai" {
				mine++
			}
			taken = append(taken, access.Seat{Desk: string(rune('a' + i)), Place: access.Home, Sections: sections})
		}
		if len(taken) > s.MaxSessions {
			t.Fatal("more than the limit")
		}
	})
}

// TestFiscalYearEnd: on 31 March work goes on until midnight, on 1 April it needs a new registration.
func TestFiscalYearEnd(t *testing.T) {
	in := good()
	rule(func(r *access.PolicyRule) {
		r.Registration, r.Approval, r.AtEnd, r.Night = access.AllowYes, access.ApprovalNever, access.EndNothing, access.AllowYes
	})(&in)
	resolve(&in)
	in.RegisteredUntil = calendar.Date{Year: 2027, Month: time.March, Day: 31}
	in.Now = time.Date(2027, 3, 31, 23, 59, 0, 0, calendar.JST)
	in.SignInUntil, in.Device.Until, in.Desk.Until = in.Now.AddDate(0, 0, 1), in.Now.AddDate(0, 0, 1), in.Now.AddDate(0, 0, 1)
	if d := access.Decide(in); !d.Until.Equal(time.Date(2027, 4, 1, 0, 0, 0, 0, calendar.JST)) {
		t.Errorf("%+v", d)
	}
	in.Now = in.Now.Add(time.Minute)
	if d := access.Decide(in); !slices.Equal(d.Reasons, []access.Code{access.RegistrationOver}) {
		t.Errorf("%v", d.Reasons)
	}
}

// TestClockJumps: an answer depends on the time alone, not on what was answered before.
func TestClockJumps(t *testing.T) {
	in := good()
	in.Covers[0].From, in.Covers[0].Until = jst(24, 8, 30), jst(24, 17, 15)
	in.SignInUntil = jst(30, 0, 0)
	for _, c := range []struct {
		now     time.Time
		allowed bool
	}{{jst(24, 9, 0), true}, {jst(24, 18, 0), false}, {jst(24, 9, 0), true}, {jst(23, 9, 0), false}, {jst(26, 9, 0), false}, {jst(24, 17, 14), true}} {
		in.Now = c.now
		if d := access.Decide(in); d.Allowed() != c.allowed {
			t.Errorf("%v: %+v", c.now, d)
		}
	}
}

func BenchmarkDecide(b *testing.B) {
	in := good()
	for range 50 {
		in.Settings.Policy.Rules = append(in.Settings.Policy.Rules, access.PolicyRule{Section: "ka", Employment: "regular", Idle: time.Minute})
	}
	in.Device.Grade = cert.GradeSystem
	b.ReportAllocs()
	for b.Loop() {
		resolve(&in)
		if d := access.Decide(in); !d.Allowed() {
			b.Fatal(d.Reasons)
		}
	}
}
