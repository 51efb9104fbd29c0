package access

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"jiseki/internal/cert"
)

// Place is where somebody works from, as the network of the request shows it.
type Place uint8

// The places. Their numbers are those of the control API.
const (
	Home      Place = 1
	Satellite Place = 2
	Other     Place = 3 // a place approved in advance
	Office    Place = 4 // in the town hall, a meeting room
)

// String is the place's name in the database and in events.
func (p Place) String() string {
	switch p {
	case Home:
		return "home"
	case Satellite:
		return "satellite"
	case Other:
		return "other"
	case Office:
		return "office"
	}
	return "unknown"
}

// Role is what a user may do beside working.
type Role uint8

// The roles. Their numbers are those of the control API.
const (
	Staff    Role = 1
	Approver Role = 2
	Admin    Role = 3
)

// String is the role's name in events.
func (r Role) String() string {
	switch r {
	case Staff:
		return "staff"
	case Approver:
		return "approver"
	case Admin:
		return "admin"
	}
	return "unknown"
}

// Settings are what an organisation decides for everybody. The zero value allows nothing; Default is a careful start.
type Settings struct {
	Address           string         `json:"address"`            // of the portal, https://host[:port]
	OfficeNetworks    []netip.Prefix `json:"office_networks"`    // networks of the town hall
	SatelliteNetworks []netip.Prefix `json:"satellite_networks"` // closed lines of satellite offices
	Idle              time.Duration  `json:"idle"`               // without input until the agent locks and ends; 0: no limit
	Grace             time.Duration  `json:"grace"`              // from a lost link to the lock
	SessionMax        time.Duration  `json:"session_max"`        // longest session
	SignInMax         time.Duration  `json:"sign_in_max"`        // longest sign-in
	ApprovalRequired  bool           `json:"approval_required"`  // a session needs an approved request
	TOTPOutside       bool           `json:"totp_outside"`       // from outside a one-time password too
	PrivateDevices    bool           `json:"private_devices"`    // 私用端末 may open desks
	WorstGrade        cert.Grade     `json:"worst_grade"`        // lowest grade of key that may open a desk
	ClipboardInternet bool           `json:"clipboard_internet"` // text from device to desk in zone internet
	RequireLockable   bool           `json:"require_lockable"`   // no session on a desk that cannot lock
	Watermark         string         `json:"watermark"`          // with {user} {device} {time}
	MaxSessions       int            `json:"max_sessions"`       // at the same time; 0: none
	Emergency         bool           `json:"emergency"`          // 非常時: no request needed
	OfficeSessions    bool           `json:"office_sessions"`    // a desk may be opened from an office network
	Policy            PolicySettings `json:"policy"`             // of whom these settings do not hold, and the telework day
}

// Default settings.
func Default() Settings {
	return Settings{
		OfficeNetworks: []netip.Prefix{
			netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"),
			netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("fc00::/7"),
		},
		Idle: 30 * time.Minute, Grace: time.Minute, SessionMax: 12 * time.Hour, SignInMax: 12 * time.Hour,
		PrivateDevices: true, WorstGrade: cert.GradeFile, RequireLockable: true,
		Watermark: "{user} {device} {time}", MaxSessions: 200, OfficeSessions: true, Policy: DefaultPolicy(),
	}
}

// ErrSettings means that a setting is out of range; the text says which.
var ErrSettings = errors.New("access: settings")

// Check refuses settings that cannot be meant.
func (s *Settings) Check() error {
	if s.Address != "" {
		u, err := url.Parse(s.Address)
		if err != nil || u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
			return bad("address must be https://host[:port]")
		}
	}
	for _, p := range append(append([]netip.Prefix{}, s.OfficeNetworks...), s.SatelliteNetworks...) {
		if !p.IsValid() || p.Bits() == 0 || p != p.Masked() {
			return bad("network " + p.String())
		}
	}
	for _, d := range []struct {
		name      string
		d         time.Duration
		low, high time.Duration
	}{
		{"idle", s.Idle, 0, maxIdle},
		{"grace", s.Grace, 0, 10 * time.Minute},
		{"session_max", s.SessionMax, time.Minute, 24 * time.Hour},
		{"sign_in_max", s.SignInMax, time.Minute, 24 * time.Hour},
	} {
		if d.d < d.low || d.d > d.high || d.d%time.Second != 0 {
			return bad(d.name)
		}
	}
	if s.WorstGrade < cert.GradeHardware || s.WorstGrade > cert.GradeFile {
		return bad("worst_grade")
	}
	if s.MaxSessions < 0 || s.MaxSessions > maxSessions {
		return bad("max_sessions")
	}
	if len(s.Watermark) > maxWatermark {
		return bad("watermark")
	}
	return s.Policy.check(s.MaxSessions)
}

// ParseSettings reads the JSON form that the store keeps. Unknown names are errors: a misspelt rule must not be a rule
// that is not there. Settings from before there was a policy have the default one.
func ParseSettings(b []byte) (Settings, error) {
	s := Settings{Policy: DefaultPolicy()}
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return Settings{}, fmt.Errorf("%w: %w", ErrSettings, err)
	}
	return s, s.Check()
}

// PlaceOf judges the place by the network address of the request's own connection. A forwarded-for header must never
// reach this. Satellite networks count before office networks, so that a line inside a private range is what it was
// declared to be.
func (s *Settings) PlaceOf(addr netip.Addr) Place {
	addr = addr.Unmap().WithZone("")
	for _, p := range s.SatelliteNetworks {
		if p.Contains(addr) {
			return Satellite
		}
	}
	for _, p := range s.OfficeNetworks {
		if p.Contains(addr) {
			return Office
		}
	}
	return Home
}
