package auth_test

import (
	"testing"

	"jiseki/internal/access"
	"jiseki/internal/auth"
)

// TestWhoIsKnownWaitsForNoStranger: strangers who take all places and the whole queue of an address make wait who has
// nothing but a password there: neither who proves an enrolled device, nor who is signed in, nor anybody in the town
// hall.
func TestWhoIsKnownWaitsForNoStranger(t *testing.T) {
	h := newHall(t)
	_, id, err := h.signIn(auth.Attempt{User: "tanaka", Password: password, Device: h.proof("tanaka", h.key)})
	h.ok(err)
	h.ok(h.svc.Hasher.Crowd(t.Context(), auth.TurnOf(home, false), auth.TurnOf(office, false)))
	_, _, err = h.signIn(auth.Attempt{User: "tanaka", Password: password})
	h.refused(err, access.Busy)
	_, _, err = h.signIn(auth.Attempt{User: "tanaka", Password: password, Device: h.proof("tanaka", h.key)})
	h.ok(err)
	_, _, err = h.signIn(auth.Attempt{User: "tanaka", Password: password, Address: office})
	h.ok(err)
	h.ok(h.svc.ChangePassword(t.Context(), id, password, "kuroi-neko-7-hiki"))
}
