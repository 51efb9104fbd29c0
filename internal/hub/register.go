package hub

import (
	"context"
	"errors"
	"fmt"
	"strings"

	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/register"
)

// differs begins the codes of an agent whose copy of the register and ours do not fit.
const differs = "register_"

// follow brings the agent's copy of the register to our end. It comes before the offer that needs it, on the same
// channel. An agent that is too old to hold a copy is left alone.
func (c *conn) follow(ctx context.Context) error {
	if !c.follows {
		return nil
	}
	c.following.Lock()
	defer c.following.Unlock()
	for first := !c.told; ; first = false {
		part, err := c.hub.cfg.Desks.Register(ctx, c.known, register.MaxEntries)
		if err != nil {
			return fmt.Errorf("%w: read the register of devices: %w", errStore, err)
		}
		if len(part.Entries) == 0 && !first {
			return nil
		}
		var entries []byte
		for _, e := range part.Entries {
			entries = e.Append(entries)
		}
		err = c.order(&controlv1.Order{Order: &controlv1.Order_Register{Register: &controlv1.RegisterOrder{
			From: part.From, Before: part.Before[:], Entries: entries, Total: part.Total,
		}}})
		if err != nil {
			return err
		}
		c.known, c.told = part.From+uint64(len(part.Entries)), true
		if c.known >= part.Total {
			return nil
		}
	}
}

// behind says whether the register has grown since the agent was told of it.
func (c *conn) behind(end uint64) bool {
	c.following.Lock()
	defer c.following.Unlock()
	return c.follows && c.known < end
}

// takeOrderAnswer hands the answer to who waits for it. That the agent's copy of the register and ours do not fit,
// nobody waits for: it is recorded, once a connection.
func (c *conn) takeOrderAnswer(ctx context.Context, answer *controlv1.OrderAnswer) error {
	c.answered(answer.GetNumber(), answer)
	code := answer.GetCode()
	if c.differs || !strings.HasPrefix(code, differs) || len(code) > maxText {
		return nil
	}
	if !c.hub.budget.report(c.desk, c.hub.cfg.Now()) {
		return errors.New("agent reports too often")
	}
	if err := c.hub.cfg.Desks.Differs(ctx, c.desk, code, c.claimed); err != nil {
		return fmt.Errorf("%w: a desk holds another register: %w", errStore, err)
	}
	c.differs = true
	return nil
}
