package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"jiseki/internal/calendar"
	"jiseki/internal/telework"
)

const (
	selectRequest = `SELECT r.id, r.kind, r.state, r.user_id, r.by_user_id, r.section_id, r.section_name, r.place, r.place_note, r.reason,
	r.reason_text, r.work, r.personal_data, r.take_out, r.take_out_device, r.after_fact, r.created_ms, r.submitted_ms, r.revision,
	COALESCE(r.replaces, '') FROM requests r`

	// selectBrief is selectRequest without what its user wrote.
	selectBrief = `SELECT r.id, r.kind, r.state, r.user_id, r.by_user_id, r.section_id, r.section_name, r.place, '', r.reason,
	'', '', r.personal_data, r.take_out, '', r.after_fact, r.created_ms, r.submitted_ms, r.revision,
	COALESCE(r.replaces, '') FROM requests r`
)

func scanRequest(row scanner, r *telework.Request) error {
	d := &r.Draft
	return row.Scan(&r.ID, &r.Kind, &r.State, &r.User, &r.By, &r.Section, &r.SectionName, &d.Place, &d.PlaceNote, &d.Reason,
		&d.ReasonText, &d.Work, &d.PersonalData, &d.TakeOut, &d.TakeOutDevice, &r.AfterFact, &r.CreatedMS, &r.SubmittedMS, &r.Revision,
		&r.Replaces)
}

// part is a row that belongs to a request.
type part[T any] struct {
	request string
	value   T
}

const (
	selectDay = `SELECT request_id, date, unit, from_minute, until_minute, leave_minutes FROM request_days`

	selectStep = `SELECT request_id, section_id, section_name, circulate, answer, COALESCE(by_user, ''), COALESCE(for_user, ''), at_ms,
		comment, seen_ms FROM request_steps`

	selectChange = `SELECT request_id, time_ms, by_user, state, step, COALESCE(for_user, ''), comment, revision FROM request_changes`

	// selectBriefChange is selectChange without comments.
	selectBriefChange = `SELECT request_id, time_ms, by_user, state, step, COALESCE(for_user, ''), '', revision FROM request_changes`
)

func scanDay(row scanner, p *part[telework.Day]) error {
	var date string
	d := &p.value
	if err := row.Scan(&p.request, &date, &d.Unit, &d.From, &d.Until, &d.Leave); err != nil {
		return err
	}
	var err error
	d.Date, err = calendar.ParseDate(date)
	return err
}

func scanStep(row scanner, p *part[telework.Step]) error {
	s := &p.value
	return row.Scan(&p.request, &s.Section, &s.SectionName, &s.Circulate, &s.Answer, &s.By, &s.For, &s.AtMS, &s.Comment, &s.SeenMS)
}

func scanChange(row scanner, p *part[telework.Change]) error {
	c := &p.value
	return row.Scan(&p.request, &c.AtMS, &c.By, &c.State, &c.Step, &c.For, &c.Comment, &c.Revision)
}

// of is the condition that a column is one of some ids, whose places come behind those of other arguments.
func of(column string, ids []string, others ...any) (where string, args []any) {
	places, args := make([]string, len(ids)), others
	for i, id := range ids {
		args = append(args, id)
		places[i] = "$" + strconv.Itoa(len(args))
	}
	return ` WHERE ` + column + ` IN (` + strings.Join(places, ",") + `)`, args
}

func idsOf(all []telework.Request) (ids []string, by map[string]*telework.Request) {
	by = make(map[string]*telework.Request, len(all))
	for i := range all {
		ids, by[all[i].ID] = append(ids, all[i].ID), &all[i]
	}
	return ids, by
}

// addDays reads the days of at most maxIn requests: all, or those from one date until another.
func addDays(ctx context.Context, q querier, all []telework.Request, dates ...any) error {
	if len(all) == 0 {
		return nil
	}
	ids, by := idsOf(all)
	where, args := of("request_id", ids, dates...)
	if len(dates) > 0 {
		where += ` AND date >= $1 AND date <= $2`
	}
	days, err := list(ctx, q, scanDay, selectDay+where+` ORDER BY request_id, date`, args...)
	for _, p := range days {
		by[p.request].Draft.Days = append(by[p.request].Draft.Days, p.value)
	}
	return err
}

// addParts reads days, steps and history, as a statement selects it, of at most maxIn requests: one query each.
func addParts(ctx context.Context, q querier, all []telework.Request, changes string) error {
	if len(all) == 0 {
		return nil
	}
	if err := addDays(ctx, q, all); err != nil {
		return err
	}
	ids, by := idsOf(all)
	where, args := of("request_id", ids)
	steps, err := list(ctx, q, scanStep, selectStep+where+` ORDER BY request_id, position`, args...)
	if err != nil {
		return err
	}
	for _, p := range steps {
		by[p.request].Steps = append(by[p.request].Steps, p.value)
	}
	history, err := list(ctx, q, scanChange, changes+where+` ORDER BY request_id, position`, args...)
	for _, p := range history {
		by[p.request].History = append(by[p.request].History, p.value)
	}
	return err
}

