package gateway_test

import (
	"context"
	"testing"

	"jiseki/internal/cert"
	"jiseki/internal/gateway/gatewaytest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/link"
)

// TestEndedSessionsLeaveTheRelay: a user who has the key of the own desk holds both ends, has the desk say that the session is
// over, and goes on. The relay cuts it.
func TestEndedSessionsLeaveTheRelay(t *testing.T) {
	town := gatewaytest.Start(t)
	tanaka := town.Staff(t, "tanaka", "田中 太郎")
	desk := town.NewAgent(t, "総務課 1", "tanaka")
	opened, g := tanaka.Connect(t, desk.Desk, cert.NoiseKey{1})
	ticket := (<-desk.Offers()).GetTicket()
	agents := make(chan *link.Conn, 1)
	go func() {
		c, err := town.Dial(context.WithoutCancel(t.Context()), link.Agent, link.Control, ticket)
		if err != nil {
			t.Error(err)
		}
		agents <- c
	}()
	viewer, err := town.Dial(t.Context(), link.Viewer, link.Control, opened.GetTicket())
	if err != nil {
		t.Fatal(err)
	}
	<-agents
	desk.Report(t, g.Session[:], controlv1.SessionEventKind_SESSION_EVENT_KIND_OPENED, 0)
	desk.Report(t, g.Session[:], controlv1.SessionEventKind_SESSION_EVENT_KIND_ENDED, 1)
	if _, err := viewer.Receive(t.Context()); link.CloseCode(err) != link.Revoked {
		t.Errorf("the end that the relay tells of: %v", err)
	}
}
