package calendar_test

import (
	"errors"
	"testing"

	"jiseki/internal/calendar"
)

func TestMonth(t *testing.T) {
	for _, c := range []struct{ month, last, next, before string }{
		{"2026-11", "2026-11-30", "2026-12", "2026-10"},
		{"2026-12", "2026-12-31", "2027-01", "2026-11"},
		{"2027-01", "2027-01-31", "2027-02", "2026-12"},
		{"2028-02", "2028-02-29", "2028-03", "2028-01"},
	} {
		m, err := calendar.ParseMonth(c.month)
		if err != nil {
			t.Fatal(err)
		}
		got := []string{m.String(), m.First().String(), m.Last().String(), m.Add(1).String(), m.Add(-1).String()}
		for i, want := range []string{c.month, c.month + "-01", c.last, c.next, c.before} {
			if got[i] != want {
				t.Errorf("%s: %s, want %s", c.month, got[i], want)
			}
		}
		if !m.Contains(m.Last()) || m.Contains(m.Last().Add(1)) {
			t.Errorf("%s contains the wrong days", c.month)
		}
	}
	for _, wrong := range []string{"", "2026", "2026-13", "2026-1", "2026-11-01", "2026/11"} {
		if _, err := calendar.ParseMonth(wrong); !errors.Is(err, calendar.ErrDate) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}
