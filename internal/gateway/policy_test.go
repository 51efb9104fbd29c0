package gateway_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/calendar"
	"jiseki/internal/cert"
	"jiseki/internal/gateway"
	"jiseki/internal/gateway/gatewaytest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/gen/jiseki/control/v1/controlv1connect"
	"jiseki/internal/grant"
)

// wall is a clock that tests set; it runs on from there.
type wall struct{ ahead atomic.Int64 }

func (w *wall) now() time.Time   { return time.Now().Add(time.Duration(w.ahead.Load())) }
func (w *wall) set(at time.Time) { w.ahead.Store(int64(time.Until(at))) }

// A policyTown is a town at 10:00 on the next day that is no weekend, with a chief, a worker and the worker's desk.
type policyTown struct {
	*gatewaytest.Town
	day    calendar.Date
	clock  *wall
	policy controlv1connect.PolicyServiceClient
	chief  member
	worker member
	agent  *gatewaytest.Agent
}

func startPolicy(t *testing.T, settings func(*access.Settings)) *policyTown {
	t.Helper()
	t.Parallel() // they wait more than they work
	p := &policyTown{clock: &wall{}, day: calendar.DateOf(time.Now()).Add(1)}
	for !(calendar.Days{}).Open(p.day) {
		p.day = p.day.Add(1)
	}
	p.Town = gatewaytest.Start(t, gatewaytest.WithNow(p.clock.now), gatewaytest.WithSettings(settings))
	client, done, err := gateway.OpenPolicy(t.Context(), p.Config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = done() })
	p.policy = client
	p.chief, p.worker, _ = section(t, p.Town)
	_, token := p.NewDesk(t, "税務課 1", "suzuki")
	p.agent = p.EnrolAgent(t, token)
	p.Stop(t) // a gateway that starts says at once that it lives, on the clock of its start
	p.clock.set(p.at(10, 0))
	p.Run(t)
	p.jump(t, 10, 0)
	p.agent.Connect(t)
	return p
}

// jump sets the clock, and signs in again who would have been idle for too long.
func (p *policyTown) jump(t *testing.T, hour, minute int) {
	t.Helper()
	p.clock.set(p.at(hour, minute))
	p.chief.SignIn(t, "sato", gatewaytest.Password)
	p.worker.SignIn(t, "suzuki", gatewaytest.Password)
}

// at is an instant of the day.
func (p *policyTown) at(hour, minute int) time.Time { return p.day.At(hour*60 + minute) }

// change edits the policy.
func (p *policyTown) change(t *testing.T, edit func(*controlv1.Policy)) {
	t.Helper()
	now, err := p.policy.GetPolicy(t.Context(), &controlv1.GetPolicyRequest{})
	if err != nil {
		t.Fatal(err)
	}
	edit(now.GetPolicy())
	_, err = p.policy.UpdatePolicy(t.Context(), &controlv1.UpdatePolicyRequest{Policy: now.GetPolicy(), Revision: now.GetRevision()})
	if err != nil {
		t.Fatal(err)
	}
}

// rules replaces all rules by one for everybody.
func (p *policyTown) rule(t *testing.T, rule *controlv1.PolicyRule) {
	t.Helper()
	p.change(t, func(policy *controlv1.Policy) { policy.Rules = []*controlv1.PolicyRule{rule} })
}

// open opens a session of the worker, and waits until the gateway knows that it is open.
func (p *policyTown) open(t *testing.T) *grant.Grant {
	t.Helper()
	_, g := p.worker.Connect(t, p.agent.Desk, cert.NoiseKey{7})
	p.agent.Report(t, g.Session[:], controlv1.SessionEventKind_SESSION_EVENT_KIND_OPENED, 0)
	return g
}

// awaitEnd waits for the order to end a session, and returns its code.
func (p *policyTown) awaitEnd(t *testing.T, g *grant.Grant) uint32 {
	t.Helper()
	for {
		select {
		case o := <-p.agent.Orders():
			if end := o.GetEndSession(); end != nil && [16]byte(end.GetSessionId()) == g.Session {
				return end.GetCode()
			}
		case err := <-p.agent.Ended():
			t.Fatalf("the agent's channel ended: %v", err)
		case <-t.Context().Done():
			t.Fatal("no order to end the session")
		}
	}
}

