package access

import (
	"fmt"
	"strings"
	"time"

	"jiseki/internal/grant"
)

// Bounds of what an administrator may enter.
const (
	maxEmployments = 50
	maxRules       = 500
	maxReserved    = 100
	maxSessions    = 100_000
	maxIdle        = 24 * time.Hour
	maxWatermark   = 400
)

// check refuses a policy that cannot be meant. sessions is how many may run at the same time.
func (p *PolicySettings) check(sessions int) error {
	if err := p.Hours.Check(); err != nil {
		return fmt.Errorf("%w: %w", ErrSettings, err)
	}
	if !p.Hours.Works() {
		return bad("hours")
	}
	for _, d := range []struct {
		name string
		d    time.Duration
		high time.Duration
	}{{"gap_limit", p.GapLimit, 24 * time.Hour}, {"wake_lead", p.WakeLead, 12 * time.Hour}, {"wake_stagger", p.WakeStagger, time.Minute}} {
		if d.d < 0 || d.d > d.high {
			return bad(d.name)
		}
	}
	if p.MaxOfficeSessions < 0 || p.MaxOfficeSessions > maxSessions {
		return bad("max_office_sessions")
	}
	if err := p.Mail.check(); err != nil {
		return err
	}
	if err := p.checkEmployments(); err != nil {
		return err
	}
	if err := p.checkReserved(sessions); err != nil {
		return err
	}
	return p.checkRules()
}

func bad(what string) error { return fmt.Errorf("%w: %s", ErrSettings, what) }

func (m *MailSettings) check() error {
	switch {
	case m.TLS != "starttls" && m.TLS != "tls" && m.TLS != "none":
		return bad("mail.tls")
	case m.DigestMinutes < 0 || m.DigestMinutes > 24*60:
		return bad("mail.digest_minutes")
	case len(m.User) > 200 || strings.ContainsAny(m.User, "\r\n\x00"):
		return bad("mail.user")
	case m.Server == "" && m.From == "":
		return nil
	}
	host, port, ok := strings.Cut(m.Server, ":")
	if !ok || host == "" || port == "" || len(m.Server) > 200 || strings.ContainsAny(m.Server, " \r\n\t/@") {
		return bad("mail.server must be host:port")
	}
	if local, domain, ok := strings.Cut(m.From, "@"); !ok || local == "" || domain == "" || len(m.From) > 200 || strings.ContainsFunc(m.From, notInAddress) {
		return bad("mail.from must be an address")
	}
	return nil
}

// notInAddress: package mail sends from plain ASCII addresses only.
func notInAddress(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`"<>,`, r) }

func (p *PolicySettings) checkEmployments() error {
	if len(p.Employments) > maxEmployments {
		return bad("employments: too many")
	}
	seen := map[string]bool{}
	for _, e := range p.Employments {
		if !isID(e.ID) || seen[e.ID] {
			return bad("employments: id " + e.ID)
		}
		if strings.TrimSpace(e.Name) == "" || len(e.Name) > 200 || strings.ContainsAny(e.Name, "\r\n\t\x00") {
			return bad("employments: name of " + e.ID)
		}
		seen[e.ID] = true
	}
	return nil
}

func isID(s string) bool {
	return s != "" && len(s) <= 64 && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '.' && r != '-' && r != '_'
	})
}

func (p *PolicySettings) checkReserved(sessions int) error {
	if len(p.ReservedSeats) > maxReserved {
		return bad("reserved_seats: too many")
	}
	sum, seen := 0, map[string]bool{}
	for _, r := range p.ReservedSeats {
		if r.Section == "" || seen[r.Section] || r.Seats < 1 || r.Seats > maxSessions {
			return bad("reserved_seats of " + r.Section)
		}
		seen[r.Section] = true
		sum += r.Seats
	}
	if sum > sessions {
		return bad("reserved_seats: more than max_sessions")
	}
	return nil
}

func (p *PolicySettings) checkRules() error {
	if len(p.Rules) > maxRules {
		return bad("rules: too many")
	}
	type key struct {
		section, employment string
		zone                grant.Zone
	}
	seen := map[key]bool{}
	for i := range p.Rules {
		r := &p.Rules[i]
		k := key{r.Section, r.Employment, r.Zone}
		if seen[k] {
			return bad(fmt.Sprintf("rules: %d: a second rule for the same section, employment and zone", i+1))
		}
		seen[k] = true
		if r.Employment != "" && !p.hasEmployment(r.Employment) {
			return bad(fmt.Sprintf("rules: %d: employment", i+1))
		}
		if what := r.check(); what != "" {
			return bad(fmt.Sprintf("rules: %d: %s", i+1, what))
		}
	}
	return nil
}

func (p *PolicySettings) hasEmployment(id string) bool {
	for _, e := range p.Employments {
		if e.ID == id {
			return true
		}
	}
	return false
}

// check names the value that cannot be meant; empty: all can.
func (r *PolicyRule) check() string {
	for _, a := range []struct {
		name string
		a    Allow
	}{
		{"telework", r.Telework},
		{"night", r.Night},
		{"days_off", r.DaysOff},
		{"clipboard", r.Clipboard},
		{"office", r.Office},
		{"registration", r.Registration},
		{"personal_data", r.PersonalData},
		{"after_fact", r.AfterFact},
	} {
		if a.a > AllowNo {
			return a.name
		}
	}
	for _, v := range r.Viewers {
		if v < grant.ViewerBrowser || v > grant.ViewerHeadless {
			return "viewers"
		}
	}
	for _, d := range r.Devices {
		if d < grant.DeviceLent || d > grant.DevicePrivate {
			return "devices"
		}
	}
	switch {
	case r.Zone > grant.ZoneMyNumber:
		return "zone"
	case r.Approval > ApprovalNever:
		return "approval"
	case r.AtEnd > EndEnd:
		return "at_end"
	case r.SecondFactor > SecondOutside:
		return "second_factor"
	case r.OnBreak > BreakLock:
		return "on_break"
	case r.PowerAfter > PowerShutDown:
		return "power_after"
	case r.Idle < 0 || r.Idle > maxIdle || r.Idle%time.Second != 0:
		return "idle_s"
	case len(r.Watermark) > maxWatermark:
		return "watermark"
	case r.Clipboard == AllowYes && r.Zone != 0 && r.Zone != grant.ZoneInternet:
		return "clipboard can be allowed in zone internet only"
	case r.DaysPerWeek < 0 || r.DaysPerWeek > 7:
		return "days_per_week"
	case r.ApplyDaysBefore < 0 || r.ApplyDaysBefore > 60 || r.ApplyMinute < 0 || r.ApplyMinute >= 24*60:
		return "apply"
	}
	return ""
}
