package storetest

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp/cmpopts"

	"jiseki/internal/access"
	"jiseki/internal/audit"
	"jiseki/internal/store"
	"jiseki/internal/wake"
)

var anAdapter = wake.Adapter{
	MAC: wake.MAC{0, 0x1b, 0x21, 1, 2, 3}, Wake: wake.Allowed,
	Prefixes: []netip.Prefix{netip.MustParsePrefix("192.168.10.5/24"), netip.MustParsePrefix("10.0.0.5/16")},
}

func machines(t *suite) {
	other := wake.Adapter{MAC: wake.MAC{0, 0x1b, 0x21, 1, 2, 4}, Prefixes: []netip.Prefix{netip.MustParsePrefix("192.168.10.6/24")}}
	reaches := []netip.Prefix{netip.MustParsePrefix("192.168.0.0/16")}
	hello := store.DeskHello{Desk: "k1", Gateway: "g1", Adapters: []wake.Adapter{anAdapter, other, anAdapter}}
	_, err := t.s.DeskConnected(t.ctx, hello)
	t.ok(err)
	_, err = t.s.DeskConnected(t.ctx, store.DeskHello{Desk: "k2", Gateway: "g1", AlwaysOn: true, Reaches: reaches})
	t.ok(err)
	all, err := t.s.Machines(t.ctx)
	t.ok(err)
	t.equal([]any{len(all), all[0].ID, all[0].AlwaysOn, all[1].ID, all[1].AlwaysOn, all[1].Reaches},
		[]any{2, "k1", false, "k2", true, reaches}, cmpopts.EquateComparable(netip.Prefix{}))
	t.equal(all[0].Adapters, []wake.Adapter{anAdapter, other}, cmpopts.EquateComparable(netip.Prefix{}))

	// The newest word counts: another adapter, no waker any more.
	_, err = t.s.DeskConnected(t.ctx, store.DeskHello{Desk: "k1", Gateway: "g1", Adapters: []wake.Adapter{other}})
	t.ok(err)
	_, err = t.s.DeskConnected(t.ctx, store.DeskHello{Desk: "k2", Gateway: "g1"})
	t.ok(err)
	all, err = t.s.Machines(t.ctx)
	t.ok(err)
	t.equal(all[0].Adapters, []wake.Adapter{other}, cmpopts.EquateComparable(netip.Prefix{}))
	t.equal([]any{all[1].AlwaysOn, len(all[1].Reaches)}, []any{false, 0})
}

