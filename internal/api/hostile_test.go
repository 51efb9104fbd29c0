package api_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"jiseki/internal/calendar"
	"jiseki/internal/cert"
	"jiseki/internal/gateway"
	"jiseki/internal/gateway/gatewaytest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
)

// TestExportNamesEachUserOnce: nobody has the gateway write the same month a hundred times into one file.
func TestExportNamesEachUserOnce(t *testing.T) {
	o := newOffice(t)
	for name, users := range map[string][]string{
		"own, unnamed": {"", ""}, "own": {"", "worker"}, "another's": {"other", "other"},
	} {
		who := "worker"
		if name == "another's" {
			who = "chief"
		}
		_, err := o.who[who].day.ExportMonths(t.Context(), &controlv1.ExportMonthsRequest{UserIds: users})
		if got := codeOf(err, nil); got != "invalid" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// TestDatesAtTheEdges: dates that nobody lives to see end no loop and break nothing.
func TestDatesAtTheEdges(t *testing.T) {
	o := newOffice(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	worker, chief := o.who["worker"], o.who["chief"]
	policy, done, err := gateway.OpenPolicy(ctx, o.Config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = done() }()
	desk := o.NewAgent(t, "企画 1", "worker")
	for _, day := range []string{"0000-01-01", "0001-01-01", "1582-10-10", "9998-12-31", "9999-12-31"} {
		far := day > "2"
		for name, call := range map[string]func() error{
			"calendar": func() error {
				r, err := worker.day.GetCalendar(ctx, &controlv1.GetCalendarRequest{From: day, Until: day})
				if err == nil && len(r.GetDays()) != 1 {
					return fmt.Errorf("%d days", len(r.GetDays()))
				}
				return err
			},
			"week": func() error {
				r, err := worker.approval.GetWeek(ctx, &controlv1.GetWeekRequest{From: day})
				if err == nil && len(r.GetDays()) != 7 {
					return fmt.Errorf("%d days", len(r.GetDays()))
				}
				return err
			},
			"board": func() error {
				_, err := chief.approval.GetBoard(ctx, &controlv1.GetBoardRequest{Date: day})
				return err
			},
			"power": func() error {
				_, err := chief.approval.ListPowerOn(ctx, &controlv1.ListPowerOnRequest{Date: day})
				return err
			},
			"check": func() error {
				d, _ := calendar.ParseDate(day)
				_, err := worker.day.CheckRequest(ctx, &controlv1.CheckRequestRequest{Draft: ill(d)})
				return err
			},
			"day": func() error {
				_, err := worker.day.GetWorkday(ctx, &controlv1.GetWorkdayRequest{Date: day})
				return err
			},
			"month": func() error {
				_, err := worker.day.GetMonth(ctx, &controlv1.GetMonthRequest{Month: day[:7]})
				return err
			},
			"file": func() error {
				_, err := worker.day.ExportMonths(ctx, &controlv1.ExportMonthsRequest{Month: day[:7]})
				return err
			},
			"months": func() error {
				_, err := chief.approval.ListMonths(ctx, &controlv1.ListMonthsRequest{Month: day[:7]})
				return err
			},
		} {
			if err := call(); err != nil {
				t.Errorf("%s of %s: %v", name, day, err)
			}
		}
		order, err := chief.approval.PutOrder(ctx, &controlv1.PutOrderRequest{
			Kind: controlv1.RequestKind_REQUEST_KIND_OVERTIME_ORDER, UserIds: []string{"worker"}, Draft: &controlv1.Draft{
				Place: controlv1.Place_PLACE_HOME, Days: []*controlv1.RequestDay{{
					Date: day, Unit: controlv1.DayUnit_DAY_UNIT_HOURS, FromMinute: 60, UntilMinute: 29 * 60,
				}},
			},
		})
		want := map[bool]string{true: "request_too_far", false: "request_after_fact"}[far]
		if got := codeOf(err, order.GetRefusal()); got != want {
			t.Errorf("an order for %s: %q, want %s", day, got, want)
		}
	}
	for _, ms := range []int64{1, -1 << 62, 1 << 62, 1<<63 - 1, 253402300799999} {
		_, err := policy.Why(ctx, &controlv1.WhyRequest{
			UserId: "worker", DeskId: desk.Desk, Place: controlv1.Place_PLACE_HOME, TimeMs: ms, Viewer: controlv1.ViewerKind_VIEWER_KIND_BROWSER,
		})
		if got := codeOf(err, nil); err != nil && got != "invalid" {
			t.Errorf("why at %d: %v", ms, err)
		}
		_, err = worker.day.CorrectWorkday(ctx, &controlv1.CorrectWorkdayRequest{Reason: "x", Segments: []*controlv1.Segment{
			{Kind: controlv1.SegmentKind_SEGMENT_KIND_WORK, FromMs: ms, UntilMs: ms},
		}})
		if err != nil && codeOf(err, nil) != "invalid" {
			t.Errorf("a correction at %d: %v", ms, err)
		}
	}
}

// TestCorrectionsEnd: a day cannot be corrected without end, for whoever reads the month reads all of them.
func TestCorrectionsEnd(t *testing.T) {
	o := newOffice(t)
	from := o.today.At(8 * 60)
	correct := func(i int) string {
		t.Helper()
		r, err := o.who["worker"].day.CorrectWorkday(t.Context(), &controlv1.CorrectWorkdayRequest{Reason: "x", Segments: []*controlv1.Segment{
			{Kind: controlv1.SegmentKind_SEGMENT_KIND_WORK, FromMs: from.UnixMilli(), UntilMs: from.UnixMilli() + int64(i+1)},
		}})
		return codeOf(err, r.GetRefusal())
	}
	for i := range 30 {
		if got := correct(i); got != "" {
			t.Fatalf("correction %d: %s", i, got)
		}
	}
	if got := correct(30); got != "invalid" {
		t.Errorf("one more: %q", got)
	}
}

// TestProbesOfOneUser: somebody whose measurements never end keeps nobody else from measuring.
func TestProbesOfOneUser(t *testing.T) {
	o := newOffice(t)
	hostile, other := o.who["worker"], o.who["other"]
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	refused := make(chan struct{}, 40)
	for range 40 {
		body, hold := io.Pipe()
		t.Cleanup(func() { _ = hold.Close() })
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+o.Host+"/probe", body)
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = 10 // which never come
		go func() {
			answer, err := hostile.Client.Do(r)
			if err != nil {
				return // it was held to the end
			}
			answer.Body.Close()
			if answer.StatusCode == http.StatusServiceUnavailable || answer.StatusCode == http.StatusTooManyRequests {
				refused <- struct{}{}
			}
		}()
	}
	for range 8 { // all come within the room for one user or are refused
		select {
		case <-refused:
		case <-ctx.Done():
			t.Fatal(ctx.Err())
		}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+o.Host+"/probe?bytes=10", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := other.Client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("another user's measurement: %s", answer.Status)
	}
}

// TestNobodyDecidesTheirOwn: not by making everybody else absent, not through somebody's name, not in a second post.
func TestNobodyDecidesTheirOwn(t *testing.T) {
	o := newOffice(t)
	absent := func(by, user string) string {
		t.Helper()
		_, err := o.who[by].approval.PutAbsence(t.Context(), &controlv1.PutAbsenceRequest{
			Absence: &controlv1.Absence{UserId: user, From: o.today.String(), Until: o.today.String()},
		})
		return codeOf(err, nil)
	}
	decided := func(by string, r *controlv1.Request) string {
		t.Helper()
		return codeOf(nil, o.decide(t, by, controlv1.Answer_ANSWER_APPROVE, seen(r))[0].GetRefusal())
	}
	own := o.submit(t, "second", o.next)
	if got := absent("second", "chief"); got != "" {
		t.Fatalf("a deputy enters the head's absence: %s", got)
	}
	for _, who := range []string{"mayor", "worker", "outsider"} { // neither above nor below
		if got := absent("second", who); got != "not_yours" {
			t.Errorf("the absence of %s: %q", who, got)
		}
	}
	if got := decided("second", own); got != "own_request" {
		t.Errorf("own request: %q", got)
	}
	order, err := o.who["second"].approval.PutOrder(t.Context(), &controlv1.PutOrderRequest{
		Kind: controlv1.RequestKind_REQUEST_KIND_TELEWORK_ORDER, UserIds: []string{"second"}, Draft: ill(o.next),
	})
	if got := codeOf(err, order.GetRefusal()); got != "not_yours" {
		t.Errorf("an order to oneself: %q", got)
	}
	order, err = o.who["second"].approval.PutOrder(t.Context(), &controlv1.PutOrderRequest{
		Kind: controlv1.RequestKind_REQUEST_KIND_TELEWORK_ORDER, UserIds: []string{"chief"}, Draft: ill(o.next),
	})
	if got := codeOf(err, order.GetRefusal()); got != "not_yours" {
		t.Errorf("an order to the head whom one stands in for: %q", got)
	}
	entered, err := o.who["second"].day.SubmitRequest(t.Context(), &controlv1.SubmitRequestRequest{UserId: "worker", Draft: ill(o.next)})
	if err != nil || entered.GetRequest() == nil {
		t.Fatalf("for the worker: %v, %v", err, entered.GetRefusal())
	}
	if got := decided("second", entered.GetRequest()); got != "not_approver" {
		t.Errorf("what the deputy entered: %q", got)
	}
	kinds := map[string]bool{}
	notices, err := o.who["chief"].day.ListNotices(t.Context(), &controlv1.ListNoticesRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range notices.GetNotices() {
		kinds[n.GetKind()] = true
	}
	if !kinds["absence_entered"] {
		t.Errorf("the head was not told of the absence: %v", kinds)
	}
}

// TestDecisionsAreNotReplayed: one answer counts once, for what was seen.
func TestDecisionsAreNotReplayed(t *testing.T) {
	o := newOffice(t)
	r := o.submit(t, "worker", o.next)
	old := seen(r)
	for _, want := range []string{"", "request_decided"} {
		if got := codeOf(nil, o.decide(t, "chief", controlv1.Answer_ANSWER_RETURN, old)[0].GetRefusal()); got != want {
			t.Errorf("returned: %q, want %q", got, want)
		}
	}
	again, err := o.who["worker"].day.SubmitRequest(t.Context(), &controlv1.SubmitRequestRequest{
		Draft: ill(o.next), RequestId: r.GetRequestId(), Revision: r.GetRevision(),
	})
	if err != nil || again.GetRequest().GetRevision() != 2 {
		t.Fatalf("again: %v, %v", again, err)
	}
	if got := codeOf(nil, o.decide(t, "chief", controlv1.Answer_ANSWER_APPROVE, old)[0].GetRefusal()); got != "stale" {
		t.Errorf("the answer to the former revision: %q", got)
	}
	twice := o.decide(t, "chief", controlv1.Answer_ANSWER_APPROVE, seen(again.GetRequest()), seen(again.GetRequest()))
	if codeOf(nil, twice[0].GetRefusal()) != "" || codeOf(nil, twice[1].GetRefusal()) != "request_decided" {
		t.Errorf("twice in one call: %v", twice)
	}
}

// TestWithdrawalRacesWithApproval: whoever is first, what was withdrawn is never approved.
func TestWithdrawalRacesWithApproval(t *testing.T) {
	o := newOffice(t)
	day := o.today
	for range 15 {
		day = openAfter(day)
		r := o.submit(t, "worker", day)
		var both sync.WaitGroup
		both.Go(func() {
			_, err := o.who["chief"].approval.DecideRequests(t.Context(), &controlv1.DecideRequestsRequest{
				Decisions: []*controlv1.Decision{seen(r)}, Answer: controlv1.Answer_ANSWER_APPROVE,
			})
			if err != nil {
				t.Errorf("approve: %v", err)
			}
		})
		both.Go(func() {
			_, err := o.who["worker"].day.WithdrawRequest(t.Context(), &controlv1.WithdrawRequestRequest{RequestId: r.GetRequestId()})
			if err != nil {
				t.Errorf("withdraw: %v", err)
			}
		})
		both.Wait()
		now, err := o.who["worker"].day.GetRequest(t.Context(), &controlv1.GetRequestRequest{RequestId: r.GetRequestId()})
		if err != nil {
			t.Fatal(err)
		}
		approved := now.GetRequest().GetSteps()[0].GetAnswer() == controlv1.Answer_ANSWER_APPROVE
		want := controlv1.RequestState_REQUEST_STATE_WITHDRAWN
		if approved {
			want = controlv1.RequestState_REQUEST_STATE_CANCELLED
		}
		if now.GetRequest().GetState() != want {
			t.Errorf("approved: %v, and then %v", approved, now.GetRequest().GetState())
		}
	}
}

// TestNoSessionOutlivesWhatItStoodOn: an approval that is withdrawn, or a policy that changes, while a session opens.
func TestNoSessionOutlivesWhatItStoodOn(t *testing.T) {
	o := newOffice(t)
	worker, agent := o.who["worker"], o.NewAgent(t, "企画課 01", "worker")
	opened := 0
	for i := range 12 {
		need := i%2 == 0
		o.ChangeSettings(t, func(s *controlv1.Settings) { s.ApprovalRequired = need })
		takeAway := func() error {
			policy, err := o.Admin.GetSettings(context.Background(), &controlv1.GetSettingsRequest{})
			if err != nil {
				return err
			}
			policy.Settings.ApprovalRequired = true
			_, err = o.Admin.UpdateSettings(context.Background(), &controlv1.UpdateSettingsRequest{Settings: policy.GetSettings(), Revision: policy.GetRevision()})
			return err
		}
		if need {
			r := o.submit(t, "worker", o.today)
			o.decide(t, "chief", controlv1.Answer_ANSWER_APPROVE, seen(r))
			takeAway = func() error {
				_, err := worker.day.WithdrawRequest(t.Context(), &controlv1.WithdrawRequestRequest{RequestId: r.GetRequestId()})
				return err
			}
		}
		p := worker.Prepare(t, agent.Desk).GetPrepared()
		if p == nil {
			t.Fatal("not prepared")
		}
		var both sync.WaitGroup
		both.Go(func() {
			r, err := worker.Open(t, agent.Desk, p, cert.NoiseKey{1})
			if err != nil {
				t.Errorf("open: %v", err)
			}
			if r.GetOpened() != nil {
				opened++
			}
		})
		both.Go(func() {
			if err := takeAway(); err != nil {
				t.Errorf("take away: %v", err)
			}
		})
		both.Wait()
		o.noSession(t)
	}
	t.Logf("%d of 12 were open for a moment", opened)
}

// noSession waits until no session runs.
func (o *office) noSession(t *testing.T) {
	t.Helper()
	for {
		r, err := o.Admin.ListSessions(t.Context(), &controlv1.ListSessionsRequest{RunningOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		if len(r.GetSessions()) == 0 {
			return
		}
		time.Sleep(5 * time.Millisecond) // between two looks
	}
}

// TestDraftsThatCannotBeMeant are refused before anything is read of them.
func TestDraftsThatCannotBeMeant(t *testing.T) {
	o := newOffice(t)
	day := func(change func(*controlv1.RequestDay)) *controlv1.Draft {
		d := ill(o.next)
		d.Days[0].Unit = controlv1.DayUnit_DAY_UNIT_HOURS
		d.Days[0].FromMinute, d.Days[0].UntilMinute = 600, 660
		change(d.Days[0])
		return d
	}
	many := ill()
	for i := range 20_000 {
		many.Days = append(many.Days, &controlv1.RequestDay{Date: o.next.Add(i).String(), Unit: controlv1.DayUnit_DAY_UNIT_FULL})
	}
	text := func(s string) *controlv1.Draft { d := ill(o.next); d.ReasonText = s; return d }
	for name, d := range map[string]*controlv1.Draft{
		"no days": ill(), "days without end": many, "a long text": text(strings.Repeat("長", 2001)), "a control character": text("a\x00b"),
		"before the day":        day(func(d *controlv1.RequestDay) { d.FromMinute = -1 }),
		"minutes without end":   day(func(d *controlv1.RequestDay) { d.UntilMinute = math.MaxInt32 }),
		"minutes from below":    day(func(d *controlv1.RequestDay) { d.FromMinute, d.UntilMinute = math.MinInt32, math.MinInt32+1 }),
		"over midnight":         day(func(d *controlv1.RequestDay) { d.UntilMinute = 1441 }),
		"leave without end":     day(func(d *controlv1.RequestDay) { d.LeaveMinutes = math.MaxInt32 }),
		"no unit":               day(func(d *controlv1.RequestDay) { d.Unit = 99 }),
		"a date of five digits": day(func(d *controlv1.RequestDay) { d.Date = "10000-01-01" }),
		"a day that is none":    day(func(d *controlv1.RequestDay) { d.Date = "2027-02-29" }),
		"twice":                 ill(o.next, o.next),
	} {
		want := "invalid"
		if d == many {
			want = "too_long" // is not even decoded
		}
		_, err := o.who["worker"].day.SubmitRequest(t.Context(), &controlv1.SubmitRequestRequest{Draft: d})
		_, checked := o.who["worker"].day.CheckRequest(t.Context(), &controlv1.CheckRequestRequest{Draft: d})
		_, ordered := o.who["chief"].approval.PutOrder(t.Context(), &controlv1.PutOrderRequest{
			Kind: controlv1.RequestKind_REQUEST_KIND_TELEWORK_ORDER, UserIds: []string{"worker"}, Draft: d,
		})
		if a, b, c := codeOf(err, nil), codeOf(checked, nil), codeOf(ordered, nil); a != want || b != want || c != want {
			t.Errorf("%s: %q, %q, %q, want %q", name, a, b, c, want)
		}
	}
}

// TestRequestsEnd: who submits and withdraws without end does not fill the approvers' notices.
func TestRequestsEnd(t *testing.T) {
	o := newOffice(t)
	worker := o.who["worker"]
	submit := func(r *controlv1.SubmitRequestRequest) (*controlv1.Request, string) {
		t.Helper()
		r.Draft = ill(o.next)
		made, err := worker.day.SubmitRequest(t.Context(), r)
		return made.GetRequest(), codeOf(err, made.GetRefusal())
	}
	for i := range 100 {
		r, code := submit(&controlv1.SubmitRequestRequest{})
		if code != "" {
			t.Fatalf("request %d: %s", i, code)
		}
		if _, err := worker.day.WithdrawRequest(t.Context(), &controlv1.WithdrawRequestRequest{RequestId: r.GetRequestId()}); err != nil {
			t.Fatal(err)
		}
	}
	if _, code := submit(&controlv1.SubmitRequestRequest{}); code != "too_many_at_once" {
		t.Errorf("one more on the same day: %q", code)
	}
	o.clock.forward(24 * time.Hour)
	worker.SignIn(t, "worker", gatewaytest.Password)
	r, code := submit(&controlv1.SubmitRequestRequest{})
	for i := 0; code == "" && i < 200; i++ {
		_, code = submit(&controlv1.SubmitRequestRequest{RequestId: r.GetRequestId(), Revision: int32(i + 1)})
	}
	if code != "too_many_at_once" {
		t.Errorf("changed without end: %q", code)
	}
}

// TestNoPolicyLocksTheAdministratorOut: whatever it says of telework, the console stays open at the office; and when
// the office networks are wrong, the administrative socket.
func TestNoPolicyLocksTheAdministratorOut(t *testing.T) {
	h := newHall(t)
	policy, done, err := gateway.OpenPolicy(t.Context(), h.Config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = done() }()
	now, err := policy.GetPolicy(t.Context(), &controlv1.GetPolicyRequest{})
	if err != nil {
		t.Fatal(err)
	}
	now.Policy.Rules = []*controlv1.PolicyRule{{
		Telework: controlv1.Allow_ALLOW_NO, Approval: controlv1.ApprovalNeed_APPROVAL_NEED_ALWAYS, Night: controlv1.Allow_ALLOW_NO,
		DaysOff: controlv1.Allow_ALLOW_NO, SecondFactor: controlv1.SecondFactorNeed_SECOND_FACTOR_NEED_OUTSIDE, IdleS: 60,
		Viewers: []controlv1.ViewerKind{controlv1.ViewerKind_VIEWER_KIND_NATIVE}, Devices: []controlv1.DeviceKind{controlv1.DeviceKind_DEVICE_KIND_LENT},
		Office: controlv1.Allow_ALLOW_NO, OnBreak: controlv1.OnBreak_ON_BREAK_LOCK, Registration: controlv1.Allow_ALLOW_YES,
	}}
	if _, err := policy.UpdatePolicy(t.Context(), &controlv1.UpdatePolicyRequest{Policy: now.GetPolicy(), Revision: now.GetRevision()}); err != nil {
		t.Fatal(err)
	}
	boss := h.enter(t, role{name: "administrator", user: "boss", office: true})
	if got, answer := boss.call(t, "Policy/GetPolicy", `{}`); got != 'y' {
		t.Errorf("after the strictest policy: %s", answer)
	}
	h.ChangeSettings(t, func(s *controlv1.Settings) { s.OfficeNetworks = nil })
	if got, answer := boss.call(t, "Policy/GetPolicy", `{}`); got != 'n' {
		t.Errorf("outside of every office network: %s", answer)
	}
	h.ChangeSettings(t, func(s *controlv1.Settings) { s.OfficeNetworks = []string{insideNetwork + "/32"} })
	if got, answer := boss.call(t, "Policy/GetPolicy", `{}`); got != 'y' {
		t.Errorf("put right through the socket: %s", answer)
	}
}

// TestNoSessionOpensIntoABreak: a break that is reported while a session opens locks the desk all the same.
func TestNoSessionOpensIntoABreak(t *testing.T) {
	o := newOffice(t)
	o.ChangeSettings(t, func(s *controlv1.Settings) { s.ApprovalRequired = false })
	o.lockOnBreak(t)
	worker, agent := o.who["worker"], o.NewAgent(t, "企画課 01", "worker")
	report := func(kind controlv1.SegmentKind) error {
		_, err := worker.day.ReportWorkday(t.Context(), &controlv1.ReportWorkdayRequest{Kind: kind})
		return err
	}
	for range 19 { // two segments each; a day has 40
		if err := report(controlv1.SegmentKind_SEGMENT_KIND_WORK); err != nil {
			t.Fatal(err)
		}
		p := worker.Prepare(t, agent.Desk)
		if p.GetPrepared() == nil {
			t.Fatal(p.GetRefusal())
		}
		var both sync.WaitGroup
		both.Go(func() {
			if _, err := worker.Open(t, agent.Desk, p.GetPrepared(), cert.NoiseKey{1}); err != nil {
				t.Errorf("open: %v", err)
			}
		})
		both.Go(func() {
			if err := report(controlv1.SegmentKind_SEGMENT_KIND_BREAK); err != nil {
				t.Errorf("break: %v", err)
			}
		})
		both.Wait()
		r, err := o.Admin.ListSessions(t.Context(), &controlv1.ListSessionsRequest{RunningOnly: true})
		if err != nil || len(r.GetSessions()) > 0 {
			t.Fatalf("a session runs in the break: %v, %v", r, err)
		}
	}
}

// lockOnBreak sets the policy that locks desks in breaks.
func (o *office) lockOnBreak(t *testing.T) {
	t.Helper()
	policy, done, err := gateway.OpenPolicy(t.Context(), o.Config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = done() }()
	now, err := policy.GetPolicy(t.Context(), &controlv1.GetPolicyRequest{})
	if err != nil {
		t.Fatal(err)
	}
	now.Policy.Rules = append(now.Policy.Rules, &controlv1.PolicyRule{OnBreak: controlv1.OnBreak_ON_BREAK_LOCK})
	_, err = policy.UpdatePolicy(t.Context(), &controlv1.UpdatePolicyRequest{Policy: now.GetPolicy(), Revision: now.GetRevision()})
	if err != nil {
		t.Fatal(err)
	}
}
