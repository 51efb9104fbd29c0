package session

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"jiseki/internal/cert"
	"jiseki/internal/store"
)

// TestLostActIsLogged: an act that finds no room among those that are owed is lost, and the log says so.
func TestLostActIsLogged(t *testing.T) {
	var log bytes.Buffer
	m := &Manager{log: slog.New(slog.NewTextHandler(&log, nil))}
	for range mostOwed {
		m.owe(write{what: "one of many"}, errors.New("no line"))
	}
	m.owe(write{what: "the last straw"}, errors.New("no line"))
	if !strings.Contains(log.String(), "the last straw") {
		t.Error("the log says nothing of the act that was lost")
	}
}

// TestWriteThatFailsAloneKeepsNoneBack: what the database never takes waits behind what it takes.
func TestWriteThatFailsAloneKeepsNoneBack(t *testing.T) {
	h := newHall(t)
	var written []string
	write := func(what string, err error) write {
		return write{what: what, do: func(context.Context) error { written = append(written, what); return err }}
	}
	h.m.owe(write("never", store.ErrFailed), store.ErrFailed)
	h.m.owe(write("second", nil), store.ErrFailed)
	h.m.owe(write("third", nil), store.ErrFailed)
	h.check(h.m.settle(t.Context()))
	h.check(h.m.settle(t.Context()))
	if got := strings.Join(written, " "); got != "never second third never" {
		t.Errorf("tried %s", got)
	}
}

// TestSessionEndsThoughItsEndHangs: a session whose end waits too long for the database ends at its desk, and is written later.
func TestSessionEndsThoughItsEndHangs(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	s := store.Session{ID: cert.SessionID{7}, Desk: "k9", Life: store.LifeOpen}
	holds, done, released := make(chan bool), make(chan bool), make(chan bool)
	go func() {
		defer close(released)
		_, _ = h.store.BeginAttempt(context.Background(), store.Throttle{Key: "a", Wait: func(int64) time.Duration {
			close(holds) // and with it the one connection that writes
			<-done
			return 0
		}})
	}()
	<-holds
	err := h.m.end(t.Context(), store.By{Actor: "gateway:g1"}, s, codeRevoked, "test")
	close(done)
	<-released
	if !errors.Is(err, ErrUnwritten) || len(h.agents.ended) != 1 {
		t.Errorf("%v; the desk was told %d times", err, len(h.agents.ended))
	}
	if _, owed := h.m.owed.first(); owed != 1 {
		t.Errorf("%d writes are owed", owed)
	}
}
