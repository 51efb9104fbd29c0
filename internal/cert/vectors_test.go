package cert_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"math/big"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jiseki/internal/cert"
	"jiseki/internal/cert/certtest"
	"jiseki/internal/vectortest"
)

var update = flag.Bool("update", false, "write vectors/cert")

type object = map[string]any

func text(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func ms(t time.Time) int64 { return t.UnixMilli() }

func hx(b []byte) string { return hex.EncodeToString(b) }

// vector makes a vector; check is the header "verify", value the header "value": "" leaves them out.
func vector(name, comment, message, expect, check, value string, payload []byte) *vectortest.Vector {
	h := []vectortest.Field{{Name: "comment", Value: comment}, {Name: "message", Value: message}, {Name: "expect", Value: expect}}
	if check != "" {
		h = append(h, vectortest.Field{Name: "verify", Value: check})
	}
	if value != "" {
		h = append(h, vectortest.Field{Name: "value", Value: value})
	}
	return &vectortest.Vector{Name: name, Header: h, Payload: payload}
}

func changed(b []byte, at int, to byte) []byte {
	b = bytes.Clone(b)
	b[at] = to
	return b
}

func certificateVectors(t testing.TB) []*vectortest.Vector {
	deviceCA, deskCA := certtest.Key(t, "device ca"), certtest.Key(t, "desk ca")
	device := certtest.Issue(t, deviceCA, cert.KindDevice, "pc-0102", "user:佐藤", certtest.Key(t, "device").Public(), now)
	desk := certtest.Issue(t, deskCA, cert.KindDesk, "desk-0304", "internet", certtest.Key(t, "desk").Public(), now)
	value := func(c *cert.Certificate) string {
		return text(t, object{
			"kind": c.Kind, "serial": hx(c.Serial[:]), "issuer": hx(c.Issuer[:]), "subject": c.Subject, "owner": c.Owner,
			"grade": c.Grade, "key": hx(c.Key[:]), "not_before": ms(c.NotBefore), "not_after": ms(c.NotAfter), "signature": hx(c.Signature[:]),
		})
	}
	check := func(kind cert.Kind, ca *cert.SignerKey, at time.Time) string {
		k := ca.Public()
		return text(t, object{"kind": kind, "cas": []string{hx(k[:])}, "now": ms(at), "skew": cert.Skew.Milliseconds()})
	}
	good := desk.Append(nil)
	at := check(cert.KindDesk, deskCA, now)
	subject := 4 + 16 + 8
	owner := subject + 1 + len(desk.Subject)
	grade := owner + 1 + len(desk.Owner)
	broken := desk.Append(nil)
	broken[len(broken)-1] ^= 1
	const m = "certificate"
	return []*vectortest.Vector{
		vector("certificate_device", "device of one user", m, "ok", check(cert.KindDevice, deviceCA, now), value(device), device.Append(nil)),
		vector("certificate_desk", "desk in the internet zone", m, "ok", at, value(desk), good),
		vector("certificate_short", "last byte of the signature is missing", m, "short", "", "", good[:len(good)-1]),
		vector("certificate_empty", "no bytes", m, "short", "", "", nil),
		vector("certificate_trailer", "one byte too many", m, "trailer", "", "", append(bytes.Clone(good), 0)),
		vector("certificate_magic", "a desk statement's magic", m, "magic", "", "", changed(good, 1, 'S')),
		vector("certificate_version", "version 2", m, "version", "", "", changed(good, 2, 2)),
		vector("certificate_kind_unknown", "kind 3", m, "range", "", "", changed(good, 3, 3)),
		vector("certificate_subject_empty", "subject of no bytes", m, "range", "", "", changed(good, subject, 0)),
		vector("certificate_subject_long", "subject of 65 bytes", m, "range", "", "", changed(good, subject, 65)),
		vector("certificate_subject_utf8", "subject is not UTF-8", m, "range", "", "", changed(good, subject+2, 0xc0)),
		vector("certificate_owner", "a zone that does not exist", m, "range", "", "", changed(good, owner+1, 'j')),
		vector("certificate_grade", "grade 4", m, "range", "", "", changed(good, grade, 4)),
		vector("certificate_point", "key is not on the curve", m, "range", "", "", changed(good, grade+65, good[grade+65]^1)),
		vector("certificate_time", "a time above 2^53-1", m, "range", "", "", changed(good, grade+66, 0x20)),
		vector("certificate_signature", "one bit of the signature changed", m, "signature", at, "", broken),
		vector("certificate_other_kind", "a device's certificate where a desk's is needed", m, "kind", at, "", device.Append(nil)),
		vector("certificate_other_ca", "signed by a CA that is not trusted", m, "issuer", check(cert.KindDesk, deviceCA, now), "", good),
		vector("certificate_expired", "the first millisecond too late", m, "expired", check(cert.KindDesk, deskCA, desk.NotAfter.Add(cert.Skew)), "", good),
		vector("certificate_early", "the last millisecond too early", m, "clock_skew", check(cert.KindDesk, deskCA, desk.NotBefore.Add(-cert.Skew-time.Millisecond)), "", good),
	}
}

func statementVectors(t testing.TB) []*vectortest.Vector {
	desk, other := certtest.Key(t, "desk").Public(), certtest.Key(t, "other desk").Public()
	s := certtest.Statement(t, certtest.Key(t, "desk"), cert.NoiseKey(sha256.New().Sum(nil)), now)
	check := func(key cert.PublicKey, at time.Time) string {
		return text(t, object{"key": hx(key[:]), "now": ms(at), "skew": cert.Skew.Milliseconds()})
	}
	value := text(t, object{"noise_key": hx(s.NoiseKey[:]), "not_after": ms(s.NotAfter), "signature": hx(s.Signature[:])})
	good := s.Append(nil)
	early := s.NotAfter.Add(-cert.StatementLife - cert.Skew - time.Millisecond)
	const m = "desk_statement"
	return []*vectortest.Vector{
		vector("desk_statement_good", "ends in one day", m, "ok", check(desk, now), value, good),
		vector("desk_statement_short", "last byte is missing", m, "short", "", "", good[:len(good)-1]),
		vector("desk_statement_trailer", "one byte too many", m, "trailer", "", "", append(bytes.Clone(good), 0)),
		vector("desk_statement_magic", "a certificate's magic", m, "magic", "", "", changed(good, 1, 'C')),
		vector("desk_statement_version", "version 0", m, "version", "", "", changed(good, 2, 0)),
		vector("desk_statement_other_key", "other X25519 key than the signed one", m, "signature", check(desk, now), "", changed(good, 3, good[3]^0x80)),
		vector("desk_statement_other_desk", "signed by another desk", m, "signature", check(other, now), "", good),
		vector("desk_statement_expired", "the first millisecond too late", m, "expired", check(desk, s.NotAfter.Add(cert.Skew)), "", good),
		vector("desk_statement_far", "more than 7 days ahead", m, "clock_skew", check(desk, early), "", good),
	}
}

// tlsCA is the same in every run: Ed25519 signs deterministically.
func tlsCA(t testing.TB, name string) []byte {
	t.Helper()
	seed := sha256.Sum256([]byte(name))
	key := ed25519.NewKeyFromSeed(seed[:])
	c := &x509.Certificate{
		SerialNumber: big.NewInt(0x0102), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: now.Truncate(time.Second), NotAfter: now.Truncate(time.Second).AddDate(10, 0, 0), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func goodBundle(t testing.TB) *cert.Bundle {
	key := func(label string) cert.PublicKey { return certtest.Key(t, label).Public() }
	return &cert.Bundle{
		Version:   0x01020304,
		DeviceCAs: []cert.PublicKey{key("device ca"), key("device ca next")},
		DeskCAs:   []cert.PublicKey{key("desk ca")},
		Grants:    []cert.PublicKey{key("grant"), key("grant old")},
		TLS:       [][]byte{tlsCA(t, "Jiseki TLS CA")},
	}
}

func bundleVectors(t testing.TB) []*vectortest.Vector {
	b := goodBundle(t)
	list := func(keys []cert.PublicKey) (s []string) {
		for _, k := range keys {
			s = append(s, hx(k[:]))
		}
		return s
	}
	value := text(t, object{
		"version": b.Version, "device_cas": list(b.DeviceCAs), "desk_cas": list(b.DeskCAs), "grants": list(b.Grants), "tls": []string{hx(b.TLS[0])},
	})
	good := b.Append(nil)
	twice := *b
	twice.DeskCAs = b.DeviceCAs[1:]
	const m = "bundle"
	return []*vectortest.Vector{
		vector("bundle_good", "old and next keys, one TLS CA", m, "ok", "", value, good),
		vector("bundle_short", "last byte is missing", m, "short", "", "", good[:len(good)-1]),
		vector("bundle_trailer", "one byte too many", m, "trailer", "", "", append(bytes.Clone(good), 0)),
		vector("bundle_magic", "a grant's magic", m, "magic", "", "", changed(good, 1, 'G')),
		vector("bundle_version", "version 2", m, "version", "", "", changed(good, 2, 2)),
		vector("bundle_no_key", "no device CA", m, "range", "", "", changed(good, 7, 0)),
		vector("bundle_many_keys", "9 device CAs", m, "range", "", "", changed(good, 7, 9)),
		vector("bundle_two_roles", "one key in two roles", m, "range", "", "", twice.Append(nil)),
		vector("bundle_tls", "TLS CA is no certificate", m, "range", "", "", changed(good, len(good)-len(b.TLS[0]), 0x31)),
	}
}

func proofVectors(t testing.TB) []*vectortest.Vector {
	k := certtest.Key(t, "device")
	public := k.Public()
	nonce := cert.Nonce(sha256.Sum256([]byte("nonce")))
	session := cert.SessionID(nonce[7:23])
	noise := cert.NoiseKey(sha256.Sum256([]byte("noise")))
	statement := sha256.Sum256([]byte("statement"))
	proof := func(name, comment string, fields object, sign func(cert.PrivateKey) (cert.Signature, error), parts ...[]byte) *vectortest.Vector {
		sig, err := sign(k)
		if err != nil {
			t.Fatal(err)
		}
		fields["nonce"], fields["key"], fields["signature"] = hx(nonce[:]), hx(public[:]), hx(sig[:])
		return vector(name, comment, name, "ok", "", text(t, fields), bytes.Join(parts, nil))
	}
	return []*vectortest.Vector{
		proof("request", "the bytes that are signed for a grant, after the context",
			object{"session": hx(session[:]), "user": "sato", "desk": "desk-0304", "noise_key": hx(noise[:])},
			cert.Request{Nonce: nonce, Session: session, User: "sato", Desk: "desk-0304", NoiseKey: noise}.Sign,
			nonce[:], session[:], []byte("\x04sato\x09desk-0304"), noise[:]),
		proof("sign_in", "the bytes that are signed at sign-in, after the context",
			object{"user": "sato", "device": "pc-0102"},
			cert.SignIn{Nonce: nonce, User: "sato", Device: "pc-0102"}.Sign,
			nonce[:], []byte("\x04sato\x07pc-0102")),
		proof("enrol", "the bytes that are signed at enrolment, after the context",
			object{}, cert.Enrol{Nonce: nonce, Key: public}.Sign, nonce[:], public[:]),
		proof("agent_hello", "the bytes that are signed by an agent, after the context",
			object{"desk": "desk-0304", "statement": hx(statement[:])},
			cert.AgentHello{Nonce: nonce, Desk: "desk-0304", Statement: statement}.Sign,
			nonce[:], []byte("\x09desk-0304"), statement[:]),
	}
}

func TestVectors(t *testing.T) {
	var want []*vectortest.Vector
	for _, list := range [][]*vectortest.Vector{certificateVectors(t), statementVectors(t), bundleVectors(t), proofVectors(t)} {
		want = append(want, list...)
	}
	if *update {
		vectortest.Write(t, "cert", want)
	}
	byName := map[string]*vectortest.Vector{}
	for _, v := range vectortest.Read(t, "cert") {
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
			checkVector(t, v)
		})
	}
}

// checkVector reads the bytes and expects the class of the vector; and every prefix of good bytes must fail.
func checkVector(t *testing.T, v *vectortest.Vector) {
	read, known := readers[v.Get("message")]
	if !known {
		return // a proof: TestProofs and the table that wrote it have checked it
	}
	again, err := read(t, v.Payload, v.Get("verify"))
	if got := class(err); got != v.Get("expect") {
		t.Fatalf("got %s (%v), want %s", got, err, v.Get("expect"))
	}
	if err != nil {
		return
	}
	if !bytes.Equal(again, v.Payload) {
		t.Error("other bytes after reading and writing")
	}
	for n := range v.Payload {
		if _, err := read(t, v.Payload[:n], ""); err == nil {
			t.Errorf("the first %d bytes were taken", n)
		}
	}
}

func class(err error) string {
	var e *cert.Error
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &e):
		return string(e.Code)
	default:
		return "untyped"
	}
}

