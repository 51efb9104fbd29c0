package durable_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"jiseki/internal/durable"
)

// TestPut: the two ways to write a file differ in what they do to one that is there, and leave nothing else behind.
func TestPut(t *testing.T) {
	type write func(string, []byte, fs.FileMode) error
	for name, tt := range map[string]struct {
		write write
		there bool
		want  string
		err   error
	}{
		"create":               {durable.Create, false, "new", nil},
		"create where one is":  {durable.Create, true, "old", fs.ErrExist},
		"replace":              {durable.Replace, false, "new", nil},
		"replace where one is": {durable.Replace, true, "new", nil},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "file")
			if tt.there {
				if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if err := tt.write(path, []byte("new"), 0o600); !errors.Is(err, tt.err) {
				t.Errorf("error %v, want %v", err, tt.err)
			}
			if got, err := os.ReadFile(path); err != nil || string(got) != tt.want {
				t.Errorf("holds %q, %v, want %q", got, err, tt.want)
			}
			if entries, _ := os.ReadDir(dir); len(entries) != 1 {
				t.Errorf("left %v", entries)
			}
			if st, err := os.Stat(path); tt.want == "new" && runtime.GOOS != "windows" && (err != nil || st.Mode() != 0o600) {
				t.Errorf("mode %v, %v", st.Mode(), err)
			}
		})
	}
}

// TestFailedWriteChangesNothing: a folder that cannot be written to, as a full or read-only disk cannot.
func TestFailedWriteChangesNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if err := os.Mkdir(path, 0o700); err != nil { // a name that no file can take
		t.Fatal(err)
	}
	if err := durable.Replace(path, []byte("new"), 0o600); err == nil {
		t.Error("a folder was replaced by a file")
	}
	if err := durable.Create(path, []byte("new"), 0o600); !errors.Is(err, fs.ErrExist) {
		t.Errorf("create: %v", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left %v", entries)
	}
}

func TestAppendAfterATornLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lines")
	for _, line := range []string{"one\n", "two\n", "tor", "three\n"} {
		if err := durable.Append(path, []byte(line), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if want := []byte("one\ntwo\ntor\nthree\n"); err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func TestSetAsideKeepsWhatWasThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.json")
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	aside, err := durable.SetAside(path, time.Date(2026, 11, 29, 8, 30, 0, 0, time.UTC))
	if err != nil || aside != path+".damaged-20261129T083000.000" {
		t.Fatalf("%s, %v", aside, err)
	}
	if got, err := os.ReadFile(aside); err != nil || string(got) != "{" {
		t.Errorf("holds %q, %v", got, err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the damaged file is still in its place: %v", err)
	}
}
