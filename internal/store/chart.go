package store

import (
	"context"
	"errors"
	"fmt"

	"jiseki/internal/audit"
	"jiseki/internal/calendar"
	"jiseki/internal/mail"
	"jiseki/internal/telework"
)

// Chart is the organisation as it is today: who heads what, who is absent, whose post is where.
func (s *Store) Chart(ctx context.Context) (telework.Organisation, error) {
	return readChart(ctx, s.read, calendar.DateOf(s.Now()))
}

// Heads says which sections a user heads or stands in for now, or is clerk of, and through that over whom the user is
// superior.
func (s *Store) Heads(ctx context.Context, user string) (telework.Authority, error) {
	chart, err := s.Chart(ctx)
	return chart.Authority(user), err
}

func readChart(ctx context.Context, q querier, day calendar.Date) (telework.Organisation, error) {
	o := telework.Organisation{
		Sections: map[string]telework.Section{}, Absent: map[string]bool{}, Disabled: map[string]bool{}, Names: map[string]string{},
		Main: map[string]string{}, Others: map[string][]string{}, Clerks: map[string]bool{},
	}
	sections, err := list(ctx, q, scanSection, selectSection+` ORDER BY s.position, s.id`)
	if err != nil {
		return o, err
	}
	routes, err := readRoutes(ctx, q)
	if err != nil {
		return o, err
	}
	for i := range sections {
		s := &sections[i]
		o.Sections[s.ID] = telework.Section{ID: s.ID, Parent: s.Parent, Name: s.Name, Head: s.Head, Deputies: s.Deputies, Route: routes[s.ID]}
	}
	absent, err := list(ctx, q, scanOne[string], `SELECT DISTINCT user_id FROM absences WHERE from_date <= $1 AND until_date >= $1`, day.String())
	if err != nil {
		return o, err
	}
	for _, user := range absent {
		o.Absent[user] = true
	}
	return o, addUsers(ctx, q, &o)
}

// addUsers reads of every user what authority follows from.
func addUsers(ctx context.Context, q querier, o *telework.Organisation) error {
	type user struct {
		id, name, main, others string
		disabled, clerk        bool
	}
	users, err := list(ctx, q, func(row scanner, u *user) error {
		return row.Scan(&u.id, &u.name, &u.disabled, &u.main, &u.others, &u.clerk)
	}, `SELECT u.id, u.name, u.disabled, COALESCE(m.section_id, ''), COALESCE(p.others, ''), COALESCE(f.clerk, FALSE)
		FROM users u LEFT JOIN posts m ON m.user_id = u.id AND m.main LEFT JOIN staff f ON f.user_id = u.id
		LEFT JOIN (SELECT user_id, string_agg(section_id, ',' ORDER BY section_id) AS others FROM posts WHERE NOT main GROUP BY user_id) p
			ON p.user_id = u.id`)
	for i := range users {
		u := &users[i]
		o.Names[u.id] = u.name
		if u.main != "" {
			o.Main[u.id] = u.main
		}
		if u.others != "" {
			o.Others[u.id] = split(u.others)
		}
		if u.disabled {
			o.Disabled[u.id] = true
		}
		if u.clerk {
			o.Clerks[u.id] = true
		}
	}
	return err
}

// Routes reads the routes of the sections that have one.
func (s *Store) Routes(ctx context.Context) (map[string][]telework.RouteStep, error) {
	return readRoutes(ctx, s.read)
}

func readRoutes(ctx context.Context, q querier) (map[string][]telework.RouteStep, error) {
	type row struct {
		section string
		step    telework.RouteStep
	}
	rows, err := list(ctx, q, func(r scanner, x *row) error { return r.Scan(&x.section, &x.step.Section, &x.step.Circulate) },
		`SELECT section_id, step_section_id, circulate FROM section_routes ORDER BY section_id, position`)
	routes := map[string][]telework.RouteStep{}
	for _, r := range rows {
		routes[r.section] = append(routes[r.section], r.step)
	}
	return routes, err
}

