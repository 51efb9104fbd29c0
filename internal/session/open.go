package session

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/cert"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/grant"
	"jiseki/internal/hub"
	"jiseki/internal/link"
	"jiseki/internal/relay"
	"jiseki/internal/store"
)

// A situation is all that the store says about a user, a device and a desk, in
// the form in which it is decided.
type situation struct {
	user         store.User
	device       store.Device
	desk         store.Desk
	organisation store.Organisation

	circumstances store.Circumstances
	viewer        grant.ViewerKind
	input         access.Input
}

// An OpenRequest is what a viewer signed.
type OpenRequest struct {
	Session     cert.SessionID
	NoiseKey    cert.NoiseKey
	Signature   cert.Signature
	Viewer      grant.ViewerKind
	ReconnectOf []byte // 16 bytes, or nil
}

// Opened is what a viewer needs to reach its desk.
type Opened struct {
	Grant           *grant.Grant
	Ticket          link.Ticket // the viewer's
	DeskCertificate []byte
	DeskStatement   []byte
	Watermark       string // {time} is left for the viewer
}

// Open decides, mints the grant and offers it to the agent. Each prepared
// session can be opened once, whatever comes of it.
func (m *Manager) Open(ctx context.Context, c Caller, r OpenRequest) (Opened, error) {
	if err := m.pace.take(m.pace.opened, c.SignIn.User); err != nil {
		return Opened{}, err
	}
	prepared, err := m.cfg.Store.Session(ctx, r.Session)
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && !mine(c, &prepared):
		return Opened{}, refuse(access.SessionState)
	case err != nil:
		return Opened{}, fmt.Errorf("read session: %w", err)
	case prepared.Life != store.LifePrepared:
		return Opened{}, refuse(access.SessionState)
	}
	opened, err := m.open(ctx, c, &prepared, r)
	var no *Refusal
	if errors.As(err, &no) {
		return Opened{}, m.spend(ctx, c, &prepared, no)
	}
	return opened, err
}

// mine says that the caller is who prepared the session, on the same device.
func mine(c Caller, s *store.Session) bool {
	return s.User == c.SignIn.User && s.Device == c.SignIn.Device
}

// spend records a refusal and ends the session, so that its nonce is of no more
// use; unless somebody else was faster and it is running.
func (m *Manager) spend(ctx context.Context, c Caller, s *store.Session, no *Refusal) error {
	if no.Reasons[0] == access.SessionState {
		return m.recordRefusal(ctx, c, s.Desk, s.ID[:], no)
	}
	if err := m.cfg.Store.EndSession(ctx, c.by(), s.ID, codePolicy, string(no.Reasons[0])); err != nil {
		return fmt.Errorf("end a refused session: %w", err)
	}
	return m.recordRefusal(ctx, c, s.Desk, s.ID[:], no)
}

func (m *Manager) open(ctx context.Context, c Caller, prepared *store.Session, r OpenRequest) (Opened, error) {
	before, err := m.cfg.Store.Head(ctx)
	if err != nil {
		return Opened{}, fmt.Errorf("read head: %w", err)
	}
	s, err := m.situation(ctx, c, prepared.Desk, r.Viewer)
	if err != nil {
		return Opened{}, err
	}
	request := cert.Request{
		Nonce: prepared.Nonce, Session: prepared.ID, User: prepared.User, Desk: prepared.Desk, NoiseKey: r.NoiseKey,
	}
	if request.Verify(s.device.Key, r.Signature) != nil {
		return Opened{}, refuse(access.SignatureWrong)
	}
	decision := access.Decide(s.input)
	if !decision.Allowed() {
		return Opened{}, &Refusal{Reasons: decision.Reasons}
	}
	statement, err := cert.ParseDeskStatement(s.desk.Statement)
	if err != nil || statement.Verify(s.desk.Key, m.cfg.Now(), cert.Skew) != nil {
		return Opened{}, refuse(access.DeskUnknown)
	}
	g, tickets, err := m.mint(s, prepared, r, decision)
	if err != nil {
		return Opened{}, err
	}
	if err := m.grant(ctx, c, g, r); err != nil {
		return Opened{}, err
	}
	if err := m.offer(ctx, g, tickets, s.device.Certificate); err != nil {
		return Opened{}, err
	}
	if err := m.confirm(ctx, g, before.Number); err != nil {
		return Opened{}, err
	}
	return Opened{
		Grant: g, Ticket: tickets.viewer, DeskCertificate: s.desk.Certificate, DeskStatement: s.desk.Statement,
		Watermark: strings.NewReplacer("{user}", s.user.Name, "{device}", s.device.Label).Replace(s.input.Policy.Watermark),
	}, nil
}

