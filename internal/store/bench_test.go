package store_test

import (
	"fmt"
	"testing"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/calendar"
	"jiseki/internal/store"
	"jiseki/internal/store/storetest"
	"jiseki/internal/telework"
)

// BenchmarkReports reads the month of a whole section of 100, each with 20 workdays of three segments: what a superior
// sees when the page of months opens.
func BenchmarkReports(b *testing.B) {
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": storetest.SQLite, "postgresql": store.Cluster().NewDSN} {
		b.Run(name, func(b *testing.B) {
			clock := storetest.NewClock()
			s := storetest.Open(b, dsn(b), clock.Now)
			storetest.Town(b, s)
			clock.Add(30 * 24 * time.Hour)
			section(b, s, 100)
			b.ResetTimer()
			for range b.N {
				reports, err := s.Reports(b.Context(), "tanaka", calendar.Month{Year: 2026, Month: 11})
				if err != nil || len(reports) != 100 || len(reports[0].Days) != 20 {
					b.Fatalf("%d reports, %v", len(reports), err)
				}
			}
		})
	}
}

// section has n people below tanaka, with a month of work.
func section(b *testing.B, s *store.Store, n int) {
	b.Helper()
	var users []store.NewUser
	for i := range n {
		users = append(users, store.NewUser{ID: fmt.Sprintf("u%d", i), Name: "職員", MainSection: "soumu", Roles: []access.Role{access.Staff}, PasswordHash: "hash"})
	}
	if err := s.CreateUsers(b.Context(), storetest.Admin, users); err != nil {
		b.Fatal(err)
	}
	for _, u := range users {
		for d := range 20 {
			date := calendar.Date{Year: 2026, Month: 11, Day: d + 1}
			at := func(minute int) int64 { return date.At(minute).UnixMilli() }
			err := s.CorrectWorkday(b.Context(), store.By{Actor: "user:" + u.ID}, u.ID, date, []telework.Segment{
				{Kind: telework.Work, FromMS: at(510), UntilMS: at(720)},
				{Kind: telework.Break, FromMS: at(720), UntilMS: at(780)},
				{Kind: telework.Work, FromMS: at(780), UntilMS: at(1035)},
			}, "報告漏れ")
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkReportWorkday is a click: one segment ends and another begins, with its event.
func BenchmarkReportWorkday(b *testing.B) {
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": storetest.SQLite, "postgresql": store.Cluster().NewDSN} {
		b.Run(name, func(b *testing.B) {
			clock := storetest.NewClock()
			s := storetest.Open(b, dsn(b), clock.Now)
			storetest.Town(b, s)
			b.ResetTimer()
			for i := range b.N {
				if i%16 == 0 {
					clock.Add(24 * time.Hour)
				}
				r := store.WorkdayReport{Kind: []telework.SegmentKind{telework.Work, telework.Break}[i%2]}
				if _, err := s.ReportWorkday(b.Context(), store.By{Actor: "user:suzuki"}, "suzuki", r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
