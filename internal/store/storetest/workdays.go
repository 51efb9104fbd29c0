package storetest

import (
	"strings"
	"sync"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/audit"
	"jiseki/internal/calendar"
	"jiseki/internal/store"
	"jiseki/internal/telework"
)

// suzuki reports and corrects.
var bySuzuki = store.By{Actor: "user:suzuki"}

// to sets the clock to a time in Japan, such as 2026-11-24 09:00.
func (t *suite) to(text string) {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", text, calendar.JST)
	t.ok(err)
	t.clock.Add(at.Sub(t.clock.Now()))
}

// at is a time in Japan in milliseconds; empty is 0.
func (t *suite) at(text string) int64 {
	t.Helper()
	if text == "" {
		return 0
	}
	at, err := time.ParseInLocation("2006-01-02 15:04", text, calendar.JST)
	t.ok(err)
	return at.UnixMilli()
}

func (t *suite) segment(kind telework.SegmentKind, from, until string) telework.Segment {
	t.Helper()
	return telework.Segment{Kind: kind, FromMS: t.at(from), UntilMS: t.at(until)}
}

func (t *suite) date(text string) calendar.Date {
	t.Helper()
	d, err := calendar.ParseDate(text)
	t.ok(err)
	return d
}

// begins reports at a time that suzuki begins a segment; finishes that the day ends. Both return the date of the
// workday.
func (t *suite) begins(at string, kind telework.SegmentKind) string {
	t.Helper()
	t.to(at)
	d, err := t.s.ReportWorkday(t.ctx, bySuzuki, "suzuki", store.WorkdayReport{Kind: kind})
	t.ok(err)
	return d.String()
}

func (t *suite) finishes(at string) string {
	t.Helper()
	t.to(at)
	d, err := t.s.ReportWorkday(t.ctx, bySuzuki, "suzuki", store.WorkdayReport{Finish: true})
	t.ok(err)
	return d.String()
}

func (t *suite) day(date string) telework.DayReport {
	t.Helper()
	d, err := t.s.Workday(t.ctx, "suzuki", t.date(date))
	t.ok(err)
	return d
}

func (t *suite) refusedWith(err error, code access.Code) {
	t.Helper()
	if !telework.RefusedWith(err, code) {
		t.Fatalf("got %v, want %s", err, code)
	}
}

func workdays(t *suite) {
	_, err := t.s.ReportWorkday(t.ctx, bySuzuki, "suzuki", store.WorkdayReport{Finish: true})
	t.refusedWith(err, access.WorkdayNotStarted)
	_, open, err := t.s.OpenSegment(t.ctx, "suzuki")
	t.ok(err)
	t.equal(open, false)
	t.equal(t.begins("2026-11-24 09:00", telework.Work), "2026-11-24")
	t.equal(t.last().Kind, audit.WorkdayReported)
	before := t.last().Number
	t.begins("2026-11-24 09:01", telework.Work) // a second click
	t.equal(t.last().Number, before)
	t.begins("2026-11-24 12:00", telework.Break)
	s, open, err := t.s.OpenSegment(t.ctx, "suzuki")
	t.ok(err)
	t.equal([]any{s, open}, []any{t.segment(telework.Break, "2026-11-24 12:00", ""), true})
	t.begins("2026-11-24 13:00", telework.Work)
	t.ok(t.s.SaveDone(t.ctx, bySuzuki, "suzuki", t.date("2026-11-24"), "課税台帳の確認\n電話対応"))
	t.equal(strings.Contains(t.last().Details, "台帳"), false)
	t.equal(t.finishes("2026-11-24 17:15"), "2026-11-24")
	d := t.day("2026-11-24")
	t.equal(d.Segments, []telework.Segment{
		t.segment(telework.Work, "2026-11-24 09:00", "2026-11-24 12:00"), t.segment(telework.Break, "2026-11-24 12:00", "2026-11-24 13:00"),
		t.segment(telework.Work, "2026-11-24 13:00", "2026-11-24 17:15"),
	})
	t.equal([]any{d.State(), d.Done, d.WorkMS, d.AwayMS}, []any{telework.Finished, "課税台帳の確認\n電話対応", int64(7*60+15) * 60_000, int64(60 * 60_000)})
	_, open, err = t.s.OpenSegment(t.ctx, "suzuki")
	t.ok(err)
	t.equal(open, false)
	other, err := t.s.Workday(t.ctx, "tanaka", t.date("2026-11-24"))
	t.ok(err)
	t.equal([]any{other.State(), len(other.Segments)}, []any{telework.NotStarted, 0})
	t.fails(t.s.SaveDone(t.ctx, bySuzuki, "suzuki", t.date("2026-11-24"), "a\x00"), store.ErrInvalid)
	_, err = t.s.ReportWorkday(t.ctx, bySuzuki, "suzuki", store.WorkdayReport{Kind: 99})
	t.fails(err, store.ErrInvalid)
	_, err = t.s.ReportWorkday(t.ctx, store.By{}, "suzuki", store.WorkdayReport{Kind: telework.Work}) // no actor, no event, no act
	t.fails(err, audit.ErrForm)
	d = t.day("2026-11-24")
	t.equal(d.State(), telework.Finished)
}

