package seal

import (
	"crypto/ecdh"
	"crypto/rand"
	"fmt"
	"log/slog"

	"github.com/flynn/noise"

	"jiseki/internal/cert"
)

// A StaticKey is an X25519 private key: a viewer's for one session, or a desk's until it is rotated. It lives in memory
// only. It is not comparable, and printing or logging it shows its public half only.
type StaticKey struct {
	_       [0]func()
	private [32]byte
	public  cert.NoiseKey
}

// NewStaticKey draws a key.
func NewStaticKey() (*StaticKey, error) {
	k, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate X25519 key: %w", err)
	}
	return wrapStatic(k), nil
}

func wrapStatic(k *ecdh.PrivateKey) *StaticKey {
	return &StaticKey{private: [32]byte(k.Bytes()), public: cert.NoiseKey(k.PublicKey().Bytes())}
}

// Public is the other half, as statements and grants have it.
func (k *StaticKey) Public() cert.NoiseKey { return k.public }

// String shows the public half.
func (k *StaticKey) String() string { return "private key of " + k.public.String() }

// GoString is String.
func (k *StaticKey) GoString() string { return k.String() }

// LogValue is String.
func (k *StaticKey) LogValue() slog.Value { return slog.StringValue(k.String()) }

func (k *StaticKey) noise() noise.DHKey {
	return noise.DHKey{Private: k.private[:], Public: k.public[:]}
}
