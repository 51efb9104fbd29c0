package relay_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"jiseki/internal/crowd"
	"jiseki/internal/link"
	"jiseki/internal/link/linktest"
	"jiseki/internal/relay"
	"jiseki/internal/shape"
)

var quiet = slog.New(slog.DiscardHandler)

// A bench is a relay behind TLS, and a way to reach it.
type bench struct {
	t      *testing.T
	relay  *relay.Relay
	client *tls.Config
	dial   dialer
	url    string
	opened chan relay.Stats
	closed chan ending
}

type ending struct {
	relay.Stats
	code link.Code
}

var viewerTicket, agentTicket = link.Ticket{1, 2, 3}, link.Ticket{4, 5, 6}

var sessionID = [16]byte{0xab, 0xcd}

func newBench(t *testing.T, l net.Listener, cfg relay.Config) *bench {
	t.Helper()
	server, client, err := linktest.TLS()
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, client: client, url: "wss://localhost/relay", opened: make(chan relay.Stats, 9), closed: make(chan ending, 9)}
	cfg.Log, cfg.Now = quiet, time.Now
	cfg.Opened = func(s relay.Stats) { b.opened <- s }
	cfg.Closed = func(s relay.Stats, c link.Code) { b.closed <- ending{s, c} }
	b.relay = relay.New(cfg)
	s := &http.Server{Handler: b.relay, ErrorLog: slog.NewLogLogger(quiet.Handler(), slog.LevelError)}
	go func() { _ = s.Serve(tls.NewListener(l, server)) }()
	t.Cleanup(func() {
		if err := b.relay.Shutdown(context.Background()); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		_ = s.Close()
	})
	return b
}

// onLoopback is a bench over real TCP.
func onLoopback(t *testing.T, limits relay.Limits) *bench {
	t.Helper()
	linktest.NoLeak(t, "jiseki/internal/link.", "jiseki/internal/relay.")
	l, err := link.Listen(t.Context(), "127.0.0.1:0", quiet)
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, l, relay.Config{Limits: limits})
	b.dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", l.Addr().String())
	}
	return b
}

// inMemory is a bench over pipes, for synctest bubbles.
func inMemory(t *testing.T, limits relay.Limits) *bench {
	t.Helper()
	return inMemoryOf(t, relay.Config{Limits: limits})
}

func inMemoryOf(t *testing.T, cfg relay.Config) *bench {
	t.Helper()
	l := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
	b := newBench(t, l, cfg)
	b.dial = l.dial
	return b
}

type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (l *pipeListener) dial(context.Context, string, string) (net.Conn, error) {
	a, b := net.Pipe()
	select {
	case l.conns <- b:
		return a, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { l.once.Do(func() { close(l.done) }); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 443} }

func (b *bench) offer() {
	b.t.Helper()
	err := b.relay.Offer(relay.Offer{
		Session: sessionID, ViewerTicketHash: viewerTicket.Hash(), AgentTicketHash: agentTicket.Hash(),
		Expires: time.Now().Add(time.Minute),
	})
	if err != nil {
		b.t.Fatalf("offer: %v", err)
	}
}

func (b *bench) config(side link.Side, ch link.Channel, ticket link.Ticket) link.DialConfig {
	return link.DialConfig{URL: b.url, TLS: b.client, Proxy: link.Direct, Side: side, Channel: ch, Ticket: ticket, DialContext: b.dial}
}

// A pair is the two ends of one channel.
type pair struct{ viewer, agent *link.Conn }

func (b *bench) pair(ch link.Channel) pair {
	b.t.Helper()
	return b.pairOver(ch, b.dial, b.dial)
}

// A dialer opens a connection, to the relay or to a line before it.
type dialer = func(ctx context.Context, network, address string) (net.Conn, error)

func (b *bench) pairOver(ch link.Channel, viewer, agent dialer) pair {
	b.t.Helper()
	var p pair
	var errs [2]error
	var wg sync.WaitGroup
	ends := [2]link.DialConfig{b.config(link.Viewer, ch, viewerTicket), b.config(link.Agent, ch, agentTicket)}
	ends[0].DialContext, ends[1].DialContext = viewer, agent
	wg.Go(func() { p.viewer, errs[0] = link.Dial(b.t.Context(), ends[0]) })
	wg.Go(func() { p.agent, errs[1] = link.Dial(b.t.Context(), ends[1]) })
	wg.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		b.t.Fatalf("pair channel %d: %v", ch, err)
	}
	return p
}

