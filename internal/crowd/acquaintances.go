package crowd

import (
	"net/netip"
	"sync"
	"time"

	"jiseki/internal/remote"
)

const (
	// metFor is how long an address stays known after somebody proved there who they are: over a night and a weekend.
	metFor = 72 * time.Hour
	// mostMet bounds how many networks are remembered.
	mostMet = 10_000
)

// Acquaintances remember at which addresses somebody has proven an enrolled device or desk. Nothing of it is kept over a restart.
type Acquaintances struct {
	inside func(netip.Addr) bool
	now    func() time.Time

	mu  sync.Mutex
	met map[netip.Prefix]time.Time
}

// NewAcquaintances knows the networks of the town hall, as inside says, and nobody else.
func NewAcquaintances(now func() time.Time, inside func(netip.Addr) bool) *Acquaintances {
	return &Acquaintances{inside: inside, now: now, met: make(map[netip.Prefix]time.Time)}
}

// Meet remembers an address.
func (a *Acquaintances) Meet(address netip.Addr) {
	now := a.now()
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.met) >= mostMet {
		for p, at := range a.met {
			if now.Sub(at) > metFor {
				delete(a.met, p)
			}
		}
	}
	if len(a.met) < mostMet {
		a.met[remote.Network(address)] = now
	}
}

// Of is the standing of an address. What is no IP address came through a local socket, and is Inside.
func (a *Acquaintances) Of(address netip.Addr) Standing {
	if !address.IsValid() || a.inside(address) {
		return Inside
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if at, ok := a.met[remote.Network(address)]; ok && a.now().Sub(at).Abs() <= metFor {
		return Met
	}
	return Stranger
}