// maxIn bounds the ids of one query.
const maxIn = 500

func readRequest(ctx context.Context, q querier, id string) (telework.Request, error) {
	found, err := readRequests(ctx, q, id)
	if err == nil && len(found) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return telework.Request{}, err
	}
	return found[0], nil
}

// readRequests reads those of at most maxIn requests that are there.
func readRequests(ctx context.Context, q querier, ids ...string) ([]telework.Request, error) {
	where, args := of("r.id", ids)
	found, err := list(ctx, q, scanRequest, selectRequest+where, args...)
	if err != nil {
		return nil, err
	}
	return found, addParts(ctx, q, found, selectChange)
}

const (
	// listRoom is how much of requests a list holds, in bytes of what their users and approvers wrote, by weight: one
	// user submits a hundred a day, of 20 KB each.
	listRoom = 250 << 10
	// listStep is how many requests are read at a time.
	listStep = 25
)

// weight of a request in a list.
func weight(r *telework.Request) int {
	d := &r.Draft
	n := 500 + len(d.PlaceNote) + len(d.ReasonText) + len(d.Work) + len(d.TakeOutDevice) + 100*len(d.Days) + 100*len(r.History)
	for i := range r.Steps {
		n += 200 + len(r.Steps[i].Comment)
	}
	return n
}

// gather reads those requests of a list of ids that are kept, in the list's order, until listRoom is used up: more says
// that there are others. Comments of their history are left out.
func (s *Store) gather(ctx context.Context, ids []string, keep func(*telework.Request) bool) (found []telework.Request, more bool, err error) {
	room := listRoom
	for some := range slices.Chunk(ids, listStep) {
		where, args := of("r.id", some)
		read, err := list(ctx, s.read, scanRequest, selectRequest+where, args...)
		if err == nil {
			err = addParts(ctx, s.read, read, selectBriefChange)
		}
		if err != nil {
			return nil, false, err
		}
		_, by := idsOf(read)
		for _, id := range some {
			r := by[id]
			if r == nil || !keep(r) {
				continue
			}
			if room <= 0 {
				return found, true, nil
			}
			room -= weight(r)
			found = append(found, *r)
		}
	}
	return found, false, nil
}

func every(*telework.Request) bool { return true }

// Request reads a request. Who may see it, and how much, telework.Organisation.View says.
func (s *Store) Request(ctx context.Context, id string) (telework.Request, error) {
	return readRequest(ctx, s.read, id)
}

// RequestsOf lists a user's requests and orders, newest first. A page may be shorter than it was asked for.
func (s *Store) RequestsOf(ctx context.Context, user string, p Page) (found []telework.Request, next string, err error) {
	ms, id, err := parsePlace(p.After)
	if err != nil {
		return nil, "", err
	}
	ids, err := list(ctx, s.read, scanOne[string], `SELECT r.id FROM requests r WHERE r.user_id = $1 AND (r.created_ms, r.id) < ($2, $3)
		ORDER BY r.created_ms DESC, r.id DESC LIMIT $4`, user, ms, id, p.limit()+1)
	if err != nil {
		return nil, "", err
	}
	found, more, err := s.gather(ctx, ids[:min(len(ids), p.limit())], every)
	if n := len(found); n > 0 && (more || len(ids) > p.limit()) {
		next = place(found[n-1].CreatedMS, found[n-1].ID)
	}
	return found, next, err
}

// RequestsOn lists what a user asked for that waits, was approved or was returned and has a day on a date.
func (s *Store) RequestsOn(ctx context.Context, user string, date calendar.Date) ([]telework.Request, error) {
	brief, err := s.RequestsBetween(ctx, user, date, date)
	if err != nil {
		return nil, err
	}
	ids, _ := idsOf(brief)
	found, _, err := s.gather(ctx, ids, every)
	return found, err
}