type tickets struct{ viewer, agent link.Ticket }

// mint makes the grant and both sides' tickets.
func (m *Manager) mint(s *situation, prepared *store.Session, r OpenRequest, d access.Decision) (*grant.Grant, tickets, error) {
	var t tickets
	_, _ = rand.Read(t.viewer[:]) // never fails: crypto/rand ends the process instead
	_, _ = rand.Read(t.agent[:])
	now := m.cfg.Now().UTC().Truncate(time.Millisecond)
	before := now.Add(grant.OpenLife)
	if d.Until.Before(before) {
		before = d.Until.UTC().Truncate(time.Millisecond)
	}
	if !before.After(now) {
		return nil, t, refuse(access.SignInOver)
	}
	g := &grant.Grant{
		Session: prepared.ID, User: s.user.ID, UserName: s.user.Name, Device: s.device.ID, DeviceKind: s.device.Kind,
		ViewerKind: r.Viewer, DeviceKey: s.device.Key, Desk: s.desk.ID, Zone: s.desk.Zone, DeskKey: s.desk.Key, NoiseKey: r.NoiseKey,
		Rights: d.Rights, ViewerTicket: t.viewer.Hash(), AgentTicket: t.agent.Hash(),
		Relay: m.cfg.RelayForDesks(s.organisation.Settings.Address), Idle: d.Idle, Grace: d.Grace, Issued: now, OpenBefore: before, SessionUntil: d.Until,
	}
	if err := g.Mint(m.cfg.Grants); err != nil {
		return nil, t, fmt.Errorf("mint grant: %w", err)
	}
	return g, t, nil
}

// grant spends the prepared session in the store, and ends older grants of the desk that nobody has opened.
func (m *Manager) grant(ctx context.Context, c Caller, g *grant.Grant, r OpenRequest) error {
	replaced, err := m.cfg.Store.GrantSession(ctx, c.by(), c.SignIn.Hash, store.Session{
		ID: g.Session, Place: c.Place, Address: c.Address, Second: c.SignIn.Second, Viewer: g.ViewerKind, Rights: g.Rights, Relay: g.Relay, Gateway: m.cfg.Gateway,
		UntilMS: g.SessionUntil.UnixMilli(), IdleMS: g.Idle.Milliseconds(), ReconnectOf: r.ReconnectOf,
	})
	var noSeat *store.NoSeat
	switch {
	case errors.As(err, &noSeat):
		return refuse(noSeat.Code)
	case errors.Is(err, store.ErrExpired):
		return refuse(access.SessionOver)
	case errors.Is(err, store.ErrLife):
		return refuse(access.SessionState)
	case errors.Is(err, store.ErrStale):
		return refuse(access.NotSignedIn)
	case err != nil:
		return fmt.Errorf("grant session: %w", err)
	}
	for i := range replaced { // their tickets open nothing any more, and the agent has a place for ours
		m.endRelay(replaced[i].ID, link.Replaced)
	}
	return nil
}

