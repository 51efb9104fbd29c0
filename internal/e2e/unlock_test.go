//go:build linux

package e2e

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"jiseki/internal/desktop/desktoptest"
	"jiseki/internal/keys"
)

// TestUnlockOutlivesNoSession: the screen was locked in a session, and its user types the password and ends the session
// while the locker still checks it. The desk is locked when the log says so, and stays so.
func TestUnlockOutlivesNoSession(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("a locker that checks the password of the desk's account needs root")
	}
	account := desktoptest.Account
	h := build(t, plan{users: []string{"tanaka"}, locker: []string{
		"setpriv", "--reuid=" + account, "--regid=" + account, "--init-groups", "i3lock", "--nofork",
	}})
	tanaka := h.staff("tanaka")
	for _, pause := range []time.Duration{0, 20 * time.Millisecond, 60 * time.Millisecond, 150 * time.Millisecond} {
		v := tanaka.open(look{})
		if err := h.agent.lock.Lock(t.Context(), time.Time{}); err != nil {
			t.Fatal(err)
		}
		v.unlocks(t)
		time.Sleep(pause) // some way into the check
		if err := v.End(t.Context()); err != nil {
			t.Log(err)
		}
		h.awaitEvents(v.session[:], "session_granted ", "session_opened ", "session_ended 1", "session_locked ")
		for end := time.Now().Add(3 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) { // longer than the check
			if !h.locked() {
				t.Fatalf("%v after Enter the session ended: the log says locked, and the desk is open", pause)
			}
		}
	}
	h.byHand()
}

// unlocks types the password of the desk's account and Enter.
func (e *eyes) unlocks(t *testing.T) {
	t.Helper()
	for _, code := range password(t) {
		for _, down := range []bool{true, false} {
			if err := e.Key(t.Context(), code, down); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// byHand unlocks the desk by its own keyboard, as somebody who comes to the office does; it stays open.
func (h *house) byHand() {
	h.t.Helper()
	keyboard, err := h.screen.Keyboard()
	if err != nil {
		h.t.Fatal(err)
	}
	defer keyboard.Close()
	for h.locked() {
		for _, code := range password(h.t) {
			evdev, _ := code.Evdev()
			if err := keyboard.Tap(uint8(evdev + 8)); err != nil {
				h.t.Fatal(err)
			}
		}
		for late := time.Now().Add(3 * time.Second); h.locked() && time.Now().Before(late); { // lockers drop keys while they check
			time.Sleep(50 * time.Millisecond)
		}
	}
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if h.locked() {
			h.t.Fatal("somebody unlocked the desk on the spot, and it is locked again")
		}
	}
}

func password(t *testing.T) (codes []keys.Code) {
	t.Helper()
	for c := range strings.SplitSeq(desktoptest.Password(t), "") {
		name := "Key" + strings.ToUpper(c)
		if strings.Contains("0123456789", c) {
			name = "Digit" + c
		}
		codes = append(codes, keys.FromName(name))
	}
	return slices.Concat(codes, []keys.Code{keys.Enter})
}
