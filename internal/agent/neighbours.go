package agent

import (
	"context"
	"errors"
	"net/netip"

	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/wake"
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
		message := &controlv1.Adapter{
			Mac: one.MAC[:], WakeAllowed: one.Wake == wake.Allowed, WakeKnown: one.Wake != wake.Unknown,
		}
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
		err = a.sendPackets(ctx, order)
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

// sendPackets sends the magic packets of an order.
func (a *Agent) sendPackets(ctx context.Context, order *controlv1.WakeOrder) error {
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
