package access_test

import (
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"jiseki/internal/access"
	"jiseki/internal/calendar"
	"jiseki/internal/cert"
	"jiseki/internal/grant"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var now = time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)

// good is an input that everything speaks for, from home.
func good() access.Input {
	s := access.Default()
	s.ApprovalRequired, s.TOTPOutside, s.ClipboardInternet = true, true, true
	in := access.Input{
		User:   access.User{ID: "tanaka", Roles: []access.Role{access.Staff}, HasSecond: true, SecondFactor: true},
		Device: &access.Device{ID: "d1", Mine: true, Kind: grant.DeviceLent, Grade: cert.GradeSystem, Until: now.AddDate(0, 1, 0)},
		Desk: access.Desk{
			ID: "k1", Zone: grant.ZoneInternet, Assigned: true, Enrolled: true, Until: now.AddDate(0, 1, 0), Presence: access.On, Lockable: true,
		},
		Place: access.Home, Now: now, SignInUntil: now.Add(8 * time.Hour), Viewer: grant.ViewerBrowser,
		Covers:   []access.Cover{{Kind: access.CoverRequest, From: now, Until: now.Add(5 * time.Hour), Place: access.Home}},
		Hours:    [2]calendar.Hours{s.Policy.Hours, s.Policy.Hours},
		Settings: s,
	}
	resolve(&in)
	return in
}

// resolve brings the policy to what the settings say.
func resolve(in *access.Input) {
	in.Policy = in.Settings.Resolve(access.Subject{Sections: []string{"soumu"}, Employment: "regular", Zone: in.Desk.Zone})
}

// rule is a change that adds a rule for everybody.
func rule(set func(*access.PolicyRule)) func(*access.Input) {
	return func(in *access.Input) {
		rules := append([]access.PolicyRule{}, in.Settings.Policy.Rules...)
		if len(rules) == 0 {
			rules = append(rules, access.PolicyRule{})
		}
		set(&rules[0])
		in.Settings.Policy.Rules = rules
	}
}

