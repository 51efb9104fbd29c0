package session

import (
	"context"
	"fmt"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/grant"
	"jiseki/internal/store"
)

// A Question is a decision that an administrator asks about.
type Question struct {
	User, Desk string
	Device     string // empty: without a device
	Place      access.Place
	At         time.Time
	Viewer     grant.ViewerKind // 0: any that policy allows
	Second     bool             // as if a one-time password had been given
}

// An Answer is the decision with everything that led to it.
type Answer struct {
	Decision    access.Decision
	Checks      []access.Check // every rule in order
	Values      []access.Value // policy in force, with sources
	Employments []access.Employment
}

// Why decides as for a sign-in that lasts as long as it may. Hours, holidays and approvals are those of the time asked
// about; device, desk, seats and the workday are as they are now. Nothing is recorded: nothing is granted.
// store.ErrNotFound: there is no such user, desk or device.
func (m *Manager) Why(ctx context.Context, q Question) (Answer, error) {
	c := Caller{SignIn: store.SignIn{User: q.User, Device: q.Device, Second: q.Second}, Place: q.Place}
	s, err := m.callerAt(ctx, c, q.Viewer, q.At)
	if err != nil {
		return Answer{}, err
	}
	desk, err := m.cfg.Store.Desk(ctx, q.Desk)
	if err != nil {
		return Answer{}, fmt.Errorf("read desk: %w", err)
	}
	taken, err := m.cfg.Store.Seats(ctx, &s.organisation.Settings)
	if err != nil {
		return Answer{}, fmt.Errorf("count sessions: %w", err)
	}
	s.at(desk, taken, m.cfg.Now())
	s.input.SignInUntil = q.At.Add(s.organisation.Settings.SignInMax)
	settings := &s.organisation.Settings
	return Answer{
		Decision: access.Decide(s.input), Checks: access.Why(s.input), Values: settings.Values(s.circumstances.Subject(desk.Zone)),
		Employments: settings.Policy.Employments,
	}, nil
}
