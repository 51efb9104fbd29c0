package main

import (
	"bytes"
	"strings"
	"testing"

	"jiseki/internal/agent"
	"jiseki/internal/enrol"
)

// TestOneAgentOfAFolder: beside an agent that runs, another one says so with a code and does not start; nor is anything
// enrolled then.
func TestOneAgentOfAFolder(t *testing.T) {
	dir := t.TempDir()
	release, err := agent.Hold(dir)
	if err != nil {
		t.Fatal(err)
	}
	commands := map[string][]string{
		"run": {"run", "--display", ":9999"}, "waker": {"waker"},
		"enroll": {"enroll", "--again", "--gateway", "https://127.0.0.1:1", "--token", enrol.New([32]byte{}).Text()},
	}
	for name, args := range commands {
		var out, errs bytes.Buffer
		if code := run(append([]string{"--dir", dir}, args...), &out, &errs); code != 1 || !strings.Contains(errs.String(), "[agent_running]") {
			t.Errorf("%s: exit code %d, %s", name, code, errs.String())
		}
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"waker", "enroll"} { // run would wait for its screen
		var out, errs bytes.Buffer
		if run(append([]string{"--dir", dir}, commands[name]...), &out, &errs); strings.Contains(errs.String(), "agent_running") {
			t.Errorf("%s, with nothing that runs: %s", name, errs.String())
		}
	}
}
