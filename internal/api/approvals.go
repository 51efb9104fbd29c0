package api

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/calendar"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/session"
	"jiseki/internal/store"
	"jiseki/internal/telework"
)

// decidedDays is how long what somebody decided stays in the inbox's second list.
const decidedDays = 30

// maxAtOnce bounds what one call decides, orders or confirms.
const maxAtOnce = 200

// maxShown is of how many decisions in one call the request comes back too.
const maxShown = 20

func (s *approvalService) ListInbox(ctx context.Context, _ *controlv1.ListInboxRequest) (*controlv1.ListInboxResponse, error) {
	user := callerOf(ctx).identity.User.ID
	waiting, more, err := s.cfg.Store.Inbox(ctx, user)
	if err != nil {
		return nil, err
	}
	decided, err := s.cfg.Store.DecidedBy(ctx, user, s.cfg.Now().Add(-decidedDays*24*time.Hour))
	if err != nil {
		return nil, err
	}
	answer := &controlv1.ListInboxResponse{More: more}
	if answer.Waiting, err = s.requestMessages(ctx, waiting...); err != nil {
		return nil, err
	}
	answer.Decided, err = s.requestMessages(ctx, decided...)
	return answer, err
}

func (s *approvalService) DecideRequests(ctx context.Context, r *controlv1.DecideRequestsRequest) (*controlv1.DecideRequestsResponse, error) {
	if err := few(len(r.GetDecisions())); err != nil {
		return nil, err
	}
	if r.GetAnswer() < controlv1.Answer_ANSWER_APPROVE || r.GetAnswer() > controlv1.Answer_ANSWER_REFUSE {
		return nil, invalid(errors.New("answer"))
	}
	answer := &controlv1.DecideRequestsResponse{}
	var decided []telework.Request
	for _, d := range r.GetDecisions() {
		result := &controlv1.DecisionResult{RequestId: d.GetRequestId()}
		request, err := s.cfg.Store.DecideRequest(ctx, callerOf(ctx).by, d.GetRequestId(), telework.Decision{
			Answer: telework.Answer(r.GetAnswer()), Revision: int(d.GetRevision()), Step: int(d.GetStep()), Comment: r.GetComment(), //nolint:gosec // 1 to 3
		})
		if err == nil {
			if len(decided) < maxShown {
				decided = append(decided, request)
			}
		} else if result.Refusal, err = refusedDecision(err); err != nil {
			return nil, err
		}
		answer.Results = append(answer.Results, result)
	}
	return answer, s.fillDecided(ctx, answer.GetResults(), decided)
}

// refusedDecision is the refusal of one decision among several: what somebody else could cause does not keep the others
// from being decided. Other errors are returned.
func refusedDecision(err error) (*controlv1.Refusal, error) {
	if refusal, ok := refusedRequest(err); ok {
		return refusal, nil
	}
	if errors.Is(err, store.ErrNotFound) {
		return refusalOf(access.NotFound), nil
	}
	return nil, err
}

// fillDecided gives the results their requests.
func (s *approvalService) fillDecided(ctx context.Context, results []*controlv1.DecisionResult, decided []telework.Request) error {
	messages, err := s.requestMessages(ctx, decided...)
	for _, m := range messages {
		for _, r := range results {
			if r.GetRefusal() == nil && r.GetRequestId() == m.GetRequestId() {
				r.Request = m
			}
		}
	}
	return err
}

func few(n int) error {
	if n < 1 || n > maxAtOnce {
		return invalid(fmt.Errorf("%d in one call, 1 to %d are possible", n, maxAtOnce))
	}
	return nil
}

func (s *approvalService) ListReviews(ctx context.Context, _ *controlv1.ListReviewsRequest) (*controlv1.ListReviewsResponse, error) {
	unread, more, err := s.cfg.Store.Reviews(ctx, callerOf(ctx).identity.User.ID)
	if err != nil {
		return nil, err
	}
	messages, err := s.requestMessages(ctx, unread...)
	return &controlv1.ListReviewsResponse{Requests: messages, More: more}, err
}

func (s *approvalService) ConfirmReviews(ctx context.Context, r *controlv1.ConfirmReviewsRequest) (*controlv1.ConfirmReviewsResponse, error) {
	if err := few(len(r.GetRequestIds())); err != nil {
		return nil, err
	}
	return &controlv1.ConfirmReviewsResponse{}, s.cfg.Store.ConfirmReviews(ctx, callerOf(ctx).by, r.GetRequestIds())
}

func (s *approvalService) PutOrder(ctx context.Context, r *controlv1.PutOrderRequest) (*controlv1.PutOrderResponse, error) {
	if err := few(len(r.GetUserIds())); err != nil {
		return nil, err
	}
	if wait := s.orders.take(callerOf(ctx).identity.User.ID); wait > 0 {
		return nil, tooSoon(wait)
	}
	draft, err := draftOf(r.GetDraft())
	if err != nil {
		return nil, err
	}
	if r.GetKind() != controlv1.RequestKind_REQUEST_KIND_TELEWORK_ORDER && r.GetKind() != controlv1.RequestKind_REQUEST_KIND_OVERTIME_ORDER {
		return nil, invalid(errors.New("kind of order"))
	}
	given, err := s.cfg.Store.OrderTelework(ctx, callerOf(ctx).by, telework.Kind(r.GetKind()), r.GetUserIds(), draft) //nolint:gosec // 2 or 3
	if refusal, ok := refusedRequest(err); ok {
		return &controlv1.PutOrderResponse{Outcome: &controlv1.PutOrderResponse_Refusal{Refusal: refusal}}, nil
	}
	if err != nil {
		return nil, err
	}
	messages, err := s.requestMessages(ctx, given...)
	for i, m := range messages {
		if i > 0 {
			m.Draft = nil // as in the first, and there may be 200
		}
	}
	return &controlv1.PutOrderResponse{Outcome: &controlv1.PutOrderResponse_Orders{Orders: &controlv1.Orders{Requests: messages}}}, err
}

