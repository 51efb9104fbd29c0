package ca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"jiseki/internal/cert"
)

const (
	rootLife   = 10 * 365 * 24 * time.Hour
	serverLife = 90 * 24 * time.Hour
	// backdate lets clients whose clock is a little behind accept a new certificate.
	backdate = time.Hour
	// leafName is no host name: where a certificate is for addresses only, OpenSSL holds a name here against the CA's
	// constraints.
	leafName = "Jiseki gateway"
)

// tlsCA signs the gateway's own TLS certificate.
type tlsCA struct {
	key  *cert.SignerKey
	root *x509.Certificate
	now  func() time.Time
}

// newRoot makes the certificate of a TLS CA that may sign names only.
func newRoot(key *cert.SignerKey, organisation string, now time.Time, names []string) ([]byte, error) {
	template := &x509.Certificate{
		SerialNumber: newSerial(), Subject: pkix.Name{CommonName: "Jiseki TLS CA", Organization: []string{organisation}},
		NotBefore: now.Add(-backdate), NotAfter: now.Add(rootLife), IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	constrain(template, names)
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Signer().Public(), key.Signer())
	if err != nil {
		return nil, fmt.Errorf("TLS CA: %w", err)
	}
	return der, nil
}

func (c *tlsCA) load(dir string, now func() time.Time) (err error) {
	if c.key, err = cert.LoadKey(filepath.Join(dir, tlsKeyFile)); err != nil {
		return fmt.Errorf("ca: %w", err)
	}
	if c.root, err = readRoot(filepath.Join(dir, tlsCertFile)); err != nil {
		return err
	}
	if public, ok := c.root.PublicKey.(*ecdsa.PublicKey); !ok || !public.Equal(c.key.Signer().Public()) {
		return ErrBundle
	}
	c.now = now
	return nil
}

// readRoot reads the one certificate of a PEM file.
func readRoot(path string) (*x509.Certificate, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("ca: %w", err)
	}
	block, rest := pem.Decode(b)
	if block == nil || block.Type != pemCertificate || len(rest) > 0 {
		return nil, fmt.Errorf("ca: %s is not one certificate", path)
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("ca: %s: %w", path, err)
	}
	return c, nil
}

// issue makes a server certificate for host names and addresses, with a key that exists in memory only. The chain holds
// the CA too, for agents that know only its fingerprint.
func (c *tlsCA) issue(names []string) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("ca: server key: %w", err)
	}
	now := c.now()
	template := &x509.Certificate{
		SerialNumber: newSerial(), Subject: pkix.Name{CommonName: leafName}, NotBefore: now.Add(-backdate), NotAfter: now.Add(serverLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true,
	}
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, n)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, c.root, key.Public(), c.key.Signer())
	if err != nil {
		return nil, fmt.Errorf("ca: server certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("ca: server certificate: %w", err)
	}
	return &tls.Certificate{Certificate: [][]byte{der, c.root.Raw}, PrivateKey: key, Leaf: leaf}, nil
}

// ServerTLS is a TLS 1.3 configuration whose certificate is valid for names (host names and addresses, at least one)
// and is renewed by itself when two thirds of its 90 days have passed.
func (a *Authority) ServerTLS(names []string) (*tls.Config, error) {
	if len(names) == 0 || slices.Contains(names, "") {
		return nil, errors.New("ca: a server certificate needs names")
	}
	s := &server{ca: &a.tls, names: slices.Clone(names)}
	if _, err := s.certificate(nil); err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS13, GetCertificate: s.certificate}, nil
}

// server holds the certificate in use.
type server struct {
	ca      *tlsCA
	names   []string
	mu      sync.Mutex
	current *tls.Certificate
}

func (s *server) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.ca.now()
	if s.valid(now) && s.current.Leaf.NotAfter.Sub(now) > serverLife/3 {
		return s.current, nil
	}
	c, err := s.ca.issue(s.names)
	if err != nil {
		if s.valid(now) {
			return s.current, nil // the old one still works
		}
		return nil, err
	}
	s.current = c
	return c, nil
}

// valid says whether the certificate in use is. One that was made before a wrong clock was put right may lie in the
// future.
func (s *server) valid(now time.Time) bool {
	return s.current != nil && !now.Before(s.current.Leaf.NotBefore) && now.Before(s.current.Leaf.NotAfter)
}

func newSerial() *big.Int {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[0] &= 0x7f
	return new(big.Int).SetBytes(b[:])
}
