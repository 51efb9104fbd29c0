package agent

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"jiseki/internal/cert"
	"jiseki/internal/durable"
	"jiseki/internal/enrol"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/gen/jiseki/control/v1/controlv1connect"
	"jiseki/internal/link"
)

// Files of a home.
const (
	keyFile     = "identity.key"
	certFile    = "desk.cert"
	bundleFile  = "trust.bundle"
	gatewayFile = "gateway.json"
	headFile    = "audit.head"
)

// ErrNotEnrolled says that a home holds no certificate yet.
var ErrNotEnrolled = errors.New(
	"this desk is not enrolled: run jiseki-agent enroll with the token of the administrator")

// ErrEnrolled says that a home holds a certificate already.
var ErrEnrolled = errors.New("this desk is enrolled already: --again replaces its certificate")

// A Home is the folder in which an agent keeps its identity, readable by its owner only.
type Home struct {
	Dir      string
	Gateway  string // https URL
	Identity cert.PrivateKey
	Self     *cert.Certificate
	Bundle   *cert.Bundle
}

// gatewayInfo is the form of gatewayFile.
type gatewayInfo struct {
	Gateway string `json:"gateway"`
}

// LoadHome reads the identity of an enrolled desk. A folder without one is ErrNotEnrolled.
func LoadHome(dir string) (*Home, error) {
	h := &Home{Dir: dir}
	raw, err := os.ReadFile(filepath.Join(dir, gatewayFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotEnrolled
	}
	if err != nil {
		return nil, fmt.Errorf("read the desk's enrolment: %w", err)
	}
	var info gatewayInfo
	if err := json.Unmarshal(raw, &info); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", gatewayFile, err)
	}
	h.Gateway = info.Gateway
	if h.Identity, err = cert.LoadKey(filepath.Join(dir, keyFile)); err != nil {
		return nil, fmt.Errorf("read the desk's key: %w", err)
	}
	if raw, err = os.ReadFile(filepath.Join(dir, certFile)); err != nil {
		return nil, fmt.Errorf("read the desk's certificate: %w", err)
	}
	if h.Self, err = cert.ParseCertificate(raw); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", certFile, err)
	}
	if raw, err = os.ReadFile(filepath.Join(dir, bundleFile)); err != nil {
		return nil, fmt.Errorf("read the trust bundle: %w", err)
	}
	if h.Bundle, err = cert.ParseBundle(raw); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", bundleFile, err)
	}
	return h, nil
}

// SaveBundle replaces the trust bundle.
func (h *Home) SaveBundle(raw []byte) error {
	return durable.Replace(filepath.Join(h.Dir, bundleFile), raw, ownOnly)
}

// SaveCertificate replaces the desk's certificate.
func (h *Home) SaveCertificate(raw []byte) error {
	return durable.Replace(filepath.Join(h.Dir, certFile), raw, ownOnly)
}

// SaveHead keeps a copy of the audit log's signed head.
func (h *Home) SaveHead(raw []byte) error {
	return durable.Replace(filepath.Join(h.Dir, headFile), raw, ownOnly)
}

// EnrollConfig says where a desk is enrolled. Proxy may be empty.
type EnrollConfig struct {
	Dir      string // becomes the home; made if it is not there
	Gateway  string // https URL
	Token    enrol.Token
	Proxy    string // see link.DialConfig
	Version  string
	Hostname string
	System   string
	// Again replaces the certificate of a desk that is enrolled. One whose certificate has expired is enrolled again
	// anyway.
	Again bool
	Now   func() time.Time
}

// A RefusedError is the gateway's answer to an enrolment, in both languages.
type RefusedError struct{ Refusal *controlv1.Refusal }

func (e *RefusedError) Error() string {
	var lines []string
	for _, r := range e.Refusal.GetReasons() {
		lines = append(lines, fmt.Sprintf("%s (%s) [%s] %s", r.GetJa(), r.GetEn(), r.GetCode(), r.GetHelpJa()))
	}
	return strings.Join(lines, "; ")
}

