package storetest

import (
	"time"

	"jiseki/internal/access"
	"jiseki/internal/audit"
	"jiseki/internal/calendar"
	"jiseki/internal/grant"
	"jiseki/internal/store"
)

// policy changes the organisation's settings and policy.
func (t *suite) policy(change func(*access.Settings)) {
	t.Helper()
	o, err := t.s.Organisation(t.ctx)
	t.ok(err)
	change(&o.Settings)
	revision, err := t.s.UpdateSettings(t.ctx, Admin, o.Revision, o.Name, o.Settings)
	t.ok(err)
	_, err = t.s.UpdatePolicy(t.ctx, Admin, revision, o.Settings.Policy)
	t.ok(err)
}

func date(text string) calendar.Date {
	d, err := calendar.ParseDate(text)
	if err != nil {
		panic(err)
	}
	return d
}

func policy(t *suite) {
	o, err := t.s.Organisation(t.ctx)
	t.ok(err)
	p := o.Settings.Policy
	p.Rules = []access.PolicyRule{{Section: "soumu", Zone: grant.ZoneLGWAN, Idle: 5 * time.Minute}}
	p.GapLimit = time.Hour
	revision, err := t.s.UpdatePolicy(t.ctx, Admin, o.Revision, p)
	t.ok(err)
	t.equal(t.last().Kind, audit.PolicyChanged)
	t.equal(t.last().Details, `{"policy.gap_limit":"1800000000000 -> 3600000000000","policy.rules":"null -> [{\"section\":\"soumu\",\"zone\":1,\"idle\":300000000000}]"}`)
	_, err = t.s.UpdatePolicy(t.ctx, Admin, o.Revision, p)
	t.fails(err, store.ErrStale)
	p.Rules[0].Section = "nowhere"
	_, err = t.s.UpdatePolicy(t.ctx, Admin, revision, p)
	t.fails(err, store.ErrInvalid)
	p.Rules[0] = access.PolicyRule{Night: 7}
	_, err = t.s.UpdatePolicy(t.ctx, Admin, revision, p)
	t.fails(err, store.ErrInvalid)

	// Settings leave the policy alone.
	o.Settings.MaxSessions, o.Settings.Policy = 3, access.PolicySettings{}
	_, err = t.s.UpdateSettings(t.ctx, Admin, revision, o.Name, o.Settings)
	t.ok(err)
	o, err = t.s.Organisation(t.ctx)
	t.ok(err)
	standing, err := t.s.Standing(t.ctx, "tanaka")
	t.ok(err)
	for zone, idle := range map[grant.Zone]time.Duration{grant.ZoneLGWAN: 5 * time.Minute, grant.ZoneInternet: 30 * time.Minute, 0: 30 * time.Minute} {
		t.equal(o.Settings.Resolve(standing.Subject(zone)).Idle, idle)
	}
	_, err = t.s.Standing(t.ctx, "nobody")
	t.fails(err, store.ErrNotFound)
}

func holidays(t *suite) {
	t.ok(t.s.PutHolidays(t.ctx, Admin, []store.Holiday{
		{Date: date("2026-11-23"), Name: "勤労感謝の日"}, {Date: date("2026-11-03"), Name: "文化の日"}, {Date: date("2026-11-28"), Name: "選挙の翌週", Open: true},
	}))
	days, err := t.s.Calendar(t.ctx)
	t.ok(err)
	for d, open := range map[string]bool{
		"2026-11-23": false, "2026-11-24": true, "2026-11-28": true, "2026-11-29": false, "2026-12-28": true, "2026-12-29": false, "2027-01-04": true,
	} {
		t.equal(days.Open(date(d)), open)
	}
	t.ok(t.s.PutHolidays(t.ctx, Admin, []store.Holiday{{Date: date("2026-11-23"), Name: "開庁", Open: true}}))
	t.equal(t.last().Details, `{"date":"2026-11-23","name":"開庁","open":true}`)
	got, err := t.s.Holidays(t.ctx, date("2026-11-04"), date("2026-11-28"))
	t.ok(err)
	t.equal(got, []store.Holiday{{Date: date("2026-11-23"), Name: "開庁", Open: true}, {Date: date("2026-11-28"), Name: "選挙の翌週", Open: true}})
	t.ok(t.s.DeleteHoliday(t.ctx, Admin, date("2026-11-23")))
	t.fails(t.s.DeleteHoliday(t.ctx, Admin, date("2026-11-23")), store.ErrNotFound)
	// All or none.
	t.fails(t.s.PutHolidays(t.ctx, Admin, []store.Holiday{{Date: date("2026-12-01"), Name: "よい"}, {Date: date("2026-12-02")}}), store.ErrInvalid)
	got, err = t.s.Holidays(t.ctx, date("2026-12-01"), date("2026-12-31"))
	t.ok(err)
	t.equal(len(got), 0)
}

