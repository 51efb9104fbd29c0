package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"jiseki/internal/api"
	"jiseki/internal/crowd"
	"jiseki/internal/link"
)

const (
	// headerTimeout is what a stranger may take to send the head of a request.
	headerTimeout = 10 * time.Second
	// bodyTimeout is what a request may take altogether; sockets are taken over
	// long before.
	bodyTimeout = 60 * time.Second
	// unreadTimeout closes a connection of HTTP/2 that takes not one byte of what is written, and holds answers in
	// memory meanwhile.
	unreadTimeout = 10 * time.Second
	// idleTimeout closes connections that nobody uses.
	idleTimeout = 2 * time.Minute
	// stopTimeout is what running requests may take when the gateway stops.
	stopTimeout = 5 * time.Second
	// maxHeader bounds the head of a request.
	maxHeader = 16 << 10
	// maxStreams are the requests that run at once on one connection of HTTP/2: what a client may begin with before it
	// was told (RFC 9113 section 6.5.2 asks for no less).
	maxStreams = 100
	// maxUnread is what a connection of HTTP/2 may send that no handler has read yet, in bytes: some 50 Mbit/s for a
	// measurement over 40 ms, the only long body that is read as it comes.
	maxUnread = 256 << 10
)

// http2 bounds what a connection of HTTP/2 may keep in memory.
func http2() *http.HTTP2Config {
	return &http.HTTP2Config{
		MaxConcurrentStreams: maxStreams, MaxReceiveBufferPerConnection: maxUnread, MaxReceiveBufferPerStream: maxUnread,
		MaxReadFrameSize: 16 << 10, MaxDecoderHeaderTableSize: 4 << 10, WriteByteTimeout: unreadTimeout,
	}
}

// doors are the listeners of a gateway.
type doors struct {
	log       *slog.Logger
	standing  func(netip.Addr) crowd.Standing
	listening Listening
	all       []door
}

type door struct {
	listener net.Listener
	server   *http.Server
	secure   bool
}

func listen(ctx context.Context, address string, log *slog.Logger) (*link.Listener, error) {
	l, err := link.Listen(ctx, address, log)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, errPortBusy(address, err)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	return l, nil
}

// add prepares a listener; without a TLS configuration it is a local socket.
func (d *doors) add(l net.Listener, config *tls.Config, handler http.Handler) {
	writeTime := time.Duration(0) // on the machine itself a command takes its time
	if config != nil {
		writeTime = bodyTimeout
		config = config.Clone()                   // http adds to it
		config.DynamicRecordSizingDisabled = true // [unread] tells by a record's size whether more is to come
		handler = &requests{crowd: crowd.New(streams(), d.standing), next: handler}
	}
	d.all = append(d.all, door{listener: l, secure: config != nil, server: &http.Server{
		Handler: handler, TLSConfig: config, ReadHeaderTimeout: headerTimeout, ReadTimeout: bodyTimeout, WriteTimeout: writeTime,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader, HTTP2: http2(), ConnContext: api.WithConn,
		ConnState: newVisitors(crowd.New(connections(), d.standing)).state, ErrorLog: slog.NewLogLogger(d.log.Handler(), slog.LevelDebug),
	}})
}

// serve answers until ctx ends; then it lets running requests end.
func (d *doors) serve(ctx context.Context, group *errgroup.Group) {
	for _, one := range d.all {
		group.Go(func() error {
			err := one.serve()
			if errors.Is(err, http.ErrServerClosed) {
				return nil
			}
			return fmt.Errorf("serve %s: %w", one.listener.Addr(), err)
		})
		group.Go(func() error {
			<-ctx.Done()
			stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
			defer cancel()
			if one.server.Shutdown(stopping) != nil {
				return one.server.Close()
			}
			return nil
		})
	}
}

func (d *door) serve() error {
	if d.secure {
		return d.server.ServeTLS(attentive{d.listener}, "", "")
	}
	return d.server.Serve(d.listener)
}

// close closes listeners that were never served.
func (d *doors) close() {
	for _, one := range d.all {
		one.listener.Close()
	}
}
