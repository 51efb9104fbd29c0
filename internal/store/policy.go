package store

import (
	"context"
	"fmt"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/audit"
	"jiseki/internal/calendar"
	"jiseki/internal/grant"
	"jiseki/internal/telework"
)

// Calendar reads on which days the hall is open.
func (s *Store) Calendar(ctx context.Context) (calendar.Days, error) {
	return readCalendar(ctx, s.read)
}

func readCalendar(ctx context.Context, q querier) (calendar.Days, error) {
	return readDays(ctx, q, calendar.Date{}, calendar.Date{Year: 9999, Month: 12, Day: 31})
}

// readDays reads the part of the calendar from one day to another.
func readDays(ctx context.Context, q querier, from, until calendar.Date) (calendar.Days, error) {
	holidays, err := list(ctx, q, scanHoliday, `SELECT date, name, open FROM holidays WHERE date >= $1 AND date <= $2 ORDER BY date`,
		from.String(), until.String())
	if err != nil {
		return calendar.Days{}, err
	}
	days := calendar.Days{Closed: map[calendar.Date]string{}, Opened: map[calendar.Date]string{}}
	for _, h := range holidays {
		if h.Open {
			days.Opened[h.Date] = h.Name
		} else {
			days.Closed[h.Date] = h.Name
		}
	}
	return days, nil
}

// Holiday is a day that differs from its weekday.
type Holiday struct {
	Date calendar.Date
	Name string
	Open bool // against weekends and holidays the hall is open
}

func scanHoliday(row scanner, h *Holiday) error {
	var date string
	if err := row.Scan(&date, &h.Name, &h.Open); err != nil {
		return err
	}
	var err error
	h.Date, err = calendar.ParseDate(date)
	return err
}

// Timetable reads all that says when a user works.
func (s *Store) Timetable(ctx context.Context, user string) (calendar.Timetable, error) {
	o, err := s.Organisation(ctx)
	if err != nil {
		return calendar.Timetable{}, err
	}
	days, err := s.Calendar(ctx)
	if err != nil {
		return calendar.Timetable{}, err
	}
	own, err := hoursOf(ctx, s.read, user)
	return calendar.Timetable{Days: days, Usual: o.Settings.Policy.Hours, Own: own}, err
}

func hoursOf(ctx context.Context, q querier, user string) ([]calendar.Dated, error) {
	of, err := readHours(ctx, q, user)
	return of[user], err
}

// readHours reads the hours of their own of at most maxIn users.
func readHours(ctx context.Context, q querier, users ...string) (map[string][]calendar.Dated, error) {
	type row struct {
		user string
		calendar.Dated
	}
	where, args := of("user_id", users)
	all, err := list(ctx, q, func(r scanner, h *row) (err error) {
		var from string
		if err := r.Scan(&h.user, &from, &h.Weekdays, &h.Hours.Start, &h.Hours.End, &h.Hours.BreakStart, &h.Hours.BreakEnd, &h.Note); err != nil {
			return err
		}
		h.From, err = calendar.ParseDate(from)
		return err
	}, `SELECT user_id, from_date, weekdays, start_minute, end_minute, break_start, break_end, note FROM staff_hours`+where+`
		ORDER BY user_id, from_date, weekdays`, args...)
	hours := make(map[string][]calendar.Dated, len(users))
	for _, h := range all {
		hours[h.user] = append(hours[h.user], h.Dated)
	}
	return hours, err
}

// Standing is what policy looks at of a user.
type Standing struct {
	Sections        []string // the main section, then those above it
	Employment      string
	RegisteredUntil calendar.Date // the last day; none: not registered
	Clerk           bool
}

// Subject is the standing for desks of a zone; 0: for no desk.
func (s *Standing) Subject(zone grant.Zone) access.Subject {
	return access.Subject{Sections: s.Sections, Employment: s.Employment, Zone: zone}
}

// Standing reads what policy looks at of a user: ErrNotFound if there is no such user.
func (s *Store) Standing(ctx context.Context, user string) (Standing, error) {
	return readStanding(ctx, s.read, user)
}

