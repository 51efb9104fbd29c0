package api

import (
	"context"
	"errors"
	"slices"
	"time"

	"connectrpc.com/connect"

	"jiseki/internal/access"
	"jiseki/internal/audit"
	"jiseki/internal/auth"
	"jiseki/internal/enrol"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/grant"
	"jiseki/internal/hub"
	"jiseki/internal/session"
	"jiseki/internal/store"
)

func (s *adminService) ListDevices(ctx context.Context, r *controlv1.ListDevicesRequest) (*controlv1.ListDevicesResponse, error) {
	devices, next, err := s.cfg.Store.Devices(ctx, r.GetOwner(), pageOf(r.GetPage()))
	if err != nil {
		return nil, err
	}
	answer := &controlv1.ListDevicesResponse{NextToken: next}
	for _, d := range devices {
		answer.Devices = append(answer.Devices, &controlv1.Device{
			DeviceId: d.ID, Owner: d.Owner, OwnerName: d.OwnerName, Label: d.Label, Kind: controlv1.DeviceKind(d.Kind),
			Grade: controlv1.KeyGrade(d.Grade), PersistentStorage: d.Persistent, EnrolledMs: d.EnrolledMS, CertificateUntilMs: d.UntilMS,
			LastUsedMs: d.LastUsedMS, RevokedMs: d.RevokedMS, RevokedReason: d.RevokedReason, InventoryNumber: d.Inventory,
		})
	}
	return answer, nil
}

func (s *adminService) RevokeDevice(ctx context.Context, r *controlv1.RevokeDeviceRequest) (*controlv1.RevokeDeviceResponse, error) {
	if err := checkID(r.GetDeviceId()); err != nil {
		return nil, err
	}
	by := callerOf(ctx).by
	running, unwritten := s.cfg.Sessions.TakeAway(ctx, by, session.Taking{
		Kind: audit.DeviceRevoked, From: store.SessionFilter{Device: r.GetDeviceId()},
		Do: func(ctx context.Context, by store.By) ([]store.Session, error) {
			return s.cfg.Store.RevokeDevice(ctx, by, r.GetDeviceId(), r.GetReason())
		},
	})
	ended, err := s.cfg.Sessions.RevokeDevice(ctx, by, r.GetDeviceId(), running)
	return &controlv1.RevokeDeviceResponse{EndedSessions: int32(ended)}, errors.Join(unwritten, err) //nolint:gosec // small
}

func (s *adminService) ListAllDesks(ctx context.Context, r *controlv1.ListAllDesksRequest) (*controlv1.ListAllDesksResponse, error) {
	desks, next, err := s.cfg.Store.Desks(ctx, r.GetQuery(), pageOf(r.GetPage()))
	if err != nil {
		return nil, err
	}
	answer := &controlv1.ListAllDesksResponse{NextToken: next}
	for i := range desks {
		answer.Desks = append(answer.Desks, s.deskMessage(&desks[i]))
	}
	return answer, nil
}

func (s *adminService) deskMessage(d *store.Desk) *controlv1.Desk {
	m := &controlv1.Desk{
		DeskId: d.ID, Name: d.Name, Zone: controlv1.Zone(d.Zone), SectionId: d.Section, UserIds: d.Users,
		State: deskState(d, session.Presence(d, s.cfg.Now())), LastSeenMs: d.LastSeenMS, Enrolled: d.Certificate != nil,
		Grade: controlv1.KeyGrade(d.Grade), CertificateUntilMs: d.UntilMS, Hostname: d.Hostname, AgentVersion: d.AgentVersion,
		System: d.System, LoggedIn: d.LoggedIn, Locked: d.Locked, Lockable: d.Lockable,
	}
	if fault := access.ScreenFault(d.Fault); fault != "" {
		m.ScreenFault = reasonOf(access.Explain(fault))
	}
	return m
}

