package main

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestUnitBoundsMemory: Go collects harder well before the kernel ends the gateway, which starts anew then, and the
// journal drops no lines.
func TestUnitBoundsMemory(t *testing.T) {
	unit, err := os.ReadFile("../../packaging/systemd/jiseki-gateway.service")
	if err != nil {
		t.Fatal(err)
	}
	megabytes := func(form string) int {
		m := regexp.MustCompile(`(?m)^` + form + `$`).FindStringSubmatch(string(unit))
		if m == nil {
			t.Fatalf("the unit has no line %s", form)
		}
		n, _ := strconv.Atoi(m[1])
		if strings.HasPrefix(m[2], "G") {
			n *= 1024
		}
		return n
	}
	soft, hard := megabytes(`Environment=GOMEMLIMIT=(\d+)([MG])iB`), megabytes(`MemoryMax=(\d+)([MG])`)
	if soft < 512 || soft > hard*4/5 || hard > 2048 {
		t.Errorf("GOMEMLIMIT is %d MiB, MemoryMax %d MiB", soft, hard)
	}
	for _, line := range []string{"\nRestart=on-failure\n", "\nLogRateLimitIntervalSec=0\n"} {
		if !strings.Contains(string(unit), line) {
			t.Errorf("the unit has no line %q", line)
		}
	}
}