func hours(t *suite) {
	usual := access.DefaultPolicy().Hours
	late := calendar.Hours{Start: 10 * 60, End: 18*60 + 45, BreakStart: 12 * 60, BreakEnd: 13 * 60}
	short := calendar.Hours{Start: 9 * 60, End: 16 * 60}
	t.ok(t.s.PutHolidays(t.ctx, Admin, []store.Holiday{{Date: date("2027-01-11"), Name: "成人の日"}}))
	t.ok(t.s.PutStaff(t.ctx, Admin, store.StaffMember{User: "suzuki", Hours: []calendar.Dated{
		{From: date("2026-12-01"), Weekdays: 0b0000100, Hours: late, Note: "遅出"},
		{From: date("2027-01-01"), Weekdays: 0b0011111, Hours: short, Note: "育児短時間勤務"},
		{From: date("2027-01-01"), Weekdays: 0b0100000, Hours: late, Note: "土曜"},
		{From: date("2027-02-01"), Weekdays: 0b0010000, Note: "金曜は休み"},
	}}))
	timetable, err := t.s.Timetable(t.ctx, "suzuki")
	t.ok(err)
	for d, want := range map[string]calendar.Hours{
		"2026-11-25": usual, "2026-12-01": usual, "2026-12-02": late, "2026-12-05": {}, "2026-12-30": {}, "2027-01-02": {}, "2027-01-04": short,
		"2027-01-06": short, "2027-01-09": late, "2027-01-10": {}, "2027-01-11": {}, "2027-01-29": short, "2027-02-05": {}, "2027-02-08": short,
	} {
		if got := timetable.On(date(d)); got != want {
			t.Errorf("%s: %+v, want %+v", d, got, want)
		}
	}
	// Over midnight: the clock of the fixture stands at 9:00 on 24 November.
	t.clock.Add(time.Date(2026, 12, 1, 23, 59, 59, 0, calendar.JST).Sub(t.clock.Now()))
	for _, want := range [][2]calendar.Hours{{usual, late}, {late, usual}} {
		c, err := t.s.Circumstances(t.ctx, "suzuki", usual, t.clock.Now())
		t.ok(err)
		t.equal(c.Hours, want)
		t.clock.Add(time.Second)
	}
}

func standing(t *suite) {
	t.ok(t.s.PutSection(t.ctx, Admin, store.Section{ID: "bu", Name: "総務部", Position: 1}))
	t.ok(t.s.PutSection(t.ctx, Admin, store.Section{ID: "soumu", Parent: "bu", Name: "総務課", Position: 1}))
	t.ok(t.s.PutSection(t.ctx, Admin, store.Section{ID: "jinji", Parent: "soumu", Name: "人事係", Position: 1}))
	u, err := t.s.User(t.ctx, "tanaka")
	t.ok(err)
	u.MainSection, u.OtherSections = "jinji", []string{"zeimu"}
	t.ok(t.s.UpdateUser(t.ctx, Admin, u))
	t.ok(t.s.PutStaff(t.ctx, Admin, store.StaffMember{User: "tanaka", Employment: "regular", RegisteredUntil: date("2027-03-31"), Clerk: true}))
	got, err := t.s.Standing(t.ctx, "tanaka")
	t.ok(err)
	t.equal(got, store.Standing{
		Sections: []string{"jinji", "soumu", "bu"}, Employment: "regular", RegisteredUntil: date("2027-03-31"), Clerk: true,
	})
	got, err = t.s.Standing(t.ctx, "admin")
	t.ok(err)
	t.equal(got, store.Standing{})
}

