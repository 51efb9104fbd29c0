package seal

import (
	"bytes"
	"crypto/mlkem"
	"crypto/mlkem/mlkemtest"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/flynn/noise"
	"github.com/google/go-cmp/cmp"

	"jiseki/internal/cert"
	"jiseki/internal/grant"
	"jiseki/internal/grant/granttest"
	"jiseki/internal/vectortest"
)

var update = flag.Bool("update", false, "write vectors/seal")

type object = map[string]any

func hx(b []byte) string { return hex.EncodeToString(b) }

func text(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func field(name, value string) vectortest.Field { return vectortest.Field{Name: name, Value: value} }

func vector(name, comment, message, expect string, payload []byte, more ...vectortest.Field) *vectortest.Vector {
	h := append([]vectortest.Field{field("comment", comment), field("message", message), field("expect", expect)}, more...)
	return &vectortest.Vector{Name: name, Header: h, Payload: payload}
}

// Everything random of the vectors' handshake.
var (
	viewerEphemeral = sha256.Sum256([]byte("viewer ephemeral"))
	deskEphemeral   = sha256.Sum256([]byte("desk ephemeral"))
	kemRandom       = sha256.Sum256([]byte("ML-KEM random"))
)

func kemSeed() []byte {
	d, z := sha256.Sum256([]byte("ML-KEM d")), sha256.Sum256([]byte("ML-KEM z"))
	return append(d[:], z[:]...)
}

func viewerFixed() *fixed {
	return &fixed{ephemeral: bytes.NewReader(viewerEphemeral[:]), seed: kemSeed()}
}

func agentFixed() *fixed {
	return &fixed{ephemeral: bytes.NewReader(deskEphemeral[:]), encapsulate: func(ek []byte) (ss, ct []byte, err error) {
		k, err := mlkem.NewEncapsulationKey768(ek)
		if err != nil {
			return nil, nil, err
		}
		return mlkemtest.Encapsulate768(k, kemRandom[:])
	}}
}

// fixedPair is a pair whose handshake is the same in every run.
func fixedPair(t testing.TB) *pair {
	p := newPair(t)
	p.dial.fixed, p.accept.fixed = viewerFixed(), agentFixed()
	p.accept.Keys = p.accept.Keys[1:]
	return p
}

func (p *pair) initiate(t testing.TB) *initiator {
	t.Helper()
	p.dial.fixed = viewerFixed()
	hs, err := newInitiator(prologue(p.dial.Grant), p.dial.Key, p.dial.Statement.NoiseKey, p.dial.Wire, p.dial.Coders, p.dial.fixed)
	if err != nil {
		t.Fatal(err)
	}
	return hs
}

func (p *pair) respond(t testing.TB, message1 []byte) ([]byte, *result) {
	t.Helper()
	p.accept.fixed = agentFixed()
	message2, res, err := respond(&p.accept, message1)
	if err != nil {
		t.Fatal(err)
	}
	return message2, res
}

// answer makes a message 2 with any payload.
func (p *pair) answer(t testing.TB, message1 []byte, payload func(*choice) []byte) []byte {
	t.Helper()
	p.accept.fixed = agentFixed()
	state, o, err := readMessage1(&p.accept, message1)
	if err != nil {
		t.Fatal(err)
	}
	of, err := parseOffer(o)
	if err != nil {
		t.Fatal(err)
	}
	c, err := of.choose(p.accept.Wire, p.accept.Coders)
	if err != nil {
		t.Fatal(err)
	}
	_, ct, err := p.accept.fixed.encapsulate(of.ek[:])
	if err != nil {
		t.Fatal(err)
	}
	copy(c.ct[:], ct)
	m, _, _, err := state.WriteMessage(nil, payload(c))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// ask makes a message 1 with any payload.
func (p *pair) ask(t testing.TB, payload func(*offer) []byte) []byte {
	t.Helper()
	o := p.initiate(t).offer
	cfg := noiseConfig(prologue(p.dial.Grant), p.dial.Key, viewerFixed())
	cfg.Initiator, cfg.PeerStatic = true, p.dial.Statement.NoiseKey[:]
	state, err := noise.NewHandshakeState(cfg)
	if err != nil {
		t.Fatal(err)
	}
	m, _, _, err := state.WriteMessage(nil, payload(&o))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func publicOf(t testing.TB, private [32]byte) string {
	t.Helper()
	k, err := noise.DH25519.GenerateKeypair(bytes.NewReader(private[:]))
	if err != nil {
		t.Fatal(err)
	}
	return hx(k.Public)
}

func handshakeVector(t testing.TB) *vectortest.Vector {
	p := fixedPair(t)
	hs := p.initiate(t)
	message2, res := p.respond(t, hs.message1)
	viewerRes, err := hs.finish(message2)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(res.secrets(), viewerRes.secrets()); diff != "" {
		t.Fatal(diff)
	}
	var secrets, keys, nexts []string
	for _, ch := range res.secrets() {
		for _, s := range ch {
			key, next := s.key(), s.next()
			secrets, keys, nexts = append(secrets, hx(s[:])), append(keys, hx(key[:])), append(nexts, hx(next[:]))
		}
	}
	deskKey := p.accept.Keys[0]
	identity := p.dial.Identity.Public()
	value := object{
		"viewer_static": hx(p.dial.Key.private[:]), "viewer_static_public": hx(p.dial.Key.public[:]),
		"viewer_ephemeral": hx(viewerEphemeral[:]), "viewer_ephemeral_public": publicOf(t, viewerEphemeral),
		"desk_static": hx(deskKey.private[:]), "desk_static_public": hx(deskKey.public[:]),
		"desk_ephemeral": hx(deskEphemeral[:]), "desk_ephemeral_public": publicOf(t, deskEphemeral),
		"kem_seed": hx(kemSeed()), "kem_random": hx(kemRandom[:]),
		"grant": hx(p.dial.Grant.Append(nil)), "session": hx(p.dial.Session[:]), "device_key": hx(identity[:]), "desk": p.dial.Desk,
		"certificate": hx(p.dial.Certificate.Append(nil)), "statement": hx(p.dial.Statement.Append(nil)),
		"desk_ca": hx(p.dial.DeskCAs[0][:]), "now": now.UnixMilli(),
		"wire_min": p.dial.Wire.Min, "wire_max": p.dial.Wire.Max, "coders": hx(p.dial.Coders),
		"prologue": hx(prologue(p.dial.Grant)), "payload1": hx(hs.offer.append(nil)), "message1": hx(hs.message1),
		"payload2": hx(res.choice.append(nil)), "message2": hx(message2), "wire": res.choice.version, "coder": res.choice.coder,
		"hash": hx(res.hash[:]), "kem_secret": hx(res.ss[:]), "key_c2s": hx(res.c2s[:]), "key_s2c": hx(res.s2c[:]), "prk": hx(res.prk()),
		"secrets": secrets, "keys": keys, "next_secrets": nexts, "first": p.firstMessages(t, res),
	}
	return vector("handshake", "a whole handshake and the first messages of each way", "handshake", "ok", message2, field("value", text(t, value)))
}

// firstMessages are the messages that each way begins with, and their records.
func (p *pair) firstMessages(t testing.TB, res *result) []object {
	t.Helper()
	viewerSig, err := p.dial.Identity.Sign(contextOf(fromViewer), res.hash[:])
	if err != nil {
		t.Fatal(err)
	}
	agentSig, err := p.accept.Identity.Sign(contextOf(fromAgent), res.hash[:])
	if err != nil {
		t.Fatal(err)
	}
	var list []object
	for i, message := range [][]byte{viewerSig[:], agentSig[:], nil, pattern(100)} {
		sh := shapes[i]
		record := recordsOf(t, sh, res.secrets()[sh.channel][sh.direction], message)[0]
		list = append(list, object{"channel": sh.channel, "direction": sh.direction, "message": hx(message), "record": hx(record)})
	}
	return list
}

func message1Vectors(t testing.TB) []*vectortest.Vector {
	p := fixedPair(t)
	good := p.initiate(t).message1
	other := fixedPair(t)
	other.regrant(granttest.New(t, now, p.dial.Key.Public(), func(g *grant.Grant) { g.Rights = grant.RightView }))
	thief := fixedPair(t)
	thief.dial.Key = staticKey(t, "thief")
	statement := fixedPair(t)
	statement.dial.Statement.NoiseKey = staticKey(t, "other desk").public
	with := func(payload func(*offer) []byte) []byte { return p.ask(t, payload) }
	change := func(f func(*offer)) []byte {
		return with(func(o *offer) []byte { f(o); return o.append(nil) })
	}
	const m = "message1"
	return []*vectortest.Vector{
		vector("message1_good", "as in handshake.vec", m, "ok", good),
		vector("message1_empty", "no bytes", m, "short", nil),
		vector("message1_cut", "the last byte is missing", m, "tag", good[:len(good)-1]),
		vector("message1_flipped", "a bit of the sealed static key", m, "tag", flipped(good, 40)),
		vector("message1_other_grant", "viewer holds another grant", m, "tag", other.initiate(t).message1),
		vector("message1_other_desk", "made for another desk's statement", m, "tag", statement.initiate(t).message1),
		vector("message1_other_viewer", "another X25519 key than the grant's", m, "identity", thief.initiate(t).message1),
		vector("message1_payload_short", "payload ends too early", m, "short", with(func(o *offer) []byte { b := o.append(nil); return b[:len(b)-1] })),
		vector("message1_payload_trailer", "payload is too long", m, "trailer", with(func(o *offer) []byte { return append(o.append(nil), 0) })),
		vector("message1_no_coder", "no coder", m, "range", change(func(o *offer) { o.coders = nil })),
		vector("message1_many_coders", "17 coders", m, "range", with(func(o *offer) []byte {
			o.coders = make([]uint8, 16)
			b := o.append(nil)
			b[4] = 17
			return b
		})),
		vector("message1_wire", "lowest version above the highest", m, "range", change(func(o *offer) { o.wire = Wire{4, 3} })),
		vector("message1_wire_new", "only versions that the agent does not know", m, "version", change(func(o *offer) { o.wire = Wire{5, 6} })),
		vector("message1_coder_new", "only coders that the agent does not know", m, "range", change(func(o *offer) { o.coders = []uint8{9} })),
	}
}

func message2Vectors(t testing.TB) []*vectortest.Vector {
	p := fixedPair(t)
	message1 := p.initiate(t).message1
	good, _ := p.respond(t, message1)
	other := fixedPair(t)
	other.regrant(granttest.New(t, now, p.dial.Key.Public(), func(g *grant.Grant) { g.Rights = grant.RightView }))
	otherGrant, _ := other.respond(t, other.initiate(t).message1)
	desk := fixedPair(t)
	desk.accept.Keys = []*StaticKey{staticKey(t, "other desk")}
	desk.dial.Statement.NoiseKey = desk.accept.Keys[0].public
	otherDesk, _ := desk.respond(t, desk.initiate(t).message1)
	with := func(payload func(*choice) []byte) []byte { return p.answer(t, message1, payload) }
	const m = "message2"
	return []*vectortest.Vector{
		vector("message2_empty", "no bytes", m, "short", nil),
		vector("message2_cut", "the last byte is missing", m, "tag", good[:len(good)-1]),
		vector("message2_flipped", "a bit of the payload", m, "tag", flipped(good, 50)),
		vector("message2_other_grant", "agent holds another grant", m, "tag", otherGrant),
		vector("message2_other_desk", "made by another desk with its own statement", m, "tag", otherDesk),
		vector("message2_payload_short", "payload ends too early", m, "short", with(func(c *choice) []byte { b := c.append(nil); return b[:len(b)-1] })),
		vector("message2_payload_trailer", "payload is too long", m, "trailer", with(func(c *choice) []byte { return append(c.append(nil), 0) })),
		vector("message2_wire", "a version that was not offered", m, "version", with(func(c *choice) []byte { c.version = 4; return c.append(nil) })),
		vector("message2_coder", "a coder that was not offered", m, "range", with(func(c *choice) []byte { c.coder = 3; return c.append(nil) })),
	}
}

// A stream is a row of records that one receiver gets.
type stream struct {
	name, comment, expect string
	shape                 shape
	counter, bytes        uint64 // of the receiver's key before the first record
	records               [][]byte
	messages              [][]byte // that come through
}

var streamSecret = secret(sha256.Sum256([]byte("stream secret")))

func (s stream) start() *ratchet {
	r := newRatchet(streamSecret)
	r.counter, r.bytes = s.counter, s.bytes
	return r
}

func (s stream) vector(t testing.TB) *vectortest.Vector {
	var lengths []int
	var messages []string
	for _, r := range s.records {
		lengths = append(lengths, len(r))
	}
	for _, m := range s.messages {
		messages = append(messages, hx(m))
	}
	state := object{
		"channel": s.shape.channel, "direction": s.shape.direction, "secret": hx(streamSecret[:]), "counter": s.counter,
		"bytes": s.bytes, "lengths": lengths,
	}
	return vector(s.name, s.comment, "records", s.expect, bytes.Join(s.records, nil),
		field("state", text(t, state)), field("value", text(t, object{"messages": messages})))
}

// raw seals one plaintext that frame would not make.
func (s stream) raw(size int, payload []byte, change func(plaintext []byte)) [][]byte {
	b := make([]byte, size, size+tagSize)
	frame(b, payload, true)
	change(b)
	return [][]byte{s.start().seal(b)}
}

func goodStreams(t testing.TB) []stream {
	list := []stream{
		{name: "records_control_viewer", comment: "input, and a message of three records", shape: shapes[0], messages: [][]byte{pattern(12), nil, pattern(600), pattern(253)}},
		{name: "records_control_agent", comment: "multiples of 256", shape: shapes[1], messages: [][]byte{pattern(1), pattern(253), pattern(254), pattern(2000)}},
		{name: "records_display_viewer", comment: "acknowledgements", shape: shapes[2], messages: [][]byte{nil, pattern(9), pattern(61), pattern(62)}},
		{name: "records_display_agent", comment: "each step of the sizes", shape: shapes[3], messages: [][]byte{pattern(61), pattern(62), pattern(1021), pattern(1022), pattern(8189), pattern(8190)}},
		{name: "records_ratchet_count", comment: "number 2^16 is under the next key", shape: shapes[2], counter: keyRecords - 2, messages: [][]byte{pattern(1), pattern(2), pattern(3), pattern(4)}},
		{name: "records_ratchet_bytes", comment: "one byte above 2^30 is under the next key", shape: shapes[2], counter: 0x0304, bytes: keyBytes - 2*64 + 1, messages: [][]byte{pattern(1), pattern(2), pattern(3)}},
		{name: "records_ratchet_exact", comment: "2^30 bytes are still under the key", shape: shapes[0], counter: 0x0304, bytes: keyBytes - 256, messages: [][]byte{pattern(1), pattern(2)}},
	}
	for i := range list {
		list[i].expect = "ok"
		list[i].records = recordsFrom(t, list[i].shape, list[i].start(), list[i].messages...)
	}
	return list
}

func badStreams(t testing.TB) []stream {
	base := stream{shape: shapes[0]}
	messages := [][]byte{pattern(12), pattern(13), pattern(14)}
	good := recordsFrom(t, base.shape, base.start(), messages...)
	late := recordsFrom(t, base.shape, stream{counter: 1}.start(), messages[0])
	reflected := recordsFrom(t, base.shape, newRatchet(streamSecret.next()), messages[0])
	form := func(change func([]byte)) [][]byte { return base.raw(256, messages[0], change) }
	nothing := func([]byte) {}
	bad := func(name, comment, expect string, before int, records ...[]byte) stream {
		return stream{name: "records_" + name, comment: comment, expect: expect, shape: base.shape, records: records, messages: messages[:before]}
	}
	return []stream{
		bad("replayed", "the first record again", "tag", 1, good[0], good[0]),
		bad("swapped", "the second record first", "tag", 0, good[1], good[0]),
		bad("left_out", "the second record is missing", "tag", 1, good[0], good[2]),
		bad("counter", "the first record has counter 1", "tag", 0, late...),
		bad("other_key", "sealed under the next key too early", "tag", 0, reflected...),
		bad("flipped", "a bit of the first byte", "tag", 0, flipped(good[0], 0)),
		bad("flipped_tag", "a bit of the last byte", "tag", 0, flipped(good[0], -1)),
		bad("cut", "the last byte is missing", "range", 0, good[0][:len(good[0])-1]),
		bad("empty", "a tag and nothing else", "range", 0, good[0][:tagSize]),
		bad("size", "a size that is not in the table", "range", 0, base.raw(512, messages[0], nothing)...),
		bad("flags", "bit 1 of the flags", "range", 0, form(func(b []byte) { b[0] |= 2 })...),
		bad("length", "longer than the record", "range", 0, form(func(b []byte) { b[1], b[2] = 0, 254 })...),
		bad("padding", "padding that is not zero", "range", 0, form(func(b []byte) { b[255] = 4 })...),
		bad("padded_part", "padding and not the last of its message", "range", 0, form(func(b []byte) { b[0] = 0 })...),
	}
}

func TestVectors(t *testing.T) {
	streams := append(goodStreams(t), badStreams(t)...)
	want := []*vectortest.Vector{handshakeVector(t)}
	want = append(want, message1Vectors(t)...)
	want = append(want, message2Vectors(t)...)
	for _, s := range streams {
		want = append(want, s.vector(t))
	}
	if *update {
		vectortest.Write(t, "seal", want)
	}
	byName := map[string]*vectortest.Vector{}
	for _, v := range vectortest.Read(t, "seal") {
		byName[v.Name] = v
	}
	if len(byName) != len(want) {
		t.Errorf("%d files, %d scenarios: run with -update", len(byName), len(want))
	}
	for _, w := range want {
		t.Run(w.Name, func(t *testing.T) {
			v := byName[w.Name]
			if v == nil {
				t.Fatal("no file: run with -update")
			}
			if diff := cmp.Diff(string(w.Format()), string(v.Format())); diff != "" {
				t.Fatal(diff)
			}
			if got, err := play(t, v); got != v.Get("expect") {
				t.Errorf("got %s (%v), want %s", got, err, v.Get("expect"))
			}
		})
	}
}

// play gives the bytes of a vector to the side that would receive them.
func play(t *testing.T, v *vectortest.Vector) (string, error) {
	p := fixedPair(t)
	var err error
	switch v.Get("message") {
	case "handshake", "message2":
		_, err = p.initiate(t).finish(v.Payload)
	case "message1":
		_, _, err = respond(&p.accept, v.Payload)
	case "records":
		err = playRecords(t, v)
	default:
		t.Fatalf("unknown message %q", v.Get("message"))
	}
	return class(err), err
}

func playRecords(t *testing.T, v *vectortest.Vector) error {
	var state struct {
		Channel   channel
		Direction direction
		Secret    string
		Counter   uint64
		Bytes     uint64
		Lengths   []int
	}
	if err := json.NewDecoder(strings.NewReader(v.Get("state"))).Decode(&state); err != nil {
		t.Fatal(err)
	}
	s := stream{shape: shape{state.Channel, state.Direction}, counter: state.Counter, bytes: state.Bytes}
	if state.Secret != hx(streamSecret[:]) {
		t.Fatal("another secret")
	}
	var records [][]byte
	rest := v.Payload
	for _, n := range state.Lengths {
		records = append(records, bytes.Clone(rest[:n]))
		rest = rest[n:]
	}
	var want struct{ Messages []string }
	v.Value(t, &want)
	messages, err := receiveAll(s.shape, s.start(), records)
	got := make([]string, len(messages))
	for i, m := range messages {
		got[i] = hx(m)
	}
	if fmt.Sprint(got) != fmt.Sprint(want.Messages) {
		t.Errorf("got %d messages, want %d", len(got), len(want.Messages))
	}
	return err
}

// class is the class of failure in vectors/README.md.
func class(err error) string {
	var form *cert.Error
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, ErrVersion):
		return "version"
	case errors.Is(err, ErrPeerIdentity):
		return "identity"
	case errors.Is(err, ErrCoder), errors.Is(err, ErrSize), errors.Is(err, ErrRecord):
		return "range"
	case errors.As(err, &form):
		return string(form.Code)
	case errors.Is(err, noise.ErrShortMessage):
		return "short"
	case errors.Is(err, ErrHandshake), errors.Is(err, ErrOpen):
		return "tag"
	default:
		return "untyped"
	}
}
