package wake

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
)

// Limits of what is said about a machine: those of the message Hello.
const (
	MaxAdapters = 16
	MaxPrefixes = 8 // of one adapter
	MaxReaches  = 16
)

// Permission says whether an adapter may wake its machine.
type Permission uint8

// The permissions.
const (
	Unknown   Permission = iota // the system does not tell
	Allowed                     // by magic packet
	Forbidden                   // the adapter cannot, or is set not to
)

// Adapter is a network adapter of this machine with at least one IPv4 network.
type Adapter struct {
	Name     string
	MAC      MAC
	Prefixes []netip.Prefix // the machine's own addresses with their networks' length
	Wake     Permission
}

// Adapters lists the adapters by which this machine stands in local networks, at most MaxAdapters: those that are up, can
// broadcast and have an IPv4 address. Bridges and tunnels of virtual machines and containers do not count: every desk may have
// the same ones.
func Adapters() ([]Adapter, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("wake: list adapters: %w", err)
	}
	var found []Adapter
	for _, i := range all {
		if !local(i.Flags) || virtual(i.Name) {
			continue
		}
		mac, err := NewMAC(i.HardwareAddr)
		if err != nil {
			continue // no Ethernet
		}
		addresses, err := i.Addrs()
		if err != nil {
			continue // it went away between the two questions
		}
		if prefixes := networks(addresses); len(prefixes) > 0 && len(found) < MaxAdapters {
			found = append(found, Adapter{Name: i.Name, MAC: mac, Prefixes: prefixes, Wake: permission(i.Name)})
		}
	}
	return found, nil
}

// local says that an adapter is one of a network with neighbours.
func local(f net.Flags) bool {
	return f&net.FlagUp != 0 && f&net.FlagBroadcast != 0 && f&(net.FlagLoopback|net.FlagPointToPoint) == 0
}

// networks picks the IPv4 networks in which a broadcast has a meaning.
func networks(addresses []net.Addr) []netip.Prefix {
	var found []netip.Prefix
	for _, a := range addresses {
		p, err := netip.ParsePrefix(a.String())
		if err != nil || CheckNetwork(p) != nil || p.Addr().IsLinkLocalUnicast() {
			continue
		}
		if !slices.Contains(found, p) && len(found) < MaxPrefixes {
			found = append(found, p)
		}
	}
	return found
}

// CheckNetwork refuses what is no IPv4 network with neighbours: a length outside 8 to 30.
func CheckNetwork(p netip.Prefix) error {
	if !p.IsValid() || !p.Addr().Is4() || p.Bits() < 8 || p.Bits() > 30 {
		return fmt.Errorf("wake: %s is no IPv4 network", p)
	}
	return nil
}

// Broadcast is the last address of an IPv4 network: the one for all its machines.
func Broadcast(p netip.Prefix) netip.Addr {
	a := p.Masked().Addr().As4()
	for i := p.Bits(); i < 32; i++ {
		a[i/8] |= 0x80 >> (i % 8)
	}
	return netip.AddrFrom4(a)
}
