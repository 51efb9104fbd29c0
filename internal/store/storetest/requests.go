package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/audit"
	"jiseki/internal/calendar"
	"jiseki/internal/store"
	"jiseki/internal/telework"
)

// people makes 町 (head mayor) > 企画課 (head chief, deputies second and third, clerk clerk) with worker and other in
// it.
func (t *suite) people() {
	t.Helper()
	var users []store.NewUser
	t.ok(t.s.PutSection(t.ctx, Admin, store.Section{ID: "cho", Name: "町", Position: 8}))
	t.ok(t.s.PutSection(t.ctx, Admin, store.Section{ID: "kikaku", Parent: "cho", Name: "企画課", Position: 9}))
	for _, id := range []string{"mayor", "chief", "second", "third", "clerk", "worker", "other"} {
		section := "kikaku"
		if id == "mayor" {
			section = "cho"
		}
		users = append(users, store.NewUser{ID: id, Name: "名前 " + id, MainSection: section, Roles: []access.Role{access.Staff}, PasswordHash: "hash"})
	}
	t.ok(t.s.CreateUsers(t.ctx, Admin, users))
	t.ok(t.s.PutSection(t.ctx, Admin, store.Section{ID: "cho", Name: "町", Position: 8, Head: "mayor"}))
	t.ok(t.s.PutSection(t.ctx, Admin, store.Section{
		ID: "kikaku", Parent: "cho", Name: "企画課", Position: 9, Head: "chief", Deputies: []string{"second", "third"},
	}))
	t.ok(t.s.PutStaff(t.ctx, Admin, store.StaffMember{User: "clerk", Clerk: true}))
}

func as(user string) store.By { return store.By{Actor: "user:" + user} }

// today is a Tuesday.
var today = calendar.Date{Year: 2026, Month: time.November, Day: 24}

// wish is a draft for whole days at home, with a reason that must not get about.
func wish(days ...calendar.Date) telework.Draft {
	d := telework.Draft{Place: access.Home, Reason: telework.ReasonIllness, ReasonText: "腰痛", Work: "議案の作成"}
	for _, day := range days {
		d.Days = append(d.Days, telework.Day{Date: day, Unit: telework.Full})
	}
	return d
}

func (t *suite) submit(user string, days ...calendar.Date) telework.Request {
	t.Helper()
	r, err := t.s.SubmitRequest(t.ctx, as(user), store.Submission{Draft: wish(days...)})
	t.ok(err)
	return r
}

func (t *suite) decide(by string, r *telework.Request, a telework.Answer) error {
	got, err := t.s.DecideRequest(t.ctx, as(by), r.ID, telework.Decision{Answer: a, Revision: r.Revision, Comment: "頭痛なら別の日に"})
	if err == nil {
		*r = got
	}
	return err
}

// refused expects a refusal with a code.
func (t *suite) refused(err error, code access.Code) {
	t.Helper()
	if !telework.RefusedWith(err, code) {
		t.Fatalf("got %v, want %s", err, code)
	}
}

// told are the kinds of notices of a user, sorted.
func (t *suite) told(user string) []string {
	t.Helper()
	notices, _, err := t.s.Notices(t.ctx, user, store.Page{})
	t.ok(err)
	var kinds []string
	for _, n := range notices {
		kinds = append(kinds, n.Kind)
	}
	slices.Sort(kinds)
	return kinds
}

func ids(all []telework.Request) []string {
	var got []string
	for i := range all {
		got = append(got, all[i].ID)
	}
	return got
}

