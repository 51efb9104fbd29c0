package gateway_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jiseki/internal/auth"
	"jiseki/internal/gateway"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
)

// founded is the configuration of an organisation that is not running.
func founded(t *testing.T) (gateway.Config, gateway.Environment, gateway.Founding) {
	t.Helper()
	cfg := gateway.Default()
	cfg.DataDir = filepath.Join(t.TempDir(), "data")
	env := gateway.Environment{Cost: auth.Cost{MemoryKB: 64, Passes: 1, Threads: 1}, Now: time.Now}
	f := gateway.Founding{Organisation: "みどり町", Address: "https://telework.example.lg.jp", AdminID: "admin", AdminName: "管理 花子"}
	if _, err := gateway.Init(t.Context(), cfg, env, f); err != nil {
		t.Fatal(err)
	}
	return cfg, env, f
}

func refusedWith(t *testing.T, err error, code, names string) {
	t.Helper()
	var known *gateway.Error
	if !errors.As(err, &known) || known.Code != code || !strings.Contains(known.Ja, names) || !strings.Contains(known.En, names) {
		t.Errorf("%v, want %s that names %s", err, code, names)
	}
}

// TestInitRefusesWhatIsLeft: a database that was lost is not founded over with the keys and heads that are left.
func TestInitRefusesWhatIsLeft(t *testing.T) {
	cfg, env, f := founded(t)
	files, err := filepath.Glob(filepath.Join(cfg.DataDir, "jiseki.db*"))
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	for _, file := range files {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
	keys := filepath.Join(cfg.DataDir, "keys")
	_, err = gateway.Init(t.Context(), cfg, env, f)
	refusedWith(t, err, "leftovers", keys)
	if err := os.Rename(keys, keys+".old"); err != nil {
		t.Fatal(err)
	}
	_, err = gateway.Init(t.Context(), cfg, env, f)
	refusedWith(t, err, "leftovers", filepath.Join(cfg.DataDir, "heads.log"))
	if _, err := os.Stat(keys); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("keys were made although the founding was refused: %v", err)
	}
}

// TestMissingKeyIsNamed, by the gateway and by commands, and not made anew.
func TestMissingKeyIsNamed(t *testing.T) {
	for _, name := range []string{"grant.key", "device-ca.key", "desk-ca.key", "audit.key", "secret.key", "tls-ca.key", "tls-ca.crt", "trust.bundle"} {
		t.Run(name, func(t *testing.T) {
			cfg, env, f := founded(t)
			path := filepath.Join(cfg.DataDir, "keys", name)
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			g, err := gateway.New(cfg, env)
			if err != nil {
				t.Fatal(err)
			}
			refusedWith(t, g.Run(t.Context()), "key_missing", path)
			_, _, err = gateway.OpenAdmin(t.Context(), cfg)
			refusedWith(t, err, "key_missing", path)
			_, err = gateway.Init(t.Context(), cfg, env, f)
			refusedWith(t, err, "already_initialised", "")
			if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("a missing key was made anew: %v", err)
			}
		})
	}
}

// TestNamesThatTheCAMayNotSign: the gateway does not start when it has none but names that its TLS CA may not sign, and
// names them.
func TestNamesThatTheCAMayNotSign(t *testing.T) {
	cfg, env, _ := founded(t)
	admin, done, err := gateway.OpenAdmin(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	now, err := admin.GetSettings(t.Context(), &controlv1.GetSettingsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	now.GetSettings().Address = "https://moved.example.lg.jp"
	_, err = admin.UpdateSettings(t.Context(), &controlv1.UpdateSettingsRequest{Settings: now.GetSettings(), Revision: now.GetRevision()})
	if err := errors.Join(err, done()); err != nil {
		t.Fatal(err)
	}
	cfg.TLS.Names = []string{"192.0.2.9"}
	g, err := gateway.New(cfg, env)
	if err != nil {
		t.Fatal(err)
	}
	refusedWith(t, g.Run(t.Context()), "tls_names", "moved.example.lg.jp, 192.0.2.9")
}
