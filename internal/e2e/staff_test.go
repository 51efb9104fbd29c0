//go:build linux

package e2e

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"jiseki/internal/cert"
	"jiseki/internal/gateway/gatewaytest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/keys"
	"jiseki/internal/screen"
	"jiseki/internal/viewer"
	"jiseki/internal/wire"
)

// A staff member at an enrolled device.
type staff struct {
	h      *house
	user   string
	portal *viewer.Portal
	tls    *tls.Config
}

// staff signs a user in on a first device.
func (h *house) staff(user string) *staff { return h.staffVia(user, h.town.Host) }

// staffVia is staff whose device reaches the gateway by another address.
func (h *house) staffVia(user, host string) *staff {
	h.t.Helper()
	slip := h.slip(user)
	s := h.device(user, host)
	if _, err := s.portal.SignIn(h.t.Context(), user, slip.GetInitialPassword()); err != nil {
		h.t.Fatal(err)
	}
	if err := s.portal.ChangePassword(h.t.Context(), slip.GetInitialPassword(), gatewaytest.Password); err != nil {
		h.t.Fatal(err)
	}
	s.enrol(slip.GetDeviceCode())
	return s
}

// another signs the same user in on one more device.
func (s *staff) another() *staff {
	t := s.h.t
	t.Helper()
	code, err := s.h.town.Admin.CreateDeviceCode(t.Context(), &controlv1.CreateDeviceCodeRequest{
		UserId: s.user, DeviceKind: controlv1.DeviceKind_DEVICE_KIND_LENT, InventoryNumber: "R6-015",
	})
	if err != nil {
		t.Fatal(err)
	}
	other := s.h.device(s.user, s.h.town.Host)
	if _, err := other.portal.SignIn(t.Context(), s.user, gatewaytest.Password); err != nil {
		t.Fatal(err)
	}
	other.enrol(code.GetSlip().GetDeviceCode())
	return other
}

// device is a browser of the user without a key.
func (h *house) device(user, host string) *staff {
	h.t.Helper()
	s := &staff{h: h, user: user, tls: h.town.TLS()}
	portal, err := viewer.NewPortal(viewer.PortalConfig{Gateway: "https://" + host, TLS: s.tls, Proxy: "direct"})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(portal.Close)
	s.portal = portal
	return s
}

func (s *staff) enrol(code string) {
	s.h.t.Helper()
	key, err := cert.GenerateKey()
	if err != nil {
		s.h.t.Fatal(err)
	}
	if _, err := s.portal.Enrol(s.h.t.Context(), key, code, "貸与ノート"); err != nil {
		s.h.t.Fatal(err)
	}
}

// eyes are a viewer whose session runs.
type eyes struct {
	*viewer.Viewer
	t       *testing.T
	h       *house
	session cert.SessionID
	cancel  context.CancelFunc
	done    chan struct{}
	err     error // when done

	mu      sync.Mutex
	updates []viewer.Shown // without pictures
}

// look is how a viewer is opened; the zero value is the plain way.
type look struct {
	monitor *uint8 // nil: all
	resume  *eyes
	bend    func(*viewer.Opening) // changes what the gateway answered
}

// try asks for a session and opens it.
func (s *staff) try(l look) (*eyes, error) {
	t := s.h.t
	t.Helper()
	var before *viewer.Viewer
	var continues *cert.SessionID
	if l.resume != nil {
		before, continues = l.resume.Viewer, &l.resume.session
	}
	opening, err := s.portal.Authorize(soon(t), s.h.desk, continues)
	if err != nil {
		return nil, err
	}
	if l.bend != nil {
		l.bend(opening)
	}
	monitor := uint8(wire.AllMonitors)
	if l.monitor != nil {
		monitor = *l.monitor
	}
	e := &eyes{t: t, h: s.h, session: opening.Session, done: make(chan struct{})}
	e.Viewer, err = viewer.Open(soon(t), viewer.Config{
		Opening: opening, Identity: s.portal.Device().Identity, TLS: s.tls, Proxy: "direct", Monitor: monitor, Resume: before,
		Log: s.h.log.With("part", "viewer"), Now: time.Now, Shown: e.shown,
	})
	if err != nil {
		return nil, err
	}
	var ctx context.Context
	ctx, e.cancel = context.WithCancel(context.Background())
	go func() {
		defer close(e.done)
		e.err = e.Run(ctx)
	}()
	t.Cleanup(e.hangUp)
	return e, nil
}

