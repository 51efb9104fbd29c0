package store

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/audit"
	"jiseki/internal/calendar"
	"jiseki/internal/telework"
)

// writerEnv makes the test binary a process that does what a day consists of, and says each act that is committed.
const writerEnv = "JISEKI_STORE_TEST_WRITER"

// committed is what a killed writer had reported as done.
type committed struct {
	Section  string `json:"section,omitempty"`
	Request  string `json:"request,omitempty"`
	Approved string `json:"approved,omitempty"`
	Segments int    `json:"segments,omitempty"` // of the worker's workdays altogether
}

// clerk, chief and worker act.
var (
	clerk  = By{Actor: "cli:test"}
	chief  = By{Actor: "user:chief"}
	worker = By{Actor: "user:worker"}
)

// day is a section, a segment, a request and its approval, again and again.
type day struct {
	*Store
	ctx context.Context //nolint:containedctx // of the process
}

func writer() {
	ctx := context.Background()
	s, err := Open(ctx, Config{DSN: os.Getenv(writerEnv), Now: time.Now})
	for i := 0; err == nil; i++ {
		err = day{s, ctx}.live(i)
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func (d day) live(i int) error {
	id := fmt.Sprintf("s%d-%d", time.Now().UnixNano(), i)
	if err := d.PutSection(d.ctx, clerk, Section{ID: id, Name: "所属"}); err != nil {
		return err
	}
	say(committed{Section: id})
	if err := d.report(); err != nil {
		return err
	}
	request, err := d.request()
	if err != nil {
		return err
	}
	say(committed{Request: request.ID})
	_, err = d.DecideRequest(d.ctx, chief, request.ID, telework.Decision{Answer: telework.Approve, Revision: request.Revision})
	if err != nil {
		return err
	}
	say(committed{Approved: request.ID})
	return nil
}

func say(c committed) { _ = json.NewEncoder(os.Stdout).Encode(c) } // nobody hears it who is gone

// report begins another segment than the one that lasts.
func (d day) report() error {
	now, _, err := d.OpenSegment(d.ctx, "worker")
	if err != nil {
		return err
	}
	kind := telework.Work
	if now.Kind == kind {
		kind = telework.Break
	}
	if _, err := d.ReportWorkday(d.ctx, worker, "worker", WorkdayReport{Kind: kind}); err != nil {
		return err
	}
	n, err := segments(d.ctx, d.Store)
	say(committed{Segments: n})
	return err
}

func segments(ctx context.Context, s *Store) (n int, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM workday_segments WHERE user_id = 'worker'`).Scan(&n)
	return n, err
}

// request asks for the next open day that was not asked for.
func (d day) request() (telework.Request, error) {
	mine, _, err := d.RequestsOf(d.ctx, "worker", Page{Limit: 500})
	if err != nil {
		return telework.Request{}, err
	}
	taken := map[calendar.Date]bool{}
	for i := range mine {
		taken[mine[i].Draft.Days[0].Date] = true
	}
	date := calendar.DateOf(time.Now()).Add(1)
	for taken[date] || !(calendar.Days{}).Open(date) {
		date = date.Add(1)
	}
	return d.SubmitRequest(d.ctx, worker, Submission{Draft: telework.Draft{
		Days: []telework.Day{{Date: date, Unit: telework.Full}}, Place: access.Home, Reason: telework.ReasonWork,
	}})
}

// hall makes the town hall of the day.
func hall(t *testing.T, dsn string) {
	t.Helper()
	s, err := Open(t.Context(), Config{DSN: dsn, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(
		s.CreateOrganisation(t.Context(), clerk, "青葉町", access.Default()),
		s.PutSection(t.Context(), clerk, Section{ID: "soumu", Name: "総務課"}),
		s.CreateUsers(t.Context(), clerk, []NewUser{
			{ID: "chief", Name: "課長", MainSection: "soumu", PasswordHash: "hash"}, {ID: "worker", Name: "職員", MainSection: "soumu", PasswordHash: "hash"},
		}),
		s.PutSection(t.Context(), clerk, Section{ID: "soumu", Name: "総務課", Head: "chief"}),
		s.Close(),
	)
	if err != nil {
		t.Fatal(err)
	}
}

// TestKilledWriterLosesNothing kills a writing process without warning, at a moment that nobody knows, several times.
// Every act that it had reported as done is there, and what is there and in the log is the same: no half act.
func TestKilledWriterLosesNothing(t *testing.T) {
	for name, dsn := range map[string]string{
		"sqlite": "sqlite:" + filepath.Join(t.TempDir(), "j.db"), "postgresql": cluster.NewDSN(t),
	} {
		t.Run(name, func(t *testing.T) {
			hall(t, dsn)
			for round := range 4 {
				done := killAfter(t, dsn, 3+9*round, time.Duration(rand.IntN(8_000))*time.Microsecond)
				s, err := Open(t.Context(), Config{DSN: dsn, Now: time.Now})
				if err != nil {
					t.Fatalf("open after the kill: %v", err)
				}
				for _, c := range done {
					isThere(t, s, c)
				}
				noHalfActs(t, s)
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// isThere looks for an act that was reported as done.
func isThere(t *testing.T, s *Store, c committed) {
	t.Helper()
	if c.Section != "" {
		if n := counted(t, s, `SELECT COUNT(*) FROM sections WHERE id = $1`, c.Section); n != 1 {
			t.Errorf("section %s is lost", c.Section)
		}
	}
	if n, err := segments(t.Context(), s); err != nil || n < c.Segments {
		t.Errorf("%d of %d segments are left: %v", n, c.Segments, err)
	}
	for id, state := range map[string]telework.State{c.Request: telework.Pending, c.Approved: telework.Approved} {
		if id == "" {
			continue
		}
		r, err := s.Request(t.Context(), id)
		if err != nil || r.State < state || len(r.Draft.Days) != 1 || len(r.Steps) == 0 {
			t.Errorf("request %s is lost or half: %+v, %v", id, r, err)
		}
	}
}

func counted(t *testing.T, s *Store, query string, args ...any) (n int) {
	t.Helper()
	if err := s.read.QueryRowContext(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// noHalfActs holds what is kept against the log and against the notices that belong to it.
func noHalfActs(t *testing.T, s *Store) {
	t.Helper()
	report, err := s.VerifyEvents(t.Context(), audit.Against{})
	if err != nil || report.Problem != nil {
		t.Errorf("%v, %v", report.Problem, err)
	}
	events := func(kind audit.Kind) int {
		return counted(t, s, `SELECT COUNT(*) FROM events WHERE kind = $1`, string(kind))
	}
	notices := func(kind string) int { return counted(t, s, `SELECT COUNT(*) FROM notices WHERE kind = $1`, kind) }
	for what, n := range map[string][3]int{
		"segments": {counted(t, s, `SELECT COUNT(*) FROM workday_segments`), events(audit.WorkdayReported), events(audit.WorkdayReported)},
		"requests": {counted(t, s, `SELECT COUNT(*) FROM requests`), events(audit.RequestSubmitted), notices("request_submitted")},
		"approved": {counted(t, s, `SELECT COUNT(*) FROM requests WHERE state = 2`), events(audit.RequestApproved), notices("request_approved")},
		"open":     {counted(t, s, `SELECT COUNT(*) FROM workday_segments WHERE until_ms = 0`), 1, 1},
	} {
		if n[0] != n[1] || n[0] != n[2] {
			t.Errorf("%s: %d are kept, %d in the log, %d told", what, n[0], n[1], n[2])
		}
	}
}

// killAfter lets a writer report n acts, waits a moment longer, kills it and returns all that it reported before its
// pipe ended.
func killAfter(t *testing.T, dsn string, n int, moment time.Duration) (done []committed) {
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
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var c committed
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		done = append(done, c)
		if len(done) == n {
			time.AfterFunc(moment, func() { _ = cmd.Process.Kill() })
		}
	}
	_ = cmd.Wait() // killed
	if len(done) < n {
		t.Fatalf("the writer ended after %d acts", len(done))
	}
	return done
}