func TestDecideSaysYes(t *testing.T) {
	d := access.Decide(good())
	want := access.Decision{
		Rights: grant.RightView | grant.RightInput | grant.RightClipboard, Until: now.Add(5 * time.Hour), Idle: 30 * time.Minute, Grace: time.Minute,
	}
	if diff := cmp.Diff(want, d); diff != "" || !d.Allowed() {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestDecideTable changes one thing at a time.
func TestDecideTable(t *testing.T) {
	const all = grant.RightView | grant.RightInput | grant.RightClipboard
	const plain = grant.RightView | grant.RightInput
	mynumber := func(in *access.Input) {
		in.Desk.Zone, in.Gateway.MyNumberOnly, in.Place = grant.ZoneMyNumber, true, access.Satellite
	}
	for name, c := range map[string]struct {
		change func(*access.Input)
		rights grant.Rights
		codes  []access.Code
	}{
		"disabled":         {func(in *access.Input) { in.User.Disabled = true }, 0, []access.Code{access.UserDisabled}},
		"initial password": {func(in *access.Input) { in.User.MustChange = true }, 0, []access.Code{access.PasswordMustChange}},
		"sign-in over":     {func(in *access.Input) { in.SignInUntil = now }, 0, []access.Code{access.SignInOver}},
		"no device":        {func(in *access.Input) { in.Device = nil }, 0, []access.Code{access.DeviceNeeded}},
		"revoked":          {func(in *access.Input) { in.Device.Revoked = true }, 0, []access.Code{access.DeviceRevoked}},
		"other's device":   {func(in *access.Input) { in.Device.Mine = false }, 0, []access.Code{access.DeviceNotYours}},
		"expired device":   {func(in *access.Input) { in.Device.Until = now }, 0, []access.Code{access.DeviceExpired}},
		"private":          {func(in *access.Input) { in.Device.Kind = grant.DevicePrivate }, all, nil},
		"private refused":  {func(in *access.Input) { in.Device.Kind, in.Settings.PrivateDevices = grant.DevicePrivate, false }, 0, []access.Code{access.DevicePrivate}},
		"unknown kind":     {func(in *access.Input) { in.Device.Kind = 0 }, 0, []access.Code{access.DevicePrivate}},
		"grade":            {func(in *access.Input) { in.Settings.WorstGrade = cert.GradeHardware }, 0, []access.Code{access.KeyGrade}},
		"no grade":         {func(in *access.Input) { in.Device.Grade = 0 }, 0, []access.Code{access.KeyGrade}},
		"unknown place":    {func(in *access.Input) { in.Place = 0 }, 0, []access.Code{access.PlaceUnknown}},
		"office":           {func(in *access.Input) { in.Place, in.Covers, in.User.SecondFactor = access.Office, nil, false }, all, nil},
		"office closed":    {func(in *access.Input) { in.Place, in.Settings.OfficeSessions = access.Office, false }, 0, []access.Code{access.OfficeClosed}},
		"no second factor": {func(in *access.Input) { in.User.SecondFactor = false }, 0, []access.Code{access.SecondFactorNeeded}},
		"none set up": {
			func(in *access.Input) { in.User.SecondFactor, in.User.HasSecond = false, false }, 0, []access.Code{access.SecondFactorMissing},
		},
		"satellite":         {func(in *access.Input) { in.Place = access.Satellite }, all, nil},
		"no approval":       {func(in *access.Input) { in.Covers = nil }, 0, []access.Code{access.ApprovalNeeded}},
		"approval later":    {func(in *access.Input) { in.Covers[0].From = now.Add(1) }, 0, []access.Code{access.ApprovalNeeded}},
		"approval over":     {func(in *access.Input) { in.Covers[0].Until = now }, 0, []access.Code{access.ApprovalNeeded}},
		"no approval asked": {func(in *access.Input) { in.Covers, in.Settings.ApprovalRequired = nil, false }, all, nil},
		"emergency":         {func(in *access.Input) { in.Covers, in.Settings.Emergency = nil, true }, all, nil},
		"other's desk":      {func(in *access.Input) { in.Desk.Assigned = false }, 0, []access.Code{access.DeskNotYours}},
		"not enrolled":      {func(in *access.Input) { in.Desk.Enrolled, in.Desk.Presence = false, access.Off }, 0, []access.Code{access.DeskNotEnrolled}},
		"expired desk":      {func(in *access.Input) { in.Desk.Until = now }, 0, []access.Code{access.DeskExpired}},
		"off":               {func(in *access.Input) { in.Desk.Presence, in.Desk.Lockable = access.Off, false }, 0, []access.Code{access.DeskOff}},
		"unknown":           {func(in *access.Input) { in.Desk.Presence, in.Desk.Lockable = access.Unknown, false }, 0, []access.Code{access.DeskUnknown}},
		"cannot lock":       {func(in *access.Input) { in.Desk.Lockable = false }, 0, []access.Code{access.DeskCannotLock}},
		"palette":           {func(in *access.Input) { in.Desk.Fault = access.DeskColours }, 0, []access.Code{access.DeskColours}},
		"too large":         {func(in *access.Input) { in.Desk.Fault = access.DeskScreenSize }, 0, []access.Code{access.DeskScreenSize}},
		"lacks something":   {func(in *access.Input) { in.Desk.Fault = access.DeskScreenSystem }, 0, []access.Code{access.DeskScreenSystem}},
		"newer fault":       {func(in *access.Input) { in.Desk.Fault = access.ScreenFault("screen_odd") }, 0, []access.Code{access.DeskScreen}},
		"no known fault":    {func(in *access.Input) { in.Desk.Fault = "odd" }, 0, []access.Code{access.DeskScreen}},
		"no fault":          {func(in *access.Input) { in.Desk.Fault = access.ScreenFault("") }, all, nil},
		"fault, off":        {func(in *access.Input) { in.Desk.Fault, in.Desk.Presence = access.DeskColours, access.Off }, 0, []access.Code{access.DeskOff}},
		"fault, cannot lock": {
			func(in *access.Input) { in.Desk.Fault, in.Desk.Lockable = access.DeskScreenSystem, false }, 0,
			[]access.Code{access.DeskScreenSystem, access.DeskCannotLock},
		},
		"need not lock":     {func(in *access.Input) { in.Desk.Lockable, in.Settings.RequireLockable = false, false }, all, nil},
		"in use":            {func(in *access.Input) { in.Desk.InUseBy = "suzuki" }, 0, []access.Code{access.DeskInUse}},
		"take over":         {func(in *access.Input) { in.Desk.InUseBy = "tanaka" }, all, nil},
		"full":              {func(in *access.Input) { in.Seats.Running = in.Settings.MaxSessions }, 0, []access.Code{access.Full}},
		"lgwan":             {func(in *access.Input) { in.Desk.Zone = grant.ZoneLGWAN }, plain, nil},
		"no clipboard":      {func(in *access.Input) { in.Settings.ClipboardInternet = false }, plain, nil},
		"zone 0":            {func(in *access.Input) { in.Desk.Zone = 0 }, 0, []access.Code{access.MyNumberGateway}},
		"mynumber":          {mynumber, plain, nil},
		"mynumber, mixed":   {func(in *access.Input) { mynumber(in); in.Gateway.MyNumberOnly = false }, 0, []access.Code{access.MyNumberGateway}},
		"mynumber, home":    {func(in *access.Input) { mynumber(in); in.Place = access.Home }, 0, []access.Code{access.MyNumberPlace}},
		"mynumber, office":  {func(in *access.Input) { mynumber(in); in.Place = access.Office }, 0, []access.Code{access.MyNumberPlace}},
		"mynumber, private": {func(in *access.Input) { mynumber(in); in.Device.Kind = grant.DevicePrivate }, 0, []access.Code{access.DevicePrivate}},
		"mynumber, emergency": {
			func(in *access.Input) { mynumber(in); in.Place, in.Settings.Emergency = access.Home, true }, 0,
			[]access.Code{access.MyNumberPlace},
		},
		"lgwan, mynumber's": {func(in *access.Input) { in.Desk.Zone, in.Gateway.MyNumberOnly = grant.ZoneLGWAN, true }, 0, []access.Code{access.MyNumberGateway}},
		"nothing":           {func(in *access.Input) { *in = access.Input{} }, 0, nil},
	} {
		in := good()
		c.change(&in)
		resolve(&in)
		d := access.Decide(in)
		if c.codes != nil && !slices.Equal(d.Reasons, c.codes) {
			t.Errorf("%s: %v, want %v", name, d.Reasons, c.codes)
		}
		if d.Rights != c.rights || d.Allowed() != (c.rights != 0) {
			t.Errorf("%s: rights %v, want %v", name, d.Rights, c.rights)
		}
	}
}

// drawn is any input, with a good chance of a yes.
func drawn(t *rapid.T) (in access.Input) {
	in = good()
	for i, b := range []*bool{
		&in.Settings.ApprovalRequired, &in.Settings.TOTPOutside, &in.Settings.PrivateDevices, &in.Settings.ClipboardInternet,
		&in.Settings.RequireLockable, &in.Settings.Emergency, &in.Settings.OfficeSessions,
	} {
		*b = rapid.Bool().Draw(t, fmt.Sprintf("setting %d", i))
	}
	drawRule(t, &in)
	defer resolve(&in)
	if rapid.Bool().Draw(t, "nearly good") { // drawn field by field, hardly any would be allowed
		in.Place = rapid.SampledFrom([]access.Place{access.Home, access.Satellite, access.Other, access.Office}).Draw(t, "place")
		in.User.HasSecond = rapid.Bool().Draw(t, "has second")
		return in
	}
	// rapid prefers small numbers: in these they stand for yes.
	mostly := func(name string) bool { return rapid.IntRange(0, 9).Draw(t, name) < 9 }
	in.User.Disabled = !mostly("enabled")
	in.User.MustChange = !mostly("changed")
	in.User.SecondFactor, in.User.HasSecond = mostly("second"), mostly("has second")
	if mostly("device") {
		in.Device.Mine, in.Device.Revoked = mostly("mine"), !mostly("not revoked")
		in.Device.Kind = grant.DeviceKind(rapid.IntRange(1, 2).Draw(t, "kind"))
		in.Device.Grade = cert.Grade(rapid.IntRange(1, 3).Draw(t, "grade"))
		in.Device.Until = now.Add(time.Duration(20-rapid.IntRange(0, 21).Draw(t, "device until")) * time.Hour)
	} else {
		in.Device = nil
	}
	in.Desk.Zone = grant.Zone(rapid.IntRange(1, 3).Draw(t, "zone"))
	in.Gateway.MyNumberOnly = rapid.IntRange(0, 2).Draw(t, "gateway") == 2
	in.Desk.Assigned, in.Desk.Enrolled, in.Desk.Lockable = mostly("assigned"), mostly("enrolled"), mostly("lockable")
	if !mostly("shown") {
		in.Desk.Fault = rapid.SampledFrom([]access.Code{access.DeskColours, access.DeskScreenSize, access.DeskScreenSystem, access.DeskScreen, "odd"}).Draw(t, "fault")
	}
	in.Desk.Presence = rapid.SampledFrom([]access.Presence{access.On, access.On, access.On, access.Off, access.Unknown}).Draw(t, "presence")
	in.Place = rapid.SampledFrom([]access.Place{access.Satellite, access.Home, access.Other, access.Office, 0}).Draw(t, "place")
	in.Seats = access.Seats{
		Running: rapid.IntRange(0, 3).Draw(t, "running"), Office: rapid.IntRange(0, 2).Draw(t, "office"), Withheld: rapid.IntRange(0, 3).Draw(t, "withheld"),
	}
	in.SignInUntil = now.Add(time.Duration(12-rapid.IntRange(0, 12).Draw(t, "sign-in until")) * time.Hour)
	drawDay(t, &in, mostly)
	in.Settings.WorstGrade = cert.Grade(4 - rapid.IntRange(1, 3).Draw(t, "worst"))
	in.Settings.MaxSessions = 9 - rapid.IntRange(0, 9).Draw(t, "max")
	return in
}

// weaker are all the ways to have less authority.
var weaker = map[string]func(*access.Input){
	"disable":          func(in *access.Input) { in.User.Disabled = true },
	"must change":      func(in *access.Input) { in.User.MustChange = true },
	"no second factor": func(in *access.Input) { in.User.SecondFactor = false },
	"no device":        func(in *access.Input) { in.Device = nil },
	"revoke":           device(func(d *access.Device) { d.Revoked = true }),
	"not mine":         device(func(d *access.Device) { d.Mine = false }),
	"private": func(in *access.Input) {
		if slices.Contains(in.Policy.Devices, grant.DeviceLent) { // where policy refuses lent ones, a private one is not less
			device(func(d *access.Device) { d.Kind = grant.DevicePrivate })(in)
		}
	},
	"worse key":         device(func(d *access.Device) { d.Grade++ }),
	"device ends":       device(func(d *access.Device) { d.Until = d.Until.Add(-3 * time.Hour) }),
	"unassign":          func(in *access.Input) { in.Desk.Assigned = false },
	"desk ends":         func(in *access.Input) { in.Desk.Until = now.Add(time.Hour) },
	"sign-in ends":      func(in *access.Input) { in.SignInUntil = in.SignInUntil.Add(-2 * time.Hour) },
	"no approval":       func(in *access.Input) { in.Covers = nil },
	"desk off":          func(in *access.Input) { in.Desk.Presence = access.Off },
	"desk unknown":      func(in *access.Input) { in.Desk.Presence = access.Unknown },
	"cannot lock":       func(in *access.Input) { in.Desk.Lockable = false },
	"cannot be shown":   func(in *access.Input) { in.Desk.Fault = access.DeskScreenSize },
	"used by another":   func(in *access.Input) { in.Desk.InUseBy = "suzuki" },
	"more running":      func(in *access.Input) { in.Seats.Running++ },
	"more in the hall":  func(in *access.Input) { in.Seats.Office++ },
	"more reserved":     func(in *access.Input) { in.Seats.Withheld++ },
	"fewer in the hall": func(in *access.Input) { in.Settings.Policy.MaxOfficeSessions-- },
	"on break":          func(in *access.Input) { in.OnBreak = true },
	"not registered":    func(in *access.Input) { in.RegisteredUntil = calendar.Date{} },
	"registration ends": func(in *access.Input) { in.RegisteredUntil = min1(in.RegisteredUntil, calendar.DateOf(now)) },
	"unknown viewer":    func(in *access.Input) { in.Viewer = 0 },
	"earlier end": func(in *access.Input) {
		for i := range in.Covers {
			in.Covers[i].Until = in.Covers[i].Until.Add(-time.Hour)
		}
	},
	"approved for the satellite office": func(in *access.Input) {
		for i := range in.Covers {
			in.Covers[i].Place = access.Satellite
		}
	},
	"request, no order": func(in *access.Input) {
		for i := range in.Covers {
			in.Covers[i].Kind = access.CoverRequest
		}
	},
	"shorter hours": func(in *access.Input) {
		if in.Hours[0].Works() {
			in.Hours[0].End -= 60
		}
	},
	"later start": func(in *access.Input) {
		if in.Hours[0].Works() {
			in.Hours[0].Start += 60
		}
	},
	"refuse telework":    rule(func(r *access.PolicyRule) { r.Telework = access.AllowNo }),
	"always approval":    rule(func(r *access.PolicyRule) { r.Approval = access.ApprovalAlways }),
	"end with the hours": rule(func(r *access.PolicyRule) { r.AtEnd = access.EndEnd }),
	"close nights":       rule(func(r *access.PolicyRule) { r.Night = access.AllowNo }),
	"close days off":     rule(func(r *access.PolicyRule) { r.DaysOff = access.AllowNo }),
	"idle less":          rule(func(r *access.PolicyRule) { r.Idle = time.Minute }),
	"second by rule":     rule(func(r *access.PolicyRule) { r.SecondFactor = access.SecondOutside }),
	"native only":        rule(func(r *access.PolicyRule) { r.Viewers = less(r.Viewers, grant.ViewerNative) }),
	"private only":       only(grant.DevicePrivate),
	"lent only":          only(grant.DeviceLent),
	"refuse clipboard":   rule(func(r *access.PolicyRule) { r.Clipboard = access.AllowNo }),
	"refuse office":      rule(func(r *access.PolicyRule) { r.Office = access.AllowNo }),
	"lock on breaks":     rule(func(r *access.PolicyRule) { r.OnBreak = access.BreakLock }),
	"ask registration":   rule(func(r *access.PolicyRule) { r.Registration = access.AllowYes }),
	"no policy":          func(in *access.Input) { in.Policy = access.Policy{} },
	"fewer allowed":      func(in *access.Input) { in.Settings.MaxSessions-- },
	"stricter key":       func(in *access.Input) { in.Settings.WorstGrade-- },
	"ask approval":       func(in *access.Input) { in.Settings.ApprovalRequired = true },
	"ask second factor":  func(in *access.Input) { in.Settings.TOTPOutside = true },
	"refuse private":     func(in *access.Input) { in.Settings.PrivateDevices = false },
	"no clipboard":       func(in *access.Input) { in.Settings.ClipboardInternet = false },
	"ask lock":           func(in *access.Input) { in.Settings.RequireLockable = true },
	"end emergency":      func(in *access.Input) { in.Settings.Emergency = false },
	"close office":       func(in *access.Input) { in.Settings.OfficeSessions = false },
	"shorter":            func(in *access.Input) { in.Settings.SessionMax = time.Hour },
	"unknown place":      func(in *access.Input) { in.Place = 0 },
	"satellite to home": func(in *access.Input) {
		if in.Place == access.Satellite {
			in.Place = access.Home
		}
	},
	"other listeners": func(in *access.Input) {
		in.Gateway.MyNumberOnly = in.Gateway.MyNumberOnly && in.Desk.Zone != grant.ZoneMyNumber
	},
	"internet to closed": func(in *access.Input) { in.Desk.Zone = min(in.Desk.Zone, grant.ZoneLGWAN) },
}

func device(change func(*access.Device)) func(*access.Input) {
	return func(in *access.Input) {
		if in.Device != nil {
			d := *in.Device
			change(&d)
			in.Device = &d
		}
	}
}

// TestLessAuthorityNeverGivesMore is the property of design.md: whatever is taken away, rights and time do not grow.
func TestLessAuthorityNeverGivesMore(t *testing.T) {
	names := make([]string, 0, len(weaker))
	for n := range weaker {
		names = append(names, n)
	}
	slices.Sort(names)
	yes := 0
	rapid.Check(t, func(t *rapid.T) {
		in := drawn(t)
		before := access.Decide(in)
		name := rapid.SampledFrom(names).Draw(t, "weaker")
		if name == "internet to closed" && in.Desk.Zone == grant.ZoneMyNumber {
			return // another gateway's zone: neither more nor less
		}
		less := in
		less.Covers = slices.Clone(in.Covers)
		weaker[name](&less)
		if name != "no policy" {
			resolve(&less)
		}
		after := access.Decide(less)
		if after.Rights&^before.Rights != 0 {
			t.Fatalf("%s: rights %v after %v", name, after.Rights, before.Rights)
		}
		if after.Allowed() && (after.Until.After(before.Until) || after.Idle > before.Idle) {
			t.Fatalf("%s: until %v after %v", name, after.Until, before.Until)
		}
		if before.Allowed() {
			yes++
		}
	})
	if yes < 5 {
		t.Errorf("%d drawn inputs were allowed: the property says too little", yes)
	}
}

// TestDecisionIsWhole: rights without reasons, reasons without rights, and never past any end.
func TestDecisionIsWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawn(t)
		d := access.Decide(in)
		if d.Allowed() != (len(d.Reasons) == 0) || d.Allowed() != (d.Rights != 0) {
			t.Fatalf("%+v", d)
		}
		if !d.Allowed() {
			return
		}
		if !d.Until.After(now) || d.Until.After(in.SignInUntil) || d.Until.After(in.Device.Until) || d.Until.Sub(now) > in.Settings.SessionMax {
			t.Fatalf("until %v", d.Until)
		}
		if in.Place != access.Office && !in.Settings.Emergency && in.Policy.Approval == access.ApprovalAlways && !d.Until.Before(latest(in.Covers)) && d.Until.After(latest(in.Covers)) {
			t.Fatal("past every approval")
		}
		if d.Rights.Has(grant.RightClipboard) && in.Desk.Zone != grant.ZoneInternet {
			t.Fatal("clipboard outside zone internet")
		}
		if in.Desk.Zone == grant.ZoneMyNumber && (in.Place != access.Satellite || !in.Gateway.MyNumberOnly) {
			t.Fatal("mynumber from elsewhere")
		}
	})
}

