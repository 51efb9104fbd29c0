package api

import (
	"context"
	"errors"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/calendar"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/grant"
)

func (s *policyService) GetPolicy(ctx context.Context, _ *controlv1.GetPolicyRequest) (*controlv1.GetPolicyResponse, error) {
	o, err := s.cfg.Store.Organisation(ctx)
	if err != nil {
		return nil, err
	}
	policy := policyMessage(&o.Settings.Policy)
	policy.Mail.PasswordSet = s.cfg.MailPasswordSet != nil && s.cfg.MailPasswordSet()
	return &controlv1.GetPolicyResponse{Policy: policy, Revision: o.Revision}, nil
}

func (s *policyService) UpdatePolicy(ctx context.Context, r *controlv1.UpdatePolicyRequest) (*controlv1.UpdatePolicyResponse, error) {
	in := r.GetPolicy()
	if in == nil || in.GetHours() == nil || in.GetMail() == nil {
		return nil, invalid(errors.New("no policy, hours or mail settings"))
	}
	if len(in.ProtoReflect().GetUnknown()) > 0 {
		return nil, invalid(errors.New("a part of the policy is unknown to this gateway"))
	}
	revision, err := s.cfg.Store.UpdatePolicy(ctx, callerOf(ctx).by, r.GetRevision(), parsePolicy(in))
	if err != nil {
		return nil, err
	}
	return &controlv1.UpdatePolicyResponse{Revision: revision}, nil
}

func policyMessage(p *access.PolicySettings) *controlv1.Policy {
	m := &controlv1.Policy{
		Hours: workingHours(p.Hours), MaxOfficeSessions: int32(p.MaxOfficeSessions), //nolint:gosec // bounded by Check
		GapLimitMinutes: int32(p.GapLimit / time.Minute), WakeLeadMinutes: int32(p.WakeLead / time.Minute), //nolint:gosec // bounded by Check
		WakeStaggerMs: int32(p.WakeStagger / time.Millisecond), WakeByPlan: p.WakeByPlan, //nolint:gosec // bounded by Check
		Mail: &controlv1.MailSettings{
			Server: p.Mail.Server, Tls: p.Mail.TLS, User: p.Mail.User, From: p.Mail.From, DigestMinutes: int32(p.Mail.DigestMinutes), //nolint:gosec // bounded by Check
		},
	}
	for _, e := range p.Employments {
		m.Employments = append(m.Employments, &controlv1.Employment{Id: e.ID, Name: e.Name})
	}
	for _, r := range p.ReservedSeats {
		m.ReservedSeats = append(m.ReservedSeats, &controlv1.ReservedSeats{SectionId: r.Section, Seats: int32(r.Seats)}) //nolint:gosec // bounded by Check
	}
	for i := range p.Rules {
		m.Rules = append(m.Rules, ruleMessage(&p.Rules[i]))
	}
	return m
}

func ruleMessage(r *access.PolicyRule) *controlv1.PolicyRule {
	m := &controlv1.PolicyRule{
		SectionId: r.Section, Employment: r.Employment, Zone: controlv1.Zone(r.Zone),
		Telework: controlv1.Allow(r.Telework), Approval: controlv1.ApprovalNeed(r.Approval), AtEnd: controlv1.AtEnd(r.AtEnd),
		Night: controlv1.Allow(r.Night), DaysOff: controlv1.Allow(r.DaysOff), IdleS: seconds(r.Idle),
		SecondFactor: controlv1.SecondFactorNeed(r.SecondFactor), Clipboard: controlv1.Allow(r.Clipboard), Watermark: r.Watermark,
		Office: controlv1.Allow(r.Office), OnBreak: controlv1.OnBreak(r.OnBreak), PowerAfter: controlv1.PowerAfter(r.PowerAfter),
		Registration: controlv1.Allow(r.Registration), DaysPerWeek: int32(r.DaysPerWeek), ApplySet: r.ApplySet, //nolint:gosec // bounded by Check
		ApplyDaysBefore: int32(r.ApplyDaysBefore), ApplyMinute: int32(r.ApplyMinute), //nolint:gosec // bounded by Check
		PersonalData: controlv1.Allow(r.PersonalData), AfterFact: controlv1.Allow(r.AfterFact),
	}
	for _, v := range r.Viewers {
		m.Viewers = append(m.Viewers, controlv1.ViewerKind(v))
	}
	for _, d := range r.Devices {
		m.Devices = append(m.Devices, controlv1.DeviceKind(d))
	}
	return m
}

