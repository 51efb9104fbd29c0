// Command jiseki-gateway is the server of Jiseki, and the tool with which its
// administrator looks after it.
//
// Administrative commands talk to the running gateway over a socket that only
// root and the gateway's own user may use; when no gateway runs they take the
// lock of its data and do the same work by themselves.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"jiseki/internal/gateway"
	"jiseki/internal/gen/jiseki/control/v1/controlv1connect"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}

// defaultConfig is where the packages put the configuration.
const defaultConfig = "/etc/jiseki/gateway.toml"

type commands struct {
	Config string `help:"Configuration file; without it the defaults hold." default:"${config}" env:"JISEKI_GATEWAY_CONFIG" type:"path"`
	JSON   bool   `name:"json" help:"Print JSON."`

	Init     initCommand     `cmd:"" help:"Create the organisation, its keys and the first administrator."`
	Serve    serveCommand    `cmd:"" help:"Run the gateway."`
	User     userCommands    `cmd:"" help:"Users."`
	Section  sectionCommands `cmd:"" help:"Sections."`
	Desk     deskCommands    `cmd:"" help:"Desks."`
	Device   deviceCommands  `cmd:"" help:"Devices."`
	Session  sessionCommands `cmd:"" help:"Sessions."`
	Audit    auditCommands   `cmd:"" help:"The audit log."`
	Keys     keyCommands     `cmd:"" help:"Replace the gateway's keys; the gateway must not run."`
	Settings settingCommands `cmd:"" help:"Settings of the organisation."`
	Policy   policyCommands  `cmd:"" help:"Policy: who may telework when and how."`
	Holidays holidayCommands `cmd:"" help:"Days on which the town hall is closed."`
	Check    checkCommand    `cmd:"" help:"Check the configuration and print what is in force."`
	Version  versionCommand  `cmd:"" help:"Print the version."`
}

// A session of the command line: what commands need of the world.
type console struct {
	ctx    context.Context //nolint:containedctx // a console lives for one command
	out    *output
	errs   io.Writer
	config func() (gateway.Config, error)

	written  *checked  // what out writes to
	terminal io.Writer // nil: neither output nor errors go to one
}

// A checked writer remembers that something was not written: a full disk must not pass for done.
type checked struct {
	w   io.Writer
	err error // the first
}

func (c *checked) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	if c.err == nil {
		c.err = err
	}
	return n, err
}

// terminalOf is the first of some writers that is a terminal, nil if none is.
func terminalOf(writers ...io.Writer) io.Writer {
	for _, w := range writers {
		if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
			return w
		}
	}
	return nil
}

// admin calls do with the service of the running gateway, or one in this
// process.
func (c *console) admin(do func(context.Context, controlv1connect.AdminServiceClient) error) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	client, done, err := gateway.OpenAdmin(c.ctx, cfg)
	if err != nil {
		return err
	}
	return errors.Join(do(c.ctx, client), done())
}

// run is main without the process: it returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var cli commands
	code := -1
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	parser, err := kong.New(
		&cli, kong.Name("jiseki-gateway"), kong.Vars{"config": defaultConfig},
		kong.Description("The gateway of Jiseki (自席): telework on one's own desk PC."),
		kong.Writers(stdout, stderr), kong.Exit(func(c int) { code = c }), kong.UsageOnError(),
	)
	if err != nil {
		fmt.Fprintln(stderr, "jiseki-gateway:", err)
		return exitUsage
	}
	parsed, err := parser.Parse(args)
	if code >= 0 { // --help
		return code
	}
	if err != nil {
		fmt.Fprintln(stderr, "jiseki-gateway:", err)
		return exitUsage
	}
	written := &checked{w: stdout}
	c := &console{
		ctx: ctx, out: &output{w: written, json: cli.JSON, japanese: speaksJapanese(os.Getenv)}, errs: stderr,
		config:  func() (gateway.Config, error) { return loadConfig(cli.Config) },
		written: written, terminal: terminalOf(stdout, stderr),
	}
	err = parsed.Run(c)
	if err == nil {
		err = written.err
	}
	if err != nil {
		fmt.Fprintln(stderr, "jiseki-gateway:", sentence(err, c.out.japanese))
		if errors.Is(err, errUnknown) {
			return exitUnknown
		}
		return exitFailed
	}
	return exitDone
}

// Exit codes.
const (
	exitDone    = 0
	exitFailed  = 1
	exitUsage   = 2
	exitUnknown = 3 // whether it was done cannot be told
)

// errUnknown makes the exit code tell that nobody knows whether it was done.
var errUnknown = errors.New("whether it was done is unknown")

// loadConfig reads the file, or takes the defaults when there is none at the
// usual place.
func loadConfig(path string) (gateway.Config, error) {
	cfg, err := gateway.LoadConfig(path)
	if errors.Is(err, fs.ErrNotExist) && path == defaultConfig {
		cfg = gateway.Default()
		return cfg, cfg.Validate()
	}
	return cfg, err
}

// speaksJapanese follows the order in which the C library reads the language.
func speaksJapanese(env func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if value := env(name); value != "" {
			return strings.HasPrefix(value, "ja")
		}
	}
	return false
}
