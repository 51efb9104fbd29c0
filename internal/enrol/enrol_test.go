package enrol_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"jiseki/internal/ca"
	"jiseki/internal/enrol"
)

func TestTokenText(t *testing.T) {
	k := enrol.New([32]byte{1, 2, 3})
	got, err := enrol.Parse(" " + k.Text() + "\n")
	if err != nil || got != k || got.Hash() != enrol.Hash(k.Secret) {
		t.Fatalf("%v, %v", got, err)
	}
	text := k.Text()
	for i := range text {
		if _, err := enrol.Parse(text[:i]); err == nil {
			t.Errorf("%d characters are a token", i)
		}
		c := byte('A')
		if text[i] == c {
			c = 'B'
		}
		if _, err := enrol.Parse(text[:i] + string(c) + text[i+1:]); err == nil {
			t.Errorf("wrong character %d is not noticed", i)
		}
	}
	if _, err := enrol.Parse(text + "A"); err == nil {
		t.Error("longer is a token")
	}
	if s := fmt.Sprintf("%v %+v %#v %s", k, k, k, k); strings.Contains(s, text) || strings.Contains(s, "Secret") {
		t.Errorf("printing shows %s", s)
	}
	if a, b := enrol.New([32]byte{}), enrol.New([32]byte{}); a == b {
		t.Error("the same secret twice")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(enrol.New([32]byte{9}).Text())
	f.Fuzz(func(t *testing.T, s string) {
		if k, err := enrol.Parse(s); err == nil && k.Text() != strings.TrimSpace(s) {
			t.Errorf("%q is another text of %q", s, k.Text())
		}
	})
}

func authority(t *testing.T) *ca.Authority {
	t.Helper()
	a, err := ca.Create(ca.Config{Dir: t.TempDir(), Now: time.Now}, "青葉町")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestTokenTrustsItsGatewayOnly dials real TLS: the right gateway by its right name, and nothing else.
func TestTokenTrustsItsGatewayOnly(t *testing.T) {
	ours, theirs := authority(t), authority(t)
	for name, c := range map[string]struct {
		serves *ca.Authority
		names  []string
		token  enrol.Token
		want   error
	}{
		"ours":         {ours, []string{"gw.test"}, enrol.New(ours.Fingerprint()), nil},
		"another's":    {theirs, []string{"gw.test"}, enrol.New(ours.Fingerprint()), enrol.ErrGateway},
		"another name": {ours, []string{"other.test"}, enrol.New(ours.Fingerprint()), enrol.ErrGateway},
	} {
		cfg, err := c.serves.ServerTLS(c.names)
		if err != nil {
			t.Fatal(err)
		}
		err = dial(t, cfg, c.token.TLS("gw.test"))
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	cfg, err := ours.ServerTLS([]string{"gw.test", "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	if err := dial(t, cfg, enrol.New(ours.Fingerprint()).TLS("127.0.0.1")); err != nil {
		t.Errorf("ours by its address: %v", err)
	}
	if dial(t, cfg, enrol.New([32]byte{}).TLS("gw.test")) == nil {
		t.Error("a token without fingerprint trusts a private CA")
	}
	// A man in the middle who sends our CA certificate along with a leaf of his own.
	leaf, err := theirs.ServerTLS([]string{"gw.test"})
	if err != nil {
		t.Fatal(err)
	}
	own, err := leaf.GetCertificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	mixed := *own
	mixed.Certificate = [][]byte{own.Certificate[0], ours.Bundle().TLS[0]}
	middle := &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{mixed}}
	if err := dial(t, middle, enrol.New(ours.Fingerprint()).TLS("gw.test")); !errors.Is(err, enrol.ErrGateway) {
		t.Errorf("man in the middle: %v", err)
	}
}

func dial(t *testing.T, server, client *tls.Config) error {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		_ = tls.Server(c, server).Handshake() // the client's error is what counts
		_ = c.Close()
	}()
	client.ServerName = "gw.test"
	c, err := tls.Dial("tcp", l.Addr().String(), client)
	if err != nil {
		return err
	}
	return c.Close()
}
