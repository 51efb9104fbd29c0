package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jiseki/internal/audit"
)

// TestFullDiskRefusesActsAndLosesNothing lets SQLite find no more room: acts fail whole, and go on when there is room
// again.
func TestFullDiskRefusesActsAndLosesNothing(t *testing.T) {
	s := engines(t)["sqlite"]
	var pages int
	if err := s.write.QueryRow("PRAGMA page_count").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	limit := func(n int) {
		if _, err := s.write.Exec(fmt.Sprintf("PRAGMA max_page_count = %d", n)); err != nil {
			t.Fatal(err)
		}
	}
	limit(pages + 8)
	add := func(i int) error {
		return s.PutSection(t.Context(), By{Actor: "cli:test"}, Section{ID: fmt.Sprintf("s%d", i), Name: strings.Repeat("課", 100)})
	}
	done := 0
	for ; done < 1000; done++ {
		if err := add(done); err != nil {
			break
		}
	}
	if done == 1000 {
		t.Fatal("the database never became full")
	}
	check := func(acts int) {
		t.Helper()
		sections, err := s.Sections(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		report, err := s.VerifyEvents(t.Context(), audit.Against{})
		if err != nil || report.Problem != nil {
			t.Fatalf("%v, %v", report.Problem, err)
		}
		if len(sections) != acts || report.Checked != uint64(acts) { //nolint:gosec // a count
			t.Fatalf("%d sections and %d events for %d acts", len(sections), report.Checked, acts)
		}
	}
	check(done)
	limit(pages + 1000)
	if err := add(done); err != nil {
		t.Fatalf("with room again: %v", err)
	}
	check(done + 1)
}

// TestReserveIsForWhatTakesAway: while there is room for nothing else, only what takes a right away is written, and that people, desks
// and gateways are there.
func TestReserveIsForWhatTakesAway(t *testing.T) {
	for name, dsn := range map[string]string{"sqlite": "sqlite:" + filepath.Join(t.TempDir(), "j.db"), "postgresql": cluster.NewDSN(t)} {
		t.Run(name, func(t *testing.T) {
			ctx, short := t.Context(), false
			s, err := Open(ctx, Config{DSN: dsn, Now: time.Now, Short: func() bool { return short }})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			if err := s.GatewayStarted(ctx, "g1", "1"); err != nil {
				t.Fatal(err)
			}
			short = true
			throttle := Throttle{Key: "user:a", Wait: func(int64) time.Duration { return 0 }}
			_, begun := s.BeginAttempt(ctx, throttle)
			for of, err := range map[string]error{
				"attempt": begun, "end of an attempt": s.EndAttempt(ctx, throttle), "nonce": s.SpendNonce(ctx, [32]byte{1}, time.Now()),
				"session": s.PrepareSession(ctx, Session{}), "self-check": s.SaveSelfCheck(ctx, SelfCheck{Code: "a"}),
				"notices": s.ReadNotices(ctx, "a", nil), "old entries": s.Tidy(ctx, time.Hour),
				"act": s.PutSection(ctx, By{Actor: "cli:test"}, Section{ID: "s", Name: "課"}),
			} {
				if !errors.Is(err, ErrFull) {
					t.Errorf("%s: %v, want ErrFull", of, err)
				}
			}
			for of, err := range map[string]error{
				"gateway": s.GatewayAlive(ctx, "g1"), "sign-in": s.TouchSignIn(ctx, [32]byte{1}),
				"sign-out": s.SignOut(ctx, By{Actor: "user:a"}, [32]byte{1}), "stop": s.GatewayStopped(ctx, "g1"),
			} {
				if err != nil {
					t.Errorf("%s: %v", of, err)
				}
			}
			if err := s.SetDeskState(ctx, "k1", 1, DeskState{}); !errors.Is(err, ErrStale) { // no such desk: it was asked
				t.Errorf("desk: %v, want ErrStale", err)
			}
		})
	}
}
