package store

import (
	"errors"
	"testing"
)

// TestHungDatabaseIsGivenUp: a query and an act that the database never answers end by themselves, as failures of the
// database.
func TestHungDatabaseIsGivenUp(t *testing.T) {
	s := engines(t)["postgresql"]
	if s == nil {
		t.Skip("no PostgreSQL")
	}
	hold, err := s.write.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = hold.Rollback() }()
	if _, err := hold.ExecContext(t.Context(), "LOCK TABLE sections IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Sections(t.Context()); err == nil {
		t.Error("the list was answered")
	}
	if err := s.PutSection(t.Context(), By{Actor: "cli:test"}, Section{ID: "s1", Name: "課"}); !errors.Is(err, ErrFailed) {
		t.Errorf("the act: %v, want ErrFailed", err)
	}
}
