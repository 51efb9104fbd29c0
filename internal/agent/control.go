package agent

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"jiseki/internal/cert"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/link"
	"jiseki/internal/order"
	"jiseki/internal/wire"
)

// How the agent keeps its control channel.
const (
	firstWait  = time.Second      // before the first new try
	longWait   = 15 * time.Second // the longest wait between two tries: after a restart of the gateway all are back soon
	helloLimit = 15 * time.Second // for dialling and the exchange up to the welcome
	// leaseLimit is how long sessions go on without a lease (docs/PROTOCOL.md section 6). A gateway cannot make it longer.
	leaseLimit = 60 * time.Second
)

// errRotate ends a channel so that the next hello brings a new desk statement.
var errRotate = errors.New("time for a new desk statement")

// A refusedError is the gateway's answer to a hello.
type refusedError struct {
	code string
	at   time.Time // the gateway's clock
}

func (e *refusedError) Error() string {
	return fmt.Sprintf("gateway refuses this desk: %s (its clock: %s)", e.code, e.at.Format(time.RFC3339))
}

// keepControl holds the control channel until ctx ends: it dials again with back-off and jitter whenever it ends.
func (a *Agent) keepControl(ctx context.Context) {
	wait := firstWait
	for {
		began := a.now()
		err := a.control(ctx)
		if ctx.Err() != nil {
			return
		}
		if a.now().Sub(began) > longWait {
			wait = firstWait
		}
		pause := jitter(wait)
		a.log.Warn("control channel ended", "err", err, "retry_in", pause)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
		wait = min(wait*2, longWait)
	}
}

// jitter spreads a wait between its half and itself, so that 200 desks do not come back in the same moment.
func jitter(d time.Duration) time.Duration {
	var b [2]byte
	rand.Read(b[:]) // never fails
	part := time.Duration(b[0])<<8 | time.Duration(b[1])
	return d/2 + d/2*part/(1<<16)
}

// A channel is one connection to the gateway after the welcome.
type channel struct {
	agent  *Agent
	conn   *link.Conn
	orders *order.Reader
}

// control opens one control channel and serves it until it ends.
func (a *Agent) control(ctx context.Context) error {
	if err := a.renew(ctx); err != nil {
		a.log.Warn("certificate was not renewed", "err", err)
	}
	dialing, cancel := context.WithTimeout(ctx, helloLimit)
	defer cancel()
	conn, err := link.DialSocket(dialing, link.DialConfig{
		URL: a.agentURL(), TLS: a.tlsConfig(), Proxy: a.cfg.Proxy, Log: a.log,
	})
	if err != nil {
		return fmt.Errorf("reach the gateway: %w", err)
	}
	defer conn.Close(link.GoingAway, "")
	c := &channel{agent: a, conn: conn}
	if err := c.hello(dialing); err != nil {
		return err
	}
	a.log.Info("connected to the gateway", "epoch", c.orders.Epoch())
	fresh, stop := context.WithDeadlineCause(ctx, a.noise.rotates(), errRotate)
	defer stop()
	return c.serve(fresh)
}

// hello answers the gateway's challenge and requires its signed welcome.
func (c *channel) hello(ctx context.Context) error {
	message, err := c.receive(ctx)
	if err != nil {
		return err
	}
	challenge := message.GetChallenge()
	if len(challenge.GetNonce()) != len(cert.Nonce{}) {
		return errors.New("gateway did not begin with a challenge")
	}
	hello, err := c.agent.hello(cert.Nonce(challenge.GetNonce()))
	if err != nil {
		return err
	}
	c.orders = order.NewReader(c.agent.certificate().Subject, hello.GetNonce())
	err = c.send(ctx, &controlv1.AgentMessage{Message: &controlv1.AgentMessage_Hello{Hello: hello}})
	if err != nil {
		return err
	}
	message, err = c.receive(ctx)
	if err != nil {
		return err
	}
	if refused := message.GetRefused(); refused != nil {
		return &refusedError{code: refused.GetCode(), at: time.UnixMilli(refused.GetTimeMs())}
	}
	if err := c.order(message.GetSigned()); err != nil {
		return fmt.Errorf("welcome: %w", err)
	}
	return nil
}

// hello is signed anew for each connection, over a desk statement that is valid for days.
func (a *Agent) hello(challenge cert.Nonce) (*controlv1.Hello, error) {
	statement, err := a.noise.statement()
	if err != nil {
		return nil, err
	}
	self := a.certificate()
	proof := cert.AgentHello{Nonce: challenge, Desk: self.Subject, Statement: statement.Hash()}
	signature, err := proof.Sign(a.cfg.Identity)
	if err != nil {
		return nil, fmt.Errorf("sign hello: %w", err)
	}
	nonce := make([]byte, 32)
	rand.Read(nonce) // never fails
	adapters, reaches := a.adapters()
	return &controlv1.Hello{
		Adapters: adapters, Waker: a.cfg.Waker, Reaches: reaches,
		Certificate: self.Append(nil), Statement: statement.Append(nil), Signature: signature[:], Nonce: nonce,
		AgentVersion: a.cfg.Version, Hostname: a.cfg.Hostname, System: a.cfg.System, Run: a.run[:],
		Register: &controlv1.RegisterCopy{Number: a.announced.number()},
		WireMin:  wire.MinVersion, WireMax: wire.Version, BundleVersion: a.bundle.get().Version, TimeMs: a.now().UnixMilli(),
	}, nil
}

// serve handles the channel until it ends. Reports go out from a goroutine of their own, so that a slow line does not
// hold up an order.
func (c *channel) serve(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	reported := make(chan struct{})
	go func() {
		defer close(reported)
		cancel(c.report(ctx))
	}()
	defer func() { <-reported }()
	defer cancel(nil)
	for {
		message, err := c.receive(ctx)
		if err != nil {
			if cause := context.Cause(ctx); cause != nil {
				return cause
			}
			return err
		}
		if err := c.handle(ctx, message); err != nil {
			return err
		}
	}
}

