// Package crowd shares places out, so that strangers who take all they can get keep nobody else out, and those who are
// known outside nobody who is in the town hall: places of each standing and of each network are bounded, and where
// there is none left, somebody of a network that holds far more gives way instead of the newcomer being refused.
package crowd

import (
	"container/list"
	"net/netip"
	"sync"

	"jiseki/internal/remote"
)

// Standing is what is known of who is at an address.
type Standing int

// Standings. Met is an address at which somebody has proven an enrolled device or desk of late, Inside one of the town
// hall's own networks. Each has places of its own.
const (
	Stranger Standing = iota
	Met
	Inside
)

// Limits are how many places there are.
type Limits struct {
	// Strangers, Met and Inside are for all of a standing together: no standing takes another's.
	Strangers, Met, Inside int
	// PerNetwork is what one network outside may take, as remote.Networks counts; PerInside the same for one Inside, where
	// all may stand behind one translated address.
	PerNetwork, PerInside int
}

// A Crowd is who has places. Its methods may be called at once.
type Crowd struct {
	limits Limits
	of     func(netip.Addr) Standing

	mu       sync.Mutex
	groups   map[name]*group
	networks map[name]*network
	changes  uint64
}

// name of a group: a network, or with the zero Prefix the whole pool.
type name struct {
	standing Standing
	prefix   netip.Prefix
	pool     bool
}

// A group is who shares a limit.
type group struct {
	name    name
	times   int // how many networks of the narrowest kind it may be worth; 0: a pool
	most, n int
	below   []*network // the narrowest networks in it, in no order
}

// A network is the narrowest group, with those who have its places.
type network struct {
	groups []*group          // itself, the wider ones, the pool
	at     []int             // its place in below of each
	places [states]list.List // of *Place, the oldest first
}

type state int

// States in the order in which places give way.
const (
	young state = iota // has shown nothing yet
	idle               // has finished something
	busy
	states
)

// A Place is one in a crowd.
type Place struct {
	crowd   *Crowd
	giveWay func()
	network *network
	spot    *list.Element // in the network's places of its state
	since   uint64        // grows with every change of a state
	state   state
	left    bool
}

// New makes an empty crowd. of may be nil: then all are strangers.
func New(limits Limits, of func(netip.Addr) Standing) *Crowd {
	if of == nil {
		of = func(netip.Addr) Standing { return Stranger }
	}
	return &Crowd{limits: limits, of: of, groups: make(map[name]*group), networks: make(map[name]*network)}
}

// Enter takes a place for somebody at an address. giveWay is called once, from the goroutine of a newcomer, if the
// place is lost to that one; it must not block. Without a place the answer is nil: all are taken by those who are at
// work, or hold less than the newcomer's own networks.
func (c *Crowd) Enter(a netip.Addr, giveWay func()) *Place {
	standing := c.of(a)
	c.mu.Lock()
	p := &Place{crowd: c, giveWay: giveWay, network: c.network(a, standing)}
	for _, g := range p.network.groups {
		g.n++
	}
	p.join(young)
	lost, ok := p.makeRoom()
	if !ok {
		p.leave()
	}
	c.mu.Unlock()
	for _, l := range lost {
		l.giveWay()
	}
	if !ok {
		return nil
	}
	return p
}

// Len is how many places are taken.
func (c *Crowd) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for name, g := range c.groups {
		if name.pool {
			n += g.n
		}
	}
	return n
}

// Work says that the place is in use: it gives way only to somebody whose networks hold far less.
func (p *Place) Work() { p.become(busy) }

// Rest says that it is not in use.
func (p *Place) Rest() { p.become(idle) }

// Leave gives the place back; doing so twice is no error.
func (p *Place) Leave() {
	p.crowd.mu.Lock()
	defer p.crowd.mu.Unlock()
	p.leave()
}

