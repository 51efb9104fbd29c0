package storetest

import (
	"fmt"
	"strings"
	"time"

	"jiseki/internal/audit"
	"jiseki/internal/register"
	"jiseki/internal/store"
)

// registerOf is the register of devices as a desk would hold it.
func (t *suite) registerOf() *register.List {
	t.Helper()
	l := &register.List{}
	for {
		part, err := t.s.Register(t.ctx, l.Len(), 2)
		t.ok(err)
		_, err = l.Follow(part)
		t.ok(err)
		if l.Len() == part.Total {
			return l
		}
	}
}

// registerOfDevices: every act that gives or takes a device or a desk is in the register, and its event names the end.
func registerOfDevices(t *suite) {
	d1, k1 := register.Device("d1", "user:tanaka", Key("d1")), register.Assignment("k1", "tanaka")
	before := t.registerOf()
	if !before.Holds(d1) || !before.Holds(k1) || !before.Holds(register.Assignment("k2", "suzuki")) {
		t.Fatal("what the town has is not announced")
	}
	running, err := t.s.RevokeDevice(t.ctx, Admin, "d1", "")
	t.ok(err)
	t.equal(len(running), 0)
	_, err = t.s.UpdateDesk(t.ctx, Admin, store.Desk{ID: "k1", Name: "x", Zone: 1, Users: []string{"suzuki"}})
	t.ok(err)
	_, err = t.s.DeleteDesk(t.ctx, Admin, "k2")
	t.ok(err)
	t.ok(t.s.CreateUsers(t.ctx, Admin, []store.NewUser{{ID: "sato", Name: "佐藤", PasswordHash: "hash", Desks: []string{"k1"}}}))
	after := t.registerOf()
	for _, gone := range [][32]byte{d1, k1, register.Assignment("k2", "suzuki"), register.Assignment("k2", "tanaka")} {
		if after.Holds(gone) {
			t.Errorf("%x was taken away and is still announced", gone)
		}
	}
	for _, here := range [][32]byte{register.Assignment("k1", "suzuki"), register.Assignment("k1", "sato"), register.Device("d2", "user:suzuki", Key("d2"))} {
		if !after.Holds(here) {
			t.Errorf("%x is not announced", here)
		}
	}
	_, err = before.Follow(after.Part(before.Len(), register.MaxEntries)) // it only grows
	t.ok(err)
	t.equal(t.last().Kind, audit.UserCreated)
	end := after.Hash(after.Len())
	t.equal(strings.Contains(t.last().Details, fmt.Sprintf(`"register":%d,"register_hash":"%x"`, after.Len(), end)), true)

	t.ok(t.s.KeepRegister(t.ctx, "g1")) // nothing was forgotten: only the day's mark
	t.equal(t.registerOf().Len(), after.Len()+1)
	t.ok(t.s.KeepRegister(t.ctx, "g1"))
	t.equal(t.registerOf().Len(), after.Len()+1)
	t.clock.Add(25 * time.Hour)
	t.ok(t.s.KeepRegister(t.ctx, "g1"))
	t.equal([]any{t.registerOf().Len(), t.last().Kind}, []any{after.Len() + 2, audit.RegisterKept})
}

// registerThatDiffers is told to administrators once a day.
func registerThatDiffers(t *suite) {
	for range 2 {
		t.ok(t.s.DeskDiffers(t.ctx, "k1", "register_ahead", 7))
	}
	e := t.last()
	t.equal([]any{e.Kind, e.Actor, e.Code, e.Outcome}, []any{audit.DeskDiffers, "desk:k1", "register_ahead", audit.Refused})
	told, _, err := t.s.Notices(t.ctx, "admin", store.Page{})
	t.ok(err)
	t.equal(len(told), 1)
	t.equal([]any{told[0].Kind, told[0].Args["desk"]}, []any{"desk_differs", "総務課 01"})
}

// deskMoves: another address is an event and a notice; two at once are another one.
func deskMoves(t *suite) {
	from := func(address string) {
		_, err := t.s.DeskConnected(t.ctx, store.DeskHello{Desk: "k1", Gateway: "g1", Address: address})
		t.ok(err)
	}
	moves := func() (codes []string) {
		events, _, err := t.s.Events(t.ctx, store.EventFilter{Kind: audit.DeskMoved}, store.Page{})
		t.ok(err)
		for _, e := range events {
			codes = append(codes, e.Code)
		}
		return codes
	}
	from("192.0.2.1")
	from("192.0.2.1")
	t.equal(len(moves()), 0)
	from("192.0.2.2") // the first is still connected
	t.equal(moves(), []string{"two_at_once"})
	k, err := t.s.Desk(t.ctx, "k1")
	t.ok(err)
	t.ok(t.s.DeskGone(t.ctx, "k1", k.Epoch, ""))
	from("192.0.2.3")
	from("192.0.2.3")
	t.equal(moves(), []string{"other_address", "two_at_once"})
	told, _, err := t.s.Notices(t.ctx, "admin", store.Page{})
	t.ok(err)
	t.equal(len(told), 2)
}
