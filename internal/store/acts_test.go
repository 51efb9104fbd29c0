package store_test

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/calendar"
	"jiseki/internal/grant"
	"jiseki/internal/mail"
	"jiseki/internal/store"
	"jiseki/internal/store/storetest"
	"jiseki/internal/telework"
)

// mostStatements is how many statements an act has at most, whatever a caller sends and however much is kept: all who
// write wait for it.
const mostStatements = 400

// A crowd is a town with 200 people below its head, tanaka, and the most that calls may send.
type crowd struct {
	*testing.T
	*store.Store
	clock *storetest.Clock
	watch *store.Watch
	staff []string
	desks []string
}

var tanaka = store.By{Actor: "user:tanaka"}

// foundCrowd makes the town once; each test works on a copy.
func foundCrowd(t *testing.T) (dsn string) {
	t.Helper()
	dsn = storetest.SQLite(t)
	s, err := store.Open(t.Context(), store.Config{DSN: dsn, Now: storetest.NewClock().Now})
	if err != nil {
		t.Fatal(err)
	}
	c := &crowd{T: t, Store: s}
	storetest.Town(t, s)
	var users []store.NewUser
	for i := range 200 {
		users = append(users, c.newUser(staffID(i)))
	}
	c.ok(s.CreateUsers(t.Context(), storetest.Admin, users))
	for i := range 300 {
		c.ok(s.AddDesk(t.Context(), storetest.Admin, store.Desk{ID: deskID(i), Name: deskID(i), Zone: grant.ZoneLGWAN, Section: "soumu"}))
	}
	c.ok(s.Close())
	return dsn
}

func staffID(i int) string { return fmt.Sprintf("staff%03d", i) }
func deskID(i int) string  { return fmt.Sprintf("desk%03d", i) }

func newCrowd(t *testing.T, town string) *crowd {
	t.Helper()
	dsn, clock := storetest.CopySQLite(t, town), storetest.NewClock()
	c := &crowd{T: t, Store: storetest.Open(t, dsn, clock.Now), clock: clock}
	for i := range 200 {
		c.staff = append(c.staff, staffID(i))
	}
	for i := range 300 {
		c.desks = append(c.desks, deskID(i))
	}
	c.watch = store.Watched(t, c.Store, dsn)
	return c
}

func (c *crowd) newUser(id string) store.NewUser {
	return store.NewUser{
		ID: id, Name: "職員 " + id, MainSection: "soumu", Roles: []access.Role{access.Staff}, PasswordHash: "hash",
		DeviceCode: &store.NewDeviceCode{Hash: sha256.Sum256([]byte(id)), Kind: grant.DevicePrivate, UntilMS: 1 << 60}, Desks: []string{"k1"},
	}
}

