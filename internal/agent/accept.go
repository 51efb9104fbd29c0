package agent

import (
	"context"
	"errors"
	"time"

	"jiseki/internal/cert"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/grant"
	"jiseki/internal/link"
	"jiseki/internal/wire"
)

// accept checks an offer and starts a session for it. code says why not, in the words of one machine to another; it is
// empty if the offer was taken.
func (a *Agent) accept(offer *controlv1.Offer) (id cert.SessionID, code string) {
	g, err := grant.Parse(offer.GetGrant())
	if err != nil {
		return id, "grant_form"
	}
	if a.cfg.Waker {
		return g.Session, "no_desk"
	}
	device, code := a.check(g, offer)
	if code != "" {
		return g.Session, code
	}
	select {
	case a.opening <- struct{}{}:
	default:
		return g.Session, "busy"
	}
	s := newSession(a, g)
	ticket := link.Ticket(offer.GetTicket())
	a.mu.Lock()
	ctx := a.ctx
	a.pending[s] = true
	a.mu.Unlock()
	a.tasks.Go(func() { a.serve(ctx, s, ticket, device) })
	return g.Session, ""
}

// check verifies all of an offer that can be verified before the viewer has spoken.
func (a *Agent) check(g *grant.Grant, offer *controlv1.Offer) (device *cert.Certificate, code string) {
	bundle, now := a.bundle.get(), a.now()
	self := a.certificate()
	zone, _ := grant.ParseZone(self.Owner)
	err := g.Verify(bundle.Grants, grant.Expect{Desk: self.Subject, Zone: zone, Key: self.Key}, now, cert.Skew)
	if err != nil {
		return nil, "grant_" + codeOf(err)
	}
	device, err = cert.ParseCertificate(offer.GetDeviceCertificate())
	if err != nil {
		return nil, "device_form"
	}
	if err := device.Verify(cert.KindDevice, bundle.DeviceCAs, now, cert.Skew); err != nil {
		return nil, "device_" + codeOf(err)
	}
	if device.Key != g.DeviceKey || device.Subject != g.Device {
		return nil, "device_other"
	}
	if code := a.announced.check(device, g); code != "" {
		return nil, code
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.stopping:
		return nil, "stopping"
	case len(offer.GetTicket()) != 32:
		return nil, "ticket_form"
	case a.revoked[g.Device]:
		return nil, "device_revoked"
	case !g.Rights.Has(grant.RightView):
		return nil, "no_rights"
	case a.fault != "":
		return nil, string(a.fault)
	case a.session != nil && a.session.grant.User != g.User:
		return nil, "in_use"
	case a.openFor(g.User) && a.desk.Lock.Can() != nil:
		return nil, "cannot_lock"
	case a.openFor(g.User):
		return nil, "in_use"
	case a.cfg.Limits.RequireLock && !a.lockable():
		return nil, "cannot_lock"
	}
	return device, ""
}

func codeOf(err error) string {
	var e *cert.Error
	if errors.As(err, &e) {
		return string(e.Code)
	}
	return "refused"
}

// openFor says whether user could find the screen open with somebody else's work on it: no lock was proved since, as
// within the grace period, or after a lock that failed. The caller holds mu.
func (a *Agent) openFor(user string) bool { return a.work.ofOthers(user) }

// serve opens and runs one session, and sees to the desk after it.
func (a *Agent) serve(ctx context.Context, s *session, ticket link.Ticket, device *cert.Certificate) {
	defer close(s.ended)
	err := s.open(ctx, ticket, device)
	<-a.opening
	a.mu.Lock()
	delete(a.pending, s)
	a.mu.Unlock()
	if err != nil {
		s.log.Warn("session did not open", "err", err)
		return
	}
	s.log.Info("session open", "rights", s.rights.String())
	hide := a.show(s)
	a.recallVisits()
	err = s.run(ctx)
	hide()
	s.log.Info("session over", "err", err)
	a.release(s, err)
}

