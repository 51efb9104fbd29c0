//go:build linux

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/agent"
	"jiseki/internal/desktop"
	"jiseki/internal/desktop/desktoptest"
	"jiseki/internal/enrol"
	"jiseki/internal/gateway"
	"jiseki/internal/gateway/gatewaytest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/lock"
	"jiseki/internal/screen"
	"jiseki/internal/x11"
)

// patience bounds every wait of a test. It only ends tests that have failed; a loaded machine never reaches it.
const patience = 90 * time.Second

// A plan says how a house differs from the plain one.
type plan struct {
	size     screen.Point // of the first monitor; zero means 640x480
	settings func(*access.Settings)
	gateway  func(*gateway.Config)
	database string       // URL of a PostgreSQL; empty means SQLite
	front    *door        // what the agent dials; nil means the gateway itself
	more     func(*house) // called when the gateway runs, before the desk is enrolled
	limits   agent.Limits
	noLocker bool
	locker   []string       // nil: i3lock as whoever runs the test
	server   []string       // further arguments of the X server
	grows    bool           // the screen can grow beyond what can be shown
	zone     controlv1.Zone // zero means internet
	users    []string       // who may open the desk; nil means tanaka
}

// A house is a town hall with one desk: gateway, X server, agent.
type house struct {
	t      *testing.T
	plan   plan
	log    *slog.Logger
	town   *gatewaytest.Town
	screen *desktop.Desktop

	stopScreen func()

	x     *x11.Conn // of a client that has nothing to do with the agent
	desk  string    // id
	name  string
	dir   string                     // the agent's home
	clock clock                      // the agent's
	slips map[string]*controlv1.Slip // by user

	agent *running

	mu      sync.Mutex
	notices []*shownNotice
}

// A shownNotice is a notice at the desk; the button on it is pressed by calling end.
type shownNotice struct {
	io.Closer
	name   string
	end    func()
	closed atomic.Bool
}

// A clock runs ahead of the machine's.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
	race  time.Duration // by which each look at it moves it on
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += c.race
	return time.Now().Add(c.ahead)
}

func (c *clock) set(ahead, race time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead, c.race = ahead, race
}

// build starts a house; the agent is connected when it returns.
func build(t *testing.T, p plan) *house {
	t.Helper()
	h := found(t, p)
	h.enrol(h.admit())
	h.start()
	return h
}

// found starts gateway and X server of a house.
func found(t *testing.T, p plan) *house {
	t.Helper()
	watchGoroutines(t)
	if p.size == (screen.Point{}) {
		p.size = screen.Point{X: 640, Y: 480}
	}
	if p.users == nil {
		p.users = []string{"tanaka"}
	}
	h := &house{t: t, plan: p, slips: map[string]*controlv1.Slip{}, log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo}))}
	options := []gatewaytest.Option{gatewaytest.WithLog(h.log.With("part", "gateway"))}
	if p.settings != nil {
		options = append(options, gatewaytest.WithSettings(p.settings))
	}
	if p.gateway != nil {
		options = append(options, gatewaytest.WithConfig(p.gateway))
	}
	if p.database != "" {
		options = append(options, gatewaytest.WithDatabase(p.database))
	}
	h.town = gatewaytest.Start(t, options...)
	if p.more != nil {
		p.more(h)
	}
	if p.grows {
		h.screen, h.stopScreen = desktoptest.GrowingUntil(t, p.size)
	} else {
		h.screen, h.stopScreen = desktoptest.BareUntil(t, p.size, p.server...)
	}
	h.x = h.client(nil)
	h.dir = filepath.Join(t.TempDir(), "agent")
	return h
}

// client connects to the desk's X server as any program does.
func (h *house) client(onEvent func(x11.Event)) *x11.Conn {
	h.t.Helper()
	c, err := x11.Dial(x11.Options{Display: h.screen.Display(), Authority: h.screen.Authority(), OnEvent: onEvent})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { c.Close() })
	return c
}

