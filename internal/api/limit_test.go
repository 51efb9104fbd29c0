package api

import (
	"net/netip"
	"testing"
	"time"
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
