// Package access decides who may reach which desk from where, and says why not. It is pure: everything it needs comes
// in, and the same input always gives the same answer. A "no" wins over every "yes", and less authority never gives
// more rights.
package access

import (
	"slices"
	"time"

	"jiseki/internal/calendar"
	"jiseki/internal/cert"
	"jiseki/internal/grant"
)

// User is who asks.
type User struct {
	ID           string
	Roles        []Role
	Disabled     bool
	MustChange   bool // the first password was not changed yet
	HasSecond    bool // one-time passwords are set up
	SecondFactor bool // a one-time password was given at this sign-in
}

// Has says whether the user has a role.
func (u *User) Has(r Role) bool { return slices.Contains(u.Roles, r) }

// Device is what the user asks from.
type Device struct {
	ID      string
	Mine    bool // it belongs to the user, to a section of the user, or to all
	Kind    grant.DeviceKind
	Grade   cert.Grade
	Revoked bool
	Until   time.Time // end of its certificate
}

// Desk is what the user wants.
type Desk struct {
	ID       string
	Zone     grant.Zone
	Assigned bool // to the user
	Enrolled bool
	Until    time.Time // end of its certificate
	Presence Presence
	Lockable bool
	Fault    Code   // why its screen cannot be shown, as its agent says ([ScreenFault]); empty: it can
	InUseBy  string // id of the user of its open session, empty if none
}

// Presence is what the gateways know of a desk.
type Presence uint8

// The presences. Unknown, the zero value, is a state of its own: the gateway that held the desk is silent.
const (
	Unknown Presence = iota
	Off
	On
)

// CoverKind is why a cover stands.
type CoverKind uint8

// The kinds of covers. Their numbers are those of requests in the control API.
const (
	CoverRequest  CoverKind = 1 // an approved request
	CoverOrder    CoverKind = 2 // 在宅勤務命令
	CoverOvertime CoverKind = 3 // 時間外勤務命令: hours, nights and days off are open while it lasts
)

// Cover is a time for which telework was approved or ordered. One for a satellite office does not cover work from
// elsewhere.
type Cover struct {
	Kind        CoverKind
	From, Until time.Time
	Place       Place
}

// Gateway is what is special about the gateway that decides.
type Gateway struct {
	// MyNumberOnly: it has no internet and no lgwan listener; only such a gateway serves desks of zone mynumber.
	MyNumberOnly bool
}

// MayHold says whether a gateway may enrol and serve desks of a zone.
func (g Gateway) MayHold(z grant.Zone) bool {
	switch z {
	case grant.ZoneMyNumber:
		return g.MyNumberOnly
	case grant.ZoneLGWAN, grant.ZoneInternet:
		return !g.MyNumberOnly
	}
	return false
}

// Input is everything a decision depends on.
type Input struct {
	User        User
	Device      *Device // nil: no enrolled device
	Desk        Desk
	Place       Place
	Now         time.Time
	SignInUntil time.Time
	Gateway     Gateway
	Settings    Settings
	Policy      Policy // what Settings resolve to for the user and the desk's zone

	Viewer          grant.ViewerKind
	Hours           [2]calendar.Hours // the user's, of the day of Now and of the next
	Covers          []Cover           // that overlap the next 24 hours, in any order
	RegisteredUntil calendar.Date     // last day of the yearly registration
	OnBreak         bool              // the user's workday is in a break, an interruption or leave
	Seats           Seats
}

// Decision is the answer. No reasons means yes.
type Decision struct {
	Rights  grant.Rights
	Until   time.Time // end of the session at the latest
	Idle    time.Duration
	Grace   time.Duration
	Warn    time.Time // end of hours that the user is to be told of although the session goes on; zero: none
	Reasons []Code    // every rule that says no, the most important first
}

// Allowed says whether a session may be opened.
func (d *Decision) Allowed() bool { return len(d.Reasons) == 0 && d.Rights.Has(grant.RightView) }

// Decide decides whether a session may be opened now, with which rights and for how long.
func Decide(in Input) Decision {
	var d Decision
	for _, rule := range rules {
		if rule.refuses(&in) {
			d.Reasons = append(d.Reasons, rule.code)
		}
	}
	if len(d.Reasons) > 0 {
		return d
	}
	d.Rights = grant.RightView | grant.RightInput
	if in.Policy.Clipboard && in.Desk.Zone == grant.ZoneInternet { // other zones never have it, whatever policy says
		d.Rights |= grant.RightClipboard
	}
	d.Until = in.until()
	d.Idle, d.Grace = in.Policy.Idle, in.Settings.Grace
	if in.away() && in.Policy.AtEnd == EndWarn {
		d.Warn = reach(in.Now, in.workingHours())
	}
	return d
}

// Check is one rule and what it says.
type Check struct {
	Code    Code
	Refuses bool
}

