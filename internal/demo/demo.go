// Package demo runs a whole town hall on one machine: a gateway, a virtual desk with real programs, its agent, and a few
// staff. Gateway and agent are the real programs in processes of their own; the demo only starts them, as an
// administrator would.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"jiseki/internal/desktop"
)

// DeskUser is the account of the virtual desk when the demo runs as root; the set-up creates it.
const DeskUser = "jiseki-desk"

// Config says where and how the town runs.
type Config struct {
	Dir  string // state of the town; made if it is not there
	Bin  string // folder with jiseki-gateway and jiseki-agent
	Port int    // of the gateway, on all addresses of this machine
	Log  *slog.Logger
	Say  func(format string, args ...any) // tells the person who waits what happens
}

// A Town is a running demo.
type Town struct {
	Accounts *Accounts
	Desktop  *desktop.Desktop
	// LockPassword unlocks the desk's screen.
	LockPassword string

	cfg      Config
	gateway  program // for commands
	serving  service // the gateway itself
	agent    service
	deskHome string // of the virtual desk's programs and agent
	locker   string // path of the program that locks the desk; empty: the agent's default
}

// Address is the portal's.
func (t *Town) Address() string { return fmt.Sprintf("https://localhost:%d", t.cfg.Port) }

// deskAddress is where the desk reaches the gateway: by number, for not every machine knows the name localhost. Browsers do,
// by themselves.
func (t *Town) deskAddress() string { return fmt.Sprintf("127.0.0.1:%d", t.cfg.Port) }

// CA is the path of the certificate that browsers have to trust.
func (t *Town) CA() string { return t.path("gateway", "keys", "tls-ca.crt") }

// Gateway runs an administrative command of the gateway and returns what it printed.
func (t *Town) Gateway(ctx context.Context, args ...string) (string, error) {
	out, err := t.gateway.call(ctx, "", args...)
	return string(out), err
}

func (t *Town) path(parts ...string) string {
	return filepath.Join(append([]string{t.cfg.Dir}, parts...)...)
}

