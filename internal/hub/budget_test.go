package hub_test

import (
	"testing"

	"google.golang.org/protobuf/proto"

	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/link"
)

// TestDeskThatComesAndGoes: a desk that connects again and again is refused before anything of it is written; other
// desks come in.
func TestDeskThatComesAndGoes(t *testing.T) {
	w := start(t)
	refused := 0
	for range 70 { // a minute may end in between
		a, next := w.hello(t, w.identity(t, "d1"))
		if got := next.GetRefused(); got != nil {
			if got.GetCode() != "too_often" {
				t.Fatalf("refused for %s", got.GetCode())
			}
			refused++
		}
		_ = a.conn.Close(link.Normal, "")
	}
	w.desks.mu.Lock()
	came := w.desks.epochs["d1"]
	w.desks.mu.Unlock()
	if refused == 0 || int(came)+refused != 70 {
		t.Errorf("%d times let in and written, %d refused", came, refused)
	}
	w.join(t, "d2")
}

// TestReportsAreCountedOverConnections: hanging up gives a desk no new budget of reports.
func TestReportsAreCountedOverConnections(t *testing.T) {
	w := start(t)
	report := func() *agent {
		a := w.join(t, "d1")
		for n := range 400 {
			b, err := proto.Marshal(&controlv1.AgentMessage{Message: &controlv1.AgentMessage_State{State: &controlv1.State{LoggedIn: n%2 == 0}}})
			if err != nil {
				t.Fatal(err)
			}
			if a.conn.Send(t.Context(), b) != nil {
				break // closed on it; why is read below
			}
		}
		return a
	}
	first := report()
	for range 400 {
		<-w.desks.states // all of the first connection's are taken
	}
	_ = first.conn.Close(link.Normal, "")
	second := report()
	for {
		if _, err := receive(t, second.conn); err != nil {
			if link.CloseCode(err) != link.ProtocolError {
				t.Errorf("800 reports of one desk were taken over two connections: %v", err)
			}
			return
		}
	}
}
