package grant_test

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"jiseki/internal/cert"
	"jiseki/internal/cert/certtest"
	"jiseki/internal/grant"
	"jiseki/internal/grant/granttest"
)

var (
	now   = time.Date(2026, 11, 23, 9, 30, 0, 123e6, time.UTC)
	noise = cert.NoiseKey{0: 0x11, 31: 0x22}
)

func expect(t testing.TB) grant.Expect {
	return grant.Expect{Desk: "desk-0304", Zone: grant.ZoneInternet, Key: certtest.Key(t, granttest.Desk).Public()}
}

func TestVerify(t *testing.T) {
	g := granttest.New(t, now, noise)
	keys := []cert.PublicKey{certtest.Key(t, "grant next").Public(), certtest.Key(t, granttest.Signer).Public()}
	self := expect(t)
	forged := *g
	forged.Rights |= grant.RightClipboard

	for _, tt := range []struct {
		name  string
		grant *grant.Grant
		keys  []cert.PublicKey
		want  grant.Expect
		now   time.Time
		err   error
	}{
		{"good", g, keys, self, now, nil},
		{"first moment", g, keys, self, g.Issued.Add(-cert.Skew), nil},
		{"one earlier", g, keys, self, g.Issued.Add(-cert.Skew - time.Millisecond), cert.ErrClockSkew},
		{"last moment", g, keys, self, g.OpenBefore.Add(cert.Skew - time.Millisecond), nil},
		{"one later", g, keys, self, g.OpenBefore.Add(cert.Skew), cert.ErrExpired},
		{"other grant key", g, keys[:1], self, now, cert.ErrIssuer},
		{"more rights than signed", &forged, keys, self, now, cert.ErrSignature},
		{"other desk", g, keys, grant.Expect{Desk: "desk-0305", Zone: self.Zone, Key: self.Key}, now, grant.ErrDesk},
		{"other desk key", g, keys, grant.Expect{Desk: self.Desk, Zone: self.Zone, Key: keys[0]}, now, grant.ErrDesk},
		{"other zone", g, keys, grant.Expect{Desk: self.Desk, Zone: grant.ZoneLGWAN, Key: self.Key}, now, grant.ErrDesk},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.grant.Verify(tt.keys, tt.want, tt.now, cert.Skew); !errors.Is(err, tt.err) {
				t.Errorf("got %v, want %v", err, tt.err)
			}
		})
	}
}

func TestEveryChangedBitIsRefused(t *testing.T) {
	good := granttest.New(t, now, noise).Append(nil)
	keys := []cert.PublicKey{certtest.Key(t, granttest.Signer).Public()}
	for i := range good {
		b := bytes.Clone(good)
		b[i] ^= 1 << (i % 8)
		g, err := grant.Parse(b)
		if err == nil {
			err = g.Verify(keys, expect(t), now, cert.Skew)
		}
		if err == nil {
			t.Errorf("byte %d changed and nobody saw it", i)
		}
	}
}