func requests(t *suite) {
	t.people()
	tomorrow := today.Add(1)
	r := t.submit("worker", tomorrow, today.Add(2))
	t.equal([]any{r.State, r.Revision, r.SectionName, len(r.Steps), r.Draft.Days[0]},
		[]any{telework.Pending, 1, "企画課", 1, telework.Day{Date: tomorrow, Unit: telework.Full, From: 510, Until: 1035}})
	kept, err := t.s.Request(t.ctx, r.ID)
	t.ok(err)
	t.equal(kept, r)
	t.equal(t.told("chief"), []string{"request_submitted"})

	notices, _, err := t.s.Notices(t.ctx, "chief", store.Page{})
	t.ok(err)
	t.equal([]any{notices[0].Path, notices[0].Args}, []any{"/inbox/" + r.ID, map[string]string{"name": "名前 worker", "date": "2026-11-25", "more": "1"}})
	inbox, _, err := t.s.Inbox(t.ctx, "chief")
	t.ok(err)
	t.equal(ids(inbox), []string{r.ID})
	inbox, _, err = t.s.Inbox(t.ctx, "second")
	t.ok(err)
	t.equal(len(inbox), 0)
	t.refused(t.decide("worker", &r, telework.Approve), access.OwnRequest)
	t.refused(t.decide("second", &r, telework.Approve), access.NotApprover)
	covers, err := t.s.Covers(t.ctx, "worker", tomorrow.At(0), tomorrow.Add(1).At(0))
	t.ok(err)
	t.equal(len(covers), 0)

	t.clock.Add(time.Minute)
	t.ok(t.decide("chief", &r, telework.Approve))
	t.equal([]any{t.last().Kind, t.last().Subject}, []any{audit.RequestApproved, "request:" + r.ID})
	kept, err = t.s.Request(t.ctx, r.ID)
	t.ok(err)
	t.equal(kept, r)
	t.equal([]any{kept.State, len(kept.History)}, []any{telework.Approved, 2})
	t.equal(t.told("worker"), []string{"request_approved"})
	covers, err = t.s.Covers(t.ctx, "worker", tomorrow.At(0), tomorrow.Add(1).At(0))
	t.ok(err)
	t.equal(covers, []telework.Cover{{Request: r.ID, Kind: telework.Telework, From: tomorrow.At(510), Until: tomorrow.At(1035), Place: access.Home}})
	decided, err := t.s.DecidedBy(t.ctx, "chief", t.clock.Now().Add(-time.Hour))
	t.ok(err)
	t.equal(ids(decided), []string{r.ID})
	t.refused(t.decide("chief", &r, telework.Refuse), access.RequestDecided)

	t.ok(cancel(t, "worker", &r))
	t.equal(t.last().Kind, audit.RequestCancelled)
	t.equal(t.told("chief"), []string{"request_cancelled", "request_submitted"})
	covers, err = t.s.Covers(t.ctx, "worker", tomorrow.At(0), tomorrow.Add(1).At(0))
	t.ok(err)
	t.equal(len(covers), 0)
	t.reasonsStayIn()
}

func cancel(t *suite, by string, r *telework.Request) error {
	got, err := t.s.WithdrawRequest(t.ctx, as(by), r.ID, "腹痛")
	if err == nil {
		*r = got
	}
	return err
}

// reasonsStayIn: no event and no notice holds a reason or a comment.
func (t *suite) reasonsStayIn() {
	t.Helper()
	events, _, err := t.s.Events(t.ctx, store.EventFilter{}, store.Page{Limit: 500})
	t.ok(err)
	text := ""
	for i := range events {
		text += events[i].Details
	}
	for _, user := range []string{"worker", "chief", "second", "mayor"} {
		notices, _, err := t.s.Notices(t.ctx, user, store.Page{})
		t.ok(err)
		text += fmt.Sprint(notices)
	}
	if strings.Contains(text, "痛") || strings.Contains(text, "議案") {
		t.Fatalf("a reason got about: %s", text)
	}
}

