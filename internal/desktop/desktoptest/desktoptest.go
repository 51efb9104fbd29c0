//go:build linux

// Package desktoptest gives tests a virtual desk of their own.
package desktoptest

import (
	"context"
	"log/slog"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"jiseki/internal/desktop"
	"jiseki/internal/screen"
)

// Account is the unprivileged account that a full desk uses when the tests run as root; the set-up script makes it.
const Account = "jiseki-desk"

// Password is the password of Account, for tests that unlock its screen. The set-up script draws it.
func Password(t testing.TB) string {
	t.Helper()
	u, err := user.Lookup(Account)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(u.HomeDir, ".desk-password"))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// Bare starts an X server without programs for the time of a test. Zero size means 1920x1080; args are further
// arguments of the server.
func Bare(t testing.TB, size screen.Point, args ...string) *desktop.Desktop {
	t.Helper()
	d, _ := start(t, desktop.Config{Bare: true, Size: size, ServerArgs: args})
	return d
}

// BareUntil is like Bare; stop ends the server before the test does.
func BareUntil(t testing.TB, size screen.Point, args ...string) (d *desktop.Desktop, stop func()) {
	t.Helper()
	return start(t, desktop.Config{Bare: true, Size: size, ServerArgs: args})
}

// TooWide is wider than a screen that can be shown.
const TooWide = screen.MaxSide + 256

// GrowingUntil is like BareUntil with a screen that can grow to TooWide.
func GrowingUntil(t testing.TB, size screen.Point) (d *desktop.Desktop, stop func()) {
	t.Helper()
	return start(t, desktop.Config{Bare: true, Size: size, Virtual: screen.Point{X: TooWide, Y: 2160}})
}

// Full starts a desk with window manager, input method and programs for the time of a test.
func Full(t testing.TB) *desktop.Desktop {
	t.Helper()
	d, _ := start(t, desktop.Config{})
	return d
}

func start(t testing.TB, cfg desktop.Config) (d *desktop.Desktop, stop func()) {
	t.Helper()
	if os.Getuid() == 0 {
		cfg.User = Account
	}
	cfg.Home = home(t, cfg.User)
	cfg.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	d, err := desktop.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the desk ended badly: %v", err)
		}
	})
	t.Cleanup(stop)
	select {
	case <-d.Ready():
	case err := <-ended:
		ended <- nil
		t.Fatalf("the desk does not start: %v", err)
	}
	return d, stop
}

// FullUntil is like Full; stop ends the desk before the test does.
func FullUntil(t testing.TB) (d *desktop.Desktop, stop func()) {
	t.Helper()
	return start(t, desktop.Config{})
}

// home makes a home folder. It is not t.TempDir, which other accounts cannot enter.
func home(t testing.TB, name string) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "jiseki-desk-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("home of the desk: %v", err)
		}
	})
	if name != "" {
		u, err := user.Lookup(name)
		if err != nil {
			t.Fatalf("the set-up script makes the account: %v", err)
		}
		uid, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		if err1 != nil || err2 != nil || os.Chown(dir, uid, gid) != nil {
			t.Fatalf("cannot give %s to %s", dir, name)
		}
	}
	return dir
}
