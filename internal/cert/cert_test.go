package cert_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"jiseki/internal/cert"
	"jiseki/internal/cert/certtest"
)

var now = time.Date(2026, 11, 23, 9, 30, 0, 123e6, time.UTC)

func TestCertificateVerify(t *testing.T) {
	ca, next, other := certtest.Key(t, "device ca"), certtest.Key(t, "device ca next"), certtest.Key(t, "desk ca")
	key := certtest.Key(t, "device").Public()
	c := certtest.Issue(t, ca, cert.KindDevice, "pc-0102", "user:sato", key, now)
	trusted := []cert.PublicKey{next.Public(), ca.Public()}

	for _, tt := range []struct {
		name string
		kind cert.Kind
		cas  []cert.PublicKey
		now  time.Time
		want error
	}{
		{"valid", cert.KindDevice, trusted, now, nil},
		{"first moment with skew", cert.KindDevice, trusted, c.NotBefore.Add(-cert.Skew), nil},
		{"one earlier", cert.KindDevice, trusted, c.NotBefore.Add(-cert.Skew - time.Millisecond), cert.ErrClockSkew},
		{"last moment with skew", cert.KindDevice, trusted, c.NotAfter.Add(cert.Skew - time.Millisecond), nil},
		{"one later", cert.KindDevice, trusted, c.NotAfter.Add(cert.Skew), cert.ErrExpired},
		{"other kind", cert.KindDesk, trusted, now, cert.ErrKind},
		{"other CA", cert.KindDevice, []cert.PublicKey{other.Public()}, now, cert.ErrIssuer},
		{"no CA", cert.KindDevice, nil, now, cert.ErrIssuer},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := c.Verify(tt.kind, tt.cas, tt.now, cert.Skew); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestEveryChangedBitIsRefused(t *testing.T) {
	ca := certtest.Key(t, "device ca")
	good := certtest.Issue(t, ca, cert.KindDevice, "pc-0102", "user:sato", certtest.Key(t, "device").Public(), now).Append(nil)
	for i := range good {
		b := bytes.Clone(good)
		b[i] ^= 1 << (i % 8)
		c, err := cert.ParseCertificate(b)
		if err == nil {
			err = c.Verify(cert.KindDevice, []cert.PublicKey{ca.Public()}, now, cert.Skew)
		}
		if err == nil {
			t.Errorf("byte %d changed and nobody saw it", i)
		}
	}
}

func TestSignRefusesWhatParseRefuses(t *testing.T) {
	ca := certtest.Key(t, "device ca")
	good := certtest.Issue(t, ca, cert.KindDevice, "pc-0102", "user:sato", certtest.Key(t, "device").Public(), now)
	for name, change := range map[string]func(*cert.Certificate){
		"no subject":       func(c *cert.Certificate) { c.Subject = "" },
		"long subject":     func(c *cert.Certificate) { c.Subject = strings.Repeat("x", 65) },
		"endless subject":  func(c *cert.Certificate) { c.Subject = strings.Repeat("x", 256+7) },
		"subject no UTF-8": func(c *cert.Certificate) { c.Subject = "\xff" },
		"owner":            func(c *cert.Certificate) { c.Owner = "sato" },
		"owner without id": func(c *cert.Certificate) { c.Owner = "user:" },
		"owner of a desk":  func(c *cert.Certificate) { c.Owner = "lgwan" },
		"kind":             func(c *cert.Certificate) { c.Kind = 3 },
		"grade":            func(c *cert.Certificate) { c.Grade = 0 },
		"key not a point":  func(c *cert.Certificate) { c.Key[64] ^= 1 },
		"ends at start":    func(c *cert.Certificate) { c.NotAfter = c.NotBefore },
	} {
		t.Run(name, func(t *testing.T) {
			c := *good
			change(&c)
			if err := c.Sign(ca); !errors.Is(err, cert.ErrRange) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestStatementVerify(t *testing.T) {
	desk := certtest.Key(t, "desk")
	s := certtest.Statement(t, desk, cert.NoiseKey{1, 2, 3}, now)
	for _, tt := range []struct {
		name string
		key  cert.PublicKey
		now  time.Time
		want error
	}{
		{"valid", desk.Public(), now, nil},
		{"expired", desk.Public(), s.NotAfter.Add(cert.Skew), cert.ErrExpired},
		{"seven days ahead", desk.Public(), s.NotAfter.Add(-cert.StatementLife - cert.Skew), nil},
		{"more than seven days ahead", desk.Public(), s.NotAfter.Add(-cert.StatementLife - cert.Skew - time.Millisecond), cert.ErrClockSkew},
		{"other desk's", certtest.Key(t, "other desk").Public(), now, cert.ErrSignature},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := s.Verify(tt.key, tt.now, cert.Skew); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestErrorShowsBothClocks(t *testing.T) {
	s := certtest.Statement(t, certtest.Key(t, "desk"), cert.NoiseKey{}, now)
	err := s.Verify(certtest.Key(t, "desk").Public(), now.Add(48*time.Hour), cert.Skew)
	for _, part := range []string{"expired", "2026-11-25T09:30:00.123Z", "2026-11-24T09:30:00.123Z"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in %q", part, err)
		}
	}
}

func TestSignatureOutOfRangeIsRefused(t *testing.T) {
	k := certtest.Key(t, "device")
	sig, err := k.Sign(cert.ContextEnrol, []byte("m"))
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Public().Verify(cert.ContextEnrol, []byte("m"), sig); err != nil {
		t.Fatal(err)
	}
	order := []byte("\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51")
	for name, change := range map[string]func(*cert.Signature){
		"zero":  func(s *cert.Signature) { *s = cert.Signature{} },
		"r = 0": func(s *cert.Signature) { clear(s[:32]) },
		"s = n": func(s *cert.Signature) { copy(s[32:], order) },
		"r = n": func(s *cert.Signature) { copy(s[:32], order) },
	} {
		bad := sig
		change(&bad)
		if err := k.Public().Verify(cert.ContextEnrol, []byte("m"), bad); !errors.Is(err, cert.ErrSignature) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if err := k.Public().Verify(cert.ContextSignIn, []byte("m"), sig); !errors.Is(err, cert.ErrSignature) {
		t.Errorf("other context: got %v", err)
	}
}

func TestProofs(t *testing.T) {
	k, other := certtest.Key(t, "device"), certtest.Key(t, "other device")
	request := cert.Request{Nonce: cert.Nonce{1}, Session: cert.SessionID{2}, User: "sato", Desk: "desk-1", NoiseKey: cert.NoiseKey{3}}
	signIn := cert.SignIn{Nonce: cert.Nonce{1}, User: "sato", Device: "pc-0102"}
	hello := cert.AgentHello{Nonce: cert.Nonce{1}, Desk: "desk-1", Statement: [32]byte{4}}
	long := strings.Repeat("x", 256+4)
	for _, tt := range []struct {
		name    string
		sign    func(cert.PrivateKey) (cert.Signature, error)
		verify  func(cert.PublicKey, cert.Signature) error
		changed func(cert.PublicKey, cert.Signature) error
		tooLong func(cert.PublicKey, cert.Signature) error
	}{
		{
			"request", request.Sign, request.Verify,
			func() cert.Request { r := request; r.User, r.Desk = "sat", "odesk-1"; return r }().Verify,
			func() cert.Request { r := request; r.Desk = long; return r }().Verify,
		},
		{
			"sign-in", signIn.Sign, signIn.Verify,
			cert.SignIn{Nonce: cert.Nonce{9}, User: "sato", Device: "pc-0102"}.Verify,
			cert.SignIn{User: long, Device: "pc"}.Verify,
		},
		{
			"agent hello", hello.Sign, hello.Verify,
			cert.AgentHello{Nonce: cert.Nonce{1}, Desk: "desk-1", Statement: [32]byte{5}}.Verify,
			cert.AgentHello{Desk: long}.Verify,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sig, err := tt.sign(k)
			if err != nil {
				t.Fatal(err)
			}
			if err := tt.verify(k.Public(), sig); err != nil {
				t.Error(err)
			}
			if err := tt.verify(other.Public(), sig); !errors.Is(err, cert.ErrSignature) {
				t.Errorf("other key: %v", err)
			}
			if err := tt.changed(k.Public(), sig); !errors.Is(err, cert.ErrSignature) {
				t.Errorf("changed: %v", err)
			}
			if err := tt.tooLong(k.Public(), sig); !errors.Is(err, cert.ErrRange) {
				t.Errorf("too long: %v", err)
			}
		})
	}
}

func TestEnrolProvesItsOwnKey(t *testing.T) {
	k := certtest.Key(t, "device")
	p := cert.Enrol{Nonce: cert.Nonce{7}, Key: k.Public()}
	sig, err := p.Sign(k)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Verify(sig); err != nil {
		t.Error(err)
	}
	p.Key = certtest.Key(t, "other device").Public()
	if err := p.Verify(sig); !errors.Is(err, cert.ErrSignature) {
		t.Errorf("other key: %v", err)
	}
}

func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "identity.key")
	k, err := cert.LoadOrCreateKey(path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := cert.LoadOrCreateKey(path)
	if err != nil {
		t.Fatal(err)
	}
	if k.Public() != again.Public() {
		t.Error("another key after loading")
	}
	sig, err := again.Sign(cert.ContextEnrol, []byte("m"))
	if err != nil || k.Public().Verify(cert.ContextEnrol, []byte("m"), sig) != nil {
		t.Errorf("loaded key does not sign: %v", err)
	}
	st, err := os.Stat(path)
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
	if err := cert.SaveKey(path, k); !errors.Is(err, fs.ErrExist) {
		t.Errorf("replaced a key: %v", err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestLoadKeyRefuses(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good")
	k, err := cert.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	if err := cert.SaveKey(good, k); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"empty": nil, "cut": text[:len(text)/2], "two keys": append(bytes.Clone(text), text...),
		"huge": bytes.Repeat(text, 100), "no key": []byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
	} {
		path := filepath.Join(dir, "bad "+name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := cert.LoadKey(path); err == nil {
			t.Errorf("%s: loaded", name)
		}
	}
	if err := os.Chmod(good, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := cert.LoadKey(good); !errors.Is(err, cert.ErrExposed) {
		t.Errorf("open to the group: %v", err)
	}
	if _, err := cert.LoadKey(filepath.Join(dir, "missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
}

func TestPrivateKeyIsNotPrinted(t *testing.T) {
	k := certtest.Key(t, "device")
	d := certtest.Scalar("device")
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("key", "key", k)
	for _, s := range []string{fmt.Sprintf("%v %+v %#v %s", k, k, k, k), log.String()} {
		if !strings.Contains(s, k.Public().ID().String()) {
			t.Errorf("no fingerprint in %q", s)
		}
		if strings.Contains(s, fmt.Sprintf("%x", d[:4])) || len(s) > 400 {
			t.Errorf("too much in %q", s)
		}
	}
}

func TestCertificateRoundTrip(t *testing.T) {
	ca := certtest.Key(t, "device ca")
	key := certtest.Key(t, "device").Public()
	rapid.Check(t, func(t *rapid.T) {
		start := rapid.Int64Range(0, 1<<50).Draw(t, "start")
		c := &cert.Certificate{
			Kind:      cert.KindDevice,
			Subject:   rapid.StringN(1, 16, cert.MaxID).Draw(t, "subject"),
			Owner:     "section:" + rapid.StringN(1, 16, cert.MaxID).Draw(t, "section"),
			Grade:     cert.Grade(rapid.Uint8Range(1, 3).Draw(t, "grade")),
			Key:       key,
			NotBefore: time.UnixMilli(start).UTC(),
			NotAfter:  time.UnixMilli(start + rapid.Int64Range(1, 1<<50).Draw(t, "life")).UTC(),
		}
		copy(c.Serial[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "serial"))
		if err := c.Sign(ca); err != nil {
			t.Fatal(err)
		}
		got, err := cert.ParseCertificate(c.Append(nil))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c, got); diff != "" {
			t.Fatal(diff)
		}
	})
}
