package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"jiseki/internal/access"
	"jiseki/internal/audit"
	"jiseki/internal/typed"
)

// Organisation is the town hall.
type Organisation struct {
	Name      string
	Settings  access.Settings
	Revision  int64 // grows with each change
	CreatedMS int64
}

// Section is a unit of the organisation, a node of its tree.
type Section struct {
	ID       string
	Parent   string // id of the section above, empty for the top
	Name     string
	Position int64    // order among its neighbours
	Head     string   // user id of the 所属長, may be empty
	Deputies []string // user ids in the order in which they stand in
}

// CreateOrganisation makes the one organisation of this database: ErrExists if there is one.
func (s *Store) CreateOrganisation(ctx context.Context, by By, name string, settings access.Settings) error {
	text, err := settingsText(name, &settings)
	if err != nil {
		return err
	}
	return s.act(ctx, func(t *tx) error {
		err := t.exec(`INSERT INTO organisation (id, name, settings, revision, created_ms) VALUES (1, $1, $2, 1, $3)`,
			name, text, t.now)
		if err != nil {
			return err
		}
		return t.record(by.entry(audit.OrganisationCreated, "", audit.Details{"name": audit.Cut(name, 200)}))
	})
}

// Organisation reads the organisation and its settings: ErrNotFound before CreateOrganisation.
func (s *Store) Organisation(ctx context.Context) (Organisation, error) {
	return get(ctx, s.read, scanOrganisation, selectOrganisation)
}

const selectOrganisation = `SELECT name, settings, revision, created_ms FROM organisation WHERE id = 1`

func scanOrganisation(row scanner, o *Organisation) error {
	var text string
	if err := row.Scan(&o.Name, &text, &o.Revision, &o.CreatedMS); err != nil {
		return err
	}
	var err error
	o.Settings, err = access.ParseSettings([]byte(text))
	return err
}

// UpdateSettings replaces name and settings, all but the policy, if revision is still the current one, else ErrStale.
// It returns the new revision. Events say each changed setting with its old and new value.
func (s *Store) UpdateSettings(ctx context.Context, by By, revision int64, name string, settings access.Settings) (int64, error) {
	return s.changeSettings(ctx, by, revision, audit.SettingsChanged, func(o *Organisation) {
		settings.Policy = o.Settings.Policy
		o.Name, o.Settings = name, settings
	})
}

func (s *Store) changeSettings(ctx context.Context, by By, revision int64, kind audit.Kind, change func(*Organisation)) (int64, error) {
	return revision + 1, s.act(ctx, func(t *tx) error {
		before, err := get(ctx, t, scanOrganisation, selectOrganisation)
		if err != nil {
			return err
		}
		if before.Revision != revision {
			return ErrStale
		}
		after := before
		change(&after)
		text, err := settingsText(after.Name, &after.Settings)
		if err != nil {
			return err
		}
		err = t.exec(`UPDATE organisation SET name = $1, settings = $2, revision = revision + 1 WHERE id = 1`, after.Name, text)
		if err != nil {
			return err
		}
		all, err := changesOf(before, after)
		if err != nil {
			return err
		}
		return t.recordAll(by.entry(kind, "", nil), all)
	})
}

