package wake

import "testing"

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
