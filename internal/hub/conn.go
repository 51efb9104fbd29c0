package hub

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"net/http"
	"slices"
	"sync"

	"google.golang.org/protobuf/proto"

	"jiseki/internal/cert"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/link"
	"jiseki/internal/order"
)

// socket is what the hub needs of a WebSocket: [link.Conn].
type socket interface {
	Send(ctx context.Context, message []byte) error
	Receive(ctx context.Context) ([]byte, error)
	Close(code link.Code, reason string) error
}

func upgrade(w http.ResponseWriter, r *http.Request) (socket, error) {
	s, err := link.Upgrade(w, r)
	if err != nil {
		return nil, err
	}
	return s, nil
}

var (
	errClosed = errors.New("control channel is closed")
	errStore  = errors.New("the store failed")
)

// A conn is one agent's control channel after its hello. At rest it costs one
// goroutine that reads; writing starts another one for as long as it takes.
type conn struct {
	hub     *Hub
	socket  socket
	desk    string
	key     cert.PublicKey // that the desk proved
	epoch   uint64
	slot    int    // the step of the period in which the lease is due
	unserve func() // ends the bus's subscription

	gone chan struct{} // closed with the channel: nobody waits for an answer any more

	mu         sync.Mutex
	closed     bool
	queue      [][]byte
	writing    bool
	number     uint64 // of the last order
	offers     uint64 // how many were queued
	unanswered int    // offers that are being made
	owed       bool   // the last lease was held back
	head       []byte // the last copy of the audit log's head; shared, never changed
	answers    map[any]chan proto.Message

	follows bool   // the agent holds a copy of the register
	claimed uint64 // how much of it, by its hello

	following sync.Mutex // guards what follows; held while the register is read and sent
	known     uint64     // how much of the register the agent has after what was sent
	told      bool       // something was sent

	// Of the reading goroutine alone:
	state   *controlv1.State
	differs bool // it was recorded that the agent's register is another one
}

var slotSeed = maphash.MakeSeed()

func newConn(h *Hub, s socket, a *Arrival, epoch uint64) *conn {
	return &conn{
		hub: h, socket: s, desk: a.Desk, key: a.Key, epoch: epoch,
		slot:    int(maphash.String(slotSeed, a.Desk) % leaseSteps),
		unserve: func() {}, gone: make(chan struct{}),
	}
}

// close ends the channel; the reading goroutine notices and leaves.
func (c *conn) close(code link.Code, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closeLocked(code, reason)
}

func (c *conn) closeLocked(code link.Code, reason string) {
	if c.closed {
		return
	}
	c.closed = true
	close(c.gone)
	c.queue = nil
	// Closing waits a moment for a peer that may not answer; nobody here shall.
	// The reading goroutine needs the lock to leave, so the hub still waits for us.
	c.hub.work.Go(func() { _ = c.socket.Close(code, reason) })
}

// read takes what the agent says until the channel ends.
func (c *conn) read() error {
	for {
		b, err := c.socket.Receive(context.Background())
		if err != nil {
			return err
		}
		if len(b) > maxMessage {
			c.close(link.TooLarge, "")
			return errors.New("message is too long")
		}
		message := &controlv1.AgentMessage{}
		if err := proto.Unmarshal(b, message); err != nil {
			c.close(link.ProtocolError, "message is malformed")
			return fmt.Errorf("message is malformed: %w", err)
		}
		err = c.take(message)
		switch {
		case errors.Is(err, errStore): // not the agent's fault: it comes back and says it again
			c.close(link.GoingAway, "the gateway cannot record")
			return err
		case err != nil:
			c.close(link.ProtocolError, "message is out of turn")
			return err
		}
	}
}

// take acts on one message. An error ends the channel.
func (c *conn) take(message *controlv1.AgentMessage) error {
	ctx, cancel := context.WithTimeout(c.hub.ctx, storeTimeout)
	defer cancel()
	switch m := message.GetMessage().(type) {
	case *controlv1.AgentMessage_State:
		return c.takeState(ctx, m.State)
	case *controlv1.AgentMessage_SessionEvent:
		return c.takeEvent(ctx, m.SessionEvent)
	case *controlv1.AgentMessage_OfferAnswer:
		if len(m.OfferAnswer.GetSessionId()) == len(cert.SessionID{}) {
			c.answered(cert.SessionID(m.OfferAnswer.GetSessionId()), m.OfferAnswer)
		}
		return nil
	case *controlv1.AgentMessage_OrderAnswer:
		return c.takeOrderAnswer(ctx, m.OrderAnswer)
	}
	return errors.New("message is unknown or out of turn")
}

func (c *conn) takeState(ctx context.Context, state *controlv1.State) error {
	if len(state.GetSessionIds()) > maxStateSessions {
		return errors.New("state names too many sessions")
	}
	if len(state.GetScreenFault()) > maxText {
		return errors.New("state's code is too long")
	}
	if c.state != nil && sameState(c.state, state) {
		return nil
	}
	if !c.hub.budget.report(c.desk, c.hub.cfg.Now()) {
		return errors.New("agent reports too often")
	}
	if err := c.hub.cfg.Desks.SetState(ctx, c.desk, c.epoch, state); err != nil {
		return fmt.Errorf("%w: the state of a desk: %w", errStore, err)
	}
	c.state = state
	return nil
}

// sameState compares what the store keeps; the time of the report is not it.
func sameState(a, b *controlv1.State) bool {
	a.TimeMs = b.TimeMs
	return proto.Equal(a, b)
}

