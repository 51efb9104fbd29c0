package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/audit"
)

// SignIn is a proven user, kept by the hash of the cookie's token.
type SignIn struct {
	Hash       [32]byte // SHA-256 of the token
	User       string
	Device     string // device id, empty in a sign-in by password alone
	Second     bool   // a one-time password was given too
	Place      access.Place
	Address    string
	CreatedMS  int64
	LastUsedMS int64
	UntilMS    int64
}

// AddSignIn keeps a new sign-in of a user who was proven as read, and notes its time on user and device. ErrStale if it
// would outlive what was done meanwhile: the user has another password or other one-time passwords or is disabled, or
// the device is revoked. It ends the former sign-in, by its hash, if there is such, and of more
// than mostSignIns of the user those that were not used for longest.
func (s *Store) AddSignIn(ctx context.Context, in SignIn, proven *User, former [32]byte) error {
	by := By{Actor: "user:" + in.User, Address: in.Address}
	return s.act(ctx, func(t *tx) error {
		if err := t.stillProven(&in, proven); err != nil {
			return err
		}
		if err := t.replaceSignIn(by.Address, former); err != nil {
			return err
		}
		err := t.exec(`INSERT INTO sign_ins (hash, user_id, device_id, second, place, address, created_ms, last_used_ms, until_ms)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8)`,
			in.Hash[:], in.User, null(in.Device), in.Second, int64(in.Place), in.Address, t.now, in.UntilMS)
		if err != nil {
			return err
		}
		if err := t.endSurplus(&in, by); err != nil {
			return err
		}
		if err := t.must(`UPDATE users SET last_sign_in_ms = $2 WHERE id = $1`, in.User, t.now); err != nil {
			return err
		}
		if in.Device != "" {
			if err := t.must(`UPDATE devices SET last_used_ms = $2 WHERE id = $1`, in.Device, t.now); err != nil {
				return err
			}
		}
		return t.record(by.entry(audit.SignIn, "user:"+in.User, audit.Details{
			"device": in.Device, "place": in.Place.String(), "second_factor": in.Second,
		}))
	})
}

// mostSignIns of one user are good at the same time: each browser has one.
const mostSignIns = 20

// endSurplus ends the other sign-ins of a user beyond mostSignIns.
func (t *tx) endSurplus(in *SignIn, by By) error {
	n, err := t.count(`DELETE FROM sign_ins WHERE hash IN (SELECT hash FROM sign_ins WHERE user_id = $1 AND hash <> $2
		ORDER BY last_used_ms DESC, created_ms DESC, hash LIMIT $3 OFFSET $4)`, in.User, in.Hash[:], 1<<30, mostSignIns-1)
	if err != nil || n == 0 {
		return err
	}
	return t.record(by.entry(audit.SignOut, by.Actor, audit.Details{"replaced": true}))
}

// stillProven compares with what proved a sign-in. Whoever changes it holds the same lock, so that a sign-in is there
// before the change, which ends it, or not at all.
func (t *tx) stillProven(in *SignIn, proven *User) error {
	now, err := get(t.ctx, t, scanUser, selectUser+` WHERE u.id = $1`, in.User)
	if err != nil {
		return err
	}
	if now.Disabled || now.PasswordHash != proven.PasswordHash || !bytes.Equal(now.TOTPSealed, proven.TOTPSealed) {
		return ErrStale
	}
	if in.Device == "" {
		return nil
	}
	var revoked int64
	err = t.one(`SELECT revoked_ms FROM devices WHERE id = $1`, []any{in.Device}, &revoked)
	if err == nil && revoked > 0 {
		return ErrStale
	}
	return err
}

// signedIn is asked before a user changes what sign-ins are proven with: ErrStale if the sign-in in which it was asked
// for was ended meanwhile, as by a reset of the password.
func (t *tx) signedIn(user string, hash [32]byte) error {
	var n int64
	err := t.one(`SELECT COUNT(*) FROM sign_ins WHERE hash = $1 AND user_id = $2`, []any{hash[:], user}, &n)
	if err == nil && n == 0 {
		return ErrStale
	}
	return err
}

