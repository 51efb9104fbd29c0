// Package enrol holds the token that brings a desk to its gateway. The token carries the fingerprint of the gateway's TLS CA,
// so that an agent trusts nothing on first use, and a secret that is worth one enrolment.
package enrol

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

// prefix names kind and version of the text.
const prefix = "jt1_"

// ErrToken means that the text is no token, or not all of it.
var ErrToken = errors.New("enrol: not an enrolment token")

// ErrGateway means that the gateway that answered is not the one that made the token.
var ErrGateway = errors.New("enrol: this is not the gateway of the token")

// Token is what the administrator carries to a desk. Printing or logging it shows nothing.
type Token struct {
	Fingerprint [32]byte // SHA-256 of the DER of the gateway's TLS CA; zero: a public CA, the system's roots count
	Secret      [32]byte
}

// New draws a token for the gateway whose TLS CA has this fingerprint.
func New(fingerprint [32]byte) Token {
	t := Token{Fingerprint: fingerprint}
	rand.Read(t.Secret[:]) // never fails
	return t
}

// Text is the form to copy: prefix, then base64url of fingerprint, secret and four bytes of their SHA-256.
func (t Token) Text() string {
	b := append(t.Fingerprint[:], t.Secret[:]...)
	sum := sha256.Sum256(b)
	return prefix + base64.RawURLEncoding.EncodeToString(append(b, sum[:4]...))
}

// Parse reads Text; white space around it does not matter.
func Parse(s string) (Token, error) {
	text, ok := strings.CutPrefix(strings.TrimSpace(s), prefix)
	if !ok || len(text) != base64.RawURLEncoding.EncodedLen(68) {
		return Token{}, ErrToken
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != 68 { // the decoder passes over line breaks
		return Token{}, ErrToken
	}
	sum := sha256.Sum256(b[:64])
	if string(sum[:4]) != string(b[64:]) {
		return Token{}, ErrToken
	}
	return Token{Fingerprint: [32]byte(b[:32]), Secret: [32]byte(b[32:64])}, nil
}

// Hash is what the gateway keeps of the secret.
func (t Token) Hash() [32]byte { return Hash(t.Secret) }

// Hash is SHA-256 of a secret with its purpose.
func Hash(secret [32]byte) [32]byte {
	return sha256.Sum256(append([]byte("jiseki-desk-token-1\x00"), secret[:]...))
}

// String hides the token.
func (t Token) String() string { return "enrolment token" }

// GoString hides the token.
func (t Token) GoString() string { return t.String() }

// LogValue hides the token.
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }

// TLS is how to reach the gateway before there is a trust bundle: TLS 1.3, for the host name or IP address of the
// gateway's URL, and by no other CA than the one of the token. The gateway sends its CA certificate along. A clock that the caller
// puts into Time counts.
func (t Token) TLS(host string) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS13}
	if t.Fingerprint == [32]byte{} {
		return c
	}
	c.InsecureSkipVerify = true //nolint:gosec // VerifyConnection below does it, with the pinned CA as the only root
	c.VerifyConnection = func(s tls.ConnectionState) error {
		roots, between := x509.NewCertPool(), x509.NewCertPool()
		found := false
		for _, p := range s.PeerCertificates {
			if sha256.Sum256(p.Raw) == t.Fingerprint && p.IsCA {
				roots.AddCert(p)
				found = true
			} else {
				between.AddCert(p)
			}
		}
		if !found || host == "" {
			return ErrGateway
		}
		options := x509.VerifyOptions{
			DNSName: host, Roots: roots, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		}
		if c.Time != nil {
			options.CurrentTime = c.Time()
		}
		_, err := s.PeerCertificates[0].Verify(options)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrGateway, err)
		}
		return nil
	}
	return c
}
