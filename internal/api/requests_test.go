package api_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"jiseki/internal/calendar"
	"jiseki/internal/cert"
	"jiseki/internal/gateway/gatewaytest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/gen/jiseki/control/v1/controlv1connect"
)

// clock is the time that passes, put forward by the test.
type clock struct{ ahead atomic.Int64 }

func (c *clock) Now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func (c *clock) forward(d time.Duration) { c.ahead.Add(int64(d)) }

// set puts the clock forward to a time.
func (c *clock) set(t time.Time) { c.ahead.Store(int64(time.Until(t))) }

// person is somebody at their enrolled browser.
type person struct {
	*gatewaytest.Browser
	day      controlv1connect.TeleworkServiceClient
	approval controlv1connect.ApprovalServiceClient
}

// office is a town hall on an open day at nine: 町 (head mayor) > 企画課 (head chief, deputy second) with worker and
// other; outsider has no post. Approvals are required.
type office struct {
	*gatewaytest.Town
	clock *clock
	today calendar.Date
	next  calendar.Date // the open day after
	who   map[string]person
}

func newOffice(t *testing.T, options ...gatewaytest.Option) *office {
	t.Helper()
	o := &office{clock: &clock{}, who: map[string]person{}}
	o.today = openAfter(calendar.DateOf(time.Now()))
	o.next = openAfter(o.today)
	o.clock.set(o.today.At(9 * 60))
	o.Town = gatewaytest.Start(t, append(options, gatewaytest.WithNow(o.clock.Now))...)
	o.ChangeSettings(t, func(s *controlv1.Settings) { s.ApprovalRequired = true })
	section := func(s *controlv1.Section) {
		t.Helper()
		if _, err := o.Admin.PutSection(t.Context(), &controlv1.PutSectionRequest{Section: s}); err != nil {
			t.Fatal(err)
		}
	}
	section(&controlv1.Section{SectionId: "cho", Name: "町"})
	section(&controlv1.Section{SectionId: "kikaku", ParentId: "cho", Name: "企画課"})
	for _, name := range []string{"mayor", "chief", "second", "worker", "other", "outsider"} {
		b := o.Staff(t, name, "名前 "+name)
		post := map[string]string{"mayor": "cho", "outsider": ""}
		main, special := post[name]
		if !special {
			main = "kikaku"
		}
		_, err := o.Admin.UpdateUser(t.Context(), &controlv1.UpdateUserRequest{
			UserId: name, Name: "名前 " + name, MainSectionId: main, Roles: []controlv1.Role{controlv1.Role_ROLE_STAFF},
		})
		if err != nil {
			t.Fatal(err)
		}
		base := "https://" + o.Host
		o.who[name] = person{
			b, controlv1connect.NewTeleworkServiceClient(b.Client, base), controlv1connect.NewApprovalServiceClient(b.Client, base),
		}
	}
	section(&controlv1.Section{SectionId: "cho", Name: "町", HeadUserId: "mayor"})
	section(&controlv1.Section{SectionId: "kikaku", ParentId: "cho", Name: "企画課", HeadUserId: "chief", DeputyUserIds: []string{"second"}})
	return o
}

// openAfter is the first open day after a day.
func openAfter(d calendar.Date) calendar.Date {
	for d = d.Add(1); !(calendar.Days{}).Open(d); d = d.Add(1) {
	}
	return d
}

// ill is a draft for whole days with a reason that must not get about.
func ill(days ...calendar.Date) *controlv1.Draft {
	d := &controlv1.Draft{
		Place: controlv1.Place_PLACE_OTHER, PlaceNote: "実家", Reason: controlv1.RequestReason_REQUEST_REASON_ILLNESS, ReasonText: "腰痛のため", Work: "議案",
	}
	for _, day := range days {
		d.Days = append(d.Days, &controlv1.RequestDay{Date: day.String(), Unit: controlv1.DayUnit_DAY_UNIT_FULL})
	}
	return d
}

