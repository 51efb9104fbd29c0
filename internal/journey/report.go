//go:build linux

package journey

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"time"
)

// A report is what a check leaves: a page for people and the same for programs.
type report struct {
	Began   time.Time
	Took    time.Duration
	Address string
	Passed  bool
	Results []Result
}

//go:embed report.html
var reportText string

// A line is a step in the report.
type line struct {
	Number  int      `json:"number"`
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Passed  bool     `json:"passed"`
	Seconds float64  `json:"seconds"`
	Error   string   `json:"error,omitempty"`
	Notes   []string `json:"notes,omitempty"`
	Shots   []string `json:"screenshots,omitempty"` // beside the report
}

// document is the report's form in JSON.
type document struct {
	Began   time.Time `json:"began"`
	Seconds float64   `json:"seconds"`
	Address string    `json:"address"`
	Passed  bool      `json:"passed"`
	Planned int       `json:"planned"`
	Steps   []line    `json:"steps"`
}

func (r *report) document() document {
	d := document{Began: r.Began, Seconds: r.Took.Seconds(), Address: r.Address, Passed: r.Passed, Planned: len(Steps())}
	for i, result := range r.Results {
		l := line{Number: i + 1, ID: result.Step.ID, Name: result.Step.Name, Passed: result.Err == nil, Seconds: result.Took.Seconds(), Notes: result.Notes}
		if result.Err != nil {
			l.Error = result.Err.Error()
		}
		for _, s := range result.Shots {
			l.Shots = append(l.Shots, filepath.Base(s))
		}
		d.Steps = append(d.Steps, l)
	}
	return d
}

// write writes index.html and report.json.
func (r *report) write(dir string) error {
	d := r.document()
	raw, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	form, err := template.New("report").Parse(reportText)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	page, err := os.Create(filepath.Join(dir, "index.html"))
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return errors.Join(form.Execute(page, d), page.Close(), os.WriteFile(filepath.Join(dir, "report.json"), append(raw, '\n'), 0o644)) //nolint:gosec // a report is to be read
}
