package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Show has every statement shown that an SQLite store runs from now on. No method may run yet.
func Show(s *Store, seen func(query string, args int)) error {
	var failed []error
	for db, mode := range map[**sql.DB]string{&s.write: immediately, &s.read.all: readOnly, &s.read.pages: readOnly} {
		most := (*db).Stats().MaxOpenConnections
		w := sql.OpenDB(shown{d: (*db).Driver(), dsn: sqliteURL(string(s.pair)) + mode, seen: seen})
		w.SetMaxOpenConns(most)
		failed = append(failed, (*db).Close())
		*db = w
	}
	return errors.Join(failed...)
}

// Explain is how SQLite would do a statement: a line a step.
func Explain(ctx context.Context, s *Store, query string, args int) (steps []string, err error) {
	return list(ctx, s.read.all, func(row scanner, step *string) error {
		var id, parent, unused int
		return row.Scan(&id, &parent, &unused, step)
	}, "EXPLAIN QUERY PLAN "+query, make([]any, args)...)
}

// shown makes connections of a driver that show their statements.
type shown struct {
	d    driver.Driver
	dsn  string
	seen func(query string, args int)
}

func (w shown) Driver() driver.Driver { return w.d }

func (w shown) Connect(context.Context) (driver.Conn, error) {
	c, err := w.d.Open(w.dsn)
	return shownConn{c, w.seen}, err
}

type shownConn struct {
	driver.Conn
	seen func(query string, args int)
}

func (c shownConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.seen(query, len(args))
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
}

func (c shownConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	c.seen(query, len(args))
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, query, args)
}

func (c shownConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, opts)
}

