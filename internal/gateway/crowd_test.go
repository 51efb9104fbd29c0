package gateway

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
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

func TestCrowdDropsWhoIsOneTooMany(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{ConnState: newCrowd(100, 2).state, Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	address := l.Addr().String()
	for range 2 {
		if dropped(t, silent(t, address)) {
			t.Fatal("one of the first two was dropped")
		}
	}
	if !dropped(t, silent(t, address)) {
		t.Fatal("the third was served")
	}
}

// TestCrowdForgets those that were closed or taken over.
func TestCrowdForgets(t *testing.T) {
	c := newCrowd(2, 2)
	one, _ := net.Pipe()
	two, _ := net.Pipe()
	three, _ := net.Pipe()
	c.state(one, http.StateNew)
	c.state(two, http.StateNew)
	if c.enter(three) {
		t.Fatal("three of two")
	}
	c.state(three, http.StateClosed) // never entered
	c.state(one, http.StateHijacked)
	c.state(one, http.StateClosed)
	if !c.enter(three) {
		t.Fatal("no place although one was taken over")
	}
	c.state(two, http.StateClosed)
	c.state(three, http.StateClosed)
	if c.total != 0 || len(c.by) != 0 || len(c.in) != 0 {
		t.Errorf("left: %+v", c)
	}
}

func TestDoorsAreNotForCrowds(t *testing.T) {
	var d doors
	d.log = slog.New(slog.DiscardHandler)
	d.add(nil, nil, nil)
	if d.all[0].server.ConnState == nil {
		t.Error("a door lets everybody in")
	}
}
