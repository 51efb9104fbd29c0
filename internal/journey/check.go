//go:build linux

package journey

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"jiseki/internal/demo"
)

// CheckConfig says what to check.
type CheckConfig struct {
	// Town is the town to found. Its folder is emptied at the start, and is left with the logs.
	Town demo.Config
	// Report is the folder that the report goes to; what was in it is removed.
	Report string
	// Say tells the person who waits what happens.
	Say func(format string, args ...any)
}

// errDone ends a town that was walked through.
var errDone = errors.New("the journey is over")

// Check founds a town, walks the whole journey in it, and writes a report. It returns the error of the step that failed.
func Check(ctx context.Context, cfg CheckConfig) error {
	for _, dir := range []string{cfg.Town.Dir, cfg.Report} {
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("check: %w", err)
		}
	}
	if err := os.MkdirAll(cfg.Report, 0o755); err != nil {
		return fmt.Errorf("check: %w", err)
	}
	r := report{Began: time.Now(), Address: fmt.Sprintf("https://localhost:%d", cfg.Town.Port)}
	err := cfg.found(ctx, &r)
	r.Took = time.Since(r.Began)
	r.Passed = err == nil
	if failed := r.write(cfg.Report); failed != nil {
		err = errors.Join(err, failed)
	}
	return err
}

// found runs a town for as long as the walk takes.
func (cfg CheckConfig) found(ctx context.Context, r *report) error {
	walked := errors.New("the town ended before the journey")
	err := demo.Run(ctx, cfg.Town, func(ctx context.Context, t *demo.Town) error {
		walked = cfg.walk(ctx, t, r)
		return errDone
	})
	if err != nil && !errors.Is(err, errDone) {
		return errors.Join(err, walked)
	}
	return walked
}

// walk walks all steps until one fails.
func (cfg CheckConfig) walk(ctx context.Context, t *demo.Town, r *report) (err error) {
	j, err := New(ctx, Config{Town: t, Shots: cfg.Report, Homes: cfg.Town.Dir})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	for _, s := range append(Steps(), Day()...) {
		result := j.Walk(ctx, s)
		r.Results = append(r.Results, result)
		if result.Err != nil {
			cfg.Say("NG %6.1f 秒 %s (%s)", result.Took.Seconds(), s.Name, s.ID)
			return fmt.Errorf("step %s: %w\nscreenshot: %s\n%s", s.ID, result.Err, result.lastShot(), lastLines(cfg.Town.Dir))
		}
		cfg.Say("OK %6.1f 秒 %s", result.Took.Seconds(), s.Name)
	}
	return nil
}

// tailLines is how much of each log is shown when a step failed.
const tailLines = 12

// lastLines are the ends of the town's logs.
func lastLines(town string) string {
	var b strings.Builder
	for _, name := range []string{"gateway.log", "agent.log"} {
		path := filepath.Join(town, "logs", name)
		raw, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
		fmt.Fprintf(&b, "%s:\n  %s\n", path, strings.Join(lines[max(0, len(lines)-tailLines):], "\n  "))
	}
	return b.String()
}

// quiet is a log that nobody reads.
func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
