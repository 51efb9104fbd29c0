package hub_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"jiseki/internal/bus"
	"jiseki/internal/cert"
	"jiseki/internal/crowd"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/hub"
	"jiseki/internal/link"
	"jiseki/internal/order"
	"jiseki/internal/register"
)

// desks is a memory of desks in place of the store.
type desks struct {
	mu         sync.Mutex
	epochs     map[string]uint64
	enrolled   map[string]hub.Enrolment
	refuse     map[string]error
	states     chan *controlv1.State
	events     chan *controlv1.SessionEvent
	detached   chan string
	inVain     chan string // desks whose end could not be recorded, for undetached
	undetached error
	running    map[string][]cert.SessionID
	broken     error
	arrival    hub.Arrival // the last
	register   register.List
	differs    chan string
}

func newDesks() *desks {
	return &desks{
		epochs: map[string]uint64{}, enrolled: map[string]hub.Enrolment{}, refuse: map[string]error{}, running: map[string][]cert.SessionID{},
		differs: make(chan string, 64),
		states:  make(chan *controlv1.State, 1024), events: make(chan *controlv1.SessionEvent, 64), detached: make(chan string, 1024),
		inVain: make(chan string, 1024),
	}
}

func (d *desks) Attach(_ context.Context, a hub.Arrival) (hub.Attached, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.arrival = a
	if err := d.refuse[a.Desk]; err != nil {
		return hub.Attached{}, err
	}
	d.epochs[a.Desk]++
	d.enrolled[a.Desk] = hub.Enrolment{Key: a.Key, Epoch: d.epochs[a.Desk]}
	return hub.Attached{Epoch: d.epochs[a.Desk], Name: "窓口 " + a.Desk}, nil
}

func (d *desks) SetState(_ context.Context, _ string, _ uint64, s *controlv1.State) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.broken == nil {
		d.states <- s
	}
	return d.broken
}

func (d *desks) Detach(_ context.Context, desk string, epoch uint64, stopping bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.undetached != nil {
		d.inVain <- desk
		return d.undetached
	}
	d.detached <- fmt.Sprint(desk, " ", epoch, " ", stopping)
	return nil
}

func (d *desks) Record(_ context.Context, _ string, e *controlv1.SessionEvent) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.broken != nil {
		return d.broken
	}
	d.events <- e
	return nil
}

func (d *desks) Running(context.Context) (map[string][]cert.SessionID, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.running, d.broken
}

func (d *desks) Enrolled(context.Context) (map[string]hub.Enrolment, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.enrolled), d.broken
}

func (d *desks) Register(_ context.Context, from uint64, limit int) (register.Part, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.register.Part(from, limit), d.broken
}

func (d *desks) RegisterEnd(context.Context) (uint64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.register.Len(), d.broken
}

func (d *desks) Differs(_ context.Context, desk, code string, entries uint64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.broken != nil {
		return d.broken
	}
	d.differs <- fmt.Sprint(desk, " ", code, " ", entries)
	return nil
}

// world is a hub behind real TLS with its keys.
type world struct {
	hub    *hub.Hub
	desks  *desks
	server *httptest.Server
	deskCA *cert.SignerKey
	grants *cert.SignerKey
	stop   context.CancelFunc
	ended  chan struct{}
}

