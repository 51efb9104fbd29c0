package wake

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Limits of one order: those of the message WakeOrder.
const (
	maxMACs     = 16
	maxNetworks = 16
)

const (
	// port 9 (discard) is where nothing listens; adapters do not look at it.
	port = 9
	// rounds: a frame may be lost, and a switch port that has just come up drops the first.
	rounds = 3
	// pause between two rounds.
	pause = 100 * time.Millisecond
	// perMinute bounds the orders that are obeyed: a whole town hall in the morning stays below.
	perMinute = 300
)

// Why nothing was sent.
var (
	// ErrOrder: an order that breaks the limits, or names no machine.
	ErrOrder = errors.New("wake: malformed order")
	// ErrNotHere: this machine neither stands in the network nor reaches it.
	ErrNotHere = errors.New("wake: not in this network")
	// ErrTooMany: too many orders in a minute.
	ErrTooMany = errors.New("wake: too many orders")
)

// Config says what a machine may wake.
type Config struct {
	// Reaches are networks of others that may be woken by directed broadcast: routers in between must be set up to let it pass.
	Reaches []netip.Prefix
	// Adapters lists the machine's own; nil is [Adapters].
	Adapters func() ([]Adapter, error)
	Now      func() time.Time
}

// A Machine wakes its neighbours. It is safe for concurrent use.
type Machine struct {
	cfg Config

	mu     sync.Mutex
	minute time.Time // when counting began
	orders int       // since then
}

// New makes a Machine.
func New(cfg Config) (*Machine, error) {
	if cfg.Adapters == nil {
		cfg.Adapters = Adapters
	}
	if len(cfg.Reaches) > MaxReaches {
		return nil, fmt.Errorf("wake: more than %d networks to reach", MaxReaches)
	}
	for _, p := range cfg.Reaches {
		if err := CheckNetwork(p); err != nil {
			return nil, err
		}
	}
	return &Machine{cfg: cfg}, nil
}

// Adapters lists the machine's own.
func (m *Machine) Adapters() ([]Adapter, error) { return m.cfg.Adapters() }

// Reaches lists the networks that the machine may wake by directed broadcast.
func (m *Machine) Reaches() []netip.Prefix { return slices.Clone(m.cfg.Reaches) }

// Wake sends magic packets for all adapters of one machine into the networks: by broadcast on each adapter that stands in one,
// by directed broadcast where the network is reached. It returns nil when at least one network got them. It takes some tenths
// of a second.
func (m *Machine) Wake(ctx context.Context, macs []MAC, networks []netip.Prefix) error {
	if len(macs) < 1 || len(macs) > maxMACs || len(networks) < 1 || len(networks) > maxNetworks {
		return ErrOrder
	}
	for _, p := range networks {
		if CheckNetwork(p) != nil {
			return ErrOrder
		}
	}
	if !m.take() {
		return ErrTooMany
	}
	adapters, err := m.cfg.Adapters()
	if err != nil {
		return err
	}
	targets := m.targets(adapters, networks)
	if len(targets) == 0 {
		return ErrNotHere
	}
	return send(ctx, macs, targets)
}

// take counts an order.
func (m *Machine) take() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now := m.cfg.Now(); now.Sub(m.minute) >= time.Minute || now.Before(m.minute) {
		m.minute, m.orders = now, 0
	}
	m.orders++
	return m.orders <= perMinute
}

// A target is where packets go.
type target struct {
	device string     // adapter to send by; empty: as the routes say
	from   netip.Addr // own address; invalid: any
	to     netip.Addr
}

// targets finds the ways into the networks, each once.
func (m *Machine) targets(adapters []Adapter, networks []netip.Prefix) []target {
	var found []target
	add := func(t target) {
		if !slices.Contains(found, t) {
			found = append(found, t)
		}
	}
	for _, network := range networks {
		here := false
		for _, a := range adapters {
			for _, own := range a.Prefixes {
				if own.Masked() == network.Masked() {
					here = true
					add(target{a.Name, own.Addr(), netip.AddrFrom4([4]byte{255, 255, 255, 255})})
					add(target{a.Name, own.Addr(), Broadcast(own)})
				}
			}
		}
		if !here && Reached(m.cfg.Reaches, network) {
			add(target{to: Broadcast(network)})
		}
	}
	return found
}

// Reached says whether a network lies inside one of those that a machine reaches.
func Reached(reaches []netip.Prefix, network netip.Prefix) bool {
	return slices.ContainsFunc(reaches, func(p netip.Prefix) bool {
		return p.Bits() <= network.Bits() && p.Contains(network.Masked().Addr())
	})
}

// send sends to all targets in rounds. One target that got everything once is enough.
func send(ctx context.Context, macs []MAC, targets []target) error {
	failed := make([]error, len(targets))
	for round := range rounds {
		for i, t := range targets {
			if round == 0 || failed[i] == nil {
				failed[i] = t.send(ctx, macs)
			}
		}
		if round == rounds-1 || !slices.Contains(failed, nil) {
			break
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil // one round is out
		}
	}
	if slices.Contains(failed, nil) {
		return nil
	}
	return errors.Join(failed...)
}

// send sends one packet for each adapter of the machine that is to wake.
func (t target) send(ctx context.Context, macs []MAC) error {
	var from string
	if t.from.IsValid() {
		from = t.from.String()
	}
	config := net.ListenConfig{Control: bindTo(t.device)}
	conn, err := config.ListenPacket(ctx, "udp4", net.JoinHostPort(from, "0"))
	if err != nil {
		return fmt.Errorf("wake: open a socket on %s: %w", t.device, err)
	}
	defer conn.Close()
	to := net.UDPAddrFromAddrPort(netip.AddrPortFrom(t.to, port))
	for _, m := range macs {
		packet := Packet(m)
		if _, err := conn.WriteTo(packet[:], to); err != nil {
			return fmt.Errorf("wake: send to %s: %w", t.to, err)
		}
	}
	return nil
}
