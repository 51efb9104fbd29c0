package seal

import (
	"crypto/mlkem"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/flynn/noise"

	"jiseki/internal/cert"
	"jiseki/internal/grant"
)

const (
	prologueLabel = "jiseki-seal-1"
	maxCoders     = 16
	noiseOverhead = 32 + 32 + 16 + 16 // ephemeral key, sealed static key and its tag, tag of the payload
	maxMessage1   = noiseOverhead + 5 + maxCoders + mlkem.EncapsulationKeySize768
)

// prologue is what both sides must hold to shake hands.
func prologue(g *grant.Grant) []byte {
	hash := g.Hash()
	b := append([]byte(prologueLabel), g.Session[:]...)
	return append(b, hash[:]...)
}

// An offer is the payload of message 1.
type offer struct {
	wire   Wire
	coders []uint8
	ek     [mlkem.EncapsulationKeySize768]byte
}

func (o *offer) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, o.wire.Min)
	b = binary.BigEndian.AppendUint16(b, o.wire.Max)
	b = append(b, byte(len(o.coders)))
	b = append(b, o.coders...)
	return append(b, o.ek[:]...)
}

func parseOffer(b []byte) (*offer, error) {
	r := cert.NewReader(b)
	o := &offer{wire: Wire{Min: r.Uint16(), Max: r.Uint16()}}
	r.Require(o.wire.Min <= o.wire.Max)
	n := int(r.Uint8())
	r.Require(n >= 1 && n <= maxCoders)
	o.coders = make([]uint8, min(n, maxCoders))
	r.Bytes(o.coders)
	r.Bytes(o.ek[:])
	return o, r.Done("payload of message 1")
}

// A choice is the payload of message 2.
type choice struct {
	version uint16
	coder   uint8
	ct      [mlkem.CiphertextSize768]byte
}

func (c *choice) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, c.version)
	b = append(b, c.coder)
	return append(b, c.ct[:]...)
}

func parseChoice(b []byte) (*choice, error) {
	r := cert.NewReader(b)
	c := &choice{version: r.Uint16(), coder: r.Uint8()}
	r.Bytes(c.ct[:])
	return c, r.Done("payload of message 2")
}

// choose takes the highest wire version that both know and the first offered coder that is known.
func (o *offer) choose(wire Wire, coders []uint8) (*choice, error) {
	high := min(o.wire.Max, wire.Max)
	if high < max(o.wire.Min, wire.Min) {
		return nil, fmt.Errorf("%w: viewer %d to %d, agent %d to %d", ErrVersion, o.wire.Min, o.wire.Max, wire.Min, wire.Max)
	}
	for _, c := range o.coders {
		if slices.Contains(coders, c) {
			return &choice{version: high, coder: c}, nil
		}
	}
	return nil, fmt.Errorf("%w: viewer %v, agent %v", ErrCoder, o.coders, coders)
}

// A result is what a finished handshake leaves.
type result struct {
	choice *choice
	hash   [32]byte // final Noise hash
	ss     [32]byte // ML-KEM shared secret
	c2s    [32]byte // Split keys
	s2c    [32]byte
}

func newResult(c *choice, hs *noise.HandshakeState, ss []byte, c2s, s2c *noise.CipherState) *result {
	return &result{
		choice: c, hash: [32]byte(hs.ChannelBinding()), ss: [32]byte(ss),
		c2s: c2s.UnsafeKey(), s2c: s2c.UnsafeKey(),
	}
}

func noiseConfig(prologue []byte, key *StaticKey, f *fixed) noise.Config {
	cfg := noise.Config{
		CipherSuite:   noise.NewCipherSuite(noise.DH25519, noise.CipherAESGCM, noise.HashSHA256),
		Pattern:       noise.HandshakeIK,
		Prologue:      prologue,
		StaticKeypair: key.noise(),
	}
	if f != nil {
		cfg.Random = f.ephemeral
	}
	return cfg
}

// An initiator is the viewer's half of a handshake between message 1 and message 2.
type initiator struct {
	message1 []byte
	offer    offer
	state    *noise.HandshakeState
	dk       *mlkem.DecapsulationKey768
}

