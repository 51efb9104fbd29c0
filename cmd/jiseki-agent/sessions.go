package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"jiseki/internal/agent"
	"jiseki/internal/calendar"
	"jiseki/internal/typed"
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
		fmt.Fprintf(out, "%s  %-8s %s %s %s %s\n", at, e.Kind, plain(e.User), plain(e.UserName), plain(e.Device), e.Session)
	}
	return nil
}

// plain is text of a grant for a terminal: whoever has the gateway's keys chooses it, and the journal is what convicts him.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if typed.IsBad(r) {
			return '?'
		}
		return r
	}, s)
}
