package api

import (
	"context"
	"slices"

	"jiseki/internal/access"
	"jiseki/internal/calendar"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/session"
	"jiseki/internal/store"
	"jiseki/internal/telework"
)

// GetToday puts together what the other methods say of today, and leaves the next step to [telework.Today].
func (s *teleworkService) GetToday(ctx context.Context, _ *controlv1.GetTodayRequest) (*controlv1.GetTodayResponse, error) {
	answer := &controlv1.GetTodayResponse{Date: calendar.DateOf(s.cfg.Now()).String()}
	day := telework.Today{Now: s.cfg.Now()}
	for _, add := range []func(context.Context, *controlv1.GetTodayResponse, *telework.Today) error{
		s.addStanding, s.addRequests, s.addOffice, s.addWorkday, s.addMyDesks,
	} {
		if err := add(ctx, answer, &day); err != nil {
			return nil, err
		}
	}
	answer.Next = controlv1.NextStep(day.Next())
	return answer, nil
}

// addStanding: the day in the calendar, the user's hours and registration, and whether an approval is needed now.
func (s *teleworkService) addStanding(ctx context.Context, answer *controlv1.GetTodayResponse, day *telework.Today) error {
	user := callerOf(ctx).identity.User
	date := calendar.DateOf(day.Now)
	days, err := s.calendarDays(ctx, user.ID, date, date)
	if err != nil {
		return err
	}
	answer.OpenDay, answer.Holiday, answer.Hours = days[0].GetOpen(), days[0].GetHoliday(), days[0].GetHours()
	organisation, err := s.cfg.Store.Organisation(ctx)
	if err != nil {
		return err
	}
	standing, err := s.cfg.Store.Standing(ctx, user.ID)
	if err != nil {
		return err
	}
	policy := organisation.Settings.Resolve(standing.Subject(0))
	answer.Emergency = organisation.Settings.Emergency
	if policy.Registration {
		answer.RegisteredUntil = standing.RegisteredUntil.String()
		answer.RegistrationOver = standing.RegisteredUntil.Before(date)
	}
	minute := int32(calendar.MinuteOf(day.Now)) //nolint:gosec // of a day
	inHours := answer.GetHours() != nil && minute >= answer.GetHours().GetStartMinute() && minute < answer.GetHours().GetEndMinute()
	day.Free = answer.GetEmergency() || policy.Approval == access.ApprovalNever || (policy.Approval == access.ApprovalOutsideHours && inHours)
	day.Device = user.Devices > 0 || callerOf(ctx).identity.Device != nil
	return nil
}

// addRequests: what is asked for and approved of today.
func (s *teleworkService) addRequests(ctx context.Context, answer *controlv1.GetTodayResponse, day *telework.Today) error {
	user, date := callerOf(ctx).identity.User.ID, calendar.DateOf(day.Now)
	requests, err := s.cfg.Store.RequestsOn(ctx, user, date)
	if err != nil {
		return err
	}
	day.Waiting = slices.ContainsFunc(requests, func(r telework.Request) bool { return r.State == telework.Pending })
	if answer.Requests, err = s.requestMessages(ctx, requests...); err != nil {
		return err
	}
	day.Covers, err = s.cfg.Store.Covers(ctx, user, date.At(0), date.Add(1).At(0))
	return err
}

// addOffice: what the user is to others, and what waits for them.
func (s *teleworkService) addOffice(ctx context.Context, answer *controlv1.GetTodayResponse, _ *telework.Today) error {
	user := callerOf(ctx).identity.User.ID
	chart, err := s.cfg.Store.Chart(ctx)
	if err != nil {
		return err
	}
	authority := chart.Authority(user)
	answer.Approver, answer.Clerk = chart.Heads(user), authority.Clerk != ""
	if answer.GetApprover() {
		waiting, err := s.cfg.Store.InboxCount(ctx, user)
		if err != nil {
			return err
		}
		answer.Inbox = int32(waiting) //nolint:gosec // a count
	}
	unread, err := s.cfg.Store.UnreadNotices(ctx, user)
	answer.UnreadNotices = int32(unread) //nolint:gosec // a count
	return err
}

func (s *teleworkService) addWorkday(ctx context.Context, answer *controlv1.GetTodayResponse, day *telework.Today) error {
	report, err := s.cfg.Store.Today(ctx, callerOf(ctx).identity.User.ID)
	if err != nil {
		return err
	}
	limit, err := s.gapLimit(ctx)
	answer.Workday = workdayMessage(&report, limit)
	state := report.State()
	day.Started, day.Away, day.Finished = state != telework.NotStarted, state == telework.Away, state == telework.Finished
	return err
}

// addMyDesks: the user's desks, and which of them the next step is about.
func (s *teleworkService) addMyDesks(ctx context.Context, answer *controlv1.GetTodayResponse, day *telework.Today) error {
	choices, err := s.cfg.Sessions.Choices(ctx, sessionCaller(ctx))
	if err != nil || len(choices) == 0 {
		return err
	}
	user := callerOf(ctx).identity.User.ID
	var ids []string
	for i := range choices {
		answer.Desks = append(answer.Desks, myDesk(&choices[i], user))
		ids = append(ids, choices[i].Desk.ID)
	}
	wakeable, err := s.wakeable(ctx, ids)
	if err != nil {
		return err
	}
	best := slices.MaxFunc(choices, func(a, b session.Choice) int { return ease(&a, user) - ease(&b, user) })
	answer.NextDeskId, answer.Wakeable = best.Desk.ID, wakeable[best.Desk.ID]
	day.DeskOff, day.Wakeable = best.Presence == access.Off && best.Desk.Certificate != nil, answer.GetWakeable()
	day.MayOpen, day.Connected = best.Decision.Allowed(), connected(&best.Desk, user)
	return nil
}

// ease orders desks: the one on which the user's session runs, then one that may be opened, one that is on, one that is
// off.
func ease(c *session.Choice, user string) int {
	switch {
	case connected(&c.Desk, user):
		return 4
	case c.Decision.Allowed():
		return 3
	case c.Presence == access.On:
		return 2
	case c.Desk.Certificate != nil:
		return 1
	}
	return 0
}

func connected(d *store.Desk, user string) bool { return d.Session != nil && d.SessionBy == user }

// wakeable says of each desk whether somebody can wake it now.
func (s *Server) wakeable(ctx context.Context, desks []string) (map[string]bool, error) {
	can := make(map[string]bool, len(desks))
	if s.cfg.Waking == nil {
		return can, nil
	}
	problems, err := s.cfg.Waking.Problems(ctx, desks...)
	for desk, code := range problems {
		can[desk] = code == ""
	}
	return can, err
}
