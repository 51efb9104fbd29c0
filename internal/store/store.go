// Package store keeps everything the gateway must remember, in SQLite or PostgreSQL, and is the only place with SQL:
// one text for both engines.
//
// An act is a method that changes something people answer for. It writes its audit events in the same transaction,
// under a lock on the head of the chain; if the event cannot be written, nothing happened. What is committed survives a
// killed process and a power cut. Every method runs in one transaction and may be called from many goroutines and from
// several gateways on one PostgreSQL.
package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	sqlite "modernc.org/sqlite"

	"jiseki/internal/audit"
	"jiseki/internal/typed"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Errors that callers act on. All others are failures of the database.
var (
	// ErrNotFound: there is no such thing, or it was deleted.
	ErrNotFound = errors.New("store: not found")
	// ErrExists: an id, key or name is taken.
	ErrExists = errors.New("store: exists already")
	// ErrInUse: something else refers to it.
	ErrInUse = errors.New("store: in use")
	// ErrStale: somebody else changed it first.
	ErrStale = errors.New("store: changed by somebody else")
	// ErrInvalid: a value that can never be stored; the text says which.
	ErrInvalid = errors.New("store: invalid")
	// ErrNoInventory: what is lent has neither an inventory number nor a record that it has none.
	ErrNoInventory = errors.New("store: no inventory number")
	// ErrSpent: a nonce, code or token was used before.
	ErrSpent = errors.New("store: used before")
	// ErrExpired: too late.
	ErrExpired = errors.New("store: expired")
	// ErrWrongCode: the code is not the one that was given out.
	ErrWrongCode = errors.New("store: wrong code")
	// ErrLife: the session is not in the state that the step needs.
	ErrLife = errors.New("store: session is in another state")
	// ErrFailed: the database failed, whatever it was asked: its disk, its machine, the line to it.
	ErrFailed = errors.New("store: the database failed")
	// ErrOvertaken: what is written late was decided otherwise, or done once more, in the meantime.
	ErrOvertaken = errors.New("store: something newer was decided")
	// ErrFull, an ErrFailed: there is no room for what was to be written.
	ErrFull = fmt.Errorf("%w: the disk is full", ErrFailed)
)

// errNoEvent is a fault of the program: an act without an event.
var errNoEvent = errors.New("store: act without event")

// errUnchanged lets an act end without change and without event.
var errUnchanged = errors.New("store: unchanged")

// Config says which database to open.
type Config struct {
	// DSN is "sqlite:<path>" or a "postgres://" URL.
	DSN string
	// Now is the gateway's clock.
	Now func() time.Time
	// Gateway is the id of the gateway, whose clock is then held against those of the others on a PostgreSQL. Empty:
	// there are no others.
	Gateway string
	// Moved is called when an act that gives or takes a right has been committed, and returns at once. nil: nobody wants
	// to know.
	Moved func()
	// MakeRoom is called when the disk is full and an act that takes a right away must be written all the same. nil:
	// nobody can.
	MakeRoom func() error
	// Short says that there is room for nothing else: whatever else would be written is ErrFull. nil: never.
	Short func() bool
}

// Store is an open database.
type Store struct {
	write   *sql.DB // SQLite: one connection, immediate transactions; few of PostgreSQL
	read    reads
	own     func() time.Time // our clock
	offMS   atomic.Int64     // see off
	gateway string           // empty: our clock is held against no other
	moved   func()
	room    func() error
	short   func() bool
	pair    pair // empty for PostgreSQL
}

