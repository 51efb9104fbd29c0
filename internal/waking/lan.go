package waking

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/grant"
	"jiseki/internal/session"
	"jiseki/internal/store"
	"jiseki/internal/wake"
)

// A segment is a network whose machines hear each other's broadcasts. The same prefix in two zones is two networks.
type segment struct {
	zone   grant.Zone
	prefix netip.Prefix // masked
}

// A lan is what the gateways know of all machines at one moment.
type lan struct {
	machines map[string]*store.Machine
	segments map[segment][]*store.Machine // who stands in each, by id
	reachers []*store.Machine             // always-on machines that wake by directed broadcast
	now      time.Time
}

func newLAN(machines []store.Machine, now time.Time) *lan {
	l := &lan{machines: make(map[string]*store.Machine, len(machines)), segments: make(map[segment][]*store.Machine), now: now}
	for i := range machines {
		m := &machines[i]
		l.machines[m.ID] = m
		for _, s := range segmentsOf(m) {
			l.segments[s] = append(l.segments[s], m)
		}
		if len(m.Reaches) > 0 {
			l.reachers = append(l.reachers, m)
		}
	}
	return l
}

// segmentsOf lists the networks that a machine stands in, each once.
func segmentsOf(m *store.Machine) []segment {
	var found []segment
	for _, a := range m.Adapters {
		for _, p := range a.Prefixes {
			if s := (segment{m.Zone, p.Masked()}); !slices.Contains(found, s) {
				found = append(found, s)
			}
		}
	}
	return found
}

// on says that the machine's agent is connected.
func (l *lan) on(m *store.Machine) bool { return session.Presence(&m.Desk, l.now) == access.On }

// A candidate is a machine that may wake a desk now.
type candidate struct {
	id       string
	networks []string
	rank     int // 0 is the best
}

// Ranks of candidates.
const (
	alwaysOn = iota // a waker in the desk's network
	neighbour
	reacher // by directed broadcast, which a router may drop
)

// candidates lists who may wake a desk now, the best first: always-on wakers in one of its networks, desks there, then
// wakers that reach one from elsewhere.
func (l *lan) candidates(desk *store.Machine) []candidate {
	found := map[string]*candidate{}
	add := func(m *store.Machine, s segment, rank int) {
		if m.ID == desk.ID || !l.on(m) {
			return
		}
		c := found[m.ID]
		if c == nil {
			c = &candidate{id: m.ID, rank: rank}
			found[m.ID] = c
		}
		c.rank = min(c.rank, rank)
		if text := s.prefix.String(); !slices.Contains(c.networks, text) {
			c.networks = append(c.networks, text)
		}
	}
	for _, s := range segmentsOf(desk) {
		for _, m := range l.segments[s] {
			if m.AlwaysOn {
				add(m, s, alwaysOn)
			} else {
				add(m, s, neighbour)
			}
		}
		for _, m := range l.reaching(s) {
			add(m, s, reacher)
		}
	}
	all := make([]candidate, 0, len(found))
	for _, c := range found {
		all = append(all, *c)
	}
	slices.SortFunc(all, func(a, b candidate) int { return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.id, b.id)) })
	return all
}

// reaching lists the always-on machines of the same zone that reach a network from elsewhere.
func (l *lan) reaching(s segment) []*store.Machine {
	var found []*store.Machine
	for _, m := range l.reachers {
		if m.Zone == s.zone && wake.Reached(m.Reaches, s.prefix) && !slices.Contains(l.segments[s], m) {
			found = append(found, m)
		}
	}
	return found
}

// macs lists the addresses of a machine's adapters, at most so many as an order holds.
func macs(m *store.Machine) [][]byte {
	var all [][]byte
	for _, a := range m.Adapters {
		if len(a.Prefixes) > 0 && len(all) < wake.MaxAdapters {
			all = append(all, a.MAC[:])
		}
	}
	return all
}

// forbidden says that every adapter of the machine is set not to wake it.
func forbidden(m *store.Machine) bool {
	return !slices.ContainsFunc(m.Adapters, func(a wake.Adapter) bool { return len(a.Prefixes) > 0 && a.Wake != wake.Forbidden })
}

// problem says why a desk cannot be woken now; empty if it can.
func (l *lan) problem(desk *store.Machine) access.Code {
	switch {
	case len(macs(desk)) == 0:
		return access.WakeMACUnknown
	case forbidden(desk):
		return access.WakeAdapter
	case len(l.candidates(desk)) == 0:
		return access.WakeNoWaker
	}
	return ""
}

// Waker is a machine that can wake the desks of a segment.
type Waker struct {
	Desk      string
	Name      string
	AlwaysOn  bool
	Connected bool
}

// Segment is a network with its wakers and desks.
type Segment struct {
	Zone       grant.Zone
	Prefix     netip.Prefix
	Wakers     []Waker // always-on first, then those that are connected, then by name
	Desks      int     // that stand in it, always-on machines aside
	DesksOn    int
	Unwakeable int         // desks whose adapters are set not to wake them
	Warning    access.Code // empty: an always-on waker is connected
}

// list describes all networks in which desks stand, by zone and prefix.
func (l *lan) list() []Segment {
	var all []Segment
	for s, machines := range l.segments {
		one := Segment{Zone: s.zone, Prefix: s.prefix}
		for _, m := range append(slices.Clone(machines), l.reaching(s)...) {
			one.Wakers = append(one.Wakers, Waker{Desk: m.ID, Name: m.Name, AlwaysOn: m.AlwaysOn, Connected: l.on(m)})
		}
		for _, m := range machines {
			if m.AlwaysOn {
				continue
			}
			one.Desks++
			if l.on(m) {
				one.DesksOn++
			}
			if forbidden(m) {
				one.Unwakeable++
			}
		}
		slices.SortFunc(one.Wakers, func(a, b Waker) int {
			return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Desk, b.Desk))
		})
		one.Warning = warning(one.Wakers)
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b Segment) int {
		return cmp.Or(cmp.Compare(a.Zone, b.Zone), a.Prefix.Addr().Compare(b.Prefix.Addr()), cmp.Compare(a.Prefix.Bits(), b.Prefix.Bits()))
	})
	return all
}

// warning: without an always-on waker that is there nobody is woken once all desks are off; with a single machine
// nobody ever is.
func warning(wakers []Waker) access.Code {
	if slices.ContainsFunc(wakers, func(w Waker) bool { return w.AlwaysOn && w.Connected }) {
		return ""
	}
	if len(wakers) < 2 && !slices.ContainsFunc(wakers, func(w Waker) bool { return w.AlwaysOn }) {
		return access.SegmentNoWaker
	}
	return access.SegmentNoAlways
}

// rank is 0 for the best.
func (w *Waker) rank() (rank int) {
	if !w.AlwaysOn {
		rank += 2
	}
	if !w.Connected {
		rank++
	}
	return rank
}