func (c *crowd) ok(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

// draft asks for so many days from tomorrow on.
func (c *crowd) draft(days int) telework.Draft {
	d := telework.Draft{Place: access.Home, Reason: telework.ReasonWork}
	for day := calendar.DateOf(c.clock.Now()).Add(1); len(d.Days) < days; day = day.Add(1) {
		if (calendar.Days{}).Open(day) {
			d.Days = append(d.Days, telework.Day{Date: day, Unit: telework.Full})
		}
	}
	return d
}

// TestWorstActs does each act of which a caller decides the size, at its worst.
func TestWorstActs(t *testing.T) {
	town := foundCrowd(t)
	for _, one := range []struct {
		name string
		do   func(*crowd)
		none bool // it writes nothing
	}{
		{"order telework", (*crowd).order, false},
		{"refuse an order", (*crowd).refusedOrder, true},
		{"submit a request", (*crowd).submit, false},
		{"decide a request", (*crowd).decide, false},
		{"confirm reviews", (*crowd).confirmReviews, false},
		{"confirm months", (*crowd).confirmMonths, false},
		{"record an export", (*crowd).export, false},
		{"read notices", (*crowd).readNotices, false},
		{"correct a workday", (*crowd).correct, false},
		{"ask for power", (*crowd).askPower, false},
		{"tell all", (*crowd).tellAll, false},
		{"create users", (*crowd).createUsers, false},
		{"import holidays", (*crowd).holidays, false},
		{"renew registrations", (*crowd).renew, false},
		{"wake desks", (*crowd).wake, false},
		{"assign a desk", (*crowd).assign, false},
		{"put a section", (*crowd).section, false},
		{"put hours", (*crowd).hours, false},
		{"change posts", (*crowd).posts, false},
		{"keep the register", (*crowd).register, false},
		{"remind", (*crowd).remind, false},
	} {
		t.Run(one.name, func(t *testing.T) {
			c := newCrowd(t, town)
			one.do(c)
			w := c.watch.Take()
			if one.none && w.Acts > 0 {
				t.Error("it was refused, and waited for the writer")
			}
			const tenth = time.Millisecond / 10
			t.Logf("%d acts; in the longest %d statements, %v, of that %v at work", w.Acts, w.Statements, w.Held.Round(tenth), w.CPU.Round(tenth))
			if w.Acts == 0 && !one.none {
				t.Error("nothing was written")
			}
			if w.Statements > mostStatements {
				t.Errorf("an act of %d statements, %d are possible", w.Statements, mostStatements)
			}
		})
	}
}

func (c *crowd) order() {
	_, err := c.OrderTelework(c.Context(), tanaka, telework.TeleworkOrder, c.staff, c.draft(20))
	c.ok(err)
}

func (c *crowd) refusedOrder() {
	_, err := c.OrderTelework(c.Context(), tanaka, telework.TeleworkOrder, append(slices.Clone(c.staff), "suzuki"), c.draft(60))
	if err == nil {
		c.Fatal("an order for somebody else's people")
	}
}

func (c *crowd) submit() {
	_, err := c.SubmitRequest(c.Context(), store.By{Actor: "user:staff000"}, store.Submission{Draft: c.draft(60)})
	c.ok(err)
}

func (c *crowd) decide() {
	r, err := c.SubmitRequest(c.Context(), store.By{Actor: "user:staff000"}, store.Submission{Draft: c.draft(60)})
	c.ok(err)
	c.watch.Take()
	_, err = c.DecideRequest(c.Context(), tanaka, r.ID, telework.Decision{Answer: telework.Approve, Revision: r.Revision, Step: r.Position()})
	c.ok(err)
}

func (c *crowd) confirmReviews() {
	today := calendar.DateOf(c.clock.Now())
	_, err := c.PutAbsence(c.Context(), tanaka, false, store.Absence{User: "tanaka", From: today, Until: today})
	c.ok(err)
	var ids []string
	for _, user := range c.staff[:100] {
		r, err := c.SubmitRequest(c.Context(), store.By{Actor: "user:" + user}, store.Submission{Draft: c.draft(1)})
		c.ok(err)
		_, err = c.DecideRequest(c.Context(), store.By{Actor: "user:suzuki"}, r.ID, telework.Decision{
			Answer: telework.Approve, Revision: r.Revision, Step: r.Position(),
		})
		c.ok(err)
		ids = append(ids, r.ID)
	}
	c.watch.Take()
	c.ok(c.ConfirmReviews(c.Context(), tanaka, ids))
}

func (c *crowd) confirmMonths() {
	_, err := c.ConfirmMonths(c.Context(), tanaka, "tanaka", calendar.Month{Year: 2026, Month: 10}, c.staff)
	c.ok(err)
}

func (c *crowd) export() {
	c.ok(c.RecordExport(c.Context(), tanaka, calendar.Month{Year: 2026, Month: 10}, c.staff))
}

func (c *crowd) readNotices() {
	var notices []mail.Notice
	for range 500 {
		notices = append(notices, mail.Notice{User: "tanaka", Kind: "month_to_confirm", Path: "/", Args: map[string]string{"month": "2026-10", "count": "1"}})
	}
	c.ok(c.Notify(c.Context(), notices...))
	told, _, err := c.Notices(c.Context(), "tanaka", store.Page{Limit: 500})
	c.ok(err)
	ids := make([]string, len(told))
	for i := range told {
		ids[i] = told[i].ID
	}
	c.watch.Take()
	c.ok(c.ReadNotices(c.Context(), "tanaka", ids))
}

func (c *crowd) correct() {
	c.clock.Add(10 * 24 * time.Hour)
	day := calendar.DateOf(c.clock.Now()).Add(-1)
	var segments []telework.Segment
	for i := range 40 {
		kind := telework.Work
		if i%2 == 1 {
			kind = telework.Break
		}
		segments = append(segments, telework.Segment{Kind: kind, FromMS: day.At(i * 20).UnixMilli(), UntilMS: day.At(i*20 + 20).UnixMilli()})
	}
	c.ok(c.CorrectWorkday(c.Context(), tanaka, "tanaka", day, segments, "報告漏れ"))
	c.ok(c.CorrectWorkday(c.Context(), tanaka, "tanaka", day, segments[:39], "報告漏れ"))
}

func (c *crowd) askPower() {
	var tell []mail.Notice
	for _, user := range c.staff {
		tell = append(tell, mail.Notice{User: user, Kind: "power_on_asked", Path: "/", Args: map[string]string{"name": "田中", "desk": "総務課 01"}})
	}
	c.ok(c.AskPowerOn(c.Context(), tanaka, "k1", tell))
}

func (c *crowd) tellAll() {
	var tell []mail.Notice
	for _, user := range c.staff {
		tell = append(tell, mail.Notice{User: user, Kind: "month_to_confirm", Path: "/", Args: map[string]string{"month": "2026-10", "count": "1"}})
	}
	c.ok(c.Notify(c.Context(), tell...))
}

func (c *crowd) createUsers() {
	var users []store.NewUser
	for i := range 1000 {
		users = append(users, c.newUser(fmt.Sprintf("new%04d", i)))
	}
	c.ok(c.CreateUsers(c.Context(), storetest.Admin, users))
}

func (c *crowd) holidays() {
	var days []store.Holiday
	for day := (calendar.Date{Year: 1955, Month: 1, Day: 1}); len(days) < 10_000; day = day.Add(1) {
		days = append(days, store.Holiday{Date: day, Name: "休日"})
	}
	c.ok(c.PutHolidays(c.Context(), storetest.Admin, days))
}

func (c *crowd) renew() {
	_, err := c.RenewRegistrations(c.Context(), storetest.Admin, nil, true, calendar.Date{Year: 2027, Month: 3, Day: 31})
	c.ok(err)
}

func (c *crowd) wake() {
	var asks []store.WakeAsk
	for _, desk := range c.desks {
		asks = append(asks, store.WakeAsk{Desk: desk})
	}
	_, err := c.AskWakes(c.Context(), storetest.Admin, asks...)
	c.ok(err)
}

func (c *crowd) assign() {
	_, err := c.UpdateDesk(c.Context(), storetest.Admin, store.Desk{ID: "k2", Name: "共用", Zone: grant.ZoneInternet, Users: c.staff})
	c.ok(err)
}

func (c *crowd) section() {
	c.ok(c.PutSection(c.Context(), storetest.Admin, store.Section{ID: "soumu", Name: "総務課", Head: "tanaka", Deputies: c.staff}))
}

func (c *crowd) hours() {
	m := store.StaffMember{User: "tanaka"}
	for i := range 100 {
		m.Hours = append(m.Hours, calendar.Dated{
			From: calendar.DateOf(c.clock.Now()).Add(i), Weekdays: 127, Hours: calendar.Hours{Start: 510, End: 1035, BreakStart: 720, BreakEnd: 780},
		})
	}
	c.ok(c.PutStaff(c.Context(), storetest.Admin, m))
}

func (c *crowd) posts() {
	var others []string
	for i := range 200 {
		id := fmt.Sprintf("section%03d", i)
		c.ok(c.PutSection(c.Context(), storetest.Admin, store.Section{ID: id, Name: id}))
		others = append(others, id)
	}
	c.watch.Take()
	c.ok(c.UpdateUser(c.Context(), storetest.Admin, store.User{ID: "suzuki", Name: "鈴木", MainSection: "zeimu", OtherSections: others}))
}

// register has grown for years: people came to desks and went.
func (c *crowd) register() {
	for i := range 20 {
		users := c.staff
		if i%2 == 1 {
			users = nil
		}
		_, err := c.UpdateDesk(c.Context(), storetest.Admin, store.Desk{ID: "k2", Name: "共用", Zone: grant.ZoneInternet, Users: users})
		c.ok(err)
	}
	c.ok(c.KeepRegister(c.Context(), "g1"))
	c.clock.Add(25 * time.Hour)
	c.watch.Take()
	c.ok(c.KeepRegister(c.Context(), "g1"))
}

func (c *crowd) remind() {
	for _, user := range c.staff {
		for day := 1; day <= 2; day++ {
			at := func(minute int) int64 { return calendar.Date{Year: 2026, Month: 10, Day: day}.At(minute).UnixMilli() }
			c.ok(c.CorrectWorkday(c.Context(), store.By{Actor: "user:" + user}, user, calendar.Date{Year: 2026, Month: 10, Day: day},
				[]telework.Segment{{Kind: telework.Work, FromMS: at(510), UntilMS: at(1035)}}, "報告漏れ"))
		}
	}
	c.watch.Take()
	c.ok(c.Remind(c.Context()))
}
