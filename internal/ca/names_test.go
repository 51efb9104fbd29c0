package ca_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"jiseki/internal/ca"
	"jiseki/internal/cert"
)

// leafOf is a certificate that somebody with the key of the TLS CA makes for a name, and its key, as PEM.
func leafOf(t *testing.T, dir, name string) (leaf *x509.Certificate, chain, key []byte) {
	t.Helper()
	signer, err := cert.LoadKey(filepath.Join(dir, "tls-ca.key"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(mustRead(t, filepath.Join(dir, "tls-ca.crt")))
	root, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "Jiseki gateway"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if ip := net.ParseIP(name); ip != nil {
		c.IPAddresses = []net.IP{ip}
	} else {
		c.DNSNames = []string{name}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, root, own.Public(), signer.Signer())
	if err != nil {
		t.Fatal(err)
	}
	if leaf, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(own)
	if err != nil {
		t.Fatal(err)
	}
	return leaf, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestCASignsTheGatewaysNamesOnly: whoever has the key of the CA that devices trust can stand for no other site before
// them: not before Go, OpenSSL or curl.
func TestCASignsTheGatewaysNamesOnly(t *testing.T) {
	for what, names := range map[string][]string{
		"names and addresses": {"telework.example.lg.jp", "192.0.2.1", "2001:db8::1"},
		"addresses only":      {"192.0.2.1"},
		"names only":          {"telework.example.lg.jp"},
		"this machine":        {"localhost", "127.0.0.1"},
	} {
		t.Run(what, func(t *testing.T) {
			cfg := ca.Config{Dir: filepath.Join(t.TempDir(), "keys"), Now: time.Now, Names: names}
			a, err := ca.Create(cfg, "青葉町")
			if err != nil {
				t.Fatal(err)
			}
			if !a.Constrained() {
				t.Error("the CA does not say that it is constrained")
			}
			root := mustRead(t, filepath.Join(cfg.Dir, "tls-ca.crt"))
			checkLeaves(t, cfg.Dir, root, names, true)
			checkLeaves(t, cfg.Dir, root, []string{"www.example.com", "192.0.2.99", "2001:db8::99", "xtelework.example.lg.jp"}, false)
			if may, mayNot := a.Signs(append(names[:len(names):len(names)], "www.example.com", "192.0.2.99")); len(may) != len(names) || len(mayNot) != 2 {
				t.Errorf("the CA says that it may sign %q and not %q", may, mayNot)
			}
		})
	}
}

func checkLeaves(t *testing.T, dir string, root []byte, names []string, want bool) {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(root)
	for _, name := range names {
		leaf, chain, key := leafOf(t, dir, name)
		if _, err := leaf.Verify(x509.VerifyOptions{Roots: pool, DNSName: name}); (err == nil) != want {
			t.Errorf("Go: %s: %v", name, err)
		}
		flag := "-verify_hostname"
		if net.ParseIP(name) != nil {
			flag = "-verify_ip"
		}
		file := filepath.Join(t.TempDir(), "leaf.pem")
		if err := os.WriteFile(file, chain, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), "openssl", "verify", "-CAfile", filepath.Join(dir, "tls-ca.crt"), "-no-CApath", "-no-CAstore",
			flag, name, file).CombinedOutput()
		if (err == nil) != want {
			t.Errorf("OpenSSL: %s: %v: %s", name, err, out)
		}
		if err := curl(t, dir, name, chain, key); (err == nil) != want {
			t.Errorf("curl: %s: %v", name, err)
		}
	}
}

// curl fetches from a server with this certificate, under this name.
func curl(t *testing.T, dir, name string, chain, key []byte) error {
	t.Helper()
	pair, err := tls.X509KeyPair(chain, key)
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS13})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 1024))
			_, _ = c.Write([]byte("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"))
			c.Close()
		}
	}()
	host := name
	if ip := net.ParseIP(name); ip != nil && ip.To4() == nil {
		host = "[" + name + "]"
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return exec.CommandContext(ctx, "curl", "--silent", "--noproxy", "*", "--cacert", filepath.Join(dir, "tls-ca.crt"),
		"--connect-to", "::127.0.0.1:"+port, "https://"+host+"/").Run()
}

// TestRenewedCAIsTrustedByWhoTrustsTheOld: an old CA that may sign any name is made one for the gateway's names, and
// nobody is locked out.
func TestRenewedCAIsTrustedByWhoTrustsTheOld(t *testing.T) {
	cfg := ca.Config{Dir: filepath.Join(t.TempDir(), "keys"), Now: time.Now}
	a, err := ca.Create(cfg, "青葉町")
	if err != nil {
		t.Fatal(err)
	}
	old, version := mustRead(t, filepath.Join(cfg.Dir, "tls-ca.crt")), a.Bundle().Version
	if a.Constrained() {
		t.Fatal("a CA without names is constrained")
	}
	if _, err := ca.RenewTLS(cfg.Dir, "青葉町", []string{"telework.example.lg.jp"}, time.Now()); err != nil {
		t.Fatal(err)
	}
	if a, err = ca.Open(cfg); err != nil || !a.Constrained() || a.Bundle().Version <= version {
		t.Fatalf("after the renewal: %v", err)
	}
	for _, root := range [][]byte{old, mustRead(t, filepath.Join(cfg.Dir, "tls-ca.crt"))} {
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(root)
		leaf, _, _ := leafOf(t, cfg.Dir, "telework.example.lg.jp")
		if _, err := leaf.Verify(x509.VerifyOptions{Roots: pool, DNSName: "telework.example.lg.jp"}); err != nil {
			t.Error(err)
		}
	}
}
