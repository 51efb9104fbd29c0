//go:build linux

package journey_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // RFC 6455 asks for it
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"jiseki/internal/gateway/gatewaytest"
	"jiseki/internal/journey"
	"jiseki/internal/journey/browser"
)

// TestWebSocketStopped sits behind a proxy that opens TLS and passes all but WebSockets, in each of the ways in which such
// proxies stop them: self-check and viewer say so, and neither guesses.
func TestWebSocketStopped(t *testing.T) {
	town := gatewaytest.Start(t)
	slip := town.NewUser(t, "suzuki", "鈴木 一郎")
	agent := town.NewAgent(t, "総務課-03", "suzuki")
	proxy := newProxy(t, town)
	p := openBehind(t, town, proxy)

	enter(t, p, town, slip.GetInitialPassword(), slip.GetDeviceCode())
	for _, c := range []struct {
		name    string
		upgrade http.HandlerFunc
	}{
		{"forbids", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) }},
		{"cuts the upgrade out", func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("Upgrade")
			proxy.through.ServeHTTP(w, r)
		}},
		{"lets the upgrade hang", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
		{"swallows what it has upgraded", swallow},
	} {
		t.Run(c.name, func(t *testing.T) {
			proxy.set(c.upgrade)
			ctx, cancel := context.WithTimeout(t.Context(), journey.Patience)
			defer cancel()
			defer p.Tolerate(`WebSocket connection|Failed to load resource`)()
			selfCheck(ctx, t, p, town, "画面を転送する通信", "途中で止められている")
			must(t, p.Go(ctx, "https://"+town.Host+"/viewer?desk="+agent.Desk+"&test"))
			must(t, p.Wait(ctx, "the end", `document.querySelector("#viewer")?.dataset.phase === "ended" || document.querySelector(".card.bad")`))
			must(t, p.Text(ctx, "このネットワークは、画面の転送に使う通信（WebSocket）を止めています。"))
			must(t, p.Text(ctx, "websocket_blocked"))
			shoot(ctx, t, p, "blocked")
		})
	}
	t.Run("passes all", func(t *testing.T) {
		proxy.set(proxy.through.ServeHTTP)
		ctx, cancel := context.WithTimeout(t.Context(), journey.Patience)
		defer cancel()
		selfCheck(ctx, t, p, town, "画面を転送する通信", "通る")
	})
	if err := p.Check(); err != nil {
		t.Error(err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// selfCheck measures and waits for the result of one line.
func selfCheck(ctx context.Context, t *testing.T, p *browser.Page, town *gatewaytest.Town, item, value string) {
	t.Helper()
	must(t, p.Go(ctx, "https://"+town.Host+"/check"))
	must(t, p.Click(ctx, "確認を始める"))
	row := `[...document.querySelectorAll("tr")].find((r) => r.textContent.includes("` + item + `"))?.textContent.includes("` + value + `")`
	must(t, p.Wait(ctx, item+": "+value, row))
}

// enter signs in with a slip, changes the password and enrols the browser.
func enter(t *testing.T, p *browser.Page, town *gatewaytest.Town, password, code string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), journey.Patience)
	defer cancel()
	must(t, p.Go(ctx, "https://"+town.Host+"/enrol"))
	must(t, p.Fill(ctx, "利用者ID", "suzuki"))
	must(t, p.Fill(ctx, "パスワード", password))
	must(t, p.Click(ctx, "サインイン"))
	must(t, p.Fill(ctx, "初期パスワード（利用者登録通知書に記載）", password))
	must(t, p.Fill(ctx, "新しいパスワード", gatewaytest.Password))
	must(t, p.Fill(ctx, "新しいパスワード（確認）", gatewaytest.Password))
	must(t, p.Click(ctx, "パスワードを変更"))
	must(t, p.Fill(ctx, "端末登録コード", code))
	must(t, p.Click(ctx, "この端末を登録"))
	must(t, p.Text(ctx, "この端末を登録しました。"))
}

func shoot(ctx context.Context, t *testing.T, p *browser.Page, name string) {
	t.Helper()
	for _, size := range []browser.Size{{Width: 1366, Height: 768}, {Width: 390, Height: 844}} {
		must(t, p.Resize(size))
		raw, err := p.Screenshot(ctx)
		must(t, err)
		must(t, os.WriteFile(filepath.Join(t.ArtifactDir(), name+"-"+size.String()+".png"), raw, 0o600))
	}
	must(t, p.Resize(browser.Size{Width: 1366, Height: 768}))
}

// openBehind opens a browser that trusts the proxy alone and reaches the town through it.
func openBehind(t *testing.T, town *gatewaytest.Town, proxy *proxy) *browser.Page {
	t.Helper()
	b, err := browser.Start(t.Context(), browser.Config{
		Dir: t.TempDir(), CA: proxy.ca, Resolver: "MAP " + town.Host + " " + proxy.address,
	})
	must(t, err)
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	p, err := b.Open(browser.Size{Width: 1366, Height: 768})
	must(t, err)
	p.Tolerate(`status of 401 .*AuthService/GetMe$`)
	return p
}

// A proxy opens TLS, as those that inspect it do, and treats upgrades in its own way.
type proxy struct {
	address, ca string
	through     *httputil.ReverseProxy
	upgrades    chan http.HandlerFunc // holds one
}

func newProxy(t *testing.T, town *gatewaytest.Town) *proxy {
	t.Helper()
	target := &url.URL{Scheme: "https", Host: town.Host}
	p := &proxy{ca: filepath.Join(t.TempDir(), "proxy-ca.pem"), upgrades: make(chan http.HandlerFunc, 1)}
	transport := &http.Transport{TLSClientConfig: town.TLS()}
	t.Cleanup(transport.CloseIdleConnections)
	p.through = &httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host
		},
		ErrorLog: log.New(io.Discard, "", 0),
	}
	p.set(p.through.ServeHTTP)
	server := httptest.NewUnstartedServer(p)
	server.Config.ErrorLog = p.through.ErrorLog
	server.TLS = &tls.Config{Certificates: []tls.Certificate{p.certificate(t)}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	p.address = server.Listener.Addr().String()
	return p
}

func (p *proxy) set(upgrade http.HandlerFunc) {
	select {
	case <-p.upgrades:
	default:
	}
	p.upgrades <- upgrade
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") == "" {
		p.through.ServeHTTP(w, r)
		return
	}
	upgrade := <-p.upgrades
	p.upgrades <- upgrade
	upgrade(w, r)
}

// swallow accepts an upgrade and drops what comes.
func swallow(w http.ResponseWriter, r *http.Request) {
	c, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer c.Close()
	_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		accept(r.Header.Get("Sec-WebSocket-Key")) + "\r\n\r\n")
	_ = rw.Flush()
	_, _ = io.Copy(io.Discard, rw)
}

// accept is what a server answers to a key (RFC 6455, 4.2.2).
func accept(key string) string {
	h := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) //nolint:gosec // RFC 6455 asks for it
	return base64.StdEncoding.EncodeToString(h[:])
}

// certificate is one for localhost of a CA of the proxy's own, which it writes for the browser.
func (p *proxy) certificate(t *testing.T) tls.Certificate {
	t.Helper()
	caKey, key := newKey(t), newKey(t)
	now := time.Now()
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "proxy"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "localhost"}, NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	root, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	must(t, err)
	der, err := x509.CreateCertificate(rand.Reader, leaf, ca, key.Public(), caKey)
	must(t, err)
	must(t, os.WriteFile(p.ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root}), 0o600))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	return key
}
