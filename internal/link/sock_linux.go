package link

import (
	"log/slog"
	"syscall"

	"golang.org/x/sys/unix"
)

// tune sets the options of a listening socket and returns its congestion control.
func tune(fd uintptr, log *slog.Logger) string {
	s := int(fd)
	if err := unix.SetsockoptString(s, unix.IPPROTO_TCP, unix.TCP_CONGESTION, WantedCongestion); err != nil {
		log.Warn("congestion control refused; see net.ipv4.tcp_allowed_congestion_control", "wanted", WantedCongestion, "error", err)
	}
	if err := unix.SetsockoptInt(s, unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, notSentLowWater); err != nil {
		log.Warn("the kernel's queue is not bounded", "error", err)
	}
	got, err := unix.GetsockoptString(s, unix.IPPROTO_TCP, unix.TCP_CONGESTION)
	if err != nil {
		return ""
	}
	return got
}

// boundQueue is a net.Dialer's Control that bounds what the kernel holds unsent.
func boundQueue(_, _ string, rc syscall.RawConn) error {
	return rc.Control(func(fd uintptr) {
		// Best effort: a kernel that does not know it only queues more.
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, notSentLowWater)
	})
}
