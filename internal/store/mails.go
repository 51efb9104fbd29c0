package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"jiseki/internal/audit"
	"jiseki/internal/mail"
)

// MailState is where a mail of the outbox is. The numbers are those of the control API.
type MailState int64

// The states.
const (
	MailWaiting MailState = 1
	MailSent    MailState = 2
	MailFailed  MailState = 3 // given up; RetryMails tries again
)

// Mail is an entry of the outbox as administrators see it.
type Mail struct {
	ID        string
	User      string
	UserName  string
	Address   string
	Subject   string
	State     MailState
	Tries     int
	CreatedMS int64
	NextMS    int64 // when it is tried next; 0 if it is not
	SentMS    int64
	LastError string
}

const (
	// settle is how long a notice waits for others, so that what happens together is told together.
	settleMS = 30_000
	// wrongClock: times further ahead than this were written by a clock that has been put right since.
	wrongClock = 24 * 60 * 60 * 1000
)

// GatherMails makes one mail of the unread notices of each user who has an address and got none in the digest's time.
func (s *Store) GatherMails(ctx context.Context, digest time.Duration, compose func([]mail.Told) mail.Letter) (mails int, err error) {
	type reader struct{ user, address string }
	now := s.Now().UnixMilli()
	readers, err := list(ctx, s.read, func(row scanner, r *reader) error { return row.Scan(&r.user, &r.address) },
		`SELECT n.user_id, f.mail FROM notices n JOIN staff f ON f.user_id = n.user_id JOIN users u ON u.id = n.user_id
		LEFT JOIN mail_digests g ON g.user_id = n.user_id
		WHERE n.mail_id = '' AND n.read_ms = 0 AND f.mail <> '' AND NOT u.disabled AND (g.last_ms IS NULL OR g.last_ms <= $1 OR g.last_ms > $2)
		GROUP BY n.user_id, f.mail HAVING ABS(CAST($3 AS BIGINT) - MIN(n.time_ms)) >= $4`,
		now-digest.Milliseconds(), now+wrongClock, now, settleMS)
	failed := []error{err}
	for _, r := range readers { // one that cannot be gathered keeps no other waiting
		err := s.transact(ctx, func(t *tx) error { return t.gather(r.user, r.address, digest, compose) })
		switch {
		case err == nil:
			mails++
		case !errors.Is(err, errNotDue):
			failed = append(failed, fmt.Errorf("notices of %s: %w", r.user, err))
		}
	}
	return mails, errors.Join(failed...)
}

// errNotDue: another gateway was faster, or the user has read everything meanwhile.
var errNotDue = errors.New("store: no mail is due")

// gather makes a mail of a user's notices. The digest's row is the lock: of two gateways one finds it changed.
func (t *tx) gather(user, address string, digest time.Duration, compose func([]mail.Told) mail.Letter) error {
	if err := t.exec(`INSERT INTO mail_digests (user_id, last_ms) VALUES ($1, 0) ON CONFLICT (user_id) DO NOTHING`, user); err != nil {
		return err
	}
	n, err := t.count(`UPDATE mail_digests SET last_ms = $2 WHERE user_id = $1 AND (last_ms <= $3 OR last_ms > $4)`,
		user, t.now, t.now-digest.Milliseconds(), t.now+wrongClock)
	if err != nil {
		return err
	}
	if n == 0 {
		return errNotDue
	}
	id := newID()
	if err := t.exec(`UPDATE notices SET mail_id = $2 WHERE user_id = $1 AND mail_id = '' AND read_ms = 0`, user, id); err != nil {
		return err
	}
	told, err := list(t.ctx, t, func(row scanner, n *mail.Told) error {
		var args string
		if err := row.Scan(&n.Kind, &args, &n.Path, &n.TimeMS); err != nil {
			return err
		}
		return json.Unmarshal([]byte(args), &n.Args)
	}, `SELECT kind, args, path, time_ms FROM notices WHERE user_id = $1 AND mail_id = $2 ORDER BY time_ms, id`, user, id)
	if err != nil {
		return err
	}
	if len(told) == 0 {
		return errNotDue
	}
	letter := compose(told)
	return t.exec(`INSERT INTO mails (id, user_id, address, subject, body, state, tries, created_ms, give_up_ms, next_ms, sent_ms, last_error,
		claim, claim_until_ms) VALUES ($1, $2, $3, $4, $5, 1, 0, $6, $7, $6, 0, '', '', 0)`,
		id, user, address, letter.Subject, letter.Body, t.now, t.now+mail.GiveUpAfter.Milliseconds())
}