// awaitWarning waits for the order to warn the user of a session.
func (p *policyTown) awaitWarning(t *testing.T, g *grant.Grant) *controlv1.WarnOrder {
	t.Helper()
	for o := range p.agent.Orders() {
		if w := o.GetWarn(); w != nil && [16]byte(w.GetSessionId()) == g.Session {
			return w
		}
	}
	t.Fatal("no order to warn")
	return nil
}

// refusal asks for a session as the viewer does after an end, and returns why there is none.
func (p *policyTown) refusal(t *testing.T) string {
	t.Helper()
	return codes(p.worker.Prepare(t, p.agent.Desk).GetRefusal())
}

// ended is the last session as the log of connections has it.
func (p *policyTown) ended(t *testing.T) *controlv1.Session {
	t.Helper()
	r, err := p.worker.Desks.ListMySessions(t.Context(), &controlv1.ListMySessionsRequest{Page: &controlv1.Page{Limit: 1}})
	if err != nil || len(r.GetSessions()) != 1 {
		t.Fatalf("sessions: %v, %v", r, err)
	}
	return r.GetSessions()[0]
}

var (
	yes = controlv1.Allow_ALLOW_YES
	no  = controlv1.Allow_ALLOW_NO
)

// TestPolicyActsOnRunningSessions: whatever a session stands on is taken away while it runs. It ends, with the code
// after which the viewer asks again, and the answer says why.
func TestPolicyActsOnRunningSessions(t *testing.T) {
	p := startPolicy(t, func(*access.Settings) {})
	member := &controlv1.StaffMember{UserId: "suzuki"}
	staff := func(t *testing.T, change func(*controlv1.StaffMember)) {
		t.Helper()
		change(member)
		if _, err := p.policy.UpdateStaff(t.Context(), &controlv1.UpdateStaffRequest{Member: member}); err != nil {
			t.Fatal(err)
		}
	}
	late := []*controlv1.DatedHours{{From: p.day.String(), Weekdays: 127, Hours: &controlv1.WorkingHours{StartMinute: 780, EndMinute: 1260}}}
	for _, c := range []struct {
		name string
		rule *controlv1.PolicyRule // while it is opened
		act  func(t *testing.T)
		code uint32
		why  string
		undo func(t *testing.T)
	}{
		{"telework refused", &controlv1.PolicyRule{}, func(t *testing.T) { p.rule(t, &controlv1.PolicyRule{SectionId: "zeimu", Telework: no}) }, 7, "telework_refused", nil},
		{"approval needed", &controlv1.PolicyRule{}, func(t *testing.T) {
			p.rule(t, &controlv1.PolicyRule{Approval: controlv1.ApprovalNeed_APPROVAL_NEED_ALWAYS})
		}, 7, "approval_needed", nil},
		{"other viewers only", &controlv1.PolicyRule{}, func(t *testing.T) {
			p.rule(t, &controlv1.PolicyRule{Viewers: []controlv1.ViewerKind{controlv1.ViewerKind_VIEWER_KIND_NATIVE}})
		}, 7, "", nil},
		{"second factor", &controlv1.PolicyRule{}, func(t *testing.T) {
			p.rule(t, &controlv1.PolicyRule{SecondFactor: controlv1.SecondFactorNeed_SECOND_FACTOR_NEED_OUTSIDE})
		}, 7, "second_factor_missing", nil},
		{"holiday", &controlv1.PolicyRule{DaysOff: no}, func(t *testing.T) {
			_, err := p.policy.PutHoliday(t.Context(), &controlv1.PutHolidayRequest{Holiday: &controlv1.Holiday{Date: p.day.String(), Name: "町制記念日"}})
			if err != nil {
				t.Fatal(err)
			}
		}, 7, "day_off_closed", func(t *testing.T) {
			if _, err := p.policy.DeleteHoliday(t.Context(), &controlv1.DeleteHolidayRequest{Date: p.day.String()}); err != nil {
				t.Fatal(err)
			}
		}},
		{"later hours", &controlv1.PolicyRule{AtEnd: controlv1.AtEnd_AT_END_END}, func(t *testing.T) {
			staff(t, func(m *controlv1.StaffMember) { m.Hours = late })
		}, 7, "hours_over", func(t *testing.T) { staff(t, func(m *controlv1.StaffMember) { m.Hours = nil }) }},
		{"registration asked for", &controlv1.PolicyRule{}, func(t *testing.T) { p.rule(t, &controlv1.PolicyRule{Registration: yes}) }, 7, "registration_over", nil},
		{"break", &controlv1.PolicyRule{OnBreak: controlv1.OnBreak_ON_BREAK_LOCK}, func(t *testing.T) {
			p.worker.report(t, &controlv1.ReportWorkdayRequest{Kind: controlv1.SegmentKind_SEGMENT_KIND_WORK})
			p.worker.report(t, &controlv1.ReportWorkdayRequest{Kind: controlv1.SegmentKind_SEGMENT_KIND_BREAK})
		}, 7, "on_break", func(t *testing.T) {
			p.worker.report(t, &controlv1.ReportWorkdayRequest{Kind: controlv1.SegmentKind_SEGMENT_KIND_WORK})
		}},
		{"less idle", &controlv1.PolicyRule{}, func(t *testing.T) { p.rule(t, &controlv1.PolicyRule{IdleS: 60}) }, 7, "", nil},
		{"desk taken away", &controlv1.PolicyRule{}, func(t *testing.T) { p.assign(t) }, 4, "desk_not_yours", func(t *testing.T) { p.assign(t, "suzuki") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			p.rule(t, c.rule)
			g := p.open(t)
			c.act(t)
			if code := p.awaitEnd(t, g); code != c.code {
				t.Errorf("ended with code %d, want %d", code, c.code)
			}
			if got := p.refusal(t); got != c.why {
				t.Errorf("asked again: %q, want %q", got, c.why)
			}
			if c.undo != nil {
				c.undo(t)
			}
		})
	}
}