func key(t testing.TB) *cert.SignerKey {
	t.Helper()
	k, err := cert.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func start(t testing.TB, changes ...func(*hub.Config)) *world {
	t.Helper()
	w := &world{desks: newDesks(), deskCA: key(t), grants: key(t), ended: make(chan struct{})}
	log := slog.New(slog.DiscardHandler)
	b, err := bus.New(bus.Config{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	bundle := &cert.Bundle{
		Version: 3, DeviceCAs: []cert.PublicKey{key(t).Public()},
		DeskCAs: []cert.PublicKey{w.deskCA.Public()}, Grants: []cert.PublicKey{w.grants.Public()},
	}
	cfg := hub.Config{
		Log: log, Now: time.Now, Bus: b, Desks: w.desks, Orders: w.grants,
		Bundle: func() *cert.Bundle { return bundle }, Organisation: func() string { return "みどり町" },
		Head: func() []byte { return []byte("head") }, Reviewed: time.Now,
	}
	for _, change := range changes {
		change(&cfg)
	}
	w.hub, err = hub.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	w.stop = stop
	go func() { defer close(w.ended); _ = w.hub.Run(ctx) }()
	mux := http.NewServeMux()
	mux.Handle("/agent", w.hub)
	w.server = httptest.NewUnstartedServer(mux)
	w.server.TLS = &tls.Config{MinVersion: tls.VersionTLS13}
	w.server.StartTLS()
	t.Cleanup(func() { stop(); <-w.ended; w.server.Close() })
	return w
}

func (w *world) dial(t testing.TB) *link.Conn {
	t.Helper()
	conn, err := link.DialSocket(t.Context(), link.DialConfig{
		URL:   "wss://" + strings.TrimPrefix(w.server.URL, "https://") + "/agent",
		TLS:   w.server.Client().Transport.(*http.Transport).TLSClientConfig,
		Proxy: link.Direct,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(link.Normal, "") })
	return conn
}

// agent is an agent as far as the control channel goes.
type agent struct {
	t      testing.TB
	conn   *link.Conn
	orders *order.Reader
	keys   []cert.PublicKey
}

// identity is what a hello is made of; tests change it.
type identity struct {
	desk, zone string
	key, ca    *cert.SignerKey
	signer     *cert.SignerKey
	now        time.Time
	certUntil  time.Time
	nonce      *cert.Nonce // in place of the challenge's
	adapters   []*controlv1.Adapter
	waker      bool
	reaches    []string
	register   *controlv1.RegisterCopy
}

func (w *world) identity(t testing.TB, desk string) identity {
	k := key(t)
	return identity{desk: desk, zone: cert.ZoneInternet, key: k, ca: w.deskCA, signer: k, now: time.Now(), certUntil: time.Now().Add(time.Hour)}
}

func receive(t testing.TB, c *link.Conn) (*controlv1.GatewayMessage, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	b, err := c.Receive(ctx)
	if err != nil {
		return nil, err
	}
	m := &controlv1.GatewayMessage{}
	if err := proto.Unmarshal(b, m); err != nil {
		t.Fatal(err)
	}
	return m, nil
}

func send(t testing.TB, c *link.Conn, m *controlv1.AgentMessage) {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Send(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

// hello answers the challenge and returns the gateway's next message.
func (w *world) hello(t testing.TB, id identity) (*agent, *controlv1.GatewayMessage) {
	t.Helper()
	return w.helloOn(t, w.dial(t), id)
}

// helloOn says hello on a socket that has said nothing.
func (w *world) helloOn(t testing.TB, conn *link.Conn, id identity) (*agent, *controlv1.GatewayMessage) {
	t.Helper()
	first, err := receive(t, conn)
	if err != nil {
		t.Fatal(err)
	}
	challenge := first.GetChallenge()
	nonce := cert.Nonce(challenge.GetNonce())
	if id.nonce != nil {
		nonce = *id.nonce
	}
	certificate := &cert.Certificate{
		Kind: cert.KindDesk, Serial: cert.NewSerial(), Subject: id.desk, Owner: id.zone, Grade: cert.GradeFile,
		Key: id.key.Public(), NotBefore: id.now.Add(-2 * time.Hour), NotAfter: id.certUntil,
	}
	if err := certificate.Sign(id.ca); err != nil {
		t.Fatal(err)
	}
	statement := &cert.DeskStatement{NoiseKey: cert.NoiseKey{9}, NotAfter: id.now.Add(time.Hour)}
	if err := statement.Sign(id.key); err != nil {
		t.Fatal(err)
	}
	signature, err := cert.AgentHello{Nonce: nonce, Desk: id.desk, Statement: statement.Hash()}.Sign(id.signer)
	if err != nil {
		t.Fatal(err)
	}
	mine := []byte("0123456789abcdef0123456789abcdef")
	send(t, conn, &controlv1.AgentMessage{Message: &controlv1.AgentMessage_Hello{Hello: &controlv1.Hello{
		Certificate: certificate.Append(nil), Statement: statement.Append(nil), Signature: signature[:],
		Nonce: mine, Run: mine[:16], TimeMs: id.now.UnixMilli(), AgentVersion: "1", BundleVersion: 3,
		Adapters: id.adapters, Waker: id.waker, Reaches: id.reaches, Register: id.register,
	}}})
	next, err := receive(t, conn)
	if err != nil {
		t.Fatal(err)
	}
	return &agent{t: t, conn: conn, orders: order.NewReader(id.desk, mine), keys: []cert.PublicKey{w.grants.Public()}}, next
}

// join is hello that must be answered by a welcome.
func (w *world) join(t testing.TB, desk string) *agent {
	t.Helper()
	a, next := w.hello(t, w.identity(t, desk))
	if got := a.order(next).GetWelcome().GetDeskName(); got != "窓口 "+desk {
		t.Fatalf("welcome names the desk %q", got)
	}
	w.ready(t, desk)
	return a
}

// ready waits until the hub can reach the desk: that comes after the welcome.
func (w *world) ready(t testing.TB, desk string) {
	t.Helper()
	for t.Context().Err() == nil {
		if err := w.hub.EndSession(t.Context(), desk, cert.SessionID{0xee}, 5); !errors.Is(err, hub.ErrAway) {
			return
		}
	}
}

func (a *agent) order(m *controlv1.GatewayMessage) *controlv1.Order {
	a.t.Helper()
	o, err := a.orders.Read(m.GetSigned(), a.keys, time.Now())
	if err != nil {
		a.t.Fatalf("%v in %v", err, m)
	}
	return o
}

// next skips what ready and leases bring and returns the next message that match takes.
func (a *agent) next(match func(*controlv1.GatewayMessage, *controlv1.Order) bool) *controlv1.GatewayMessage {
	a.t.Helper()
	for {
		m, err := receive(a.t, a.conn)
		if err != nil {
			a.t.Fatal(err)
		}
		var o *controlv1.Order
		if m.GetSigned() != nil {
			o = a.order(m)
		}
		if match(m, o) {
			return m
		}
	}
}

func TestHelloRefusals(t *testing.T) {
	w := start(t)
	w.desks.refuse["gone"] = hub.ErrRevoked
	w.desks.refuse["nobody"] = hub.ErrUnknownDesk
	w.desks.refuse["rekeyed"] = hub.ErrOtherKey
	w.desks.refuse["storm"] = errors.New("disk is full")
	for name, c := range map[string]struct {
		desk, want string
		change     func(*identity)
	}{
		"other CA":         {"d", "certificate_refused", func(i *identity) { i.ca = key(t) }},
		"other key signed": {"d", "bad_signature", func(i *identity) { i.signer = key(t) }},
		"old nonce":        {"d", "bad_signature", func(i *identity) { i.nonce = &cert.Nonce{1} }},
		"expired":          {"d", "certificate_expired", func(i *identity) { i.certUntil = i.now.Add(-time.Hour) }},
		"clock ahead":      {"d", "clock_skew", func(i *identity) { i.now = i.now.Add(61 * time.Second) }},
		"clock behind":     {"d", "clock_skew", func(i *identity) { i.now = i.now.Add(-61 * time.Second) }},
		"my number":        {"d", "zone_refused", func(i *identity) { i.zone = cert.ZoneMyNumber }},
		"revoked":          {"gone", "desk_revoked", func(*identity) {}},
		"unknown":          {"nobody", "desk_unknown", func(*identity) {}},
		"new key":          {"rekeyed", "desk_other_key", func(*identity) {}},
		"no adapter":       {"d", "bad_hello", func(i *identity) { i.adapters = []*controlv1.Adapter{{Mac: []byte{1, 2, 3}}} }},
		"group address": {"d", "bad_hello", func(i *identity) {
			i.adapters = []*controlv1.Adapter{{Mac: []byte{1, 0, 0x5e, 0, 0, 1}}}
		}},
		"the world": {"d", "bad_hello", func(i *identity) {
			i.adapters = []*controlv1.Adapter{{Mac: []byte{0, 0x1b, 0x21, 1, 2, 3}, Prefixes: []string{"0.0.0.0/0"}}}
		}},
		"too many adapters": {"d", "bad_hello", func(i *identity) { i.adapters = make([]*controlv1.Adapter, 17) }},
		"too many networks": {"d", "bad_hello", func(i *identity) { i.waker, i.reaches = true, make([]string, 17) }},
		// Decoded it would be told of its clock.
		"too long": {"d", "bad_hello", func(i *identity) {
			i.now, i.adapters = i.now.Add(61*time.Second), make([]*controlv1.Adapter, 5000)
		}},
		"store fails": {"storm", "unavailable", func(*identity) {}},
	} {
		t.Run(name, func(t *testing.T) {
			id := w.identity(t, c.desk)
			c.change(&id)
			a, next := w.hello(t, id)
			if got := next.GetRefused(); got.GetCode() != c.want || got.GetTimeMs() == 0 {
				t.Fatalf("got %v, want refusal %s with the gateway's time", next, c.want)
			}
			if _, err := receive(t, a.conn); link.CloseCode(err) == 0 {
				t.Errorf("channel is open after a refusal: %v", err)
			}
		})
	}
	if n := w.hub.Connected(); n != 0 {
		t.Errorf("%d desks are connected", n)
	}
}

func TestNewerConnectionClosesTheOlder(t *testing.T) {
	w := start(t)
	older := w.join(t, "d1")
	newer := w.join(t, "d1")
	for {
		_, err := receive(t, older.conn)
		if err == nil {
			continue
		}
		if link.CloseCode(err) != link.Replaced {
			t.Errorf("older connection ended with %v, want code 4006", err)
		}
		break
	}
	if err := w.hub.EndSession(t.Context(), "d1", cert.SessionID{9}, 1); err != nil {
		t.Fatal(err)
	}
	newer.next(func(_ *controlv1.GatewayMessage, o *controlv1.Order) bool {
		return o.GetEndSession().GetSessionId() != nil && o.GetEndSession().GetSessionId()[0] == 9
	})
	if got := <-w.desks.detached; got != "d1 1 false" {
		t.Errorf("detached %q, want the older epoch", got)
	}
}

func TestEventsAreAcknowledgedWhenTheyAreWritten(t *testing.T) {
	w := start(t)
	a := w.join(t, "d1")
	event := &controlv1.SessionEvent{Seq: 1, Kind: controlv1.SessionEventKind_SESSION_EVENT_KIND_OPENED, SessionId: make([]byte, 16), Run: make([]byte, 16)}
	report := func(a *agent) {
		send(t, a.conn, &controlv1.AgentMessage{Message: &controlv1.AgentMessage_SessionEvent{SessionEvent: event}})
	}
	report(a)
	a.next(func(m *controlv1.GatewayMessage, _ *controlv1.Order) bool {
		return m.GetSessionEventAck().GetSeq() == 1
	})
	if got := <-w.desks.events; !proto.Equal(got, event) {
		t.Errorf("recorded %v", got)
	}
	w.desks.mu.Lock()
	w.desks.broken = errors.New("disk is full")
	w.desks.mu.Unlock()
	event.Seq = 2
	report(a)
	awaitGoingAway(t, a) // no acknowledgement, and the channel ends so that the agent tries again
	for _, m := range []*controlv1.AgentMessage{
		{Message: &controlv1.AgentMessage_State{State: &controlv1.State{Locked: true}}},
		{Message: &controlv1.AgentMessage_OrderAnswer{OrderAnswer: &controlv1.OrderAnswer{Code: "register_differs"}}},
	} {
		a = w.join(t, "d1")
		send(t, a.conn, m)
		awaitGoingAway(t, a)
	}
}

// awaitGoingAway waits until the gateway ends the channel, for a reason that is not the agent's fault.
func awaitGoingAway(t *testing.T, a *agent) {
	t.Helper()
	for {
		m, err := receive(t, a.conn)
		if err != nil {
			if link.CloseCode(err) != link.GoingAway {
				t.Errorf("the channel ended with %v, want that the gateway goes away", err)
			}
			return
		}
		if m.GetSessionEventAck() != nil {
			t.Fatal("an event was acknowledged that was not written")
		}
	}
}

func TestStateIsRecordedOnChange(t *testing.T) {
	w := start(t)
	a := w.join(t, "d1")
	for i, locked := range []bool{false, false, true, true, false} {
		send(t, a.conn, &controlv1.AgentMessage{Message: &controlv1.AgentMessage_State{
			State: &controlv1.State{Locked: locked, TimeMs: int64(i)},
		}})
	}
	for i, want := range []bool{false, true, false} {
		if got := <-w.desks.states; got.GetLocked() != want {
			t.Errorf("state %d: locked %v, want %v", i, got.GetLocked(), want)
		}
	}
	select {
	case more := <-w.desks.states:
		t.Errorf("one more state: %v", more)
	default:
	}
}

func TestLeaseNamesWhatMayGoOn(t *testing.T) {
	w := start(t)
	w.desks.running["d1"] = []cert.SessionID{{5}, {6}}
	a := w.join(t, "d1")
	a.next(func(_ *controlv1.GatewayMessage, o *controlv1.Order) bool {
		ids := o.GetLease().GetSessionIds()
		return len(ids) == 2 && ids[0][0] == 5 && ids[1][0] == 6
	})
	a.next(func(_ *controlv1.GatewayMessage, o *controlv1.Order) bool {
		return string(o.GetHead().GetHead()) == "head"
	})
}

func TestOutOfTurnEndsTheChannel(t *testing.T) {
	w := start(t)
	for name, m := range map[string]*controlv1.AgentMessage{
		"second hello":    {Message: &controlv1.AgentMessage_Hello{Hello: &controlv1.Hello{}}},
		"nothing":         {},
		"malformed event": {Message: &controlv1.AgentMessage_SessionEvent{SessionEvent: &controlv1.SessionEvent{Seq: 1}}},
		"many sessions":   {Message: &controlv1.AgentMessage_State{State: &controlv1.State{SessionIds: make([][]byte, 17)}}},
	} {
		a := w.join(t, "d1")
		send(t, a.conn, m)
		for {
			if _, err := receive(t, a.conn); err != nil {
				if link.CloseCode(err) != link.ProtocolError {
					t.Errorf("%s: %v, want a protocol error", name, err)
				}
				break
			}
		}
	}
}

// TestGoneIsRecordedInTheEnd: that a desk went while the store took nothing is recorded when it does again.
func TestGoneIsRecordedInTheEnd(t *testing.T) {
	w := start(t)
	a := w.join(t, "d1")
	fail := func(err error) {
		w.desks.mu.Lock()
		defer w.desks.mu.Unlock()
		w.desks.undetached = err
	}
	fail(errors.New("no room"))
	a.conn.Close(link.Normal, "")
	<-w.desks.inVain
	fail(nil)
	if got := <-w.desks.detached; got != "d1 1 false" {
		t.Errorf("detached %q", got)
	}
}

func TestStopClosesAllChannels(t *testing.T) {
	w := start(t)
	a := w.join(t, "d1")
	w.dial(t) // one without a hello
	w.stop()
	<-w.ended
	for {
		if _, err := receive(t, a.conn); err != nil {
			if link.CloseCode(err) != link.Stopping {
				t.Errorf("channel ended with %v, want code 4007", err)
			}
			break
		}
	}
	if got := <-w.desks.detached; got != "d1 1 true" {
		t.Errorf("detached %q, want it to say that the gateway stops", got)
	}
}

// TestStrangersCannotTakeAllPlaces: the oldest socket without a hello is closed for one more, long before its time is
// over.
func TestStrangersCannotTakeAllPlaces(t *testing.T) {
	w := start(t)
	first := w.dial(t)
	if _, err := receive(t, first); err != nil { // its challenge
		t.Fatal(err)
	}
	for range 64 {
		w.dial(t)
	}
	if _, err := receive(t, first); err == nil {
		t.Error("the first socket heard something")
	}
}

// TestTheKnownHavePlacesOfTheirOwn: whatever strangers take at the same address, a socket where desks were before keeps
// its place until its hello.
func TestTheKnownHavePlacesOfTheirOwn(t *testing.T) {
	var standing atomic.Int64
	w := start(t, func(cfg *hub.Config) {
		cfg.Standing = func(netip.Addr) crowd.Standing { return crowd.Standing(standing.Load()) }
	})
	standing.Store(int64(crowd.Met))
	desk := w.dial(t)
	standing.Store(int64(crowd.Stranger))
	for range 66 {
		w.dial(t)
	}
	if _, m := w.helloOn(t, desk, w.identity(t, "d1")); m.GetSigned() == nil {
		t.Errorf("the desk was answered %v", m)
	}
}

// TestDesksAreMetWhereTheyCome: an address is known after a good hello, and not after one that proves nothing.
func TestDesksAreMetWhereTheyCome(t *testing.T) {
	met := make(chan string, 8)
	w := start(t, func(cfg *hub.Config) { cfg.Met = func(who string, at netip.Addr) { met <- who + " " + at.String() } })
	stranger := w.identity(t, "d1")
	stranger.ca = key(t)
	w.hello(t, stranger)
	w.join(t, "d2")
	if got := <-met; got != "desk:d2 127.0.0.1" {
		t.Errorf("met %q first", got)
	}
}