// FillYears gives staff u0 to u191 a past of five years: two sessions a day, a hundred requests a year with a step that is decided and
// every fifth circulated, a workday of two segments, two events a day, and a notice a day of the last year.
func FillYears(ctx context.Context, s *Store) error {
	text := strings.NewReplacer("BLOB(n.i)", "decode(lpad(to_hex(n.i), 32, '0'), 'hex')",
		"DATE(", "to_char(to_timestamp(", ")OF", " / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD')")
	if s.pair != "" {
		text = strings.NewReplacer("BLOB(n.i)", "randomblob(16)", "DATE(", "strftime('%Y-%m-%d', (", ")OF", ") / 1000, 'unixepoch')")
	}
	const staff, days = 192, 5 * 240
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // without effect after the commit
	for _, fill := range []struct {
		rows   int
		insert string
	}{
		{staff, `devices (id, owner, label, kind, grade, public_key, certificate, until_ms, persistent, enrolled_ms, enrolled_by, last_used_ms,
			revoked_ms, revoked_reason) SELECT 'dev' || (n.i - 1), 'user:u' || (n.i - 1), '端末', 1, 1, BLOB(n.i), BLOB(n.i), 0, TRUE, 0, '', 0, 0, '' FROM n`},
		{staff, `desks (id, name, zone, hostname, agent_version, system, grade, until_ms, created_ms, enrolled_ms, deleted_ms, epoch, gateway, connected,
			last_seen_ms, logged_in, locked, lockable, present) SELECT 'desk' || (n.i - 1), 'desk' || n.i, 1, '', '', '', 1, 0, 0, 0, 0, 0, '',
			FALSE, 0, TRUE, TRUE, TRUE, FALSE FROM n`},
		{staff, `desk_users (desk_id, user_id) SELECT 'desk' || (n.i - 1), 'u' || (n.i - 1) FROM n`},
		{2 * days * staff, `sessions (id, user_id, device_id, desk_id, viewer_kind, place, address, life, nonce, rights, relay, gateway, prepared_ms,
			granted_ms, opened_ms, ended_ms, until_ms, end_code, end_reason, bytes_to_viewer, bytes_to_desk, locked_after_end)
			SELECT BLOB(n.i), 'u' || (n.i % 192), 'dev' || (n.i % 192), 'desk' || (n.i % 192), 3, 1, '192.0.2.1', 4, BLOB(n.i), 3, 'relay', 'g',
			at, at, at, at + 9000000, at + 9000000, 1, '', 0, 0, TRUE FROM (SELECT i, $1 - i * CAST(342000 AS BIGINT) AS at FROM n) n`},
		{500 * staff, `requests (id, kind, state, user_id, by_user_id, section_id, section_name, place, place_note, reason, reason_text, work,
			personal_data, take_out, take_out_device, after_fact, created_ms, submitted_ms, revision)
			SELECT 'r' || n.i, 1, CASE WHEN n.i % 20 = 0 THEN 4 ELSE 2 END, 'u' || (n.i % 192), 'u' || (n.i % 192), 'soumu', '総務課', 1, '', 1, '理由',
			'作業', FALSE, FALSE, '', FALSE, at, at, 1 FROM (SELECT i, $1 - i * CAST(1640000 AS BIGINT) AS at FROM n) n`},
		{500 * staff, `request_days (request_id, date, unit, from_minute, until_minute, leave_minutes, from_ms, until_ms)
			SELECT 'r' || n.i, DATE(at)OF, 1, 510, 1035, 0, at, at + 31500000 FROM (SELECT i, $1 - i * CAST(1640000 AS BIGINT) AS at FROM n) n`},
		{500 * staff, `request_steps (request_id, position, section_id, section_name, circulate, answer, by_user, at_ms, comment, seen_ms)
			SELECT 'r' || n.i, 1, 'soumu', '総務課', FALSE, 1, 'tanaka', $1, '', 0 FROM n`},
		{100 * staff, `request_steps (request_id, position, section_id, section_name, circulate, answer, at_ms, comment, seen_ms)
			SELECT 'r' || (n.i * 5), 2, 'soumu', '総務課', TRUE, 0, $1, '', 5 FROM n`},
		{500 * staff, `request_changes (request_id, position, time_ms, by_user, state, step, comment, revision)
			SELECT 'r' || n.i, 1, $1 - n.i * CAST(1640000 AS BIGINT), 'tanaka', 2, 1, '', 1 FROM n`},
		{days * staff, `workdays (user_id, date, done) SELECT 'u' || (n.i % 192), DATE($1 - (n.i / 192) * CAST(86400000 AS BIGINT))OF, '' FROM n`},
		{days * staff, `workday_segments (user_id, date, position, kind, from_ms, until_ms)
			SELECT 'u' || (n.i % 192), DATE($1 - (n.i / 192) * CAST(86400000 AS BIGINT))OF, 0, 1, $1, $1 + 1 FROM n`},
		{days * staff, `workday_segments (user_id, date, position, kind, from_ms, until_ms)
			SELECT 'u' || (n.i % 192), DATE($1 - (n.i / 192) * CAST(86400000 AS BIGINT))OF, 1, 2, $1, $1 + 1 FROM n`},
		{2 * days * staff, `events (number, time_ms, kind, actor, subject, outcome, code, details, hash)
			SELECT 1000000 + n.i, $1 - (2 * 230400 - n.i) * CAST(342000 AS BIGINT), 'sign_in', 'user:u' || (n.i % 192), 'user:u' || (n.i % 192), 'done', '', '{}',
			BLOB(n.i) FROM n`},
		{365 * staff, `notices (id, user_id, kind, args, path, time_ms, read_ms, mail_id)
			SELECT 'n' || n.i, 'u' || (n.i % 192), 'tomorrow_telework', '{}', '/', $1 - n.i * CAST(450000 AS BIGINT), 1, '' FROM n`},
	} {
		query := `WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < ` + strconv.Itoa(fill.rows) + `) `
		insert := "INSERT INTO " + text.Replace(fill.insert)
		columns, from, _ := strings.Cut(insert, "SELECT")
		args := []any{s.Now().UnixMilli()}
		if !strings.Contains(from, "$1") {
			args = nil
		}
		if _, err := tx.ExecContext(ctx, columns+query+"SELECT"+from, args...); err != nil {
			return fmt.Errorf("%s: %w", columns, err)
		}
	}
	if err := tx.Commit(); err != nil || s.pair != "" {
		return err
	}
	_, err = s.write.ExecContext(ctx, "ANALYZE") // as the server does by itself
	return err
}
