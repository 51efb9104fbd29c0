package crowd_test

import (
	"fmt"
	"net/netip"
	"testing"

	"jiseki/internal/crowd"
)

// wide are limits as a gateway has them.
var wide = crowd.Limits{Strangers: 2048, Met: 2048, Inside: 2048, PerNetwork: 256, PerInside: 2048}

// full is a crowd of strangers who all are at work.
func full(t testing.TB, of func(i int) netip.Addr) *crowd.Crowd {
	t.Helper()
	c := crowd.New(wide, nil)
	for i := range wide.Strangers {
		p := c.Enter(of(i), func() {})
		if p == nil {
			t.Fatalf("stranger %d is refused", i)
		}
		p.Work()
	}
	return c
}

// TestFewNetworksKeepNobodyOut: whoever holds all places at work from ten addresses, or from one /48, and goes on
// coming, takes the place of nobody who holds one.
func TestFewNetworksKeepNobodyOut(t *testing.T) {
	for name, of := range map[string]func(i int) netip.Addr{
		"ten addresses": func(i int) netip.Addr { return addr(fmt.Sprintf("198.51.100.%d", i%10)) },
		"one /48":       network64,
		// 32 that hold one place each came before all others.
		"behind light ones": func(i int) netip.Addr {
			if i < 32 {
				return addr(fmt.Sprintf("198.51.100.%d", i))
			}
			return addr(fmt.Sprintf("198.51.100.%d", 100+i%32))
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := full(t, of)
			for i := range 100 {
				if c.Enter(addr(fmt.Sprintf("203.0.113.%d", i)), func() { t.Errorf("%d gave way before it could say anything", i) }) == nil {
					t.Errorf("%d is refused", i)
				}
				c.Enter(of(wide.Strangers+i), func() {})
			}
		})
	}
}

// BenchmarkNewcomer is one who comes where all places are taken, by as many networks.
func BenchmarkNewcomer(b *testing.B) {
	c := full(b, func(i int) netip.Addr { return addr(fmt.Sprintf("198.51.%d.%d", i/256, i%256)) })
	one := addr("203.0.113.1")
	for b.Loop() {
		if c.Enter(one, func() {}) != nil {
			b.Fatal("a place was free")
		}
	}
}
