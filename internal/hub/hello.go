package hub

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"google.golang.org/protobuf/proto"

	"jiseki/internal/cert"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/link"
	"jiseki/internal/wake"
)

// Codes of the message Refused.
const (
	codeClockSkew     = "clock_skew"
	codeBadHello      = "bad_hello"
	codeCertificate   = "certificate_refused"
	codeExpired       = "certificate_expired"
	codeStatement     = "statement_refused"
	codeSignature     = "bad_signature"
	codeUnknownDesk   = "desk_unknown"
	codeRevoked       = "desk_revoked"
	codeOtherKey      = "desk_other_key"
	codeZone          = "zone_refused"
	codeUnavailable   = "unavailable"
	codeNotTheNewest  = "replaced"
	codeTooOften      = "too_often"
	minimumHelloNonce = 32
)

// A refusal is a hello that was not good.
type refusal struct {
	code  string
	cause error
}

func (r *refusal) Error() string {
	if r.cause == nil {
		return r.code
	}
	return r.code + ": " + r.cause.Error()
}

func (r *refusal) Unwrap() error { return r.cause }

func refuse(code string, cause error) error { return &refusal{code, cause} }

// shakeHands sends the challenge, checks the hello and sends the welcome. When
// it fails the agent was told why and the socket is closed.
func (h *Hub) shakeHands(ctx context.Context, s socket, address netip.Addr) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, helloTimeout)
	defer cancel()
	c, err := h.meet(ctx, s, address)
	if err == nil {
		return c, nil
	}
	var why *refusal
	if errors.As(err, &why) {
		h.sendRefused(ctx, s, why.code)
	}
	code := link.BadClaim
	if errors.Is(err, ErrRevoked) {
		code = link.Revoked
	}
	_ = s.Close(code, "hello refused") // the peer may be gone; nothing depends on it
	return nil, err
}

func (h *Hub) meet(ctx context.Context, s socket, address netip.Addr) (*conn, error) {
	var nonce cert.Nonce
	_, _ = rand.Read(nonce[:]) // never fails: crypto/rand ends the process instead
	challenge := &controlv1.GatewayMessage{Message: &controlv1.GatewayMessage_Challenge{
		Challenge: &controlv1.Challenge{Nonce: nonce[:], TimeMs: h.cfg.Now().UnixMilli()},
	}}
	if err := sendMessage(ctx, s, challenge); err != nil {
		return nil, err
	}
	hello, err := receiveHello(ctx, s)
	if err != nil {
		return nil, err
	}
	arrival, err := verify(hello, nonce, h.cfg.Bundle().DeskCAs, h.cfg.Now())
	if err != nil {
		return nil, err
	}
	if h.cfg.MyNumber != (arrival.Zone == cert.ZoneMyNumber) {
		return nil, refuse(codeZone, fmt.Errorf("desk %s is of zone %s", arrival.Desk, arrival.Zone))
	}
	arrival.Address = address.String()
	return h.welcome(ctx, s, hello, arrival)
}

func receiveHello(ctx context.Context, s socket) (*controlv1.Hello, error) {
	b, err := s.Receive(ctx)
	if err != nil {
		return nil, err
	}
	if len(b) > maxHello {
		return nil, refuse(codeBadHello, errors.New("too long"))
	}
	message := &controlv1.AgentMessage{}
	if err := proto.Unmarshal(b, message); err != nil {
		return nil, refuse(codeBadHello, err)
	}
	hello := message.GetHello()
	if hello == nil || len(hello.GetNonce()) != minimumHelloNonce || len(hello.GetRun()) != 16 {
		return nil, refuse(codeBadHello, nil)
	}
	return hello, nil
}

// verify checks what a hello proves, without asking the store.
func verify(hello *controlv1.Hello, nonce cert.Nonce, cas []cert.PublicKey, now time.Time) (Arrival, error) {
	// The clock comes first: a wrong one makes all other checks fail with reasons
	// that mislead.
	if skew := now.Sub(time.UnixMilli(hello.GetTimeMs())).Abs(); skew > maxSkew {
		return Arrival{}, refuse(codeClockSkew, fmt.Errorf("the agent's clock is off by %s", skew))
	}
	certificate, err := cert.ParseCertificate(hello.GetCertificate())
	if err == nil {
		err = certificate.Verify(cert.KindDesk, cas, now, cert.Skew)
	}
	switch {
	case errors.Is(err, cert.ErrExpired):
		return Arrival{}, refuse(codeExpired, err)
	case err != nil:
		return Arrival{}, refuse(codeCertificate, err)
	}
	statement, err := cert.ParseDeskStatement(hello.GetStatement())
	if err == nil {
		err = statement.Verify(certificate.Key, now, cert.Skew)
	}
	if err != nil {
		return Arrival{}, refuse(codeStatement, err)
	}
	if err := verifySignature(hello, nonce, certificate, statement); err != nil {
		return Arrival{}, refuse(codeSignature, err)
	}
	adapters, reaches, err := machine(hello)
	if err != nil {
		return Arrival{}, refuse(codeBadHello, err)
	}
	return Arrival{
		Adapters: adapters, AlwaysOn: hello.GetWaker(), Reaches: reaches,
		Desk: certificate.Subject, Zone: certificate.Owner, Key: certificate.Key, Serial: certificate.Serial,
		Statement: hello.GetStatement(), NoiseKey: statement.NoiseKey, StatementEnd: statement.NotAfter,
		Run: hello.GetRun(), AgentVersion: clip(hello.GetAgentVersion()),
		Hostname: clip(hello.GetHostname()), System: clip(hello.GetSystem()),
	}, nil
}

