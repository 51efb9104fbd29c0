package auth_test

import (
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/audit"
	"jiseki/internal/auth"
	"jiseki/internal/ca"
	"jiseki/internal/cert"
	"jiseki/internal/grant"
	"jiseki/internal/store"
	"jiseki/internal/store/storetest"
)

var (
	home   = netip.MustParseAddr("203.0.113.9")
	office = netip.MustParseAddr("10.1.2.3")
	cheap  = auth.Cost{MemoryKB: 8, Passes: 1, Threads: 1}
)

const password = "shiroi-kumo-aoi-umi"

// hall is a town hall with a real database and real keys.
type hall struct {
	*testing.T
	clock  *storetest.Clock
	store  *store.Store
	nonces *auth.Nonces
	svc    *auth.Service
	key    *cert.SignerKey // of device pc1, enrolled for tanaka
	log    *strings.Builder
}

func newHall(t *testing.T) *hall {
	t.Helper()
	h := &hall{T: t, clock: storetest.NewClock(), log: &strings.Builder{}}
	h.store = storetest.Open(t, storetest.SQLite(t), h.clock.Now)
	storetest.Town(t, h.store)
	authority, err := ca.Create(ca.Config{Dir: t.TempDir(), Now: h.clock.Now}, "青葉町")
	h.ok(err)
	hasher, err := auth.NewHasher(cheap)
	h.ok(err)
	h.nonces = auth.NewNonces(authority.Secret("nonces"), h.clock.Now)
	h.svc = auth.New(auth.Config{
		Store: h.store, Issuer: authority, Hasher: hasher, Nonces: h.nonces, TOTPSecret: authority.Secret("totp"), TokenSecret: authority.Secret("tokens"), Now: h.clock.Now,
		Log: slog.New(slog.NewTextHandler(h.log, nil)),
	})
	hash, err := hasher.Hash(t.Context(), auth.Turn{}, password)
	h.ok(err)
	storetest.SetPassword(t, h.store, "tanaka", hash)
	h.key, err = cert.GenerateKey()
	h.ok(err)
	d := storetest.Device("pc1", "user:tanaka")
	d.Key = h.key.Public()
	h.ok(h.store.AddDevice(t.Context(), storetest.Admin, d))
	return h
}

