package gateway_test

import (
	"testing"

	"jiseki/internal/cert"
	"jiseki/internal/gateway/gatewaytest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/link"
)

// TestEndedWhileTheOfferIsOnItsWay takes the user's right away just when the agent looks at the offer: the order to end
// comes too early for the agent, so the gateway must say it again, and gives the viewer nothing.
func TestEndedWhileTheOfferIsOnItsWay(t *testing.T) {
	town := gatewaytest.Start(t)
	tanaka := town.Staff(t, "tanaka", "田中 太郎")
	agent := town.NewAgent(t, "総務課 1", "tanaka")
	agent.Accept = func(*controlv1.Offer) string {
		_, err := town.Admin.SetUserDisabled(t.Context(), &controlv1.SetUserDisabledRequest{UserId: "tanaka", Disabled: true})
		if err != nil {
			t.Error(err)
		}
		return ""
	}
	p := tanaka.Prepare(t, agent.Desk).GetPrepared()
	r, err := tanaka.Open(t, agent.Desk, p, cert.NoiseKey{1})
	if err != nil || codes(r.GetRefusal()) != "session_state" {
		t.Fatalf("opened all the same: %v, %v", r, err)
	}
	offer := <-agent.Offers()
	ends := 0
	for ends < 2 { // by the act, before the agent knew of the session; and after its answer
		if o := <-agent.Orders(); string(o.GetEndSession().GetSessionId()) == string(p.GetSessionId()) {
			ends++
		}
	}
	if _, err := town.Dial(t.Context(), link.Agent, link.Control, offer.GetTicket()); err == nil {
		t.Error("the relay still knows the ticket")
	}
}

// TestForeignDesksTellNothing: who is not assigned to a desk learns neither its state nor whether it exists.
func TestForeignDesksTellNothing(t *testing.T) {
	town := gatewaytest.Start(t)
	tanaka := town.Staff(t, "tanaka", "田中 太郎")
	town.Staff(t, "sato", "佐藤 花子")
	off, _ := town.NewDesk(t, "総務課 9", "sato")
	on := town.NewAgent(t, "総務課 1", "sato")
	for _, desk := range []string{off, on.Desk, "0123456789abcdef"} {
		if got := codes(tanaka.Prepare(t, desk).GetRefusal()); got != "desk_not_yours" {
			t.Errorf("desk %s: %q", desk, got)
		}
	}
}
