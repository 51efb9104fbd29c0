package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/auth"
	"jiseki/internal/grant"
	"jiseki/internal/store"
	"jiseki/internal/telework"
)

// anyViewer stands for the viewer before it is known: whichever policy allows.
const anyViewer grant.ViewerKind = 0

// situation reads all that a decision about one desk depends on.
func (m *Manager) situation(ctx context.Context, c Caller, desk string, viewer grant.ViewerKind) (*situation, error) {
	s, err := m.caller(ctx, c, viewer)
	if err != nil {
		return nil, err
	}
	d, err := m.cfg.Store.Desk(ctx, desk)
	if errors.Is(err, store.ErrNotFound) {
		return nil, refuse(access.DeskNotYours)
	}
	if err != nil {
		return nil, fmt.Errorf("read desk: %w", err)
	}
	taken, err := m.cfg.Store.Seats(ctx, &s.organisation.Settings)
	if err != nil {
		return nil, fmt.Errorf("count sessions: %w", err)
	}
	s.at(d, taken, m.cfg.Now())
	if !s.input.Desk.Assigned {
		return nil, refuse(access.DeskNotYours) // and nothing else: not whether it exists, is on, or is in use
	}
	return s, nil
}

// covers are approved times as access sees them.
func covers(all []telework.Cover) []access.Cover {
	covers := make([]access.Cover, len(all))
	for i, c := range all {
		covers[i] = access.Cover{Kind: access.CoverKind(c.Kind), From: c.From, Until: c.Until, Place: c.Place}
	}
	return covers
}

// caller reads what depends on the caller alone.
func (m *Manager) caller(ctx context.Context, c Caller, viewer grant.ViewerKind) (*situation, error) {
	return m.callerAt(ctx, c, viewer, m.cfg.Now())
}

// callerAt is caller for another time than now.
func (m *Manager) callerAt(ctx context.Context, c Caller, viewer grant.ViewerKind, at time.Time) (*situation, error) {
	s := &situation{viewer: viewer}
	var err error
	if s.organisation, err = m.cfg.Store.Organisation(ctx); err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	if s.user, err = m.cfg.Store.User(ctx, c.SignIn.User); err != nil {
		return nil, fmt.Errorf("read user: %w", err)
	}
	settings := &s.organisation.Settings
	if s.circumstances, err = m.cfg.Store.Circumstances(ctx, c.SignIn.User, settings.Policy.Hours, at); err != nil {
		return nil, fmt.Errorf("read circumstances: %w", err)
	}
	s.input = access.Input{
		User: auth.AccessUser(&s.user, c.SignIn.Second), Place: c.Place, Now: at, SignInUntil: time.UnixMilli(c.SignIn.UntilMS),
		Gateway: access.Gateway{MyNumberOnly: m.cfg.MyNumber}, Settings: *settings, Viewer: viewer,
		Hours: s.circumstances.Hours, Covers: covers(s.circumstances.Covers), RegisteredUntil: s.circumstances.RegisteredUntil,
		OnBreak: s.circumstances.OnBreak,
	}
	if c.SignIn.Device == "" {
		return s, nil
	}
	if s.device, err = m.cfg.Store.Device(ctx, c.SignIn.Device); err != nil {
		return nil, fmt.Errorf("read device: %w", err)
	}
	s.input.Device = auth.AccessDevice(&s.device, &s.user)
	return s, nil
}

// at adds a desk and the sessions that run elsewhere.
func (s *situation) at(d store.Desk, taken []access.Seat, now time.Time) {
	s.desk = d
	s.input.Desk = access.Desk{
		ID: d.ID, Zone: d.Zone, Enrolled: d.Certificate != nil, Until: time.UnixMilli(d.UntilMS),
		Presence: Presence(&d, now), Lockable: d.Lockable, Fault: access.ScreenFault(d.Fault), InUseBy: d.SessionBy,
	}
	for _, user := range d.Users {
		s.input.Desk.Assigned = s.input.Desk.Assigned || user == s.user.ID
	}
	settings := &s.organisation.Settings
	s.input.Seats = access.CountSeats(taken, d.ID, s.circumstances.Sections, settings.Policy.ReservedSeats)
	s.input.Policy = settings.Resolve(s.circumstances.Subject(d.Zone))
	if s.viewer == anyViewer && len(s.input.Policy.Viewers) > 0 {
		s.input.Viewer = s.input.Policy.Viewers[0]
	}
}

// Presence is what the gateways know of a desk now.
func Presence(d *store.Desk, now time.Time) access.Presence {
	switch silent := store.Since(now, d.AliveMS) > silentAfter; {
	case !d.Connected && d.Gateway != "" && silent:
		return access.Unknown // its gateway is gone; the desk may be on
	case !d.Connected && d.Session != nil:
		return access.Unknown // lost in the middle of a session, which may go on for as long as its lease
	case !d.Connected:
		return access.Off
	case silent:
		return access.Unknown
	}
	return access.On
}

// A Choice is a desk of the caller with the decision as it would be now.
type Choice struct {
	Desk     store.Desk
	Presence access.Presence
	Decision access.Decision
}

// Choices lists the caller's desks. The decisions are for display, as for a viewer that policy allows: [Manager.Open]
// decides anew.
func (m *Manager) Choices(ctx context.Context, c Caller) ([]Choice, error) {
	s, err := m.caller(ctx, c, anyViewer)
	if err != nil {
		return nil, err
	}
	desks, err := m.cfg.Store.DesksOf(ctx, c.SignIn.User)
	if err != nil {
		return nil, fmt.Errorf("list desks: %w", err)
	}
	taken, err := m.cfg.Store.Seats(ctx, &s.organisation.Settings)
	if err != nil {
		return nil, fmt.Errorf("count sessions: %w", err)
	}
	choices := make([]Choice, 0, len(desks))
	for _, d := range desks {
		s.at(d, taken, m.cfg.Now())
		choices = append(choices, Choice{Desk: d, Presence: s.input.Desk.Presence, Decision: access.Decide(s.input)})
	}
	return choices, nil
}
