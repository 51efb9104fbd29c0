// Package seal is the end-to-end seal between viewer and agent: the handshake on the control channel and the records of
// both channels, as PROTOCOL.md section 4 has them. What passes outside of it is blind to the content.
//
// The handshake is Noise IK (flynn/noise, rev. 34 of the Noise specification) with an ML-KEM-768 (FIPS 203) key exchange
// in its payloads; both secrets go into the traffic keys. Both sides then sign the handshake hash with their identity keys.
package seal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"jiseki/internal/cert"
)

// A Pipe carries messages to the peer and back, unchanged and in order. One goroutine at a time may call Send, and one
// Receive; Close may be called at any time and makes both return.
type Pipe interface {
	// Send sends one message of at most 61,456 bytes. It keeps no reference to msg.
	Send(ctx context.Context, msg []byte) error
	// Receive returns the next message. The bytes are valid until the next call; the caller may overwrite them.
	Receive(ctx context.Context) ([]byte, error)
	// Close ends the pipe with a close code of PROTOCOL.md section 3.
	Close(code int, reason string) error
}

// The close codes that this package uses by itself.
const (
	CloseFailed = 4010 // the seal failed
	closeGone   = 4003 // the other channel's pipe is gone
)

// MaxMessage is the greatest size of a message, in bytes.
const MaxMessage = 2 << 20

// Why a session did not open or ended. Each error of this package wraps exactly one of them.
var (
	// ErrHandshake: message 1 or 2 does not open or has a wrong form, or the identity key did not sign.
	ErrHandshake = errors.New("handshake failed")
	// ErrVersion: no wire version that both sides know.
	ErrVersion = errors.New("no common wire version")
	// ErrCoder: no coder that both sides know.
	ErrCoder = errors.New("no common coder")
	// ErrGrant: grant, keys and certificates do not belong together.
	ErrGrant = errors.New("grant is for something else")
	// ErrPeerIdentity: the peer's certificate, statement, X25519 key or signature is not what it should be.
	ErrPeerIdentity = errors.New("peer is not who it should be")
	// ErrCommit: AcceptConfig.Commit failed.
	ErrCommit = errors.New("session was not committed")
	// ErrOpen: a record was changed, replayed, out of order, or sealed with another key.
	ErrOpen = errors.New("record does not open")
	// ErrSize: a record's size is not in the table.
	ErrSize = errors.New("record has a size not allowed")
	// ErrRecord: a record's flags, length or padding are not allowed.
	ErrRecord = errors.New("record has a wrong form")
	// ErrOrder: a first message is not what it must be.
	ErrOrder = errors.New("message out of order")
	// ErrTooLarge: a message has more than MaxMessage bytes.
	ErrTooLarge = errors.New("message is too large")
	// ErrPipe: the link ended, or the context.
	ErrPipe = errors.New("pipe failed")
	// ErrClosed: Session.Close was called.
	ErrClosed = errors.New("session closed by this side")
)

// Wire is the range of wire versions that a side knows.
type Wire struct{ Min, Max uint16 }

// A Session is an open seal. Every failure of either channel ends both.
type Session struct {
	Control *Channel
	Display *Channel
	Version uint16   // of wire
	Coder   uint8    // of the updates
	Hash    [32]byte // the final Noise hash: names this handshake, is no secret

	pipes [2]Pipe
	cause atomic.Pointer[error]
}

func newSession(pipes [2]Pipe, role direction, res *result) *Session {
	s := &Session{Version: res.choice.version, Coder: res.choice.coder, Hash: res.hash, pipes: pipes}
	secrets := res.secrets()
	s.Control = newChannel(s, pipes[control], control, role, secrets[control])
	s.Display = newChannel(s, pipes[display], display, role, secrets[display])
	return s
}

// Close ends both channels with a close code. It may be called at any time, from any goroutine, and more than once.
func (s *Session) Close(code int, reason string) error {
	err := ErrClosed
	if !s.cause.CompareAndSwap(nil, &err) {
		return nil
	}
	return closeBoth(s.pipes, code, reason)
}

// Err is why the session ended, or nil.
func (s *Session) Err() error {
	if p := s.cause.Load(); p != nil {
		return *p
	}
	return nil
}

// fail ends the session and returns the first cause, which need not be err.
func (s *Session) fail(err error) error {
	if s.cause.CompareAndSwap(nil, &err) {
		closeFor(s.pipes, err)
	}
	return *s.cause.Load()
}

// abandon ends what of a session there is, because of err, and returns the first cause. s is nil before the handshake is done.
func abandon(s *Session, pipes [2]Pipe, err error) error {
	if s != nil {
		return s.fail(err)
	}
	closeFor(pipes, err)
	return err
}

// closeFor ends both pipes because of err. What their Close returns adds nothing to err.
func closeFor(pipes [2]Pipe, err error) {
	if errors.Is(err, ErrPipe) {
		_ = closeBoth(pipes, closeGone, "channel gone")
		return
	}
	_ = closeBoth(pipes, CloseFailed, "seal failed")
}

func closeBoth(pipes [2]Pipe, code int, reason string) error {
	return errors.Join(pipes[control].Close(code, reason), pipes[display].Close(code, reason))
}

// fixed replaces what is random. Only the tests of this package can reach it.
type fixed struct {
	ephemeral   io.Reader                                  // of the Noise ephemeral key
	seed        []byte                                     // of the ML-KEM key pair, 64 bytes
	encapsulate func(ek []byte) (ss, ct []byte, err error) // ML-KEM
}

func receive(ctx context.Context, p Pipe) ([]byte, error) {
	b, err := p.Receive(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPipe, err)
	}
	return b, nil
}

func send(ctx context.Context, p Pipe, msg []byte) error {
	if err := p.Send(ctx, msg); err != nil {
		return fmt.Errorf("%w: %w", ErrPipe, err)
	}
	return nil
}

func identity(err error) error { return fmt.Errorf("%w: %w", ErrPeerIdentity, err) }

// contextOf is the signature context of a side.
func contextOf(role direction) cert.Context {
	if role == fromViewer {
		return "jiseki-seal-1 viewer"
	}
	return "jiseki-seal-1 desk"
}
