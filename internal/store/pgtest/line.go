package pgtest

import (
	"io"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
)

// A Line is a way to a cluster over TCP that can hang.
type Line struct {
	server string // the server's socket

	mu    sync.Mutex
	hangs chan struct{} // closed when the connections that are open hang
	open  []net.Conn
}

// NewLine makes a Line to the database of a URL, and returns the URL that leads over it.
func NewLine(t testing.TB, dsn string) (line *Line, over string) {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	door, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // of this machine
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	l := &Line{server: filepath.Join(q.Get("host"), ".s.PGSQL.5432"), hangs: make(chan struct{})}
	var work sync.WaitGroup
	work.Go(func() { l.serve(door, &work) })
	t.Cleanup(func() {
		_ = door.Close() // what is open is closed below
		l.cut()
		work.Wait()
	})
	q.Del("host")
	u.Host, u.RawQuery = door.Addr().String(), q.Encode()
	return l, u.String()
}

// Hang makes the connections that are open hang: what is sent on them is taken, and nothing ever comes. New ones work.
func (l *Line) Hang() {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.hangs)
	l.hangs = make(chan struct{})
}

func (l *Line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.open {
		_ = c.Close() // it may be closed
	}
}

func (l *Line) serve(door net.Listener, work *sync.WaitGroup) {
	for {
		here, err := door.Accept()
		if err != nil {
			return
		}
		there, err := net.Dial("unix", l.server) //nolint:noctx // of this machine
		if err != nil {
			_ = here.Close()
			continue
		}
		l.mu.Lock()
		l.open = append(l.open, here, there)
		hangs := l.hangs
		l.mu.Unlock()
		work.Go(func() { pump(there, here, hangs) })
		work.Go(func() { pump(here, there, hangs) })
	}
}

// pump carries what comes from one end to the other until one closes. Once the line hangs it swallows all, also the closing.
func pump(to, from net.Conn, hangs <-chan struct{}) {
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		select {
		case <-hangs:
			_, _ = io.Copy(io.Discard, from)
			return
		default:
		}
		if _, werr := to.Write(b[:n]); err != nil || werr != nil {
			_, _ = from.Close(), to.Close()
			return
		}
	}
}
