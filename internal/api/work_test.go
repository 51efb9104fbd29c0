package api

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"jiseki/internal/access"
)

// TestOneUserHoldsNobodyElseUp: of one user few calls are worked on and few more wait, in the order of asking; others
// find their turn.
func TestOneUserHoldsNobodyElseUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWork()
		var ends []func()
		for range atWork {
			end, err := w.begin(t.Context(), "tanaka")
			if err != nil {
				t.Fatal(err)
			}
			ends = append(ends, end)
		}
		order := make(chan int, inLine)
		for i := range inLine {
			go func() {
				end, err := w.begin(t.Context(), "tanaka")
				if err != nil {
					t.Errorf("call %d in line: %v", i, err)
					return
				}
				order <- i
				end()
			}()
			synctest.Wait()
		}
		if len(order) > 0 {
			t.Fatal("more than a user's share is worked on")
		}
		var refused *failure
		if _, err := w.begin(t.Context(), "tanaka"); !errors.As(err, &refused) || refused.code != access.Busy {
			t.Fatalf("a line without end: %v", err)
		}
		end, err := w.begin(t.Context(), "sato")
		if err != nil {
			t.Fatalf("somebody else: %v", err)
		}
		end()
		ends[0]()
		for i := range inLine {
			if got := <-order; got != i {
				t.Fatalf("call %d came as the %d.", got, i)
			}
		}
		for _, end := range ends[1:] {
			end()
		}
		synctest.Wait()
		if len(w.users) != 0 {
			t.Error("a line is kept without calls")
		}
	})
}

// TestCallsThatGoLeaveTheLine: who hangs up does not keep a place.
func TestCallsThatGoLeaveTheLine(t *testing.T) {
	w := newWork()
	var ends []func()
	for range atWork {
		end, _ := w.begin(t.Context(), "tanaka")
		ends = append(ends, end)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.begin(gone, "tanaka"); err == nil {
		t.Fatal("a call that has gone has its turn")
	}
	for _, end := range ends {
		end()
	}
	if len(w.users) != 0 {
		t.Error("a line is kept without calls")
	}
}
