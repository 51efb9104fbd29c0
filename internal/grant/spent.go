package grant

import (
	"sync"
	"time"

	"jiseki/internal/cert"
)

// Spent remembers the sessions that an agent opened, so that a grant opens one session once. It forgets sessions only
// when it has to make room and their grants can no longer be opened, and refuses all rather than forget one too early.
// It is safe for concurrent use.
type Spent struct {
	skew  time.Duration
	limit int

	mu    sync.Mutex
	until map[cert.SessionID]time.Time // when each can be forgotten
	floor time.Time                    // the latest of those that were forgotten
}

// NewSpent remembers at most limit sessions at a time. skew is the same as that given to Grant.Verify.
func NewSpent(limit int, skew time.Duration) *Spent {
	return &Spent{skew: skew, limit: limit, until: make(map[cert.SessionID]time.Time)}
}

// Spend returns nil the first time that it is called for g's session. The errors are *cert.Error: CodeSpent,
// CodeExpired, or CodeFull if limit sessions are remembered. A clock that goes back does not bring a session back, and
// one that was ahead does not keep later sessions out.
func (s *Spent) Spend(g *Grant, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, found := s.until[g.Session]; found {
		return &cert.Error{What: name, Code: CodeSpent}
	}
	if len(s.until) >= s.limit {
		s.forget(now)
	}
	until := g.OpenBefore.Add(s.skew)
	if !now.Before(until) || !until.After(s.floor) {
		return &cert.Error{What: name, Code: cert.CodeExpired, Now: now, Limit: g.OpenBefore}
	}
	if len(s.until) >= s.limit {
		return &cert.Error{What: name, Code: CodeFull}
	}
	s.until[g.Session] = until
	return nil
}

func (s *Spent) forget(now time.Time) {
	for id, until := range s.until {
		if now.Before(until) {
			continue
		}
		delete(s.until, id)
		if until.After(s.floor) {
			s.floor = until
		}
	}
}
