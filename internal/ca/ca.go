// Package ca holds the gateway's keys and issues certificates with them. The keys of the TLS CA, device CA, desk CA, of
// grants and of the audit log are separate, with separate uses, one file each that only the gateway's user can read. It
// decides nothing: who may have a certificate is for its callers.
package ca

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"jiseki/internal/cert"
	"jiseki/internal/durable"
)

// Life is how long certificates of devices and desks last. They are renewed when two thirds have passed.
const Life = 90 * 24 * time.Hour

// Renew says whether two thirds of a certificate's life are over, or whether a clock that was ahead made it: it is not
// valid yet.
func Renew(until, now time.Time) bool {
	left := until.Sub(now)
	return left < Life/3 || left > Life+cert.Skew
}

// Names of the files.
const (
	tlsKeyFile    = "tls-ca.key"
	tlsCertFile   = "tls-ca.crt"
	deviceKeyFile = "device-ca.key"
	deskKeyFile   = "desk-ca.key"
	grantKeyFile  = "grant.key"
	auditKeyFile  = "audit.key"
	secretFile    = "secret.key"
	bundleFile    = "trust.bundle"
)

// public is the mode of the files that everybody may read.
const public = 0o644

// PEM types.
const (
	pemSecret      = "JISEKI SECRET"
	pemCertificate = "CERTIFICATE"
)

// ErrExists means that there is something in the folder already.
var ErrExists = errors.New("ca: there are keys already")

// ErrBundle means that the trust bundle in the folder does not belong to the keys in it.
var ErrBundle = errors.New("ca: trust bundle and keys do not belong together")

// ErrFolder means that others could exchange the keys.
var ErrFolder = errors.New("other users can write to the folder of the keys")

// Config says where the keys are.
type Config struct {
	// Dir is the folder of the keys, mode 0700.
	Dir string
	// Now is the gateway's clock.
	Now func() time.Time
	// PublicTLS: the gateway's TLS certificate comes from outside, by a CA that every system knows, so bundles name no
	// TLS CA.
	PublicTLS bool
	// Names are the host names and addresses that a new TLS CA may sign. Open does not use them.
	Names []string
}

// Authority issues certificates. It is safe for concurrent use.
type Authority struct {
	dir    string
	now    func() time.Time
	device *cert.SignerKey
	desk   *cert.SignerKey
	grant  *cert.SignerKey
	audit  *cert.SignerKey
	secret [32]byte
	tls    tlsCA
	bundle *cert.Bundle
	text   []byte
}

// Create makes all keys for an organisation and opens them. The folder appears with all of them or not at all; one that
// holds anything already is left alone: ErrExists.
func Create(cfg Config, organisation string) (a *Authority, err error) {
	parent := filepath.Dir(filepath.Clean(cfg.Dir))
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return nil, fmt.Errorf("ca: %w", err)
	}
	dir, err := os.MkdirTemp(parent, ".keys-*") // mode 0700
	if err != nil {
		return nil, fmt.Errorf("ca: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := fill(dir, cfg, organisation); err != nil {
		return nil, fmt.Errorf("ca: %w", err)
	}
	if err := put(dir, cfg.Dir); err != nil {
		return nil, err
	}
	return Open(cfg)
}

// put gives a finished folder its name, unless there is something already.
func put(dir, name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) { // removes an empty folder only
		if errors.Is(err, fs.ErrExist) {
			return ErrExists
		}
		return fmt.Errorf("ca: %w", err)
	}
	if err := durable.Rename(dir, name); err != nil {
		if errors.Is(err, fs.ErrExist) { // somebody was faster
			return ErrExists
		}
		return fmt.Errorf("ca: %w", err)
	}
	return nil
}

// fill makes all files.
func fill(dir string, cfg Config, organisation string) error {
	keys := map[string]*cert.SignerKey{}
	for _, name := range []string{tlsKeyFile, deviceKeyFile, deskKeyFile, grantKeyFile, auditKeyFile} {
		k, err := cert.GenerateKey()
		if err != nil {
			return err
		}
		if err := cert.SaveKey(filepath.Join(dir, name), k); err != nil {
			return err
		}
		keys[name] = k
	}
	if err := createSecret(dir); err != nil {
		return err
	}
	root, err := newRoot(keys[tlsKeyFile], organisation, cfg.Now(), cfg.Names)
	if err != nil {
		return err
	}
	if err := durable.Create(filepath.Join(dir, tlsCertFile), pem.EncodeToMemory(&pem.Block{Type: pemCertificate, Bytes: root}), public); err != nil {
		return err
	}
	b := &cert.Bundle{
		Version:   1,
		DeviceCAs: []cert.PublicKey{keys[deviceKeyFile].Public()},
		DeskCAs:   []cert.PublicKey{keys[deskKeyFile].Public()},
		Grants:    []cert.PublicKey{keys[grantKeyFile].Public()},
	}
	if !cfg.PublicTLS {
		b.TLS = [][]byte{root}
	}
	return durable.Create(filepath.Join(dir, bundleFile), b.Append(nil), public)
}

// Open loads the keys. It refuses key files that others can read, a folder in which others could exchange them, and a
// trust bundle whose first keys are not these.
func Open(cfg Config) (*Authority, error) {
	if err := checkFolder(cfg.Dir); err != nil {
		return nil, err
	}
	a := &Authority{dir: cfg.Dir, now: cfg.Now}
	for name, k := range map[string]**cert.SignerKey{
		deviceKeyFile: &a.device, deskKeyFile: &a.desk, grantKeyFile: &a.grant, auditKeyFile: &a.audit,
	} {
		var err error
		if *k, err = cert.LoadKey(filepath.Join(cfg.Dir, name)); err != nil {
			return nil, fmt.Errorf("ca: %w", err)
		}
	}
	if err := a.loadSecret(); err != nil {
		return nil, err
	}
	if err := a.tls.load(cfg.Dir, cfg.Now); err != nil {
		return nil, err
	}
	return a, a.loadBundle()
}

