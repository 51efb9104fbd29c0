package main

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// links lists the packages of this module, and what else is asked for, that a
// package links.
func links(t *testing.T, pkg string) []string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "list", "-deps", pkg)
	command.Dir = filepath.Join("..", "..")
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go list -deps %s: %v", pkg, err)
	}
	return strings.Fields(string(out))
}

// TestImportRules holds the rules of docs/ARCHITECTURE.md against what is linked.
// The first is what "the relay is blind" rests on.
func TestImportRules(t *testing.T) {
	for _, rule := range []struct {
		pkg       string
		forbidden []string
		why       string
	}{
		{"./cmd/jiseki-gateway", []string{
			"jiseki/internal/seal", "jiseki/internal/wire", "jiseki/internal/codec", "jiseki/internal/viewer", "jiseki/internal/agent",
			"github.com/flynn/noise",
		}, "the gateway cannot open sessions"},
		{"./internal/relay", []string{"jiseki/internal/store", "jiseki/internal/api", "jiseki/internal/ca", "database/sql"}, "a relay knows no database"},
		{"./internal/agent", []string{"jiseki/internal/store", "jiseki/internal/api", "jiseki/internal/ca", "database/sql"}, "an agent knows no database"},
		{"./internal/screen", []string{"net", "os"}, "screen is pure"},
		{"./internal/wire", []string{"net", "os/exec", "net/http"}, "wire is pure"},
		{"./internal/pace", []string{"net", "net/http"}, "pace is pure"},
		{"./internal/access", []string{"net/http", "database/sql", "jiseki/internal/store"}, "access is pure"},
		{"./internal/grant", []string{"net/http", "jiseki/internal/store"}, "grants are checked on desks"},
	} {
		linked := links(t, rule.pkg)
		if len(linked) < 2 {
			t.Fatalf("%s links nothing: the test sees nothing", rule.pkg)
		}
		for _, bad := range rule.forbidden {
			if slices.Contains(linked, bad) {
				t.Errorf("%s links %s: %s", rule.pkg, bad, rule.why)
			}
		}
	}
}

// TestSQLIsInStoreOnly looks at direct imports: whoever uses store links SQL.
func TestSQLIsInStoreOnly(t *testing.T) {
	command := exec.CommandContext(t.Context(), "go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./internal/...", "./cmd/...")
	command.Dir = filepath.Join("..", "..")
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for line := range strings.SplitSeq(strings.TrimSpace(string(out)), "\n") {
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(fields[0], "jiseki/internal/store") {
			continue
		}
		if slices.Contains(fields[1:], "database/sql") {
			t.Errorf("%s imports database/sql", fields[0])
		}
	}
}