func TestRightsOfASignIn(t *testing.T) {
	const nothing, password = access.May(0), access.MayChangePassword
	const alone = access.MayEnrolDevice // by the password alone from outside
	base := password | access.MayEnrolDevice
	portal := base | access.MayUsePortal | access.MaySetUpTOTP
	desk := portal | access.MayOpenDesk
	dev := good().Device
	for name, c := range map[string]struct {
		change func(*access.SignIn)
		want   access.May
	}{
		"second factor from outside": {func(*access.SignIn) {}, base},
		"password from outside":      {func(in *access.SignIn) { in.User.SecondFactor = false }, alone},
		"password from a satellite":  {func(in *access.SignIn) { in.User.SecondFactor, in.Place = false, access.Satellite }, alone},
		"password from the office":   {func(in *access.SignIn) { in.Place = access.Office }, portal},
		"device from outside":        {func(in *access.SignIn) { in.Device = dev }, desk},
		"device from the office":     {func(in *access.SignIn) { in.Device, in.Place = dev, access.Office }, desk},
		"device, no second factor":   {func(in *access.SignIn) { in.Device, in.User.SecondFactor = dev, false }, base},
		"device, none set up": {func(in *access.SignIn) {
			in.Device, in.User.SecondFactor, in.User.HasSecond = dev, false, false
		}, base | access.MaySetUpTOTP},
		"password, none set up": {func(in *access.SignIn) { in.User.SecondFactor, in.User.HasSecond = false, false }, alone},
		"revoked device, none set up": {func(in *access.SignIn) {
			d := *dev
			d.Revoked = true
			in.Device, in.User.SecondFactor, in.User.HasSecond = &d, false, false
		}, alone},
		"expired device, none set up": {func(in *access.SignIn) {
			in.Device, in.Now, in.User.SecondFactor, in.User.HasSecond = dev, dev.Until, false, false
		}, alone},
		"initial password, none set up": {func(in *access.SignIn) {
			in.User.SecondFactor, in.User.HasSecond, in.User.MustChange = false, false, true
		}, password},
		"device, none asked, one set up": {func(in *access.SignIn) {
			in.Device, in.User.SecondFactor, in.Settings.TOTPOutside = dev, false, false
		}, base | access.MayUsePortal | access.MayOpenDesk},
		"office, no second factor":       {func(in *access.SignIn) { in.Device, in.User.SecondFactor, in.Place = dev, false, access.Office }, desk},
		"expired device":                 {func(in *access.SignIn) { in.Device, in.Now = dev, dev.Until }, base},
		"initial password":               {func(in *access.SignIn) { in.Device, in.User.MustChange = dev, true }, password},
		"disabled":                       {func(in *access.SignIn) { in.Device, in.User.Disabled = dev, true }, nothing},
		"admin from outside":             {func(in *access.SignIn) { in.Device, in.User.Roles = dev, []access.Role{access.Admin} }, desk},
		"admin outside, office listener": {func(in *access.SignIn) { in.OfficeListener, in.User.Roles = true, []access.Role{access.Admin} }, base},
		"admin in the office": {func(in *access.SignIn) {
			in.OfficeListener, in.Place, in.User.Roles = true, access.Office, []access.Role{access.Admin}
		}, portal | access.MayAdminister},
		"staff in the office": {func(in *access.SignIn) { in.OfficeListener, in.Place = true, access.Office }, portal},
	} {
		in := access.SignIn{User: good().User, Place: access.Home, Now: now, Settings: good().Settings}
		c.change(&in)
		if got := access.Rights(in); got != c.want {
			t.Errorf("%s: %05b, want %05b", name, got, c.want)
		}
	}
}

