// Package auth proves who someone is: passwords, one-time passwords, device keys, and the sign-ins that follow from
// them. It slows guessing down, takes as long for unknown users as for known ones, and says every "no" as reasons for
// people.
package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/sync/semaphore"

	"jiseki/internal/access"
	"jiseki/internal/audit"
	"jiseki/internal/cert"
	"jiseki/internal/store"
	"jiseki/internal/typed"
)

// Store is what auth keeps; *store.Store is one.
type Store interface {
	Organisation(ctx context.Context) (store.Organisation, error)
	User(ctx context.Context, id string) (store.User, error)
	Device(ctx context.Context, id string) (store.Device, error)
	BeginAttempt(ctx context.Context, keys ...store.Throttle) (time.Duration, error)
	EndAttempt(ctx context.Context, keys ...store.Throttle) error
	UndoAttempt(ctx context.Context, keys ...store.Throttle) error
	SpendNonce(ctx context.Context, nonce [32]byte, until time.Time) error
	SpendTOTPStep(ctx context.Context, user string, step int64) error
	SpendRecoveryCode(ctx context.Context, by store.By, user string, hash [32]byte) error
	AddSignIn(ctx context.Context, in store.SignIn, proven *store.User, former [32]byte) error
	SignIn(ctx context.Context, hash [32]byte) (store.SignIn, error)
	TouchSignIn(ctx context.Context, hash [32]byte) error
	SignOut(ctx context.Context, by store.By, hash [32]byte) error
	SetPassword(ctx context.Context, by store.By, user, hash string, keep [32]byte) error
	SetTOTP(ctx context.Context, by store.By, user string, totp store.TOTP) error
	EnrolDevice(ctx context.Context, by store.By, user string, codeHash, signIn [32]byte, d store.Device) error
	RenewDevice(ctx context.Context, by store.By, id string, certificate []byte, untilMS int64) error
	Record(ctx context.Context, by store.By, e audit.Entry) error
}

// Issuer certifies devices; *ca.Authority is one.
type Issuer interface {
	// Present is a device's certificate if it is not to be issued anew, else nil.
	Present(kind cert.Kind, raw []byte) *cert.Certificate
	IssueDevice(id, owner string, grade cert.Grade, key cert.PublicKey) (*cert.Certificate, error)
}

// Config is what a Service needs. All fields are required.
type Config struct {
	Store  Store
	Issuer Issuer
	Hasher *Hasher
	Nonces *Nonces
	// TOTPSecret encrypts the keys of one-time passwords (ca.Authority.Secret).
	TOTPSecret [32]byte
	// TokenSecret marks the tokens of sign-ins (ca.Authority.Secret).
	TokenSecret [32]byte
	Now         func() time.Time
	Log         *slog.Logger
}

// Service signs users in.
type Service struct {
	Config

	readers *semaphore.Weighted
}

// readersAtOnce is for how many attempts at a time the database is asked before it is their turn: whoever is signed in
// does not wait for all who are not.
const readersAtOnce = 4

// New makes a Service.
func New(cfg Config) *Service {
	return &Service{Config: cfg, readers: semaphore.NewWeighted(readersAtOnce)}
}

// Refusal is an expected "no". It is an error that api shows as it is.
type Refusal struct {
	Reasons    []access.Reason
	RetryAfter time.Duration // 0: waiting does not help
	TOTPNeeded bool          // the password was right, a one-time password is needed too

	noGuess bool // the password was right, and more was wrong or missing: no failure counts
}

// Error names the codes.
func (r *Refusal) Error() string {
	codes := make([]string, len(r.Reasons))
	for i, x := range r.Reasons {
		codes[i] = string(x.Code)
	}
	return "refused: " + strings.Join(codes, ", ")
}

// Refuse makes a Refusal of codes.
func Refuse(codes ...access.Code) *Refusal {
	r := &Refusal{}
	for _, c := range codes {
		r.Reasons = append(r.Reasons, access.Explain(c))
	}
	return r
}

func refuse(c access.Code) error { return Refuse(c) }