// settingsText checks and writes settings as the column has them.
func settingsText(name string, settings *access.Settings) (string, error) {
	if err := checkText("name", name, 1, 200); err != nil {
		return "", err
	}
	if err := settings.Check(); err != nil {
		return "", fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	b, err := json.Marshal(settings)
	return string(b), err
}

// checkText refuses text with control characters or of a length, in characters, that is out of range.
func checkText(what, s string, low, high int) error {
	n := utf8.RuneCountInString(s)
	if n < low || n > high || !utf8.ValidString(s) || strings.ContainsFunc(s, typed.IsBad) {
		return fmt.Errorf("%w: %s", ErrInvalid, what)
	}
	return nil
}

// Sections reads the whole tree, by position.
func (s *Store) Sections(ctx context.Context) ([]Section, error) {
	return list(ctx, s.read, scanSection, selectSection+` ORDER BY s.position, s.id`)
}

const selectSection = `SELECT s.id, COALESCE(s.parent_id, ''), s.name, s.position,
	COALESCE((SELECT string_agg(CAST(h.position AS TEXT) || ':' || h.user_id, ',' ORDER BY h.position)
		FROM section_heads h WHERE h.section_id = s.id), '')
	FROM sections s`

func scanSection(row scanner, s *Section) error {
	var heads string
	if err := row.Scan(&s.ID, &s.Parent, &s.Name, &s.Position, &heads); err != nil {
		return err
	}
	for _, h := range split(heads) {
		position, user, _ := strings.Cut(h, ":")
		if position == "0" {
			s.Head = user
		} else {
			s.Deputies = append(s.Deputies, user)
		}
	}
	return nil
}

func split(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

// PutSection creates the section or replaces it. It refuses a parent that does not exist (ErrInUse) or that lies below
// the section itself (ErrInvalid).
func (s *Store) PutSection(ctx context.Context, by By, sec Section) error {
	if err := checkID("section id", sec.ID); err != nil {
		return err
	}
	if err := checkText("name", sec.Name, 1, 100); err != nil {
		return err
	}
	return s.act(ctx, func(t *tx) error {
		if err := t.checkAbove(sec.ID, sec.Parent); err != nil {
			return err
		}
		err := t.exec(`INSERT INTO sections (id, parent_id, name, position) VALUES ($1, $2, $3, $4)
			ON CONFLICT (id) DO UPDATE SET parent_id = excluded.parent_id, name = excluded.name, position = excluded.position`,
			sec.ID, null(sec.Parent), sec.Name, sec.Position)
		if err != nil {
			return err
		}
		if err := t.putHeads(&sec); err != nil {
			return err
		}
		return t.record(by.entry(audit.SectionChanged, "section:"+sec.ID, audit.Details{
			"name": audit.Cut(sec.Name, 200), "parent": sec.Parent, "head": sec.Head, "deputies": sec.Deputies,
		}))
	})
}

func (t *tx) putHeads(sec *Section) error {
	if err := t.exec(`DELETE FROM section_heads WHERE section_id = $1`, sec.ID); err != nil {
		return err
	}
	for i, user := range append([]string{sec.Head}, sec.Deputies...) {
		if user == "" {
			continue
		}
		t.put(`INSERT INTO section_heads (section_id, position, user_id) VALUES ($1, $2, $3)`, sec.ID, i, user)
	}
	return nil
}

// checkAbove walks up from parent and refuses to meet id.
func (t *tx) checkAbove(id, parent string) error {
	for steps := 0; parent != ""; steps++ {
		if parent == id || steps > 50 {
			return fmt.Errorf("%w: a section cannot lie below itself", ErrInvalid)
		}
		err := t.one(`SELECT COALESCE(parent_id, '') FROM sections WHERE id = $1`, []any{parent}, &parent)
		if err != nil {
			return err
		}
	}
	return nil
}

// DeleteSection deletes an empty section: ErrInUse while users, desks or sections belong to it.
func (s *Store) DeleteSection(ctx context.Context, by By, id string) error {
	return s.act(ctx, func(t *tx) error {
		if err := t.exec(`DELETE FROM section_heads WHERE section_id = $1`, id); err != nil {
			return err
		}
		if err := t.exec(`DELETE FROM section_routes WHERE section_id = $1`, id); err != nil {
			return err
		}
		if err := t.must(`DELETE FROM sections WHERE id = $1`, id); err != nil {
			return err
		}
		return t.record(by.entry(audit.SectionDeleted, "section:"+id, nil))
	})
}

// checkID refuses ids that are not 1 to 64 characters of a-z, 0-9, dot, hyphen and underscore: they appear in
// certificates, addresses and on paper.
func checkID(what, id string) error {
	if len(id) < 1 || len(id) > 64 || strings.ContainsFunc(id, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '.' && r != '-' && r != '_'
	}) {
		return fmt.Errorf("%w: %s: 1 to 64 of a-z 0-9 . - _", ErrInvalid, what)
	}
	return nil
}
