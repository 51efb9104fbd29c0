package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"google.golang.org/protobuf/proto"

	"jiseki/internal/access"
	"jiseki/internal/cert"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/grant"
	"jiseki/internal/session"
	"jiseki/internal/store"
)

// deskService shows a user's desks and opens sessions on them.
type deskService struct{ *Server }

func (s *deskService) ListDesks(ctx context.Context, r *controlv1.ListDesksRequest) (*controlv1.ListDesksResponse, error) {
	choices, err := s.cfg.Sessions.Choices(ctx, sessionCaller(ctx))
	if err != nil {
		return nil, err
	}
	answer := &controlv1.ListDesksResponse{}
	for _, c := range choices {
		answer.Desks = append(answer.Desks, myDesk(&c, callerOf(ctx).identity.User.ID))
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(answer)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(b)
	answer.Etag = hex.EncodeToString(sum[:12])
	if r.GetEtag() == answer.GetEtag() {
		return &controlv1.ListDesksResponse{Unchanged: true, Etag: answer.GetEtag()}, nil
	}
	for i, c := range choices { // not in the etag: the longest session slides with the clock
		if c.Decision.Allowed() {
			answer.Desks[i].SessionUntilMs = c.Decision.Until.UnixMilli()
		}
	}
	return answer, nil
}

func myDesk(c *session.Choice, user string) *controlv1.MyDesk {
	d := &controlv1.MyDesk{
		DeskId: c.Desk.ID, Name: c.Desk.Name, Zone: controlv1.Zone(c.Desk.Zone), State: deskState(&c.Desk, c.Presence),
		LastSeenMs: c.Desk.LastSeenMS, LoggedIn: c.Desk.LoggedIn, Locked: c.Desk.Locked, Lockable: c.Desk.Lockable,
		AgentVersion: c.Desk.AgentVersion, MayOpen: c.Decision.Allowed(),
	}
	for _, code := range c.Decision.Reasons {
		d.WhyNot = append(d.WhyNot, reasonOf(access.Explain(code)))
	}
	if c.Desk.SessionBy == user {
		d.SessionId = c.Desk.Session
	}
	return d
}

func deskState(d *store.Desk, p access.Presence) controlv1.DeskState {
	switch {
	case d.Certificate == nil:
		return controlv1.DeskState_DESK_STATE_NOT_ENROLLED
	case p == access.Off:
		return controlv1.DeskState_DESK_STATE_OFF
	case p != access.On:
		return controlv1.DeskState_DESK_STATE_UNKNOWN
	case d.Session != nil:
		return controlv1.DeskState_DESK_STATE_IN_SESSION
	}
	return controlv1.DeskState_DESK_STATE_ON
}

func (s *deskService) PrepareSession(ctx context.Context, r *controlv1.PrepareSessionRequest) (*controlv1.PrepareSessionResponse, error) {
	if err := checkID(r.GetDeskId()); err != nil {
		return nil, err
	}
	p, err := s.cfg.Sessions.Prepare(ctx, sessionCaller(ctx), r.GetDeskId())
	if refusal, ok := expectedNo(err); ok {
		return &controlv1.PrepareSessionResponse{Outcome: &controlv1.PrepareSessionResponse_Refusal{Refusal: refusal}}, nil
	}
	if err != nil {
		return nil, err
	}
	return &controlv1.PrepareSessionResponse{Outcome: &controlv1.PrepareSessionResponse_Prepared{Prepared: &controlv1.Prepared{
		Nonce: p.Nonce[:], SessionId: p.Session[:], DeskCertificate: p.DeskCertificate,
		TrustBundle: s.cfg.CA.BundleBytes(), ServerTimeMs: s.cfg.Now().UnixMilli(),
	}}}, nil
}

func (s *deskService) OpenSession(ctx context.Context, r *controlv1.OpenSessionRequest) (*controlv1.OpenSessionResponse, error) {
	request, err := openRequest(r)
	if err != nil {
		return nil, err
	}
	o, err := s.cfg.Sessions.Open(ctx, sessionCaller(ctx), request)
	if refusal, ok := expectedNo(err); ok {
		return &controlv1.OpenSessionResponse{Outcome: &controlv1.OpenSessionResponse_Refusal{Refusal: refusal}}, nil
	}
	if err != nil {
		return nil, err
	}
	return &controlv1.OpenSessionResponse{Outcome: &controlv1.OpenSessionResponse_Opened{Opened: &controlv1.Opened{
		Grant: o.Grant.Append(nil), Ticket: o.Ticket[:], RelayUrl: "wss://" + requestOf(ctx).host + "/relay",
		DeskCertificate: o.DeskCertificate, DeskStatement: o.DeskStatement, Watermark: o.Watermark,
		Limits: &controlv1.Limits{
			Rights: uint32(o.Grant.Rights), IdleS: uint32(o.Grant.Idle / time.Second),
			GraceS: uint32(o.Grant.Grace / time.Second), SessionUntilMs: o.Grant.SessionUntil.UnixMilli(),
		},
	}}}, nil
}

func openRequest(r *controlv1.OpenSessionRequest) (session.OpenRequest, error) {
	kind := grant.ViewerKind(r.GetViewerKind()) //nolint:gosec // checked below
	switch {
	case len(r.GetSessionId()) != len(cert.SessionID{}), len(r.GetNoiseKey()) != len(cert.NoiseKey{}),
		len(r.GetSignature()) != len(cert.Signature{}), len(r.GetReconnectOf()) != 0 && len(r.GetReconnectOf()) != 16:
		return session.OpenRequest{}, invalid(errors.New("a field has a wrong length"))
	case r.GetViewerKind() < controlv1.ViewerKind_VIEWER_KIND_BROWSER, r.GetViewerKind() > controlv1.ViewerKind_VIEWER_KIND_HEADLESS:
		return session.OpenRequest{}, invalid(errors.New("viewer kind"))
	}
	var before []byte
	if len(r.GetReconnectOf()) > 0 {
		before = r.GetReconnectOf()
	}
	return session.OpenRequest{
		Session: cert.SessionID(r.GetSessionId()), NoiseKey: cert.NoiseKey(r.GetNoiseKey()),
		Signature: cert.Signature(r.GetSignature()), Viewer: kind, ReconnectOf: before,
	}, nil
}

func (s *deskService) EndSession(ctx context.Context, r *controlv1.EndSessionRequest) (*controlv1.EndSessionResponse, error) {
	id, err := sessionID(r.GetSessionId())
	if err != nil {
		return nil, err
	}
	return &controlv1.EndSessionResponse{}, s.cfg.Sessions.End(ctx, sessionCaller(ctx), id)
}

func (s *deskService) ListMySessions(ctx context.Context, r *controlv1.ListMySessionsRequest) (*controlv1.ListMySessionsResponse, error) {
	sessions, next, err := s.cfg.Store.Sessions(ctx, store.SessionFilter{User: callerOf(ctx).identity.User.ID}, pageOf(r.GetPage()))
	if err != nil {
		return nil, err
	}
	answer := &controlv1.ListMySessionsResponse{NextToken: next}
	for i := range sessions {
		answer.Sessions = append(answer.Sessions, sessionMessage(&sessions[i]))
	}
	return answer, nil
}

func sessionMessage(s *store.Session) *controlv1.Session {
	return &controlv1.Session{
		SessionId: s.ID[:], UserId: s.User, UserName: s.UserName, DeskId: s.Desk, DeskName: s.DeskName, DeviceId: s.Device,
		DeviceLabel: s.DeviceLabel, ViewerKind: controlv1.ViewerKind(s.Viewer), Place: controlv1.Place(s.Place), Address: s.Address,
		Life: controlv1.SessionLife(s.Life), PreparedMs: s.PreparedMS, OpenedMs: s.OpenedMS, EndedMs: s.EndedMS, //nolint:gosec // 1 to 4
		EndCode: uint32(s.EndCode), EndReason: s.EndReason, BytesToViewer: s.BytesToViewer, BytesToDesk: s.BytesToDesk,
		LockedAfterEnd: s.LockedAfterEnd,
	}
}

// sessionCaller is the caller as package session knows him.
func sessionCaller(ctx context.Context) session.Caller {
	c := callerOf(ctx)
	return session.Caller{SignIn: c.identity.SignIn, Address: c.by.Address, Place: c.identity.Place}
}

func sessionID(b []byte) (cert.SessionID, error) {
	if len(b) != len(cert.SessionID{}) {
		return cert.SessionID{}, invalid(errors.New("session id has a wrong length"))
	}
	return cert.SessionID(b), nil
}

// checkID refuses what can be no id before it reaches the log.
func checkID(id string) error {
	if len(id) < 1 || len(id) > cert.MaxID {
		return invalid(errors.New("id has a wrong length"))
	}
	return nil
}

func pageOf(p *controlv1.Page) store.Page {
	return store.Page{Limit: int(p.GetLimit()), After: p.GetToken()}
}