// Why says of every rule, in the order of [Decision.Reasons], whether it refuses.
func Why(in Input) []Check {
	checks := make([]Check, len(rules))
	for i, rule := range rules {
		checks[i] = Check{rule.code, rule.refuses(&in)}
	}
	return checks
}

// rules in the order in which their reasons are shown. Each looks at the whole input and says no or nothing.
var rules = []struct {
	code    Code
	refuses func(*Input) bool
}{
	{UserDisabled, func(in *Input) bool { return in.User.Disabled }},
	{PasswordMustChange, func(in *Input) bool { return in.User.MustChange }},
	{SignInOver, func(in *Input) bool { return !in.Now.Before(in.SignInUntil) }},
	{DeviceNeeded, func(in *Input) bool { return in.Device == nil }},
	{DeviceRevoked, withDevice(func(_ *Input, d *Device) bool { return d.Revoked })},
	{DeviceNotYours, withDevice(func(_ *Input, d *Device) bool { return !d.Mine })},
	{DeviceExpired, withDevice(func(in *Input, d *Device) bool { return !in.Now.Before(d.Until) })},
	{DevicePrivate, withDevice(func(in *Input, d *Device) bool { return d.Kind != grant.DeviceLent && !privateAllowed(in) })},
	{DeviceKindRefused, withDevice(func(in *Input, d *Device) bool {
		return d.Kind == grant.DeviceLent && !slices.Contains(in.Policy.Devices, d.Kind)
	})},
	{KeyGrade, withDevice(func(in *Input, d *Device) bool {
		return d.Grade < cert.GradeHardware || d.Grade > in.Settings.WorstGrade
	})},
	{MyNumberGateway, func(in *Input) bool { return !in.Gateway.MayHold(in.Desk.Zone) }},
	{MyNumberPlace, func(in *Input) bool { return in.Desk.Zone == grant.ZoneMyNumber && in.Place != Satellite }},
	{PlaceUnknown, func(in *Input) bool { return in.Place < Home || in.Place > Office }},
	{OfficeClosed, func(in *Input) bool { return in.Place == Office && !in.Policy.Office }},
	{TeleworkRefused, func(in *Input) bool { return in.away() && !in.Policy.Telework }},
	{ViewerRefused, func(in *Input) bool { return !slices.Contains(in.Policy.Viewers, in.Viewer) }},
	{SecondFactorMissing, func(in *Input) bool { return in.Policy.secondFactor(&in.User, in.Place) == SecondFactorMissing }},
	{SecondFactorNeeded, func(in *Input) bool { return in.Policy.secondFactor(&in.User, in.Place) == SecondFactorNeeded }},
	{RegistrationOver, refusesOutside((*Input).registration)},
	{ApprovalNeeded, func(in *Input) bool { return in.lacksApproval() && !in.approvedElsewhere() }},
	{ApprovalPlace, func(in *Input) bool { return in.lacksApproval() && in.approvedElsewhere() }},
	{DayOffClosed, refusesOutside((*Input).workdays)},
	{NightClosed, refusesOutside((*Input).daytime)},
	{HoursOver, refusesOutside((*Input).hours)},
	{BreakNow, func(in *Input) bool { return in.away() && in.OnBreak && in.Policy.OnBreak != BreakNothing }},
	{DeskNotYours, func(in *Input) bool { return !in.Desk.Assigned }},
	{DeskNotEnrolled, func(in *Input) bool { return !in.Desk.Enrolled }},
	{DeskExpired, func(in *Input) bool { return in.Desk.Enrolled && !in.Now.Before(in.Desk.Until) }},
	{DeskOff, func(in *Input) bool { return in.Desk.Enrolled && in.Desk.Presence == Off }},
	{DeskUnknown, func(in *Input) bool { return in.Desk.Enrolled && in.Desk.Presence != Off && in.Desk.Presence != On }},
	{DeskColours, shows(DeskColours)},
	{DeskScreenSize, shows(DeskScreenSize)},
	{DeskScreenSystem, shows(DeskScreenSystem)},
	{DeskScreen, func(in *Input) bool { return in.Desk.unshown() && !slices.Contains(screenFaults[:], in.Desk.Fault) }},
	{DeskCannotLock, func(in *Input) bool {
		return in.Settings.RequireLockable && in.Desk.Presence == On && !in.Desk.Lockable
	}},
	{DeskInUse, func(in *Input) bool { return in.Desk.InUseBy != "" && in.Desk.InUseBy != in.User.ID }},
	{Full, noSeat(Full)},
	{SeatsReserved, noSeat(SeatsReserved)},
	{OfficeFull, noSeat(OfficeFull)},
}

// screenFaults are the reasons that an agent of this release gives for a screen that cannot be shown.
var screenFaults = [...]Code{DeskColours, DeskScreenSize, DeskScreenSystem}

