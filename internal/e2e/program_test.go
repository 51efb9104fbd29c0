//go:build linux

package e2e

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"jiseki/internal/gateway"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/keys"
	"jiseki/internal/link/linktest"
)

// outside is the name of the gateway that only the proxy can resolve.
const outside = "telework.invalid"

// A program is the built jiseki-agent with the environment that it runs in.
type program struct {
	path string
	env  []string
}

// buildAgent builds the program as it ships.
func buildAgent(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "jiseki-agent")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", path, "jiseki/cmd/jiseki-agent")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the agent: %v\n%s", err, out)
	}
	return path
}

// command is the program with some arguments.
func (p *program) command(ctx context.Context, h *house, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, p.path, append([]string{"--dir", h.dir}, args...)...) //nolint:gosec // what was built here
	c.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + h.dir}, p.env...)
	return c
}

// enrol enrols the desk and returns what the program says.
func (p *program) enrol(h *house, token string) (says string, err error) {
	c := p.command(soon(h.t), h, "enroll", "--gateway", "https://"+outside, "--token-file", "-")
	c.Stdin = strings.NewReader(token)
	out, err := c.CombinedOutput()
	return string(out), err
}

// run serves the desk until the test ends, and must then stop in good order.
func (p *program) run(h *house) {
	h.t.Helper()
	c := p.command(context.Background(), h, "run", "--display", h.screen.Display(), "--authority", h.screen.Authority())
	c.Stderr = h.t.Output()
	if err := c.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGTERM) // it may be gone, which Wait tells
		if err := c.Wait(); err != nil {
			h.t.Errorf("the agent's program: %v", err)
		}
	})
}

// TestAgentBehindProxy enrols and runs the agent's program where the only way out is an HTTP proxy, as the environment
// or the agent's own setting says; and breaks the proxy in the middle of a session.
func TestAgentBehindProxy(t *testing.T) {
	path := buildAgent(t)
	t.Run("from the environment", func(t *testing.T) {
		behindProxy(t, path, &linktest.Proxy{}, func(address string) string { return "HTTPS_PROXY=http://" + address })
	})
	t.Run("with a password", func(t *testing.T) {
		behindProxy(t, path, &linktest.Proxy{User: "desk", Password: "hall-7"}, func(address string) string {
			return "JISEKI_PROXY=http://desk:hall-7@" + address
		})
	})
}

func behindProxy(t *testing.T, path string, proxy *linktest.Proxy, env func(address string) string) {
	h := found(t, plan{gateway: func(c *gateway.Config) {
		c.TLS.Names = append(c.TLS.Names, outside)
		c.Relay.DeskAddress = net.JoinHostPort(outside, "443")
	}})
	proxy.Dial = func(ctx context.Context, address string) (net.Conn, error) {
		if address != net.JoinHostPort(outside, "443") {
			return nil, &net.AddrError{Err: "the agent asked for another address", Addr: address}
		}
		return (&net.Dialer{}).DialContext(ctx, "tcp", h.town.Host)
	}
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Kill)
	token := h.admit()
	if proxy.User != "" {
		refusedByProxy(h, path, proxy, token)
	}
	p := &program{path: path, env: []string{env(proxy.Address())}}
	if says, err := p.enrol(h, token); err != nil {
		t.Fatalf("enrol: %v\n%s", err, says)
	}
	enrolled, _ := proxy.Count()
	p.run(h)
	h.awaitDesk(isReady)

	tanaka := h.staff("tanaka")
	v := tanaka.open(look{})
	v.sameAsDesk()
	v.hold(keys.ShiftLeft)
	if now, _ := proxy.Count(); enrolled == 0 || now-enrolled != 3 {
		t.Errorf("%d tunnels for enrolling, then %d; want 3: control channel and two links", enrolled, now-enrolled)
	}

	proxy.Kill()
	if code := v.ended(); code != 0 {
		t.Errorf("the viewer was told %v over a line that is cut", code)
	}
	h.awaitKeysUp()
	h.awaitDesk(func(d *controlv1.Desk) bool { return !isReady(d) })
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	h.awaitDesk(isReady)
	again := tanaka.open(look{resume: v})
	if !again.Welcome().Resumed {
		t.Error("the picture was not resumed")
	}
	again.sameAsDesk()
	if err := again.End(soon(t)); err != nil {
		t.Error(err)
	}
	h.awaitEvents(v.session[:], "session_granted ", "session_opened ", "session_ended 0")
	h.awaitEvents(again.session[:], "session_granted ", "session_opened ", "session_ended 1", "session_locked ")
	h.verifyLog()
}

// refusedByProxy enrols with a wrong password: the program must say what is wrong, and not the password.
func refusedByProxy(h *house, path string, proxy *linktest.Proxy, token string) {
	h.t.Helper()
	p := &program{path: path, env: []string{"JISEKI_PROXY=http://desk:secret@" + proxy.Address()}}
	says, err := p.enrol(h, token)
	if err == nil || !strings.Contains(says, "Proxy Authentication Required") || strings.Contains(says, "secret") {
		h.t.Errorf("with a wrong password for the proxy: %v, %q", err, says)
	}
	if _, refused := proxy.Count(); refused == 0 {
		h.t.Error("the proxy was not asked")
	}
}

// isReady says that a desk is on, and can be locked.
func isReady(d *controlv1.Desk) bool {
	return d.GetState() == controlv1.DeskState_DESK_STATE_ON && d.GetLockable()
}
