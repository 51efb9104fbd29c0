package hub_test

import (
	"errors"
	"testing"

	"jiseki/internal/cert"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/hub"
	"jiseki/internal/link"
)

// TestChannelsOfWhatIsGoneAreClosed: a desk that was deleted or enrolled with another key, or that has connected again elsewhere, keeps
// no channel, although nobody told the hub; all others do, also while the store does not answer.
func TestChannelsOfWhatIsGoneAreClosed(t *testing.T) {
	w := start(t)
	deleted, again, elsewhere, well := w.join(t, "d1"), w.join(t, "d2"), w.join(t, "d3"), w.join(t, "d4")
	w.desks.mu.Lock()
	delete(w.desks.enrolled, "d1")
	w.desks.enrolled["d2"] = hub.Enrolment{Key: key(t).Public(), Epoch: 1}
	w.desks.enrolled["d3"] = hub.Enrolment{Key: w.desks.enrolled["d3"].Key, Epoch: 2}
	w.desks.mu.Unlock()
	for name, c := range map[string]struct {
		agent *agent
		code  link.Code
	}{
		"deleted": {deleted, link.Revoked}, "enrolled again": {again, link.Revoked}, "elsewhere": {elsewhere, link.Replaced},
	} {
		err := error(nil)
		for n := 0; err == nil && n < 6; n++ { // leases, one each 20 s, and what ready sent
			_, err = receive(t, c.agent.conn)
		}
		if link.CloseCode(err) != c.code {
			t.Errorf("%s: %v, want %d", name, err, c.code)
		}
	}
	w.desks.mu.Lock()
	w.desks.broken = errors.New("no line")
	w.desks.mu.Unlock()
	if err := w.hub.EndSession(t.Context(), "d4", cert.SessionID{9}, 1); err != nil {
		t.Fatal(err)
	}
	well.next(func(_ *controlv1.GatewayMessage, o *controlv1.Order) bool { return o.GetEndSession().GetCode() == 1 })
}
