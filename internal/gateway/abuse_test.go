package gateway_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"connectrpc.com/connect"

	"jiseki/internal/cert"
	"jiseki/internal/gateway"
	"jiseki/internal/gateway/gatewaytest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/link"
)

// codes are the reasons of a refusal.
func codes(r *controlv1.Refusal) string {
	var all []string
	for _, reason := range r.GetReasons() {
		all = append(all, reason.GetCode())
	}
	return strings.Join(all, ",")
}

// codeOf is the first reason of an error of the API.
func codeOf(t *testing.T, err error) string {
	t.Helper()
	var failed *connect.Error
	if !errors.As(err, &failed) {
		t.Fatalf("got %v, want an error of the API", err)
	}
	for _, d := range failed.Details() {
		if v, err := d.Value(); err == nil {
			return codes(v.(*controlv1.Refusal))
		}
	}
	return failed.Code().String()
}

func TestGuessingIsSlowedAndTheHonestAreTold(t *testing.T) {
	town := gatewaytest.Start(t)
	town.Staff(t, "tanaka", "田中 太郎")
	b := town.NewBrowser(t)
	var last *controlv1.SignInResponse
	for i := range 8 {
		r, err := b.TrySignIn(t, "tanaka", "wrong password")
		if err != nil || r.GetMe() != nil {
			t.Fatalf("guess %d: %v, %v", i, r, err)
		}
		last = r
	}
	r := last.GetRefusal()
	if codes(r) != "slow_down" || r.GetRetryAfterS() < 1 {
		t.Fatalf("after many guesses: %v", r)
	}
	if reason := r.GetReasons()[0]; !strings.Contains(reason.GetHelpJa(), "分") || reason.GetEn() == "" {
		t.Errorf("the honest are not told how long: %v", reason)
	}
	// The right password does not open it either, or guessing would go on.
	if r, err := b.TrySignIn(t, "tanaka", gatewaytest.Password); err != nil || r.GetMe() != nil {
		t.Errorf("signed in while locked: %v, %v", r, err)
	}
	if _, err := town.Admin.UnlockUser(t.Context(), &controlv1.UnlockUserRequest{UserId: "tanaka"}); err != nil {
		t.Fatal(err)
	}
	b.SignIn(t, "tanaka", gatewaytest.Password)
}

func TestUnknownUsersLookLikeKnownOnes(t *testing.T) {
	town := gatewaytest.Start(t)
	town.NewUser(t, "tanaka", "田中 太郎")
	b := town.NewBrowser(t)
	known, err := b.TrySignIn(t, "tanaka", "wrong password")
	if err != nil {
		t.Fatal(err)
	}
	unknown, err := b.TrySignIn(t, "nobody", "wrong password")
	if err != nil {
		t.Fatal(err)
	}
	if codes(known.GetRefusal()) != codes(unknown.GetRefusal()) {
		t.Errorf("known: %v, unknown: %v", known, unknown)
	}
}

func TestCookieFlags(t *testing.T) {
	town := gatewaytest.Start(t)
	slip := town.NewUser(t, "tanaka", "田中 太郎")
	body := `{"userId":"tanaka","password":"` + slip.GetInitialPassword() + `"}`
	r := post(t, town.NewBrowser(t).Client, "https://"+town.Host+"/jiseki.control.v1.AuthService/SignIn", body, nil)
	cookies := r.Header.Values("Set-Cookie")
	if len(cookies) != 1 {
		t.Fatalf("cookies: %v", cookies)
	}
	for _, want := range []string{"__Host-jiseki=", "; Path=/", "; Secure", "; HttpOnly", "; SameSite=Strict"} {
		if !strings.Contains(cookies[0], want) {
			t.Errorf("cookie %q lacks %q", cookies[0], want)
		}
	}
	if strings.Contains(cookies[0], "Domain") {
		t.Errorf("cookie %q names a domain", cookies[0])
	}
	for name, want := range map[string]string{"Cache-Control": "no-store", "Content-Security-Policy": "default-src 'none'"} {
		if got := r.Header.Get(name); !strings.Contains(got, want) {
			t.Errorf("%s is %q, want %q in it", name, got, want)
		}
	}
}

// post sends JSON as the portal does.
func post(t *testing.T, client *http.Client, url, body string, header map[string]string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for name, value := range header {
		r.Header.Set(name, value)
	}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	return answer
}

