package gateway_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"jiseki/internal/gateway/gatewaytest"
	"jiseki/internal/link"
)

// manyMessages are n bytes that some methods decode to n/2 messages.
func manyMessages(n int) []byte { return bytes.Repeat([]byte{0x0a, 0x00}, n/2) }

func packed(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(b)
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// hostile are bodies of strangers that cost more than they look.
var hostile = []struct {
	name, method, form string
	packed             bool
	body               []byte
	status             int
}{
	{"a right that is missing, packed", "AdminService/CreateUsers", "application/proto", true, manyMessages(1 << 20), http.StatusUnsupportedMediaType},
	{"a right that is missing, plain", "AdminService/CreateUsers", "application/proto", false, manyMessages(1 << 20), http.StatusUnauthorized},
	{"of the portal", "ApprovalService/DecideRequests", "application/proto", true, manyMessages(1 << 20), http.StatusUnsupportedMediaType},
	{"open, packed", "AuthService/SignIn", "application/proto", true, manyMessages(1 << 20), http.StatusUnsupportedMediaType},
	{"open, plain", "AuthService/SignIn", "application/proto", false, manyMessages(1 << 20), http.StatusBadRequest},
	{"open, one field a thousand times", "AuthService/SignIn", "application/proto", false, bytes.Repeat([]byte{0x22, 0x00}, 2000), http.StatusBadRequest},
	{
		"open, lists in JSON", "AgentService/EnrolDesk", "application/json", false,
		[]byte(`{"x":[` + strings.Repeat("[],", 1500) + `[]]}`), http.StatusBadRequest,
	},
	{"a form of streams", "AuthService/SignIn", "application/grpc", false, manyMessages(1 << 16), http.StatusUnsupportedMediaType},
}

// TestBodiesOfStrangersCostNothing: nothing of a body is decoded before the right to send it is known, and then no more
// than the method may need.
func TestBodiesOfStrangersCostNothing(t *testing.T) {
	town := gatewaytest.Start(t)
	const each = 40
	for _, one := range hostile {
		t.Run(one.name, func(t *testing.T) {
			client := town.NewBrowser(t).Client
			body := one.body
			if one.packed {
				body = packed(t, body)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			var group sync.WaitGroup
			for range each {
				group.Go(func() {
					status := sendBody(t, client, town.Host, one.method, one.form, one.packed, bytes.NewReader(body))
					if status != one.status {
						t.Errorf("status %d, want %d", status, one.status)
					}
				})
			}
			group.Wait()
			runtime.ReadMemStats(&after)
			// What client and server of this process spend on a call, beside a body of a megabyte that the client may
			// have sent.
			if spent := (after.TotalAlloc - before.TotalAlloc) / each; spent > 2<<20 {
				t.Errorf("%d KB a call", spent>>10)
			}
		})
	}
	town.Staff(t, "tanaka", "x")
}

// sendBody sends a body of which the length is known if it is a *bytes.Reader, and returns the status.
func sendBody(t *testing.T, client *http.Client, host, method, form string, packed bool, body io.Reader) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+host+"/api/jiseki.control.v1."+method, body)
	if err != nil {
		t.Error(err)
		return 0
	}
	r.Header.Set("Content-Type", form)
	if packed {
		r.Header.Set("Content-Encoding", "gzip")
	}
	answer, err := client.Do(r)
	if err != nil {
		t.Error(err)
		return 0
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode
}

// TestRightsAreLookedAtBeforeBodies: a body that never comes keeps nobody from being refused.
func TestRightsAreLookedAtBeforeBodies(t *testing.T) {
	town := gatewaytest.Start(t)
	for _, one := range []struct {
		method string
		status int
	}{
		{"AdminService/CreateUsers", http.StatusUnauthorized},
		{"DeskService/ListDesks", http.StatusUnauthorized},
		{"AuthService/NoSuchMethod", http.StatusNotFound},
	} {
		body, hold := io.Pipe()
		t.Cleanup(func() { _ = hold.Close() })
		if status := sendBody(t, town.NewBrowser(t).Client, town.Host, one.method, "application/json", false, body); status != one.status {
			t.Errorf("%s: %d, want %d", one.method, status, one.status)
		}
	}
}

// TestUnfinishedBodiesGiveWay: the oldest bodies that somebody begins and does not end give way to the next, and nobody
// waits for them.
func TestUnfinishedBodiesGiveWay(t *testing.T) {
	town := gatewaytest.Start(t)
	for name, two := range map[string]bool{"HTTP/2": true, "HTTP/1.1": false} {
		t.Run(name, func(t *testing.T) {
			line := &http.Transport{TLSClientConfig: town.TLS(), ForceAttemptHTTP2: two}
			t.Cleanup(line.CloseIdleConnections)
			beginBodies(t, &http.Client{Transport: line}, town.Host)
			town.Staff(t, "tanaka"+name[len(name)-1:], "x")
		})
	}
}

// beginBodies begins many bodies and waits until most of them gave way.
func beginBodies(t *testing.T, client *http.Client, host string) {
	t.Helper()
	const begun, stay = 200, 100 // fewer than one network may have connections
	gaveWay := make(chan int, begun)
	for range begun {
		body, hold := io.Pipe()
		t.Cleanup(func() { _ = hold.Close() })
		go func() { _, _ = hold.Write([]byte(`{"userId":"`)) }() // and no more
		go func() {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+host+"/api/jiseki.control.v1.AuthService/SignIn", body)
			if err != nil {
				return
			}
			r.Header.Set("Content-Type", "application/json")
			answer, err := client.Do(r)
			if err != nil {
				gaveWay <- 0
				return
			}
			answer.Body.Close()
			gaveWay <- answer.StatusCode
		}()
	}
	for range begun - stay {
		if status := <-gaveWay; status != http.StatusServiceUnavailable {
			t.Fatalf("status %d", status)
		}
	}
}

