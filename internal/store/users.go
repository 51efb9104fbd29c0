package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"jiseki/internal/access"
	"jiseki/internal/audit"
	"jiseki/internal/grant"
	"jiseki/internal/register"
)

// User is a member of the staff.
type User struct {
	ID                string // what is typed to sign in: a-z 0-9 . - _
	Name              string
	Kana              string
	MainSection       string // section id, may be empty
	OtherSections     []string
	Roles             []access.Role
	PasswordHash      string // as package auth writes it
	MustChange        bool   // the password must be changed before anything else
	PasswordChangedMS int64
	Disabled          bool
	TOTPSealed        []byte // encrypted by package auth; nil: none
	TOTPLastStep      int64  // the newest time step that was used
	CreatedMS         int64
	LastSignInMS      int64
	Devices           int // enrolled and not revoked
}

// Has says whether the user has a role.
func (u *User) Has(r access.Role) bool { return slices.Contains(u.Roles, r) }

// NewUser is a user to create, with the secrets' hashes.
type NewUser struct {
	ID, Name, Kana string
	MainSection    string
	OtherSections  []string
	Roles          []access.Role
	PasswordHash   string
	DeviceCode     *NewDeviceCode // nil: none
	Desks          []string       // assigned at once
}

// NewDeviceCode is a one-time code to enrol a device.
type NewDeviceCode struct {
	Hash      [32]byte         // SHA-256 of the code
	Kind      grant.DeviceKind // of the device that it enrols
	Inventory string           // number of the lent device that it enrols, NoInventory: it has none; empty for a private one
	UntilMS   int64
}

// NoInventory records that a lent device has no inventory number. Without either nothing lent is enrolled.
const NoInventory = "-"

// CreateUsers creates all users or none. They must change their password at the first sign-in.
func (s *Store) CreateUsers(ctx context.Context, by By, users []NewUser) error {
	return s.act(ctx, func(t *tx) error {
		if err := t.refuseKnown(users); err != nil {
			return err
		}
		for i := range users {
			if err := t.createUser(by, &users[i]); err != nil {
				return fmt.Errorf("user %s: %w", audit.Cut(users[i].ID, 64), err)
			}
		}
		return nil
	})
}

// refuseKnown refuses an id that is taken, or there twice, by its name.
func (t *tx) refuseKnown(users []NewUser) error {
	ids := make([]string, len(users))
	for i := range users {
		ids[i] = users[i].ID
	}
	slices.Sort(ids)
	for i := range ids[:max(0, len(ids)-1)] {
		if ids[i] == ids[i+1] {
			return fmt.Errorf("user %s: %w", audit.Cut(ids[i], 64), ErrExists)
		}
	}
	for some := range slices.Chunk(ids, maxIn) {
		where, args := of("id", some)
		known, err := list(t.ctx, t, scanOne[string], `SELECT id FROM users`+where+` LIMIT 1`, args...)
		if err != nil {
			return err
		}
		if len(known) > 0 {
			return fmt.Errorf("user %s: %w", audit.Cut(known[0], 64), ErrExists)
		}
	}
	return nil
}

func (t *tx) createUser(by By, u *NewUser) error {
	if err := checkUser(u.ID, u.Name, u.Kana, u.Roles); err != nil {
		return err
	}
	t.put(`INSERT INTO users (id, name, kana, password_hash, must_change_password, password_changed_ms, disabled,
		totp_last_step, created_ms, last_sign_in_ms) VALUES ($1, $2, $3, $4, TRUE, $5, FALSE, 0, $5, 0)`,
		u.ID, u.Name, u.Kana, u.PasswordHash, t.now)
	t.putPosts(u.ID, u.MainSection, u.OtherSections, u.Roles)
	for _, desk := range u.Desks {
		if err := t.announce(register.Add, register.Assignment(desk, u.ID)); err != nil {
			return err
		}
		t.putDeskUser(desk, u.ID)
	}
	err := t.recordRegister(by.entry(audit.UserCreated, "user:"+u.ID, audit.Details{
		"name": audit.Cut(u.Name, 200), "section": u.MainSection, "roles": roleNames(u.Roles), "desks": u.Desks,
	}))
	if err != nil || u.DeviceCode == nil {
		return err
	}
	return t.putDeviceCode(by, u.ID, *u.DeviceCode)
}

