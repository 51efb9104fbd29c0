package gateway

import (
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"jiseki/internal/auth"
	"jiseki/internal/crowd"
)

// TestWhoWasMetIsKnownAtEveryDoor: wherever a device or desk has proven itself, relay, control channels and connections
// keep places for it.
func TestWhoWasMetIsKnownAtEveryDoor(t *testing.T) {
	cfg := Default()
	cfg.DataDir = filepath.Join(t.TempDir(), "data")
	env := Environment{Cost: auth.Cost{MemoryKB: 64, Passes: 1, Threads: 1}, Now: time.Now}
	f := Founding{Organisation: "みどり町", Address: "https://telework.example.lg.jp", AdminID: "admin", AdminName: "管理 花子"}
	if _, err := Init(t.Context(), cfg, env, f); err != nil {
		t.Fatal(err)
	}
	env.fill()
	c, err := open(t.Context(), cfg, env)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.close(); err != nil {
			t.Error(err)
		}
	}()
	home, desk, stranger := netip.MustParseAddr("198.51.100.1"), netip.MustParseAddr("198.51.100.2"), netip.MustParseAddr("198.51.100.3")
	c.apiConfig(nil).Met("user:tanaka", home)
	c.hubConfig().Met("desk:k1", desk)
	for door, standing := range map[string]func(netip.Addr) crowd.Standing{
		"relay": c.relayConfig().Standing, "control channels": c.hubConfig().Standing, "connections": c.known.Of,
	} {
		for address, want := range map[netip.Addr]crowd.Standing{home: crowd.Met, desk: crowd.Met, stranger: crowd.Stranger} {
			if got := standing(address); got != want {
				t.Errorf("%s: %s is %d, want %d", door, address, got, want)
			}
		}
	}
}