func (o *office) submit(t *testing.T, user string, days ...calendar.Date) *controlv1.Request {
	t.Helper()
	r, err := o.who[user].day.SubmitRequest(t.Context(), &controlv1.SubmitRequestRequest{Draft: ill(days...)})
	if err != nil || r.GetRequest() == nil {
		t.Fatalf("submit: %v, %v", err, r.GetRefusal())
	}
	return r.GetRequest()
}

func (o *office) decide(t *testing.T, by string, a controlv1.Answer, all ...*controlv1.Decision) []*controlv1.DecisionResult {
	t.Helper()
	r, err := o.who[by].approval.DecideRequests(t.Context(), &controlv1.DecideRequestsRequest{Decisions: all, Answer: a, Comment: "頭痛なら休むこと"})
	if err != nil {
		t.Fatal(err)
	}
	return r.GetResults()
}

func seen(r *controlv1.Request) *controlv1.Decision {
	return &controlv1.Decision{RequestId: r.GetRequestId(), Revision: r.GetRevision(), Step: 1}
}

// codeOf is the first reason of a refusal or of an error of the API; empty for neither.
func codeOf(err error, r *controlv1.Refusal) string {
	var failed *connect.Error
	if errors.As(err, &failed) && len(failed.Details()) > 0 {
		if v, e := failed.Details()[0].Value(); e == nil {
			r = v.(*controlv1.Refusal)
		}
	}
	if len(r.GetReasons()) == 0 {
		return ""
	}
	return r.GetReasons()[0].GetCode()
}

// private says whether a message holds what is for the user and the approvers only.
func private(m proto.Message) bool {
	text := protojson.Format(m)
	return strings.Contains(text, "痛") || strings.Contains(text, "実家") || strings.Contains(text, "ILLNESS")
}

