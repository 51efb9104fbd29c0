package gateway

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"jiseki/internal/cert"
)

// Config is what the gateway reads from its file. What the administrator
// changes while it runs (networks, limits, rules) are settings in the database
// instead.
type Config struct {
	// DataDir holds database, keys and the administrative socket; its owner alone
	// may enter it.
	DataDir string `toml:"data_dir"`
	// LogLevel is debug, info, warn or error.
	LogLevel string `toml:"log_level"`
	// Zones that this gateway serves: lgwan and internet, or mynumber alone.
	Zones    []string       `toml:"zones"`
	Public   PublicConfig   `toml:"public"`
	Office   OfficeConfig   `toml:"office"`
	TLS      TLSConfig      `toml:"tls"`
	Database DatabaseConfig `toml:"database"`
	Bus      BusConfig      `toml:"bus"`
	Relay    RelayConfig    `toml:"relay"`
	Agents   AgentsConfig   `toml:"agents"`
	Audit    AuditConfig    `toml:"audit"`
	Mail     MailConfig     `toml:"mail"`
}

// PublicConfig is the listener for viewers and agents.
type PublicConfig struct {
	// Address to listen on, as host:port; an empty host means all.
	Address string `toml:"address"`
}

// OfficeConfig is the listener that answers the console too.
type OfficeConfig struct {
	// Address to listen on. Empty: there is none, and Shared decides.
	Address string `toml:"address"`
	// Shared lets the public listener answer the console for requests from office
	// networks: for demos and small town halls without a network of their own.
	Shared bool `toml:"shared"`
}

// TLSConfig says where the certificate of the listeners comes from. Without
// files the gateway issues its own from its TLS CA.
type TLSConfig struct {
	CertificateFile string `toml:"certificate_file"`
	KeyFile         string `toml:"key_file"`
	// Names are host names and addresses in the certificate the gateway issues,
	// beside that of the portal's address.
	Names []string `toml:"names"`
}

// AgentsConfig says where desks stand.
type AgentsConfig struct {
	// Networks from which agents may connect, such as 192.168.10.0/24: desks stand in the hall, and a copied key of one
	// does not open the way in from elsewhere.
	Networks []string `toml:"networks"`
}

// DatabaseConfig says where the database is. Without it, it is SQLite in DataDir.
type DatabaseConfig struct {
	// URLFile holds a postgres:// URL; it is a file because it has a password, for the gateway's user alone.
	URLFile string `toml:"url_file"`
}

// BusConfig says where NATS is. Without it, it runs inside the process.
type BusConfig struct {
	URL             string `toml:"url"`
	CredentialsFile string `toml:"credentials_file"`
	CAFile          string `toml:"ca_file"`
}

// RelayConfig says how desks reach the relay.
type RelayConfig struct {
	// DeskAddress is host:port of the relay as desks see it. Empty: that of the
	// portal's address.
	DeskAddress string `toml:"desk_address"`
	// MaxSessions bounds the pairs of this relay; 0 is its own default.
	MaxSessions int `toml:"max_sessions"`
}

// AuditConfig says where copies of the audit log's signed heads go, beside the gateway's own log and the agents.
type AuditConfig struct {
	// HeadsFile gets a line after each act that gives or takes a right, and one a minute while other events come in; it
	// is only appended to. Empty: heads.log in DataDir.
	HeadsFile string `toml:"heads_file"`
	// Syslog is the datagram socket of a syslog daemon, usually /dev/log. Empty: none.
	Syslog string `toml:"syslog"`
}

// DefaultDataDir is where the packages keep the gateway's data.
const DefaultDataDir = "/var/lib/jiseki-gateway"

// Default is the configuration of one small town hall.
func Default() Config {
	return Config{
		DataDir:  DefaultDataDir,
		LogLevel: "info",
		Zones:    []string{cert.ZoneLGWAN, cert.ZoneInternet},
		Public:   PublicConfig{Address: ":443"},
		Office:   OfficeConfig{Shared: true},
		// Private and local networks (RFC 1918, RFC 4193, RFC 4291), and this machine.
		Agents: AgentsConfig{Networks: []string{
			"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "fc00::/7", "fe80::/10", "::1/128",
		}},
	}
}

// LoadConfig reads a configuration file over the defaults. Unknown names are
// errors, so that a misspelt rule is not one that is silently missing.
func LoadConfig(path string) (Config, error) {
	cfg := Default()
	f, err := os.Open(path)
	if err != nil {
		return Config{}, fmt.Errorf("read configuration: %w", err)
	}
	defer f.Close()
	err = toml.NewDecoder(f).DisallowUnknownFields().Decode(&cfg)
	var unknown *toml.StrictMissingError
	switch {
	case errors.As(err, &unknown):
		return Config{}, fmt.Errorf("read configuration %s: unknown setting:\n%s", path, unknown.String())
	case err != nil:
		return Config{}, fmt.Errorf("read configuration %s: %w", path, err)
	}
	return cfg, cfg.Validate()
}

// Validate says what in the configuration cannot be.
func (c *Config) Validate() error {
	return errors.Join(
		c.validateData(), c.validateZones(), c.validateAddresses(), c.validateTLS(), c.validateBus(), c.validateAudit(), c.validateMail(), c.validateAgents(),
	)
}