// admit creates the users and the desk at the gateway and returns the token that enrols the desk.
func (h *house) admit() (token string) {
	t := h.t
	t.Helper()
	for _, id := range h.plan.users {
		h.slip(id)
	}
	zone := h.plan.zone
	if zone == 0 {
		zone = controlv1.Zone_ZONE_INTERNET
	}
	h.name = "総務課 1"
	put, err := h.town.Admin.PutDesk(t.Context(), &controlv1.PutDeskRequest{Name: h.name, Zone: zone, UserIds: h.plan.users})
	if err != nil {
		t.Fatal(err)
	}
	h.desk = put.GetDesk().GetDeskId()
	made, err := h.town.Admin.CreateDeskToken(t.Context(), &controlv1.CreateDeskTokenRequest{DeskId: h.desk})
	if err != nil {
		t.Fatal(err)
	}
	return made.GetToken()
}

// enrol enrols the desk.
func (h *house) enrol(text string) {
	h.t.Helper()
	token, err := enrol.Parse(text)
	if err != nil {
		h.t.Fatal(err)
	}
	host := h.town.Host
	if h.plan.front != nil {
		host = h.plan.front.host
	}
	_, err = agent.Enroll(h.t.Context(), agent.EnrollConfig{
		Dir: h.dir, Gateway: "https://" + host, Token: token, Proxy: "direct", Version: "test", Hostname: "pc-1", Now: time.Now,
	})
	if err != nil {
		h.t.Fatalf("enrol the desk: %v", err)
	}
}

// slip is the first password and the device code of a user, who is created with it.
func (h *house) slip(user string) *controlv1.Slip {
	h.t.Helper()
	if h.slips[user] == nil {
		h.slips[user] = h.town.NewUser(h.t, user, "利用者 "+user)
	}
	return h.slips[user]
}

// A running agent.
type running struct {
	agent  *agent.Agent
	cancel context.CancelFunc
	done   chan struct{}
	err    error // when done
	lock   *lock.X11
}

// start starts the agent and waits until the gateway shows the desk.
func (h *house) start() {
	h.t.Helper()
	h.launch()
	h.awaitDesk(func(d *controlv1.Desk) bool {
		return d.GetState() == controlv1.DeskState_DESK_STATE_ON && d.GetLockable() == !h.plan.noLocker
	})
}

// launch starts the agent.
func (h *house) launch() {
	t := h.t
	t.Helper()
	home, err := agent.LoadHome(h.dir)
	if err != nil {
		t.Fatal(err)
	}
	x := agent.X11Config{Display: h.screen.Display(), Authority: h.screen.Authority(), Locker: []string{"i3lock", "--nofork"}, Log: h.log}
	if h.plan.noLocker {
		x.Locker = nil
	}
	if h.plan.locker != nil {
		x.Locker = h.plan.locker
	}
	desk, closeDesk, err := agent.OpenX11(x)
	if err != nil {
		t.Fatal(err)
	}
	notice := desk.Notice
	desk.Notice = func(name string, end func()) (io.Closer, error) { return h.note(notice, name, end) }
	a, err := agent.New(agent.Config{
		Gateway: home.Gateway, Identity: home.Identity, Self: home.Self, Bundle: home.Bundle, Dir: home.Dir, Desk: desk,
		Limits: h.plan.limits, Proxy: "direct", Version: "test", Hostname: "pc-1", System: "test", Log: h.log.With("part", "agent"),
		Now: h.clock.now, SaveBundle: home.SaveBundle, SaveHead: home.SaveHead, SaveCertificate: home.SaveCertificate,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{agent: a, cancel: cancel, done: make(chan struct{}), lock: desk.Lock.(*lock.X11)}
	h.agent = r
	go func() {
		defer close(r.done)
		r.err = errors.Join(a.Run(ctx), closeDesk())
	}()
	t.Cleanup(r.stop)
}

// note shows a notice and keeps it for the test.
func (h *house) note(show func(string, func()) (io.Closer, error), name string, end func()) (io.Closer, error) {
	real, err := show(name, end)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	n := &shownNotice{Closer: real, name: name, end: end}
	h.notices = append(h.notices, n)
	return closer(func() error {
		n.closed.Store(true)
		return real.Close()
	}), nil
}

type closer func() error

func (c closer) Close() error { return c() }

// stop stops an agent in good order.
func (r *running) stop() {
	r.cancel()
	<-r.done
}

// awaitDesk waits until the console shows the desk so.
func (h *house) awaitDesk(so func(*controlv1.Desk) bool) {
	h.t.Helper()
	var last *controlv1.Desk
	await(h.t, func() bool {
		r, err := h.town.Admin.ListAllDesks(h.t.Context(), &controlv1.ListAllDesksRequest{Query: h.desk})
		if err != nil || len(r.GetDesks()) != 1 {
			return false
		}
		last = r.GetDesks()[0]
		return so(last)
	}, func() string { return fmt.Sprintf("the console shows %v", last) })
}

// await looks again and again until a condition holds that nothing announces; what says what is there instead.
func await(t *testing.T, holds func() bool, what func() string) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what())
		}
		time.Sleep(5 * time.Millisecond) // between two looks, not for synchronisation
	}
}