// Open opens the database, creates it if it is not there, and brings it to the newest schema. Two gateways may open one
// of PostgreSQL at the same time. An SQLite file whose log is another one's is ErrForeignLog, and unchanged.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.Moved == nil {
		cfg.Moved = func() {}
	}
	if cfg.MakeRoom == nil {
		cfg.MakeRoom = func() error { return ErrFull }
	}
	if cfg.Short == nil {
		cfg.Short = func() bool { return false }
	}
	s, dialect, err := open(cfg)
	if err != nil {
		return nil, err
	}
	if s.pair != "" {
		if err := s.pair.begin(ctx, s.write); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	if err := s.migrate(ctx, dialect); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close closes the database. No method may run or follow.
func (s *Store) Close() error {
	err := errors.Join(s.read.close(), s.write.Close())
	if s.pair != "" {
		err = errors.Join(err, s.pair.end())
	}
	return err
}

func open(cfg Config) (*Store, goose.Dialect, error) {
	if path, ok := strings.CutPrefix(cfg.DSN, "sqlite:"); ok {
		s, err := openSQLite(path, cfg)
		return s, goose.DialectSQLite3, err
	}
	if !strings.HasPrefix(cfg.DSN, "postgres://") && !strings.HasPrefix(cfg.DSN, "postgresql://") {
		return nil, "", fmt.Errorf("%w: the database is named by sqlite:<path> or postgres://", ErrInvalid)
	}
	s, err := openPostgres(cfg)
	return s, goose.DialectPostgres, err
}

// openSQLite: WAL lets readers go on while one writes; synchronous FULL makes each commit durable, not only consistent;
// one connection writes, so that nobody waits for a lock inside a transaction.
func openSQLite(path string, cfg Config) (*Store, error) {
	if err := pair(path).check(); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) // the database is for its owner, before SQLite makes it
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	base := sqliteURL(path)
	s := &Store{own: cfg.Now, moved: cfg.Moved, room: cfg.MakeRoom, short: cfg.Short, pair: pair(path)}
	for _, pool := range []struct {
		db   **sql.DB
		mode string
		most int
	}{
		{&s.write, immediately, 1}, {&s.read.all, readOnly, readers}, {&s.read.pages, readOnly, pageReaders},
	} {
		if *pool.db, err = sql.Open("sqlite", base+pool.mode); err != nil { // of the name of the driver: nothing is open yet
			return nil, fmt.Errorf("store: %w", err)
		}
		(*pool.db).SetMaxOpenConns(pool.most)
		(*pool.db).SetMaxIdleConns(pool.most)
	}
	return s, nil
}

// What the connection that writes, and those that read, ask for beside sqliteURL.
const (
	immediately = "&_txlock=immediate"
	readOnly    = "&_pragma=query_only(1)"
)

func sqliteURL(path string) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() +
		"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)"
}

func (s *Store) migrate(ctx context.Context, dialect goose.Dialect) error {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	options := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true)}
	if dialect == goose.DialectPostgres {
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return fmt.Errorf("store: %w", err)
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	p, err := goose.NewProvider(dialect, s.write, dir, options...)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("store: migrate: %w", err)
	}
	return nil
}

// By is who acts, for the events.
type By struct {
	Actor   string // "user:<id>", "desk:<id>", "cli:<name>", "gateway:<id>" or "anonymous"
	Address string // network address the act came from, empty if none
	Late    *Late  // nil: what is written is done now
}

// Late is when an act was done that is written only now.
type Late struct {
	AtMS  int64  // as the gateway that did it knew the time
	After uint64 // number of an event that was there before
}

// entry begins an event of this actor.
func (b By) entry(kind audit.Kind, subject string, details audit.Details) audit.Entry {
	if details == nil && (b.Address != "" || b.Late != nil) {
		details = audit.Details{}
	}
	if b.Address != "" {
		details["address"] = audit.Cut(b.Address, 64)
	}
	if b.Late != nil {
		details["acted"] = time.UnixMilli(b.Late.AtMS).UTC().Format(time.RFC3339)
	}
	return audit.Entry{Kind: kind, Actor: b.Actor, Subject: subject, Outcome: audit.Done, Details: details}
}

// tx is a transaction that may write.
type tx struct {
	*sql.Tx
	ctx      context.Context //nolint:containedctx // a tx lives inside one call
	now      int64
	clock    reading
	wrong    bool // our clock is
	head     audit.Mark
	recorded int
	ofRights bool // an event gives or takes a right
	refusal  error
	later    []rows
	register *registerMark // where the register ends, once it was read
}

// act runs fn in a transaction that holds the head of the chain, and commits only if fn recorded an event. An error set
// by refuse is returned after the commit: the refusal itself is what is recorded. What room there is on a disk that is
// short of it is not for this, and while our clock is wrong it is ErrClock.
func (s *Store) act(ctx context.Context, fn func(*tx) error) error {
	return s.note(ctx, byRightClock(fn))
}

