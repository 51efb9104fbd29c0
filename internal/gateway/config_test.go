package gateway_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jiseki/internal/gateway"
)

func load(t *testing.T, text string) (gateway.Config, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gateway.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return gateway.LoadConfig(path)
}

func TestDefaultIsValid(t *testing.T) {
	cfg, err := load(t, "")
	if err != nil {
		t.Fatal(err)
	}
	if want := gateway.Default(); cfg.DataDir != want.DataDir || cfg.Public != want.Public || !cfg.Office.Shared {
		t.Errorf("an empty file gives %+v", cfg)
	}
}

// several is what one of several gateways needs beside the bus.
const several = "[database]\nurl_file = '/x'\n[relay]\ndesk_address = 'g1:443'\n"

func TestWrongConfigurationsAreRefused(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"misspelt":           {"dta_dir = '/x'", "dta_dir"},
		"misspelt inside":    {"[tls]\ncert = 'x'", "cert"},
		"relative data":      {"data_dir = 'x'", "absolute"},
		"level":              {"log_level = 'loud'", "loud"},
		"no zone":            {"zones = []", "zones"},
		"unknown zone":       {"zones = ['dmz']", "dmz"},
		"mynumber and more":  {"zones = ['mynumber', 'internet']", "of its own"},
		"zone twice":         {"zones = ['lgwan', 'lgwan']", "twice"},
		"no port":            {"[public]\naddress = 'host'", "host:port"},
		"no public":          {"[public]\naddress = ''", "public.address"},
		"certificate alone":  {"[tls]\ncertificate_file = '/x'", "go together"},
		"plain bus":          {several + "[bus]\nurl = 'nats://x:4222'", "tls://"},
		"password in bus":    {several + "[bus]\nurl = 'tls://u:p@x:4222'", "credentials_file"},
		"bus and SQLite":     {"[relay]\ndesk_address = 'g1:443'\n[bus]\nurl = 'tls://x:4222'", "database.url_file"},
		"bus, no relay":      {"[database]\nurl_file = '/x'\n[bus]\nurl = 'tls://x:4222'", "relay.desk_address"},
		"relative mail file": {"[mail]\npassword_file = 'x'", "mail.password_file"},
		"mail CA elsewhere":  {"[mail]\nca_file = 'x'", "mail.ca_file"},
		"shared and address": {"[office]\naddress = ':8443'", "office.shared"},
	} {
		if _, err := load(t, c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q in it", name, err, c.want)
		}
	}
}

func TestOneOfSeveralGateways(t *testing.T) {
	if _, err := load(t, several+"[bus]\nurl = 'tls://x:4222,tls://y:4222'"); err != nil {
		t.Error(err)
	}
}

func TestSeparateOfficeListener(t *testing.T) {
	cfg, err := load(t, "zones = ['mynumber']\n[office]\naddress = '10.0.0.1:8443'\nshared = false")
	if err != nil || !cfg.MyNumber() {
		t.Errorf("got %+v, %v", cfg, err)
	}
}
