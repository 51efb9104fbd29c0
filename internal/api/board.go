package api

import (
	"context"
	"errors"

	"jiseki/internal/calendar"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/store"
	"jiseki/internal/telework"
)

// maxCalendar bounds the days of one call.
const maxCalendar = 100

func (s *approvalService) GetBoard(ctx context.Context, r *controlv1.GetBoardRequest) (*controlv1.GetBoardResponse, error) {
	now := s.cfg.Now()
	date, err := dateOr(r.GetDate(), calendar.DateOf(now))
	if err != nil {
		return nil, err
	}
	chart, err := s.cfg.Store.Chart(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := s.boardRows(ctx, date)
	if err != nil {
		return nil, err
	}
	caller := chart.Authority(callerOf(ctx).identity.User.ID)
	answer := &controlv1.GetBoardResponse{Date: date.String()}
	for _, user := range peopleOf(&chart) {
		if row := rows[user]; row != nil && (caller.Sees(user) || caller.ClerkOf(user)) {
			row.UserId, row.UserName, row.SectionName = user, chart.Names[user], chart.Sections[chart.Main[user]].Name
			answer.Rows = append(answer.Rows, row)
		}
	}
	return answer, nil
}

// boardRows are the rows of everybody who teleworks on a day, by user, without names.
func (s *approvalService) boardRows(ctx context.Context, date calendar.Date) (map[string]*controlv1.BoardRow, error) {
	rows := map[string]*controlv1.BoardRow{}
	row := func(user string) *controlv1.BoardRow {
		if rows[user] == nil {
			rows[user] = &controlv1.BoardRow{Workday: controlv1.WorkdayState_WORKDAY_STATE_NOT_STARTED}
		}
		return rows[user]
	}
	requests, err := s.cfg.Store.RequestsBetween(ctx, "", date, date)
	if err != nil {
		return nil, err
	}
	for i := range requests {
		if day := onBoard(&requests[i], date); day != nil {
			addToBoard(row(requests[i].User), &requests[i], *day)
		}
	}
	workdays, err := s.cfg.Store.WorkdaysBetween(ctx, "", date, date)
	if err != nil {
		return nil, err
	}
	for i := range workdays {
		addWorkday(row(workdays[i].User), &workdays[i])
	}
	return rows, s.addPresence(ctx, rows, date)
}

// onBoard is the day of a request that others see: it waits, or was approved.
func onBoard(r *telework.Request, date calendar.Date) *telework.Day {
	if r.State != telework.Pending && r.State != telework.Approved {
		return nil
	}
	for i := range r.Draft.Days {
		if r.Draft.Days[i].Date == date {
			return &r.Draft.Days[i]
		}
	}
	return nil
}

// addToBoard shows the approved before the pending, and of these the one that begins first.
func addToBoard(row *controlv1.BoardRow, r *telework.Request, day telework.Day) {
	state := controlv1.RequestState(r.State)
	if row.GetDay() != nil {
		worse := row.GetRequestState() == controlv1.RequestState_REQUEST_STATE_APPROVED && r.State != telework.Approved
		later := row.GetRequestState() == state && int(row.GetDay().GetFromMinute()) <= day.From
		if worse || later {
			return
		}
	}
	row.Day, row.RequestState, row.Place = requestDay(day), state, controlv1.Place(r.Draft.Place)
}

func addWorkday(row *controlv1.BoardRow, w *telework.Workday) {
	row.Workday = controlv1.WorkdayState(w.State())
	if last := w.Segments[len(w.Segments)-1]; last.Lasts() {
		row.Segment = &controlv1.Segment{Kind: controlv1.SegmentKind(last.Kind), FromMs: last.FromMS}
	}
}

// addPresence says of today who is connected and who should have begun.
func (s *approvalService) addPresence(ctx context.Context, rows map[string]*controlv1.BoardRow, date calendar.Date) error {
	now := s.cfg.Now()
	if date != calendar.DateOf(now) {
		return nil
	}
	running, err := s.cfg.Store.RunningSessions(ctx, "")
	if err != nil {
		return err
	}
	for i := range running {
		if row := rows[running[i].User]; row != nil && running[i].Life == store.LifeOpen {
			row.Connected = true
		}
	}
	for _, row := range rows {
		approved := row.GetRequestState() == controlv1.RequestState_REQUEST_STATE_APPROVED
		row.Late = approved && row.GetWorkday() == controlv1.WorkdayState_WORKDAY_STATE_NOT_STARTED &&
			calendar.MinuteOf(now) >= int(row.GetDay().GetFromMinute())
	}
	return nil
}

func (s *approvalService) GetWeek(ctx context.Context, r *controlv1.GetWeekRequest) (*controlv1.GetWeekResponse, error) {
	from, err := dateOr(r.GetFrom(), calendar.DateOf(s.cfg.Now()))
	if err != nil {
		return nil, err
	}
	from = from.Monday()
	chart, err := s.cfg.Store.Chart(ctx)
	if err != nil {
		return nil, err
	}
	requests, err := s.cfg.Store.RequestsBetween(ctx, "", from, from.Add(6))
	if err != nil {
		return nil, err
	}
	byUser := map[string][]*controlv1.DayRequest{}
	for i := range requests {
		if requests[i].State != telework.Returned {
			byUser[requests[i].User] = append(byUser[requests[i].User], dayRequests(&requests[i], from, from.Add(6), false)...)
		}
	}
	caller := chart.Authority(callerOf(ctx).identity.User.ID)
	answer := &controlv1.GetWeekResponse{From: from.String()}
	for _, user := range peopleOf(&chart) {
		if caller.Colleague(user) || (len(byUser[user]) > 0 && caller.Sees(user)) {
			answer.Rows = append(answer.Rows, &controlv1.WeekRow{
				UserId: user, UserName: chart.Names[user], SectionName: chart.Sections[chart.Main[user]].Name, Requests: byUser[user],
			})
		}
	}
	answer.Days, err = s.calendarDays(ctx, caller.User, from, from.Add(6))
	return answer, err
}

// dayRequests are the days of a request from one date until another. Hourly leave is shown where whole is set: not to
// colleagues.
func dayRequests(r *telework.Request, from, until calendar.Date, whole bool) []*controlv1.DayRequest {
	var all []*controlv1.DayRequest
	for _, d := range r.Draft.Days {
		if d.Date.Before(from) || until.Before(d.Date) {
			continue
		}
		if !whole {
			d.Leave = 0
		}
		all = append(all, &controlv1.DayRequest{
			RequestId: r.ID, Kind: controlv1.RequestKind(r.Kind), State: controlv1.RequestState(r.State), Day: requestDay(d),
			Place: controlv1.Place(r.Draft.Place),
		})
	}
	return all
}

func (s *teleworkService) GetCalendar(ctx context.Context, r *controlv1.GetCalendarRequest) (*controlv1.GetCalendarResponse, error) {
	from, err := calendar.ParseDate(r.GetFrom())
	if err != nil {
		return nil, invalid(err)
	}
	until, err := calendar.ParseDate(r.GetUntil())
	if err != nil {
		return nil, invalid(err)
	}
	if until.Before(from) || !until.Before(from.Add(maxCalendar)) {
		return nil, invalid(errors.New("at most 100 days"))
	}
	user := callerOf(ctx).identity.User.ID
	if other := r.GetUserId(); other != "" && other != user {
		caller, err := s.cfg.Store.Heads(ctx, user)
		if err != nil {
			return nil, err
		}
		if !caller.MayApplyFor(other) {
			return nil, store.ErrNotAllowed
		}
		user = other
	}
	days, err := s.calendarDays(ctx, user, from, until)
	if err != nil {
		return nil, err
	}
	return &controlv1.GetCalendarResponse{Days: days}, s.fillCalendar(ctx, user, from, until, days)
}

// calendarDays says of each day whether the hall is open and when a user works.
func (s *Server) calendarDays(ctx context.Context, user string, from, until calendar.Date) ([]*controlv1.CalendarDay, error) {
	timetable, err := s.cfg.Store.Timetable(ctx, user)
	if err != nil {
		return nil, err
	}
	var days []*controlv1.CalendarDay
	for d := from; !until.Before(d); d = d.Add(1) {
		day := &controlv1.CalendarDay{
			Date: d.String(), Open: timetable.Days.Open(d), Holiday: timetable.Days.Why(d), Workday: controlv1.WorkdayState_WORKDAY_STATE_NOT_STARTED,
		}
		if h := timetable.On(d); h.Works() {
			day.Hours = workingHours(h)
		}
		days = append(days, day)
	}
	return days, nil
}

func workingHours(h calendar.Hours) *controlv1.WorkingHours {
	return &controlv1.WorkingHours{
		StartMinute: int32(h.Start), EndMinute: int32(h.End), BreakStartMinute: int32(h.BreakStart), BreakEndMinute: int32(h.BreakEnd), //nolint:gosec // minutes
	}
}

// fillCalendar adds a user's requests and workdays.
func (s *teleworkService) fillCalendar(ctx context.Context, user string, from, until calendar.Date, days []*controlv1.CalendarDay) error {
	byDate := make(map[string]*controlv1.CalendarDay, len(days))
	for _, d := range days {
		byDate[d.GetDate()] = d
	}
	requests, err := s.cfg.Store.RequestsBetween(ctx, user, from, until)
	if err != nil {
		return err
	}
	for i := range requests {
		for _, r := range dayRequests(&requests[i], from, until, true) {
			day := byDate[r.GetDay().GetDate()]
			day.Requests = append(day.Requests, r)
		}
	}
	workdays, err := s.cfg.Store.WorkdaysBetween(ctx, user, from, until)
	for i := range workdays {
		byDate[workdays[i].Date.String()].Workday = controlv1.WorkdayState(workdays[i].State())
	}
	return err
}

// dateOr reads a date, or takes another for none.
func dateOr(text string, other calendar.Date) (calendar.Date, error) {
	if text == "" {
		return other, nil
	}
	d, err := calendar.ParseDate(text)
	if err != nil {
		return d, invalid(err)
	}
	return d, nil
}
