package auth_test

import (
	"fmt"
	"net/netip"
	"testing"

	"jiseki/internal/access"
	"jiseki/internal/auth"
	"jiseki/internal/cert"
	"jiseki/internal/grant"
	"jiseki/internal/store"
	"jiseki/internal/store/storetest"
)

// guess sends wrong passwords for a user from an address, with a proof each if proof is not nil, whatever the answers
// are.
func (h *hall) guess(n int, user string, from netip.Addr, proof func() *auth.DeviceProof) {
	h.Helper()
	for range n {
		a := auth.Attempt{User: user, Password: "wrong", Address: from}
		if proof != nil {
			a.Device = proof()
		}
		if _, _, err := h.signIn(a); err == nil {
			h.Fatal("a wrong password signed in")
		}
	}
}

// lockOut makes every counter wait that somebody without a device can drive: of the user, and of her own address.
func (h *hall) lockOut() {
	h.Helper()
	h.guess(8, "tanaka", netip.MustParseAddr("198.51.100.7"), nil)
	for i := range 40 {
		h.guess(1, fmt.Sprintf("nobody%d", i), home, nil)
	}
	_, _, err := h.signIn(auth.Attempt{User: "tanaka", Password: password})
	h.refused(err, access.SlowDown)
}

// TestStrangersLockOutNoDevice: who has the password and the enrolled device signs in whatever strangers do, also from
// behind the same address.
func TestStrangersLockOutNoDevice(t *testing.T) {
	h := newHall(t)
	h.lockOut()
	_, id, err := h.signIn(auth.Attempt{User: "tanaka", Password: password, Device: h.proof("tanaka", h.key)})
	h.ok(err)
	if id.Device == nil || !id.May(h.clock.Now(), false).Has(access.MayOpenDesk) {
		t.Errorf("%+v", id.Device)
	}
}

// TestNoProofNoReservedCounter: what only looks like a proof is a stranger's attempt. It neither drives the counter of
// the device nor passes when strangers must wait.
func TestNoProofNoReservedCounter(t *testing.T) {
	h := newHall(t)
	stranger, err := cert.GenerateKey()
	h.ok(err)
	used := h.proof("tanaka", h.key)
	_, _, err = h.signIn(auth.Attempt{User: "tanaka", Password: password, Device: used})
	h.ok(err)
	revoked := storetest.Device("pc2", "user:tanaka")
	revoked.Key = stranger.Public()
	h.ok(h.store.AddDevice(t.Context(), storetest.Admin, revoked))
	_, err = h.store.RevokeDevice(t.Context(), storetest.Admin, "pc2", "紛失")
	h.ok(err)
	old, theirs := mustKey(t, h), mustKey(t, h)
	expired := storetest.Device("pc3", "user:tanaka")
	expired.Key, expired.UntilMS = old.Public(), h.clock.Now().UnixMilli()
	h.ok(h.store.AddDevice(t.Context(), storetest.Admin, expired))
	foreign := storetest.Device("pc4", "user:suzuki")
	foreign.Key = theirs.Public()
	h.ok(h.store.AddDevice(t.Context(), storetest.Admin, foreign))
	of := func(device string, key *cert.SignerKey) func() *auth.DeviceProof {
		return func() *auth.DeviceProof {
			p := &auth.DeviceProof{Device: device, Nonce: h.nonces.New(auth.ForDevice)}
			p.Signature, err = cert.SignIn{Nonce: p.Nonce, User: "tanaka", Device: device}.Sign(key)
			h.ok(err)
			return p
		}
	}
	proofs := map[string]func() *auth.DeviceProof{
		"forged":   of("pc1", stranger),
		"unknown":  of("pc9", stranger),
		"revoked":  of("pc2", stranger),
		"expired":  of("pc3", old),
		"foreign":  of("pc4", theirs),
		"replayed": func() *auth.DeviceProof { return used },
	}
	for _, proof := range proofs {
		h.guess(3, "tanaka", netip.MustParseAddr("198.51.100.7"), proof)
	}
	for name, proof := range proofs {
		_, _, err := h.signIn(auth.Attempt{User: "tanaka", Password: password, Device: proof()})
		if r := h.refused(err, access.SlowDown); r.RetryAfter == 0 {
			t.Errorf("%s: no wait", name)
		}
	}
	_, _, err = h.signIn(auth.Attempt{User: "tanaka", Password: password, Device: h.proof("tanaka", h.key)})
	h.ok(err)
}

func mustKey(t *testing.T, h *hall) *cert.SignerKey {
	t.Helper()
	k, err := cert.GenerateKey()
	h.ok(err)
	return k
}

// TestGuessingOnTheDeviceIsSlowed: a device that was stolen is slowed like a stranger, and slows nobody else.
func TestGuessingOnTheDeviceIsSlowed(t *testing.T) {
	h := newHall(t)
	mine := func() *auth.DeviceProof { return h.proof("tanaka", h.key) }
	h.guess(5, "tanaka", home, mine)
	_, _, err := h.signIn(auth.Attempt{User: "tanaka", Password: password, Device: mine()})
	h.refused(err, access.SlowDown)
	_, _, err = h.signIn(auth.Attempt{User: "tanaka", Password: password})
	h.ok(err)
	until, err := h.store.ThrottledUntil(t.Context(), auth.UserThrottles("tanaka")...)
	h.ok(err)
	if until == 0 {
		t.Error("the console does not see that the user waits")
	}
	h.ok(h.store.Unlock(t.Context(), storetest.Admin, "tanaka", auth.UserThrottles("tanaka")...))
	_, _, err = h.signIn(auth.Attempt{User: "tanaka", Password: password, Device: mine()})
	h.ok(err)
}