func (s *adminService) PutDesk(ctx context.Context, r *controlv1.PutDeskRequest) (*controlv1.PutDeskResponse, error) {
	zone, err := s.servedZone(r.GetZone())
	if err != nil {
		return nil, err
	}
	by := callerOf(ctx).by
	desk := store.Desk{ID: r.GetDeskId(), Name: r.GetName(), Zone: zone, Section: r.GetSectionId(), Users: r.GetUserIds()}
	if desk.ID == "" {
		desk.ID = auth.NewID()
		err = s.cfg.Store.AddDesk(ctx, by, desk)
	} else {
		err = s.changeDesk(ctx, by, desk)
	}
	if err != nil {
		return nil, err
	}
	now, err := s.cfg.Store.Desk(ctx, desk.ID)
	if err != nil {
		return nil, err
	}
	return &controlv1.PutDeskResponse{Desk: s.deskMessage(&now)}, nil
}

// changeDesk ends the sessions of users who lose the desk. What it gives, and what it only calls otherwise, is done now or
// not at all; what it takes away holds in any case.
func (s *adminService) changeDesk(ctx context.Context, by store.By, desk store.Desk) error {
	change := session.Taking{
		Kind: audit.DeskChanged, From: store.SessionFilter{Desk: desk.ID},
		Do: func(ctx context.Context, by store.By) ([]store.Session, error) {
			return s.cfg.Store.UpdateDesk(ctx, by, desk)
		},
		Owed: func(ctx context.Context, by store.By) ([]store.Session, error) {
			return s.cfg.Store.TakeDesk(ctx, by, desk.ID, desk.Users)
		},
	}
	stays := func(user string) bool { return slices.Contains(desk.Users, user) }
	take := s.cfg.Sessions.TakeAway
	before, err := s.cfg.Store.Desk(ctx, desk.ID)
	if err == nil && !slices.ContainsFunc(before.Users, func(u string) bool { return !stays(u) }) {
		take = func(ctx context.Context, by store.By, c session.Taking) ([]store.Session, error) {
			return c.Do(ctx, by)
		}
	}
	lost, unwritten := take(ctx, by, change)
	lost = slices.DeleteFunc(lost, func(x store.Session) bool { return stays(x.User) })
	_, err = s.cfg.Sessions.EndAll(ctx, by, lost, "desk_taken_away")
	return errors.Join(unwritten, err)
}

// servedZone refuses what this gateway must not serve.
func (s *adminService) servedZone(z controlv1.Zone) (grant.Zone, error) {
	if z < controlv1.Zone_ZONE_LGWAN || z > controlv1.Zone_ZONE_MYNUMBER {
		return 0, invalid(errors.New("zone"))
	}
	zone := grant.Zone(z) //nolint:gosec // 1 to 3
	if !s.cfg.Gateway.MayHold(zone) {
		return 0, deny(access.MyNumberGateway)
	}
	return zone, nil
}

func (s *adminService) DeleteDesk(ctx context.Context, r *controlv1.DeleteDeskRequest) (*controlv1.DeleteDeskResponse, error) {
	if err := checkID(r.GetDeskId()); err != nil {
		return nil, err
	}
	by := callerOf(ctx).by
	running, unwritten := s.cfg.Sessions.TakeAway(ctx, by, session.Taking{
		Kind: audit.DeskDeleted, From: store.SessionFilter{Desk: r.GetDeskId()},
		Do: func(ctx context.Context, by store.By) ([]store.Session, error) {
			return s.cfg.Store.DeleteDesk(ctx, by, r.GetDeskId())
		},
	})
	_, err := s.cfg.Sessions.EndAll(ctx, by, running, "desk_deleted")
	if unwritten == nil {
		s.dropDesk(ctx, r.GetDeskId())
	}
	return &controlv1.DeleteDeskResponse{}, errors.Join(unwritten, err)
}

// tokenLife is how long an enrolment token is good.
const tokenLife = 7 * 24 * time.Hour

