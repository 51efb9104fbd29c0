package wake

import (
	"bytes"
	"encoding/hex"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var someMAC = MAC{0x00, 0x1b, 0x21, 0x3a, 0x4b, 0x5c}

func TestPacketIsAsPublished(t *testing.T) {
	p := Packet(someMAC)
	want := "ffffffffffff" + strings.Repeat("001b213a4b5c", 16)
	if got := hex.EncodeToString(p[:]); got != want {
		t.Errorf("packet\n%s\nwant\n%s", got, want)
	}
	for n := range p {
		if _, err := Parse(p[:n]); !errors.Is(err, ErrPacket) {
			t.Fatalf("a prefix of %d bytes is read: %v", n, err)
		}
	}
	for _, tail := range []int{0, 4, 6} {
		got, err := Parse(append(p[:], make([]byte, tail)...))
		if err != nil || got != someMAC {
			t.Errorf("with %d bytes of password: %v, %v", tail, got, err)
		}
	}
	if _, err := Parse(append(p[:], 1)); !errors.Is(err, ErrPacket) {
		t.Errorf("a trailing byte is read: %v", err)
	}
}

func TestOnlyItsOwnPacketWakes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := MAC(rapid.SliceOfN(rapid.Byte(), 6, 6).Draw(t, "mac"))
		other := MAC(rapid.SliceOfN(rapid.Byte(), 6, 6).Draw(t, "other"))
		before := rapid.SliceOfN(rapid.Byte(), 0, 60).Draw(t, "before")
		p := Packet(m)
		frame := append(bytes.Clone(before), p[:]...)
		if !Wakes(frame, m) {
			t.Fatal("its packet does not wake it")
		}
		if Wakes(frame[:len(frame)-1], m) && m != (MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}) {
			t.Fatal("a part of its packet wakes it")
		}
		if other != m && Wakes(p[:], other) {
			t.Fatalf("the packet of %s wakes %s", m, other)
		}
	})
}

func TestMACs(t *testing.T) {
	for _, c := range []struct {
		hex  string
		good bool
	}{
		{"001b213a4b5c", true},
		{"021b213a4b5c", true},
		{"011b213a4b5c", false},
		{"ffffffffffff", false},
		{"000000000000", false},
		{"001b213a4b", false},
		{"001b213a4b5c5c5c", false},
		{"", false},
	} {
		b, err := hex.DecodeString(c.hex)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := NewMAC(b); (err == nil) != c.good {
			t.Errorf("%s: %v", c.hex, err)
		}
	}
}

func TestBroadcast(t *testing.T) {
	for prefix, want := range map[string]string{
		"192.168.10.5/24": "192.168.10.255", "10.1.2.3/8": "10.255.255.255", "172.16.5.9/22": "172.16.7.255", "192.0.2.1/30": "192.0.2.3",
	} {
		if got := Broadcast(netip.MustParsePrefix(prefix)); got.String() != want {
			t.Errorf("%s: %s, want %s", prefix, got, want)
		}
	}
}

func TestTargets(t *testing.T) {
	p := netip.MustParsePrefix
	adapters := []Adapter{
		{Name: "eth0", Prefixes: []netip.Prefix{p("192.168.10.5/24")}},
		{Name: "eth1", Prefixes: []netip.Prefix{p("192.168.20.5/24"), p("10.0.0.5/16")}},
	}
	m, err := New(Config{Reaches: []netip.Prefix{p("192.168.0.0/16")}})
	if err != nil {
		t.Fatal(err)
	}
	a := netip.MustParseAddr
	for _, c := range []struct {
		name     string
		networks []netip.Prefix
		want     []target
	}{
		{"stands in it", []netip.Prefix{p("192.168.10.0/24")}, []target{
			{"eth0", a("192.168.10.5"), a("255.255.255.255")}, {"eth0", a("192.168.10.5"), a("192.168.10.255")},
		}},
		{"twice is once", []netip.Prefix{p("10.0.0.0/16"), p("10.0.9.9/16")}, []target{
			{"eth1", a("10.0.0.5"), a("255.255.255.255")}, {"eth1", a("10.0.0.5"), a("10.0.255.255")},
		}},
		{"reaches it", []netip.Prefix{p("192.168.30.0/24")}, []target{{to: a("192.168.30.255")}}},
		{"does not reach it", []netip.Prefix{p("10.1.0.0/16"), p("192.0.0.0/8")}, nil},
		{"another length is another network", []netip.Prefix{p("10.0.0.0/24")}, nil},
	} {
		got := m.targets(adapters, c.networks)
		if d := cmp.Diff(c.want, got, cmp.AllowUnexported(target{}), cmp.Comparer(func(x, y netip.Addr) bool { return x == y })); d != "" {
			t.Errorf("%s (-want +got)\n%s", c.name, d)
		}
	}
}

