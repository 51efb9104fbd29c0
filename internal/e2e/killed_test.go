//go:build linux

package e2e

import (
	"context"
	"fmt"
	"image"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"jiseki/internal/agent"
	"jiseki/internal/gateway"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/keys"
)

// These make this program a part of Jiseki instead of a test, one that a test can kill.
const (
	agentVariable   = "JISEKI_E2E_AGENT"   // the agent's home, display and authority
	gatewayVariable = "JISEKI_E2E_GATEWAY" // the gateway's configuration file
)

func TestMain(m *testing.M) {
	var err error
	switch {
	case os.Getenv(agentVariable) != "":
		err = serveAgent(strings.Split(os.Getenv(agentVariable), ","))
	case os.Getenv(gatewayVariable) != "":
		err = serveGateway(os.Getenv(gatewayVariable))
	default:
		os.Exit(runTests(m))
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// runTests runs them and ends the database that some of them may have started.
func runTests(m *testing.M) int {
	code := m.Run()
	if err := databases.stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// serveAgent is an agent that a test can kill.
func serveAgent(args []string) error {
	home, err := agent.LoadHome(args[0])
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	desk, _, err := agent.OpenX11(agent.X11Config{Display: args[1], Authority: args[2], Locker: []string{"i3lock", "--nofork"}, Log: log})
	if err != nil {
		return err
	}
	a, err := agent.New(agent.Config{
		Gateway: home.Gateway, Identity: home.Identity, Self: home.Self, Bundle: home.Bundle, Dir: home.Dir, Desk: desk,
		Proxy: "direct", Version: "test", Hostname: "pc-1", System: "test", Log: log, Now: time.Now,
		SaveBundle: home.SaveBundle, SaveHead: home.SaveHead, SaveCertificate: home.SaveCertificate,
	})
	if err != nil {
		return err
	}
	return a.Run(context.Background())
}

// serveGateway is a gateway that a test can kill. Its first line on standard output is where it listens.
func serveGateway(path string) error {
	cfg, err := gateway.LoadConfig(path)
	if err != nil {
		return err
	}
	g, err := gateway.New(cfg, gateway.Environment{
		Log:   slog.New(slog.NewTextHandler(os.Stderr, nil)),
		Ready: func(l gateway.Listening) { fmt.Println(l.Public) },
	})
	if err != nil {
		return err
	}
	return g.Run(context.Background())
}

// TestAgentKilled kills the agent's process with a key and a button down. The next one releases them, locks the desk
// that was left open, and accounts for it.
func TestAgentKilled(t *testing.T) {
	h := build(t, plan{})
	h.agent.stop()
	h.awaitDesk(func(d *controlv1.Desk) bool { return d.GetState() == controlv1.DeskState_DESK_STATE_OFF })
	child := exec.Command(os.Args[0]) //nolint:gosec,noctx // this program
	child.Env = append(os.Environ(), agentVariable+"="+strings.Join([]string{h.dir, h.screen.Display(), h.screen.Authority()}, ","))
	child.Stderr = t.Output()
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	killed := false
	t.Cleanup(func() {
		if !killed {
			child.Process.Kill()
			child.Wait()
		}
	})
	h.awaitDesk(func(d *controlv1.Desk) bool {
		return d.GetState() == controlv1.DeskState_DESK_STATE_ON && d.GetLockable()
	})

	tanaka := h.staff("tanaka")
	v := tanaka.open(look{})
	w := h.window(image.Rect(20, 60, 520, 400))
	w.noise(30, image.Pt(0, 0), image.Pt(100, 100))
	v.sameAsDesk()
	v.hold(keys.ShiftLeft)
	child.Process.Kill()
	child.Wait()
	killed = true
	if code := v.ended(); code != 0 {
		t.Errorf("the viewer was told %v by a process that was killed", code)
	}
	if len(h.keysDown()) == 0 {
		t.Log("this X server releases the keys of a client that is gone")
	}

	h.start()
	h.awaitKeysUp()
	h.awaitEvents(v.session[:], "session_granted ", "session_opened ", "session_ended 8", "session_locked ")
	if !h.locked() {
		t.Error("the desk that was left open is not locked")
	}
	again := tanaka.open(look{resume: v})
	if again.Welcome().Resumed {
		t.Error("another run of the agent resumed a picture")
	}
	again.sameAsDesk()
	h.verifyLog()
}
