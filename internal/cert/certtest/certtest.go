// Package certtest makes identity keys that are the same in every run, and certificates with them. For tests only: anybody
// can make these keys.
package certtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"io"
	"testing"
	"time"

	"jiseki/internal/cert"
)

// signer signs deterministically (RFC 6979), so that vectors do not change from run to run.
type signer struct{ *ecdsa.PrivateKey }

func (s signer) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return s.PrivateKey.Sign(nil, digest, opts)
}

// Scalar is the private key that Key makes of a label.
func Scalar(label string) [32]byte { return sha256.Sum256([]byte("jiseki test key " + label)) }

// Key makes the key of a label. Equal labels give equal keys.
func Key(t testing.TB, label string) *cert.SignerKey {
	t.Helper()
	d := Scalar(label)
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d[:])
	if err != nil {
		t.Fatal(err)
	}
	k, err := cert.WrapSigner(signer{private}, cert.GradeFile)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// Issue makes a certificate for key, valid for 90 days from one hour before now.
func Issue(t testing.TB, ca cert.PrivateKey, kind cert.Kind, subject, owner string, key cert.PublicKey, now time.Time) *cert.Certificate {
	t.Helper()
	c := &cert.Certificate{
		Kind: kind, Serial: cert.Serial(key[1:17]), Subject: subject, Owner: owner, Grade: cert.GradeSystem, Key: key,
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(90 * 24 * time.Hour),
	}
	if err := c.Sign(ca); err != nil {
		t.Fatal(err)
	}
	return c
}

// Statement makes a desk statement that ends in one day.
func Statement(t testing.TB, desk cert.PrivateKey, noise cert.NoiseKey, now time.Time) *cert.DeskStatement {
	t.Helper()
	s := &cert.DeskStatement{NoiseKey: noise, NotAfter: now.Add(24 * time.Hour)}
	if err := s.Sign(desk); err != nil {
		t.Fatal(err)
	}
	return s
}
