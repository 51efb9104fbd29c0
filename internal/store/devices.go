package store

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"time"

	"jiseki/internal/audit"
	"jiseki/internal/cert"
	"jiseki/internal/grant"
	"jiseki/internal/register"
)

// Device is an enrolled terminal.
type Device struct {
	ID            string
	Owner         string // "user:<id>", "section:<id>" or "all"
	OwnerName     string // of the user or section; read only
	Label         string
	Kind          grant.DeviceKind
	Inventory     string // number of a lent device by the administrator's record, NoInventory: none; empty: private, or older than records
	Grade         cert.Grade
	Key           cert.PublicKey
	Certificate   []byte
	UntilMS       int64 // end of the certificate
	Persistent    bool  // the browser promised to keep the key
	EnrolledMS    int64
	EnrolledBy    string
	LastUsedMS    int64
	RevokedMS     int64
	RevokedReason string
}

// OwnedBy says whether a user of these sections may use the device.
func (d *Device) OwnedBy(user string, sections []string) bool {
	if d.Owner == "all" || d.Owner == "user:"+user {
		return true
	}
	for _, s := range sections {
		if s != "" && d.Owner == "section:"+s {
			return true
		}
	}
	return false
}

// AddDeviceCode keeps a new one-time code for a user; former ones are void. ErrNoInventory: one for a lent device that
// says neither its inventory number nor that there is none.
func (s *Store) AddDeviceCode(ctx context.Context, by By, user string, code NewDeviceCode) error {
	return s.act(ctx, func(t *tx) error {
		var known string
		if err := t.one(`SELECT id FROM users WHERE id = $1`, []any{user}, &known); err != nil {
			return err
		}
		return t.addDeviceCode(by, user, code)
	})
}

func (t *tx) addDeviceCode(by By, user string, code NewDeviceCode) error {
	if err := t.exec(`DELETE FROM device_codes WHERE user_id = $1 AND used_ms = 0`, user); err != nil {
		return err
	}
	return t.putDeviceCode(by, user, code)
}

// putDeviceCode keeps the code of a user who has none.
func (t *tx) putDeviceCode(by By, user string, code NewDeviceCode) error {
	if err := code.check(); err != nil {
		return err
	}
	t.put(`INSERT INTO device_codes (hash, user_id, kind, inventory, until_ms, created_ms, used_ms)
		VALUES ($1, $2, $3, $4, $5, $6, 0)`, code.Hash[:], user, int64(code.Kind), code.Inventory, code.UntilMS, t.now)
	return t.record(by.entry(audit.DeviceCodeCreated, "user:"+user, audit.Details{
		"until": time.UnixMilli(code.UntilMS).UTC().Format(time.RFC3339), "kind": int(code.Kind), "inventory": code.Inventory,
	}))
}

// check holds what a code enrols to the administrator's record: lent devices by number, private ones without.
func (c *NewDeviceCode) check() error {
	switch {
	case c.Kind == grant.DeviceLent && c.Inventory == "":
		return ErrNoInventory
	case c.Kind == grant.DeviceLent:
		return checkText("inventory number", c.Inventory, 1, 64)
	case c.Kind == grant.DevicePrivate && c.Inventory == "":
		return nil
	}
	return fmt.Errorf("%w: kind of device", ErrInvalid)
}

// EnrolDevice uses up the user's one-time code, keeps the device, with kind and inventory number that the code was
// given out for, whatever d says, and makes the sign-in one with this device. ErrWrongCode: the code stays good,
// slowing guesses down is for the caller; ErrSpent: used, or none was given out; ErrExpired; ErrExists: the key is
// enrolled already; ErrStale: the sign-in was ended meanwhile. Each of the first three is an event too.
func (s *Store) EnrolDevice(ctx context.Context, by By, user string, codeHash, signIn [32]byte, d Device) error {
	if err := checkText("label", d.Label, 1, 64); err != nil {
		return err
	}
	return s.act(ctx, func(t *tx) error {
		if err := t.signedIn(user, signIn); err != nil {
			return err
		}
		refusal, err := t.useDeviceCode(user, codeHash, &d)
		if err != nil {
			return err
		}
		if refusal != nil {
			t.refuse(refusal)
			e := by.entry(audit.DeviceRefused, "user:"+user, audit.Details{"label": audit.Cut(d.Label, 128)})
			e.Outcome, e.Code = audit.Refused, refusalCode(refusal)
			return t.record(e)
		}
		if err := t.addDevice(by, &d); err != nil {
			return err
		}
		return t.exec(`UPDATE sign_ins SET device_id = $3 WHERE hash = $1 AND user_id = $2`, signIn[:], user, d.ID)
	})
}

// AddDevice keeps a device that the administrator enrolled beforehand.
func (s *Store) AddDevice(ctx context.Context, by By, d Device) error {
	if err := checkText("label", d.Label, 1, 64); err != nil {
		return err
	}
	return s.act(ctx, func(t *tx) error { return t.addDevice(by, &d) })
}

// refusalCode is what the event says.
func refusalCode(err error) string {
	switch {
	case errors.Is(err, ErrWrongCode):
		return "wrong_code"
	case errors.Is(err, ErrExpired):
		return "expired"
	}
	return "spent"
}

