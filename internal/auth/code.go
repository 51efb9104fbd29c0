package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"

	"jiseki/internal/access"
	"jiseki/internal/paper"
)

// Codes that are printed.
const (
	deviceCodeChars   = 14 // 70 bits, and two check characters
	recoveryCodeChars = 14
	// DeviceCodeDays is how long a one-time code is good.
	DeviceCodeDays = 7
	// RecoveryCodes is how many recovery codes a user gets.
	RecoveryCodes = 10
)

// NewDeviceCode draws a one-time code to enrol a device: the text for the slip, and the hash to keep.
func NewDeviceCode() (text string, hash [32]byte) { return newCode("device", deviceCodeChars) }

// ParseDeviceCode reads a typed code. A mistyped one is told from a wrong one, so that it costs no try.
func ParseDeviceCode(typed string) ([32]byte, error) {
	return parseCode("device", typed, deviceCodeChars)
}

// NewRecoveryCodes draws the codes that replace a lost one-time password generator, each good once.
func NewRecoveryCodes() (texts []string, hashes [][32]byte) {
	for range RecoveryCodes {
		text, hash := newCode("recovery", recoveryCodeChars)
		texts, hashes = append(texts, text), append(hashes, hash)
	}
	return texts, hashes
}

// ParseRecoveryCode reads a typed code.
func ParseRecoveryCode(typed string) ([32]byte, error) {
	return parseCode("recovery", typed, recoveryCodeChars)
}

func newCode(purpose string, n int) (string, [32]byte) {
	var b [16]byte
	rand.Read(b[:]) // never fails
	text := paper.Encode(b[:], n)
	return paper.Format("", text, 4), codeHash(purpose, text)
}

func parseCode(purpose, typed string, n int) ([32]byte, error) {
	text, err := paper.Parse("", typed, n)
	if err != nil {
		return [32]byte{}, refuse(access.CodeMistyped)
	}
	return codeHash(purpose, text), nil
}

func codeHash(purpose, text string) [32]byte {
	return sha256.Sum256([]byte("jiseki-code-1\x00" + purpose + "\x00" + text))
}

// newToken draws a sign-in's token for the cookie, and gives the hash to keep: 128 random bits, and as many by which
// the gateway knows its own, so that the database is asked about no token that somebody made up.
func newToken(secret [32]byte) (text string, hash [32]byte) {
	var b [32]byte
	rand.Read(b[:16]) // never fails
	copy(b[16:], tokenMAC(secret, b[:16]))
	return base64.RawURLEncoding.EncodeToString(b[:]), tokenHash(b)
}

var errToken = errors.New("auth: not a token")

func parseToken(secret [32]byte, text string) ([32]byte, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != 32 || !hmac.Equal(b[16:], tokenMAC(secret, b[:16])) {
		return [32]byte{}, errToken
	}
	return tokenHash([32]byte(b)), nil
}

func tokenMAC(secret [32]byte, random []byte) []byte {
	mac := hmac.New(sha256.New, secret[:])
	mac.Write(random)
	return mac.Sum(nil)[:16]
}

func tokenHash(b [32]byte) [32]byte {
	return sha256.Sum256(append([]byte("jiseki-sign-in-1\x00"), b[:]...))
}