// requestReturned: back to the user, submitted again by the clerk, and withdrawn.
func requestReturned(t *suite) {
	t.people()
	r := t.submit("worker", today.Add(1))
	t.ok(t.decide("chief", &r, telework.Return))
	t.equal(t.told("worker"), []string{"request_returned"})
	again := store.Submission{Draft: wish(today.Add(2)), Request: r.ID, Revision: 1}
	_, err := t.s.SubmitRequest(t.ctx, as("other"), again)
	t.refused(err, access.NotYours)
	again.Revision = 0
	_, err = t.s.SubmitRequest(t.ctx, as("clerk"), again)
	t.fails(err, store.ErrStale)
	again.Revision = 1
	changed, err := t.s.SubmitRequest(t.ctx, as("clerk"), again)
	t.ok(err)
	t.equal([]any{changed.ID, changed.Revision, changed.User, changed.By, len(changed.Draft.Days)}, []any{r.ID, 2, "worker", "clerk", 1})
	t.equal(t.told("worker"), []string{"request_entered", "request_returned"})
	t.refused(t.decide("chief", &r, telework.Approve), access.Stale) // what the approver saw was revision 1
	t.ok(cancel(t, "worker", &changed))
	t.equal([]any{changed.State, t.last().Kind}, []any{telework.Withdrawn, audit.RequestWithdrawn})
	t.refused(t.decide("chief", &changed, telework.Approve), access.RequestDecided)
	t.reasonsStayIn()
}

// requestReplaced: a changed approval holds until the change is approved, and not a moment longer.
func requestReplaced(t *suite) {
	t.people()
	r := t.submit("worker", today.Add(1))
	t.ok(t.decide("chief", &r, telework.Approve))
	in := store.Submission{Draft: wish(today.Add(1), today.Add(2)), Request: r.ID, Revision: r.Revision}
	change, err := t.s.SubmitRequest(t.ctx, as("worker"), in)
	t.ok(err)
	t.equal([]any{change.Replaces, change.ID != r.ID}, []any{r.ID, true})
	_, err = t.s.SubmitRequest(t.ctx, as("worker"), in)
	t.refused(err, access.RequestOverlaps)
	old, err := t.s.Request(t.ctx, r.ID)
	t.ok(err)
	t.equal(old.State, telework.Approved)
	t.ok(t.decide("chief", &change, telework.Approve))
	t.equal([]any{t.last().Kind, t.last().Subject}, []any{audit.RequestCancelled, "request:" + r.ID})
	old, err = t.s.Request(t.ctx, r.ID)
	t.ok(err)
	t.equal(old.State, telework.Cancelled)
	covers, err := t.s.Covers(t.ctx, "worker", today.At(0), today.Add(9).At(0))
	t.ok(err)
	t.equal(len(covers), 2)
	t.equal(covers[0].Request, change.ID)
}

// requestRights: who may enter, for whom, and what nobody may.
func requestRights(t *suite) {
	t.people()
	for by, want := range map[string]error{
		"clerk": nil, "chief": nil, "mayor": nil, "other": store.ErrNotAllowed, "second": store.ErrNotAllowed, "tanaka": store.ErrNotAllowed,
		"nobody": store.ErrNotAllowed,
	} {
		_, err := t.s.CheckRequest(t.ctx, as(by), store.Submission{User: "worker", Draft: wish(today.Add(1))})
		if !errors.Is(err, want) {
			t.Errorf("%s for worker: %v, want %v", by, err, want)
		}
	}
	_, err := t.s.CheckRequest(t.ctx, Admin, store.Submission{User: "worker", Draft: wish(today.Add(1))})
	t.fails(err, store.ErrNotAllowed)
	_, err = t.s.CheckRequest(t.ctx, as("worker"), store.Submission{Draft: wish()})
	t.fails(err, telework.ErrDraft)
	_, err = t.s.SubmitRequest(t.ctx, as("mayor"), store.Submission{Draft: wish(today.Add(1))})
	t.refused(err, access.NoApprover)
	_, err = t.s.SubmitRequest(t.ctx, as("worker"), store.Submission{Draft: wish(calendar.Date{Year: 2026, Month: 11, Day: 28})})
	t.refused(err, access.RequestDayOff)
	_, err = t.s.Request(t.ctx, "none")
	t.fails(err, store.ErrNotFound)
	c, err := t.s.CheckRequest(t.ctx, as("worker"), store.Submission{Draft: wish(today.Add(-40))})
	t.ok(err)
	t.equal([]any{c.Problems[0].Code, c.Route[0].SectionName}, []any{access.RequestAfterFact, "企画課"})
}

