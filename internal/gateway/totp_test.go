package gateway_test

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // RFC 6238
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"jiseki/internal/gateway/gatewaytest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
)

// appShows is what an authenticator app shows of a key in base32: RFC 6238 with SHA-1, 30 s and 6 digits.
func appShows(t *testing.T, secret string, now time.Time) string {
	t.Helper()
	key, err := base32.StdEncoding.DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	m := hmac.New(sha1.New, key)
	m.Write(binary.BigEndian.AppendUint64(nil, uint64(now.Unix()/30))) //nolint:gosec // after 1970
	sum := m.Sum(nil)
	value := binary.BigEndian.Uint32(sum[sum[19]&15:]) & 0x7fffffff
	return fmt.Sprintf("%06d", value%1_000_000)
}

// setUpTOTP sets up one-time passwords in a browser: the key and the recovery codes.
func setUpTOTP(t *testing.T, b *gatewaytest.Browser, now time.Time) (secret string, recovery []string) {
	t.Helper()
	begun, err := b.Auth.BeginTOTP(t.Context(), &controlv1.BeginTOTPRequest{Password: gatewaytest.Password})
	if err != nil || begun.GetSetup() == nil {
		t.Fatalf("begin: %v, %v", begun, err)
	}
	secret = begun.GetSetup().GetSecret()
	done, err := b.Auth.ConfirmTOTP(t.Context(), &controlv1.ConfirmTOTPRequest{
		Sealed: begun.GetSetup().GetSealed(), Totp: appShows(t, secret, now),
	})
	if err != nil || done.GetEnabled() == nil {
		t.Fatalf("confirm: %v, %v", done, err)
	}
	return secret, done.GetEnabled().GetRecoveryCodes()
}

// TestOneTimePasswordsFromOutside: the policy is switched on; who has none set up is told what to do, sets it up on the
// enrolled device, goes on working, and is asked for it from then on.
func TestOneTimePasswordsFromOutside(t *testing.T) {
	var ahead atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	town := gatewaytest.Start(t, gatewaytest.WithNow(now))
	b := town.Staff(t, "tanaka", "田中 太郎")
	town.ChangeSettings(t, func(s *controlv1.Settings) { s.TotpRequiredOutside = true })
	me := b.SignIn(t, "tanaka", gatewaytest.Password)
	if !me.GetTotpNeeded() || me.GetHasTotp() || !slices.Contains(me.GetMay(), controlv1.May_MAY_SET_UP_TOTP) ||
		slices.Contains(me.GetMay(), controlv1.May_MAY_USE_PORTAL) {
		t.Errorf("without one-time passwords: %v", me)
	}
	_, err := b.Desks.ListDesks(t.Context(), &controlv1.ListDesksRequest{})
	if got := codeOf(t, err); got != "second_factor_missing" {
		t.Errorf("the desks: %s", got)
	}
	if r, err := b.Auth.BeginTOTP(t.Context(), &controlv1.BeginTOTPRequest{Password: "x"}); err != nil || codes(r.GetRefusal()) != "wrong_credentials" {
		t.Errorf("with a wrong password: %v, %v", r, err)
	}
	secret, recovery := setUpTOTP(t, b, now())
	if _, err := b.Desks.ListDesks(t.Context(), &controlv1.ListDesksRequest{}); err != nil {
		t.Errorf("after the set-up: %v", err)
	}

	r, err := b.TrySignIn(t, "tanaka", gatewaytest.Password)
	if err != nil || !r.GetTotpNeeded() || codes(r.GetRefusal()) != "second_factor_needed" {
		t.Errorf("the next sign-in: %v, %v", r, err)
	}
	signIn := func(totp string) *controlv1.SignInResponse {
		t.Helper()
		r, err := b.Auth.SignIn(t.Context(), &controlv1.SignInRequest{
			UserId: "tanaka", Password: gatewaytest.Password, Totp: totp, Device: b.Proof(t, "tanaka"),
		})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := signIn(appShows(t, secret, now())); codes(r.GetRefusal()) != "totp_wrong" {
		t.Errorf("the password that confirmed the key is good again: %v", r)
	}
	ahead.Add(int64(time.Minute))
	if r := signIn(appShows(t, secret, now())); r.GetMe() == nil || r.GetMe().GetTotpNeeded() {
		t.Errorf("with a one-time password: %v", r)
	}
	if r := signIn(recovery[0]); r.GetMe() == nil {
		t.Errorf("with a recovery code: %v", r)
	}

	// The telephone is lost: the administrator resets, and the user sets it up anew.
	if _, err := town.Admin.ResetTOTP(t.Context(), &controlv1.ResetTOTPRequest{UserId: "tanaka"}); err != nil {
		t.Fatal(err)
	}
	if r := signIn(""); !r.GetMe().GetTotpNeeded() || r.GetMe().GetHasTotp() {
		t.Errorf("after the reset: %v", r)
	}
	setUpTOTP(t, b, now())
	if r, err := b.Auth.DisableTOTP(t.Context(), &controlv1.DisableTOTPRequest{Password: gatewaytest.Password}); err != nil || r.GetRefusal() != nil {
		t.Errorf("switching off: %v, %v", r, err)
	}
	events, err := town.Admin.ListEvents(t.Context(), &controlv1.ListEventsRequest{Kind: "totp_changed"})
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, e := range events.GetEvents() {
		said = append(said, e.GetActor())
	}
	if got := strings.Join(said, " "); got != "user:tanaka user:tanaka cli:local user:tanaka" {
		t.Errorf("the log tells of %s", got)
	}
}

// TestOneTimePasswordsTakeAPlaceToSetThemUp: neither from outside without a device, nor around those that are there.
func TestOneTimePasswordsTakeAPlaceToSetThemUp(t *testing.T) {
	town := gatewaytest.Start(t)
	tanaka := town.Staff(t, "tanaka", "田中 太郎")
	begin := &controlv1.BeginTOTPRequest{Password: gatewaytest.Password}
	other := town.NewBrowser(t)
	other.SignIn(t, "tanaka", gatewaytest.Password)
	_, err := other.Auth.BeginTOTP(t.Context(), begin)
	if got := codeOf(t, err); got != "not_allowed" {
		t.Errorf("from outside without a device: %s", got)
	}
	town.ChangeSettings(t, func(s *controlv1.Settings) { s.OfficeNetworks = []string{"127.0.0.0/8", "::1/128"} })
	setUpTOTP(t, other, time.Now())
	inside := town.NewBrowser(t) // from the office the password is enough to sign in
	inside.SignIn(t, "tanaka", gatewaytest.Password)
	town.ChangeSettings(t, func(s *controlv1.Settings) { s.OfficeNetworks = nil })
	_, err = inside.Auth.DisableTOTP(t.Context(), &controlv1.DisableTOTPRequest{Password: gatewaytest.Password})
	if got := codeOf(t, err); got != "not_allowed" {
		t.Errorf("a sign-in that left the office: %s", got)
	}
	_, err = tanaka.Auth.BeginTOTP(t.Context(), begin) // on the device, but without a one-time password
	if err == nil {
		t.Error("one-time passwords were replaced without giving one")
	}
}