func registrations(t *suite) {
	_, err := t.s.SetUserDisabled(t.ctx, Admin, "suzuki", true)
	t.ok(err)
	n, err := t.s.RenewRegistrations(t.ctx, Admin, nil, true, date("2027-03-31"))
	t.ok(err)
	t.equal(n, 2)
	t.equal(t.last().Details, `{"all":true,"ids":["admin","tanaka"],"until":"2027-03-31","users":2}`)
	before := t.last().Number
	n, err = t.s.RenewRegistrations(t.ctx, Admin, []string{"tanaka"}, false, date("2027-03-31"))
	t.ok(err)
	t.equal(n, 0)
	t.equal(t.last().Number, before) // nothing changed: no event
	_, err = t.s.RenewRegistrations(t.ctx, Admin, []string{"tanaka", "nobody"}, false, date("2028-03-31"))
	t.fails(err, store.ErrNotFound)
	for user, want := range map[string]string{"tanaka": "2027-03-31", "suzuki": ""} {
		got, err := t.s.Standing(t.ctx, user)
		t.ok(err)
		t.equal(got.RegisteredUntil.String(), want)
	}
}

func staff(t *suite) {
	m := store.StaffMember{
		User: "suzuki", Employment: "fiscal-year", Mail: "suzuki@town.aoba.lg.jp", RegisteredUntil: date("2027-03-31"), Clerk: true,
		Hours: []calendar.Dated{{From: date("2026-12-01"), Weekdays: 31, Hours: calendar.Hours{Start: 540, End: 960}, Note: "短時間"}},
	}
	t.ok(t.s.PutStaff(t.ctx, Admin, m))
	t.equal(t.last().Details, `{"clerk":true,"employment":"fiscal-year","hours":"2026-12-01 0011111 09:00-16:00","mail":"suzuki@town.aoba.lg.jp","registered_until":"2027-03-31"}`)
	m.Name, m.Section = "鈴木 一郎", "zeimu"
	got, err := t.s.StaffMember(t.ctx, "suzuki")
	t.ok(err)
	t.equal(got, m)
	all, next, err := t.s.Staff(t.ctx, store.UserFilter{Section: "zeimu"}, store.Page{})
	t.ok(err)
	t.equal(all, []store.StaffMember{m})
	t.equal(next, "")
	for name, change := range map[string]func(*store.StaffMember){
		"employment": func(m *store.StaffMember) { m.Employment = "nobody" },
		"mail":       func(m *store.StaffMember) { m.Mail = "鈴木 <suzuki@town.aoba.lg.jp>" },
		"no ASCII":   func(m *store.StaffMember) { m.Mail = "鈴木@town.aoba.lg.jp" },
		"no date":    func(m *store.StaffMember) { m.Hours = []calendar.Dated{{Weekdays: 1}} },
		"no weekday": func(m *store.StaffMember) { m.Hours = []calendar.Dated{{From: date("2026-12-01")}} },
		"twice":      func(m *store.StaffMember) { m.Hours = append(m.Hours, m.Hours...) },
		"hours": func(m *store.StaffMember) {
			m.Hours = []calendar.Dated{{From: date("2026-12-01"), Weekdays: 1, Hours: calendar.Hours{End: 1441}}}
		},
	} {
		bad := m
		change(&bad)
		if err := t.s.PutStaff(t.ctx, Admin, bad); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	t.fails(t.s.PutStaff(t.ctx, Admin, store.StaffMember{User: "nobody"}), store.ErrNotFound)
	got, err = t.s.StaffMember(t.ctx, "suzuki")
	t.ok(err)
	t.equal(got, m)
}
