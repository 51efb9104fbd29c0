package agent

import (
	"strings"
	"testing"
	"time"

	"jiseki/internal/cert"
	"jiseki/internal/cert/certtest"
	"jiseki/internal/grant/granttest"
	"jiseki/internal/wire"
)

// wrongClocks are what a clock showed before it was put right, beside the right time.
var wrongClocks = map[string]time.Duration{"ahead": 30 * 24 * time.Hour, "behind": -10 * 365 * 24 * time.Hour}

// TestStatementAfterAWrongClock: a desk whose clock was put right says at once what its gateway can believe.
func TestStatementAfterAWrongClock(t *testing.T) {
	right := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	key := certtest.Key(t, granttest.Desk)
	for name, off := range wrongClocks {
		now := right.Add(off)
		n := noise{identity: key, now: func() time.Time { return now }}
		if _, err := n.statement(); err != nil {
			t.Fatal(err)
		}
		now = right
		got, err := n.statement()
		if err != nil {
			t.Fatal(err)
		}
		if err := got.Verify(key.Public(), right, cert.Skew); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if at := n.rotates(); at.Before(right) || at.After(right.Add(noiseLife)) {
			t.Errorf("%s: rotates at %v", name, at)
		}
	}
}

// TestNobodyIsThereAfterAWrongClock: a use of the keyboard that a clock that was ahead has stamped is no presence.
func TestNobodyIsThereAfterAWrongClock(t *testing.T) {
	a, lock := newTestAgent(t, t.TempDir())
	for name, used := range map[string]struct {
		at   time.Duration
		want bool
	}{"a minute ago": {-time.Minute, true}, "a month ahead": {wrongClocks["ahead"], false}, "years ago": {wrongClocks["behind"], false}} {
		lock.used = time.Now().Add(used.at)
		a.look()
		if got := a.state().GetPresent(); got != used.want {
			t.Errorf("%s: present %v", name, got)
		}
	}
}

// TestSessionOfAWrongClockIsTold: a session that seems to end in the future hides behind nothing.
func TestSessionOfAWrongClockIsTold(t *testing.T) {
	a, lock := newTestAgent(t, t.TempDir())
	go func() {
		for range lock.calls {
		}
	}()
	off := wrongClocks["ahead"]
	a.visits.now = func() time.Time { return time.Now().Add(off) }
	worked(t, a, "sato", 1)
	a.guard.hasten()
	a.visits.now = time.Now
	s := offered(t, a, "sato", 2)
	mustTake(t, a, s)
	if got := a.recallText(); !strings.HasPrefix(got, "前回の接続: ") {
		t.Errorf("the session says %q", got)
	}
	a.release(s, &endError{code: wire.EndedAtDesk})
}