// Enroll redeems a token: it makes the desk's identity key, has it certified by the gateway that the token names, and
// keeps both. Nothing is trusted that the token does not vouch for. It returns the desk's name at the gateway. A desk
// that is enrolled already keeps its key and gets a new certificate if that is asked for or the old one has expired;
// else it is ErrEnrolled. While an agent runs it is ErrRunning, and the token is not spent.
func Enroll(ctx context.Context, cfg EnrollConfig) (name string, err error) {
	release, err := Hold(cfg.Dir)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, release()) }()
	home, err := LoadHome(cfg.Dir)
	if !errors.Is(err, ErrNotEnrolled) && !cfg.Again && (err != nil || cfg.Now().Before(home.Self.NotAfter)) {
		return "", errors.Join(ErrEnrolled, err)
	}
	identity, err := cert.LoadOrCreateKey(filepath.Join(cfg.Dir, keyFile))
	if err != nil {
		return "", fmt.Errorf("make the desk's key: %w", err)
	}
	client, err := agentService(cfg.Gateway, cfg.Proxy, cfg.Token.TLS)
	if err != nil {
		return "", err
	}
	enrolled, err := redeem(ctx, client, identity, cfg)
	if err != nil {
		return "", err
	}
	return enrolled.GetDeskName(), settle(cfg, enrolled)
}

// redeem proves the key and the token to the gateway.
func redeem(
	ctx context.Context, client controlv1connect.AgentServiceClient, identity cert.PrivateKey, cfg EnrollConfig,
) (*controlv1.DeskEnrolled, error) {
	challenge, err := client.GetAgentChallenge(ctx, &controlv1.GetAgentChallengeRequest{})
	if err != nil {
		return nil, fmt.Errorf("reach the gateway: %w", err)
	}
	if len(challenge.GetNonce()) != len(cert.Nonce{}) {
		return nil, errors.New("the gateway's challenge is malformed")
	}
	key := identity.Public()
	signature, err := cert.Enrol{Nonce: cert.Nonce(challenge.GetNonce()), Key: key}.Sign(identity)
	if err != nil {
		return nil, fmt.Errorf("sign the enrolment: %w", err)
	}
	answer, err := client.EnrolDesk(ctx, &controlv1.EnrolDeskRequest{
		Secret: cfg.Token.Secret[:], Nonce: challenge.GetNonce(), PublicKey: key[:], Signature: signature[:],
		Grade: controlv1.KeyGrade(identity.Grade()), Hostname: cfg.Hostname, AgentVersion: cfg.Version, System: cfg.System,
	})
	if err != nil {
		return nil, fmt.Errorf("enrol the desk: %w", err)
	}
	if refusal := answer.GetRefusal(); refusal != nil {
		return nil, &RefusedError{refusal}
	}
	return answer.GetEnrolled(), nil
}

// settle checks and keeps what the gateway answered. The file that makes the home complete is written last.
func settle(cfg EnrollConfig, enrolled *controlv1.DeskEnrolled) error {
	bundle, err := cert.ParseBundle(enrolled.GetTrustBundle())
	if err != nil {
		return fmt.Errorf("the gateway's trust bundle: %w", err)
	}
	if cfg.Token.Fingerprint != [32]byte{} && !slices.Contains(bundle.Fingerprints(), cfg.Token.Fingerprint) {
		return enrol.ErrGateway
	}
	self, err := cert.ParseCertificate(enrolled.GetCertificate())
	if err != nil {
		return fmt.Errorf("the desk's certificate: %w", err)
	}
	if err := self.Verify(cert.KindDesk, bundle.DeskCAs, cfg.Now(), cert.Skew); err != nil {
		return fmt.Errorf("the desk's certificate: %w", err)
	}
	home := &Home{Dir: cfg.Dir}
	if err := forgetRegister(cfg.Dir); err != nil { // the token vouches for the gateway anew
		return err
	}
	if err := home.SaveCertificate(enrolled.GetCertificate()); err != nil {
		return fmt.Errorf("keep the certificate: %w", err)
	}
	if err := home.SaveBundle(enrolled.GetTrustBundle()); err != nil {
		return fmt.Errorf("keep the trust bundle: %w", err)
	}
	if err := replaceJSON(filepath.Join(cfg.Dir, gatewayFile), gatewayInfo{Gateway: cfg.Gateway}); err != nil {
		return fmt.Errorf("keep the enrolment: %w", err)
	}
	return nil
}

// agentService is the gateway's service for agents, over TLS that trusts what config says of the gateway's host.
func agentService(
	gateway, proxy string, config func(host string) *tls.Config,
) (controlv1connect.AgentServiceClient, error) {
	base, err := url.Parse(gateway)
	if err != nil || base.Scheme != "https" || base.Host == "" {
		return nil, fmt.Errorf("%q is not the https address of a gateway", gateway)
	}
	client := link.NewClient(link.ClientConfig{TLS: config(base.Hostname()), Proxy: proxy, Single: true})
	return controlv1connect.NewAgentServiceClient(client, gateway+"/api"), nil
}
