// Package pages serves the built pages: the portal and console at /, the
// viewer at /viewer, and their hashed assets.
//
// It guarantees the response headers that keep a page to itself: a strict
// Content-Security-Policy with a nonce for each response, no framing, no
// referrer, cross-origin isolation, and that nothing but an asset named by the
// hash of its content is ever stored by a browser or a proxy.
package pages

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

// noncePlaceholder is what Vite writes where the nonce of the response belongs
// (its setting html.cspNonce). In <meta property="csp-nonce"> the pages read it
// for the style elements that their components make.
const noncePlaceholder = "__CSP_NONCE__"

// A Handler serves the pages. It reads all files once and is safe for use by
// several goroutines.
type Handler struct {
	portal, viewer []byte // nil when the pages are not built
	assets         map[string]asset
}

type asset struct {
	contentType string
	etag        string
	hashed      bool              // the name tells the content: it may be kept for ever
	bodies      map[string][]byte // by content coding; "" is the plain one
}

// New reads the pages from dist: index.html (portal and console), viewer.html
// or viewer/index.html, and anything else as assets, each with an optional
// .br and .gz beside it.
func New(dist fs.FS) (*Handler, error) {
	h := &Handler{assets: make(map[string]asset)}
	err := fs.WalkDir(dist, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := fs.ReadFile(dist, name)
		if err != nil {
			return err
		}
		h.add(name, body)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the built pages: %w", err)
	}
	return h, nil
}

// ServeHTTP answers GET and HEAD. Unknown paths without a dot belong to the
// portal, which routes them itself.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	switch found, ok := h.assets[r.URL.Path]; {
	case ok:
		found.serve(w, r)
	case r.URL.Path == "/viewer" || strings.HasPrefix(r.URL.Path, "/viewer/"):
		servePage(w, r, h.viewer, viewerScripts)
	case path.Ext(r.URL.Path) != "":
		SecureHeaders(w.Header())
		http.NotFound(w, r)
	default:
		servePage(w, r, h.portal, portalScripts)
	}
}

// SecureHeaders sets what every answer of the gateway carries, whatever it is:
// nothing is stored, framed, sniffed or told to other origins. Pages and assets
// loosen single headers afterwards.
func SecureHeaders(header http.Header) {
	for name, value := range map[string]string{
		"Cache-Control":                "no-store",
		"Content-Security-Policy":      "default-src 'none'; frame-ancestors 'none'",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Embedder-Policy": "require-corp",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Permissions-Policy":           permissions,
		"Referrer-Policy":              "no-referrer",
		"Strict-Transport-Security":    "max-age=31536000",
		"X-Content-Type-Options":       "nosniff",
		"X-Frame-Options":              "DENY",
	} {
		header.Set(name, value)
	}
}

// permissions leaves the pages what the viewer needs (full screen, reading the
// device's clipboard when the staff member asks for it) and nothing else.
const permissions = "fullscreen=(self), clipboard-read=(self), clipboard-write=(self), camera=(), " +
	"display-capture=(), geolocation=(), microphone=(), midi=(), payment=(), serial=(), usb=(), hid=(), bluetooth=()"

const (
	portalScripts = "script-src 'self'"
	// viewerScripts lets the viewer compile its decoder. It does not allow
	// JavaScript from strings.
	viewerScripts = "script-src 'self' 'wasm-unsafe-eval'"
)

func servePage(w http.ResponseWriter, r *http.Request, page []byte, scripts string) {
	SecureHeaders(w.Header())
	if page == nil {
		http.Error(w, notBuilt, http.StatusServiceUnavailable)
		return
	}
	nonce := newNonce()
	w.Header().Set("Content-Security-Policy", policy(scripts, nonce, r.Host))
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(bytes.ReplaceAll(page, []byte(noncePlaceholder), []byte(nonce)))
}