func (c *Config) validateData() error {
	if !filepath.IsAbs(c.DataDir) {
		return fmt.Errorf("data_dir %q is not an absolute path", c.DataDir)
	}
	if _, err := c.level(); err != nil {
		return err
	}
	return nil
}

func (c *Config) validateZones() error {
	if len(c.Zones) == 0 {
		return errors.New("zones is empty: name lgwan, internet or both, or mynumber alone")
	}
	for i, z := range c.Zones {
		if !slices.Contains([]string{cert.ZoneLGWAN, cert.ZoneInternet, cert.ZoneMyNumber}, z) {
			return fmt.Errorf("zones: %q is not lgwan, internet or mynumber", z)
		}
		if slices.Contains(c.Zones[:i], z) {
			return fmt.Errorf("zones: %s is named twice", z)
		}
	}
	if c.MyNumber() && len(c.Zones) > 1 {
		return errors.New("zones: mynumber needs a gateway of its own")
	}
	return nil
}

func (c *Config) validateAddresses() error {
	for name, address := range map[string]string{
		"public.address": c.Public.Address, "office.address": c.Office.Address, "relay.desk_address": c.Relay.DeskAddress,
	} {
		if address == "" && name != "public.address" {
			continue
		}
		if _, _, err := net.SplitHostPort(address); err != nil {
			return fmt.Errorf("%s %q is not host:port", name, address)
		}
	}
	if c.Office.Address != "" && c.Office.Shared {
		return errors.New("office.shared is for a gateway without office.address")
	}
	if c.Relay.MaxSessions < 0 {
		return errors.New("relay.max_sessions is negative")
	}
	return nil
}

func (c *Config) validateTLS() error {
	if (c.TLS.CertificateFile == "") != (c.TLS.KeyFile == "") {
		return errors.New("tls.certificate_file and tls.key_file go together")
	}
	return nil
}

// validateBus checks what several gateways need: a bus between them, a database for all, and a relay of each that desks
// can tell from the others.
func (c *Config) validateBus() error {
	switch {
	case c.Bus.URL == "":
		return nil
	case c.Database.URLFile == "":
		return errors.New("bus.url is for several gateways, which share a database: set database.url_file")
	case c.Relay.DeskAddress == "":
		return errors.New("bus.url is for several gateways: relay.desk_address must be host:port of this one, not of all")
	}
	for part := range strings.SplitSeq(c.Bus.URL, ",") {
		u, err := url.Parse(part)
		if err != nil || u.Scheme != "tls" || u.Host == "" {
			return errors.New("bus.url must be tls://host:port[,tls://host:port]")
		}
		if u.User != nil {
			return errors.New("bus.url must not hold a password: use bus.credentials_file")
		}
	}
	return nil
}

func (c *Config) validateAudit() error {
	for name, path := range map[string]string{"audit.heads_file": c.Audit.HeadsFile, "audit.syslog": c.Audit.Syslog} {
		if path != "" && !filepath.IsAbs(path) {
			return fmt.Errorf("%s %q is not an absolute path", name, path)
		}
	}
	return nil
}

func (c *Config) validateAgents() error {
	_, err := c.agentNetworks()
	return err
}

func (c *Config) agentNetworks() (all []netip.Prefix, err error) {
	if len(c.Agents.Networks) == 0 {
		return nil, errors.New("agents.networks is empty: no desk could connect")
	}
	for _, text := range c.Agents.Networks {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("agents.networks: %q is not a network such as 192.168.10.0/24", text)
		}
		all = append(all, p)
	}
	return all, nil
}

// MyNumber says that the gateway serves zone mynumber.
func (c *Config) MyNumber() bool { return slices.Contains(c.Zones, cert.ZoneMyNumber) }

// Level is the log level.
func (c *Config) Level() slog.Level {
	level, _ := c.level() // Validate has seen to it
	return level
}

func (c *Config) level() (slog.Level, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return slog.LevelInfo, fmt.Errorf("log_level %q is not debug, info, warn or error", c.LogLevel)
	}
	return level, nil
}

// AdminSocket is the path of the socket for administrative commands.
func (c *Config) AdminSocket() string { return filepath.Join(c.DataDir, "admin.sock") }

// keys is the folder of the gateway's keys.
func (c *Config) keys() string { return filepath.Join(c.DataDir, "keys") }

// headsFile is where signed heads of the audit log are kept.
func (c *Config) headsFile() string {
	if c.Audit.HeadsFile != "" {
		return c.Audit.HeadsFile
	}
	return filepath.Join(c.DataDir, "heads.log")
}

// lock is the file whose lock says that somebody uses the database.
func (c *Config) lock() string { return filepath.Join(c.DataDir, "lock") }

// DSN is the database as [store.Open] wants it. It holds a password where the
// database asks for one.
func (c *Config) DSN() (string, error) {
	if c.Database.URLFile == "" {
		return "sqlite:" + filepath.Join(c.DataDir, "jiseki.db"), nil
	}
	url, err := readSecret("database.url_file", c.Database.URLFile)
	return strings.TrimSpace(url), err
}

// Describe writes the configuration in force as its file would say it. Secrets
// are in files of their own, so there are none in it.
func Describe(cfg Config) ([]byte, error) {
	b, err := toml.Marshal(cfg)
	if err != nil {
		return nil, fmt.Errorf("write configuration: %w", err)
	}
	return b, nil
}
