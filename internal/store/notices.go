package store

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"jiseki/internal/mail"
)

// Notice is a notice as its user sees it.
type Notice struct {
	ID     string
	User   string
	Kind   string
	Args   map[string]string
	Path   string
	TimeMS int64
	ReadMS int64 // 0: not read
}

// notify tells a user something, in the transaction of what it tells of. It refuses a notice whose arguments do not
// fit: that is a fault of the program, and tests find it.
func (t *tx) notify(n mail.Notice) error {
	if err := n.Check(); err != nil {
		return err
	}
	args, err := json.Marshal(n.Args)
	if err != nil {
		return fmt.Errorf("notice: %w", err)
	}
	t.put(`INSERT INTO notices (id, user_id, kind, args, path, once_key, time_ms, read_ms, mail_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 0, '') ON CONFLICT (user_id, once_key) DO NOTHING`,
		newID(), n.User, n.Kind, string(args), n.Path, null(n.Once), t.now)
	return nil
}

// newID makes an id that nobody can guess: 26 characters of base32.
func newID() string { return strings.ToLower(rand.Text()) }

// Notify tells users what no act stands behind, such as what tomorrow brings. All are told or none.
func (s *Store) Notify(ctx context.Context, notices ...mail.Notice) error {
	return s.transact(ctx, func(t *tx) error {
		for i := range notices {
			if err := t.notify(notices[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func scanNotice(row scanner, n *Notice) error {
	var args string
	if err := row.Scan(&n.ID, &n.User, &n.Kind, &args, &n.Path, &n.TimeMS, &n.ReadMS); err != nil {
		return err
	}
	return json.Unmarshal([]byte(args), &n.Args)
}

// Notices lists what a user was told, newest first.
func (s *Store) Notices(ctx context.Context, user string, p Page) (notices []Notice, next string, err error) {
	ms, id, err := parsePlace(p.After)
	if err != nil {
		return nil, "", err
	}
	all, err := list(ctx, s.read, scanNotice, `SELECT id, user_id, kind, args, path, time_ms, read_ms FROM notices
		WHERE user_id = $1 AND (time_ms, id) < ($2, $3) ORDER BY time_ms DESC, id DESC LIMIT $4`, user, ms, id, p.limit()+1)
	notices, next = cut(all, p, func(n *Notice) string { return place(n.TimeMS, n.ID) })
	return notices, next, err
}

// place names an entry of a list that is ordered by time and id, newest first.
func place(ms int64, id string) string { return strconv.FormatInt(ms, 10) + "." + id }

// parsePlace reads what place wrote; the empty one is before everything.
func parsePlace(after string) (ms int64, id string, err error) {
	if after == "" {
		return 1 << 62, "", nil
	}
	text, id, _ := strings.Cut(after, ".")
	if ms, err = strconv.ParseInt(text, 10, 64); err != nil {
		return 0, "", fmt.Errorf("%w: page", ErrInvalid)
	}
	return ms, id, nil
}

// UnreadNotices counts what a user has not read.
func (s *Store) UnreadNotices(ctx context.Context, user string) (n int, err error) {
	return get(ctx, s.read, scanOne[int],
		`SELECT COUNT(*) FROM notices WHERE user_id = $1 AND read_ms = 0`, user)
}

// ReadNotices notes that a user has read notices of their own; all of them without ids.
func (s *Store) ReadNotices(ctx context.Context, user string, ids []string) error {
	return s.transact(ctx, func(t *tx) error {
		if len(ids) == 0 {
			return t.exec(`UPDATE notices SET read_ms = $2 WHERE user_id = $1 AND read_ms = 0`, user, t.now)
		}
		for some := range slices.Chunk(ids, maxIn) {
			where, args := of("id", some, t.now, user)
			if err := t.exec(`UPDATE notices SET read_ms = $1`+where+` AND user_id = $2 AND read_ms = 0`, args...); err != nil {
				return err
			}
		}
		return nil
	})
}
