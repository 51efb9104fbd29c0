// Package wake wakes sleeping machines of the local network by magic packets (Wake-on-LAN), and says which adapters this machine
// has and whether they may wake it.
//
// A [Machine] sends only into networks that it stands in, or that it was told it reaches by directed broadcast, however it is
// asked, and only so much in a minute. A magic packet carries no secret and does nothing but switch a machine on.
package wake

import (
	"bytes"
	"errors"
	"fmt"
	"net"
)

// MAC is the address of an Ethernet adapter.
type MAC [6]byte

// ErrMAC means that an address is not that of one adapter: the wrong length, zero, or a group.
var ErrMAC = errors.New("wake: not the address of an adapter")

// NewMAC reads the 6 bytes of an adapter's address.
func NewMAC(b []byte) (MAC, error) {
	if len(b) != len(MAC{}) {
		return MAC{}, ErrMAC
	}
	m := MAC(b)
	if m == (MAC{}) || m[0]&1 != 0 { // the group bit, IEEE 802-2014 section 8.2.2
		return MAC{}, ErrMAC
	}
	return m, nil
}

// String is six pairs of digits with colons.
func (m MAC) String() string { return net.HardwareAddr(m[:]).String() }

// Form of a magic packet (AMD publication 20213, "Magic Packet Technology"): six bytes 0xff, then the address sixteen times,
// anywhere in a frame. Some senders append a SecureOn password of four or six bytes.
const (
	syncBytes = 6
	repeats   = 16
	// PacketSize is the length of a magic packet in bytes.
	PacketSize = syncBytes + repeats*len(MAC{})
)

// ErrPacket means that bytes are no magic packet.
var ErrPacket = errors.New("wake: no magic packet")

// Packet is the magic packet for an adapter.
func Packet(m MAC) [PacketSize]byte {
	var p [PacketSize]byte
	for i := range syncBytes {
		p[i] = 0xff
	}
	for i := range repeats {
		copy(p[syncBytes+i*len(m):], m[:])
	}
	return p
}

// Parse reads a magic packet, with a SecureOn password behind it or without, and nothing else.
func Parse(b []byte) (MAC, error) {
	switch len(b) {
	case PacketSize, PacketSize + 4, PacketSize + 6:
	default:
		return MAC{}, fmt.Errorf("%w: %d bytes", ErrPacket, len(b))
	}
	m, err := NewMAC(b[syncBytes : syncBytes+len(MAC{})])
	if err != nil {
		return MAC{}, fmt.Errorf("%w: %w", ErrPacket, err)
	}
	want := Packet(m)
	if !bytes.Equal(b[:PacketSize], want[:]) {
		return MAC{}, ErrPacket
	}
	return m, nil
}

// Wakes says whether a frame wakes the machine with this adapter: whether its magic packet is anywhere in it, as a sleeping
// adapter looks for it.
func Wakes(frame []byte, m MAC) bool {
	want := Packet(m)
	return bytes.Contains(frame, want[:])
}
