package ca_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"jiseki/internal/ca"
	"jiseki/internal/cert"
)

type clock struct{ now time.Time }

func create(t *testing.T, public bool) (*ca.Authority, ca.Config, *clock) {
	t.Helper()
	c := &clock{time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)}
	cfg := ca.Config{Dir: filepath.Join(t.TempDir(), "keys"), Now: func() time.Time { return c.now }, PublicTLS: public}
	a, err := ca.Create(cfg, "青葉町")
	if err != nil {
		t.Fatal(err)
	}
	return a, cfg, c
}

func TestKeysComeBackAndAreSeparate(t *testing.T) {
	a, cfg, _ := create(t, false)
	b, err := ca.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if a.GrantKey().Public() != b.GrantKey().Public() || a.Secret("x") != b.Secret("x") || a.Fingerprint() != b.Fingerprint() {
		t.Error("other keys after opening again")
	}
	keys := map[cert.PublicKey]bool{a.GrantKey().Public(): true, a.AuditKey().Public(): true, a.Bundle().DeviceCAs[0]: true, a.Bundle().DeskCAs[0]: true}
	if len(keys) != 4 || a.Secret("x") == a.Secret("y") {
		t.Error("one key has two uses")
	}
	if _, err := ca.Create(cfg, "x"); !errors.Is(err, ca.ErrExists) {
		t.Errorf("create again: %v", err)
	}
	files, err := os.ReadDir(cfg.Dir)
	if err != nil {
		t.Fatal(err)
	}
	secrets := 0
	for _, f := range files {
		st, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Ext(f.Name()) == ".key" {
			secrets++
			if st.Mode().Perm() != 0o600 {
				t.Errorf("%s: mode %o", f.Name(), st.Mode().Perm())
			}
		}
	}
	if secrets != 6 {
		t.Errorf("%d key files", secrets)
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, name := range []string{"tls-ca.key", "device-ca.key", "desk-ca.key", "grant.key", "audit.key", "secret.key"} {
		_, cfg, _ := create(t, false)
		if err := os.Chmod(filepath.Join(cfg.Dir, name), 0o640); err != nil {
			t.Fatal(err)
		}
		if _, err := ca.Open(cfg); err == nil {
			t.Errorf("%s: open to the group and accepted", name)
		}
		if err := os.Remove(filepath.Join(cfg.Dir, name)); err != nil {
			t.Fatal(err)
		}
		if _, err := ca.Open(cfg); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s missing: %v", name, err)
		}
	}
	_, mine, _ := create(t, false)
	_, other, _ := create(t, false)
	for _, name := range []string{"trust.bundle", "device-ca.key", "desk-ca.key", "grant.key", "tls-ca.crt"} {
		b, err := os.ReadFile(filepath.Join(other.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(mine.Dir, name)
		own, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ca.Open(mine); !errors.Is(err, ca.ErrBundle) {
			t.Errorf("%s of another gateway: %v", name, err)
		}
		if err := os.WriteFile(path, own, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// Whoever can write to the folder could put other keys there, as long as they look private.
func TestOpenRefusesFolderOfOthers(t *testing.T) {
	_, cfg, _ := create(t, false)
	for _, mode := range []os.FileMode{0o770, 0o707, 0o722} {
		if err := os.Chmod(cfg.Dir, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := ca.Open(cfg); !errors.Is(err, ca.ErrFolder) {
			t.Errorf("folder of mode %o: %v", mode, err)
		}
	}
}

// The key of the TLS CA is read by the same rules as the others.
func TestOpenRefusesOtherKindOfTLSKey(t *testing.T) {
	_, cfg, _ := create(t, false)
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	b := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if err := os.WriteFile(filepath.Join(cfg.Dir, "tls-ca.key"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ca.Open(cfg); err == nil || errors.Is(err, ca.ErrBundle) {
		t.Errorf("a P-384 key is taken for a key of ours: %v", err)
	}
}

// A start that failed half way must not be in the way of the next.
func TestCreateAllOrNothing(t *testing.T) {
	cfg := ca.Config{Dir: filepath.Join(t.TempDir(), "data", "keys"), Now: time.Now}
	if _, err := ca.Create(cfg, "no UTF-8: \xff"); err == nil {
		t.Fatal("a certificate with a broken name")
	}
	left, err := os.ReadDir(filepath.Dir(cfg.Dir))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if err := os.Mkdir(cfg.Dir, 0o750); err != nil { // as a package may do
		t.Fatal(err)
	}
	if _, err := ca.Create(cfg, "青葉町"); err != nil {
		t.Fatal(err)
	}
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, "something"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ca.Create(ca.Config{Dir: other, Now: time.Now}, "x"); !errors.Is(err, ca.ErrExists) {
		t.Errorf("a folder in use: %v", err)
	}
}

func TestIssue(t *testing.T) {
	a, _, clock := create(t, false)
	k, err := cert.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := cert.ParseBundle(a.BundleBytes())
	if err != nil {
		t.Fatal(err)
	}
	device, err := a.IssueDevice("d1", "user:tanaka", cert.GradeSystem, k.Public())
	if err != nil {
		t.Fatal(err)
	}
	desk, err := a.IssueDesk("k1", cert.ZoneLGWAN, cert.GradeFile, k.Public())
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[time.Duration]bool{0: true, ca.Life - time.Second: true, ca.Life + cert.Skew + time.Second: false, -2 * cert.Skew: false} {
		now := clock.now.Add(at)
		if got := device.Verify(cert.KindDevice, bundle.DeviceCAs, now, cert.Skew) == nil; got != want {
			t.Errorf("device after %v: %v", at, got)
		}
		if got := desk.Verify(cert.KindDesk, bundle.DeskCAs, now, cert.Skew) == nil; got != want {
			t.Errorf("desk after %v: %v", at, got)
		}
	}
	if device.Verify(cert.KindDevice, bundle.DeskCAs, clock.now, 0) == nil || desk.Verify(cert.KindDesk, bundle.DeviceCAs, clock.now, 0) == nil {
		t.Error("the other kind's CA is accepted")
	}
	if _, err := a.IssueDesk("k1", "moon", cert.GradeFile, k.Public()); err == nil {
		t.Error("a desk of no zone")
	}
	until := clock.now.Add(ca.Life)
	if !ca.Renew(until, clock.now.Add(-2*cert.Skew)) {
		t.Error("a certificate that a clock that was ahead has made is kept")
	}
	if ca.Renew(until, clock.now.Add(ca.Life/2)) || !ca.Renew(until, clock.now.Add(ca.Life*2/3+time.Second)) {
		t.Error("renewal is not at two thirds")
	}
}

func TestServerCertificateRenewsItself(t *testing.T) {
	a, _, clock := create(t, false)
	cfg, err := a.ServerTLS([]string{"gw.example.jp", "192.0.2.1", "::1"})
	if err != nil {
		t.Fatal(err)
	}
	serial := func() string {
		t.Helper()
		c, err := cfg.GetCertificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"gw.example.jp", "192.0.2.1", "::1"} {
			_, err = c.Leaf.Verify(x509.VerifyOptions{
				DNSName: name, Roots: a.Bundle().Pool(), CurrentTime: clock.now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
			})
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		return c.Leaf.SerialNumber.String()
	}
	first := serial()
	clock.now = clock.now.AddDate(0, 0, 55)
	if serial() != first {
		t.Error("renewed too early")
	}
	clock.now = clock.now.AddDate(0, 0, 10)
	if serial() == first {
		t.Error("not renewed at two thirds")
	}
	clock.now = clock.now.AddDate(3, 0, 0) // the machine's clock was wrong for a while: serial checks validity
	serial()
	clock.now = clock.now.AddDate(-3, 0, 0)
	serial()
	if _, err := a.ServerTLS(nil); err == nil {
		t.Error("a certificate for nobody")
	}
}

func TestPublicTLSNamesNoCA(t *testing.T) {
	a, _, _ := create(t, true)
	if len(a.Bundle().TLS) != 0 || a.Fingerprint() != [32]byte{} {
		t.Error("the bundle pins a CA that the gateway does not use")
	}
}
