package api

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/audit"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/store"
)

func (s *adminService) ListEvents(ctx context.Context, r *controlv1.ListEventsRequest) (*controlv1.ListEventsResponse, error) {
	events, next, err := s.cfg.Store.Events(ctx, store.EventFilter{
		Kind: audit.Kind(r.GetKind()), Actor: r.GetActor(), Subject: r.GetSubject(), FromMS: r.GetFromMs(), UntilMS: r.GetUntilMs(),
	}, pageOf(r.GetPage()))
	if err != nil {
		return nil, err
	}
	head, err := s.cfg.Store.Head(ctx)
	if err != nil {
		return nil, err
	}
	answer := &controlv1.ListEventsResponse{NextToken: next, Head: head.Line()}
	for i := range events {
		answer.Events = append(answer.Events, eventMessage(&events[i]))
	}
	return answer, nil
}

func eventMessage(e *audit.Event) *controlv1.Event {
	ja, en := e.Kind.Words()
	return &controlv1.Event{
		Number: int64(e.Number), TimeMs: e.TimeMS, Kind: string(e.Kind), KindJa: ja, KindEn: en, Actor: e.Actor, Subject: e.Subject, //nolint:gosec // below 2^63
		SessionId: e.Session, Outcome: string(e.Outcome), Code: e.Code, Details: e.Details, Hash: e.Hash[:],
	}
}

func (s *adminService) VerifyEvents(ctx context.Context, r *controlv1.VerifyEventsRequest) (*controlv1.VerifyEventsResponse, error) {
	against := audit.Against{Kept: s.cfg.KeptHeads()}
	if r.GetHead() != "" {
		line, err := audit.ParseLine(r.GetHead())
		if err != nil {
			return nil, invalid(err)
		}
		against.Lines = append(against.Lines, line)
	}
	report, err := s.cfg.Store.VerifyEvents(ctx, against)
	if errors.Is(err, audit.ErrHead) {
		return &controlv1.VerifyEventsResponse{Problem: "the heads file holds what this gateway did not sign: " + err.Error()}, nil
	}
	if err != nil {
		return nil, err
	}
	answer := &controlv1.VerifyEventsResponse{
		Intact: report.Problem == nil, Checked: int64(report.Checked), Head: report.Last.Line(), //nolint:gosec // below 2^63
		KeptHeads: int64(report.Heads), //nolint:gosec // below 2^63
	}
	if report.Problem != nil {
		answer.Problem, answer.At = report.Problem.What, int64(report.Problem.At) //nolint:gosec // below 2^63
	}
	return answer, nil
}

func (s *adminService) GetSettings(ctx context.Context, _ *controlv1.GetSettingsRequest) (*controlv1.GetSettingsResponse, error) {
	organisation, err := s.cfg.Store.Organisation(ctx)
	if err != nil {
		return nil, err
	}
	return &controlv1.GetSettingsResponse{
		Settings: settingsMessage(organisation.Name, &organisation.Settings), Revision: organisation.Revision,
	}, nil
}

func settingsMessage(name string, s *access.Settings) *controlv1.Settings {
	return &controlv1.Settings{
		OrganisationName: name, Address: s.Address, OfficeNetworks: prefixTexts(s.OfficeNetworks),
		SatelliteNetworks: prefixTexts(s.SatelliteNetworks), IdleS: seconds(s.Idle), GraceS: seconds(s.Grace),
		SessionMaxS: seconds(s.SessionMax), SignInMaxS: seconds(s.SignInMax), ApprovalRequired: s.ApprovalRequired,
		TotpRequiredOutside: s.TOTPOutside, PrivateDevices: s.PrivateDevices, WorstGrade: controlv1.KeyGrade(s.WorstGrade),
		ClipboardInternet: s.ClipboardInternet, RequireLockable: s.RequireLockable, Watermark: s.Watermark,
		MaxSessions: uint32(s.MaxSessions), Emergency: s.Emergency, OfficeSessions: s.OfficeSessions, //nolint:gosec // bounded by Check
	}
}

func seconds(d time.Duration) uint32 { return uint32(d / time.Second) } //nolint:gosec // bounded by Check

func prefixTexts(prefixes []netip.Prefix) []string {
	texts := make([]string, 0, len(prefixes))
	for _, p := range prefixes {
		texts = append(texts, p.String())
	}
	return texts
}

func (s *adminService) UpdateSettings(ctx context.Context, r *controlv1.UpdateSettingsRequest) (*controlv1.UpdateSettingsResponse, error) {
	in := r.GetSettings()
	if in == nil {
		return nil, invalid(errors.New("no settings"))
	}
	settings, err := parseSettings(in)
	if err != nil {
		return nil, err
	}
	revision, err := s.cfg.Store.UpdateSettings(ctx, callerOf(ctx).by, r.GetRevision(), in.GetOrganisationName(), settings)
	if err != nil {
		return nil, err
	}
	return &controlv1.UpdateSettingsResponse{Revision: revision}, nil
}

func parseSettings(in *controlv1.Settings) (access.Settings, error) {
	if len(in.ProtoReflect().GetUnknown()) > 0 {
		return access.Settings{}, invalid(errors.New("a setting is unknown to this gateway"))
	}
	office, err := parsePrefixes(in.GetOfficeNetworks())
	if err != nil {
		return access.Settings{}, err
	}
	satellite, err := parsePrefixes(in.GetSatelliteNetworks())
	if err != nil {
		return access.Settings{}, err
	}
	grade, err := keyGrade(in.GetWorstGrade())
	if err != nil {
		return access.Settings{}, err
	}
	return access.Settings{
		Address: in.GetAddress(), OfficeNetworks: office, SatelliteNetworks: satellite, Idle: duration(in.GetIdleS()),
		Grace: duration(in.GetGraceS()), SessionMax: duration(in.GetSessionMaxS()), SignInMax: duration(in.GetSignInMaxS()),
		ApprovalRequired: in.GetApprovalRequired(), TOTPOutside: in.GetTotpRequiredOutside(), PrivateDevices: in.GetPrivateDevices(),
		WorstGrade: grade, ClipboardInternet: in.GetClipboardInternet(), RequireLockable: in.GetRequireLockable(), Watermark: in.GetWatermark(), MaxSessions: int(in.GetMaxSessions()),
		Emergency: in.GetEmergency(), OfficeSessions: in.GetOfficeSessions(),
	}, nil
}

func duration(s uint32) time.Duration { return time.Duration(s) * time.Second }

func parsePrefixes(texts []string) ([]netip.Prefix, error) {
	prefixes := make([]netip.Prefix, 0, len(texts))
	for _, text := range texts {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, invalid(fmt.Errorf("network: %w", err))
		}
		prefixes = append(prefixes, p)
	}
	return prefixes, nil
}
