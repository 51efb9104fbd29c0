package cert

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"

	"jiseki/internal/durable"
)

const (
	pemType     = "PRIVATE KEY"
	maxSecret   = 8 << 10 // a PKCS#8 P-256 key in PEM has about 250 bytes
	secretPerms = 0o077   // the bits that would let somebody else at a key
)

// ErrExposed says that somebody else than the owner may read or write a key file.
var ErrExposed = errors.New("key file is open to other users")

// LoadKey reads a key file made by SaveKey: a PKCS#8 P-256 key in PEM. On Unix it fails with ErrExposed if group or others
// have any right to the file. A missing file is fs.ErrNotExist.
func LoadKey(path string) (*SignerKey, error) {
	b, err := ReadSecret(path)
	if err != nil {
		return nil, fmt.Errorf("load key: %w", err)
	}
	k, err := parseKey(b)
	if err != nil {
		return nil, fmt.Errorf("load key %s: %w", path, err)
	}
	return WrapSigner(k, GradeFile)
}

// SaveKey writes a key of GenerateKey to a new file that only its owner can read (mode 0600). The file appears whole or
// not at all; an existing file is never replaced (fs.ErrExist).
func SaveKey(path string, k *SignerKey) error {
	private, ok := k.signer.(*ecdsa.PrivateKey)
	if !ok {
		return errors.New("save key: this key cannot leave its place")
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return fmt.Errorf("save key: %w", err)
	}
	if err := durable.Create(path, pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der}), 0o600); err != nil {
		return fmt.Errorf("save key: %w", err)
	}
	return nil
}

// LoadOrCreateKey loads the key at path, or makes and saves a new one if there is none.
func LoadOrCreateKey(path string) (*SignerKey, error) {
	k, err := LoadKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	if k, err = GenerateKey(); err != nil {
		return nil, err
	}
	err = SaveKey(path, k)
	if errors.Is(err, fs.ErrExist) { // somebody was faster
		return LoadKey(path)
	}
	return k, err
}

func parseKey(b []byte) (*ecdsa.PrivateKey, error) {
	block, rest := pem.Decode(b)
	if block == nil || block.Type != pemType || len(rest) > 0 {
		return nil, errors.New("not one PEM private key")
	}
	k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("not a PKCS#8 key") // the cause could quote the key
	}
	private, ok := k.(*ecdsa.PrivateKey)
	if !ok || private.Curve != elliptic.P256() {
		return nil, errors.New("not a P-256 key")
	}
	return private, nil
}

// ReadSecret reads a small file that is for its owner only. On Unix it fails with ErrExposed if group or others have any
// right to it. A missing file is fs.ErrNotExist.
func ReadSecret(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // read only: nothing to lose
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if runtime.GOOS != "windows" && st.Mode().Perm()&secretPerms != 0 {
		return nil, fmt.Errorf("%s: %w (mode %04o, expected 0600)", path, ErrExposed, st.Mode().Perm())
	}
	b, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err == nil && len(b) > maxSecret {
		err = fmt.Errorf("%s: too large for a key or secret", path)
	}
	return b, err
}
