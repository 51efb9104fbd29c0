//go:build linux

// Package desktop starts a virtual desk: an X server without a screen that can change its mode and have two monitors
// and, unless a bare one is wanted, an office PC's programs on it, with a Japanese input method that works.
//
// The demo and the end-to-end tests use it. Everything runs as an unprivileged user and ends with Run.
package desktop

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"jiseki/internal/screen"
)

// Config says what desk to start.
type Config struct {
	// User is the unprivileged account that all programs run as; only root can name one. Empty means the invoking user.
	User string
	// Home is the home folder of the desk's programs; it must exist and belong to User. One desk at a time uses it.
	Home string
	// Size is the first mode. Zero means 1920x1080.
	Size screen.Point
	// Virtual is how large the screen can grow. Zero means 5760x2160.
	Virtual screen.Point
	// Bare means the X server alone, without programs.
	Bare bool
	// ServerArgs are further arguments of the X server, such as "-extension", "MIT-SHM".
	ServerArgs []string
	// Log receives what the desk does; the programs' own output goes to files in Home/.jiseki.
	Log *slog.Logger
}

// A Desktop is a virtual desk.
type Desktop struct {
	cfg     Config
	account account
	dir     string // Home/.jiseki: configuration, logs, cookie
	home    folder
	group   group

	programs sync.WaitGroup // started by Start

	ready chan struct{} // closed when the desk can be used

	mu      sync.Mutex // guards what follows
	display string     // such as ":1"
	bus     string     // address of the D-Bus session
	running context.Context
}

// New checks the configuration and prepares a desk. Nothing is started.
func New(cfg Config) (*Desktop, error) {
	if cfg.Size == (screen.Point{}) {
		cfg.Size = screen.Point{X: 1920, Y: 1080}
	}
	if cfg.Virtual == (screen.Point{}) {
		cfg.Virtual = screen.Point{X: 5760, Y: 2160}
	}
	acc, err := lookupAccount(cfg.User)
	if err != nil {
		return nil, fmt.Errorf("desktop: %w", err)
	}
	if cfg.Home, err = filepath.Abs(cfg.Home); err != nil {
		return nil, fmt.Errorf("desktop: %w", err)
	}
	if err := checkInstalled(cfg.Bare); err != nil {
		return nil, fmt.Errorf("desktop: %w", err)
	}
	d := &Desktop{cfg: cfg, account: acc, dir: filepath.Join(cfg.Home, ".jiseki"), ready: make(chan struct{})}
	return d, nil
}

// Ready is closed when the desk can be used: a bare one when the X server answers, a full one when the window manager
// and the input method answer too.
func (d *Desktop) Ready() <-chan struct{} { return d.ready }

// Display is the X display, such as ":1". It is known when Ready is closed.
func (d *Desktop) Display() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.display
}

// Authority is the path of the Xauthority file that opens the display.
func (d *Desktop) Authority() string { return filepath.Join(d.dir, "Xauthority") }

// Home is the home folder of the desk's programs.
func (d *Desktop) Home() string { return d.cfg.Home }

// Credential is the account that the desk's programs run as; nil means the invoking user.
func (d *Desktop) Credential() *syscall.Credential { return d.account.credential }

// Environment is what a program needs to run on the desk. The desk must be ready.
func (d *Desktop) Environment() []string {
	return append((&group{home: d.home}).environment(), d.sessionEnvironment()...)
}

// startTime bounds how long a desk may take to become ready; a loaded machine needs many seconds.
const startTime = 2 * time.Minute

// Run starts the desk and serves it until ctx ends, or until the X server or the session ends by itself, which is an
// error. When it returns, no process of the desk is left.
func (d *Desktop) Run(ctx context.Context) error {
	unlock, err := d.prepare()
	if err != nil {
		return fmt.Errorf("desktop: %w", err)
	}
	defer unlock()
	d.group.sweep()
	defer d.group.sweep()
	tasks, running := errgroup.WithContext(ctx)
	d.mu.Lock()
	d.running = running
	d.mu.Unlock()
	tasks.Go(func() error { return d.start(running, tasks) })
	tasks.Go(func() error { <-running.Done(); return running.Err() })
	err = tasks.Wait()
	d.programs.Wait()
	if ctx.Err() == nil {
		return err
	}
	return nil
}

// start brings up one part after the other and returns when the desk is ready.
func (d *Desktop) start(ctx context.Context, tasks *errgroup.Group) error {
	soon, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	if err := d.startServer(ctx, soon, tasks); err != nil {
		return fmt.Errorf("desktop: X server: %w", err)
	}
	if !d.cfg.Bare {
		if err := d.startSession(ctx, soon, tasks); err != nil {
			return fmt.Errorf("desktop: session: %w", err)
		}
	}
	d.cfg.Log.Info("the desk is ready", "display", d.Display(), "user", d.account.name, "home", d.cfg.Home)
	close(d.ready)
	return nil
}

// prepare opens the home folder and takes its lock.
func (d *Desktop) prepare() (unlock func(), err error) {
	if d.home, err = openFolder(d.cfg.Home, d.account); err != nil {
		return nil, err
	}
	d.group = group{home: d.home, log: d.cfg.Log}
	if err := d.home.makeDir(".jiseki"); err != nil {
		return nil, err
	}
	return d.home.lock()
}