func (p pair) all() []*link.Conn { return []*link.Conn{p.viewer, p.agent} }

func checkDelivery(t *testing.T, from, to *link.Conn, msg []byte) {
	t.Helper()
	sent := make(chan error, 1)
	go func() { sent <- from.Send(t.Context(), msg) }()
	got, err := to.Receive(t.Context())
	if err != nil || !bytes.Equal(got, msg) {
		t.Errorf("%d bytes came as %d (%v)", len(msg), len(got), err)
	}
	if err := <-sent; err != nil {
		t.Errorf("send: %v", err)
	}
}

// codes waits until each link has ended and returns with what.
func codes(links ...*link.Conn) []link.Code {
	got := make([]link.Code, len(links))
	var wg sync.WaitGroup
	for i, c := range links {
		wg.Go(func() {
			for {
				if _, err := c.Receive(context.Background()); err != nil {
					got[i] = link.CloseCode(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return got
}

func checkCodes(t *testing.T, want link.Code, links ...*link.Conn) {
	t.Helper()
	for i, got := range codes(links...) {
		if got != want {
			t.Errorf("link %d ended with %v, want %v", i, got, want)
		}
	}
}

func TestSessionOverTLS(t *testing.T) {
	b := onLoopback(t, relay.Limits{})
	b.offer()
	control, display := b.pair(link.Control), b.pair(link.Display)
	for _, n := range []int{1, 280, 61477, link.MaxMessage} {
		msg := bytes.Repeat([]byte{byte(n), 1}, n/2+1)[:n]
		checkDelivery(t, control.viewer, control.agent, msg)
		checkDelivery(t, display.agent, display.viewer, msg)
	}
	const total = 1 + 280 + 61477 + link.MaxMessage
	if all := b.relay.Sessions(); len(all) != 1 || all[0].Session != sessionID || all[0].Since.IsZero() {
		t.Errorf("sessions: %+v", all)
	}
	_ = control.viewer.Close(link.Normal, "")
	checkCodes(t, link.PeerGone, control.agent, display.viewer, display.agent)
	end := <-b.closed
	if end.FromViewer != total || end.FromAgent != total || end.code != link.PeerGone || end.ViewerAddress == "" || end.AgentAddress == "" {
		t.Errorf("report: %+v", end)
	}
	if len(b.opened) != 1 || len(b.relay.Sessions()) != 0 {
		t.Errorf("opened %d times, %d sessions left", len(b.opened), len(b.relay.Sessions()))
	}
}

func TestAnyLinkEndsAllFour(t *testing.T) {
	for i := range 4 {
		b := onLoopback(t, relay.Limits{})
		b.offer()
		links := append(b.pair(link.Control).all(), b.pair(link.Display).all()...)
		_ = links[i].Close(link.SealFailed, "")
		checkCodes(t, link.PeerGone, append(links[:i:i], links[i+1:]...)...)
	}
}

func TestEndAndShutdownSayWhy(t *testing.T) {
	b := onLoopback(t, relay.Limits{})
	b.offer()
	control := b.pair(link.Control)
	b.relay.End(sessionID, link.Revoked)
	checkCodes(t, link.Revoked, control.all()...)

	b.offer() // the session's id is free again
	control = b.pair(link.Control)
	stopped := make(chan error, 1)
	go func() { stopped <- b.relay.Shutdown(context.Background()) }()
	checkCodes(t, link.Stopping, control.all()...)
	if err := <-stopped; err != nil {
		t.Errorf("shutdown: %v", err)
	}
	var se *link.StatusError
	_, err := link.Dial(t.Context(), b.config(link.Viewer, link.Control, viewerTicket))
	if !errors.As(err, &se) || se.Status != http.StatusServiceUnavailable {
		t.Errorf("dial after shutdown: %v", err)
	}
	if err := b.relay.Offer(relay.Offer{Expires: time.Now().Add(time.Minute)}); !errors.Is(err, relay.ErrStopped) {
		t.Errorf("offer after shutdown: %v", err)
	}
}

func TestClaimsThatAreRefused(t *testing.T) {
	tests := []struct {
		name   string
		side   link.Side
		ch     link.Channel
		ticket link.Ticket
	}{
		{"unknown ticket", link.Viewer, link.Control, link.Ticket{9}},
		{"no ticket", link.Viewer, link.Control, link.Ticket{}},
		{"viewer with the agent's ticket", link.Viewer, link.Control, agentTicket},
		{"agent with the viewer's ticket", link.Agent, link.Control, viewerTicket},
		{"side 0", 0, link.Control, viewerTicket},
		{"side 3", 3, link.Control, viewerTicket},
		{"channel 2", link.Viewer, 2, viewerTicket},
		{"claimed before", link.Viewer, link.Display, viewerTicket},
		{"hash instead of ticket", link.Viewer, link.Control, link.Ticket(viewerTicket.Hash())},
	}
	b := onLoopback(t, relay.Limits{})
	b.offer()
	display := b.pair(link.Display)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := link.Dial(t.Context(), b.config(tt.side, tt.ch, tt.ticket))
			if link.CloseCode(err) != link.BadClaim {
				t.Errorf("dial: %v", err)
			}
		})
	}
	// None of it has touched the session that runs.
	checkDelivery(t, display.viewer, display.agent, []byte("still here"))
	checkDelivery(t, display.agent, display.viewer, []byte("here too"))
}

func TestFirstMessagesThatAreNoClaim(t *testing.T) {
	b := onLoopback(t, relay.Limits{})
	good := link.Claim{Side: link.Viewer, Channel: link.Control, Ticket: viewerTicket}.Append(nil)
	for _, tt := range []struct {
		first []byte
		want  link.Code
	}{
		{nil, link.BadClaim},
		{good[:36], link.BadClaim},
		{append(bytes.Clone(good), 0), link.TooLarge},
		{make([]byte, link.MaxMessage), link.TooLarge},
	} {
		c, err := link.DialSocket(t.Context(), b.config(0, 0, link.Ticket{}))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Send(t.Context(), tt.first); err != nil && link.CloseCode(err) == 0 {
			t.Errorf("send: %v", err)
		}
		checkCodes(t, tt.want, c)
	}
}

func TestOffersThatAreRefused(t *testing.T) {
	r := relay.New(relay.Config{Log: quiet, Now: time.Now, Limits: relay.Limits{Sessions: 2}})
	later := time.Now().Add(time.Hour)
	offer := func(session, viewer, agent byte, expires time.Time) error {
		return r.Offer(relay.Offer{Session: [16]byte{session}, ViewerTicketHash: [32]byte{viewer}, AgentTicketHash: [32]byte{agent}, Expires: expires})
	}
	for _, tt := range []struct {
		err, want error
	}{
		{offer(1, 1, 2, time.Now()), relay.ErrExpired},
		{offer(1, 1, 1, later), relay.ErrOffered},
		{offer(1, 1, 2, later), nil},
		{offer(1, 3, 4, later), relay.ErrOffered},
		{offer(2, 1, 4, later), relay.ErrOffered},
		{offer(2, 3, 2, later), relay.ErrOffered},
		{offer(2, 2, 3, later), relay.ErrOffered},
		{offer(2, 3, 4, later), nil},
		{offer(3, 5, 6, later), relay.ErrFull},
	} {
		if !errors.Is(tt.err, tt.want) {
			t.Errorf("%v, want %v", tt.err, tt.want)
		}
	}
	r.End([16]byte{1}, link.Revoked)
	if err := offer(3, 5, 6, later); err != nil {
		t.Errorf("the place of an ended session is not free: %v", err)
	}
	if err := r.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestUnpairedLinksEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := inMemory(t, relay.Limits{})
		b.offer()
		begun := time.Now()
		_, err := link.Dial(t.Context(), b.config(link.Viewer, link.Control, viewerTicket))
		if link.CloseCode(err) != link.Unpaired {
			t.Errorf("dial: %v", err)
		}
		if took := time.Since(begun); took < 10*time.Second || took > 12*time.Second {
			t.Errorf("ended after %v", took)
		}
		if end := <-b.closed; end.Session != sessionID || !end.Since.IsZero() || end.code != link.Unpaired {
			t.Errorf("report: %+v", end)
		}
		// The session is over: the agent comes too late.
		_, err = link.Dial(t.Context(), b.config(link.Agent, link.Control, agentTicket))
		if link.CloseCode(err) != link.BadClaim {
			t.Errorf("dial: %v", err)
		}
	})
}

func TestLinksWithoutClaimEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := inMemory(t, relay.Limits{})
		c, err := link.DialSocket(t.Context(), b.config(0, 0, link.Ticket{}))
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		checkCodes(t, link.Unpaired, c)
		if took := time.Since(begun); took < 10*time.Second || took > 12*time.Second {
			t.Errorf("ended after %v", took)
		}
	})
}

func TestOffersExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := inMemory(t, relay.Limits{Sessions: 1})
		b.offer()
		time.Sleep(time.Minute)
		_, err := link.Dial(t.Context(), b.config(link.Viewer, link.Control, viewerTicket))
		if link.CloseCode(err) != link.BadClaim {
			t.Errorf("dial: %v", err)
		}
		b.offer() // there is room again
		control := b.pair(link.Control)
		for _, c := range control.all() {
			go func() { _, _ = c.Receive(context.Background()) }()
		}
		time.Sleep(time.Hour) // a session that is open outlives its offer
		if err := errors.Join(control.viewer.Err(), control.agent.Err()); err != nil {
			t.Error(err)
		}
		b.relay.End(sessionID, link.Revoked)
		synctest.Wait()
	})
}

// TestOldestUnclaimedLinkGivesWay: strangers who claim nothing keep nobody else out.
func TestOldestUnclaimedLinkGivesWay(t *testing.T) {
	for name, limits := range map[string]relay.Limits{"of an address": {UnclaimedPerAddress: 3}, "in all": {Unclaimed: 3}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := inMemory(t, limits)
				var open []*link.Conn
				for range 5 {
					c, err := link.DialSocket(t.Context(), b.config(0, 0, link.Ticket{}))
					if err != nil {
						t.Fatal(err)
					}
					open = append(open, c)
				}
				before := time.Now()
				for _, c := range open[:2] {
					if _, err := c.Receive(t.Context()); err == nil {
						t.Error("a link without a claim heard something")
					}
				}
				if time.Since(before) > 5*time.Second { // of the bubble's clock
					t.Error("the oldest waited for their time to end")
				}
				b.offer()
				control := b.pair(link.Control) // takes two more places
				for _, c := range open {
					_ = c.Close(link.Normal, "")
				}
				b.relay.End(sessionID, link.Revoked)
				checkCodes(t, link.Revoked, control.all()...)
			})
		})
	}
}