func (h *hall) ok(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// refused requires a refusal for exactly these reasons.
func (h *hall) refused(err error, codes ...access.Code) *auth.Refusal {
	h.Helper()
	var r *auth.Refusal
	if !errors.As(err, &r) {
		h.Fatalf("got %v, want a refusal for %v", err, codes)
	}
	if len(r.Reasons) != len(codes) {
		h.Fatalf("refused for %v, want %v", r, codes)
	}
	for i, c := range codes {
		if r.Reasons[i].Code != c || r.Reasons[i].JA == "" {
			h.Fatalf("refused for %v, want %v", r, codes)
		}
	}
	return r
}

func (h *hall) signIn(a auth.Attempt) (string, *auth.Identity, error) {
	if !a.Address.IsValid() {
		a.Address = home
	}
	return h.svc.SignIn(h.Context(), a)
}

// proof of device pc1 for a user, by a key.
func (h *hall) proof(user string, k *cert.SignerKey) *auth.DeviceProof {
	h.Helper()
	p := &auth.DeviceProof{Device: "pc1", Nonce: h.nonces.New(auth.ForDevice)}
	var err error
	p.Signature, err = cert.SignIn{Nonce: p.Nonce, User: user, Device: "pc1"}.Sign(k)
	h.ok(err)
	return p
}

func (h *hall) last() audit.Event {
	h.Helper()
	e, _, err := h.store.Events(h.Context(), store.EventFilter{}, store.Page{Limit: 1})
	h.ok(err)
	return e[0]
}

func TestSignInByPasswordAlone(t *testing.T) {
	h := newHall(t)
	token, id, err := h.signIn(auth.Attempt{User: " ＴＡＮＡＫＡ ", Password: password})
	h.ok(err)
	if id.May(h.clock.Now(), false) != access.MayEnrolDevice || id.Place != access.Home || id.Name != "青葉町" {
		t.Errorf("from outside: %05b at %v", id.May(h.clock.Now(), false), id.Place)
	}
	back, err := h.svc.Resume(t.Context(), token, office)
	h.ok(err)
	if back.User.ID != "tanaka" || back.Place != access.Office || !back.May(h.clock.Now(), false).Has(access.MayUsePortal) {
		t.Errorf("the same sign-in inside: %v", back.Place)
	}
	h.ok(h.svc.SignOut(t.Context(), back))
	_, err = h.svc.Resume(t.Context(), token, home)
	h.refused(err, access.NotSignedIn)
	for _, bad := range []string{"", "x", token + "A", strings.Repeat("A", 43)} {
		_, err = h.svc.Resume(t.Context(), bad, home)
		h.refused(err, access.NotSignedIn)
	}
}

func TestSignInWithDevice(t *testing.T) {
	h := newHall(t)
	p := h.proof("tanaka", h.key)
	_, id, err := h.signIn(auth.Attempt{User: "tanaka", Password: password, Device: p})
	h.ok(err)
	if !id.May(h.clock.Now(), false).Has(access.MayOpenDesk) || id.SignIn.Device != "pc1" {
		t.Errorf("%05b", id.May(h.clock.Now(), false))
	}
	_, _, err = h.signIn(auth.Attempt{User: "tanaka", Password: password, Device: p})
	h.refused(err, access.ChallengeOver) // replayed

	stranger, err := cert.GenerateKey()
	h.ok(err)
	_, _, err = h.signIn(auth.Attempt{User: "tanaka", Password: password, Device: h.proof("tanaka", stranger)})
	h.refused(err, access.SignatureWrong)
	_, _, err = h.signIn(auth.Attempt{User: "tanaka", Password: password, Device: h.proof("suzuki", h.key)})
	h.refused(err, access.SignatureWrong)
	unknown := h.proof("tanaka", h.key)
	unknown.Device = "pc9"
	_, _, err = h.signIn(auth.Attempt{User: "tanaka", Password: password, Device: unknown})
	h.refused(err, access.DeviceUnknown)
	foreign := h.proof("tanaka", h.key)
	foreign.Nonce[20] ^= 1
	_, _, err = h.signIn(auth.Attempt{User: "tanaka", Password: password, Device: foreign})
	h.refused(err, access.ChallengeOver)
	desk := h.proof("tanaka", h.key)
	desk.Nonce = h.nonces.New(auth.ForDesk)
	desk.Signature, err = cert.SignIn{Nonce: desk.Nonce, User: "tanaka", Device: "pc1"}.Sign(h.key)
	h.ok(err)
	h.clock.Add(time.Hour)
	_, _, err = h.signIn(auth.Attempt{User: "tanaka", Password: password, Device: desk})
	h.refused(err, access.ChallengeOver)
	old := h.proof("tanaka", h.key)
	h.clock.Add(auth.NonceLife + time.Second)
	_, _, err = h.signIn(auth.Attempt{User: "tanaka", Password: password, Device: old})
	h.refused(err, access.ChallengeOver)

	h.clock.Add(time.Hour)
	_, err = h.store.RevokeDevice(t.Context(), storetest.Admin, "pc1", "紛失")
	h.ok(err)
	_, _, err = h.signIn(auth.Attempt{User: "tanaka", Password: password, Device: h.proof("tanaka", h.key)})
	h.refused(err, access.DeviceRevoked)
	if e := h.last(); e.Kind != audit.SignInRefused || e.Code != "device_revoked" || e.Subject != "user:tanaka" {
		t.Errorf("%+v", e)
	}
}

func TestDeviceOfAnotherUser(t *testing.T) {
	h := newHall(t)
	hasher, err := auth.NewHasher(cheap)
	h.ok(err)
	hash, err := hasher.Hash(t.Context(), auth.Turn{}, password)
	h.ok(err)
	storetest.SetPassword(t, h.store, "suzuki", hash)
	_, _, err = h.signIn(auth.Attempt{User: "suzuki", Password: password, Device: h.proof("suzuki", h.key)})
	h.refused(err, access.DeviceNotYours)
}

// TestGuessingIsSlowed: five wrong ones are free, then a right one must wait too, with the minutes said; the log holds
// no unknown name, for it may be a password.
func TestGuessingIsSlowed(t *testing.T) {
	h := newHall(t)
	for range 5 {
		_, _, err := h.signIn(auth.Attempt{User: "tanaka", Password: "wrong"})
		h.refused(err, access.WrongCredentials)
	}
	_, _, err := h.signIn(auth.Attempt{User: "tanaka", Password: password})
	r := h.refused(err, access.SlowDown)
	if r.RetryAfter != 30*time.Second || !strings.Contains(r.Reasons[0].HelpJA, "あと1分") {
		t.Errorf("%v %+v", r.RetryAfter, r.Reasons)
	}
	// Somebody outside does not keep her from working in the town hall.
	_, _, err = h.signIn(auth.Attempt{User: "tanaka", Password: password, Address: office})
	h.ok(err)
	// Each further guess doubles the wait, up to a quarter of an hour.
	var waits []time.Duration
	for range 7 {
		h.clock.Add(15 * time.Minute)
		_, _, err = h.signIn(auth.Attempt{User: "tanaka", Password: "wrong"})
		h.refused(err, access.WrongCredentials)
		_, _, err = h.signIn(auth.Attempt{User: "tanaka", Password: password})
		waits = append(waits, h.refused(err, access.SlowDown).RetryAfter)
	}
	for i, want := range []int{1, 2, 4, 8, 15, 15, 15} {
		if waits[i] != time.Duration(want)*time.Minute {
			t.Errorf("wait %d is %v, want %d min", i, waits[i], want)
		}
	}
	h.clock.Add(15 * time.Minute)
	_, _, err = h.signIn(auth.Attempt{User: "tanaka", Password: password})
	h.ok(err)
	_, _, err = h.signIn(auth.Attempt{User: "my-secret-password", Password: "x"})
	h.refused(err, access.WrongCredentials)
	if e := h.last(); e.Subject != "user:?" || strings.Contains(e.Details, "my-secret") {
		t.Errorf("%+v", e)
	}
}

// TestGuessingManyUsersIsSlowed: one address, a new name each time, also in another /128 of the same network.
func TestGuessingManyUsersIsSlowed(t *testing.T) {
	h := newHall(t)
	slowed := 0
	for i := range 40 {
		addr := netip.MustParseAddr("2001:db8::1")
		for range i {
			addr = addr.Next()
		}
		_, _, err := h.signIn(auth.Attempt{User: "user" + strings.Repeat("x", i), Password: "wrong", Address: addr})
		var r *auth.Refusal
		if errors.As(err, &r) && r.Reasons[0].Code == access.SlowDown {
			slowed++
		}
	}
	if slowed != 10 {
		t.Errorf("%d of 40 slowed, want 10", slowed)
	}
}

func TestDisabledIsSaidOnlyToTheHonest(t *testing.T) {
	h := newHall(t)
	_, err := h.store.SetUserDisabled(t.Context(), storetest.Admin, "tanaka", true)
	h.ok(err)
	_, _, err = h.signIn(auth.Attempt{User: "tanaka", Password: "wrong"})
	h.refused(err, access.WrongCredentials)
	_, _, err = h.signIn(auth.Attempt{User: "tanaka", Password: password})
	h.refused(err, access.UserDisabled)
}

func TestChangePassword(t *testing.T) {
	h := newHall(t)
	token, id, err := h.signIn(auth.Attempt{User: "tanaka", Password: password})
	h.ok(err)
	other, _, err := h.signIn(auth.Attempt{User: "tanaka", Password: password})
	h.ok(err)
	h.refused(h.svc.ChangePassword(t.Context(), id, "wrong", "kuroi-neko-7-hiki"), access.WrongCredentials)
	h.refused(h.svc.ChangePassword(t.Context(), id, password, "Ab1"), access.PasswordShort, access.PasswordRepeats, access.PasswordCommon)
	h.refused(h.svc.ChangePassword(t.Context(), id, password, strings.ToUpper(password)+"2"), access.PasswordSame)
	h.ok(h.svc.ChangePassword(t.Context(), id, password, "ｋuroi-neko-7-hiki")) // one letter in full width
	_, err = h.svc.Resume(t.Context(), other, home)
	h.refused(err, access.NotSignedIn)
	_, err = h.svc.Resume(t.Context(), token, home)
	h.ok(err)
	_, _, err = h.signIn(auth.Attempt{User: "tanaka", Password: "kuroi-neko-7-hiki"})
	h.ok(err)
	_, _, err = h.signIn(auth.Attempt{User: "tanaka", Password: password})
	h.refused(err, access.WrongCredentials)
}

func TestEnrolDevice(t *testing.T) {
	h := newHall(t)
	token, id, err := h.signIn(auth.Attempt{User: "tanaka", Password: password})
	h.ok(err)
	text, hash := auth.NewDeviceCode()
	h.ok(h.store.AddDeviceCode(t.Context(), storetest.Admin, "tanaka", store.NewDeviceCode{
		Hash: hash, Kind: grant.DevicePrivate, UntilMS: h.clock.Now().AddDate(0, 0, auth.DeviceCodeDays).UnixMilli(),
	}))
	k, err := cert.GenerateKey()
	h.ok(err)
	enrol := func(code string, by *cert.SignerKey) (*cert.Certificate, error) {
		e := auth.Enrolment{Code: code, Nonce: h.nonces.New(auth.ForDevice), Key: k.Public(), Label: "自宅のPC", Grade: cert.GradeHardware}
		e.Signature, err = cert.Enrol{Nonce: e.Nonce, Key: k.Public()}.Sign(by)
		h.ok(err)
		return h.svc.EnrolDevice(t.Context(), id, e)
	}
	for range 10 { // costs no try
		_, err = enrol(text[:len(text)-1], k)
		h.refused(err, access.CodeMistyped)
	}
	wrong, _ := auth.NewDeviceCode()
	_, err = enrol(wrong, k)
	h.refused(err, access.CodeWrong)
	_, err = enrol(text, h.key) // proves another key than it brings
	h.refused(err, access.SignatureWrong)
	c, err := enrol(strings.ToLower(text), k)
	h.ok(err)
	if c.Owner != "user:tanaka" || c.Key != k.Public() || c.Grade != cert.GradeSystem {
		t.Errorf("%+v", c)
	}
	id, err = h.svc.Resume(t.Context(), token, home)
	h.ok(err)
	if id.Device == nil || id.Device.ID != c.Subject || id.Device.Kind != grant.DevicePrivate || !id.May(h.clock.Now(), false).Has(access.MayOpenDesk) {
		t.Errorf("%+v", id.Device)
	}
	_, err = enrol(text, k)
	h.refused(err, access.CodeSpent)

	// After the certificate has expired the key still signs in, opens nothing, and renews.
	h.clock.Add(ca.Life + time.Hour)
	p := auth.DeviceProof{Device: c.Subject, Nonce: h.nonces.New(auth.ForDevice)}
	p.Signature, err = cert.SignIn{Nonce: p.Nonce, User: "tanaka", Device: c.Subject}.Sign(k)
	h.ok(err)
	_, id, err = h.signIn(auth.Attempt{User: "tanaka", Password: password, Device: &p})
	h.ok(err)
	if id.May(h.clock.Now(), false).Has(access.MayOpenDesk) {
		t.Error("an expired certificate opens desks")
	}
	_, err = h.svc.RenewDevice(t.Context(), id, p)
	h.refused(err, access.ChallengeOver)
	p.Nonce = h.nonces.New(auth.ForDevice)
	p.Signature, err = cert.SignIn{Nonce: p.Nonce, User: "tanaka", Device: c.Subject}.Sign(k)
	h.ok(err)
	renewed, err := h.svc.RenewDevice(t.Context(), id, p)
	h.ok(err)
	if renewed.Key != c.Key || !renewed.NotAfter.After(h.clock.Now()) {
		t.Errorf("%+v", renewed)
	}
}

func TestSecondFactor(t *testing.T) {
	h := newHall(t)
	_, id, err := h.signIn(auth.Attempt{User: "tanaka", Password: password})
	h.ok(err)
	_, err = h.svc.BeginTOTP(t.Context(), id, "not the password")
	h.refused(err, access.WrongCredentials)
	setup, err := h.svc.BeginTOTP(t.Context(), id, password)
	h.ok(err)
	key := h.keyOf(setup)
	_, err = h.svc.EnableTOTP(t.Context(), id, setup.Sealed, "000000x")
	h.refused(err, access.TOTPWrong)
	recovery, err := h.svc.EnableTOTP(t.Context(), id, setup.Sealed, auth.TOTPAt(key, h.clock.Now()))
	h.ok(err)
	h.confirmed(id)
	if len(recovery) != auth.RecoveryCodes {
		t.Errorf("%d recovery codes", len(recovery))
	}
	attempt := auth.Attempt{User: "tanaka", Password: password}
	_, _, err = h.signIn(attempt)
	if r := h.refused(err, access.SecondFactorNeeded); !r.TOTPNeeded {
		t.Error("the page does not know that it should ask")
	}
	attempt.TOTP = auth.TOTPAt(key, h.clock.Now())
	_, _, err = h.signIn(attempt)
	h.refused(err, access.TOTPWrong) // it confirmed the key and is not good again
	h.clock.Add(30 * time.Second)
	attempt.TOTP = auth.TOTPAt(key, h.clock.Now())
	_, id, err = h.signIn(attempt)
	h.ok(err)
	if !id.SignIn.Second {
		t.Error("second factor not noted")
	}
	_, _, err = h.signIn(attempt)
	h.refused(err, access.TOTPWrong) // replayed
	attempt.TOTP = auth.TOTPAt(key, h.clock.Now().Add(-2*time.Minute))
	_, _, err = h.signIn(attempt)
	h.refused(err, access.TOTPWrong)
	attempt.TOTP = recovery[3]
	_, _, err = h.signIn(attempt)
	h.ok(err)
	_, _, err = h.signIn(attempt)
	h.refused(err, access.TOTPWrong)
	attempt.TOTP = ""
	attempt.Address = office
	_, _, err = h.signIn(attempt)
	h.ok(err)
	h.refused(h.svc.DisableTOTP(t.Context(), id, "not the password"), access.WrongCredentials)
	h.ok(h.svc.DisableTOTP(t.Context(), id, password))
	_, _, err = h.signIn(auth.Attempt{User: "tanaka", Password: password})
	h.ok(err)
}

// enableTOTP sets a user's one-time passwords up, and gives the key and the recovery codes.
func (h *hall) enableTOTP(user string) (key []byte, recovery []string) {
	h.Helper()
	_, id, err := h.signIn(auth.Attempt{User: user, Password: password})
	h.ok(err)
	setup, err := h.svc.BeginTOTP(h.Context(), id, password)
	h.ok(err)
	key = h.keyOf(setup)
	recovery, err = h.svc.EnableTOTP(h.Context(), id, setup.Sealed, auth.TOTPAt(key, h.clock.Now()))
	h.ok(err)
	return key, recovery
}

// keyOf is what an authenticator app reads.
func (h *hall) keyOf(setup auth.TOTPSetup) []byte {
	h.Helper()
	key, err := base32.StdEncoding.DecodeString(setup.Secret)
	h.ok(err)
	if !strings.Contains(setup.URL, "secret="+setup.Secret) {
		h.Errorf("the QR code says %s, the text %s", setup.URL, setup.Secret)
	}
	return key
}

// confirmed requires that the sign-in which set up one-time passwords counts as one with a second factor.
func (h *hall) confirmed(id *auth.Identity) {
	h.Helper()
	in, err := h.store.SignIn(h.Context(), id.SignIn.Hash)
	h.ok(err)
	if !in.Second {
		h.Error("the sign-in has no second factor")
	}
}

// TestTOTPSetupIsBound: a key that is not in use yet is good for ten minutes, for the sign-in and the user that asked
// for it.
func TestTOTPSetupIsBound(t *testing.T) {
	h := newHall(t)
	_, id, err := h.signIn(auth.Attempt{User: "tanaka", Password: password})
	h.ok(err)
	setup, err := h.svc.BeginTOTP(t.Context(), id, password)
	h.ok(err)
	key := h.keyOf(setup)
	try := func(id auth.Identity, sealed []byte) {
		t.Helper()
		_, err := h.svc.EnableTOTP(t.Context(), &id, sealed, auth.TOTPAt(key, h.clock.Now()))
		h.refused(err, access.ChallengeOver)
	}
	other := *id
	other.SignIn.Hash[0] ^= 1
	try(other, setup.Sealed)
	other = *id
	other.User.ID = "suzuki"
	try(other, setup.Sealed)
	for i := range setup.Sealed {
		try(*id, setup.Sealed[:i])
	}
	try(*id, append([]byte{0}, setup.Sealed...))
	h.clock.Add(10*time.Minute + time.Second)
	try(*id, setup.Sealed)
}

// TestSecondFactorIsNotGuessed: who has the password does not get more guesses by asking in between without a one-time
// password.
func TestSecondFactorIsNotGuessed(t *testing.T) {
	h := newHall(t)
	h.enableTOTP("tanaka")
	guesses := 0
	for range 20 {
		_, _, err := h.signIn(auth.Attempt{User: "tanaka", Password: password})
		if r := new(auth.Refusal); errors.As(err, &r) && r.Reasons[0].Code == access.SlowDown {
			break
		}
		_, _, err = h.signIn(auth.Attempt{User: "tanaka", Password: password, TOTP: "000000"})
		h.refused(err, access.TOTPWrong)
		guesses++
	}
	if guesses != 5 {
		t.Errorf("%d guesses before the wait", guesses)
	}
}

// TestSecretsStayOutOfTheLog looks for everything secret in every event and log line.
func TestSecretsStayOutOfTheLog(t *testing.T) {
	h := newHall(t)
	token, id, err := h.signIn(auth.Attempt{User: "tanaka", Password: password, Device: h.proof("tanaka", h.key)})
	h.ok(err)
	_, _, _ = h.signIn(auth.Attempt{User: "tanaka", Password: "wrong-secret-1"})
	h.ok(h.svc.ChangePassword(t.Context(), id, password, "kuroi-neko-7-hiki"))
	all := h.log.String()
	for e, err := range h.store.EventsFrom(context.Background(), 0) {
		h.ok(err)
		all += e.Actor + e.Subject + e.Code + e.Details
	}
	for _, secret := range []string{token, password, "wrong-secret-1", "kuroi-neko"} {
		if strings.Contains(all, secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
}

// TestOneGuesserInTheTownHallStopsNobodyElse: hundreds of staff stand behind one address there. Who guesses ids is slowed down,
// and so is who guesses at users when their free tries are used up; neither good sign-ins nor the users of others change that.
func TestOneGuesserInTheTownHallStopsNobodyElse(t *testing.T) {
	h := newHall(t)
	try := func(user, password string) error {
		_, _, err := h.signIn(auth.Attempt{User: user, Password: password, Address: office})
		return err
	}
	guesses := 0
	for ; guesses < 400; guesses++ {
		if r := new(auth.Refusal); errors.As(try(fmt.Sprintf("nobody%d", guesses), "wrong"), &r) && r.RetryAfter > 0 {
			break
		}
	}
	if guesses != 300 {
		t.Fatalf("%d ids could be guessed", guesses)
	}
	h.ok(try("tanaka", password))
	h.refused(try("nobody", "wrong"), access.SlowDown)
	for range 5 {
		h.refused(try("tanaka", "wrong"), access.WrongCredentials)
	}
	h.refused(try("tanaka", password), access.SlowDown)
	h.ok(h.store.Unlock(t.Context(), storetest.Admin, "tanaka", auth.UserThrottles("tanaka")...))
	h.ok(try("tanaka", password)) // whoever guesses from this address
	h.refused(try("nobody", "wrong"), access.SlowDown)
}