// TestPathsWithoutBodies: where no body is expected, one that never comes is not waited for.
func TestPathsWithoutBodies(t *testing.T) {
	town := gatewaytest.Start(t)
	for _, path := range []string{"/", "/healthz", "/agent", "/relay", "/assets/x.js"} {
		body, hold := io.Pipe()
		t.Cleanup(func() { _ = hold.Close() })
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+town.Host+path, body)
		if err != nil {
			t.Fatal(err)
		}
		line := &http.Transport{TLSClientConfig: town.TLS()}
		t.Cleanup(line.CloseIdleConnections)
		answer, err := (&http.Client{Transport: line}).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d", path, answer.StatusCode)
		}
	}
}

// TestRefusalsDoNotFillTheLog: one address that is refused a thousand times leaves few lines, and every head of the
// audit log is there.
func TestRefusalsDoNotFillTheLog(t *testing.T) {
	var log notebook
	town := gatewaytest.Start(t, gatewaytest.WithLog(slog.New(slog.NewTextHandler(&log, nil))))
	client := town.NewBrowser(t).Client
	for range 1000 {
		if status := sendBody(t, client, town.Host, "DeskService/ListDesks", "application/json", false, strings.NewReader("{}")); status != http.StatusUnauthorized {
			t.Fatalf("status %d", status)
		}
	}
	town.NewUser(t, "tanaka", "x") // an event, and so a head when the gateway stops
	town.Stop(t)
	if size := len(log.String()); size > 20_000 {
		t.Errorf("%d bytes of log", size)
	}
	if !strings.Contains(log.String(), "head of the audit log") || !strings.Contains(log.String(), "a call was refused") {
		t.Errorf("the log lacks what belongs there: %.2000s", log.String())
	}
}

// TestWhatStrangersCauseIsSampled: whatever somebody without any right does again and again leaves a few lines of each
// kind.
func TestWhatStrangersCauseIsSampled(t *testing.T) {
	var log notebook
	town := gatewaytest.Start(t, gatewaytest.WithLog(slog.New(slog.NewTextHandler(&log, nil))))
	client := town.NewBrowser(t).Client
	socket := func(path string, first []byte) {
		c, err := link.DialSocket(t.Context(), link.DialConfig{URL: "wss://" + town.Host + path, TLS: town.TLS(), Proxy: link.Direct})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Send(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		for err == nil { // until the gateway has hung up
			_, err = c.Receive(t.Context())
		}
	}
	const tries, written = 12, 5
	for range tries {
		sendBody(t, client, town.Host, "DeskService/ListDesks", "application/json", false, strings.NewReader("{}"))
		answer, err := client.Get("https://" + town.Host + "/agent") //nolint:noctx // of this process
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		socket("/agent", []byte("no hello"))
		socket("/relay", []byte("no claim"))
		socket("/relay", claim(link.Viewer))
	}
	town.Stop(t)
	for _, message := range []string{
		"a call was refused", "control channel was not opened", "agent was refused", "link without a claim", "claim refused",
	} {
		if n := strings.Count(log.String(), `msg="`+message+`"`); n != written {
			t.Errorf("%q is written %d times, want %d of %d", message, n, written, tries)
		}
	}
}
