package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/audit"
	"jiseki/internal/calendar"
	"jiseki/internal/grant"
	"jiseki/internal/mail"
	"jiseki/internal/telework"
)

// user is the id of the user who acts, or empty.
func (b By) user() string {
	id, ok := strings.CutPrefix(b.Actor, "user:")
	if !ok {
		return ""
	}
	return id
}

func (t *tx) today() calendar.Date { return calendar.DateOf(t.time()) }

// Submission is a draft that somebody sends.
type Submission struct {
	// User it is for; empty: that of the request that it changes, or who sends it.
	User  string
	Draft telework.Draft
	// Request that it changes, at this Revision; empty: none.
	Request  string
	Revision int
}

// RequestCheck is what would become of a submission.
type RequestCheck struct {
	User     string         // it is for
	Draft    telework.Draft // with hours filled in
	Problems []telework.Problem
	Route    []telework.Step // empty if there is nobody to decide
	Rules    telework.Rules
	Chart    telework.Organisation

	former *telework.Request // that it changes
}

// CheckRequest says what would become of a submission. It changes nothing. A draft that cannot be meant is
// telework.ErrDraft; a submission that is not this user's to make a telework.Refusal.
func (s *Store) CheckRequest(ctx context.Context, by By, in Submission) (RequestCheck, error) {
	return checkRequest(ctx, s.read, s.Now(), by, in)
}

func checkRequest(ctx context.Context, q querier, now time.Time, by By, in Submission) (c RequestCheck, err error) {
	if c.Chart, err = readChart(ctx, q, calendar.DateOf(now)); err != nil {
		return c, err
	}
	if err := c.begin(ctx, q, now, by, &in); err != nil {
		return c, err
	}
	if c.Rules, err = readRules(ctx, q, c.User); err != nil {
		return c, err
	}
	c.Draft = in.Draft
	c.Draft.Days = append([]telework.Day{}, in.Draft.Days...)
	if err := c.Draft.Check(telework.Telework); err != nil {
		return c, err
	}
	c.Draft.Fill(c.Rules.Timetable.On)
	if err := c.limits(ctx, q, now); err != nil {
		return c, err
	}
	route, err := c.Chart.Route(c.User)
	if telework.RefusedWith(err, access.NoApprover) {
		c.Problems = append(c.Problems, telework.Problem{Code: access.NoApprover, Forbids: true})
	}
	c.Route = route
	return c, nil
}

// begin finds out whom the submission is for, what it changes, and whether it may.
func (c *RequestCheck) begin(ctx context.Context, q querier, now time.Time, by By, in *Submission) error {
	c.User = in.User
	if in.Request != "" {
		former, err := readRequest(ctx, q, in.Request)
		if err != nil {
			return err
		}
		if in.User != "" && in.User != former.User {
			return fmt.Errorf("%w: another user's request", ErrInvalid)
		}
		if err := former.MayChange(&c.Chart, by.user(), now); err != nil {
			return err
		}
		c.former, c.User = &former, former.User
	}
	if c.User == "" {
		c.User = by.user()
	}
	if !c.Chart.MayApply(by.user(), c.User) {
		return ErrNotAllowed
	}
	return nil
}

// limits asks the rules, with the days of the user's other requests.
func (c *RequestCheck) limits(ctx context.Context, q querier, now time.Time) error {
	first, last := c.Draft.Days[0].Date, c.Draft.Days[len(c.Draft.Days)-1].Date
	var former []telework.Day
	var but []string
	if c.former != nil {
		former, but = c.former.Draft.Days, []string{c.former.ID, c.former.Replaces}
	}
	others, err := taken(ctx, q, c.User, first.Monday(), last.Monday().Add(6), but...)
	if err != nil {
		return err
	}
	c.Problems = c.Rules.Check(&c.Draft, now, former, others)
	return nil
}

