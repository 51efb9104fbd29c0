package api

import (
	"context"
	"errors"
	"slices"

	"jiseki/internal/access"
	"jiseki/internal/calendar"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/mail"
	"jiseki/internal/session"
	"jiseki/internal/store"
	"jiseki/internal/waking"
)

func (s *teleworkService) WakeDesk(ctx context.Context, r *controlv1.WakeDeskRequest) (*controlv1.WakeDeskResponse, error) {
	if err := s.mayWake(ctx, r.GetDeskId()); err != nil {
		return nil, err
	}
	w, err := s.cfg.Waking.Wake(ctx, callerOf(ctx).by, r.GetDeskId())
	var no *waking.Refusal
	if errors.As(err, &no) {
		return &controlv1.WakeDeskResponse{Outcome: &controlv1.WakeDeskResponse_Refusal{Refusal: refusalOf(no.Code)}}, nil
	}
	if err != nil {
		return nil, err
	}
	return &controlv1.WakeDeskResponse{Outcome: &controlv1.WakeDeskResponse_Wake{Wake: wakeMessage(&w)}}, nil
}

func (s *teleworkService) GetWake(ctx context.Context, r *controlv1.GetWakeRequest) (*controlv1.GetWakeResponse, error) {
	var w store.Wake
	var err error
	if r.GetWakeId() != "" {
		w, err = s.cfg.Store.Wake(ctx, r.GetWakeId())
	} else {
		w, err = s.cfg.Store.NewestWake(ctx, r.GetDeskId())
	}
	if errors.Is(err, store.ErrNotFound) && r.GetWakeId() == "" {
		return &controlv1.GetWakeResponse{}, s.mayWake(ctx, r.GetDeskId()) // it was never woken
	}
	if err != nil {
		return nil, err
	}
	if err := s.mayWake(ctx, w.Desk); err != nil {
		return nil, err
	}
	return &controlv1.GetWakeResponse{Wake: wakeMessage(&w)}, nil
}

func wakeMessage(w *store.Wake) *controlv1.Wake {
	m := &controlv1.Wake{
		WakeId: w.ID, DeskId: w.Desk, DeskName: w.DeskName, State: controlv1.WakeState(w.State), AskedMs: w.AskedMS, //nolint:gosec // 1 to 4
		SentMs: w.SentMS, EndedMs: w.EndedMS, WakerName: w.WakerName, ByName: w.ByName,
	}
	if w.Failure != "" {
		m.Failure = reasonOf(access.Explain(access.Code(w.Failure)))
	}
	return m
}

// mayWake lets pass who uses a desk, who is the superior of somebody who does, and administrators. Others do not learn
// whether there is such a desk.
func (s *Server) mayWake(ctx context.Context, desk string) error {
	c := callerOf(ctx)
	d, err := s.cfg.Store.Desk(ctx, desk)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if c.may.Has(access.MayAdminister) {
		return err
	}
	if err != nil {
		return deny(access.DeskNotYours)
	}
	if slices.Contains(d.Users, c.identity.User.ID) {
		return nil
	}
	heads, err := s.cfg.Store.Heads(ctx, c.identity.User.ID)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(d.Users, heads.Over) {
		return nil
	}
	return deny(access.DeskNotYours)
}

func (s *teleworkService) AskPowerOn(ctx context.Context, r *controlv1.AskPowerOnRequest) (*controlv1.AskPowerOnResponse, error) {
	if err := s.mayWake(ctx, r.GetDeskId()); err != nil {
		return nil, err
	}
	caller := callerOf(ctx)
	desk, err := s.cfg.Store.Desk(ctx, r.GetDeskId())
	if err != nil {
		return nil, err
	}
	helpers, err := s.helpers(ctx, &desk, caller.identity.User.ID)
	if err != nil {
		return nil, err
	}
	tell := make([]mail.Notice, len(helpers))
	for i, user := range helpers {
		tell[i] = mail.Notice{
			User: user, Kind: "power_on_asked", Args: map[string]string{"name": caller.identity.User.Name, "desk": desk.Name}, Path: "/notices",
		}
	}
	err = s.cfg.Store.AskPowerOn(ctx, caller.by, desk.ID, tell)
	if errors.Is(err, store.ErrSpent) {
		return nil, unreachable(access.PowerAskedLate, err)
	}
	return &controlv1.AskPowerOnResponse{Told: int32(len(tell))}, err //nolint:gosec // a section
}

// helpers are the colleagues who can switch a desk on: those of the desk's section, or else of the caller's, who are in
// the hall now. When it is known of nobody, all are asked who do not telework now.
func (s *Server) helpers(ctx context.Context, desk *store.Desk, caller string) ([]string, error) {
	section := desk.Section
	if section == "" {
		user, err := s.cfg.Store.User(ctx, caller)
		if err != nil {
			return nil, err
		}
		section = user.MainSection
	}
	colleagues, err := s.cfg.Store.Colleagues(ctx, section)
	if err != nil {
		return nil, err
	}
	var here, others []string
	for _, c := range colleagues {
		switch away, err := s.teleworksNow(ctx, c.ID); {
		case err != nil:
			return nil, err
		case c.ID == caller || away:
		case c.InHall:
			here = append(here, c.ID)
		default:
			others = append(others, c.ID)
		}
	}
	if len(here) > 0 {
		return here, nil
	}
	return others, nil
}

