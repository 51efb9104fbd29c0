package store

import (
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

// TestLinesAreAsked: a line to the database is given up by the kernel when nothing is acknowledged, and asked when it is at rest.
func TestLinesAreAsked(t *testing.T) {
	door, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer door.Close()
	c, err := dialer(0).DialContext(t.Context(), "tcp", door.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for name, option := range map[string]struct{ number, want int }{
		"user timeout": {unix.TCP_USER_TIMEOUT, 15_000}, "idle": {unix.TCP_KEEPIDLE, 15}, "interval": {unix.TCP_KEEPINTVL, 5},
		"count": {unix.TCP_KEEPCNT, 3},
	} {
		var got int
		if err := raw.Control(func(fd uintptr) { got, err = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, option.number) }); err != nil {
			t.Fatal(err)
		}
		if err != nil || got != option.want {
			t.Errorf("%s: %d, %v", name, got, err)
		}
	}
}
