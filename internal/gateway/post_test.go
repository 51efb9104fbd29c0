package gateway

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMailPasswordIsForTheGatewayOnly: the file that others may read is refused, the one that is not there said.
func TestMailPasswordIsForTheGatewayOnly(t *testing.T) {
	c := &core{cfg: Config{DataDir: t.TempDir()}}
	if _, err := c.mailPassword(); err == nil || c.mailPasswordSet() {
		t.Errorf("a password without a file: %v", err)
	}
	path := filepath.Join(c.cfg.DataDir, "mail_password")
	if err := os.WriteFile(path, []byte("ひみつ \r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := c.mailPassword(); err != nil || got != "ひみつ " || !c.mailPasswordSet() {
		t.Errorf("%q, %v", got, err)
	}
	if err := os.Chmod(path, 0o640); err != nil { //nolint:gosec // what is refused
		t.Fatal(err)
	}
	if _, err := c.mailPassword(); err == nil || !strings.Contains(err.Error(), "0640") || c.mailPasswordSet() {
		t.Errorf("a file that others may read: %v", err)
	}
}

func TestMailRoots(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readRoots(path); err == nil {
		t.Error("a file without a certificate is accepted")
	}
	if _, err := readRoots(path + ".gone"); err == nil {
		t.Error("a file that is not there is accepted")
	}
	if roots, err := readRoots(""); err != nil || roots != nil {
		t.Errorf("without a file: %v, %v", roots, err)
	}
}
