package storetest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"jiseki/internal/access"
	"jiseki/internal/audit"
	"jiseki/internal/cert"
	"jiseki/internal/grant"
	"jiseki/internal/store"
)

// suite is one test's database and clock.
type suite struct {
	*testing.T
	s     *store.Store
	clock *Clock
	ctx   context.Context //nolint:containedctx // of the test
}

// Run runs the suite, each test on a database of its own: a copy of one that newDSN names, with the town in it. copyDSN copies
// a closed database.
func Run(t *testing.T, newDSN func(testing.TB) string, copyDSN func(t testing.TB, dsn string) string) {
	town := newDSN(t)
	t.Run("town", func(t *testing.T) { Town(t, Open(t, town, NewClock().Now)) })
	for name, test := range map[string]func(*suite){
		"organisation": organisation, "sections": sections, "users": users, "last administrator": lastAdministrator,
		"passwords": passwords, "second factor": secondFactor, "sign-ins": signIns, "throttle": throttle, "attempts at once": attemptsAtOnce,
		"nonces": nonces, "device codes": deviceCodes, "revoked device": revokedDevice, "desks": desks, "desk tokens": deskTokens,
		"desk epochs": deskEpochs, "session life": sessionLife, "grant once": grantOnce, "grant after taking away": grantAfterTakingAway, "take-over": takeOver, "session limit": sessionLimit,
		"agent events once": agentEventsOnce, "stale sessions": staleSessions, "pages": pages, "event of every act": eventOfEveryAct,
		"acts at once": actsAtOnce, "clock backwards": clockBackwards, "tidy": tidy,
	} {
		t.Run(name, func(t *testing.T) {
			clock := NewClock()
			s := Open(t, copyDSN(t, town), clock.Now)
			test(&suite{t, s, clock, t.Context()})
			report, err := s.VerifyEvents(t.Context(), audit.Against{})
			if err != nil || report.Problem != nil {
				t.Errorf("chain after the test: %v, %v", report.Problem, err)
			}
		})
	}
}

func (t *suite) ok(err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (t *suite) fails(err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got %v, want %v", err, want)
	}
}

func (t *suite) equal(got, want any, opts ...cmp.Option) {
	t.Helper()
	if d := cmp.Diff(want, got, append(opts, cmpopts.EquateEmpty())...); d != "" {
		t.Fatalf("(-want +got)\n%s", d)
	}
}

// last is the newest event.
func (t *suite) last() audit.Event {
	t.Helper()
	events, _, err := t.s.Events(t.ctx, store.EventFilter{}, store.Page{Limit: 1})
	t.ok(err)
	return events[0]
}

func organisation(t *suite) {
	o, err := t.s.Organisation(t.ctx)
	t.ok(err)
	t.equal(o.Name, "青葉町")
	t.equal(o.Settings, access.Default(), cmp.Comparer(func(a, b access.Settings) bool { return fmt.Sprint(a) == fmt.Sprint(b) }))
	t.fails(t.s.CreateOrganisation(t.ctx, Admin, "二つ目", access.Default()), store.ErrExists)

	changed := o.Settings
	changed.MaxSessions, changed.TOTPOutside = 3, true
	revision, err := t.s.UpdateSettings(t.ctx, Admin, o.Revision, "青葉町役場", changed)
	t.ok(err)
	t.equal(t.last().Details, `{"max_sessions":"200 -> 3","name":"青葉町 -> 青葉町役場","second_factor_outside":"false -> true"}`)
	_, err = t.s.UpdateSettings(t.ctx, Admin, o.Revision, "古い", changed)
	t.fails(err, store.ErrStale)
	o, err = t.s.Organisation(t.ctx)
	t.ok(err)
	t.equal([]any{o.Name, o.Revision, o.Settings.MaxSessions}, []any{"青葉町役場", revision, 3})
	changed.SessionMax = 0
	_, err = t.s.UpdateSettings(t.ctx, Admin, revision, "x", changed)
	t.fails(err, store.ErrInvalid)
}

func sections(t *suite) {
	t.ok(t.s.PutSection(t.ctx, Admin, store.Section{ID: "kakari", Parent: "soumu", Name: "庶務係", Position: 3}))
	all, err := t.s.Sections(t.ctx)
	t.ok(err)
	t.equal(all, []store.Section{
		{ID: "soumu", Name: "総務課", Position: 1, Head: "tanaka", Deputies: []string{"suzuki"}},
		{ID: "zeimu", Name: "税務課", Position: 2},
		{ID: "kakari", Parent: "soumu", Name: "庶務係", Position: 3},
	})
	t.fails(t.s.PutSection(t.ctx, Admin, store.Section{ID: "soumu", Parent: "kakari", Name: "総務課"}), store.ErrInvalid)
	t.fails(t.s.PutSection(t.ctx, Admin, store.Section{ID: "x", Parent: "nowhere", Name: "x"}), store.ErrNotFound)
	t.fails(t.s.PutSection(t.ctx, Admin, store.Section{ID: "総務", Name: "x"}), store.ErrInvalid)
	t.fails(t.s.PutSection(t.ctx, Admin, store.Section{ID: "x", Name: "x", Head: "nobody"}), store.ErrInUse)
	t.fails(t.s.DeleteSection(t.ctx, Admin, "soumu"), store.ErrInUse)
	t.ok(t.s.DeleteSection(t.ctx, Admin, "kakari"))
	t.fails(t.s.DeleteSection(t.ctx, Admin, "kakari"), store.ErrNotFound)
}