// open is try that must succeed.
func (s *staff) open(l look) *eyes {
	s.h.t.Helper()
	e, err := s.try(l)
	if err != nil {
		s.h.t.Fatalf("open the desk: %v", err)
	}
	return e
}

func (e *eyes) shown(s viewer.Shown) {
	s.Picture, s.Damage = nil, nil
	e.mu.Lock()
	defer e.mu.Unlock()
	e.updates = append(e.updates, s)
}

// seen are the updates so far, and their bytes.
func (e *eyes) seen() (updates []viewer.Shown, bytes int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, u := range e.updates {
		bytes += u.Bytes
	}
	return append(updates, e.updates...), bytes
}

// hangUp breaks the line off without a word.
func (e *eyes) hangUp() {
	e.cancel()
	<-e.done
}

// wait waits for something that the viewer can see.
func (e *eyes) wait(what string, want func(viewer.State) bool) {
	e.t.Helper()
	if err := e.Wait(soon(e.t), want); err != nil {
		e.t.Fatalf("%s: %v", what, err)
	}
}

// sameAsDesk waits until the viewer shows bit by bit what the X server holds, and knows it.
func (e *eyes) sameAsDesk() {
	e.t.Helper()
	how := ""
	err := e.Wait(soon(e.t), func(s viewer.State) bool {
		if s.Picture == nil || !s.Settled {
			how = fmt.Sprintf("settled %v after %d updates", s.Settled, s.Seq)
			return false
		}
		size, pix := e.h.grab()
		how = differs(s.Picture, size, pix)
		return how == ""
	})
	if err != nil {
		e.t.Fatalf("the picture is not the desk's: %s: %v", how, err)
	}
}

// differs says where a picture is not what the desk shows; empty if nowhere.
func differs(p *screen.Picture, size screen.Point, pix []byte) string {
	if p.Size != size {
		return fmt.Sprintf("size %v, desk %v", p.Size, size)
	}
	if bytes.Equal(p.Pix, pix) {
		return ""
	}
	for i := range pix {
		if p.Pix[i] != pix[i] {
			return fmt.Sprintf("first difference at %d,%d", i/4%size.X, i/4/size.X)
		}
	}
	return ""
}

// ended waits for the end of the session and returns the desk's code, 0 if the link was lost without a word.
func (e *eyes) ended() wire.Code {
	e.t.Helper()
	select {
	case <-e.done:
	case <-soon(e.t).Done():
		e.t.Fatal("the session does not end")
	}
	var end *viewer.EndError
	if errors.As(e.err, &end) {
		return end.Code
	}
	e.t.Logf("the viewer's session ended: %v", e.err)
	return 0
}

// press presses and releases a key.
func (e *eyes) press(codes ...keys.Code) {
	e.t.Helper()
	for _, c := range codes {
		for _, down := range []bool{true, false} {
			if err := e.Key(soon(e.t), c, down); err != nil {
				e.t.Fatal(err)
			}
		}
	}
}

// letters are the keys of a text of small letters.
func letters(text string) (codes []keys.Code) {
	for _, c := range text {
		code := keys.Code(1)
		for code.Name() != "Key"+string(c-'a'+'A') {
			code++
		}
		codes = append(codes, code)
	}
	return codes
}

// echo returns when the agent has read all that was sent before.
func (e *eyes) echo() {
	e.t.Helper()
	if _, err := e.Echo(soon(e.t)); err != nil {
		e.t.Fatal(err)
	}
}

// point moves the pointer.
func (e *eyes) point(x, y int) {
	e.t.Helper()
	if err := e.Pointer(soon(e.t), screen.Point{X: x, Y: y}, 0); err != nil {
		e.t.Fatal(err)
	}
}

// heard waits for a notice.
func (e *eyes) heard(code wire.Code) {
	e.t.Helper()
	e.wait("notice "+code.String(), func(s viewer.State) bool { return count(s.Notices, code) > 0 })
}

func count(notices []wire.Notice, code wire.Code) (n int) {
	for _, m := range notices {
		if m.Code == code {
			n++
		}
	}
	return n
}
