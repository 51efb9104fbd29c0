package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/auth"
	"jiseki/internal/gen/jiseki/control/v1/controlv1connect"
	"jiseki/internal/store"
)

// A clocked is an answer that keeps until when its request may be read.
type clocked struct {
	*httptest.ResponseRecorder
	until time.Time
}

func (c *clocked) SetReadDeadline(t time.Time) error {
	c.until = t
	return nil
}

// gateAlone is a server that has only what the gate itself needs.
func gateAlone() *Server {
	return &Server{log: slog.New(slog.DiscardHandler), bodies: newBodies(), limiter: newLimiter(time.Now)}
}

// TestBodiesHaveATime: a short body has ten seconds, a long one as much more as its length needs, and then it may take
// its time to be worked on; what nobody wants is read for two seconds.
func TestBodiesHaveATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := gateAlone()
		for length, want := range map[int]time.Duration{0: 10 * time.Second, 64 << 10: 12 * time.Second, 1 << 20: 42 * time.Second} {
			w := &clocked{ResponseRecorder: httptest.NewRecorder()}
			seen := time.Time{}
			body := readerFunc(func([]byte) (int, error) {
				seen = w.until
				return 0, io.EOF
			})
			r := httptest.NewRequest(http.MethodPost, "/", body)
			r.ContentLength = int64(length)
			_, done, err := s.receive(t.Context(), w, r, listBody)
			if err != nil {
				t.Fatal(err)
			}
			done()
			if got := time.Until(seen); got != want || !w.until.IsZero() {
				t.Errorf("%d bytes may take %s, want %s, and until %s afterwards", length, got, want, w.until)
			}
		}
		w := &clocked{ResponseRecorder: httptest.NewRecorder()}
		s.refuse(t.Context(), w, httptest.NewRequest(http.MethodPost, "/", strings.NewReader("{}")), deny(access.NotAllowed))
		if got := time.Until(w.until); got != lingerTime {
			t.Errorf("a body that nobody wants is read for %s", got)
		}
	})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// TestBodiesWithoutALengthAreCutOff: of a body that does not say how long it is, no more is read than its method allows
// and one byte.
func TestBodiesWithoutALengthAreCutOff(t *testing.T) {
	read := 0
	endless := readerFunc(func(b []byte) (int, error) {
		read += len(b)
		return len(b), nil
	})
	r := httptest.NewRequest(http.MethodPost, "/", endless)
	r.ContentLength = -1
	_, _, err := gateAlone().receive(t.Context(), &clocked{ResponseRecorder: httptest.NewRecorder()}, r, openBody)
	var no *failure
	if !errors.As(err, &no) || no.code != access.TooLong || read > openBody+1 {
		t.Errorf("%v after %d bytes", err, read)
	}
}

// TestElementsAreCountedAtTheGate: what has more elements than its method may need is refused before Connect sees it.
func TestElementsAreCountedAtTheGate(t *testing.T) {
	next := http.NewServeMux()
	next.HandleFunc(controlv1connect.AuthServiceSignInProcedure, func(http.ResponseWriter, *http.Request) {})
	gate := gateAlone().gate(Public, next)
	for name, c := range map[string]struct {
		form string
		body []byte
		want int
	}{
		"protobuf":           {formProto, bytes.Repeat([]byte{0x22, 0x00}, openBody/2), http.StatusBadRequest},
		"JSON":               {formJSON, []byte("[" + strings.Repeat("[],", openBody/4) + "[]]"), http.StatusBadRequest},
		"as many as it may":  {formProto, bytes.Repeat([]byte{0x22, 0x00}, openBody/bytesPerElement), http.StatusOK},
		"not many, but long": {formJSON, []byte(`{"userId":"` + strings.Repeat("x", openBody/2) + `"}`), http.StatusOK},
	} {
		w := &clocked{ResponseRecorder: httptest.NewRecorder()}
		r := httptest.NewRequest(http.MethodPost, controlv1connect.AuthServiceSignInProcedure, bytes.NewReader(c.body))
		r.Header.Set("Content-Type", c.form)
		gate.ServeHTTP(w, r)
		if w.Code != c.want || w.Code != http.StatusOK && !strings.Contains(w.Body.String(), string(access.TooLong)) {
			t.Errorf("%s: %d, %s", name, w.Code, w.Body)
		}
	}
}

// TestWhoseRoomABodyTakes: that of who is signed in, wherever he is, and else that of the network.
func TestWhoseRoomABodyTakes(t *testing.T) {
	at := func(address, user string) context.Context {
		ctx := withRequest(t.Context(), &request{remote: netip.MustParseAddr(address)})
		if user == "" {
			return ctx
		}
		return withCaller(ctx, &caller{identity: &auth.Identity{User: store.User{ID: user}}})
	}
	for _, c := range []struct {
		one, other context.Context
		same       bool
	}{
		{at("192.0.2.1", ""), at("192.0.2.1", ""), true},
		{at("192.0.2.1", ""), at("192.0.2.2", ""), false},
		{at("2001:db8::1", ""), at("2001:db8::2", ""), true},
		{at("2001:db8::1", ""), at("2001:db8:0:ff::1", ""), true}, // one customer has all of a /56
		{at("2001:db8::1", ""), at("2001:db8:0:100::1", ""), false},
		{at("192.0.2.1", "tanaka"), at("192.0.2.1", ""), false},
		{at("192.0.2.1", "tanaka"), at("192.0.2.1", "sato"), false},
		{at("192.0.2.1", "tanaka"), at("192.0.2.2", "tanaka"), true},
	} {
		if one, other := holderOf(c.one), holderOf(c.other); (one == other) != c.same {
			t.Errorf("%q and %q", one, other)
		}
	}
}
