//go:build linux

package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"jiseki/internal/bus/bustest"
	"jiseki/internal/gateway"
	"jiseki/internal/gateway/gatewaytest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/keys"
	"jiseki/internal/link"
	"jiseki/internal/store/pgtest"
	"jiseki/internal/viewer"
)

// databases is the PostgreSQL of this test binary.
var databases postgres

// A postgres is a server that the first test that wants it starts.
type postgres struct {
	mu      sync.Mutex
	cluster *pgtest.Cluster
}

// empty is the URL of a new database.
func (p *postgres) empty(t *testing.T) string {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cluster == nil {
		var err error
		if p.cluster, err = pgtest.Start(); err != nil {
			t.Fatal(err)
		}
	}
	return p.cluster.NewDSN(t)
}

func (p *postgres) stop() error {
	if p.cluster == nil {
		return nil
	}
	return p.cluster.Stop()
}

// one makes a gateway one of several: its bus at a server of a cluster, its relay behind a door of its own.
func one(c *bustest.Cluster, server int, relay *door) func(*gateway.Config) {
	return func(cfg *gateway.Config) {
		cfg.Bus.URL, cfg.Bus.CAFile = c.URLs[server], c.CAFile
		cfg.Relay.DeskAddress = relay.host
	}
}

// A process is a gateway that runs by itself and can be killed.
type process struct {
	t      *testing.T
	config string // path
	relay  *door
	host   string
	cmd    *exec.Cmd // nil when killed
}

// process prepares one more gateway of the house's town.
func (h *house) process(c *bustest.Cluster, server int) *process {
	h.t.Helper()
	p := &process{t: h.t, relay: openDoor(h.t), config: filepath.Join(h.t.TempDir(), "gateway.toml")}
	town := h.town.Join(h.t, gatewaytest.WithDatabase(h.plan.database), gatewaytest.WithConfig(one(c, server, p.relay)))
	raw, err := gateway.Describe(town.Config)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(p.config, raw, 0o600); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(p.kill)
	return p
}

// start runs the gateway and returns when it listens.
func (p *process) start() {
	p.t.Helper()
	p.cmd = exec.Command(os.Args[0]) //nolint:gosec,noctx // this program
	p.cmd.Env = append(os.Environ(), gatewayVariable+"="+p.config)
	p.cmd.Stderr = p.t.Output()
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		p.t.Fatalf("the gateway does not start: %v", err)
	}
	p.host = strings.TrimSpace(line)
	p.relay.lead(p.host)
}

// kill ends it without a word.
func (p *process) kill() {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill() // it may be gone
	_ = p.cmd.Wait()
	p.cmd = nil
}

// awaitArrivals waits until the desk has connected so many times.
func (h *house) awaitArrivals(n int) {
	h.t.Helper()
	seen := 0
	await(h.t, func() bool {
		r, err := h.town.Admin.ListEvents(h.t.Context(), &controlv1.ListEventsRequest{Page: &controlv1.Page{Limit: 500}})
		if err != nil {
			h.t.Fatal(err)
		}
		seen = 0
		for _, e := range r.GetEvents() {
			if e.GetKind() == "desk_connected" {
				seen++
			}
		}
		return seen >= n
	}, func() string { return fmt.Sprintf("the desk connected %d times, not %d", seen, n) })
}

// at is the same user on the same device at another gateway.
func (s *staff) at(host string) *staff {
	s.h.t.Helper()
	other := s.h.device(s.user, host)
	other.portal.Use(s.portal.Device())
	if _, err := other.portal.SignIn(s.h.t.Context(), s.user, gatewaytest.Password); err != nil {
		s.h.t.Fatal(err)
	}
	return other
}

// via opens the desk and checks through whose relay.
func (s *staff) via(relay *door, l look) *eyes {
	s.h.t.Helper()
	got := ""
	l.bend = func(o *viewer.Opening) { got = o.Grant.Relay }
	v := s.open(l)
	if got != relay.host {
		s.h.t.Errorf("the agent was sent to the relay at %s, not %s", got, relay.host)
	}
	return v
}

