package seal

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/sha256"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"jiseki/internal/cert"
	"jiseki/internal/cert/certtest"
	"jiseki/internal/grant"
	"jiseki/internal/grant/granttest"
)

var now = time.Date(2026, 11, 23, 9, 30, 0, 123e6, time.UTC)

func clockAt(t time.Time) func() time.Time { return func() time.Time { return t } }

// A link is what joins two pipes: when one closes, both are closed.
type link struct {
	once sync.Once
	done chan struct{}
	code int
}

// A memPipe is one end of a link in memory. Its mangle is the man in the middle of what it sends.
type memPipe struct {
	link    *link
	in, out chan []byte
	mangle  func(msg []byte) [][]byte
	sent    [][]byte
	last    []byte
}

var errLinkClosed = errors.New("link closed")

func newLink() (a, b *memPipe) {
	l := &link{done: make(chan struct{})}
	x, y := make(chan []byte, 1<<12), make(chan []byte, 1<<12)
	return &memPipe{link: l, in: x, out: y}, &memPipe{link: l, in: y, out: x}
}

func (p *memPipe) Send(ctx context.Context, msg []byte) error {
	list := [][]byte{bytes.Clone(msg)}
	p.sent = append(p.sent, list[0])
	if p.mangle != nil {
		list = p.mangle(list[0])
	}
	for _, m := range list {
		select {
		case p.out <- m:
		case <-p.link.done:
			return errLinkClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Receive spoils the message that it returned before: nobody may still read it.
func (p *memPipe) Receive(ctx context.Context) ([]byte, error) {
	for i := range p.last {
		p.last[i] = 0xa5
	}
	select { // what has arrived comes before the end
	case m := <-p.in:
		p.last = bytes.Clone(m)
		return p.last, nil
	default:
	}
	select {
	case m := <-p.in:
		p.last = bytes.Clone(m)
		return p.last, nil
	case <-p.link.done:
		return nil, errLinkClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *memPipe) Close(code int, _ string) error {
	p.link.once.Do(func() {
		p.link.code = code
		close(p.link.done)
	})
	return nil
}

// closed is the code that the link was closed with, 0 if it is open.
func (p *memPipe) closed() int {
	select {
	case <-p.link.done:
		return p.link.code
	default:
		return 0
	}
}

func staticKey(t testing.TB, label string) *StaticKey {
	t.Helper()
	seed := sha256.Sum256([]byte("jiseki test X25519 " + label))
	k, err := ecdh.X25519().NewPrivateKey(seed[:])
	if err != nil {
		t.Fatal(err)
	}
	return wrapStatic(k)
}

// A pair is a viewer and an agent that could open a session.
type pair struct {
	dial   DialConfig
	accept AcceptConfig
	viewer [2]*memPipe
	agent  [2]*memPipe
	commit int
}

func newPair(t testing.TB) *pair {
	t.Helper()
	p := &pair{}
	for ch := range p.viewer {
		p.viewer[ch], p.agent[ch] = newLink()
	}
	deviceCA, deskCA := certtest.Key(t, "device ca"), certtest.Key(t, "desk ca")
	device, desk := certtest.Key(t, granttest.Device), certtest.Key(t, granttest.Desk)
	viewerKey, deskKey := staticKey(t, "viewer"), staticKey(t, "desk")
	g := granttest.New(t, now, viewerKey.Public())
	p.dial = DialConfig{
		Grant: g, Session: g.Session, Desk: g.Desk,
		Certificate: certtest.Issue(t, deskCA, cert.KindDesk, g.Desk, "internet", desk.Public(), now),
		Statement:   certtest.Statement(t, desk, deskKey.Public(), now),
		DeskCAs:     []cert.PublicKey{deskCA.Public()},
		Identity:    device, Key: viewerKey, Wire: Wire{1, 3}, Coders: []uint8{7, 2, 1}, Now: clockAt(now),
	}
	p.accept = AcceptConfig{
		Grant:     g,
		Device:    certtest.Issue(t, deviceCA, cert.KindDevice, g.Device, "user:"+g.User, device.Public(), now),
		DeviceCAs: []cert.PublicKey{deviceCA.Public()},
		Identity:  desk, Keys: []*StaticKey{staticKey(t, "desk next"), deskKey}, Wire: Wire{2, 4}, Coders: []uint8{1, 2}, Now: clockAt(now),
		Commit: func(context.Context) error { p.commit++; return nil },
	}
	return p
}

// regrant gives both sides another grant.
func (p *pair) regrant(g *grant.Grant) { p.dial.Grant, p.accept.Grant = g, g }

// open runs both sides to their ends.
func (p *pair) open(ctx context.Context) (viewer, agent *Session, viewerErr, agentErr error) {
	var wg sync.WaitGroup
	wg.Go(func() { viewer, viewerErr = Dial(ctx, p.viewer[control], p.viewer[display], p.dial) })
	wg.Go(func() { agent, agentErr = Accept(ctx, p.agent[control], p.agent[display], p.accept) })
	wg.Wait()
	return viewer, agent, viewerErr, agentErr
}

func (p *pair) mustOpen(t testing.TB) (viewer, agent *Session) {
	t.Helper()
	viewer, agent, err1, err2 := p.open(context.Background())
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	return viewer, agent
}

// ended fails unless all four pipes are closed with a code.
func (p *pair) ended(t testing.TB, code int) {
	t.Helper()
	for _, pipe := range slices.Concat(p.viewer[:], p.agent[:]) {
		if got := pipe.closed(); got != code {
			t.Errorf("pipe closed with %d, want %d", got, code)
		}
	}
}
