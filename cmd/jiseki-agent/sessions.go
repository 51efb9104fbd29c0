package main

import (
	"fmt"
	"io"
	"time"

	"jiseki/internal/agent"
	"jiseki/internal/calendar"
)

type sessionsCommand struct{}

// Run prints the desk's own journal of sessions, one entry a line, oldest first.
func (*sessionsCommand) Run(c *commands, out io.Writer) error {
	entries, err := agent.ReadVisits(c.Dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		at := time.UnixMilli(e.TimeMS).In(calendar.JST).Format("2006-01-02 15:04:05")
		fmt.Fprintf(out, "%s  %-8s %s %s %s %s\n", at, e.Kind, e.User, e.UserName, e.Device, e.Session)
	}
	return nil
}