// requestsAtOnce: of many answers to one step one counts, and of many requests for one day one is taken.
func requestsAtOnce(t *suite) {
	t.people()
	t.absent("chief", today, today)
	r := t.submit("worker", today.Add(1))
	var mu sync.Mutex
	count := map[string]int{}
	var wg sync.WaitGroup
	both := func(name string, act func() error) {
		wg.Go(func() {
			err := act()
			mu.Lock()
			defer mu.Unlock()
			var no *telework.Refusal
			switch {
			case err == nil:
				count[name]++
			case !errors.As(err, &no):
				t.Error(err)
			}
		})
	}
	for _, by := range []string{"chief", "second", "chief", "second"} {
		both("decided", func() error {
			seen := r
			return t.decide(by, &seen, telework.Approve)
		})
	}
	for range 4 {
		both("submitted", func() error {
			_, err := t.s.SubmitRequest(t.ctx, as("other"), store.Submission{Draft: wish(today.Add(1))})
			return err
		})
	}
	wg.Wait()
	t.equal(count, map[string]int{"decided": 1, "submitted": 1})
	kept, err := t.s.Request(t.ctx, r.ID)
	t.ok(err)
	t.equal([]any{kept.State, len(kept.History)}, []any{telework.Approved, 2})
}

func (t *suite) absent(user string, from, until calendar.Date) store.Absence {
	t.Helper()
	a, err := t.s.PutAbsence(t.ctx, as(user), false, store.Absence{User: user, From: from, Until: until})
	t.ok(err)
	return a
}

// deputies: they decide while the head is away, to midnight in Japan, and the head reads it afterwards.
func deputies(t *suite) {
	t.people()
	t.ok(t.s.PutRoute(t.ctx, Admin, "kikaku", []telework.RouteStep{{Section: "kikaku"}, {Section: "cho", Circulate: true}}))
	a := t.absent("chief", today, today)
	first, later := t.submit("worker", today.Add(1)), t.submit("other", today.Add(1))
	t.equal(len(t.told("chief")), 0)
	t.equal(t.told("second"), []string{"request_submitted", "request_submitted"})
	t.clock.Add(today.At(24*60).Sub(t.clock.Now()) - time.Millisecond)
	t.ok(t.decide("second", &first, telework.Approve))
	t.equal(first.Steps[0].For, "chief")
	t.equal(t.told("chief"), []string{"request_decided_for_you"})
	t.equal(t.told("mayor"), []string{"request_circulated"})
	t.clock.Add(time.Millisecond)
	t.refused(t.decide("second", &later, telework.Approve), access.NotApprover)
	for user, want := range map[string]int{"chief": 1, "mayor": 1, "second": 0, "worker": 0} {
		unread, _, err := t.s.Reviews(t.ctx, user)
		t.ok(err)
		t.equal(len(unread), want)
	}
	before := t.last().Number
	t.ok(t.s.ConfirmReviews(t.ctx, as("second"), []string{first.ID}))
	t.equal(t.last().Number, before)
	t.ok(t.s.ConfirmReviews(t.ctx, as("chief"), []string{first.ID, later.ID}))
	t.equal([]any{t.last().Kind, t.last().Details}, []any{audit.RequestsConfirmed, `{"requests":["` + first.ID + `"]}`})
	unread, _, err := t.s.Reviews(t.ctx, "chief")
	t.ok(err)
	t.equal(len(unread), 0)
	unread, _, err = t.s.Reviews(t.ctx, "mayor")
	t.ok(err)
	t.equal(len(unread), 1)

	a.From, a.Until = today.Add(1), today.Add(1)
	_, err = t.s.PutAbsence(t.ctx, as("worker"), false, a)
	t.fails(err, store.ErrNotAllowed)
	_, err = t.s.PutAbsence(t.ctx, as("third"), false, a)
	t.ok(err)
	t.equal(t.told("chief"), []string{"absence_changed", "request_decided_for_you"})
	t.ok(t.decide("second", &later, telework.Approve))
	t.fails(t.s.DeleteAbsence(t.ctx, as("other"), false, a.ID), store.ErrNotAllowed)
	all, err := t.s.Absences(t.ctx, "second")
	t.ok(err)
	t.equal(all, []store.Absence{a})
	all, err = t.s.Absences(t.ctx, "worker")
	t.ok(err)
	t.equal(len(all), 0)
	t.ok(t.s.DeleteAbsence(t.ctx, Admin, true, a.ID))
	t.fails(t.s.DeleteAbsence(t.ctx, Admin, true, a.ID), store.ErrNotFound)
	t.equal(t.told("chief"), []string{"absence_changed", "absence_deleted", "request_decided_for_you", "request_decided_for_you"})
	_, err = t.s.PutAbsence(t.ctx, as("chief"), false, store.Absence{User: "chief", From: today, Until: today.Add(-1)})
	t.fails(err, store.ErrInvalid)

	// Everybody's calls read them: a user has few that last.
	for i := range 24 {
		_, err = t.s.PutAbsence(t.ctx, as("worker"), false, store.Absence{User: "worker", From: today.Add(30 + i), Until: today.Add(30 + i)})
		t.ok(err)
	}
	var no *telework.Refusal
	_, err = t.s.PutAbsence(t.ctx, as("worker"), false, store.Absence{User: "worker", From: today.Add(9), Until: today.Add(9)})
	if !errors.As(err, &no) || no.Problems[0].Code != access.TooManyAtOnce {
		t.Errorf("one more: %v", err)
	}
}

