package gateway

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"jiseki/internal/ca"
)

func codeOf(err error) string {
	var known *Error
	if errors.As(err, &known) {
		return known.Code
	}
	return ""
}

// TestSecretsAreForTheGatewayOnly: no file with a secret is taken that others may read.
func TestSecretsAreForTheGatewayOnly(t *testing.T) {
	for name, read := range map[string]func(*core, string) error{
		"database.url_file": func(c *core, path string) error {
			c.cfg.Database.URLFile = path
			_, err := c.cfg.DSN()
			return err
		},
		"bus.credentials_file": func(c *core, path string) error {
			c.cfg.Bus.CredentialsFile = path // and no URL: one of this process
			err := c.openBus(t.Context())
			if c.bus != nil {
				c.bus.Close()
			}
			return err
		},
		"mail.password_file": func(c *core, path string) error {
			c.cfg.Mail.PasswordFile = path
			_, err := c.mailPassword()
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "secret")
			if err := os.WriteFile(path, []byte("himitsu\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			for mode, want := range map[os.FileMode]string{0o600: "", 0o400: "", 0o644: "secret_exposed", 0o640: "secret_exposed"} {
				if err := os.Chmod(path, mode); err != nil {
					t.Fatal(err)
				}
				c := &core{env: Environment{Log: slog.New(slog.DiscardHandler)}}
				if err := read(c, path); codeOf(err) != want || want == "" && err != nil {
					t.Errorf("mode %04o: %v, want %q", mode, err, want)
				}
			}
		})
	}
}

// TestRootLeavesNothingInTheGatewaysFolder: what root makes there, as by a step of keys, the gateway could not read.
func TestRootLeavesNothingInTheGatewaysFolder(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root may write into another's folder")
	}
	dir := t.TempDir()
	const nobody = 65534
	for _, folder := range []string{dir, filepath.Join(dir, "keys")} { // as if there were an organisation
		if err := errors.Join(os.MkdirAll(folder, 0o700), os.Chown(folder, nobody, nobody)); err != nil {
			t.Fatal(err)
		}
	}
	cfg := Default()
	cfg.DataDir, cfg.Public.Address = dir, "127.0.0.1:0"
	env := Environment{Log: slog.New(slog.DiscardHandler)}
	for name, do := range map[string]func() error{
		"keys":     func() error { _, err := ChangeKeys(t.Context(), cfg, env, KeyPrepare, ca.Role("grant")); return err },
		"keys tls": func() error { _, err := RenewTLS(t.Context(), cfg, env); return err },
		"init": func() error {
			_, err := Init(t.Context(), cfg, env, Founding{Organisation: "町", Address: "https://localhost", AdminID: "kanri", AdminName: "管理"})
			return err
		},
		"a command while no gateway runs": func() error {
			_, done, err := OpenAdmin(t.Context(), cfg)
			if err == nil {
				err = done()
			}
			return err
		},
		"serve": func() error {
			g, err := New(cfg, env)
			if err == nil {
				err = g.Run(t.Context())
			}
			return err
		},
	} {
		if err := do(); codeOf(err) != "wrong_user" {
			t.Errorf("%s: %v", name, err)
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if keys, _ := os.ReadDir(filepath.Join(dir, "keys")); err != nil || len(left) != 1 || len(keys) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
