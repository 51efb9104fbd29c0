package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"jiseki/internal/audit"
	"jiseki/internal/calendar"
	"jiseki/internal/mail"
)

// StaffMember is what policy looks at of a user, as an administrator edits it.
type StaffMember struct {
	User            string
	Name, Kana      string // read only
	Section         string // main section; read only
	Employment      string // id of a 任用区分, may be empty
	Mail            string // official address, may be empty
	RegisteredUntil calendar.Date
	Clerk           bool // 庶務担当 of the main section
	Hours           []calendar.Dated
}

// maxDated is how many dated hours a user may have.
const maxDated = 100

const selectStaff = `SELECT u.id, u.name, u.kana, COALESCE((SELECT p.section_id FROM posts p WHERE p.user_id = u.id AND p.main), ''),
	COALESCE(f.employment, ''), COALESCE(f.mail, ''), COALESCE(f.registered_until, ''), COALESCE(f.clerk, FALSE)
	FROM users u LEFT JOIN staff f ON f.user_id = u.id`

func scanStaff(row scanner, m *StaffMember) error {
	var until string
	err := row.Scan(&m.User, &m.Name, &m.Kana, &m.Section, &m.Employment, &m.Mail, &until, &m.Clerk)
	if err != nil || until == "" {
		return err
	}
	m.RegisteredUntil, err = calendar.ParseDate(until)
	return err
}

// Staff lists the staff by user id.
func (s *Store) Staff(ctx context.Context, f UserFilter, p Page) (staff []StaffMember, next string, err error) {
	staff, next, err = search(p, f.Query, func(m *StaffMember) string { return m.User }, func(m *StaffMember) []string { return []string{m.User, m.Name, m.Kana} },
		func(after string, limit int) ([]StaffMember, error) {
			return list(ctx, s.read, scanStaff, selectStaff+` WHERE u.id > $1
				AND ($2 = '' OR EXISTS (SELECT 1 FROM posts p WHERE p.user_id = u.id AND p.section_id = $2))
				ORDER BY u.id LIMIT $3`, after, f.Section, limit)
		})
	if err != nil {
		return nil, "", err
	}
	for i := range staff {
		if staff[i].Hours, err = hoursOf(ctx, s.read, staff[i].User); err != nil {
			return nil, "", err
		}
	}
	return staff, next, nil
}

// StaffMember reads one user.
func (s *Store) StaffMember(ctx context.Context, user string) (StaffMember, error) {
	m, err := get(ctx, s.read, scanStaff, selectStaff+` WHERE u.id = $1`, user)
	if err != nil {
		return m, err
	}
	m.Hours, err = hoursOf(ctx, s.read, user)
	return m, err
}

// PutStaff replaces employment, mail address, registration, clerk and hours of a user. ErrInvalid: an employment that
// policy does not know, an address that is none, hours that cannot be meant.
func (s *Store) PutStaff(ctx context.Context, by By, m StaffMember) error {
	if err := m.check(); err != nil {
		return err
	}
	return s.act(ctx, func(t *tx) error {
		if err := t.checkEmployment(m.Employment); err != nil {
			return err
		}
		var known string
		if err := t.one(`SELECT id FROM users WHERE id = $1`, []any{m.User}, &known); err != nil {
			return err
		}
		err := t.exec(`INSERT INTO staff (user_id, employment, mail, registered_until, clerk) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (user_id) DO UPDATE SET employment = excluded.employment, mail = excluded.mail,
			registered_until = excluded.registered_until, clerk = excluded.clerk`,
			m.User, m.Employment, m.Mail, m.RegisteredUntil.String(), m.Clerk)
		if err != nil {
			return err
		}
		if err := t.putHours(m.User, m.Hours); err != nil {
			return err
		}
		return t.recordAll(by.entry(audit.StaffChanged, "user:"+m.User, audit.Details{
			"employment": m.Employment, "mail": audit.Cut(m.Mail, 200), "registered_until": m.RegisteredUntil.String(), "clerk": m.Clerk,
		}), pieces("hours", hoursText(m.Hours)))
	})
}