// TestLimits: whatever is asked, nothing leaves but what the machine may send.
func TestLimits(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	m, err := New(Config{Adapters: func() ([]Adapter, error) { return nil, nil }, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	network := []netip.Prefix{netip.MustParsePrefix("192.168.10.0/24")}
	one := []MAC{someMAC}
	for name, c := range map[string]struct {
		macs     []MAC
		networks []netip.Prefix
		want     error
	}{
		"no machine":        {nil, network, ErrOrder},
		"too many adapters": {make([]MAC, maxMACs+1), network, ErrOrder},
		"no network":        {one, nil, ErrOrder},
		"too many networks": {one, make([]netip.Prefix, maxNetworks+1), ErrOrder},
		"the whole world":   {one, []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}, ErrOrder},
		"IPv6":              {one, []netip.Prefix{netip.MustParsePrefix("fd00::/64")}, ErrOrder},
		"one machine":       {one, []netip.Prefix{netip.MustParsePrefix("192.168.10.1/32")}, ErrOrder},
		"elsewhere":         {one, network, ErrNotHere},
	} {
		if err := m.Wake(t.Context(), c.macs, c.networks); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	now = now.Add(time.Minute)
	for range perMinute {
		if err := m.Wake(t.Context(), one, network); !errors.Is(err, ErrNotHere) {
			t.Fatal(err)
		}
	}
	if err := m.Wake(t.Context(), one, network); !errors.Is(err, ErrTooMany) {
		t.Errorf("order %d in a minute: %v", perMinute+1, err)
	}
	now = now.Add(time.Minute)
	if err := m.Wake(t.Context(), one, network); !errors.Is(err, ErrNotHere) {
		t.Errorf("in the next minute: %v", err)
	}
	for range perMinute {
		_ = m.Wake(t.Context(), one, network)
	}
	now = now.Add(-time.Hour)
	if err := m.Wake(t.Context(), one, network); !errors.Is(err, ErrNotHere) {
		t.Errorf("after the clock was set back: %v", err)
	}
	if _, err := New(Config{Reaches: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}}); err == nil {
		t.Error("a machine may reach the whole world")
	}
}

// TestSendWhereNobodyAnswers: a broadcast needs no listener; an address that cannot be sent from is an error.
func TestSendReportsFailure(t *testing.T) {
	bad := target{from: netip.MustParseAddr("203.0.113.77"), to: netip.MustParseAddr("203.0.113.255")}
	if err := send(t.Context(), []MAC{someMAC}, []target{bad}); err == nil {
		t.Error("sending from a foreign address worked")
	}
}

func TestNetworksOfAnAdapter(t *testing.T) {
	var addresses []net.Addr
	for _, s := range []string{"192.168.10.5/24", "169.254.3.4/16", "fe80::1/64", "10.0.0.1/32", "10.9.0.1/31", "10.8.0.1/30"} {
		ip, n, err := net.ParseCIDR(s)
		if err != nil {
			t.Fatal(err)
		}
		addresses = append(addresses, &net.IPNet{IP: ip, Mask: n.Mask})
	}
	var got []string
	for _, p := range networks(addresses) {
		got = append(got, p.String())
	}
	if d := cmp.Diff([]string{"192.168.10.5/24", "10.8.0.1/30"}, got); d != "" {
		t.Error(d)
	}
	if _, err := Adapters(); err != nil {
		t.Errorf("the adapters of this machine: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	p := Packet(someMAC)
	f.Add(p[:])
	f.Add(append(p[:], 1, 2, 3, 4))
	f.Add(p[:50])
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Parse(b)
		if err != nil {
			return
		}
		if !Wakes(b, m) {
			t.Errorf("%x is read as the packet of %s and does not wake it", b, m)
		}
	})
}

// BenchmarkPacket: what waking one machine costs before the kernel has it.
func BenchmarkPacket(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		p := Packet(someMAC)
		if p[0] != 0xff {
			b.Fatal(p[0])
		}
	}
}