// An eventID names an event of a session: the run of the agent and the number in it.
type eventID struct {
	run string
	seq uint64
}

// deliver sends the events that wait and were not sent before, and returns those that are sent now.
func (c *channel) deliver(ctx context.Context, before map[eventID]bool) (sent map[eventID]bool, err error) {
	sent = map[eventID]bool{}
	for _, e := range c.agent.events.undelivered() {
		id := eventID{string(e.GetRun()), e.GetSeq()}
		sent[id] = true
		if before[id] {
			continue
		}
		message := &controlv1.AgentMessage{Message: &controlv1.AgentMessage_SessionEvent{SessionEvent: e}}
		if err := c.send(ctx, message); err != nil {
			return nil, err
		}
	}
	return sent, nil
}

// report sends the state and the undelivered events, at once and whenever they change.
func (c *channel) report(ctx context.Context) error {
	var last []byte
	var sent map[eventID]bool // over this channel, and still without an answer
	for {
		state := c.agent.state()
		raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(state)
		if err != nil {
			return fmt.Errorf("write state: %w", err)
		}
		// After the state was taken and before it is sent: the event of a session's end must come before a state without it.
		if sent, err = c.deliver(ctx, sent); err != nil {
			return err
		}
		if !bytes.Equal(raw, last) {
			last = raw
			state.TimeMs = c.agent.now().UnixMilli()
			if err := c.send(ctx, &controlv1.AgentMessage{Message: &controlv1.AgentMessage_State{State: state}}); err != nil {
				return err
			}
		}
		select {
		case <-c.agent.stateChanged:
		case <-c.agent.events.wake:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// handle does what the gateway says. An error ends the channel.
func (c *channel) handle(ctx context.Context, message *controlv1.GatewayMessage) error {
	switch m := message.GetMessage().(type) {
	case *controlv1.GatewayMessage_Offer:
		return c.answer(ctx, m.Offer)
	case *controlv1.GatewayMessage_Signed:
		return c.signed(ctx, m.Signed)
	case *controlv1.GatewayMessage_SessionEventAck:
		if err := c.agent.events.acknowledge(m.SessionEventAck.GetRun(), m.SessionEventAck.GetSeq()); err != nil {
			c.agent.log.Error("an event that the gateway has is still on this disk", "err", err)
		}
		return nil
	case *controlv1.GatewayMessage_Refused:
		return &refusedError{code: m.Refused.GetCode(), at: time.UnixMilli(m.Refused.GetTimeMs())}
	default:
		return errors.New("gateway sent a message out of turn")
	}
}

// answer takes an offer or says why not. An offer that was accepted runs as a session of its own.
func (c *channel) answer(ctx context.Context, offer *controlv1.Offer) error {
	id, code := c.agent.accept(offer)
	if code != "" {
		c.agent.log.Warn("offer refused", "session", id, "code", code)
	}
	answer := &controlv1.OfferAnswer{SessionId: id[:], Accepted: code == "", Code: code}
	return c.send(ctx, &controlv1.AgentMessage{Message: &controlv1.AgentMessage_OfferAnswer{OfferAnswer: answer}})
}

// signed reads an order, does it, and answers where an answer is expected.
func (c *channel) signed(ctx context.Context, signed *controlv1.Signed) error {
	got, err := c.orders.Read(signed, c.agent.bundle.get().Grants, c.agent.now())
	if err != nil {
		return fmt.Errorf("order: %w", err)
	}
	if order := got.GetWake(); order != nil { // takes a while, and leases must not wait
		c.agent.tasks.Go(func() {
			if err := c.answerOrder(ctx, got, c.agent.wake(ctx, order)); err != nil {
				c.agent.log.Debug("answer to a wake order", "err", err)
			}
		})
		return nil
	}
	code, wantsAnswer := c.agent.obey(ctx, got)
	if !wantsAnswer {
		return nil
	}
	return c.answerOrder(ctx, got, code)
}

// answerOrder says what became of an order; an empty code is done.
func (c *channel) answerOrder(ctx context.Context, got *controlv1.Order, code string) error {
	answer := &controlv1.OrderAnswer{Number: got.GetNumber(), Done: code == "", Code: code}
	return c.send(ctx, &controlv1.AgentMessage{Message: &controlv1.AgentMessage_OrderAnswer{OrderAnswer: answer}})
}

// order reads the welcome: the first order of a channel.
func (c *channel) order(signed *controlv1.Signed) error {
	got, err := c.orders.Read(signed, c.agent.bundle.get().Grants, c.agent.now())
	if err != nil {
		return err
	}
	c.agent.leases.renew(c.agent.now())
	c.agent.welcomed(got.GetWelcome())
	return nil
}

func (c *channel) send(ctx context.Context, message *controlv1.AgentMessage) error {
	raw, err := proto.Marshal(message)
	if err != nil {
		return fmt.Errorf("write message to the gateway: %w", err)
	}
	if err := c.conn.Send(ctx, raw); err != nil {
		return fmt.Errorf("send to the gateway: %w", err)
	}
	return nil
}

func (c *channel) receive(ctx context.Context) (*controlv1.GatewayMessage, error) {
	raw, err := c.conn.Receive(ctx)
	if err != nil {
		return nil, fmt.Errorf("receive from the gateway: %w", err)
	}
	message := &controlv1.GatewayMessage{}
	if err := proto.Unmarshal(raw, message); err != nil {
		return nil, fmt.Errorf("read message of the gateway: %w", err)
	}
	return message, nil
}
