package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/audit"
	"jiseki/internal/cert"
	"jiseki/internal/mail"
	"jiseki/internal/register"
)

// markEvery is how often the register moves on by itself: a copy of the database that is older continues no desk's
// copy.
const markEvery = 24 * time.Hour

// announce appends an entry to the register of devices. The event of the act is recorded after it, by recordRegister.
func (t *tx) announce(op register.Op, what [32]byte) error {
	end, err := t.registerEnd()
	if err != nil {
		return err
	}
	end.hash = register.Next(end.hash, end.number+1, register.Entry{Op: op, What: what})
	end.number++
	hash := end.hash
	t.put(`INSERT INTO register (number, op, what, hash, time_ms) VALUES ($1, $2, $3, $4, $5)`,
		int64(end.number), int64(op), what[:], hash[:], t.now) //nolint:gosec // counts from 1
	return nil
}

// A registerMark is the end of the register: how many entries it has, and the hash after the last.
type registerMark struct {
	number uint64
	hash   [32]byte
}

// registerEnd is where the register ends, with what was announced in this transaction.
func (t *tx) registerEnd() (*registerMark, error) {
	if t.register != nil {
		return t.register, nil
	}
	number, hash, err := registerEnd(t.ctx, t)
	if err != nil {
		return nil, err
	}
	t.register = &registerMark{number, hash}
	return t.register, nil
}

// recordRegister records an event that names the end of the register, so that the audit log's heads vouch for it.
func (t *tx) recordRegister(e audit.Entry) error {
	end, err := t.registerEnd()
	if err != nil {
		return err
	}
	if e.Details == nil {
		e.Details = audit.Details{}
	}
	e.Details["register"], e.Details["register_hash"] = end.number, hex.EncodeToString(end.hash[:])
	return t.record(e)
}

func registerEnd(ctx context.Context, q querier) (end uint64, hash [32]byte, err error) {
	var b []byte
	err = one(ctx, q, `SELECT number, hash FROM register ORDER BY number DESC LIMIT 1`, nil, &end, &b)
	if errors.Is(err, ErrNotFound) {
		return 0, hash, nil
	}
	copy(hash[:], b)
	return end, hash, err
}

// RegisterEnd is how many entries the register of devices has.
func (s *Store) RegisterEnd(ctx context.Context) (uint64, error) {
	end, _, err := registerEnd(ctx, s.read)
	return end, err
}

// A registerRow is an entry with the hash after it.
type registerRow struct {
	register.Entry
	hash [32]byte
}

func scanRegister(row scanner, r *registerRow) error {
	var what, hash []byte
	err := row.Scan(&r.Op, &what, &hash)
	copy(r.What[:], what)
	copy(r.hash[:], hash)
	return err
}

const selectRegister = `SELECT op, what, hash FROM register`

// Register reads what comes behind the first from entries of the register, at most limit of it; of a shorter register,
// its end.
func (s *Store) Register(ctx context.Context, from uint64, limit int) (register.Part, error) {
	total, _, err := registerEnd(ctx, s.read)
	if err != nil {
		return register.Part{}, err
	}
	p := register.Part{From: min(from, total), Total: total}
	rows, err := list(ctx, s.read, scanRegister, selectRegister+` WHERE number >= $1 AND number <= $2 ORDER BY number`,
		int64(p.From), int64(min(p.From+uint64(limit), total))) //nolint:gosec // counts from 1
	if err != nil {
		return register.Part{}, err
	}
	if p.From > 0 && len(rows) > 0 {
		p.Before, rows = rows[0].hash, rows[1:]
	}
	for i := range rows {
		p.Entries = append(p.Entries, rows[i].Entry)
	}
	return p, nil
}

// KeepRegister announces what holds and is not announced yet, as after an update from a release without a register,
// takes back what holds no more, and moves the register on once a day. If nothing is to be done, nothing is recorded.
func (s *Store) KeepRegister(ctx context.Context, gateway string) error {
	return s.note(ctx, func(t *tx) error {
		want, err := t.announced()
		if err != nil {
			return err
		}
		rows, err := list(t.ctx, t, scanRegister, selectRegister+` ORDER BY number`)
		if err != nil {
			return err
		}
		var has register.List
		for i := range rows {
			has.Add(rows[i].Entry)
		}
		steps := has.Steps(want)
		for _, step := range steps {
			if err := t.announce(step.Op, step.What); err != nil {
				return err
			}
		}
		marked, err := t.mark()
		if err != nil {
			return err
		}
		if len(steps) == 0 && !marked {
			return errUnchanged
		}
		by := By{Actor: "gateway:" + gateway}
		return t.recordRegister(by.entry(audit.RegisterKept, "", audit.Details{"changed": len(steps)}))
	})
}

