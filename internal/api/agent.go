package api

import (
	"context"
	"errors"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/auth"
	"jiseki/internal/cert"
	"jiseki/internal/enrol"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/grant"
	"jiseki/internal/store"
)

// agentService enrols desks.
type agentService struct{ *Server }

func (s *agentService) GetAgentChallenge(context.Context, *controlv1.GetAgentChallengeRequest) (*controlv1.GetAgentChallengeResponse, error) {
	nonce := s.cfg.Nonces.New(auth.ForDesk)
	return &controlv1.GetAgentChallengeResponse{Nonce: nonce[:], ServerTimeMs: s.cfg.Now().UnixMilli()}, nil
}

// errZone says that a token is for a zone that this gateway must not serve.
var errZone = errors.New("the desk's zone is not served by this gateway")

func (s *agentService) EnrolDesk(ctx context.Context, r *controlv1.EnrolDeskRequest) (*controlv1.EnrolDeskResponse, error) {
	if !s.fromDesk(ctx) {
		return enrolNo(refusalOf(access.AgentNetwork)), nil
	}
	enrolment, err := s.deskEnrolment(ctx, r)
	if err != nil {
		return nil, err
	}
	proof := cert.Enrol{Nonce: cert.Nonce(r.GetNonce()), Key: enrolment.Key}
	if proof.Verify(cert.Signature(r.GetSignature())) != nil {
		return enrolNo(refusalOf(access.SignatureWrong)), nil
	}
	err = s.cfg.Auth.Spend(ctx, auth.ForDesk, proof.Nonce)
	if refusal, ok := expectedNo(err); ok {
		return enrolNo(refusal), nil
	}
	if err != nil {
		return nil, err
	}
	desk, err := s.useToken(ctx, enrolment)
	switch {
	case errors.Is(err, store.ErrSpent):
		return enrolNo(refusalOf(access.TokenSpent)), nil
	case errors.Is(err, store.ErrExpired):
		return enrolNo(refusalOf(access.TokenExpired)), nil
	case errors.Is(err, errZone):
		return enrolNo(refusalOf(access.MyNumberGateway)), nil
	case err != nil:
		return nil, err
	}
	s.dropDesk(ctx, desk.ID) // the agent of before, here or on the PC that was replaced; the desk's own comes back
	enrolled, err := s.deskEnrolled(ctx, &desk)
	if err != nil {
		return nil, err
	}
	return &controlv1.EnrolDeskResponse{Outcome: &controlv1.EnrolDeskResponse_Enrolled{Enrolled: enrolled}}, nil
}

// dropDesk closes the channel of a desk that was deleted or enrolled again, whichever gateway holds it. What that gateway
// is not told it finds out within 5 s.
func (s *Server) dropDesk(ctx context.Context, desk string) {
	if s.cfg.Hub == nil {
		return
	}
	if err := s.cfg.Hub.Drop(context.WithoutCancel(ctx), desk); err != nil {
		s.log.Warn("the former channel of a desk was not closed at once", "desk", desk, "err", err)
	}
}

// fromDesk says whether a call comes from where desks stand: a token or a key that was stolen is of no use elsewhere.
func (s *agentService) fromDesk(ctx context.Context) bool {
	return s.cfg.MayBeDesk == nil || s.cfg.MayBeDesk(requestOf(ctx).remote)
}

// useToken enrols a desk. Who sends tokens that are none is slowed: each leaves an event. One that is good never waits
// for them: it has 256 bits.
func (s *agentService) useToken(ctx context.Context, e *store.DeskEnrolment) (store.Desk, error) {
	if open, err := s.cfg.Store.DeskTokenOpen(ctx, e.TokenHash); err != nil || open {
		if err != nil {
			return store.Desk{}, err
		}
		return s.cfg.Store.EnrolDesk(ctx, *e)
	}
	keys := auth.EnrolThrottles(requestOf(ctx).remote)
	wait, err := s.cfg.Store.BeginAttempt(ctx, keys...)
	if err != nil {
		return store.Desk{}, err
	}
	if wait > 0 {
		return store.Desk{}, tooSoon(int(wait/time.Second) + 1)
	}
	desk, err := s.cfg.Store.EnrolDesk(ctx, *e)
	if errors.Is(err, store.ErrSpent) || errors.Is(err, store.ErrExpired) {
		return desk, err
	}
	return desk, errors.Join(err, s.cfg.Store.UndoAttempt(ctx, keys...))
}

func enrolNo(r *controlv1.Refusal) *controlv1.EnrolDeskResponse {
	return &controlv1.EnrolDeskResponse{Outcome: &controlv1.EnrolDeskResponse_Refusal{Refusal: r}}
}

