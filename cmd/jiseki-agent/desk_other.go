//go:build !linux

package main

import (
	"errors"
	"log/slog"

	"jiseki/internal/agent"
)

// openDesk says that this release serves X11 desks only.
func (r *runCommand) openDesk(*slog.Logger) (agent.Desk, func() error, error) {
	return agent.Desk{}, nil, errors.New("this release of the agent serves X11 desks on Linux only")
}