// assign gives the desk to these users alone.
func (p *policyTown) assign(t *testing.T, users ...string) {
	t.Helper()
	_, err := p.Admin.PutDesk(t.Context(), &controlv1.PutDeskRequest{
		DeskId: p.agent.Desk, Name: "税務課 1", Zone: controlv1.Zone_ZONE_INTERNET, UserIds: users,
	})
	if err != nil {
		t.Fatal(err)
	}
}

// order has the chief order work for the worker on the day.
func (p *policyTown) order(t *testing.T, kind controlv1.RequestKind, from, until int32) *controlv1.Request {
	t.Helper()
	r, err := p.chief.approvals.PutOrder(t.Context(), &controlv1.PutOrderRequest{
		Kind: kind, UserIds: []string{"suzuki"}, Draft: &controlv1.Draft{
			Days:  []*controlv1.RequestDay{{Date: p.day.String(), Unit: controlv1.DayUnit_DAY_UNIT_HOURS, FromMinute: from, UntilMinute: until}},
			Place: controlv1.Place_PLACE_HOME, Reason: controlv1.RequestReason_REQUEST_REASON_WORK, Work: "当初予算の調整",
		},
	})
	if err != nil || len(r.GetOrders().GetRequests()) != 1 {
		t.Fatalf("order: %v, %v", r, err)
	}
	return r.GetOrders().GetRequests()[0]
}