// slowDown says how many minutes are left.
func slowDown(wait time.Duration) *Refusal {
	minutes := int(math.Ceil(wait.Minutes()))
	return &Refusal{Reasons: []access.Reason{access.Explain(access.SlowDown, max(minutes, 1))}, RetryAfter: wait}
}

// DeviceProof is a device's signature over a nonce, the user and the device.
type DeviceProof struct {
	Device    string
	Nonce     cert.Nonce
	Signature cert.Signature
}

// Attempt is a sign-in that is asked for.
type Attempt struct {
	User     string // as typed
	Password string
	TOTP     string       // one-time password or recovery code, may be empty
	Device   *DeviceProof // nil: this browser has no key
	Address  netip.Addr   // of the connection itself
	// Former is the token that the browser sent along, if any: a good sign-in ends it.
	Former string
}

// Identity is a proven user: who, from which device, from where, and what that allows.
type Identity struct {
	User     store.User
	Device   *store.Device // nil: by password alone
	SignIn   store.SignIn
	Place    access.Place // of this request
	Address  netip.Addr
	Settings access.Settings
	Name     string // of the organisation
}

// By is the identity as the actor of events.
func (id *Identity) By() store.By {
	return store.By{Actor: "user:" + id.User.ID, Address: id.Address.String()}
}

// turn is that of somebody who is signed in.
func (id *Identity) turn() Turn { return Turn{Reserved: true, From: "user:" + id.User.ID} }

// Who is the user as access decides about.
func (id *Identity) Who() access.User { return AccessUser(&id.User, id.SignIn.Second) }

// From is the device as access decides about, nil if there is none.
func (id *Identity) From() *access.Device {
	if id.Device == nil {
		return nil
	}
	return AccessDevice(id.Device, &id.User)
}

// May is what this sign-in may do apart from desks. officeListener says that the request came in on the office
// listener.
func (id *Identity) May(now time.Time, officeListener bool) access.May {
	return access.Rights(access.SignIn{
		User: id.Who(), Device: id.From(), Place: id.Place, Now: now, Settings: id.Settings, OfficeListener: officeListener,
	})
}

// AccessUser is a stored user as access sees it.
func AccessUser(u *store.User, second bool) access.User {
	return access.User{ID: u.ID, Roles: u.Roles, Disabled: u.Disabled, MustChange: u.MustChange, HasSecond: u.TOTPSealed != nil, SecondFactor: second}
}

// AccessDevice is a stored device as access sees it when u uses it.
func AccessDevice(d *store.Device, u *store.User) *access.Device {
	return &access.Device{
		ID: d.ID, Mine: d.OwnedBy(u.ID, append([]string{u.MainSection}, u.OtherSections...)), Kind: d.Kind, Grade: d.Grade,
		Revoked: d.RevokedMS > 0, Until: time.UnixMilli(d.UntilMS),
	}
}

// normalID is the user id as it is stored: typed in any case and width.
func normalID(text string) string { return typed.ID(text) }

// SignIn proves a user and returns the token for the cookie. Every "no" is a *Refusal; ErrBusy is one too.
func (s *Service) SignIn(ctx context.Context, a Attempt) (token string, id *Identity, err error) {
	user := normalID(a.User)
	id, proven, err := s.look(ctx, user, &a)
	if err != nil {
		return "", nil, err
	}
	keys, turn := throttles(user, id.User.ID != "", a.Address, id.Place), TurnOf(a.Address, inside(id.Place))
	if proven.valid(s.Now()) {
		keys, turn = proofThrottles(user, proven.device), Turn{Reserved: true, From: "device:" + proven.device.ID}
	}
	err = s.attempt(ctx, turn, id, keys, func() error { return s.prove(ctx, id, &a, proven) })
	if err != nil {
		return "", nil, err
	}
	if token, err = s.keep(ctx, id, a.Former); err != nil {
		return "", nil, s.failed(ctx, id, err, keys)
	}
	return token, id, s.Store.EndAttempt(ctx, keys...)
}