// replaceSignIn ends the former sign-in of a browser in which somebody signs in anew.
func (t *tx) replaceSignIn(address string, former [32]byte) error {
	var user string
	err := t.one(`DELETE FROM sign_ins WHERE hash = $1 RETURNING user_id`, []any{former[:]}, &user)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	by := By{Actor: "user:" + user, Address: address}
	return t.record(by.entry(audit.SignOut, by.Actor, audit.Details{"replaced": true}))
}

// SignIn reads a sign-in that is still valid: ErrNotFound if it is unknown, over, or from a clock that was ahead. The
// user may have been disabled and the device revoked in the meantime: both end their sign-ins, so that there is nothing
// to ask again.
func (s *Store) SignIn(ctx context.Context, hash [32]byte) (SignIn, error) {
	return get(ctx, s.read, scanSignIn, `SELECT hash, user_id, COALESCE(device_id, ''), second, place, address, created_ms,
		last_used_ms, until_ms FROM sign_ins WHERE hash = $1 AND until_ms > $2 AND created_ms <= $3 AND last_used_ms <= $3`,
		hash[:], s.Now().UnixMilli(), latest(s.Now()))
}

func scanSignIn(row scanner, in *SignIn) error {
	var hash []byte
	err := row.Scan(&hash, &in.User, &in.Device, &in.Second, &in.Place, &in.Address, &in.CreatedMS, &in.LastUsedMS, &in.UntilMS)
	copy(in.Hash[:], hash)
	return err
}

// TouchSignIn notes that a sign-in was used, at most once a minute.
func (s *Store) TouchSignIn(ctx context.Context, hash [32]byte) error {
	return s.run(ctx, func(t *tx) error {
		return t.exec(`UPDATE sign_ins SET last_used_ms = $2 WHERE hash = $1 AND last_used_ms < $3`,
			hash[:], t.now, t.now-time.Minute.Milliseconds())
	})
}

// SignOut ends a sign-in. Ending one that is over is no error.
func (s *Store) SignOut(ctx context.Context, by By, hash [32]byte) error {
	return s.takeAway(ctx, func(t *tx) error {
		n, err := t.count(`DELETE FROM sign_ins WHERE hash = $1`, hash[:])
		if err != nil {
			return err
		}
		if n == 0 {
			return errUnchanged
		}
		return t.record(by.entry(audit.SignOut, by.Actor, nil))
	})
}

// Record appends an event of a decision that changes nothing else: a refusal.
func (s *Store) Record(ctx context.Context, by By, e audit.Entry) error {
	keep := s.act
	if e.Kind == audit.DeskLockOrdered || e.Kind == audit.DeskLockAnswered { // takes the desk's screen away
		keep = s.takeAway
	}
	return keep(ctx, func(t *tx) error {
		full := by.entry(e.Kind, e.Subject, e.Details)
		full.Session, full.Code = e.Session, e.Code
		if e.Outcome != "" {
			full.Outcome = e.Outcome
		}
		return t.record(full)
	})
}

