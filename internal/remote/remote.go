// Package remote says who is at the other end of a connection, as far as limits and logs go: the address of the connection itself,
// never what a header claims.
package remote

import "net/netip"

// network64 is how much of an IPv6 address names a network: what every customer has at least, and can fill with addresses
// at will (RFC 6177). Many have a /56, some a /48, and can use each /64 of it as a network.
const (
	network64 = 64
	network56 = 56
	network48 = 48
)

// A Share is a network that an address is of, and how many times what one network may take it may take as a whole: somebody's
// neighbours may live in the wider ones.
type Share struct {
	Prefix netip.Prefix
	Times  int
}

// WidestTimes is the largest Times of a Share.
const WidestTimes = 16

// Networks are all networks to count an address by, the narrowest first, which is [Network].
func Networks(a netip.Addr) []Share {
	all := []Share{{Network(a), 1}}
	if !a.Unmap().Is6() {
		return all
	}
	for _, wide := range []struct{ bits, times int }{{network56, 4}, {network48, WidestTimes}} {
		p, _ := a.WithZone("").Prefix(wide.bits) // an IPv6 address has so many
		all = append(all, Share{p, wide.times})
	}
	return all
}

// Addr is the address in "host:port", as net/http and net write it: without a zone, and IPv4 for what is IPv4 in IPv6. What is
// no IP address, such as the name of a local socket, is the zero Addr, which no network contains.
func Addr(hostPort string) netip.Addr {
	a, err := netip.ParseAddrPort(hostPort)
	if err != nil {
		return netip.Addr{}
	}
	return a.Addr().Unmap().WithZone("")
}

// Network is what limits count by, for it is what one stranger has: an IPv4 address, or the /64 of an IPv6 address. The zero
// Addr has the zero Prefix.
func Network(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := a.BitLen()
	if a.Is6() {
		bits = network64
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // of the zero Addr
	}
	return p
}
