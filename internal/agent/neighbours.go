package agent

import (
	"context"
	"errors"
	"net/netip"
	"time"

	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/input"
	"jiseki/internal/power"
	"jiseki/internal/wake"
	"jiseki/internal/wire"
)

// adapters is what the hello says of the machine.
func (a *Agent) adapters() (adapters []*controlv1.Adapter, reaches []string) {
	if a.cfg.Machine == nil {
		return nil, nil
	}
	all, err := a.cfg.Machine.Adapters()
	if err != nil {
		a.log.Warn("the machine's adapters are not known", "err", err)
	}
	for _, one := range all {
		message := &controlv1.Adapter{Mac: one.MAC[:], WakeAllowed: one.Wake == wake.Allowed, WakeKnown: one.Wake != wake.Unknown}
		for _, p := range one.Prefixes {
			message.Prefixes = append(message.Prefixes, p.String())
		}
		adapters = append(adapters, message)
	}
	for _, p := range a.cfg.Machine.Reaches() {
		reaches = append(reaches, p.String())
	}
	return adapters, reaches
}

// wake does a wake order. code says why not; it is empty if packets were sent.
func (a *Agent) wake(ctx context.Context, order *controlv1.WakeOrder) (code string) {
	err := errors.ErrUnsupported
	if a.cfg.Machine != nil {
		err = a.send(ctx, order)
	}
	switch {
	case err == nil:
		a.log.Info("woke a neighbour", "networks", order.GetNetworks())
		return ""
	case errors.Is(err, errors.ErrUnsupported):
		code = "unknown_order"
	case errors.Is(err, wake.ErrOrder), errors.Is(err, wake.ErrMAC):
		code = "bad_order"
	case errors.Is(err, wake.ErrNotHere):
		code = "not_here"
	case errors.Is(err, wake.ErrTooMany):
		code = "too_many"
	default:
		code = "not_sent"
	}
	a.log.Warn("a neighbour was not woken", "code", code, "err", err)
	return code
}

func (a *Agent) send(ctx context.Context, order *controlv1.WakeOrder) error {
	var macs []wake.MAC
	for _, raw := range order.GetMacs() {
		mac, err := wake.NewMAC(raw)
		if err != nil {
			return err
		}
		macs = append(macs, mac)
	}
	var networks []netip.Prefix
	for _, text := range order.GetNetworks() {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return wake.ErrOrder
		}
		networks = append(networks, p)
	}
	return a.cfg.Machine.Wake(ctx, macs, networks)
}

// plan takes a plan order.
func (a *Agent) plan(order *controlv1.PlanOrder) (code string) {
	p := power.Plan{After: power.After(min(order.GetAfter(), 0xff))} //nolint:gosec // bounded here
	for _, ms := range order.GetWakeMs() {
		p.Wake = append(p.Wake, time.UnixMilli(ms))
	}
	if order.GetRemindFromMs() != 0 {
		p.RemindFrom, p.RemindUntil = time.UnixMilli(order.GetRemindFromMs()), time.UnixMilli(order.GetRemindUntilMs())
	}
	if err := a.power.SetPlan(p); err != nil {
		a.log.Warn("plan of the gateway", "err", err)
		return "bad_order"
	}
	return ""
}

// use is how the desk is used now.
func (a *Agent) use() power.Use {
	a.mu.Lock()
	defer a.mu.Unlock()
	return power.Use{InSession: a.session != nil || len(a.pending) > 0, LoggedOn: a.loggedOn, Present: a.present}
}

// onPurpose says whether a code ends a session for good: somebody ended it, or its time was over. The others leave a user who
// comes back.
func onPurpose(code wire.Code) bool {
	return code == wire.EndedByUser || code == wire.Expired || code == wire.Policy
}

// NoDesk is the desk of a machine that has none: nobody is there, nothing can be locked, shown or typed.
func NoDesk() Desk { return Desk{Input: inputNowhere{}, Lock: lockNowhere{}} }

var errNoDesk = errors.New("this machine is no desk")

type inputNowhere struct{ input.Injector }

func (inputNowhere) ReleaseAll() error { return nil }

type lockNowhere struct{}

func (lockNowhere) Can() error                 { return errNoDesk }
func (lockNowhere) Lock(context.Context) error { return errNoDesk }
func (lockNowhere) Changes() <-chan bool       { return nil }
func (lockNowhere) LoggedOn() (bool, error)    { return false, nil }
func (lockNowhere) UsedLocally() time.Time     { return time.Time{} }
