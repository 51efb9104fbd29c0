package crowd_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"jiseki/internal/crowd"
)

// network64 is one of the many networks of somebody with a /48.
func network64(i int) netip.Addr {
	a := addr("2001:db8:1::1").As16()
	binary.BigEndian.PutUint16(a[6:], uint16(i)) //nolint:gosec // below 65,536
	return netip.AddrFrom16(a)
}

// TestOneUserFillsNoMemory: whoever comes from ever new networks takes nobody else's standing, neither of those who
// were known before nor of those who come later.
func TestOneUserFillsNoMemory(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	known := crowd.NewAcquaintances(func() time.Time { return now }, func(netip.Addr) bool { return false })
	known.Meet("desk:k1", addr("198.51.100.1"))
	known.Meet("user:suzuki", addr("198.51.100.3"))
	for i := range 20_000 {
		known.Meet("user:tanaka", network64(i))
	}
	known.Meet("user:sato", addr("198.51.100.2"))
	now = now.Add(71 * time.Hour)
	known.Meet("desk:k1", addr("198.51.100.1"))
	now = now.Add(2 * time.Hour) // 73 h after the first time
	for address, want := range map[netip.Addr]crowd.Standing{
		addr("198.51.100.1"): crowd.Met, addr("198.51.100.2"): crowd.Stranger, addr("198.51.100.3"): crowd.Stranger,
	} {
		if got := known.Of(address); got != want {
			t.Errorf("%s: %v, want %v", address, got, want)
		}
	}
	now = now.Add(-3 * time.Hour)
	for _, address := range []netip.Addr{addr("198.51.100.2"), addr("198.51.100.3"), network64(19_999)} {
		if known.Of(address) != crowd.Met {
			t.Errorf("%s is not known", address)
		}
	}
	if known.Of(network64(0)) != crowd.Stranger {
		t.Error("a user's first of very many networks is still known")
	}
}

// TestTheOldestAcquaintanceIsForgotten where all together are too many; a network that others were met at too is not.
func TestTheOldestAcquaintanceIsForgotten(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	known := crowd.NewAcquaintances(func() time.Time { return now }, func(netip.Addr) bool { return false })
	known.Meet("user:first", addr("198.51.100.1"))
	known.Meet("user:shared", addr("198.51.100.2"))
	for i := range 10_000 {
		now = now.Add(time.Second)
		known.Meet(fmt.Sprint("user:", i), network64(i))
		known.Meet("user:other", addr("198.51.100.2"))
	}
	if known.Of(addr("198.51.100.1")) != crowd.Stranger {
		t.Error("the oldest is still known")
	}
	for _, address := range []netip.Addr{addr("198.51.100.2"), network64(9_999)} {
		if known.Of(address) != crowd.Met {
			t.Errorf("%s is not known", address)
		}
	}
}