func wakes(t *suite) {
	now := t.clock.Now().UnixMilli()
	by := store.By{Actor: "user:tanaka"}
	asked, err := t.s.AskWakes(t.ctx, by, store.WakeAsk{Desk: "k1", FirstMS: now}, store.WakeAsk{Desk: "k2", FirstMS: now + 500})
	t.ok(err)
	t.equal([]any{asked[0].Desk, asked[0].State, asked[0].ByName, asked[1].Desk, asked[1].NextMS},
		[]any{"k1", store.WakeQueued, "田中 花子", "k2", now + 500})
	t.equal([]any{t.last().Kind, t.last().Subject}, []any{audit.DeskWakeAsked, "desk:k2"})
	events := t.last().Number
	again, err := t.s.AskWakes(t.ctx, by, store.WakeAsk{Desk: "k1", FirstMS: now})
	t.ok(err)
	t.equal([]any{again[0].ID, t.last().Number}, []any{asked[0].ID, events}) // it runs: no second one, no event
	_, err = t.s.AskWakes(t.ctx, by, store.WakeAsk{Desk: "k9", FirstMS: now})
	t.fails(err, store.ErrNotFound)

	due, err := t.s.WakesDue(t.ctx)
	t.ok(err)
	t.equal(due, true)
	first, err := t.s.ClaimWakes(t.ctx, "g1", 10*time.Second, 10)
	t.ok(err)
	t.equal([]any{len(first), first[0].ID}, []any{1, asked[0].ID}) // the other's turn has not come
	none, err := t.s.ClaimWakes(t.ctx, "g2", 10*time.Second, 10)
	t.ok(err)
	t.equal(len(none), 0)
	step := first[0]
	step.State, step.Waker, step.Tried, step.SentMS, step.NextMS = store.WakeSent, "k2", []string{"k2"}, now, now+20_000
	t.fails(t.s.StepWake(t.ctx, "g2", step), store.ErrStale)
	t.ok(t.s.StepWake(t.ctx, "g1", step))
	t.fails(t.s.StepWake(t.ctx, "g1", step), store.ErrStale) // it was given back
	w, err := t.s.Wake(t.ctx, step.ID)
	t.ok(err)
	t.equal([]any{w.State, w.Waker, w.WakerName, w.Tried, w.SentMS, w.NextMS}, []any{store.WakeSent, "k2", "税務課 01", []string{"k2"}, now, now + 20_000})

	// The desk answers: its wake ends with its hello.
	t.clock.Add(7 * time.Second)
	_, err = t.s.DeskConnected(t.ctx, store.DeskHello{Desk: "k1", Gateway: "g1"})
	t.ok(err)
	w, err = t.s.NewestWake(t.ctx, "k1")
	t.ok(err)
	t.equal([]any{w.State, w.EndedMS}, []any{store.WakeOn, now + 7000})
	t.fails(t.s.EndWake(t.ctx, "g1", w.ID, "x"), store.ErrStale)

	// A desk that comes before its waker's answer is on, and the waker is named all the same.
	fast, err := t.s.AskWakes(t.ctx, by, store.WakeAsk{Desk: "k1", FirstMS: now})
	t.ok(err)
	held, err := t.s.ClaimWakes(t.ctx, "g1", 10*time.Second, 1)
	t.ok(err)
	t.equal([]any{len(held), held[0].ID}, []any{1, fast[0].ID})
	_, err = t.s.DeskConnected(t.ctx, store.DeskHello{Desk: "k1", Gateway: "g1"})
	t.ok(err)
	held[0].State, held[0].Waker = store.WakeSent, "k2"
	t.ok(t.s.StepWake(t.ctx, "g1", held[0]))
	w, err = t.s.Wake(t.ctx, fast[0].ID)
	t.ok(err)
	t.equal([]any{w.State, w.Waker}, []any{store.WakeOn, "k2"})

	// A gateway that died holds nothing for ever.
	claimed, err := t.s.ClaimWakes(t.ctx, "g1", 10*time.Second, 10)
	t.ok(err)
	t.equal([]any{len(claimed), claimed[0].Desk}, []any{1, "k2"})
	t.clock.Add(10 * time.Second)
	claimed, err = t.s.ClaimWakes(t.ctx, "g2", 10*time.Second, 10)
	t.ok(err)
	t.equal(len(claimed), 1)
	t.fails(t.s.EndWake(t.ctx, "g1", claimed[0].ID, string(access.WakeNoAnswer)), store.ErrStale)
	t.ok(t.s.EndWake(t.ctx, "g2", claimed[0].ID, string(access.WakeNoAnswer)))
	t.equal([]any{t.last().Kind, t.last().Outcome, t.last().Code}, []any{audit.DeskWakeEnded, audit.Failed, "wake_no_answer"})
	due, err = t.s.WakesDue(t.ctx)
	t.ok(err)
	t.equal(due, false)
	_, err = t.s.NewestWake(t.ctx, "k9")
	t.fails(err, store.ErrNotFound)

	page, next, err := t.s.Wakes(t.ctx, store.Page{Limit: 1})
	t.ok(err)
	rest, end, err := t.s.Wakes(t.ctx, store.Page{Limit: 1, After: next})
	t.ok(err)
	last, end, err := t.s.Wakes(t.ctx, store.Page{Limit: 1, After: end})
	t.ok(err)
	t.equal([]any{len(page), len(rest), len(last), end, page[0].ID == rest[0].ID, last[0].ID == rest[0].ID}, []any{1, 1, 1, "", false, false})
}