func users(t *suite) {
	u, err := t.s.User(t.ctx, "tanaka")
	t.ok(err)
	t.equal(u, store.User{
		ID: "tanaka", Name: "田中 花子", MainSection: "soumu", Roles: []access.Role{access.Staff, access.Approver}, PasswordHash: "hash",
		MustChange: true, PasswordChangedMS: t.clock.Now().UnixMilli(), CreatedMS: t.clock.Now().UnixMilli(), Devices: 1,
	})
	_, err = t.s.User(t.ctx, "nobody")
	t.fails(err, store.ErrNotFound)
	u.Kana, u.OtherSections, u.MainSection = "タナカ ハナコ", []string{"soumu"}, "zeimu"
	t.ok(t.s.UpdateUser(t.ctx, Admin, u))
	got, err := t.s.User(t.ctx, "tanaka")
	t.ok(err)
	t.equal(got, u)

	found := func(f store.UserFilter) (ids []string) {
		all, _, err := t.s.Users(t.ctx, f, store.Page{})
		t.ok(err)
		for i := range all {
			ids = append(ids, all[i].ID)
		}
		return ids
	}
	t.equal(found(store.UserFilter{}), []string{"admin", "suzuki", "tanaka"})
	t.equal(found(store.UserFilter{Query: "タナカ"}), []string{"tanaka"})
	t.equal(found(store.UserFilter{Query: "SUZU"}), []string{"suzuki"})
	t.equal(len(found(store.UserFilter{Query: "%"})), 0)
	t.equal(len(found(store.UserFilter{Query: "_"})), 0)
	t.equal(found(store.UserFilter{Section: "soumu"}), []string{"tanaka"})

	before := t.last().Number
	err = t.s.CreateUsers(t.ctx, Admin, []store.NewUser{{ID: "new", Name: "新人"}, {ID: "suzuki", Name: "同じ"}})
	t.fails(err, store.ErrExists)
	_, err = t.s.User(t.ctx, "new") // all or none
	t.fails(err, store.ErrNotFound)
	t.equal(t.last().Number, before)
	t.fails(t.s.CreateUsers(t.ctx, Admin, []store.NewUser{{ID: "Big", Name: "x"}}), store.ErrInvalid)
	t.fails(t.s.CreateUsers(t.ctx, Admin, []store.NewUser{{ID: "x", Name: "改\n行"}}), store.ErrInvalid)
}

func lastAdministrator(t *suite) {
	_, err := t.s.SetUserDisabled(t.ctx, Admin, "admin", true)
	t.fails(err, store.ErrInUse)
	u, err := t.s.User(t.ctx, "admin")
	t.ok(err)
	u.Roles = []access.Role{access.Staff}
	t.fails(t.s.UpdateUser(t.ctx, Admin, u), store.ErrInUse)
	t.ok(t.s.CreateUsers(t.ctx, Admin, []store.NewUser{{ID: "second", Name: "二人目", Roles: []access.Role{access.Admin}}}))
	t.ok(t.s.UpdateUser(t.ctx, Admin, u))
	_, err = t.s.SetUserDisabled(t.ctx, Admin, "second", true)
	t.fails(err, store.ErrInUse)
}

// signIn keeps a sign-in whose hash begins with n.
func (t *suite) signIn(n byte, user, device string) [32]byte {
	t.Helper()
	in := store.SignIn{
		Hash: [32]byte{n}, User: user, Device: device, Place: access.Home, Address: "203.0.113.9",
		UntilMS: t.clock.Now().Add(time.Hour).UnixMilli(),
	}
	t.ok(t.s.AddSignIn(t.ctx, in))
	return in.Hash
}

func passwords(t *suite) {
	mine, other := t.signIn(1, "tanaka", ""), t.signIn(2, "tanaka", "d1")
	t.ok(t.s.SetPassword(t.ctx, store.By{Actor: "user:tanaka"}, "tanaka", "newer", false, mine))
	u, err := t.s.User(t.ctx, "tanaka")
	t.ok(err)
	t.equal([]any{u.PasswordHash, u.MustChange}, []any{"newer", false})
	_, err = t.s.SignIn(t.ctx, other)
	t.fails(err, store.ErrNotFound)
	_, err = t.s.SignIn(t.ctx, mine)
	t.ok(err)

	t.ok(t.s.SetPassword(t.ctx, Admin, "tanaka", "first", true, mine))
	_, err = t.s.SignIn(t.ctx, mine)
	t.fails(err, store.ErrNotFound)
	u, err = t.s.User(t.ctx, "tanaka")
	t.ok(err)
	t.equal(u.MustChange, true)
	t.equal(t.last().Kind, audit.PasswordReset)
}

