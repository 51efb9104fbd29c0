package agent

import (
	"errors"
	"testing"
	"time"
)

// TestPowerIsToldOfHandsAtOnce: what takes a desk's power away asks how it is used now, not how it was at the last tick.
func TestPowerIsToldOfHandsAtOnce(t *testing.T) {
	a, fake := newTestAgent(t, t.TempDir())
	a.look()
	if a.use().Present {
		t.Fatal("somebody is there already")
	}
	fake.used = time.Now()
	if !a.use().Present {
		t.Error("somebody has taken the mouse, and nobody is there")
	}
}

// A muteLock cannot tell any more whether somebody is logged on.
type muteLock struct{ *fakeLock }

func (muteLock) LoggedOn() (bool, error) { return false, errors.New("the screen does not answer") }

// TestLoggedOnUntilSaidOtherwise: a screen that does not answer leaves whoever was logged on, and is asked, logged on.
func TestLoggedOnUntilSaidOtherwise(t *testing.T) {
	a, fake := newTestAgent(t, t.TempDir())
	a.look()
	a.desk.Lock = muteLock{fake}
	if !a.use().LoggedOn {
		t.Error("the desk would be shut down without a question")
	}
}
