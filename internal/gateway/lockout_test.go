package gateway_test

import (
	"net/url"
	"testing"

	"jiseki/internal/gateway/gatewaytest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
)

// TestLockOutIsNoWeapon: a stranger's wrong passwords keep nobody from signing in on an enrolled device.
func TestLockOutIsNoWeapon(t *testing.T) {
	town := gatewaytest.Start(t)
	tanaka := town.Staff(t, "tanaka", "田中 太郎")
	stranger := town.NewBrowser(t)
	for range 40 { // the address is the same
		if r, err := stranger.TrySignIn(t, "tanaka", "wrong password"); err != nil || r.GetMe() != nil {
			t.Fatalf("a guess: %v, %v", r, err)
		}
	}
	r, err := stranger.TrySignIn(t, "tanaka", gatewaytest.Password)
	if err != nil || codes(r.GetRefusal()) != "slow_down" {
		t.Fatalf("without the device: %v, %v", r, err)
	}
	tanaka.SignIn(t, "tanaka", gatewaytest.Password)
	users, err := town.Admin.ListUsers(t.Context(), &controlv1.ListUsersRequest{Query: "tanaka"})
	if err != nil || len(users.GetUsers()) != 1 || users.GetUsers()[0].GetLockedUntilMs() == 0 {
		t.Errorf("the console does not show that somebody guesses: %v, %v", users, err)
	}
}

// TestPasswordAloneTakesNoAccount: who has found out a password neither changes it from outside nor ends its user's
// sign-in.
func TestPasswordAloneTakesNoAccount(t *testing.T) {
	town := gatewaytest.Start(t)
	tanaka := town.Staff(t, "tanaka", "田中 太郎")
	thief := town.NewBrowser(t)
	thief.SignIn(t, "tanaka", gatewaytest.Password)
	change := &controlv1.ChangePasswordRequest{OldPassword: gatewaytest.Password, NewPassword: "Persimmon-9-harbour-mist"}
	_, err := thief.Auth.ChangePassword(t.Context(), change)
	if got := codeOf(t, err); got != "change_needs_device" {
		t.Errorf("by password alone: %s", got)
	}
	if _, err := tanaka.Auth.GetMe(t.Context(), &controlv1.GetMeRequest{}); err != nil {
		t.Errorf("the victim's sign-in: %v", err)
	}
	if r, err := tanaka.Auth.ChangePassword(t.Context(), change); err != nil || r.GetRefusal() != nil {
		t.Errorf("on the device: %v, %v", r, err)
	}
	if _, err := thief.Auth.GetMe(t.Context(), &controlv1.GetMeRequest{}); codeOf(t, err) != "not_signed_in" {
		t.Errorf("the thief after the change: %v", err)
	}
}

// TestSignInAgainEndsTheFormerToken: the cookie that a browser had before opens nothing any more.
func TestSignInAgainEndsTheFormerToken(t *testing.T) {
	town := gatewaytest.Start(t)
	tanaka := town.Staff(t, "tanaka", "田中 太郎")
	portal := &url.URL{Scheme: "https", Host: town.Host, Path: "/"}
	copied := town.NewBrowser(t)
	copied.Client.Jar.SetCookies(portal, tanaka.Client.Jar.Cookies(portal))
	if _, err := copied.Auth.GetMe(t.Context(), &controlv1.GetMeRequest{}); err != nil {
		t.Fatalf("the copied cookie before: %v", err)
	}
	tanaka.SignIn(t, "tanaka", gatewaytest.Password)
	if _, err := copied.Auth.GetMe(t.Context(), &controlv1.GetMeRequest{}); err == nil || codeOf(t, err) != "not_signed_in" {
		t.Errorf("the copied cookie after signing in again: %v", err)
	}
	if _, err := tanaka.Auth.GetMe(t.Context(), &controlv1.GetMeRequest{}); err != nil {
		t.Errorf("the new one: %v", err)
	}
}
