package agent

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"jiseki/internal/capture"
	"jiseki/internal/cert"
	"jiseki/internal/cert/certtest"
	"jiseki/internal/codec"
	"jiseki/internal/grant"
	"jiseki/internal/grant/granttest"
	"jiseki/internal/seal"
	"jiseki/internal/wire"
)

// A memPipe is one end of a link in memory that holds room messages; who sends more waits, as for a peer that does not
// read.
type memPipe struct {
	in, out chan []byte
	done    chan struct{}
}

func newMemPipes(room int) (a, b *memPipe) {
	x, y, done := make(chan []byte, room), make(chan []byte, room), make(chan struct{})
	return &memPipe{x, y, done}, &memPipe{y, x, done}
}

var errGone = errors.New("link gone")

func (p *memPipe) Send(ctx context.Context, msg []byte) error {
	select {
	case p.out <- bytes.Clone(msg):
		return nil
	case <-p.done:
		return errGone
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *memPipe) Receive(ctx context.Context) ([]byte, error) {
	select {
	case m := <-p.in:
		return m, nil
	case <-p.done:
		return nil, errGone
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *memPipe) Close(int, string) error {
	select {
	case <-p.done:
	default:
		close(p.done)
	}
	return nil
}

// shaken is a session on a, with its viewer's half, that has taken the desk and does not run yet.
func shaken(t *testing.T, a *Agent) (*session, *seal.Session) {
	t.Helper()
	return shakenAs(t, a, wire.Version, grant.RightView|grant.RightInput)
}

// shakenAs is like shaken, for a wire version and rights.
func shakenAs(t *testing.T, a *Agent, version uint16, rights grant.Rights) (*session, *seal.Session) {
	t.Helper()
	statement, err := a.noise.statement()
	if err != nil {
		t.Fatal(err)
	}
	viewerKey, err := seal.NewStaticKey()
	if err != nil {
		t.Fatal(err)
	}
	ca, device := certtest.Key(t, "device ca"), certtest.Key(t, granttest.Device)
	g := granttest.New(t, a.now(), viewerKey.Public(), func(g *grant.Grant) { g.Idle, g.Rights = 0, rights })
	s := newSession(a, g)
	control, viewerControl := newMemPipes(4)
	display, viewerDisplay := newMemPipes(64)
	accepted := make(chan error, 1)
	go func() {
		var err error
		s.sealed, err = seal.Accept(t.Context(), control, display, seal.AcceptConfig{
			Grant: g, Device: certtest.Issue(t, ca, cert.KindDevice, g.Device, "user:"+g.User, device.Public(), a.now()),
			DeviceCAs: []cert.PublicKey{ca.Public()}, Identity: a.cfg.Identity, Keys: a.noise.keys(), Wire: seal.Wire{Min: version, Max: version},
			Coders: []uint8{uint8(codec.CoderQ2Z)}, Now: a.now,
			Commit: func(ctx context.Context) error { return a.commit(ctx, s) },
		})
		accepted <- err
	}()
	viewer, err := seal.Dial(t.Context(), viewerControl, viewerDisplay, seal.DialConfig{
		Grant: g, Session: g.Session, Desk: g.Desk, Certificate: a.certificate(), Statement: statement, DeskCAs: a.bundle.get().DeskCAs,
		Identity: device, Key: viewerKey, Wire: seal.Wire{Min: version, Max: version}, Coders: []uint8{uint8(codec.CoderQ2Z)}, Now: a.now,
	})
	if err := errors.Join(err, <-accepted); err != nil {
		t.Fatal(err)
	}
	a.leases.renew(a.now())
	return s, viewer
}

// TestViewerThatNeverStarts holds the desk without a word: the session ends by itself, and somebody who takes over need
// not wait for ever.
func TestViewerThatNeverStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := newTestAgent(t, t.TempDir())
		s, _ := shaken(t, a)
		began := time.Now()
		if err := s.run(t.Context()); err == nil {
			t.Error("the session ended without a reason")
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("the session lasted %v", took)
		}
	})
}

// TestViewerThatDoesNotRead fills the control channel with answers that it does not read. The end that somebody at the
// desk asks for comes all the same.
func TestViewerThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := newTestAgent(t, t.TempDir())
		source := newSteps()
		a.feed.open = func() (capture.Source, error) { return source, nil }
		s, viewer := shaken(t, a)
		ended := make(chan error, 1)
		go func() { ended <- s.run(t.Context()) }()
		start := &wire.Start{Visible: false, Monitor: wire.AllMonitors}
		if err := viewer.Control.Send(t.Context(), start.Append(nil)); err != nil {
			t.Fatal(err)
		}
		source.frames <- frame(4, 4, 1)
		synctest.Wait()
		go func() {
			for id := uint32(0); viewer.Control.Send(t.Context(), (&wire.Ping{ID: id}).Append(nil)) == nil; id++ {
			}
		}()
		time.Sleep(3 * time.Second) // the bubble's: the line is full
		began := time.Now()
		s.finish(wire.EndedAtDesk)
		err := <-ended
		if _, code := endCode(err); code != wire.EndedAtDesk {
			t.Errorf("the session ended with %v", err)
		}
		if took := time.Since(began); took > sayLimit+hearLimit+time.Second {
			t.Errorf("the end took %v", took)
		}
	})
}
