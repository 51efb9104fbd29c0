package auth_test

import (
	"testing"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/audit"
	"jiseki/internal/auth"
	"jiseki/internal/store"
	"jiseki/internal/store/storetest"
)

// suzuki may sign in too, on the PC whose key is tanaka's.
func (h *hall) suzuki() {
	h.Helper()
	hasher, err := auth.NewHasher(cheap)
	h.ok(err)
	hash, err := hasher.Hash(h.Context(), auth.Turn{}, password)
	h.ok(err)
	storetest.SetPassword(h.T, h.store, "suzuki", hash)
}

// foreign is a proof that the gateway does not accept of suzuki, and why: it knows no such device, or it is tanaka's.
func (h *hall) foreign(unknown bool) (*auth.DeviceProof, access.Code) {
	h.Helper()
	p := h.proof("suzuki", h.key)
	if unknown {
		p.Device = "pc9"
		return p, access.DeviceUnknown
	}
	return p, access.DeviceNotYours
}

// TestForeignKeySpendsNothing does what the portal does in a browser with a key that is not the user's: with that key
// first, then without, with the same one-time password or recovery code.
func TestForeignKeySpendsNothing(t *testing.T) {
	h := newHall(t)
	h.suzuki()
	key, recovery := h.enableTOTP("suzuki")
	password := func() string { h.clock.Add(time.Minute); return auth.TOTPAt(key, h.clock.Now()) }
	code := func() string { recovery = recovery[1:]; return recovery[0] }
	for _, second := range []func() string{password, code} {
		for _, unknown := range []bool{false, true} {
			h.twice(second(), unknown)
		}
	}
}

// twice signs suzuki in with a key that is not hers, and then without.
func (h *hall) twice(second string, unknown bool) {
	h.Helper()
	proof, code := h.foreign(unknown)
	a := auth.Attempt{User: "suzuki", Password: password, TOTP: second, Device: proof}
	_, _, err := h.signIn(a)
	h.refused(err, code)
	a.Device = nil
	if _, id, err := h.signIn(a); err != nil || !id.SignIn.Second {
		h.Errorf("after %s, without the key: %v", code, err)
	}
}

// TestForeignKeyIsNoGuess: sign-ins that are good in the end, though with a foreign key first, leave no failure with
// the address, and none with the user; each refusal is an event.
func TestForeignKeyIsNoGuess(t *testing.T) {
	h := newHall(t)
	h.suzuki()
	for i := range 80 {
		proof, code := h.foreign(i%2 == 0)
		_, _, err := h.signIn(auth.Attempt{User: "suzuki", Password: password, Device: proof})
		h.refused(err, code)
		if e := h.last(); e.Kind != audit.SignInRefused || e.Code != string(code) || e.Subject != "user:suzuki" {
			t.Fatalf("%+v", e)
		}
	}
	_, _, err := h.signIn(auth.Attempt{User: "suzuki", Password: password})
	h.ok(err)
}

// TestHalfASignInIsAnEvent: that a password was right, though without the one-time password that it needs, stands in the
// log. It may have been found out.
func TestHalfASignInIsAnEvent(t *testing.T) {
	h := newHall(t)
	h.enableTOTP("tanaka")
	for range 40 { // no guess, and nobody waits for it
		_, _, err := h.signIn(auth.Attempt{User: "tanaka", Password: password})
		h.refused(err, access.SecondFactorNeeded)
	}
	e, _, err := h.store.Events(t.Context(), store.EventFilter{Kind: audit.SignInRefused}, store.Page{Limit: 50})
	h.ok(err)
	if len(e) != 40 || e[0].Code != string(access.SecondFactorNeeded) || e[0].Subject != "user:tanaka" {
		t.Errorf("%d events, the last %+v", len(e), e[:min(1, len(e))])
	}
}
