package auth

import "context"

// Crowd takes the place of strangers, and fills the queues of these networks, for good.
func (h *Hasher) Crowd(ctx context.Context, of ...Turn) error {
	if err := h.turns.enter(ctx, of[0]); err != nil {
		return err
	}
	h.turns.mu.Lock()
	defer h.turns.mu.Unlock()
	for _, turn := range of {
		for range strangersPerFrom {
			if _, ok := h.turns.strangers.queue(turn.From); !ok {
				return ErrBusy
			}
		}
	}
	return nil
}