// absencesByOthers: whoever stands in for the absent can neither do so nor end it without that the absent is told, with the
// days, and without that the log says of whom and what was before; and an absence stays its user's.
func absencesByOthers(t *suite) {
	t.people()
	far := today.Add(300)
	a, err := t.s.PutAbsence(t.ctx, as("second"), false, store.Absence{User: "chief", From: far, Until: far})
	t.ok(err)
	id := a.ID
	a.From, a.Until = today, today.Add(1)
	_, err = t.s.PutAbsence(t.ctx, as("second"), false, a)
	t.ok(err)
	t.equal([]any{t.last().Subject, t.last().Details}, []any{"user:chief", `{"absence":"` + id + `","changed":true,"former_from":"` + far.String() +
		`","former_until":"` + far.String() + `","from":"` + today.String() + `","until":"` + today.Add(1).String() + `"}`})
	before := t.last().Number
	a.User = "second"
	_, err = t.s.PutAbsence(t.ctx, as("second"), false, a)
	t.fails(err, store.ErrInvalid)
	t.equal(t.last().Number, before)
	b, err := t.s.PutAbsence(t.ctx, as("second"), false, store.Absence{User: "chief", From: today.Add(2), Until: today.Add(2)})
	t.ok(err)
	b.User, b.Until = "", today.Add(3)
	b, err = t.s.PutAbsence(t.ctx, as("chief"), false, b)
	t.ok(err)
	t.equal(b.User, "chief")
	t.ok(t.s.DeleteAbsence(t.ctx, as("second"), false, id))
	t.equal([]any{t.last().Subject, t.last().Details}, []any{"user:chief", `{"absence":"` + id + `","from":"` + today.String() + `","until":"` +
		today.Add(1).String() + `"}`})
	notices, _, err := t.s.Notices(t.ctx, "chief", store.Page{})
	t.ok(err)
	told := map[string]bool{}
	for _, n := range notices {
		told[strings.Join([]string{n.Kind, n.Args["was"], n.Args["was_until"], n.Args["date"], n.Args["until"]}, " ")] = true
	}
	days := func(from, until calendar.Date) string { return from.String() + " " + until.String() }
	t.equal(told, map[string]bool{
		"absence_entered   " + days(far, far):                                 true,
		"absence_changed " + days(far, far) + " " + days(today, today.Add(1)): true,
		"absence_entered   " + days(today.Add(2), today.Add(2)):               true,
		"absence_deleted   " + days(today, today.Add(1)):                      true,
	})
}

