// Package docs_test holds the documents against the tree: what they name must be there.
package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"jiseki/internal/access"
	"jiseki/internal/wire"
)

const root = ".."

// documents are all pages for people who use the tree, with the folder each stands in.
func documents(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for _, pattern := range []string{"AGENTS.md", "README*.md", "docs/*.md", "docs/*/*.md"} {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			texts[path] = string(b)
		}
	}
	if len(texts) < 5 {
		t.Fatalf("only %d documents found: the test sees nothing", len(texts))
	}
	return texts
}

var (
	linked = regexp.MustCompile(`\]\(([^)#\s]+)(?:#[^)]*)?\)`)
	named  = regexp.MustCompile(`(?:^|[\s` + "`" + `(])(?:\./)?((?:internal|cmd|docs|web|vectors|tools|packaging|proto|\.ci)/[\w./*-]*)`)
	target = regexp.MustCompile("(?m)(?:^|`)make ([a-z]+)")
)

// TestLinksLead follows every link between pages, and to pictures.
func TestLinksLead(t *testing.T) {
	for path, text := range documents(t) {
		for _, m := range linked.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), m[1])); err != nil {
				t.Errorf("%s links %s: %v", path, m[1], err)
			}
		}
	}
}

// TestNamedPathsExist looks for every path that a page names.
func TestNamedPathsExist(t *testing.T) {
	found := 0
	for path, text := range documents(t) {
		for _, m := range named.FindAllStringSubmatch(text, -1) {
			name := strings.TrimRight(m[1], "./-")
			if strings.HasSuffix(name, "/NAME") || built(name) {
				continue
			}
			matches, err := filepath.Glob(filepath.Join(root, name))
			if err != nil || len(matches) == 0 {
				t.Errorf("%s names %s, which is not there", path, name)
			}
			found++
		}
	}
	if found < 20 {
		t.Fatalf("only %d paths found: the test sees nothing", found)
	}
}

// built says whether a path comes into being by building.
func built(name string) bool {
	return strings.HasPrefix(name, "web/dist") || strings.HasPrefix(name, "web/node_modules")
}

// TestNamedTargetsExist looks for every make target that a page names.
func TestNamedTargetsExist(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range documents(t) {
		for _, m := range target.FindAllStringSubmatch(text, -1) {
			if !strings.Contains("\n"+string(makefile), "\n"+m[1]+":") {
				t.Errorf("%s names make %s, which is no target", path, m[1])
			}
		}
	}
}

// TestArchitectureNamesEveryPackage keeps the table of packages complete.
func TestArchitectureNamesEveryPackage(t *testing.T) {
	b, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	packages := goFolders(t, filepath.Join(root, "internal"))
	if len(packages) < 20 {
		t.Fatalf("only %d packages found: the test sees nothing", len(packages))
	}
	for _, name := range packages {
		if !strings.HasPrefix(name, "gen/") && !strings.Contains(string(b), "`"+name+"`") {
			t.Errorf("ARCHITECTURE.md does not name package %s", name)
		}
	}
}

// goFolders are the folders under dir that hold Go files, relative to it.
func goFolders(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() && e.Name() == "testdata" {
			return filepath.SkipDir
		}
		name, err := filepath.Rel(dir, filepath.Dir(path))
		if err == nil && filepath.Ext(path) == ".go" && !slices.Contains(all, filepath.ToSlash(name)) {
			all = append(all, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestManualsExplainEveryCode keeps the tables of codes complete in both languages.
func TestManualsExplainEveryCode(t *testing.T) {
	var codes []string
	for _, c := range access.Codes() {
		codes = append(codes, string(c))
	}
	for c := wire.EndedByUser; !strings.HasPrefix(c.String(), "code_"); c++ {
		codes = append(codes, c.String())
	}
	events := eventCodes(t)
	if len(codes) < 60 || len(events) < 15 {
		t.Fatalf("only %d codes and %d of events found: the test sees nothing", len(codes), len(events))
	}
	codes = append(codes, events...)
	for _, path := range []string{"OPERATIONS.md", "manual/administrator.ja.md"} {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range codes {
			if !strings.Contains(string(b), "| `"+c+"` |") {
				t.Errorf("%s does not explain the code %s", path, c)
			}
		}
	}
}

// eventCode is a code in the source that only the audit log shows: why a session ends, why a report of a desk is refused or noticed.
var eventCode = regexp.MustCompile(`(?:\b(?:EndAll|endSession|EndSession|endSessionsOf|m\.end)\([^"\n]*` +
	`|\b(?:foreignSession|sessionLife|unknownEvent|neverOpened|movedAlone|movedTurns|reason|rightsChanged access\.Code)\s+:?= )"([a-z]+(?:_[a-z]+)+)"`)

func eventCodes(t *testing.T) (codes []string) {
	t.Helper()
	for _, folder := range []string{"store", "session", "api"} {
		paths, err := filepath.Glob(filepath.Join(root, "internal", folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			for _, m := range eventCode.FindAllStringSubmatch(string(b), -1) {
				codes = append(codes, m[1])
			}
		}
	}
	return codes
}

var (
	testName = regexp.MustCompile("`((?:Test|Fuzz)[A-Z]\\w*)`")
	// testPlace is a folder and the tests that a page says are in it: `internal/wire` `FuzzParse`, or in brackets behind it.
	testPlace = regexp.MustCompile("`((?:internal|cmd)/[\\w/-]+)` \\(?`(?:Test|Fuzz)[A-Z]\\w*`(?:, `(?:Test|Fuzz)[A-Z]\\w*`)*")
	testFunc  = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Z]\w*)\(`)
)

// TestNamedTestsExist looks for every test that a page relies on, and in the folder that the page names.
func TestNamedTestsExist(t *testing.T) {
	tests := map[string][]string{} // folders by test
	for _, folder := range []string{"internal", "cmd"} {
		for _, name := range goFolders(t, filepath.Join(root, folder)) {
			paths, err := filepath.Glob(filepath.Join(root, folder, name, "*_test.go"))
			if err != nil {
				t.Fatal(err)
			}
			for _, path := range paths {
				b, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				for _, m := range testFunc.FindAllStringSubmatch(string(b), -1) {
					tests[m[1]] = append(tests[m[1]], folder+"/"+filepath.ToSlash(name))
				}
			}
		}
	}
	found, placed := 0, 0
	for path, text := range documents(t) {
		for _, m := range testName.FindAllStringSubmatch(text, -1) {
			if tests[m[1]] == nil {
				t.Errorf("%s names %s, which is no test", path, m[1])
			}
			found++
		}
		for _, m := range testPlace.FindAllStringSubmatch(text, -1) {
			for _, name := range testName.FindAllStringSubmatch(m[0], -1) {
				if tests[name[1]] != nil && !slices.Contains(tests[name[1]], m[1]) {
					t.Errorf("%s says that %s is in %s: it is in %s", path, name[1], m[1], strings.Join(tests[name[1]], ", "))
				}
				placed++
			}
		}
	}
	if found < 100 || placed < 80 {
		t.Fatalf("only %d tests named and %d with their folder: the test sees nothing", found, placed)
	}
}