func (m *StaffMember) check() error {
	if len(m.Hours) > maxDated {
		return fmt.Errorf("%w: too many hours", ErrInvalid)
	}
	if m.Mail != "" {
		if err := mail.CheckAddress(m.Mail); err != nil {
			return fmt.Errorf("%w: %w", ErrInvalid, err)
		}
	}
	seen := map[string]bool{}
	for _, h := range m.Hours {
		key := fmt.Sprintf("%s %d", h.From, h.Weekdays)
		switch {
		case h.From.IsZero(), h.Weekdays == 0, h.Weekdays > 127, seen[key]:
			return fmt.Errorf("%w: date or weekdays of hours", ErrInvalid)
		case h.Hours.Check() != nil:
			return fmt.Errorf("%w: %w", ErrInvalid, h.Hours.Check())
		}
		if err := checkText("note of hours", h.Note, 0, 60); err != nil {
			return err
		}
		seen[key] = true
	}
	return nil
}

func (t *tx) checkEmployment(id string) error {
	o, err := get(t.ctx, t, scanOrganisation, selectOrganisation)
	if err != nil || id == "" {
		return err
	}
	for _, e := range o.Settings.Policy.Employments {
		if e.ID == id {
			return nil
		}
	}
	return fmt.Errorf("%w: employment", ErrInvalid)
}

func (t *tx) putHours(user string, hours []calendar.Dated) error {
	if err := t.exec(`DELETE FROM staff_hours WHERE user_id = $1`, user); err != nil {
		return err
	}
	for _, h := range hours {
		t.put(`INSERT INTO staff_hours (user_id, from_date, weekdays, start_minute, end_minute, break_start, break_end, note)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			user, h.From.String(), int64(h.Weekdays), h.Hours.Start, h.Hours.End, h.Hours.BreakStart, h.Hours.BreakEnd, h.Note)
	}
	return nil
}

// hoursText is hours as the event has them.
func hoursText(hours []calendar.Dated) string {
	texts := make([]string, len(hours))
	for i, h := range hours {
		texts[i] = fmt.Sprintf("%s %07b %02d:%02d-%02d:%02d", h.From, h.Weekdays,
			h.Hours.Start/60, h.Hours.Start%60, h.Hours.End/60, h.Hours.End%60)
	}
	return strings.Join(texts, ", ")
}

// RenewRegistrations sets the registration of these users, or with all of everybody who is not disabled, to end on a
// day. It returns how many changed; events name them all. ErrNotFound: one of the users does not exist.
func (s *Store) RenewRegistrations(ctx context.Context, by By, users []string, all bool, until calendar.Date) (renewed int, err error) {
	named := slices.Compact(slices.Sorted(slices.Values(users)))
	err = s.act(ctx, func(t *tx) error {
		users, renewed = named, 0
		if all {
			users, err = list(ctx, t, scanOne[string], `SELECT id FROM users WHERE NOT disabled ORDER BY id`)
			if err != nil {
				return err
			}
		}
		for some := range slices.Chunk(users, maxIn) {
			n, err := t.renew(some, until)
			if err != nil {
				return err
			}
			renewed += int(n)
		}
		if renewed == 0 {
			return errUnchanged
		}
		return t.recordAll(by.entry(audit.RegistrationsRenewed, "", audit.Details{"until": until.String(), "users": renewed, "all": all}), each("ids", users))
	})
	return renewed, err
}

// renew does it for at most maxIn users, and counts who changed.
func (t *tx) renew(users []string, until calendar.Date) (int64, error) {
	where, args := of("u.id", users)
	var known int
	if err := t.one(`SELECT COUNT(*) FROM users u`+where, args, &known); err != nil {
		return 0, err
	}
	if known < len(users) {
		return 0, ErrNotFound
	}
	where, args = of("u.id", users, until.String())
	return t.count(`INSERT INTO staff (user_id, employment, mail, registered_until, clerk)
		SELECT u.id, '', '', CAST($1 AS TEXT), FALSE FROM users u`+where+`
		ON CONFLICT (user_id) DO UPDATE SET registered_until = excluded.registered_until
		WHERE staff.registered_until <> excluded.registered_until`, args...)
}