// absenceActsOfADay: nobody moves the head of the log by absences all day long, and none is one more by being changed.
func absenceActsOfADay(t *suite) {
	t.people()
	yesterday := today.Add(-1)
	for i := range 24 {
		t.absent("worker", today.Add(30+i), today.Add(30+i))
	}
	past := t.absent("worker", yesterday, yesterday)
	past.From, past.Until = today, today
	_, err := t.s.PutAbsence(t.ctx, as("worker"), false, past)
	t.refused(err, access.TooManyAtOnce)
	past.From, past.Until = yesterday, yesterday
	for range 100 - 25 {
		_, err = t.s.PutAbsence(t.ctx, as("worker"), false, past)
		t.ok(err)
	}
	_, err = t.s.PutAbsence(t.ctx, as("worker"), false, past)
	t.refused(err, access.TooManyAtOnce)
	t.refused(t.s.DeleteAbsence(t.ctx, as("worker"), false, past.ID), access.TooManyAtOnce)
	t.absent("other", today, today)
	t.clock.Add(24 * time.Hour)
	t.ok(t.s.DeleteAbsence(t.ctx, as("worker"), false, past.ID))
}

func orders(t *suite) {
	t.people()
	night := telework.Draft{Place: access.Home, Days: []telework.Day{{Date: today, Unit: telework.Minutes, From: 22 * 60, Until: 26 * 60}}}
	_, err := t.s.OrderTelework(t.ctx, as("chief"), telework.OvertimeOrder, []string{"worker", "mayor"}, night)
	t.refused(err, access.NotYours) // none of them
	_, err = t.s.OrderTelework(t.ctx, as("chief"), telework.OvertimeOrder, []string{"worker", "worker"}, night)
	t.fails(err, store.ErrInvalid)
	covers, err := t.s.Covers(t.ctx, "worker", today.At(0), today.At(3000))
	t.ok(err)
	t.equal(len(covers), 0)
	given, err := t.s.OrderTelework(t.ctx, as("chief"), telework.OvertimeOrder, []string{"worker", "other"}, night)
	t.ok(err)
	t.equal([]any{len(given), given[0].State, t.last().Kind}, []any{2, telework.Approved, audit.OrderGiven})
	t.equal(t.told("other"), []string{"order_given"})
	covers, err = t.s.Covers(t.ctx, "worker", today.At(25*60), today.At(25*60+1)) // one in the morning
	t.ok(err)
	t.equal([]any{len(covers), covers[0].Kind, covers[0].Until.Equal(today.Add(1).At(120))}, []any{1, telework.OvertimeOrder, true})
	var again *telework.Refusal
	_, err = t.s.OrderTelework(t.ctx, as("chief"), telework.OvertimeOrder, []string{"other"}, night)
	if !errors.As(err, &again) || again.Problems[0].Code != access.RequestOverlaps {
		t.Errorf("the same order again: %v", err)
	}
	_, err = t.s.OrderTelework(t.ctx, as("chief"), telework.TeleworkOrder, []string{"worker"}, wish(calendar.Date{Year: 2026, Month: 11, Day: 28}))
	t.refused(err, access.RequestDayOff)
	t.refused(cancel(t, "worker", &given[0]), access.NotYours)
	t.ok(cancel(t, "chief", &given[0]))
	t.equal(t.told("worker"), []string{"order_given", "request_cancelled"})
}