func checkUser(id, name, kana string, roles []access.Role) error {
	if err := checkID("user id", id); err != nil {
		return err
	}
	if err := checkText("name", name, 1, 60); err != nil {
		return err
	}
	if err := checkText("kana", kana, 0, 60); err != nil {
		return err
	}
	for _, r := range roles {
		if r < access.Staff || r > access.Admin {
			return fmt.Errorf("%w: role", ErrInvalid)
		}
	}
	return nil
}

// putPosts gives a user who has none posts and roles.
func (t *tx) putPosts(user, main string, others []string, roles []access.Role) {
	for i, section := range append([]string{main}, others...) {
		if section == "" {
			continue
		}
		t.put(`INSERT INTO posts (user_id, section_id, main) VALUES ($1, $2, $3)`, user, section, i == 0)
	}
	for _, r := range roles {
		t.put(`INSERT INTO user_roles (user_id, role) VALUES ($1, $2)`, user, int64(r))
	}
}

// changePosts replaces posts and roles of a user.
func (t *tx) changePosts(u *User) error {
	if err := t.exec(`DELETE FROM posts WHERE user_id = $1`, u.ID); err != nil {
		return err
	}
	if err := t.exec(`DELETE FROM user_roles WHERE user_id = $1`, u.ID); err != nil {
		return err
	}
	t.putPosts(u.ID, u.MainSection, u.OtherSections, u.Roles)
	return t.flush() // what follows counts administrators
}

func roleNames(roles []access.Role) []string {
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = r.String()
	}
	return names
}

const selectUser = `SELECT u.id, u.name, u.kana,
	COALESCE((SELECT p.section_id FROM posts p WHERE p.user_id = u.id AND p.main), ''),
	COALESCE((SELECT string_agg(p.section_id, ',' ORDER BY p.section_id) FROM posts p WHERE p.user_id = u.id AND NOT p.main), ''),
	COALESCE((SELECT string_agg(CAST(r.role AS TEXT), ',' ORDER BY r.role) FROM user_roles r WHERE r.user_id = u.id), ''),
	u.password_hash, u.must_change_password, u.password_changed_ms, u.disabled, u.totp_sealed, u.totp_last_step, u.created_ms,
	u.last_sign_in_ms,
	(SELECT COUNT(*) FROM devices d WHERE d.owner = 'user:' || u.id AND d.revoked_ms = 0)
	FROM users u`

func scanUser(row scanner, u *User) error {
	var others, roles string
	err := row.Scan(&u.ID, &u.Name, &u.Kana, &u.MainSection, &others, &roles, &u.PasswordHash, &u.MustChange,
		&u.PasswordChangedMS, &u.Disabled, &u.TOTPSealed, &u.TOTPLastStep, &u.CreatedMS, &u.LastSignInMS, &u.Devices)
	if err != nil {
		return err
	}
	u.OtherSections = split(others)
	for _, r := range split(roles) {
		n, err := strconv.ParseUint(r, 10, 8)
		if err != nil {
			return err
		}
		u.Roles = append(u.Roles, access.Role(n))
	}
	return nil
}

// User reads one user.
func (s *Store) User(ctx context.Context, id string) (User, error) {
	return get(ctx, s.read, scanUser, selectUser+` WHERE u.id = $1`, id)
}

// UserFilter narrows a list; empty fields do not.
type UserFilter struct {
	Query   string // part of id, name or kana, as typed.Fold compares them
	Section string // section id, main or other post
}

// Users lists users by id.
func (s *Store) Users(ctx context.Context, f UserFilter, p Page) (users []User, next string, err error) {
	return search(p, f.Query, func(u *User) string { return u.ID }, func(u *User) []string { return []string{u.ID, u.Name, u.Kana} },
		func(after string, limit int) ([]User, error) {
			return list(ctx, s.read, scanUser, selectUser+` WHERE u.id > $1
				AND ($2 = '' OR EXISTS (SELECT 1 FROM posts p WHERE p.user_id = u.id AND p.section_id = $2))
				ORDER BY u.id LIMIT $3`, after, f.Section, limit)
		})
}