func readStanding(ctx context.Context, q querier, user string) (Standing, error) {
	return get(ctx, q, scanStanding, `WITH RECURSIVE above (id, parent_id, depth) AS (
			SELECT s.id, s.parent_id, 0 FROM posts p JOIN sections s ON s.id = p.section_id WHERE p.user_id = $1 AND p.main
			UNION ALL SELECT s.id, s.parent_id, a.depth + 1 FROM above a JOIN sections s ON s.id = a.parent_id WHERE a.depth < 50)
		SELECT COALESCE((SELECT string_agg(a.id, ',' ORDER BY a.depth) FROM above a), ''), COALESCE(f.employment, ''),
			COALESCE(f.registered_until, ''), COALESCE(f.clerk, FALSE)
		FROM users u LEFT JOIN staff f ON f.user_id = u.id WHERE u.id = $1`, user)
}

func scanStanding(row scanner, s *Standing) error {
	var sections, until string
	if err := row.Scan(&sections, &s.Employment, &until, &s.Clerk); err != nil {
		return err
	}
	s.Sections = split(sections)
	if until == "" {
		return nil
	}
	var err error
	s.RegisteredUntil, err = calendar.ParseDate(until)
	return err
}

// Circumstances are all that a decision looks at of a user at a time, apart from sign-in, device and desk.
type Circumstances struct {
	Standing
	Hours   [2]calendar.Hours // of that day and the next
	Covers  []telework.Cover  // that overlap the 24 hours from then on
	OnBreak bool              // the workday is in a break, an interruption or leave
}

// Circumstances reads them. usual are the organisation's hours. The workday is the one of now, whatever at is.
func (s *Store) Circumstances(ctx context.Context, user string, usual calendar.Hours, at time.Time) (Circumstances, error) {
	var c Circumstances
	var err error
	if c.Standing, err = s.Standing(ctx, user); err != nil {
		return c, err
	}
	today := calendar.DateOf(at)
	if c.Hours, err = s.twoDays(ctx, user, usual, today); err != nil {
		return c, fmt.Errorf("hours: %w", err)
	}
	if c.Covers, err = s.Covers(ctx, user, at, at.Add(24*time.Hour)); err != nil {
		return c, fmt.Errorf("covers: %w", err)
	}
	segment, lasts, err := s.OpenSegment(ctx, user)
	if err != nil {
		return c, fmt.Errorf("workday: %w", err)
	}
	c.OnBreak = lasts && segment.Kind.Away()
	return c, nil
}

// twoDays are the user's hours on a day and the next, without reading the whole calendar.
func (s *Store) twoDays(ctx context.Context, user string, usual calendar.Hours, d calendar.Date) (hours [2]calendar.Hours, err error) {
	t := calendar.Timetable{Usual: usual}
	if t.Own, err = hoursOf(ctx, s.read, user); err != nil {
		return hours, err
	}
	t.Days, err = readDays(ctx, s.read, d, d.Add(1))
	for i := range hours {
		hours[i] = t.On(d.Add(i))
	}
	return hours, err
}

// Seats are the sessions that are open or about to open.
func (s *Store) Seats(ctx context.Context, settings *access.Settings) ([]access.Seat, error) {
	return readSeats(ctx, s.read, settings, s.Now().UnixMilli())
}

// readSeats reads the sections of the users only where some have reserved seats.
func readSeats(ctx context.Context, q querier, settings *access.Settings, now int64) ([]access.Seat, error) {
	at := time.UnixMilli(now)
	seats, err := list(ctx, q, scanSeat, `SELECT s.desk_id, s.place, COALESCE(p.section_id, '') FROM sessions s
		LEFT JOIN posts p ON p.user_id = s.user_id AND p.main WHERE s.life < 4
		AND (s.life = 3 OR (s.life = 2 AND s.granted_ms > $1 AND s.granted_ms <= $2))`, now-offerLife, latest(at))
	if err != nil || len(settings.Policy.ReservedSeats) == 0 {
		return seats, err
	}
	parents, err := readParents(ctx, q)
	for i := range seats {
		if len(seats[i].Sections) > 0 {
			seats[i].Sections = parents.path(seats[i].Sections[0])
		}
	}
	return seats, err
}

func scanSeat(row scanner, s *access.Seat) error {
	var section string
	err := row.Scan(&s.Desk, &s.Place, &section)
	if section != "" {
		s.Sections = []string{section}
	}
	return err
}

// parents is the section above each section.
type parents map[string]string

func readParents(ctx context.Context, q querier) (parents, error) {
	all, err := list(ctx, q, func(row scanner, p *[2]string) error { return row.Scan(&p[0], &p[1]) },
		`SELECT id, COALESCE(parent_id, '') FROM sections`)
	above := make(parents, len(all))
	for _, p := range all {
		above[p[0]] = p[1]
	}
	return above, err
}