func routes(t *suite) {
	t.people()
	two := []telework.RouteStep{{Section: "kikaku"}, {Section: "cho"}}
	t.ok(t.s.PutRoute(t.ctx, Admin, "kikaku", two))
	t.equal(t.last().Details, `{"steps":["kikaku","cho"]}`)
	r := t.submit("worker", today.Add(1))
	t.ok(t.s.PutRoute(t.ctx, Admin, "kikaku", nil)) // what is on its way keeps its route
	t.ok(t.decide("chief", &r, telework.Approve))
	t.equal([]any{r.State, t.last().Kind, t.told("mayor")}, []any{telework.Pending, audit.RequestPassed, []string{"request_submitted"}})
	t.ok(t.decide("mayor", &r, telework.Refuse))
	t.equal([]any{r.State, t.told("worker")}, []any{telework.Refused, []string{"request_refused"}})
	t.fails(t.s.PutRoute(t.ctx, Admin, "kikaku", []telework.RouteStep{{Section: "cho", Circulate: true}}), store.ErrInvalid)
	t.fails(t.s.PutRoute(t.ctx, Admin, "kikaku", []telework.RouteStep{{Section: "none"}}), store.ErrInUse)
	t.fails(t.s.PutRoute(t.ctx, Admin, "none", two), store.ErrNotFound)
	t.ok(t.s.PutRoute(t.ctx, Admin, "zeimu", two))
	t.fails(t.s.DeleteSection(t.ctx, Admin, "kikaku"), store.ErrInUse)
	all, err := t.s.Routes(t.ctx)
	t.ok(err)
	t.equal(all, map[string][]telework.RouteStep{"zeimu": two})
}

// requestLists: pages of one's own, and what lies between two days, over the end of a month and of the year.
func requestLists(t *suite) {
	t.people()
	days := []string{"2026-11-30", "2026-12-01", "2026-12-28", "2027-01-04", "2027-03-31", "2027-04-01"}
	var made []string
	for _, d := range days {
		day, err := calendar.ParseDate(d)
		t.ok(err)
		made = append(made, t.submit("worker", day).ID)
		t.clock.Add(time.Second)
	}
	t.submit("other", today.Add(1), today.Add(14))
	first, next, err := t.s.RequestsOf(t.ctx, "worker", store.Page{Limit: 4})
	t.ok(err)
	t.equal(ids(first), []string{made[5], made[4], made[3], made[2]})
	rest, next, err := t.s.RequestsOf(t.ctx, "worker", store.Page{Limit: 4, After: next})
	t.ok(err)
	t.equal(ids(rest), []string{made[1], made[0]})
	t.equal(next, "")
	_, _, err = t.s.RequestsOf(t.ctx, "worker", store.Page{After: "x"})
	t.fails(err, store.ErrInvalid)
	for _, c := range []struct {
		from, until string
		want        []string
	}{
		{"2026-11-30", "2026-11-30", made[0:1]},
		{"2026-12-01", "2026-12-31", made[1:3]},
		{"2026-12-29", "2027-01-03", nil},
		{"2027-03-31", "2027-03-31", made[4:5]},
		{"2027-04-01", "2028-03-31", made[5:6]},
	} {
		from, err := calendar.ParseDate(c.from)
		t.ok(err)
		until, err := calendar.ParseDate(c.until)
		t.ok(err)
		got, err := t.s.RequestsBetween(t.ctx, "worker", from, until)
		t.ok(err)
		t.equal(ids(got), c.want)
	}
	everybody, err := t.s.RequestsBetween(t.ctx, "", today, today.Add(6))
	t.ok(err)
	t.equal(len(everybody), 2)
	for i := range everybody { // days beyond are not read
		t.equal(len(everybody[i].Draft.Days), 1)
	}
}

// authority follows posts, absences and the clerk's mark.
func authority(t *suite) {
	t.people()
	over := func(by, user string) bool {
		a, err := t.s.Heads(t.ctx, by)
		t.ok(err)
		return a.Over(user)
	}
	t.equal([]bool{over("chief", "worker"), over("mayor", "worker"), over("second", "worker"), over("worker", "chief")}, []bool{true, true, false, false})
	t.absent("chief", today, today)
	t.equal([]bool{over("second", "worker"), over("second", "chief"), over("third", "worker")}, []bool{true, false, false})
	a, err := t.s.Heads(t.ctx, "clerk")
	t.ok(err)
	t.equal([]any{a.ClerkOf("worker"), a.ClerkOf("tanaka"), a.Over("worker")}, []any{true, false, false})
	_, err = t.s.SetUserDisabled(t.ctx, Admin, "second", true)
	t.ok(err)
	t.equal(over("third", "worker"), true)
}
