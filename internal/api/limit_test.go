package api

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/auth"
	"jiseki/internal/store"
	"jiseki/internal/store/storetest"
)

// TestLimitsLeaveRoomForATownHall counts what 300 staff behind one address need in their busiest minute: a challenge, a
// sign-in, and a portal that asks every five seconds.
func TestLimitsLeaveRoomForATownHall(t *testing.T) {
	now := time.Date(2026, 11, 24, 8, 30, 0, 0, time.UTC)
	l := newLimiter(func() time.Time { return now })
	address := netip.MustParseAddr("192.0.2.7")
	for staff := range 300 {
		for range 2 {
			if wait := l.take(address, true); wait > 0 {
				t.Fatalf("staff %d waits %d s to sign in", staff, wait)
			}
		}
		for range 12 {
			if wait := l.take(address, false); wait > 0 {
				t.Fatalf("the portal of staff %d waits %d s", staff, wait)
			}
		}
	}
	for range openPerMinute {
		l.take(address, true)
	}
	if wait := l.take(address, true); wait < 1 || wait > 61 {
		t.Errorf("a flood waits %d s", wait)
	}
	if l.take(netip.MustParseAddr("192.0.2.8"), true) > 0 {
		t.Error("another address waits too")
	}
}

// TestLimitsCountWholeIPv6Networks: who has a /48 has 65,536 networks to call from.
func TestLimitsCountWholeIPv6Networks(t *testing.T) {
	l := newLimiter(func() time.Time { return time.Unix(1_800_000_000, 0) })
	calls := 0
	for ; calls <= 65_536; calls++ {
		a := netip.MustParseAddr("2001:db8:1::").As16()
		a[6], a[7] = byte(calls>>8), byte(calls)
		if l.take(netip.AddrFrom16(a), true) > 0 {
			break
		}
	}
	if calls > 16*openPerMinute {
		t.Errorf("%d open calls from one /48", calls)
	}
	if l.take(netip.MustParseAddr("2001:db8:2::1"), true) > 0 {
		t.Error("another customer's network pays for it")
	}
}

// TestManyNetworksWipeNoCounts: who calls once from each of very many networks has nobody else's calls forgotten, and
// takes a bounded room.
func TestManyNetworksWipeNoCounts(t *testing.T) {
	l := newLimiter(func() time.Time { return time.Unix(1_800_000_000, 0) })
	flooding := netip.MustParseAddr("192.0.2.7")
	wide := netip.MustParseAddr("2001:db8::").As16()
	for l.take(flooding, true) == 0 {
	}
	for i := range 2 * maxCounted {
		a := wide // each of another /48
		a[3], a[4], a[5] = byte(i>>16), byte(i>>8), byte(i)
		if l.take(netip.AddrFrom16(a), true) > 0 {
			t.Fatalf("network %d waits for the others", i)
		}
		if len(l.counts) > maxCounted {
			t.Fatalf("%d networks are counted", len(l.counts))
		}
	}
	if l.take(flooding, true) == 0 {
		t.Error("what was over its limit is not any more")
	}
}

// TestStrangersLeaveSignInsTheirCalls: who floods an address takes nothing from those behind it who are signed in, and
// these have no more than they need.
func TestStrangersLeaveSignInsTheirCalls(t *testing.T) {
	now := time.Date(2026, 11, 24, 8, 30, 0, 0, time.UTC)
	l := newLimiter(func() time.Time { return now })
	address := netip.MustParseAddr("192.0.2.7")
	flood := func() {
		for l.take(address, false) == 0 {
		}
	}
	flood()
	if known, _ := l.takeOwn("stranger"); known {
		t.Error("a cookie that nobody gave out has calls of its own")
	}
	sees := func(known, free bool) {
		t.Helper()
		if k, wait := l.takeOwn("staff"); k != known || wait > 61 || (wait == 0) != free {
			t.Fatalf("known: %t, wait %d s", k, wait)
		}
	}
	l.meet("staff", "tanaka")
	for range ownPerMinute {
		sees(true, true)
	}
	sees(true, false)
	now = now.Add(time.Minute)
	flood()
	sees(true, true)
	l.forget("staff")
	sees(false, true)
	l.meet("staff", "tanaka")
	now = now.Add(ownFor + time.Minute)
	flood()
	if len(l.met) != 0 {
		t.Error("a sign-in is kept that has not shown itself for long")
	}
}

