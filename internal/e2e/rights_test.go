//go:build linux

package e2e

import (
	"errors"
	"image"
	"slices"
	"testing"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/agent"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/grant"
	"jiseki/internal/keys"
	"jiseki/internal/viewer"
	"jiseki/internal/wire"
	"jiseki/internal/x11"
)

// TestViewerThatLies sends what its rights do not allow, and then garbage.
func TestViewerThatLies(t *testing.T) {
	h := build(t, plan{
		limits: agent.Limits{Deny: grant.RightInput}, zone: controlv1.Zone_ZONE_LGWAN,
		settings: func(s *access.Settings) { s.ClipboardInternet = true },
	})
	v := h.staff("tanaka").open(look{})
	v.sameAsDesk()
	w := h.window(image.Rect(20, 60, 520, 400))
	at, _, err := h.x.Pointer()
	if err != nil {
		t.Fatal(err)
	}
	generation := uint32(0)
	v.Look(func(s viewer.State) { generation = s.Layout.Generation })
	for range 3 {
		for _, m := range []wire.Message{
			&wire.Key{Code: uint16(keys.KeyA), Down: true}, &wire.KeyTap{Code: uint16(keys.KeyB)},
			&wire.Held{Buttons: wire.ButtonLeft, Codes: []uint16{uint16(keys.KeyA)}}, &wire.Locks{Locks: wire.CapsLock},
			&wire.Pointer{Generation: generation, X: 300, Y: 300, Buttons: wire.ButtonLeft},
			&wire.Wheel{Generation: generation, X: 310, Y: 310, DY: 120}, &wire.ReleaseAll{}, &wire.Clipboard{Text: []byte("秘密")},
		} {
			if err := v.Send(soon(t), m); err != nil {
				t.Fatal(err)
			}
		}
	}
	v.echo()
	w.sync()
	if now, _, err := h.x.Pointer(); err != nil || now != at {
		t.Errorf("the pointer went from %v to %v, %v", at, now, err)
	}
	if got, down := w.got(), h.keysDown(); len(got)+len(down) > 0 {
		t.Errorf("keys came to the window: %v, are down: %v", got, down)
	}
	if owner := h.clipboardOwner(); owner != 0 {
		t.Error("the clipboard of the desk was set")
	}
	v.heard(wire.InputDenied)
	v.heard(wire.ClipboardDenied)
	v.Look(func(s viewer.State) {
		if n, m := count(s.Notices, wire.InputDenied), count(s.Notices, wire.ClipboardDenied); n != 1 || m != 1 {
			t.Errorf("told %d and %d times, want once each", n, m)
		}
	})
	w.fill(image.Rect(0, 0, 100, 100), 0x654321)
	v.sameAsDesk()

	if err := v.Send(soon(t), garbage{&wire.Ping{}}); err != nil {
		t.Fatal(err)
	}
	if code := v.ended(); code != wire.ProtocolError {
		t.Errorf("garbage ended the session with %v", code)
	}
	h.awaitEvents(v.session[:], "session_granted ", "session_opened ", "session_ended 9", "session_locked ")
}

// garbage is a message that no reader takes.
type garbage struct{ wire.Message }

func (garbage) Append(b []byte) []byte { return append(b, 0x07, 1, 2, 3) }

// clipboardOwner is the window that owns the desk's clipboard, 0 if there is none.
func (h *house) clipboardOwner() x11.Window {
	h.t.Helper()
	clipboard, err := h.x.Atom("CLIPBOARD")
	if err != nil {
		h.t.Fatal(err)
	}
	owner, err := h.x.SelectionOwner(clipboard)
	if err != nil {
		h.t.Fatal(err)
	}
	return owner
}

// TestPaste brings a text to the desk where settings and zone allow it.
func TestPaste(t *testing.T) {
	h := build(t, plan{settings: func(s *access.Settings) { s.ClipboardInternet = true }})
	v := h.staff("tanaka").open(look{})
	if !grant.Rights(v.Welcome().Rights).Has(grant.RightClipboard) {
		t.Fatal("no right to paste")
	}
	w := h.window(image.Rect(20, 60, 520, 400))
	text := "みどり町の会議資料 ①"
	if err := v.Send(soon(t), &wire.Clipboard{Text: []byte(text)}); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { return h.clipboardOwner() != 0 }, func() string { return "nobody owns the clipboard" })
	if got := w.paste(); got != text {
		t.Errorf("pasted %q", got)
	}
}

// paste asks for the clipboard as a program on the desk does.
func (w *window) paste() string {
	t := w.h.t
	t.Helper()
	var atoms []x11.Atom
	for _, name := range []string{"CLIPBOARD", "UTF8_STRING", "JISEKI_E2E"} {
		a, err := w.conn.Atom(name)
		if err != nil {
			t.Fatal(err)
		}
		atoms = append(atoms, a)
	}
	if err := w.conn.ConvertSelection(w.id, atoms[0], atoms[1], atoms[2], 0); err != nil {
		t.Fatal(err)
	}
	var data []byte
	await(t, func() bool {
		_, b, err := w.conn.Property(w.id, atoms[2])
		data = append([]byte(nil), b...)
		return err == nil && len(data) > 0
	}, func() string { return "no answer from the clipboard's owner" })
	return string(data)
}