// PutRoute sets the route of a section; without steps it has that of the section above again. What was submitted before
// keeps the route that it took.
func (s *Store) PutRoute(ctx context.Context, by By, section string, steps []telework.RouteStep) error {
	if !telework.CheckRoute(steps) {
		return fmt.Errorf("%w: a route is one to three sections that decide, then sections that read", ErrInvalid)
	}
	return s.act(ctx, func(t *tx) error {
		var found string
		if err := t.one(`SELECT id FROM sections WHERE id = $1`, []any{section}, &found); err != nil {
			return err
		}
		if err := t.exec(`DELETE FROM section_routes WHERE section_id = $1`, section); err != nil {
			return err
		}
		var names []string
		for i, step := range steps {
			t.put(`INSERT INTO section_routes (section_id, position, step_section_id, circulate) VALUES ($1, $2, $3, $4)`,
				section, i, step.Section, step.Circulate)
			name := step.Section
			if step.Circulate {
				name += " (reads)"
			}
			names = append(names, name)
		}
		return t.record(by.entry(audit.RouteChanged, "section:"+section, audit.Details{"steps": names}))
	})
}

// Absence is a time, both days included, in which a head or deputy is away.
type Absence struct {
	ID          string
	User        string
	From, Until calendar.Date
	Note        string
}

// maxAbsence is the longest absence in days.
const maxAbsence = 2 * 366

// maxAbsences is how many of a user may last or lie ahead: everybody's calls read them.
const maxAbsences = 24

// maxAbsenceActs is how often somebody may enter, change or delete absences in a day: each moves the head of the audit
// log, and the absent are told of each.
const maxAbsenceActs = 100

// ErrNotAllowed means that whoever acts may not do that.
var ErrNotAllowed = errors.New("store: not allowed")

const selectAbsence = `SELECT id, user_id, from_date, until_date, note FROM absences`

func scanAbsence(row scanner, a *Absence) error {
	var from, until string
	if err := row.Scan(&a.ID, &a.User, &from, &until, &a.Note); err != nil {
		return err
	}
	var err error
	if a.From, err = calendar.ParseDate(from); err == nil {
		a.Until, err = calendar.ParseDate(until)
	}
	return err
}

// Absences lists those that end today or later, for a user: the user's own and of whoever is head or deputy of the same
// section.
func (s *Store) Absences(ctx context.Context, user string) ([]Absence, error) {
	chart, err := s.Chart(ctx)
	if err != nil {
		return nil, err
	}
	all, err := list(ctx, s.read, scanAbsence, selectAbsence+` WHERE until_date >= $1 ORDER BY from_date, user_id, id`,
		calendar.DateOf(s.Now()).String())
	var seen []Absence
	for i := range all {
		if chart.MayEnterAbsence(user, all[i].User) {
			seen = append(seen, all[i])
		}
	}
	return seen, err
}

// PutAbsence enters an absence, or changes it if it has an id: its user stays, and may be left out then. The absent is
// told if somebody else did. It is for the absent, for head and deputies of the same section, and for administrators:
// ErrNotAllowed else.
func (s *Store) PutAbsence(ctx context.Context, by By, admin bool, a Absence) (Absence, error) {
	if err := checkText("note", a.Note, 0, 200); err != nil {
		return a, err
	}
	if a.From.IsZero() || a.Until.Before(a.From) || a.From.Add(maxAbsence).Before(a.Until) {
		return a, fmt.Errorf("%w: days of an absence", ErrInvalid)
	}
	if a.ID != "" {
		return s.changeAbsence(ctx, by, admin, a)
	}
	a.ID = newID()
	err := s.act(ctx, func(t *tx) error {
		if err := t.keepAbsence(by, &a); err != nil {
			return err
		}
		if _, err := t.mayAbsence(by, admin, a.ID); err != nil {
			return err
		}
		if err := t.tellAbsence(by, "absence_entered", &a, nil); err != nil {
			return err
		}
		return t.record(by.entry(audit.AbsenceEntered, "user:"+a.User, absenceDetails(&a)))
	})
	return a, err
}