// TestTheKnownKeepTheirLinks: links of strangers take no place of who is known.
func TestTheKnownKeepTheirLinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var standing atomic.Int64
		b := inMemoryOf(t, relay.Config{
			Limits:   relay.Limits{Unclaimed: 2, UnclaimedKnown: 2},
			Standing: func(netip.Addr) crowd.Standing { return crowd.Standing(standing.Load()) },
		})
		open := func(s crowd.Standing) *link.Conn {
			standing.Store(int64(s))
			c, err := link.DialSocket(t.Context(), b.config(0, 0, link.Ticket{}))
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		known, first := open(crowd.Met), open(crowd.Stranger)
		second, third := open(crowd.Stranger), open(crowd.Stranger)
		if _, err := first.Receive(t.Context()); err == nil {
			t.Error("a link without a claim heard something")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := known.Receive(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the link of who is known: %v", err)
		}
		for _, c := range []*link.Conn{known, second, third} {
			_ = c.Close(link.Normal, "")
		}
	})
}

// A peer that does not read is ended, and the other side is told that it was not its own line.
func TestStalledPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := inMemory(t, relay.Limits{})
		b.offer()
		control, display := b.pair(link.Control), b.pair(link.Display)
		go func() { _, _ = control.viewer.Receive(context.Background()) }()
		begun := time.Now()
		agents := make(chan []link.Code, 1)
		go func() { agents <- codes(control.agent, display.agent) }()
		msg := make([]byte, 60000) // display.viewer never receives
		for display.agent.Send(context.Background(), msg) == nil {
		}
		for i, code := range <-agents {
			if code != link.PeerStalled {
				t.Errorf("link %d of the agent: %v", i, code)
			}
		}
		if took := time.Since(begun); took < link.StallLimit || took > link.StallLimit+5*time.Second {
			t.Errorf("ended after %v", took)
		}
		if end := <-b.closed; end.code != link.PeerStalled {
			t.Errorf("report: %v", end.code)
		}
		_ = display.viewer.Close(link.Normal, "")
	})
}

