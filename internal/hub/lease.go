package hub

import (
	"bytes"
	"context"
	"fmt"

	"jiseki/internal/cert"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
)

// lease renews the right to go on of the sessions at all desks whose turn it is,
// or at all there are. What is not named in a lease ends, and what is named goes
// on; so none is sent, which is an error, when the store does not answer, or
// when nobody looked lately whether sessions may go on.
func (h *Hub) lease(slot int, all bool) error {
	due := h.due(slot, all)
	if len(due) == 0 {
		return nil
	}
	if since := h.cfg.Now().Sub(h.cfg.Reviewed()); since > reviewLost {
		return fmt.Errorf("running sessions were not decided anew since %s", since)
	}
	ctx, cancel := context.WithTimeout(h.ctx, storeTimeout)
	defer cancel()
	running, err := h.cfg.Desks.Running(ctx)
	if err != nil {
		return fmt.Errorf("which sessions run: %w", err)
	}
	end, err := h.cfg.Desks.RegisterEnd(ctx)
	if err != nil {
		h.log.Error("desks are not told of new devices: the store does not answer", "err", err)
		end = 0
	}
	head := h.cfg.Head()
	for c, offers := range due {
		if c.behind(end) {
			if err := c.follow(ctx); err != nil {
				h.log.Warn("a desk was not told of new devices", "desk", c.desk, "err", err)
			}
		}
		if err := c.lease(running[c.desk], offers, head); err != nil {
			h.log.Info("lease was not sent", "desk", c.desk, "err", err)
		}
	}
	return nil
}

// due finds the channels whose turn it is, or all, with the number of offers made on
// each before the store is asked.
func (h *Hub) due(slot int, all bool) map[*conn]uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	due := make(map[*conn]uint64)
	for _, c := range h.desks {
		c.mu.Lock()
		if all || c.slot == slot || c.owed {
			due[c] = c.offers
		}
		c.mu.Unlock()
	}
	return due
}

// lease sends a lease for the sessions, unless an offer went out since the
// store was asked: then the answer may miss that session and would end it. The
// next step asks again.
func (c *conn) lease(sessions []cert.SessionID, offers uint64, head []byte) error {
	ids := make([][]byte, len(sessions))
	for i := range sessions {
		ids[i] = sessions[i][:]
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.owed = c.offers != offers; c.owed {
		return nil
	}
	orders := []*controlv1.Order{{Order: &controlv1.Order_Lease{Lease: &controlv1.Lease{SessionIds: ids}}}}
	if head != nil && !bytes.Equal(head, c.head) {
		c.head = head
		orders = append(orders, &controlv1.Order{Order: &controlv1.Order_Head{Head: &controlv1.HeadOrder{Head: head}}})
	}
	for _, o := range orders {
		b, err := c.sign(o)
		if err != nil {
			return err
		}
		if err := c.enqueue(b); err != nil {
			return err
		}
	}
	return nil
}
