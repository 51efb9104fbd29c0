package gateway_test

import (
	"strings"
	"testing"

	"jiseki/internal/gateway/gatewaytest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
)

// TestDeskThatIsEnrolledAgainComesBack: the channel of before is closed when a desk is enrolled again, on this machine or another, and
// the desk is on as soon as its agent is there.
func TestDeskThatIsEnrolledAgainComesBack(t *testing.T) {
	town := gatewaytest.Start(t)
	town.Staff(t, "tanaka", "田中 太郎")
	before := town.NewAgent(t, "総務課 1", "tanaka")
	r, err := town.Admin.CreateDeskToken(t.Context(), &controlv1.CreateDeskTokenRequest{DeskId: before.Desk})
	if err != nil {
		t.Fatal(err)
	}
	again := town.EnrolAgent(t, r.GetToken())
	if err := <-before.Ended(); !strings.Contains(err.Error(), "enrolled again") {
		t.Errorf("the channel of before ended by itself: %v", err)
	}
	again.Connect(t)
	if again.Desk != before.Desk {
		t.Error("it is another desk")
	}
	if err := before.TryConnect(t); err == nil || !strings.Contains(err.Error(), "desk_other_key") {
		t.Errorf("the machine that was replaced: %v", err)
	}
}
