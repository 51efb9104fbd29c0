package hub

import (
	"testing"
	"time"
)

// TestBudgetAfterTheClockWasSetBack: nobody waits for a minute of a clock that was ahead.
func TestBudgetAfterTheClockWasSetBack(t *testing.T) {
	b, now := newBudget(), time.Unix(1_800_000_000, 0)
	for b.arrive("k1", now) {
	}
	if b.arrive("k1", now.Add(59*time.Second)) {
		t.Error("a budget lasts less than its minute")
	}
	if !b.arrive("k1", now.Add(-time.Hour)) {
		t.Error("a desk waits for the clock")
	}
}
