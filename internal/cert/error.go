package cert

import (
	"fmt"
	"time"
)

// A Code names why bytes were refused. Codes are stable: help desks look them up and vectors pin them.
type Code string

// The codes of this package and of package grant.
const (
	CodeShort     Code = "short"      // the bytes end too early
	CodeTrailer   Code = "trailer"    // more bytes follow
	CodeMagic     Code = "magic"      // another structure
	CodeVersion   Code = "version"    // a version that this program does not know
	CodeRange     Code = "range"      // a field has a value that is not allowed
	CodeKind      Code = "kind"       // a certificate of the other kind
	CodeIssuer    Code = "issuer"     // signed by a key that is not trusted for this
	CodeSignature Code = "signature"  // the signature does not verify
	CodeExpired   Code = "expired"    // too late, even with the skew allowed
	CodeClockSkew Code = "clock_skew" // too early, even with the skew allowed: one of the clocks is wrong
)

// An Error says what was refused, why, and with which clocks. Two errors match by errors.Is if the target is one of the
// Err variables and has the same code.
type Error struct {
	What  string    // the structure, such as "certificate"
	Code  Code      // why
	Now   time.Time // the clock of the reader, for CodeExpired and CodeClockSkew
	Limit time.Time // the time in the structure that Now was compared with
}

// What errors.Is can ask for.
var (
	ErrShort     = &Error{Code: CodeShort}
	ErrTrailer   = &Error{Code: CodeTrailer}
	ErrMagic     = &Error{Code: CodeMagic}
	ErrVersion   = &Error{Code: CodeVersion}
	ErrRange     = &Error{Code: CodeRange}
	ErrKind      = &Error{Code: CodeKind}
	ErrIssuer    = &Error{Code: CodeIssuer}
	ErrSignature = &Error{Code: CodeSignature}
	ErrExpired   = &Error{Code: CodeExpired}
	ErrClockSkew = &Error{Code: CodeClockSkew}
)

// Error is safe to show: it holds no secret and no byte of the structure.
func (e *Error) Error() string {
	if e.Limit.IsZero() {
		return fmt.Sprintf("%s refused: %s", e.What, e.Code)
	}
	const form = "2006-01-02T15:04:05.000Z"
	return fmt.Sprintf("%s refused: %s (own clock %s, limit %s)", e.What, e.Code, e.Now.UTC().Format(form), e.Limit.UTC().Format(form))
}

// Is matches errors of the same code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// CheckWindow returns nil if now lies in the half-open time from notBefore to notAfter, give or take skew. Otherwise it
// returns an *Error about what with CodeClockSkew (too early) or CodeExpired (too late).
func CheckWindow(what string, notBefore, notAfter, now time.Time, skew time.Duration) error {
	if now.Add(skew).Before(notBefore) {
		return &Error{What: what, Code: CodeClockSkew, Now: now, Limit: notBefore}
	}
	if !now.Add(-skew).Before(notAfter) {
		return &Error{What: what, Code: CodeExpired, Now: now, Limit: notAfter}
	}
	return nil
}