// byRightClock is fn, unless our clock is wrong.
func byRightClock(fn func(*tx) error) func(*tx) error {
	return func(t *tx) error {
		if t.wrong {
			return ErrClock
		}
		return fn(t)
	}
}

// note is act for what is told of something that happened, by whatever clock.
func (s *Store) note(ctx context.Context, fn func(*tx) error) error {
	if s.short() {
		return ErrFull
	}
	return s.append(ctx, fn)
}

// append does an act.
func (s *Store) append(ctx context.Context, fn func(*tx) error) error {
	return s.run(ctx, func(t *tx) error {
		if err := t.lockHead(); err != nil {
			return err
		}
		if err := fn(t); err != nil {
			return err
		}
		if t.recorded == 0 {
			return errNoEvent
		}
		return t.saveHead()
	})
}

// takeAway is act for what takes a right away or says that it is gone: on a full disk it asks for room, once. fn may be
// called twice.
func (s *Store) takeAway(ctx context.Context, fn func(*tx) error) error {
	err := s.append(ctx, fn)
	if !errors.Is(err, ErrFull) {
		return err
	}
	if no := s.room(); no != nil {
		return errors.Join(err, no)
	}
	return s.append(ctx, fn)
}

// transact runs fn in a transaction without events: for what nobody answers for (failed tries, notices, clean-up). As
// for an act, there must be room and a clock that is right.
func (s *Store) transact(ctx context.Context, fn func(*tx) error) error {
	if s.short() {
		return ErrFull
	}
	return s.run(ctx, byRightClock(fn))
}

// run runs fn in a transaction, however little room there is and whatever our clock says. What it stamps is of the time
// to go by.
func (s *Store) run(caller context.Context, fn func(*tx) error) (err error) {
	ctx, cancel := context.WithTimeout(caller, transactTime)
	defer cancel()
	defer func() { err = overdue(caller, ctx, err) }()
	end, err := takeTurn(ctx)
	if err != nil {
		return fmt.Errorf("store: wait for the caller's other acts: %w", err)
	}
	defer end()
	raw, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("store: begin: %w", translate(err))
	}
	t := &tx{Tx: raw, ctx: ctx}
	err = s.inTime(t, fn)
	if err == nil {
		err = t.flush()
	}
	if err != nil {
		_ = raw.Rollback() // the transaction is gone either way
		if errors.Is(err, errUnchanged) {
			return t.refusal
		}
		return translate(err)
	}
	if err := raw.Commit(); err != nil {
		return fmt.Errorf("store: commit: %w", translate(err))
	}
	if t.ofRights {
		s.moved()
	}
	return t.refusal
}

// inTime runs fn in a transaction that knows the time.
func (s *Store) inTime(t *tx, fn func(*tx) error) (err error) {
	if t.clock, err = s.look(t.ctx, t); err != nil {
		return err
	}
	off := s.off()
	t.now, t.wrong = s.own().Add(-off).UnixMilli(), off != 0
	return fn(t)
}

// overtaken is ErrOvertaken for an act that is written late, if something of these kinds was done to the subject since.
func (t *tx) overtaken(by By, subject string, kinds ...audit.Kind) error {
	if by.Late == nil {
		return nil
	}
	after, err := list(t.ctx, t, func(row scanner, k *audit.Kind) error { return row.Scan(k) },
		`SELECT kind FROM events WHERE subject = $1 AND number > $2 AND time_ms >= $3`, subject, int64(by.Late.After), by.Late.AtMS) //nolint:gosec // counts from 1
	if err == nil && slices.ContainsFunc(after, func(k audit.Kind) bool { return slices.Contains(kinds, k) }) {
		err = ErrOvertaken
	}
	return err
}

// refuse makes the act return err although it commits.
func (t *tx) refuse(err error) { t.refusal = err }

// lockHead reads the head and keeps it from everybody else until the end. An update that changes nothing is the one way
// to lock a row that both engines have.
func (t *tx) lockHead() error {
	var hash []byte
	err := t.one(`UPDATE chain_head SET id = id WHERE id = 1 RETURNING number, time_ms, hash`, nil,
		&t.head.Number, &t.head.TimeMS, &hash)
	if err != nil {
		return fmt.Errorf("chain head: %w", err)
	}
	copy(t.head.Hash[:], hash)
	return nil
}

