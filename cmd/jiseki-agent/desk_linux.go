package main

import (
	"log/slog"

	"jiseki/internal/agent"
)

// openDesk opens the desk's X server.
func (r *runCommand) openDesk(log *slog.Logger) (agent.Desk, func() error, error) {
	return agent.OpenX11(agent.X11Config{Display: r.Display, Authority: r.Authority, Locker: r.Locker, Log: log})
}
