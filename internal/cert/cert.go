// Package cert holds the identities of devices and desks: key types, certificates, desk statements, the trust bundle, and
// what identity keys sign when they prove themselves. The byte forms are those of PROTOCOL.md sections 1 and 2. It does no
// I/O except for key files.
package cert

import (
	"crypto/rand"
	"strings"
	"time"
)

// Skew is the clock skew allowed against signed gateway time.
const Skew = 60 * time.Second

// MaxID is the greatest length of the id of a user, section, device or desk, in bytes of UTF-8.
const MaxID = 64

// A Kind says what a certificate is for.
type Kind uint8

// The kinds of certificate.
const (
	KindDevice Kind = 1
	KindDesk   Kind = 2
)

// The zones of desks, as a certificate's owner says them.
const (
	ZoneLGWAN    = "lgwan"
	ZoneInternet = "internet"
	ZoneMyNumber = "mynumber"
)

// A Serial is the random number of a certificate.
type Serial [16]byte

// A Certificate binds an identity key to a device or a desk.
type Certificate struct {
	Kind      Kind
	Serial    Serial
	Issuer    KeyID     // the CA key that signed; set by Sign
	Subject   string    // id of the device or desk, 1 to MaxID bytes
	Owner     string    // device: user:<id>, section:<id> or all; desk: its zone
	Grade     Grade     // where the identity key lives
	Key       PublicKey // the identity key
	NotBefore time.Time // valid from, included; whole milliseconds
	NotAfter  time.Time // valid until, excluded; whole milliseconds
	Signature Signature // set by Sign
}

const (
	certificateMagic = "JC"
	formatVersion    = 1
	certificateName  = "certificate"
	ownerAll         = "all"
	maxOwner         = len("section:") + MaxID
)

// NewSerial draws a serial number.
func NewSerial() Serial {
	var s Serial
	rand.Read(s[:]) // never fails
	return s
}

// Append appends the byte form of a certificate that Sign or ParseCertificate made.
func (c *Certificate) Append(b []byte) []byte {
	return append(c.appendSigned(b), c.Signature[:]...)
}

func (c *Certificate) appendSigned(b []byte) []byte {
	b = append(b, certificateMagic...)
	b = append(b, formatVersion, byte(c.Kind))
	b = append(b, c.Serial[:]...)
	b = append(b, c.Issuer[:]...)
	b = AppendString(b, c.Subject)
	b = AppendString(b, c.Owner)
	b = append(b, byte(c.Grade))
	b = append(b, c.Key[:]...)
	b = AppendTime(b, c.NotBefore)
	return AppendTime(b, c.NotAfter)
}

// ParseCertificate reads a certificate and keeps no reference to b. It checks the form only: nothing of it may be trusted
// before Verify. Errors are *Error.
func ParseCertificate(b []byte) (*Certificate, error) {
	r := NewReader(b)
	r.Header(certificateMagic, formatVersion)
	c := &Certificate{Kind: Kind(r.Uint8())}
	r.Require(c.Kind == KindDevice || c.Kind == KindDesk)
	r.Bytes(c.Serial[:])
	r.Bytes(c.Issuer[:])
	c.Subject = r.String(1, MaxID)
	c.Owner = r.String(1, maxOwner)
	r.Require(validOwner(c.Kind, c.Owner))
	c.Grade = Grade(r.Uint8())
	r.Require(c.Grade >= GradeHardware && c.Grade <= GradeFile)
	c.Key = r.Key()
	c.NotBefore = r.Time()
	c.NotAfter = r.Time()
	r.Require(c.NotBefore.Before(c.NotAfter))
	r.Bytes(c.Signature[:])
	if err := r.Done(certificateName); err != nil {
		return nil, err
	}
	return c, nil
}

func validOwner(k Kind, owner string) bool {
	if k == KindDesk {
		return owner == ZoneLGWAN || owner == ZoneInternet || owner == ZoneMyNumber
	}
	if owner == ownerAll {
		return true
	}
	role, id, _ := strings.Cut(owner, ":")
	return (role == "user" || role == "section") && len(id) >= 1 && len(id) <= MaxID
}

// Sign signs c with a CA key: it cuts the times to milliseconds and sets Issuer and Signature. It refuses what
// ParseCertificate would refuse.
func (c *Certificate) Sign(ca PrivateKey) error {
	if len(c.Subject) > MaxID || len(c.Owner) > maxOwner {
		return &Error{What: certificateName, Code: CodeRange}
	}
	c.Issuer = ca.Public().ID()
	c.NotBefore = c.NotBefore.UTC().Truncate(time.Millisecond)
	c.NotAfter = c.NotAfter.UTC().Truncate(time.Millisecond)
	if _, err := ParseCertificate(c.Append(nil)); err != nil {
		return err
	}
	sig, err := ca.Sign(ContextCertificate, c.appendSigned(nil))
	if err != nil {
		return err
	}
	c.Signature = sig
	return nil
}

// Verify returns nil if c is a certificate of this kind, signed by one of the CA keys, and valid at now give or take skew.
// The errors are *Error: CodeKind, CodeIssuer, CodeSignature, CodeClockSkew (not yet valid) or CodeExpired. Revocation is
// not part of it.
func (c *Certificate) Verify(kind Kind, cas []PublicKey, now time.Time, skew time.Duration) error {
	if c.Kind != kind {
		return &Error{What: certificateName, Code: CodeKind}
	}
	if err := VerifyIssued(certificateName, ContextCertificate, cas, c.Issuer, c.appendSigned(nil), c.Signature); err != nil {
		return err
	}
	return CheckWindow(certificateName, c.NotBefore, c.NotAfter, now, skew)
}

// VerifyIssued finds the key with the id issuer among the trusted keys and verifies sig over message with it. Errors are
// *Error about what, with CodeIssuer or CodeSignature.
func VerifyIssued(what string, context Context, trusted []PublicKey, issuer KeyID, message []byte, sig Signature) error {
	for _, k := range trusted {
		if k.ID() != issuer {
			continue
		}
		if k.Verify(context, message, sig) != nil {
			return &Error{What: what, Code: CodeSignature}
		}
		return nil
	}
	return &Error{What: what, Code: CodeIssuer}
}