// path is a section and those above it. The tree has no circles; if it had, the path would end.
func (p parents) path(section string) []string {
	var all []string
	for section != "" && len(all) < 50 {
		all = append(all, section)
		section = p[section]
	}
	return all
}

// NoSeat means that no session may begin now; Code says why.
type NoSeat struct{ Code access.Code }

func (e *NoSeat) Error() string { return "store: no seat: " + string(e.Code) }

// takeSeat refuses when there is no seat for a session, under the lock that everybody takes who begins one.
func (t *tx) takeSeat(x *Session) error {
	o, err := get(t.ctx, t, scanOrganisation, selectOrganisation)
	if err != nil {
		return err
	}
	taken, err := readSeats(t.ctx, t, &o.Settings, t.now)
	if err != nil {
		return err
	}
	standing, err := readStanding(t.ctx, t, x.User)
	if err != nil {
		return err
	}
	seats := access.CountSeats(taken, x.Desk, standing.Sections, o.Settings.Policy.ReservedSeats)
	if code := o.Settings.SeatFor(x.Place, seats); code != "" {
		return &NoSeat{code}
	}
	return nil
}

// UpdatePolicy replaces the policy if revision is still the settings' current one, else ErrStale. It returns the new
// revision. Sections that rules and seats name must exist (ErrInvalid). Events say each changed part.
func (s *Store) UpdatePolicy(ctx context.Context, by By, revision int64, p access.PolicySettings) (int64, error) {
	above, err := readParents(ctx, s.read)
	if err != nil {
		return 0, err
	}
	named := make([]string, 0, len(p.Rules)+len(p.ReservedSeats))
	for i := range p.Rules {
		named = append(named, p.Rules[i].Section)
	}
	for _, r := range p.ReservedSeats {
		named = append(named, r.Section)
	}
	for _, section := range named {
		if _, ok := above[section]; !ok && section != "" {
			return 0, fmt.Errorf("%w: section %s", ErrInvalid, audit.Cut(section, 64))
		}
	}
	return s.changeSettings(ctx, by, revision, audit.PolicyChanged, func(o *Organisation) { o.Settings.Policy = p })
}

// Holidays lists the days from one to another, both included, that differ from their weekday.
func (s *Store) Holidays(ctx context.Context, from, until calendar.Date) ([]Holiday, error) {
	return list(ctx, s.read, scanHoliday, `SELECT date, name, open FROM holidays WHERE date >= $1 AND date <= $2 ORDER BY date`,
		from.String(), until.String())
}

// PutHolidays keeps days, each in place of what was said of its date: all or none. ErrInvalid: one of them is there
// twice.
func (s *Store) PutHolidays(ctx context.Context, by By, days []Holiday) error {
	seen := make(map[calendar.Date]bool, len(days))
	for _, h := range days {
		if err := checkText("name of "+h.Date.String(), h.Name, 1, 60); err != nil {
			return err
		}
		if h.Date.IsZero() || seen[h.Date] {
			return fmt.Errorf("%w: date", ErrInvalid)
		}
		seen[h.Date] = true
	}
	return s.act(ctx, func(t *tx) error {
		if len(days) == 0 {
			return errUnchanged
		}
		for _, h := range days {
			t.put(`INSERT INTO holidays (date, name, open) VALUES ($1, $2, $3)
				ON CONFLICT (date) DO UPDATE SET name = excluded.name, open = excluded.open`, h.Date.String(), h.Name, h.Open)
		}
		d := audit.Details{"days": len(days), "from": days[0].Date.String(), "until": days[len(days)-1].Date.String()}
		if len(days) == 1 {
			d = audit.Details{"date": days[0].Date.String(), "name": audit.Cut(days[0].Name, 200), "open": days[0].Open}
		}
		return t.record(by.entry(audit.HolidaysChanged, "", d))
	})
}

// DeleteHoliday makes a day like its weekday again: ErrNotFound if it was.
func (s *Store) DeleteHoliday(ctx context.Context, by By, d calendar.Date) error {
	return s.act(ctx, func(t *tx) error {
		if err := t.must(`DELETE FROM holidays WHERE date = $1`, d.String()); err != nil {
			return err
		}
		return t.record(by.entry(audit.HolidaysChanged, "", audit.Details{"date": d.String(), "deleted": true}))
	})
}