func (t *tx) saveHead() error {
	return t.exec(`UPDATE chain_head SET number = $1, time_ms = $2, hash = $3 WHERE id = 1`,
		int64(t.head.Number), t.head.TimeMS, t.head.Hash[:])
}

// record appends an event to the chain. Times of events never go back: while the chain ends ahead of the clock, because
// a clock was ahead, details say the clock's time.
func (t *tx) record(e audit.Entry) error {
	if t.head.TimeMS > latest(t.time()) {
		e.Details = maps.Clone(e.Details)
		if e.Details == nil {
			e.Details = audit.Details{}
		}
		e.Details["clock"] = t.time().UTC().Format(time.RFC3339)
	}
	ev, err := e.Seal(t.head, time.UnixMilli(t.now))
	if err != nil {
		return err
	}
	t.put(`INSERT INTO events (number, time_ms, kind, actor, subject, session, outcome, code, details, hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		int64(ev.Number), ev.TimeMS, string(ev.Kind), ev.Actor, ev.Subject, ev.Session, string(ev.Outcome), ev.Code, ev.Details,
		ev.Hash[:])
	t.head = ev.Mark()
	t.recorded++
	t.ofRights = t.ofRights || e.Kind.OfRights()
	return nil
}

// exec runs a statement and does not care how many rows it touched.
func (t *tx) exec(query string, args ...any) error {
	_, err := t.ExecContext(t.ctx, query, args...)
	return translate(err)
}

// count runs a statement and says how many rows it touched.
func (t *tx) count(query string, args ...any) (int64, error) {
	r, err := t.ExecContext(t.ctx, query, args...)
	if err != nil {
		return 0, translate(err)
	}
	return r.RowsAffected()
}

// must runs a statement that has to touch a row: ErrNotFound if it does not.
func (t *tx) must(query string, args ...any) error {
	n, err := t.count(query, args...)
	if err == nil && n == 0 {
		return ErrNotFound
	}
	return err
}

// one reads one row: ErrNotFound if there is none.
func (t *tx) one(query string, args []any, into ...any) error {
	return one(t.ctx, t, query, args, into...)
}

// querier is a database or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// scanner is a row.
type scanner interface{ Scan(into ...any) error }

// scanOne reads a row of one column.
func scanOne[T any](row scanner, v *T) error { return row.Scan(v) }

// What the database takes at most: a connection that hangs without a word is given up then, and the next one is taken.
const (
	queryTime    = 10 * time.Second
	transactTime = 30 * time.Second // with the turn that it waits for
)

// overdue makes of an error that comes of our time, and not of the caller's, one of the database.
func overdue(caller, ours context.Context, err error) error {
	if err != nil && ours.Err() != nil && caller.Err() == nil && !errors.Is(err, ErrFailed) {
		return fmt.Errorf("%w: %w", ErrFailed, err)
	}
	return err
}

// list reads all rows of a query.
func list[T any](caller context.Context, q querier, scan func(scanner, *T) error, query string, args ...any) (all []T, err error) {
	ctx, cancel := context.WithTimeout(caller, queryTime)
	defer cancel()
	defer func() { err = overdue(caller, ctx, err) }()
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, translate(err)
	}
	defer rows.Close() // rows.Err tells what there is to tell
	for rows.Next() {
		var v T
		if err := scan(rows, &v); err != nil {
			return nil, translate(err)
		}
		all = append(all, v)
	}
	return all, translate(rows.Err())
}

// get reads one row: ErrNotFound if there is none.
func get[T any](caller context.Context, q querier, scan func(scanner, *T) error, query string, args ...any) (v T, err error) {
	ctx, cancel := context.WithTimeout(caller, queryTime)
	defer cancel()
	err = scan(q.QueryRowContext(ctx, query, args...), &v)
	return v, overdue(caller, ctx, translate(err))
}

// one reads one row into variables: ErrNotFound if there is none.
func one(ctx context.Context, q querier, query string, args []any, into ...any) error {
	_, err := get(ctx, q, func(row scanner, _ *struct{}) error { return row.Scan(into...) }, query, args...)
	return err
}

// Codes of SQLite (sqlite3.h) and PostgreSQL (appendix A of its manual).
const (
	sqliteForeignKey = 787
	sqlitePrimaryKey = 1555
	sqliteUnique     = 2067
	sqliteFull       = 13
	sqliteTooBig     = 18
	sqliteConstraint = 19
	sqliteMismatch   = 20
	pgForeignKey     = "23503"
	pgUnique         = "23505"
	pgFull           = "53100"
	pgReadOnly       = "25006" // the server is a copy of another one by now
)

// translate names the errors that callers act on and leaves the others.
func translate(err error) error {
	var lite *sqlite.Error
	var pg *pgconn.PgError
	switch {
	case err == nil, errors.Is(err, ErrFailed), errors.Is(err, ErrInvalid): // translated before
		return err
	case errors.Is(err, sql.ErrNoRows):
		return ErrNotFound
	case errors.As(err, new(*pgconn.ConnectError)), errors.Is(err, driver.ErrBadConn):
		return fmt.Errorf("%w: %w", ErrFailed, err)
	case errors.As(err, &pg):
		return translatePostgres(pg, err)
	case errors.As(err, &lite):
		return translateSQLite(lite, err)
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("%w: %w", ErrFull, err)
	case errors.As(err, new(net.Error)) && !errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: %w", ErrFailed, err)
	}
	return err
}

func translatePostgres(pg *pgconn.PgError, err error) error {
	switch pg.Code {
	case pgUnique:
		return ErrExists
	case pgForeignKey:
		return ErrInUse
	case pgFull:
		return fmt.Errorf("%w: %w", ErrFull, err)
	case pgReadOnly:
		return fmt.Errorf("%w: %w", ErrFailed, err)
	}
	switch pg.Code[:min(2, len(pg.Code))] {
	case "08", "40", "53", "57", "58", "XX": // the line, others in the way, resources, operators, the system, itself: whatever it was asked
		return fmt.Errorf("%w: %w", ErrFailed, err)
	case "22", "23": // of a value, as a NUL in a text, and of what must hold of it
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return err
}

func translateSQLite(lite *sqlite.Error, err error) error {
	switch code := lite.Code(); {
	case code == sqliteUnique, code == sqlitePrimaryKey:
		return ErrExists
	case code == sqliteForeignKey:
		return ErrInUse
	case code&0xff == sqliteFull:
		return fmt.Errorf("%w: %w", ErrFull, err)
	case code&0xff == sqliteConstraint, code&0xff == sqliteMismatch, code&0xff == sqliteTooBig:
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return fmt.Errorf("%w: %w", ErrFailed, err)
}

// null is a text column's NULL for the empty string.
func null(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

// Page is a part of a list.
type Page struct {
	Limit int    // 1 to 500; 0 means 100
	After string // Next of the page before; empty for the first
}

func (p Page) limit() int {
	if p.Limit <= 0 {
		return 100
	}
	return min(p.Limit, 500)
}

// cut drops the row that was read only to know whether there is a next page, and names the last that stays.
func cut[T any](all []T, p Page, key func(*T) string) ([]T, string) {
	if len(all) <= p.limit() {
		return all, ""
	}
	all = all[:p.limit()]
	return all, key(&all[len(all)-1])
}

// searchStep is how many rows a search reads at a time.
const searchStep = 500

// search lists the rows of a page in which word is found, folded as package typed does it, in the texts of a row. read
// gives the next rows in the order of key; databases fold in ways of their own. A hall has some hundreds of rows;
// without a word only the page is read.
func search[T any](p Page, word string, key func(*T) string, texts func(*T) []string, read func(after string, limit int) ([]T, error)) ([]T, string, error) {
	step, found := searchStep, []T(nil)
	if typed.Fold(word) == "" {
		step = p.limit() + 1
	}
	for after := p.After; ; {
		rows, err := read(after, step)
		if err != nil {
			return nil, "", err
		}
		for i := range rows {
			if typed.Matches(word, texts(&rows[i])...) {
				found = append(found, rows[i])
			}
		}
		if len(rows) < step || len(found) > p.limit() {
			found = found[:min(len(found), p.limit()+1)]
			found, next := cut(found, p, key)
			return found, next, nil
		}
		after = key(&rows[len(rows)-1])
	}
}
