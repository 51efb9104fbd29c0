package gateway

import (
	"crypto/tls"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// fullWrite is what the server's HTTP/2 gathers before it writes (net/http, http2bufWriterPoolBufferSize). It
	// writes less only when no answer waits any more; records of TLS are not cut smaller, as [doors] see to.
	fullWrite = 4 << 10
	// leastWrite is the shortest frame in a record of TLS 1.3: 9 bytes and 22. What is shorter is TLS's own.
	leastWrite = 31
	// mostAhead is how much of a connection is read before what it asked for was written, in bytes. The shortest frame
	// with an answer costs some 150 bytes of memory for its 17. A body that is uploaded is written for every 4 KB of
	// it.
	mostAhead = 8 << 10
	// settled is after how long without reading and writing there is nothing to write.
	settled = 100 * time.Millisecond
)

// attentive makes connections of which, when they turn out to be HTTP/2, no more is read while nobody takes the
// answers: the server would queue up to 10,000 of them.
type attentive struct{ net.Listener }

// Accept waits for the next one.
func (l attentive) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &unread{Conn: conn, ended: make(chan struct{}, 1)}, nil
}

// unread is a connection below TLS. Reading may wait for a write to end, or for Close; deadlines for reading are then
// not looked at, which HTTP/2 does not set.
type unread struct {
	net.Conn
	bounded atomic.Bool
	ended   chan struct{} // has something when a write has ended since Read looked

	mu      sync.Mutex
	ahead   int       // bytes read that may wait for answers
	since   int       // bytes read since the write on its way began
	writing bool      // one is on its way
	last    time.Time // when something was read or written
	closed  bool
}

// bound begins to hold back the connection of HTTP/2 under conn.
func bound(conn net.Conn) {
	secure, ok := conn.(*tls.Conn)
	if !ok {
		return
	}
	u, ok := secure.NetConn().(*unread)
	if ok && !u.bounded.Load() && secure.ConnectionState().NegotiatedProtocol == "h2" {
		u.bounded.Store(true)
	}
}

// NetConn is the connection below.
func (u *unread) NetConn() net.Conn { return u.Conn }

// Read reads, on HTTP/2 when what was written has been taken.
func (u *unread) Read(p []byte) (int, error) {
	if !u.bounded.Load() {
		return u.Conn.Read(p)
	}
	room, wait := u.room()
	for ; room == 0; room, wait = u.room() {
		timer := time.NewTimer(wait)
		select {
		case <-u.ended:
		case <-timer.C:
		}
		timer.Stop()
	}
	n, err := u.Conn.Read(p[:min(len(p), room)])
	u.mu.Lock()
	defer u.mu.Unlock()
	u.ahead += n
	u.since += n
	u.last = time.Now()
	return n, err
}

// room is how much may be read now, or when to look again if no write ends before.
func (u *unread) room() (n int, wait time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	quiet := time.Since(u.last)
	switch {
	case u.ahead < mostAhead || u.closed:
		return max(mostAhead-u.ahead, 1), 0
	case u.writing:
		return 0, settled
	case quiet < settled:
		return 0, settled - quiet
	}
	u.ahead = 0
	return mostAhead, 0
}

// Write writes, and reckons what that says about the answers that wait.
func (u *unread) Write(p []byte) (int, error) {
	u.mu.Lock()
	u.writing, u.since = true, 0
	u.mu.Unlock()
	n, err := u.Conn.Write(p)
	u.wrote(len(p))
	return n, err
}

func (u *unread) wrote(n int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.writing, u.last = false, time.Now()
	switch {
	case n >= fullWrite:
		u.ahead = max(0, u.ahead-n)
	case n >= leastWrite:
		u.ahead = u.since
	}
	u.wake()
}

// Close closes, also for who waits in Read.
func (u *unread) Close() error {
	u.mu.Lock()
	u.closed = true
	u.wake()
	u.mu.Unlock()
	return u.Conn.Close()
}

func (u *unread) wake() {
	select {
	case u.ended <- struct{}{}:
	default:
	}
}