// soon is a context for things that take no time on an idle machine.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// grab reads the whole X screen, by another way than the agent: without shared memory, in one request.
func (h *house) grab() (screen.Point, []byte) {
	bounds, err := h.x.Geometry(h.x.Setup.Root)
	if err != nil {
		h.t.Error(err)
		return screen.Point{}, nil
	}
	raw, err := h.x.GetPicture(h.x.Setup.Root, bounds, make([]byte, 32+4*bounds.Dx()*bounds.Dy()))
	if err != nil {
		h.t.Error(err)
		return screen.Point{}, nil
	}
	pix := bytes.Clone(raw)
	for i := 3; i < len(pix); i += 4 {
		pix[i] = 0
	}
	return bounds.Max, pix
}

// keysDown are the keycodes that are down on the X server, whoever holds them.
func (h *house) keysDown() (codes []int) {
	h.t.Helper()
	down, err := h.x.KeysDown()
	if err != nil {
		h.t.Fatal(err)
	}
	for i := range 256 {
		if down[i/8]&(1<<(i%8)) != 0 {
			codes = append(codes, i)
		}
	}
	return codes
}

// locked says whether the desk's screen is locked.
func (h *house) locked() bool {
	h.t.Helper()
	is, err := h.agent.lock.Locked()
	if err != nil {
		h.t.Fatal(err)
	}
	return is
}

// sessionEvents are the kinds and codes of a session's events, in the order of the log.
func (h *house) sessionEvents(id []byte) (kinds []string) {
	h.t.Helper()
	r, err := h.town.Admin.ListEvents(h.t.Context(), &controlv1.ListEventsRequest{Page: &controlv1.Page{Limit: 500}})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, e := range slices.Backward(r.GetEvents()) { // the newest comes first
		if bytes.Equal(e.GetSessionId(), id) {
			kinds = append(kinds, e.GetKind()+" "+e.GetCode())
		}
	}
	return kinds
}

// awaitEvents waits until the log holds these events of a session, and no others, in this order.
func (h *house) awaitEvents(id []byte, want ...string) {
	h.t.Helper()
	var got []string
	await(h.t, func() bool { got = h.sessionEvents(id); return slices.Equal(got, want) },
		func() string { return fmt.Sprintf("events %q, want %q", got, want) })
}

// verifyLog checks the hash chain of the audit log.
func (h *house) verifyLog() {
	h.t.Helper()
	r, err := h.town.Admin.VerifyEvents(h.t.Context(), &controlv1.VerifyEventsRequest{})
	if err != nil || !r.GetIntact() || r.GetChecked() == 0 {
		h.t.Errorf("the audit log: %v, %v", r, err)
	}
}

// restartGateway stops the gateway in good order and starts it again on its port.
func (h *house) restartGateway() {
	h.t.Helper()
	h.town.Stop(h.t)
	h.town.Run(h.t)
}

// watchGoroutines fails the test when code of ours still runs after all has been cleaned up. It must be called before
// anything is started.
func watchGoroutines(t *testing.T) {
	t.Helper()
	before := ours()
	t.Cleanup(func() {
		var left []string
		await(t, func() bool {
			left = ours()
			for _, b := range before {
				left = slices.DeleteFunc(left, func(s string) bool { return s == b })
			}
			return len(left) == 0
		}, func() string { return "goroutines are left:\n" + strings.Join(left, "\n\n") })
	})
}

// ours are the stacks of the goroutines that run or wait in code of the parts under test.
func ours() (stacks []string) {
	buf := make([]byte, 4<<20)
	buf = buf[:runtime.Stack(buf, true)]
	for _, s := range strings.Split(string(buf), "\n\n") {
		if strings.Contains(s, "jiseki/internal/") && !strings.Contains(s, "jiseki/internal/e2e.") {
			_, body, _ := strings.Cut(s, "\n")
			stacks = append(stacks, body)
		}
	}
	return stacks
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return string(b)
}