func TestMintRefusesWhatParseRefuses(t *testing.T) {
	signer := certtest.Key(t, granttest.Signer)
	for name, change := range map[string]func(*grant.Grant){
		"clipboard in lgwan":    func(g *grant.Grant) { g.Zone, g.Rights = grant.ZoneLGWAN, grant.RightView|grant.RightClipboard },
		"clipboard in mynumber": func(g *grant.Grant) { g.Zone, g.Rights = grant.ZoneMyNumber, grant.RightClipboard },
		"unknown right":         func(g *grant.Grant) { g.Rights |= 8 },
		"zone":                  func(g *grant.Grant) { g.Zone = 0 },
		"device kind":           func(g *grant.Grant) { g.DeviceKind = 3 },
		"viewer kind":           func(g *grant.Grant) { g.ViewerKind = 4 },
		"open for too long":     func(g *grant.Grant) { g.OpenBefore = g.Issued.Add(grant.OpenLife + time.Millisecond) },
		"never open":            func(g *grant.Grant) { g.OpenBefore = g.Issued },
		"ends before it opens":  func(g *grant.Grant) { g.SessionUntil = g.OpenBefore.Add(-time.Millisecond) },
		"half a second":         func(g *grant.Grant) { g.Idle = 1500 * time.Millisecond },
		"negative":              func(g *grant.Grant) { g.Grace = -time.Second },
		"grace too long":        func(g *grant.Grant) { g.Grace = 65536 * time.Second },
		"idle too long":         func(g *grant.Grant) { g.Idle = (math.MaxUint32 + 1) * time.Second },
		"no user":               func(g *grant.Grant) { g.User = "" },
		"user of 65 bytes":      func(g *grant.Grant) { g.User = strings.Repeat("x", 65) },
		"endless name":          func(g *grant.Grant) { g.UserName = strings.Repeat("x", 256+9) },
		"name no UTF-8":         func(g *grant.Grant) { g.UserName = "\x80" },
		"no relay":              func(g *grant.Grant) { g.Relay = "" },
		"desk key no point":     func(g *grant.Grant) { g.DeskKey[1] ^= 1 },
	} {
		t.Run(name, func(t *testing.T) {
			g := *granttest.New(t, now, noise)
			change(&g)
			if err := g.Mint(signer); !errors.Is(err, cert.ErrRange) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestClipboardOnlyInInternetZone(t *testing.T) {
	signer := certtest.Key(t, granttest.Signer)
	base := *granttest.New(t, now, noise)
	rapid.Check(t, func(t *rapid.T) {
		g := base
		g.Zone = grant.Zone(rapid.Uint8Range(1, 3).Draw(t, "zone"))
		g.Rights = grant.Rights(rapid.Uint32Range(0, 7).Draw(t, "rights"))
		g.Issued = time.UnixMilli(rapid.Int64Range(0, 1<<50).Draw(t, "issued")).UTC()
		g.OpenBefore = g.Issued.Add(time.Duration(rapid.Int64Range(1, 60_000).Draw(t, "open")) * time.Millisecond)
		g.SessionUntil = g.OpenBefore.Add(time.Duration(rapid.Int64Range(0, 1<<40).Draw(t, "until")) * time.Millisecond)
		err := g.Mint(signer)
		if allowed := g.Zone == grant.ZoneInternet || !g.Rights.Has(grant.RightClipboard); allowed != (err == nil) {
			t.Fatalf("zone %v, rights %v: %v", g.Zone, g.Rights, err)
		}
		if err != nil {
			return
		}
		got, err := grant.Parse(g.Append(nil))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(&g, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestRightsNames(t *testing.T) {
	for r, want := range map[grant.Rights]string{
		0: "none", grant.RightView: "view", grant.RightView | grant.RightInput: "view+input",
		grant.RightClipboard: "clipboard", 9: "view+unknown",
	} {
		if got := r.String(); got != want {
			t.Errorf("%d: got %s, want %s", r, got, want)
		}
	}
}

func TestZoneNames(t *testing.T) {
	for z := grant.ZoneLGWAN; z <= grant.ZoneMyNumber; z++ {
		if got, ok := grant.ParseZone(z.String()); !ok || got != z {
			t.Errorf("%v: %v, %v", z, got, ok)
		}
	}
	if _, ok := grant.ParseZone("unknown"); ok {
		t.Error("unknown is no zone")
	}
}

func TestCheckOwn(t *testing.T) {
	g := granttest.New(t, now, noise)
	own := grant.Own{Session: g.Session, Device: g.DeviceKey, NoiseKey: noise, Desk: g.Desk, DeskKey: g.DeskKey}
	if err := g.CheckOwn(own); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*grant.Own){
		"session":  func(o *grant.Own) { o.Session[0] ^= 1 },
		"device":   func(o *grant.Own) { o.Device = g.DeskKey },
		"noise":    func(o *grant.Own) { o.NoiseKey[0] ^= 1 },
		"desk":     func(o *grant.Own) { o.Desk = "desk-0305" },
		"desk key": func(o *grant.Own) { o.DeskKey = g.DeviceKey },
	} {
		other := own
		change(&other)
		if err := g.CheckOwn(other); !errors.Is(err, grant.ErrViewer) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestSpendOnce(t *testing.T) {
	g := granttest.New(t, now, noise)
	s := grant.NewSpent(2, cert.Skew)
	if err := s.Spend(g, now); err != nil {
		t.Fatal(err)
	}
	if err := s.Spend(g, now); !errors.Is(err, grant.ErrSpent) {
		t.Errorf("again: %v", err)
	}
	last := g.OpenBefore.Add(cert.Skew - time.Millisecond)
	if err := s.Spend(g, last); !errors.Is(err, grant.ErrSpent) {
		t.Errorf("at the last moment: %v", err)
	}
	if err := grant.NewSpent(2, cert.Skew).Spend(g, last.Add(time.Millisecond)); !errors.Is(err, cert.ErrExpired) {
		t.Errorf("after it: %v", err)
	}
	if err := s.Spend(g, last.Add(time.Millisecond)); err == nil {
		t.Error("spent again after it")
	}
	if err := s.Spend(g, now); err == nil {
		t.Error("spent again when the clock goes back")
	}
}

// TestSpendAfterAWrongClock: a session of a time when all clocks were ahead does not keep later ones out.
func TestSpendAfterAWrongClock(t *testing.T) {
	s := grant.NewSpent(2, cert.Skew)
	ahead := now.Add(30 * 24 * time.Hour)
	for i, at := range []time.Time{ahead, now} {
		g := granttest.New(t, at, noise, func(g *grant.Grant) { g.Session = cert.SessionID{byte(i)} })
		if err := s.Spend(g, at); err != nil {
			t.Errorf("at %v: %v", at, err)
		}
	}
}

func TestSpentIsBounded(t *testing.T) {
	s := grant.NewSpent(2, cert.Skew)
	grantOf := func(i byte, at time.Time) *grant.Grant {
		return &grant.Grant{Session: cert.SessionID{i}, OpenBefore: at.Add(time.Minute)}
	}
	for i := byte(1); i <= 2; i++ {
		if err := s.Spend(grantOf(i, now), now); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Spend(grantOf(3, now), now); !errors.Is(err, grant.ErrFull) {
		t.Errorf("third: %v", err)
	}
	later := now.Add(time.Minute + cert.Skew)
	if err := s.Spend(grantOf(3, later), later); err != nil {
		t.Errorf("when the first are forgotten: %v", err)
	}
}

// Whatever the clock does, no session is spent twice.
func TestSpentModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := grant.NewSpent(rapid.IntRange(1, 8).Draw(t, "limit"), cert.Skew)
		spent := map[byte]bool{}
		at := now
		t.Repeat(map[string]func(*rapid.T){
			"spend": func(t *rapid.T) {
				id := rapid.Byte().Draw(t, "id")
				g := &grant.Grant{Session: cert.SessionID{id}, OpenBefore: now.Add(time.Duration(id) * time.Second)}
				err := s.Spend(g, at)
				if err == nil && spent[id] {
					t.Fatalf("session %d was spent twice", id)
				}
				spent[id] = spent[id] || err == nil
			},
			"clock": func(t *rapid.T) {
				at = at.Add(time.Duration(rapid.IntRange(-90, 120).Draw(t, "seconds")) * time.Second)
			},
		})
	})
}