// TestSignInsOfAUserShareTheirCalls: who signs in many times has no more calls than in one, and takes none from others.
func TestSignInsOfAUserShareTheirCalls(t *testing.T) {
	l := newLimiter(time.Now)
	l.window = time.Now()
	l.meet("sato's", "sato")
	answered := 0
	for i := range 40 {
		token := fmt.Sprint(i)
		l.meet(token, "tanaka")
		for range ownPerMinute / 4 {
			if _, wait := l.takeOwn(token); wait == 0 {
				answered++
			}
		}
	}
	if answered != ownPerMinute {
		t.Errorf("%d calls in forty sign-ins, %d in one", answered, ownPerMinute)
	}
	if known, wait := l.takeOwn("sato's"); !known || wait > 0 {
		t.Errorf("somebody else waits for %d s", wait)
	}
}

// TestFloodedAddressAdmitsSignIns: the same at the gate, with a cookie that is in the store.
func TestFloodedAddressAdmitsSignIns(t *testing.T) {
	clock := storetest.NewClock()
	town := storetest.Open(t, storetest.SQLite(t), clock.Now)
	storetest.Town(t, town)
	tanaka, err := town.User(t.Context(), "tanaka")
	if err != nil {
		t.Fatal(err)
	}
	token := make([]byte, 16, 32)
	mac := hmac.New(sha256.New, make([]byte, 32)) // with the secret of the service below
	mac.Write(token)
	token = append(token, mac.Sum(nil)[:16]...)
	err = town.AddSignIn(t.Context(), store.SignIn{
		Hash: sha256.Sum256(append([]byte("jiseki-sign-in-1\x00"), token...)), User: "tanaka", Device: "d1", Place: access.Home,
		Address: "203.0.113.9", UntilMS: clock.Now().Add(time.Hour).UnixMilli(),
	}, &tanaka, [32]byte{})
	if err != nil {
		t.Fatal(err)
	}
	met := ""
	s := New(Config{
		Now: clock.Now, Store: town, Auth: auth.New(auth.Config{Store: town, Now: clock.Now}),
		Met: func(who string, at netip.Addr) { met += who + " " + at.String() },
	})
	address := netip.MustParseAddr("203.0.113.9")
	ctx := withRequest(t.Context(), &request{remote: address})
	call := func(token []byte) error {
		header := http.Header{"Cookie": {cookieName + "=" + base64.RawURLEncoding.EncodeToString(token)}}
		_, err := s.admit(ctx, Public, signedIn, header)
		return err
	}
	if err := call(token); err != nil || met != "user:tanaka 203.0.113.9" {
		t.Fatalf("%v; met %q", err, met)
	}
	for s.limiter.take(address, false) == 0 {
	}
	if err := call(token); err != nil {
		t.Errorf("who is signed in is told %v", err)
	}
	if err := call([]byte("a cookie that was never given out")[:32]); failureOf(err).code != access.TooManyAtOnce {
		t.Errorf("a stranger is told %v", err)
	}
}

// TestLimitsAfterTheClockWasSetBack: nobody waits for a minute of a clock that was ahead.
func TestLimitsAfterTheClockWasSetBack(t *testing.T) {
	now := time.Date(2026, 11, 24, 8, 30, 0, 0, time.UTC)
	l, p := newLimiter(func() time.Time { return now }), newProbes(func() time.Time { return now })
	address := netip.MustParseAddr("192.0.2.7")
	for l.take(address, true) == 0 {
	}
	for p.take("tanaka", 1) == 0 {
	}
	now = now.Add(-30 * 24 * time.Hour)
	if wait := l.take(address, true); wait > 0 {
		t.Errorf("calls wait %d s", wait)
	}
	if wait := p.take("tanaka", 1); wait > 0 {
		t.Errorf("measurements wait %d s", wait)
	}
}