// SpendNonce remembers that a nonce was answered: ErrSpent the second time. After until it may be forgotten; the caller
// refuses nonces that old by themselves.
func (s *Store) SpendNonce(ctx context.Context, nonce [32]byte, until time.Time) error {
	return s.transact(ctx, func(t *tx) error {
		if err := t.exec(`DELETE FROM spent_nonces WHERE until_ms < $1`, t.now); err != nil {
			return err
		}
		n, err := t.count(`INSERT INTO spent_nonces (nonce, until_ms) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
			nonce[:], until.UnixMilli())
		if err == nil && n == 0 {
			return ErrSpent
		}
		return err
	})
}

// Throttle is one counter of failed attempts: for a user, or for an address.
type Throttle struct {
	Key    string                             // such as "user:tanaka"; kept as a hash
	Wait   func(failures int64) time.Duration // how long after so many failures; must not be nil
	Forget time.Duration                      // quiet time after which failures are forgotten
	// Spares, of the first counter of an attempt: while it has fewer failures than this, the others neither count the
	// attempt nor keep it waiting.
	Spares int64
}

func (k Throttle) hash() []byte {
	h := sha256.Sum256([]byte(k.Key))
	return h[:]
}

// BeginAttempt counts an attempt as failed on every counter before it is made, so that many at once cannot slip
// through. If a counter says wait, nothing is counted and the longest wait is returned. Call EndAttempt when the
// attempt succeeded.
func (s *Store) BeginAttempt(ctx context.Context, keys ...Throttle) (wait time.Duration, err error) {
	err = s.transact(ctx, func(t *tx) error {
		counted := 0
		for _, k := range keys { // an insert that changes nothing makes others with this key wait for us
			var until, failures int64
			err := t.one(`INSERT INTO throttles (key, failures, last_ms, until_ms) VALUES ($1, 0, $2, 0)
				ON CONFLICT (key) DO UPDATE SET key = excluded.key RETURNING CASE WHEN last_ms <= $3 THEN until_ms ELSE 0 END,
				CASE WHEN last_ms < $4 OR last_ms > $3 THEN 0 ELSE failures END`,
				[]any{k.hash(), t.now, latest(t.time()), t.now - k.Forget.Milliseconds()}, &until, &failures)
			if err != nil {
				return err
			}
			wait = max(wait, time.Duration(until-t.now)*time.Millisecond)
			if counted++; failures < keys[0].Spares && counted == 1 {
				break
			}
		}
		if wait > 0 {
			return errUnchanged
		}
		for _, k := range keys[:counted] {
			if err := t.countFailure(k); err != nil {
				return err
			}
		}
		return nil
	})
	return wait, err
}

// countFailure counts on a row that is there and locked.
func (t *tx) countFailure(k Throttle) error {
	var failures int64
	err := t.one(`UPDATE throttles SET failures = CASE WHEN last_ms < $3 OR last_ms > $4 THEN 1 ELSE failures + 1 END, last_ms = $2
		WHERE key = $1 RETURNING failures`, []any{k.hash(), t.now, t.now - k.Forget.Milliseconds(), latest(t.time())}, &failures)
	if err != nil {
		return err
	}
	return t.exec(`UPDATE throttles SET until_ms = $2 WHERE key = $1`, k.hash(), t.now+k.Wait(failures).Milliseconds())
}

// counted are the counters on which BeginAttempt counted an attempt: of one that the first spared the others, the first.
func (t *tx) counted(keys []Throttle) ([]Throttle, error) {
	if len(keys) == 0 || keys[0].Spares == 0 {
		return keys, nil
	}
	var failures int64
	err := t.one(`SELECT COALESCE(MAX(failures), 0) FROM throttles WHERE key = $1`, []any{keys[0].hash()}, &failures)
	if failures <= keys[0].Spares {
		return keys[:1], err
	}
	return keys, err
}

// EndAttempt takes back what BeginAttempt counted: the first key's counter (the user's) starts afresh, the others (the
// address's) go down by one, so that a guesser with one account of his own gains nothing.
func (s *Store) EndAttempt(ctx context.Context, keys ...Throttle) error {
	return s.transact(ctx, func(t *tx) error {
		counted, err := t.counted(keys)
		if err != nil {
			return err
		}
		for i, k := range counted {
			query := `UPDATE throttles SET failures = failures - 1, until_ms = 0 WHERE key = $1 AND failures > 0`
			if i == 0 {
				query = `DELETE FROM throttles WHERE key = $1`
			}
			if err := t.exec(query, k.hash()); err != nil {
				return err
			}
		}
		return nil
	})
}

// UndoAttempt takes one count back from each counter and resets none: for an attempt that was neither good nor bad,
// such as a right password without the one-time password that is needed too.
func (s *Store) UndoAttempt(ctx context.Context, keys ...Throttle) error {
	return s.transact(ctx, func(t *tx) error {
		counted, err := t.counted(keys)
		if err != nil {
			return err
		}
		for _, k := range counted {
			err := t.exec(`UPDATE throttles SET failures = failures - 1, until_ms = 0 WHERE key = $1 AND failures > 0`, k.hash())
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Unlock clears counters for a user who is slowed; it is an administrator's act.
func (s *Store) Unlock(ctx context.Context, by By, user string, keys ...string) error {
	return s.act(ctx, func(t *tx) error {
		for _, k := range keys {
			if err := t.exec(`DELETE FROM throttles WHERE key = $1`, Throttle{Key: k}.hash()); err != nil {
				return err
			}
		}
		return t.record(by.entry(audit.UserUnlocked, "user:"+user, nil))
	})
}

// ThrottledUntil is the latest time until which one of the counters says wait, 0 if none does.
func (s *Store) ThrottledUntil(ctx context.Context, keys ...string) (ms int64, err error) {
	now := s.Now().UnixMilli()
	for _, k := range keys {
		until, err := get(ctx, s.read, scanOne[int64], `SELECT COALESCE(MAX(until_ms), 0) FROM throttles WHERE key = $1 AND last_ms <= $2`,
			Throttle{Key: k}.hash(), latest(s.Now()))
		if err != nil {
			return 0, err
		}
		if until > now {
			ms = max(ms, until)
		}
	}
	return ms, nil
}

// Tidy forgets what nobody can need: sign-ins and nonces that are over, counters without failures for a day, used codes
// and what agents reported a month ago. Events and sessions stay. ran is for how long the gateway has run since it last
// did that: what a clock that is ahead says does not count before a gateway has run for half as long.
func (s *Store) Tidy(ctx context.Context, ran time.Duration) error {
	const day = 24 * time.Hour
	return s.transact(ctx, func(t *tx) error {
		until, err := t.tidyUntil(ran)
		if err != nil {
			return err
		}
		for query, age := range map[string]time.Duration{
			`DELETE FROM sign_ins WHERE until_ms < $1`:           0,
			`DELETE FROM spent_nonces WHERE until_ms < $1`:       0,
			`DELETE FROM throttles WHERE last_ms < $1`:           day,
			`DELETE FROM device_codes WHERE until_ms < $1`:       30 * day,
			`DELETE FROM desk_tokens WHERE until_ms < $1`:        30 * day,
			`DELETE FROM agent_events WHERE time_ms < $1`:        30 * day,
			`DELETE FROM gateways WHERE alive_ms < $1`:           30 * day,
			`DELETE FROM notices WHERE time_ms < $1`:             400 * day,
			`DELETE FROM mails WHERE state = 2 AND sent_ms < $1`: 90 * day,
			`DELETE FROM self_checks WHERE time_ms < $1`:         30 * day,
		} {
			if err := t.exec(query, until-age.Milliseconds()); err != nil {
				return err
			}
		}
		return nil
	})
}

// tidyUntil is the time up to which old entries are forgotten: now, but no further than twice as long as gateways have run
// since the last time, or since the first event. 0 before that.
func (t *tx) tidyUntil(ran time.Duration) (ms int64, err error) {
	if err := t.one(`SELECT until_ms FROM tidied WHERE id = 1`, nil, &ms); err != nil {
		return 0, err
	}
	if ms == 0 {
		err = t.one(`SELECT COALESCE(MIN(time_ms), 0) FROM events WHERE number = 1`, nil, &ms)
		if err != nil || ms == 0 {
			return 0, err
		}
	}
	ms = min(ms+2*ran.Milliseconds(), t.now)
	return ms, t.exec(`UPDATE tidied SET until_ms = $1 WHERE id = 1`, ms)
}
