// Package grant holds the signed right to open one session: the gateway mints it, the agent verifies and spends it. The
// byte form is that of PROTOCOL.md section 2. It does no I/O.
package grant

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"strings"
	"time"

	"jiseki/internal/cert"
)

// OpenLife is the longest time from Issued to OpenBefore.
const OpenLife = 60 * time.Second

// A DeviceKind says whose the device is.
type DeviceKind uint8

// The kinds of device.
const (
	DeviceLent    DeviceKind = 1
	DevicePrivate DeviceKind = 2
)

// A ViewerKind says what shows the desk.
type ViewerKind uint8

// The kinds of viewer.
const (
	ViewerBrowser  ViewerKind = 1
	ViewerNative   ViewerKind = 2
	ViewerHeadless ViewerKind = 3
)

// A Zone is the network of a desk.
type Zone uint8

// The zones.
const (
	ZoneLGWAN    Zone = 1
	ZoneInternet Zone = 2
	ZoneMyNumber Zone = 3
)

// String is the zone's name as certificates have it, or "unknown".
func (z Zone) String() string {
	switch z {
	case ZoneLGWAN:
		return cert.ZoneLGWAN
	case ZoneInternet:
		return cert.ZoneInternet
	case ZoneMyNumber:
		return cert.ZoneMyNumber
	}
	return "unknown"
}

// ParseZone finds the zone with this name. It returns false if there is none.
func ParseZone(name string) (Zone, bool) {
	for z := ZoneLGWAN; z <= ZoneMyNumber; z++ {
		if z.String() == name {
			return z, true
		}
	}
	return 0, false
}

// Rights are bits that say what a session may do.
type Rights uint32

// The rights.
const (
	RightView      Rights = 1 << iota // see the desk
	RightInput                        // keys and pointer
	RightClipboard                    // text from the device to the desk
	rightsEnd
)

// Has says whether all of want is granted.
func (r Rights) Has(want Rights) bool { return r&want == want }

// String names the rights, joined by "+"; no right is "none".
func (r Rights) String() string {
	var names []string
	for _, n := range []struct {
		right Rights
		name  string
	}{{RightView, "view"}, {RightInput, "input"}, {RightClipboard, "clipboard"}} {
		if r.Has(n.right) {
			names = append(names, n.name)
		}
	}
	if r >= rightsEnd {
		names = append(names, "unknown")
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, "+")
}

// A Grant is the right to open one session.
type Grant struct {
	Session      cert.SessionID
	Issuer       cert.KeyID // the grant key; set by Mint
	User         string     // id
	UserName     string     // as shown at the desk, 1 to 255 bytes
	Device       string     // id
	DeviceKind   DeviceKind
	ViewerKind   ViewerKind
	DeviceKey    cert.PublicKey // identity key of the device
	Desk         string         // id
	Zone         Zone
	DeskKey      cert.PublicKey // identity key of the desk
	NoiseKey     cert.NoiseKey  // the viewer's, fresh for this session
	Rights       Rights
	ViewerTicket [32]byte       // SHA-256 of the ticket by which the viewer claims its links at the relay
	AgentTicket  [32]byte       // the same for the agent
	Relay        string         // host and port of the relay as the desk sees it, 1 to 255 bytes
	Idle         time.Duration  // without input, then the agent locks and ends; 0 is no limit; whole seconds up to 2^32-1
	Grace        time.Duration  // after a lost link, then the agent locks; whole seconds up to 65,535
	Issued       time.Time      // whole milliseconds, as the next two
	OpenBefore   time.Time      // excluded; after Issued by at most OpenLife
	SessionUntil time.Time      // excluded; not before OpenBefore
	Signature    cert.Signature // set by Mint
}

const (
	magic      = "JG"
	version    = 1
	name       = "grant"
	maxVisible = 255 // of UserName and Relay
)