// TestSessionFollowsOrders: a session stands on an order and ends with the hours; overtime lets it go on, without an
// end for who asks in time; the order is taken back, and it ends.
func TestSessionFollowsOrders(t *testing.T) {
	p := startPolicy(t, func(s *access.Settings) { s.ApprovalRequired = true })
	if got := p.refusal(t); got != "approval_needed" {
		t.Fatalf("without an order: %q", got)
	}
	p.order(t, controlv1.RequestKind_REQUEST_KIND_TELEWORK_ORDER, 510, 1035)
	first := p.open(t)
	if !first.SessionUntil.Equal(p.at(17, 15)) {
		t.Errorf("until %v", first.SessionUntil)
	}
	longest := func() time.Time {
		r, err := p.worker.Desks.ListDesks(t.Context(), &controlv1.ListDesksRequest{})
		if err != nil || len(r.GetDesks()) != 1 {
			t.Fatalf("%v, %v", r, err)
		}
		return time.UnixMilli(r.GetDesks()[0].GetSessionUntilMs())
	}
	if got := longest(); !got.Equal(p.at(17, 15)) {
		t.Errorf("a session now would last until %v", got)
	}
	p.jump(t, 17, 6)
	p.agent.AwaitState(t, controlv1.DeskState_DESK_STATE_IN_SESSION) // the gateway says that it lives, on its new clock
	overtime := p.order(t, controlv1.RequestKind_REQUEST_KIND_OVERTIME_ORDER, 1035, 1200)
	if got := longest(); !got.Equal(p.at(20, 0)) {
		t.Errorf("with overtime a session would last until %v", got)
	}
	// The viewer opens it anew before it ends, on the same device: nobody ends the former one from here.
	second := p.open(t)
	if !second.SessionUntil.Equal(p.at(20, 0)) {
		t.Errorf("until %v", second.SessionUntil)
	}
	p.jump(t, 17, 30)
	p.agent.AwaitState(t, controlv1.DeskState_DESK_STATE_IN_SESSION)
	_, err := p.chief.WithdrawRequest(t.Context(), &controlv1.WithdrawRequestRequest{RequestId: overtime.GetRequestId(), Comment: "明日に延期"})
	if err != nil {
		t.Fatal(err)
	}
	if code := p.awaitEnd(t, second); code != 7 {
		t.Errorf("ended with code %d", code)
	}
	if got := p.refusal(t); got != "approval_needed hours_over" && got != "approval_needed,hours_over" && got != "hours_over" {
		t.Errorf("asked again: %q", got)
	}
}