func (s *Server) teleworksNow(ctx context.Context, user string) (bool, error) {
	now := s.cfg.Now()
	covers, err := s.cfg.Store.Covers(ctx, user, now, now.Add(1))
	return len(covers) > 0, err
}

// ListPowerOn is for heads and clerks about their people, and for administrators about all.
func (s *approvalService) ListPowerOn(ctx context.Context, r *controlv1.ListPowerOnRequest) (*controlv1.ListPowerOnResponse, error) {
	now := s.cfg.Now()
	date, err := dateOr(r.GetDate(), calendar.DateOf(now))
	if err != nil {
		return nil, err
	}
	chart, err := s.cfg.Store.Chart(ctx)
	if err != nil {
		return nil, err
	}
	caller := callerOf(ctx)
	authority := chart.Authority(caller.identity.User.ID)
	covers, err := s.cfg.Store.DeskCovers(ctx, date.At(0), date.At(24*60))
	if err != nil {
		return nil, err
	}
	answer := &controlv1.ListPowerOnResponse{Date: date.String()}
	var ids []string
	for _, c := range covers {
		if !caller.may.Has(access.MayAdminister) && !authority.Sees(c.User) && !authority.ClerkOf(c.User) {
			continue
		}
		ids = append(ids, c.Desk)
		answer.Rows = append(answer.Rows, &controlv1.PowerOnRow{
			UserName: chart.Names[c.User], SectionName: chart.Sections[chart.Main[c.User]].Name, Day: &controlv1.RequestDay{
				Date: date.String(), FromMinute: minuteOn(c.From.UnixMilli(), date), UntilMinute: minuteOn(c.Until.UnixMilli(), date),
			},
		})
	}
	return answer, s.fillDesks(ctx, answer.GetRows(), ids)
}

// minuteOn is an instant as a minute of a day, bounded by the day.
func minuteOn(ms int64, date calendar.Date) int32 {
	return int32(min(max(ms-date.At(0).UnixMilli(), 0)/60_000, 24*60)) //nolint:gosec // bounded
}

// fillDesks says of each row how its desk is.
func (s *approvalService) fillDesks(ctx context.Context, rows []*controlv1.PowerOnRow, ids []string) error {
	problems, err := s.cfg.Waking.Problems(ctx, ids...)
	if err != nil {
		return err
	}
	for i, id := range ids {
		d, err := s.cfg.Store.Desk(ctx, id)
		if err != nil {
			return err
		}
		code, known := problems[id]
		rows[i].DeskName, rows[i].State = d.Name, deskState(&d, session.Presence(&d, s.cfg.Now()))
		rows[i].Wakeable = known && code == ""
	}
	return nil
}

// errStopped is the answer of a command that works on a stopped gateway, which holds no agent.
func errStopped() error {
	return unreachable(access.DeskUnknown, errors.New("the gateway does not run"))
}

func (s *policyService) ListSegments(ctx context.Context, _ *controlv1.ListSegmentsRequest) (*controlv1.ListSegmentsResponse, error) {
	if s.cfg.Waking == nil {
		return nil, errStopped()
	}
	segments, err := s.cfg.Waking.Segments(ctx)
	if err != nil {
		return nil, err
	}
	answer := &controlv1.ListSegmentsResponse{}
	for _, one := range segments {
		m := &controlv1.LanSegment{
			Prefix: one.Prefix.String(), Zone: controlv1.Zone(one.Zone), Desks: int32(one.Desks), DesksOn: int32(one.DesksOn), //nolint:gosec // some thousands
			DesksUnwakeable: int32(one.Unwakeable), //nolint:gosec // some thousands
		}
		for _, w := range one.Wakers {
			m.Wakers = append(m.Wakers, &controlv1.Waker{DeskId: w.Desk, Name: w.Name, AlwaysOn: w.AlwaysOn, Connected: w.Connected})
		}
		if one.Warning != "" {
			m.Warning = reasonOf(access.Explain(one.Warning))
		}
		answer.Segments = append(answer.Segments, m)
	}
	return answer, nil
}

func (s *policyService) WakeDesks(ctx context.Context, r *controlv1.WakeDesksRequest) (*controlv1.WakeDesksResponse, error) {
	if s.cfg.Waking == nil {
		return nil, errStopped()
	}
	wakes, err := s.cfg.Waking.WakeAll(ctx, callerOf(ctx).by, r.GetDeskIds())
	answer := &controlv1.WakeDesksResponse{}
	for i := range wakes {
		answer.Wakes = append(answer.Wakes, wakeMessage(&wakes[i]))
	}
	return answer, err
}

func (s *policyService) ListWakes(ctx context.Context, r *controlv1.ListWakesRequest) (*controlv1.ListWakesResponse, error) {
	wakes, next, err := s.cfg.Store.Wakes(ctx, pageOf(r.GetPage()))
	answer := &controlv1.ListWakesResponse{NextToken: next}
	for i := range wakes {
		answer.Wakes = append(answer.Wakes, wakeMessage(&wakes[i]))
	}
	return answer, err
}
