package store

import (
	"context"
	"runtime"
	"testing"
	"time"

	"jiseki/internal/store/pgtest"
)

// TestWaitingWritersLeaveReadersTheirConnections: acts that wait for each other's turn at the head of the chain hold no
// connection that others read by, however many they are.
func TestWaitingWritersLeaveReadersTheirConnections(t *testing.T) {
	for name, s := range engines(t) {
		t.Run(name, func(t *testing.T) {
			first, err := s.write.BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := first.Exec(`UPDATE chain_head SET id = id WHERE id = 1`); err != nil {
				t.Fatal(err)
			}
			acts := make(chan error)
			for range 100 {
				go func() { acts <- s.PutSection(t.Context(), By{Actor: "cli:test"}, Section{ID: "a", Name: "課"}) }()
			}
			for s.write.Stats().WaitCount == 0 { // all connections that write are taken
				runtime.Gosched()
			}
			if _, err := s.Sections(t.Context()); err != nil {
				t.Error(err)
			}
			if err := first.Rollback(); err != nil {
				t.Fatal(err)
			}
			for range 100 {
				<-acts // one makes the section, the others find it
			}
		})
	}
}

// TestCutActGivesTheHeadBack: a gateway whose line to PostgreSQL is cut in the middle of an act, or that is stopped there,
// does not hold the head of the chain until the server's system finds out.
func TestCutActGivesTheHeadBack(t *testing.T) {
	dsn := cluster.NewDSN(t)
	line, over := pgtest.NewLine(t, dsn)
	cut, err := Open(t.Context(), Config{DSN: over, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cut.Close() }) // its lines hang
	well, err := Open(t.Context(), Config{DSN: dsn, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = well.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	err = cut.act(ctx, func(t *tx) error { // the head is locked
		line.Hang()
		return t.exec(`UPDATE gateways SET alive_ms = 0 WHERE id = 'none'`)
	})
	if err == nil {
		t.Fatal("nothing hung")
	}
	if err := well.PutSection(t.Context(), By{Actor: "cli:test"}, Section{ID: "s1", Name: "課"}); err != nil {
		t.Errorf("another gateway: %v", err)
	}
}

// TestPagesLeaveOthersTheirConnections: what pages show, however many ask and however long it takes, leaves leases, reviews and
// openings the connections that they read by.
func TestPagesLeaveOthersTheirConnections(t *testing.T) {
	for name, s := range engines(t) {
		t.Run(name, func(t *testing.T) {
			page := ForPage(t.Context())
			for s.read.of(page).Stats().InUse < s.read.of(page).Stats().MaxOpenConnections { // lists that take long
				rows, err := s.read.QueryContext(page, `SELECT id FROM chain_head`)
				if err != nil {
					t.Fatal(err)
				}
				if err := rows.Err(); err != nil {
					t.Fatal(err)
				}
				defer rows.Close()
			}
			ctx, cancel := context.WithCancel(page)
			waited := make(chan error)
			go func() {
				_, _, err := s.Sessions(ctx, SessionFilter{User: "tanaka"}, Page{})
				waited <- err
			}()
			for s.read.of(page).Stats().WaitCount == 0 { // one more list has its turn after them
				runtime.Gosched()
			}
			if _, err := s.RunningSessions(t.Context(), ""); err != nil {
				t.Error(err)
			}
			cancel()
			if err := <-waited; err == nil {
				t.Error("a list found a connection")
			}
		})
	}
}