type verification struct {
	Kind cert.Kind `json:"kind"`
	CAs  []string  `json:"cas"`
	Key  string    `json:"key"`
	Now  int64     `json:"now"`
	Skew int64     `json:"skew"`
}

func (c verification) clock() (time.Time, time.Duration) {
	return time.UnixMilli(c.Now), time.Duration(c.Skew) * time.Millisecond
}

func verificationOf(t testing.TB, check string) verification {
	var c verification
	if err := json.Unmarshal([]byte(check), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func publicKey(t testing.TB, s string) cert.PublicKey {
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	k, err := cert.ParsePublicKey(b)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// readers parse, verify if check is not empty, and write again.
var readers = map[string]func(t testing.TB, b []byte, check string) ([]byte, error){
	"certificate": func(t testing.TB, b []byte, check string) ([]byte, error) {
		c, err := cert.ParseCertificate(b)
		if err != nil || check == "" {
			return nil, err
		}
		want := verificationOf(t, check)
		at, skew := want.clock()
		return c.Append(nil), c.Verify(want.Kind, []cert.PublicKey{publicKey(t, want.CAs[0])}, at, skew)
	},
	"desk_statement": func(t testing.TB, b []byte, check string) ([]byte, error) {
		s, err := cert.ParseDeskStatement(b)
		if err != nil || check == "" {
			return nil, err
		}
		want := verificationOf(t, check)
		at, skew := want.clock()
		return s.Append(nil), s.Verify(publicKey(t, want.Key), at, skew)
	},
	"bundle": func(_ testing.TB, b []byte, _ string) ([]byte, error) {
		c, err := cert.ParseBundle(b)
		if err != nil {
			return nil, err
		}
		return c.Append(nil), nil
	},
}

func fuzz(f *testing.F, message string, parse func([]byte) ([]byte, error)) {
	for _, v := range vectortest.Read(f, "cert") {
		if v.Get("message") == message {
			f.Add(v.Payload)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		again, err := parse(b)
		if err == nil && !bytes.Equal(again, b) {
			t.Error("two byte forms of one structure")
		}
		if got := class(err); got == "untyped" {
			t.Error(err)
		}
	})
}

func FuzzParseCertificate(f *testing.F) {
	fuzz(f, "certificate", func(b []byte) ([]byte, error) {
		c, err := cert.ParseCertificate(b)
		if err != nil {
			return nil, err
		}
		return c.Append(nil), nil
	})
}

func FuzzParseDeskStatement(f *testing.F) {
	fuzz(f, "desk_statement", func(b []byte) ([]byte, error) {
		s, err := cert.ParseDeskStatement(b)
		if err != nil {
			return nil, err
		}
		return s.Append(nil), nil
	})
}

func FuzzParseBundle(f *testing.F) {
	fuzz(f, "bundle", func(b []byte) ([]byte, error) {
		t, err := cert.ParseBundle(b)
		if err != nil {
			return nil, err
		}
		return t.Append(nil), nil
	})
}

func TestBundlePoolAndFingerprints(t *testing.T) {
	b := goodBundle(t)
	if b.Pool() == nil || b.Fingerprints()[0] != sha256.Sum256(b.TLS[0]) {
		t.Error("TLS CA is not in the pool")
	}
	b.TLS = nil
	if b.Pool() != nil || b.Check() != nil {
		t.Error("a bundle without TLS CA stands for the system's")
	}
}

func BenchmarkVerify(b *testing.B) {
	ca := certtest.Key(b, "device ca")
	c := certtest.Issue(b, ca, cert.KindDevice, "pc-0102", "user:sato", certtest.Key(b, "device").Public(), now)
	cas := []cert.PublicKey{ca.Public()}
	for b.Loop() {
		if err := c.Verify(cert.KindDevice, cas, now, cert.Skew); err != nil {
			b.Fatal(err)
		}
	}
}

func TestTimesAreMilliseconds(t *testing.T) {
	b := cert.AppendTime(nil, now)
	if binary.BigEndian.Uint64(b) != uint64(now.UnixMilli()) {
		t.Errorf("%x", b)
	}
}