// Run starts the town, calls open when everybody can work, and serves it until ctx ends or open returns an error. When
// open returns nil, the town goes on.
func Run(ctx context.Context, cfg Config, open func(context.Context, *Town) error) error {
	t := &Town{cfg: cfg}
	if err := t.prepare(); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	group, ctx := errgroup.WithContext(ctx)
	desk := make(chan struct{})
	group.Go(func() error { return t.runDesktop(ctx, desk) })
	gateway := make(chan struct{})
	group.Go(func() error { return t.runGateway(ctx, gateway) })
	group.Go(func() error {
		for _, ready := range []chan struct{}{gateway, desk} {
			select {
			case <-ready:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return t.runAgent(ctx, group, open)
	})
	err := group.Wait()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// prepare checks what can be checked before anything is started.
func (t *Town) prepare() error {
	var err error
	if t.cfg.Dir, err = filepath.Abs(t.cfg.Dir); err != nil {
		return err
	}
	if err := os.RemoveAll(t.path("logs")); err != nil {
		return err
	}
	for _, dir := range []string{t.cfg.Dir, t.path("logs"), t.path("gateway")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	if err := t.checkPort(); err != nil {
		return err
	}
	if err := t.writeConfig(); err != nil {
		return err
	}
	t.gateway = program{
		name: "jiseki-gateway", path: filepath.Join(t.cfg.Bin, "jiseki-gateway"), args: []string{"--config", t.path("gateway.toml")},
		env: []string{"LANG=ja_JP.UTF-8"}, log: t.path("logs", "gateway.log"),
	}
	if t.Accounts, err = loadAccounts(t.cfg.Dir); errors.Is(err, fs.ErrNotExist) {
		return t.prepareDesk(true)
	}
	if err != nil {
		return err
	}
	if t.Accounts.Address != t.Address() {
		return fmt.Errorf("this town was founded at %s: start it with the same --port, or remove %s", t.Accounts.Address, t.cfg.Dir)
	}
	return t.prepareDesk(false)
}

// checkPort says clearly when somebody else listens.
func (t *Town) checkPort() error {
	l, err := net.Listen("tcp", net.JoinHostPort("", strconv.Itoa(t.cfg.Port)))
	if err != nil {
		return fmt.Errorf("port %d is not free on this machine (%w): stop what uses it, or choose another with DEMO_FLAGS=--port=9443", t.cfg.Port, err)
	}
	return l.Close()
}

func (t *Town) writeConfig() error {
	text := fmt.Sprintf("data_dir = %q\n\n[public]\naddress = \":%d\"\n\n[office]\nshared = true\n\n[tls]\nnames = [\"localhost\", \"127.0.0.1\"]\n\n[relay]\ndesk_address = %q\n",
		t.path("gateway"), t.cfg.Port, t.deskAddress())
	return os.WriteFile(t.path("gateway.toml"), []byte(text), 0o600)
}

// prepareDesk makes the home of the virtual desk. As root it lies in the home of an account of its own, which could not
// reach the demo's folder in root's home. A new town begins with an empty one.
func (t *Town) prepareDesk(anew bool) error {
	t.deskHome = t.path("desk")
	account := ""
	var owner *user.User
	if os.Getuid() == 0 {
		var err error
		if owner, err = user.Lookup(DeskUser); err != nil {
			return fmt.Errorf("the account of the virtual desk is missing; make demo creates it: %w", err)
		}
		account = DeskUser
		t.deskHome = filepath.Join(owner.HomeDir, "demo", filepath.Base(t.cfg.Dir)+"-"+strconv.Itoa(t.cfg.Port))
		raw, err := os.ReadFile(filepath.Join(owner.HomeDir, passwordFile))
		if err != nil {
			return fmt.Errorf("the password of the virtual desk's account is missing; make demo draws it: %w", err)
		}
		t.LockPassword = string(raw)
	}
	if anew {
		if err := os.RemoveAll(t.deskHome); err != nil {
			return err
		}
	}
	if err := makeFor(t.deskHome, owner); err != nil {
		return fmt.Errorf("home of the virtual desk: %w", err)
	}
	if owner == nil {
		if err := t.installLocker(); err != nil {
			return err
		}
	}
	var err error
	t.Desktop, err = desktop.New(desktop.Config{User: account, Home: t.deskHome, Log: t.cfg.Log})
	return err
}

// passwordFile holds, in the home of DeskUser, the random password that the set-up gave the account.
const passwordFile = ".desk-password"

// makeFor makes a folder and those above it, and gives what it made to owner.
func makeFor(dir string, owner *user.User) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := makeFor(filepath.Dir(dir), owner); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	if owner == nil {
		return nil
	}
	uid, err1 := strconv.Atoi(owner.Uid)
	gid, err2 := strconv.Atoi(owner.Gid)
	return errors.Join(err1, err2, os.Lchown(dir, uid, gid))
}

func (t *Town) runDesktop(ctx context.Context, ready chan<- struct{}) error {
	t.cfg.Say("仮想の自席端末を起動しています… (starting the virtual desk)")
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return t.Desktop.Run(ctx) })
	group.Go(func() error {
		select {
		case <-t.Desktop.Ready():
			close(ready)
		case <-ctx.Done():
		}
		return nil
	})
	return group.Wait()
}

// runGateway founds the town if it is new, and serves.
func (t *Town) runGateway(ctx context.Context, ready chan<- struct{}) error {
	if t.Accounts == nil {
		t.cfg.Say("やまと町を準備しています… (founding the town: organisation, keys, staff)")
		accounts, err := t.found(ctx, time.Now())
		if err != nil {
			return err
		}
		t.Accounts = accounts
	}
	t.cfg.Say("ゲートウェイを起動しています… (starting the gateway)")
	signal, err := listenReady()
	if err != nil {
		return err
	}
	defer signal.close()
	t.serving.program = t.gateway
	t.serving.args = append(append([]string(nil), t.gateway.args...), "serve")
	t.serving.env = append(append([]string(nil), t.gateway.env...), signal.env())
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return t.serving.run(ctx) })
	group.Go(func() error {
		if err := signal.wait(ctx); err != nil {
			return err
		}
		close(ready)
		return nil
	})
	return group.Wait()
}

// runAgent enrols and runs the desk's agent, and opens the town.
func (t *Town) runAgent(ctx context.Context, group *errgroup.Group, open func(context.Context, *Town) error) error {
	path, err := t.installAgent()
	if err != nil {
		return err
	}
	agent := program{
		name: "jiseki-agent", path: path, args: []string{"--dir", filepath.Join(t.deskHome, "agent")},
		env: append(t.Desktop.Environment(), "SSL_CERT_FILE="), credential: t.Desktop.Credential(), log: t.path("logs", "agent.log"),
	}
	if err := t.enrol(ctx, agent); err != nil {
		return err
	}
	t.agent.program = agent
	t.agent.args = append(append([]string(nil), agent.args...), "run", "--display", t.Desktop.Display(), "--authority", t.Desktop.Authority())
	if t.locker != "" {
		t.agent.args = append(t.agent.args, "--locker", t.locker)
	}
	group.Go(func() error { return t.agent.run(ctx) })
	if err := t.awaitDesk(ctx); err != nil {
		return err
	}
	return open(ctx, t)
}

// installAgent copies the agent to where the desk's account can run it.
func (t *Town) installAgent() (string, error) {
	path := filepath.Join(t.deskHome, "jiseki-agent")
	from, err := os.Open(filepath.Join(t.cfg.Bin, "jiseki-agent"))
	if err != nil {
		return "", err
	}
	defer from.Close()
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	to, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|syscall.O_NOFOLLOW, 0o755)
	if err != nil {
		return "", err
	}
	defer to.Close()
	if _, err := io.Copy(to, from); err != nil {
		return "", fmt.Errorf("install the agent on the desk: %w", err)
	}
	return path, to.Chmod(0o755)
}