func TestOtherSitesAreRefused(t *testing.T) {
	town := gatewaytest.Start(t)
	b := town.Staff(t, "tanaka", "田中 太郎")
	base := "https://" + town.Host + "/jiseki.control.v1."
	for name, header := range map[string]map[string]string{
		"fetch metadata": {"Sec-Fetch-Site": "cross-site"},
		"same site":      {"Sec-Fetch-Site": "same-site"},
		"origin":         {"Origin": "https://evil.example"},
		"null origin":    {"Origin": "null"},
	} {
		if r := post(t, b.Client, base+"AuthService/SignOut", "{}", header); r.StatusCode != http.StatusForbidden {
			t.Errorf("%s: status %d, want 403", name, r.StatusCode)
		}
	}
	form := post(t, b.Client, base+"AuthService/SignOut", "{}", map[string]string{"Content-Type": "text/plain"})
	if form.StatusCode != http.StatusUnsupportedMediaType {
		t.Errorf("a form: status %d, want 415", form.StatusCode)
	}
	if _, err := b.Auth.GetMe(t.Context(), &controlv1.GetMeRequest{}); err != nil {
		t.Errorf("somebody else's page signed the user out: %v", err)
	}
	same := post(t, b.Client, base+"AuthService/GetMe", "{}", map[string]string{
		"Origin": "https://" + town.Host, "Sec-Fetch-Site": "same-origin",
	})
	if same.StatusCode != http.StatusOK {
		t.Errorf("the portal's own page: status %d", same.StatusCode)
	}
	for _, path := range []string{"/relay", "/agent"} {
		r := upgradeFrom(t, b.Client, town, path, "https://evil.example")
		if r.StatusCode != http.StatusForbidden {
			t.Errorf("%s from another site: status %d, want 403", path, r.StatusCode)
		}
	}
}

func upgradeFrom(t *testing.T, client *http.Client, town *gatewaytest.Town, path, origin string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+town.Host+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Origin", origin)
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	return answer
}

func TestPasswordAloneOpensNothingFromOutside(t *testing.T) {
	town := gatewaytest.Start(t)
	town.Staff(t, "tanaka", "田中 太郎")
	agent := town.NewAgent(t, "総務課 1", "tanaka")
	b := town.NewBrowser(t)
	me := b.SignIn(t, "tanaka", gatewaytest.Password)
	for _, may := range me.GetMay() {
		if may != controlv1.May_MAY_ENROL_DEVICE {
			t.Errorf("by password alone from outside: %v", may)
		}
	}
	_, err := b.Desks.ListDesks(t.Context(), &controlv1.ListDesksRequest{})
	if got := codeOf(t, err); got != "not_allowed" {
		t.Errorf("list desks: %s", got)
	}
	_, err = b.Desks.PrepareSession(t.Context(), &controlv1.PrepareSessionRequest{DeskId: agent.Desk})
	if got := codeOf(t, err); got != "device_needed" {
		t.Errorf("prepare session: %s", got)
	}
}

func TestFirstPasswordMustBeChangedFirst(t *testing.T) {
	town := gatewaytest.Start(t)
	slip := town.NewUser(t, "tanaka", "田中 太郎")
	b := town.NewBrowser(t)
	b.SignIn(t, "tanaka", slip.GetInitialPassword())
	_, err := b.Auth.EnrolDevice(t.Context(), &controlv1.EnrolDeviceRequest{OneTimeCode: slip.GetDeviceCode()})
	if got := codeOf(t, err); got != "password_must_change" {
		t.Errorf("enrol with the first password: %s", got)
	}
	r, err := b.Auth.ChangePassword(t.Context(), &controlv1.ChangePasswordRequest{
		OldPassword: slip.GetInitialPassword(), NewPassword: "password1",
	})
	if err != nil || r.GetRefusal() == nil {
		t.Errorf("a weak password was taken: %v, %v", r, err)
	}
}

// TestStolenCookieOpensNoDesk gives a thief everything but the device's key.
func TestStolenCookieOpensNoDesk(t *testing.T) {
	town := gatewaytest.Start(t)
	victim := town.Staff(t, "tanaka", "田中 太郎")
	agent := town.NewAgent(t, "総務課 1", "tanaka")
	thief := *victim
	var err error
	if thief.Key, err = cert.GenerateKey(); err != nil {
		t.Fatal(err)
	}
	p := thief.Prepare(t, agent.Desk).GetPrepared()
	r, err := thief.Open(t, agent.Desk, p, cert.NoiseKey{1})
	if err != nil || codes(r.GetRefusal()) != "signature_wrong" {
		t.Fatalf("got %v, %v", r, err)
	}
	// A failed try spends the nonce: the right key comes too late.
	r, err = victim.Open(t, agent.Desk, p, cert.NoiseKey{1})
	if err != nil || codes(r.GetRefusal()) != "session_state" {
		t.Errorf("spent nonce: %v, %v", r, err)
	}
	select {
	case o := <-agent.Offers():
		t.Errorf("the agent got an offer: %v", o)
	default:
	}
}

