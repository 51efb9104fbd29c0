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
	// mostOfOne bounds what is remembered of one user or desk: the networks of a telephone on its way through three days.
	mostOfOne = 32
	// mostMet bounds what is remembered in all: room for a town hall of which everybody is on the way.
	mostMet = 10_000
)

// Acquaintances remember at which addresses somebody has proven an enrolled device or desk. Nothing of it is kept over
// a restart.
type Acquaintances struct {
	inside func(netip.Addr) bool
	now    func() time.Time

	mu   sync.Mutex
	met  map[netip.Prefix]map[string]time.Time // who was last met when
	held map[string]int                        // at how many networks, by who
	n    int                                   // the sum of held
}

// NewAcquaintances knows the networks of the town hall, as inside says, and nobody else.
func NewAcquaintances(now func() time.Time, inside func(netip.Addr) bool) *Acquaintances {
	return &Acquaintances{inside: inside, now: now, met: make(map[netip.Prefix]map[string]time.Time), held: make(map[string]int)}
}

// Meet remembers that somebody was at an address. Whoever has been at very many has the oldest of them forgotten, and
// nobody else's.
func (a *Acquaintances) Meet(who string, address netip.Addr) {
	network, now := remote.Network(address), a.now()
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.met[network][who]; !ok {
		a.makeRoom(who, now)
		if a.met[network] == nil {
			a.met[network] = make(map[string]time.Time)
		}
		a.held[who]++
		a.n++
	}
	a.met[network][who] = now
}

func (a *Acquaintances) makeRoom(who string, now time.Time) {
	if a.held[who] >= mostOfOne {
		a.forgetOldest(now, func(other string) bool { return other == who })
	} else if a.n >= mostMet {
		a.forgetOldest(now, func(string) bool { return true })
	}
}

// forgetOldest forgets the meeting that is longest ago, of those that are asked for. One that a wrong clock put far
// ahead counts as long ago.
func (a *Acquaintances) forgetOldest(now time.Time, of func(who string) bool) {
	var where netip.Prefix
	var who string
	oldest := time.Duration(-1)
	for network, here := range a.met {
		for other, at := range here {
			if age := now.Sub(at).Abs(); age > oldest && of(other) {
				where, who, oldest = network, other, age
			}
		}
	}
	delete(a.met[where], who)
	if len(a.met[where]) == 0 {
		delete(a.met, where)
	}
	if a.held[who]--; a.held[who] == 0 {
		delete(a.held, who)
	}
	a.n--
}

// Of is the standing of an address. What is no IP address came through a local socket, and is Inside.
func (a *Acquaintances) Of(address netip.Addr) Standing {
	if !address.IsValid() || a.inside(address) {
		return Inside
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	for _, at := range a.met[remote.Network(address)] {
		if now.Sub(at).Abs() <= metFor {
			return Met
		}
	}
	return Stranger
}
