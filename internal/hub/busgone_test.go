package hub_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"jiseki/internal/bus"
	"jiseki/internal/bus/bustest"
	"jiseki/internal/cert"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/hub"
)

// TestBusIsGone: a gateway reaches the desks that it holds, and lets desks in, though nothing is left of the bus to the other gateways.
func TestBusIsGone(t *testing.T) {
	c := bustest.Start(t, 1)
	b, err := bus.New(bus.Config{Log: slog.New(slog.DiscardHandler), URL: c.URLs[0], CAFile: c.CAFile})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	w := start(t, func(cfg *hub.Config) { cfg.Bus = b })
	before := w.join(t, "d1")
	c.Stop(0)
	after := w.join(t, "d2")
	end := func(desk string) error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		return w.hub.EndSession(ctx, desk, cert.SessionID{1}, 7)
	}
	for desk, a := range map[string]*agent{"d1": before, "d2": after} {
		until(t, "a session ends at "+desk, func() bool { return end(desk) == nil }) // a welcome arrives before the desk is in
		a.next(func(_ *controlv1.GatewayMessage, o *controlv1.Order) bool { return o.GetEndSession().GetCode() == 7 })
	}
	until(t, "a desk that another gateway may hold counts as neither off nor silent", func() bool { return errors.Is(end("d3"), hub.ErrFailed) })
	if err := w.hub.Drop(t.Context(), "d1"); err != nil {
		t.Errorf("close the channel of a desk: %v", err)
	}
	for err == nil {
		_, err = receive(t, before.conn)
	}
}

// until tries something until it holds.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(90 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}