func TestNoncesAreForOneUse(t *testing.T) {
	town := gatewaytest.Start(t)
	tanaka := town.Staff(t, "tanaka", "田中 太郎")
	sato := town.Staff(t, "sato", "佐藤 花子")
	agent := town.NewAgent(t, "総務課 1", "tanaka", "sato")
	p := tanaka.Prepare(t, agent.Desk).GetPrepared()

	// Somebody else's session.
	r, err := sato.Open(t, agent.Desk, p, cert.NoiseKey{1})
	if err != nil || codes(r.GetRefusal()) != "session_state" {
		t.Errorf("foreign session: %v, %v", r, err)
	}
	// Made up.
	made := &controlv1.Prepared{SessionId: bytes.Repeat([]byte{9}, 16), Nonce: bytes.Repeat([]byte{9}, 32)}
	r, err = tanaka.Open(t, agent.Desk, made, cert.NoiseKey{1})
	if err != nil || codes(r.GetRefusal()) != "session_state" {
		t.Errorf("unknown session: %v, %v", r, err)
	}
	// Used.
	if r, err = tanaka.Open(t, agent.Desk, p, cert.NoiseKey{1}); err != nil || r.GetOpened() == nil {
		t.Fatalf("the first use: %v, %v", r, err)
	}
	r, err = tanaka.Open(t, agent.Desk, p, cert.NoiseKey{1})
	if err != nil || codes(r.GetRefusal()) != "session_state" {
		t.Errorf("the second use: %v, %v", r, err)
	}
	// The second use did not harm the session of the first.
	running, err := town.Admin.ListSessions(t.Context(), &controlv1.ListSessionsRequest{RunningOnly: true})
	if err != nil || len(running.GetSessions()) != 1 {
		t.Errorf("running: %v, %v", running, err)
	}
	// The nonce of a sign-in, twice.
	proof := tanaka.Proof(t, "tanaka")
	for i, want := range []bool{true, false} {
		r, err := tanaka.Auth.SignIn(t.Context(), &controlv1.SignInRequest{UserId: "tanaka", Password: gatewaytest.Password, Device: proof})
		if err != nil || (r.GetMe() != nil) != want {
			t.Errorf("sign-in %d with one nonce: %v, %v", i+1, r, err)
		}
	}
}

// TestRevocationEndsWhatRuns takes the device away in the middle of a session.
func TestRevocationEndsWhatRuns(t *testing.T) {
	town := gatewaytest.Start(t)
	tanaka := town.Staff(t, "tanaka", "田中 太郎")
	agent := town.NewAgent(t, "総務課 1", "tanaka")
	opened, g := tanaka.Connect(t, agent.Desk, cert.NoiseKey{1})
	offer := <-agent.Offers()
	arrived := make(chan struct{})
	go func() {
		defer close(arrived)
		conn, err := town.Dial(context.Background(), link.Agent, link.Control, offer.GetTicket())
		if err == nil {
			_, _ = conn.Receive(context.Background()) // until it is closed
			conn.Close(link.Normal, "")
		}
	}()
	viewer, err := town.Dial(t.Context(), link.Viewer, link.Control, opened.GetTicket())
	if err != nil {
		t.Fatal(err)
	}
	defer viewer.Close(link.Normal, "")
	agent.Report(t, g.Session[:], controlv1.SessionEventKind_SESSION_EVENT_KIND_OPENED, 0)

	r, err := town.Admin.RevokeDevice(t.Context(), &controlv1.RevokeDeviceRequest{DeviceId: tanaka.Device, Reason: "lost"})
	if err != nil || r.GetEndedSessions() != 1 {
		t.Fatalf("revoke: %v, %v", r, err)
	}
	seen := map[string]bool{}
	for !seen["end"] || !seen["revoke"] {
		switch o := <-agent.Orders(); {
		case o.GetEndSession() != nil:
			seen["end"] = o.GetEndSession().GetCode() == 4
		case o.GetRevokeDevice() != nil:
			seen["revoke"] = o.GetRevokeDevice().GetDeviceId() == tanaka.Device
		}
	}
	if _, err := viewer.Receive(t.Context()); link.CloseCode(err) != link.Revoked {
		t.Errorf("the viewer's link ended with %v, want code 4005", err)
	}
	<-arrived
	_, err = tanaka.Auth.GetMe(t.Context(), &controlv1.GetMeRequest{})
	if got := codeOf(t, err); got != "not_signed_in" {
		t.Errorf("after revocation: %s", got)
	}
	again, err := tanaka.TrySignIn(t, "tanaka", gatewaytest.Password)
	if err != nil || codes(again.GetRefusal()) != "device_revoked" {
		t.Errorf("sign in on a revoked device: %v, %v", again, err)
	}
}