// useDeviceCode checks the code against the user's open one, and gives the device what the code was given out for.
// refusal is for the caller to commit with its event.
func (t *tx) useDeviceCode(user string, typed [32]byte, d *Device) (refusal, err error) {
	var hash []byte
	var created, until int64
	err = t.one(`SELECT hash, kind, inventory, created_ms, until_ms FROM device_codes WHERE user_id = $1 AND used_ms = 0
		ORDER BY created_ms DESC LIMIT 1`, []any{user}, &hash, &d.Kind, &d.Inventory, &created, &until)
	switch {
	case errors.Is(err, ErrNotFound):
		return ErrSpent, nil
	case err != nil:
		return nil, err
	case until <= t.now, created > latest(t.time()):
		return ErrExpired, nil
	case subtle.ConstantTimeCompare(hash, typed[:]) != 1:
		return ErrWrongCode, nil
	}
	return nil, t.exec(`UPDATE device_codes SET used_ms = $2 WHERE hash = $1`, hash, t.now)
}

func (t *tx) addDevice(by By, d *Device) error {
	err := t.exec(`INSERT INTO devices (id, owner, label, kind, inventory, grade, public_key, certificate, until_ms, persistent,
		enrolled_ms, enrolled_by, last_used_ms, revoked_ms, revoked_reason) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, 0, '')`,
		d.ID, d.Owner, d.Label, int64(d.Kind), d.Inventory, int64(d.Grade), d.Key[:], d.Certificate, d.UntilMS, d.Persistent, t.now, by.Actor)
	if err != nil {
		return err
	}
	if err := t.announce(register.Add, register.Device(d.ID, d.Owner, d.Key)); err != nil {
		return err
	}
	return t.recordRegister(by.entry(audit.DeviceEnrolled, "device:"+d.ID, audit.Details{
		"owner": d.Owner, "label": audit.Cut(d.Label, 128), "kind": int(d.Kind), "inventory": d.Inventory, "grade": int(d.Grade), "key": d.Key.ID().String(),
		"persistent": d.Persistent,
	}))
}

const selectDevice = `SELECT d.id, d.owner, COALESCE((SELECT u.name FROM users u WHERE d.owner = 'user:' || u.id),
	(SELECT s.name FROM sections s WHERE d.owner = 'section:' || s.id), ''), d.label, d.kind, d.inventory, d.grade, d.public_key, d.certificate,
	d.until_ms, d.persistent, d.enrolled_ms, d.enrolled_by, d.last_used_ms, d.revoked_ms, d.revoked_reason FROM devices d`

func scanDevice(row scanner, d *Device) error {
	var key []byte
	err := row.Scan(&d.ID, &d.Owner, &d.OwnerName, &d.Label, &d.Kind, &d.Inventory, &d.Grade, &key, &d.Certificate, &d.UntilMS, &d.Persistent,
		&d.EnrolledMS, &d.EnrolledBy, &d.LastUsedMS, &d.RevokedMS, &d.RevokedReason)
	copy(d.Key[:], key)
	return err
}

// Device reads a device, also a revoked one.
func (s *Store) Device(ctx context.Context, id string) (Device, error) {
	return get(ctx, s.read, scanDevice, selectDevice+` WHERE d.id = $1`, id)
}

// Devices lists devices by id, all or one owner's.
func (s *Store) Devices(ctx context.Context, owner string, p Page) (devices []Device, next string, err error) {
	all, err := list(ctx, s.read, scanDevice, selectDevice+` WHERE d.id > $1 AND ($2 = '' OR d.owner = $2) ORDER BY d.id LIMIT $3`,
		p.After, owner, p.limit()+1)
	devices, next = cut(all, p, func(d *Device) string { return d.ID })
	return devices, next, err
}

// RenewDevice keeps a newer certificate of the same key: ErrNotFound if the device is revoked.
func (s *Store) RenewDevice(ctx context.Context, by By, id string, certificate []byte, untilMS int64) error {
	return s.act(ctx, func(t *tx) error {
		err := t.must(`UPDATE devices SET certificate = $2, until_ms = $3 WHERE id = $1 AND revoked_ms = 0`, id, certificate, untilMS)
		if err != nil {
			return err
		}
		return t.record(by.entry(audit.DeviceRenewed, "device:"+id, audit.Details{
			"until": time.UnixMilli(untilMS).UTC().Format(time.RFC3339),
		}))
	})
}

// RevokeDevice refuses the device from now on, ends its sign-ins and returns the running sessions, which the caller
// must end now. Revoking a revoked device is ErrNotFound.
func (s *Store) RevokeDevice(ctx context.Context, by By, id, reason string) (running []Session, err error) {
	if err := checkText("reason", reason, 0, 200); err != nil {
		return nil, err
	}
	err = s.takeAway(ctx, func(t *tx) error {
		running, err = t.revokeDevice(by, id, reason)
		return err
	})
	return running, err
}

// withdraw takes the announcement of a device back.
func (t *tx) withdraw(id string) error {
	var owner string
	var key []byte
	if err := t.one(`SELECT owner, public_key FROM devices WHERE id = $1`, []any{id}, &owner, &key); err != nil {
		return err
	}
	return t.announce(register.Remove, register.Device(id, owner, cert.PublicKey(key)))
}

// revokeDevice is RevokeDevice inside a transaction.
func (t *tx) revokeDevice(by By, id, reason string) (running []Session, err error) {
	err = t.must(`UPDATE devices SET revoked_ms = $2, revoked_reason = $3 WHERE id = $1 AND revoked_ms = 0`, id, t.now, reason)
	if err != nil {
		return nil, err
	}
	if err := t.withdraw(id); err != nil {
		return nil, err
	}
	if err := t.exec(`DELETE FROM sign_ins WHERE device_id = $1`, id); err != nil {
		return nil, err
	}
	running, err = list(t.ctx, t, scanSession, selectSession+` WHERE s.device_id = $1 AND s.life < 4`, id)
	if err != nil {
		return nil, err
	}
	return running, t.recordRegister(by.entry(audit.DeviceRevoked, "device:"+id, audit.Details{
		"reason": audit.Cut(reason, 600), "running_sessions": len(running),
	}))
}