// readRules reads what policy and calendar say of a user's requests: the strictest of what holds in the zones of the
// user's desks.
func readRules(ctx context.Context, q querier, user string) (telework.Rules, error) {
	none := telework.Rules{}
	o, err := get(ctx, q, scanOrganisation, selectOrganisation)
	if err != nil {
		return none, err
	}
	standing, err := readStanding(ctx, q, user)
	if err != nil {
		return none, err
	}
	zones, err := list(ctx, q, scanOne[grant.Zone],
		`SELECT DISTINCT k.zone FROM desks k JOIN desk_users u ON u.desk_id = k.id WHERE u.user_id = $1 AND k.deleted_ms = 0 ORDER BY k.zone`, user)
	if err != nil {
		return none, err
	}
	if len(zones) == 0 {
		zones = []grant.Zone{0}
	}
	var policies []access.Policy
	for _, z := range zones {
		policies = append(policies, o.Settings.Resolve(standing.Subject(z)))
	}
	days, err := readCalendar(ctx, q)
	if err != nil {
		return none, err
	}
	own, err := hoursOf(ctx, q, user)
	timetable := calendar.Timetable{Days: days, Usual: o.Settings.Policy.Hours, Own: own}
	return telework.RulesOf(policies, o.Settings.Emergency, standing.RegisteredUntil, timetable), err
}

// SubmitRequest sends a draft to the first step of its route: as a new request; again, if it changes one that waits or
// was returned; as a new one that replaces it, if it changes an approved one. It refuses what policy forbids
// (telework.Refusal) and what was changed since the revision that it names (ErrStale).
func (s *Store) SubmitRequest(ctx context.Context, by By, in Submission) (r telework.Request, err error) {
	err = s.act(ctx, func(t *tx) error {
		c, err := checkRequest(ctx, t, t.time(), by, in)
		if err != nil {
			return err
		}
		if err := telework.Forbidden(c.Problems); err != nil {
			return err
		}
		if r, err = t.begun(by, &c, in.Revision); err != nil {
			return err
		}
		kept := len(r.History)
		if err := r.Submit(&c.Chart, by.user(), c.Draft, t.time()); err != nil {
			return err
		}
		if err := t.saveRequest(&r, kept); err != nil {
			return err
		}
		if err := t.tellApprovers(&c.Chart, &r); err != nil {
			return err
		}
		if by.user() != r.User {
			if err := t.tell(&c.Chart, &r, "request_entered", by.user(), r.User); err != nil {
				return err
			}
		}
		return t.recordRequest(by, audit.RequestSubmitted, &r, nil)
	})
	return r, err
}

// begun is the request that a submission goes on with: the one it changes, or a new one.
func (t *tx) begun(by By, c *RequestCheck, revision int) (telework.Request, error) {
	fresh := telework.Request{ID: newID(), User: c.User}
	if c.former == nil {
		return fresh, t.refuseFlood(by, c.User)
	}
	if c.former.Revision != revision {
		return fresh, ErrStale
	}
	if c.former.State != telework.Approved {
		return *c.former, nil
	}
	var waiting int64
	err := t.one(`SELECT COUNT(*) FROM requests WHERE replaces = $1 AND state IN (1, 3)`, []any{c.former.ID}, &waiting)
	if err != nil {
		return fresh, err
	}
	if waiting > 0 {
		return fresh, ErrStale // somebody changes it already
	}
	fresh.Replaces = c.former.ID
	return fresh, t.refuseFlood(by, c.User)
}

const (
	// maxRequests is how many requests somebody may begin for a user in a day: each tells the approvers.
	maxRequests = 100
	// maxWaiting is how many somebody may have waiting or returned for a user: calendars show them all.
	maxWaiting = 50
	// maxOpen is how many somebody may have waiting or returned for all users: the board of a day shows them all.
	maxOpen = 500
)

// aDay is the time in which requests and orders are counted, in milliseconds.
const aDay = 24 * 60 * 60 * 1000

// refuseFlood refuses one more request than anybody means (too_many_at_once).
func (t *tx) refuseFlood(by By, user string) error {
	var begun, own, open int
	err := t.one(`SELECT COUNT(*) FROM requests WHERE user_id = $1 AND by_user_id = $2 AND created_ms > $3 AND created_ms <= $4 AND kind = 1`,
		[]any{user, by.user(), t.now - aDay, t.now}, &begun)
	if err != nil {
		return err
	}
	err = t.one(`SELECT COUNT(CASE WHEN user_id = $2 THEN 1 END), COUNT(*) FROM requests WHERE by_user_id = $1 AND state IN (1, 3)`,
		[]any{by.user(), user}, &own, &open)
	if err == nil && (begun >= maxRequests || own >= maxWaiting || open >= maxOpen) {
		err = tooMany()
	}
	return err
}