func secondFactor(t *suite) {
	code := [32]byte{7}
	t.ok(t.s.SetTOTP(t.ctx, Admin, "tanaka", store.TOTP{Sealed: []byte("sealed"), LastStep: 99, Recovery: [][32]byte{code, {8}}}))
	t.fails(t.s.SpendTOTPStep(t.ctx, "tanaka", 99), store.ErrSpent)
	t.ok(t.s.SpendTOTPStep(t.ctx, "tanaka", 100))
	t.fails(t.s.SpendTOTPStep(t.ctx, "tanaka", 100), store.ErrSpent)
	t.fails(t.s.SpendTOTPStep(t.ctx, "tanaka", 99), store.ErrSpent)
	t.ok(t.s.SpendTOTPStep(t.ctx, "tanaka", 101))
	by := store.By{Actor: "user:tanaka"}
	t.fails(t.s.SpendRecoveryCode(t.ctx, by, "suzuki", code), store.ErrWrongCode)
	t.ok(t.s.SpendRecoveryCode(t.ctx, by, "tanaka", code))
	t.fails(t.s.SpendRecoveryCode(t.ctx, by, "tanaka", code), store.ErrWrongCode)
	t.equal(t.last().Details, `{"left":1}`)
	u, err := t.s.User(t.ctx, "tanaka")
	t.ok(err)
	t.equal(u.TOTPSealed, []byte("sealed"))
	t.ok(t.s.SetTOTP(t.ctx, Admin, "tanaka", store.TOTP{}))
	u, err = t.s.User(t.ctx, "tanaka")
	t.ok(err)
	t.equal(u.TOTPSealed == nil, true)
}

func signIns(t *suite) {
	hash := t.signIn(1, "tanaka", "d1")
	in, err := t.s.SignIn(t.ctx, hash)
	t.ok(err)
	t.equal([]any{in.User, in.Device, in.Place, in.Second}, []any{"tanaka", "d1", access.Home, false})
	t.clock.Add(2 * time.Minute)
	t.ok(t.s.TouchSignIn(t.ctx, hash))
	in, err = t.s.SignIn(t.ctx, hash)
	t.ok(err)
	t.equal(in.LastUsedMS, t.clock.Now().UnixMilli())
	t.ok(t.s.SignOut(t.ctx, store.By{Actor: "user:tanaka"}, hash))
	before := t.last().Number
	t.ok(t.s.SignOut(t.ctx, store.By{Actor: "user:tanaka"}, hash))
	t.equal(t.last().Number, before)

	hash = t.signIn(2, "tanaka", "")
	t.clock.Add(time.Hour)
	_, err = t.s.SignIn(t.ctx, hash)
	t.fails(err, store.ErrNotFound)
	hash = t.signIn(3, "tanaka", "")
	_, err = t.s.SetUserDisabled(t.ctx, Admin, "tanaka", true)
	t.ok(err)
	_, err = t.s.SignIn(t.ctx, hash)
	t.fails(err, store.ErrNotFound)
}

// counter waits a minute from the third failure on.
func counter(key string) store.Throttle {
	return store.Throttle{Key: key, Forget: time.Hour, Wait: func(failures int64) time.Duration {
		if failures < 3 {
			return 0
		}
		return time.Minute
	}}
}

func throttle(t *suite) {
	user, address := counter("user:x"), counter("address:y")
	begin := func(want time.Duration) {
		t.Helper()
		wait, err := t.s.BeginAttempt(t.ctx, user, address)
		t.ok(err)
		t.equal(wait, want)
	}
	begin(0)
	begin(0)
	begin(0)
	begin(time.Minute)
	t.clock.Add(59 * time.Second)
	begin(time.Second)
	t.clock.Add(time.Second)
	begin(0)
	begin(time.Minute)
	until, err := t.s.ThrottledUntil(t.ctx, "user:x", "user:other")
	t.ok(err)
	t.equal(until, t.clock.Now().Add(time.Minute).UnixMilli())
	t.ok(t.s.Unlock(t.ctx, Admin, "tanaka", "user:x", "address:y"))
	begin(0)
	t.ok(t.s.EndAttempt(t.ctx, user, address)) // right
	begin(0)
	begin(0)
	t.ok(t.s.UndoAttempt(t.ctx, user, address))
	begin(0)
	begin(0)
	begin(time.Minute)
	t.clock.Add(2 * time.Hour) // forgotten
	begin(0)
	begin(0)
	begin(0)
}

// attemptsAtOnce: many guesses in the same moment get no more than the free ones.
func attemptsAtOnce(t *suite) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	free := 0
	for range 20 {
		wg.Go(func() {
			wait, err := t.s.BeginAttempt(t.ctx, counter("user:x"))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			if wait == 0 {
				free++
			}
		})
	}
	wg.Wait()
	t.equal(free, 3)
}