// deskEnrolment reads a request, and certifies when the store knows which desk
// it is for.
func (s *agentService) deskEnrolment(ctx context.Context, r *controlv1.EnrolDeskRequest) (*store.DeskEnrolment, error) {
	if len(r.GetSecret()) != 32 || len(r.GetNonce()) != len(cert.Nonce{}) || len(r.GetSignature()) != len(cert.Signature{}) {
		return nil, invalid(errors.New("a field has a wrong length"))
	}
	key, err := cert.ParsePublicKey(r.GetPublicKey())
	if err != nil {
		return nil, invalid(err)
	}
	grade, err := keyGrade(r.GetGrade())
	if err != nil {
		return nil, err
	}
	return &store.DeskEnrolment{
		TokenHash: enrol.Hash([32]byte(r.GetSecret())), NewID: auth.NewID(), Key: key, Grade: grade,
		Hostname: r.GetHostname(), AgentVersion: r.GetAgentVersion(), System: r.GetSystem(), Address: requestOf(ctx).remote.String(),
		Certify: func(id string, zone grant.Zone) ([]byte, time.Time, error) {
			if !s.cfg.Gateway.MayHold(zone) {
				return nil, time.Time{}, errZone
			}
			c, err := s.cfg.CA.IssueDesk(id, zone.String(), grade, key)
			if err != nil {
				return nil, time.Time{}, err
			}
			return c.Append(nil), c.NotAfter, nil
		},
	}, nil
}

func (s *Server) deskEnrolled(ctx context.Context, d *store.Desk) (*controlv1.DeskEnrolled, error) {
	organisation, err := s.cfg.Store.Organisation(ctx)
	if err != nil {
		return nil, err
	}
	return &controlv1.DeskEnrolled{
		DeskId: d.ID, DeskName: d.Name, Certificate: d.Certificate, TrustBundle: s.cfg.CA.BundleBytes(), GatewayName: organisation.Name,
	}, nil
}

// RenewDeskCertificate certifies a desk anew when it is time. Before, its present certificate is the answer, and nothing
// is written: a desk cannot fill the log with renewals.
func (s *agentService) RenewDeskCertificate(ctx context.Context, r *controlv1.RenewDeskCertificateRequest) (*controlv1.RenewDeskCertificateResponse, error) {
	if !s.fromDesk(ctx) {
		return renewNo(refusalOf(access.AgentNetwork)), nil
	}
	desk, code, err := s.proveDesk(ctx, r)
	if err == nil && code == "" && s.cfg.CA.Present(cert.KindDesk, desk.Certificate) == nil {
		code, err = s.certifyAgain(ctx, desk, cert.Nonce(r.GetNonce()))
	}
	if err != nil {
		return nil, err
	}
	if code != "" {
		return renewNo(refusalOf(code)), nil
	}
	renewed, err := s.deskEnrolled(ctx, desk)
	if err != nil {
		return nil, err
	}
	return &controlv1.RenewDeskCertificateResponse{Outcome: &controlv1.RenewDeskCertificateResponse_Renewed{Renewed: renewed}}, nil
}

// certifyAgain gives a desk that was proven its next certificate, and takes the nonce of the proof for good.
func (s *agentService) certifyAgain(ctx context.Context, desk *store.Desk, nonce cert.Nonce) (access.Code, error) {
	err := s.cfg.Auth.Spend(ctx, auth.ForDesk, nonce)
	if no := new(auth.Refusal); errors.As(err, &no) {
		return access.ChallengeOver, nil
	}
	if err != nil {
		return "", err
	}
	c, err := s.cfg.CA.IssueDesk(desk.ID, desk.Zone.String(), desk.Grade, desk.Key)
	if err != nil {
		return "", err
	}
	desk.Certificate = c.Append(nil)
	by := store.By{Actor: "desk:" + desk.ID, Address: requestOf(ctx).remote.String()}
	return "", s.cfg.Store.RenewDesk(ctx, by, desk.ID, desk.Certificate, c.NotAfter.UnixMilli())
}

func renewNo(r *controlv1.Refusal) *controlv1.RenewDeskCertificateResponse {
	return &controlv1.RenewDeskCertificateResponse{Outcome: &controlv1.RenewDeskCertificateResponse_Refusal{Refusal: r}}
}

// proveDesk finds the desk that holds its key now; a code says why it does not.
func (s *agentService) proveDesk(ctx context.Context, r *controlv1.RenewDeskCertificateRequest) (*store.Desk, access.Code, error) {
	if checkID(r.GetDeskId()) != nil || len(r.GetNonce()) != len(cert.Nonce{}) || len(r.GetSignature()) != len(cert.Signature{}) {
		return nil, "", invalid(errors.New("a field has a wrong length"))
	}
	statement, err := cert.ParseDeskStatement(r.GetStatement())
	if err != nil {
		return nil, "", invalid(err)
	}
	desk, err := s.cfg.Store.Desk(ctx, r.GetDeskId())
	if errors.Is(err, store.ErrNotFound) {
		return nil, access.DeskRevoked, nil
	}
	if err != nil {
		return nil, "", err
	}
	proof := cert.AgentHello{Nonce: cert.Nonce(r.GetNonce()), Desk: desk.ID, Statement: statement.Hash()}
	if statement.Verify(desk.Key, s.cfg.Now(), cert.Skew) != nil || proof.Verify(desk.Key, cert.Signature(r.GetSignature())) != nil {
		return nil, access.SignatureWrong, nil
	}
	if _, err := s.cfg.Nonces.Check(auth.ForDesk, proof.Nonce); err != nil {
		return nil, access.ChallengeOver, nil //nolint:nilerr // it is the answer
	}
	return &desk, "", nil
}
