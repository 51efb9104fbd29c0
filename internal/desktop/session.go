//go:build linux

package desktop

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"jiseki/internal/screen"
	"jiseki/internal/x11"
)

// sessionPrograms must be installed for a full desk.
var sessionPrograms = []string{
	"dbus-daemon", "dbus-send", "openbox", "fcitx5", "fcitx5-remote", "tint2", "pcmanfm", "mousepad", "xterm", "chromium", "xrdb",
	"/usr/lib/mozc/mozc_server",
}

// startSession starts what makes an X server an office PC, and waits until window manager, panel and input method
// answer.
func (d *Desktop) startSession(ctx, soon context.Context, tasks *errgroup.Group) error {
	if err := d.writeHome(); err != nil {
		return err
	}
	if err := d.startBus(ctx, soon, tasks); err != nil {
		return fmt.Errorf("D-Bus: %w", err)
	}
	if out, err := d.command(soon, "xrdb", "-merge", filepath.Join(d.cfg.Home, ".Xresources")).CombinedOutput(); err != nil {
		return fmt.Errorf("xrdb: %w: %s", err, out)
	}
	root, err := d.watchRoot()
	if err != nil {
		return err
	}
	defer root.close()
	for _, p := range []struct {
		args  []string
		ready func(*x11.Conn) (bool, error)
		what  string
	}{
		{[]string{"openbox"}, managed, "the window manager"},
		{[]string{"pcmanfm", "--desktop"}, nil, ""},
		{[]string{"tint2"}, hasPanel, "the panel"},
		{[]string{"fcitx5", "--disable=wayland,waylandim"}, composes, "the input method"},
	} {
		if err := d.launch(ctx, tasks, p.args); err != nil {
			return err
		}
		if p.ready == nil {
			continue
		}
		if err := root.wait(soon, p.ready); err != nil {
			return fmt.Errorf("%s does not answer: %w", p.what, err)
		}
	}
	return d.waitBusName(soon, "org.fcitx.Fcitx5")
}

// launch starts a program that belongs to the session: its end is the session's.
func (d *Desktop) launch(ctx context.Context, tasks *errgroup.Group, args []string) error {
	started := make(chan error, 1)
	p := process{name: filepath.Base(args[0]), args: args, env: d.sessionEnvironment()}
	tasks.Go(func() error { return d.group.run(ctx, p, started) })
	return <-started
}

// sessionEnvironment is what programs on the desk see besides the basic environment.
func (d *Desktop) sessionEnvironment() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return []string{
		"DISPLAY=" + d.display,
		"XAUTHORITY=" + d.Authority(),
		"DBUS_SESSION_BUS_ADDRESS=" + d.bus,
		"XDG_RUNTIME_DIR=" + filepath.Join(d.dir, "run"),
		"XDG_CURRENT_DESKTOP=jiseki",
		"LANG=ja_JP.UTF-8",
		"GTK_IM_MODULE=fcitx",
		"QT_IM_MODULE=fcitx",
		"XMODIFIERS=@im=fcitx",
		"NO_AT_BRIDGE=1",
	}
}

// startBus starts a D-Bus session and waits for its address.
func (d *Desktop) startBus(ctx, soon context.Context, tasks *errgroup.Group) error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	p := process{name: "dbus", files: []*os.File{w}, env: d.sessionEnvironment(), args: []string{
		"dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address=3",
		"--address=unix:dir=" + filepath.Join(d.dir, "run"),
	}}
	started := make(chan error, 1)
	tasks.Go(func() error { return d.group.run(ctx, p, started) })
	err = <-started
	w.Close()
	if err != nil {
		return err
	}
	stop := context.AfterFunc(soon, func() { r.Close() })
	defer stop()
	address, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		return fmt.Errorf("it did not start (see %s)", d.group.logPath("dbus"))
	}
	d.mu.Lock()
	d.bus = strings.TrimSpace(address)
	d.mu.Unlock()
	return nil
}

// waitBusName returns when a program serves others on D-Bus under a name.
func (d *Desktop) waitBusName(ctx context.Context, name string) error {
	for {
		cmd := exec.CommandContext(ctx, "dbus-send", "--print-reply", "--dest=org.freedesktop.DBus",
			"/org/freedesktop/DBus", "org.freedesktop.DBus.NameHasOwner", "string:"+name)
		cmd.Env = append(d.group.environment(), d.sessionEnvironment()...)
		d.group.as(cmd)
		out, err := cmd.CombinedOutput()
		if err == nil && strings.Contains(string(out), "boolean true") {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s is not on D-Bus: %w: %s", name, ctx.Err(), out)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// A rootWatcher waits for conditions that programs announce by properties of the root window.
type rootWatcher struct {
	conn    *x11.Conn
	changed chan struct{}
}

func (d *Desktop) watchRoot() (*rootWatcher, error) {
	w := &rootWatcher{changed: make(chan struct{}, 1)}
	conn, err := x11.Dial(x11.Options{Display: d.Display(), Authority: d.Authority(), OnEvent: func(x11.Event) {
		select {
		case w.changed <- struct{}{}:
		default:
		}
	}})
	if err != nil {
		return nil, err
	}
	w.conn = conn
	return w, conn.SelectEvents(conn.Setup.Root, x11.MaskPropertyChanges|x11.MaskSubstructure)
}

func (w *rootWatcher) close() { w.conn.Close() }

// wait returns when a condition holds.
func (w *rootWatcher) wait(ctx context.Context, ok func(*x11.Conn) (bool, error)) error {
	for {
		if done, err := ok(w.conn); done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-w.conn.Done():
			return w.conn.Err()
		case <-w.changed:
		}
	}
}

// managed says whether a window manager runs (Extended Window Manager Hints).
func managed(c *x11.Conn) (bool, error) {
	win, err := c.WindowProperty(c.Setup.Root, "_NET_SUPPORTING_WM_CHECK")
	return win != 0, err
}

// hasPanel says whether a panel reserves room at an edge: the work area is smaller than the screen.
func hasPanel(c *x11.Conn) (bool, error) {
	name, err := c.Atom("_NET_WORKAREA")
	if err != nil {
		return false, err
	}
	_, area, err := c.Property(c.Setup.Root, name)
	if err != nil || len(area) < 16 {
		return false, err
	}
	full, err := c.Geometry(c.Setup.Root)
	return screen.Point{X: int(binary.LittleEndian.Uint32(area[8:])), Y: int(binary.LittleEndian.Uint32(area[12:]))} != full.Size(), err
}

// composes says whether an X input method is there.
func composes(c *x11.Conn) (bool, error) {
	name, err := c.Atom("XIM_SERVERS")
	if err != nil {
		return false, err
	}
	_, servers, err := c.Property(c.Setup.Root, name)
	return len(servers) > 0, err
}
