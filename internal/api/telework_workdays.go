package api

import (
	"context"
	"errors"
	"slices"
	"time"

	"jiseki/internal/calendar"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/store"
	"jiseki/internal/telework"
)

// maxReportUsers bounds one export or confirmation.
const maxReportUsers = 500

func (s *teleworkService) ReportWorkday(ctx context.Context, r *controlv1.ReportWorkdayRequest) (*controlv1.ReportWorkdayResponse, error) {
	report := store.WorkdayReport{Finish: r.GetFinish(), Done: r.GetDone()}
	if !report.Finish {
		kind, err := segmentKind(r.GetKind())
		if err != nil {
			return nil, err
		}
		report.Kind = kind
	}
	c := callerOf(ctx)
	date, err := s.cfg.Store.ReportWorkday(ctx, c.by, c.identity.User.ID, report)
	if refusal, ok := refusedRequest(err); ok {
		return &controlv1.ReportWorkdayResponse{Outcome: &controlv1.ReportWorkdayResponse_Refusal{Refusal: refusal}}, nil
	}
	if err != nil {
		return nil, err
	}
	s.cfg.Sessions.OnSegment(ctx, c.identity.User.ID)
	m, err := s.ownWorkday(ctx, date)
	if err != nil {
		return nil, err
	}
	return &controlv1.ReportWorkdayResponse{Outcome: &controlv1.ReportWorkdayResponse_Workday{Workday: m}}, nil
}

func segmentKind(k controlv1.SegmentKind) (telework.SegmentKind, error) {
	if k < controlv1.SegmentKind_SEGMENT_KIND_WORK || k > controlv1.SegmentKind_SEGMENT_KIND_HALL {
		return 0, invalid(errors.New("kind of segment"))
	}
	return telework.SegmentKind(k), nil //nolint:gosec // 1 to 8
}

// ownWorkday is a day of the caller's.
func (s *Server) ownWorkday(ctx context.Context, date calendar.Date) (*controlv1.Workday, error) {
	d, err := s.cfg.Store.Workday(ctx, callerOf(ctx).identity.User.ID, date)
	if err != nil {
		return nil, err
	}
	limit, err := s.gapLimit(ctx)
	return workdayMessage(&d, limit), err
}

// gapLimit is the gap above which a day is flagged.
func (s *Server) gapLimit(ctx context.Context) (time.Duration, error) {
	organisation, err := s.cfg.Store.Organisation(ctx)
	return organisation.Settings.Policy.GapLimit, err
}

func (s *teleworkService) SaveDone(ctx context.Context, r *controlv1.SaveDoneRequest) (*controlv1.SaveDoneResponse, error) {
	date, err := s.pastDate(r.GetDate())
	if err != nil {
		return nil, err
	}
	c := callerOf(ctx)
	if err := s.cfg.Store.SaveDone(ctx, c.by, c.identity.User.ID, date, r.GetDone()); err != nil {
		return nil, err
	}
	m, err := s.ownWorkday(ctx, date)
	return &controlv1.SaveDoneResponse{Workday: m}, err
}

// pastDate reads a date up to today; empty: today.
func (s *Server) pastDate(text string) (calendar.Date, error) {
	today := calendar.DateOf(s.cfg.Now())
	if text == "" {
		return today, nil
	}
	date, err := calendar.ParseDate(text)
	if err != nil {
		return date, invalid(err)
	}
	if today.Before(date) {
		return date, invalid(errors.New("a date in the future"))
	}
	return date, nil
}

func (s *teleworkService) CorrectWorkday(ctx context.Context, r *controlv1.CorrectWorkdayRequest) (*controlv1.CorrectWorkdayResponse, error) {
	date, err := s.pastDate(r.GetDate())
	if err != nil {
		return nil, err
	}
	var segments []telework.Segment
	for _, in := range r.GetSegments() {
		kind, err := segmentKind(in.GetKind())
		if err != nil {
			return nil, err
		}
		segments = append(segments, telework.Segment{Kind: kind, FromMS: in.GetFromMs(), UntilMS: in.GetUntilMs()})
	}
	c := callerOf(ctx)
	err = s.cfg.Store.CorrectWorkday(ctx, c.by, c.identity.User.ID, date, segments, r.GetReason())
	if refusal, ok := refusedRequest(err); ok {
		return &controlv1.CorrectWorkdayResponse{Outcome: &controlv1.CorrectWorkdayResponse_Refusal{Refusal: refusal}}, nil
	}
	if err != nil {
		return nil, err
	}
	s.cfg.Sessions.OnSegment(ctx, c.identity.User.ID)
	m, err := s.ownWorkday(ctx, date)
	if err != nil {
		return nil, err
	}
	return &controlv1.CorrectWorkdayResponse{Outcome: &controlv1.CorrectWorkdayResponse_Workday{Workday: m}}, nil
}