// wakesPlanned: several gateways plan the same morning, and each desk is woken once.
func wakesPlanned(t *suite) {
	ask := store.WakeAsk{Desk: "k1", Plan: "k1@2026-11-25T08:10", FirstMS: t.clock.Now().UnixMilli()}
	var group sync.WaitGroup
	failed := make([]error, 8)
	for i := range failed {
		group.Go(func() { _, failed[i] = t.s.AskWakes(t.ctx, store.By{Actor: fmt.Sprintf("gateway:g%d", i)}, ask) })
	}
	group.Wait()
	for _, err := range failed {
		t.ok(err)
	}
	var claimed []store.Wake
	var mu sync.Mutex
	for i := range failed {
		group.Go(func() {
			got, err := t.s.ClaimWakes(t.ctx, fmt.Sprintf("g%d", i), time.Minute, 10)
			mu.Lock()
			claimed, failed[i] = append(claimed, got...), err
			mu.Unlock()
		})
	}
	group.Wait()
	for _, err := range failed {
		t.ok(err)
	}
	t.equal(len(claimed), 1)
	_, err := t.s.DeskConnected(t.ctx, store.DeskHello{Desk: "k1", Gateway: "g1"})
	t.ok(err)
	events := t.last().Number
	t.clock.Add(time.Minute)
	after, err := t.s.AskWakes(t.ctx, Admin, ask) // carried out: not again
	t.ok(err)
	t.equal([]any{after[0].State, t.last().Number}, []any{store.WakeOn, events})
}

func powerAsks(t *suite) {
	by := store.By{Actor: "user:tanaka"}
	t.ok(t.s.AskPowerOn(t.ctx, by, "k1", nil))
	t.equal([]any{t.last().Kind, t.last().Subject}, []any{audit.DeskPowerOnAsked, "desk:k1"})
	t.clock.Add(9 * time.Minute)
	t.fails(t.s.AskPowerOn(t.ctx, by, "k1", nil), store.ErrSpent)
	t.ok(t.s.AskPowerOn(t.ctx, by, "k2", nil))
	t.clock.Add(time.Minute)
	t.ok(t.s.AskPowerOn(t.ctx, by, "k1", nil))
	t.clock.Add(-24 * time.Hour) // the clock was ahead
	t.ok(t.s.AskPowerOn(t.ctx, by, "k1", nil))
	t.fails(t.s.AskPowerOn(t.ctx, by, "k1", nil), store.ErrSpent)

	colleagues := func() (ids []string) {
		all, err := t.s.Colleagues(t.ctx, "zeimu")
		t.ok(err)
		for _, c := range all {
			ids = append(ids, fmt.Sprint(c.ID, " ", c.InHall))
		}
		return ids
	}
	t.equal(colleagues(), []string{"suzuki false"})
	here := func(n byte) {
		suzuki, err := t.s.User(t.ctx, "suzuki")
		t.ok(err)
		in := store.SignIn{Hash: [32]byte{n}, User: "suzuki", Place: access.Office, UntilMS: t.clock.Now().Add(time.Hour).UnixMilli()}
		t.ok(t.s.AddSignIn(t.ctx, in, &suzuki, [32]byte{}))
	}
	t.clock.Add(24 * time.Hour)
	here(1)
	t.equal(colleagues(), []string{"suzuki true"})
	t.clock.Add(-24 * time.Hour) // the clock was ahead
	t.equal(colleagues(), []string{"suzuki false"})
	epoch, err := t.s.DeskConnected(t.ctx, store.DeskHello{Desk: "k2", Gateway: "g1"})
	t.ok(err)
	t.ok(t.s.SetDeskState(t.ctx, "k2", epoch, store.DeskState{Present: true}))
	t.equal(colleagues(), []string{"suzuki true"})

	ms, err := t.s.LastOutside(t.ctx, "tanaka")
	t.ok(err)
	t.equal(ms, int64(0))
}

