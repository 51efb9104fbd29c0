package agent

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"jiseki/internal/durable"
)

// lockFile is held by whoever works with a home: two would each write its files as if there were no other.
const lockFile = "agent.lock"

// ErrRunning says that another agent, waker or enrolment works with the home.
var ErrRunning = errors.New("この端末では、既に別のjiseki-agentが動いています。それを止めてから実行してください" +
	"（止める例：systemctl --user stop jiseki-agent）。 (Another jiseki-agent uses this folder: stop it first.) [agent_running]")

// Hold takes a home for this process, which is made if it is not there, until release or the end of the process. When
// somebody else has it, it is ErrRunning, and nothing in it may be written or relied on.
func Hold(dir string) (release func() error, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the agent's folder: %w", err)
	}
	release, err = durable.Lock(filepath.Join(dir, lockFile))
	if errors.Is(err, durable.ErrLocked) {
		return nil, ErrRunning
	}
	return release, err
}
