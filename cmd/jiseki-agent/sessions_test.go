package main

import "testing"

// TestJournalWritesNoTerminal: a name in a grant takes no line off the screen and adds none.
func TestJournalWritesNoTerminal(t *testing.T) {
	for in, want := range map[string]string{
		"隆神 福塚":                    "隆神 福塚",
		"x\r\x1b[2K\x1b[1A\x1b[2K": "x??[2K?[1A?[2K",
		"a\n2026-11-29":            "a?2026-11-29",
		"c1 \u009b31m":             "c1 ?31m",
		"\u202eabc":                "?abc",
	} {
		if got := plain(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
