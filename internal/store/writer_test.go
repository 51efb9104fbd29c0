package store

import (
	"context"
	"testing"
)

// TestNothingToConfirmTakesNoWriter: one user's calls that change nothing do not queue with those that do.
func TestNothingToConfirmTakesNoWriter(t *testing.T) {
	s := engines(t)["sqlite"]
	busy, err := s.write.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Rollback()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s.write.SetMaxOpenConns(1)
	done := make(chan error, 1)
	go func() { done <- s.ConfirmReviews(ctx, By{Actor: "user:tanaka"}, []string{"a", "a", "b"}) }()
	for {
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			return
		default:
			if s.write.Stats().WaitCount > 0 {
				t.Fatal("it waits for the one connection that writes")
			}
		}
	}
}