// commit gives the desk to a session whose viewer has proved itself. An earlier session of the same user ends.
func (a *Agent) commit(ctx context.Context, s *session) error {
	for {
		before, err := a.take(s)
		if err != nil || before == nil {
			return err
		}
		code := wire.TakenOver
		if before.grant.Device == s.grant.Device {
			code = wire.Replaced
		}
		before.finish(code)
		select {
		case <-before.ended:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// take makes s the desk's session, or returns the one that has to end first.
func (a *Agent) take(s *session) (before *session, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.session != nil {
		if a.session.grant.User != s.grant.User {
			return nil, errors.New("the desk is in use by somebody else")
		}
		return a.session, nil
	}
	switch { // what was checked at the offer may have changed in the handshake
	case len(s.stop) > 0:
		return nil, errors.New("the session was ended before it opened")
	case a.stopping:
		return nil, errors.New("the agent stops")
	case a.revoked[s.grant.Device]:
		return nil, errors.New("the device was revoked")
	case a.openFor(s.grant.User):
		return nil, errors.New("the desk is open with somebody else's work")
	}
	if err := a.spent.Spend(s.grant, a.now()); err != nil {
		return nil, err
	}
	if err := a.begin(s.grant); err != nil {
		return nil, err
	}
	a.session, s.since = s, a.now()
	a.guard.relax()
	a.changed()
	return nil, nil
}

// begin writes down that a session has the desk. When it returns an error, nothing of it stays: the desk is whose it
// was. The caller holds mu.
func (a *Agent) begin(g *grant.Grant) error {
	before := a.work.kept
	if err := a.work.begin(g.User, g.Session); err != nil {
		return err
	}
	err := a.visits.opened(g)
	if err == nil {
		if err = a.events.add(controlv1.SessionEventKind_SESSION_EVENT_KIND_OPENED, g.Session, 0); err == nil {
			return nil
		}
		err = errors.Join(err, a.visits.neverOpened(g))
	}
	return errors.Join(err, a.work.restore(before))
}

// show puts the notice on the desk and returns what takes it away. A desk without it still works; the event is in the
// log.
func (a *Agent) show(s *session) (hide func()) {
	notice, err := a.desk.Notice(s.grant.UserName, func() { s.finish(wire.EndedAtDesk) })
	if err != nil {
		s.log.Error("notice is not shown", "err", err)
		return func() {}
	}
	return func() {
		if err := notice.Close(); err != nil {
			s.log.Debug("notice was not taken away", "err", err)
		}
	}
}

// release takes the desk from a session that is over, reports it, and sees to the lock.
func (a *Agent) release(s *session, why error) {
	_, code := endCode(why)
	a.record(endKind(code), s.grant.Session, code)
	if err := a.visits.ended(s.grant, uint16(code)); err != nil {
		s.log.Error("the end of the session is not in the desk's own journal", "err", err)
	}
	a.mu.Lock()
	if err := a.work.leave(); err != nil {
		s.log.Error("the end of the session may be reported twice", "err", err)
	}
	a.vacate()
	// Before the desk is free: a session that takes it then calls the lock off.
	switch code {
	case wire.TakenOver, wire.Replaced: // the next session has the desk, unless it fails in the last step
		a.guard.lockAfter(a.ctx, handOver, s.grant.Session)
	case 0:
		grace := a.grace(s)
		if a.isLocked {
			grace = 0 // nothing to keep open
		}
		a.guard.lockAfter(a.ctx, grace, s.grant.Session)
	default:
		a.guard.lockAfter(a.ctx, 0, s.grant.Session)
	}
	a.session = nil
	a.mu.Unlock()
	a.changed()
	if code != wire.TakenOver && code != wire.Replaced {
		a.power.SessionEnded(onPurpose(code))
	}
}

// grace is how long the desk waits for a viewer whose link was lost.
func (a *Agent) grace(s *session) time.Duration {
	if a.cfg.Limits.MaxGrace > 0 {
		return min(s.grant.Grace, a.cfg.Limits.MaxGrace)
	}
	return s.grant.Grace
}

// handOver is how long the session that takes over may take to do so, after the one before has ended.
const handOver = 5 * time.Second

func endKind(code wire.Code) controlv1.SessionEventKind {
	switch code {
	case wire.TakenOver:
		return controlv1.SessionEventKind_SESSION_EVENT_KIND_TAKEN_OVER
	case wire.EndedAtDesk:
		return controlv1.SessionEventKind_SESSION_EVENT_KIND_ENDED_AT_DESK
	default:
		return controlv1.SessionEventKind_SESSION_EVENT_KIND_ENDED
	}
}
