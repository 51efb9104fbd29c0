package auth

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // what RFC 6238 and every authenticator app use
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"time"
)

// One-time passwords by time, RFC 6238: SHA-1, 30 s, 6 digits, as every authenticator app has them.
const (
	totpStep   = 30 * time.Second
	totpDigits = 6
	totpWindow = 1 // steps that a clock may be off, either way
	totpKeyLen = 20
)

// NewTOTPKey draws the key of a user's one-time passwords.
func NewTOTPKey() []byte {
	key := make([]byte, totpKeyLen)
	rand.Read(key) // never fails
	return key
}

// TOTPURL is what the QR code for an authenticator app says.
func TOTPURL(key []byte, organisation, user string) string {
	v := url.Values{"secret": {base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(key)}, "issuer": {organisation}}
	u := url.URL{Scheme: "otpauth", Host: "totp", Path: "/" + organisation + ":" + user, RawQuery: v.Encode()}
	return u.String()
}

// checkTOTP finds the time step whose password this is. The caller spends the step, so that it is not used twice.
func checkTOTP(key []byte, typed string, now time.Time) (step int64, ok bool) {
	typed = plain(typed)
	current := now.Unix() / int64(totpStep/time.Second)
	for s := current - totpWindow; s <= current+totpWindow; s++ {
		if subtle.ConstantTimeCompare([]byte(totpAt(key, s, totpDigits)), []byte(typed)) == 1 {
			step, ok = s, true
		}
	}
	return step, ok
}

// totpAt is HOTP (RFC 4226 section 5.3) of the step.
func totpAt(key []byte, step int64, digits int) string {
	m := hmac.New(sha1.New, key)
	_ = binary.Write(m, binary.BigEndian, step) // a hash never fails
	sum := m.Sum(nil)
	offset := sum[len(sum)-1] & 0xf
	v := binary.BigEndian.Uint32(sum[offset:]) & 0x7fffffff
	mod := uint32(1)
	for range digits {
		mod *= 10
	}
	return fmt.Sprintf("%0*d", digits, v%mod)
}

// SealTOTP encrypts the key of a user's one-time passwords for the database, with a key that is not in the database.
func SealTOTP(secret [32]byte, user string, key []byte) ([]byte, error) {
	aead, err := totpAEAD(secret)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize())
	rand.Read(nonce) // never fails
	return aead.Seal(nonce, nonce, key, []byte("jiseki-totp-1\x00"+user)), nil
}

func openTOTP(secret [32]byte, user string, sealed []byte) ([]byte, error) {
	aead, err := totpAEAD(secret)
	if err != nil {
		return nil, err
	}
	if len(sealed) < aead.NonceSize() {
		return nil, errors.New("auth: malformed one-time password key")
	}
	key, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], []byte("jiseki-totp-1\x00"+user))
	if err != nil {
		return nil, fmt.Errorf("auth: one-time password key: %w", err)
	}
	return key, nil
}

func totpAEAD(secret [32]byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(secret[:])
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	return cipher.NewGCM(block)
}
