package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/agent"
	"jiseki/internal/auth"
	"jiseki/internal/cert"
	"jiseki/internal/desktop"
	"jiseki/internal/enrol"
	"jiseki/internal/gateway"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/screen"
	"jiseki/internal/shape"
	"jiseki/internal/viewer"
	"jiseki/internal/wire"
	"jiseki/internal/x11"
)

// agentServe is the agent under test, in a process of its own.
type agentServe struct {
	Dir       string `required:""`
	Display   string `required:""`
	Authority string
}

// Run serves the desk until standard input ends.
func (c *agentServe) Run() error {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	home, err := agent.LoadHome(c.Dir)
	if err != nil {
		return err
	}
	desk, closeDesk, err := agent.OpenX11(agent.X11Config{Display: c.Display, Authority: c.Authority, Log: log})
	if err != nil {
		return err
	}
	defer closeDesk() //nolint:errcheck // the process ends
	a, err := agent.New(agent.Config{
		Gateway: home.Gateway, Identity: home.Identity, Self: home.Self, Bundle: home.Bundle, Dir: home.Dir, Desk: desk,
		Proxy: "direct", Version: "bench", Hostname: "bench", System: "bench", Log: log, Now: time.Now,
		SaveBundle: home.SaveBundle, SaveHead: home.SaveHead, SaveCertificate: home.SaveCertificate,
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, os.Stdin) // ends with the process that started this one
	}()
	return a.Run(ctx)
}

// deskLine is how the viewer reaches the gateway.
type deskLine struct {
	delay time.Duration // each way
	rate  float64       // bytes a second each way; 0 is no limit
}

// A benchDesk is a whole town hall on this machine: gateway and viewer in this process, X server and agent in processes
// of their own, with TLS over real sockets between all of them.
type benchDesk struct {
	dir     string
	cancel  context.CancelFunc
	parts   sync.WaitGroup
	failed  chan error
	gateway gateway.Config
	host    string // of the gateway
	desktop *desktop.Desktop
	agent   *exec.Cmd
	feed    io.Closer    // standard input of the agent
	wire    atomic.Int64 // bytes on the agent's sockets to the relay, both ways, with TLS
	desk    string
	portal  *viewer.Portal
	viewer  *viewer.Viewer
}

// openDesk starts everything and opens a session. shown is called for each update.
func openDesk(ctx context.Context, size screen.Point, line deskLine, shown func(viewer.Shown)) (d *benchDesk, err error) {
	d = &benchDesk{failed: make(chan error, 8)}
	ctx, d.cancel = context.WithCancel(ctx)
	defer func() {
		if err != nil {
			d.close()
		}
	}()
	if d.dir, err = os.MkdirTemp("", "jiseki-bench-"); err != nil {
		return d, err
	}
	for _, step := range []func(context.Context) error{
		func(ctx context.Context) error { return d.startScreen(ctx, size) },
		d.startGateway, d.startAgent,
		func(ctx context.Context) error { return d.startViewer(ctx, line, shown) },
	} {
		if err := step(ctx); err != nil {
			return d, err
		}
	}
	return d, nil
}

// run has a part run until the desk is closed.
func (d *benchDesk) run(ctx context.Context, part string, run func(context.Context) error) {
	d.parts.Go(func() {
		if err := run(ctx); err != nil && ctx.Err() == nil {
			d.failed <- fmt.Errorf("%s: %w", part, err)
		}
	})
}

// close ends everything and removes what it kept.
func (d *benchDesk) close() {
	if d.portal != nil {
		d.portal.Close()
	}
	if d.feed != nil {
		d.feed.Close()
		_ = d.agent.Wait() // how it ends says nothing about the measurement
	}
	d.cancel()
	d.parts.Wait()
	os.RemoveAll(d.dir) // a folder for temporary files: nothing is lost with it
}

