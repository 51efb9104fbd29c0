package gateway_test

import (
	"net"
	"sync"
	"testing"
	"time"

	"jiseki/internal/cert"
	"jiseki/internal/gateway/gatewaytest"
	"jiseki/internal/link"
)

// from is a dialer that comes from a source address.
func from(address string) *net.Dialer {
	return &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}, Timeout: 10 * time.Second}
}

// silence opens connections from an address and says nothing on them until the test ends.
func silence(t *testing.T, town *gatewaytest.Town, address string, n int) {
	t.Helper()
	for range n {
		c, err := from(address).DialContext(t.Context(), "tcp", town.Config.Public.Address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
	}
}

// sockets opens WebSockets that say nothing until the test ends. Some may be refused.
func sockets(t *testing.T, town *gatewaytest.Town, path string, n int) {
	t.Helper()
	var wg sync.WaitGroup
	free := make(chan struct{}, 8) // handshakes at once
	for range n {
		wg.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			c, err := link.DialSocket(t.Context(), link.DialConfig{URL: "wss://" + town.Host + path, TLS: town.TLS(), Proxy: link.Direct})
			if err == nil {
				t.Cleanup(func() { c.Close(link.GoingAway, "") })
			}
		})
	}
	wg.Wait()
}

// TestSilentConnectionsKeepNobodyOut, not even somebody at the same address.
func TestSilentConnectionsKeepNobodyOut(t *testing.T) {
	town := gatewaytest.Start(t)
	tanaka := town.Staff(t, "tanaka", "田中 太郎")
	tanaka.Client.CloseIdleConnections()
	silence(t, town, "127.0.0.1", 2100)
	silence(t, town, "127.0.0.2", 300)
	tanaka.SignIn(t, "tanaka", gatewaytest.Password)
	town.NewAgent(t, "総務課 1", "tanaka")
}

// TestSilentAgentsKeepNoDeskOut: sockets without a hello give way to desks.
func TestSilentAgentsKeepNoDeskOut(t *testing.T) {
	town := gatewaytest.Start(t)
	sockets(t, town, "/agent", 80)
	town.NewAgent(t, "総務課 1")
}

// TestUnclaimedLinksKeepNoSessionOut: links without a claim give way to those of a session.
func TestUnclaimedLinksKeepNoSessionOut(t *testing.T) {
	town := gatewaytest.Start(t)
	tanaka := town.Staff(t, "tanaka", "田中 太郎")
	agent := town.NewAgent(t, "総務課 1", "tanaka")
	opened, _ := tanaka.Connect(t, agent.Desk, cert.NoiseKey{1})
	offer := <-agent.Offers()
	sockets(t, town, "/relay", 140)
	paired := make(chan error, 1)
	go func() {
		conn, err := town.Dial(t.Context(), link.Agent, link.Control, offer.GetTicket())
		if err == nil {
			t.Cleanup(func() { conn.Close(link.Normal, "") })
		}
		paired <- err
	}()
	viewer, err := town.Dial(t.Context(), link.Viewer, link.Control, opened.GetTicket())
	if err != nil {
		t.Fatalf("the viewer: %v", err)
	}
	defer viewer.Close(link.Normal, "")
	if err := <-paired; err != nil {
		t.Errorf("the agent: %v", err)
	}
}