func tooMany() error {
	return &telework.Refusal{Problems: []telework.Problem{{Code: access.TooManyAtOnce, Forbids: true}}}
}

// DecideRequest answers the step that waits. The right to do so is looked up in the same transaction; of two answers at
// the same time one counts.
func (s *Store) DecideRequest(ctx context.Context, by By, id string, d telework.Decision) (r telework.Request, err error) {
	d.By = by.user()
	err = s.act(ctx, func(t *tx) error {
		chart, err := readChart(ctx, t, t.today())
		if err != nil {
			return err
		}
		if r, err = readRequest(ctx, t, id); err != nil {
			return err
		}
		kept := len(r.History)
		if err := r.Decide(&chart, d, t.time()); err != nil {
			return err
		}
		if err := t.saveRequest(&r, kept); err != nil {
			return err
		}
		c := r.History[len(r.History)-1]
		if err := t.recordRequest(by, kindOfChange(&c), &r, audit.Details{"step": c.Step, "for": c.For}); err != nil {
			return err
		}
		if r.State == telework.Approved && r.Replaces != "" {
			if err := t.supersede(by, &r); err != nil {
				return err
			}
		}
		return t.tellDecision(&chart, &r, &c)
	})
	return r, err
}

func kindOfChange(c *telework.Change) audit.Kind {
	switch c.State {
	case telework.Approved:
		return audit.RequestApproved
	case telework.Returned:
		return audit.RequestReturned
	case telework.Refused:
		return audit.RequestRefused
	}
	return audit.RequestPassed
}

// supersede cancels the request that an approved one replaces.
func (t *tx) supersede(by By, r *telework.Request) error {
	old, err := readRequest(t.ctx, t, r.Replaces)
	if err != nil {
		return err
	}
	kept := len(old.History)
	if !old.Supersede(by.user(), t.time()) {
		return nil
	}
	if err := t.saveRequest(&old, kept); err != nil {
		return err
	}
	return t.recordRequest(by, audit.RequestCancelled, &old, audit.Details{"replaced_by": r.ID})
}

// WithdrawRequest is 取下げ before, 取消し after the approval. The event of a cancelled approval lets the sessions that
// stood on it be looked at again.
func (s *Store) WithdrawRequest(ctx context.Context, by By, id, comment string) (r telework.Request, err error) {
	err = s.act(ctx, func(t *tx) error {
		chart, err := readChart(ctx, t, t.today())
		if err != nil {
			return err
		}
		if r, err = readRequest(ctx, t, id); err != nil {
			return err
		}
		kept, waiting := len(r.History), chart.Called(chart.Approvers(&r))
		if err := r.Withdraw(&chart, by.user(), comment, t.time()); err != nil {
			return err
		}
		if err := t.saveRequest(&r, kept); err != nil {
			return err
		}
		kind, notice, told := audit.RequestWithdrawn, "request_withdrawn", waiting
		if r.State == telework.Cancelled {
			kind, notice, told = audit.RequestCancelled, "request_cancelled", r.Deciders()
		}
		if by.user() != r.User {
			told = append(told, r.User)
		}
		if err := t.tell(&chart, &r, notice, by.user(), told...); err != nil {
			return err
		}
		return t.recordRequest(by, kind, &r, nil)
	})
	return r, err
}

