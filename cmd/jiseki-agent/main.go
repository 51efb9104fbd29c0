// Jiseki-agent runs on a desk: it enrols the desk at the gateway and then serves its sessions.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"jiseki/internal/agent"
	"jiseki/internal/enrol"
	"jiseki/internal/power"
	"jiseki/internal/wake"
)

type commands struct {
	Dir   string `help:"Folder with the desk's identity." default:"${dir}" env:"JISEKI_AGENT_DIR" type:"path"`
	Proxy string `help:"HTTP proxy to reach the gateway through, \"direct\" for none; default: what the environment says." env:"JISEKI_PROXY"`
	Debug bool   `help:"Log more."`

	Enroll   enrollCommand   `cmd:"" help:"Enrol this desk with the token of the administrator."`
	Run      runCommand      `cmd:"" help:"Serve this desk."`
	Waker    wakerCommand    `cmd:"" help:"Wake the desks of this machine's networks: for an always-on machine without a desk."`
	Sessions sessionsCommand `cmd:"" help:"Print the desk's own journal of sessions: who was connected, when, from which device."`
	Version  versionCommand  `cmd:"" help:"Print the version."`
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, out, errs io.Writer) int {
	var c commands
	parser, err := kong.New(&c, kong.Name("jiseki-agent"), kong.Description("Jiseki (自席): the program on a desk."),
		kong.Vars{"dir": defaultDir(os.Geteuid(), os.Getenv)}, kong.Writers(out, errs), kong.UsageOnError())
	if err != nil {
		fmt.Fprintln(errs, err)
		return 2
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		parser.FatalIfErrorf(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	level := slog.LevelInfo
	if c.Debug {
		level = slog.LevelDebug
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	parsed.BindTo(out, (*io.Writer)(nil))
	parsed.Bind(terminal{in: os.Stdin, prompt: errs})
	if err := parsed.Run(&c, slog.New(slog.NewTextHandler(errs, &slog.HandlerOptions{Level: level}))); err != nil {
		fmt.Fprintln(errs, "jiseki-agent:", err)
		return 1
	}
	return 0
}

// defaultDir is where the agent keeps the desk's identity: as root where the system keeps such things, else in the
// user's state folder (XDG Base Directory Specification), which is where the systemd unit of the user looks too.
func defaultDir(uid int, env func(string) string) string {
	if uid == 0 {
		return "/var/lib/jiseki-agent"
	}
	if state := env("XDG_STATE_HOME"); filepath.IsAbs(state) {
		return filepath.Join(state, "jiseki-agent")
	}
	return filepath.Join(env("HOME"), ".local", "state", "jiseki-agent")
}

type enrollCommand struct {
	Gateway   string `required:"" help:"Address of the gateway, such as https://telework.example.lg.jp."`
	Token     string `xor:"token" help:"Enrolment token. Other users of this machine can read it in the process list while the command runs; without it the command asks for the token, or reads standard input."`
	TokenFile string `xor:"token" help:"File that holds the enrolment token, \"-\" for standard input."`
	Again     bool   `help:"Replace the certificate of a desk that is enrolled; its key stays. An expired certificate needs no --again."`
}

func (e *enrollCommand) Run(ctx context.Context, c *commands, t terminal, out io.Writer) error {
	text, err := e.token(ctx, t)
	if err != nil {
		return err
	}
	token, err := enrol.Parse(text)
	if err != nil {
		return err
	}
	name, err := agent.Enroll(ctx, agent.EnrollConfig{
		Dir: c.Dir, Gateway: strings.TrimSuffix(e.Gateway, "/"), Token: token, Proxy: c.Proxy, Version: version(),
		Hostname: hostname(), System: system(), Now: time.Now, Again: e.Again,
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "この端末を自席端末「%s」として登録しました。 (This desk is enrolled as %q.)\n", name, name)
	return nil
}

func (e *enrollCommand) token(ctx context.Context, t terminal) (string, error) {
	switch {
	case e.Token != "":
		return e.Token, nil
	case e.TokenFile == "-":
		return t.read()
	case e.TokenFile != "":
		raw, err := os.ReadFile(e.TokenFile)
		return string(raw), err
	}
	return t.ask(ctx, "登録トークン（表示されません） / enrolment token (not shown): ")
}

type runCommand struct {
	Display     string `help:"X display of the desk." default:":0" env:"DISPLAY"`
	Authority   string `help:"Xauthority file." env:"XAUTHORITY"`
	Locker      words  `help:"Command that locks the screen, its words separated by commas." default:"i3lock,--nofork,--color=1f2937"`
	RequireLock bool   `help:"Refuse sessions while the desk could not lock itself."`
}

// words are a command and its arguments, written with commas between them. (A []string would read a word that begins
// with a dash as another flag of the agent's own.)
type words []string

// UnmarshalText implements encoding.TextUnmarshaler.
func (w *words) UnmarshalText(text []byte) error {
	*w = strings.Split(string(text), ",")
	return nil
}

// reopenAfter is how long the agent waits before it looks for the desk's screen again.
const reopenAfter = 2 * time.Second

// Run serves the desk, and looks for its screen again whenever it is gone: logging out may restart the X server.
func (r *runCommand) Run(ctx context.Context, c *commands, log *slog.Logger) error {
	release, held := agent.Hold(c.Dir)
	if errors.Is(held, agent.ErrRunning) {
		return held // the other one sees to the desk
	}
	if held == nil {
		defer release() //nolint:errcheck // the end of the process does it too
	}
	for {
		err := r.serve(ctx, c, held, log)
		if ctx.Err() != nil {
			return nil
		}
		if !errors.Is(err, agent.ErrDeskLost) {
			return err
		}
		log.Warn("waiting for the desk's screen", "err", err)
		select {
		case <-time.After(reopenAfter):
		case <-ctx.Done():
			return nil
		}
	}
}

// serve opens the desk and serves it until ctx ends or its screen is gone. held says why the agent's folder could not be
// taken, if so: what an earlier run left open is locked then, and that is all.
func (r *runCommand) serve(ctx context.Context, c *commands, held error, log *slog.Logger) (err error) {
	desk, closeDesk, err := r.openDesk(log)
	if err != nil {
		return errors.Join(agent.ErrDeskLost, err)
	}
	defer func() { err = errors.Join(err, closeDesk()) }()
	var a *agent.Agent
	if held == nil {
		a, held = r.agent(c, desk, log)
	}
	if held != nil {
		locking, cancel := context.WithTimeout(ctx, lockTimeout)
		defer cancel()
		return errors.Join(held, agent.LockIfLeftOpen(locking, c.Dir, desk.Lock))
	}
	return a.Run(ctx)
}

// lockTimeout bounds the locking of a desk whose agent cannot run.
const lockTimeout = 10 * time.Second

// agent makes the desk's agent of what its folder holds.
func (r *runCommand) agent(c *commands, desk agent.Desk, log *slog.Logger) (*agent.Agent, error) {
	home, err := agent.LoadHome(c.Dir)
	if err != nil {
		return nil, err
	}
	machine, err := wake.New(wake.Config{Now: time.Now})
	if err != nil {
		return nil, err
	}
	return agent.New(agent.Config{
		Gateway: home.Gateway, Identity: home.Identity, Self: home.Self, Bundle: home.Bundle, Dir: home.Dir,
		Desk: desk, Limits: agent.Limits{RequireLock: r.RequireLock}, Proxy: c.Proxy, Machine: machine, Timer: wakeTimer(log),
		Version: version(), Hostname: hostname(), System: system(), Log: log, Now: time.Now,
		SaveBundle: home.SaveBundle, SaveHead: home.SaveHead, SaveCertificate: home.SaveCertificate,
	})
}

// wakeTimer is the machine's clock that wakes it, or nil where there is none.
func wakeTimer(log *slog.Logger) power.Timer {
	clock, err := power.FindRTC("/sys/class/rtc")
	if err != nil {
		log.Info("this machine cannot wake itself", "err", err)
		return nil
	}
	return clock
}

type versionCommand struct{}

func (versionCommand) Run(out io.Writer) error {
	_, err := fmt.Fprintln(out, version())
	return err
}

// version is that of the module, or the revision it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value[:min(12, len(s.Value))]
		}
	}
	return info.Main.Version
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return name
}

// system is the operating system in words.
func system() string {
	raw, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return "Linux"
	}
	for line := range strings.Lines(string(raw)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "PRETTY_NAME="); ok {
			return strings.Trim(name, `"`)
		}
	}
	return "Linux"
}
