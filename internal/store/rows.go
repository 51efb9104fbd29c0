package store

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// maxValues bounds the values of one statement. Both engines take more; the time that SQLite takes for the names of values
// grows with their square: with this many, 4,000 rows took the least.
const maxValues = 120

// rows are what one INSERT shall write.
type rows struct {
	query string
	all   [][]any
}

// put writes a row at the end of the transaction, together with all others of the same statement: an act keeps everybody
// from writing for as long as its statements take. The statement inserts one row; nothing in the transaction reads it
// there. What put refuses is an error of the transaction.
func (t *tx) put(query string, args ...any) {
	for i := range t.later {
		if t.later[i].query == query {
			t.later[i].all = append(t.later[i].all, args)
			return
		}
	}
	t.later = append(t.later, rows{query, [][]any{args}})
}

// flush writes what was put, in the order in which each statement was first given.
func (t *tx) flush() error {
	for _, r := range t.later {
		for some := range slices.Chunk(r.all, max(1, maxValues/len(r.all[0]))) {
			query, args := inOne(r.query, some)
			if err := t.exec(query, args...); err != nil {
				return err
			}
		}
	}
	t.later = nil
	return nil
}

var placeholder = regexp.MustCompile(`\$[0-9]+`)

// inOne makes of an INSERT of one row one of several.
func inOne(query string, all [][]any) (many string, args []any) {
	from := strings.Index(query, "VALUES (") + len("VALUES ")
	until := from + closing(query[from:])
	var b strings.Builder
	b.WriteString(query[:from])
	for i, row := range all {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(placeholder.ReplaceAllStringFunc(query[from:until], func(p string) string {
			n, _ := strconv.Atoi(p[1:]) // digits only
			return "$" + strconv.Itoa(len(args)+n)
		}))
		args = append(args, row...)
	}
	b.WriteString(query[until:])
	return b.String(), args
}

// closing is the place behind the bracket that closes the first one.
func closing(s string) int {
	depth := 0
	for i, c := range s {
		switch c {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(s)
}