// policy is the Content-Security-Policy of a page.
func policy(scripts, nonce, host string) string {
	return strings.Join([]string{
		"default-src 'none'", scripts, connections(host),
		"worker-src 'self'", "style-src 'self' 'nonce-" + nonce + "'",
		"img-src 'self' data:", "font-src 'self'", "manifest-src 'self'",
		"base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
	}, "; ")
}

// connections lets a page talk to the gateway only. Older browsers do not count
// wss: as 'self', so the address that the page was asked from is named.
func connections(host string) string {
	if isPlainHost(host) {
		return "connect-src 'self' wss://" + host
	}
	return "connect-src 'self'"
}

// isPlainHost says that a Host header holds nothing that could end a directive. An
// IPv6 address is not plain: a policy cannot name one.
func isPlainHost(host string) bool {
	for _, c := range host {
		plain := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune(".-:", c)
		if !plain {
			return false
		}
	}
	return host != ""
}

func newNonce() string {
	random := make([]byte, 16)
	_, _ = rand.Read(random) // never fails: crypto/rand ends the process instead
	return base64.RawURLEncoding.EncodeToString(random)
}

const notBuilt = `画面がこのプログラムに組み込まれていません。「make build」で作成してください。
The pages are not built into this program. Build it with "make build".
`

// add sorts one file of dist to where it is served from.
func (h *Handler) add(name string, body []byte) {
	switch name {
	case "index.html":
		h.portal = body
		return
	case "viewer.html", "viewer/index.html":
		h.viewer = body
		return
	case "placeholder.txt":
		return
	}
	plain, coding := name, ""
	switch path.Ext(name) {
	case ".br":
		plain, coding = strings.TrimSuffix(name, ".br"), "br"
	case ".gz":
		plain, coding = strings.TrimSuffix(name, ".gz"), "gzip"
	}
	found := h.assets["/"+plain]
	if found.bodies == nil {
		found.bodies = make(map[string][]byte)
		found.contentType = contentType(plain)
		found.hashed = strings.HasPrefix(plain, "assets/")
	}
	found.bodies[coding] = body
	if coding == "" {
		sum := sha256.Sum256(body)
		found.etag = hex.EncodeToString(sum[:16])
	}
	h.assets["/"+plain] = found
}

func contentType(name string) string {
	switch path.Ext(name) {
	// The system's table may not know these, or say otherwise.
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".wasm":
		return "application/wasm"
	case ".svg":
		return "image/svg+xml"
	case ".woff2":
		return "font/woff2"
	}
	if known := mime.TypeByExtension(path.Ext(name)); known != "" {
		return known
	}
	return "application/octet-stream"
}

func (a asset) serve(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	SecureHeaders(header)
	// A worker takes its policy from the answer that brought its script.
	header.Set("Content-Security-Policy", "default-src 'none'; "+viewerScripts+
		"; "+connections(r.Host)+"; worker-src 'self'; frame-ancestors 'none'")
	header.Set("Content-Type", a.contentType)
	header.Set("Vary", "Accept-Encoding")
	coding, body := a.choose(r.Header.Get("Accept-Encoding"))
	if body == nil {
		http.NotFound(w, r)
		return
	}
	if coding != "" {
		header.Set("Content-Encoding", coding)
	}
	if a.hashed {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
		tag := `"` + a.etag + coding + `"`
		header.Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	header.Set("Content-Length", fmt.Sprint(len(body)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(body)
	}
}

// choose returns the best coding that the client takes and there is.
func (a asset) choose(accepted string) (coding string, body []byte) {
	for _, coding := range []string{"br", "gzip"} {
		if body := a.bodies[coding]; body != nil && accepts(accepted, coding) {
			return coding, body
		}
	}
	return "", a.bodies[""]
}

func accepts(header, coding string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, quality, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(name, coding) {
			q := strings.TrimSpace(quality)
			return q != "q=0" && q != "q=0.0"
		}
	}
	return false
}
