package seal

import (
	"context"
	"fmt"
	"slices"
)

// A Channel carries messages of one channel of a session, sealed, in order, each whole. One goroutine at a time may call Send,
// and one Receive; both may run at once. Every error but that of a message too large to send is final for the whole session.
type Channel struct {
	session *Session
	pipe    Pipe

	outShape, inShape shape
	out, in           *ratchet

	record  []byte // being sent
	message []byte // being received, if it has several records
}

func newChannel(s *Session, p Pipe, ch channel, role direction, secrets [2]secret) *Channel {
	peer := fromViewer + fromAgent - role
	return &Channel{
		session: s, pipe: p,
		outShape: shape{ch, role}, out: newRatchet(secrets[role]),
		inShape: shape{ch, peer}, in: newRatchet(secrets[peer]),
	}
}

// Send sends msg, of at most MaxMessage bytes, and keeps no reference to it. The lengths that the relay sees are those of
// the table in PROTOCOL.md section 4.
func (c *Channel) Send(ctx context.Context, msg []byte) error {
	if len(msg) > MaxMessage {
		return fmt.Errorf("%w: %d bytes", ErrTooLarge, len(msg))
	}
	if err := c.session.Err(); err != nil {
		return err
	}
	most := c.outShape.largest() - headerSize
	for {
		n := min(len(msg), most)
		last := n == len(msg)
		if err := c.sendRecord(ctx, msg[:n], last); err != nil {
			return c.session.fail(err)
		}
		if last {
			return nil
		}
		msg = msg[n:]
	}
}

func (c *Channel) sendRecord(ctx context.Context, payload []byte, last bool) error {
	size := c.outShape.round(headerSize + len(payload))
	c.record = slices.Grow(c.record[:0], size+tagSize)[:size]
	frame(c.record, payload, last)
	return send(ctx, c.pipe, c.out.seal(c.record))
}

// Receive returns the next message. It is valid until the next call of Receive, and the caller may overwrite it.
func (c *Channel) Receive(ctx context.Context) ([]byte, error) {
	if err := c.session.Err(); err != nil {
		return nil, err
	}
	msg, err := c.receive(ctx)
	if err != nil {
		return nil, c.session.fail(err)
	}
	return msg, nil
}

func (c *Channel) receive(ctx context.Context) ([]byte, error) {
	payload, last, err := c.receiveRecord(ctx)
	if err != nil || last {
		return payload, err // most messages are one record: no copy
	}
	c.message = c.message[:0]
	for {
		if len(c.message)+len(payload) > MaxMessage {
			return nil, ErrTooLarge
		}
		c.message = append(c.message, payload...)
		if last {
			return c.message, nil
		}
		if payload, last, err = c.receiveRecord(ctx); err != nil {
			return nil, err
		}
	}
}

func (c *Channel) receiveRecord(ctx context.Context) (payload []byte, last bool, err error) {
	record, err := receive(ctx, c.pipe)
	if err != nil {
		return nil, false, err
	}
	if !c.inShape.has(len(record) - tagSize) {
		return nil, false, fmt.Errorf("%w: %d bytes", ErrSize, len(record))
	}
	plaintext, err := c.in.open(record)
	if err != nil {
		return nil, false, err
	}
	return unframe(plaintext)
}
