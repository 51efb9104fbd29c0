package store

import (
	"fmt"
	"strings"
	"testing"

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
