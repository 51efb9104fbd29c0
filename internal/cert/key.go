package cert

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
)

// A Context separates the uses of a key: it is signed, with a zero byte after it, in front of the message.
type Context string

// The contexts of PROTOCOL.md sections 1 and 2. Package seal has its own.
const (
	ContextCertificate Context = "jiseki-cert-1"
	ContextDesk        Context = "jiseki-desk-1"
	ContextGrant       Context = "jiseki-grant-1"
	ContextRequest     Context = "jiseki-request-1"
	ContextSignIn      Context = "jiseki-signin-1"
	ContextEnrol       Context = "jiseki-enrol-1"
	ContextAgent       Context = "jiseki-agent-1"
)

func (c Context) digest(message []byte) [32]byte {
	h := sha256.New()
	h.Write([]byte(c))
	h.Write([]byte{0})
	h.Write(message)
	return [32]byte(h.Sum(nil))
}

// A PublicKey is a P-256 key, uncompressed: 04 || x || y, big-endian.
type PublicKey [65]byte

// A KeyID is the first 8 bytes of SHA-256 of a PublicKey.
type KeyID [8]byte

// A Signature is ECDSA P-256 with SHA-256: r || s, 32 bytes each, big-endian.
type Signature [64]byte

// A NoiseKey is an X25519 public key (RFC 7748).
type NoiseKey [32]byte

// A Grade says where an identity key lives. Lower is better.
type Grade uint8

// The grades.
const (
	GradeHardware Grade = 1 // a TPM or another chip
	GradeSystem   Grade = 2 // kept by the operating system or browser, which does not hand it out
	GradeFile     Grade = 3 // a file
)

// ParsePublicKey reads 65 bytes and requires a point of the curve.
func ParsePublicKey(b []byte) (PublicKey, error) {
	r := NewReader(b)
	k := r.Key()
	return k, r.Done("public key")
}

// ID is the key id.
func (k PublicKey) ID() KeyID {
	h := sha256.Sum256(k[:])
	return KeyID(h[:8])
}

// String shows the key id in hexadecimal.
func (k PublicKey) String() string { return "p256:" + k.ID().String() }

// LogValue is String.
func (k PublicKey) LogValue() slog.Value { return slog.StringValue(k.String()) }

// String is hexadecimal.
func (id KeyID) String() string { return hex.EncodeToString(id[:]) }

// String shows the first 8 bytes of SHA-256 of the key.
func (k NoiseKey) String() string {
	h := sha256.Sum256(k[:])
	return "x25519:" + hex.EncodeToString(h[:8])
}

// LogValue is String.
func (k NoiseKey) LogValue() slog.Value { return slog.StringValue(k.String()) }

func (k PublicKey) valid() bool {
	_, err := ecdh.P256().NewPublicKey(k[:])
	return err == nil
}

// Verify returns nil if sig is a signature of message in context by k, else an *Error with CodeSignature. Values of r and
// s that are not in 1 to n-1 are refused.
func (k PublicKey) Verify(context Context, message []byte, sig Signature) error {
	refused := &Error{What: "signature " + string(context), Code: CodeSignature}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), k[:])
	if err != nil {
		return refused
	}
	d := context.digest(message)
	r, s := new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])
	if !ecdsa.Verify(public, d[:], r, s) {
		return refused
	}
	return nil
}

// A PrivateKey signs. It may live in a file, in a TPM or in the operating system; it is safe for concurrent use.
type PrivateKey interface {
	// Public is the other half.
	Public() PublicKey
	// Grade says where the key lives.
	Grade() Grade
	// Sign signs context, a zero byte and message.
	Sign(context Context, message []byte) (Signature, error)
}

// A SignerKey is a PrivateKey on top of any crypto.Signer for P-256: software, TPM or CNG. It is not comparable, and
// printing or logging it shows its public key id only.
type SignerKey struct {
	_      [0]func()
	signer crypto.Signer
	public PublicKey
	grade  Grade
}

// GenerateKey makes a new key in memory. Its grade is GradeFile: nothing protects it but the process.
func GenerateKey() (*SignerKey, error) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate key: %w", err)
	}
	return WrapSigner(k, GradeFile)
}

// WrapSigner makes a PrivateKey of a signer whose signatures are ASN.1, as those of crypto/ecdsa, TPMs and CNG wrappers
// are. It fails if the signer's key is not P-256.
func WrapSigner(s crypto.Signer, grade Grade) (*SignerKey, error) {
	public, ok := s.Public().(*ecdsa.PublicKey)
	if !ok || public.Curve != elliptic.P256() {
		return nil, errors.New("cert: key is not P-256")
	}
	b, err := public.Bytes()
	if err != nil {
		return nil, fmt.Errorf("cert: public key: %w", err)
	}
	return &SignerKey{signer: s, public: PublicKey(b), grade: grade}, nil
}

// Signer is what the key was made of, for X.509.
func (k *SignerKey) Signer() crypto.Signer { return k.signer }

// Public is the other half.
func (k *SignerKey) Public() PublicKey { return k.public }

// Grade says where the key lives.
func (k *SignerKey) Grade() Grade { return k.grade }

// Sign signs context, a zero byte and message.
func (k *SignerKey) Sign(context Context, message []byte) (Signature, error) {
	d := context.digest(message)
	der, err := k.signer.Sign(rand.Reader, d[:], crypto.SHA256)
	if err != nil {
		return Signature{}, fmt.Errorf("sign %s: %w", context, err)
	}
	var p struct{ R, S *big.Int }
	rest, err := asn1.Unmarshal(der, &p)
	if err != nil || len(rest) > 0 || p.R.Sign() <= 0 || p.S.Sign() <= 0 || p.R.BitLen() > 256 || p.S.BitLen() > 256 {
		return Signature{}, fmt.Errorf("sign %s: the signer returned no ECDSA signature", context)
	}
	var sig Signature
	p.R.FillBytes(sig[:32])
	p.S.FillBytes(sig[32:])
	return sig, nil
}

// String shows the id of the public key.
func (k *SignerKey) String() string { return "private key of " + k.public.String() }

// GoString is String.
func (k *SignerKey) GoString() string { return k.String() }

// LogValue is String.
func (k *SignerKey) LogValue() slog.Value { return slog.StringValue(k.String()) }
