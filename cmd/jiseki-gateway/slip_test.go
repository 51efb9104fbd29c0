package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jiseki/internal/gateway"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
)

// TestSlipsOfTwoUsersAreTwoFiles, and none leaves the folder.
func TestSlipsOfTwoUsersAreTwoFiles(t *testing.T) {
	if fileName("a.b") == fileName("a_b") {
		t.Error("the slip of one user takes the place of another's")
	}
	for _, id := range []string{"../a", `..\a`, "a/b", "a\x00"} {
		for _, r := range fileName(id) {
			if r == '/' || r == '\\' || r < 0x20 {
				t.Errorf("%q becomes %q", id, fileName(id))
			}
		}
	}
}

// TestSlipThatIsNotWritten is shown on the terminal, with those of others written; without a terminal it is said how to
// make it anew, and no secret is anywhere.
func TestSlipThatIsNotWritten(t *testing.T) {
	for _, shown := range []bool{true, false} {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, "slip-suzuki.html", "in the way"), 0o700); err != nil {
			t.Fatal(err)
		}
		var out, terminal strings.Builder
		written := &checked{w: &out}
		c := &console{out: &output{w: written}, written: written}
		if shown {
			c.terminal = &terminal
		}
		folder, err := openSlips(dir, 3)
		if err != nil {
			t.Fatal(err)
		}
		var slips []*controlv1.Slip
		for _, id := range []string{"sato", "suzuki", "tanaka"} {
			slips = append(slips, &controlv1.Slip{UserId: id, InitialPassword: "himitsu-" + id, Address: "https://localhost"})
		}
		err = folder.deliver(c, &controlv1.CreateUsersResponse{Slips: slips}, slips...)
		var known *gateway.Error
		if !errors.As(err, &known) || known.Code != "slip_unwritten" || !strings.Contains(known.En, "suzuki: jiseki-gateway user reset suzuki") {
			t.Errorf("%v", err)
		}
		if got := strings.Contains(terminal.String(), "himitsu-suzuki"); got != shown || strings.Contains(terminal.String(), "himitsu-sato") {
			t.Errorf("the terminal shows %q", terminal.String())
		}
		for _, id := range []string{"sato", "tanaka"} {
			if path := filepath.Join(dir, "slip-"+id+".html"); !strings.Contains(out.String(), path) {
				t.Errorf("%s is not said: %q", path, out.String())
			} else if _, err := os.Stat(path); err != nil {
				t.Error(err)
			}
		}
		if strings.Contains(out.String()+err.Error(), "himitsu") {
			t.Errorf("secrets in %q, %v", out.String(), err)
		}
	}
}
