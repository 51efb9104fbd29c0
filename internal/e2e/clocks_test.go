//go:build linux

package e2e

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"jiseki/internal/bus/bustest"
	"jiseki/internal/gateway/gatewaytest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
)

// TestGatewayWithAWrongClock: of two gateways the one whose clock jumps is not healthy and lets nobody in, while sessions
// through it go on, what takes rights away is done, and the other serves. With a right clock it goes on by itself.
func TestGatewayWithAWrongClock(t *testing.T) {
	database := databases.empty(t)
	watchGoroutines(t)
	cluster := bustest.Start(t, 2)
	var clock clock
	a := gatewaytest.Start(t, gatewaytest.WithDatabase(database), gatewaytest.WithConfig(one(cluster, 0, openDoor(t))))
	b := a.Join(t, gatewaytest.WithDatabase(database), gatewaytest.WithConfig(one(cluster, 1, openDoor(t))), gatewaytest.WithNow(clock.now))
	b.Run(t)
	outside := *a // the second gateway as those see it whose clocks are right
	outside.Host, outside.Admin = b.Host, b.Admin

	tanaka, sato := outside.Staff(t, "tanaka", "田中 太郎"), outside.Staff(t, "sato", "佐藤 花子")
	agent := outside.NewAgent(t, "総務課 1", "tanaka")
	_, g := tanaka.Connect(t, agent.Desk, [32]byte{9})
	agent.Report(t, g.Session[:], controlv1.SessionEventKind_SESSION_EVENT_KIND_OPENED, 0)
	a.ChangeSettings(t, func(s *controlv1.Settings) { s.SessionMaxS = 2 * 3600 }) // which the review keeps, not the agent

	health := func(want int) {
		t.Helper()
		got := 0
		await(t, func() bool { got = healthOf(t, tanaka.Client, b.Host); return got == want }, func() string { return http.StatusText(got) })
	}
	for _, ahead := range []time.Duration{-3 * time.Hour, 3 * time.Hour} {
		clock.set(ahead, 0)
		drain(agent.Orders())
		awaitLease(t, agent, g.Session[:])
		health(http.StatusServiceUnavailable)
		if _, err := sato.TrySignIn(t, "sato", gatewaytest.Password); err == nil || !strings.Contains(err.Error(), "gateway_clock") {
			t.Errorf("signing in at a gateway that is %s ahead: %v", ahead, err)
		}
		if r, err := a.NewBrowser(t).TrySignIn(t, "sato", gatewaytest.Password); err != nil || r.GetMe() == nil {
			t.Errorf("signing in at the other: %v, %v", r, err)
		}
	}
	running := func() int {
		t.Helper()
		r, err := a.Admin.ListSessions(t.Context(), &controlv1.ListSessionsRequest{RunningOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		return len(r.GetSessions())
	}
	if running() != 1 {
		t.Error("the session was ended")
	}
	if _, err := b.Admin.SetUserDisabled(t.Context(), &controlv1.SetUserDisabledRequest{UserId: "tanaka", Disabled: true}); err != nil {
		t.Errorf("disabling a user at the gateway with the wrong clock: %v", err)
	}
	if running() != 0 {
		t.Error("the session of a disabled user goes on")
	}
	clock.set(0, 0)
	health(http.StatusOK)
	sato.SignIn(t, "sato", gatewaytest.Password)
}

func healthOf(t *testing.T, client *http.Client, host string) int {
	t.Helper()
	r, err := client.Get("https://" + host + "/healthz") //nolint:noctx // of this machine
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	return r.StatusCode
}

func drain[T any](c <-chan T) {
	for {
		select {
		case <-c:
		default:
			return
		}
	}
}

// awaitLease waits until the desk is told that a session may go on.
func awaitLease(t *testing.T, agent *gatewaytest.Agent, session []byte) {
	t.Helper()
	for late := time.After(patience); ; {
		select {
		case o := <-agent.Orders():
			switch named := slices.ContainsFunc(o.GetLease().GetSessionIds(), func(id []byte) bool { return bytes.Equal(id, session) }); {
			case o.GetEndSession() != nil, o.GetLease() != nil && !named:
				t.Fatalf("the desk is told to end the session: %v", o)
			case named:
				return
			}
		case <-late:
			t.Fatal("the session got no lease")
		}
	}
}