func newInitiator(prologue []byte, key *StaticKey, desk cert.NoiseKey, wire Wire, coders []uint8, f *fixed) (*initiator, error) {
	dk, err := newKEM(f)
	if err != nil {
		return nil, handshake(err)
	}
	cfg := noiseConfig(prologue, key, f)
	cfg.Initiator = true
	cfg.PeerStatic = desk[:]
	state, err := noise.NewHandshakeState(cfg)
	if err != nil {
		return nil, handshake(err)
	}
	i := &initiator{state: state, dk: dk, offer: offer{wire: wire, coders: coders}}
	copy(i.offer.ek[:], dk.EncapsulationKey().Bytes())
	payload := i.offer.append(nil)
	if _, err := parseOffer(payload); err != nil {
		return nil, handshake(err)
	}
	if i.message1, _, _, err = state.WriteMessage(nil, payload); err != nil {
		return nil, handshake(err)
	}
	return i, nil
}

func newKEM(f *fixed) (*mlkem.DecapsulationKey768, error) {
	if f != nil {
		return mlkem.NewDecapsulationKey768(f.seed)
	}
	return mlkem.GenerateKey768()
}

func (i *initiator) finish(message2 []byte) (*result, error) {
	payload, c2s, s2c, err := i.state.ReadMessage(nil, message2)
	if err != nil {
		return nil, handshake(err)
	}
	c, err := parseChoice(payload)
	if err != nil {
		return nil, handshake(err)
	}
	if c.version < i.offer.wire.Min || c.version > i.offer.wire.Max {
		return nil, fmt.Errorf("%w: agent chose %d", ErrVersion, c.version)
	}
	if !slices.Contains(i.offer.coders, c.coder) {
		return nil, fmt.Errorf("%w: agent chose %d", ErrCoder, c.coder)
	}
	ss, err := i.dk.Decapsulate(c.ct[:])
	if err != nil {
		return nil, handshake(err)
	}
	return newResult(c, i.state, ss, c2s, s2c), nil
}

// respond answers message 1. It changes nothing outside of itself.
func respond(cfg *AcceptConfig, message1 []byte) ([]byte, *result, error) {
	state, payload, err := readMessage1(cfg, message1)
	if err != nil {
		return nil, nil, err
	}
	if subtle.ConstantTimeCompare(state.PeerStatic(), cfg.Grant.NoiseKey[:]) != 1 {
		return nil, nil, fmt.Errorf("%w: another X25519 key than the grant's", ErrPeerIdentity)
	}
	o, err := parseOffer(payload)
	if err != nil {
		return nil, nil, handshake(err)
	}
	c, err := o.choose(cfg.Wire, cfg.Coders)
	if err != nil {
		return nil, nil, err
	}
	ss, ct, err := encapsulate(o.ek[:], cfg.fixed)
	if err != nil {
		return nil, nil, handshake(err)
	}
	copy(c.ct[:], ct)
	message2, c2s, s2c, err := state.WriteMessage(nil, c.append(nil))
	if err != nil {
		return nil, nil, handshake(err)
	}
	return message2, newResult(c, state, ss, c2s, s2c), nil
}

// readMessage1 tries the desk's keys: a viewer may hold the statement from before the last rotation.
func readMessage1(cfg *AcceptConfig, message1 []byte) (*noise.HandshakeState, []byte, error) {
	if len(message1) > maxMessage1 {
		return nil, nil, handshake(fmt.Errorf("message 1 has %d bytes", len(message1)))
	}
	err := fmt.Errorf("desk has no X25519 key")
	for _, key := range cfg.Keys {
		var state *noise.HandshakeState
		if state, err = noise.NewHandshakeState(noiseConfig(prologue(cfg.Grant), key, cfg.fixed)); err != nil {
			break
		}
		var payload []byte
		if payload, _, _, err = state.ReadMessage(nil, message1); err == nil {
			return state, payload, nil
		}
	}
	return nil, nil, handshake(err)
}

func encapsulate(ek []byte, f *fixed) (ss, ct []byte, err error) {
	if f != nil {
		return f.encapsulate(ek)
	}
	k, err := mlkem.NewEncapsulationKey768(ek)
	if err != nil {
		return nil, nil, err
	}
	ss, ct = k.Encapsulate()
	return ss, ct, nil
}

func handshake(err error) error { return fmt.Errorf("%w: %w", ErrHandshake, err) }
