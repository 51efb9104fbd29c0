package hub_test

import (
	"errors"
	"fmt"
	"testing"

	"jiseki/internal/cert"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/hub"
	"jiseki/internal/link"
	"jiseki/internal/wake"
)

func TestOfferIsAnswered(t *testing.T) {
	w := start(t)
	a := w.join(t, "d1")
	session := cert.SessionID{1, 2, 3}
	go func() {
		m := a.next(func(m *controlv1.GatewayMessage, _ *controlv1.Order) bool { return m.GetOffer() != nil })
		if string(m.GetOffer().GetGrant()) != "grant" {
			t.Errorf("offer came as %v", m)
		}
		// An answer for another session first: it must not be taken for this one.
		for _, id := range [][]byte{{0xff, 15: 1}, session[:]} {
			send(t, a.conn, &controlv1.AgentMessage{Message: &controlv1.AgentMessage_OfferAnswer{
				OfferAnswer: &controlv1.OfferAnswer{SessionId: id, Accepted: id[0] == 1, Code: "x"},
			}})
		}
	}()
	answer, err := w.hub.Offer(t.Context(), "d1", session, &controlv1.Offer{Grant: []byte("grant")})
	if err != nil || !answer.GetAccepted() {
		t.Errorf("got %v, %v", answer, err)
	}
	if _, err := w.hub.Offer(t.Context(), "d2", session, &controlv1.Offer{}); !errors.Is(err, hub.ErrAway) {
		t.Errorf("offer to a desk that is away: %v", err)
	}
}

// TestAgentThatHangsUpIsAway: nobody waits for the answer of an agent that has gone, to an offer or to an order.
func TestAgentThatHangsUpIsAway(t *testing.T) {
	w := start(t)
	for name, ask := range map[string]func() error{
		"offer": func() error {
			_, err := w.hub.Offer(t.Context(), "d1", cert.SessionID{1}, &controlv1.Offer{})
			return err
		},
		"lock": func() error {
			_, err := w.hub.Lock(t.Context(), "d1")
			return err
		},
	} {
		a := w.join(t, "d1")
		go func() {
			a.next(func(m *controlv1.GatewayMessage, o *controlv1.Order) bool {
				return m.GetOffer() != nil || o.GetLock() != nil
			})
			_ = a.conn.Close(link.GoingAway, "")
		}()
		if err := ask(); !errors.Is(err, hub.ErrAway) {
			t.Errorf("%s: %v, want that the desk is away", name, err)
		}
	}
}

// TestFailingStoreIsNoDeskThatIsAway: when the gateway cannot read what the desk must know before an offer, the desk is
// not to blame.
func TestFailingStoreIsNoDeskThatIsAway(t *testing.T) {
	w := start(t)
	id := w.identity(t, "d1")
	id.register = &controlv1.RegisterCopy{}
	_, next := w.hello(t, id)
	if next.GetSigned() == nil {
		t.Fatalf("not welcome: %v", next)
	}
	w.ready(t, "d1")
	w.desks.mu.Lock()
	w.desks.broken = errors.New("no disk")
	w.desks.mu.Unlock()
	if _, err := w.hub.Offer(t.Context(), "d1", cert.SessionID{1}, &controlv1.Offer{}); !errors.Is(err, hub.ErrFailed) {
		t.Errorf("got %v", err)
	}
}

func TestOrdersArriveSigned(t *testing.T) {
	w := start(t)
	a := w.join(t, "d1")
	if err := w.hub.EndSession(t.Context(), "d1", cert.SessionID{7}, 4); err != nil {
		t.Fatal(err)
	}
	a.next(func(_ *controlv1.GatewayMessage, o *controlv1.Order) bool {
		return o.GetEndSession().GetCode() == 4 && o.GetEndSession().GetSessionId()[0] == 7
	})
	go func() {
		var number uint64
		a.next(func(_ *controlv1.GatewayMessage, o *controlv1.Order) bool {
			number = o.GetNumber()
			return o.GetLock() != nil
		})
		send(t, a.conn, &controlv1.AgentMessage{Message: &controlv1.AgentMessage_OrderAnswer{
			OrderAnswer: &controlv1.OrderAnswer{Number: number, Code: "cannot_lock"},
		}})
	}()
	answer, err := w.hub.Lock(t.Context(), "d1")
	if err != nil || answer.GetDone() || answer.GetCode() != "cannot_lock" {
		t.Errorf("got %v, %v", answer, err)
	}
}

