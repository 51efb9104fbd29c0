package store

import (
	"context"
	"database/sql"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write schema.sql again")

// engines opens an empty database of each engine at the newest schema.
func engines(t *testing.T) map[string]*Store {
	t.Helper()
	all := map[string]*Store{}
	for name, dsn := range map[string]string{
		"sqlite": "sqlite:" + filepath.Join(t.TempDir(), "j.db"), "postgresql": cluster.NewDSN(t),
	} {
		s, err := Open(t.Context(), Config{DSN: dsn, Now: time.Now})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		all[name] = s
	}
	return all
}

// TestSchemaIsWhatMigrationsEndIn compares schema.sql, the text to read, with what the migrations make of an empty
// database.
func TestSchemaIsWhatMigrationsEndIn(t *testing.T) {
	got := dump(t, engines(t)["sqlite"].read.all)
	if *update {
		if err := os.WriteFile("schema.sql", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("schema.sql is another schema than the migrations make: go test ./internal/store -run Schema -update\n%s", got)
	}
}

func dump(t *testing.T, db *sql.DB) string {
	t.Helper()
	statements, err := list(t.Context(), db, scanOne[string],
		`SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'goose%' AND name NOT LIKE 'sqlite%' ORDER BY tbl_name, type DESC, name`)
	if err != nil {
		t.Fatal(err)
	}
	return "-- What the migrations end in. Written by go test ./internal/store -run Schema -update; do not edit.\n\n" +
		strings.Join(statements, ";\n\n") + ";\n"
}

// TestEnginesHaveTheSameColumns holds names, order and nullability of every column of both engines against each other.
func TestEnginesHaveTheSameColumns(t *testing.T) {
	all := engines(t)
	columns := func(s *Store, query string) string {
		rows, err := list(t.Context(), s.read, scanOne[string], query)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(rows, "\n")
	}
	lite := columns(all["sqlite"], `SELECT m.name || ' ' || c.name || ' ' || c."notnull" FROM sqlite_master m JOIN pragma_table_info(m.name) c
		WHERE m.type = 'table' AND m.name NOT LIKE 'goose%' AND m.name NOT LIKE 'sqlite%' ORDER BY m.name, c.cid`)
	pg := columns(all["postgresql"], `SELECT table_name || ' ' || column_name || ' ' || CASE is_nullable WHEN 'NO' THEN 1 ELSE 0 END
		FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE 'goose%'
		ORDER BY table_name COLLATE "C", ordinal_position`)
	if lite != pg {
		t.Errorf("SQLite:\n%s\nPostgreSQL:\n%s", lite, pg)
	}
}

var statement = regexp.MustCompile(`^\s*(SELECT|INSERT|UPDATE|DELETE)\s`)

// TestEveryStatementPreparesOnBothEngines finds every SQL text in this package's source and lets both engines parse it.
func TestEveryStatementPreparesOnBothEngines(t *testing.T) {
	found := statements(t)
	if len(found) < 60 {
		t.Fatalf("only %d statements found: the search is broken", len(found))
	}
	for name, s := range engines(t) {
		for at, query := range found {
			if err := prepare(t.Context(), s.write, query); err != nil {
				t.Errorf("%s: %s: %v\n%s", name, at, err, query)
			}
		}
	}
}

func prepare(ctx context.Context, db *sql.DB, query string) error {
	st, err := db.PrepareContext(ctx, query)
	if err != nil {
		return err
	}
	defer st.Close()
	return nil
}

// statements returns every constant SQL text of the non-test files, by its place. A text that is only a first part of
// others (selectUser and the like) is one too.
func statements(t *testing.T) map[string]string {
	t.Helper()
	fset := token.NewFileSet()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	consts := map[string]string{}
	var trees []*ast.File
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(fset, f, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		trees = append(trees, tree)
		ast.Inspect(tree, func(n ast.Node) bool {
			if v, ok := n.(*ast.ValueSpec); ok && len(v.Values) == 1 {
				consts[v.Names[0].Name] = text(v.Values[0], consts)
			}
			return true
		})
	}
	found := map[string]string{}
	for _, tree := range trees {
		ast.Inspect(tree, func(n ast.Node) bool {
			e, ok := n.(ast.Expr)
			if !ok {
				return true
			}
			s := text(e, consts)
			if statement.MatchString(s) {
				found[fset.Position(n.Pos()).String()] = s
				return false // its parts are no statements
			}
			return true
		})
	}
	return found
}

// text is the value of a constant string expression, empty if it is none.
func text(e ast.Expr, consts map[string]string) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			s, err := strconv.Unquote(e.Value)
			if err == nil {
				return s
			}
		}
	case *ast.Ident:
		return consts[e.Name]
	case *ast.BinaryExpr:
		a, b := text(e.X, consts), text(e.Y, consts)
		if e.Op == token.ADD && a != "" && b != "" {
			return a + b
		}
	}
	return ""
}

// TestOpenTwice: migrations that ran are left alone, and the file is for its owner.
func TestOpenTwice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j d%b.db") // a path that an URL would break
	for range 2 {
		s, err := Open(context.Background(), Config{DSN: "sqlite:" + path, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	st, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if st.Mode().Perm() != 0o600 {
		t.Errorf("mode %o", st.Mode().Perm())
	}
}

// TestSettingsOfSQLite: what durability stands on is really set, on each kind of connection.
func TestSettingsOfSQLite(t *testing.T) {
	s := engines(t)["sqlite"]
	for name, db := range map[string]*sql.DB{"write": s.write, "read": s.read.all, "pages": s.read.pages} {
		for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"} {
			var got string
			if err := db.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
				t.Errorf("%s %s: %q, %v", name, pragma, got, err)
			}
		}
	}
	if _, err := s.read.all.Exec("DELETE FROM events"); err == nil {
		t.Error("the reading connections can write")
	}
}
