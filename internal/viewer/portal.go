package viewer

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"

	"jiseki/internal/cert"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/gen/jiseki/control/v1/controlv1connect"
	"jiseki/internal/grant"
	"jiseki/internal/link"
	"jiseki/internal/seal"
)

// PortalConfig says which gateway a device talks to. Proxy may be empty.
type PortalConfig struct {
	Gateway string      // https URL
	TLS     *tls.Config // trusts the gateway
	Proxy   string      // see link.DialConfig
}

// A Portal is the gateway as a device sees it: who is signed in, and with which device. It is for one goroutine.
type Portal struct {
	client *http.Client
	auth   controlv1connect.AuthServiceClient
	desks  controlv1connect.DeskServiceClient

	user   string
	device Device
}

// A Device is what a device keeps after it was enrolled.
type Device struct {
	ID       string
	Identity cert.PrivateKey
	Bundle   *cert.Bundle // what the gateway vouches for; set by Enrol, else by Authorize
}

// A RefusedError is the gateway's "no" with its reasons in both languages.
type RefusedError struct{ Refusal *controlv1.Refusal }

func (e *RefusedError) Error() string {
	var lines []string
	for _, r := range e.Refusal.GetReasons() {
		lines = append(lines, fmt.Sprintf("%s (%s) [%s]", r.GetJa(), r.GetEn(), r.GetCode()))
	}
	return "the gateway says no: " + strings.Join(lines, "; ")
}

// Code is that of the most important reason.
func (e *RefusedError) Code() string {
	if reasons := e.Refusal.GetReasons(); len(reasons) > 0 {
		return reasons[0].GetCode()
	}
	return ""
}

// NewPortal returns a portal nobody is signed in to. The caller closes it.
func NewPortal(cfg PortalConfig) (*Portal, error) {
	base, err := url.Parse(cfg.Gateway)
	if err != nil || base.Scheme != "https" || base.Host == "" {
		return nil, fmt.Errorf("%q is not the https address of a gateway", cfg.Gateway)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, fmt.Errorf("keep cookies: %w", err)
	}
	client := link.NewClient(link.ClientConfig{TLS: cfg.TLS, Proxy: cfg.Proxy})
	client.Jar = jar
	api := "https://" + base.Host + "/api"
	return &Portal{
		client: client,
		auth:   controlv1connect.NewAuthServiceClient(client, api), desks: controlv1connect.NewDeskServiceClient(client, api),
	}, nil
}

// Close gives idle connections back.
func (p *Portal) Close() { p.client.CloseIdleConnections() }

// Use makes the portal speak for a device that was enrolled before.
func (p *Portal) Use(d Device) { p.device = d }

// Device is the device that the portal speaks for.
func (p *Portal) Device() Device { return p.device }

// SignIn proves who the user is, and on which device if there is one. A refusal is a *RefusedError.
func (p *Portal) SignIn(ctx context.Context, user, password string) (*controlv1.Me, error) {
	request := &controlv1.SignInRequest{UserId: user, Password: password}
	if p.device.Identity != nil {
		proof, err := p.proof(ctx, user)
		if err != nil {
			return nil, err
		}
		request.Device = proof
	}
	answer, err := p.auth.SignIn(ctx, request)
	if err != nil {
		return nil, fmt.Errorf("sign in: %w", err)
	}
	if answer.GetMe() == nil {
		return nil, &RefusedError{answer.GetRefusal()}
	}
	p.user = user
	return answer.GetMe(), nil
}

// proof signs a sign-in with the device's key.
func (p *Portal) proof(ctx context.Context, user string) (*controlv1.DeviceProof, error) {
	nonce, err := p.nonce(ctx)
	if err != nil {
		return nil, err
	}
	signature, err := cert.SignIn{Nonce: nonce, User: user, Device: p.device.ID}.Sign(p.device.Identity)
	if err != nil {
		return nil, fmt.Errorf("sign the sign-in: %w", err)
	}
	return &controlv1.DeviceProof{DeviceId: p.device.ID, Nonce: nonce[:], Signature: signature[:]}, nil
}

func (p *Portal) nonce(ctx context.Context) (cert.Nonce, error) {
	answer, err := p.auth.GetChallenge(ctx, &controlv1.GetChallengeRequest{})
	if err != nil {
		return cert.Nonce{}, fmt.Errorf("reach the gateway: %w", err)
	}
	if len(answer.GetNonce()) != len(cert.Nonce{}) {
		return cert.Nonce{}, errors.New("the gateway's challenge is malformed")
	}
	return cert.Nonce(answer.GetNonce()), nil
}

// ChangePassword changes the password of who is signed in. A refusal, a *RefusedError, names every rule that is broken.
func (p *Portal) ChangePassword(ctx context.Context, before, after string) error {
	answer, err := p.auth.ChangePassword(ctx, &controlv1.ChangePasswordRequest{OldPassword: before, NewPassword: after})
	if err != nil {
		return fmt.Errorf("change the password: %w", err)
	}
	if refusal := answer.GetRefusal(); refusal != nil {
		return &RefusedError{refusal}
	}
	return nil
}

