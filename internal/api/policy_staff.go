package api

import (
	"context"
	"errors"
	"fmt"

	"jiseki/internal/calendar"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/sheet"
	"jiseki/internal/store"
)

func (s *policyService) ListHolidays(ctx context.Context, r *controlv1.ListHolidaysRequest) (*controlv1.ListHolidaysResponse, error) {
	year := int(r.GetFiscalYear())
	if year < 1900 || year > 9998 {
		return nil, invalid(errors.New("fiscal year"))
	}
	from := calendar.Date{Year: year, Month: 4, Day: 1}
	days, err := s.cfg.Store.Holidays(ctx, from, from.FiscalYearEnd())
	if err != nil {
		return nil, err
	}
	answer := &controlv1.ListHolidaysResponse{}
	for _, h := range days {
		answer.Holidays = append(answer.Holidays, &controlv1.Holiday{Date: h.Date.String(), Name: h.Name, Open: h.Open})
	}
	return answer, nil
}

func (s *policyService) ImportHolidays(ctx context.Context, r *controlv1.ImportHolidaysRequest) (*controlv1.ImportHolidaysResponse, error) {
	days, warnings, problems := calendar.ParseHolidays(r.GetCsv(), calendar.DateOf(s.cfg.Now()))
	if len(problems) > 0 {
		refusal := &controlv1.CsvRefusal{Errors: csvErrors(problems)}
		return &controlv1.ImportHolidaysResponse{Outcome: &controlv1.ImportHolidaysResponse_Refusal{Refusal: refusal}}, nil
	}
	kept := make([]store.Holiday, len(days))
	for i, d := range days {
		kept[i] = store.Holiday{Date: d.Date, Name: d.Name}
	}
	if err := s.cfg.Store.PutHolidays(ctx, callerOf(ctx).by, kept); err != nil {
		return nil, err
	}
	return &controlv1.ImportHolidaysResponse{Outcome: &controlv1.ImportHolidaysResponse_Imported{
		Imported: &controlv1.ImportedHolidays{Count: int32(len(kept)), Warnings: csvErrors(warnings)}, //nolint:gosec // bounded by ParseHolidays
	}}, nil
}

func csvErrors(problems []sheet.Problem) []*controlv1.CsvError {
	out := make([]*controlv1.CsvError, len(problems))
	for i, p := range problems {
		out[i] = &controlv1.CsvError{
			Line: int32(p.Line), Column: int32(p.Column), ColumnJa: p.ColumnJA, ColumnEn: p.ColumnEN, Ja: p.JA, En: p.EN, //nolint:gosec // bounded by the size of the file
		}
	}
	return out
}

func (s *policyService) PutHoliday(ctx context.Context, r *controlv1.PutHolidayRequest) (*controlv1.PutHolidayResponse, error) {
	d, err := calendar.ParseDate(r.GetHoliday().GetDate())
	if err != nil {
		return nil, invalid(err)
	}
	h := store.Holiday{Date: d, Name: r.GetHoliday().GetName(), Open: r.GetHoliday().GetOpen()}
	return &controlv1.PutHolidayResponse{}, s.cfg.Store.PutHolidays(ctx, callerOf(ctx).by, []store.Holiday{h})
}

func (s *policyService) DeleteHoliday(ctx context.Context, r *controlv1.DeleteHolidayRequest) (*controlv1.DeleteHolidayResponse, error) {
	d, err := calendar.ParseDate(r.GetDate())
	if err != nil {
		return nil, invalid(err)
	}
	return &controlv1.DeleteHolidayResponse{}, s.cfg.Store.DeleteHoliday(ctx, callerOf(ctx).by, d)
}

func (s *policyService) ListStaff(ctx context.Context, r *controlv1.ListStaffRequest) (*controlv1.ListStaffResponse, error) {
	staff, next, err := s.cfg.Store.Staff(ctx, store.UserFilter{Query: r.GetQuery(), Section: r.GetSectionId()}, pageOf(r.GetPage()))
	if err != nil {
		return nil, err
	}
	answer := &controlv1.ListStaffResponse{NextToken: next}
	for i := range staff {
		answer.Staff = append(answer.Staff, staffMessage(&staff[i]))
	}
	return answer, nil
}

func staffMessage(m *store.StaffMember) *controlv1.StaffMember {
	out := &controlv1.StaffMember{
		UserId: m.User, Name: m.Name, Kana: m.Kana, SectionId: m.Section, Employment: m.Employment, Mail: m.Mail,
		RegisteredUntil: m.RegisteredUntil.String(), Clerk: m.Clerk,
	}
	for _, h := range m.Hours {
		out.Hours = append(out.Hours, &controlv1.DatedHours{
			From: h.From.String(), Weekdays: uint32(h.Weekdays), Hours: workingHours(h.Hours), Note: h.Note,
		})
	}
	return out
}

func (s *policyService) UpdateStaff(ctx context.Context, r *controlv1.UpdateStaffRequest) (*controlv1.UpdateStaffResponse, error) {
	m, err := parseStaff(r.GetMember())
	if err != nil {
		return nil, err
	}
	if err := s.cfg.Store.PutStaff(ctx, callerOf(ctx).by, m); err != nil {
		return nil, err
	}
	now, err := s.cfg.Store.StaffMember(ctx, m.User)
	if err != nil {
		return nil, err
	}
	return &controlv1.UpdateStaffResponse{Member: staffMessage(&now)}, nil
}

func parseStaff(in *controlv1.StaffMember) (store.StaffMember, error) {
	m := store.StaffMember{User: in.GetUserId(), Employment: in.GetEmployment(), Mail: in.GetMail(), Clerk: in.GetClerk()}
	if err := checkID(m.User); err != nil {
		return m, err
	}
	var err error
	if m.RegisteredUntil, err = dateOr(in.GetRegisteredUntil(), calendar.Date{}); err != nil {
		return m, err
	}
	for i, h := range in.GetHours() {
		from, err := calendar.ParseDate(h.GetFrom())
		if err != nil {
			return m, invalid(fmt.Errorf("hours %d: %w", i+1, err))
		}
		if h.GetWeekdays() > 127 {
			return m, invalid(fmt.Errorf("hours %d: weekdays", i+1))
		}
		m.Hours = append(m.Hours, calendar.Dated{From: from, Weekdays: uint8(h.GetWeekdays()), Hours: parseHours(h.GetHours()), Note: h.GetNote()})
	}
	return m, nil
}

func (s *policyService) RenewRegistrations(ctx context.Context, r *controlv1.RenewRegistrationsRequest) (*controlv1.RenewRegistrationsResponse, error) {
	year := int(r.GetFiscalYear())
	now := calendar.DateOf(s.cfg.Now()).FiscalYear()
	if year < now || year > now+1 {
		return nil, invalid(errors.New("fiscal year: this or the next"))
	}
	if r.GetAll() == (len(r.GetUserIds()) > 0) {
		return nil, invalid(errors.New("users or all"))
	}
	until := calendar.Date{Year: year, Month: 4, Day: 1}.FiscalYearEnd()
	renewed, err := s.cfg.Store.RenewRegistrations(ctx, callerOf(ctx).by, r.GetUserIds(), r.GetAll(), until)
	if err != nil {
		return nil, err
	}
	return &controlv1.RenewRegistrationsResponse{Renewed: int32(renewed), Until: until.String()}, nil //nolint:gosec // some thousands
}