func (s *Store) changeAbsence(ctx context.Context, by By, admin bool, a Absence) (Absence, error) {
	err := s.act(ctx, func(t *tx) error {
		old, err := t.mayAbsence(by, admin, a.ID)
		if err != nil {
			return err
		}
		if a.User == "" {
			a.User = old.User
		}
		if a.User != old.User {
			return fmt.Errorf("%w: the user of an absence", ErrInvalid)
		}
		if err := t.must(`DELETE FROM absences WHERE id = $1`, a.ID); err != nil {
			return err
		}
		if err := t.keepAbsence(by, &a); err != nil {
			return err
		}
		if err := t.tellAbsence(by, "absence_changed", &a, &old); err != nil {
			return err
		}
		details := absenceDetails(&a)
		details["changed"], details["former_from"], details["former_until"] = true, old.From.String(), old.Until.String()
		return t.record(by.entry(audit.AbsenceEntered, "user:"+a.User, details))
	})
	return a, err
}

func absenceDetails(a *Absence) audit.Details {
	return audit.Details{"absence": a.ID, "from": a.From.String(), "until": a.Until.String()}
}

// keepAbsence inserts an absence, and refuses one more than anybody means (too_many_at_once).
func (t *tx) keepAbsence(by By, a *Absence) error {
	if err := t.countAbsenceAct(by); err != nil {
		return err
	}
	err := t.exec(`INSERT INTO absences (id, user_id, from_date, until_date, note, entered_by, entered_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		a.ID, a.User, a.From.String(), a.Until.String(), a.Note, by.Actor, t.now)
	if err != nil {
		return err
	}
	var n int
	err = t.one(`SELECT COUNT(*) FROM absences WHERE user_id = $1 AND until_date >= $2`, []any{a.User, t.today().String()}, &n)
	if err == nil && n > maxAbsences {
		err = tooMany()
	}
	return err
}

// countAbsenceAct refuses more acts in a day than anybody means (too_many_at_once).
func (t *tx) countAbsenceAct(by By) error {
	var acts int
	err := t.one(`INSERT INTO absence_acts (actor, day, acts) VALUES ($1, $2, 1) ON CONFLICT (actor) DO UPDATE SET
		acts = CASE WHEN absence_acts.day = excluded.day THEN absence_acts.acts + 1 ELSE 1 END, day = excluded.day RETURNING acts`,
		[]any{by.Actor, t.today().String()}, &acts)
	if err == nil && acts > maxAbsenceActs {
		err = tooMany()
	}
	return err
}

// mayAbsence reads a kept absence for who may enter, change or delete it.
func (t *tx) mayAbsence(by By, admin bool, id string) (Absence, error) {
	kept, err := get(t.ctx, t, scanAbsence, selectAbsence+` WHERE id = $1`, id)
	if err != nil {
		return kept, err
	}
	chart, err := readChart(t.ctx, t, t.today())
	if err == nil && !admin && !chart.MayEnterAbsence(by.user(), kept.User) {
		err = ErrNotAllowed
	}
	return kept, err
}

// tellAbsence tells the absent what somebody else did, and of a change what was before.
func (t *tx) tellAbsence(by By, kind string, a, former *Absence) error {
	if by.user() == a.User {
		return nil
	}
	n := mail.Notice{User: a.User, Kind: kind, Path: "/absences", Args: map[string]string{
		"date": a.From.String(), "until": a.Until.String(),
	}}
	if former != nil {
		n.Args["was"], n.Args["was_until"] = former.From.String(), former.Until.String()
	}
	var name string
	if err := t.one(`SELECT name FROM users WHERE id = $1`, []any{a.User}, &name); err != nil {
		return err
	}
	n.Args["name"] = name
	return t.notify(n)
}

// DeleteAbsence takes an absence back: the head decides again at once. It is for whoever may enter it; the absent is told
// if somebody else did.
func (s *Store) DeleteAbsence(ctx context.Context, by By, admin bool, id string) error {
	return s.act(ctx, func(t *tx) error {
		old, err := t.mayAbsence(by, admin, id)
		if err != nil {
			return err
		}
		if err := t.countAbsenceAct(by); err != nil {
			return err
		}
		if err := t.must(`DELETE FROM absences WHERE id = $1`, id); err != nil {
			return err
		}
		if err := t.tellAbsence(by, "absence_deleted", &old, nil); err != nil {
			return err
		}
		return t.record(by.entry(audit.AbsenceDeleted, "user:"+old.User, absenceDetails(&old)))
	})
}
