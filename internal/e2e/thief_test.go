//go:build linux

package e2e

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"jiseki/internal/bus"
	"jiseki/internal/ca"
	"jiseki/internal/cert"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/grant"
	"jiseki/internal/hub"
	"jiseki/internal/keys"
	"jiseki/internal/link"
	"jiseki/internal/register"
	"jiseki/internal/relay"
	"jiseki/internal/seal"
	"jiseki/internal/store"
	"jiseki/internal/viewer"
	"jiseki/internal/wire"
)

// A thief has a copy of the gateway's keys folder, and what a false gateway needs: agents are led to it by the network.
type thief struct {
	h      *house
	keys   *ca.Authority
	host   string
	hub    *hub.Hub
	relay  *relay.Relay
	device *cert.SignerKey
	came   chan hub.Arrival

	mu       sync.Mutex
	register *register.List // what the thief knows, or makes up
}

// steal copies the keys folder of a house and opens a false gateway with it.
func (h *house) steal() *thief {
	t := h.t
	t.Helper()
	dir := filepath.Join(t.TempDir(), "keys")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(h.town.Config.DataDir, "keys"))); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for path, mode := range map[string]os.FileMode{dir: 0o700} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range files {
		if err := os.Chmod(f, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	th := &thief{h: h, came: make(chan hub.Arrival, 64)}
	if th.keys, err = ca.Open(ca.Config{Dir: dir, Now: time.Now}); err != nil {
		t.Fatal(err)
	}
	if th.device, err = cert.GenerateKey(); err != nil {
		t.Fatal(err)
	}
	th.serve()
	return th
}

// serve runs the false gateway until the test ends.
func (th *thief) serve() {
	t := th.h.t
	t.Helper()
	log := th.h.log.With("part", "thief")
	inside, err := bus.New(bus.Config{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	th.relay = relay.New(relay.Config{Log: log, Now: time.Now})
	th.hub, err = hub.New(hub.Config{
		Log: log, Now: time.Now, Bus: inside, Desks: th, Orders: th.keys.GrantKey(), Bundle: th.keys.Bundle,
		Organisation: func() string { return "みどり町" }, Head: func() []byte { return nil }, Reviewed: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	config, err := th.keys.ServerTLS([]string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /agent", th.hub)
	mux.Handle("GET /relay", th.relay)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	th.host = l.Addr().String()
	server := &http.Server{Handler: mux, TLSConfig: config, ReadHeaderTimeout: patience}
	ctx, cancel := context.WithCancel(context.Background())
	served, ran := make(chan struct{}), make(chan struct{})
	go func() { defer close(served); _ = server.ServeTLS(l, "", "") }()
	go func() { defer close(ran); _ = th.hub.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-ran
		_ = th.relay.Shutdown(context.Background())
		_ = server.Close()
		<-served
		inside.Close()
	})
}

// Attach lets every desk in.
func (th *thief) Attach(_ context.Context, a hub.Arrival) (hub.Attached, error) {
	th.came <- a
	return hub.Attached{Epoch: 1 << 40, Name: "総務課 1"}, nil
}

// SetState and what follows it say nothing and forget everything.
func (th *thief) SetState(context.Context, string, uint64, *controlv1.State) error { return nil }
func (th *thief) Detach(context.Context, string, uint64, bool) error               { return nil }
func (th *thief) Record(context.Context, string, *controlv1.SessionEvent) error    { return nil }
func (th *thief) Enrolled(context.Context) (map[string]hub.Enrolment, error) {
	return nil, errors.New("whoever comes is let in")
}
func (th *thief) Running(context.Context) (map[string][]cert.SessionID, error) { return nil, nil }
func (th *thief) Differs(context.Context, string, string, uint64) error        { return nil }

// RegisterEnd is the end of the thief's register.
func (th *thief) RegisterEnd(context.Context) (uint64, error) {
	th.mu.Lock()
	defer th.mu.Unlock()
	return th.register.Len(), nil
}

// Register is the thief's.
func (th *thief) Register(_ context.Context, from uint64, n int) (register.Part, error) {
	th.mu.Lock()
	defer th.mu.Unlock()
	return th.register.Part(from, n), nil
}

// open certifies a device of the thief's own, mints a grant in the name of a user, and opens the desk.
func (th *thief) open(t *testing.T, a hub.Arrival, user string) (*eyes, error) {
	t.Helper()
	device, err := th.keys.IssueDevice("stolen", "user:"+user, cert.GradeSystem, th.device.Public())
	if err != nil {
		t.Fatal(err)
	}
	noise, err := seal.NewStaticKey()
	if err != nil {
		t.Fatal(err)
	}
	statement, err := cert.ParseDeskStatement(a.Statement)
	if err != nil {
		t.Fatal(err)
	}
	desk, err := th.keys.IssueDesk(a.Desk, a.Zone, cert.GradeFile, a.Key)
	if err != nil {
		t.Fatal(err)
	}
	var mine, agents link.Ticket
	rand.Read(mine[:])
	rand.Read(agents[:])
	now := time.Now().UTC().Truncate(time.Millisecond)
	zone, _ := grant.ParseZone(a.Zone)
	g := &grant.Grant{
		User: user, UserName: "利用者 " + user, Device: "stolen", DeviceKind: grant.DeviceLent, ViewerKind: grant.ViewerHeadless,
		DeviceKey: th.device.Public(), Desk: a.Desk, Zone: zone, DeskKey: a.Key, NoiseKey: noise.Public(),
		Rights: grant.RightView | grant.RightInput, ViewerTicket: mine.Hash(), AgentTicket: agents.Hash(), Relay: th.host,
		Issued: now, OpenBefore: now.Add(grant.OpenLife), SessionUntil: now.Add(time.Hour),
	}
	rand.Read(g.Session[:])
	if err := g.Mint(th.keys.GrantKey()); err != nil {
		t.Fatal(err)
	}
	err = th.relay.Offer(relay.Offer{Session: g.Session, ViewerTicketHash: mine.Hash(), AgentTicketHash: agents.Hash(), Expires: g.OpenBefore})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := th.hub.Offer(soon(t), a.Desk, g.Session, &controlv1.Offer{
		Grant: g.Append(nil), Ticket: agents[:], DeviceCertificate: device.Append(nil),
	})
	if err != nil {
		return nil, err
	}
	if !answer.GetAccepted() {
		return nil, errors.New(answer.GetCode())
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(readFile(t, filepath.Join(th.h.town.Config.DataDir, "keys", "tls-ca.crt"))))
	config := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS13}
	e := &eyes{t: t, h: th.h, session: g.Session, done: make(chan struct{})}
	e.Viewer, err = viewer.Open(soon(t), viewer.Config{
		Opening: &viewer.Opening{
			Session: g.Session, Desk: a.Desk, Grant: g, Ticket: mine, RelayURL: "wss://" + th.host + "/relay", Certificate: desk,
			Statement: statement, DeskCAs: th.keys.Bundle().DeskCAs, Key: noise,
		},
		Identity: th.device, TLS: config, Proxy: "direct", Monitor: wire.AllMonitors, Log: th.h.log.With("part", "thief's viewer"),
		Now: time.Now, Shown: e.shown,
	})
	if err != nil {
		return nil, err
	}
	var ctx context.Context
	ctx, e.cancel = context.WithCancel(context.Background())
	go func() {
		defer close(e.done)
		e.err = e.Run(ctx)
	}()
	t.Cleanup(e.hangUp)
	return e, nil
}

// lure leads the desk to the thief and waits until it is there.
func (th *thief) lure(front *door) hub.Arrival {
	t := th.h.t
	t.Helper()
	front.lead(th.host)
	front.Cut()
	select {
	case a := <-th.came:
		return a
	case <-time.After(patience):
		t.Fatal("the desk did not come to the false gateway")
		return hub.Arrival{}
	}
}

// TestCopiedKeysOpenNothing: who copied the keys folder and leads a desk to a false gateway gets neither a picture nor
// a key in: not with a register that he makes up, and not with a backup of the real one that is no longer its end.
func TestCopiedKeysOpenNothing(t *testing.T) {
	front := openDoor(t)
	h := build(t, plan{front: front, more: func(h *house) { front.lead(h.town.Host) }})
	backup := h.register() // before the device of tanaka
	tanaka := h.staff("tanaka")
	tanaka.open(look{}).hangUp()

	th := h.steal()
	for name, l := range map[string]*register.List{"made up": {}, "old backup": backup} {
		th.mu.Lock()
		th.register = l
		th.announce(h.desk)
		th.mu.Unlock()
		e, err := th.open(t, th.lure(front), "tanaka")
		if err == nil {
			e.sameAsDesk()
			e.press(keys.KeyA)
			t.Fatalf("%s: a copy of the keys folder opened the desk: picture and keys, without user, password, approval or event", name)
		}
		if err.Error() != "device_unannounced" {
			t.Errorf("%s: the thief was refused with %v", name, err)
		}
	}
	front.lead(h.town.Host)
	front.Cut()
	h.awaitDesk(func(d *controlv1.Desk) bool { return d.GetState() == controlv1.DeskState_DESK_STATE_ON })
	tanaka.open(look{}).hangUp() // the honest are served as before
	if got := h.events("desk_differs"); len(got) != 0 {
		t.Errorf("a desk that followed no thief differs: %v", got)
	}
}

// TestStolenDatabaseLeavesATrace: who has the keys and the whole register of this moment, as root of the gateway has,
// can continue it. The desk then holds what the gateway does not, and both say so.
func TestStolenDatabaseLeavesATrace(t *testing.T) {
	front := openDoor(t)
	h := build(t, plan{front: front, more: func(h *house) { front.lead(h.town.Host) }})
	v := h.staff("tanaka").open(look{})
	v.hangUp()
	await(t, func() bool { // the gateway would say that the desk is in use
		return slices.ContainsFunc(h.sessionEvents(v.session[:]), func(e string) bool { return strings.HasPrefix(e, "session_ended") })
	}, func() string { return "the end of the honest session was not recorded" })
	th := h.steal()
	th.register = h.register()
	th.announce(h.desk)
	e, err := th.open(t, th.lure(front), "tanaka")
	if err != nil {
		t.Fatalf("the thief who knows the whole register: %v", err)
	}
	e.hangUp()
	front.lead(h.town.Host)
	front.Cut()
	await(t, func() bool { return len(h.events("desk_differs")) > 0 }, func() string { return "the desk does not say that it was led astray" })
	if got := h.events("desk_differs")[0].GetCode(); got != "register_ahead" {
		t.Errorf("the event says %q", got)
	}
	// What the gateway announces next, the desk does not take.
	h.slip("sato")
	_, err = h.town.Admin.PutDesk(t.Context(), &controlv1.PutDeskRequest{
		DeskId: h.desk, Name: h.name, Zone: controlv1.Zone_ZONE_INTERNET, UserIds: []string{"tanaka", "sato"},
	})
	if err != nil {
		t.Fatal(err)
	}
	var refused *viewer.RefusedError
	if _, err := h.staff("sato").try(look{}); !errors.As(err, &refused) || refused.Code() != "desk_register" {
		t.Errorf("a desk that was led astray: %v", err)
	}
	h.verifyLog()
}

// announce puts a device of the thief's own into the register.
func (th *thief) announce(desk string) {
	for _, e := range []register.Entry{
		{Op: register.Add, What: register.Device("stolen", "user:tanaka", th.device.Public())},
		{Op: register.Add, What: register.Assignment(desk, "tanaka")},
	} {
		th.register.Add(e)
	}
}

// register is what a backup of the gateway's database holds of the register now.
func (h *house) register() *register.List {
	h.t.Helper()
	path := filepath.Join(h.town.Config.DataDir, "jiseki.db")
	s, err := store.Open(h.t.Context(), store.Config{DSN: "sqlite:" + path, Now: time.Now})
	if err != nil {
		h.t.Fatal(err)
	}
	defer s.Close()
	part, err := s.Register(h.t.Context(), 0, 1<<20)
	if err != nil {
		h.t.Fatal(err)
	}
	l := &register.List{}
	if _, err := l.Follow(part); err != nil {
		h.t.Fatal(err)
	}
	return l
}

// events are those of a kind, newest first.
func (h *house) events(kind string) []*controlv1.Event {
	h.t.Helper()
	r, err := h.town.Admin.ListEvents(h.t.Context(), &controlv1.ListEventsRequest{Kind: kind, Page: &controlv1.Page{Limit: 500}})
	if err != nil {
		h.t.Fatal(err)
	}
	return r.GetEvents()
}
