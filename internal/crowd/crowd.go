// Package crowd shares places out, so that strangers who take all they can get keep nobody else out, and who is known nobody in the
// town hall: places of each standing and of each network are bounded, and where there is none left, somebody who has shown nothing
// yet gives way instead of the newcomer being refused.
package crowd

import (
	"container/list"
	"net/netip"
	"sync"

	"jiseki/internal/remote"
)

// Standing is what is known of who is at an address.
type Standing int

// Standings. Met is an address at which somebody has proven an enrolled device or desk of late, Inside one of the town hall's own
// networks. Both share the places that are kept for the known.
const (
	Stranger Standing = iota
	Met
	Inside
)

// Limits are how many places there are.
type Limits struct {
	// Strangers, Met and Inside are for all of a standing together: no standing takes another's.
	Strangers, Met, Inside int
	// PerNetwork is what one network outside may take, as remote.Networks counts; PerInside the same for one Inside, where all
	// may stand behind one translated address.
	PerNetwork, PerInside int
}

// lookAt bounds the search for who gives way.
const lookAt = 32

// A Crowd is who has places. Its methods may be called at once.
type Crowd struct {
	limits Limits
	of     func(netip.Addr) Standing

	mu     sync.Mutex
	groups map[name]*group
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
	waiting [states]list.List // of *Place, the oldest first
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
	groups  []*group // the narrowest first, the pool last
	spots   []*list.Element
	state   state
	left    bool
}

// New makes an empty crowd. of may be nil: then all are strangers.
func New(limits Limits, of func(netip.Addr) Standing) *Crowd {
	if of == nil {
		of = func(netip.Addr) Standing { return Stranger }
	}
	return &Crowd{limits: limits, of: of, groups: make(map[name]*group)}
}

// Enter takes a place for somebody at an address. giveWay is called once, from the goroutine of a newcomer, if the place is lost to
// that one; it must not block. Without a place the answer is nil: all are taken by those who are at work.
func (c *Crowd) Enter(a netip.Addr, giveWay func()) *Place {
	standing := c.of(a)
	c.mu.Lock()
	p := &Place{crowd: c, giveWay: giveWay, groups: c.groupsOf(a, standing)}
	for _, g := range p.groups {
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

func (c *Crowd) groupsOf(a netip.Addr, standing Standing) []*group {
	pool, each := c.limits.Strangers, c.limits.PerNetwork
	switch standing {
	case Met:
		pool = c.limits.Met
	case Inside:
		pool, each = c.limits.Inside, c.limits.PerInside
	}
	var all []*group
	for _, n := range remote.Networks(a) {
		all = append(all, c.group(name{standing: standing, prefix: n.Prefix}, n.Times, each*n.Times))
	}
	return append(all, c.group(name{standing: standing, pool: true}, 0, pool))
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
	for _, g := range p.groups {
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

// weakest is who of the group gives way to a newcomer: of the oldest, the one whose networks hold the most.
func (g *group) weakest(newcomer *Place) (found *Place) {
	for s := range states {
		for e, i := g.waiting[s].Front(), 0; e != nil && i < lookAt; e, i = e.Next(), i+1 {
			p := e.Value.(*Place)
			if p == newcomer || (s == busy && p.weight() <= 2*newcomer.weight()) {
				continue
			}
			if found == nil || p.weight() > found.weight() {
				found = p
			}
		}
	}
	return found
}

// weight is how much the networks of a place hold, the wider ones for what they may be worth.
func (p *Place) weight() int {
	most := 0
	for _, g := range p.groups[:len(p.groups)-1] {
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
	p.state = s
	for _, g := range p.groups {
		p.spots = append(p.spots, g.waiting[s].PushBack(p))
	}
}

func (p *Place) part() {
	for i, g := range p.groups {
		g.waiting[p.state].Remove(p.spots[i])
	}
	p.spots = p.spots[:0]
}

func (p *Place) leave() {
	if p.left {
		return
	}
	p.left = true
	p.part()
	for _, g := range p.groups {
		if g.n--; g.n == 0 {
			delete(p.crowd.groups, g.name)
		}
	}
}
