package store

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/semaphore"
)

// countedTurn says how many came for it.
type countedTurn struct {
	*semaphore.Weighted
	came atomic.Int64
}

func (c *countedTurn) Acquire(ctx context.Context, n int64) error {
	c.came.Add(1)
	return c.Weighted.Acquire(ctx, n)
}

// TestOneActOfACallerWaits: of one caller's many acts one waits for the writer, so that others write between two of them.
func TestOneActOfACallerWaits(t *testing.T) {
	s := engines(t)["sqlite"]
	busy, err := s.write.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	const acts = 20
	turn := &countedTurn{Weighted: semaphore.NewWeighted(1)}
	done := make(chan error)
	for range acts {
		go func() {
			done <- s.PutSection(InTurn(t.Context(), turn), By{Actor: "user:tanaka"}, Section{ID: "a", Name: "課"})
		}()
	}
	for turn.came.Load() < acts || s.write.Stats().WaitCount == 0 {
		runtime.Gosched()
	}
	if n := s.write.Stats().WaitCount; n != 1 {
		t.Errorf("%d acts of one caller wait for the writer", n)
	}
	if err := busy.Rollback(); err != nil {
		t.Fatal(err)
	}
	for range acts {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