// machine reads what the agent says of its machine's adapters.
func machine(hello *controlv1.Hello) (adapters []wake.Adapter, reaches []netip.Prefix, err error) {
	if len(hello.GetAdapters()) > wake.MaxAdapters || len(hello.GetReaches()) > wake.MaxReaches {
		return nil, nil, errors.New("too many adapters")
	}
	for _, a := range hello.GetAdapters() {
		mac, err := wake.NewMAC(a.GetMac())
		if err != nil {
			return nil, nil, err
		}
		prefixes, err := networks(a.GetPrefixes(), wake.MaxPrefixes)
		if err != nil {
			return nil, nil, err
		}
		adapters = append(adapters, wake.Adapter{MAC: mac, Prefixes: prefixes, Wake: permission(a)})
	}
	if hello.GetWaker() {
		reaches, err = networks(hello.GetReaches(), wake.MaxReaches)
	}
	return adapters, reaches, err
}

func permission(a *controlv1.Adapter) wake.Permission {
	switch {
	case !a.GetWakeKnown():
		return wake.Unknown
	case a.GetWakeAllowed():
		return wake.Allowed
	}
	return wake.Forbidden
}

func networks(texts []string, most int) ([]netip.Prefix, error) {
	if len(texts) > most {
		return nil, errors.New("too many networks")
	}
	var all []netip.Prefix
	for _, text := range texts {
		p, err := netip.ParsePrefix(text)
		if err == nil {
			err = wake.CheckNetwork(p)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

func verifySignature(hello *controlv1.Hello, nonce cert.Nonce, c *cert.Certificate, s *cert.DeskStatement) error {
	if len(hello.GetSignature()) != len(cert.Signature{}) {
		return errors.New("signature has a wrong length")
	}
	proof := cert.AgentHello{Nonce: nonce, Desk: c.Subject, Statement: s.Hash()}
	return proof.Verify(c.Key, cert.Signature(hello.GetSignature()))
}

// welcome records the arrival and lets the desk in.
func (h *Hub) welcome(ctx context.Context, s socket, hello *controlv1.Hello, arrival Arrival) (*conn, error) {
	if !h.budget.arrive(arrival.Desk, h.cfg.Now()) { // before anything is written
		return nil, refuse(codeTooOften, fmt.Errorf("desk %s", arrival.Desk))
	}
	attached, err := h.cfg.Desks.Attach(ctx, arrival)
	switch {
	case errors.Is(err, ErrUnknownDesk):
		return nil, refuse(codeUnknownDesk, err)
	case errors.Is(err, ErrRevoked):
		return nil, refuse(codeRevoked, err)
	case errors.Is(err, ErrOtherKey):
		return nil, refuse(codeOtherKey, err)
	case err != nil:
		return nil, refuse(codeUnavailable, err)
	}
	c := newConn(h, s, &arrival, attached.Epoch)
	c.follows, c.claimed, c.known = hello.GetRegister() != nil, hello.GetRegister().GetNumber(), hello.GetRegister().GetNumber()
	if err := h.letIn(ctx, c, hello, attached); err != nil {
		h.detach(c) // or the desk counts as there until it comes again
		return nil, err
	}
	// Whatever becomes of the bus, the desk is in: who is at this gateway reaches it without.
	c.unserve, err = h.cfg.Bus.ServeDesk(c.desk, c.onBus)
	if err != nil {
		h.log.Warn("other gateways do not reach a desk", "desk", c.desk, "err", err)
	}
	return c, nil
}

// letIn sends what comes before all else, and makes c the channel of its desk.
func (h *Hub) letIn(ctx context.Context, c *conn, hello *controlv1.Hello, attached Attached) error {
	if err := c.greet(hello, attached); err != nil {
		return err
	}
	if err := c.follow(ctx); err != nil {
		return refuse(codeUnavailable, err)
	}
	if !h.enter(c) {
		return refuse(codeNotTheNewest, nil)
	}
	return nil
}

// greet sends the welcome, and the trust bundle if the agent holds an older one.
func (c *conn) greet(hello *controlv1.Hello, attached Attached) error {
	err := c.order(&controlv1.Order{Order: &controlv1.Order_Welcome{Welcome: &controlv1.Welcome{
		Nonce: hello.GetNonce(), DeskName: attached.Name, GatewayName: c.hub.cfg.Organisation(),
		LeaseEveryS: uint32(leaseEvery / time.Second), LeaseLostS: uint32(leaseLost / time.Second),
	}}})
	bundle := c.hub.cfg.Bundle()
	if err != nil || hello.GetBundleVersion() >= bundle.Version {
		return err
	}
	return c.order(&controlv1.Order{Order: &controlv1.Order_Bundle{
		Bundle: &controlv1.BundleOrder{TrustBundle: bundle.Append(nil)},
	}})
}

func (h *Hub) sendRefused(ctx context.Context, s socket, code string) {
	message := &controlv1.GatewayMessage{Message: &controlv1.GatewayMessage_Refused{
		Refused: &controlv1.Refused{Code: code, TimeMs: h.cfg.Now().UnixMilli()},
	}}
	if err := sendMessage(ctx, s, message); err != nil {
		h.log.Debug("the refusal did not reach the agent", "err", err)
	}
}

// clip bounds a text that an agent tells of itself.
func clip(s string) string {
	if len(s) <= maxText {
		return s
	}
	return string([]rune(s)[:min(maxText/4, len([]rune(s)))])
}
