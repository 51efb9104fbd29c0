//go:build linux

package lock_test

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"jiseki/internal/desktop"
	"jiseki/internal/desktop/desktoptest"
	"jiseki/internal/input"
	"jiseki/internal/keys"
	"jiseki/internal/lock"
	"jiseki/internal/screen"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, d *desktop.Desktop, command ...string) *lock.X11 {
	t.Helper()
	s, err := lock.OpenX11(lock.X11Config{
		Display: d.Display(), Authority: d.Authority(), Command: command, Env: d.Environment(), Credential: d.Credential(),
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	must(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

// state waits until the screen is said to stand so.
func state(t *testing.T, s *lock.X11, want lock.State) {
	t.Helper()
	late := time.After(time.Minute)
	for {
		select {
		case now, ok := <-s.Changes():
			if !ok {
				t.Fatal("the screen is not watched any more")
			}
			if now == want {
				return
			}
		case <-late:
			t.Fatalf("the screen does not become %v", want)
		}
	}
}

// write types lower-case letters and digits, and Enter.
func write(t *testing.T, x *input.X11, text string) {
	t.Helper()
	for _, c := range text {
		name := "Key" + strings.ToUpper(string(c))
		if c >= '0' && c <= '9' {
			name = "Digit" + string(c)
		}
		code := keys.FromName(name)
		must(t, x.Key(code, true))
		must(t, x.Key(code, false))
	}
	must(t, x.Key(keys.Enter, true))
	must(t, x.Key(keys.Enter, false))
}

// TestLockAndUnlock locks with a real locker, and unlocks as a viewer does: by typing the password.
func TestLockAndUnlock(t *testing.T) {
	d := desktoptest.Bare(t, screen.Point{X: 1024, Y: 768})
	s := open(t, d, "i3lock", "--nofork")
	state(t, s, lock.Open)
	must(t, s.Can())
	must(t, s.Lock(t.Context(), time.Time{}))
	locked, err := s.Locked()
	must(t, err)
	if !locked {
		t.Fatal("Lock returned, but the screen is not locked")
	}
	state(t, s, lock.Locked)
	must(t, s.Lock(t.Context(), time.Time{})) // again: nothing to do
	if os.Getuid() != 0 {
		return // the invoking user's password is not known
	}
	x, err := input.OpenX11(input.X11Config{Display: d.Display(), Authority: d.Authority()})
	must(t, err)
	defer x.Close()
	write(t, x, "wrong")
	for {
		write(t, x, desktoptest.Password(t))
		select {
		case now := <-s.Changes():
			if now != lock.Open {
				t.Fatal("locked anew")
			}
			return
		case <-time.After(5 * time.Second): // lockers drop keys while they check a password
		}
	}
}

func TestLockFailsClearly(t *testing.T) {
	d := desktoptest.Bare(t, screen.Point{X: 640, Y: 480})
	if err := open(t, d).Can(); err == nil {
		t.Error("Can without a locker")
	}
	if err := open(t, d, "/nonexistent/locker").Can(); err == nil {
		t.Error("Can with a locker that does not exist")
	}
	for _, command := range []string{"false", "true"} {
		if err := open(t, d, command).Lock(t.Context(), time.Time{}); err == nil || !strings.Contains(err.Error(), "did not lock") {
			t.Errorf("Lock with %s: %v", command, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := open(t, d, "sleep", "1000").Lock(ctx, time.Time{}); err == nil || !strings.Contains(err.Error(), "in time") {
		t.Errorf("Lock with a locker that does nothing: %v", err)
	}
}

func TestIdleAndPresence(t *testing.T) {
	d := desktoptest.Full(t)
	s := open(t, d, "i3lock", "--nofork")
	on, err := s.LoggedOn()
	must(t, err)
	if !on {
		t.Error("nobody is logged on at a full desk")
	}
	bare := open(t, desktoptest.Bare(t, screen.Point{X: 640, Y: 480}), "i3lock", "--nofork")
	if on, err := bare.LoggedOn(); err != nil || on {
		t.Errorf("somebody is logged on at a bare X server: %v, %v", on, err)
	}
	x, err := input.OpenX11(input.X11Config{Display: d.Display(), Authority: d.Authority()})
	must(t, err)
	defer x.Close()
	var before time.Duration
	for {
		if before, err = s.Idle(); err != nil || before > 200*time.Millisecond {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	must(t, err)
	must(t, x.Key(keys.ShiftLeft, true))
	must(t, x.Key(keys.ShiftLeft, false))
	_, err = x.Locks() // a round trip: the key has been seen
	must(t, err)
	after, err := s.Idle()
	must(t, err)
	if after >= before {
		t.Errorf("idle for %v before and %v after a key", before, after)
	}
	if at := s.UsedLocally(); !at.IsZero() {
		t.Errorf("a viewer's key counts as local use at %v", at)
	}
}