// TestShorterHoursWarnAndEnd: hours that were made shorter end a session that was granted for longer, after a warning;
// over midnight a day off closes, and a clock that is put back changes nothing.
func TestShorterHoursWarnAndEnd(t *testing.T) {
	p := startPolicy(t, func(*access.Settings) {})
	p.rule(t, &controlv1.PolicyRule{AtEnd: controlv1.AtEnd_AT_END_END, DaysOff: no})
	g := p.open(t)
	p.jump(t, 9, 30) // the clock is put back
	_, err := p.policy.UpdateStaff(t.Context(), &controlv1.UpdateStaffRequest{Member: &controlv1.StaffMember{
		UserId: "suzuki", Hours: []*controlv1.DatedHours{{From: p.day.String(), Weekdays: 127, Hours: &controlv1.WorkingHours{StartMinute: 510, EndMinute: 720}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	p.jump(t, 11, 51)
	if w := p.awaitWarning(t, g); w.GetCode() != "ends_soon" || w.GetAtMs() != p.at(12, 0).UnixMilli() {
		t.Errorf("warning %v", w)
	}
	p.jump(t, 12, 0)
	if code := p.awaitEnd(t, g); code != 7 {
		t.Errorf("ended with code %d", code)
	}
	if s := p.ended(t); s.GetEndReason() != "hours_over" {
		t.Errorf("reason %q", s.GetEndReason())
	}
}

// TestEndOfHoursIsSaidWhereItEndsNothing: with AT_END_WARN the user is told and works on.
func TestEndOfHoursIsSaidWhereItEndsNothing(t *testing.T) {
	p := startPolicy(t, func(*access.Settings) {})
	p.rule(t, &controlv1.PolicyRule{AtEnd: controlv1.AtEnd_AT_END_WARN})
	g := p.open(t)
	p.jump(t, 17, 6)
	if w := p.awaitWarning(t, g); w.GetCode() != "hours_end" || w.GetAtMs() != p.at(17, 15).UnixMilli() {
		t.Errorf("warning %v", w)
	}
	if s := p.ended(t); s.GetLife() != controlv1.SessionLife_SESSION_LIFE_OPEN {
		t.Errorf("life %v", s.GetLife())
	}
}

// TestWhy asks about another time than now, and about a desk that another rule is for.
func TestWhy(t *testing.T) {
	p := startPolicy(t, func(s *access.Settings) { s.ApprovalRequired = true })
	p.rule(t, &controlv1.PolicyRule{SectionId: "zeimu", Zone: controlv1.Zone_ZONE_INTERNET, IdleS: 300})
	p.order(t, controlv1.RequestKind_REQUEST_KIND_TELEWORK_ORDER, 510, 1035)
	ask := func(at time.Time) *controlv1.WhyResponse {
		r, err := p.policy.Why(t.Context(), &controlv1.WhyRequest{
			UserId: "suzuki", DeskId: p.agent.Desk, DeviceId: p.worker.Device, Place: controlv1.Place_PLACE_HOME,
			TimeMs: at.UnixMilli(), Viewer: controlv1.ViewerKind_VIEWER_KIND_BROWSER,
		})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := ask(p.at(11, 0))
	if !r.GetAllowed() || r.GetLimits().GetSessionUntilMs() != p.at(17, 15).UnixMilli() || r.GetLimits().GetIdleS() != 300 {
		t.Errorf("%v", r)
	}
	i := slices.IndexFunc(r.GetValues(), func(v *controlv1.WhyValue) bool { return v.GetName() == "idle_s" })
	if i < 0 || r.GetValues()[i].GetSourceJa() != "税務課・インターネット接続系" || r.GetValues()[i].GetValue() != "300" {
		t.Errorf("values %v", r.GetValues())
	}
	night := ask(p.at(23, 0))
	var refusing []string
	for _, c := range night.GetChecks() {
		if c.GetRefuses() {
			refusing = append(refusing, c.GetReason().GetCode())
		}
	}
	if night.GetAllowed() || !slices.Equal(refusing, []string{"approval_needed", "night_closed", "hours_over"}) {
		t.Errorf("%v", refusing)
	}
	if _, err := p.policy.Why(t.Context(), &controlv1.WhyRequest{UserId: "nobody", DeskId: p.agent.Desk, Place: controlv1.Place_PLACE_HOME}); codeOf(t, err) != "not_found" {
		t.Errorf("a user that does not exist: %v", err)
	}
}

// TestHolidaysAndRegistrations through the API, as the console calls it.
func TestHolidaysAndRegistrations(t *testing.T) {
	p := startPolicy(t, func(*access.Settings) {})
	good, err := p.policy.ImportHolidays(t.Context(), &controlv1.ImportHolidaysRequest{Csv: []byte("日付,名称\r\n2027/2/11,建国記念の日\r\n2027/2/23,天皇誕生日\r\n")})
	if err != nil || good.GetImported().GetCount() != 2 {
		t.Fatalf("%v, %v", good, err)
	}
	bad, err := p.policy.ImportHolidays(t.Context(), &controlv1.ImportHolidaysRequest{Csv: []byte("日付,名称\r\n2027/3/21,春分の日\r\n2027/2/30,ない日\r\n")})
	if err != nil || len(bad.GetRefusal().GetErrors()) != 1 || bad.GetRefusal().GetErrors()[0].GetLine() != 3 {
		t.Fatalf("%v, %v", bad, err)
	}
	r, err := p.policy.ListHolidays(t.Context(), &controlv1.ListHolidaysRequest{FiscalYear: 2026})
	if err != nil || len(r.GetHolidays()) != 2 {
		t.Errorf("%v, %v", r, err)
	}
	year := int32(p.day.FiscalYear()) //nolint:gosec // a year
	renewed, err := p.policy.RenewRegistrations(t.Context(), &controlv1.RenewRegistrationsRequest{All: true, FiscalYear: year})
	if err != nil || renewed.GetUntil() != p.day.FiscalYearEnd().String() || renewed.GetRenewed() != 4 {
		t.Errorf("%v, %v", renewed, err)
	}
	staff, err := p.policy.ListStaff(t.Context(), &controlv1.ListStaffRequest{Query: "鈴木"})
	if err != nil || len(staff.GetStaff()) != 1 || staff.GetStaff()[0].GetRegisteredUntil() != p.day.FiscalYearEnd().String() {
		t.Errorf("%v, %v", staff, err)
	}
	_, err = p.policy.RenewRegistrations(context.Background(), &controlv1.RenewRegistrationsRequest{All: true, FiscalYear: year + 2})
	if codeOf(t, err) != "invalid" {
		t.Errorf("a year far ahead: %v", err)
	}
}
