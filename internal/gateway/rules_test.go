package gateway_test

import (
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"

	"jiseki/internal/gateway"
	"jiseki/internal/gateway/gatewaytest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/gen/jiseki/control/v1/controlv1connect"
)

// clock is a clock that tests put forward.
type clock struct{ ahead atomic.Int64 }

func (c *clock) Now() time.Time             { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) forward(d time.Duration)    { c.ahead.Add(int64(d)) }
func (c *clock) option() gatewaytest.Option { return gatewaytest.WithNow(c.Now) }

func TestIdleSignInEnds(t *testing.T) {
	var now clock
	town := gatewaytest.Start(t, now.option())
	b := town.Staff(t, "tanaka", "田中 太郎")
	for range 3 { // in use it goes on
		now.forward(20 * time.Minute)
		if _, err := b.Auth.GetMe(t.Context(), &controlv1.GetMeRequest{}); err != nil {
			t.Fatalf("a sign-in that is used ended: %v", err)
		}
	}
	now.forward(31 * time.Minute)
	_, err := b.Auth.GetMe(t.Context(), &controlv1.GetMeRequest{})
	if got := codeOf(t, err); got != "not_signed_in" {
		t.Errorf("after 31 minutes: %s", got)
	}
	_, err = b.Auth.GetMe(t.Context(), &controlv1.GetMeRequest{})
	if got := codeOf(t, err); got != "not_signed_in" {
		t.Errorf("an idle sign-in came back: %s", got)
	}
}

func TestSignInEndsAfterItsLongestTime(t *testing.T) {
	var now clock
	town := gatewaytest.Start(t, now.option())
	b := town.Staff(t, "tanaka", "田中 太郎")
	for range 35 {
		now.forward(20 * time.Minute)
		if _, err := b.Auth.GetMe(t.Context(), &controlv1.GetMeRequest{}); err != nil {
			t.Fatal(err)
		}
	}
	now.forward(25 * time.Minute) // 12 h 5 min
	_, err := b.Auth.GetMe(t.Context(), &controlv1.GetMeRequest{})
	if got := codeOf(t, err); got != "not_signed_in" {
		t.Errorf("after twelve hours: %s", got)
	}
}

func TestOldNoncesAreRefused(t *testing.T) {
	var now clock
	town := gatewaytest.Start(t, now.option())
	b := town.Staff(t, "tanaka", "田中 太郎")
	proof := b.Proof(t, "tanaka")
	now.forward(3 * time.Minute)
	r, err := b.Auth.SignIn(t.Context(), &controlv1.SignInRequest{UserId: "tanaka", Password: gatewaytest.Password, Device: proof})
	if err != nil || codes(r.GetRefusal()) != "challenge_over" {
		t.Errorf("a nonce of three minutes ago: %v, %v", r, err)
	}
}

func TestMethodsNeedWhatTheTableSays(t *testing.T) {
	town := gatewaytest.Start(t)
	stranger := town.NewBrowser(t)
	for _, method := range []string{
		"AuthService/GetMe", "AuthService/SignOut", "AuthService/ChangePassword", "AuthService/EnrolDevice",
		"DeskService/ListDesks", "DeskService/PrepareSession", "DeskService/OpenSession", "DeskService/EndSession",
		"AdminService/ListUsers", "AdminService/CreateUsers", "AdminService/UpdateSettings", "AdminService/ListEvents",
	} {
		r := post(t, stranger.Client, "https://"+town.Host+"/jiseki.control.v1."+method, "{}", nil)
		if r.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s without a sign-in: status %d, want 401", method, r.StatusCode)
		}
	}
	r := post(t, stranger.Client, "https://"+town.Host+"/jiseki.control.v1.AgentService/GetAgentChallenge", "{}",
		map[string]string{"User-Agent": "Mozilla/5.0"})
	if r.StatusCode != http.StatusForbidden {
		t.Errorf("a browser asks for an agent's challenge: status %d, want 403", r.StatusCode)
	}
	long := post(t, stranger.Client, "https://"+town.Host+"/jiseki.control.v1.AuthService/SignIn", `{"userId":"`+strings.Repeat("x", 2<<20)+`"}`, nil)
	if long.StatusCode < 400 {
		t.Errorf("a body of two megabytes: status %d", long.StatusCode)
	}
}

func TestOfficeListenerOfItsOwn(t *testing.T) {
	var office string
	town := gatewaytest.Start(t,
		gatewaytest.WithConfig(func(c *gateway.Config) { c.Office = gateway.OfficeConfig{Address: "127.0.0.1:0"} }),
		gatewaytest.WithReady(func(l gateway.Listening) { office = l.Office.String() }))
	town.ChangeSettings(t, func(s *controlv1.Settings) { s.OfficeNetworks = []string{"127.0.0.0/8", "::1/128"} })
	boss := town.NewBrowser(t)
	_, err := boss.Admin.ListUsers(t.Context(), &controlv1.ListUsersRequest{})
	if connect.CodeOf(err) != connect.CodeUnimplemented {
		t.Errorf("the public listener knows the console: %v", err)
	}
	inside := controlv1connect.NewAdminServiceClient(boss.Client, "https://"+office)
	if _, err := inside.ListUsers(t.Context(), &controlv1.ListUsersRequest{}); connect.CodeOf(err) != connect.CodeUnauthenticated {
		t.Errorf("the office listener without a sign-in: %v", err)
	}
	auth := controlv1connect.NewAuthServiceClient(boss.Client, "https://"+office)
	_, err = auth.SignIn(t.Context(), &controlv1.SignInRequest{UserId: "admin", Password: town.AdminSlip.GetInitialPassword()})
	if err != nil {
		t.Fatal(err)
	}
	_, err = auth.ChangePassword(t.Context(), &controlv1.ChangePasswordRequest{
		OldPassword: town.AdminSlip.GetInitialPassword(), NewPassword: gatewaytest.Password,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := inside.ListUsers(t.Context(), &controlv1.ListUsersRequest{}); err != nil {
		t.Errorf("an administrator on the office listener: %v", err)
	}
}

func TestPagesAndSocketAreClosedToOthers(t *testing.T) {
	town := gatewaytest.Start(t)
	b := town.NewBrowser(t)
	r, err := b.Client.Get("https://" + town.Host + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'", "Strict-Transport-Security": "max-age=", "Cache-Control": "no-store",
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
	} {
		if got := r.Header.Get(name); !strings.Contains(got, want) {
			t.Errorf("%s is %q, want %q in it", name, got, want)
		}
	}
	if r.TLS.Version != 0x0304 {
		t.Errorf("TLS version %x, want 1.3", r.TLS.Version)
	}
	st, err := os.Stat(town.Config.AdminSocket())
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("administrative socket: %v, %v, want mode 0600", st.Mode(), err)
	}
}