// ConfirmReviews notes that a user read decisions made in the user's absence, or what was circulated to the user.
// Requests in which nothing is unread are passed over: who has nothing to confirm keeps nobody from writing. At most
// maxIn ids.
func (s *Store) ConfirmReviews(ctx context.Context, by By, ids []string) error {
	asked := slices.Compact(slices.Sorted(slices.Values(ids)))
	if len(asked) > maxIn {
		return fmt.Errorf("%w: %d requests at once", ErrInvalid, len(asked))
	}
	ids = nil
	_, _, err := s.reviews(ctx, by.user(), func(r *telework.Request) bool {
		if slices.Contains(asked, r.ID) {
			ids = append(ids, r.ID)
		}
		return false
	})
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		return nil
	}
	return s.act(ctx, func(t *tx) error {
		chart, err := readChart(ctx, t, t.today())
		if err != nil {
			return err
		}
		found, err := readRequests(ctx, t, ids...)
		if err != nil {
			return err
		}
		var confirmed []string
		for i := range found {
			if r := &found[i]; r.Confirm(&chart, by.user(), t.time()) {
				t.putSteps(r)
				confirmed = append(confirmed, r.ID)
			}
		}
		if len(confirmed) == 0 {
			return errUnchanged
		}
		if err := t.clearSteps(confirmed...); err != nil {
			return err
		}
		return t.record(by.entry(audit.RequestsConfirmed, "", audit.Details{"requests": confirmed}))
	})
}

// recordRequest records an event of a request. Reasons and comments stay out of it.
func (t *tx) recordRequest(by By, kind audit.Kind, r *telework.Request, d audit.Details) error {
	if d == nil {
		d = audit.Details{}
	}
	if d["for"] == "" {
		delete(d, "for")
	}
	days := r.Draft.Days
	d["user"], d["revision"], d["after_fact"] = r.User, r.Revision, r.AfterFact
	d["days"], d["first"], d["last"] = len(days), days[0].Date.String(), days[len(days)-1].Date.String()
	return t.record(by.entry(kind, "request:"+r.ID, d))
}

// tell gives users a notice about a request. Reasons stay out of it.
func (t *tx) tell(chart *telework.Organisation, r *telework.Request, kind, by string, users ...string) error {
	days := r.Draft.Days
	all := map[string]string{
		"name": chart.Names[r.User], "by": chart.Names[by], "date": days[0].Date.String(), "more": strconv.Itoa(len(days) - 1),
		"order": orderName(r.Kind),
	}
	seen := map[string]bool{by: true} // nobody is told what they did themselves
	for _, user := range users {
		if user == "" || seen[user] {
			continue
		}
		seen[user] = true
		args := map[string]string{}
		for _, name := range mail.Args(kind) {
			args[name] = all[name]
		}
		if err := t.notify(mail.Notice{User: user, Kind: kind, Args: args, Path: requestPath(r, kind, user)}); err != nil {
			return err
		}
	}
	return nil
}

// requestPath is the page on which somebody goes on: approvers and readers in their inbox, the user and who entered it
// among requests.
func requestPath(r *telework.Request, kind, user string) string {
	office := kind == "request_submitted" || kind == "request_decided_for_you" || kind == "request_circulated" || kind == "request_withdrawn"
	if office || (user != r.User && user != r.By) {
		return "/inbox/" + r.ID
	}
	return "/requests/" + r.ID
}

func (t *tx) tellApprovers(chart *telework.Organisation, r *telework.Request) error {
	return t.tell(chart, r, "request_submitted", r.By, chart.Called(chart.Approvers(r))...)
}

// tellDecision tells the user, whoever is next, the absent head, and those to whom an approved request is circulated.
func (t *tx) tellDecision(chart *telework.Organisation, r *telework.Request, c *telework.Change) error {
	if c.For != "" {
		if err := t.tell(chart, r, "request_decided_for_you", c.By, c.For); err != nil {
			return err
		}
	}
	switch c.State {
	case telework.Pending:
		return t.tell(chart, r, "request_submitted", c.By, chart.Called(chart.Approvers(r))...)
	case telework.Returned:
		return t.tell(chart, r, "request_returned", c.By, r.User, r.By)
	case telework.Refused:
		return t.tell(chart, r, "request_refused", c.By, r.User, r.By)
	}
	for i := range r.Steps {
		if s := &r.Steps[i]; s.Circulate {
			if err := t.tell(chart, r, "request_circulated", c.By, chart.Called(chart.StepApprovers(r, s))...); err != nil {
				return err
			}
		}
	}
	return t.tell(chart, r, "request_approved", c.By, r.User, r.By)
}
