package api

import (
	"context"
	"errors"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/auth"
	"jiseki/internal/ca"
	"jiseki/internal/cert"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/store"
)

// authService signs users in and enrols devices.
type authService struct{ *Server }

func (s *authService) GetChallenge(context.Context, *controlv1.GetChallengeRequest) (*controlv1.GetChallengeResponse, error) {
	nonce := s.cfg.Nonces.New(auth.ForDevice)
	return &controlv1.GetChallengeResponse{Nonce: nonce[:], ServerTimeMs: s.cfg.Now().UnixMilli()}, nil
}

func (s *authService) SignIn(ctx context.Context, r *controlv1.SignInRequest) (*controlv1.SignInResponse, error) {
	attempt := auth.Attempt{
		User: r.GetUserId(), Password: r.GetPassword(), TOTP: r.GetTotp(), Address: requestOf(ctx).remote, Former: formerToken(ctx),
	}
	if len(attempt.User) > maxTyped || len(attempt.Password) > maxTyped || len(attempt.TOTP) > maxTyped {
		return nil, invalid(errors.New("a field is too long"))
	}
	if r.GetDevice() != nil {
		proof, err := deviceProof(r.GetDevice())
		if err != nil {
			return nil, err
		}
		attempt.Device = &proof
	}
	token, id, err := s.cfg.Auth.SignIn(ctx, attempt)
	if refusal, ok := expectedNo(err); ok {
		var no *auth.Refusal
		needed := errors.As(err, &no) && no.TOTPNeeded
		return &controlv1.SignInResponse{TotpNeeded: needed, Outcome: &controlv1.SignInResponse_Refusal{Refusal: refusal}}, nil
	}
	if err != nil {
		return nil, err
	}
	setCookie(ctx, token, time.UnixMilli(id.SignIn.UntilMS).Sub(s.cfg.Now()))
	me, err := s.me(ctx, id)
	if err != nil {
		return nil, err
	}
	return &controlv1.SignInResponse{Outcome: &controlv1.SignInResponse_Me{Me: me}}, nil
}

// maxTyped bounds what a person may have typed, in bytes.
const maxTyped = 1024

func deviceProof(p *controlv1.DeviceProof) (auth.DeviceProof, error) {
	if len(p.GetNonce()) != len(cert.Nonce{}) || len(p.GetSignature()) != len(cert.Signature{}) || checkID(p.GetDeviceId()) != nil {
		return auth.DeviceProof{}, invalid(errors.New("device proof has a wrong length"))
	}
	return auth.DeviceProof{
		Device: p.GetDeviceId(), Nonce: cert.Nonce(p.GetNonce()), Signature: cert.Signature(p.GetSignature()),
	}, nil
}

func (s *authService) SignOut(ctx context.Context, _ *controlv1.SignOutRequest) (*controlv1.SignOutResponse, error) {
	setCookie(ctx, "", 0)
	return &controlv1.SignOutResponse{}, s.cfg.Auth.SignOut(ctx, callerOf(ctx).identity)
}

func (s *authService) GetMe(ctx context.Context, _ *controlv1.GetMeRequest) (*controlv1.GetMeResponse, error) {
	me, err := s.me(ctx, callerOf(ctx).identity)
	if err != nil {
		return nil, err
	}
	return &controlv1.GetMeResponse{Me: me}, nil
}

// me is what a user may know of himself.
func (s *Server) me(ctx context.Context, id *auth.Identity) (*controlv1.Me, error) {
	now := s.cfg.Now()
	me := &controlv1.Me{
		UserId: id.User.ID, Name: id.User.Name, MustChangePassword: id.User.MustChange, HasTotp: id.User.TOTPSealed != nil,
		Place: controlv1.Place(id.Place), SignInUntilMs: id.SignIn.UntilMS, ServerTimeMs: now.UnixMilli(), OrganisationName: id.Name,
		TotpNeeded: id.LacksSecond() != "",
		May:        mayList(id.May(now, requestOf(ctx).door == Office)), Roles: roleList(id.User.Roles),
	}
	if d := id.Device; d != nil {
		me.Device = &controlv1.MyDevice{
			DeviceId: d.ID, Label: d.Label, Kind: controlv1.DeviceKind(d.Kind), Grade: controlv1.KeyGrade(d.Grade),
			CertificateUntilMs: d.UntilMS, Revoked: d.RevokedMS != 0, Renew: ca.Renew(time.UnixMilli(d.UntilMS), now),
		}
	}
	posts, err := s.posts(ctx, &id.User)
	me.Posts = posts
	return me, err
}

