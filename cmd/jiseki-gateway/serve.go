package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"runtime/debug"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"jiseki/internal/access"
	"jiseki/internal/gateway"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
)

type initCommand struct {
	Organisation string   `required:"" help:"Name of the organisation."`
	Address      string   `required:"" help:"Address of the portal as staff type it: https://host[:port]."`
	Admin        string   `required:"" help:"User id of the first administrator."`
	AdminName    string   `required:"" help:"Name of the first administrator."`
	Office       []string `help:"Networks of the office in place of the private ones, such as 10.1.0.0/16."`
	Slip         string   `help:"Folder to write the administrator's slip to. Without it the slip is printed here." type:"path"`
}

func (i *initCommand) Run(c *console) error {
	folder, err := openSlips(i.Slip, 1)
	if err != nil {
		return err
	}
	defer folder.close()
	cfg, err := c.config()
	if err != nil {
		return err
	}
	office, err := parseNetworks(i.Office)
	if err != nil {
		return err
	}
	slip, err := gateway.Init(c.ctx, cfg, gateway.Environment{Version: version()}, gateway.Founding{
		Organisation: i.Organisation, Address: i.Address, AdminID: i.Admin, AdminName: i.AdminName,
		Settings: func(s *access.Settings) {
			if len(office) > 0 {
				s.OfficeNetworks = office
			}
		},
	})
	if slip == nil {
		return err
	}
	if len(office) == 0 && cfg.Office.Shared {
		warnOffice(c)
	}
	return errors.Join(folder.deliver(c, &controlv1.CreateUsersResponse{Slips: []*controlv1.Slip{slip}}, slip), err)
}

// warnOffice says that the place of everybody hangs on networks that nobody has named.
func warnOffice(c *console) {
	fmt.Fprintln(c.errs, c.out.say(
		`注意: 庁内のネットワーク（office networks）は、すべての私設アドレスになっています。VPN、アドレス変換、プロキシの後ろから届く人は全員「庁内」とみなされ、端末の登録がなくてもパスワードだけでポータルと管理画面に入れます。
庁内のネットワークだけに絞ってください: jiseki-gateway settings set office_networks='["10.1.0.0/16"]'
管理画面を別の待受けに分けるには、設定ファイルに office.address と office.shared = false を書きます。`,
		`Warning: the office networks are all private addresses. Whoever arrives by VPN, address translation or a proxy counts as in the office, where portal and console open with a password alone, without an enrolled device.
Narrow them to the networks of the town hall: jiseki-gateway settings set office_networks='["10.1.0.0/16"]'
To give the console a listener of its own, write office.address and office.shared = false into the configuration file.`))
}

type serveCommand struct{}

func (*serveCommand) Run(c *console) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(c.errs, &slog.HandlerOptions{Level: cfg.Level()}))
	g, err := gateway.New(cfg, gateway.Environment{Log: log, Version: version(), Ready: func(l gateway.Listening) {
		log.Info("the gateway is ready", "public", l.Public, "office", l.Office, "congestion", l.Congestion)
		if err := tellSystemd("READY=1"); err != nil {
			log.Warn("systemd was not told that the gateway is ready", "err", err)
		}
	}})
	if err != nil {
		return err
	}
	err = g.Run(c.ctx)
	log.Info("the gateway has stopped")
	return err
}

// tellSystemd sends a state to the service manager, if there is one
// (sd_notify(3)).
func tellSystemd(state string) error {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return nil
	}
	if name, abstract := strings.CutPrefix(path, "@"); abstract {
		path = "\x00" + name
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("reach systemd: %w", err)
	}
	defer conn.Close()
	_, err = conn.Write([]byte(state))
	return err
}

type checkCommand struct{}

func (*checkCommand) Run(c *console) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	text, err := gateway.Describe(cfg)
	if err != nil {
		return err
	}
	if c.out.json {
		var names map[string]any
		if err := toml.Unmarshal(text, &names); err != nil {
			return fmt.Errorf("read the configuration back: %w", err)
		}
		return c.out.value(names)
	}
	_, err = c.out.w.Write(text)
	return err
}

type versionCommand struct{}

func (*versionCommand) Run(c *console) error {
	if c.out.json {
		return c.out.value(map[string]string{"version": version()})
	}
	c.out.line("jiseki-gateway %s", version())
	return nil
}

// version is what the build says of itself.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	commit := ""
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			commit = s.Value
		}
	}
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	if len(commit) > 12 {
		return commit[:12]
	}
	return "development"
}

// parseNetworks reads networks as people type them.
func parseNetworks(texts []string) ([]netip.Prefix, error) {
	networks := make([]netip.Prefix, 0, len(texts))
	for _, text := range texts {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("%q is not a network such as 10.1.0.0/16", text)
		}
		networks = append(networks, p.Masked())
	}
	return networks, nil
}