func TestAnotherUserIsRefusedAndTheSameTakesOver(t *testing.T) {
	town := gatewaytest.Start(t)
	tanaka := town.Staff(t, "tanaka", "田中 太郎")
	sato := town.Staff(t, "sato", "佐藤 花子")
	agent := town.NewAgent(t, "総務課 1", "tanaka", "sato")
	_, first := tanaka.Connect(t, agent.Desk, cert.NoiseKey{1})
	agent.Report(t, first.Session[:], controlv1.SessionEventKind_SESSION_EVENT_KIND_OPENED, 0)
	if r := sato.Prepare(t, agent.Desk); codes(r.GetRefusal()) != "desk_in_use" {
		t.Errorf("another user: %v", r)
	}
	_, second := tanaka.Connect(t, agent.Desk, cert.NoiseKey{2})
	agent.Report(t, second.Session[:], controlv1.SessionEventKind_SESSION_EVENT_KIND_OPENED, 0)
	r, err := tanaka.Desks.ListMySessions(t.Context(), &controlv1.ListMySessionsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range r.GetSessions() {
		old := bytes.Equal(s.GetSessionId(), first.Session[:])
		if old != (s.GetLife() == controlv1.SessionLife_SESSION_LIFE_ENDED) {
			t.Errorf("session %x is %v", s.GetSessionId(), s.GetLife())
		}
	}
}

func TestAgentsRefusalIsTold(t *testing.T) {
	town := gatewaytest.Start(t)
	tanaka := town.Staff(t, "tanaka", "田中 太郎")
	agent := town.NewAgent(t, "総務課 1", "tanaka")
	agent.Accept = func(*controlv1.Offer) string { return "cannot_lock" }
	r, err := tanaka.Open(t, agent.Desk, tanaka.Prepare(t, agent.Desk).GetPrepared(), cert.NoiseKey{1})
	if err != nil || codes(r.GetRefusal()) != "desk_cannot_lock" {
		t.Errorf("got %v, %v", r, err)
	}
	running, err := town.Admin.ListSessions(t.Context(), &controlv1.ListSessionsRequest{RunningOnly: true})
	if err != nil || len(running.GetSessions()) != 0 {
		t.Errorf("a refused session runs: %v, %v", running, err)
	}
}

func TestDeskThatIsGone(t *testing.T) {
	town := gatewaytest.Start(t)
	tanaka := town.Staff(t, "tanaka", "田中 太郎")
	agent := town.NewAgent(t, "総務課 1", "tanaka")
	agent.Disconnect()
	<-agent.Ended()
	agent.AwaitState(t, controlv1.DeskState_DESK_STATE_OFF)
	if r := tanaka.Prepare(t, agent.Desk); codes(r.GetRefusal()) != "desk_off" {
		t.Errorf("desk is off: %v", r)
	}
	if _, err := town.Admin.DeleteDesk(t.Context(), &controlv1.DeleteDeskRequest{DeskId: agent.Desk}); err != nil {
		t.Fatal(err)
	}
	if err := agent.TryConnect(t); err == nil || err.Error() != "desk_unknown" {
		t.Errorf("a deleted desk connects: %v", err)
	}
}

func TestAdministrationIsForTheOffice(t *testing.T) {
	town := gatewaytest.Start(t)
	boss := town.NewBrowser(t)
	boss.SignIn(t, "admin", town.AdminSlip.GetInitialPassword())
	boss.ChangePassword(t, town.AdminSlip.GetInitialPassword(), gatewaytest.Password)
	boss.Enrol(t, town.AdminSlip.GetDeviceCode())
	_, err := boss.Admin.ListUsers(t.Context(), &controlv1.ListUsersRequest{})
	if got := codeOf(t, err); got != "wrong_listener" {
		t.Errorf("from home: %s", got)
	}
	town.ChangeSettings(t, func(s *controlv1.Settings) { s.OfficeNetworks = []string{"127.0.0.0/8", "::1/128"} })
	if _, err := boss.Admin.ListUsers(t.Context(), &controlv1.ListUsersRequest{}); err != nil {
		t.Errorf("from the office: %v", err)
	}
	tanaka := town.Staff(t, "tanaka", "田中 太郎")
	_, err = tanaka.Admin.ListUsers(t.Context(), &controlv1.ListUsersRequest{})
	if got := codeOf(t, err); got != "not_allowed" {
		t.Errorf("staff in the office: %s", got)
	}
}

func TestForwardedForIsNotBelieved(t *testing.T) {
	town := gatewaytest.Start(t)
	b := town.Staff(t, "tanaka", "田中 太郎")
	r := post(t, b.Client, "https://"+town.Host+"/jiseki.control.v1.AuthService/GetMe", "{}", map[string]string{
		"X-Forwarded-For": "10.0.0.1", "X-Real-Ip": "10.0.0.1", "Forwarded": "for=10.0.0.1",
	})
	var body bytes.Buffer
	if _, err := body.ReadFrom(r.Body); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(body.String(), "PLACE_HOME") {
		t.Errorf("a header moved the user into the office: %s", body.String())
	}
}

func TestZoneMyNumberNeedsItsOwnGateway(t *testing.T) {
	town := gatewaytest.Start(t)
	_, err := town.Admin.PutDesk(t.Context(), &controlv1.PutDeskRequest{Name: "税務 1", Zone: controlv1.Zone_ZONE_MYNUMBER})
	if got := codeOf(t, err); got != "zone_gateway" {
		t.Errorf("a desk of zone mynumber: %s", got)
	}
	own := gatewaytest.Start(t, gatewaytest.WithConfig(func(c *gateway.Config) { c.Zones = []string{cert.ZoneMyNumber} }))
	if _, err := own.Admin.PutDesk(t.Context(), &controlv1.PutDeskRequest{Name: "税務 1", Zone: controlv1.Zone_ZONE_MYNUMBER}); err != nil {
		t.Errorf("on a gateway of its own: %v", err)
	}
	_, err = own.Admin.PutDesk(t.Context(), &controlv1.PutDeskRequest{Name: "総務 1", Zone: controlv1.Zone_ZONE_LGWAN})
	if got := codeOf(t, err); got != "zone_gateway" {
		t.Errorf("another zone on it: %s", got)
	}
}

func TestGatewayRestart(t *testing.T) {
	town := gatewaytest.Start(t)
	tanaka := town.Staff(t, "tanaka", "田中 太郎")
	agent := town.NewAgent(t, "総務課 1", "tanaka")
	_, g := tanaka.Connect(t, agent.Desk, cert.NoiseKey{1})
	agent.Report(t, g.Session[:], controlv1.SessionEventKind_SESSION_EVENT_KIND_OPENED, 0)
	town.Stop(t)
	if err := <-agent.Ended(); link.CloseCode(err) != link.Stopping {
		t.Errorf("the agent's channel ended with %v, want code 4007", err)
	}
	town.Run(t)
	if err := agent.TryConnect(t); err != nil {
		t.Fatal(err)
	}
	agent.Say(t, &controlv1.State{LoggedIn: true, Lockable: true, SessionIds: [][]byte{g.Session[:]}})
	agent.AwaitState(t, controlv1.DeskState_DESK_STATE_IN_SESSION)
	// The sign-in outlives the restart, and the same user opens the desk again.
	_, second := tanaka.Connect(t, agent.Desk, cert.NoiseKey{2})
	agent.Report(t, second.Session[:], controlv1.SessionEventKind_SESSION_EVENT_KIND_OPENED, 0)
}

func TestOnlyOneGatewayUsesTheData(t *testing.T) {
	town := gatewaytest.Start(t)
	config := town.Config
	config.Public.Address = "127.0.0.1:0"
	second, err := gateway.New(config, gateway.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	var known *gateway.Error
	if err := second.Run(t.Context()); !errors.As(err, &known) || known.Code != "data_locked" {
		t.Errorf("a second gateway: %v", err)
	}
}

func TestBusyPortIsSaidClearly(t *testing.T) {
	town := gatewaytest.Start(t)
	config := gateway.Default()
	config.DataDir = filepath.Join(t.TempDir(), "data")
	config.Public.Address = town.Config.Public.Address
	_, err := gateway.Init(t.Context(), config, gateway.Environment{}, gateway.Founding{
		Organisation: "あおぞら町", Address: "https://localhost", AdminID: "admin", AdminName: "管理 次郎",
	})
	if err != nil {
		t.Fatal(err)
	}
	second, err := gateway.New(config, gateway.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	var known *gateway.Error
	if err := second.Run(t.Context()); !errors.As(err, &known) || known.Code != "port_busy" {
		t.Errorf("a busy port: %v", err)
	}
}
