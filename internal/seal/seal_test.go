package seal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"jiseki/internal/cert"
	"jiseki/internal/cert/certtest"
	"jiseki/internal/grant"
	"jiseki/internal/grant/granttest"
)

// pattern is a message whose bytes tell their place.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i) ^ byte(i>>8)*3 ^ byte(n)
	}
	return b
}

func TestOpenAndTalk(t *testing.T) {
	p := newPair(t)
	viewer, agent := p.mustOpen(t)
	if viewer.Hash != agent.Hash || viewer.Version != 3 || agent.Version != 3 || viewer.Coder != 2 || agent.Coder != 2 {
		t.Errorf("viewer %d %d, agent %d %d", viewer.Version, viewer.Coder, agent.Version, agent.Coder)
	}
	if p.commit != 1 {
		t.Errorf("committed %d times", p.commit)
	}
	for _, way := range []struct {
		name     string
		from, to *Channel
	}{
		{"control to agent", viewer.Control, agent.Control},
		{"control to viewer", agent.Control, viewer.Control},
		{"display to agent", viewer.Display, agent.Display},
		{"display to viewer", agent.Display, viewer.Display},
	} {
		t.Run(way.name, func(t *testing.T) {
			for _, n := range []int{0, 1, 61, 62, 253, 254, 1021, 1022, 8189, 8190, 61437, 61438, 122875, 200_000} {
				if err := way.from.Send(t.Context(), pattern(n)); err != nil {
					t.Fatal(err)
				}
				got, err := way.to.Receive(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got, pattern(n)) {
					t.Errorf("%d bytes came as %d others", n, len(got))
				}
			}
		})
	}
	if err := viewer.Close(4007, "done"); err != nil {
		t.Error(err)
	}
	p.ended(t, 4007)
	if _, err := viewer.Control.Receive(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestGreatestMessage(t *testing.T) {
	p := newPair(t)
	viewer, agent := p.mustOpen(t)
	big := pattern(MaxMessage)
	if err := agent.Display.Send(t.Context(), append(big, 0)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("one byte more: %v", err)
	}
	if err := agent.Display.Send(t.Context(), big); err != nil {
		t.Fatal(err)
	}
	got, err := viewer.Display.Receive(t.Context())
	if err != nil || !bytes.Equal(got, big) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// A peer that is who it should be must still not make this side hold more than a message.
func TestEndlessMessageIsRefused(t *testing.T) {
	p := newPair(t)
	viewer, agent := p.mustOpen(t)
	full := pattern(maxPlaintext - headerSize)
	for range MaxMessage/len(full) + 1 {
		if err := agent.Display.sendRecord(t.Context(), full, false); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := viewer.Display.Receive(t.Context()); !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v", err)
	}
	p.ended(t, CloseFailed)
}

func TestDialRefuses(t *testing.T) {
	other := certtest.Key(t, "other desk")
	deskCA := certtest.Key(t, "desk ca")
	for name, tt := range map[string]struct {
		change func(*pair)
		want   error
		cause  error
	}{
		"expired desk certificate": {func(p *pair) { p.dial.Now = clockAt(p.dial.Certificate.NotAfter.Add(time.Hour)) }, ErrPeerIdentity, cert.ErrExpired},
		"clock far behind":         {func(p *pair) { p.dial.Now = clockAt(now.Add(-24 * time.Hour)) }, ErrPeerIdentity, cert.ErrClockSkew},
		"desk CA not trusted":      {func(p *pair) { p.dial.DeskCAs = []cert.PublicKey{certtest.Key(t, "device ca").Public()} }, ErrPeerIdentity, cert.ErrIssuer},
		"device's certificate":     {func(p *pair) { p.dial.Certificate = p.accept.Device }, ErrPeerIdentity, cert.ErrKind},
		"other desk's certificate": {func(p *pair) {
			p.dial.Certificate = certtest.Issue(t, deskCA, cert.KindDesk, "desk-0305", "internet", other.Public(), now)
		}, ErrPeerIdentity, ErrPeerIdentity},
		"other desk's key in the certificate": {func(p *pair) {
			p.dial.Certificate = certtest.Issue(t, deskCA, cert.KindDesk, p.dial.Desk, "internet", other.Public(), now)
			p.dial.Statement = certtest.Statement(t, other, p.dial.Statement.NoiseKey, now)
		}, ErrGrant, grant.ErrViewer},
		"other desk's statement": {func(p *pair) { p.dial.Statement = certtest.Statement(t, other, p.dial.Statement.NoiseKey, now) }, ErrPeerIdentity, cert.ErrSignature},
		"old statement":          {func(p *pair) { p.dial.Now = clockAt(now.Add(25 * time.Hour)) }, ErrPeerIdentity, cert.ErrExpired},
		"grant of another session": {func(p *pair) {
			p.regrant(granttest.New(t, now, p.dial.Key.Public(), func(g *grant.Grant) { g.Session[0] ^= 1 }))
		}, ErrGrant, grant.ErrViewer},
		"grant for another X25519 key": {func(p *pair) { p.regrant(granttest.New(t, now, staticKey(t, "other").Public())) }, ErrGrant, grant.ErrViewer},
		"no coder":                     {func(p *pair) { p.dial.Coders = nil }, ErrHandshake, cert.ErrRange},
		"17 coders":                    {func(p *pair) { p.dial.Coders = make([]uint8, 17) }, ErrHandshake, cert.ErrRange},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t)
			tt.change(p)
			_, err := Dial(t.Context(), p.viewer[control], p.viewer[display], p.dial)
			if !errors.Is(err, tt.want) || !errors.Is(err, tt.cause) {
				t.Errorf("got %v", err)
			}
			if n := len(p.viewer[control].sent); n != 0 {
				t.Errorf("sent %d messages", n)
			}
			p.ended(t, CloseFailed)
		})
	}
}

