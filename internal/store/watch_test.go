package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	sqlite "modernc.org/sqlite"
)

// Writing is what transactions that write took of SQLite's one writer since it was asked last.
type Writing struct {
	Acts       int           // transactions
	Statements int           // in the one that had most of them
	Held, CPU  time.Duration // what the longest took while nobody else could write, and of that what this process worked
}

// A Watch sees what a store writes.
type Watch struct {
	mu         sync.Mutex
	seen       Writing
	began      time.Time
	worked     time.Duration
	statements int
}

// Watched puts a watch over the writer of a SQLite database.
func Watched(t testing.TB, s *Store, dsn string) *Watch {
	t.Helper()
	w := &Watch{}
	if err := s.write.Close(); err != nil {
		t.Fatal(err)
	}
	s.write = sql.OpenDB(watchedConnector{w, sqliteURL(strings.TrimPrefix(dsn, "sqlite:")) + immediately})
	s.write.SetMaxOpenConns(1)
	return w
}

// Take is what was written since the last time.
func (w *Watch) Take() Writing {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := w.seen
	w.seen = Writing{}
	return seen
}

func (w *Watch) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.began, w.worked, w.statements = time.Now(), worked(), 0
}

func (w *Watch) statement() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.statements++
}

func (w *Watch) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen.Acts++
	w.seen.Statements = max(w.seen.Statements, w.statements)
	w.seen.Held, w.seen.CPU = max(w.seen.Held, time.Since(w.began)), max(w.seen.CPU, worked()-w.worked)
}

// worked is the time that all processors together gave this process.
func worked() time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

type watchedConnector struct {
	watch *Watch
	dsn   string
}

func (c watchedConnector) Driver() driver.Driver { return &sqlite.Driver{} }

func (c watchedConnector) Connect(context.Context) (driver.Conn, error) {
	conn, err := c.Driver().Open(c.dsn)
	if err != nil {
		return nil, err
	}
	return &watchedConn{Conn: conn, watch: c.watch}, nil
}

// watchedConn is a connection of SQLite's driver, which has all that is asked of it here.
type watchedConn struct {
	driver.Conn
	watch *Watch
}

func (c *watchedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	c.watch.statement()
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, query, args)
}

func (c *watchedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.watch.statement()
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
}

func (c *watchedConn) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	tx, err := c.Conn.(driver.ConnBeginTx).BeginTx(ctx, options)
	if err != nil {
		return nil, err
	}
	c.watch.begin()
	return watchedTx{tx, c.watch}, nil
}

type watchedTx struct {
	driver.Tx
	watch *Watch
}

func (t watchedTx) Commit() error {
	defer t.watch.end()
	return t.Tx.Commit()
}

func (t watchedTx) Rollback() error {
	defer t.watch.end()
	return t.Tx.Rollback()
}
