package hub

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"jiseki/internal/bus"
	"jiseki/internal/cert"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/link"
)

// Messages between gateways about a desk: a kind byte and
//
//	offer  session 16 B · protobuf Offer        answer: status · protobuf OfferAnswer
//	order  protobuf Order without its numbers   answer: status · protobuf OrderAnswer
//	drop   nothing                              answer: status
//
// Who could forge them could end sessions, lock desks and wake machines, and
// nothing more: bundles, leases and plans come from the store of the gateway that
// signs them.
const (
	kindOffer = 1
	kindOrder = 2
	kindDrop  = 3

	statusDone   = 0
	statusSilent = 1
	statusAway   = 2
	statusFailed = 3

	// topicEpoch tells: epoch u64 · desk.
	topicEpoch = "epoch"
)

var errBus = errors.New("another gateway sent something malformed")

// ask brings a message about a desk to the gateway that holds it: to this one without the bus, which may be gone.
func ask[A any, P interface {
	*A
	proto.Message
}](ctx context.Context, h *Hub, desk string, head []byte, message proto.Message) (P, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*answerTimeout)
	defer cancel()
	body, err := proto.MarshalOptions{}.MarshalAppend(head, message)
	if err != nil {
		return nil, fmt.Errorf("write message to desk: %w", err)
	}
	reply, err := h.deliver(ctx, desk, body)
	switch {
	case errors.Is(err, bus.ErrNobody):
		return nil, ErrAway
	case errors.Is(err, bus.ErrGone):
		return nil, fmt.Errorf("%w: %w", ErrFailed, err)
	case errors.Is(err, context.DeadlineExceeded):
		return nil, ErrSilent
	case err != nil:
		return nil, err
	case len(reply) == 0:
		return nil, errBus
	case reply[0] == statusAway:
		return nil, ErrAway
	case reply[0] == statusSilent:
		return nil, ErrSilent
	case reply[0] == statusFailed:
		return nil, ErrFailed
	}
	answer := P(new(A))
	if err := proto.Unmarshal(reply[1:], answer); err != nil {
		return nil, fmt.Errorf("%w: %w", errBus, err)
	}
	return answer, nil
}

// deliver brings a message to who holds the desk. A channel here that has just ended does not count: the desk may have
// gone to another gateway.
func (h *Hub) deliver(ctx context.Context, desk string, body []byte) ([]byte, error) {
	h.mu.Lock()
	c := h.desks[desk]
	h.mu.Unlock()
	if c != nil {
		if reply := c.onBus(ctx, body); reply[0] != statusAway {
			return reply, nil
		}
	}
	return h.cfg.Bus.AskDesk(ctx, desk, body)
}

// order sends an order that needs no answer from the agent.
func (h *Hub) order(ctx context.Context, desk string, order *controlv1.Order) error {
	_, err := ask[controlv1.OrderAnswer](ctx, h, desk, []byte{kindOrder}, order)
	return err
}

// onBus answers a message about the desk of c, from this gateway or another.
func (c *conn) onBus(ctx context.Context, message []byte) []byte {
	answer, err := c.act(ctx, message)
	switch {
	case errors.Is(err, errStore):
		c.hub.log.Error("message to a desk was not delivered", "desk", c.desk, "err", err)
		return []byte{statusFailed}
	case errors.Is(err, ErrSilent), errors.Is(err, context.DeadlineExceeded):
		return []byte{statusSilent}
	case err != nil:
		c.hub.log.Info("message to a desk was not delivered", "desk", c.desk, "err", err)
		return []byte{statusAway}
	}
	reply, err := proto.MarshalOptions{}.MarshalAppend([]byte{statusDone}, answer)
	if err != nil {
		return []byte{statusFailed}
	}
	return reply
}

func (c *conn) act(ctx context.Context, message []byte) (proto.Message, error) {
	if len(message) == 0 {
		return nil, errBus
	}
	kind, body := message[0], message[1:]
	switch kind {
	case kindOffer:
		if len(body) < len(cert.SessionID{}) {
			return nil, errBus
		}
		offer := &controlv1.Offer{}
		if err := proto.Unmarshal(body[16:], offer); err != nil {
			return nil, fmt.Errorf("%w: %w", errBus, err)
		}
		return c.offer(ctx, cert.SessionID(body[:16]), offer)
	case kindOrder:
		order := &controlv1.Order{}
		if err := proto.Unmarshal(body, order); err != nil {
			return nil, fmt.Errorf("%w: %w", errBus, err)
		}
		return c.obey(ctx, order)
	case kindDrop:
		c.close(link.Revoked, "desk was revoked or enrolled again")
		return &controlv1.OrderAnswer{Done: true}, nil
	}
	return nil, errBus
}

// obey turns an order from the bus into a signed one. Only orders that anybody
// on the bus may cause pass.
func (c *conn) obey(ctx context.Context, order *controlv1.Order) (*controlv1.OrderAnswer, error) {
	switch order.GetOrder().(type) {
	case *controlv1.Order_Lock, *controlv1.Order_Wake:
		return c.orderAndWait(ctx, order)
	case *controlv1.Order_EndSession, *controlv1.Order_RevokeDevice, *controlv1.Order_Warn:
		return &controlv1.OrderAnswer{Done: true}, c.order(order)
	}
	return nil, errBus
}

func (h *Hub) tellEpoch(desk string, epoch uint64) error {
	return h.cfg.Bus.Tell(topicEpoch, append(binary.BigEndian.AppendUint64(nil, epoch), desk...))
}

// onEpoch closes the channel of a desk that has connected again elsewhere.
func (h *Hub) onEpoch(_ context.Context, message []byte) []byte {
	if len(message) <= 8 {
		return nil
	}
	epoch := binary.BigEndian.Uint64(message)
	h.mu.Lock()
	c := h.desks[string(message[8:])]
	h.mu.Unlock()
	if c != nil && c.epoch < epoch {
		c.close(link.Replaced, "the desk has connected to another gateway")
	}
	return nil
}
