package access

import (
	"cmp"
	"slices"
	"time"

	"jiseki/internal/calendar"
	"jiseki/internal/grant"
)

// Allow is a yes or no that a rule may leave open.
type Allow uint8

// The answers. The zero value is inherited. The numbers are those of the control API.
const (
	AllowYes Allow = 1
	AllowNo  Allow = 2
)

// ApprovalNeed says when a session needs an approved request.
type ApprovalNeed uint8

// When a session needs an approved request. The numbers are those of the control API.
const (
	ApprovalAlways       ApprovalNeed = 1
	ApprovalOutsideHours ApprovalNeed = 2 // only outside the user's working hours
	ApprovalNever        ApprovalNeed = 3
)

// AtEnd is what happens at the end of hours.
type AtEnd uint8

// What happens at the end of hours. The numbers are those of the control API.
const (
	EndNothing AtEnd = 1
	EndWarn    AtEnd = 2 // ten minutes before
	EndEnd     AtEnd = 3 // warn, then end and lock, unless an order covers the time
)

// SecondFactorNeed says where a one-time password is asked for.
type SecondFactorNeed uint8

// Where a one-time password is asked for. The numbers are those of the control API.
const (
	SecondNever   SecondFactorNeed = 1
	SecondOutside SecondFactorNeed = 2
)

// OnBreak is what happens to a session during breaks and leave.
type OnBreak uint8

// What happens to a session during breaks and leave. The numbers are those of the control API.
const (
	BreakNothing OnBreak = 1
	BreakLock    OnBreak = 2 // the desk is locked and no session opens
)

// PowerAfter is what a desk does after a session.
type PowerAfter uint8

// What a desk does after a session. The numbers are those of the control API.
const (
	PowerLeave    PowerAfter = 1
	PowerSleep    PowerAfter = 2
	PowerShutDown PowerAfter = 3
)

// PolicyRule changes what holds for some users and desks. A zero value is inherited: from the section above, and there
// from the settings of the organisation. Among rules of one section those with an employment count over those without,
// then those with a zone.
type PolicyRule struct {
	Section    string     `json:"section,omitempty"`    // id, with all below; empty: everybody
	Employment string     `json:"employment,omitempty"` // id of a 任用区分; empty: any
	Zone       grant.Zone `json:"zone,omitempty"`       // of the desk; 0: any

	Telework        Allow              `json:"telework,omitempty"`
	Approval        ApprovalNeed       `json:"approval,omitempty"`
	AtEnd           AtEnd              `json:"at_end,omitempty"`
	Night           Allow              `json:"night,omitempty"`
	DaysOff         Allow              `json:"days_off,omitempty"`
	Idle            time.Duration      `json:"idle,omitempty"`
	SecondFactor    SecondFactorNeed   `json:"second_factor,omitempty"`
	Viewers         []grant.ViewerKind `json:"viewers,omitempty"`
	Devices         []grant.DeviceKind `json:"devices,omitempty"`
	Clipboard       Allow              `json:"clipboard,omitempty"`
	Watermark       string             `json:"watermark,omitempty"`
	Office          Allow              `json:"office,omitempty"`
	OnBreak         OnBreak            `json:"on_break,omitempty"`
	PowerAfter      PowerAfter         `json:"power_after,omitempty"`
	Registration    Allow              `json:"registration,omitempty"`
	DaysPerWeek     int                `json:"days_per_week,omitempty"` // 7: no limit
	ApplySet        bool               `json:"apply_set,omitempty"`
	ApplyDaysBefore int                `json:"apply_days_before,omitempty"`
	ApplyMinute     int                `json:"apply_minute,omitempty"`
	PersonalData    Allow              `json:"personal_data,omitempty"`
	AfterFact       Allow              `json:"after_fact,omitempty"`
}

// Employment is a 任用区分, such as 会計年度任用職員.
type Employment struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// ReservedSeats are sessions that only users of a section, and of those below it, may take.
type ReservedSeats struct {
	Section string `json:"section"`
	Seats   int    `json:"seats"`
}

// MailSettings say how official addresses are reached. The password is in a file of the gateway, never here.
type MailSettings struct {
	Server        string `json:"server"` // host:port; empty: no mail
	TLS           string `json:"tls"`    // starttls, tls or none
	User          string `json:"user"`
	From          string `json:"from"` // the sender's address
	DigestMinutes int    `json:"digest_minutes"`
}

// PolicySettings are the part of the settings that PolicyService edits.
type PolicySettings struct {
	Employments       []Employment    `json:"employments"`
	Hours             calendar.Hours  `json:"hours"` // of whoever has none of their own
	Rules             []PolicyRule    `json:"rules"`
	ReservedSeats     []ReservedSeats `json:"reserved_seats"`
	MaxOfficeSessions int             `json:"max_office_sessions"` // sessions from the hall, counted apart
	GapLimit          time.Duration   `json:"gap_limit"`           // between reported and connected time of a day, above which it is flagged
	Mail              MailSettings    `json:"mail"`
	WakeLead          time.Duration   `json:"wake_lead"`    // before work starts
	WakeStagger       time.Duration   `json:"wake_stagger"` // between two wakes
	WakeByPlan        bool            `json:"wake_by_plan"` // approved days wake their desks
}

