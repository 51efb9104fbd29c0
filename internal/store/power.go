package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/audit"
	"jiseki/internal/mail"
)

// askAgain is how long colleagues are not asked again to switch on the same desk.
const askAgain = 10 * time.Minute

// AskPowerOn tells colleagues that a desk has to be switched on by hand: ErrSpent if they were told less than ten
// minutes ago. An ask from the future was stamped by a clock that has been put right since: it does not count.
func (s *Store) AskPowerOn(ctx context.Context, by By, desk string, tell []mail.Notice) error {
	return s.act(ctx, func(t *tx) error {
		n, err := t.count(`INSERT INTO power_asks (desk_id, asked_ms) VALUES ($1, $2) ON CONFLICT (desk_id)
			DO UPDATE SET asked_ms = excluded.asked_ms WHERE power_asks.asked_ms <= $3 OR power_asks.asked_ms > $2`, desk, t.now, t.now-askAgain.Milliseconds())
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrSpent
		}
		for i := range tell {
			if err := t.notify(tell[i]); err != nil {
				return err
			}
		}
		return t.record(by.entry(audit.DeskPowerOnAsked, "desk:"+desk, audit.Details{"told": len(tell)}))
	})
}

// inHall is how long after the last call from the office network somebody counts as present there.
const inHall = 15 * time.Minute

// Colleague is somebody of a section.
type Colleague struct {
	ID     string
	Name   string
	InHall bool // is signed in from the office network, or uses a desk of their own on the spot
}

// Colleagues lists the users of a section who are not disabled, by id.
func (s *Store) Colleagues(ctx context.Context, section string) ([]Colleague, error) {
	return list(ctx, s.read, func(row scanner, c *Colleague) error { return row.Scan(&c.ID, &c.Name, &c.InHall) },
		`SELECT u.id, u.name,
			EXISTS (SELECT 1 FROM sign_ins i WHERE i.user_id = u.id AND i.place = $2 AND i.last_used_ms > $3 AND i.last_used_ms <= $4)
			OR EXISTS (SELECT 1 FROM desk_users du JOIN desks k ON k.id = du.desk_id
				WHERE du.user_id = u.id AND k.deleted_ms = 0 AND k.connected AND k.present)
		FROM users u JOIN posts p ON p.user_id = u.id WHERE p.section_id = $1 AND NOT u.disabled ORDER BY u.id`,
		section, int64(access.Office), s.Now().Add(-inHall).UnixMilli(), latest(s.Now()))
}

// LastOutside is when a user last opened a desk from outside the hall; 0 if never.
func (s *Store) LastOutside(ctx context.Context, user string) (ms int64, err error) {
	return get(ctx, s.read, scanOne[int64],
		`SELECT COALESCE(MAX(opened_ms), 0) FROM sessions WHERE user_id = $1 AND place <> $2 AND opened_ms > 0`, user, int64(access.Office))
}

// ReportLost revokes a device that was lost, ends its sign-ins, tells the administrators and the head of its owner's
// section, and returns the running sessions, which the caller must end now. A device that is revoked already stays so;
// its loss is an event all the same, once, and nobody is told twice.
func (s *Store) ReportLost(ctx context.Context, by By, id, circumstances string) (running []Session, err error) {
	keep := s.takeAway
	if d, err := s.Device(ctx, id); err == nil && d.RevokedMS > 0 {
		keep = s.act // there is nothing left to take away
	}
	err = keep(ctx, func(t *tx) error {
		running, err = t.revokeDevice(by, id, lost)
		if errors.Is(err, ErrNotFound) {
			err = t.lostAfterwards(id)
		}
		if err != nil {
			return err
		}
		d, err := get(ctx, t, scanDevice, selectDevice+` WHERE d.id = $1`, id)
		if err != nil {
			return err
		}
		if err := t.tellOfLoss(by, &d); err != nil {
			return err
		}
		return t.record(by.entry(audit.DeviceLost, "device:"+id, audit.Details{
			"owner": d.Owner, "label": audit.Cut(d.Label, 128), "circumstances": audit.Cut(circumstances, 3000), "running_sessions": len(running),
		}))
	})
	return running, err
}

// lost is why a device is revoked whose loss was reported.
const lost = "lost"

// lostAfterwards notes of a device that is revoked already that it was lost: errUnchanged if that is known.
func (t *tx) lostAfterwards(id string) error {
	n, err := t.count(`UPDATE devices SET revoked_reason = $2 WHERE id = $1 AND revoked_reason <> $2`, id, lost)
	if err != nil || n > 0 {
		return err
	}
	var there int64
	if err := t.one(`SELECT 1 FROM devices WHERE id = $1`, []any{id}, &there); err != nil {
		return err
	}
	return errUnchanged
}

func (t *tx) tellOfLoss(by By, d *Device) error {
	ids, err := list(t.ctx, t, scanOne[string],
		`SELECT u.id FROM users u WHERE NOT u.disabled AND 'user:' || u.id <> $2 AND (
			EXISTS (SELECT 1 FROM user_roles r WHERE r.user_id = u.id AND r.role = $3)
			OR EXISTS (SELECT 1 FROM section_heads h JOIN posts p ON p.section_id = h.section_id AND p.main
				WHERE h.user_id = u.id AND h.position = 0 AND 'user:' || p.user_id = $1)) ORDER BY u.id`,
		d.Owner, by.Actor, int64(access.Admin))
	if err != nil {
		return err
	}
	for _, id := range ids {
		err := t.notify(mail.Notice{
			User: id, Kind: "device_lost", Args: map[string]string{"name": d.OwnerName, "device": d.Label}, Path: "/notices", Once: "lost " + d.ID,
		})
		if err != nil {
			return fmt.Errorf("notice of a lost device: %w", err)
		}
	}
	return nil
}

// SelfCheck is the result of 持ち帰り前の確認 as the page saved it.
type SelfCheck struct {
	Code     string
	User     string
	UserName string // read only
	TimeMS   int64
	Items    string // JSON, as package api writes it
}

// keepSelfChecks is how long a help-desk code is good.
const keepSelfChecks = 30 * 24 * time.Hour

// maxSelfChecks bounds what one user can make us keep.
const maxSelfChecks = 20

// SaveSelfCheck keeps a result under its code: ErrExists if the code is taken. Of each user the newest twenty stay.
func (s *Store) SaveSelfCheck(ctx context.Context, c SelfCheck) error {
	if len(c.Items) > 16<<10 {
		return ErrInvalid
	}
	return s.transact(ctx, func(t *tx) error {
		err := t.exec(`INSERT INTO self_checks (code, user_id, time_ms, items) VALUES ($1, $2, $3, $4)`, c.Code, c.User, t.now, c.Items)
		if err != nil {
			return err
		}
		return t.exec(`DELETE FROM self_checks WHERE user_id = $1 AND code NOT IN
			(SELECT code FROM self_checks WHERE user_id = $1 ORDER BY time_ms DESC, code LIMIT $2)`, c.User, maxSelfChecks)
	})
}

// SelfCheck reads a result of the last thirty days by its code.
func (s *Store) SelfCheck(ctx context.Context, code string) (SelfCheck, error) {
	return get(ctx, s.read, func(row scanner, c *SelfCheck) error {
		return row.Scan(&c.Code, &c.User, &c.UserName, &c.TimeMS, &c.Items)
	}, `SELECT c.code, c.user_id, u.name, c.time_ms, c.items FROM self_checks c JOIN users u ON u.id = c.user_id
		WHERE c.code = $1 AND c.time_ms > $2`, code, s.Now().Add(-keepSelfChecks).UnixMilli())
}
