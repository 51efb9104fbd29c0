package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"jiseki/internal/agent"
	"jiseki/internal/wake"
)

type wakerCommand struct {
	Reach []string `help:"Networks of others that this machine wakes by directed broadcast, such as 192.168.0.0/16, separated by commas; routers in between must let it pass."`
}

// Run wakes the desks of this machine's networks until ctx ends. It needs no screen and opens no session.
func (w *wakerCommand) Run(ctx context.Context, c *commands, log *slog.Logger) error {
	var reaches []netip.Prefix
	for _, text := range w.Reach {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return fmt.Errorf("--reach: %w", err)
		}
		reaches = append(reaches, p)
	}
	machine, err := wake.New(wake.Config{Reaches: reaches, Now: time.Now})
	if err != nil {
		return fmt.Errorf("--reach: %w", err)
	}
	release, err := agent.Hold(c.Dir)
	if err != nil {
		return err
	}
	defer release() //nolint:errcheck // the end of the process does it too
	home, err := agent.LoadHome(c.Dir)
	if err != nil {
		return err
	}
	a, err := agent.New(agent.Config{
		Gateway: home.Gateway, Identity: home.Identity, Self: home.Self, Bundle: home.Bundle, Dir: home.Dir,
		Desk: agent.NoDesk(), Waker: true, Machine: machine, Proxy: c.Proxy,
		Version: version(), Hostname: hostname(), System: system(), Log: log, Now: time.Now,
		SaveBundle: home.SaveBundle, SaveHead: home.SaveHead, SaveCertificate: home.SaveCertificate,
	})
	if err != nil {
		return err
	}
	return a.Run(ctx)
}
