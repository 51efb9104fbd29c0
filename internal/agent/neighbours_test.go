package agent

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"jiseki/internal/cert"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/grant"
	"jiseki/internal/grant/granttest"
	"jiseki/internal/power"
	"jiseki/internal/wake"
	"jiseki/internal/wire"
)

// TestWakeOrders: what a waker cannot or must not do it says by a code, and nothing is sent.
func TestWakeOrders(t *testing.T) {
	a, _ := newTestAgent(t, t.TempDir())
	mac, network := [][]byte{{0, 0x1b, 0x21, 1, 2, 3}}, []string{"192.168.10.0/24"}
	if got := a.wake(t.Context(), &controlv1.WakeOrder{Macs: mac, Networks: network}); got != "unknown_order" {
		t.Errorf("an agent that wakes nobody: %q", got)
	}
	var err error
	a.cfg.Machine, err = wake.New(wake.Config{Now: time.Now, Adapters: func() ([]wake.Adapter, error) { return nil, nil }})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		macs     [][]byte
		networks []string
		want     string
	}{
		"elsewhere":     {mac, network, "not_here"},
		"no machine":    {nil, network, "bad_order"},
		"group address": {[][]byte{{1, 0, 0, 0, 0, 1}}, network, "bad_order"},
		"half a MAC":    {[][]byte{{0, 1, 2}}, network, "bad_order"},
		"no network":    {mac, nil, "bad_order"},
		"no prefix":     {mac, []string{"192.168.10.0"}, "bad_order"},
		"the world":     {mac, []string{"0.0.0.0/0"}, "bad_order"},
	} {
		if got := a.wake(t.Context(), &controlv1.WakeOrder{Macs: c.macs, Networks: c.networks}); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestHelloSaysWhichAdapters(t *testing.T) {
	a, _ := newTestAgent(t, t.TempDir())
	if adapters, reaches := a.adapters(); adapters != nil || reaches != nil {
		t.Errorf("an agent without machine says %v, %v", adapters, reaches)
	}
	one := wake.Adapter{MAC: wake.MAC{0, 0x1b, 0x21, 1, 2, 3}, Prefixes: []netip.Prefix{netip.MustParsePrefix("192.168.10.5/24")}, Wake: wake.Forbidden}
	var err error
	a.cfg.Machine, err = wake.New(wake.Config{
		Now: time.Now, Reaches: []netip.Prefix{netip.MustParsePrefix("192.168.0.0/16")},
		Adapters: func() ([]wake.Adapter, error) { return []wake.Adapter{one}, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	adapters, reaches := a.adapters()
	if len(adapters) != 1 || len(reaches) != 1 || reaches[0] != "192.168.0.0/16" {
		t.Fatalf("%v, %v", adapters, reaches)
	}
	got := adapters[0]
	if wake.MAC(got.GetMac()) != one.MAC || got.GetPrefixes()[0] != "192.168.10.5/24" || !got.GetWakeKnown() || got.GetWakeAllowed() {
		t.Errorf("the hello says %v", got)
	}
}

// TestPowerAfterSessions: from the gateway's plan over the end of a session to the command, for each way to end.
func TestPowerAfterSessions(t *testing.T) {
	shutDown := &controlv1.PlanOrder{After: uint32(power.ShutDown)}
	for name, c := range map[string]struct {
		why  error
		pass time.Duration
		want string
	}{
		"ended by the user":          {&endError{code: wire.EndedByUser}, 3 * time.Minute, "poweroff"},
		"its time was over":          {&endError{code: wire.Expired}, 3 * time.Minute, "poweroff"},
		"the user may come back":     {&endError{code: wire.EndedByUser}, time.Minute, ""},
		"the line was lost":          {errors.New("link lost"), 10 * time.Minute, ""},
		"the line was lost for long": {errors.New("link lost"), 31 * time.Minute, "suspend"},
		"somebody at the desk":       {&endError{code: wire.EndedAtDesk}, 31 * time.Minute, "suspend"},
		"taken over":                 {&endError{code: wire.TakenOver}, time.Hour, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, _ := newTestAgent(t, t.TempDir())
				var mu sync.Mutex
				var ran []string
				a.power = power.New(power.Config{
					Log: slog.New(slog.DiscardHandler), Now: time.Now, Use: a.use,
					Command: func(_ context.Context, _ string, args ...string) error {
						mu.Lock()
						defer mu.Unlock()
						ran = append(ran, args[len(args)-1])
						return nil
					},
				})
				ctx, stop := context.WithCancel(t.Context())
				ended := make(chan error, 1)
				go func() { ended <- a.power.Run(ctx) }()
				if code := a.plan(shutDown); code != "" {
					t.Fatal(code)
				}
				s := offered(t, a, "sato", 1)
				mustTake(t, a, s)
				time.Sleep(time.Hour) // it runs
				a.release(s, c.why)
				time.Sleep(c.pass)
				synctest.Wait()
				mu.Lock()
				if got := strings.Join(ran, ","); got != c.want {
					t.Errorf("ran %q, want %q", got, c.want)
				}
				mu.Unlock()
				stop()
				<-ended
			})
		})
	}
}

func TestPlansThatAreRefused(t *testing.T) {
	a, _ := newTestAgent(t, t.TempDir())
	for name, p := range map[string]*controlv1.PlanOrder{
		"unsorted":      {WakeMs: []int64{2000, 1000}},
		"unknown after": {After: 4},
		"huge after":    {After: 1 << 31},
		"backwards":     {RemindFromMs: 2000, RemindUntilMs: 1000},
	} {
		if got := a.plan(p); got != "bad_order" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// TestMachineWithoutDesk: a waker opens no session, and its state says so.
func TestMachineWithoutDesk(t *testing.T) {
	a, _ := newTestAgent(t, t.TempDir())
	a.desk, a.cfg.Waker = NoDesk(), true
	if s := a.state(); s.GetLockable() || s.GetLoggedIn() || s.GetPresent() {
		t.Errorf("state %v", s)
	}
	g := granttest.New(t, time.Now(), cert.NoiseKey{}, func(*grant.Grant) {})
	if id, code := a.accept(&controlv1.Offer{Grant: g.Append(nil), Ticket: make([]byte, 32)}); id != g.Session || code != "no_desk" {
		t.Errorf("an offer is answered by %q for %v", code, id)
	}
	if _, err := a.guard.prove(t.Context(), lockLimit); !errors.Is(err, errNoDesk) {
		t.Errorf("locked: %v", err)
	}
}