func (s *teleworkService) GetWorkday(ctx context.Context, r *controlv1.GetWorkdayRequest) (*controlv1.GetWorkdayResponse, error) {
	user, err := s.readable(ctx, r.GetUserId())
	if err != nil {
		return nil, err
	}
	var d telework.DayReport
	if r.GetDate() == "" { // the day that a report of now would belong to
		d, err = s.cfg.Store.Today(ctx, user)
	} else {
		date, parseErr := calendar.ParseDate(r.GetDate())
		if parseErr != nil {
			return nil, invalid(parseErr)
		}
		d, err = s.cfg.Store.Workday(ctx, user, date)
	}
	if err != nil {
		return nil, err
	}
	limit, err := s.gapLimit(ctx)
	return &controlv1.GetWorkdayResponse{Workday: workdayMessage(&d, limit)}, err
}

// readable is the user whose workdays the caller wants to read: the caller's own, or of somebody whose superior or
// clerk the caller is. Empty: the caller. Whoever may not is told the same of users that exist and of those that do
// not.
func (s *Server) readable(ctx context.Context, user string) (string, error) {
	caller := callerOf(ctx).identity.User.ID
	if user == "" || user == caller {
		return caller, nil
	}
	who, err := s.cfg.Store.Heads(ctx, caller)
	if err != nil {
		return "", err
	}
	if !who.MayApplyFor(user) {
		return "", store.ErrNotAllowed
	}
	return user, nil
}

func (s *teleworkService) GetMonth(ctx context.Context, r *controlv1.GetMonthRequest) (*controlv1.GetMonthResponse, error) {
	month, err := s.month(r.GetMonth())
	if err != nil {
		return nil, err
	}
	user, err := s.readable(ctx, r.GetUserId())
	if err != nil {
		return nil, err
	}
	report, err := s.cfg.Store.Month(ctx, user, month)
	if err != nil {
		return nil, err
	}
	limit, err := s.gapLimit(ctx)
	return &controlv1.GetMonthResponse{Report: reportMessage(&report, limit), GapLimitMs: limit.Milliseconds()}, err
}

// month reads a month; empty: this one.
func (s *Server) month(text string) (calendar.Month, error) {
	if text == "" {
		return calendar.DateOf(s.cfg.Now()).InMonth(), nil
	}
	m, err := calendar.ParseMonth(text)
	if err != nil {
		return m, invalid(err)
	}
	return m, nil
}

func (s *teleworkService) ExportMonths(ctx context.Context, r *controlv1.ExportMonthsRequest) (*controlv1.ExportMonthsResponse, error) {
	month, err := s.month(r.GetMonth())
	if err != nil {
		return nil, err
	}
	charset := telework.UTF8
	switch r.GetEncoding() {
	case controlv1.CsvEncoding_CSV_ENCODING_UNSPECIFIED, controlv1.CsvEncoding_CSV_ENCODING_UTF8:
	case controlv1.CsvEncoding_CSV_ENCODING_CP932:
		charset = telework.CP932
	default:
		return nil, invalid(errors.New("encoding"))
	}
	reports, users, err := s.reports(ctx, month, r.GetUserIds())
	if err != nil {
		return nil, err
	}
	limit, err := s.gapLimit(ctx)
	if err != nil {
		return nil, err
	}
	b, loss, err := telework.CSV(reports, limit, charset)
	if err != nil {
		return nil, err
	}
	if err := s.cfg.Store.RecordExport(ctx, callerOf(ctx).by, month, users); err != nil {
		return nil, err
	}
	return &controlv1.ExportMonthsResponse{
		Csv: b, FileName: telework.FileName(month), Reduced: int32(loss.Reduced), Lost: int32(loss.Lost), //nolint:gosec // some thousands
	}, nil
}

// reports are the months of users whom the caller may read; without users the caller's own.
func (s *Server) reports(ctx context.Context, month calendar.Month, asked []string) (reports []telework.Report, users []string, err error) {
	if len(asked) == 0 {
		asked = []string{""}
	}
	if len(asked) > maxReportUsers {
		return nil, nil, invalid(errors.New("too many users"))
	}
	for _, one := range asked {
		user, err := s.readable(ctx, one)
		if err != nil {
			return nil, nil, err
		}
		if slices.Contains(users, user) {
			return nil, nil, invalid(errors.New("a user twice"))
		}
		report, err := s.cfg.Store.WholeMonth(ctx, user, month)
		if err != nil {
			return nil, nil, err
		}
		reports, users = append(reports, report), append(users, user)
	}
	return reports, users, nil
}

