package gateway

import (
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"jiseki/internal/crowd"
)

// silent opens a connection and says nothing.
func silent(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// dropped says whether the server has closed a connection; it has if it does not answer a request.
func dropped(t *testing.T, c net.Conn) bool {
	t.Helper()
	_, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if err == nil {
		_, err = c.Read(make([]byte, 1))
	}
	return err != nil
}

// TestSilentOnesGiveWay: the oldest connection that said nothing is closed for a newcomer, and one that was served
// later.
func TestSilentOnesGiveWay(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	places := crowd.New(crowd.Limits{Strangers: 100, PerNetwork: 2}, nil)
	server := &http.Server{ConnState: newVisitors(places).state, Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	address := l.Addr().String()
	first := silent(t, address)
	second := silent(t, address)
	if dropped(t, second) {
		t.Fatal("one of the first two was dropped")
	}
	if dropped(t, silent(t, address)) {
		t.Fatal("the newcomer was refused")
	}
	if !dropped(t, first) {
		t.Fatal("who said nothing kept the place")
	}
}

// TestVisitorsForget those that were closed or taken over.
func TestVisitorsForget(t *testing.T) {
	places := crowd.New(crowd.Limits{Strangers: 2, Met: 2, Inside: 2, PerNetwork: 2, PerInside: 2}, nil)
	v := newVisitors(places)
	one, _ := net.Pipe()
	two, _ := net.Pipe()
	v.state(one, http.StateNew)
	v.state(one, http.StateActive)
	v.state(two, http.StateNew)
	v.state(two, http.StateActive)
	v.state(two, http.StateIdle)
	v.state(one, http.StateHijacked)
	v.state(one, http.StateClosed)
	v.state(two, http.StateClosed)
	if places.Len() != 0 || len(v.in) != 0 {
		t.Errorf("left: %d, %v", places.Len(), v.in)
	}
}

// TestDoorsAreNotForCrowds: every door counts connections, and those of the network what each connection of HTTP/2 asks
// and leaves unread; both ask who is known.
func TestDoorsAreNotForCrowds(t *testing.T) {
	asked := 0
	d := doors{log: slog.New(slog.DiscardHandler), standing: func(netip.Addr) crowd.Standing {
		asked++
		return crowd.Met
	}}
	d.add(nil, nil, http.NotFoundHandler())
	d.add(nil, &tls.Config{MinVersion: tls.VersionTLS13}, http.NotFoundHandler())
	for i, door := range d.all {
		one, _ := net.Pipe()
		door.server.ConnState(one, http.StateNew)
		if asked != i+1 {
			t.Errorf("door %d lets everybody in", i)
		}
	}
	network := d.all[1].server
	two := httptest.NewRequest(http.MethodGet, "/", nil)
	two.ProtoMajor = 2
	network.Handler.ServeHTTP(httptest.NewRecorder(), two)
	if asked != 3 {
		t.Error("requests of HTTP/2 are not counted")
	}
	if h := network.HTTP2; h.WriteByteTimeout != unreadTimeout || h.MaxConcurrentStreams != maxStreams || h.MaxReceiveBufferPerConnection != maxUnread {
		t.Errorf("HTTP/2 is bounded by %+v", h)
	}
	if network.MaxHeaderBytes != maxHeader || network.ReadHeaderTimeout != headerTimeout || network.ReadTimeout != bodyTimeout {
		t.Errorf("heads have %d bytes and %s, requests %s", network.MaxHeaderBytes, network.ReadHeaderTimeout, network.ReadTimeout)
	}
}