func TestPlaceOf(t *testing.T) {
	s := access.Default()
	s.SatelliteNetworks = []netip.Prefix{netip.MustParsePrefix("10.9.0.0/16")}
	for addr, want := range map[string]access.Place{
		"10.9.1.2": access.Satellite, "10.8.1.2": access.Office, "::ffff:192.168.1.5": access.Office, "203.0.113.5": access.Home,
		"2001:db8::1": access.Home, "fd00::1%eth0": access.Office, "127.0.0.1": access.Home,
	} {
		if got := s.PlaceOf(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %v, want %v", addr, got, want)
		}
	}
	if got := s.PlaceOf(netip.Addr{}); got != access.Home {
		t.Errorf("no address: %v", got)
	}
}

// TestEveryCodeHasWords holds the constants in the source against the table, and the words against their languages.
func TestEveryCodeHasWords(t *testing.T) {
	src, err := os.ReadFile("reason.go")
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`Code = "([a-z_]+)"`).FindAllStringSubmatch(string(src), -1)
	if len(declared) < 40 || len(declared) != len(access.Codes()) {
		t.Errorf("%d codes declared, %d have words", len(declared), len(access.Codes()))
	}
	japanese := func(s string) bool {
		return strings.ContainsFunc(s, func(r rune) bool { return unicode.In(r, unicode.Hiragana, unicode.Katakana, unicode.Han) })
	}
	for _, m := range declared {
		r := access.Explain(access.Code(m[1]), 3)
		if r.Code != access.Code(m[1]) || !japanese(r.JA) || !japanese(r.HelpJA) || r.EN == "" || r.HelpEN == "" || japanese(r.EN+r.HelpEN) ||
			strings.Contains(r.HelpJA+r.HelpEN+r.JA+r.EN, "{") {
			t.Errorf("%s: %+v", m[1], r)
		}
	}
	if r := access.Explain("no_such_code"); r.Code != "no_such_code" || r.JA == "" {
		t.Errorf("unknown code: %+v", r)
	}
	if r := access.Explain(access.SlowDown, 7); !strings.Contains(r.HelpJA, "あと7分") {
		t.Errorf("%+v", r)
	}
}

func TestSettings(t *testing.T) {
	good := access.Default()
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*access.Settings){
		"http":       func(s *access.Settings) { s.Address = "http://x" },
		"path":       func(s *access.Settings) { s.Address = "https://x/y" },
		"user":       func(s *access.Settings) { s.Address = "https://u:p@x" },
		"everything": func(s *access.Settings) { s.OfficeNetworks = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")} },
		"host bits":  func(s *access.Settings) { s.SatelliteNetworks = []netip.Prefix{netip.MustParsePrefix("10.1.1.1/8")} },
		"idle":       func(s *access.Settings) { s.Idle = -time.Second },
		"half":       func(s *access.Settings) { s.Grace = time.Millisecond },
		"session":    func(s *access.Settings) { s.SessionMax = 48 * time.Hour },
		"grade":      func(s *access.Settings) { s.WorstGrade = 0 },
		"sessions":   func(s *access.Settings) { s.MaxSessions = -1 },
		"watermark":  func(s *access.Settings) { s.Watermark = strings.Repeat("x", 401) },
	} {
		s := access.Default()
		change(&s)
		if s.Check() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := access.ParseSettings([]byte(`{"private_device":true}`)); err == nil {
		t.Error("a misspelt rule is accepted")
	}
}
