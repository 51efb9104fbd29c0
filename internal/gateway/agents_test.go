package gateway_test

import (
	"strings"
	"testing"

	"jiseki/internal/gateway"
	"jiseki/internal/gateway/gatewaytest"
)

// TestAgentsComeFromTheirNetworksOnly: a copied key of a desk is of no use from elsewhere.
func TestAgentsComeFromTheirNetworksOnly(t *testing.T) {
	town := gatewaytest.Start(t, gatewaytest.WithConfig(func(c *gateway.Config) { c.Agents.Networks = []string{"192.168.10.0/24"} }))
	_, token := town.NewDesk(t, "総務課 1")
	if err := town.EnrolAgent(t, token).TryConnect(t); err == nil || !strings.Contains(err.Error(), "403") {
		t.Fatalf("an agent from a network that is not named: %v", err)
	}
	town.Stop(t)
	town.Config.Agents.Networks = append(town.Config.Agents.Networks, "127.0.0.0/8")
	town.Run(t)
	_, token = town.NewDesk(t, "総務課 2")
	if err := town.EnrolAgent(t, token).TryConnect(t); err != nil {
		t.Fatalf("an agent from a network that is named: %v", err)
	}
}
