package pages_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"jiseki/internal/pages"
)

func handler(t *testing.T, files map[string]string) *pages.Handler {
	t.Helper()
	dist := fstest.MapFS{}
	for name, body := range files {
		dist[name] = &fstest.MapFile{Data: []byte(body)}
	}
	h, err := pages.New(dist)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func built(t *testing.T) *pages.Handler {
	return handler(t, map[string]string{
		"index.html":           `<meta nonce="__CSP_NONCE__"><script nonce="__CSP_NONCE__" src="/assets/a-1.js">portal`,
		"viewer.html":          "viewer",
		"assets/a-1.js":        "plain",
		"assets/a-1.js.br":     "brotli",
		"assets/a-1.js.gz":     "gzip",
		"assets/zdec-1.wasm":   "wasm",
		"favicon.svg":          "<svg/>",
		"placeholder.txt":      "placeholder",
		"viewer-notes/doc.txt": "text",
	})
}

func get(h http.Handler, path string, header ...string) *http.Response {
	r := httptest.NewRequest(http.MethodGet, "https://desk.town.example"+path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestPaths(t *testing.T) {
	h := built(t)
	for _, c := range []struct {
		path, want string
		status     int
	}{
		{"/", "portal", 200},
		{"/console/users", "portal", 200},
		{"/viewer", "viewer", 200},
		{"/viewer/", "viewer", 200},
		{"/favicon.svg", "<svg/>", 200},
		{"/assets/a-1.js", "plain", 200},
		{"/assets/gone.js", "not found", 404},
		{"/placeholder.txt", "not found", 404},
		{"/../../etc/passwd.txt", "not found", 404},
	} {
		r := get(h, c.path)
		if got := body(t, r); r.StatusCode != c.status || !strings.Contains(got, c.want) {
			t.Errorf("%s: %d %q, want %d with %q", c.path, r.StatusCode, got, c.status, c.want)
		}
	}
}

func TestEveryAnswerIsProtected(t *testing.T) {
	h := built(t)
	for _, path := range []string{"/", "/viewer", "/favicon.svg", "/assets/a-1.js", "/assets/gone.js"} {
		r := get(h, path)
		for name, want := range map[string]string{
			"Content-Security-Policy":      "frame-ancestors 'none'",
			"Referrer-Policy":              "no-referrer",
			"X-Content-Type-Options":       "nosniff",
			"Cross-Origin-Opener-Policy":   "same-origin",
			"Cross-Origin-Embedder-Policy": "require-corp",
			"Strict-Transport-Security":    "max-age=",
		} {
			if got := r.Header.Get(name); !strings.Contains(got, want) {
				t.Errorf("%s: %s is %q, want %q in it", path, name, got, want)
			}
		}
		for _, loose := range []string{"unsafe-inline", "'unsafe-eval'", "*", "http:"} {
			if csp := r.Header.Get("Content-Security-Policy"); strings.Contains(csp, loose) {
				t.Errorf("%s: policy %q allows %s", path, csp, loose)
			}
		}
	}
}

func TestNonceIsFreshAndTheSameInPageAndHeader(t *testing.T) {
	h := built(t)
	seen := map[string]bool{}
	for range 3 {
		r := get(h, "/")
		csp := r.Header.Get("Content-Security-Policy")
		_, rest, ok := strings.Cut(csp, "'nonce-")
		nonce, _, ok2 := strings.Cut(rest, "'")
		if !ok || !ok2 || len(nonce) < 20 {
			t.Fatalf("no nonce in %q", csp)
		}
		page := body(t, r)
		if strings.Count(page, nonce) != 2 || strings.Contains(page, "__CSP_NONCE__") {
			t.Errorf("page %q does not carry the nonce %q", page, nonce)
		}
		if seen[nonce] {
			t.Errorf("nonce %q came twice", nonce)
		}
		seen[nonce] = true
		if !strings.Contains(csp, "connect-src 'self' wss://desk.town.example;") {
			t.Errorf("policy %q does not name the address of the relay", csp)
		}
	}
}

func TestHostCannotWidenThePolicy(t *testing.T) {
	h := built(t)
	r := httptest.NewRequest(http.MethodGet, "https://x/", nil)
	r.Host = "x; script-src *"
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if csp := w.Result().Header.Get("Content-Security-Policy"); strings.Contains(csp, "*") {
		t.Errorf("the Host header reached the policy: %q", csp)
	}
}

func TestOnlyHashedAssetsAreStored(t *testing.T) {
	h := built(t)
	for path, want := range map[string]string{
		"/": "no-store", "/viewer": "no-store", "/console": "no-store", "/favicon.svg": "no-store",
		"/assets/gone.js": "no-store", "/assets/a-1.js": "public, max-age=31536000, immutable",
	} {
		if got := get(h, path).Header.Get("Cache-Control"); got != want {
			t.Errorf("%s: Cache-Control %q, want %q", path, got, want)
		}
	}
}

func TestCodings(t *testing.T) {
	h := built(t)
	for _, c := range []struct{ accept, coding, body string }{
		{"gzip, deflate, br", "br", "brotli"},
		{"gzip", "gzip", "gzip"},
		{"br;q=0, gzip;q=0.5", "gzip", "gzip"},
		{"", "", "plain"},
	} {
		r := get(h, "/assets/a-1.js", "Accept-Encoding", c.accept)
		if got := body(t, r); got != c.body || r.Header.Get("Content-Encoding") != c.coding {
			t.Errorf("%q: got %q as %q", c.accept, got, r.Header.Get("Content-Encoding"))
		}
		again := get(h, "/assets/a-1.js", "Accept-Encoding", c.accept, "If-None-Match", r.Header.Get("ETag"))
		if again.StatusCode != http.StatusNotModified {
			t.Errorf("%q: same ETag got %d", c.accept, again.StatusCode)
		}
	}
}

func TestWithoutPages(t *testing.T) {
	r := get(handler(t, map[string]string{"placeholder.txt": "x"}), "/")
	if got := body(t, r); r.StatusCode != http.StatusServiceUnavailable || !strings.Contains(got, "make build") {
		t.Errorf("got %d %q", r.StatusCode, got)
	}
}

func TestOnlyReading(t *testing.T) {
	w := httptest.NewRecorder()
	built(t).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST got %d", w.Code)
	}
}
