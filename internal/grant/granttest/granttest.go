// Package granttest makes grants for tests.
package granttest

import (
	"crypto/sha256"
	"testing"
	"time"

	"jiseki/internal/cert"
	"jiseki/internal/cert/certtest"
	"jiseki/internal/grant"
)

// Labels of the keys (certtest.Key) in the grants of New.
const (
	Signer = "grant"
	Device = "device"
	Desk   = "desk"
)

// New makes a grant for user sato on device pc-0102 to desk desk-0304 in zone internet, issued at now, that changes may
// alter before it is minted.
func New(t testing.TB, now time.Time, noise cert.NoiseKey, changes ...func(*grant.Grant)) *grant.Grant {
	t.Helper()
	session := sha256.Sum256([]byte("session"))
	g := &grant.Grant{
		Session: cert.SessionID(session[:16]), User: "sato", UserName: "佐藤 花子", Device: "pc-0102",
		DeviceKind: grant.DevicePrivate, ViewerKind: grant.ViewerBrowser, DeviceKey: certtest.Key(t, Device).Public(),
		Desk: "desk-0304", Zone: grant.ZoneInternet, DeskKey: certtest.Key(t, Desk).Public(), NoiseKey: noise,
		Rights:       grant.RightView | grant.RightInput,
		ViewerTicket: ticketHash("viewer ticket"),
		AgentTicket:  ticketHash("agent ticket"),
		Relay:        "relay.example.jp:443", Idle: 0x01020304 * time.Second, Grace: 0x0506 * time.Second,
		Issued: now, OpenBefore: now.Add(45 * time.Second), SessionUntil: now.Add(8 * time.Hour),
	}
	for _, change := range changes {
		change(g)
	}
	if err := g.Mint(certtest.Key(t, Signer)); err != nil {
		t.Fatal(err)
	}
	return g
}

// ticketHash is the hash of a ticket that label names.
func ticketHash(label string) [32]byte {
	ticket := sha256.Sum256([]byte(label))
	return sha256.Sum256(ticket[:])
}
