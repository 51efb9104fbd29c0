package telework

import (
	"slices"
	"strings"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/calendar"
)

// act is what moves a request from one state to another.
type act uint8

const (
	submits act = iota
	orders
	passes // approves a step that others follow
	approves
	returns
	refuses
	withdraws
	cancels
)

// moves are all that there are. State 0 is before the request.
var moves = map[State]map[act]State{
	0:        {submits: Pending, orders: Approved},
	Pending:  {submits: Pending, passes: Pending, approves: Approved, returns: Returned, refuses: Refused, withdraws: Withdrawn},
	Returned: {submits: Pending, withdraws: Withdrawn},
	Approved: {cancels: Cancelled},
}

// move brings the request to its next state and notes it, or refuses with request_decided.
func (r *Request) move(a act, c Change) error {
	to, ok := moves[r.State][a]
	if !ok {
		return refuse(access.RequestDecided)
	}
	r.State = to
	c.State, c.Revision = to, r.Revision
	r.History = append(r.History, c)
	return nil
}

// maxRevisions is how often a request may be submitted: each submission tells the approvers.
const maxRevisions = 100

// Submit sends a draft to the first step of its route, again if it was submitted before. By is the user, or somebody
// who may apply for the user. The limits of policy are the caller's to check.
func (r *Request) Submit(o *Organisation, by string, d Draft, now time.Time) error {
	if !o.MayApply(by, r.User) {
		return refuse(access.NotYours)
	}
	steps, err := o.Route(r.User)
	if err != nil {
		return err
	}
	if r.Revision >= maxRevisions {
		return refuse(access.TooManyAtOnce)
	}
	r.Revision++
	if err := r.move(submits, Change{AtMS: now.UnixMilli(), By: by}); err != nil {
		r.Revision--
		return err
	}
	r.Kind, r.By, r.Draft, r.Steps = Telework, by, d, steps
	r.stamp(o, now)
	return nil
}

func (r *Request) stamp(o *Organisation, now time.Time) {
	r.Section, r.SectionName = o.Main[r.User], o.Sections[o.Main[r.User]].Name
	r.SubmittedMS = now.UnixMilli()
	if r.CreatedMS == 0 {
		r.CreatedMS = r.SubmittedMS
	}
	first, _ := r.Draft.span()
	r.AfterFact = !now.Before(first)
}

// MayApply says whether somebody may enter requests for a user: the user, superiors and the section's clerk.
func (o *Organisation) MayApply(by, user string) bool {
	a := o.Authority(by)
	return (by == user && !o.Disabled[by]) || a.MayApplyFor(user)
}

// Order makes an order of a superior, which needs no approval: for days up to a month ago (request_after_fact) and a
// year ahead (request_too_far).
func (r *Request) Order(o *Organisation, kind Kind, by string, d Draft, now time.Time) error {
	if err := o.MayOrder(by, kind, []string{r.User}, &d, now); err != nil {
		return err
	}
	a := o.Authority(by)
	section, _ := a.Through(r.User)
	r.Revision = 1
	step := o.step(section, false)
	step.Answer, step.By, step.AtMS = Approve, by, now.UnixMilli()
	step.For = o.stoodInFor(section, by, is(""))
	if err := r.move(orders, Change{AtMS: step.AtMS, By: by, Step: 1, For: step.For}); err != nil {
		return err
	}
	r.Kind, r.By, r.Draft, r.Steps = kind, by, d, []Step{step}
	r.stamp(o, now)
	return nil
}

// MayOrder refuses an order to users of whom one is not theirs to order who gives it, or to days that are none of an order.
func (o *Organisation) MayOrder(by string, kind Kind, users []string, d *Draft, now time.Time) error {
	a := o.Authority(by)
	if (kind != TeleworkOrder && kind != OvertimeOrder) || slices.ContainsFunc(users, func(u string) bool { return !a.Over(u) }) {
		return refuse(access.NotYours)
	}
	for _, day := range d.Days {
		if code := dayOfOrder(day.Date, calendar.DateOf(now)); code != "" {
			return &Refusal{[]Problem{{Code: code, Date: day.Date, Forbids: true}}}
		}
	}
	return nil
}

// dayOfOrder: orders reach as far back and ahead as requests do.
func dayOfOrder(day, today calendar.Date) access.Code {
	switch {
	case day.Before(today.Add(-backDays)):
		return access.RequestAfterFact
	case today.Add(aheadDays).Before(day):
		return access.RequestTooFar
	}
	return ""
}

