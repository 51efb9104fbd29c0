package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func ask(ctx context.Context, p *pulse) int {
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/healthz", http.NoBody))
	return w.Code
}

func TestPulse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		looks, broken := 0, error(nil)
		p := &pulse{log: slog.New(slog.DiscardHandler), now: time.Now, look: func(ctx context.Context) error {
			looks++
			return errors.Join(broken, ctx.Err())
		}}
		gone, hangUp := context.WithCancel(t.Context())
		hangUp()
		var crowd sync.WaitGroup
		for i := range 1000 {
			crowd.Go(func() {
				ctx := t.Context()
				if i%2 == 0 {
					ctx = gone
				}
				if status := ask(ctx, p); status != http.StatusOK {
					t.Errorf("status %d", status)
				}
			})
		}
		crowd.Wait()
		if looks != 1 {
			t.Errorf("a thousand who ask make %d looks", looks)
		}
		broken = errors.New("gone")
		time.Sleep(pulseEvery)
		for range 10 {
			if status := ask(t.Context(), p); status != http.StatusServiceUnavailable {
				t.Errorf("status %d without a database", status)
			}
		}
		broken = nil
		time.Sleep(pulseEvery)
		if status := ask(t.Context(), p); status != http.StatusOK || looks != 3 {
			t.Errorf("status %d after %d looks", status, looks)
		}
	})
}

// A database that hangs is one that does not answer.
func TestPulseDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pulse{log: slog.New(slog.DiscardHandler), now: time.Now, look: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		began := time.Now()
		if status := ask(t.Context(), p); status != http.StatusServiceUnavailable || time.Since(began) != pulseTimeout {
			t.Errorf("status %d after %v", status, time.Since(began))
		}
	})
}

// TestPulseAfterTheClockWasSetBack: an answer of later counts no longer.
func TestPulseAfterTheClockWasSetBack(t *testing.T) {
	now, broken := time.Unix(1_800_000_000, 0), error(nil)
	p := &pulse{log: slog.New(slog.DiscardHandler), now: func() time.Time { return now }, look: func(context.Context) error { return broken }}
	if status := ask(t.Context(), p); status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	now, broken = now.Add(-time.Hour), errors.New("gone")
	if status := ask(t.Context(), p); status != http.StatusServiceUnavailable {
		t.Errorf("status %d", status)
	}
}