// look reads what is known of who tries, and from where.
func (s *Service) look(ctx context.Context, user string, a *Attempt) (id *Identity, proven weighed, err error) {
	if err := s.readers.Acquire(ctx, 1); err != nil {
		return nil, proven, err
	}
	defer s.readers.Release(1)
	org, err := s.Store.Organisation(ctx)
	if err != nil {
		return nil, proven, err
	}
	id = &Identity{Place: org.Settings.PlaceOf(a.Address), Address: a.Address, Settings: org.Settings, Name: org.Name}
	if id.User, err = s.Store.User(ctx, user); err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, proven, err
	}
	proven, err = s.weigh(ctx, &id.User, a.Device)
	return id, proven, err
}

// attempt counts what is tried before it is proven, when it is its turn among the passwords that are hashed. Who finds
// no place there was not heard: nothing is counted, and nothing written.
func (s *Service) attempt(ctx context.Context, turn Turn, id *Identity, keys []store.Throttle, prove func() error) error {
	leave, err := s.Hasher.Enter(ctx, turn)
	if errors.Is(err, ErrBusy) {
		return refuse(access.Busy)
	}
	if err != nil {
		return err
	}
	defer leave()
	wait, err := s.Store.BeginAttempt(ctx, keys...)
	if err != nil {
		return err
	}
	if wait > 0 {
		return slowDown(wait)
	}
	if err := prove(); err != nil {
		return s.failed(ctx, id, err, keys)
	}
	return nil
}

// A weighed proof is a device that was proven, or why it was not; neither if the attempt brought none.
type weighed struct {
	device *store.Device
	no     *Refusal
}

// valid says that the device stands for the attempt: one whose certificate has expired may sign in to renew it, and no
// more.
func (w weighed) valid(now time.Time) bool {
	return w.device != nil && now.Before(time.UnixMilli(w.device.UntilMS))
}

// weigh looks at the device's proof before anything of the attempt is counted. What is wrong with it is told to nobody
// who has not the password.
func (s *Service) weigh(ctx context.Context, u *store.User, p *DeviceProof) (w weighed, err error) {
	if p == nil {
		return w, nil
	}
	w.device, err = s.proveDevice(ctx, u, p)
	if errors.As(err, &w.no) {
		return w, nil
	}
	return w, err
}

// failed records a refusal, and gives back what an attempt with the right password should not have cost: pages try again
// with the one-time password that is needed, or without a key that is not the user's.
func (s *Service) failed(ctx context.Context, id *Identity, err error, keys []store.Throttle) error {
	var r *Refusal
	if !errors.As(err, &r) {
		return errors.Join(err, s.Store.UndoAttempt(ctx, keys...))
	}
	if r.noGuess {
		if uerr := s.Store.UndoAttempt(ctx, keys...); uerr != nil {
			return fmt.Errorf("give the attempt back: %w", uerr)
		}
	}
	subject := "user:?" // whatever a stranger typed, a password perhaps, stays out of the log
	if id.User.ID != "" {
		subject = "user:" + id.User.ID
	}
	by := store.By{Actor: "anonymous", Address: id.Address.String()}
	e := audit.Entry{Kind: audit.SignInRefused, Subject: subject, Outcome: audit.Refused, Code: string(r.Reasons[0].Code)}
	if rerr := s.Store.Record(ctx, by, e); rerr != nil {
		return fmt.Errorf("record refusal: %w", rerr)
	}
	return err
}

// prove checks everything that the attempt brings. What can be used only once is spent last: an attempt that is refused
// for its device can be made again without one.
func (s *Service) prove(ctx context.Context, id *Identity, a *Attempt, proven weighed) error {
	u := &id.User
	right, err := s.Hasher.Verify(u.PasswordHash, a.Password)
	if err != nil {
		return err
	}
	if !right {
		return refuse(access.WrongCredentials)
	}
	if u.Disabled {
		return refuse(access.UserDisabled)
	}
	if proven.no != nil {
		proven.no.noGuess = true
		return proven.no
	}
	if err := s.proveSecond(ctx, id, a); err != nil {
		return err
	}
	id.Device = proven.device
	return nil
}

