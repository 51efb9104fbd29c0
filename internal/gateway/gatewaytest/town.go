// Package gatewaytest starts whole gateways for tests: real TLS, real database,
// real keys, in a folder of the test and on ports that the system picks. Users,
// devices and desks come in through the real API.
package gatewaytest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/auth"
	"jiseki/internal/cert"
	"jiseki/internal/gateway"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/gen/jiseki/control/v1/controlv1connect"
	"jiseki/internal/grant"
	"jiseki/internal/link"
	"jiseki/internal/quiet"
)

// An Option changes the gateway that Start makes.
type Option func(*settings)

type settings struct {
	config   func(*gateway.Config)
	settings func(*access.Settings)
	database string
	env      gateway.Environment
}

// WithConfig changes the configuration.
func WithConfig(f func(*gateway.Config)) Option { return func(s *settings) { s.config = f } }

// WithSettings changes the organisation's settings before the start.
func WithSettings(f func(*access.Settings)) Option { return func(s *settings) { s.settings = f } }

// WithLog sends the gateway's log somewhere.
func WithLog(log *slog.Logger) Option { return func(s *settings) { s.env.Log = log } }

// WithWholeLog is WithLog without the sampling of lines that strangers cause, for tests that look for what must not be
// there.
func WithWholeLog(log *slog.Logger) Option {
	var minutes atomic.Int64
	later := func() time.Time { return time.Unix(60*minutes.Add(1), 0) } // each line is the first of its minute
	return WithLog(slog.New(quiet.New(log.Handler(), later)))
}

// WithNow gives the gateway a clock.
func WithNow(now func() time.Time) Option { return func(s *settings) { s.env.Now = now } }

// WithReady is called with the listeners of each start.
func WithReady(f func(gateway.Listening)) Option { return func(s *settings) { s.env.Ready = f } }

// WithDatabase keeps everything in a PostgreSQL instead of a file, by its URL.
func WithDatabase(url string) Option { return func(s *settings) { s.database = url } }

// A Town is a running gateway.
type Town struct {
	Config gateway.Config
	Host   string // localhost:port of the public listener
	Roots  *x509.CertPool
	Admin  controlv1connect.AdminServiceClient // through the administrative socket
	// AdminSlip is the first administrator's.
	AdminSlip *controlv1.Slip

	env  gateway.Environment
	stop context.CancelFunc
	done chan error
}

// Start founds an organisation and runs its gateway until the test ends.
func Start(t testing.TB, options ...Option) *Town {
	t.Helper()
	town, s := prepare(t, options)
	slip, err := gateway.Init(t.Context(), town.Config, town.env, gateway.Founding{
		Organisation: "みどり町", Address: "https://localhost", AdminID: "admin", AdminName: "管理 花子", Settings: s.settings,
	})
	if err != nil {
		t.Fatalf("found the town: %v", err)
	}
	town.AdminSlip = slip
	town.Run(t)
	town.ChangeSettings(t, func(s *controlv1.Settings) { s.Address = "https://" + town.Host })
	t.Cleanup(func() { town.Stop(t) })
	return town
}

// Join makes one more gateway of the same organisation, with a copy of its keys, which Run starts. The options must
// name the same database and the same bus.
func (town *Town) Join(t testing.TB, options ...Option) *Town {
	t.Helper()
	other, _ := prepare(t, options)
	if err := os.CopyFS(filepath.Join(other.Config.DataDir, "keys"), os.DirFS(filepath.Join(town.Config.DataDir, "keys"))); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(other.Config.DataDir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return errors.Join(err, os.Chmod(path, 0o600))
		}
		return os.Chmod(path, 0o700) //nolint:gosec // a folder
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Stop(t) })
	return other
}