// TestTwoGateways runs a town hall on two gateways, one PostgreSQL and a NATS cluster of two. The desk is at the one
// that a test can kill, the viewer signs in at the other.
func TestTwoGateways(t *testing.T) {
	cluster, front, relay := bustest.Start(t, 2), openDoor(t), openDoor(t)
	var other *process
	h := build(t, plan{
		database: databases.empty(t), gateway: one(cluster, 0, relay), front: front,
		more: func(h *house) {
			relay.lead(h.town.Host)
			other = h.process(cluster, 1)
			other.start()
			front.lead(other.host)
		},
	})
	tanaka := h.staff("tanaka")
	v := tanaka.via(relay, look{}) // the offer goes over the bus
	w := h.window(image.Rect(20, 60, 520, 400))
	w.noise(20, image.Pt(0, 0), image.Pt(200, 150))
	v.sameAsDesk()

	// The gateway of the control channel dies. The session runs through the other, and goes on.
	front.lead(h.town.Host)
	other.kill()
	h.awaitArrivals(2)
	v.press(letters("a")...)
	await(t, func() bool { return bytes.Equal(w.got(), codes(keys.KeyA)) }, func() string { return "the key did not come" })
	w.noise(21, image.Pt(10, 10), image.Pt(200, 150))
	v.sameAsDesk()
	if err := v.End(soon(t)); err != nil {
		t.Error(err)
	}
	h.awaitEvents(v.session[:], "session_granted ", "session_opened ", "session_ended 1", "session_locked ")

	// The gateway of the viewer dies: the line breaks at both sides, and the other carries on.
	other.start()
	second := tanaka.at(other.host).via(other.relay, look{})
	second.sameAsDesk()
	second.hold(keys.ShiftLeft)
	other.kill()
	if code := second.ended(); code != 0 {
		t.Errorf("the viewer was told %v", code)
	}
	h.awaitKeysUp()
	third := tanaka.via(relay, look{resume: second})
	if !third.Welcome().Resumed {
		t.Error("the picture was not resumed")
	}
	third.sameAsDesk()
	h.awaitEvents(second.session[:], "session_granted ", "session_opened ", "session_ended 0")
	h.verifyLog()
}

// TestDeskMovesBetweenGateways: of two connections of one desk the newer counts, also when the older hangs at another
// gateway that does not know that it is dead.
func TestDeskMovesBetweenGateways(t *testing.T) {
	watchGoroutines(t)
	cluster, database := bustest.Start(t, 2), databases.empty(t)
	doors := []*door{openDoor(t), openDoor(t)}
	a := gatewaytest.Start(t, gatewaytest.WithDatabase(database), gatewaytest.WithConfig(one(cluster, 0, doors[0])))
	b := a.Join(t, gatewaytest.WithDatabase(database), gatewaytest.WithConfig(one(cluster, 1, doors[1])))
	b.Run(t)

	tanaka := a.Staff(t, "tanaka", "田中 太郎")
	before := a.NewAgent(t, "総務課 1", "tanaka")
	after := before.At(b)
	after.Connect(t)
	if code := link.CloseCode(<-before.Ended()); code != link.Replaced {
		t.Errorf("the older connection was closed with %v", code)
	}
	opened, _ := tanaka.Connect(t, after.Desk, [32]byte{9})
	offer := <-after.Offers()
	if !bytes.Equal(offer.GetGrant(), opened.GetGrant()) {
		t.Error("the desk got another offer")
	}
	again := after.At(a) // back again
	again.Connect(t)
	if code := link.CloseCode(<-after.Ended()); code != link.Replaced {
		t.Errorf("the older connection was closed with %v", code)
	}
	again.AwaitState(t, controlv1.DeskState_DESK_STATE_ON)
}
