package seal

import (
	"context"
	"fmt"
	"strings"
	"time"

	"jiseki/internal/cert"
	"jiseki/internal/grant"
)

// AcceptConfig is what an agent needs. All fields but Revoked are required.
type AcceptConfig struct {
	Grant     *grant.Grant           // Grant.Verify has returned nil for it
	Device    *cert.Certificate      // of the device that the grant names
	DeviceCAs []cert.PublicKey       // trusted for devices
	Revoked   func(cert.Serial) bool // says whether a certificate is known to be revoked; nil: none is
	Identity  cert.PrivateKey        // the desk's identity key
	Keys      []*StaticKey           // those of the desk's valid statements, the newest first
	Wire      Wire                   // wire versions that the agent knows
	Coders    []uint8                // coders that the agent knows, in any order
	Now       func() time.Time       // signed gateway time, or the clock

	// Commit spends the grant, replaces an earlier session and so on. Accept calls it once, after it has verified the
	// viewer's identity signature and seen both channels, and before it returns; never for a replayed message 1. If it
	// fails the session does not open.
	Commit func(ctx context.Context) error

	fixed *fixed
}

// Accept opens a session as agent over two paired pipes. It first checks that the device's certificate belongs to the grant
// and is valid, then shakes hands, verifies the viewer's identity signature over the handshake, and commits. On failure it
// closes both pipes. Errors wrap one of the Err variables; a *cert.Error in them says more.
func Accept(ctx context.Context, controlPipe, displayPipe Pipe, cfg AcceptConfig) (*Session, error) {
	pipes := [2]Pipe{controlPipe, displayPipe}
	s, err := accept(ctx, pipes, &cfg)
	if err != nil {
		return nil, fmt.Errorf("open seal as agent: %w", abandon(s, pipes, err))
	}
	return s, nil
}

func accept(ctx context.Context, pipes [2]Pipe, cfg *AcceptConfig) (*Session, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	message1, err := receive(ctx, pipes[control])
	if err != nil {
		return nil, err
	}
	message2, res, err := respond(cfg, message1)
	if err != nil {
		return nil, err
	}
	if err := send(ctx, pipes[control], message2); err != nil {
		return nil, err
	}
	s := newSession(pipes, fromAgent, res)
	// The agent's proof needs no answer, so it goes first: that saves the viewer a round trip. Only who made message 1
	// can open it.
	if err := s.sign(ctx, fromAgent, cfg.Identity); err != nil {
		return nil, err
	}
	return s, s.admit(ctx, cfg)
}

// admit verifies the viewer's first messages and commits.
func (s *Session) admit(ctx context.Context, cfg *AcceptConfig) error {
	if err := s.verify(ctx, fromViewer, cfg.Grant.DeviceKey); err != nil {
		return err
	}
	msg, err := s.Display.Receive(ctx)
	if err != nil {
		return err
	}
	if len(msg) != 0 {
		return fmt.Errorf("%w: the first message on display is not empty", ErrOrder)
	}
	if err := cfg.Commit(ctx); err != nil {
		return fmt.Errorf("%w: %w", ErrCommit, err)
	}
	return nil
}

func (cfg *AcceptConfig) check() error {
	now := cfg.Now()
	if err := cfg.Device.Verify(cert.KindDevice, cfg.DeviceCAs, now, cert.Skew); err != nil {
		return identity(err)
	}
	if cfg.Revoked != nil && cfg.Revoked(cfg.Device.Serial) {
		return fmt.Errorf("%w: device certificate is revoked", ErrPeerIdentity)
	}
	if cfg.Device.Subject != cfg.Grant.Device || cfg.Device.Key != cfg.Grant.DeviceKey {
		return fmt.Errorf("%w: certificate of another device", ErrPeerIdentity)
	}
	if owner, personal := strings.CutPrefix(cfg.Device.Owner, "user:"); personal && owner != cfg.Grant.User {
		return fmt.Errorf("%w: device of another user", ErrPeerIdentity)
	}
	if cfg.Identity.Public() != cfg.Grant.DeskKey {
		return fmt.Errorf("%w: for another desk", ErrGrant)
	}
	return nil
}
