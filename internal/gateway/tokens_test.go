package gateway_test

import (
	"crypto/rand"
	"net/http"
	"testing"

	"jiseki/internal/cert"
	"jiseki/internal/gateway/gatewaytest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/gen/jiseki/control/v1/controlv1connect"
)

// TestMadeUpTokensDoNotFillTheLog sends tokens that are none: after some, nothing more is written for a while.
func TestMadeUpTokensDoNotFillTheLog(t *testing.T) {
	town := gatewaytest.Start(t)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: town.TLS()}}
	t.Cleanup(client.CloseIdleConnections)
	service := controlv1connect.NewAgentServiceClient(client, "https://"+town.Host)
	key, err := cert.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	public, refused := key.Public(), ""
	for range 110 {
		challenge, err := service.GetAgentChallenge(t.Context(), &controlv1.GetAgentChallengeRequest{})
		if err != nil {
			t.Fatal(err)
		}
		signature, err := cert.Enrol{Nonce: cert.Nonce(challenge.GetNonce()), Key: public}.Sign(key)
		if err != nil {
			t.Fatal(err)
		}
		secret := make([]byte, 32)
		rand.Read(secret) // never fails
		_, err = service.EnrolDesk(t.Context(), &controlv1.EnrolDeskRequest{
			Secret: secret, Nonce: challenge.GetNonce(), PublicKey: public[:], Signature: signature[:], Grade: controlv1.KeyGrade_KEY_GRADE_FILE,
		})
		if err != nil {
			refused = codeOf(t, err)
		}
	}
	if refused != "too_many_at_once" {
		t.Errorf("the stranger was told %q", refused)
	}
	r, err := town.Admin.ListEvents(t.Context(), &controlv1.ListEventsRequest{Kind: "desk_refused", Page: &controlv1.Page{Limit: 500}})
	if err != nil || len(r.GetEvents()) == 0 || len(r.GetEvents()) > 101 {
		t.Errorf("%d events, %v", len(r.GetEvents()), err)
	}
	_, token := town.NewDesk(t, "総務課 01")
	town.EnrolAgent(t, token) // does not wait, at the same address
}