// TestOneAtATime refuses another user and lets the same user take over.
func TestOneAtATime(t *testing.T) {
	h := build(t, plan{users: []string{"tanaka", "suzuki"}})
	tanaka, suzuki := h.staff("tanaka"), h.staff("suzuki")
	first := tanaka.open(look{})
	first.sameAsDesk()

	_, err := suzuki.try(look{})
	var refused *viewer.RefusedError
	if !errors.As(err, &refused) || refused.Code() != string(access.DeskInUse) {
		t.Errorf("another user was answered %v", err)
	}

	second := tanaka.open(look{})
	if code := first.ended(); code != wire.Replaced {
		t.Errorf("the same device again: the old viewer was told %v", code)
	}
	second.sameAsDesk()

	third := tanaka.another().open(look{})
	if code := second.ended(); code != wire.TakenOver {
		t.Errorf("another device: the old viewer was told %v", code)
	}
	third.sameAsDesk()
	if h.locked() {
		t.Error("the desk was locked while its user went on")
	}
	h.awaitEvents(first.session[:], "session_granted ", "session_opened ", "session_ended 18")
	h.awaitEvents(second.session[:], "session_granted ", "session_opened ", "session_ended 2")
	if err := third.End(soon(t)); err != nil {
		t.Error(err)
	}
	h.awaitEvents(third.session[:], "session_granted ", "session_opened ", "session_ended 1", "session_locked ")
	suzuki.open(look{}).sameAsDesk()
	h.verifyLog()
}

// TestEnds ends sessions in every way that is not the viewer's.
func TestEnds(t *testing.T) {
	h := build(t, plan{})
	tanaka := h.staff("tanaka")
	for _, c := range []struct {
		name   string
		before func()
		end    func(*eyes)
		code   wire.Code
		log    []string // between opened and locked; "late": the gateway had ended it before the agent said so
	}{
		{"at the desk", nil, func(*eyes) { h.lastNotice().end() }, wire.EndedAtDesk, []string{"session_ended 3"}},
		{"by the administrator", nil, func(v *eyes) {
			_, err := h.town.Admin.EndAnySession(t.Context(), &controlv1.EndAnySessionRequest{SessionId: v.session[:], Reason: "test"})
			if err != nil {
				t.Error(err)
			}
		}, wire.Revoked, []string{"session_end_ordered ", "session_ended 4", "session_ended late"}},
		{"on the portal", nil, func(v *eyes) {
			if err := tanaka.portal.EndSession(t.Context(), v.session); err != nil {
				t.Error(err)
			}
		}, wire.EndedByUser, []string{"session_ended 1", "session_ended late"}},
		{"time is over", nil, func(*eyes) { h.clock.set(13*time.Hour, 0) }, wire.Expired, []string{"session_ended 5"}},
		{"no lease", nil, func(*eyes) { h.clock.set(0, 61*time.Second) }, wire.LeaseLost, []string{"session_ended 11"}},
		{"nobody types", func() {
			h.town.ChangeSettings(t, func(s *controlv1.Settings) { s.IdleS = 1 })
		}, func(*eyes) {}, wire.Idle, []string{"session_ended 6"}},
		{"the device is revoked", func() {
			h.town.ChangeSettings(t, func(s *controlv1.Settings) { s.IdleS = 0 })
		}, func(*eyes) {
			_, err := h.town.Admin.RevokeDevice(t.Context(), &controlv1.RevokeDeviceRequest{DeviceId: tanaka.portal.Device().ID, Reason: "lost"})
			if err != nil {
				t.Error(err)
			}
		}, wire.Revoked, []string{"session_ended 4", "session_ended late"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer func(outer *testing.T) { h.t = outer }(h.t)
			h.t = t
			if c.before != nil {
				c.before()
			}
			v := tanaka.open(look{})
			if c.code != wire.Idle {
				v.sameAsDesk()
			}
			c.end(v)
			if code := v.ended(); code != c.code {
				t.Errorf("the viewer was told %v, want %v", code, c.code)
			}
			h.clock.set(0, 0)
			h.awaitEvents(v.session[:], slices.Concat([]string{"session_granted ", "session_opened "}, c.log, []string{"session_locked "})...)
			if !h.locked() {
				t.Error("the desk is not locked")
			}
			await(t, func() bool { return h.lastNotice().isClosed() }, func() string { return "the notice stays" })
		})
	}
	if _, err := tanaka.try(look{}); err == nil {
		t.Error("a revoked device opened the desk again")
	}
	h.verifyLog()
}

func (h *house) lastNotice() *shownNotice {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.notices[len(h.notices)-1]
}

func (n *shownNotice) isClosed() bool { return n.closed.Load() }

// TestCannotLock says before the session starts that the desk will stay open after it.
func TestCannotLock(t *testing.T) {
	h := build(t, plan{noLocker: true, settings: func(s *access.Settings) { s.RequireLockable = false }})
	tanaka := h.staff("tanaka")
	v := tanaka.open(look{})
	if v.Welcome().Lockable {
		t.Error("welcome says that the desk can be locked")
	}
	if err := v.End(soon(t)); err != nil {
		t.Error(err)
	}
	h.awaitEvents(v.session[:], "session_granted ", "session_opened ", "session_ended 1", "session_lock_failed 10")

	h.town.ChangeSettings(t, func(s *controlv1.Settings) { s.RequireLockable = true })
	_, err := tanaka.try(look{})
	var refused *viewer.RefusedError
	if !errors.As(err, &refused) || refused.Code() != string(access.DeskCannotLock) {
		t.Errorf("a desk that must be lockable and is not: %v", err)
	}
}