// stoodInFor is the absent head for whom somebody decides in a section; empty if it is the head, or there is none.
func (o *Organisation) stoodInFor(section, by string, leftOut func(string) bool) string {
	head := o.Sections[section].Head
	if head == "" || head == by || o.Disabled[head] || leftOut(head) {
		return ""
	}
	return head
}

// current is the step that waits, or nil.
func (r *Request) current() *Step {
	if r.State != Pending {
		return nil
	}
	for i := range r.Steps {
		if !r.Steps[i].Circulate && r.Steps[i].Answer == 0 {
			return &r.Steps[i]
		}
	}
	return nil
}

// Position of the step that waits, from 1; 0: none.
func (r *Request) Position() int {
	c := r.current()
	for i := range r.Steps {
		if c == &r.Steps[i] {
			return i + 1
		}
	}
	return 0
}

// notFor leaves out whoever must not decide this request in a section: its user, and who entered it unless that is the
// head.
func (r *Request) notFor(s Section) func(string) bool {
	return func(u string) bool { return u == r.User || (u == r.By && u != s.Head) }
}

// Approvers who may decide the step that waits: the head first, then who stands in now. Empty if none waits.
func (o *Organisation) Approvers(r *Request) []string {
	step := r.current()
	if step == nil {
		return nil
	}
	return o.standing(step.Section, r.notFor(o.Sections[step.Section]))
}

// StepApprovers is the same for a step of a route, whether it waits or not; for showing.
func (o *Organisation) StepApprovers(r *Request, s *Step) []string {
	return o.standing(s.Section, r.notFor(o.Sections[s.Section]))
}

// Called are those of the approvers who are to be told: who is present, else all.
func (o *Organisation) Called(approvers []string) []string {
	if n := len(approvers); n > 0 && !o.Absent[approvers[n-1]] {
		return approvers[n-1:]
	}
	return approvers
}

// Decision is an approver's answer to what the approver saw.
type Decision struct {
	By       string
	Answer   Answer
	Revision int
	Step     int // position that was seen; 0: whichever waits
	Comment  string
}

// Decide answers the step that waits. It refuses whoever may not (own_request, not_approver), an answer to what was
// changed since (stale) or decided (request_decided), and a return or refusal without a comment (comment_needed).
func (r *Request) Decide(o *Organisation, d Decision, now time.Time) error {
	step := r.current()
	switch {
	case d.By == r.User:
		return refuse(access.OwnRequest)
	case step == nil:
		return refuse(access.RequestDecided)
	case d.Revision != r.Revision, d.Step != 0 && d.Step != r.Position():
		return refuse(access.Stale)
	case !slices.Contains(o.Approvers(r), d.By):
		return refuse(access.NotApprover)
	case d.Answer < Approve || d.Answer > Refuse || !readable(d.Comment, maxText):
		return refuse(access.Invalid)
	case d.Answer != Approve && strings.TrimSpace(d.Comment) == "":
		return refuse(access.CommentNeeded)
	}
	decided := *step
	decided.Answer, decided.By, decided.AtMS, decided.Comment = d.Answer, d.By, now.UnixMilli(), d.Comment
	decided.For = o.stoodInFor(step.Section, d.By, r.notFor(o.Sections[step.Section]))
	c := Change{AtMS: decided.AtMS, By: d.By, Step: r.Position(), For: decided.For, Comment: d.Comment}
	if err := r.move(r.actOf(d.Answer), c); err != nil {
		return err
	}
	*step = decided
	return nil
}

func (r *Request) actOf(a Answer) act {
	switch a {
	case Return:
		return returns
	case Refuse:
		return refuses
	}
	left := 0
	for _, s := range r.Steps {
		if !s.Circulate && s.Answer == 0 {
			left++
		}
	}
	if left > 1 {
		return passes
	}
	return approves
}

// Withdraw is 取下げ before and 取消し after the approval: by the user or whoever may apply for the user; of orders, by
// superiors only. What is over (request_over) stays as it was.
func (r *Request) Withdraw(o *Organisation, by, comment string, now time.Time) error {
	if !o.mayWithdraw(r, by) {
		return refuse(access.NotYours)
	}
	if !readable(comment, maxText) {
		return refuse(access.Invalid)
	}
	a := withdraws
	if r.State == Approved {
		if r.over(now) {
			return refuse(access.RequestOver)
		}
		a = cancels
	}
	return r.move(a, Change{AtMS: now.UnixMilli(), By: by, Comment: comment})
}