// ScreenFault is the reason for a code that an agent sends of a screen that cannot be shown: [DeskScreen] for one of a
// newer agent, none for an empty one.
func ScreenFault(code string) Code {
	switch code {
	case "":
		return ""
	case "screen_colours":
		return DeskColours
	case "screen_size":
		return DeskScreenSize
	case "screen_system":
		return DeskScreenSystem
	}
	return DeskScreen
}

// unshown: what a desk has said counts while it is on; one that is switched on may have another screen.
func (d *Desk) unshown() bool { return d.Presence == On && d.Fault != "" }

// shows makes the rule of one fault.
func shows(fault Code) func(*Input) bool {
	return func(in *Input) bool { return in.Desk.unshown() && in.Desk.Fault == fault }
}

func noSeat(why Code) func(*Input) bool {
	return func(in *Input) bool { return in.Settings.SeatFor(in.Place, in.Seats) == why }
}

// withDevice makes a rule that has nothing to say without a device: DeviceNeeded says it.
func withDevice(refuses func(*Input, *Device) bool) func(*Input) bool {
	return func(in *Input) bool { return in.Device != nil && refuses(in, in.Device) }
}

// privateAllowed: never for desks of zone mynumber.
func privateAllowed(in *Input) bool {
	return in.Device.Kind == grant.DevicePrivate && slices.Contains(in.Policy.Devices, in.Device.Kind) && in.Desk.Zone != grant.ZoneMyNumber
}

// away: not in the town hall. Whoever is in the hall needs no approval, no registration and no hours to reach the own
// desk.
func (in *Input) away() bool { return in.Place != Office }

// until is the earliest end of all that a session stands on.
func (in *Input) until() time.Time {
	until := in.Now.Add(in.Settings.SessionMax)
	ends := []time.Time{in.SignInUntil, in.Device.Until, in.Desk.Until}
	for _, times := range []func(*Input) ([]span, bool){
		(*Input).registration, (*Input).approval, (*Input).workdays, (*Input).daytime, (*Input).hours,
	} {
		if spans, binds := times(in); binds {
			ends = append(ends, reach(in.Now, spans))
		}
	}
	for _, t := range ends {
		if t.Before(until) {
			until = t
		}
	}
	return until
}

// May is a set of things that a sign-in may do.
type May uint8

// What a sign-in may do. Bit n-1 stands for the number n of the control API.
const (
	MayChangePassword May = 1 << iota
	MayEnrolDevice
	MayUsePortal
	MayOpenDesk
	MayAdminister
	MaySetUpTOTP
)

// Has says whether all of want is in m.
func (m May) Has(want May) bool { return m&want == want }

// SignIn is what the rights of a sign-in depend on.
type SignIn struct {
	User     User
	Device   *Device // nil: by password alone
	Place    Place
	Now      time.Time
	Settings Settings
	// OfficeListener: the request came in on the listener of the office networks.
	OfficeListener bool
}

// SecondFactor says what the organisation's settings miss of a user at a place: nothing (""), SecondFactorNeeded, or
// SecondFactorMissing when the user has no one-time passwords to give.
func (s *Settings) SecondFactor(u *User, p Place) Code {
	base := s.base()
	return base.secondFactor(u, p)
}

func (p *Policy) secondFactor(u *User, at Place) Code {
	switch {
	case p.SecondFactor == SecondNever || at == Office || u.SecondFactor:
		return ""
	case u.HasSecond:
		return SecondFactorNeeded
	}
	return SecondFactorMissing
}

// Rights of a sign-in, apart from rights on desks. By password alone from outside somebody can change the initial
// password and then enrol a device with its one-time code, nothing else: whoever has found out a password does not take
// the account with it. From an office network the portal opens too. Desks always take an enrolled device. The password
// is changed in the office, on an enrolled device, or after a one-time password; those are set up, replaced and removed
// in the office or on an enrolled device, and elsewhere than in the office only after one was given, if there are any.
func Rights(in SignIn) May {
	if in.User.Disabled {
		return 0
	}
	if in.User.MustChange {
		return MayChangePassword
	}
	m := MayEnrolDevice
	device := in.Device != nil && in.Device.Mine && !in.Device.Revoked && in.Now.Before(in.Device.Until)
	inside := in.Place == Office
	second := in.Settings.SecondFactor(&in.User, in.Place) == ""
	if inside || device || in.User.SecondFactor {
		m |= MayChangePassword
	}
	if inside || (device && (in.User.SecondFactor || !in.User.HasSecond)) {
		m |= MaySetUpTOTP
	}
	if (inside || device) && second {
		m |= MayUsePortal
	}
	if device && second {
		m |= MayOpenDesk
	}
	if inside && in.OfficeListener && in.User.Has(Admin) {
		m |= MayAdminister
	}
	return m
}
