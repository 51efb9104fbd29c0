package api_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"jiseki/internal/gateway/gatewaytest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
)

// mostAnswer is what an answer holds at most of what one user entered, in bytes.
const mostAnswer = 1 << 20

// size is how many bytes an answer has as JSON.
func (o *office) size(t *testing.T, who, method, body string) int64 {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+o.Host+"/jiseki.control.v1."+method, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept-Encoding", "identity")
	answer, err := o.who[who].Client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	n, err := io.Copy(io.Discard, answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: status %d, %v", method, answer.StatusCode, err)
	}
	t.Logf("%s of %s: %d KB", method, who, n>>10)
	return n
}

// minutes are n segments of a minute each.
func minutes(from int64, n int) (all []*controlv1.Segment) {
	for i := range n {
		at := from + int64(i)*60_000
		all = append(all, &controlv1.Segment{Kind: controlv1.SegmentKind_SEGMENT_KIND_INTERRUPTION - controlv1.SegmentKind(i%2), FromMs: at, UntilMs: at + 60_000})
	}
	return all
}

// TestWorstMonth: whatever somebody enters into the days of a month, whoever reads the month, a day or the file of it
// gets no more than the gateway can hold.
func TestWorstMonth(t *testing.T) {
	o := newOffice(t)
	worker, month := o.who["worker"], o.today.InMonth().Add(-1)
	segments := 200
	for ; segments > 0; segments -= 10 { // as many as it takes
		r, err := worker.day.CorrectWorkday(t.Context(), &controlv1.CorrectWorkdayRequest{
			Date: month.First().String(), Reason: "書", Segments: minutes(month.First().At(8*60).UnixMilli(), segments),
		})
		if codeOf(err, r.GetRefusal()) == "" {
			break
		}
	}
	corrected := 0
	for n := range 5 {
		for d := month.First(); !month.Last().Before(d); d = d.Add(1) {
			r, err := worker.day.CorrectWorkday(t.Context(), &controlv1.CorrectWorkdayRequest{
				Date: d.String(), Reason: strings.Repeat("𠮷", 398) + fmt.Sprint(n), Segments: minutes(d.At(8*60).UnixMilli(), segments),
			})
			if codeOf(err, r.GetRefusal()) == "" {
				corrected++
			}
			if n > 0 {
				continue
			}
			for _, done := range []int{4000, 2000} {
				if _, err = worker.day.SaveDone(t.Context(), &controlv1.SaveDoneRequest{Date: d.String(), Done: strings.Repeat("𠮷", done)}); err == nil {
					break
				}
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Logf("%d corrections with %d segments were taken", corrected, segments)
	of := `{"month":"` + month.String() + `"}`
	for _, ask := range [][3]string{
		{"worker", "TeleworkService/GetMonth", of},
		{"chief", "TeleworkService/GetMonth", `{"month":"` + month.String() + `","userId":"worker"}`},
		{"chief", "ApprovalService/ListMonths", of},
		{"worker", "TeleworkService/ExportMonths", of},
		{"worker", "TeleworkService/GetWorkday", `{"date":"` + month.First().String() + `"}`},
	} {
		if n := o.size(t, ask[0], ask[1], ask[2]); n > mostAnswer {
			t.Errorf("%s: %d bytes", ask[1], n)
		}
	}
	m, err := worker.day.GetMonth(t.Context(), &controlv1.GetMonthRequest{Month: month.String()})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range m.GetReport().GetWorkdays()[0].GetCorrections() {
		if len(c.GetBefore()) > 0 {
			t.Fatal("a month has former segments")
		}
	}
	d, err := worker.day.GetWorkday(t.Context(), &controlv1.GetWorkdayRequest{Date: month.First().String()})
	if err != nil || len(d.GetWorkday().GetCorrections()) < 2 || len(d.GetWorkday().GetCorrections()[1].GetBefore()) != segments {
		t.Fatalf("a day has not its former segments: %v", err)
	}
}

// TestWorstRequests: whatever somebody asks for, no list that the user or the approvers open holds more than the
// gateway can.
func TestWorstRequests(t *testing.T) {
	o := newOffice(t)
	worker := o.who["worker"]
	draft := ill()
	draft.ReasonText, draft.Work = strings.Repeat("𠮷", 2000), strings.Repeat("𠮷", 2000)
	for d := o.next; len(draft.GetDays()) < 60; d = openAfter(d) {
		draft.Days = append(draft.Days, &controlv1.RequestDay{Date: d.String(), Unit: controlv1.DayUnit_DAY_UNIT_HOURS})
	}
	var made []*controlv1.Decision
	submit := func(i int32) string {
		for _, d := range draft.GetDays() {
			d.FromMinute, d.UntilMinute = 540+i, 541+i
		}
		r, err := worker.day.SubmitRequest(t.Context(), &controlv1.SubmitRequestRequest{Draft: draft})
		if r.GetRequest() != nil {
			made = append(made, seen(r.GetRequest()))
		}
		return codeOf(err, r.GetRefusal())
	}
	refused := ""
	for i := int32(0); refused == "" && i < 100; i++ {
		refused = submit(i)
	}
	if refused != "too_many_at_once" || len(made) < 20 {
		t.Errorf("%d waiting requests were taken, and then: %q", len(made), refused)
	}
	measure := func(asks ...[3]string) {
		t.Helper()
		for _, ask := range asks {
			if n := o.size(t, ask[0], ask[1], ask[2]); n > mostAnswer {
				t.Errorf("%s: %d bytes", ask[1], n)
			}
		}
	}
	measure([][3]string{
		{"worker", "TeleworkService/ListMyRequests", `{"page":{"limit":500}}`},
		{"worker", "TeleworkService/GetCalendar", fmt.Sprintf(`{"from":"%s","until":"%s"}`, o.today, o.today.Add(99))},
		{"chief", "ApprovalService/ListInbox", `{}`},
		{"chief", "ApprovalService/GetWeek", fmt.Sprintf(`{"from":"%s"}`, o.next.Monday())},
		{"chief", "ApprovalService/GetBoard", fmt.Sprintf(`{"date":"%s"}`, o.next)},
		{"chief", "TeleworkService/ListNotices", `{"page":{"limit":500}}`},
	}...)
	o.clock.set(o.next.At(8 * 60))
	for _, who := range []string{"worker", "chief"} {
		o.who[who].SignIn(t, who, gatewaytest.Password)
	}
	measure([3]string{"worker", "TeleworkService/GetToday", `{}`})

	// Page by page everything is there, once.
	mine := map[string]bool{}
	for page := (&controlv1.Page{Limit: 500}); ; {
		r, err := worker.day.ListMyRequests(t.Context(), &controlv1.ListMyRequestsRequest{Page: page})
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range r.GetRequests() {
			if mine[one.GetRequestId()] {
				t.Fatal("a request twice")
			}
			mine[one.GetRequestId()] = true
		}
		if page.Token = r.GetNextToken(); page.GetToken() == "" {
			break
		}
	}
	if len(mine) != len(made) {
		t.Errorf("%d of %d requests are listed", len(mine), len(made))
	}

	// What an approver cannot see of the inbox comes when the first have been decided.
	comment := strings.Repeat("𠮷", 2000)
	for rounds := 0; ; rounds++ {
		inbox, err := o.who["chief"].approval.ListInbox(t.Context(), &controlv1.ListInboxRequest{})
		if err != nil || rounds > len(made) {
			t.Fatal(rounds, err)
		}
		if len(inbox.GetWaiting()) == 0 {
			if inbox.GetMore() {
				t.Error("more wait than can be seen")
			}
			break
		}
		var all []*controlv1.Decision
		for _, r := range inbox.GetWaiting() {
			all = append(all, seen(r))
		}
		r, err := o.who["chief"].approval.DecideRequests(t.Context(), &controlv1.DecideRequestsRequest{
			Decisions: all, Answer: controlv1.Answer_ANSWER_RETURN, Comment: comment,
		})
		if err != nil {
			t.Fatal(err)
		}
		if n := proto.Size(r); n > mostAnswer {
			t.Errorf("decisions: %d bytes", n)
		}
	}
	measure([3]string{"chief", "ApprovalService/ListInbox", `{}`}, [3]string{"worker", "TeleworkService/ListMyRequests", `{"page":{"limit":500}}`})
}
