package store

import (
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// boundLine is a net.Dialer's Control that gives up a line on which what was sent is not acknowledged within lineTime; of its own the
// kernel tries for some 15 minutes (tcp(7), TCP_USER_TIMEOUT).
func boundLine(network, _ string, rc syscall.RawConn) error {
	if !strings.HasPrefix(network, "tcp") {
		return nil
	}
	var refused error
	err := rc.Control(func(fd uintptr) {
		refused = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(lineTime.Milliseconds()))
	})
	if err != nil {
		return err
	}
	return refused
}
