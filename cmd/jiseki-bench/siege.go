package main

import (
	"bufio"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"

	"jiseki/internal/access"
	"jiseki/internal/auth"
	"jiseki/internal/cert"
	"jiseki/internal/gateway"
	"jiseki/internal/gateway/gatewaytest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/viewer"
)

// gatewayServe is the gateway under attack, in a process of its own: it makes a town in a folder, prints its address,
// and serves until its input ends.
type gatewayServe struct {
	Dir    string `required:""`
	Costly bool   `help:"Hash passwords as a town hall does."`
}

func (c *gatewayServe) config() gateway.Config {
	cfg := gateway.Default()
	cfg.DataDir = filepath.Join(c.Dir, "data")
	cfg.Public.Address = "127.0.0.1:0"
	cfg.TLS.Names = []string{"127.0.0.1", "localhost"}
	return cfg
}

// Run serves until its input ends.
func (c *gatewayServe) Run(out io.Writer) error {
	log, err := os.Create(filepath.Join(c.Dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cfg := c.config()
	ready := make(chan gateway.Listening, 1)
	env := gateway.Environment{Log: slog.New(slog.NewTextHandler(log, nil)), Ready: func(l gateway.Listening) { ready <- l }}
	if !c.Costly {
		env.Cost = auth.Cost{MemoryKB: 64, Passes: 1, Threads: 1}
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	_, err = gateway.Init(ctx, cfg, env, gateway.Founding{
		Organisation: "bench", Address: "https://localhost", AdminID: "admin", AdminName: "admin",
		Settings: func(s *access.Settings) { // nobody here is in the town hall
			s.RequireLockable, s.OfficeNetworks = false, []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}
		},
	})
	if err != nil {
		return err
	}
	g, err := gateway.New(cfg, env)
	if err != nil {
		return err
	}
	go func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, os.Stdin) // ends with the process that started this one
	}()
	go func() { _ = json.NewEncoder(out).Encode((<-ready).Public.String()) }()
	return g.Run(ctx)
}

// A siege is a gateway, an honest user with a device, and addresses to attack from.
type siege struct {
	town      *gatewaytest.Town
	addresses []netip.Addr
	device    viewer.Device
	seats     int
	staff     []*gatewaytest.Browser
	desks     []*gatewaytest.Agent
	tries     atomic.Int64 // of the attackers

	ctx   context.Context
	dir   string
	cmd   *exec.Cmd
	feed  io.Closer
	after []func()
}

// besiege starts a gateway; costly says that it hashes passwords as a town hall's does.
func besiege(ctx context.Context, costly bool, addresses int) (s *siege, err error) {
	s = &siege{ctx: ctx}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	for i := range addresses {
		s.addresses = append(s.addresses, netip.AddrFrom4([4]byte{127, 9, 0, byte(i + 1)}))
	}
	if s.dir, err = os.MkdirTemp("", "jiseki-bench-"); err != nil {
		return s, err
	}
	address, err := s.start(ctx, costly)
	if err != nil {
		return s, err
	}
	return s, s.try(func(t *host) { s.enter(t, address) })
}

