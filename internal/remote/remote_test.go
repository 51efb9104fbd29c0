package remote_test

import (
	"net/netip"
	"slices"
	"testing"

	"jiseki/internal/remote"
)

func TestAddr(t *testing.T) {
	for hostPort, want := range map[string]string{
		"192.0.2.7:443":                   "192.0.2.7",
		"[::ffff:192.0.2.7]:443":          "192.0.2.7",
		"[2001:db8:1:2:3:4:5:6]:1":        "2001:db8:1:2:3:4:5:6",
		"[fe80::1%eth0]:443":              "fe80::1",
		"":                                "invalid IP",
		"@":                               "invalid IP",
		"/run/jiseki-gateway/admin.sock":  "invalid IP",
		"192.0.2.7":                       "invalid IP",
		"gateway.example:443":             "invalid IP",
		"192.0.2.7:443, 198.51.100.1:443": "invalid IP",
	} {
		if got := remote.Addr(hostPort).String(); got != want {
			t.Errorf("%q: %s, want %s", hostPort, got, want)
		}
	}
}

func TestNetwork(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.7":            "192.0.2.7/32",
		"::ffff:192.0.2.7":     "192.0.2.7/32",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
		"2001:db8:1:2:ffff::":  "2001:db8:1:2::/64",
		"2001:db8:1:3::":       "2001:db8:1:3::/64",
		"fe80::1%eth0":         "fe80::/64",
		"::1":                  "::/64",
	} {
		if got := remote.Network(netip.MustParseAddr(address)).String(); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
	if got := remote.Network(netip.Addr{}); got != (netip.Prefix{}) {
		t.Errorf("zero: %s", got)
	}
}

func TestNetworks(t *testing.T) {
	got := remote.Networks(netip.MustParseAddr("2001:db8:1:2345::6"))
	want := []remote.Share{
		{Prefix: netip.MustParsePrefix("2001:db8:1:2345::/64"), Times: 1},
		{Prefix: netip.MustParsePrefix("2001:db8:1:2300::/56"), Times: 4},
		{Prefix: netip.MustParsePrefix("2001:db8:1::/48"), Times: 16},
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	for _, a := range []netip.Addr{netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("::ffff:192.0.2.7"), {}} {
		if got := remote.Networks(a); len(got) != 1 || got[0] != (remote.Share{Prefix: remote.Network(a), Times: 1}) {
			t.Errorf("%s: %v", a, got)
		}
	}
}
