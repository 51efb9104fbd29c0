package auth

import (
	"context"
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

	"jiseki/internal/access"
	"jiseki/internal/store"
)

// One-time passwords by time, RFC 6238: SHA-1, 30 s, 6 digits, as every authenticator app has them.
const (
	totpStep   = 30 * time.Second
	totpDigits = 6
	totpWindow = 1 // steps that a clock may be off, either way
	totpKeyLen = 20
)

// totpText is how apps write keys.
var totpText = base32.StdEncoding.WithPadding(base32.NoPadding)

// newTOTPKey draws the key of a user's one-time passwords.
func newTOTPKey() []byte {
	key := make([]byte, totpKeyLen)
	rand.Read(key) // never fails
	return key
}

// totpURL is what the QR code for an authenticator app says.
func totpURL(key []byte, organisation, user string) string {
	v := url.Values{"secret": {totpText.EncodeToString(key)}, "issuer": {organisation}}
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

// sealTOTP encrypts the key of a user's one-time passwords for the database, with a key that is not in the database.
func sealTOTP(secret [32]byte, user string, key []byte) ([]byte, error) {
	return seal(secret, "jiseki-totp-1\x00"+user, key)
}

func openTOTP(secret [32]byte, user string, sealed []byte) ([]byte, error) {
	return unseal(secret, "jiseki-totp-1\x00"+user, sealed)
}

func seal(secret [32]byte, label string, plain []byte) ([]byte, error) {
	aead, err := totpAEAD(secret)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize())
	rand.Read(nonce) // never fails
	return aead.Seal(nonce, nonce, plain, []byte(label)), nil
}

func unseal(secret [32]byte, label string, sealed []byte) ([]byte, error) {
	aead, err := totpAEAD(secret)
	if err != nil {
		return nil, err
	}
	if len(sealed) < aead.NonceSize() {
		return nil, errors.New("auth: malformed one-time password key")
	}
	plain, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], []byte(label))
	if err != nil {
		return nil, fmt.Errorf("auth: one-time password key: %w", err)
	}
	return plain, nil
}

func totpAEAD(secret [32]byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(secret[:])
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	return cipher.NewGCM(block)
}

// TOTPSetup is a key of one-time passwords that is not in use yet.
type TOTPSetup struct {
	Secret string // the key in base32, to type into an authenticator app
	URL    string // the same for a QR code
	Sealed []byte // the same for EnableTOTP
}

// setupLife is how long a user has to bring a new key into an app.
const setupLife = 10 * time.Minute

// BeginTOTP draws a key for the user, who proves the password. Nothing is kept: the key goes out and comes back sealed.
func (s *Service) BeginTOTP(ctx context.Context, id *Identity, password string) (TOTPSetup, error) {
	if err := s.proveAgain(ctx, id, password); err != nil {
		return TOTPSetup{}, err
	}
	key := newTOTPKey()
	until := binary.BigEndian.AppendUint64(nil, uint64(s.Now().Add(setupLife).UnixMilli())) //nolint:gosec // after 1970
	sealed, err := seal(s.TOTPSecret, setupLabel(id), append(until, key...))
	return TOTPSetup{Secret: totpText.EncodeToString(key), URL: totpURL(key, id.Name, id.User.ID), Sealed: sealed}, err
}

// setupLabel binds a setup to the sign-in in which the password was proven.
func setupLabel(id *Identity) string {
	return "jiseki-totp-setup-1\x00" + string(id.SignIn.Hash[:]) + id.User.ID
}

// EnableTOTP keeps the key of a TOTPSetup in place of any before and returns recovery codes, to be shown this once.
// typed is a password made with that key: it proves that the app has it, and makes this sign-in one with a second
// factor.
func (s *Service) EnableTOTP(ctx context.Context, id *Identity, setup []byte, typed string) (recovery []string, err error) {
	plain, err := unseal(s.TOTPSecret, setupLabel(id), setup)
	if err != nil || len(plain) != 8+totpKeyLen {
		return nil, refuse(access.ChallengeOver)
	}
	if s.Now().UnixMilli() > int64(binary.BigEndian.Uint64(plain)) { //nolint:gosec // sealed by us
		return nil, refuse(access.ChallengeOver)
	}
	key := plain[8:]
	step, ok := checkTOTP(key, typed, s.Now())
	if !ok {
		return nil, refuse(access.TOTPWrong)
	}
	sealed, err := sealTOTP(s.TOTPSecret, id.User.ID, key)
	if err != nil {
		return nil, err
	}
	recovery, hashes := NewRecoveryCodes()
	return recovery, overtaken(s.Store.SetTOTP(ctx, id.By(), id.User.ID, store.TOTP{
		Sealed: sealed, LastStep: step, Recovery: hashes, SignIn: id.SignIn.Hash,
	}))
}

// DisableTOTP forgets the user's one-time passwords and recovery codes; the user proves the password.
func (s *Service) DisableTOTP(ctx context.Context, id *Identity, password string) error {
	if err := s.proveAgain(ctx, id, password); err != nil {
		return err
	}
	return overtaken(s.Store.SetTOTP(ctx, id.By(), id.User.ID, store.TOTP{SignIn: id.SignIn.Hash}))
}
