package agent

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jiseki/internal/wire"
)

// lines are what a desk shows of its last sessions.
type lines struct {
	shown   []string
	pressed func()
	open    int
}

func (l *lines) show(text, button string, pressed func()) (io.Closer, error) {
	l.shown, l.pressed = append(l.shown, text), pressed
	l.open++
	return closing(func() { l.open-- }), nil
}

type closing func()

func (c closing) Close() error {
	c()
	return nil
}

// worked is a session that has been.
func worked(t *testing.T, a *Agent, user string, number byte) {
	t.Helper()
	s := offered(t, a, user, number)
	mustTake(t, a, s)
	a.release(s, &endError{code: wire.EndedAtDesk})
}

// TestDeskShowsItsLastSessions: what was since somebody at the desk has looked is shown at each unlock until a press
// there, and a press in a session does not count.
func TestDeskShowsItsLastSessions(t *testing.T) {
	a, lock := newTestAgent(t, t.TempDir())
	l := &lines{}
	a.desk.Recall = l.show
	at := time.Date(2026, 11, 28, 9, 2, 0, 0, time.UTC)
	a.visits.now = func() time.Time { return at }
	go func() {
		for range lock.calls {
		}
	}()
	a.recallVisits()
	if len(l.shown) != 0 {
		t.Fatalf("shown although nobody was here: %q", l.shown)
	}
	worked(t, a, "sato", 1)
	a.guard.hasten()
	a.recallVisits()
	if len(l.shown) != 1 || !strings.Contains(l.shown[0], "11月28日 18:02～18:02") || !strings.Contains(l.shown[0], "私用端末") || strings.Contains(l.shown[0], "ほか") {
		t.Fatalf("shown: %q", l.shown)
	}
	worked(t, a, "sato", 2)
	a.guard.hasten()

	s := offered(t, a, "sato", 3)
	mustTake(t, a, s)
	l.pressed()
	a.tasks.Wait()
	if l.open != 0 {
		t.Error("the line stays after the press")
	}
	a.release(s, &endError{code: wire.EndedAtDesk})
	a.guard.hasten()
	a.recallVisits()
	if last := l.shown[len(l.shown)-1]; !strings.Contains(last, "ほか2件") {
		t.Errorf("who pressed from afar hid sessions from the desk: %q", last)
	}
	l.pressed()
	a.tasks.Wait()
	before := len(l.shown)
	a.recallVisits()
	if len(l.shown) != before {
		t.Errorf("what was seen is shown again: %q", l.shown[before:])
	}
}

// TestSessionShowsTheOneBefore: a session from another device is told of, that of the same device of a moment ago is
// not.
func TestSessionShowsTheOneBefore(t *testing.T) {
	a, lock := newTestAgent(t, t.TempDir())
	go func() {
		for range lock.calls {
		}
	}()
	worked(t, a, "sato", 1)
	a.guard.hasten()
	s := offered(t, a, "sato", 2)
	mustTake(t, a, s)
	if got := a.recallText(); got != "" {
		t.Errorf("the same device of a moment ago: %q", got)
	}
	a.release(s, &endError{code: wire.EndedAtDesk})
	a.guard.hasten()
	s = offered(t, a, "sato", 3)
	s.grant.Device = "another"
	mustTake(t, a, s)
	if got := a.recallText(); !strings.HasPrefix(got, "前回の接続: ") {
		t.Errorf("another device: %q", got)
	}
}

// TestJournalOfSessionsIsChained: it survives restarts, and one that was changed is set aside and said so at the desk.
func TestJournalOfSessionsIsChained(t *testing.T) {
	dir := t.TempDir()
	v, err := openVisits(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := newTestAgent(t, t.TempDir())
	g := offered(t, a, "sato", 1).grant
	for range maxVisits {
		if err := v.opened(g); err != nil {
			t.Fatal(err)
		}
	}
	if err := v.ended(g, 1); err != nil {
		t.Fatal(err)
	}
	if v, err = openVisits(dir, time.Now); err != nil || len(v.entries) != maxVisits || v.entries[maxVisits-1].Number != maxVisits+1 {
		t.Fatalf("opened again: %v, %d entries", err, len(v.entries))
	}
	path := filepath.Join(dir, visitsFile)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, changed := range map[string][]byte{
		"changed": bytes.Replace(raw, []byte(`"user":"sato"`), []byte(`"user":"kato"`), 1), "cut": raw[:len(raw)/2], "empty": {},
	} {
		if err := os.WriteFile(path, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		v, err := openVisits(dir, time.Now)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if told := recallOf(v.unread("")); !strings.Contains(told, "壊れていた") {
			t.Errorf("%s: the desk says %q", name, told)
		}
	}
}