func nonces(t *suite) {
	until := t.clock.Now().Add(time.Minute)
	t.ok(t.s.SpendNonce(t.ctx, [32]byte{1}, until))
	t.fails(t.s.SpendNonce(t.ctx, [32]byte{1}, until), store.ErrSpent)
	t.ok(t.s.SpendNonce(t.ctx, [32]byte{2}, until))
	t.clock.Add(2 * time.Minute)
	t.ok(t.s.SpendNonce(t.ctx, [32]byte{3}, until))
}

func deviceCodes(t *suite) {
	right, wrong := sha256.Sum256([]byte("right")), sha256.Sum256([]byte("wrong"))
	by := store.By{Actor: "user:tanaka"}
	add := func(hash [32]byte) {
		t.ok(t.s.AddDeviceCode(t.ctx, Admin, "tanaka", store.NewDeviceCode{
			Hash: hash, Kind: grant.DevicePrivate, Tries: 3, UntilMS: t.clock.Now().Add(time.Hour).UnixMilli(),
		}))
	}
	enrol := func(id string, code [32]byte) error {
		return t.s.EnrolDevice(t.ctx, by, "tanaka", code, [32]byte{1}, Device(id, "user:tanaka"))
	}
	t.fails(enrol("n1", right), store.ErrSpent) // none was given out
	add(wrong)
	add(right) // voids the former
	t.fails(enrol("n1", wrong), store.ErrWrongCode)
	t.equal([]any{t.last().Kind, t.last().Outcome, t.last().Code}, []any{audit.DeviceRefused, audit.Refused, "wrong_code"})
	t.fails(t.s.EnrolDevice(t.ctx, by, "suzuki", right, [32]byte{1}, Device("n1", "user:suzuki")), store.ErrSpent) // another's
	t.signIn(1, "tanaka", "")
	t.fails(enrol("d1", right), store.ErrExists) // taken id: nothing happened, the code is still good
	t.ok(enrol("n1", right))
	d, err := t.s.Device(t.ctx, "n1")
	t.ok(err)
	t.equal([]any{d.Kind, d.OwnerName, d.EnrolledBy}, []any{grant.DevicePrivate, "田中 花子", "user:tanaka"})
	in, err := t.s.SignIn(t.ctx, [32]byte{1})
	t.ok(err)
	t.equal(in.Device, "n1")
	t.fails(enrol("n2", right), store.ErrSpent)

	third := sha256.Sum256([]byte("third"))
	add(third)
	for range 3 {
		t.fails(enrol("n2", wrong), store.ErrWrongCode)
	}
	t.fails(enrol("n2", third), store.ErrSpent)
	again := sha256.Sum256([]byte("again"))
	add(again)
	t.clock.Add(time.Hour)
	t.fails(enrol("n2", again), store.ErrExpired)
	t.fails(t.s.AddDeviceCode(t.ctx, Admin, "nobody", store.NewDeviceCode{Kind: 1}), store.ErrNotFound)
}

func revokedDevice(t *suite) {
	hash := t.signIn(1, "tanaka", "d1")
	id := Session(t.T, t.s, 1, "tanaka", "d1", "k1")
	running, err := t.s.RevokeDevice(t.ctx, Admin, "d1", "紛失")
	t.ok(err)
	t.equal(len(running), 1)
	t.equal(running[0].ID, id)
	_, err = t.s.SignIn(t.ctx, hash)
	t.fails(err, store.ErrNotFound)
	_, err = t.s.RevokeDevice(t.ctx, Admin, "d1", "")
	t.fails(err, store.ErrNotFound)
	t.fails(t.s.RenewDevice(t.ctx, Admin, "d1", []byte("c"), 1), store.ErrNotFound)
	t.ok(t.s.RenewDevice(t.ctx, Admin, "d2", []byte("newer"), 5))
	d, err := t.s.Device(t.ctx, "d2")
	t.ok(err)
	t.equal([]any{string(d.Certificate), d.UntilMS}, []any{"newer", int64(5)})
	devices, _, err := t.s.Devices(t.ctx, "user:tanaka", store.Page{})
	t.ok(err)
	t.equal([]any{len(devices), devices[0].RevokedReason}, []any{1, "紛失"})
}

func desks(t *suite) {
	mine, err := t.s.DesksOf(t.ctx, "tanaka")
	t.ok(err)
	t.equal(len(mine), 2)
	k, err := t.s.Desk(t.ctx, "k1")
	t.ok(err)
	t.equal([]any{k.Zone, k.Users, k.Hostname, k.Key, k.Section}, []any{grant.ZoneLGWAN, []string{"tanaka"}, "PC-k1", Key("k1"), "soumu"})

	k.Zone = grant.ZoneInternet
	_, err = t.s.UpdateDesk(t.ctx, Admin, k)
	t.fails(err, store.ErrInUse)
	id := Session(t.T, t.s, 1, "tanaka", "d1", "k1")
	k.Zone, k.Users, k.Name = grant.ZoneLGWAN, []string{"suzuki"}, "引継ぎ"
	lost, err := t.s.UpdateDesk(t.ctx, Admin, k)
	t.ok(err)
	t.equal([]any{len(lost), lost[0].ID}, []any{1, id})
	_, err = t.s.UpdateDesk(t.ctx, Admin, store.Desk{ID: "k1", Name: "x", Zone: 1, Users: []string{"nobody"}})
	t.fails(err, store.ErrInUse)

	found, _, err := t.s.Desks(t.ctx, "pc-K2", store.Page{})
	t.ok(err)
	t.equal(len(found), 1)
	running, err := t.s.DeleteDesk(t.ctx, Admin, "k1")
	t.ok(err)
	t.equal(len(running), 1)
	_, err = t.s.Desk(t.ctx, "k1")
	t.fails(err, store.ErrNotFound)
	_, err = t.s.DeskConnected(t.ctx, store.DeskHello{Desk: "k1"})
	t.fails(err, store.ErrNotFound)
	t.fails(t.s.AddDesk(t.ctx, Admin, store.Desk{ID: "k2", Name: "x", Zone: 1}), store.ErrExists)
	t.fails(t.s.AddDesk(t.ctx, Admin, store.Desk{ID: "k9", Name: "x", Zone: 9}), store.ErrInvalid)
}

