package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/cert"
	"jiseki/internal/store"
)

// NonceLife is how long a nonce waits for its signature.
const NonceLife = 2 * time.Minute

// Nonces makes nonces that need no memory until they are answered, so that asking for many costs the gateway nothing:
// the time, eight random bytes, and a MAC of both. Each is good for one purpose.
type Nonces struct {
	key [32]byte
	now func() time.Time
}

// NewNonces needs a key that every gateway of the organisation shares (ca.Authority.Secret).
func NewNonces(key [32]byte, now func() time.Time) *Nonces { return &Nonces{key: key, now: now} }

// Purposes of nonces.
const (
	ForDevice = "device" // sign-in, enrolment and renewal of a device
	ForDesk   = "desk"   // enrolment and renewal of a desk
)

// New draws a nonce.
func (n *Nonces) New(purpose string) cert.Nonce {
	var c cert.Nonce
	binary.BigEndian.PutUint64(c[:8], uint64(n.now().UnixMilli())) //nolint:gosec // after 1970
	rand.Read(c[8:16])                                             // never fails
	copy(c[16:], n.mac(purpose, c[:16]))
	return c
}

// Check refuses a nonce that this gateway did not make, or not for this purpose, or too long ago, or on a clock that
// was ahead. until is when it may be forgotten after it was spent; spending it is for the caller.
func (n *Nonces) Check(purpose string, c cert.Nonce) (until time.Time, err error) {
	if !hmac.Equal(n.mac(purpose, c[:16]), c[16:]) {
		return time.Time{}, refuse(access.ChallengeOver)
	}
	made := time.UnixMilli(int64(binary.BigEndian.Uint64(c[:8]))) //nolint:gosec // the MAC says that it is ours
	until = made.Add(NonceLife)
	if store.Since(n.now(), made.UnixMilli()) > NonceLife {
		return time.Time{}, refuse(access.ChallengeOver)
	}
	return until, nil
}

func (n *Nonces) mac(purpose string, b []byte) []byte {
	m := hmac.New(sha256.New, n.key[:])
	m.Write([]byte("jiseki-nonce-1\x00" + purpose + "\x00"))
	m.Write(b)
	return m.Sum(nil)[:16]
}
