package hub

import (
	"context"
	"maps"
	"slices"

	"jiseki/internal/link"
)

// compare closes the channels of desks that were deleted or enrolled again, and those that have a newer one somewhere.
// They were closed when that happened; unless the database had no room for it, or the word of it did not arrive.
func (h *Hub) compare() error {
	h.mu.Lock()
	held := slices.Collect(maps.Values(h.desks)) // before the store is asked: who comes meanwhile has been found there
	h.mu.Unlock()
	if len(held) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(h.ctx, storeTimeout)
	defer cancel()
	enrolled, err := h.cfg.Desks.Enrolled(ctx)
	if err != nil {
		return err
	}
	for _, c := range held {
		desk, ok := enrolled[c.desk]
		switch {
		case !ok, desk.Key != c.key:
			c.close(link.Revoked, "desk was revoked")
		case desk.Epoch > c.epoch:
			c.close(link.Replaced, "the desk has connected again")
		}
	}
	return nil
}
