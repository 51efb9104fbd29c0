package link

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func serve(t *testing.T, handler http.HandlerFunc, change func(*httptest.Server)) (*httptest.Server, *tls.Config) {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	if change != nil {
		change(server)
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server, server.Client().Transport.(*http.Transport).TLSClientConfig
}

func TestClientFollowsNoRedirect(t *testing.T) {
	var heard string
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		heard = string(b)
	}))
	defer elsewhere.Close()
	gateway, trusted := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect) // asks for the same body again
	}, nil)
	client := NewClient(ClientConfig{TLS: trusted, Proxy: Direct})
	defer client.CloseIdleConnections()
	answer, err := client.Post(gateway.URL, "text/plain", strings.NewReader("password"))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusTemporaryRedirect || heard != "" {
		t.Errorf("status %d, another server heard %q", answer.StatusCode, heard)
	}
}

func TestClientBoundsAnswers(t *testing.T) {
	chunk := bytes.Repeat([]byte{'x'}, 64<<10)
	gateway, trusted := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}, nil)
	client := NewClient(ClientConfig{TLS: trusted, Proxy: Direct, Single: true})
	answer, err := client.Get(gateway.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	n, err := io.Copy(io.Discard, answer.Body)
	if tooLarge := (*http.MaxBytesError)(nil); n > maxAnswer || !errors.As(err, &tooLarge) {
		t.Errorf("%d bytes, %v", n, err)
	}
}

func TestClientSpeaksNoOldTLS(t *testing.T) {
	gateway, trusted := serve(t, func(http.ResponseWriter, *http.Request) {}, func(s *httptest.Server) {
		s.TLS = &tls.Config{MaxVersion: tls.VersionTLS12} //nolint:gosec // what must be refused
		s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	})
	answer, err := NewClient(ClientConfig{TLS: trusted, Proxy: Direct}).Get(gateway.URL)
	if err == nil {
		answer.Body.Close()
		t.Error("TLS 1.2 is spoken")
	}
}

func TestClientTakesTheWayOfDial(t *testing.T) {
	var asked string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.Method + " " + r.Host
		http.Error(w, "no", http.StatusForbidden)
	}))
	defer proxy.Close()
	for name, want := range map[string]string{proxy.URL: "CONNECT gateway.example:443", "ftp://x": "want http://host:port", "://user:secret@x": "not an address"} {
		asked = ""
		answer, err := NewClient(ClientConfig{Proxy: name}).Get("https://gateway.example/")
		if err == nil {
			answer.Body.Close()
			t.Errorf("%s: no error", name)
			continue
		}
		if !strings.Contains(asked+err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: asked %q, %v; want %q", name, asked, err, want)
		}
	}
}