// Enrol has the device's key certified for who is signed in, by a one-time code. The portal speaks for the device from
// then on.
func (p *Portal) Enrol(ctx context.Context, identity cert.PrivateKey, code, label string) (Device, error) {
	nonce, err := p.nonce(ctx)
	if err != nil {
		return Device{}, err
	}
	key := identity.Public()
	signature, err := cert.Enrol{Nonce: nonce, Key: key}.Sign(identity)
	if err != nil {
		return Device{}, fmt.Errorf("sign the enrolment: %w", err)
	}
	answer, err := p.auth.EnrolDevice(ctx, &controlv1.EnrolDeviceRequest{
		OneTimeCode: code, Nonce: nonce[:], PublicKey: key[:], Signature: signature[:], Label: label,
		Grade: controlv1.KeyGrade(identity.Grade()), PersistentStorage: true,
	})
	if err != nil {
		return Device{}, fmt.Errorf("enrol the device: %w", err)
	}
	if refusal := answer.GetRefusal(); refusal != nil {
		return Device{}, &RefusedError{refusal}
	}
	bundle, err := cert.ParseBundle(answer.GetEnrolled().GetTrustBundle())
	if err != nil {
		return Device{}, fmt.Errorf("the gateway's trust bundle: %w", err)
	}
	if answer.GetEnrolled().GetDeviceId() == "" {
		return Device{}, errors.New("the gateway enrolled a device without a name")
	}
	p.device = Device{ID: answer.GetEnrolled().GetDeviceId(), Identity: identity, Bundle: bundle}
	return p.device, nil
}

// Desks are those of who is signed in.
func (p *Portal) Desks(ctx context.Context) ([]*controlv1.MyDesk, error) {
	answer, err := p.desks.ListDesks(ctx, &controlv1.ListDesksRequest{})
	if err != nil {
		return nil, fmt.Errorf("list desks: %w", err)
	}
	return answer.GetDesks(), nil
}

// Authorize gets the right to open one session on a desk: the device signs what the gateway prepared, with a fresh key
// for the session. continues names a session that was lost, nil if there is none. A refusal is a *RefusedError.
func (p *Portal) Authorize(ctx context.Context, desk string, continues *cert.SessionID) (*Opening, error) {
	prepared, err := p.prepare(ctx, desk)
	if err != nil {
		return nil, err
	}
	key, err := seal.NewStaticKey()
	if err != nil {
		return nil, fmt.Errorf("make a key for the session: %w", err)
	}
	o := &Opening{Desk: desk, Key: key, DeskCAs: p.device.Bundle.DeskCAs}
	o.Session = cert.SessionID(prepared.GetSessionId())
	signed := cert.Request{
		Nonce: cert.Nonce(prepared.GetNonce()), Session: o.Session, User: p.user, Desk: desk, NoiseKey: key.Public(),
	}
	signature, err := signed.Sign(p.device.Identity)
	if err != nil {
		return nil, fmt.Errorf("sign the request: %w", err)
	}
	noise := key.Public()
	request := &controlv1.OpenSessionRequest{
		SessionId: o.Session[:], NoiseKey: noise[:], Signature: signature[:], ViewerKind: controlv1.ViewerKind_VIEWER_KIND_HEADLESS,
	}
	if continues != nil {
		request.ReconnectOf = continues[:]
	}
	answer, err := p.desks.OpenSession(ctx, request)
	if err != nil {
		return nil, fmt.Errorf("open the session: %w", err)
	}
	if refusal := answer.GetRefusal(); refusal != nil {
		return nil, &RefusedError{refusal}
	}
	return o, o.fill(answer.GetOpened())
}

// prepare begins a session and takes over what the gateway vouches for now.
func (p *Portal) prepare(ctx context.Context, desk string) (*controlv1.Prepared, error) {
	if p.device.Identity == nil {
		return nil, errors.New("a desk is opened from an enrolled device only")
	}
	answer, err := p.desks.PrepareSession(ctx, &controlv1.PrepareSessionRequest{DeskId: desk})
	if err != nil {
		return nil, fmt.Errorf("prepare the session: %w", err)
	}
	if refusal := answer.GetRefusal(); refusal != nil {
		return nil, &RefusedError{refusal}
	}
	prepared := answer.GetPrepared()
	if len(prepared.GetSessionId()) != len(cert.SessionID{}) || len(prepared.GetNonce()) != len(cert.Nonce{}) {
		return nil, errors.New("the gateway's answer is malformed")
	}
	bundle, err := cert.ParseBundle(prepared.GetTrustBundle())
	if err != nil {
		return nil, fmt.Errorf("the gateway's trust bundle: %w", err)
	}
	if p.device.Bundle == nil || bundle.Version > p.device.Bundle.Version {
		p.device.Bundle = bundle
	}
	return prepared, nil
}

// fill reads the gateway's answer. What it claims is verified by the handshake.
func (o *Opening) fill(m *controlv1.Opened) (err error) {
	if o.Grant, err = grant.Parse(m.GetGrant()); err != nil {
		return fmt.Errorf("the grant: %w", err)
	}
	if len(m.GetTicket()) != len(o.Ticket) {
		return errors.New("the gateway's ticket is malformed")
	}
	o.Ticket = link.Ticket(m.GetTicket())
	if o.Certificate, err = cert.ParseCertificate(m.GetDeskCertificate()); err != nil {
		return fmt.Errorf("the desk's certificate: %w", err)
	}
	if o.Statement, err = cert.ParseDeskStatement(m.GetDeskStatement()); err != nil {
		return fmt.Errorf("the desk's statement: %w", err)
	}
	o.RelayURL = m.GetRelayUrl()
	return nil
}

// EndSession has the gateway end one of the user's sessions.
func (p *Portal) EndSession(ctx context.Context, id cert.SessionID) error {
	if _, err := p.desks.EndSession(ctx, &controlv1.EndSessionRequest{SessionId: id[:]}); err != nil {
		return fmt.Errorf("end the session: %w", err)
	}
	return nil
}
