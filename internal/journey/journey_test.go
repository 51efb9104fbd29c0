//go:build linux

package journey_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"jiseki/internal/demo"
	"jiseki/internal/journey"
)

// TestJourney walks through the demo town in Chromium: each step is a test of its own, all in one town. With -artifacts
// the screenshots are kept.
func TestJourney(t *testing.T) { walk(t, journey.Steps()) }

// TestDay walks the telework day of three people in a town of its own.
func TestDay(t *testing.T) { walk(t, journey.Day()) }

func walk(t *testing.T, steps []journey.Step) {
	t.Helper()
	town := start(t, build(t))
	j, err := journey.New(t.Context(), journey.Config{Town: town, Shots: t.ArtifactDir(), Homes: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	for _, s := range steps {
		passed := t.Run(s.ID, func(t *testing.T) {
			r := j.Walk(t.Context(), s)
			for _, note := range r.Notes {
				t.Log(note)
			}
			if r.Err != nil {
				t.Fatalf("%v\nscreenshots: %v", r.Err, r.Shots)
			}
		})
		if !passed {
			return // the later steps need this one
		}
	}
}

// build builds the programs with the pages that are in web/dist, as make build does.
func build(t *testing.T) (bin string) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "web", "dist", "index.html")); err != nil {
		t.Fatalf("the pages are not built, which make test does first: %v", err)
	}
	bin = t.TempDir()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", bin+"/", "./cmd/jiseki-gateway", "./cmd/jiseki-agent")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return bin
}

// start starts a town for the time of the test.
func start(t *testing.T, bin string) *demo.Town {
	t.Helper()
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	opened, ended := make(chan *demo.Town, 1), make(chan error, 1)
	cfg := demo.Config{
		Dir: dir, Bin: bin, Port: freePort(t), Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
		Say: func(format string, args ...any) { fmt.Fprintf(t.Output(), format+"\n", args...) },
	}
	go func() {
		ended <- demo.Run(ctx, cfg, func(_ context.Context, town *demo.Town) error { opened <- town; return nil })
	}()
	var town *demo.Town
	select {
	case town = <-opened:
	case err := <-ended:
		cancel()
		t.Fatalf("the town does not start: %v", err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			showLogs(t, dir)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the town ended badly: %v", err)
		}
		if err := os.RemoveAll(town.Desktop.Home()); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Errorf("home of the desk: %v", err)
		}
	})
	return town
}

// freePort is a port that nobody listens on now.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// showLogs prints what gateway and agent logged.
func showLogs(t *testing.T, dir string) {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(dir, "logs", "*.log"))
	if err != nil {
		t.Error(err)
	}
	for _, path := range logs {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Error(err)
		}
		t.Logf("%s:\n%s", filepath.Base(path), raw[max(0, len(raw)-4000):])
	}
}
