package durable_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"jiseki/internal/durable"
)

// TestLock: one has it, until it gives it back or its process ends.
func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	if os.Getenv("TEST_LOCK") != "" {
		if _, err := durable.Lock(os.Getenv("TEST_LOCK")); err != nil {
			t.Fatal(err)
		}
		return // without giving it back
	}
	other := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestLock$")
	other.Env = append(os.Environ(), "TEST_LOCK="+path)
	if out, err := other.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	release, err := durable.Lock(path)
	if err != nil {
		t.Fatalf("its process has ended: %v", err)
	}
	if _, err := durable.Lock(path); !errors.Is(err, durable.ErrLocked) {
		t.Errorf("a second time: %v", err)
	}
	again := exec.CommandContext(t.Context(), other.Path, other.Args[1:]...)
	again.Env = other.Env
	if out, err := again.CombinedOutput(); err == nil {
		t.Errorf("another process took it too: %s", out)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	if _, err := durable.Lock(path); err != nil {
		t.Errorf("after it was given back: %v", err)
	}
}