func deskTokens(t *suite) {
	hash := [32]byte{5}
	until := t.clock.Now().Add(time.Hour)
	t.ok(t.s.AddDeskToken(t.ctx, Admin, store.DeskToken{Hash: hash, Zone: grant.ZoneInternet, Section: "zeimu", Uses: 2, UntilMS: until.UnixMilli()}))
	enrol := func(id string) (store.Desk, error) {
		return t.s.EnrolDesk(t.ctx, store.DeskEnrolment{
			TokenHash: hash, NewID: id, Key: Key(id), Grade: cert.GradeFile, Hostname: "host " + id,
			Certify: func(got string, zone grant.Zone) ([]byte, time.Time, error) {
				return []byte(got + " " + zone.String()), until, nil
			},
		})
	}
	k, err := enrol("b1")
	t.ok(err)
	t.equal([]any{k.Name, k.Zone, k.Section, string(k.Certificate)}, []any{"host b1", grant.ZoneInternet, "zeimu", "b1 internet"})
	_, err = enrol("k2") // taken: the use is not gone
	t.fails(err, store.ErrExists)
	_, err = enrol("b2")
	t.ok(err)
	_, err = enrol("b3")
	t.fails(err, store.ErrSpent)
	t.equal([]any{t.last().Kind, t.last().Code}, []any{audit.DeskRefused, "spent"})
	hash = [32]byte{6}
	t.ok(t.s.AddDeskToken(t.ctx, Admin, store.DeskToken{Hash: hash, Zone: 1, Uses: 1, UntilMS: until.UnixMilli()}))
	t.clock.Add(time.Hour)
	_, err = enrol("b4")
	t.fails(err, store.ErrExpired)
	failing := errors.New("no")
	hash, until = [32]byte{7}, t.clock.Now().Add(time.Hour)
	t.ok(t.s.AddDeskToken(t.ctx, Admin, store.DeskToken{Hash: hash, Desk: "k1", Uses: 1, Zone: 1, UntilMS: until.UnixMilli()}))
	_, err = t.s.EnrolDesk(t.ctx, store.DeskEnrolment{TokenHash: hash, Key: Key("z"), Certify: func(string, grant.Zone) ([]byte, time.Time, error) {
		return nil, time.Time{}, failing
	}})
	t.fails(err, failing)
	k, err = t.s.EnrolDesk(t.ctx, store.DeskEnrolment{TokenHash: hash, Key: Key("z"), Certify: func(string, grant.Zone) ([]byte, time.Time, error) {
		return []byte("new"), until, nil
	}})
	t.ok(err)
	t.equal([]any{k.ID, k.Key}, []any{"k1", Key("z")})
}

func deskEpochs(t *suite) {
	t.ok(t.s.GatewayStarted(t.ctx, "g1", "v1"))
	hello := store.DeskHello{Desk: "k1", Gateway: "g1", Statement: []byte("s"), AgentVersion: "2"}
	first, err := t.s.DeskConnected(t.ctx, hello)
	t.ok(err)
	second, err := t.s.DeskConnected(t.ctx, hello)
	t.ok(err)
	if second <= first {
		t.Fatalf("epoch %d after %d", second, first)
	}
	t.fails(t.s.SetDeskState(t.ctx, "k1", first, store.DeskState{}), store.ErrStale)
	t.ok(t.s.SetDeskState(t.ctx, "k1", second, store.DeskState{LoggedIn: true, Lockable: true}))
	before := t.last().Number
	t.ok(t.s.DeskGone(t.ctx, "k1", first, "replaced"))
	t.equal(t.last().Number, before)
	k, err := t.s.Desk(t.ctx, "k1")
	t.ok(err)
	t.equal([]any{k.Connected, k.LoggedIn, k.Lockable, k.Gateway, k.AliveMS, k.AgentVersion},
		[]any{true, true, true, "g1", t.clock.Now().UnixMilli(), "2"})
	t.clock.Add(time.Minute)
	t.ok(t.s.GatewayAlive(t.ctx, "g1"))
	t.fails(t.s.GatewayAlive(t.ctx, "g9"), store.ErrNotFound)
	t.ok(t.s.DeskGone(t.ctx, "k1", second, "silent"))
	t.equal([]any{t.last().Kind, t.last().Code}, []any{audit.DeskGone, "silent"})
	_, err = t.s.DeskConnected(t.ctx, hello)
	t.ok(err)
	t.ok(t.s.GatewayStarted(t.ctx, "g1", "v1")) // after a crash nothing is connected to it
	k, err = t.s.Desk(t.ctx, "k1")
	t.ok(err)
	t.equal(k.Connected, false)
	t.ok(t.s.GatewayStopped(t.ctx, "g1"))
}