// RequestsBetween lists what waits, was approved or was returned and has a day from one date until another, both
// included; of one user, or of all if user is empty. What was written, days before and after, steps and history are not
// read.
func (s *Store) RequestsBetween(ctx context.Context, user string, from, until calendar.Date) ([]telework.Request, error) {
	where := where{
		text: ` WHERE r.state IN (1, 2, 3) AND r.id IN (SELECT d.request_id FROM request_days d WHERE d.date >= $1 AND d.date <= $2)`,
		args: []any{from.String(), until.String()},
	}
	where.is("r.user_id", user)
	found, err := list(ctx, s.read, scanRequest, selectBrief+where.text+` ORDER BY r.created_ms, r.id`, where.args...)
	if err != nil {
		return nil, err
	}
	for some := range slices.Chunk(found, maxIn) {
		if err := addDays(ctx, s.read, some, from.String(), until.String()); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// Inbox lists what waits for a user's decision, oldest first; more says that others wait behind.
func (s *Store) Inbox(ctx context.Context, user string) (mine []telework.Request, more bool, err error) {
	return s.inbox(ctx, user, every)
}

// InboxCount counts what waits for a user's decision.
func (s *Store) InboxCount(ctx context.Context, user string) (n int, err error) {
	_, _, err = s.inbox(ctx, user, func(*telework.Request) bool {
		n++
		return false
	})
	return n, err
}

func (s *Store) inbox(ctx context.Context, user string, keep func(*telework.Request) bool) (mine []telework.Request, more bool, err error) {
	chart, err := s.Chart(ctx)
	if err != nil {
		return nil, false, err
	}
	ids, err := list(ctx, s.read, scanOne[string], `SELECT r.id FROM requests r WHERE r.state = 1 AND EXISTS
		(SELECT 1 FROM request_steps st JOIN section_heads h ON h.section_id = st.section_id
			WHERE st.request_id = r.id AND st.answer = 0 AND NOT st.circulate AND h.user_id = $1)
		ORDER BY r.submitted_ms, r.id`, user)
	if err != nil {
		return nil, false, err
	}
	return s.gather(ctx, ids, func(r *telework.Request) bool { return chart.View(r, user, false, s.Now()).Decides && keep(r) })
}

// DecidedBy lists what a user decided since a time, newest first, at most 100.
func (s *Store) DecidedBy(ctx context.Context, user string, since time.Time) ([]telework.Request, error) {
	ids, err := list(ctx, s.read, scanOne[string], `SELECT request_id FROM request_changes
		WHERE by_user = $1 AND step > 0 AND time_ms >= $2 GROUP BY request_id ORDER BY MAX(time_ms) DESC, request_id LIMIT 100`,
		user, since.UnixMilli())
	if err != nil {
		return nil, err
	}
	found, _, err := s.gather(ctx, ids, every)
	return found, err
}

// Reviews lists what deputies decided in a user's absence (後閲), and what is for the user to read (供覧), until it is
// confirmed, oldest first; more says that there are others behind.
func (s *Store) Reviews(ctx context.Context, user string) (mine []telework.Request, more bool, err error) {
	return s.reviews(ctx, user, every)
}

func (s *Store) reviews(ctx context.Context, user string, keep func(*telework.Request) bool) (mine []telework.Request, more bool, err error) {
	chart, err := s.Chart(ctx)
	if err != nil {
		return nil, false, err
	}
	ids, err := list(ctx, s.read, scanOne[string], `SELECT id FROM (
		SELECT r.id, r.submitted_ms FROM request_steps st JOIN requests r ON r.id = st.request_id WHERE st.for_user = $1 AND st.seen_ms = 0
		UNION
		SELECT r.id, r.submitted_ms FROM section_heads h JOIN request_steps st ON st.section_id = h.section_id
			JOIN requests r ON r.id = st.request_id WHERE h.user_id = $1 AND st.circulate AND st.seen_ms = 0 AND r.state = 2
		) x ORDER BY submitted_ms, id`, user)
	if err != nil {
		return nil, false, err
	}
	return s.gather(ctx, ids, func(r *telework.Request) bool { return len(r.Unread(&chart, user)) > 0 && keep(r) })
}

// Covers are a user's approved times, by request or order, that overlap a time, in order.
func (s *Store) Covers(ctx context.Context, user string, from, until time.Time) ([]telework.Cover, error) {
	return list(ctx, s.read, scanCover, `SELECT d.request_id, r.kind, d.from_ms, d.until_ms, r.place
		FROM request_days d JOIN requests r ON r.id = d.request_id
		WHERE r.user_id = $1 AND r.state = 2 AND d.from_ms < $3 AND d.until_ms > $2 AND d.date >= $4 AND d.date <= $5
		ORDER BY d.from_ms, d.request_id`, append([]any{user}, overlapping(from, until)...)...)
}

// overlapping are a time's ends in milliseconds, and the dates of the days that may overlap it: a day ends on the next at the latest.
func overlapping(from, until time.Time) []any {
	return []any{from.UnixMilli(), until.UnixMilli(), calendar.DateOf(from).Add(-2).String(), calendar.DateOf(until).String()}
}

func scanCover(row scanner, c *telework.Cover) error {
	var from, until int64
	err := row.Scan(&c.Request, &c.Kind, &from, &until, &c.Place)
	c.From, c.Until = time.UnixMilli(from).In(calendar.JST), time.UnixMilli(until).In(calendar.JST)
	return err
}

// taken reads the days that a user has asked for, but those of some requests.
func taken(ctx context.Context, q querier, user string, from, until calendar.Date, but ...string) ([]telework.Taken, error) {
	all, err := list(ctx, q, scanTaken, `SELECT r.id, r.kind, d.date, d.unit, d.from_minute, d.until_minute, d.leave_minutes
		FROM requests r JOIN request_days d ON d.request_id = r.id
		WHERE r.user_id = $1 AND r.state IN (1, 2) AND d.date >= $2 AND d.date <= $3 AND r.id <> $4 AND r.id <> $5
		ORDER BY d.date, r.id`, append([]any{user, from.String(), until.String()}, two(but)...)...)
	if err != nil {
		return nil, fmt.Errorf("days of other requests: %w", err)
	}
	return all, nil
}

// two fills up to two arguments.
func two(s []string) []any {
	s = append(s, "", "")
	return []any{s[0], s[1]}
}

func scanTaken(row scanner, t *telework.Taken) error {
	var date string
	d := &t.Day
	if err := row.Scan(&t.Request, &t.Kind, &date, &d.Unit, &d.From, &d.Until, &d.Leave); err != nil {
		return err
	}
	var err error
	d.Date, err = calendar.ParseDate(date)
	return err
}

// saveRequest keeps a request and the changes that its history has beyond the kept ones.
func (t *tx) saveRequest(r *telework.Request, kept int) error {
	if kept > 0 {
		if err := t.clear(r.ID); err != nil {
			return err
		}
	}
	d := &r.Draft
	t.put(`INSERT INTO requests (id, kind, state, user_id, by_user_id, section_id, section_name, place, place_note, reason, reason_text,
			work, personal_data, take_out, take_out_device, after_fact, created_ms, submitted_ms, revision, replaces)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
		ON CONFLICT (id) DO UPDATE SET state = excluded.state, by_user_id = excluded.by_user_id, section_id = excluded.section_id,
			section_name = excluded.section_name, place = excluded.place, place_note = excluded.place_note, reason = excluded.reason,
			reason_text = excluded.reason_text, work = excluded.work, personal_data = excluded.personal_data, take_out = excluded.take_out,
			take_out_device = excluded.take_out_device, after_fact = excluded.after_fact, submitted_ms = excluded.submitted_ms,
			revision = excluded.revision`,
		r.ID, int64(r.Kind), int64(r.State), r.User, r.By, r.Section, r.SectionName, int64(d.Place), d.PlaceNote, int64(d.Reason), d.ReasonText,
		d.Work, d.PersonalData, d.TakeOut, d.TakeOutDevice, r.AfterFact, r.CreatedMS, r.SubmittedMS, r.Revision, null(r.Replaces))
	for i := kept; i < len(r.History); i++ {
		c := &r.History[i]
		t.put(`INSERT INTO request_changes (request_id, position, time_ms, by_user, state, step, for_user, comment, revision)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			r.ID, i+1, c.AtMS, c.By, int64(c.State), c.Step, null(c.For), c.Comment, c.Revision)
	}
	t.putDays(r)
	t.putSteps(r)
	return nil
}

func (t *tx) putDays(r *telework.Request) {
	for _, d := range r.Draft.Days {
		from, until := d.Span()
		t.put(`INSERT INTO request_days (request_id, date, unit, from_minute, until_minute, leave_minutes, from_ms, until_ms)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			r.ID, d.Date.String(), int64(d.Unit), d.From, d.Until, d.Leave, from.UnixMilli(), until.UnixMilli())
	}
}

// clear deletes days and steps of at most maxIn requests, before they are put anew.
func (t *tx) clear(ids ...string) error {
	where, args := of("request_id", ids)
	if err := t.exec(`DELETE FROM request_days`+where, args...); err != nil {
		return err
	}
	return t.clearSteps(ids...)
}

func (t *tx) clearSteps(ids ...string) error {
	where, args := of("request_id", ids)
	return t.exec(`DELETE FROM request_steps`+where, args...)
}

func (t *tx) putSteps(r *telework.Request) {
	for i, s := range r.Steps {
		t.put(`INSERT INTO request_steps (request_id, position, section_id, section_name, circulate, answer, by_user, for_user, at_ms,
			comment, seen_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			r.ID, i+1, s.Section, s.SectionName, s.Circulate, int64(s.Answer), null(s.By), null(s.For), s.AtMS, s.Comment, s.SeenMS)
	}
}
