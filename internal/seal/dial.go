package seal

import (
	"context"
	"fmt"
	"time"

	"jiseki/internal/cert"
	"jiseki/internal/grant"
)

// DialConfig is what a viewer needs. All fields are required.
type DialConfig struct {
	Grant       *grant.Grant        // as the gateway answered
	Session     cert.SessionID      // as the viewer requested it
	Desk        string              // id of the desk that the user chose
	Certificate *cert.Certificate   // of the desk
	Statement   *cert.DeskStatement // of the desk
	DeskCAs     []cert.PublicKey    // trusted for desks
	Identity    cert.PrivateKey     // the device's identity key
	Key         *StaticKey          // fresh for this session, the one that the grant names
	Wire        Wire                // wire versions that the viewer knows
	Coders      []uint8             // coders that the viewer knows, the preferred first: 1 to 16
	Now         func() time.Time    // signed gateway time, or the clock

	fixed *fixed
}

// Dial opens a session as viewer over two paired pipes. It first checks that the desk's certificate, its statement and the
// grant belong together and to this viewer, then shakes hands, and returns only when the desk's identity signature over the
// handshake is verified: what is sent and received on the session's channels is with that desk. On failure it closes both
// pipes. Errors wrap one of the Err variables; a *cert.Error in them says more.
func Dial(ctx context.Context, controlPipe, displayPipe Pipe, cfg DialConfig) (*Session, error) {
	pipes := [2]Pipe{controlPipe, displayPipe}
	s, err := dial(ctx, pipes, &cfg)
	if err != nil {
		return nil, fmt.Errorf("open seal as viewer: %w", abandon(s, pipes, err))
	}
	return s, nil
}

func dial(ctx context.Context, pipes [2]Pipe, cfg *DialConfig) (*Session, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	hs, err := newInitiator(prologue(cfg.Grant), cfg.Key, cfg.Statement.NoiseKey, cfg.Wire, cfg.Coders, cfg.fixed)
	if err != nil {
		return nil, err
	}
	if err := send(ctx, pipes[control], hs.message1); err != nil {
		return nil, err
	}
	message2, err := receive(ctx, pipes[control])
	if err != nil {
		return nil, err
	}
	res, err := hs.finish(message2)
	if err != nil {
		return nil, err
	}
	s := newSession(pipes, fromViewer, res)
	return s, s.prove(ctx, cfg)
}

// prove sends the viewer's first messages and verifies the desk's.
func (s *Session) prove(ctx context.Context, cfg *DialConfig) error {
	if err := s.sign(ctx, fromViewer, cfg.Identity); err != nil {
		return err
	}
	if err := s.Display.Send(ctx, nil); err != nil {
		return err
	}
	return s.verify(ctx, fromAgent, cfg.Grant.DeskKey)
}

func (cfg *DialConfig) check() error {
	now := cfg.Now()
	if err := cfg.Certificate.Verify(cert.KindDesk, cfg.DeskCAs, now, cert.Skew); err != nil {
		return identity(err)
	}
	if cfg.Certificate.Subject != cfg.Desk {
		return fmt.Errorf("%w: certificate of another desk", ErrPeerIdentity)
	}
	if err := cfg.Statement.Verify(cfg.Certificate.Key, now, cert.Skew); err != nil {
		return identity(err)
	}
	own := grant.Own{
		Session: cfg.Session, Device: cfg.Identity.Public(), NoiseKey: cfg.Key.Public(),
		Desk: cfg.Desk, DeskKey: cfg.Certificate.Key,
	}
	if err := cfg.Grant.CheckOwn(own); err != nil {
		return fmt.Errorf("%w: %w", ErrGrant, err)
	}
	return nil
}

// sign sends this side's identity signature as its first message on control.
func (s *Session) sign(ctx context.Context, role direction, key cert.PrivateKey) error {
	sig, err := key.Sign(contextOf(role), s.Hash[:])
	if err != nil {
		return handshake(err)
	}
	return s.Control.Send(ctx, sig[:])
}

// verify receives the other side's identity signature as its first message on control.
func (s *Session) verify(ctx context.Context, role direction, key cert.PublicKey) error {
	msg, err := s.Control.Receive(ctx)
	if err != nil {
		return err
	}
	if len(msg) != len(cert.Signature{}) {
		return fmt.Errorf("%w: the first message on control is no signature", ErrOrder)
	}
	if err := key.Verify(contextOf(role), s.Hash[:], cert.Signature(msg)); err != nil {
		return identity(err)
	}
	return nil
}