// takeEvent acknowledges only what the log has: the agent sends it again
// otherwise.
func (c *conn) takeEvent(ctx context.Context, event *controlv1.SessionEvent) error {
	if event.GetSeq() == 0 || len(event.GetRun()) != 16 || len(event.GetSessionId()) != len(cert.SessionID{}) {
		return errors.New("session event is malformed")
	}
	if !c.hub.budget.report(c.desk, c.hub.cfg.Now()) {
		return errors.New("agent reports too often")
	}
	if err := c.hub.cfg.Desks.Record(ctx, c.desk, event); err != nil {
		return fmt.Errorf("%w: a session event: %w", errStore, err)
	}
	return c.send(&controlv1.GatewayMessage{Message: &controlv1.GatewayMessage_SessionEventAck{
		SessionEventAck: &controlv1.SessionEventAck{Run: event.GetRun(), Seq: event.GetSeq()},
	}})
}

// offer sends an offer and waits for the agent's answer.
func (c *conn) offer(ctx context.Context, session cert.SessionID, offer *controlv1.Offer) (proto.Message, error) {
	b, err := proto.Marshal(&controlv1.GatewayMessage{Message: &controlv1.GatewayMessage_Offer{Offer: offer}})
	if err != nil {
		return nil, fmt.Errorf("write offer: %w", err)
	}
	if !c.beginOffer() {
		return nil, ErrSilent
	}
	defer c.endOffer()
	if err := c.follow(ctx); err != nil {
		return nil, err
	}
	return c.await(ctx, session, func() error {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.offers++
		return c.enqueue(b)
	})
}

// beginOffer says no when enough offers to this agent wait already.
func (c *conn) beginOffer() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.unanswered >= maxUnanswered {
		return false
	}
	c.unanswered++
	return true
}

func (c *conn) endOffer() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unanswered--
}

// orderAndWait sends an order that the agent answers.
func (c *conn) orderAndWait(ctx context.Context, o *controlv1.Order) (*controlv1.OrderAnswer, error) {
	c.mu.Lock()
	b, err := c.sign(o)
	number := c.number
	var answer chan proto.Message
	if err == nil {
		answer, err = c.expect(number)
	}
	if err == nil {
		err = c.enqueue(b)
	}
	c.mu.Unlock()
	if err != nil {
		return nil, err
	}
	got, err := c.wait(ctx, number, answer)
	if err != nil {
		return nil, err
	}
	return got.(*controlv1.OrderAnswer), nil
}

// order sends an order that needs no answer.
func (c *conn) order(o *controlv1.Order) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	b, err := c.sign(o)
	if err != nil {
		return err
	}
	return c.enqueue(b)
}

// sign numbers and signs an order. The lock is held, for orders must be queued
// in the order of their numbers.
func (c *conn) sign(o *controlv1.Order) ([]byte, error) {
	c.number++
	o.DeskId, o.Epoch, o.Number, o.TimeMs = c.desk, c.epoch, c.number, c.hub.cfg.Now().UnixMilli()
	signed, err := order.Sign(c.hub.cfg.Orders, o)
	if err != nil {
		return nil, err
	}
	return proto.Marshal(&controlv1.GatewayMessage{Message: &controlv1.GatewayMessage_Signed{Signed: signed}})
}

// await registers for the answer with this key, calls send, and waits.
func (c *conn) await(ctx context.Context, key any, send func() error) (proto.Message, error) {
	c.mu.Lock()
	answer, err := c.expect(key)
	c.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if err := send(); err != nil {
		c.forget(key)
		return nil, err
	}
	return c.wait(ctx, key, answer)
}

func (c *conn) expect(key any) (chan proto.Message, error) {
	if c.answers[key] != nil {
		return nil, errors.New("the same question is waiting already")
	}
	if c.answers == nil {
		c.answers = make(map[any]chan proto.Message)
	}
	answer := make(chan proto.Message, 1)
	c.answers[key] = answer
	return answer, nil
}

func (c *conn) wait(ctx context.Context, key any, answer chan proto.Message) (proto.Message, error) {
	defer c.forget(key)
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	select {
	case message := <-answer:
		return message, nil
	case <-c.gone:
		return nil, errClosed
	case <-ctx.Done():
		return nil, ErrSilent
	}
}

func (c *conn) forget(key any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.answers, key)
	if len(c.answers) == 0 {
		c.answers = nil
	}
}

// answered hands an answer to who waits for it. Nobody may: it was late.
func (c *conn) answered(key any, message proto.Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if answer := c.answers[key]; answer != nil {
		select {
		case answer <- message:
		default: // a second answer to the same question
		}
	}
}

func (c *conn) send(message *controlv1.GatewayMessage) error {
	b, err := proto.Marshal(message)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.enqueue(b)
}

// enqueue puts a message behind the others and sees to it that somebody writes.
// The lock is held.
func (c *conn) enqueue(b []byte) error {
	if c.closed {
		return errClosed
	}
	if len(c.queue) >= maxQueued {
		c.closeLocked(link.PeerStalled, "agent does not read")
		return errClosed
	}
	c.queue = append(c.queue, b)
	if !c.writing {
		c.writing = true
		c.hub.work.Go(c.write)
	}
	return nil
}

// write empties the queue and ends.
func (c *conn) write() {
	for {
		c.mu.Lock()
		if len(c.queue) == 0 || c.closed {
			c.queue, c.writing = nil, false
			c.mu.Unlock()
			return
		}
		next := c.queue[0]
		c.queue = slices.Delete(c.queue, 0, 1)
		c.mu.Unlock()
		// The link ends itself when the agent does not read.
		if err := c.socket.Send(context.Background(), next); err != nil {
			c.close(link.PeerStalled, "message was not written")
		}
	}
}

func sendMessage(ctx context.Context, s socket, message proto.Message) error {
	b, err := proto.Marshal(message)
	if err != nil {
		return err
	}
	return s.Send(ctx, b)
}
