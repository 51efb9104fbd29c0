package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"jiseki/internal/cert"
	"jiseki/internal/gateway/gatewaytest"
)

// An attack is something hostile that goes on until its context ends.
type attack struct {
	name    string
	costly  bool // passwords cost what they cost in a town hall
	prepare func(t *host, s *siege)
	run     func(ctx context.Context, s *siege)
}

// attacks are those that are known. A new one is one more row.
var attacks = []attack{
	{name: "bodies", costly: true, run: floodBodies},
	{name: "seats", prepare: staffUp, run: floodSeats},
	{name: "lock-out", costly: true, run: lockOut},
	{name: "hashing", costly: true, run: floodHashing},
	{name: "connections", costly: true, run: floodConnections},
}

// workers does something again and again, so many at once from each address, until ctx ends.
func (s *siege) workers(ctx context.Context, each int, do func(ctx context.Context, client *http.Client, n int)) {
	var group sync.WaitGroup
	for _, from := range s.addresses {
		client := s.client(from)
		defer client.CloseIdleConnections()
		for n := range each {
			group.Go(func() {
				for i := n; ctx.Err() == nil; i++ {
					s.tries.Add(1)
					do(ctx, client, i)
				}
			})
		}
	}
	group.Wait()
}

// send calls a method with a body and waits for the answer. What comes is nothing to an attacker; one that is refused
// before it has spoken waits a little, as his kernel would.
func (s *siege) send(ctx context.Context, client *http.Client, method, form, coding string, body io.Reader) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+s.town.Host+"/api/jiseki.control.v1."+method, body)
	if err != nil {
		return
	}
	r.Header.Set("Content-Type", form)
	if coding != "" {
		r.Header.Set("Content-Encoding", coding)
	}
	answer, err := client.Do(r)
	if err != nil {
		pause(ctx, 10*time.Millisecond)
		return
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
}

// floodBodies sends bodies that decode to half a million messages, packed and plain, and begins others that it does not
// end.
func floodBodies(ctx context.Context, s *siege) {
	plain := bytes.Repeat([]byte{0x0a, 0x00}, 512<<10)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write(plain) // into memory
	_ = w.Close()
	s.workers(ctx, max(2, 64/len(s.addresses)), func(ctx context.Context, client *http.Client, n int) {
		switch n % 4 {
		case 0:
			s.send(ctx, client, "AdminService/CreateUsers", "application/proto", "gzip", bytes.NewReader(packed.Bytes()))
		case 1:
			s.send(ctx, client, "AuthService/SignIn", "application/proto", "gzip", bytes.NewReader(packed.Bytes()))
		case 2:
			s.send(ctx, client, "AdminService/CreateUsers", "application/proto", "", bytes.NewReader(plain))
		case 3:
			ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
			defer cancel()
			body, hold := io.Pipe()
			go func() { _, _ = hold.Write([]byte(`{"userId":"`)) }()
			context.AfterFunc(ctx, func() { _ = hold.Close() })
			s.send(ctx, client, "AuthService/SignIn", "application/json", "", body)
		}
	})
}

// lockOut guesses the honest user's password.
func lockOut(ctx context.Context, s *siege) {
	s.workers(ctx, 2, func(ctx context.Context, client *http.Client, n int) {
		s.send(ctx, client, "AuthService/SignIn", "application/json", "", guess(benchUser, n))
		pause(ctx, 100*time.Millisecond)
	})
}

// floodHashing has the gateway hash passwords of users that there are not, 48 at once.
func floodHashing(ctx context.Context, s *siege) {
	s.workers(ctx, max(1, 48/len(s.addresses)), func(ctx context.Context, client *http.Client, n int) {
		s.send(ctx, client, "AuthService/SignIn", "application/json", "", guess(fmt.Sprintf("nobody%d", n%1000), n))
	})
}

func guess(user string, n int) io.Reader {
	return bytes.NewReader(fmt.Appendf(nil, `{"userId":%q,"password":"guess-%d"}`, user, n))
}

// silent is how many connections the flood of connections holds in all.
const silent = 8192

// floodConnections holds connections that say nothing, and opens new ones for those that end.
func floodConnections(ctx context.Context, s *siege) {
	var group sync.WaitGroup
	for i := range silent {
		from := s.addresses[i%len(s.addresses)]
		group.Go(func() {
			for ctx.Err() == nil {
				s.tries.Add(1)
				s.sit(ctx, from)
				pause(ctx, time.Second)
			}
		})
	}
	group.Wait()
}

// sit holds one connection until the gateway or the attack ends it.
func (s *siege) sit(ctx context.Context, from netip.Addr) {
	dialer := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0)), Timeout: signInLimit}
	conn, err := dialer.DialContext(ctx, "tcp4", s.town.Config.Public.Address)
	if err != nil {
		return
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	defer conn.Close()
	_, _ = conn.Read(make([]byte, 1)) // until somebody hangs up
}

// staffUp makes a hostile user with a desk for each address.
func staffUp(t *host, s *siege) {
	for i := range s.addresses {
		user := fmt.Sprint("hostile", i)
		s.staff = append(s.staff, s.town.Staff(t, user, user))
		agent := s.town.NewAgent(t, user, user)
		go func() {
			for range agent.Offers() { //nolint:revive // they are of no interest
			}
		}()
		s.desks = append(s.desks, agent)
	}
}

// floodSeats opens sessions that nobody comes to, each user of the own desk, as fast as they are granted.
func floodSeats(ctx context.Context, s *siege) {
	var group sync.WaitGroup
	for i, b := range s.staff {
		group.Go(func() {
			for n := byte(0); ctx.Err() == nil; n++ {
				s.tries.Add(1)
				if err := s.try(func(t *host) { takeSeat(t, b, s.desks[i].Desk, n) }); err != nil {
					pause(ctx, 50*time.Millisecond)
				}
			}
		})
	}
	group.Wait()
}

func takeSeat(t *host, b *gatewaytest.Browser, desk string, n byte) {
	p := b.Prepare(t, desk).GetPrepared()
	if p == nil {
		t.Fatal("refused")
	}
	r, err := b.Open(t, desk, p, cert.NoiseKey{n, 1})
	if err != nil || r.GetOpened() == nil {
		t.Fatal("refused")
	}
}