// TestColleagueAtASharedDeviceLocksOutNoOwnDevice: a device of the section proves that somebody of the section is
// there, no more.
func TestColleagueAtASharedDeviceLocksOutNoOwnDevice(t *testing.T) {
	h := newHall(t)
	key := mustKey(t, h)
	u, err := h.store.User(t.Context(), "tanaka")
	h.ok(err)
	shared := storetest.Device("pc5", "section:"+u.MainSection)
	shared.Key = key.Public()
	h.ok(h.store.AddDevice(t.Context(), storetest.Admin, shared))
	proof := func() *auth.DeviceProof {
		p := &auth.DeviceProof{Device: "pc5", Nonce: h.nonces.New(auth.ForDevice)}
		p.Signature, err = cert.SignIn{Nonce: p.Nonce, User: "tanaka", Device: "pc5"}.Sign(key)
		h.ok(err)
		return p
	}
	h.guess(5, "tanaka", home, proof)
	_, _, err = h.signIn(auth.Attempt{User: "tanaka", Password: password, Device: proof()})
	h.refused(err, access.SlowDown)
	_, _, err = h.signIn(auth.Attempt{User: "tanaka", Password: password, Device: h.proof("tanaka", h.key)})
	h.ok(err)
}

// TestStrangersStopNoPasswordChange: who is signed in proves the password again on a counter of this sign-in, which
// slows nothing else.
func TestStrangersStopNoPasswordChange(t *testing.T) {
	h := newHall(t)
	_, id, err := h.signIn(auth.Attempt{User: "tanaka", Password: password, Device: h.proof("tanaka", h.key)})
	h.ok(err)
	h.lockOut()
	_, err = h.svc.BeginTOTP(t.Context(), id, password)
	h.ok(err)
	h.ok(h.svc.ChangePassword(t.Context(), id, password, "kuroi-neko-7-hiki"))
	// A cookie that was stolen guesses as slowly as a stranger.
	for range 5 {
		h.refused(h.svc.ChangePassword(t.Context(), id, "wrong", "midori-no-yama-8"), access.WrongCredentials)
	}
	h.refused(h.svc.ChangePassword(t.Context(), id, "kuroi-neko-7-hiki", "midori-no-yama-8"), access.SlowDown)
	_, _, err = h.signIn(auth.Attempt{User: "tanaka", Password: "kuroi-neko-7-hiki", Device: h.proof("tanaka", h.key)})
	h.ok(err)
}

// TestWrongCodesOfAnotherSignInSpendNoCode: who has found out the password cannot use up the code on the user's slip,
// and guesses codes slowly.
func TestWrongCodesOfAnotherSignInSpendNoCode(t *testing.T) {
	h := newHall(t)
	text, hash := auth.NewDeviceCode()
	h.ok(h.store.AddDeviceCode(t.Context(), storetest.Admin, "tanaka", store.NewDeviceCode{
		Hash: hash, Kind: grant.DevicePrivate, UntilMS: h.clock.Now().AddDate(0, 0, auth.DeviceCodeDays).UnixMilli(),
	}))
	enrol := func(id *auth.Identity, code string) error {
		k := mustKey(t, h)
		e := auth.Enrolment{Code: code, Nonce: h.nonces.New(auth.ForDevice), Key: k.Public(), Label: "自宅のPC", Grade: cert.GradeSystem}
		var err error
		e.Signature, err = cert.Enrol{Nonce: e.Nonce, Key: k.Public()}.Sign(k)
		h.ok(err)
		_, err = h.svc.EnrolDevice(t.Context(), id, e)
		return err
	}
	_, thief, err := h.signIn(auth.Attempt{User: "tanaka", Password: password})
	h.ok(err)
	for range 5 {
		wrong, _ := auth.NewDeviceCode()
		h.refused(enrol(thief, wrong), access.CodeWrong)
	}
	h.refused(enrol(thief, text), access.SlowDown)
	_, id, err := h.signIn(auth.Attempt{User: "tanaka", Password: password})
	h.ok(err)
	h.ok(enrol(id, text))
}

// TestSignInEndsTheFormerOfTheBrowser: a browser has one sign-in; the cookie of before is worth nothing any more.
func TestSignInEndsTheFormerOfTheBrowser(t *testing.T) {
	h := newHall(t)
	former, _, err := h.signIn(auth.Attempt{User: "tanaka", Password: password})
	h.ok(err)
	elsewhere, _, err := h.signIn(auth.Attempt{User: "tanaka", Password: password})
	h.ok(err)
	_, _, err = h.signIn(auth.Attempt{User: "tanaka", Password: "wrong", Former: former})
	h.refused(err, access.WrongCredentials)
	_, err = h.svc.Resume(t.Context(), former, home)
	h.ok(err) // a try that failed ends nothing
	token, _, err := h.signIn(auth.Attempt{User: "tanaka", Password: password, Former: former})
	h.ok(err)
	_, err = h.svc.Resume(t.Context(), former, home)
	h.refused(err, access.NotSignedIn)
	for _, still := range []string{token, elsewhere} {
		_, err = h.svc.Resume(t.Context(), still, home)
		h.ok(err)
	}
	for _, nonsense := range []string{"x", former, elsewhere + "A"} {
		_, _, err = h.signIn(auth.Attempt{User: "tanaka", Password: password, Former: nonsense})
		h.ok(err)
	}
}