func (s *adminService) CreateDeskToken(ctx context.Context, r *controlv1.CreateDeskTokenRequest) (*controlv1.CreateDeskTokenResponse, error) {
	kept := store.DeskToken{Desk: r.GetDeskId(), Uses: 1, UntilMS: s.cfg.Now().Add(tokenLife).UnixMilli()}
	if kept.Desk == "" {
		zone, err := s.servedZone(r.GetZone())
		if err != nil {
			return nil, err
		}
		kept.Zone, kept.Section, kept.Uses = zone, r.GetSectionId(), int(r.GetCount())
	} else {
		desk, err := s.cfg.Store.Desk(ctx, kept.Desk)
		if err != nil {
			return nil, err
		}
		kept.Zone = desk.Zone
	}
	token := enrol.New(s.cfg.CA.Fingerprint())
	kept.Hash = token.Hash()
	if err := s.cfg.Store.AddDeskToken(ctx, callerOf(ctx).by, kept); err != nil {
		return nil, err
	}
	organisation, err := s.cfg.Store.Organisation(ctx)
	if err != nil {
		return nil, err
	}
	return &controlv1.CreateDeskTokenResponse{
		Token: token.Text(), UntilMs: kept.UntilMS,
		Command: "jiseki-agent enroll --gateway " + organisation.Settings.Address,
	}, nil
}

func (s *adminService) LockDesk(ctx context.Context, r *controlv1.LockDeskRequest) (*controlv1.LockDeskResponse, error) {
	desk, err := s.cfg.Store.Desk(ctx, r.GetDeskId())
	if err != nil {
		return nil, err
	}
	unwritten := s.cfg.Store.Record(ctx, callerOf(ctx).by, audit.Entry{Kind: audit.DeskLockOrdered, Subject: "desk:" + desk.ID})
	if unwritten != nil && !errors.Is(unwritten, store.ErrFailed) {
		return nil, unwritten
	}
	if s.cfg.Hub == nil {
		return nil, unreachable(access.DeskUnknown, nil)
	}
	err = lockAnswer(s.cfg.Hub.Lock(ctx, desk.ID)) // also when it cannot be written: a desk that stands open is worse
	return &controlv1.LockDeskResponse{}, errors.Join(err, unwritten, s.recordLock(context.WithoutCancel(ctx), desk.ID, err))
}

// lockAnswer says why a desk that was ordered to lock is not known to be locked.
func lockAnswer(answer *controlv1.OrderAnswer, err error) error {
	switch {
	case errors.Is(err, hub.ErrAway):
		return unreachable(access.DeskOff, err)
	case errors.Is(err, hub.ErrSilent):
		return unreachable(access.AgentNoAnswer, err)
	case err != nil:
		return err
	case !answer.GetDone():
		return unreachable(access.DeskCannotLock, errors.New(answer.GetCode()))
	}
	return nil
}

// recordLock notes what became of the order to lock a desk.
func (s *adminService) recordLock(ctx context.Context, desk string, result error) error {
	e := audit.Entry{Kind: audit.DeskLockAnswered, Subject: "desk:" + desk}
	if result != nil {
		e.Outcome = audit.Failed
		var why *failure
		if errors.As(result, &why) {
			e.Code = string(why.code)
		}
	}
	return s.cfg.Store.Record(ctx, callerOf(ctx).by, e)
}

func unreachable(code access.Code, cause error) error {
	return &failure{code: code, status: connect.CodeFailedPrecondition, cause: cause}
}

func (s *adminService) ListSessions(ctx context.Context, r *controlv1.ListSessionsRequest) (*controlv1.ListSessionsResponse, error) {
	filter := store.SessionFilter{User: r.GetUserId(), Desk: r.GetDeskId(), Running: r.GetRunningOnly()}
	sessions, next, err := s.cfg.Store.Sessions(ctx, filter, pageOf(r.GetPage()))
	if err != nil {
		return nil, err
	}
	answer := &controlv1.ListSessionsResponse{NextToken: next}
	for i := range sessions {
		answer.Sessions = append(answer.Sessions, sessionMessage(&sessions[i]))
	}
	return answer, nil
}

func (s *adminService) EndAnySession(ctx context.Context, r *controlv1.EndAnySessionRequest) (*controlv1.EndAnySessionResponse, error) {
	id, err := sessionID(r.GetSessionId())
	if err != nil {
		return nil, err
	}
	return &controlv1.EndAnySessionResponse{}, s.cfg.Sessions.EndAny(ctx, callerOf(ctx).by, id, r.GetReason())
}
