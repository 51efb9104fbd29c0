package agent

import (
	"errors"
	"testing"
	"time"

	"jiseki/internal/capture"
	"jiseki/internal/cert"
	"jiseki/internal/cert/certtest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/grant"
	"jiseki/internal/grant/granttest"
)

// TestOffersThatAreRefused: whatever the gateway has decided, the desk looks itself, and says why not.
func TestOffersThatAreRefused(t *testing.T) {
	ca, deviceKey := certtest.Key(t, "device ca"), certtest.Key(t, granttest.Device)
	for want, change := range map[string]func(*Agent, *controlv1.Offer, *grant.Grant){
		"":               func(*Agent, *controlv1.Offer, *grant.Grant) {},
		"ticket_form":    func(_ *Agent, o *controlv1.Offer, _ *grant.Grant) { o.Ticket = o.Ticket[1:] },
		"device_form":    func(_ *Agent, o *controlv1.Offer, _ *grant.Grant) { o.DeviceCertificate = nil },
		"device_revoked": func(a *Agent, _ *controlv1.Offer, g *grant.Grant) { a.revoked[g.Device] = true },
		"stopping":       func(a *Agent, _ *controlv1.Offer, _ *grant.Grant) { a.stopping = true },
		"no_rights":      func(_ *Agent, _ *controlv1.Offer, g *grant.Grant) { g.Rights = grant.RightInput },
		"device_other":   func(_ *Agent, _ *controlv1.Offer, g *grant.Grant) { g.Device = "pc-0103" },
		"screen_colours": func(a *Agent, _ *controlv1.Offer, _ *grant.Grant) { a.faulty(capture.FaultColours) },
		"screen_size":    func(a *Agent, _ *controlv1.Offer, _ *grant.Grant) { a.faulty(capture.FaultSize) },
		"cannot_lock": func(a *Agent, _ *controlv1.Offer, _ *grant.Grant) {
			a.cfg.Limits.RequireLock = true
			a.guard.setFailing(true)
		},
		"grant_clock_skew": func(a *Agent, _ *controlv1.Offer, _ *grant.Grant) {
			a.now = func() time.Time { return time.Now().Add(-time.Hour) }
		},
		"grant_expired": func(a *Agent, _ *controlv1.Offer, _ *grant.Grant) {
			a.now = func() time.Time { return time.Now().Add(time.Hour) }
		},
	} {
		a, lock := newTestAgent(t, t.TempDir())
		lock.fails = errors.New("none of these locks")
		b := a.bundle.get()
		a.bundle.set(&cert.Bundle{
			Version: b.Version, DeskCAs: b.DeskCAs, DeviceCAs: []cert.PublicKey{ca.Public()},
			Grants: []cert.PublicKey{certtest.Key(t, granttest.Signer).Public()},
		})
		device := certtest.Issue(t, ca, cert.KindDevice, "pc-0102", "user:sato", deviceKey.Public(), time.Now())
		offer := &controlv1.Offer{Ticket: make([]byte, 32), DeviceCertificate: device.Append(nil)}
		g := granttest.New(t, time.Now(), cert.NoiseKey{}, func(g *grant.Grant) { change(a, offer, g) })
		if _, code := a.check(g, offer); code != want {
			t.Errorf("%s, want %q", code, want)
		}
	}
}
