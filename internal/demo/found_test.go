package demo

import (
	"slices"
	"testing"
	"time"

	"jiseki/internal/audit"
	"jiseki/internal/calendar"
	"jiseki/internal/gateway"
	"jiseki/internal/store"
	"jiseki/internal/telework"
)

// foundAt founds a town as if it were another time, without its desk, and opens its database.
func foundAt(t *testing.T, now time.Time) *store.Store {
	t.Helper()
	town := &Town{cfg: Config{Dir: t.TempDir(), Port: 8443, Say: t.Logf}}
	if err := town.writeConfig(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if _, err := town.found(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	t.Logf("founded in %v", time.Since(began))
	cfg, err := gateway.LoadConfig(town.path("gateway.toml"))
	if err != nil {
		t.Fatal(err)
	}
	dsn, err := cfg.DSN()
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), store.Config{DSN: dsn, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// TestPast founds towns at times that differ in what can go wrong: an afternoon, a night after a holiday, a Sunday, the first and
// the last day of a month, New Year.
func TestPast(t *testing.T) {
	for _, at := range []string{
		"2026-11-24 14:10", "2026-11-22 23:58", "2026-12-01 07:00", "2026-11-30 00:01", "2027-01-02 12:00",
	} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			now, err := time.ParseInLocation("2006-01-02 15:04", at, calendar.JST)
			if err != nil {
				t.Fatal(err)
			}
			s := foundAt(t, now)
			verifyLog(t, s)
			verifyPast(t, s, now)
		})
	}
}

func verifyLog(t *testing.T, s *store.Store) {
	t.Helper()
	r, err := s.VerifyEvents(t.Context(), audit.Against{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Problem != nil || r.Checked < 500 {
		t.Errorf("the audit log: %+v", r)
	}
}

// verifyPast looks for what the demo promises to show.
func verifyPast(t *testing.T, s *store.Store, now time.Time) {
	t.Helper()
	inbox, _, err := s.Inbox(t.Context(), "zeimu01")
	if err != nil || len(inbox) < 2 {
		t.Errorf("%d requests wait for the head, %v", len(inbox), err)
	}
	reviews, _, err := s.Reviews(t.Context(), "zeimu01")
	if err != nil || len(reviews) == 0 {
		t.Errorf("%d decisions of the deputy wait for the head, %v", len(reviews), err)
	}
	states := map[telework.State]int{}
	var proxies, afterFact, orders int
	for _, r := range cast {
		requests, _, err := s.RequestsOf(t.Context(), r.id, store.Page{Limit: 200})
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range requests {
			states[q.State]++
			proxies += count(q.By != q.User && q.Kind == telework.Telework)
			afterFact += count(q.AfterFact)
			orders += count(q.Kind != telework.Telework)
		}
	}
	t.Logf("states %v, %d by proxy, %d after the fact, %d orders", states, proxies, afterFact, orders)
	for _, want := range []telework.State{telework.Pending, telework.Approved, telework.Refused, telework.Cancelled} {
		if states[want] == 0 {
			t.Errorf("no request is in state %d", want)
		}
	}
	if proxies == 0 || afterFact == 0 || orders < 3 {
		t.Errorf("%d by proxy, %d after the fact, %d orders", proxies, afterFact, orders)
	}
	verifyMonths(t, s, calendar.DateOf(now).InMonth())
}

func count(so bool) int {
	if so {
		return 1
	}
	return 0
}

func verifyMonths(t *testing.T, s *store.Store, this calendar.Month) {
	t.Helper()
	var corrected, missing, days, connected int
	for of := this.Add(-2); !this.Last().Before(of.First()); of = of.Add(1) {
		for _, r := range cast {
			report, err := s.Month(t.Context(), r.id, of)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range report.Days {
				days++
				corrected += count(len(d.Corrections) > 0)
				missing += count(d.EndMissing)
				connected += count(len(d.Connections) > 0)
			}
		}
	}
	t.Logf("%d days, %d with connections, %d corrected, %d without end", days, connected, corrected, missing)
	if days < 40 || connected < 40 || corrected != 1 || missing != 1 {
		t.Errorf("%d days, %d with connections, %d corrected, %d without end", days, connected, corrected, missing)
	}
}

// TestCast: everybody has a section that exists, and each section a head.
func TestCast(t *testing.T) {
	for _, r := range cast {
		if !slices.ContainsFunc(offices, func(o office) bool { return o.name == r.section }) {
			t.Errorf("%s works in %q, which does not exist", r.id, r.section)
		}
	}
	for _, o := range offices {
		if boss(o.name) == adminID {
			t.Errorf("%s has no head", o.name)
		}
	}
}