func (s *siege) start(ctx context.Context, costly bool) (address string, err error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	s.cmd = exec.CommandContext(ctx, self, "gateway-serve", "--dir", s.dir)
	if costly {
		s.cmd.Args = append(s.cmd.Args, "--costly")
	}
	s.cmd.Stderr = os.Stderr
	if s.feed, err = s.cmd.StdinPipe(); err != nil {
		return "", err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := s.cmd.Start(); err != nil {
		return "", err
	}
	if err := json.NewDecoder(bufio.NewReader(out)).Decode(&address); err != nil {
		return "", fmt.Errorf("the gateway did not start: %w", err)
	}
	return address, nil
}

// enter makes the honest user.
func (s *siege) enter(t *host, address string) {
	config := (&gatewayServe{Dir: s.dir}).config()
	config.Public.Address = address
	root, err := os.ReadFile(filepath.Join(config.DataDir, "keys", "tls-ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(root)
	admin, done, err := gateway.OpenAdmin(s.ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = done() })
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	s.town = &gatewaytest.Town{Config: config, Host: net.JoinHostPort("localhost", port), Roots: roots, Admin: admin}
	settings, err := admin.GetSettings(s.ctx, &controlv1.GetSettingsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	s.seats = int(settings.GetSettings().GetMaxSessions())
	s.town.ChangeSettings(t, func(x *controlv1.Settings) { x.Address = "https://" + s.town.Host })
	if s.device, err = s.enrol(t); err != nil {
		t.Fatal(err)
	}
}

func (s *siege) enrol(t *host) (viewer.Device, error) {
	slip := s.town.NewUser(t, benchUser, benchUser)
	portal, err := s.portal()
	if err != nil {
		return viewer.Device{}, err
	}
	defer portal.Close()
	if _, err := portal.SignIn(s.ctx, benchUser, slip.GetInitialPassword()); err != nil {
		return viewer.Device{}, err
	}
	if err := portal.ChangePassword(s.ctx, slip.GetInitialPassword(), benchPassword); err != nil {
		return viewer.Device{}, err
	}
	key, err := cert.GenerateKey()
	if err != nil {
		return viewer.Device{}, err
	}
	return portal.Enrol(s.ctx, key, slip.GetDeviceCode(), "bench")
}

func (s *siege) portal() (*viewer.Portal, error) {
	return viewer.NewPortal(viewer.PortalConfig{Gateway: "https://" + s.town.Host, TLS: s.town.TLS(), Proxy: "direct"})
}

// signIn signs the honest user in over a new connection, on the enrolled device.
func (s *siege) signIn(ctx context.Context) (time.Duration, error) {
	portal, err := s.portal()
	if err != nil {
		return 0, err
	}
	defer portal.Close()
	portal.Use(s.device)
	ctx, cancel := context.WithTimeout(ctx, signInLimit)
	defer cancel()
	begun := time.Now()
	_, err = portal.SignIn(ctx, benchUser, benchPassword)
	return time.Since(begun), err
}

// reasonOf is why somebody was not let in, in a word.
func reasonOf(err error) string {
	var no *viewer.RefusedError
	if errors.As(err, &no) {
		return no.Code()
	}
	var failed *connect.Error
	if errors.As(err, &failed) {
		return fmt.Sprintf("%s: %.60s", failed.Code(), failed.Message())
	}
	return fmt.Sprintf("%.80s", err)
}

// memory reads a line of the gateway's status, in MB.
func (s *siege) memory(line string) (float64, error) {
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(s.cmd.Process.Pid), "status"))
	if err != nil {
		return 0, fmt.Errorf("the gateway has gone: %w", err)
	}
	for one := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(one, line+":"); ok {
			kb, err := strconv.Atoi(strings.Fields(rest)[0])
			return float64(kb) / 1000 * 1.024, err
		}
	}
	return 0, fmt.Errorf("no %s in the gateway's status", line)
}

// seatsLeft is how many sessions more the gateway would carry.
func (s *siege) seatsLeft(ctx context.Context) (int, error) {
	left, token := s.seats, ""
	for {
		r, err := s.town.Admin.ListSessions(ctx, &controlv1.ListSessionsRequest{RunningOnly: true, Page: &controlv1.Page{Limit: 100, Token: token}})
		if err != nil {
			return 0, err
		}
		left -= len(r.GetSessions())
		if token = r.GetNextToken(); token == "" {
			return left, nil
		}
	}
}

// client is a client that comes from an address.
func (s *siege) client(from netip.Addr) *http.Client {
	dialer := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0)), Timeout: signInLimit}
	return &http.Client{Timeout: signInLimit, Transport: &http.Transport{
		TLSClientConfig: s.town.TLS(), ForceAttemptHTTP2: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "tcp4", s.town.Config.Public.Address)
		},
	}}
}

func (s *siege) close() {
	for _, f := range s.after {
		f()
	}
	if s.feed != nil {
		s.feed.Close()
		_ = s.cmd.Wait() // how it ends says nothing about the measurement
	}
	os.RemoveAll(s.dir) // a folder for temporary files: nothing is lost with it
}

// A host runs what gatewaytest has for tests: what would fail a test ends the function under try.
type host struct {
	testing.TB
	s *siege
}

type hostError struct{ error }

// try runs do and returns what it failed with.
func (s *siege) try(do func(t *host)) (err error) {
	defer func() {
		switch failed := recover().(type) {
		case nil:
		case hostError:
			err = failed.error
		default:
			panic(failed)
		}
	}()
	do(&host{s: s})
	return nil
}

func (h *host) Helper()                  {}
func (h *host) Cleanup(f func())         { h.s.after = append(h.s.after, f) }
func (h *host) Context() context.Context { return h.s.ctx }
func (h *host) Fatal(args ...any)        { panic(hostError{errors.New(fmt.Sprint(args...))}) }
func (h *host) Fatalf(format string, args ...any) {
	panic(hostError{fmt.Errorf(format, args...)}) //nolint:err113 // as tests say it
}
func (h *host) Errorf(format string, args ...any) { h.Fatalf(format, args...) }
func (h *host) Error(args ...any)                 { h.Fatal(args...) }
