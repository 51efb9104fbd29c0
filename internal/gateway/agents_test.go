package gateway_test

import (
	"log/slog"
	"strings"
	"testing"

	"jiseki/internal/gateway/gatewaytest"
)

// TestAgentsComeFromTheirNetworksOnly: neither a copied key of a desk nor a stolen token is of use from elsewhere, and
// the token is not spent there.
func TestAgentsComeFromTheirNetworksOnly(t *testing.T) {
	var log notebook
	town := gatewaytest.Start(t, gatewaytest.WithLog(slog.New(slog.NewTextHandler(&log, nil))))
	_, token := town.NewDesk(t, "総務課 1")
	desk := town.EnrolAgent(t, token)
	_, token = town.NewDesk(t, "総務課 2")
	here := func(networks ...string) {
		town.Stop(t)
		town.Config.Agents.Networks = networks
		town.Run(t)
	}
	here("192.168.10.0/24")
	if err := desk.TryConnect(t); err == nil || !strings.Contains(err.Error(), "403 Forbidden: agent_network: 127.0.0.1 is in none") {
		t.Errorf("a desk from a network that is not named: %v", err)
	}
	for range 10 {
		if desk.TryConnect(t) == nil {
			t.Fatal("a desk from a network that is not named came in at last")
		}
	}
	if n := strings.Count(log.String(), "agents.networks"); n != 1 {
		t.Errorf("the log tells of it %d times", n)
	}
	if a, no := town.TryEnrolAgent(t, token); a != nil || codes(no) != "agent_network" {
		t.Errorf("a token from a network that is not named: %v", no)
	}
	here("192.168.10.0/24", "127.0.0.0/8")
	if err := desk.TryConnect(t); err != nil {
		t.Errorf("a desk from a network that is named: %v", err)
	}
	if err := town.EnrolAgent(t, token).TryConnect(t); err != nil {
		t.Errorf("a token from a network that is named: %v", err)
	}
}
