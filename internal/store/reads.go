package store

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
)

// Connections for reading: those of what pages show, and those of everything else.
const (
	pageReaders = 8
	readers     = 4
)

// reads are the connections for reading. What pages show has its own: however many ask at once, and for whatever past,
// they keep no session from opening, no lease and no review waiting.
type reads struct{ all, pages *sql.DB }

type pageKey struct{}

// ForPage is for calls that only show something: they read by the connections of pages.
func ForPage(ctx context.Context) context.Context { return context.WithValue(ctx, pageKey{}, true) }

func (r reads) of(ctx context.Context) *sql.DB {
	if ctx.Value(pageKey{}) != nil {
		return r.pages
	}
	return r.all
}

// QueryContext and QueryRowContext are those of [sql.DB].
func (r reads) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return r.of(ctx).QueryContext(ctx, query, args...)
}

func (r reads) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return r.of(ctx).QueryRowContext(ctx, query, args...)
}

// where is the end of a statement with conditions for what was asked for alone: "whatever it is, or this" has no index.
type where struct {
	text string
	args []any
}

func (w *where) and(condition string, value any) {
	w.args = append(w.args, value)
	w.text += " AND " + condition + " $" + strconv.Itoa(len(w.args))
}

// is narrows to a value, empty is any.
func (w *where) is(column, value string) {
	if value != "" {
		w.and(column+" =", value)
	}
}

// first ends the statement with an order and how many rows are wanted.
func (w *where) first(order string, limit int) {
	w.args = append(w.args, limit)
	w.text += " ORDER BY " + order + " LIMIT $" + strconv.Itoa(len(w.args))
}

func (r reads) close() error { return errors.Join(r.all.Close(), r.pages.Close()) }
