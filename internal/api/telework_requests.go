package api

import (
	"context"
	"errors"
	"fmt"

	"jiseki/internal/access"
	"jiseki/internal/calendar"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/store"
	"jiseki/internal/telework"
)

func (s *teleworkService) CheckRequest(ctx context.Context, r *controlv1.CheckRequestRequest) (*controlv1.CheckRequestResponse, error) {
	draft, err := draftOf(r.GetDraft())
	if err != nil {
		return nil, err
	}
	c, err := s.cfg.Store.CheckRequest(ctx, callerOf(ctx).by, store.Submission{User: r.GetUserId(), Draft: draft, Request: r.GetRequestId()})
	if err != nil {
		return nil, err
	}
	answer := &controlv1.CheckRequestResponse{
		DaysPerWeek: int32(c.Rules.WeekLimit()), PersonalDataAsked: true, PersonalDataRefused: !c.Rules.PersonalData, //nolint:gosec // 0 to 7
		Draft: draftMessage(&c.Draft),
	}
	if latest := c.Rules.Latest(c.Draft.Days[0].Date); !latest.IsZero() {
		answer.LatestApplyMs = latest.UnixMilli()
	}
	for _, p := range c.Problems {
		answer.Problems = append(answer.Problems, &controlv1.Problem{
			Reason: reasonOf(access.Explain(p.Code, p.N)), Forbids: p.Forbids, Date: p.Date.String(),
		})
	}
	trial := telework.Request{User: c.User, By: callerOf(ctx).identity.User.ID, Steps: c.Route}
	answer.Route = stepMessages(&c.Chart, &trial)
	return answer, nil
}

func (s *teleworkService) SubmitRequest(ctx context.Context, r *controlv1.SubmitRequestRequest) (*controlv1.SubmitRequestResponse, error) {
	draft, err := draftOf(r.GetDraft())
	if err != nil {
		return nil, err
	}
	made, err := s.cfg.Store.SubmitRequest(ctx, callerOf(ctx).by, store.Submission{
		User: r.GetUserId(), Draft: draft, Request: r.GetRequestId(), Revision: int(r.GetRevision()),
	})
	if refusal, ok := refusedRequest(err); ok {
		return &controlv1.SubmitRequestResponse{Outcome: &controlv1.SubmitRequestResponse_Refusal{Refusal: refusal}}, nil
	}
	if err != nil {
		return nil, err
	}
	message, err := s.oneRequest(ctx, made)
	if err != nil {
		return nil, err
	}
	return &controlv1.SubmitRequestResponse{Outcome: &controlv1.SubmitRequestResponse_Request{Request: message}}, nil
}

func (s *teleworkService) ListMyRequests(ctx context.Context, r *controlv1.ListMyRequestsRequest) (*controlv1.ListMyRequestsResponse, error) {
	mine, next, err := s.cfg.Store.RequestsOf(ctx, callerOf(ctx).identity.User.ID, pageOf(r.GetPage()))
	if err != nil {
		return nil, err
	}
	messages, err := s.requestMessages(ctx, mine...)
	return &controlv1.ListMyRequestsResponse{Requests: messages, NextToken: next}, err
}

// GetRequest hides a request from whoever may not see it as if it were not there.
func (s *teleworkService) GetRequest(ctx context.Context, r *controlv1.GetRequestRequest) (*controlv1.GetRequestResponse, error) {
	found, err := s.cfg.Store.Request(ctx, r.GetRequestId())
	if err != nil {
		return nil, err
	}
	message, err := s.oneRequest(ctx, found)
	if err != nil {
		return nil, err
	}
	return &controlv1.GetRequestResponse{Request: message}, nil
}

func (s *teleworkService) WithdrawRequest(ctx context.Context, r *controlv1.WithdrawRequestRequest) (*controlv1.WithdrawRequestResponse, error) {
	left, err := s.cfg.Store.WithdrawRequest(ctx, callerOf(ctx).by, r.GetRequestId(), r.GetComment())
	if err != nil {
		return nil, err
	}
	message, err := s.oneRequest(ctx, left)
	if err != nil {
		return nil, err
	}
	return &controlv1.WithdrawRequestResponse{Request: message}, nil
}

// refusedRequest turns a refusal of a request into the response's own field.
func refusedRequest(err error) (*controlv1.Refusal, bool) {
	var no *telework.Refusal
	switch {
	case errors.As(err, &no):
		r := &controlv1.Refusal{}
		for _, p := range no.Problems {
			r.Reasons = append(r.Reasons, reasonOf(access.Explain(p.Code, p.N)))
		}
		return r, true
	case errors.Is(err, store.ErrStale):
		return refusalOf(access.Stale), true
	case errors.Is(err, store.ErrNotAllowed):
		return refusalOf(access.NotYours), true
	}
	return nil, false
}

// requestMessages is messages without their history: for lists.
func (s *Server) requestMessages(ctx context.Context, all ...telework.Request) ([]*controlv1.Request, error) {
	found, err := s.messages(ctx, all...)
	for _, m := range found {
		m.History = nil
	}
	return found, err
}

