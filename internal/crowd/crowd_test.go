package crowd_test

import (
	"net/netip"
	"testing"
	"time"

	"jiseki/internal/crowd"
)

var limits = crowd.Limits{Strangers: 8, Met: 8, Inside: 8, PerNetwork: 4, PerInside: 6}

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// guests counts who had to give way.
type guests struct {
	*testing.T
	crowd *crowd.Crowd
	lost  []string
}

func (g *guests) enter(name, address string) *crowd.Place {
	return g.crowd.Enter(addr(address), func() { g.lost = append(g.lost, name) })
}

func (g *guests) wantLost(want ...string) {
	g.Helper()
	if len(g.lost) != len(want) {
		g.Fatalf("gave way: %v, want %v", g.lost, want)
	}
	for i := range want {
		if g.lost[i] != want[i] {
			g.Fatalf("gave way: %v, want %v", g.lost, want)
		}
	}
}

func TestTheOldestOfTheNetworkGivesWay(t *testing.T) {
	g := &guests{T: t, crowd: crowd.New(limits, nil)}
	first := g.enter("1", "192.0.2.1")
	for _, name := range []string{"2", "3", "4"} {
		g.enter(name, "192.0.2.1")
	}
	first.Rest() // has shown something: those who have not go first
	if g.enter("5", "192.0.2.1") == nil {
		t.Fatal("the newcomer was refused")
	}
	g.wantLost("2")
	if g.crowd.Len() != 4 {
		t.Errorf("%d places are taken", g.crowd.Len())
	}
}

func TestTheHeaviestNetworkGivesWay(t *testing.T) {
	g := &guests{T: t, crowd: crowd.New(limits, nil)}
	honest := g.enter("honest", "198.51.100.1")
	for range 4 {
		g.enter("a", "192.0.2.1").Rest()
	}
	for range 3 {
		g.enter("b", "192.0.2.2").Rest()
	}
	for range 20 {
		g.enter("c", "192.0.2.3")
	}
	for _, name := range g.lost {
		if name == "honest" {
			t.Fatal("who has one place gave way to who has many")
		}
	}
	another := g.enter("another", "198.51.100.2")
	if another == nil || g.crowd.Len() != 8 {
		t.Fatalf("%v, %d places are taken", another, g.crowd.Len())
	}
	honest.Leave()
	honest.Leave()
	if g.crowd.Len() != 7 {
		t.Errorf("%d places are taken", g.crowd.Len())
	}
}

// TestWhoWorksKeepsThePlace, unless one network holds far more than the newcomer's.
func TestWhoWorksKeepsThePlace(t *testing.T) {
	g := &guests{T: t, crowd: crowd.New(limits, nil)}
	for _, a := range []string{"192.0.2.1", "192.0.2.2"} {
		for range 4 {
			g.enter(a, a).Work()
		}
	}
	if g.enter("more", "192.0.2.1") != nil {
		t.Error("a network took more than its share")
	}
	if g.enter("honest", "198.51.100.1") == nil {
		t.Error("two networks keep everybody out")
	}
	g.wantLost("192.0.2.1")
	few := &guests{T: t, crowd: crowd.New(crowd.Limits{Strangers: 2, PerNetwork: 4}, nil)}
	few.enter("x", "192.0.2.1").Work()
	few.enter("y", "192.0.2.2").Work()
	if few.enter("z", "192.0.2.3") != nil {
		t.Error("who works gave way to an equal")
	}
}

func TestTheKnownHavePlacesOfTheirOwn(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	office := netip.MustParsePrefix("10.0.0.0/8")
	known := crowd.NewAcquaintances(func() time.Time { return now }, office.Contains)
	known.Meet("user:tanaka", addr("198.51.100.1"))
	for address, want := range map[string]crowd.Standing{
		"10.1.2.3": crowd.Inside, "198.51.100.1": crowd.Met, "198.51.100.2": crowd.Stranger,
	} {
		if got := known.Of(addr(address)); got != want {
			t.Errorf("%s: %v, want %v", address, got, want)
		}
	}
	if known.Of(netip.Addr{}) != crowd.Inside {
		t.Error("the local socket is a stranger")
	}
	g := &guests{T: t, crowd: crowd.New(limits, known.Of)}
	for range 6 {
		g.enter("office", "10.0.0.1").Work()
	}
	g.enter("home", "198.51.100.1").Work()
	for i := range 20 {
		a := addr("203.0.113.1")
		for range i {
			a = a.Next()
		}
		g.crowd.Enter(a, func() { g.lost = append(g.lost, "stranger") })
	}
	for _, name := range g.lost {
		if name != "stranger" {
			t.Fatalf("%s gave way to a stranger", name)
		}
	}
	if g.crowd.Len() != 7+8 {
		t.Errorf("%d places are taken", g.crowd.Len())
	}
	now = now.Add(100 * time.Hour)
	if known.Of(addr("198.51.100.1")) != crowd.Stranger {
		t.Error("an address is known for ever")
	}
	known.Meet("user:tanaka", addr("198.51.100.1"))
	now = now.Add(-100 * time.Hour) // the clock was ahead
	if known.Of(addr("198.51.100.1")) != crowd.Stranger {
		t.Error("an address is known from next week")
	}
}

// TestTheTownHallHasPlacesOfItsOwn: somebody who is known at many addresses pushes no connection of the town hall out,
// though it stands behind one address.
func TestTheTownHallHasPlacesOfItsOwn(t *testing.T) {
	hall := addr("10.0.0.1")
	g := &guests{T: t, crowd: crowd.New(limits, func(a netip.Addr) crowd.Standing {
		if a == hall {
			return crowd.Inside
		}
		return crowd.Met
	})}
	for range limits.PerInside {
		g.enter("hall", hall.String()).Work()
	}
	met := addr("198.51.100.1")
	for range 10 * limits.Met {
		if p := g.crowd.Enter(met, func() {}); p != nil {
			p.Work()
		}
		met = met.Next()
	}
	g.wantLost()
}

// TestIPv6IsCountedByTheWiderNetworksToo: who has a /48 has 65,536 networks.
func TestIPv6IsCountedByTheWiderNetworksToo(t *testing.T) {
	c := crowd.New(crowd.Limits{Strangers: 1000, PerNetwork: 2}, nil)
	lost := 0
	for i := range 200 {
		a := addr("2001:db8:1::").As16()
		a[6], a[7] = byte(i/4), byte(i%4)
		c.Enter(netip.AddrFrom16(a), func() { lost++ })
	}
	if c.Len() != 2*16 || lost != 200-32 {
		t.Errorf("a /48 holds %d places", c.Len())
	}
	for i := range 20 {
		a := addr("2001:db8:2::").As16()
		a[7] = byte(i)
		c.Enter(netip.AddrFrom16(a), func() {})
	}
	if c.Len() != 2*16+2*4 {
		t.Errorf("a /56 holds %d places", c.Len()-32)
	}
}
