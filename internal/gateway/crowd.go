package gateway

import (
	"net"
	"net/http"
	"net/netip"
	"sync"

	"jiseki/internal/remote"
)

const (
	// maxConnections are open at once on a listener, sockets that were taken over not counted: those have limits of
	// their own. A connection costs some 30 KB.
	maxConnections = 8192
	// maxConnectionsPerAddress leaves room for 200 browsers behind one translated address, with six each, and more.
	maxConnectionsPerAddress = 2048
)

// A crowd bounds the connections of a listener, so that a stranger who opens sockets and says nothing cannot take all
// memory. It is the ConnState of an http.Server.
type crowd struct {
	most, mostPerAddress int

	mu    sync.Mutex
	total int
	by    map[netip.Prefix]int
	in    map[net.Conn]netip.Prefix
}

func newCrowd(most, mostPerAddress int) *crowd {
	return &crowd{most: most, mostPerAddress: mostPerAddress, by: make(map[netip.Prefix]int), in: make(map[net.Conn]netip.Prefix)}
}

// state follows one connection. One too many is closed before a byte of it is read.
func (c *crowd) state(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		if !c.enter(conn) {
			conn.Close()
		}
	case http.StateHijacked, http.StateClosed:
		c.leave(conn)
	}
}

func (c *crowd) enter(conn net.Conn) bool {
	from := remote.Network(remote.Addr(conn.RemoteAddr().String()))
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.total >= c.most || c.by[from] >= c.mostPerAddress {
		return false
	}
	c.total++
	c.by[from]++
	c.in[conn] = from
	return true
}

func (c *crowd) leave(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	from, entered := c.in[conn]
	if !entered {
		return
	}
	delete(c.in, conn)
	c.total--
	if c.by[from]--; c.by[from] == 0 {
		delete(c.by, from)
	}
}