// DefaultPolicy is what holds before anybody changed it: 8:30 to 17:15 with a break from 12:00 to 13:00, no rules.
func DefaultPolicy() PolicySettings {
	return PolicySettings{
		Employments:       []Employment{{"regular", "一般職"}, {"fiscal-year", "会計年度任用職員"}},
		Hours:             calendar.Hours{Start: 8*60 + 30, End: 17*60 + 15, BreakStart: 12 * 60, BreakEnd: 13 * 60},
		MaxOfficeSessions: 100, GapLimit: 30 * time.Minute, Mail: MailSettings{TLS: "starttls", DigestMinutes: 15},
		WakeLead: 20 * time.Minute, WakeStagger: 500 * time.Millisecond, WakeByPlan: true,
	}
}

// Policy is what holds for one user on desks of one zone. The zero value allows nothing.
type Policy struct {
	Telework        bool
	Approval        ApprovalNeed
	AtEnd           AtEnd
	Night           bool // 22 to 5
	DaysOff         bool // days on which the hall is closed or the user does not work
	Idle            time.Duration
	SecondFactor    SecondFactorNeed
	Viewers         []grant.ViewerKind
	Devices         []grant.DeviceKind
	Clipboard       bool // device to desk; in zone internet only, whatever this says
	Watermark       string
	Office          bool // sessions from the hall itself, without request
	OnBreak         OnBreak
	PowerAfter      PowerAfter
	Registration    bool // the yearly registration must be valid
	DaysPerWeek     int  // 7: no limit
	ApplySet        bool // requests have to come in ApplyDaysBefore open days before, at ApplyMinute, at the latest
	ApplyDaysBefore int
	ApplyMinute     int
	PersonalData    bool // work with personal data may be done away from the hall
	AfterFact       bool // requests for days that have begun
}

// Subject is whom and what a policy is resolved for.
type Subject struct {
	Sections   []string // the user's main section, then those above it up to the top; empty: none
	Employment string
	Zone       grant.Zone // of the desk; 0: rules of a zone do not count
}

// base is what holds without any rule. An organisation that asks for no approvals (a plain remote desktop) does not
// bind sessions to hours either, until a rule says so.
func (s *Settings) base() Policy {
	p := Policy{
		Telework: true, Approval: ApprovalNever, AtEnd: EndNothing, Night: true, DaysOff: true, Idle: s.Idle, SecondFactor: SecondNever,
		Viewers: []grant.ViewerKind{grant.ViewerBrowser, grant.ViewerNative, grant.ViewerHeadless},
		Devices: []grant.DeviceKind{grant.DeviceLent}, Clipboard: s.ClipboardInternet, Watermark: s.Watermark, Office: s.OfficeSessions,
		OnBreak: BreakNothing, PowerAfter: PowerLeave, DaysPerWeek: 7, PersonalData: true, AfterFact: true,
	}
	if s.ApprovalRequired {
		p.Approval, p.AtEnd, p.Night, p.DaysOff, p.OnBreak = ApprovalAlways, EndEnd, false, false, BreakLock
	}
	if s.TOTPOutside {
		p.SecondFactor = SecondOutside
	}
	if s.PrivateDevices {
		p.Devices = append(p.Devices, grant.DevicePrivate)
	}
	return p
}

// Resolve is the policy that holds for a subject.
func (s *Settings) Resolve(sub Subject) Policy {
	p := s.base()
	for _, r := range s.Policy.layers(sub) {
		for _, f := range fields {
			if f.set(r) {
				f.apply(&p, r)
			}
		}
	}
	return p
}

// layers are the rules that concern a subject, the least specific first.
func (p *PolicySettings) layers(sub Subject) []*PolicyRule {
	var found []*PolicyRule
	for i := range p.Rules {
		if r := &p.Rules[i]; r.concerns(&sub) {
			found = append(found, r)
		}
	}
	slices.SortStableFunc(found, func(a, b *PolicyRule) int {
		return cmp.Or(
			cmp.Compare(sub.distance(b.Section), sub.distance(a.Section)),
			compareBool(a.Employment != "", b.Employment != ""),
			compareBool(a.Zone != 0, b.Zone != 0),
		)
	})
	return found
}

func (r *PolicyRule) concerns(sub *Subject) bool {
	return (r.Section == "" || slices.Contains(sub.Sections, r.Section)) &&
		(r.Employment == "" || r.Employment == sub.Employment) &&
		(r.Zone == 0 || r.Zone == sub.Zone)
}

// distance from the user's main section up to a section; the organisation is above all.
func (sub *Subject) distance(section string) int {
	if section == "" {
		return len(sub.Sections)
	}
	return slices.Index(sub.Sections, section)
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