// TestWhoSeesARequest asks as everybody, before and after the decision.
func TestWhoSeesARequest(t *testing.T) {
	o := newOffice(t)
	r := o.submit(t, "worker", o.next)
	check := func(when string, want map[string]string) {
		t.Helper()
		for name, w := range want {
			got := "nothing"
			a, err := o.who[name].day.GetRequest(t.Context(), &controlv1.GetRequestRequest{RequestId: r.GetRequestId()})
			switch code := codeOf(err, nil); {
			case err == nil && private(a):
				got = "reasons"
			case err == nil:
				got = "request"
			case code != "not_found":
				got = code
			}
			if got != w {
				t.Errorf("%s: %s sees %s, want %s", when, name, got, w)
			}
		}
	}
	check("waiting", map[string]string{
		"worker": "reasons", "chief": "reasons", "second": "request", "mayor": "request", "other": "nothing", "outsider": "nothing",
	})
	if got := o.decide(t, "chief", controlv1.Answer_ANSWER_APPROVE, seen(r)); got[0].GetRequest().GetState() != controlv1.RequestState_REQUEST_STATE_APPROVED {
		t.Fatalf("approve: %v", got)
	}
	check("approved", map[string]string{
		"worker": "reasons", "chief": "reasons", "second": "request", "mayor": "request", "other": "nothing", "outsider": "nothing",
	})
	for name, p := range o.who {
		week, err := p.approval.GetWeek(t.Context(), &controlv1.GetWeekRequest{From: o.next.String()})
		if err != nil {
			t.Fatal(err)
		}
		board, err := p.approval.GetBoard(t.Context(), &controlv1.GetBoardRequest{Date: o.next.String()})
		if err != nil {
			t.Fatal(err)
		}
		members, err := p.approval.ListMembers(t.Context(), &controlv1.ListMembersRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if private(week) || private(board) || private(members) {
			t.Errorf("%s: week, board or members hold a reason", name)
		}
		shown := 0
		for _, row := range week.GetRows() {
			shown += len(row.GetRequests())
		}
		counts := [3]int{shown, len(board.GetRows()), len(members.GetMembers())}
		want := map[string][3]int{"worker": {1, 0, 0}, "other": {1, 0, 0}, "second": {1, 0, 0}, "chief": {1, 1, 3}, "mayor": {1, 1, 4}, "outsider": {0, 0, 0}}[name]
		if counts != want {
			t.Errorf("%s: days in the week, rows of the board, members %v, want %v", name, counts, want)
		}
	}
}

// TestDecideSeveral: each is decided or refused for itself, and the inbox is empty for everybody but who decides.
func TestDecideSeveral(t *testing.T) {
	o := newOffice(t)
	a, b, own := o.submit(t, "worker", o.next), o.submit(t, "other", o.next), o.submit(t, "chief", o.next)
	for name, want := range map[string]int{"chief": 2, "mayor": 1, "second": 0, "worker": 0} {
		inbox, err := o.who[name].approval.ListInbox(t.Context(), &controlv1.ListInboxRequest{})
		if err != nil || len(inbox.GetWaiting()) != want {
			t.Errorf("inbox of %s: %d, want %d (%v)", name, len(inbox.GetWaiting()), want, err)
		}
	}
	late := seen(b)
	late.Revision++
	results := o.decide(t, "chief", controlv1.Answer_ANSWER_APPROVE, seen(a), late, seen(own), &controlv1.Decision{RequestId: "none", Revision: 1})
	var codes []string
	for _, r := range results {
		codes = append(codes, codeOf(nil, r.GetRefusal()))
	}
	if got := strings.Join(codes, ","); got != ",stale,own_request,not_found" {
		t.Errorf("results %s", got)
	}
	for _, name := range []string{"second", "worker", "outsider"} {
		got := o.decide(t, name, controlv1.Answer_ANSWER_REFUSE, seen(b))
		if code := codeOf(nil, got[0].GetRefusal()); code != "not_approver" {
			t.Errorf("%s refuses a request: %q", name, code)
		}
	}
	r, err := o.who["chief"].approval.DecideRequests(t.Context(), &controlv1.DecideRequestsRequest{
		Decisions: []*controlv1.Decision{seen(b)}, Answer: controlv1.Answer_ANSWER_RETURN,
	})
	if code := codeOf(nil, r.GetResults()[0].GetRefusal()); err != nil || code != "comment_needed" {
		t.Errorf("returned without a word: %q, %v", code, err)
	}
	_, err = o.who["worker"].day.WithdrawRequest(t.Context(), &controlv1.WithdrawRequestRequest{RequestId: b.GetRequestId()})
	if code := codeOf(err, nil); code != "not_yours" {
		t.Errorf("another's request is withdrawn: %v", err)
	}
}

// TestDeputyAndReview: the deputy decides in the absence, entered by the deputy; the head confirms.
func TestDeputyAndReview(t *testing.T) {
	o := newOffice(t)
	r := o.submit(t, "worker", o.next)
	absence := &controlv1.Absence{UserId: "chief", From: o.today.String(), Until: o.today.String()}
	_, err := o.who["worker"].approval.PutAbsence(t.Context(), &controlv1.PutAbsenceRequest{Absence: absence})
	if code := codeOf(err, nil); code != "not_yours" {
		t.Errorf("a member sends the head away: %v", err)
	}
	if _, err := o.who["second"].approval.PutAbsence(t.Context(), &controlv1.PutAbsenceRequest{Absence: absence}); err != nil {
		t.Fatal(err)
	}
	got := o.decide(t, "second", controlv1.Answer_ANSWER_APPROVE, seen(r))[0].GetRequest()
	if s := got.GetSteps()[0]; s.GetDecidedByName() != "名前 second" || s.GetForName() != "名前 chief" {
		t.Errorf("step %v", s)
	}
	reviews := func(name string) int {
		t.Helper()
		all, err := o.who[name].approval.ListReviews(t.Context(), &controlv1.ListReviewsRequest{})
		if err != nil {
			t.Fatal(err)
		}
		return len(all.GetRequests())
	}
	if reviews("chief") != 1 || reviews("second") != 0 {
		t.Errorf("reviews of chief %d, of second %d", reviews("chief"), reviews("second"))
	}
	_, err = o.who["chief"].approval.ConfirmReviews(t.Context(), &controlv1.ConfirmReviewsRequest{RequestIds: []string{r.GetRequestId()}})
	if err != nil || reviews("chief") != 0 {
		t.Errorf("confirmed, and there are %d (%v)", reviews("chief"), err)
	}
	list, err := o.who["chief"].approval.ListAbsences(t.Context(), &controlv1.ListAbsencesRequest{})
	if err != nil || len(list.GetAbsences()) != 1 {
		t.Fatalf("absences %v, %v", list, err)
	}
	_, err = o.who["chief"].approval.DeleteAbsence(t.Context(), &controlv1.DeleteAbsenceRequest{AbsenceId: list.GetAbsences()[0].GetAbsenceId()})
	if err != nil {
		t.Error(err)
	}
}

// TestTodayLeadsThroughTheDay follows the one big button from the request to the end of work.
func TestTodayLeadsThroughTheDay(t *testing.T) {
	o := newOffice(t)
	worker := o.who["worker"]
	next := func(want controlv1.NextStep) *controlv1.GetTodayResponse {
		t.Helper()
		today, err := worker.day.GetToday(t.Context(), &controlv1.GetTodayRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if today.GetNext() != want {
			t.Fatalf("next is %s, want %s: %v", today.GetNext(), want, today.GetDesks())
		}
		return today
	}
	report := func(r *controlv1.ReportWorkdayRequest) {
		t.Helper()
		got, err := worker.day.ReportWorkday(t.Context(), r)
		if err != nil || got.GetRefusal() != nil {
			t.Fatalf("report: %v, %v", err, got.GetRefusal())
		}
		o.clock.ahead.Add(int64(time.Second))
	}
	today := next(controlv1.NextStep_NEXT_STEP_REQUEST)
	if !today.GetOpenDay() || today.GetHours().GetStartMinute() != 510 || today.GetDate() != o.today.String() || today.GetApprover() {
		t.Errorf("today %v", today)
	}
	r := o.submit(t, "worker", o.today)
	if !r.GetAfterFact() {
		t.Error("a request at nine for a day that begins at 8:30 is not after the fact")
	}
	if len(next(controlv1.NextStep_NEXT_STEP_WAIT).GetRequests()) != 1 {
		t.Error("the request is not about today")
	}
	chief, err := o.who["chief"].day.GetToday(t.Context(), &controlv1.GetTodayRequest{})
	if err != nil || !chief.GetApprover() || chief.GetInbox() != 1 {
		t.Errorf("today of the chief: %v, %v", chief, err)
	}
	o.decide(t, "chief", controlv1.Answer_ANSWER_APPROVE, seen(r))
	next(controlv1.NextStep_NEXT_STEP_START)
	agent := o.NewAgent(t, "企画課 01", "worker")
	report(&controlv1.ReportWorkdayRequest{Kind: controlv1.SegmentKind_SEGMENT_KIND_WORK})
	if got := next(controlv1.NextStep_NEXT_STEP_CONNECT); got.GetNextDeskId() != agent.Desk {
		t.Errorf("next desk %q", got.GetNextDeskId())
	}
	report(&controlv1.ReportWorkdayRequest{Kind: controlv1.SegmentKind_SEGMENT_KIND_BREAK})
	next(controlv1.NextStep_NEXT_STEP_RESUME)
	board, err := o.who["chief"].approval.GetBoard(t.Context(), &controlv1.GetBoardRequest{})
	if err != nil || len(board.GetRows()) != 1 || board.GetRows()[0].GetWorkday() != controlv1.WorkdayState_WORKDAY_STATE_AWAY ||
		board.GetRows()[0].GetSegment().GetKind() != controlv1.SegmentKind_SEGMENT_KIND_BREAK || board.GetRows()[0].GetLate() {
		t.Errorf("board %v, %v", board, err)
	}
	report(&controlv1.ReportWorkdayRequest{Kind: controlv1.SegmentKind_SEGMENT_KIND_WORK})
	o.clock.set(o.today.At(17*60 + 16))
	worker.SignIn(t, "worker", gatewaytest.Password)
	next(controlv1.NextStep_NEXT_STEP_END)
	report(&controlv1.ReportWorkdayRequest{Finish: true, Done: "議案を書いた"})
	next(controlv1.NextStep_NEXT_STEP_WAIT)
}

// TestWithdrawnApprovalEndsTheSession: what stood on it ends, although nobody named the session.
func TestWithdrawnApprovalEndsTheSession(t *testing.T) {
	o := newOffice(t)
	worker := o.who["worker"]
	r := o.submit(t, "worker", o.today)
	o.decide(t, "chief", controlv1.Answer_ANSWER_APPROVE, seen(r))
	agent := o.NewAgent(t, "企画課 01", "worker")
	opened, g := worker.Connect(t, agent.Desk, cert.NoiseKey{1})
	if until := time.UnixMilli(opened.GetLimits().GetSessionUntilMs()); until.After(o.today.At(1035)) {
		t.Errorf("the session may go on until %v, after the approved time", until)
	}
	_, err := worker.day.WithdrawRequest(t.Context(), &controlv1.WithdrawRequestRequest{RequestId: r.GetRequestId()})
	if err != nil {
		t.Fatal(err)
	}
	for order := range agent.Orders() {
		if end := order.GetEndSession(); end != nil && [16]byte(end.GetSessionId()) == g.Session {
			break
		}
	}
	again := worker.Prepare(t, agent.Desk)
	if code := codeOf(nil, again.GetRefusal()); code != "approval_needed" {
		t.Errorf("connected again: %q", code)
	}
}

// TestCheckBeforeSubmitting: what forbids in the check refuses the submission, and bad forms are refused before.
func TestCheckBeforeSubmitting(t *testing.T) {
	o := newOffice(t)
	worker := o.who["worker"].day
	c, err := worker.CheckRequest(t.Context(), &controlv1.CheckRequestRequest{Draft: ill(o.next)})
	if err != nil || len(c.GetProblems()) != 0 || len(c.GetRoute()) != 1 || c.GetRoute()[0].GetApproverNames()[0] != "名前 chief" ||
		c.GetDraft().GetDays()[0].GetUntilMinute() != 1035 || !c.GetPersonalDataAsked() {
		t.Errorf("check: %v, %v", c, err)
	}
	o.submit(t, "worker", o.next)
	c, err = worker.CheckRequest(t.Context(), &controlv1.CheckRequestRequest{Draft: ill(o.next)})
	if err != nil || len(c.GetProblems()) != 1 || !c.GetProblems()[0].GetForbids() || c.GetProblems()[0].GetReason().GetCode() != "request_overlaps" {
		t.Errorf("check of the same day: %v, %v", c, err)
	}
	r, err := worker.SubmitRequest(t.Context(), &controlv1.SubmitRequestRequest{Draft: ill(o.next)})
	if code := codeOf(err, r.GetRefusal()); code != "request_overlaps" {
		t.Errorf("submitted all the same: %v, %v", r, err)
	}
	for name, c := range map[string]struct {
		draft *controlv1.Draft
		user  string
		code  string
	}{
		"no draft":        {nil, "", "invalid"},
		"no date":         {&controlv1.Draft{Days: []*controlv1.RequestDay{{Date: "tomorrow"}}}, "", "invalid"},
		"no such unit":    {&controlv1.Draft{Days: []*controlv1.RequestDay{{Date: o.next.String(), Unit: 9}}}, "", "invalid"},
		"no such place":   {&controlv1.Draft{Place: 300}, "", "invalid"},
		"for a colleague": {ill(o.next), "other", "not_yours"},
		"for nobody":      {ill(o.next), "nobody", "not_yours"},
	} {
		r, err := worker.SubmitRequest(t.Context(), &controlv1.SubmitRequestRequest{Draft: c.draft, UserId: c.user})
		if code := codeOf(err, r.GetRefusal()); code != c.code {
			t.Errorf("%s: %q, want %q (%v)", name, code, c.code, err)
		}
	}
	for name, in := range map[string]*controlv1.GetCalendarRequest{
		"no dates": {}, "backwards": {From: "2026-12-02", Until: "2026-12-01"}, "101 days": {From: "2026-12-01", Until: "2027-03-11"},
	} {
		if _, err := worker.GetCalendar(t.Context(), in); codeOf(err, nil) != "invalid" {
			t.Errorf("calendar, %s: %v", name, err)
		}
	}
	month, err := worker.GetCalendar(t.Context(), &controlv1.GetCalendarRequest{From: o.today.String(), Until: o.next.String()})
	if err != nil || len(month.GetDays()) < 2 || len(month.GetDays()[len(month.GetDays())-1].GetRequests()) != 1 {
		t.Errorf("calendar: %v, %v", month, err)
	}
	if _, err := worker.GetCalendar(t.Context(), &controlv1.GetCalendarRequest{From: o.today.String(), Until: o.next.String(), UserId: "other"}); codeOf(err, nil) != "not_yours" {
		t.Errorf("a colleague's calendar: %v", err)
	}
}

// TestOrders: only superiors give them, and they count at once.
func TestOrders(t *testing.T) {
	o := newOffice(t)
	night := &controlv1.Draft{Place: controlv1.Place_PLACE_HOME, Days: []*controlv1.RequestDay{
		{Date: o.today.String(), Unit: controlv1.DayUnit_DAY_UNIT_HOURS, FromMinute: 1035, UntilMinute: 1200},
	}}
	order := func(by string, kind controlv1.RequestKind, users ...string) (*controlv1.PutOrderResponse, error) {
		return o.who[by].approval.PutOrder(context.Background(), &controlv1.PutOrderRequest{Kind: kind, UserIds: users, Draft: night})
	}
	for by, users := range map[string][]string{"worker": {"other"}, "second": {"worker"}, "chief": {"chief"}, "outsider": {"worker"}} {
		r, err := order(by, controlv1.RequestKind_REQUEST_KIND_OVERTIME_ORDER, users...)
		if code := codeOf(err, r.GetRefusal()); code != "not_yours" {
			t.Errorf("%s orders: %q (%v)", by, code, err)
		}
	}
	if r, err := order("chief", controlv1.RequestKind_REQUEST_KIND_TELEWORK, "worker"); codeOf(err, r.GetRefusal()) != "invalid" {
		t.Errorf("an order that is none: %v, %v", r, err)
	}
	r, err := order("chief", controlv1.RequestKind_REQUEST_KIND_OVERTIME_ORDER, "worker", "other")
	if err != nil || len(r.GetOrders().GetRequests()) != 2 || r.GetOrders().GetRequests()[0].GetState() != controlv1.RequestState_REQUEST_STATE_APPROVED {
		t.Fatalf("order: %v, %v", r, err)
	}
	mine, err := o.who["worker"].day.ListMyRequests(t.Context(), &controlv1.ListMyRequestsRequest{})
	if err != nil || len(mine.GetRequests()) != 1 || mine.GetRequests()[0].GetMayWithdraw() || mine.GetRequests()[0].GetMayChange() {
		t.Errorf("my orders: %v, %v", mine, err)
	}
}

// TestRoutesAreForAdministrators: the portal's listener does not take them from staff.
func TestRoutesAreForAdministrators(t *testing.T) {
	o := newOffice(t)
	policy := controlv1connect.NewPolicyServiceClient(o.who["mayor"].Client, "https://"+o.Host)
	_, err := policy.PutRoute(t.Context(), &controlv1.PutRouteRequest{Route: &controlv1.Route{SectionId: "kikaku"}})
	if err == nil {
		t.Error("the mayor, who is no administrator, sets a route")
	}
	r, err := o.who["mayor"].Client.Post("https://"+o.Host+controlv1connect.PolicyServiceGetRoutesProcedure, "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if r.StatusCode < http.StatusBadRequest {
		t.Errorf("routes: status %d", r.StatusCode)
	}
}