func (d *benchDesk) startScreen(ctx context.Context, size screen.Point) (err error) {
	home := filepath.Join(d.dir, "desk")
	if err := os.Mkdir(home, 0o700); err != nil {
		return err
	}
	d.desktop, err = desktop.New(desktop.Config{Home: home, Size: size, Bare: true, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	d.run(ctx, "X server", d.desktop.Run)
	select {
	case <-d.desktop.Ready():
		return nil
	case err := <-d.failed:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (d *benchDesk) startGateway(ctx context.Context) error {
	counting, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	d.gateway = gateway.Default()
	d.gateway.DataDir = filepath.Join(d.dir, "gateway")
	d.gateway.Public.Address = "127.0.0.1:0"
	d.gateway.TLS.Names = []string{"127.0.0.1", "localhost"}
	d.gateway.Relay.DeskAddress = counting.Addr().String()
	ready := make(chan gateway.Listening, 1)
	env := gateway.Environment{Cost: auth.Cost{MemoryKB: 64, Passes: 1, Threads: 1}, Ready: func(l gateway.Listening) { ready <- l }}
	_, err = gateway.Init(ctx, d.gateway, env, gateway.Founding{
		Organisation: "bench", Address: "https://localhost", AdminID: "admin", AdminName: "admin",
		Settings: func(s *access.Settings) { s.RequireLockable, s.Idle = false, 0 },
	})
	if err != nil {
		return err
	}
	g, err := gateway.New(d.gateway, env)
	if err != nil {
		return err
	}
	d.run(ctx, "gateway", g.Run)
	select {
	case l := <-ready:
		d.host = l.Public.String()
	case err := <-d.failed:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
	d.run(ctx, "counter", shape.New(shape.Config{Listener: counting, Dial: func(ctx context.Context) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", d.host)
		return counted{c, &d.wire}, err
	}}).Run)
	return nil
}

// counted counts what passes a connection.
type counted struct {
	net.Conn
	bytes *atomic.Int64
}

func (c counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.bytes.Add(int64(n))
	return n, err
}

func (c counted) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.bytes.Add(int64(n))
	return n, err
}

const (
	benchUser     = "bench"
	benchPassword = "Kumquat-7-lantern-drift"
)

// startAgent creates user and desk, enrols the desk and starts its agent.
func (d *benchDesk) startAgent(ctx context.Context) error {
	admin, done, err := gateway.OpenAdmin(ctx, d.gateway)
	if err != nil {
		return err
	}
	defer done() //nolint:errcheck // a connection to this process
	users, err := admin.CreateUsers(ctx, &controlv1.CreateUsersRequest{Users: []*controlv1.NewUser{{
		UserId: benchUser, Name: benchUser, Roles: []controlv1.Role{controlv1.Role_ROLE_STAFF}, DeviceKind: controlv1.DeviceKind_DEVICE_KIND_LENT,
		InventoryNumber: "bench",
	}}})
	if err != nil {
		return err
	}
	put, err := admin.PutDesk(ctx, &controlv1.PutDeskRequest{Name: "bench", Zone: controlv1.Zone_ZONE_INTERNET, UserIds: []string{benchUser}})
	if err != nil {
		return err
	}
	d.desk = put.GetDesk().GetDeskId()
	made, err := admin.CreateDeskToken(ctx, &controlv1.CreateDeskTokenRequest{DeskId: d.desk})
	if err != nil {
		return err
	}
	token, err := enrol.Parse(made.GetToken())
	if err != nil {
		return err
	}
	home := filepath.Join(d.dir, "agent")
	_, err = agent.Enroll(ctx, agent.EnrollConfig{
		Dir: home, Gateway: "https://" + d.host, Token: token, Proxy: "direct", Version: "bench", Hostname: "bench", Now: time.Now,
	})
	if err != nil {
		return err
	}
	if err := d.launchAgent(ctx, home); err != nil {
		return err
	}
	return d.signIn(ctx, users.GetSlips()[0])
}

func (d *benchDesk) launchAgent(ctx context.Context, home string) (err error) {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	d.agent = exec.CommandContext(ctx, self, "agent-serve", "--dir", home, "--display", d.desktop.Display(), "--authority", d.desktop.Authority())
	d.agent.Stderr = os.Stderr
	if d.feed, err = d.agent.StdinPipe(); err != nil {
		return err
	}
	return d.agent.Start()
}

// signIn makes this process the user's enrolled device.
func (d *benchDesk) signIn(ctx context.Context, slip *controlv1.Slip) error {
	home, err := agent.LoadHome(filepath.Join(d.dir, "agent")) // it holds the gateway's trust bundle
	if err != nil {
		return err
	}
	d.portal, err = viewer.NewPortal(viewer.PortalConfig{Gateway: "https://" + d.host, TLS: tlsOf(home.Bundle), Proxy: "direct"})
	if err != nil {
		return err
	}
	if _, err := d.portal.SignIn(ctx, benchUser, slip.GetInitialPassword()); err != nil {
		return err
	}
	if err := d.portal.ChangePassword(ctx, slip.GetInitialPassword(), benchPassword); err != nil {
		return err
	}
	key, err := cert.GenerateKey()
	if err != nil {
		return err
	}
	_, err = d.portal.Enrol(ctx, key, slip.GetDeviceCode(), "bench")
	return err
}

// startViewer opens the desk as soon as its agent has come, over the line, and waits for the first whole picture.
func (d *benchDesk) startViewer(ctx context.Context, line deskLine, shown func(viewer.Shown)) error {
	opening, err := d.authorize(ctx)
	if err != nil {
		return err
	}
	shaped := shape.Line{Delay: line.delay, Rate: line.rate}
	if shaped != (shape.Line{}) {
		proxy, err := shape.TCP(d.host, shaped, shaped)
		if err != nil {
			return err
		}
		d.run(ctx, "line", proxy.Run)
		opening.RelayURL = "wss://" + proxy.Addr().String() + "/relay"
	}
	d.viewer, err = viewer.Open(ctx, viewer.Config{
		Opening: opening, Identity: d.portal.Device().Identity, TLS: tlsOf(d.portal.Device().Bundle), Proxy: "direct",
		Monitor: wire.AllMonitors, Log: slog.New(slog.DiscardHandler), Now: time.Now, Shown: shown,
	})
	if err != nil {
		return err
	}
	d.run(ctx, "viewer", d.viewer.Run)
	return d.viewer.Wait(ctx, func(s viewer.State) bool { return s.Settled })
}

// authorize asks for a session until the agent is there.
func (d *benchDesk) authorize(ctx context.Context) (*viewer.Opening, error) {
	for {
		opening, err := d.portal.Authorize(ctx, d.desk, nil)
		var refused *viewer.RefusedError
		if err == nil || !errors.As(err, &refused) || refused.Code() != string(access.DeskOff) {
			return opening, err
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// client connects to the desk's X server as its programs do.
func (d *benchDesk) client(onEvent func(x11.Event)) (*x11.Conn, error) {
	return x11.Dial(x11.Options{Display: d.desktop.Display(), Authority: d.desktop.Authority(), OnEvent: onEvent})
}