// report sends an agent's event.
func (t *suite) report(seq uint64, desk string, id cert.SessionID, kind store.AgentEventKind, code uint16) {
	t.Helper()
	t.ok(t.s.AddAgentEvent(t.ctx, store.AgentEvent{Desk: desk, Run: [16]byte{1}, Seq: seq, Session: id, Kind: kind, Code: code}))
}

func sessionLife(t *suite) {
	id := Session(t.T, t.s, 1, "tanaka", "d1", "k1")
	t.clock.Add(time.Second)
	t.report(1, "k1", id, store.AgentOpened, 0)
	k, err := t.s.Desk(t.ctx, "k1")
	t.ok(err)
	t.equal([]any{k.Session, k.SessionBy}, []any{id[:], "tanaka"})
	t.ok(t.s.AddBytes(t.ctx, id, 100, 7))
	t.ok(t.s.AddBytes(t.ctx, id, 1, 1))
	running, err := t.s.RunningSessions(t.ctx, "")
	t.ok(err)
	t.equal(len(running), 1)
	_, err = t.s.OrderEnd(t.ctx, Admin, id, "保守")
	t.ok(err)
	t.clock.Add(time.Minute)
	t.ok(t.s.EndSession(t.ctx, Admin, id, 7, "ordered"))
	before := t.last()
	t.equal([]any{before.Kind, before.Code, before.Details}, []any{audit.SessionEnded, "7", `{"reason":"ordered","seconds":60,"user":"tanaka"}`})
	t.ok(t.s.EndSession(t.ctx, Admin, id, 1, ""))
	t.equal(t.last().Number, before.Number)
	t.report(2, "k1", id, store.AgentLocked, 0)
	x, err := t.s.Session(t.ctx, id)
	t.ok(err)
	t.equal(x, store.Session{
		ID: id, User: "tanaka", UserName: "田中 花子", Device: "d1", DeviceLabel: "端末 d1", Desk: "k1", DeskName: "総務課 01",
		Viewer: grant.ViewerBrowser, Place: access.Home, Address: "203.0.113.9", Life: store.LifeEnded, Nonce: cert.Nonce{1},
		Rights: grant.RightView | grant.RightInput, Relay: "gw:443", Gateway: "g1", PreparedMS: x.PreparedMS, GrantedMS: x.PreparedMS,
		OpenedMS: x.PreparedMS + 1000, EndedMS: x.PreparedMS + 61000, UntilMS: x.UntilMS, EndCode: 7, EndReason: "ordered", BytesToViewer: 101,
		BytesToDesk: 8, LockedAfterEnd: true,
	})
	_, err = t.s.OrderEnd(t.ctx, Admin, id, "")
	t.fails(err, store.ErrNotFound)
	events, _, err := t.s.Events(t.ctx, store.EventFilter{Session: id[:]}, store.Page{})
	t.ok(err)
	var kinds []audit.Kind
	for i := range events {
		kinds = append(kinds, events[i].Kind)
	}
	t.equal(kinds, []audit.Kind{audit.SessionLocked, audit.SessionEnded, audit.SessionEndOrdered, audit.SessionOpened, audit.SessionGranted})
}

func grantOnce(t *suite) {
	id := Session(t.T, t.s, 1, "tanaka", "d1", "k1")
	by := store.By{Actor: "user:tanaka"}
	t.fails(t.s.GrantSession(t.ctx, by, store.Session{ID: id}, 200), store.ErrLife)
	t.fails(t.s.GrantSession(t.ctx, by, store.Session{ID: cert.SessionID{9}}, 200), store.ErrNotFound)
	x := store.Session{ID: cert.SessionID{3}, User: "tanaka", Device: "d1", Desk: "k1", Place: access.Home}
	t.ok(t.s.PrepareSession(t.ctx, x))
	t.fails(t.s.PrepareSession(t.ctx, x), store.ErrExists)
	t.clock.Add(3 * time.Minute)
	t.fails(t.s.GrantSession(t.ctx, by, x, 200), store.ErrExpired)
}