// workdayOverMidnight: over midnight, the end of a month and 31 March a day goes on; the next begins on its own date.
func workdayOverMidnight(t *suite) {
	for _, eve := range []string{"2026-11-24", "2026-11-30", "2026-12-31", "2027-03-31"} {
		next := t.date(eve).Add(1).String()
		t.equal(t.begins(eve+" 22:00", telework.Work), eve)
		t.equal(t.begins(next+" 00:30", telework.Break), eve)
		t.equal(t.begins(next+" 01:00", telework.Work), eve)
		today, err := t.s.Today(t.ctx, "suzuki")
		t.ok(err)
		t.equal([]any{today.Date.String(), today.State()}, []any{eve, telework.Working})
		t.equal(t.finishes(next+" 02:00"), eve)
		t.equal(t.begins(next+" 08:30", telework.Work), next)
		t.equal(t.finishes(next+" 09:30"), next)
		t.equal([]any{len(t.day(eve).Segments), len(t.day(next).Segments)}, []any{3, 1})
	}
	march, err := t.s.Month(t.ctx, "suzuki", calendar.Month{Year: 2027, Month: 3})
	t.ok(err)
	t.equal([]any{len(march.Days), march.Totals(0).WorkMS}, []any{1, int64(210 * 60_000)})
}

// workdayForgottenEnd: it is never closed silently; a day later a new day may begin, and the former waits for its
// correction.
func workdayForgottenEnd(t *suite) {
	t.begins("2026-11-24 08:30", telework.Work)
	t.to("2026-11-25 00:29")
	t.ok(t.s.Remind(t.ctx))
	t.equal(t.kinds("suzuki"), []string(nil))
	t.to("2026-11-25 00:31")
	for range 3 {
		t.ok(t.s.Remind(t.ctx))
	}
	t.equal(t.kinds("suzuki"), []string{"workday_missing_end"})
	t.equal(t.begins("2026-11-25 08:29", telework.Work), "2026-11-24") // it lasts already: nothing happens
	t.to("2026-11-25 08:30")
	_, err := t.s.ReportWorkday(t.ctx, bySuzuki, "suzuki", store.WorkdayReport{Finish: true})
	t.refusedWith(err, access.WorkdayEndMissing)
	t.equal(t.begins("2026-11-25 08:30", telework.Work), "2026-11-25")
	d := t.day("2026-11-24")
	t.equal([]any{d.EndMissing, d.Open(), d.WorkMS}, []any{true, true, int64(0)})
	t.finishes("2026-11-25 17:15")

	worked := []telework.Segment{t.segment(telework.Work, "2026-11-24 08:30", "2026-11-24 17:15")}
	t.ok(t.s.CorrectWorkday(t.ctx, bySuzuki, "suzuki", d.Date, worked, "終業の報告を忘れた"))
	d = t.day("2026-11-24")
	t.equal([]any{d.EndMissing, d.Segments}, []any{false, worked})
	t.equal(d.Corrections, []telework.Correction{{
		AtMS: t.clock.Now().UnixMilli(), By: "suzuki", ByName: "鈴木 一郎", Reason: "終業の報告を忘れた",
		Before: []telework.Segment{t.segment(telework.Work, "2026-11-24 08:30", "")},
	}})
	t.equal(t.last().Kind, audit.WorkdayCorrected)
	err = t.s.CorrectWorkday(t.ctx, bySuzuki, "suzuki", d.Date, []telework.Segment{t.segment(telework.Work, "2026-11-24 08:30", "2026-11-25 08:31")}, "x")
	t.refusedWith(err, access.SegmentsOverlap)
	t.fails(t.s.CorrectWorkday(t.ctx, bySuzuki, "suzuki", d.Date, worked, " "), store.ErrInvalid)
	for i := range 2 {
		worked[0].UntilMS -= 60_000
		t.ok(t.s.CorrectWorkday(t.ctx, bySuzuki, "suzuki", d.Date, worked, "もう一度"))
		t.equal(len(t.day("2026-11-24").Corrections), i+2)
	}
}