// messages puts requests into words for the caller: those that the caller may see, and reasons only where the caller
// may see these too.
func (s *Server) messages(ctx context.Context, all ...telework.Request) ([]*controlv1.Request, error) {
	chart, err := s.cfg.Store.Chart(ctx)
	if err != nil {
		return nil, err
	}
	c := callerOf(ctx)
	now := s.cfg.Now()
	var messages []*controlv1.Request
	for i := range all {
		v := chart.View(&all[i], c.identity.User.ID, c.may.Has(access.MayAdminister), now)
		if v.Sees {
			messages = append(messages, requestMessage(&chart, &all[i], v))
		}
	}
	return messages, nil
}

// oneRequest hides a request from whoever may not see it (any more) as if it were not there.
func (s *Server) oneRequest(ctx context.Context, r telework.Request) (*controlv1.Request, error) {
	messages, err := s.messages(ctx, r)
	if err == nil && len(messages) == 0 {
		err = store.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return messages[0], nil
}

// requestMessage is a request as somebody with a view of it sees it. Every request that goes out goes through here.
func requestMessage(chart *telework.Organisation, r *telework.Request, v telework.View) *controlv1.Request {
	if !v.Reasons {
		without := r.Without()
		r = &without
	}
	m := &controlv1.Request{
		RequestId: r.ID, Kind: controlv1.RequestKind(r.Kind), State: controlv1.RequestState(r.State), UserId: r.User, UserName: chart.Names[r.User],
		SectionName: r.SectionName, Draft: draftMessage(&r.Draft), ByUserId: r.By, ByUserName: chart.Names[r.By], AfterFact: r.AfterFact,
		SubmittedMs: r.SubmittedMS, Revision: int32(r.Revision), Replaces: r.Replaces, Steps: stepMessages(chart, r), //nolint:gosec // counts submissions
		MayDecide: v.Decides, MayChange: v.Changes, MayWithdraw: v.Withdraws,
	}
	for _, c := range r.History {
		m.History = append(m.History, &controlv1.RequestChange{
			TimeMs: c.AtMS, ByName: chart.Names[c.By], State: controlv1.RequestState(c.State), Comment: c.Comment, Revision: int32(c.Revision), //nolint:gosec // see above
		})
	}
	return m
}

func stepMessages(chart *telework.Organisation, r *telework.Request) []*controlv1.Step {
	var steps []*controlv1.Step
	for i := range r.Steps {
		s := &r.Steps[i]
		m := &controlv1.Step{
			Position: int32(i + 1), SectionName: s.SectionName, Circulate: s.Circulate, Answer: controlv1.Answer(s.Answer), //nolint:gosec // at most 10
			DecidedByName: chart.Names[s.By], ForName: chart.Names[s.For], DecidedMs: s.AtMS, Comment: s.Comment, SeenMs: s.SeenMS,
		}
		if s.Answer == 0 {
			for _, user := range chart.StepApprovers(r, s) {
				m.ApproverNames = append(m.ApproverNames, chart.Names[user])
			}
		}
		steps = append(steps, m)
	}
	return steps
}

// draftOf reads a draft; what it means is checked where it is used.
func draftOf(in *controlv1.Draft) (telework.Draft, error) {
	d := telework.Draft{
		PlaceNote: in.GetPlaceNote(), ReasonText: in.GetReasonText(), Work: in.GetWork(), PersonalData: in.GetPersonalData(),
		TakeOut: in.GetTakeOut(), TakeOutDevice: in.GetTakeOutDevice(),
	}
	if in.GetPlace() < 0 || in.GetPlace() > controlv1.Place_PLACE_OFFICE || in.GetReason() < 0 || in.GetReason() > controlv1.RequestReason_REQUEST_REASON_OTHER {
		return d, invalid(errors.New("place or reason"))
	}
	d.Place, d.Reason = access.Place(in.GetPlace()), telework.Reason(in.GetReason()) //nolint:gosec // small
	for _, day := range in.GetDays() {
		date, err := calendar.ParseDate(day.GetDate())
		if err != nil {
			return d, invalid(err)
		}
		if day.GetUnit() < 0 || day.GetUnit() > controlv1.DayUnit_DAY_UNIT_HOURS {
			return d, invalid(fmt.Errorf("unit of %s", date))
		}
		d.Days = append(d.Days, telework.Day{
			Date: date, Unit: telework.Unit(day.GetUnit()), From: int(day.GetFromMinute()), Until: int(day.GetUntilMinute()), //nolint:gosec // small
			Leave: int(day.GetLeaveMinutes()),
		})
	}
	return d, nil
}

func draftMessage(d *telework.Draft) *controlv1.Draft {
	m := &controlv1.Draft{
		Place: controlv1.Place(d.Place), PlaceNote: d.PlaceNote, Reason: controlv1.RequestReason(d.Reason), ReasonText: d.ReasonText, Work: d.Work,
		PersonalData: d.PersonalData, TakeOut: d.TakeOut, TakeOutDevice: d.TakeOutDevice,
	}
	for _, day := range d.Days {
		m.Days = append(m.Days, requestDay(day))
	}
	return m
}

func requestDay(d telework.Day) *controlv1.RequestDay {
	return &controlv1.RequestDay{
		Date: d.Date.String(), Unit: controlv1.DayUnit(d.Unit), FromMinute: int32(d.From), UntilMinute: int32(d.Until), LeaveMinutes: int32(d.Leave), //nolint:gosec // minutes
	}
}