func (o *Organisation) mayWithdraw(r *Request, by string) bool {
	if r.Kind != Telework {
		a := o.Authority(by)
		return a.Over(r.User)
	}
	return o.MayApply(by, r.User)
}

// over: its last day has ended.
func (r *Request) over(now time.Time) bool {
	_, until := r.Draft.span()
	return !now.Before(until)
}

// Supersede cancels an approved request because by approved another that replaces it. It says whether it did: what was
// cancelled meanwhile stays so.
func (r *Request) Supersede(by string, now time.Time) bool {
	return r.State == Approved && r.move(cancels, Change{AtMS: now.UnixMilli(), By: by}) == nil
}

// MayChange says whether somebody may submit the request again; of an approved one, a request that replaces it.
func (r *Request) MayChange(o *Organisation, by string, now time.Time) error {
	switch {
	case r.Kind != Telework, !o.MayApply(by, r.User):
		return refuse(access.NotYours)
	case r.State != Pending && r.State != Returned && r.State != Approved:
		return refuse(access.RequestDecided)
	case r.State == Approved && r.over(now):
		return refuse(access.RequestOver)
	}
	return nil
}

// Unread are the positions of steps that somebody has yet to confirm: decided in their absence (後閲), or to read
// (供覧).
func (r *Request) Unread(o *Organisation, user string) []int {
	var all []int
	for i := range r.Steps {
		s := &r.Steps[i]
		if s.SeenMS != 0 {
			continue
		}
		if (s.For != "" && s.For == user) || (s.Circulate && r.State == Approved && slices.Contains(o.standing(s.Section, is(r.User)), user)) {
			all = append(all, i+1)
		}
	}
	return all
}

// Confirm notes that somebody read what was unread, and says whether there was any.
func (r *Request) Confirm(o *Organisation, user string, now time.Time) bool {
	unread := r.Unread(o, user)
	for _, i := range unread {
		s := &r.Steps[i-1]
		s.SeenMS = now.UnixMilli()
		if s.Circulate {
			s.By = user
		}
	}
	return len(unread) > 0
}

// View is what somebody may see of a request and do with it now.
type View struct {
	Sees      bool
	Reasons   bool // why, where exactly, and what approvers wrote
	Decides   bool
	Changes   bool
	Withdraws bool
}

// View says what a user may see and do. Reasons are for the request's user and for approvers, of now or of the past.
// Others who see the request do so without: deputies and readers of its steps, superiors, the clerk, who entered it,
// administrators. Whoever may change or withdraw a request sees it.
func (o *Organisation) View(r *Request, user string, admin bool, now time.Time) View {
	if user == "" {
		return View{Sees: admin}
	}
	var v View
	v.Decides = user != r.User && slices.Contains(o.Approvers(r), user)
	v.Reasons = user == r.User || v.Decides || r.decidedBy(user)
	v.Sees = v.Reasons || admin || user == r.By || o.MayApply(user, r.User) || o.onRoute(r, user)
	v.Changes = r.MayChange(o, user, now) == nil
	trial := *r
	trial.History = slices.Clip(trial.History)
	v.Withdraws = trial.Withdraw(o, user, "", now) == nil
	return v
}

// Deciders are those who answered a step of the present revision.
func (r *Request) Deciders() []string {
	var all []string
	for _, s := range r.Steps {
		if s.Answer != 0 {
			all = append(all, s.By)
		}
	}
	return all
}

// decidedBy says whether somebody answered a step, in this revision or before, or was stood in for.
func (r *Request) decidedBy(user string) bool {
	return slices.ContainsFunc(r.History, func(c Change) bool {
		return c.Step > 0 && (c.By == user || c.For == user)
	})
}

// onRoute says whether somebody is head or deputy of a section on the route.
func (o *Organisation) onRoute(r *Request, user string) bool {
	return slices.ContainsFunc(r.Steps, func(s Step) bool {
		section := o.Sections[s.Section]
		return s.By == user || section.Head == user || slices.Contains(section.Deputies, user)
	})
}

// Without is the request without reasons: the one place where they are taken out.
func (r *Request) Without() Request {
	c := *r
	c.Draft.Reason, c.Draft.ReasonText, c.Draft.PlaceNote = 0, "", ""
	c.Steps, c.History = slices.Clone(r.Steps), slices.Clone(r.History)
	for i := range c.Steps {
		c.Steps[i].Comment = ""
	}
	for i := range c.History {
		c.History[i].Comment = ""
	}
	return c
}