func lostDevice(t *suite) {
	id := Session(t.T, t.s, 1, "tanaka", "d1", "k1")
	running, err := t.s.ReportLost(t.ctx, store.By{Actor: "user:tanaka"}, "d1", "電車に置き忘れた")
	t.ok(err)
	t.equal([]any{len(running), running[0].ID}, []any{1, id})
	d, err := t.s.Device(t.ctx, "d1")
	t.ok(err)
	t.equal([]any{d.RevokedMS, d.RevokedReason}, []any{t.clock.Now().UnixMilli(), "lost"})
	t.equal([]any{t.last().Kind, t.last().Subject, strings.Contains(t.last().Details, "電車")}, []any{audit.DeviceLost, "device:d1", true})
	notices, _, err := t.s.Notices(t.ctx, "admin", store.Page{})
	t.ok(err)
	t.equal([]any{len(notices), notices[0].Kind}, []any{1, "device_lost"})
	notices, _, err = t.s.Notices(t.ctx, "tanaka", store.Page{}) // who reports it knows
	t.ok(err)
	t.equal(len(notices), 0)
	before := t.last().Number
	for range 3 { // known already
		_, err = t.s.ReportLost(t.ctx, store.By{Actor: "user:tanaka"}, "d1", "")
		t.ok(err)
	}
	t.equal(t.last().Number, before)
	t.ok(t.s.AddDevice(t.ctx, Admin, Device("d3", "user:tanaka")))
	_, err = t.s.RevokeDevice(t.ctx, Admin, "d3", "返却")
	t.ok(err)
	before = t.last().Number
	for range 3 { // revoked already: reported all the same, once
		_, err = t.s.ReportLost(t.ctx, store.By{Actor: "user:tanaka"}, "d3", "")
		t.ok(err)
	}
	t.equal([]any{t.last().Kind, t.last().Subject, t.last().Number}, []any{audit.DeviceLost, "device:d3", before + 1})
	notices, _, err = t.s.Notices(t.ctx, "admin", store.Page{})
	t.ok(err)
	t.equal(len(notices), 2)
	_, err = t.s.ReportLost(t.ctx, Admin, "d9", "")
	t.fails(err, store.ErrNotFound)
}

func selfChecks(t *suite) {
	t.ok(t.s.SaveSelfCheck(t.ctx, store.SelfCheck{Code: "CODE", User: "tanaka", Items: `[]`}))
	t.fails(t.s.SaveSelfCheck(t.ctx, store.SelfCheck{Code: "CODE", User: "suzuki", Items: `[]`}), store.ErrExists)
	got, err := t.s.SelfCheck(t.ctx, "CODE")
	t.ok(err)
	t.equal(got, store.SelfCheck{Code: "CODE", User: "tanaka", UserName: "田中 花子", TimeMS: t.clock.Now().UnixMilli(), Items: `[]`})
	var kept []string
	for i := range 25 {
		t.clock.Add(time.Second)
		kept = append(kept, fmt.Sprint("C", i))
		t.ok(t.s.SaveSelfCheck(t.ctx, store.SelfCheck{Code: kept[i], User: "suzuki", Items: `[]`}))
	}
	kept = slices.DeleteFunc(kept, func(code string) bool { _, err := t.s.SelfCheck(t.ctx, code); return err != nil })
	t.equal([]any{len(kept), kept[0]}, []any{20, "C5"})
	t.clock.Add(30 * 24 * time.Hour)
	_, err = t.s.SelfCheck(t.ctx, "C24")
	t.fails(err, store.ErrNotFound)
	t.ok(t.s.Tidy(t.ctx, 1000*time.Hour))
}