func TestAcceptRefuses(t *testing.T) {
	ca, other := certtest.Key(t, "device ca"), certtest.Key(t, "other device")
	for name, tt := range map[string]struct {
		change func(*AcceptConfig)
		want   error
		cause  error
	}{
		"expired device certificate": {func(c *AcceptConfig) { c.Now = clockAt(c.Device.NotAfter.Add(time.Hour)) }, ErrPeerIdentity, cert.ErrExpired},
		"device CA not trusted":      {func(c *AcceptConfig) { c.DeviceCAs = nil }, ErrPeerIdentity, cert.ErrIssuer},
		"revoked device certificate": {func(c *AcceptConfig) { c.Revoked = func(s cert.Serial) bool { return s == c.Device.Serial } }, ErrPeerIdentity, ErrPeerIdentity},
		"other device's certificate": {func(c *AcceptConfig) {
			c.Device = certtest.Issue(t, ca, cert.KindDevice, c.Grant.Device, "all", other.Public(), now)
		}, ErrPeerIdentity, ErrPeerIdentity},
		"other user's device": {func(c *AcceptConfig) {
			c.Device = certtest.Issue(t, ca, cert.KindDevice, c.Grant.Device, "user:suzuki", c.Grant.DeviceKey, now)
		}, ErrPeerIdentity, ErrPeerIdentity},
		"grant for another desk": {func(c *AcceptConfig) { c.Identity = other }, ErrGrant, ErrGrant},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t)
			tt.change(&p.accept)
			_, err := Accept(t.Context(), p.agent[control], p.agent[display], p.accept)
			if !errors.Is(err, tt.want) || !errors.Is(err, tt.cause) {
				t.Errorf("got %v", err)
			}
			if p.commit != 0 {
				t.Error("committed")
			}
			p.ended(t, CloseFailed)
		})
	}
}

// Both sides run, and something between them is wrong. Nothing hangs, nothing is committed, all pipes are closed.
func TestHandshakeRefuses(t *testing.T) {
	flip := func(at int) func([]byte) [][]byte {
		return func(m []byte) [][]byte {
			m = bytes.Clone(m)
			m[(at+len(m))%len(m)] ^= 1
			return [][]byte{m}
		}
	}
	for name, tt := range map[string]struct {
		change func(*pair)
		viewer error // nil: any
		agent  error
	}{
		"agent holds another grant": {func(p *pair) {
			p.accept.Grant = granttest.New(t, now, p.dial.Key.Public(), func(g *grant.Grant) { g.Rights = grant.RightView })
		}, nil, ErrHandshake},
		"agent lost its X25519 key": {func(p *pair) { p.accept.Keys = p.accept.Keys[:1] }, nil, ErrHandshake},
		"no common wire version":    {func(p *pair) { p.accept.Wire = Wire{4, 9} }, nil, ErrVersion},
		"no common coder":           {func(p *pair) { p.accept.Coders = []uint8{9} }, nil, ErrCoder},
		"message 1 changed":         {func(p *pair) { p.viewer[control].mangle = flip(-1) }, nil, ErrHandshake},
		"ephemeral key changed":     {func(p *pair) { p.viewer[control].mangle = flip(0) }, nil, ErrHandshake},
		"message 1 cut":             {func(p *pair) { p.viewer[control].mangle = func(m []byte) [][]byte { return [][]byte{m[:20]} } }, nil, ErrHandshake},
		"message 1 too long": {func(p *pair) {
			p.viewer[control].mangle = func([]byte) [][]byte { return [][]byte{make([]byte, 60_000)} }
		}, nil, ErrHandshake},
		"message 2 changed":           {func(p *pair) { p.agent[control].mangle = flip(-1) }, ErrHandshake, nil},
		"viewer without device's key": {func(p *pair) { p.dial.Identity = impostor{p.dial.Identity, certtest.Key(t, "thief")} }, nil, ErrPeerIdentity},
		"agent without desk's key":    {func(p *pair) { p.accept.Identity = impostor{p.accept.Identity, certtest.Key(t, "thief")} }, ErrPeerIdentity, nil},
		"commit fails":                {func(p *pair) { p.accept.Commit = func(context.Context) error { return errors.New("spent") } }, nil, ErrCommit},
		"another viewer's X25519 key": {func(p *pair) {
			thief := staticKey(t, "thief")
			thief.public = p.dial.Key.public // passes the viewer's own check, as a changed viewer would
			p.dial.Key = thief
		}, nil, ErrHandshake},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPair(t)
				tt.change(p)
				_, _, viewerErr, agentErr := p.open(t.Context())
				if tt.viewer != nil && !errors.Is(viewerErr, tt.viewer) {
					t.Errorf("viewer: %v", viewerErr)
				}
				if tt.agent != nil && !errors.Is(agentErr, tt.agent) {
					t.Errorf("agent: %v", agentErr)
				}
				if p.commit != 0 && tt.viewer == nil {
					t.Error("committed")
				}
				for _, pipe := range append(p.viewer[:], p.agent[:]...) {
					if pipe.closed() == 0 {
						t.Error("a pipe is still open")
					}
				}
			})
		})
	}
}