// mark appends a random entry if the last is old.
func (t *tx) mark() (marked bool, err error) {
	var last int64
	err = t.one(`SELECT COALESCE(MAX(time_ms), 0) FROM register WHERE op = $1`, []any{int64(register.Mark)}, &last)
	if err != nil || (last <= t.now && t.now-last < markEvery.Milliseconds()) {
		return false, err
	}
	var what [32]byte
	rand.Read(what[:]) // never fails
	return true, t.announce(register.Mark, what)
}

// announced is what the register should hold.
func (t *tx) announced() (all [][32]byte, err error) {
	devices, err := list(t.ctx, t, func(row scanner, what *[32]byte) error {
		var id, owner string
		var key []byte
		if err := row.Scan(&id, &owner, &key); err != nil {
			return err
		}
		*what = register.Device(id, owner, cert.PublicKey(key))
		return nil
	}, `SELECT id, owner, public_key FROM devices WHERE revoked_ms = 0 ORDER BY id`)
	if err != nil {
		return nil, err
	}
	desks, err := list(t.ctx, t, func(row scanner, what *[32]byte) error {
		var desk, user string
		if err := row.Scan(&desk, &user); err != nil {
			return err
		}
		*what = register.Assignment(desk, user)
		return nil
	}, `SELECT desk_id, user_id FROM desk_users ORDER BY desk_id, user_id`)
	return slices.Concat(devices, desks), err
}

// announceUsers appends how the users of a desk change.
func (t *tx) announceUsers(desk string, users []string) error {
	before, err := list(t.ctx, t, scanOne[string], `SELECT user_id FROM desk_users WHERE desk_id = $1 ORDER BY user_id`, desk)
	if err != nil {
		return err
	}
	for _, u := range without(before, users) {
		if err := t.announce(register.Remove, register.Assignment(desk, u)); err != nil {
			return err
		}
	}
	for _, u := range without(users, before) {
		if err := t.announce(register.Add, register.Assignment(desk, u)); err != nil {
			return err
		}
	}
	return nil
}

// DeskDiffers records that a desk, which holds so many entries of the register by its own word, cannot follow ours, and
// tells the administrators, once a day for each desk.
func (s *Store) DeskDiffers(ctx context.Context, desk, code string, entries uint64) error {
	return s.act(ctx, func(t *tx) error {
		e := By{Actor: "desk:" + desk}.entry(audit.DeskDiffers, "desk:"+desk, audit.Details{"entries": entries})
		e.Outcome, e.Code = audit.Refused, audit.Cut(code, 64)
		if err := t.recordRegister(e); err != nil {
			return err
		}
		return t.tellOfDesk("desk_differs", desk)
	})
}

// tellAdmins tells all administrators of something, once a day.
func (t *tx) tellAdmins(n mail.Notice, about string) error {
	admins, err := list(t.ctx, t, scanOne[string], `SELECT DISTINCT u.id FROM users u JOIN user_roles r ON r.user_id = u.id
		WHERE r.role = $1 AND NOT u.disabled ORDER BY u.id`, int64(access.Admin))
	n.Once = n.Kind + " " + about + " " + t.today().String()
	for _, admin := range admins {
		n.User = admin
		err = errors.Join(err, t.notify(n))
	}
	return err
}

// tellOfDesk tells all administrators of something about a desk, once a day.
func (t *tx) tellOfDesk(kind, desk string) error {
	var name string
	if err := t.one(`SELECT name FROM desks WHERE id = $1`, []any{desk}, &name); err != nil {
		return err
	}
	return t.tellAdmins(mail.Notice{Kind: kind, Path: "/console/events", Args: map[string]string{"desk": audit.Cut(name, 200)}}, desk)
}
