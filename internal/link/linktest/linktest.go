// Package linktest helps to test what talks over links: certificates for loopback and a check for leaked goroutines.
package linktest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"runtime"
	"strings"
	"time"
)

// TLS makes a self-signed certificate for localhost, 127.0.0.1 and ::1, and returns a server's configuration that has
// it and a client's that trusts it and nothing else.
func TLS() (server, client *tls.Config, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("linktest: key: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "localhost"},
		NotBefore:    time.Now().AddDate(-50, 0, 0), // also valid in a synctest bubble, where it is the year 2000
		NotAfter:     time.Now().AddDate(1, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     []string{"localhost"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, nil, fmt.Errorf("linktest: certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, nil, fmt.Errorf("linktest: certificate: %w", err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	server = &tls.Config{
		MinVersion:   tls.VersionTLS13,
		NextProtos:   []string{"http/1.1"},
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}},
	}
	return server, &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots}, nil
}

// A TB is the part of testing.TB that NoLeak needs.
type TB interface {
	Helper()
	Cleanup(func())
	Errorf(format string, args ...any)
}

// NoLeak fails the test if, some seconds after it and its later clean-ups are done, a goroutine is still in a function
// whose name holds one of the given parts, for example "jiseki/internal/link.". Tests that use it run one at a time.
func NoLeak(t TB, parts ...string) {
	t.Helper()
	t.Cleanup(func() {
		deadline := time.Now().Add(20 * time.Second)
		for {
			left := goroutinesIn(parts)
			if left == "" {
				return
			}
			if time.Now().After(deadline) {
				t.Errorf("goroutines leaked:\n%s", left)
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	})
}

// goroutinesIn returns the stacks of all goroutines but this one that are in such a function.
func goroutinesIn(parts []string) string {
	buf := make([]byte, 4<<20)
	stacks := strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n")
	var left []string
	for _, s := range stacks[1:] {
		if !strings.Contains(s, "testing.tRunner") && containsAny(s, parts) {
			left = append(left, s)
		}
	}
	return strings.Join(left, "\n\n")
}

func containsAny(s string, parts []string) bool {
	for _, p := range parts {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}