// grantAfterTakingAway: what was prepared before a right was taken away is not granted after.
func grantAfterTakingAway(t *suite) {
	for n, take := range []func() error{
		func() error { _, err := t.s.RevokeDevice(t.ctx, Admin, "d1", "lost"); return err },
		func() error { _, err := t.s.SetUserDisabled(t.ctx, Admin, "suzuki", true); return err },
		func() error { _, err := t.s.DeleteDesk(t.ctx, Admin, "k2"); return err },
	} {
		x := []store.Session{
			{User: "tanaka", Device: "d1", Desk: "k1"}, {User: "suzuki", Device: "d2", Desk: "k2"}, {User: "tanaka", Device: "d9", Desk: "k2"},
		}[n]
		x.ID, x.Place = cert.SessionID{byte(n + 1)}, access.Home
		if n == 2 {
			t.ok(t.s.AddDevice(t.ctx, Admin, Device("d9", "user:tanaka")))
		}
		t.ok(t.s.PrepareSession(t.ctx, x))
		t.ok(take())
		t.fails(t.s.GrantSession(t.ctx, Admin, x, 200), store.ErrLife)
	}
}

func takeOver(t *suite) {
	first := Session(t.T, t.s, 1, "tanaka", "d1", "k2")
	t.report(1, "k2", first, store.AgentOpened, 0)
	t.clock.Add(time.Second)
	t.ok(t.s.AddDevice(t.ctx, Admin, Device("d9", "user:tanaka")))
	second := Session(t.T, t.s, 2, "tanaka", "d9", "k2")
	t.report(2, "k2", second, store.AgentOpened, 0)
	x, err := t.s.Session(t.ctx, first)
	t.ok(err)
	t.equal([]any{x.Life, x.EndCode}, []any{store.LifeEnded, uint16(2)})
	t.report(3, "k2", first, store.AgentTakenOver, 2) // the agent's own report comes later
	t.equal(t.last().Code, "late")
	third := Session(t.T, t.s, 3, "tanaka", "d9", "k2")
	t.report(4, "k2", third, store.AgentOpened, 0)
	x, err = t.s.Session(t.ctx, second)
	t.ok(err)
	t.equal(x.EndCode, uint16(18))
}

func sessionLimit(t *suite) {
	Session(t.T, t.s, 1, "tanaka", "d1", "k1")
	x := store.Session{ID: cert.SessionID{2}, User: "suzuki", Device: "d2", Desk: "k2", Place: access.Home}
	t.ok(t.s.PrepareSession(t.ctx, x))
	t.fails(t.s.GrantSession(t.ctx, Admin, x, 1), store.ErrFull)
	t.ok(t.s.GrantSession(t.ctx, Admin, x, 2))
	again := store.Session{ID: cert.SessionID{3}, User: "suzuki", Device: "d2", Desk: "k2", Place: access.Home}
	t.ok(t.s.PrepareSession(t.ctx, again))
	t.ok(t.s.GrantSession(t.ctx, Admin, again, 2)) // its own desk's session does not count
}

func agentEventsOnce(t *suite) {
	id := Session(t.T, t.s, 1, "tanaka", "d1", "k1")
	e := store.AgentEvent{Desk: "k1", Run: [16]byte{1}, Seq: 1, Session: id, Kind: store.AgentOpened}
	t.ok(t.s.AddAgentEvent(t.ctx, e))
	before := t.last().Number
	t.ok(t.s.AddAgentEvent(t.ctx, e))
	t.equal(t.last().Number, before)
	e.Desk = "k2" // another desk's session
	t.fails(t.s.AddAgentEvent(t.ctx, e), store.ErrNotFound)
	e.Desk, e.Seq, e.Kind = "k1", 2, 99
	t.fails(t.s.AddAgentEvent(t.ctx, e), store.ErrInvalid)
	e.Kind = store.AgentLockFailed
	t.ok(t.s.AddAgentEvent(t.ctx, e)) // the refused one left no mark
	t.equal(t.last().Outcome, audit.Failed)
}

func staleSessions(t *suite) {
	never := Session(t.T, t.s, 1, "tanaka", "d1", "k1")
	open := Session(t.T, t.s, 2, "suzuki", "d2", "k2")
	t.report(1, "k2", open, store.AgentOpened, 0)
	n, err := t.s.EndStale(t.ctx, Admin)
	t.ok(err)
	t.equal(n, 0)
	t.clock.Add(3 * time.Minute)
	n, err = t.s.EndStale(t.ctx, Admin)
	t.ok(err)
	t.equal(n, 1)
	x, err := t.s.Session(t.ctx, never)
	t.ok(err)
	t.equal(x.EndReason, "never_opened")
	t.report(2, "k1", never, store.AgentOpened, 0) // too late: it stays ended
	x, err = t.s.Session(t.ctx, never)
	t.ok(err)
	t.equal(x.Life, store.LifeEnded)
	t.clock.Add(13 * time.Hour)
	_, err = t.s.EndStale(t.ctx, Admin)
	t.ok(err)
	x, err = t.s.Session(t.ctx, open)
	t.ok(err)
	t.equal([]any{x.EndCode, x.EndReason}, []any{uint16(5), "no_report"})
}

