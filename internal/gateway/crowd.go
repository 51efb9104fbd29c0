package gateway

import (
	"crypto/tls"
	"net"
	"net/http"
	"sync"

	"jiseki/internal/crowd"
	"jiseki/internal/remote"
)

// connections are how many may be open at once on a listener, sockets that were taken over not counted: those have
// limits of their own. A connection at rest costs some 30 KB; what its streams cost is bounded by [streams], what waits
// for who does not read by [unread]. One network outside has room for a branch office behind a translated address; the
// town hall may stand behind one as a whole.
func connections() crowd.Limits {
	return crowd.Limits{Strangers: 2048, Met: 2048, Inside: 2048, PerNetwork: 256, PerInside: 2048}
}

// visitors are the connections of a listener, so that strangers who open sockets and say nothing take neither all
// memory nor everybody's place. They are the ConnState of an http.Server.
type visitors struct {
	crowd *crowd.Crowd

	mu sync.Mutex
	in map[net.Conn]*crowd.Place
}

func newVisitors(c *crowd.Crowd) *visitors {
	return &visitors{crowd: c, in: make(map[net.Conn]*crowd.Place)}
}

// state follows one connection. The server calls one active when it has read something of it, behind TLS after the
// handshake.
func (v *visitors) state(conn net.Conn, state http.ConnState) {
	if state == http.StateNew {
		v.enter(conn)
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	place := v.in[conn]
	if place == nil {
		return
	}
	switch state {
	case http.StateActive:
		place.Work()
		bound(conn)
	case http.StateIdle:
		place.Rest()
	case http.StateHijacked, http.StateClosed:
		place.Leave()
		delete(v.in, conn)
	}
}

// enter closes a connection for which there is no place before a byte of it is read.
func (v *visitors) enter(conn net.Conn) {
	place := v.crowd.Enter(remote.Addr(conn.RemoteAddr().String()), func() { hangUp(conn) })
	if place == nil {
		hangUp(conn)
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.in[conn] = place
}

// hangUp closes at once: a goodbye of TLS could block.
func hangUp(conn net.Conn) {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	_ = conn.Close() // whatever becomes of it, the server sees the end
}
