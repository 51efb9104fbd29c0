package cert

import (
	"crypto/sha256"
	"time"
)

// StatementLife is how far ahead the end of a desk statement may lie.
const StatementLife = 7 * 24 * time.Hour

const (
	statementMagic = "JS"
	statementName  = "desk statement"
)

// A DeskStatement binds a desk's rotating X25519 key to its identity key.
type DeskStatement struct {
	NoiseKey  NoiseKey
	NotAfter  time.Time // excluded; at most StatementLife ahead; whole milliseconds
	Signature Signature // set by Sign
}

// Append appends the byte form.
func (s *DeskStatement) Append(b []byte) []byte {
	return append(s.appendSigned(b), s.Signature[:]...)
}

func (s *DeskStatement) appendSigned(b []byte) []byte {
	b = append(b, statementMagic...)
	b = append(b, formatVersion)
	b = append(b, s.NoiseKey[:]...)
	return AppendTime(b, s.NotAfter)
}

// ParseDeskStatement reads a desk statement. It checks the form only. Errors are *Error.
func ParseDeskStatement(b []byte) (*DeskStatement, error) {
	r := NewReader(b)
	r.Header(statementMagic, formatVersion)
	s := &DeskStatement{}
	r.Bytes(s.NoiseKey[:])
	s.NotAfter = r.Time()
	r.Bytes(s.Signature[:])
	if err := r.Done(statementName); err != nil {
		return nil, err
	}
	return s, nil
}

// Sign signs s with the desk's identity key: it cuts NotAfter to milliseconds and sets Signature.
func (s *DeskStatement) Sign(desk PrivateKey) error {
	s.NotAfter = s.NotAfter.UTC().Truncate(time.Millisecond)
	if _, err := ParseDeskStatement(s.Append(nil)); err != nil {
		return err
	}
	sig, err := desk.Sign(ContextDesk, s.appendSigned(nil))
	if err != nil {
		return err
	}
	s.Signature = sig
	return nil
}

// Verify returns nil if s was signed by the desk's identity key and is valid at now give or take skew. The errors are *Error:
// CodeSignature, CodeExpired, or CodeClockSkew if it ends more than StatementLife ahead.
func (s *DeskStatement) Verify(desk PublicKey, now time.Time, skew time.Duration) error {
	if desk.Verify(ContextDesk, s.appendSigned(nil), s.Signature) != nil {
		return &Error{What: statementName, Code: CodeSignature}
	}
	return CheckWindow(statementName, s.NotAfter.Add(-StatementLife), s.NotAfter, now, skew)
}

// Hash is SHA-256 of the byte form, as an agent hello signs it.
func (s *DeskStatement) Hash() [32]byte { return sha256.Sum256(s.Append(nil)) }