// proveSecond asks for a one-time password where the user has one, except in the town hall unless it was given anyway.
func (s *Service) proveSecond(ctx context.Context, id *Identity, a *Attempt) error {
	u := &id.User
	if u.TOTPSealed == nil || (a.TOTP == "" && id.Place == access.Office) {
		return nil
	}
	if a.TOTP == "" {
		r := Refuse(access.SecondFactorNeeded)
		r.TOTPNeeded, r.noGuess = true, true
		return r
	}
	id.SignIn.Second = true
	if hash, err := ParseRecoveryCode(a.TOTP); err == nil {
		err := s.Store.SpendRecoveryCode(ctx, store.By{Actor: "user:" + u.ID, Address: a.Address.String()}, u.ID, hash)
		if errors.Is(err, store.ErrWrongCode) {
			return refuse(access.TOTPWrong)
		}
		return err
	}
	key, err := openTOTP(s.TOTPSecret, u.ID, u.TOTPSealed)
	if err != nil {
		return err
	}
	step, ok := checkTOTP(key, a.TOTP, s.Now())
	if !ok {
		return refuse(access.TOTPWrong)
	}
	err = s.Store.SpendTOTPStep(ctx, u.ID, step)
	if errors.Is(err, store.ErrSpent) {
		return refuse(access.TOTPWrong)
	}
	return err
}

// proveDevice is checkDevice for once: only a proof that is good uses up its nonce, so that strangers write nothing.
func (s *Service) proveDevice(ctx context.Context, u *store.User, p *DeviceProof) (*store.Device, error) {
	d, err := s.checkDevice(ctx, u, p)
	if err != nil {
		return nil, err
	}
	if err := s.Spend(ctx, ForDevice, p.Nonce); err != nil {
		return nil, err
	}
	return d, nil
}

// checkDevice checks that the device is enrolled for the user, not revoked, and holds its key now. Its certificate may
// have expired: then the key may renew it, and nothing else.
func (s *Service) checkDevice(ctx context.Context, u *store.User, p *DeviceProof) (*store.Device, error) {
	if _, err := s.Nonces.Check(ForDevice, p.Nonce); err != nil {
		return nil, err
	}
	d, err := s.Store.Device(ctx, p.Device)
	if errors.Is(err, store.ErrNotFound) {
		return nil, refuse(access.DeviceUnknown)
	}
	if err != nil {
		return nil, err
	}
	proof := cert.SignIn{Nonce: p.Nonce, User: u.ID, Device: d.ID}
	switch {
	case proof.Verify(d.Key, p.Signature) != nil:
		return nil, refuse(access.SignatureWrong)
	case d.RevokedMS > 0:
		return nil, refuse(access.DeviceRevoked)
	case !AccessDevice(&d, u).Mine:
		return nil, refuse(access.DeviceNotYours)
	}
	return &d, nil
}

// Spend takes a nonce that was made for a purpose, once: a *Refusal if it is not ours, too old or used.
func (s *Service) Spend(ctx context.Context, purpose string, nonce cert.Nonce) error {
	until, err := s.Nonces.Check(purpose, nonce)
	if err != nil {
		return err
	}
	err = s.Store.SpendNonce(ctx, nonce, until)
	if errors.Is(err, store.ErrSpent) {
		return refuse(access.ChallengeOver)
	}
	return err
}

// keep makes the sign-in, which takes the place of the browser's former one.
func (s *Service) keep(ctx context.Context, id *Identity, former string) (string, error) {
	token, hash := newToken(s.TokenSecret)
	id.SignIn.Hash = hash
	id.SignIn.User = id.User.ID
	id.SignIn.Place = id.Place
	id.SignIn.Address = id.Address.String()
	id.SignIn.UntilMS = s.Now().Add(id.Settings.SignInMax).UnixMilli()
	if id.Device != nil {
		id.SignIn.Device = id.Device.ID
	}
	before, _ := parseToken(s.TokenSecret, former) // what is no token is nobody's
	err := s.Store.AddSignIn(ctx, id.SignIn, &id.User, before)
	if errors.Is(err, store.ErrStale) { // what was proven is not so any more
		return "", refuse(access.WrongCredentials)
	}
	return token, err
}