// offer announces the session to the relay and brings the grant to the agent. On
// failure the relay forgets it; the store is the caller's.
func (m *Manager) offer(ctx context.Context, g *grant.Grant, t tickets, certificate []byte) error {
	err := m.cfg.Relay.Offer(relay.Offer{
		Session: g.Session, ViewerTicketHash: t.viewer.Hash(), AgentTicketHash: t.agent.Hash(), Expires: g.OpenBefore,
	})
	switch {
	case errors.Is(err, relay.ErrFull), errors.Is(err, relay.ErrStopped):
		return refuse(access.Full)
	case err != nil:
		return m.unoffer(ctx, g, fmt.Errorf("offer to the relay: %w", err))
	}
	answer, err := m.cfg.Agents.Offer(ctx, g.Desk, g.Session, &controlv1.Offer{
		Grant: g.Append(nil), Ticket: t.agent[:], DeviceCertificate: certificate,
	})
	switch {
	case errors.Is(err, hub.ErrAway):
		return m.unoffer(ctx, g, refuse(access.DeskOff))
	case errors.Is(err, hub.ErrSilent):
		return m.unoffer(ctx, g, refuse(access.AgentNoAnswer))
	case err != nil:
		return m.unoffer(ctx, g, fmt.Errorf("offer to the agent: %w", err))
	case !answer.GetAccepted():
		return m.unoffer(ctx, g, &Refusal{Reasons: []access.Code{agentReason(answer.GetCode())}, Agent: answer.GetCode()})
	}
	return nil
}

// confirm looks whether the session was ended while its offer was on the way, for the order to end it may have come to
// the agent before the offer; and whether what it was decided on has changed since an event.
func (m *Manager) confirm(ctx context.Context, g *grant.Grant, decided uint64) error {
	now, err := m.cfg.Store.Session(ctx, g.Session)
	if err != nil {
		return m.unoffer(ctx, g, fmt.Errorf("read session: %w", err))
	}
	overtaken, err := m.overtaken(ctx, g.Session, decided)
	if err != nil {
		return m.unoffer(ctx, g, fmt.Errorf("decide anew: %w", err))
	}
	if now.Life != store.LifeEnded && !overtaken {
		return nil
	}
	if overtaken {
		if err := m.endByPolicy(ctx, now, access.SessionState); err != nil {
			return m.unoffer(ctx, g, err)
		}
	}
	m.order(g.Desk, "a desk was not told that its session has ended", func(ctx context.Context) error {
		return m.cfg.Agents.EndSession(ctx, g.Desk, g.Session, codeRevoked)
	})
	return m.unoffer(ctx, g, refuse(access.SessionState))
}

// unoffer takes back what was offered when cause made it useless.
func (m *Manager) unoffer(ctx context.Context, g *grant.Grant, cause error) error {
	m.cfg.Relay.End(g.Session, link.Revoked)
	var no *Refusal
	if errors.As(cause, &no) {
		return cause // Open ends the session in the store
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), actTimeout)
	defer cancel()
	by := store.By{Actor: "gateway:" + m.cfg.Gateway}
	return errors.Join(cause, m.cfg.Store.EndSession(ctx, by, g.Session, codePolicy, "offer_failed"))
}

// agentReason translates the agent's code where a better reason is known. The gateway has looked at the same times a
// moment ago: when the agent finds one too early or too late, one of the clocks is wrong.
func agentReason(code string) access.Code {
	if fault := access.ScreenFault(code); fault != "" && fault != access.DeskScreen {
		return fault
	}
	switch code {
	case "in_use":
		return access.DeskInUse
	case "cannot_lock":
		return access.DeskCannotLock
	case "device_unannounced", "user_unannounced", "register_damaged":
		return access.DeskRegister
	case "grant_clock_skew", "device_clock_skew", "grant_expired", "device_expired":
		return access.ClockSkew
	case "device_revoked":
		return access.DeviceRevoked
	case "device_owner":
		return access.DeviceNotYours
	case "busy", "stopping":
		return access.AgentNoAnswer
	}
	return access.AgentRefused
}
