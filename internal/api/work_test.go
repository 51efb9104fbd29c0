package api

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/semaphore"

	"jiseki/internal/access"
)

// TestOneUserHoldsNobodyElseUp: of one user few calls are worked on and few more wait, in the order of asking; others
// find their turn.
func TestOneUserHoldsNobodyElseUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWork()
		var ends []func()
		for range atWork {
			_, end, err := w.begin(t.Context(), "tanaka")
			if err != nil {
				t.Fatal(err)
			}
			ends = append(ends, end)
		}
		order := make(chan int, inLine)
		for i := range inLine {
			go func() {
				_, end, err := w.begin(t.Context(), "tanaka")
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
		if _, _, err := w.begin(t.Context(), "tanaka"); !errors.As(err, &refused) || refused.code != access.Busy {
			t.Fatalf("a line without end: %v", err)
		}
		_, end, err := w.begin(t.Context(), "sato")
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

// TestOneUserWritesOneAtATime: the calls of one user that are at work share one turn to write, in which no other user's
// stand.
func TestOneUserWritesOneAtATime(t *testing.T) {
	w := newWork()
	writer := func(user string) *semaphore.Weighted {
		_, end, err := w.begin(t.Context(), user)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(end)
		return w.users[user].write
	}
	first := writer("tanaka")
	if !first.TryAcquire(1) || writer("tanaka").TryAcquire(1) {
		t.Error("two calls of one user write at a time")
	}
	if !writer("sato").TryAcquire(1) {
		t.Error("another user waits for it")
	}
}

// TestOrdersAreCounted: also those that are refused, for they ask as much of the database.
func TestOrdersAreCounted(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	p := newPace(func() time.Time { return now }, 2)
	for range 2 {
		if wait := p.take("tanaka"); wait != 0 {
			t.Fatalf("wait %d s", wait)
		}
	}
	now = now.Add(50 * time.Second)
	if wait := p.take("tanaka"); wait != 10 {
		t.Errorf("wait %d s", wait)
	}
	if p.take("sato") != 0 {
		t.Error("another user waits")
	}
	now = now.Add(10 * time.Second)
	if p.take("tanaka") != 0 {
		t.Error("a minute later")
	}
	now = now.Add(-time.Hour) // the clock was set back
	if p.take("tanaka") != 0 {
		t.Error("after a clock that was ahead")
	}
}

// TestCallsThatGoLeaveTheLine: who hangs up does not keep a place.
func TestCallsThatGoLeaveTheLine(t *testing.T) {
	w := newWork()
	var ends []func()
	for range atWork {
		_, end, _ := w.begin(t.Context(), "tanaka")
		ends = append(ends, end)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := w.begin(gone, "tanaka"); err == nil {
		t.Fatal("a call that has gone has its turn")
	}
	for _, end := range ends {
		end()
	}
	if len(w.users) != 0 {
		t.Error("a line is kept without calls")
	}
}