// checkFolder refuses a folder that others than its owner can write to.
func checkFolder(dir string) error {
	st, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("ca: %w", err)
	}
	if runtime.GOOS != "windows" && st.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("ca: %s: %w (mode %04o, expected 0700)", dir, ErrFolder, st.Mode().Perm())
	}
	return nil
}

func (a *Authority) loadBundle() error {
	b, err := os.ReadFile(filepath.Join(a.dir, bundleFile))
	if err != nil {
		return fmt.Errorf("ca: %w", err)
	}
	a.bundle, err = cert.ParseBundle(b)
	if err != nil {
		return fmt.Errorf("ca: %w", err)
	}
	if a.bundle.DeviceCAs[0] != a.device.Public() || a.bundle.DeskCAs[0] != a.desk.Public() || a.bundle.Grants[0] != a.grant.Public() ||
		(len(a.bundle.TLS) > 0 && !slices.Equal(a.bundle.TLS[0], a.tls.root.Raw)) {
		return ErrBundle
	}
	a.text = b
	return nil
}

// Bundle is what devices and desks trust. It must not be changed.
func (a *Authority) Bundle() *cert.Bundle { return a.bundle }

// BundleBytes is the byte form of Bundle. It must not be changed.
func (a *Authority) BundleBytes() []byte { return a.text }

// GrantKey signs grants and orders.
func (a *Authority) GrantKey() cert.PrivateKey { return a.grant }

// AuditKey signs heads of the audit log.
func (a *Authority) AuditKey() cert.PrivateKey { return a.audit }

// AuditKeys verify heads of the audit log.
func (a *Authority) AuditKeys() []cert.PublicKey { return []cert.PublicKey{a.audit.Public()} }

// Fingerprint is SHA-256 of the TLS CA's DER, for enrolment tokens; zero if a public CA signed the gateway's
// certificate.
func (a *Authority) Fingerprint() [32]byte {
	if f := a.bundle.Fingerprints(); len(f) > 0 {
		return f[0]
	}
	return [32]byte{}
}

// IssueDevice certifies a device's identity key for its owner ("user:<id>", "section:<id>" or "all").
func (a *Authority) IssueDevice(id, owner string, grade cert.Grade, key cert.PublicKey) (*cert.Certificate, error) {
	return a.issue(a.device, cert.KindDevice, id, owner, grade, key)
}

// IssueDesk certifies a desk's identity key for its zone.
func (a *Authority) IssueDesk(id, zone string, grade cert.Grade, key cert.PublicKey) (*cert.Certificate, error) {
	return a.issue(a.desk, cert.KindDesk, id, zone, grade, key)
}

// Present reads the certificate that a device or desk has, and gives it back while it is not to be issued anew: the key
// in use signed it, and it is not time ([Renew]). Otherwise it is nil.
func (a *Authority) Present(kind cert.Kind, raw []byte) *cert.Certificate {
	c, err := cert.ParseCertificate(raw)
	if err != nil {
		return nil
	}
	by := a.device
	if kind == cert.KindDesk {
		by = a.desk
	}
	now := a.now()
	if c.Verify(kind, []cert.PublicKey{by.Public()}, now, cert.Skew) != nil || Renew(c.NotAfter, now) {
		return nil
	}
	return c
}

func (a *Authority) issue(by *cert.SignerKey, kind cert.Kind, id, owner string, grade cert.Grade, key cert.PublicKey) (*cert.Certificate, error) {
	now := a.now()
	c := &cert.Certificate{
		Kind: kind, Serial: cert.NewSerial(), Subject: id, Owner: owner, Grade: grade, Key: key, NotBefore: now, NotAfter: now.Add(Life),
	}
	if err := c.Sign(by); err != nil {
		return nil, fmt.Errorf("ca: issue: %w", err)
	}
	return c, nil
}

// Secret derives a symmetric key of the gateway for one purpose, such as "nonces" or "totp".
func (a *Authority) Secret(purpose string) [32]byte { return deriveSecret(a.secret, purpose) }

func createSecret(dir string) error {
	var b [32]byte
	rand.Read(b[:]) // never fails
	return durable.Create(filepath.Join(dir, secretFile), pem.EncodeToMemory(&pem.Block{Type: pemSecret, Bytes: b[:]}), 0o600)
}

func (a *Authority) loadSecret() error {
	path := filepath.Join(a.dir, secretFile)
	b, err := cert.ReadSecret(path)
	if err != nil {
		return fmt.Errorf("ca: %w", err)
	}
	block, rest := pem.Decode(b)
	if block == nil || block.Type != pemSecret || len(block.Bytes) != len(a.secret) || len(rest) > 0 {
		return fmt.Errorf("ca: %s is no secret", path)
	}
	copy(a.secret[:], block.Bytes)
	return nil
}

func deriveSecret(secret [32]byte, purpose string) [32]byte {
	b, err := hkdf.Key(sha256.New, secret[:], nil, "jiseki-secret-1 "+purpose, 32)
	if err != nil {
		panic("ca: hkdf of 32 bytes cannot fail: " + err.Error())
	}
	return [32]byte(b)
}
