package gateway_test

import (
	"bytes"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"jiseki/internal/cert"
	"jiseki/internal/cert/certtest"
	"jiseki/internal/gateway/gatewaytest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/gen/jiseki/control/v1/controlv1connect"
)

// TestCertificatesAreRenewedWhenDue: a desk, and somebody who is signed in on a device, have their certificates renewed
// as often as it is time, whatever they ask; before, they are told the present one, and nothing is written.
func TestCertificatesAreRenewedWhenDue(t *testing.T) {
	var behind atomic.Int64
	behind.Store(int64(61 * 24 * time.Hour))
	now := func() time.Time { return time.Now().Add(-time.Duration(behind.Load())) }
	town := gatewaytest.Start(t, gatewaytest.WithNow(now))
	_, token := town.NewDesk(t, "総務課 01")
	agent := town.EnrolAgent(t, token)
	b := town.Staff(t, "tanaka", "田中 太郎")
	b.SignIn(t, "tanaka", gatewaytest.Password)
	renewed := func() int {
		t.Helper()
		r, err := town.Admin.ListEvents(t.Context(), &controlv1.ListEventsRequest{})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, e := range r.GetEvents() {
			if e.GetKind() == "desk_renewed" || e.GetKind() == "device_renewed" {
				n++
			}
		}
		return n
	}
	twice := func() {
		t.Helper()
		if !bytes.Equal(renewDesk(t, town, agent, now()), renewDesk(t, town, agent, now())) {
			t.Error("the desk has two certificates")
		}
		if !bytes.Equal(renewDevice(t, b), renewDevice(t, b)) {
			t.Error("the device has two certificates")
		}
	}
	twice()
	if n := renewed(); n != 0 {
		t.Errorf("%d renewals before it is time", n)
	}
	behind.Store(0)
	b.SignIn(t, "tanaka", gatewaytest.Password)
	twice()
	if n := renewed(); n != 2 {
		t.Errorf("%d renewals when it is time, of one desk and one device", n)
	}
}

// renewDesk asks as an agent does.
func renewDesk(t *testing.T, town *gatewaytest.Town, agent *gatewaytest.Agent, now time.Time) []byte {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: town.TLS()}}
	defer client.CloseIdleConnections()
	service := controlv1connect.NewAgentServiceClient(client, "https://"+town.Host)
	challenge, err := service.GetAgentChallenge(t.Context(), &controlv1.GetAgentChallengeRequest{})
	if err != nil {
		t.Fatal(err)
	}
	statement := certtest.Statement(t, agent.Key, agent.Noise, now)
	proof := cert.AgentHello{Nonce: cert.Nonce(challenge.GetNonce()), Desk: agent.Desk, Statement: statement.Hash()}
	signature, err := proof.Sign(agent.Key)
	if err != nil {
		t.Fatal(err)
	}
	r, err := service.RenewDeskCertificate(t.Context(), &controlv1.RenewDeskCertificateRequest{
		DeskId: agent.Desk, Nonce: challenge.GetNonce(), Statement: statement.Append(nil), Signature: signature[:],
	})
	if err != nil || r.GetRefusal() != nil {
		t.Fatal(r, err)
	}
	return r.GetRenewed().GetCertificate()
}

// renewDevice asks as the portal does.
func renewDevice(t *testing.T, b *gatewaytest.Browser) []byte {
	t.Helper()
	r, err := b.Auth.RenewDeviceCertificate(t.Context(), &controlv1.RenewDeviceCertificateRequest{Device: b.Proof(t, "tanaka")})
	if err != nil || r.GetRefusal() != nil {
		t.Fatal(r, err)
	}
	return r.GetRenewed().GetCertificate()
}
