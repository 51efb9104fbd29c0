//go:build linux

package journey_test

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jiseki/internal/ca"
	"jiseki/internal/cert"
	"jiseki/internal/journey"
	"jiseki/internal/journey/browser"
)

// TestBrowserHoldsTheCAToItsNames: Chromium that trusts the gateway's CA believes it of the gateway's name, and of no
// other, though its key has signed both.
func TestBrowserHoldsTheCAToItsNames(t *testing.T) {
	const own, foreign = "telework.example.lg.jp", "www.example.com"
	dir := filepath.Join(t.TempDir(), "keys")
	_, err := ca.Create(ca.Config{Dir: dir, Now: time.Now, Names: []string{own}}, "青葉町")
	must(t, err)
	b, err := browser.Start(t.Context(), browser.Config{
		Dir: t.TempDir(), CA: filepath.Join(dir, "tls-ca.crt"),
		Resolver: "MAP " + own + " " + serveAs(t, dir, own) + ", MAP " + foreign + " " + serveAs(t, dir, foreign),
	})
	must(t, err)
	t.Cleanup(func() { must(t, b.Close()) })
	p, err := b.Open(browser.Size{Width: 1366, Height: 768})
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), journey.Patience)
	defer cancel()
	must(t, p.Go(ctx, "https://"+own+"/"))
	must(t, p.Text(ctx, own))
	if err := p.Go(ctx, "https://"+foreign+"/"); err == nil || !strings.Contains(err.Error(), "ERR_CERT_INVALID") {
		t.Errorf("a foreign name: %v", err)
	}
}

// serveAs serves a page with a certificate for a name that the key of the CA in dir has signed, and returns where.
func serveAs(t *testing.T, dir, name string) (address string) {
	t.Helper()
	signer, err := cert.LoadKey(filepath.Join(dir, "tls-ca.key"))
	must(t, err)
	raw, err := os.ReadFile(filepath.Join(dir, "tls-ca.crt"))
	must(t, err)
	block, _ := pem.Decode(raw)
	root, err := x509.ParseCertificate(block.Bytes)
	must(t, err)
	key := newKey(t)
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(7), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{name},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, root, key.Public(), signer.Signer())
	must(t, err)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}
