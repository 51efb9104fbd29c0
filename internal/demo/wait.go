package demo

import (
	"context"
	"time"
)

// lookEvery is how often the gateway is asked whether the desk is there.
const lookEvery = 250 * time.Millisecond

// awaitDesk returns when the gateway shows the desk as on.
func (t *Town) awaitDesk(ctx context.Context) error {
	t.cfg.Say("自席端末のエージェントを待っています… (waiting for the desk's agent)")
	return t.awaitOn(ctx, t.Accounts.Desk)
}

// awaitOn returns when the gateway shows a desk as on.
func (t *Town) awaitOn(ctx context.Context, desk string) error {
	return t.awaitState(ctx, desk, "DESK_STATE_ON")
}

// awaitState returns when the gateway shows a desk in a state.
func (t *Town) awaitState(ctx context.Context, desk, state string) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		var answer struct {
			Desks []struct {
				DeskID string `json:"desk_id"`
				State  string `json:"state"`
			} `json:"desks"`
		}
		if err := t.gateway.callJSON(ctx, &answer, "desk", "list"); err != nil {
			return err
		}
		for _, d := range answer.Desks {
			if d.DeskID == desk && d.State == state {
				return nil
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
