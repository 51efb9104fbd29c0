package store

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"jiseki/internal/audit"
)

// writerEnv makes the test binary a process that writes events and says the number of each that is committed.
const writerEnv = "JISEKI_STORE_TEST_WRITER"

func writer() {
	ctx := context.Background()
	s, err := Open(ctx, Config{DSN: os.Getenv(writerEnv), Now: time.Now})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for i := 0; ; i++ {
		err := s.PutSection(ctx, By{Actor: "cli:test"}, Section{ID: fmt.Sprintf("s%d", i), Name: "所属"})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(i)
	}
}

// TestKilledWriterLosesNothing kills a writing process without warning, several times, and looks for every act that it had
// reported as done, and for its event.
func TestKilledWriterLosesNothing(t *testing.T) {
	for name, dsn := range map[string]string{
		"sqlite": "sqlite:" + filepath.Join(t.TempDir(), "j.db"), "postgresql": cluster.NewDSN(t),
	} {
		t.Run(name, func(t *testing.T) {
			for round := range 3 {
				committed := killAfter(t, dsn, 5+7*round)
				s, err := Open(t.Context(), Config{DSN: dsn, Now: time.Now})
				if err != nil {
					t.Fatalf("open after the kill: %v", err)
				}
				sections, err := s.Sections(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				have := map[string]bool{}
				for i := range sections {
					have[sections[i].ID] = true
				}
				for i := 0; i <= committed; i++ {
					if !have[fmt.Sprintf("s%d", i)] {
						t.Errorf("round %d: section %d of %d is lost", round, i, committed)
					}
				}
				report, err := s.VerifyEvents(t.Context(), audit.Against{})
				if err != nil || report.Problem != nil {
					t.Errorf("round %d: %v, %v", round, report.Problem, err)
				}
				if report.Checked < uint64(committed)+1 { //nolint:gosec // a count
					t.Errorf("round %d: %d events for %d acts", round, report.Checked, committed+1)
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// killAfter lets a writer report n acts, kills it and returns the last act that it reported before its pipe ended.
func killAfter(t *testing.T, dsn string, n int) (last int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), writerEnv+"="+dsn)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for last = -1; lines.Scan(); {
		if last, err = strconv.Atoi(lines.Text()); err != nil {
			t.Fatal(err)
		}
		if last == n {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // killed
	if last < n {
		t.Fatalf("the writer ended after %d acts", last)
	}
	return last
}