func (s *approvalService) ListMonths(ctx context.Context, r *controlv1.ListMonthsRequest) (*controlv1.ListMonthsResponse, error) {
	month, err := s.month(r.GetMonth())
	if err != nil {
		return nil, err
	}
	limit, err := s.gapLimit(ctx)
	if err != nil {
		return nil, err
	}
	reports, err := s.cfg.Store.Reports(ctx, callerOf(ctx).identity.User.ID, month)
	if err != nil {
		return nil, err
	}
	answer := &controlv1.ListMonthsResponse{GapLimitMs: limit.Milliseconds()}
	for i := range reports {
		answer.Reports = append(answer.Reports, totalsMessage(&reports[i], limit))
	}
	return answer, nil
}

func (s *approvalService) ConfirmMonths(ctx context.Context, r *controlv1.ConfirmMonthsRequest) (*controlv1.ConfirmMonthsResponse, error) {
	month, err := calendar.ParseMonth(r.GetMonth())
	if err != nil {
		return nil, invalid(err)
	}
	if n := len(r.GetUserIds()); n < 1 || n > maxReportUsers {
		return nil, invalid(errors.New("1 to 500 users"))
	}
	c := callerOf(ctx)
	no, err := s.cfg.Store.ConfirmMonths(ctx, c.by, c.identity.User.ID, month, r.GetUserIds())
	answer := &controlv1.ConfirmMonthsResponse{}
	for _, x := range no {
		answer.Refusals = append(answer.Refusals, &controlv1.MonthRefusal{UserId: x.User, Refusal: refusalOf(x.Code)})
	}
	return answer, err
}

// workdayMessage is a day as its user, superiors and clerks see it.
func workdayMessage(d *telework.DayReport, limit time.Duration) *controlv1.Workday {
	m := &controlv1.Workday{
		UserId: d.User, Date: d.Date.String(), State: controlv1.WorkdayState(d.State()), Segments: segmentMessages(d.Segments), Done: d.Done,
		WorkMs: d.WorkMS, AwayMs: d.AwayMS, ConnectedMs: d.ConnectedMS, GapMs: d.GapMS, Place: controlv1.Place(d.Place), ConfirmedMs: d.ConfirmedMS,
		EndMissing: d.EndMissing, Approved: d.Approved, GapFlagged: d.GapMS > limit.Milliseconds(),
	}
	for _, c := range d.Connections {
		m.Connections = append(m.Connections, &controlv1.Connection{
			FromMs: c.FromMS, UntilMs: c.UntilMS, DeskName: c.Desk, Place: controlv1.Place(c.Place),
		})
	}
	for _, c := range d.Corrections {
		m.Corrections = append(m.Corrections, &controlv1.Correction{
			TimeMs: c.AtMS, ByName: c.ByName, Reason: c.Reason, Before: segmentMessages(c.Before),
		})
	}
	return m
}

func segmentMessages(segments []telework.Segment) []*controlv1.Segment {
	var all []*controlv1.Segment
	for _, s := range segments {
		all = append(all, &controlv1.Segment{Kind: controlv1.SegmentKind(s.Kind), FromMs: s.FromMS, UntilMs: s.UntilMS})
	}
	return all
}

func reportMessage(r *telework.Report, limit time.Duration) *controlv1.MonthReport {
	m := totalsMessage(r, limit)
	for i := range r.Days {
		m.Workdays = append(m.Workdays, workdayMessage(&r.Days[i], limit))
	}
	return m
}

// totalsMessage is a month without its days.
func totalsMessage(r *telework.Report, limit time.Duration) *controlv1.MonthReport {
	t := r.Totals(limit)
	return &controlv1.MonthReport{
		UserId: r.User, UserName: r.UserName, SectionName: r.SectionName, Month: r.Month.String(), Days: int32(t.Days), //nolint:gosec // at most 31
		WorkMs: t.WorkMS, ConnectedMs: t.ConnectedMS, GapDays: int32(t.GapDays), ApprovedDays: int32(t.ApprovedDays), //nolint:gosec // see above
		ConfirmedMs: r.ConfirmedMS, ConfirmedByName: r.ConfirmedBy, OpenDays: int32(t.EndMissing), //nolint:gosec // see above
	}
}