// prepare makes the configuration of a gateway.
func prepare(t testing.TB, options []Option) (*Town, settings) {
	t.Helper()
	var s settings
	for _, o := range options {
		o(&s)
	}
	// Passwords are hashed in tests only as well as needed to test that they are.
	s.env.Cost = auth.Cost{MemoryKB: 64, Passes: 1, Threads: 1}
	town := &Town{Config: gateway.Default(), env: s.env}
	dir := t.TempDir()
	town.Config.DataDir = filepath.Join(dir, "data") // its parent is the test's own, so the path is not taken
	town.Config.Public.Address = "127.0.0.1:0"
	town.Config.TLS.Names = []string{"127.0.0.1", "localhost"}
	if s.database != "" {
		town.Config.Database.URLFile = filepath.Join(dir, "database.url")
		if err := os.WriteFile(town.Config.Database.URLFile, []byte(s.database+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if s.config != nil {
		s.config(&town.Config)
	}
	return town, s
}

// Run starts the gateway: again after Stop, on the same port.
func (town *Town) Run(t testing.TB) {
	t.Helper()
	ready := make(chan gateway.Listening, 1)
	env := town.env
	env.Ready = func(l gateway.Listening) { ready <- l }
	g, err := gateway.New(town.Config, env)
	if err != nil {
		t.Fatal(err)
	}
	var ctx context.Context
	ctx, town.stop = context.WithCancel(context.Background())
	town.done = make(chan error, 1)
	go func() { town.done <- g.Run(ctx) }()
	select {
	case l := <-ready:
		if town.env.Ready != nil {
			town.env.Ready(l)
		}
		town.arrive(t, l.Public)
	case err := <-town.done:
		t.Fatalf("the gateway did not start: %v", err)
	}
}

func (town *Town) arrive(t testing.TB, public net.Addr) {
	t.Helper()
	town.Config.Public.Address = public.String()
	_, port, err := net.SplitHostPort(public.String())
	if err != nil {
		t.Fatal(err)
	}
	town.Host = net.JoinHostPort("localhost", port)
	root, err := os.ReadFile(filepath.Join(town.Config.DataDir, "keys", "tls-ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	town.Roots = x509.NewCertPool()
	town.Roots.AppendCertsFromPEM(root)
	admin, done, err := gateway.OpenAdmin(t.Context(), town.Config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = done() })
	town.Admin = admin
}

// Stop ends the gateway in good order and fails the test if it does not.
func (town *Town) Stop(t testing.TB) {
	t.Helper()
	if town.stop == nil {
		return
	}
	town.stop()
	town.stop = nil
	if err := <-town.done; err != nil {
		t.Errorf("the gateway did not stop in good order: %v", err)
	}
}

// ChangeSettings changes the organisation's settings.
func (town *Town) ChangeSettings(t testing.TB, change func(*controlv1.Settings)) {
	t.Helper()
	now, err := town.Admin.GetSettings(context.Background(), &controlv1.GetSettingsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	change(now.GetSettings())
	_, err = town.Admin.UpdateSettings(context.Background(), &controlv1.UpdateSettingsRequest{
		Settings: now.GetSettings(), Revision: now.GetRevision(),
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TLS trusts the gateway.
func (town *Town) TLS() *tls.Config {
	return &tls.Config{RootCAs: town.Roots, MinVersion: tls.VersionTLS13, Time: town.now}
}

// A Browser is somebody's browser: it keeps cookies, and a device key if it has
// one.
type Browser struct {
	Client *http.Client
	Auth   controlv1connect.AuthServiceClient
	Desks  controlv1connect.DeskServiceClient
	Admin  controlv1connect.AdminServiceClient
	User   string
	Device string
	Key    *cert.SignerKey // nil without a device
	Bundle *cert.Bundle

	town *Town
}

// NewBrowser opens a browser that nobody has used.
func (town *Town) NewBrowser(t testing.TB) *Browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: town.TLS(), ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	b := &Browser{Client: &http.Client{Jar: jar, Transport: transport}, town: town}
	base := "https://" + town.Host
	b.Auth = controlv1connect.NewAuthServiceClient(b.Client, base)
	b.Desks = controlv1connect.NewDeskServiceClient(b.Client, base)
	b.Admin = controlv1connect.NewAdminServiceClient(b.Client, base)
	return b
}

// NewUser creates a user and returns the slip.
func (town *Town) NewUser(t testing.TB, id, name string, roles ...controlv1.Role) *controlv1.Slip {
	t.Helper()
	r, err := town.Admin.CreateUsers(context.Background(), &controlv1.CreateUsersRequest{Users: []*controlv1.NewUser{{
		UserId: id, Name: name, Roles: append(roles, controlv1.Role_ROLE_STAFF), DeviceKind: controlv1.DeviceKind_DEVICE_KIND_LENT,
		InventoryNumber: "備品-" + id,
	}}})
	if err != nil {
		t.Fatalf("create user %s: %v", id, err)
	}
	return r.GetSlips()[0]
}

// Password is what users of Staff change their first password to.
const Password = "Kumquat-7-lantern-drift"

// Staff is a new user who has changed the first password and enrolled a device,
// and is signed in on it.
func (town *Town) Staff(t testing.TB, id, name string) *Browser {
	t.Helper()
	slip := town.NewUser(t, id, name)
	b := town.NewBrowser(t)
	b.SignIn(t, id, slip.GetInitialPassword())
	b.ChangePassword(t, slip.GetInitialPassword(), Password)
	b.Enrol(t, slip.GetDeviceCode())
	return b
}

// SignIn signs in, with the device's key if there is one, and fails the test if
// the answer is no.
func (b *Browser) SignIn(t testing.TB, user, password string) *controlv1.Me {
	t.Helper()
	r, err := b.TrySignIn(t, user, password)
	if err != nil {
		t.Fatalf("sign in: %v", err)
	}
	if r.GetMe() == nil {
		t.Fatalf("sign in as %s was refused: %v", user, r.GetRefusal())
	}
	b.User = user
	return r.GetMe()
}

// TrySignIn signs in, with the device's key if there is one.
func (b *Browser) TrySignIn(t testing.TB, user, password string) (*controlv1.SignInResponse, error) {
	t.Helper()
	request := &controlv1.SignInRequest{UserId: user, Password: password}
	if b.Key != nil {
		request.Device = b.Proof(t, user)
	}
	return b.Auth.SignIn(context.Background(), request)
}

// Nonce asks for a challenge.
func (b *Browser) Nonce(t testing.TB) cert.Nonce {
	t.Helper()
	r, err := b.Auth.GetChallenge(context.Background(), &controlv1.GetChallengeRequest{})
	if err != nil {
		t.Fatalf("challenge: %v", err)
	}
	return cert.Nonce(r.GetNonce())
}

// Proof signs a sign-in with the device's key.
func (b *Browser) Proof(t testing.TB, user string) *controlv1.DeviceProof {
	t.Helper()
	nonce := b.Nonce(t)
	signature, err := cert.SignIn{Nonce: nonce, User: user, Device: b.Device}.Sign(b.Key)
	if err != nil {
		t.Fatal(err)
	}
	return &controlv1.DeviceProof{DeviceId: b.Device, Nonce: nonce[:], Signature: signature[:]}
}

// ChangePassword changes the password of who is signed in.
func (b *Browser) ChangePassword(t testing.TB, before, after string) {
	t.Helper()
	r, err := b.Auth.ChangePassword(context.Background(), &controlv1.ChangePasswordRequest{OldPassword: before, NewPassword: after})
	if err != nil || r.GetRefusal() != nil {
		t.Fatalf("change password: %v, %v", err, r.GetRefusal())
	}
}

// Enrol makes an identity key and enrols the browser with a one-time code.
func (b *Browser) Enrol(t testing.TB, code string) {
	t.Helper()
	key, err := cert.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	nonce, public := b.Nonce(t), key.Public()
	signature, err := cert.Enrol{Nonce: nonce, Key: public}.Sign(key)
	if err != nil {
		t.Fatal(err)
	}
	r, err := b.Auth.EnrolDevice(context.Background(), &controlv1.EnrolDeviceRequest{
		OneTimeCode: code, Nonce: nonce[:], PublicKey: public[:], Signature: signature[:], Label: "貸与ノート",
		Grade: controlv1.KeyGrade_KEY_GRADE_NON_EXTRACTABLE, PersistentStorage: true,
	})
	if err != nil || r.GetEnrolled() == nil {
		t.Fatalf("enrol device: %v, %v", err, r.GetRefusal())
	}
	bundle, err := cert.ParseBundle(r.GetEnrolled().GetTrustBundle())
	if err != nil {
		t.Fatal(err)
	}
	b.Key, b.Device, b.Bundle = key, r.GetEnrolled().GetDeviceId(), bundle
}

// Prepare begins a session.
func (b *Browser) Prepare(t testing.TB, desk string) *controlv1.PrepareSessionResponse {
	t.Helper()
	r, err := b.Desks.PrepareSession(context.Background(), &controlv1.PrepareSessionRequest{DeskId: desk})
	if err != nil {
		t.Fatalf("prepare session: %v", err)
	}
	return r
}

// Open signs and opens a prepared session with a viewer's X25519 key.
func (b *Browser) Open(t testing.TB, desk string, p *controlv1.Prepared, noise cert.NoiseKey) (*controlv1.OpenSessionResponse, error) {
	t.Helper()
	request := cert.Request{
		Nonce: cert.Nonce(p.GetNonce()), Session: cert.SessionID(p.GetSessionId()), User: b.User, Desk: desk, NoiseKey: noise,
	}
	signature, err := request.Sign(b.Key)
	if err != nil {
		t.Fatal(err)
	}
	return b.Desks.OpenSession(context.Background(), &controlv1.OpenSessionRequest{
		SessionId: p.GetSessionId(), NoiseKey: noise[:], Signature: signature[:], ViewerKind: controlv1.ViewerKind_VIEWER_KIND_HEADLESS,
	})
}

// Connect prepares and opens a session and fails the test if the answer is no.
func (b *Browser) Connect(t testing.TB, desk string, noise cert.NoiseKey) (*controlv1.Opened, *grant.Grant) {
	t.Helper()
	p := b.Prepare(t, desk)
	if p.GetPrepared() == nil {
		t.Fatalf("prepare session: %v", p.GetRefusal())
	}
	r, err := b.Open(t, desk, p.GetPrepared(), noise)
	if err != nil {
		t.Fatalf("open session: %v", err)
	}
	if r.GetOpened() == nil {
		t.Fatalf("open session: %v", r.GetRefusal())
	}
	g, err := grant.Parse(r.GetOpened().GetGrant())
	if err != nil {
		t.Fatal(err)
	}
	return r.GetOpened(), g
}

// Dial opens one of a session's links on a side.
func (town *Town) Dial(ctx context.Context, side link.Side, channel link.Channel, ticket []byte) (*link.Conn, error) {
	return link.Dial(ctx, link.DialConfig{
		URL: "wss://" + town.Host + "/relay", TLS: town.TLS(), Proxy: link.Direct, Side: side, Channel: channel, Ticket: link.Ticket(ticket),
	})
}

// now is the time on the gateway's clock.
func (town *Town) now() time.Time {
	if town.env.Now != nil {
		return town.env.Now()
	}
	return time.Now()
}
