package grant

import (
	"sync"
	"time"

	"jiseki/internal/cert"
)

// Spent remembers the sessions that an agent opened, so that a grant opens one session once. It forgets a session when its
// grant can no longer be opened, and refuses all rather than forget one too early. It is safe for concurrent use.
type Spent struct {
	skew  time.Duration
	limit int

	mu     sync.Mutex
	until  map[cert.SessionID]time.Time // when each can be forgotten
	latest time.Time                    // the clock never counts as earlier than this
}

// NewSpent remembers at most limit sessions at a time. skew is the same as that given to Grant.Verify.
func NewSpent(limit int, skew time.Duration) *Spent {
	return &Spent{skew: skew, limit: limit, until: make(map[cert.SessionID]time.Time)}
}

// Spend returns nil the first time that it is called for g's session. The errors are *cert.Error: CodeSpent, CodeExpired,
// or CodeFull if limit sessions are remembered. A clock that goes back does not bring a session back.
func (s *Spent) Spend(g *Grant, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.After(s.latest) {
		s.latest = now
	}
	s.forget()
	if _, found := s.until[g.Session]; found {
		return &cert.Error{What: name, Code: CodeSpent}
	}
	until := g.OpenBefore.Add(s.skew)
	if !s.latest.Before(until) {
		return &cert.Error{What: name, Code: cert.CodeExpired, Now: s.latest, Limit: g.OpenBefore}
	}
	if len(s.until) >= s.limit {
		return &cert.Error{What: name, Code: CodeFull}
	}
	s.until[g.Session] = until
	return nil
}

func (s *Spent) forget() {
	for id, until := range s.until {
		if !s.latest.Before(until) {
			delete(s.until, id)
		}
	}
}
