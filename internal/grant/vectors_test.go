package grant_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jiseki/internal/cert"
	"jiseki/internal/cert/certtest"
	"jiseki/internal/grant"
	"jiseki/internal/grant/granttest"
	"jiseki/internal/vectortest"
)

var update = flag.Bool("update", false, "write vectors/grant")

func valueOf(t testing.TB, g *grant.Grant) string {
	h := hex.EncodeToString
	b, err := json.Marshal(map[string]any{
		"session": h(g.Session[:]), "issuer": h(g.Issuer[:]), "user": g.User, "user_name": g.UserName, "device": g.Device,
		"device_kind": g.DeviceKind, "viewer_kind": g.ViewerKind, "device_key": h(g.DeviceKey[:]), "desk": g.Desk, "zone": g.Zone,
		"desk_key": h(g.DeskKey[:]), "noise_key": h(g.NoiseKey[:]), "rights": g.Rights, "viewer_ticket": h(g.ViewerTicket[:]),
		"agent_ticket": h(g.AgentTicket[:]), "relay": g.Relay, "idle": g.Idle / time.Second, "grace": g.Grace / time.Second,
		"issued": g.Issued.UnixMilli(), "open_before": g.OpenBefore.UnixMilli(), "session_until": g.SessionUntil.UnixMilli(),
		"signature": h(g.Signature[:]),
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// scenario is a vector; at is when it is verified, zero for not at all.
type scenario struct {
	name, comment, expect string
	payload               []byte
	at                    time.Time
	value                 string
}

func scenarios(t testing.TB) []scenario {
	g := granttest.New(t, now, noise)
	clip := granttest.New(t, now, noise, func(g *grant.Grant) { g.Rights |= grant.RightClipboard })
	lgwan := granttest.New(t, now, noise, func(g *grant.Grant) { g.Zone = grant.ZoneLGWAN })
	good := g.Append(nil)
	change := func(at int, to byte) []byte {
		b := bytes.Clone(good)
		b[at] = to
		return b
	}
	kinds := 3 + 16 + 8 + 1 + len(g.User) + 1 + len(g.UserName) + 1 + len(g.Device)
	zone := kinds + 2 + 65 + 1 + len(g.Desk)
	rights := zone + 1 + 65 + 32
	times := len(good) - 64 - 24
	clipZone := clip.Append(nil)
	clipZone[zone] = byte(grant.ZoneMyNumber)
	return []scenario{
		{"grant_good", "view and input", "ok", good, now, valueOf(t, g)},
		{"grant_clipboard", "with clipboard, zone internet", "ok", clip.Append(nil), now, valueOf(t, clip)},
		{"grant_short", "last byte is missing", "short", good[:len(good)-1], time.Time{}, ""},
		{"grant_trailer", "one byte too many", "trailer", append(bytes.Clone(good), 0), time.Time{}, ""},
		{"grant_magic", "a certificate's magic", "magic", change(1, 'C'), time.Time{}, ""},
		{"grant_version", "version 2", "version", change(2, 2), time.Time{}, ""},
		{"grant_user_empty", "user of no bytes", "range", change(27, 0), time.Time{}, ""},
		{"grant_user_utf8", "user is not UTF-8", "range", change(28, 0xff), time.Time{}, ""},
		{"grant_device_kind", "device kind 0", "range", change(kinds, 0), time.Time{}, ""},
		{"grant_viewer_kind", "viewer kind 4", "range", change(kinds+1, 4), time.Time{}, ""},
		{"grant_device_key", "device key is not on the curve", "range", change(kinds+2+64, good[kinds+2+64]^1), time.Time{}, ""},
		{"grant_zone", "zone 4", "range", change(zone, 4), time.Time{}, ""},
		{"grant_rights", "bit 3 of the rights", "range", change(rights+3, 0x0b), time.Time{}, ""},
		{"grant_clipboard_mynumber", "clipboard in zone mynumber", "range", clipZone, time.Time{}, ""},
		{"grant_open_long", "can be opened for more than 60 s", "range", change(times+13, good[times+13]+1), time.Time{}, ""},
		{"grant_until", "ends before it can be opened", "range", change(times+18, 0), time.Time{}, ""},
		{"grant_signature", "one bit of the session id changed", "signature", change(3, good[3]^4), now, ""},
		{"grant_other_zone", "for a desk of another zone", "desk", lgwan.Append(nil), now, ""},
		{"grant_expired", "the first millisecond too late", "expired", good, g.OpenBefore.Add(cert.Skew), ""},
		{"grant_early", "the last millisecond too early", "clock_skew", good, g.Issued.Add(-cert.Skew - time.Millisecond), ""},
	}
}

func (s scenario) vector(t testing.TB) *vectortest.Vector {
	h := []vectortest.Field{{Name: "comment", Value: s.comment}, {Name: "message", Value: "grant"}, {Name: "expect", Value: s.expect}}
	if !s.at.IsZero() {
		key, self := certtest.Key(t, granttest.Signer).Public(), expect(t)
		b, err := json.Marshal(map[string]any{
			"key": hex.EncodeToString(key[:]), "desk": self.Desk, "zone": self.Zone,
			"desk_key": hex.EncodeToString(self.Key[:]), "now": s.at.UnixMilli(), "skew": cert.Skew.Milliseconds(),
		})
		if err != nil {
			t.Fatal(err)
		}
		h = append(h, vectortest.Field{Name: "verify", Value: string(b)})
	}
	if s.value != "" {
		h = append(h, vectortest.Field{Name: "value", Value: s.value})
	}
	return &vectortest.Vector{Name: s.name, Header: h, Payload: s.payload}
}

func TestVectors(t *testing.T) {
	list := scenarios(t)
	if *update {
		var out []*vectortest.Vector
		for _, s := range list {
			out = append(out, s.vector(t))
		}
		vectortest.Write(t, "grant", out)
	}
	byName := map[string]*vectortest.Vector{}
	for _, v := range vectortest.Read(t, "grant") {
		byName[v.Name] = v
	}
	if len(byName) != len(list) {
		t.Errorf("%d files, %d scenarios: run with -update", len(byName), len(list))
	}
	for _, s := range list {
		t.Run(s.name, func(t *testing.T) {
			v := byName[s.name]
			if v == nil {
				t.Fatal("no file: run with -update")
			}
			if diff := cmp.Diff(string(s.vector(t).Format()), string(v.Format())); diff != "" {
				t.Fatal(diff)
			}
			s.check(t, v)
		})
	}
}

func (s scenario) check(t *testing.T, v *vectortest.Vector) {
	g, err := grant.Parse(v.Payload)
	if err == nil && !s.at.IsZero() {
		err = g.Verify([]cert.PublicKey{certtest.Key(t, granttest.Signer).Public()}, expect(t), s.at, cert.Skew)
	}
	if got := class(err); got != v.Get("expect") {
		t.Fatalf("got %s (%v), want %s", got, err, v.Get("expect"))
	}
	if err != nil {
		return
	}
	if !bytes.Equal(g.Append(nil), v.Payload) {
		t.Error("other bytes after reading and writing")
	}
	for n := range v.Payload {
		if _, err := grant.Parse(v.Payload[:n]); err == nil {
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

func FuzzParse(f *testing.F) {
	for _, v := range vectortest.Read(f, "grant") {
		f.Add(v.Payload)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		g, err := grant.Parse(b)
		if class(err) == "untyped" {
			t.Fatal(err)
		}
		if err != nil {
			return
		}
		if !bytes.Equal(g.Append(nil), b) {
			t.Error("two byte forms of one grant")
		}
		if g.Zone != grant.ZoneInternet && g.Rights.Has(grant.RightClipboard) {
			t.Error("clipboard where there must be none")
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	g := granttest.New(b, now, noise)
	keys := []cert.PublicKey{certtest.Key(b, granttest.Signer).Public()}
	self := expect(b)
	for b.Loop() {
		if err := g.Verify(keys, self, now, cert.Skew); err != nil {
			b.Fatal(err)
		}
	}
}
