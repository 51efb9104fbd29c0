package hub

import (
	"net/netip"
	"testing"
)

// Whoever has an IPv6 network has more addresses than there are places: the network counts, not the address.
func TestOneStrangerDoesNotTakeAllPlaces(t *testing.T) {
	h := &Hub{halfOpen: make(map[netip.Prefix]int)}
	address := netip.MustParseAddr("2001:db8:1:2::1")
	for range maxHalfOpenPerAddress {
		if !h.admit(address) {
			t.Fatalf("%s is refused with %d connections", address, h.waiting)
		}
		address = address.Next()
	}
	if h.admit(address) {
		t.Error("one network more than its share")
	}
	if !h.admit(netip.MustParseAddr("2001:db8:1:3::1")) {
		t.Error("another network pays for it")
	}
	h.dismiss(netip.MustParseAddr("2001:db8:1:2::1"))
	if !h.admit(address) {
		t.Error("a place that is free again is not given")
	}
}