// Resume finds the identity behind a cookie's token, with the place of this request: NotSignedIn if there is none any
// more.
func (s *Service) Resume(ctx context.Context, token string, addr netip.Addr) (*Identity, error) {
	hash, err := parseToken(s.TokenSecret, token)
	if err != nil {
		return nil, refuse(access.NotSignedIn)
	}
	in, err := s.Store.SignIn(ctx, hash)
	if errors.Is(err, store.ErrNotFound) {
		return nil, refuse(access.NotSignedIn)
	}
	if err != nil {
		return nil, err
	}
	org, err := s.Store.Organisation(ctx)
	if err != nil {
		return nil, err
	}
	// No sign-in lasts longer than is allowed now, whatever was allowed, or what a clock said, when it began.
	in.UntilMS = min(in.UntilMS, in.CreatedMS+org.Settings.SignInMax.Milliseconds())
	if s.Now().UnixMilli() >= in.UntilMS {
		return nil, refuse(access.NotSignedIn)
	}
	id := &Identity{SignIn: in, Place: org.Settings.PlaceOf(addr), Address: addr, Settings: org.Settings, Name: org.Name}
	if id.User, err = s.Store.User(ctx, in.User); err != nil {
		return nil, err
	}
	if in.Device != "" {
		d, err := s.Store.Device(ctx, in.Device)
		if err != nil {
			return nil, err
		}
		id.Device = &d
	}
	if id.User.Disabled || (id.Device != nil && id.Device.RevokedMS > 0) {
		return nil, refuse(access.NotSignedIn)
	}
	if s.Now().UnixMilli()-in.LastUsedMS > time.Minute.Milliseconds() {
		if err = s.Store.TouchSignIn(ctx, hash); errors.Is(err, store.ErrFailed) {
			err = nil // on a full disk too somebody must be able to stop people: the idle limit counts from what was noted before
		}
	}
	return id, err
}

// SignOut ends the sign-in.
func (s *Service) SignOut(ctx context.Context, id *Identity) error {
	return s.Store.SignOut(ctx, id.By(), id.SignIn.Hash)
}

// LacksSecond says what the policy misses of a one-time password here: see access.Settings.SecondFactor.
func (id *Identity) LacksSecond() access.Code {
	who := id.Who()
	return id.Settings.SecondFactor(&who, id.Place)
}

// proveAgain asks somebody who is signed in for the password: a cookie alone changes nothing of the account. Tries are
// counted in this sign-in, where no stranger can drive them.
func (s *Service) proveAgain(ctx context.Context, id *Identity, password string) error {
	keys := signInThrottles("again", id.SignIn.Hash)
	err := s.attempt(ctx, id.turn(), id, keys, func() error {
		right, err := s.Hasher.Verify(id.User.PasswordHash, password)
		if err == nil && !right {
			return refuse(access.WrongCredentials)
		}
		return err
	})
	if err != nil {
		return err
	}
	return s.Store.EndAttempt(ctx, keys...)
}

// ChangePassword replaces the user's own password and ends all other sign-ins. A *Refusal names every rule that the new
// one breaks.
func (s *Service) ChangePassword(ctx context.Context, id *Identity, old, changed string) error {
	if err := s.proveAgain(ctx, id, old); err != nil {
		return err
	}
	broken := CheckPassword(changed, id.User.ID, id.User.Name)
	if similar(old, changed) {
		broken = append(broken, access.PasswordSame)
	}
	if len(broken) > 0 {
		return Refuse(broken...)
	}
	hash, err := s.Hasher.Hash(ctx, id.turn(), changed)
	if errors.Is(err, ErrBusy) {
		return refuse(access.Busy)
	}
	if err != nil {
		return err
	}
	return overtaken(s.Store.SetPassword(ctx, id.By(), id.User.ID, hash, id.SignIn.Hash))
}

// overtaken says of an act in a sign-in that was ended while the act was on its way what the next request would hear.
func overtaken(err error) error {
	if errors.Is(err, store.ErrStale) {
		return refuse(access.NotSignedIn)
	}
	return err
}