func TestHelloSaysWhatMachineItIs(t *testing.T) {
	w := start(t)
	id := w.identity(t, "d1")
	mac := []byte{0, 0x1b, 0x21, 1, 2, 3}
	id.adapters = []*controlv1.Adapter{
		{Mac: mac, Prefixes: []string{"192.168.10.5/24", "10.0.0.5/16"}, WakeKnown: true, WakeAllowed: true},
		{Mac: mac, WakeKnown: true},
		{Mac: mac, WakeAllowed: true},
	}
	id.waker, id.reaches = true, []string{"192.168.0.0/16"}
	w.hello(t, id)
	w.desks.mu.Lock()
	defer w.desks.mu.Unlock()
	got := w.desks.arrival
	want := []wake.Permission{wake.Allowed, wake.Forbidden, wake.Unknown}
	for i, a := range got.Adapters {
		if a.Wake != want[i] || a.MAC != wake.MAC(mac) {
			t.Errorf("adapter %d is read as %v", i, a)
		}
	}
	if text := fmt.Sprint(got.AlwaysOn, got.Reaches, got.Adapters[0].Prefixes); text != "true [192.168.0.0/16] [192.168.10.5/24 10.0.0.5/16]" {
		t.Errorf("got %s", text)
	}
}

func TestWakeAndPlan(t *testing.T) {
	w := start(t)
	a := w.join(t, "d1")
	go func() {
		var number uint64
		a.next(func(_ *controlv1.GatewayMessage, o *controlv1.Order) bool {
			number = o.GetNumber()
			return len(o.GetWake().GetMacs()) == 1
		})
		send(t, a.conn, &controlv1.AgentMessage{Message: &controlv1.AgentMessage_OrderAnswer{
			OrderAnswer: &controlv1.OrderAnswer{Number: number, Code: "not_here"},
		}})
	}()
	answer, err := w.hub.Wake(t.Context(), "d1", &controlv1.WakeOrder{Macs: [][]byte{{1}}})
	if err != nil || answer.GetDone() || answer.GetCode() != "not_here" {
		t.Errorf("got %v, %v", answer, err)
	}
	if _, err := w.hub.Wake(t.Context(), "d2", &controlv1.WakeOrder{}); !errors.Is(err, hub.ErrAway) {
		t.Errorf("a waker that is away: %v", err)
	}
	if got := w.hub.Epochs(); len(got) != 1 || got["d1"] != 1 {
		t.Errorf("holds %v", got)
	}
	if err := w.hub.Plan("d1", &controlv1.PlanOrder{After: 2}); err != nil {
		t.Fatal(err)
	}
	a.next(func(_ *controlv1.GatewayMessage, o *controlv1.Order) bool { return o.GetPlan().GetAfter() == 2 })
	if err := w.hub.Plan("d2", &controlv1.PlanOrder{}); !errors.Is(err, hub.ErrAway) {
		t.Errorf("a plan for a desk that is elsewhere: %v", err)
	}
}

// TestSilentDeskHoldsFewHandlers: offers to a desk that does not answer wait for it a few at a time; what comes on top finds it silent at
// once.
func TestSilentDeskHoldsFewHandlers(t *testing.T) {
	w := start(t)
	a := w.join(t, "d1")
	answers := make(chan error, 4)
	var waiting [][]byte
	for i := range cap(answers) {
		go func() {
			answer, err := w.hub.Offer(t.Context(), "d1", cert.SessionID{byte(i + 1)}, &controlv1.Offer{})
			if err == nil && !answer.GetAccepted() {
				err = errors.New("refused")
			}
			answers <- err
		}()
		a.next(func(m *controlv1.GatewayMessage, _ *controlv1.Order) bool { return m.GetOffer() != nil })
		waiting = append(waiting, append([]byte{byte(i + 1)}, make([]byte, 15)...))
	}
	if _, err := w.hub.Offer(t.Context(), "d1", cert.SessionID{9}, &controlv1.Offer{}); !errors.Is(err, hub.ErrSilent) {
		t.Errorf("one more offer: %v", err)
	}
	for _, id := range waiting {
		send(t, a.conn, &controlv1.AgentMessage{Message: &controlv1.AgentMessage_OfferAnswer{
			OfferAnswer: &controlv1.OfferAnswer{SessionId: id, Accepted: true},
		}})
	}
	for range waiting {
		if err := <-answers; err != nil { // it had time to answer: the one more did not wait
			t.Error(err)
		}
	}
	if err := w.hub.EndSession(t.Context(), "d1", cert.SessionID{1}, 4); err != nil {
		t.Errorf("order: %v", err)
	}
}