// parsePolicy leaves judging to the store; what does not fit a small number becomes one that no policy knows.
func parsePolicy(in *controlv1.Policy) access.PolicySettings {
	p := access.PolicySettings{
		Hours: parseHours(in.GetHours()), MaxOfficeSessions: int(in.GetMaxOfficeSessions()),
		GapLimit: time.Duration(in.GetGapLimitMinutes()) * time.Minute, WakeLead: time.Duration(in.GetWakeLeadMinutes()) * time.Minute,
		WakeStagger: time.Duration(in.GetWakeStaggerMs()) * time.Millisecond, WakeByPlan: in.GetWakeByPlan(),
		Mail: access.MailSettings{
			Server: in.GetMail().GetServer(), TLS: in.GetMail().GetTls(), User: in.GetMail().GetUser(), From: in.GetMail().GetFrom(),
			DigestMinutes: int(in.GetMail().GetDigestMinutes()),
		},
	}
	for _, e := range in.GetEmployments() {
		p.Employments = append(p.Employments, access.Employment{ID: e.GetId(), Name: e.GetName()})
	}
	for _, r := range in.GetReservedSeats() {
		p.ReservedSeats = append(p.ReservedSeats, access.ReservedSeats{Section: r.GetSectionId(), Seats: int(r.GetSeats())})
	}
	for _, r := range in.GetRules() {
		p.Rules = append(p.Rules, parseRule(r))
	}
	return p
}

func parseRule(in *controlv1.PolicyRule) access.PolicyRule {
	r := access.PolicyRule{
		Section: in.GetSectionId(), Employment: in.GetEmployment(), Zone: small[grant.Zone](in.GetZone()),
		Telework: small[access.Allow](in.GetTelework()), Approval: small[access.ApprovalNeed](in.GetApproval()),
		AtEnd: small[access.AtEnd](in.GetAtEnd()), Night: small[access.Allow](in.GetNight()), DaysOff: small[access.Allow](in.GetDaysOff()),
		Idle: duration(in.GetIdleS()), SecondFactor: small[access.SecondFactorNeed](in.GetSecondFactor()),
		Clipboard: small[access.Allow](in.GetClipboard()), Watermark: in.GetWatermark(), Office: small[access.Allow](in.GetOffice()),
		OnBreak: small[access.OnBreak](in.GetOnBreak()), PowerAfter: small[access.PowerAfter](in.GetPowerAfter()),
		Registration: small[access.Allow](in.GetRegistration()), DaysPerWeek: int(in.GetDaysPerWeek()), ApplySet: in.GetApplySet(),
		ApplyDaysBefore: int(in.GetApplyDaysBefore()), ApplyMinute: int(in.GetApplyMinute()),
		PersonalData: small[access.Allow](in.GetPersonalData()), AfterFact: small[access.Allow](in.GetAfterFact()),
	}
	for _, v := range in.GetViewers() {
		r.Viewers = append(r.Viewers, small[grant.ViewerKind](v))
	}
	for _, d := range in.GetDevices() {
		r.Devices = append(r.Devices, small[grant.DeviceKind](d))
	}
	return r
}

// small is an enumeration's number in a byte; 255, which none has, for what does not fit.
func small[T ~uint8, E ~int32](e E) T {
	if e < 0 || e > 255 {
		return 255
	}
	return T(e)
}

func parseHours(in *controlv1.WorkingHours) calendar.Hours {
	return calendar.Hours{
		Start: int(in.GetStartMinute()), End: int(in.GetEndMinute()),
		BreakStart: int(in.GetBreakStartMinute()), BreakEnd: int(in.GetBreakEndMinute()),
	}
}
