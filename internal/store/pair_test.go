package store

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"jiseki/internal/access"
)

// TestBackupOverACrashedDatabase: a copy that is unpacked over a database which was not closed has that one's log
// beside it, and is not opened. Moved away with its log it makes room for the copy; left alone it is as it was.
func TestBackupOverACrashedDatabase(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "jiseki.db")
	begin := func(path string) (*Store, error) {
		return Open(t.Context(), Config{DSN: "sqlite:" + path, Now: time.Now})
	}
	write := func(s *Store, id string) {
		t.Helper()
		by := By{Actor: "cli:test"}
		if err := s.CreateUsers(t.Context(), by, []NewUser{{ID: id, Name: id, Roles: []access.Role{access.Staff}, PasswordHash: "x"}}); err != nil {
			t.Fatal(err)
		}
	}
	copyTo := func(from, to string) {
		t.Helper()
		b, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(to, b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	run := func(id string) *Store {
		t.Helper()
		s, err := begin(path)
		if err != nil {
			t.Fatal(err)
		}
		write(s, id)
		return s
	}

	if err := run("tanaka").Close(); err != nil {
		t.Fatal(err)
	}
	copyTo(path, filepath.Join(dir, "backup")) // as after an orderly stop: the file alone
	running := run("suzuki")
	defer running.Close()
	crashed := filepath.Join(dir, "crashed.db") // what is on the disk when the power goes
	for _, end := range []string{"", "-wal", "-open"} {
		copyTo(path+end, crashed+end)
	}
	over := filepath.Join(dir, "over.db")
	for _, end := range []string{"-wal", "-open"} {
		copyTo(crashed+end, over+end)
	}
	copyTo(filepath.Join(dir, "backup"), over)
	if s, err := begin(over); !errors.Is(err, ErrForeignLog) {
		t.Errorf("a copy with the log of the crashed database: %v", err)
		s.Close()
	}
	if after, err := os.ReadFile(over + "-wal"); err != nil || len(after) == 0 {
		t.Errorf("the log was touched: %d bytes, %v", len(after), err)
	}

	again, err := begin(crashed)
	if err != nil {
		t.Fatalf("the crashed database itself: %v", err)
	}
	if _, err := again.User(t.Context(), "suzuki"); err != nil {
		t.Errorf("what was written before the crash: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(crashed + "-*"); len(left) != 0 {
		t.Errorf("left by an orderly end: %q", left)
	}
	copyTo(filepath.Join(dir, "backup"), crashed) // over one that was closed
	restored, err := begin(crashed)
	if err != nil {
		t.Fatalf("a copy in the place of a closed database: %v", err)
	}
	defer restored.Close()
	if _, err := restored.User(t.Context(), "suzuki"); !errors.Is(err, ErrNotFound) {
		t.Errorf("the copy knows what came after it: %v", err)
	}
}
