package agent

import (
	"context"
	"slices"
	"time"

	"jiseki/internal/cert"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/wire"
)

// leaseSettles is how long a session may be missing in a lease: the gateway may have listed its sessions before it
// granted this one. What it really ends, it ends by an order too.
const leaseSettles = 10 * time.Second

// obey does an order of the gateway. Some orders want an answer.
func (a *Agent) obey(ctx context.Context, o *controlv1.Order) (code string, wantsAnswer bool) {
	switch m := o.GetOrder().(type) {
	case *controlv1.Order_Lease:
		a.leases.renew(a.now())
		a.endUnless(wire.Policy, func(s *session) bool {
			named := func(id []byte) bool { return string(id) == string(s.grant.Session[:]) }
			return s.since.IsZero() || a.now().Sub(s.since) < leaseSettles || slices.ContainsFunc(m.Lease.GetSessionIds(), named)
		})
		return "", false
	case *controlv1.Order_EndSession:
		a.endUnless(orderedCode(m.EndSession.GetCode()), func(s *session) bool {
			return string(m.EndSession.GetSessionId()) != string(s.grant.Session[:])
		})
		return "", true
	case *controlv1.Order_RevokeDevice:
		a.mu.Lock()
		a.revoked[m.RevokeDevice.GetDeviceId()] = true
		a.mu.Unlock()
		a.endUnless(wire.Revoked, func(s *session) bool { return s.grant.Device != m.RevokeDevice.GetDeviceId() })
		return "", true
	case *controlv1.Order_Warn:
		return a.warn(m.Warn), true
	case *controlv1.Order_Lock:
		return a.lockNow(ctx), true
	case *controlv1.Order_Bundle:
		return a.trust(m.Bundle.GetTrustBundle()), true
	case *controlv1.Order_Plan:
		return a.plan(m.Plan), true
	case *controlv1.Order_Register:
		return a.follow(m.Register), true
	case *controlv1.Order_Head:
		return a.keep(a.cfg.SaveHead, m.Head.GetHead()), true
	default:
		return "unknown_order", true
	}
}

// warn has the session's viewer told of what the gateway announces.
func (a *Agent) warn(o *controlv1.WarnOrder) (code string) {
	notice := map[string]wire.Code{"ends_soon": wire.EndsSoon, "hours_end": wire.HoursEnd}[o.GetCode()]
	if notice == 0 {
		return "unknown_notice"
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.session == nil || string(o.GetSessionId()) != string(a.session.grant.Session[:]) {
		return "no_session"
	}
	a.session.announce(announcement{notice, time.UnixMilli(o.GetAtMs())})
	return ""
}

// orderedCode is the code of an order to end a session: one with which the desk is locked at once.
func orderedCode(code uint32) wire.Code {
	switch c := wire.Code(min(code, 0xffff)); c {
	case 0, wire.TakenOver, wire.Replaced:
		return wire.Policy
	default:
		return c
	}
}

// endUnless ends the desk's session, and those that are opening, with a code unless keep says otherwise. keep is called
// with the agent's lock held.
func (a *Agent) endUnless(code wire.Code, keep func(*session) bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.session != nil && !keep(a.session) {
		a.session.finish(code)
	}
	for s := range a.pending {
		if s != a.session && !keep(s) {
			s.finish(code)
		}
	}
}

// lockNow locks the desk. What lies open on it is covered by that as by the agent's own lock.
func (a *Agent) lockNow(ctx context.Context) (code string) {
	turn, err := a.guard.prove(ctx, orderLimit)
	if err != nil {
		a.log.Error("lock by order: trying on", "err", err)
		a.mu.Lock()
		running := a.ctx
		a.mu.Unlock()
		a.guard.insist(running, true, nobody)
		return "cannot_lock"
	}
	a.covered(nil, turn) // if it fell at once, or somebody came, what is due then is done there
	return ""
}

// trust takes a newer trust bundle.
func (a *Agent) trust(raw []byte) (code string) {
	next, err := cert.ParseBundle(raw)
	if err != nil {
		return "bundle_form"
	}
	if next.Version <= a.bundle.get().Version {
		return "bundle_old"
	}
	if code := a.keep(a.cfg.SaveBundle, raw); code != "" {
		return code
	}
	a.bundle.set(next)
	return ""
}

func (a *Agent) keep(save func([]byte) error, raw []byte) (code string) {
	if err := save(raw); err != nil {
		a.log.Error("keep what the gateway sent", "err", err)
		return "not_kept"
	}
	return ""
}
