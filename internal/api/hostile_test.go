package api_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"jiseki/internal/calendar"
	"jiseki/internal/gateway"
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
	for i := range 100 {
		if got := correct(i); got != "" {
			t.Fatalf("correction %d: %s", i, got)
		}
	}
	if got := correct(100); got != "invalid" {
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