// The relay reads a side only when it can write the other: what a sender gets rid of before its peer reads is bounded
// by one message in the relay and the pipes' own.
func TestBackPressure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := inMemory(t, relay.Limits{})
		b.offer()
		display := b.pair(link.Display)
		sent := make(chan int, 1)
		go func() {
			n := 0
			for display.agent.Send(context.Background(), make([]byte, 60000)) == nil {
				n++
			}
			sent <- n
		}()
		time.Sleep(10 * time.Second)
		_ = display.agent.Close(link.Normal, "")
		if n := <-sent; n > 2 {
			t.Errorf("%d messages of 60 KB left the sender while nobody read", n)
		}
		checkCodes(t, link.PeerGone, display.viewer)
	})
}

// In the half-open case nothing comes and nothing is refused: the line to the viewer swallows everything for a while.
func TestHalfOpenLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := inMemory(t, relay.Limits{})
		b.offer()
		direct := b.dial
		outside := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
		line := shape.New(shape.Config{
			Listener: outside,
			Dial:     func(ctx context.Context) (net.Conn, error) { return direct(ctx, "", "") },
			Up:       shape.Line{Delay: 20 * time.Millisecond},
			Down:     shape.Line{Delay: 20 * time.Millisecond},
		})
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- line.Run(ctx) }()
		defer func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("line: %v", err)
			}
		}()

		control := b.pairOver(link.Control, outside.dial, direct)
		for _, c := range control.all() {
			go func() { _, _ = c.Receive(context.Background()) }()
		}
		line.Freeze(10 * time.Second)
		time.Sleep(time.Minute)
		if err := errors.Join(control.viewer.Err(), control.agent.Err()); err != nil {
			t.Fatalf("10 s of silence ended the session: %v", err)
		}

		begun := time.Now()
		line.Freeze(time.Hour)
		end := <-b.closed
		if took := time.Since(begun); took > link.SilenceLimit+link.PingEvery {
			t.Errorf("noticed after %v", took)
		}
		if end.code != link.PeerGone {
			t.Errorf("report: %v", end.code)
		}
		<-control.viewer.Done()
		<-control.agent.Done()
		if took := time.Since(begun); took > link.SilenceLimit+2*link.PingEvery {
			t.Errorf("the last end noticed after %v", took)
		}
		if link.CloseCode(control.viewer.Err()) != link.Silent || link.CloseCode(control.agent.Err()) != link.PeerGone {
			t.Errorf("viewer: %v; agent: %v", control.viewer.Err(), control.agent.Err())
		}
		time.Sleep(5 * time.Second) // the viewer's end still tries to say why
	})
}
