package wake

import (
	"os"
	"path/filepath"
	"testing"
)

func TestPowerWakeup(t *testing.T) {
	for text, want := range map[string]Permission{"enabled\n": Allowed, "disabled\n": Forbidden, "\n": Unknown, "": Unknown} {
		if got := powerWakeup(text); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

// TestLoopbackSaysNothing: a driver without Wake-on-LAN is not one that forbids it.
func TestLoopbackSaysNothing(t *testing.T) {
	if got := permission("lo"); got != Unknown {
		t.Errorf("lo: %d", got)
	}
	if got := permission("a-name-that-is-far-too-long"); got != Unknown {
		t.Errorf("a name that is too long: %d", got)
	}
}

// TestVirtualAdapters: every desk with containers or virtual machines has the same networks of these; they are nobody's neighbourhood.
func TestVirtualAdapters(t *testing.T) {
	class := t.TempDir()
	for _, path := range []string{
		"eth0/device", "veth1/queues", "tap0/tun_flags", "docker0/bridge", "docker0/brif/veth1", "br0/bridge", "br0/brif/eth0", "br0/brif/tap0",
		"empty/bridge",
	} {
		if err := os.MkdirAll(filepath.Join(class, path), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]bool{
		"eth0": false, "veth1": false, "tap0": true, "docker0": true, "br0": false, "empty": true, "gone": false,
	} {
		if got := virtualIn(class, name); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}
