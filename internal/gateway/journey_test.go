package gateway_test

import (
	"bytes"
	"context"
	"testing"

	"jiseki/internal/cert"
	"jiseki/internal/gateway/gatewaytest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/grant"
	"jiseki/internal/link"
)

// TestJourney goes the whole way of a session as the gateway sees it: founding,
// slip, first password, device, desk, agent, grant, relay, end, log.
func TestJourney(t *testing.T) {
	town := gatewaytest.Start(t)
	tanaka := town.Staff(t, "tanaka", "田中 太郎")
	agent := town.NewAgent(t, "総務課 1", "tanaka")

	desks, err := tanaka.Desks.ListDesks(t.Context(), &controlv1.ListDesksRequest{})
	if err != nil || len(desks.GetDesks()) != 1 || !desks.GetDesks()[0].GetMayOpen() {
		t.Fatalf("desks: %v, %v", desks, err)
	}
	again, err := tanaka.Desks.ListDesks(t.Context(), &controlv1.ListDesksRequest{Etag: desks.GetEtag()})
	if err != nil || !again.GetUnchanged() {
		t.Errorf("a second look: %v, %v, want unchanged", again, err)
	}

	noise := cert.NoiseKey{1, 2, 3}
	opened, g := tanaka.Connect(t, agent.Desk, noise)
	offer := <-agent.Offers()
	if !bytes.Equal(offer.GetGrant(), opened.GetGrant()) {
		t.Error("viewer and agent got different grants")
	}
	checkGrant(t, town, tanaka, agent, g)
	exchange(t, town, opened.GetTicket(), offer.GetTicket())

	agent.Report(t, g.Session[:], controlv1.SessionEventKind_SESSION_EVENT_KIND_OPENED, 0)
	agent.AwaitState(t, controlv1.DeskState_DESK_STATE_IN_SESSION)
	if _, err := tanaka.Desks.EndSession(t.Context(), &controlv1.EndSessionRequest{SessionId: g.Session[:]}); err != nil {
		t.Fatal(err)
	}
	for o := range agent.Orders() {
		if o.GetEndSession() != nil {
			if !bytes.Equal(o.GetEndSession().GetSessionId(), g.Session[:]) || o.GetEndSession().GetCode() != 1 {
				t.Errorf("order to end: %v", o)
			}
			break
		}
	}
	agent.Report(t, g.Session[:], controlv1.SessionEventKind_SESSION_EVENT_KIND_ENDED, 1)
	agent.Report(t, g.Session[:], controlv1.SessionEventKind_SESSION_EVENT_KIND_LOCKED, 0)
	checkLog(t, town)
}

// checkGrant checks what the grant says, with the keys that both sides hold.
func checkGrant(t *testing.T, town *gatewaytest.Town, b *gatewaytest.Browser, a *gatewaytest.Agent, g *grant.Grant) {
	t.Helper()
	if err := g.CheckOwn(grant.Own{
		Session: g.Session, Device: b.Key.Public(), NoiseKey: cert.NoiseKey{1, 2, 3}, Desk: a.Desk, DeskKey: a.Key.Public(),
	}); err != nil {
		t.Error(err)
	}
	if g.User != "tanaka" || g.UserName != "田中 太郎" || g.Relay != town.Host || g.Rights != grant.RightView|grant.RightInput {
		t.Errorf("grant says %s, %s, %s, %s", g.User, g.UserName, g.Relay, g.Rights)
	}
}

// exchange sends a message each way over both channels of the relay.
func exchange(t *testing.T, town *gatewaytest.Town, viewer, agent []byte) {
	t.Helper()
	for _, channel := range []link.Channel{link.Control, link.Display} {
		type result struct {
			conn *link.Conn
			err  error
		}
		other := make(chan result, 1)
		go func() {
			conn, err := town.Dial(context.Background(), link.Agent, channel, agent)
			other <- result{conn, err}
		}()
		mine, err := town.Dial(t.Context(), link.Viewer, channel, viewer)
		theirs := <-other
		if err != nil || theirs.err != nil {
			t.Fatalf("channel %d: %v, %v", channel, err, theirs.err)
		}
		t.Cleanup(func() { mine.Close(link.Normal, ""); theirs.conn.Close(link.Normal, "") })
		for _, way := range [][2]*link.Conn{{mine, theirs.conn}, {theirs.conn, mine}} {
			if err := way[0].Send(t.Context(), []byte("sealed")); err != nil {
				t.Fatal(err)
			}
			if got, err := way[1].Receive(t.Context()); err != nil || string(got) != "sealed" {
				t.Fatalf("channel %d carried %q, %v", channel, got, err)
			}
		}
	}
}

// checkLog looks for the events of a whole session, and that the chain holds.
func checkLog(t *testing.T, town *gatewaytest.Town) {
	t.Helper()
	r, err := town.Admin.ListEvents(t.Context(), &controlv1.ListEventsRequest{Page: &controlv1.Page{Limit: 500}})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, e := range r.GetEvents() {
		seen[e.GetKind()]++
	}
	for _, kind := range []string{
		"organisation_created", "keys_created", "user_created", "device_code_created", "sign_in", "password_changed", "device_enrolled",
		"desk_created", "desk_token_created", "desk_enrolled", "desk_connected", "session_granted", "session_opened", "session_ended",
		"session_locked", "gateway_started",
	} {
		if seen[kind] == 0 {
			t.Errorf("no event %s in %v", kind, seen)
		}
	}
	v, err := town.Admin.VerifyEvents(t.Context(), &controlv1.VerifyEventsRequest{Head: r.GetHead()})
	if err != nil || !v.GetIntact() {
		t.Errorf("the log is not intact: %v, %v", v, err)
	}
}
