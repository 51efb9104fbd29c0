package store

import (
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// TestFailuresOfTheDatabase: only what the database would say of anything it is asked counts as its failure.
func TestFailuresOfTheDatabase(t *testing.T) {
	for code, want := range map[string]error{
		"08006": ErrFailed, "25006": ErrFailed, "40P01": ErrFailed, "53300": ErrFailed, "53100": ErrFull, "57P01": ErrFailed, "58030": ErrFailed,
		"XX001": ErrFailed, "22021": ErrInvalid, "22P02": ErrInvalid, "23514": ErrInvalid, "23505": ErrExists, "23503": ErrInUse,
	} {
		if got := translate(fmt.Errorf("asked: %w", &pgconn.PgError{Code: code})); !errors.Is(got, want) {
			t.Errorf("%s: %v, want %v", code, got, want)
		}
	}
	for _, code := range []string{"42601", "28000", "0A000", ""} {
		if got := translate(&pgconn.PgError{Code: code}); errors.Is(got, ErrFailed) || errors.Is(got, ErrInvalid) {
			t.Errorf("%s: %v", code, got)
		}
	}
	if got := translate(&pgconn.ConnectError{}); !errors.Is(got, ErrFailed) {
		t.Errorf("no line: %v", got)
	}
}

// TestTextThatCannotBeStored: a text that a database does not take is the fault of the text.
func TestTextThatCannotBeStored(t *testing.T) {
	by := By{Actor: "cli:test"}
	for name, s := range engines(t) {
		_, err := s.DeleteDesk(t.Context(), by, "a\x00b")
		if !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
