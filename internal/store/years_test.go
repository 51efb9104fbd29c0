package store_test

import (
	"fmt"
	"testing"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/calendar"
	"jiseki/internal/store"
	"jiseki/internal/store/storetest"
)

// BenchmarkYears asks what pages and gateways ask for most, after five years of 192 staff.
func BenchmarkYears(b *testing.B) {
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": storetest.SQLite, "postgresql": store.Cluster().NewDSN} {
		b.Run(name, func(b *testing.B) {
			clock := storetest.NewClock()
			s := storetest.Open(b, dsn(b), clock.Now)
			storetest.Town(b, s)
			years(b, s)
			past := clock.Now().Add(-4 * 365 * 24 * time.Hour)
			today := calendar.DateOf(clock.Now())
			ctx := b.Context()
			settings := access.Settings{}
			for _, r := range []struct {
				name string
				read func() error
			}{
				{"own sessions", func() error { _, _, err := s.Sessions(ctx, store.SessionFilter{User: "u7"}, store.Page{}); return err }},
				{"sessions of a device", func() error {
					_, _, err := s.Sessions(ctx, store.SessionFilter{Device: "dev7"}, store.Page{})
					return err
				}},
				{"sessions of nobody", func() error {
					_, _, err := s.Sessions(ctx, store.SessionFilter{User: "admin"}, store.Page{})
					return err
				}},
				{"all sessions", func() error { _, _, err := s.Sessions(ctx, store.SessionFilter{}, store.Page{}); return err }},
				{"running sessions", func() error {
					_, _, err := s.Sessions(ctx, store.SessionFilter{Running: true}, store.Page{})
					return err
				}},
				{"running sessions of a device", func() error {
					_, _, err := s.Sessions(ctx, store.SessionFilter{User: "u7", Device: "dev7", Running: true}, store.Page{Limit: 1})
					return err
				}},
				{"sessions of leases", func() error { _, err := s.RunningSessions(ctx, ""); return err }},
				{"sessions of a lease", func() error { _, err := s.RunningSessions(ctx, "desk7"); return err }},
				{"seats", func() error { _, err := s.Seats(ctx, &settings); return err }},
				{"a day's requests of all", func() error { _, err := s.RequestsBetween(ctx, "", today, today); return err }},
				{"a week's requests of all", func() error { _, err := s.RequestsBetween(ctx, "", today, today.Add(6)); return err }},
				{"a day's requests of a user", func() error { _, err := s.RequestsOn(ctx, "u7", today); return err }},
				{"a month's requests of a user", func() error { _, err := s.RequestsBetween(ctx, "u7", today.Add(-31), today); return err }},
				{"requests of a user", func() error { _, _, err := s.RequestsOf(ctx, "u7", store.Page{}); return err }},
				{"inbox", func() error { _, err := s.InboxCount(ctx, "tanaka"); return err }},
				{"reviews", func() error { _, _, err := s.Reviews(ctx, "tanaka"); return err }},
				{"decided", func() error { _, err := s.DecidedBy(ctx, "tanaka", past); return err }},
				{"covers", func() error { _, err := s.Covers(ctx, "u7", clock.Now(), clock.Now().Add(time.Hour)); return err }},
				{"covers of desks", func() error { _, err := s.DeskCovers(ctx, clock.Now(), clock.Now().Add(24*time.Hour)); return err }},
				{"workdays of all", func() error { _, err := s.WorkdaysBetween(ctx, "", today, today); return err }},
				{"month", func() error { _, err := s.Month(ctx, "u7", today.InMonth()); return err }},
				{"months of 192", func() error { _, err := s.Reports(ctx, "tanaka", today.InMonth()); return err }},
				{"today", func() error { _, err := s.Today(ctx, "u7"); return err }},
				{"notices", func() error { _, _, err := s.Notices(ctx, "u7", store.Page{}); return err }},
				{"unread notices", func() error { _, err := s.UnreadNotices(ctx, "u7"); return err }},
				{"events", func() error { _, _, err := s.Events(ctx, store.EventFilter{}, store.Page{}); return err }},
				{"events of long ago", func() error {
					_, _, err := s.Events(ctx, store.EventFilter{FromMS: past.UnixMilli(), UntilMS: past.UnixMilli() + 1000}, store.Page{})
					return err
				}},
				{"events of nobody", func() error {
					_, _, err := s.Events(ctx, store.EventFilter{Actor: "user:nobody", Kind: "sign_in"}, store.Page{})
					return err
				}},
				{"reminders", func() error { return s.Remind(ctx) }},
				{"stale sessions", func() error { _, err := s.EndStale(ctx, storetest.Admin); return err }},
				{"tidy", func() error { return s.Tidy(ctx, time.Hour) }},
				{"mails to gather", func() error { _, err := s.ClaimMails(ctx, "x", time.Minute, 10); return err }},
			} {
				b.Run(r.name, func(b *testing.B) {
					for b.Loop() {
						if err := r.read(); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		})
	}
}

// years is the past of 192 staff below tanaka: two sessions a day, a hundred requests a year, a workday of four segments, ten events a day.
func years(b *testing.B, s *store.Store) {
	b.Helper()
	var users []store.NewUser
	for i := range 192 {
		users = append(users, store.NewUser{ID: fmt.Sprintf("u%d", i), Name: "職員", MainSection: "soumu", Roles: []access.Role{access.Staff}, PasswordHash: "hash"})
	}
	for some := range 2 {
		if err := s.CreateUsers(b.Context(), storetest.Admin, users[some*96:some*96+96]); err != nil {
			b.Fatal(err)
		}
	}
	began := time.Now()
	if err := store.FillYears(b.Context(), s); err != nil {
		b.Fatal(err)
	}
	b.Log("filled in", time.Since(began))
}