func pages(t *suite) {
	var want []cert.SessionID
	for i := range byte(7) {
		if i%2 == 0 {
			t.clock.Add(time.Second) // some share a millisecond
		}
		want = append([]cert.SessionID{Session(t.T, t.s, i+1, "tanaka", "d1", "k1")}, want...)
	}
	var got []cert.SessionID
	for p := (store.Page{Limit: 2}); ; {
		part, next, err := t.s.Sessions(t.ctx, store.SessionFilter{User: "tanaka"}, p)
		t.ok(err)
		for i := range part {
			got = append(got, part[i].ID)
		}
		if p.After = next; next == "" {
			break
		}
	}
	t.equal(got, want)
	_, _, err := t.s.Sessions(t.ctx, store.SessionFilter{}, store.Page{After: "nonsense"})
	t.fails(err, store.ErrInvalid)

	seen := 0
	last := uint64(1 << 62)
	for p := (store.Page{Limit: 5}); ; {
		part, next, err := t.s.Events(t.ctx, store.EventFilter{Actor: "cli:root"}, p)
		t.ok(err)
		for i := range part {
			if part[i].Number >= last {
				t.Fatalf("event %d after %d", part[i].Number, last)
			}
			last = part[i].Number
		}
		seen += len(part)
		if p.After = next; next == "" {
			break
		}
	}
	head, err := t.s.Head(t.ctx)
	t.ok(err)
	if seen == 0 || seen >= int(head.Number) { //nolint:gosec // a few dozen
		t.Fatalf("%d of %d events by the administrator", seen, head.Number)
	}
	events, _, err := t.s.Events(t.ctx, store.EventFilter{Kind: audit.SessionGranted, FromMS: t.clock.Now().UnixMilli()}, store.Page{})
	t.ok(err)
	t.equal(len(events), 1)
}

// eventOfEveryAct: an event that cannot be written undoes its act.
func eventOfEveryAct(t *suite) {
	head, err := t.s.Head(t.ctx)
	t.ok(err)
	nobody := store.By{} // an event needs an actor
	for name, act := range map[string]func() error{
		"section":  func() error { return t.s.PutSection(t.ctx, nobody, store.Section{ID: "x", Name: "x"}) },
		"user":     func() error { return t.s.CreateUsers(t.ctx, nobody, []store.NewUser{{ID: "x", Name: "x"}}) },
		"password": func() error { return t.s.SetPassword(t.ctx, nobody, "tanaka", "other", true, [32]byte{}) },
		"disable":  func() error { _, err := t.s.SetUserDisabled(t.ctx, nobody, "tanaka", true); return err },
		"device":   func() error { return t.s.AddDevice(t.ctx, nobody, Device("x", "all")) },
		"revoke":   func() error { _, err := t.s.RevokeDevice(t.ctx, nobody, "d1", ""); return err },
		"desk":     func() error { return t.s.AddDesk(t.ctx, nobody, store.Desk{ID: "x", Name: "x", Zone: 1}) },
		"delete":   func() error { _, err := t.s.DeleteDesk(t.ctx, nobody, "k1"); return err },
		"record":   func() error { return t.s.Record(t.ctx, nobody, audit.Entry{Kind: audit.SignInRefused}) },
	} {
		if err := act(); !errors.Is(err, audit.ErrForm) {
			t.Errorf("%s: %v", name, err)
		}
	}
	after, err := t.s.Head(t.ctx)
	t.ok(err)
	t.equal(after, head)
	u, err := t.s.User(t.ctx, "tanaka")
	t.ok(err)
	t.equal([]any{u.PasswordHash, u.Disabled, u.Devices}, []any{"hash", false, 1})
	_, err = t.s.Desk(t.ctx, "k1")
	t.ok(err)
	_, err = t.s.Desk(t.ctx, "x")
	t.fails(err, store.ErrNotFound)
	err = t.s.Record(t.ctx, Admin, audit.Entry{Kind: audit.SignInRefused, Details: audit.Details{"user_password": "x"}})
	t.fails(err, audit.ErrSecret)
}

// actsAtOnce: the chain has one order, whoever writes.
func actsAtOnce(t *suite) {
	before, err := t.s.Head(t.ctx)
	t.ok(err)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 5 {
				err := t.s.Record(t.ctx, Admin, audit.Entry{Kind: audit.SessionRefused, Subject: fmt.Sprintf("desk:%d-%d", w, i)})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	after, err := t.s.Head(t.ctx)
	t.ok(err)
	t.equal(after.Number, before.Number+40)
}

func clockBackwards(t *suite) {
	t.clock.Add(-time.Hour)
	t.ok(t.s.Record(t.ctx, Admin, audit.Entry{Kind: audit.SessionRefused}))
	t.equal(t.last().TimeMS, t.clock.Now().Add(time.Hour).UnixMilli())
}

func tidy(t *suite) {
	t.signIn(1, "tanaka", "")
	t.ok(t.s.SpendNonce(t.ctx, [32]byte{1}, t.clock.Now()))
	t.clock.Add(60 * 24 * time.Hour)
	events := t.last().Number
	t.ok(t.s.Tidy(t.ctx))
	t.equal(t.last().Number, events)
	t.ok(t.s.SpendNonce(t.ctx, [32]byte{1}, t.clock.Now().Add(time.Hour))) // forgotten
}
