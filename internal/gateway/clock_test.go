package gateway_test

import (
	"testing"
	"time"

	"jiseki/internal/gateway/gatewaytest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
)

// TestClockThatWasAhead: when the gateway's clock was a month ahead and is right again, nobody waits for that month and
// no cookie lives until then.
func TestClockThatWasAhead(t *testing.T) {
	var now clock
	town := gatewaytest.Start(t, now.option())
	tanaka, sato := town.Staff(t, "tanaka", "田中 太郎"), town.Staff(t, "sato", "佐藤 花子")
	guesser := town.NewBrowser(t)
	now.forward(30 * 24 * time.Hour)
	tanaka.SignIn(t, "tanaka", gatewaytest.Password)
	for range 8 {
		if _, err := guesser.TrySignIn(t, "sato", "wrong password"); err != nil {
			t.Fatal(err)
		}
	}
	early := sato.Proof(t, "sato")
	now.forward(-30 * 24 * time.Hour)
	if _, err := tanaka.Auth.GetMe(t.Context(), &controlv1.GetMeRequest{}); codeOf(t, err) != "not_signed_in" {
		t.Errorf("a sign-in of next month: %v", err)
	}
	r, err := sato.Auth.SignIn(t.Context(), &controlv1.SignInRequest{UserId: "sato", Password: gatewaytest.Password, Device: early})
	if err != nil || codes(r.GetRefusal()) != "challenge_over" {
		t.Errorf("a signature over a nonce of next month: %v, %v", r, err)
	}
	sato.SignIn(t, "sato", gatewaytest.Password) // no 43,201 minutes
	tanaka.SignIn(t, "tanaka", gatewaytest.Password)
}

// TestShorterSignInsCountAtOnce: no sign-in lasts longer than the setting allows now.
func TestShorterSignInsCountAtOnce(t *testing.T) {
	var now clock
	town := gatewaytest.Start(t, now.option())
	tanaka := town.Staff(t, "tanaka", "田中 太郎")
	town.ChangeSettings(t, func(s *controlv1.Settings) { s.SignInMaxS = 600 })
	if _, err := tanaka.Auth.GetMe(t.Context(), &controlv1.GetMeRequest{}); err != nil {
		t.Fatal(err)
	}
	now.forward(11 * time.Minute)
	if _, err := tanaka.Auth.GetMe(t.Context(), &controlv1.GetMeRequest{}); codeOf(t, err) != "not_signed_in" {
		t.Errorf("after its time: %v", err)
	}
}