// UpdateUser changes name, kana, posts and roles; other fields of u do not count. It refuses to take the role from the
// last administrator that is not disabled (ErrInUse).
func (s *Store) UpdateUser(ctx context.Context, by By, u User) error {
	if err := checkUser(u.ID, u.Name, u.Kana, u.Roles); err != nil {
		return err
	}
	return s.act(ctx, func(t *tx) error {
		if err := t.must(`UPDATE users SET name = $2, kana = $3 WHERE id = $1`, u.ID, u.Name, u.Kana); err != nil {
			return err
		}
		err := t.keepAdmin(func() error { return t.changePosts(&u) })
		if err != nil {
			return err
		}
		return t.record(by.entry(audit.UserChanged, "user:"+u.ID, audit.Details{
			"name": audit.Cut(u.Name, 200), "section": u.MainSection, "others": u.OtherSections, "roles": roleNames(u.Roles),
		}))
	})
}

// keepAdmin runs change and refuses it if it takes the organisation's last active administrator.
func (t *tx) keepAdmin(change func() error) error {
	var before, after int64
	for _, n := range []*int64{&before, &after} {
		err := t.one(`SELECT COUNT(*) FROM users u JOIN user_roles r ON r.user_id = u.id WHERE r.role = $1 AND NOT u.disabled`,
			[]any{int64(access.Admin)}, n)
		if err != nil {
			return err
		}
		if n == &before {
			if err := change(); err != nil {
				return err
			}
		}
	}
	if before > 0 && after == 0 {
		return fmt.Errorf("%w: the last administrator", ErrInUse)
	}
	return nil
}

// SetPassword replaces a password by its hash, as its user does. It ends all sign-ins of the user but keep (the hash of
// the sign-in it came from), and is refused when that one was ended meanwhile (ErrStale).
func (s *Store) SetPassword(ctx context.Context, by By, user, hash string, keep [32]byte) error {
	return s.act(ctx, func(t *tx) error {
		if err := t.signedIn(user, keep); err != nil {
			return err
		}
		return t.setPassword(by.entry(audit.PasswordChanged, "user:"+user, nil), user, hash, keep)
	})
}

// ResetPassword replaces a password by the hash of one that the user must change. It ends all sign-ins of the user, and
// returns the running sessions, which the caller must end now: somebody else may have known the password.
func (s *Store) ResetPassword(ctx context.Context, by By, user, hash string) (running []Session, err error) {
	err = s.takeAway(ctx, func(t *tx) error {
		if running, err = t.runningOf(user); err != nil {
			return err
		}
		return t.setPassword(by.entry(audit.PasswordReset, "user:"+user, nil), user, hash, [32]byte{})
	})
	return running, err
}

// setPassword replaces a password, ends the sign-ins but keep, and records e.
func (t *tx) setPassword(e audit.Entry, user, hash string, keep [32]byte) error {
	err := t.must(`UPDATE users SET password_hash = $2, must_change_password = $3, password_changed_ms = $4 WHERE id = $1`,
		user, hash, e.Kind == audit.PasswordReset, t.now)
	if err != nil {
		return err
	}
	n, err := t.count(`DELETE FROM sign_ins WHERE user_id = $1 AND hash <> $2`, user, keep[:])
	if err != nil {
		return err
	}
	if e.Details == nil {
		e.Details = audit.Details{}
	}
	e.Details["ended_sign_ins"] = n
	return t.record(e)
}

// runningOf are the sessions of a user that have not ended.
func (t *tx) runningOf(user string) ([]Session, error) {
	return list(t.ctx, t, scanSession, selectSession+` WHERE s.user_id = $1 AND s.life < 4`, user)
}

