package telework_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/calendar"
	"jiseki/internal/telework"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var (
	tuesday = calendar.Date{Year: 2026, Month: time.November, Day: 24}
	morning = tuesday.At(9 * 60)
)

// draft asks for whole days of 8:30 to 17:15.
func draft(days ...calendar.Date) telework.Draft {
	d := telework.Draft{
		Place: access.Other, PlaceNote: "母の家", Reason: telework.ReasonCare, ReasonText: "母の介護", Work: "資料作成",
	}
	for _, day := range days {
		d.Days = append(d.Days, telework.Day{Date: day, Unit: telework.Full, From: 510, Until: 1035})
	}
	return d
}

func submitted(t testing.TB, o *telework.Organisation, user, by string) telework.Request {
	t.Helper()
	r := telework.Request{ID: "r1", User: user}
	if err := r.Submit(o, by, draft(tuesday.Add(1)), morning); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTwoStepsAndADeputy(t *testing.T) {
	o := routed(decides("ka"), decides("bu"), reads("town"))
	r := submitted(t, &o, "worker", "worker")
	answer := func(by string, a telework.Answer) error {
		return r.Decide(&o, telework.Decision{By: by, Answer: a, Revision: 1, Comment: "確認した"}, morning)
	}
	for by, code := range map[string]access.Code{
		"worker": access.OwnRequest, "director": access.NotApprover, "second": access.NotApprover, "clerk": access.NotApprover, "": access.NotApprover,
	} {
		if err := answer(by, telework.Approve); !telework.RefusedWith(err, code) {
			t.Errorf("%s decides: %v, want %s", by, err, code)
		}
	}
	o.Absent["chief"] = true
	if err := answer("second", telework.Approve); err != nil {
		t.Fatal(err)
	}
	if r.State != telework.Pending || r.Position() != 2 || r.Steps[0].For != "chief" || r.Steps[0].By != "second" {
		t.Fatalf("after the first step: %+v", r)
	}
	if err := answer("chief", telework.Approve); !telework.RefusedWith(err, access.NotApprover) {
		t.Errorf("the first step is decided again: %v", err)
	}
	if err := answer("director", telework.Approve); err != nil {
		t.Fatal(err)
	}
	if r.State != telework.Approved || r.Steps[1].For != "" {
		t.Fatalf("after the last step: %+v", r)
	}
	if got := r.Unread(&o, "chief"); !slices.Equal(got, []int{1}) {
		t.Errorf("後閲 of chief: %v", got)
	}
	if got := r.Unread(&o, "mayor"); !slices.Equal(got, []int{3}) {
		t.Errorf("供覧 of mayor: %v", got)
	}
	if !r.Confirm(&o, "chief", morning) || r.Confirm(&o, "chief", morning) || r.Confirm(&o, "director", morning) {
		t.Error("confirming once, and only by whom it is for")
	}
	if err := answer("director", telework.Approve); !telework.RefusedWith(err, access.RequestDecided) {
		t.Errorf("decided again: %v", err)
	}
}

func TestDecideRefuses(t *testing.T) {
	o := routed(decides("ka"), decides("bu"))
	good := telework.Decision{By: "chief", Answer: telework.Approve, Revision: 1, Step: 1}
	for name, c := range map[string]struct {
		change func(*telework.Decision)
		code   access.Code
	}{
		"older revision": {func(d *telework.Decision) { d.Revision = 0 }, access.Stale},
		"another step":   {func(d *telework.Decision) { d.Step = 2 }, access.Stale},
		"no answer":      {func(d *telework.Decision) { d.Answer = 0 }, access.Invalid},
		"unknown answer": {func(d *telework.Decision) { d.Answer = 4 }, access.Invalid},
		"return":         {func(d *telework.Decision) { d.Answer = telework.Return; d.Comment = " \n" }, access.CommentNeeded},
		"refusal":        {func(d *telework.Decision) { d.Answer = telework.Refuse }, access.CommentNeeded},
		"comment":        {func(d *telework.Decision) { d.Comment = "\x00" }, access.Invalid},
	} {
		r := submitted(t, &o, "worker", "worker")
		before := fmt.Sprint(r)
		d := good
		c.change(&d)
		if err := r.Decide(&o, d, morning); !telework.RefusedWith(err, c.code) {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
		if fmt.Sprint(r) != before {
			t.Errorf("%s: the request changed", name)
		}
	}
}

func TestReturnedAndAgain(t *testing.T) {
	o := routed(decides("ka"), decides("bu"))
	r := submitted(t, &o, "worker", "clerk")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(r.Decide(&o, telework.Decision{By: "chief", Answer: telework.Approve, Revision: 1}, morning))
	must(r.Decide(&o, telework.Decision{By: "director", Answer: telework.Return, Revision: 1, Comment: "日を変えて"}, morning))
	if r.State != telework.Returned || o.Approvers(&r) != nil {
		t.Fatalf("%+v", r)
	}
	must(r.Submit(&o, "worker", draft(tuesday.Add(2)), morning.Add(time.Hour)))
	if r.Revision != 2 || r.Position() != 1 || r.By != "worker" || r.State != telework.Pending {
		t.Fatalf("%+v", r)
	}
	if v := o.View(&r, "director", false, morning); !v.Reasons || v.Decides {
		t.Errorf("the approver of the past sees %+v", v)
	}
	must(r.Withdraw(&o, "worker", "", morning))
	if err := r.Submit(&o, "worker", draft(tuesday.Add(2)), morning); !telework.RefusedWith(err, access.RequestDecided) || r.Revision != 2 {
		t.Errorf("a withdrawn request is submitted: %v", err)
	}
}

func TestOrder(t *testing.T) {
	o := hall()
	for name, c := range map[string]struct {
		by, user string
		kind     telework.Kind
		ok       bool
	}{
		"superior":     {"chief", "worker", telework.OvertimeOrder, true},
		"colleague":    {"clerk", "worker", telework.TeleworkOrder, false},
		"oneself":      {"chief", "chief", telework.OvertimeOrder, false},
		"upwards":      {"chief", "director", telework.OvertimeOrder, false},
		"deputy":       {"second", "worker", telework.OvertimeOrder, false},
		"no order":     {"chief", "worker", telework.Telework, false},
		"for nobody":   {"chief", "stranger", telework.TeleworkOrder, false},
		"not anybody":  {"", "worker", telework.TeleworkOrder, false},
		"one's leader": {"mayor", "leader", telework.TeleworkOrder, true},
	} {
		r := telework.Request{ID: "o", User: c.user}
		err := r.Order(&o, c.kind, c.by, draft(tuesday), morning)
		if c.ok != (err == nil) || c.ok != (r.State == telework.Approved) {
			t.Errorf("%s: %v, state %d", name, err, r.State)
		}
	}
	o.Absent["chief"] = true
	r := telework.Request{ID: "o", User: "worker"}
	if err := r.Order(&o, telework.OvertimeOrder, "second", draft(tuesday), morning); err != nil {
		t.Fatal(err)
	}
	if got := r.Unread(&o, "chief"); r.Steps[0].For != "chief" || len(got) != 1 {
		t.Errorf("the absent head is passed over: %+v, %v", r.Steps, got)
	}
	if err := r.Withdraw(&o, "worker", "", morning); !telework.RefusedWith(err, access.NotYours) {
		t.Errorf("an order is withdrawn by whom it binds: %v", err)
	}
	if err := r.Withdraw(&o, "leader", "", morning); err != nil || r.State != telework.Cancelled {
		t.Errorf("a superior cancels an order: %v", err)
	}
}

func TestWithdraw(t *testing.T) {
	approved := func(o *telework.Organisation) telework.Request {
		r := submitted(t, o, "worker", "worker")
		if err := r.Decide(o, telework.Decision{By: "leader", Answer: telework.Approve, Revision: 1}, morning); err != nil {
			t.Fatal(err)
		}
		return r
	}
	o := hall()
	end := tuesday.Add(1).At(1035)
	for name, c := range map[string]struct {
		by   string
		at   time.Time
		code access.Code
	}{
		"user":            {"worker", morning, ""},
		"superior":        {"chief", morning, ""},
		"clerk":           {"clerk", morning, ""},
		"another":         {"secretary", morning, access.NotYours},
		"while it lasts":  {"worker", end.Add(-1), ""},
		"when it is over": {"worker", end, access.RequestOver},
	} {
		r := approved(&o)
		err := r.Withdraw(&o, c.by, "", c.at)
		if c.code == "" && (err != nil || r.State != telework.Cancelled) {
			t.Errorf("%s: %v", name, err)
		}
		if c.code != "" && !telework.RefusedWith(err, c.code) {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	r := approved(&o)
	if !r.Supersede("leader", morning) || r.Supersede("leader", morning) || r.State != telework.Cancelled {
		t.Errorf("superseded: %+v", r)
	}
}

// TestWhoSeesReasons: illness and care are for the user and the approvers, of now and of the past.
func TestWhoSeesReasons(t *testing.T) {
	o := routed(decides("kakari"), decides("ka"), reads("town"))
	o.Absent["leader"] = true
	kakari := o.Sections["kakari"]
	kakari.Deputies = []string{"clerk"}
	o.Sections["kakari"] = kakari
	r := submitted(t, &o, "worker", "worker")
	see := func(user string, admin bool) string {
		v := o.View(&r, user, admin, morning)
		switch {
		case v.Reasons:
			return "reasons"
		case v.Sees:
			return "sees"
		}
		return ""
	}
	check := func(when string, want map[string]string) {
		t.Helper()
		for user, w := range want {
			if got := see(user, false); got != w {
				t.Errorf("%s: %s has %q, want %q", when, user, got, w)
			}
		}
	}
	check("first step", map[string]string{
		"worker": "reasons", "leader": "reasons", "clerk": "reasons", "chief": "sees", "second": "sees", "director": "sees", "mayor": "sees",
		"secretary": "", "vice": "", "": "",
	})
	if see("secretary", true) != "sees" {
		t.Error("an administrator sees another thing than the request without reasons")
	}
	if err := r.Decide(&o, telework.Decision{By: "clerk", Answer: telework.Approve, Revision: 1, Comment: "お大事に"}, morning); err != nil {
		t.Fatal(err)
	}
	check("second step", map[string]string{"clerk": "reasons", "leader": "reasons", "chief": "reasons", "second": "sees", "mayor": "sees"})
	if err := r.Decide(&o, telework.Decision{By: "chief", Answer: telework.Approve, Revision: 1}, morning); err != nil {
		t.Fatal(err)
	}
	check("approved", map[string]string{
		"worker": "reasons", "clerk": "reasons", "leader": "reasons", "chief": "reasons", "second": "sees", "mayor": "sees", "director": "sees",
	})
	w := r.Without()
	if text := fmt.Sprintf("%+v", w); w.Draft.Reason != 0 || contains(text, "介護", "母の家", "お大事に") || !contains(text, "資料作成") {
		t.Errorf("without reasons: %s", text)
	}
	if r.Draft.ReasonText == "" || r.Steps[0].Comment == "" || r.History[1].Comment == "" {
		t.Error("taking the reasons out of a copy took them out of the request")
	}
}

func contains(text string, words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool {
		for i := range text {
			if len(text)-i >= len(w) && text[i:i+len(w)] == w {
				return true
			}
		}
		return false
	})
}

// TestLifeOfARequest lets random people do random things to a request in a random organisation, and looks at what must
// always hold.
func TestLifeOfARequest(t *testing.T) {
	approvals := 0
	rapid.Check(t, func(t *rapid.T) {
		o := drawOrganisation(t)
		people := []string{"a", "b", "c", "d", "e", "f"}
		who := rapid.SampledFrom(people)
		r := telework.Request{ID: "r", User: who.Draw(t, "user")}
		for step := range rapid.IntRange(1, 25).Draw(t, "steps") {
			before, held := r, len(r.History)
			before.Steps = slices.Clone(r.Steps)
			by := who.Draw(t, "by")
			var err error
			switch rapid.IntRange(0, 9).Draw(t, "act") {
			case 0, 1:
				err = r.Submit(&o, by, draft(tuesday.Add(1)), morning)
			case 2:
				err = r.Withdraw(&o, by, "", morning)
			case 3: // somebody comes or goes
				u := who.Draw(t, "who")
				o.Absent[u] = !o.Absent[u]
			case 4:
				u := who.Draw(t, "who")
				o.Disabled[u] = !o.Disabled[u]
			default:
				err = r.Decide(&o, telework.Decision{
					By: by, Answer: telework.Answer(rapid.IntRange(1, 3).Draw(t, "answer")), Revision: r.Revision, Comment: "x",
				}, morning)
			}
			if err != nil {
				var no *telework.Refusal
				if !errors.As(err, &no) || len(no.Problems) == 0 {
					t.Fatalf("step %d: %v is no refusal", step, err)
				}
				if d := cmp.Diff(before, r); d != "" {
					t.Fatalf("step %d: refused, and changed\n%s", step, d)
				}
				continue
			}
			holdsTogether(t, &o, &before, &r, held)
		}
		if r.State == telework.Approved {
			approvals++
		}
	})
	if approvals == 0 {
		t.Error("no request was ever approved: the property says nothing")
	}
}

func holdsTogether(t *rapid.T, o *telework.Organisation, before, r *telework.Request, held int) {
	if slices.Contains([]telework.State{telework.Refused, telework.Withdrawn, telework.Cancelled}, before.State) && r.State != before.State {
		t.Fatalf("state %d became %d", before.State, r.State)
	}
	if before.State == telework.Approved && r.State != telework.Approved && r.State != telework.Cancelled {
		t.Fatalf("an approved request became %d", r.State)
	}
	type answered struct{ revision, step int }
	times := map[answered]int{}
	for i, c := range r.History {
		if c.Step == 0 {
			continue
		}
		times[answered{c.Revision, c.Step}]++
		if times[answered{c.Revision, c.Step}] > 1 {
			t.Fatalf("step %d of revision %d was decided twice", c.Step, c.Revision)
		}
		if c.By == r.User {
			t.Fatalf("%s decided an own request", c.By)
		}
		if i >= held && c.By == before.By && c.By != o.Sections[before.Steps[c.Step-1].Section].Head {
			t.Fatalf("%s, no head, decided what %s entered", c.By, c.By)
		}
	}
	if r.State == telework.Approved {
		for i, s := range r.Steps {
			if !s.Circulate && (s.Answer != telework.Approve || s.By == "" || times[answered{r.Revision, i + 1}] != 1) {
				t.Fatalf("approved without step %d: %+v", i+1, s)
			}
		}
	}
	if r.State == telework.Pending && r.Position() == 0 {
		t.Fatal("it waits for nobody's step")
	}
	if slices.Contains(o.Approvers(r), r.User) {
		t.Fatal("the user may decide")
	}
}

// drawOrganisation makes a tree of four sections with heads, deputies and perhaps routes.
func drawOrganisation(t *rapid.T) telework.Organisation {
	person := rapid.SampledFrom([]string{"", "a", "b", "c", "d", "e", "f"})
	ids := []string{"s0", "s1", "s2", "s3"}
	o := telework.Organisation{
		Sections: map[string]telework.Section{}, Absent: map[string]bool{}, Disabled: map[string]bool{}, Main: map[string]string{},
		Clerks: map[string]bool{}, Names: map[string]string{}, Others: map[string][]string{},
	}
	for i, id := range ids {
		s := telework.Section{ID: id, Name: id, Head: person.Draw(t, "head"), Deputies: rapid.SliceOfN(person, 0, 3).Draw(t, "deputies")}
		if i > 0 {
			s.Parent = ids[rapid.IntRange(0, i-1).Draw(t, "parent")]
		}
		for _, j := range rapid.SliceOfNDistinct(rapid.IntRange(0, 3), 0, 3, rapid.ID[int]).Draw(t, "route") {
			s.Route = append(s.Route, telework.RouteStep{Section: ids[j]})
		}
		o.Sections[id] = s
	}
	for _, u := range []string{"a", "b", "c", "d", "e", "f"} {
		o.Main[u] = rapid.SampledFrom(ids).Draw(t, "main")
		o.Clerks[u] = rapid.Bool().Draw(t, "clerk")
	}
	return o
}
