// Package storetest has a town hall in a database for the tests of other packages, and the suite that every database
// engine must pass.
package storetest

import (
	"context"
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/cert"
	"jiseki/internal/grant"
	"jiseki/internal/store"
)

// Clock is a clock that tests set.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock starts at 2026-11-24 09:00 in Japan.
func NewClock() *Clock { return &Clock{now: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)} }

// Now is the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Add lets time pass.
func (c *Clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// SQLite is the DSN of a new SQLite database.
func SQLite(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "jiseki.db") }

// CopySQLite copies a closed SQLite database and returns the DSN of the copy.
func CopySQLite(t testing.TB, dsn string) string {
	t.Helper()
	b, err := os.ReadFile(strings.TrimPrefix(dsn, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	to := SQLite(t)
	if err := os.WriteFile(strings.TrimPrefix(to, "sqlite:"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	return to
}

// Open opens a database and closes it with the test.
func Open(t testing.TB, dsn string, now func() time.Time) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), store.Config{DSN: dsn, Now: now})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// Admin acts in fixtures.
var Admin = store.By{Actor: "cli:root"}

// Town fills the database: sections 総務課 and 税務課, users tanaka (head of soumu) and suzuki (zeimu), administrator
// admin, device d1 of tanaka and d2 of suzuki, desks k1 (lgwan, tanaka) and k2 (internet, tanaka and suzuki), both
// enrolled. All password hashes are "hash".
func Town(t testing.TB, s *store.Store) {
	t.Helper()
	ctx := context.Background()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("town: %v", err)
		}
	}
	check(s.CreateOrganisation(ctx, Admin, "青葉町", access.Default()))
	check(s.PutSection(ctx, Admin, store.Section{ID: "soumu", Name: "総務課", Position: 1}))
	check(s.PutSection(ctx, Admin, store.Section{ID: "zeimu", Name: "税務課", Position: 2}))
	user := func(id, name, section string, roles ...access.Role) store.NewUser {
		return store.NewUser{ID: id, Name: name, MainSection: section, Roles: roles, PasswordHash: "hash"}
	}
	check(s.CreateUsers(ctx, Admin, []store.NewUser{
		user("tanaka", "田中 花子", "soumu", access.Staff, access.Approver), user("suzuki", "鈴木 一郎", "zeimu", access.Staff),
		user("admin", "管理者", "", access.Admin),
	}))
	check(s.PutSection(ctx, Admin, store.Section{ID: "soumu", Name: "総務課", Position: 1, Head: "tanaka", Deputies: []string{"suzuki"}}))
	check(s.AddDevice(ctx, Admin, Device("d1", "user:tanaka")))
	check(s.AddDevice(ctx, Admin, Device("d2", "user:suzuki")))
	check(s.AddDesk(ctx, Admin, store.Desk{ID: "k1", Name: "総務課 01", Zone: grant.ZoneLGWAN, Section: "soumu", Users: []string{"tanaka"}}))
	check(s.AddDesk(ctx, Admin, store.Desk{ID: "k2", Name: "税務課 01", Zone: grant.ZoneInternet, Users: []string{"suzuki", "tanaka"}}))
	EnrolDesk(t, s, "k1")
	EnrolDesk(t, s, "k2")
}

// Key is a made-up public key, different for each name. It is no point of the curve.
func Key(name string) cert.PublicKey {
	var k cert.PublicKey
	h := sha256.Sum256([]byte(name))
	k[0] = 4
	copy(k[1:], h[:])
	return k
}

// Device is an enrolled device of an owner.
func Device(id, owner string) store.Device {
	return store.Device{
		ID: id, Owner: owner, Label: "端末 " + id, Kind: grant.DeviceLent, Grade: cert.GradeSystem, Key: Key(id), Certificate: []byte("c-" + id),
		UntilMS: time.Date(2027, 2, 20, 0, 0, 0, 0, time.UTC).UnixMilli(), Persistent: true,
	}
}

// SetPassword gives a user a password by its hash, as the user's own change does: nothing must be changed any more. It
// ends the user's sign-ins.
func SetPassword(t testing.TB, s *store.Store, user, hash string) {
	t.Helper()
	ctx, by := context.Background(), store.By{Actor: "user:" + user}
	proven, err := s.User(ctx, user)
	in := store.SignIn{Hash: sha256.Sum256([]byte("password of " + user)), User: user, Place: access.Office, UntilMS: 1 << 60}
	for _, step := range []func() error{
		func() error { return err },
		func() error { return s.AddSignIn(ctx, in, &proven, [32]byte{}) },
		func() error { return s.SetPassword(ctx, by, user, hash, in.Hash) },
		func() error { return s.SignOut(ctx, by, in.Hash) },
	} {
		if err := step(); err != nil {
			t.Fatalf("set a password: %v", err)
		}
	}
}

// EnrolDesk gives a desk a token and lets its agent use it.
func EnrolDesk(t testing.TB, s *store.Store, id string) {
	t.Helper()
	hash := sha256.Sum256([]byte("token " + id))
	until := time.Date(2027, 2, 20, 0, 0, 0, 0, time.UTC)
	err := s.AddDeskToken(context.Background(), Admin, store.DeskToken{Hash: hash, Desk: id, Zone: grant.ZoneLGWAN, Uses: 1, UntilMS: until.UnixMilli()})
	if err != nil {
		t.Fatalf("token: %v", err)
	}
	_, err = s.EnrolDesk(context.Background(), store.DeskEnrolment{
		TokenHash: hash, Key: Key(id), Grade: cert.GradeFile, Hostname: "PC-" + id, AgentVersion: "1", System: "Debian",
		Certify: func(string, grant.Zone) ([]byte, time.Time, error) { return []byte("c-" + id), until, nil },
	})
	if err != nil {
		t.Fatalf("enrol desk: %v", err)
	}
}

// Session prepares and grants a session of a user on a desk, and returns its id.
func Session(t testing.TB, s *store.Store, n byte, user, device, desk string) cert.SessionID {
	t.Helper()
	x := store.Session{
		ID: cert.SessionID{n, 1}, User: user, Device: device, Desk: desk, Place: access.Home, Address: "203.0.113.9", Nonce: cert.Nonce{n},
		Viewer: grant.ViewerBrowser, Rights: grant.RightView | grant.RightInput, Relay: "gw:443", Gateway: "g1",
		UntilMS: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC).UnixMilli(),
	}
	if err := s.PrepareSession(context.Background(), x); err != nil {
		t.Fatalf("prepare: %v", err)
	}
	if _, err := s.GrantSession(context.Background(), store.By{Actor: "user:" + user}, [32]byte{}, x); err != nil {
		t.Fatalf("grant: %v", err)
	}
	return x.ID
}