// SetUserDisabled stops or readmits a user. Stopping ends the user's sign-ins and returns the running sessions, which
// the caller must end now. Late, it is ErrOvertaken by a later word on the same.
func (s *Store) SetUserDisabled(ctx context.Context, by By, user string, disabled bool) (running []Session, err error) {
	keep := s.takeAway
	if !disabled {
		keep = s.act
	}
	err = keep(ctx, func(t *tx) error {
		if err := t.overtaken(by, "user:"+user, audit.UserEnabled, audit.UserDisabled); err != nil {
			return err
		}
		err := t.keepAdmin(func() error {
			return t.must(`UPDATE users SET disabled = $2 WHERE id = $1`, user, disabled)
		})
		if err != nil {
			return err
		}
		kind := audit.UserEnabled
		if disabled {
			kind = audit.UserDisabled
			if err := t.exec(`DELETE FROM sign_ins WHERE user_id = $1`, user); err != nil {
				return err
			}
			if running, err = t.runningOf(user); err != nil {
				return err
			}
		}
		return t.record(by.entry(kind, "user:"+user, audit.Details{"running_sessions": len(running)}))
	})
	return running, err
}

// TOTP is a user's one-time passwords. The zero value is none.
type TOTP struct {
	Sealed   []byte     // the encrypted key
	LastStep int64      // time step of the password that proved the key; it is not good again
	Recovery [][32]byte // SHA-256 of each recovery code
	SignIn   [32]byte   // hash of the user's sign-in; one that gave that password counts as one with a second factor
}

// SetTOTP replaces the user's one-time passwords and recovery codes, or removes them without Sealed. It is an
// administrator's act without SignIn; the user's own is refused when that sign-in was ended meanwhile (ErrStale).
func (s *Store) SetTOTP(ctx context.Context, by By, user string, totp TOTP) error {
	return s.act(ctx, func(t *tx) error {
		if totp.SignIn != [32]byte{} {
			if err := t.signedIn(user, totp.SignIn); err != nil {
				return err
			}
		}
		if err := t.must(`UPDATE users SET totp_sealed = $2, totp_last_step = $3 WHERE id = $1`, user, totp.Sealed, totp.LastStep); err != nil {
			return err
		}
		if totp.Sealed != nil {
			if err := t.exec(`UPDATE sign_ins SET second = TRUE WHERE hash = $1`, totp.SignIn[:]); err != nil {
				return err
			}
		}
		if err := t.exec(`DELETE FROM recovery_codes WHERE user_id = $1`, user); err != nil {
			return err
		}
		for _, h := range totp.Recovery {
			err := t.exec(`INSERT INTO recovery_codes (user_id, hash, used_ms) VALUES ($1, $2, 0)`, user, h[:])
			if err != nil {
				return err
			}
		}
		return t.record(by.entry(audit.TOTPChanged, "user:"+user, audit.Details{
			"set": totp.Sealed != nil, "recovery_codes": len(totp.Recovery),
		}))
	})
}

// totpStep is the time step of one-time passwords in milliseconds (RFC 6238). The last one that was spent may be the
// one after now.
const totpStep = 30_000

// SpendTOTPStep remembers that the password of this time step was used: ErrSpent if it, or a later one, was used
// before. A step that a clock that was ahead has spent does not count.
func (s *Store) SpendTOTPStep(ctx context.Context, user string, step int64) error {
	return s.transact(ctx, func(t *tx) error {
		n, err := t.count(`UPDATE users SET totp_last_step = $2 WHERE id = $1 AND (totp_last_step < $2 OR totp_last_step > $3)`,
			user, step, latest(t.time())/totpStep+1)
		if err == nil && n == 0 {
			return ErrSpent
		}
		return err
	})
}

// SpendRecoveryCode uses up a recovery code: ErrWrongCode if it is none or was used.
func (s *Store) SpendRecoveryCode(ctx context.Context, by By, user string, hash [32]byte) error {
	return s.act(ctx, func(t *tx) error {
		n, err := t.count(`UPDATE recovery_codes SET used_ms = $3 WHERE user_id = $1 AND hash = $2 AND used_ms = 0`,
			user, hash[:], t.now)
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrWrongCode
		}
		var left int64
		err = t.one(`SELECT COUNT(*) FROM recovery_codes WHERE user_id = $1 AND used_ms = 0`, []any{user}, &left)
		if err != nil {
			return err
		}
		return t.record(by.entry(audit.RecoveryCodeUsed, "user:"+user, audit.Details{"left": left}))
	})
}