// workdayClock: whatever the clock does, no segment is negative, and a day from a wrong future does not stay in the
// way.
func workdayClock(t *suite) {
	t.begins("2026-11-24 10:00", telework.Work)
	t.equal(t.begins("2026-11-24 09:00", telework.Break), "2026-11-24")
	t.finishes("2026-11-24 09:30")
	t.equal(t.day("2026-11-24").Segments, []telework.Segment{
		t.segment(telework.Work, "2026-11-24 10:00", "2026-11-24 10:00"), t.segment(telework.Break, "2026-11-24 10:00", "2026-11-24 10:00"),
	})
	t.equal(t.begins("2036-11-24 10:00", telework.Work), "2036-11-24")
	t.equal(t.begins("2026-11-25 08:30", telework.Work), "2026-11-25")
	t.equal(t.begins("2026-11-25 12:00", telework.Break), "2026-11-25")
	t.equal(t.begins("2026-11-24 23:59", telework.Work), "2026-11-25") // back over midnight, the day goes on
	t.finishes("2026-11-25 17:00")
	for _, s := range t.day("2026-11-25").Segments {
		if s.UntilMS < s.FromMS {
			t.Fatalf("negative segment: %v", s)
		}
	}
}

// workdayConnections: sessions stand beside the day as the gateway stamped them.
func workdayConnections(t *suite) {
	t.begins("2026-11-24 08:30", telework.Work)
	t.to("2026-11-24 08:45")
	id := Session(t.T, t.s, 1, "suzuki", "d2", "k2")
	t.report(1, "k2", id, store.AgentOpened, 0)
	Session(t.T, t.s, 2, "suzuki", "d2", "k2") // never opened
	t.to("2026-11-24 17:00")
	d := t.day("2026-11-24")
	t.equal(d.Connections, []telework.Connection{{FromMS: t.at("2026-11-24 08:45"), Desk: "税務課 01", Place: access.Home}})
	t.equal([]any{d.ConnectedMS, d.GapMS, d.Place}, []any{int64(495 * 60_000), int64(15 * 60_000), access.Home})
	t.ok(t.s.EndSession(t.ctx, Admin, id, 1, ""))
	t.finishes("2026-11-24 17:15")
	t.clock.Add(48 * time.Hour)
	d = t.day("2026-11-24")
	t.equal([]any{d.Connections[0].UntilMS, d.ConnectedMS, d.GapMS}, []any{t.at("2026-11-24 17:00"), int64(495 * 60_000), int64(30 * 60_000)})
	r, err := t.s.Month(t.ctx, "suzuki", calendar.Month{Year: 2026, Month: 11})
	t.ok(err)
	t.equal([]any{r.UserName, r.SectionName, len(r.Days)}, []any{"鈴木 一郎", "税務課", 1})
	t.equal(r.Totals(30*time.Minute), telework.Totals{Days: 1, WorkMS: 525 * 60_000, ConnectedMS: 495 * 60_000})
	t.equal(r.Totals(30*time.Minute-time.Millisecond).GapDays, 1)
	_, err = t.s.Month(t.ctx, "nobody", calendar.Month{Year: 2026, Month: 11})
	t.fails(err, store.ErrNotFound)
}

// kinds of a user's notices, oldest first.
func (t *suite) kinds(user string) (kinds []string) {
	t.Helper()
	all, _, err := t.s.Notices(t.ctx, user, store.Page{})
	t.ok(err)
	for i := range all {
		kinds = append([]string{all[i].Kind}, kinds...)
	}
	return kinds
}