func (s *Server) posts(ctx context.Context, u *store.User) ([]*controlv1.Post, error) {
	if u.MainSection == "" && len(u.OtherSections) == 0 {
		return nil, nil
	}
	names, err := s.sectionNames(ctx)
	if err != nil {
		return nil, err
	}
	var posts []*controlv1.Post
	if u.MainSection != "" {
		posts = append(posts, &controlv1.Post{SectionId: u.MainSection, SectionName: names[u.MainSection], Main: true})
	}
	for _, section := range u.OtherSections {
		posts = append(posts, &controlv1.Post{SectionId: section, SectionName: names[section]})
	}
	return posts, nil
}

func (s *Server) sectionNames(ctx context.Context) (map[string]string, error) {
	sections, err := s.cfg.Store.Sections(ctx)
	if err != nil {
		return nil, err
	}
	names := make(map[string]string, len(sections))
	for _, section := range sections {
		names[section.ID] = section.Name
	}
	return names, nil
}

// mayList is the set as the API lists it: bit n-1 is number n.
func mayList(m access.May) []controlv1.May {
	var list []controlv1.May
	for n := controlv1.May_MAY_CHANGE_PASSWORD; n <= controlv1.May_MAY_SET_UP_TOTP; n++ {
		if m.Has(1 << (n - 1)) {
			list = append(list, n)
		}
	}
	return list
}

func roleList(roles []access.Role) []controlv1.Role {
	list := make([]controlv1.Role, 0, len(roles))
	for _, r := range roles {
		list = append(list, controlv1.Role(r))
	}
	return list
}

func (s *authService) ChangePassword(ctx context.Context, r *controlv1.ChangePasswordRequest) (*controlv1.ChangePasswordResponse, error) {
	if len(r.GetOldPassword()) > maxTyped || len(r.GetNewPassword()) > maxTyped {
		return nil, invalid(errors.New("a field is too long"))
	}
	err := s.cfg.Auth.ChangePassword(ctx, callerOf(ctx).identity, r.GetOldPassword(), r.GetNewPassword())
	if refusal, ok := expectedNo(err); ok {
		return &controlv1.ChangePasswordResponse{Refusal: refusal}, nil
	}
	if err != nil {
		return nil, err
	}
	return &controlv1.ChangePasswordResponse{}, nil
}

func (s *authService) EnrolDevice(ctx context.Context, r *controlv1.EnrolDeviceRequest) (*controlv1.EnrolDeviceResponse, error) {
	if len(r.GetNonce()) != len(cert.Nonce{}) || len(r.GetSignature()) != len(cert.Signature{}) || len(r.GetOneTimeCode()) > maxTyped {
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
	c, err := s.cfg.Auth.EnrolDevice(ctx, callerOf(ctx).identity, auth.Enrolment{
		Code: r.GetOneTimeCode(), Nonce: cert.Nonce(r.GetNonce()), Key: key, Signature: cert.Signature(r.GetSignature()),
		Label: r.GetLabel(), Grade: grade, Persistent: r.GetPersistentStorage(),
	})
	if refusal, ok := expectedNo(err); ok {
		return &controlv1.EnrolDeviceResponse{Outcome: &controlv1.EnrolDeviceResponse_Refusal{Refusal: refusal}}, nil
	}
	if err != nil {
		return nil, err
	}
	return &controlv1.EnrolDeviceResponse{Outcome: &controlv1.EnrolDeviceResponse_Enrolled{Enrolled: s.enrolled(c)}}, nil
}

func (s *Server) enrolled(c *cert.Certificate) *controlv1.Enrolled {
	return &controlv1.Enrolled{DeviceId: c.Subject, Certificate: c.Append(nil), TrustBundle: s.cfg.CA.BundleBytes()}
}

func keyGrade(g controlv1.KeyGrade) (cert.Grade, error) {
	switch g {
	case controlv1.KeyGrade_KEY_GRADE_HARDWARE:
		return cert.GradeHardware, nil
	case controlv1.KeyGrade_KEY_GRADE_NON_EXTRACTABLE:
		return cert.GradeSystem, nil
	case controlv1.KeyGrade_KEY_GRADE_FILE:
		return cert.GradeFile, nil
	}
	return 0, invalid(errors.New("key grade"))
}

func (s *authService) RenewDeviceCertificate(ctx context.Context, r *controlv1.RenewDeviceCertificateRequest) (*controlv1.RenewDeviceCertificateResponse, error) {
	proof, err := deviceProof(r.GetDevice())
	if err != nil {
		return nil, err
	}
	c, err := s.cfg.Auth.RenewDevice(ctx, callerOf(ctx).identity, proof)
	if refusal, ok := expectedNo(err); ok {
		return &controlv1.RenewDeviceCertificateResponse{Outcome: &controlv1.RenewDeviceCertificateResponse_Refusal{Refusal: refusal}}, nil
	}
	if err != nil {
		return nil, err
	}
	return &controlv1.RenewDeviceCertificateResponse{Outcome: &controlv1.RenewDeviceCertificateResponse_Renewed{Renewed: s.enrolled(c)}}, nil
}
