package e2e

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// imports are the packages that a package or program links, for linux; those of the standard library without a dot.
func imports(t *testing.T, args ...string) []string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	cmd.Dir = "../.."
	var why strings.Builder
	cmd.Stderr = &why
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v: %s", err, why.String())
	}
	return strings.Fields(string(out))
}

// TestNothingLinksWhatItMustNot holds the import rules of the architecture over all that is linked, however indirectly.
func TestNothingLinksWhatItMustNot(t *testing.T) {
	const ours = "jiseki/internal/"
	for _, rule := range []struct {
		of    string
		never []string
	}{
		{"./cmd/jiseki-gateway", []string{"seal", "wire", "codec", "screen", "agent", "viewer", "capture", "input"}},
		{"./internal/agent", []string{"store", "api", "ca", "auth", "access", "gateway"}},
		{"./cmd/jiseki-agent", []string{"store", "api", "ca", "auth", "access", "gateway"}},
		{"./internal/relay", []string{"store", "api", "ca", "auth", "access", "seal", "wire", "codec"}},
		{"./internal/viewer", []string{"store", "api", "ca", "auth", "access", "gateway", "agent"}},
	} {
		all := imports(t, "-deps", rule.of)
		if !slices.ContainsFunc(all, func(p string) bool { return strings.HasPrefix(p, ours) }) {
			t.Errorf("%s links nothing of ours: the rule looks at the wrong place", rule.of)
		}
		for _, name := range rule.never {
			if slices.Contains(all, ours+name) {
				t.Errorf("%s links %s", rule.of, name)
			}
		}
	}
}

// TestPurePackages holds that these do no input or output and know no clock of their own beyond the types of time.
func TestPurePackages(t *testing.T) {
	for of, allowed := range map[string][]string{
		"screen": {}, "pace": {}, "wire": {"screen", "log/slog"}, "sheet": {"typed"}, "typed": {}, "calendar": {"sheet"},
		"access":   {"calendar", "cert", "grant"},
		"telework": {"access", "calendar", "sheet"},
	} {
		for _, p := range imports(t, "-f", `{{join .Imports "\n"}}`, "./internal/"+of) {
			short := strings.TrimPrefix(p, "jiseki/internal/")
			switch {
			case slices.Contains(allowed, short):
			case strings.HasPrefix(p, "jiseki/"):
				t.Errorf("%s imports %s", of, p)
			case slices.Contains([]string{"os", "net", "net/http", "syscall", "log", "log/slog", "os/exec", "unsafe", "database/sql", "math/rand", "math/rand/v2"}, p):
				t.Errorf("%s is not pure: it imports %s", of, p)
			}
		}
	}
}

// TestSQLInStoreOnly holds that nobody but the store talks to the database.
func TestSQLInStoreOnly(t *testing.T) {
	found := false
	for _, line := range strings.Split(strings.Join(imports(t, "-f", `{{.ImportPath}}={{join .Imports ","}}`, "./internal/...", "./cmd/..."), "\n"), "\n") {
		p, list, _ := strings.Cut(line, "=")
		if !slices.Contains(strings.Split(list, ","), "database/sql") {
			continue
		}
		if strings.HasPrefix(p, "jiseki/internal/store") {
			found = true
			continue
		}
		t.Errorf("%s imports database/sql", p)
	}
	if !found {
		t.Error("not even the store imports database/sql: the rule looks at the wrong place")
	}
}
