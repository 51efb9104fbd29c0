package viewer_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"jiseki/internal/cert"
	"jiseki/internal/cert/certtest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/gen/jiseki/control/v1/controlv1connect"
	"jiseki/internal/viewer"
)

// gateway answers as the test wants.
type gateway struct {
	controlv1connect.UnimplementedAuthServiceHandler
	controlv1connect.UnimplementedDeskServiceHandler
	nonce    []byte
	me       *controlv1.Me
	refusal  *controlv1.Refusal
	enrolled *controlv1.Enrolled
	prepared *controlv1.Prepared
	opened   *controlv1.Opened
}

func (g *gateway) GetChallenge(context.Context, *controlv1.GetChallengeRequest) (*controlv1.GetChallengeResponse, error) {
	return &controlv1.GetChallengeResponse{Nonce: g.nonce}, nil
}

func (g *gateway) SignIn(context.Context, *controlv1.SignInRequest) (*controlv1.SignInResponse, error) {
	switch {
	case g.me != nil:
		return &controlv1.SignInResponse{Outcome: &controlv1.SignInResponse_Me{Me: g.me}}, nil
	case g.refusal != nil:
		return &controlv1.SignInResponse{Outcome: &controlv1.SignInResponse_Refusal{Refusal: g.refusal}}, nil
	}
	return &controlv1.SignInResponse{}, nil
}

func (g *gateway) EnrolDevice(context.Context, *controlv1.EnrolDeviceRequest) (*controlv1.EnrolDeviceResponse, error) {
	if g.enrolled == nil {
		return &controlv1.EnrolDeviceResponse{}, nil
	}
	return &controlv1.EnrolDeviceResponse{Outcome: &controlv1.EnrolDeviceResponse_Enrolled{Enrolled: g.enrolled}}, nil
}

func (g *gateway) PrepareSession(context.Context, *controlv1.PrepareSessionRequest) (*controlv1.PrepareSessionResponse, error) {
	if g.prepared == nil {
		return &controlv1.PrepareSessionResponse{}, nil
	}
	return &controlv1.PrepareSessionResponse{Outcome: &controlv1.PrepareSessionResponse_Prepared{Prepared: g.prepared}}, nil
}

func (g *gateway) OpenSession(context.Context, *controlv1.OpenSessionRequest) (*controlv1.OpenSessionResponse, error) {
	if g.opened == nil {
		return &controlv1.OpenSessionResponse{}, nil
	}
	return &controlv1.OpenSessionResponse{Outcome: &controlv1.OpenSessionResponse_Opened{Opened: g.opened}}, nil
}

func portal(t *testing.T, g *gateway) *viewer.Portal {
	t.Helper()
	mux := http.NewServeMux()
	for _, add := range []func() (string, http.Handler){
		func() (string, http.Handler) { return controlv1connect.NewAuthServiceHandler(g) },
		func() (string, http.Handler) { return controlv1connect.NewDeskServiceHandler(g) },
	} {
		path, handler := add()
		mux.Handle("/api"+path, http.StripPrefix("/api", handler))
	}
	server := httptest.NewUnstartedServer(mux)
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS13}
	server.StartTLS()
	t.Cleanup(server.Close)
	p, err := viewer.NewPortal(viewer.PortalConfig{
		Gateway: server.URL, TLS: server.Client().Transport.(*http.Transport).TLSClientConfig, Proxy: "direct",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	p.Use(viewer.Device{ID: "d1", Identity: certtest.Key(t, "device")})
	return p
}

func bundle(t *testing.T) []byte {
	t.Helper()
	key := func(label string) []cert.PublicKey { return []cert.PublicKey{certtest.Key(t, label).Public()} }
	b := &cert.Bundle{Version: 1, DeviceCAs: key("device ca"), DeskCAs: key("desk ca"), Grants: key("grant")}
	return b.Append(nil)
}

// good is a gateway whose answers are whole, up to a grant, which no test here needs.
func good(t *testing.T) *gateway {
	t.Helper()
	return &gateway{
		nonce:    bytes.Repeat([]byte{1}, len(cert.Nonce{})),
		me:       &controlv1.Me{UserId: "tanaka"},
		enrolled: &controlv1.Enrolled{DeviceId: "d2", TrustBundle: bundle(t)},
		prepared: &controlv1.Prepared{
			SessionId: bytes.Repeat([]byte{2}, len(cert.SessionID{})), Nonce: bytes.Repeat([]byte{3}, len(cert.Nonce{})), TrustBundle: bundle(t),
		},
		opened: &controlv1.Opened{},
	}
}

// A gateway that answers nonsense gets an error: nothing is taken over, nothing panics.
func TestPortalRefusesNonsense(t *testing.T) {
	for name, spoil := range map[string]func(*gateway){
		"challenge cut":      func(g *gateway) { g.nonce = g.nonce[1:] },
		"challenge missing":  func(g *gateway) { g.nonce = nil },
		"sign-in empty":      func(g *gateway) { g.me = nil },
		"enrolment empty":    func(g *gateway) { g.enrolled = nil },
		"enrolment nameless": func(g *gateway) { g.enrolled.DeviceId = "" },
		"enrolment's bundle": func(g *gateway) { g.enrolled.TrustBundle = []byte{1} },
		"session empty":      func(g *gateway) { g.prepared = nil },
		"session cut":        func(g *gateway) { g.prepared.SessionId = make([]byte, 15) },
		"session's nonce":    func(g *gateway) { g.prepared.Nonce = make([]byte, 33) },
		"session's bundle":   func(g *gateway) { g.prepared.TrustBundle = append(bundle(t), 0) },
		"grant empty":        func(g *gateway) { g.opened = nil },
		"grant malformed":    func(g *gateway) { g.opened.Grant = []byte{1, 2, 3} },
	} {
		t.Run(name, func(t *testing.T) {
			g := good(t)
			spoil(g)
			p := portal(t, g)
			_, err := p.SignIn(t.Context(), "tanaka", "password")
			if err == nil {
				_, err = p.Enrol(t.Context(), certtest.Key(t, "device"), "code", "label")
			}
			before := p.Device()
			if err == nil {
				_, err = p.Authorize(t.Context(), "k1", nil)
			}
			if err == nil {
				t.Error("no error")
			}
			if after := p.Device(); after.ID == "" || before.ID != after.ID {
				t.Errorf("the device is now %q", after.ID)
			}
		})
	}
}

// A "no" is a "no" with its reasons, also where the gateway forgot them.
func TestPortalRefusals(t *testing.T) {
	g := good(t)
	g.me = nil
	g.refusal = &controlv1.Refusal{Reasons: []*controlv1.Reason{{Code: "wrong_password", Ja: "違います", En: "wrong"}}}
	_, err := portal(t, g).SignIn(t.Context(), "tanaka", "password")
	refused := (*viewer.RefusedError)(nil)
	if !errors.As(err, &refused) || refused.Code() != "wrong_password" {
		t.Errorf("got %v", err)
	}
	g.refusal = nil
	_, err = portal(t, g).SignIn(t.Context(), "tanaka", "password")
	if !errors.As(err, &refused) || refused.Code() != "" {
		t.Errorf("got %v", err)
	}
}

func TestPortalWantsTLS(t *testing.T) {
	for _, address := range []string{"http://gateway.example", "gateway.example", "https://", "wss://gateway.example", "https://%zz"} {
		if _, err := viewer.NewPortal(viewer.PortalConfig{Gateway: address}); err == nil {
			t.Errorf("%q is taken", address)
		}
	}
}