// network is that of an address, with all its groups.
func (c *Crowd) network(a netip.Addr, standing Standing) *network {
	prefixes := remote.Networks(a)
	own := name{standing: standing, prefix: prefixes[0].Prefix}
	if n := c.networks[own]; n != nil {
		return n
	}
	pool, each := c.limits.Strangers, c.limits.PerNetwork
	switch standing {
	case Met:
		pool = c.limits.Met
	case Inside:
		pool, each = c.limits.Inside, c.limits.PerInside
	}
	n := &network{}
	for _, x := range prefixes {
		n.groups = append(n.groups, c.group(name{standing: standing, prefix: x.Prefix}, x.Times, each*x.Times))
	}
	n.groups = append(n.groups, c.group(name{standing: standing, pool: true}, 0, pool))
	for _, g := range n.groups {
		n.at = append(n.at, len(g.below))
		g.below = append(g.below, n)
	}
	c.networks[own] = n
	return n
}

func (c *Crowd) group(of name, times, most int) *group {
	g := c.groups[of]
	if g == nil {
		g = &group{name: of, times: times, most: most}
		c.groups[of] = g
	}
	return g
}

// makeRoom takes places from others where p is one too many.
func (p *Place) makeRoom() (lost []*Place, ok bool) {
	for _, g := range p.network.groups {
		if g.n <= g.most {
			continue
		}
		weakest := g.weakest(p)
		if weakest == nil {
			return lost, false
		}
		weakest.leave()
		lost = append(lost, weakest)
	}
	return lost, true
}

// weakest is who of the group gives way to a newcomer, nil if nobody does: of networks that hold far more than the
// newcomer's whoever has shown least; else somebody who is not at work, of one that holds as much. Whoever holds less
// keeps the place. Of several it is one of the heaviest network, the oldest.
func (g *group) weakest(newcomer *Place) *Place {
	var found *Place
	var best claim
	own := newcomer.network.weight()
	for _, n := range g.below {
		weight := n.weight()
		if weight < own {
			continue
		}
		for s := range states {
			c := claim{far: weight > 2*own, state: s, weight: weight}
			if s == busy && !c.far {
				continue
			}
			if p := n.oldest(s, newcomer); p != nil {
				if c.since = p.since; found == nil || c.before(best) {
					found, best = p, c
				}
				break // whoever has shown less gives way first
			}
		}
	}
	return found
}

// A claim is what decides who gives way.
type claim struct {
	far    bool
	state  state
	weight int
	since  uint64
}

func (c claim) before(o claim) bool {
	switch {
	case c.far != o.far:
		return c.far
	case c.state != o.state:
		return c.state < o.state
	case c.weight != o.weight:
		return c.weight > o.weight
	}
	return c.since < o.since
}

// oldest is the network's oldest place of a state that is not the newcomer's own.
func (n *network) oldest(s state, newcomer *Place) *Place {
	for e := n.places[s].Front(); e != nil; e = e.Next() {
		if p := e.Value.(*Place); p != newcomer {
			return p
		}
	}
	return nil
}

// weight is how much a network holds, with the wider ones that it is of, for what they may be worth.
func (n *network) weight() int {
	most := 0
	for _, g := range n.groups[:len(n.groups)-1] {
		most = max(most, g.n*remote.WidestTimes/g.times)
	}
	return most
}

func (p *Place) become(s state) {
	p.crowd.mu.Lock()
	defer p.crowd.mu.Unlock()
	if p.left {
		return
	}
	p.part()
	p.join(s)
}

func (p *Place) join(s state) {
	p.crowd.changes++
	p.state, p.since = s, p.crowd.changes
	p.spot = p.network.places[s].PushBack(p)
}

func (p *Place) part() { p.network.places[p.state].Remove(p.spot) }

func (p *Place) leave() {
	if p.left {
		return
	}
	p.left = true
	p.part()
	for _, g := range p.network.groups {
		g.n--
	}
	if own := p.network.groups[0]; own.n == 0 {
		p.crowd.forget(p.network)
	}
}

// forget takes away a network without places, and groups that have none left.
func (c *Crowd) forget(n *network) {
	delete(c.networks, n.groups[0].name)
	for i, g := range n.groups {
		if g.drop(n.at[i]); len(g.below) == 0 {
			delete(c.groups, g.name)
		}
	}
}

// drop takes a network out; the last one takes its place.
func (g *group) drop(at int) {
	last := len(g.below) - 1
	moved := g.below[last]
	for j, other := range moved.groups {
		if other == g {
			moved.at[j] = at
		}
	}
	g.below[at], g.below[last] = moved, nil
	g.below = g.below[:last]
}