// Append appends the byte form of a grant that Mint or Parse made.
func (g *Grant) Append(b []byte) []byte {
	return append(g.appendSigned(b), g.Signature[:]...)
}

func (g *Grant) appendSigned(b []byte) []byte {
	b = append(b, magic...)
	b = append(b, version)
	b = append(b, g.Session[:]...)
	b = append(b, g.Issuer[:]...)
	b = cert.AppendString(b, g.User)
	b = cert.AppendString(b, g.UserName)
	b = cert.AppendString(b, g.Device)
	b = append(b, byte(g.DeviceKind), byte(g.ViewerKind))
	b = append(b, g.DeviceKey[:]...)
	b = cert.AppendString(b, g.Desk)
	b = append(b, byte(g.Zone))
	b = append(b, g.DeskKey[:]...)
	b = append(b, g.NoiseKey[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(g.Rights))
	b = append(b, g.ViewerTicket[:]...)
	b = append(b, g.AgentTicket[:]...)
	b = cert.AppendString(b, g.Relay)
	b = binary.BigEndian.AppendUint32(b, uint32(g.Idle/time.Second))
	b = binary.BigEndian.AppendUint16(b, uint16(g.Grace/time.Second))
	b = cert.AppendTime(b, g.Issued)
	b = cert.AppendTime(b, g.OpenBefore)
	return cert.AppendTime(b, g.SessionUntil)
}

// Parse reads a grant and keeps no reference to b. It checks the form, and that there is no clipboard in the zones
// lgwan and mynumber; nothing of it may be trusted before Verify. Errors are *cert.Error.
func Parse(b []byte) (*Grant, error) {
	r := cert.NewReader(b)
	r.Header(magic, version)
	g := &Grant{}
	r.Bytes(g.Session[:])
	r.Bytes(g.Issuer[:])
	g.readDevice(r)
	g.readDesk(r)
	g.readSession(r)
	r.Bytes(g.Signature[:])
	if err := r.Done(name); err != nil {
		return nil, err
	}
	return g, nil
}

func (g *Grant) readDevice(r *cert.Reader) {
	g.User = r.String(1, cert.MaxID)
	g.UserName = r.String(1, maxVisible)
	g.Device = r.String(1, cert.MaxID)
	g.DeviceKind = DeviceKind(r.Uint8())
	r.Require(g.DeviceKind >= DeviceLent && g.DeviceKind <= DevicePrivate)
	g.ViewerKind = ViewerKind(r.Uint8())
	r.Require(g.ViewerKind >= ViewerBrowser && g.ViewerKind <= ViewerHeadless)
	g.DeviceKey = r.Key()
}

func (g *Grant) readDesk(r *cert.Reader) {
	g.Desk = r.String(1, cert.MaxID)
	g.Zone = Zone(r.Uint8())
	r.Require(g.Zone >= ZoneLGWAN && g.Zone <= ZoneMyNumber)
	g.DeskKey = r.Key()
}

func (g *Grant) readSession(r *cert.Reader) {
	r.Bytes(g.NoiseKey[:])
	g.Rights = Rights(r.Uint32())
	r.Require(g.Rights < rightsEnd)
	r.Require(g.Zone == ZoneInternet || !g.Rights.Has(RightClipboard))
	r.Bytes(g.ViewerTicket[:])
	r.Bytes(g.AgentTicket[:])
	g.Relay = r.String(1, maxVisible)
	g.Idle = time.Duration(r.Uint32()) * time.Second
	g.Grace = time.Duration(r.Uint16()) * time.Second
	g.Issued = r.Time()
	g.OpenBefore = r.Time()
	g.SessionUntil = r.Time()
	r.Require(g.Issued.Before(g.OpenBefore) && g.OpenBefore.Sub(g.Issued) <= OpenLife)
	r.Require(!g.SessionUntil.Before(g.OpenBefore))
}

// Mint signs g with a grant key: it cuts the times to milliseconds and sets Issuer and Signature. It refuses what Parse
// would refuse.
func (g *Grant) Mint(signer cert.PrivateKey) error {
	if !g.fits() {
		return &cert.Error{What: name, Code: cert.CodeRange}
	}
	g.Issuer = signer.Public().ID()
	for _, t := range []*time.Time{&g.Issued, &g.OpenBefore, &g.SessionUntil} {
		*t = t.UTC().Truncate(time.Millisecond)
	}
	if _, err := Parse(g.Append(nil)); err != nil {
		return err
	}
	sig, err := signer.Sign(cert.ContextGrant, g.appendSigned(nil))
	if err != nil {
		return err
	}
	g.Signature = sig
	return nil
}

// fits says whether every field can be written at all.
func (g *Grant) fits() bool {
	for _, s := range []string{g.User, g.UserName, g.Device, g.Desk, g.Relay} {
		if len(s) > maxVisible {
			return false
		}
	}
	return wholeSeconds(g.Idle, math.MaxUint32) && wholeSeconds(g.Grace, math.MaxUint16)
}

func wholeSeconds(d time.Duration, high int64) bool {
	return d >= 0 && d%time.Second == 0 && int64(d/time.Second) <= high
}

// Expect is what an agent knows about itself.
type Expect struct {
	Desk string         // id
	Zone Zone           // of its certificate
	Key  cert.PublicKey // identity key
}

// The codes of this package that cert does not have.
const (
	CodeDesk   cert.Code = "desk"   // for another desk, or for this desk with another key or zone
	CodeViewer cert.Code = "viewer" // for another session, device, desk or X25519 key than the viewer's
	CodeSpent  cert.Code = "spent"  // this session was opened before
	CodeFull   cert.Code = "full"   // too many grants in a short time
)

// What errors.Is can ask for.
var (
	ErrDesk   = &cert.Error{Code: CodeDesk}
	ErrViewer = &cert.Error{Code: CodeViewer}
	ErrSpent  = &cert.Error{Code: CodeSpent}
	ErrFull   = &cert.Error{Code: CodeFull}
)

// Verify returns nil if g was signed by one of the grant keys, is for the expected desk, and may be opened at now give
// or take skew. The errors are *cert.Error: CodeIssuer, CodeSignature, CodeDesk, CodeClockSkew or CodeExpired. It does
// not spend g.
func (g *Grant) Verify(keys []cert.PublicKey, want Expect, now time.Time, skew time.Duration) error {
	if err := cert.VerifyIssued(name, cert.ContextGrant, keys, g.Issuer, g.appendSigned(nil), g.Signature); err != nil {
		return err
	}
	if g.Desk != want.Desk || g.Zone != want.Zone || g.DeskKey != want.Key {
		return &cert.Error{What: name, Code: CodeDesk}
	}
	return cert.CheckWindow(name, g.Issued, g.OpenBefore, now, skew)
}

// Own is what a viewer knows about the session that it asked for.
type Own struct {
	Session  cert.SessionID
	Device   cert.PublicKey // own identity key
	NoiseKey cert.NoiseKey  // own X25519 key
	Desk     string         // id
	DeskKey  cert.PublicKey // of the desk's verified certificate
}

// CheckOwn returns nil if g is the grant that the viewer asked for, else an *cert.Error with CodeViewer. A viewer needs
// no more: the agent verifies the signature, and the handshake fails if both do not hold the same bytes.
func (g *Grant) CheckOwn(own Own) error {
	same := g.Session == own.Session && g.DeviceKey == own.Device && g.NoiseKey == own.NoiseKey &&
		g.Desk == own.Desk && g.DeskKey == own.DeskKey
	if !same {
		return &cert.Error{What: name, Code: CodeViewer}
	}
	return nil
}

// Hash is SHA-256 of the byte form, as the seal's prologue has it.
func (g *Grant) Hash() [32]byte { return sha256.Sum256(g.Append(nil)) }
