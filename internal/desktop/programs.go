//go:build linux

package desktop

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"jiseki/internal/x11"
)

// Programs that Start knows by a short name, with the arguments that a desk of this kind needs.
var programs = map[string][]string{
	"editor":   {"mousepad"},
	"files":    {"pcmanfm", "--new-win"},
	"terminal": {"xterm", "-title", "端末"},
	"browser": {
		"chromium", "--no-first-run", "--no-default-browser-check", "--password-store=basic", "--disable-gpu",
		"--disable-background-networking", "--lang=ja",
	},
}

var errNotRunning = errors.New("desktop: the desk is not running")

// Start starts a program on the desk, as its user would: "editor", "files", "terminal", "browser", or any other by
// name. The desk must be ready. The program runs until it ends by itself or with the desk.
func (d *Desktop) Start(name string, args ...string) error {
	d.mu.Lock()
	ctx := d.running
	d.mu.Unlock()
	select {
	case <-d.ready:
	default:
		return errNotRunning
	}
	if ctx.Err() != nil {
		return errNotRunning
	}
	command, known := programs[name]
	if !known {
		command = []string{name}
	}
	p := process{name: filepath.Base(command[0]), args: append(command[:len(command):len(command)], args...), env: d.sessionEnvironment()}
	started := make(chan error, 1)
	d.programs.Go(func() {
		err := d.group.run(ctx, p, started)
		d.cfg.Log.Debug("a program on the desk has ended", "program", name, "reason", err)
	})
	if err := <-started; err != nil {
		return fmt.Errorf("desktop: %s: %w", name, err)
	}
	return nil
}

// WaitWindow returns when the active window's title holds a text.
func (d *Desktop) WaitWindow(ctx context.Context, title string) error {
	root, err := d.watchRoot()
	if err != nil {
		return fmt.Errorf("desktop: %w", err)
	}
	defer root.close()
	last := ""
	err = root.wait(ctx, func(c *x11.Conn) (bool, error) {
		last, err = activeTitle(c)
		return strings.Contains(last, title), err
	})
	if err != nil {
		return fmt.Errorf("desktop: no window %q, the active one is %q: %w", title, last, err)
	}
	return nil
}

// activeTitle returns the title of the active window, and makes changes of it events.
func activeTitle(c *x11.Conn) (string, error) {
	win, err := c.WindowProperty(c.Setup.Root, "_NET_ACTIVE_WINDOW")
	if err != nil || win == 0 {
		return "", err
	}
	name, err := c.Atom("_NET_WM_NAME")
	if err != nil {
		return "", err
	}
	err = c.SelectEvents(win, x11.MaskPropertyChanges)
	var title []byte
	if err == nil {
		_, title, err = c.Property(win, name)
	}
	if err == nil && len(title) == 0 {
		_, title, err = c.Property(win, x11.AtomWMName) // of programs older than _NET_WM_NAME
	}
	if x11.IsError(err, x11.BadWindow) {
		return "", nil // it has just been closed: another becomes active
	}
	return string(title), err
}

// WaitInputMethod returns when the focused program has an input method that is on, or off.
func (d *Desktop) WaitInputMethod(ctx context.Context, on bool) error {
	want := "1" // there, and passing keys through; "0" means that no program has it
	if on {
		want = "2"
	}
	for {
		cmd := exec.CommandContext(ctx, "fcitx5-remote")
		cmd.Env = append(d.group.environment(), d.sessionEnvironment()...)
		d.group.as(cmd)
		out, err := cmd.CombinedOutput()
		if err == nil && strings.TrimSpace(string(out)) == want {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("desktop: the input method is not ready: %w: %s", ctx.Err(), out)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
