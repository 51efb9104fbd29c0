package agent_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"jiseki/internal/agent"
	"jiseki/internal/cert"
	"jiseki/internal/enrol"
	"jiseki/internal/gateway/gatewaytest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
)

// TestEnrolAgain: an enrolled desk is not enrolled by mistake; when it is asked for, or when the certificate has
// expired, a new token brings a new certificate for the same desk and the same key.
func TestEnrolAgain(t *testing.T) {
	town := gatewaytest.Start(t)
	desk, text := town.NewDesk(t, "総務課 1")
	cfg := agent.EnrollConfig{
		Dir: filepath.Join(t.TempDir(), "agent"), Gateway: "https://" + town.Host, Proxy: "direct", Version: "test", Hostname: "pc-1", Now: time.Now,
	}
	enroll := func(text string, again bool) error {
		t.Helper()
		token, err := enrol.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Token, cfg.Again = token, again
		_, err = agent.Enroll(t.Context(), cfg)
		return err
	}
	newToken := func() string {
		t.Helper()
		r, err := town.Admin.CreateDeskToken(t.Context(), &controlv1.CreateDeskTokenRequest{DeskId: desk})
		if err != nil {
			t.Fatal(err)
		}
		return r.GetToken()
	}
	home := func() *agent.Home {
		t.Helper()
		h, err := agent.LoadHome(cfg.Dir)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	if err := enroll(text, false); err != nil {
		t.Fatal(err)
	}
	first := home()
	again := newToken()
	if err := enroll(again, false); !errors.Is(err, agent.ErrEnrolled) {
		t.Fatalf("an enrolled desk without --again: %v", err)
	}
	replaced := func(before *agent.Home) {
		t.Helper()
		after := home()
		if after.Identity.Public() != before.Identity.Public() || after.Self.Key != before.Self.Key {
			t.Error("the key is another one")
		}
		if after.Self.Subject != desk {
			t.Errorf("now it is desk %s, want %s", after.Self.Subject, desk)
		}
		if bytes.Equal(after.Self.Append(nil), before.Self.Append(nil)) {
			t.Error("the certificate is the old one")
		}
		if err := after.Self.Verify(cert.KindDesk, after.Bundle.DeskCAs, time.Now(), cert.Skew); err != nil {
			t.Errorf("the new certificate: %v", err)
		}
	}
	if err := enroll(again, true); err != nil {
		t.Fatalf("with --again: %v", err)
	}
	replaced(first)

	expired := *home().Self
	expired.NotBefore, expired.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
	if err := os.WriteFile(filepath.Join(cfg.Dir, "desk.cert"), expired.Append(nil), 0o600); err != nil {
		t.Fatal(err)
	}
	before := home()
	if err := enroll(newToken(), false); err != nil {
		t.Fatalf("with an expired certificate: %v", err)
	}
	replaced(before)
	if err := enroll(again, true); err == nil {
		t.Error("a token was good twice")
	}
	replaced(before) // what failed changed nothing
}
