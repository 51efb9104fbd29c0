package cert

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"slices"
)

const (
	bundleMagic = "JB"
	bundleName  = "trust bundle"
	maxKeys     = 8       // of one role: current, next, and old ones that still have certificates
	maxTLS      = 8 << 10 // bytes of one TLS CA certificate
)

// A Bundle holds what a device or a desk trusts. In each list the first entry is in use now and the others are old or next;
// all of them verify. A key has one role only.
//
// Byte form: `JB` · 1 · version u32 · three times (n u8 · n × key 65 B) for device CA, desk CA and grant keys, n 1 to 8 ·
// n u8 (0 to 8) · n × (length u16 · DER of a TLS CA certificate, at most 8 KiB).
type Bundle struct {
	Version   uint32      // grows with each change
	DeviceCAs []PublicKey // sign certificates of devices
	DeskCAs   []PublicKey // sign certificates of desks
	Grants    []PublicKey // sign grants
	TLS       [][]byte    // DER of the CAs of the gateway's TLS certificate; none if a public CA signs it
}

// Append appends the byte form of a bundle that Check accepts.
func (t *Bundle) Append(b []byte) []byte {
	b = append(b, bundleMagic...)
	b = append(b, formatVersion)
	b = binary.BigEndian.AppendUint32(b, t.Version)
	for _, keys := range [][]PublicKey{t.DeviceCAs, t.DeskCAs, t.Grants} {
		b = append(b, byte(len(keys)))
		for _, k := range keys {
			b = append(b, k[:]...)
		}
	}
	b = append(b, byte(len(t.TLS)))
	for _, der := range t.TLS {
		b = binary.BigEndian.AppendUint16(b, uint16(len(der)))
		b = append(b, der...)
	}
	return b
}

// ParseBundle reads a trust bundle and keeps no reference to b. Errors are *Error. A bundle has no signature: it is worth
// what the place is worth that it comes from (an enrolment token, the gateway's TLS).
func ParseBundle(b []byte) (*Bundle, error) {
	r := NewReader(b)
	r.Header(bundleMagic, formatVersion)
	t := &Bundle{Version: r.Uint32()}
	t.DeviceCAs = r.keys()
	t.DeskCAs = r.keys()
	t.Grants = r.keys()
	t.TLS = r.tls()
	if err := r.Done(bundleName); err != nil {
		return nil, err
	}
	if err := t.Check(); err != nil {
		return nil, err
	}
	return t, nil
}

// Check returns nil if ParseBundle would accept the byte form of t, else an *Error with CodeRange.
func (t *Bundle) Check() error {
	refused := &Error{What: bundleName, Code: CodeRange}
	var seen []PublicKey
	for _, keys := range [][]PublicKey{t.DeviceCAs, t.DeskCAs, t.Grants} {
		if len(keys) < 1 || len(keys) > maxKeys {
			return refused
		}
		for _, k := range keys {
			if !k.valid() || slices.Contains(seen, k) {
				return refused
			}
			seen = append(seen, k)
		}
	}
	return t.checkTLS(refused)
}

func (t *Bundle) checkTLS(refused error) error {
	if len(t.TLS) > maxKeys {
		return refused
	}
	var seen [][32]byte
	for _, der := range t.TLS {
		c, err := x509.ParseCertificate(der)
		h := sha256.Sum256(der)
		if err != nil || !c.IsCA || len(der) > maxTLS || slices.Contains(seen, h) {
			return refused
		}
		seen = append(seen, h)
	}
	return nil
}

// Pool holds the TLS CAs. It is nil if there are none: then the system's CAs count.
func (t *Bundle) Pool() *x509.CertPool {
	if len(t.TLS) == 0 {
		return nil
	}
	p := x509.NewCertPool()
	for _, der := range t.TLS {
		if c, err := x509.ParseCertificate(der); err == nil { // Check has seen to it
			p.AddCert(c)
		}
	}
	return p
}

// Fingerprints are SHA-256 of the DER of the TLS CAs, in their order.
func (t *Bundle) Fingerprints() [][32]byte {
	f := make([][32]byte, len(t.TLS))
	for i, der := range t.TLS {
		f[i] = sha256.Sum256(der)
	}
	return f
}

func (r *Reader) keys() []PublicKey {
	n := int(r.Uint8())
	r.Require(n >= 1 && n <= maxKeys)
	var keys []PublicKey
	for range n {
		k := r.Key()
		if r.code != "" {
			return nil
		}
		keys = append(keys, k)
	}
	return keys
}

func (r *Reader) tls() [][]byte {
	n := int(r.Uint8())
	r.Require(n <= maxKeys)
	var list [][]byte
	for range n {
		size := int(r.Uint16())
		r.Require(size <= maxTLS)
		der := slices.Clone(r.take(size))
		if r.code != "" {
			return nil
		}
		list = append(list, der)
	}
	return list
}