// An impostor knows who to be and signs with another key.
type impostor struct {
	cert.PrivateKey
	signer cert.PrivateKey
}

func (i impostor) Sign(c cert.Context, m []byte) (cert.Signature, error) { return i.signer.Sign(c, m) }

// Someone who has recorded a whole session and holds the grant plays it to the agent again.
func TestReplayedSessionCommitsNothing(t *testing.T) {
	first := newPair(t)
	first.mustOpen(t)
	for _, tt := range []struct {
		name     string
		messages int // of control that are replayed
		want     error
	}{
		{"message 1 only", 1, ErrPipe},
		{"message 1 and the signature", 2, ErrOpen},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPair(t)
				for _, m := range first.viewer[control].sent[:tt.messages] {
					p.agent[control].in <- m
				}
				for _, m := range first.viewer[display].sent {
					p.agent[display].in <- m
				}
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				if _, err := Accept(ctx, p.agent[control], p.agent[display], p.accept); !errors.Is(err, tt.want) {
					t.Errorf("got %v", err)
				}
				if p.commit != 0 {
					t.Error("a replayed session was committed")
				}
			})
		})
	}
}

func TestFirstMessagesMustBeInOrder(t *testing.T) {
	for name, tt := range map[string]struct {
		controlFirst, displayFirst []byte
	}{
		"no signature":      {pattern(63), nil},
		"display not empty": {nil, []byte{1}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPair(t)
				done := make(chan error, 1)
				go func() {
					_, err := Accept(t.Context(), p.agent[control], p.agent[display], p.accept)
					done <- err
				}()
				s := p.rawViewer(t)
				if tt.controlFirst != nil {
					mustSend(t, s.Control, tt.controlFirst)
				} else if err := s.sign(t.Context(), fromViewer, p.dial.Identity); err != nil {
					t.Fatal(err)
				}
				err := s.Display.Send(t.Context(), tt.displayFirst)
				if err != nil && tt.controlFirst == nil { // after a wrong first message the agent may have hung up already
					t.Fatal(err)
				}
				if err := <-done; !errors.Is(err, ErrOrder) {
					t.Errorf("got %v", err)
				}
				if p.commit != 0 {
					t.Error("committed")
				}
				p.ended(t, CloseFailed)
			})
		})
	}
}

// rawViewer shakes hands and sends no first messages.
func (p *pair) rawViewer(t testing.TB) *Session {
	t.Helper()
	hs, err := newInitiator(prologue(p.dial.Grant), p.dial.Key, p.dial.Statement.NoiseKey, p.dial.Wire, p.dial.Coders, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.viewer[control].Send(t.Context(), hs.message1); err != nil {
		t.Fatal(err)
	}
	m, err := p.viewer[control].Receive(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	res, err := hs.finish(m)
	if err != nil {
		t.Fatal(err)
	}
	return newSession([2]Pipe{p.viewer[control], p.viewer[display]}, fromViewer, res)
}

func TestContextEndsHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := Dial(ctx, p.viewer[control], p.viewer[display], p.dial)
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, ErrPipe) {
			t.Errorf("got %v", err)
		}
		p.ended(t, closeGone)
	})
}

func TestOneLinkEndsBoth(t *testing.T) {
	p := newPair(t)
	viewer, _ := p.mustOpen(t)
	if err := p.agent[display].Close(4009, "silent"); err != nil {
		t.Fatal(err)
	}
	if _, err := viewer.Display.Receive(t.Context()); !errors.Is(err, errLinkClosed) {
		t.Errorf("display: %v", err)
	}
	if p.viewer[control].closed() != closeGone {
		t.Error("control is still open")
	}
	if err := viewer.Control.Send(t.Context(), nil); !errors.Is(err, errLinkClosed) {
		t.Errorf("control does not say why: %v", err)
	}
}

func TestStaticKeyIsNotPrinted(t *testing.T) {
	k, err := NewStaticKey()
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("key", "key", k)
	for _, s := range []string{fmt.Sprintf("%v %+v %#v %s", k, k, k, k), log.String()} {
		if strings.Contains(s, fmt.Sprintf("%x", k.private[:3])) || !strings.Contains(s, k.Public().String()) {
			t.Errorf("printed %q", s)
		}
	}
}

func mustSend(t testing.TB, c *Channel, msg []byte) {
	t.Helper()
	if err := c.Send(t.Context(), msg); err != nil {
		t.Fatal(err)
	}
}