func (s *approvalService) ListAbsences(ctx context.Context, _ *controlv1.ListAbsencesRequest) (*controlv1.ListAbsencesResponse, error) {
	absences, err := s.cfg.Store.Absences(ctx, callerOf(ctx).identity.User.ID)
	if err != nil {
		return nil, err
	}
	chart, err := s.cfg.Store.Chart(ctx)
	if err != nil {
		return nil, err
	}
	answer := &controlv1.ListAbsencesResponse{}
	for i := range absences {
		answer.Absences = append(answer.Absences, absenceMessage(&absences[i], chart.Names))
	}
	for _, user := range chart.MayBeAbsentFor(callerOf(ctx).identity.User.ID) {
		answer.People = append(answer.People, &controlv1.AbsentPerson{UserId: user, UserName: chart.Names[user]})
	}
	return answer, nil
}

func absenceMessage(a *store.Absence, names map[string]string) *controlv1.Absence {
	return &controlv1.Absence{
		AbsenceId: a.ID, UserId: a.User, UserName: names[a.User], From: a.From.String(), Until: a.Until.String(), Note: a.Note,
	}
}

func (s *approvalService) PutAbsence(ctx context.Context, r *controlv1.PutAbsenceRequest) (*controlv1.PutAbsenceResponse, error) {
	in := r.GetAbsence()
	a := store.Absence{ID: in.GetAbsenceId(), User: in.GetUserId(), Note: in.GetNote()}
	if a.User == "" && a.ID == "" {
		a.User = callerOf(ctx).identity.User.ID
	}
	var err error
	if a.From, err = calendar.ParseDate(in.GetFrom()); err == nil {
		a.Until, err = calendar.ParseDate(in.GetUntil())
	}
	if err != nil {
		return nil, invalid(err)
	}
	kept, err := s.cfg.Store.PutAbsence(ctx, callerOf(ctx).by, callerOf(ctx).may.Has(access.MayAdminister), a)
	if err != nil {
		return nil, err
	}
	chart, err := s.cfg.Store.Chart(ctx)
	return &controlv1.PutAbsenceResponse{Absence: absenceMessage(&kept, chart.Names)}, err
}

func (s *approvalService) DeleteAbsence(ctx context.Context, r *controlv1.DeleteAbsenceRequest) (*controlv1.DeleteAbsenceResponse, error) {
	c := callerOf(ctx)
	return &controlv1.DeleteAbsenceResponse{}, s.cfg.Store.DeleteAbsence(ctx, c.by, c.may.Has(access.MayAdminister), r.GetAbsenceId())
}

func (s *approvalService) ListMembers(ctx context.Context, _ *controlv1.ListMembersRequest) (*controlv1.ListMembersResponse, error) {
	chart, err := s.cfg.Store.Chart(ctx)
	if err != nil {
		return nil, err
	}
	caller := chart.Authority(callerOf(ctx).identity.User.ID)
	answer := &controlv1.ListMembersResponse{}
	for _, user := range peopleOf(&chart) {
		if !caller.MayApplyFor(user) {
			continue
		}
		answer.Members = append(answer.Members, &controlv1.Member{
			UserId: user, UserName: chart.Names[user], SectionName: chart.Sections[chart.Main[user]].Name,
			MayOrder: caller.Over(user), MayApplyFor: true,
		})
	}
	return answer, s.addDesks(ctx, answer.GetMembers())
}

// addDesks gives members their desks.
func (s *approvalService) addDesks(ctx context.Context, members []*controlv1.Member) error {
	if len(members) == 0 {
		return nil
	}
	byUser := make(map[string]*controlv1.Member, len(members))
	for _, m := range members {
		byUser[m.GetUserId()] = m
	}
	for page := (store.Page{Limit: 500}); ; {
		desks, next, err := s.cfg.Store.Desks(ctx, "", page)
		if err != nil {
			return err
		}
		for i := range desks {
			for _, user := range desks[i].Users {
				if m := byUser[user]; m != nil {
					m.Desks = append(m.Desks, &controlv1.MemberDesk{
						DeskId: desks[i].ID, Name: desks[i].Name, State: deskState(&desks[i], session.Presence(&desks[i], s.cfg.Now())),
					})
				}
			}
		}
		if page.After = next; next == "" {
			return nil
		}
	}
}

// peopleOf are the users who are not disabled, by section and name.
func peopleOf(chart *telework.Organisation) []string {
	var all []string
	for user := range chart.Names {
		if !chart.Disabled[user] {
			all = append(all, user)
		}
	}
	slices.SortFunc(all, func(a, b string) int {
		bySection := strings.Compare(chart.Main[a], chart.Main[b])
		if bySection != 0 {
			return bySection
		}
		return strings.Compare(a, b)
	})
	return all
}
