package access

import "slices"

// Seats are the sessions of others that are open or about to open, counted by place.
type Seats struct {
	Running  int // from outside the hall
	Office   int // from the hall
	Withheld int // seats reserved for sections that the user does not belong to, and not taken by them
}

// Seat is one session that is open or about to open.
type Seat struct {
	Desk     string
	Place    Place
	Sections []string // of its user: the main section, then those above it
}

// CountSeats counts for a user of these sections, who is about to open a desk: the session that runs there now would be
// replaced. Seats are those of desks: a session that is about to replace another on the same desk takes none of its
// own, unless one is from the hall and one is not. A session from outside takes a seat of the nearest section above its
// user that has reserved ones.
func CountSeats(taken []Seat, desk string, sections []string, reserved []ReservedSeats) Seats {
	type place struct {
		desk   string
		office bool
	}
	var seats Seats
	counted := make(map[place]bool, len(taken))
	used := make(map[string]int, len(reserved))
	for _, s := range taken {
		at := place{s.Desk, s.Place == Office}
		if counted[at] {
			continue
		}
		counted[at] = true
		switch {
		case s.Desk == desk:
		case s.Place == Office:
			seats.Office++
		default:
			seats.Running++
			used[reserving(s.Sections, reserved)]++
		}
	}
	mine := reserving(sections, reserved)
	for _, r := range reserved {
		if r.Section != mine {
			seats.Withheld += max(0, r.Seats-used[r.Section])
		}
	}
	return seats
}

// reserving is the nearest of the sections that has reserved seats, empty if none has.
func reserving(sections []string, reserved []ReservedSeats) string {
	for _, s := range sections {
		if slices.ContainsFunc(reserved, func(r ReservedSeats) bool { return r.Section == s }) {
			return s
		}
	}
	return ""
}

// SeatFor says why there is no seat at a place; empty: there is one.
func (s *Settings) SeatFor(p Place, seats Seats) Code {
	switch {
	case p == Office && seats.Office >= s.Policy.MaxOfficeSessions:
		return OfficeFull
	case p == Office:
		return ""
	case seats.Running >= s.MaxSessions:
		return Full
	case seats.Running+seats.Withheld >= s.MaxSessions:
		return SeatsReserved
	}
	return ""
}
