package gateway_test

import (
	"testing"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/cert"
	"jiseki/internal/gateway/gatewaytest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/link"
)

// running are the sessions that hold a seat.
func running(t *testing.T, town *gatewaytest.Town) []*controlv1.Session {
	t.Helper()
	r, err := town.Admin.ListSessions(t.Context(), &controlv1.ListSessionsRequest{RunningOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	return r.GetSessions()
}

// awaitRunning waits until so many sessions hold a seat.
func awaitRunning(t *testing.T, town *gatewaytest.Town, want int) {
	t.Helper()
	for len(running(t, town)) != want {
		select {
		case <-t.Context().Done():
			t.Fatalf("%d sessions run, want %d", len(running(t, town)), want)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// TestOneUserTakesOneSeatOfADesk: whoever opens a desk again and again, and never comes, has one seat and leaves the
// others to others.
func TestOneUserTakesOneSeatOfADesk(t *testing.T) {
	town := gatewaytest.Start(t, gatewaytest.WithSettings(func(s *access.Settings) { s.MaxSessions = 2 }))
	tanaka, sato := town.Staff(t, "tanaka", "田中 太郎"), town.Staff(t, "sato", "佐藤 花子")
	mine, other := town.NewAgent(t, "総務課 1", "tanaka"), town.NewAgent(t, "総務課 2", "sato")
	var last, before []byte
	for n := range byte(10) {
		before = last
		p := tanaka.Prepare(t, mine.Desk).GetPrepared()
		if r, err := tanaka.Open(t, mine.Desk, p, cert.NoiseKey{n}); err != nil || r.GetOpened() == nil {
			t.Fatalf("try %d: %v, %v", n, r, err)
		}
		last = (<-mine.Offers()).GetTicket()
	}
	if n := len(running(t, town)); n != 1 {
		t.Errorf("%d sessions hold a seat", n)
	}
	sato.Connect(t, other.Desk, cert.NoiseKey{1})
	if _, err := town.Dial(t.Context(), link.Agent, link.Control, before); link.CloseCode(err) != link.BadClaim {
		t.Errorf("the ticket of a replaced grant: %v", err)
	}
	events, err := town.Admin.ListEvents(t.Context(), &controlv1.ListEventsRequest{Kind: "session_ended"})
	if err != nil || len(events.GetEvents()) != 9 || events.GetEvents()[0].GetCode() != "18" {
		t.Errorf("the log has %d ends, %v", len(events.GetEvents()), err)
	}
}

// TestUnpairedSessionsEnd: a session to which only one side comes gives its seat back when the relay gives it up, in
// the store too.
func TestUnpairedSessionsEnd(t *testing.T) {
	town := gatewaytest.Start(t)
	tanaka := town.Staff(t, "tanaka", "田中 太郎")
	agent := town.NewAgent(t, "総務課 1", "tanaka")
	tanaka.Connect(t, agent.Desk, cert.NoiseKey{1})
	_, err := town.Dial(t.Context(), link.Agent, link.Control, (<-agent.Offers()).GetTicket()) // returns when the relay gives up
	if link.CloseCode(err) != link.Unpaired {
		t.Fatal(err)
	}
	awaitRunning(t, town, 0)
	r, err := tanaka.Desks.ListMySessions(t.Context(), &controlv1.ListMySessionsRequest{})
	if err != nil || r.GetSessions()[0].GetEndReason() != "never_opened" {
		t.Errorf("%v, %v", r, err)
	}
}

// TestTriesOfOneUser: one user prepares and opens as often as a bad line needs, and no more, and leaves no mark in the
// log beyond that.
func TestTriesOfOneUser(t *testing.T) {
	town := gatewaytest.Start(t)
	tanaka, sato := town.Staff(t, "tanaka", "田中 太郎"), town.Staff(t, "sato", "佐藤 花子")
	agent := town.NewAgent(t, "総務課 1", "tanaka", "sato")
	for n := 0; ; n++ {
		p := tanaka.Prepare(t, agent.Desk)
		if p.GetPrepared() != nil && n < 100 {
			continue
		}
		if codes(p.GetRefusal()) != "too_many_at_once" || p.GetRefusal().GetRetryAfterS() < 1 || p.GetRefusal().GetRetryAfterS() > 60 {
			t.Errorf("try %d: %v", n, p)
		}
		break
	}
	if codes(sato.Prepare(t, agent.Desk).GetRefusal()) != "" {
		t.Error("somebody else has to wait too")
	}
	p := sato.Prepare(t, agent.Desk).GetPrepared()
	for n := 0; ; n++ {
		r, err := sato.Open(t, agent.Desk, p, cert.NoiseKey{byte(n)}) // the first opens, the others come too late
		if err != nil {
			t.Fatal(err)
		}
		if codes(r.GetRefusal()) != "too_many_at_once" && n < 100 {
			continue
		}
		if r.GetRefusal().GetRetryAfterS() < 1 {
			t.Errorf("try %d: %v", n, r)
		}
		break
	}
	events, err := town.Admin.ListEvents(t.Context(), &controlv1.ListEventsRequest{Kind: "session_refused"})
	if err != nil || len(events.GetEvents()) > 30 {
		t.Errorf("%d refusals in the log, %v", len(events.GetEvents()), err)
	}
}

// TestDeskOpensWhatWasGranted: a desk that reports the opening of a session that was only prepared opens nothing.
func TestDeskOpensWhatWasGranted(t *testing.T) {
	town := gatewaytest.Start(t)
	tanaka := town.Staff(t, "tanaka", "田中 太郎")
	agent := town.NewAgent(t, "総務課 1", "tanaka")
	p := tanaka.Prepare(t, agent.Desk).GetPrepared()
	agent.Report(t, p.GetSessionId(), controlv1.SessionEventKind_SESSION_EVENT_KIND_OPENED, 0)
	if s := running(t, town); len(s) != 0 {
		t.Errorf("it runs: %v", s)
	}
	agent.AwaitState(t, controlv1.DeskState_DESK_STATE_ON)
	r, err := town.Admin.ListEvents(t.Context(), &controlv1.ListEventsRequest{Kind: "session_refused"})
	if err != nil || len(r.GetEvents()) != 1 || r.GetEvents()[0].GetCode() != "session_life" {
		t.Errorf("the log: %v, %v", r, err)
	}
	if o, err := tanaka.Open(t, agent.Desk, p, cert.NoiseKey{1}); err != nil || o.GetOpened() == nil {
		t.Errorf("the user's own opening: %v, %v", o, err)
	}
}
