package store

import (
	"slices"
	"testing"
)

func TestInOne(t *testing.T) {
	query, args := inOne(`INSERT INTO x (a, b, c) VALUES ($1, CAST($2 AS TEXT), '') ON CONFLICT (a) DO NOTHING`, [][]any{{1, 2}, {3, 4}})
	want := `INSERT INTO x (a, b, c) VALUES ($1, CAST($2 AS TEXT), ''), ($3, CAST($4 AS TEXT), '') ON CONFLICT (a) DO NOTHING`
	if query != want {
		t.Errorf("%s\nwant %s", query, want)
	}
	if !slices.Equal(args, []any{1, 2, 3, 4}) {
		t.Error(args)
	}
}
