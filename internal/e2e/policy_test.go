//go:build linux

package e2e

import (
	"errors"
	"testing"
	"time"

	"jiseki/internal/bus/bustest"
	"jiseki/internal/calendar"
	"jiseki/internal/gateway"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/gen/jiseki/control/v1/controlv1connect"
	"jiseki/internal/wire"
)

// policy calls do with the policy service.
func (h *house) policy(do func(controlv1connect.PolicyServiceClient) error) {
	h.t.Helper()
	client, done, err := gateway.OpenPolicy(h.t.Context(), h.town.Config)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := errors.Join(do(client), done()); err != nil {
		h.t.Fatal(err)
	}
}

// rule makes one rule the only one.
func (h *house) rule(rule *controlv1.PolicyRule) {
	h.t.Helper()
	h.policy(func(c controlv1connect.PolicyServiceClient) error {
		now, err := c.GetPolicy(h.t.Context(), &controlv1.GetPolicyRequest{})
		if err != nil {
			return err
		}
		now.GetPolicy().Rules = []*controlv1.PolicyRule{rule}
		_, err = c.UpdatePolicy(h.t.Context(), &controlv1.UpdatePolicyRequest{Policy: now.GetPolicy(), Revision: now.GetRevision()})
		return err
	})
}

// hours gives a user hours that end so many minutes from now, today; not in the last minutes of a day, which are too
// short.
func (h *house) hours(user string, left int) {
	h.t.Helper()
	minute := calendar.MinuteOf(time.Now())
	for ; minute > 24*60-3; minute = calendar.MinuteOf(time.Now()) {
		<-time.After(time.Second)
	}
	end := int32(min(minute+left, 24*60)) //nolint:gosec // minutes of a day
	h.policy(func(c controlv1connect.PolicyServiceClient) error {
		_, err := c.UpdateStaff(h.t.Context(), &controlv1.UpdateStaffRequest{Member: &controlv1.StaffMember{
			UserId: user, Hours: []*controlv1.DatedHours{{From: "2020-01-01", Weekdays: 127, Hours: &controlv1.WorkingHours{EndMinute: end}}},
		}})
		return err
	})
	h.policy(func(c controlv1connect.PolicyServiceClient) error { // today may be a holiday of 29 December to 3 January
		_, err := c.PutHoliday(h.t.Context(), &controlv1.PutHolidayRequest{Holiday: &controlv1.Holiday{
			Date: calendar.DateOf(time.Now()).String(), Name: "開庁", Open: true,
		}})
		return err
	})
}

// TestViewerHearsOfTheEnd: hours are made shorter under a session, and the viewer is told that it ends soon; where it
// does not end with them, that they do.
func TestViewerHearsOfTheEnd(t *testing.T) {
	h := build(t, plan{})
	tanaka := h.staff("tanaka")
	h.rule(&controlv1.PolicyRule{AtEnd: controlv1.AtEnd_AT_END_WARN})
	v := tanaka.open(look{})
	h.hours("tanaka", 9)
	v.heard(wire.HoursEnd)
	h.rule(&controlv1.PolicyRule{AtEnd: controlv1.AtEnd_AT_END_END})
	v.heard(wire.EndsSoon)
}

// TestPolicyEndsAndLocks changes policy under a session: the viewer is told the code after which it asks again, and the
// desk locks.
func TestPolicyEndsAndLocks(t *testing.T) {
	h := build(t, plan{})
	tanaka := h.staff("tanaka")
	v := tanaka.open(look{})
	v.sameAsDesk()
	changed := time.Now()
	h.rule(&controlv1.PolicyRule{Telework: controlv1.Allow_ALLOW_NO})
	if code := v.ended(); code != wire.Policy {
		t.Errorf("the viewer was told %v", code)
	}
	t.Logf("the session ended %v after the change", time.Since(changed).Round(time.Millisecond))
	h.awaitEvents(v.session[:], "session_granted ", "session_opened ", "session_ended 7", "session_ended late", "session_locked ")
	if !h.locked() {
		t.Error("the desk is not locked")
	}
	if _, err := tanaka.try(look{}); err == nil {
		t.Error("opened again although policy refuses")
	}
	h.verifyLog()
}

// TestOpenedAnewWithoutLock does what a viewer does whose session may last longer: it hangs up and opens the session
// anew. The desk stays unlocked, the picture is kept.
func TestOpenedAnewWithoutLock(t *testing.T) {
	h := build(t, plan{})
	tanaka := h.staff("tanaka")
	v := tanaka.open(look{})
	v.sameAsDesk()
	from := time.Now()
	v.hangUp()
	again := tanaka.open(look{resume: v})
	again.sameAsDesk()
	t.Logf("without a picture for %v", time.Since(from).Round(time.Millisecond))
	if !again.Welcome().Resumed || h.locked() {
		t.Errorf("resumed %v, locked %v", again.Welcome().Resumed, h.locked())
	}
}

// TestPolicyActsAcrossGateways: policy is changed at one gateway, the session was granted by another and runs through
// its relay.
func TestPolicyActsAcrossGateways(t *testing.T) {
	cluster, relay := bustest.Start(t, 2), openDoor(t)
	var other *process
	h := build(t, plan{
		database: databases.empty(t), gateway: one(cluster, 0, relay),
		more: func(h *house) {
			relay.lead(h.town.Host)
			other = h.process(cluster, 1)
			other.start()
		},
	})
	v := h.staff("tanaka").at(other.host).via(other.relay, look{})
	v.sameAsDesk()
	h.rule(&controlv1.PolicyRule{Telework: controlv1.Allow_ALLOW_NO})
	if code := v.ended(); code != wire.Policy {
		t.Errorf("the viewer was told %v", code)
	}
	h.awaitEvents(v.session[:], "session_granted ", "session_opened ", "session_ended 7", "session_ended late", "session_locked ")
}
