package gateway_test

import (
	"context"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/cert"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/gen/jiseki/control/v1/controlv1connect"
	"jiseki/internal/grant"
)

// TestPreparedInTheOfficeOpenedAtHome: a session is where it was opened. One that was prepared in the office counts as
// one from home, is logged as such, and ends when the order to work at home is taken back.
func TestPreparedInTheOfficeOpenedAtHome(t *testing.T) {
	p := startPolicy(t, func(s *access.Settings) {
		s.ApprovalRequired, s.OfficeNetworks = true, []netip.Prefix{netip.MustParsePrefix("127.0.3.0/24")}
	})
	order := p.order(t, controlv1.RequestKind_REQUEST_KIND_TELEWORK_ORDER, 510, 1035)
	office := &http.Transport{TLSClientConfig: p.TLS(), DialContext: from("127.0.3.7").DialContext}
	t.Cleanup(office.CloseIdleConnections)
	inside := controlv1connect.NewDeskServiceClient(&http.Client{Jar: p.worker.Client.Jar, Transport: office}, "https://"+p.Host)
	prepared, err := inside.PrepareSession(t.Context(), &controlv1.PrepareSessionRequest{DeskId: p.agent.Desk})
	if err != nil || prepared.GetPrepared() == nil {
		t.Fatalf("%v, %v", err, prepared.GetRefusal())
	}
	opened, err := p.worker.Open(t, p.agent.Desk, prepared.GetPrepared(), cert.NoiseKey{7})
	if err != nil || opened.GetOpened() == nil {
		t.Fatalf("%v, %v", err, opened.GetRefusal())
	}
	g, err := grant.Parse(opened.GetOpened().GetGrant())
	if err != nil {
		t.Fatal(err)
	}
	p.agent.Report(t, g.Session[:], controlv1.SessionEventKind_SESSION_EVENT_KIND_OPENED, 0)
	if s := p.ended(t); s.GetPlace() != controlv1.Place_PLACE_HOME || s.GetAddress() != "127.0.0.1" {
		t.Fatalf("the session counts as one from %v at %s", s.GetPlace(), s.GetAddress())
	}
	_, err = p.chief.WithdrawRequest(t.Context(), &controlv1.WithdrawRequestRequest{RequestId: order.GetRequestId(), Comment: "取消し"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		select {
		case o := <-p.agent.Orders():
			if string(o.GetEndSession().GetSessionId()) == string(g.Session[:]) {
				return
			}
		case <-ctx.Done():
			t.Fatal("the order was taken back, and the session runs on")
		}
	}
}