func months(t *suite) {
	november := calendar.Month{Year: 2026, Month: 11}
	t.ok(t.s.PutSection(t.ctx, Admin, store.Section{ID: "zeimu", Name: "税務課", Position: 2, Head: "tanaka"}))
	byTanaka := store.By{Actor: "user:tanaka"}
	confirm := func(by string, users ...string) []store.Unconfirmed {
		t.Helper()
		no, err := t.s.ConfirmMonths(t.ctx, store.By{Actor: "user:" + by}, by, november, users)
		t.ok(err)
		return no
	}
	t.begins("2026-11-24 08:30", telework.Work)
	t.equal(confirm("tanaka", "suzuki"), []store.Unconfirmed{{User: "suzuki", Code: access.MonthNotOver}})
	t.to("2026-12-01 09:00")
	t.equal(confirm("tanaka", "suzuki"), []store.Unconfirmed{{User: "suzuki", Code: access.WorkdayEndMissing}})
	for range 2 {
		t.ok(t.s.Remind(t.ctx))
	}
	t.equal(t.kinds("tanaka"), []string{"month_to_confirm"})
	t.clock.Add(time.Second)
	correct := func() {
		t.Helper()
		worked := []telework.Segment{t.segment(telework.Work, "2026-11-24 08:30", "2026-11-24 17:15")}
		t.ok(t.s.CorrectWorkday(t.ctx, bySuzuki, "suzuki", t.date("2026-11-24"), worked, "報告漏れ"))
	}
	correct()
	t.equal(t.kinds("tanaka"), []string{"month_to_confirm"})
	t.equal(confirm("suzuki", "suzuki", "tanaka"), []store.Unconfirmed{{User: "suzuki", Code: access.NotAllowed}, {User: "tanaka", Code: access.NotAllowed}})
	t.equal(confirm("tanaka", "tanaka", "suzuki", "nobody"), []store.Unconfirmed{{User: "tanaka", Code: access.NotAllowed}, {User: "nobody", Code: access.NotAllowed}})
	t.equal(t.last().Kind, audit.MonthConfirmed)
	events := t.last().Number
	t.equal(len(confirm("tanaka", "suzuki")), 0)
	t.equal(t.last().Number, events)
	r, err := t.s.Month(t.ctx, "suzuki", november)
	t.ok(err)
	t.equal([]any{r.ConfirmedMS, r.ConfirmedBy, r.Days[0].ConfirmedMS}, []any{t.clock.Now().UnixMilli(), "田中 花子", t.clock.Now().UnixMilli()})
	t.equal(t.kinds("suzuki"), []string{"workday_missing_end", "month_confirmed"})

	t.clock.Add(time.Hour)
	for _, change := range []func(){correct, func() { t.ok(t.s.SaveDone(t.ctx, bySuzuki, "suzuki", t.date("2026-11-24"), "台帳")) }} {
		change()
		t.equal(t.day("2026-11-24").ConfirmedMS, int64(0))
		t.equal(t.kinds("tanaka")[len(t.kinds("tanaka"))-1], "month_corrected")
		t.equal(len(confirm("tanaka", "suzuki")), 0)
		t.clock.Add(time.Second)
	}
	reports := func(reader string) (users []string) {
		t.Helper()
		all, err := t.s.Reports(t.ctx, reader, november)
		t.ok(err)
		for i := range all {
			users = append(users, all[i].User)
		}
		return users
	}
	t.equal([]any{reports("tanaka"), reports("suzuki"), reports("admin")}, []any{[]string{"suzuki"}, []string(nil), []string(nil)})
	t.ok(t.s.RecordExport(t.ctx, byTanaka, november, []string{"suzuki"}))
	t.equal(t.last().Details, `{"count":1,"month":"2026-11","users":["suzuki"]}`)
}

// segmentsAtOnce: clicks at the same time from two devices make one order.
func segmentsAtOnce(t *suite) {
	t.begins("2026-11-24 09:00", telework.Work)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			kind := []telework.SegmentKind{telework.Work, telework.Break, telework.Trip, telework.Hall}[i%4]
			if _, err := t.s.ReportWorkday(t.ctx, bySuzuki, "suzuki", store.WorkdayReport{Kind: kind}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	segments := t.day("2026-11-24").Segments
	for i, s := range segments {
		if s.Lasts() != (i == len(segments)-1) {
			t.Fatalf("segment %d of %v", i, segments)
		}
	}
}

// reminders of tomorrow and of the registration's end, each once.
func reminders(t *suite) {
	t.ok(t.s.PutSection(t.ctx, Admin, store.Section{ID: "zeimu", Name: "税務課", Position: 2, Head: "tanaka"}))
	r, err := t.s.SubmitRequest(t.ctx, bySuzuki, store.Submission{Draft: wish(t.date("2026-11-26"), t.date("2026-11-27"))})
	t.ok(err)
	remind := func(at string, want ...string) {
		t.Helper()
		t.to(at)
		for range 2 {
			t.ok(t.s.Remind(t.ctx))
		}
		t.equal(t.kinds("suzuki"), want)
	}
	remind("2026-11-25 15:00") // not approved
	t.to("2026-11-25 14:58")   // not at the moment of a reminder: notices of one moment are in no order
	_, err = t.s.DecideRequest(t.ctx, store.By{Actor: "user:tanaka"}, r.ID, telework.Decision{Answer: telework.Approve, Revision: r.Revision})
	t.ok(err)
	remind("2026-11-25 14:59", "request_approved")
	remind("2026-11-25 15:00", "request_approved", "tomorrow_telework")
	remind("2026-11-26 23:59", "request_approved", "tomorrow_telework", "tomorrow_telework")
	remind("2026-11-27 16:00", "request_approved", "tomorrow_telework", "tomorrow_telework")
	t.ok(t.s.PutStaff(t.ctx, Admin, store.StaffMember{User: "suzuki", RegisteredUntil: t.date("2027-03-31")}))
	remind("2027-02-28 09:00", "request_approved", "tomorrow_telework", "tomorrow_telework")
	remind("2027-03-01 09:00", "request_approved", "tomorrow_telework", "tomorrow_telework", "registration_ends")
	remind("2027-04-01 09:00", "request_approved", "tomorrow_telework", "tomorrow_telework", "registration_ends")
}