// ClaimMails takes mails that are due, the oldest first. Nobody else gets them until lease is over.
func (s *Store) ClaimMails(ctx context.Context, claim string, lease time.Duration, limit int) (mails []mail.Mail, err error) {
	// Most of the time nothing is due: then no transaction keeps others from writing.
	now := s.Now().UnixMilli()
	due, err := get(ctx, s.read, scanOne[int],
		`SELECT COUNT(*) FROM mails WHERE state = 1 AND (next_ms <= $1 OR next_ms > $2)`, now, now+wrongClock)
	if err != nil || due == 0 {
		return nil, err
	}
	err = s.transact(ctx, func(t *tx) error {
		// The conditions stand twice: PostgreSQL looks at the outer ones again when another gateway held the row.
		_, err := t.count(`UPDATE mails SET claim = $1, claim_until_ms = $2, tries = tries + 1
			WHERE state = 1 AND (claim_until_ms <= $3 OR claim_until_ms > $4) AND id IN (SELECT m.id FROM mails m
				WHERE m.state = 1 AND (m.next_ms <= $3 OR m.next_ms > $4) AND (m.claim_until_ms <= $3 OR m.claim_until_ms > $4)
				ORDER BY m.next_ms, m.id LIMIT $5)`, claim, t.now+lease.Milliseconds(), t.now, t.now+wrongClock, limit)
		if err != nil {
			return err
		}
		mails, err = list(t.ctx, t, func(row scanner, m *mail.Mail) error {
			return row.Scan(&m.ID, &m.Address, &m.Subject, &m.Body, &m.Tries)
		}, `SELECT id, address, subject, body, tries FROM mails WHERE state = 1 AND claim = $1 ORDER BY next_ms, id`, claim)
		return err
	})
	return mails, err
}

// MailSent notes that the server took a mail. A claim that is over changes nothing.
func (s *Store) MailSent(ctx context.Context, id, claim string) error {
	return s.transact(ctx, func(t *tx) error {
		return t.exec(`UPDATE mails SET state = 2, sent_ms = $3, last_error = '', claim = '', claim_until_ms = 0
			WHERE id = $1 AND claim = $2 AND state = 1`, id, claim, t.now)
	})
}

// MailFailed notes that a mail was not taken and when it is due again; after its time it is given up. A time that a
// clock which was ahead has set is as long from now as it would be with a right one.
func (s *Store) MailFailed(ctx context.Context, id, claim, why string, wait time.Duration) error {
	return s.transact(ctx, func(t *tx) error {
		return t.exec(`UPDATE mails SET state = CASE WHEN give_up_ms <= $3 THEN 3 ELSE 1 END, last_error = $4, next_ms = $5, claim = '',
			claim_until_ms = 0, give_up_ms = CASE WHEN give_up_ms > $6 THEN $6 ELSE give_up_ms END
			WHERE id = $1 AND claim = $2 AND state = 1`,
			id, claim, t.now, audit.Cut(why, 500), t.now+wait.Milliseconds(), t.now+mail.GiveUpAfter.Milliseconds())
	})
}

// ReleaseMails gives back what was claimed and not tried.
func (s *Store) ReleaseMails(ctx context.Context, claim string) error {
	return s.transact(ctx, func(t *tx) error {
		return t.exec(`UPDATE mails SET claim = '', claim_until_ms = 0, tries = tries - 1 WHERE claim = $1 AND state = 1`, claim)
	})
}

// Mails lists the outbox, newest first.
func (s *Store) Mails(ctx context.Context, p Page) (mails []Mail, next string, err error) {
	ms, id, err := parsePlace(p.After)
	if err != nil {
		return nil, "", err
	}
	all, err := list(ctx, s.read, func(row scanner, m *Mail) error {
		return row.Scan(&m.ID, &m.User, &m.UserName, &m.Address, &m.Subject, &m.State, &m.Tries, &m.CreatedMS, &m.NextMS, &m.SentMS, &m.LastError)
	}, `SELECT m.id, m.user_id, u.name, m.address, m.subject, m.state, m.tries, m.created_ms, CASE WHEN m.state = 1 THEN m.next_ms ELSE 0 END,
		m.sent_ms, m.last_error FROM mails m JOIN users u ON u.id = m.user_id
		WHERE (m.created_ms, m.id) < ($1, $2) ORDER BY m.created_ms DESC, m.id DESC LIMIT $3`, ms, id, p.limit()+1)
	mails, next = cut(all, p, func(m *Mail) string { return place(m.CreatedMS, m.ID) })
	return mails, next, err
}

// MailCounts are how many mails wait and how many were given up.
func (s *Store) MailCounts(ctx context.Context) (waiting, failed int, err error) {
	err = one(ctx, s.read, `SELECT COALESCE(SUM(CASE WHEN state = 1 THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE WHEN state = 3 THEN 1 ELSE 0 END), 0) FROM mails WHERE state IN (1, 3)`, nil, &waiting, &failed)
	return waiting, failed, err
}

// RetryMails makes what waits or was given up due now, for two days more, to the addresses that users have now. What a
// gateway is sending at this moment stays with it.
func (s *Store) RetryMails(ctx context.Context, by By) (retried int, err error) {
	err = s.act(ctx, func(t *tx) error {
		n, err := t.count(`UPDATE mails SET state = 1, tries = 0, next_ms = $1, give_up_ms = $2,
			address = COALESCE((SELECT f.mail FROM staff f WHERE f.user_id = mails.user_id AND f.mail <> ''), address)
			WHERE state IN (1, 3) AND claim = ''`, t.now, t.now+mail.GiveUpAfter.Milliseconds())
		if err != nil {
			return err
		}
		if retried = int(n); n == 0 {
			return errUnchanged
		}
		return t.record(by.entry(audit.MailsRetried, "", audit.Details{"count": n}))
	})
	return retried, err
}
