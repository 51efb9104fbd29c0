package api

import (
	"net"

	"golang.org/x/sys/unix"
)

// readLine asks the kernel (TCP_INFO, TCP_CONGESTION).
func readLine(c *net.TCPConn) line {
	raw, err := c.SyscallConn()
	if err != nil {
		return line{}
	}
	var l line
	_ = raw.Control(func(fd uintptr) { // a connection that has ended has no line
		s := int(fd) //nolint:gosec // a descriptor is small
		info, err := unix.GetsockoptTCPInfo(s, unix.IPPROTO_TCP, unix.TCP_INFO)
		if err != nil {
			return
		}
		l.rttUS, l.sent, l.retransmitted = info.Rtt, info.Data_segs_out, info.Total_retrans
		l.congestion, _ = unix.GetsockoptString(s, unix.IPPROTO_TCP, unix.TCP_CONGESTION)
	})
	return l
}
