package seal

import (
	"crypto/hkdf"
	"crypto/sha256"
)

// A channel is one of a session's two.
type channel uint8

const (
	control channel = 0
	display channel = 1
)

// A direction says who sends; it also names the two roles.
type direction uint8

const (
	fromViewer direction = 0
	fromAgent  direction = 1
)

const (
	labelSecret = "jiseki-seal-1 secret"
	labelKey    = "jiseki-seal-1 key"
	labelNext   = "jiseki-seal-1 next"
)

// A secret is the start of a chain of traffic keys.
type secret [32]byte

// prk mixes the post-quantum and the classical secret, bound to the handshake.
func (r *result) prk() []byte {
	ikm := make([]byte, 0, 96)
	ikm = append(ikm, r.ss[:]...)
	ikm = append(ikm, r.c2s[:]...)
	ikm = append(ikm, r.s2c[:]...)
	prk, err := hkdf.Extract(sha256.New, ikm, r.hash[:])
	if err != nil {
		panic(err) // only in FIPS mode for short salts: ours has 32 bytes
	}
	return prk
}

// secrets are the four first secrets, by channel and direction.
func (r *result) secrets() [2][2]secret {
	prk := r.prk()
	var s [2][2]secret
	for ch := range s {
		for dir := range s[ch] {
			s[ch][dir] = expand(prk, labelSecret+string([]byte{byte(ch), byte(dir)}))
		}
	}
	return s
}

func (s secret) key() secret  { return expand(s[:], labelKey) }
func (s secret) next() secret { return expand(s[:], labelNext) }

func expand(prk []byte, info string) secret {
	b, err := hkdf.Expand(sha256.New, prk, info, len(secret{}))
	if err != nil {
		panic(err) // only if more than 255 blocks are asked for
	}
	return secret(b)
}
