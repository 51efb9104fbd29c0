package waking

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jiseki/internal/access"
	"jiseki/internal/calendar"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/grant"
	"jiseki/internal/store"
	"jiseki/internal/store/storetest"
	"jiseki/internal/telework"
	"jiseki/internal/wake"
)

// agents is a memory of agents in place of the hub.
type agents struct {
	mu     sync.Mutex
	orders []string          // "waker macs networks"
	refuse map[string]string // code by waker
	held   map[string]uint64
	plans  map[string]*controlv1.PlanOrder
}

func (a *agents) Wake(_ context.Context, desk string, o *controlv1.WakeOrder) (*controlv1.OrderAnswer, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.orders = append(a.orders, fmt.Sprintf("%s %x %s", desk, o.GetMacs(), strings.Join(o.GetNetworks(), ",")))
	if code, no := a.refuse[desk]; no {
		if code == "" {
			return nil, errors.New("silent")
		}
		return &controlv1.OrderAnswer{Code: code}, nil
	}
	return &controlv1.OrderAnswer{Done: true}, nil
}

func (a *agents) Plan(desk string, plan *controlv1.PlanOrder) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.plans[desk] = plan
	return nil
}

func (a *agents) Epochs() map[string]uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.held)
}

// asked forgets and returns the wakers that got orders since the last call.
func (a *agents) asked() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var ids []string
	for _, o := range a.orders {
		id, _, _ := strings.Cut(o, " ")
		ids = append(ids, id)
	}
	a.orders = nil
	return ids
}

// office is a town on a fake clock with more machines: w1 an always-on waker, n1 and n2 desks; k1 sleeps. All are in
// the network 192.168.10.0/24 of zone lgwan; k2 is in zone internet.
type office struct {
	t      *testing.T
	clock  *storetest.Clock
	store  *store.Store
	agents *agents
	*Service
}

func newOffice(t *testing.T) *office {
	t.Helper()
	clock := storetest.NewClock()
	s := storetest.Open(t, storetest.SQLite(t), clock.Now)
	storetest.Town(t, s)
	a := &agents{refuse: map[string]string{}, held: map[string]uint64{}, plans: map[string]*controlv1.PlanOrder{}}
	o := &office{t: t, clock: clock, store: s, agents: a, Service: New(Config{
		Log: slog.New(slog.DiscardHandler), Now: clock.Now, Store: s, Agents: a, Gateway: "g1",
	})}
	o.ok(s.GatewayStarted(t.Context(), "g1", "v"))
	for _, id := range []string{"w1", "n1", "n2"} {
		o.ok(s.AddDesk(t.Context(), storetest.Admin, store.Desk{ID: id, Name: id, Zone: grant.ZoneLGWAN}))
		storetest.EnrolDesk(t, s, id)
	}
	o.come("w1", store.DeskHello{AlwaysOn: true}, "192.168.10.2/24")
	o.come("n1", store.DeskHello{}, "192.168.10.11/24")
	o.come("n2", store.DeskHello{}, "192.168.10.12/24")
	o.come("k1", store.DeskHello{}, "192.168.10.21/24")
	o.go_("k1")
	o.come("k2", store.DeskHello{}, "192.168.10.22/24")
	o.go_("k2")
	return o
}

func (o *office) ok(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

// come connects a machine with one adapter.
func (o *office) come(id string, h store.DeskHello, prefix string) {
	o.t.Helper()
	h.Desk, h.Gateway = id, "g1"
	if prefix != "" {
		h.Adapters = append(h.Adapters, wake.Adapter{MAC: macOf(id), Prefixes: []netip.Prefix{netip.MustParsePrefix(prefix)}})
	}
	epoch, err := o.store.DeskConnected(o.t.Context(), h)
	o.ok(err)
	o.agents.mu.Lock()
	defer o.agents.mu.Unlock()
	o.agents.held[id] = uint64(epoch) //nolint:gosec // counts from 1
}

func macOf(id string) wake.MAC { return wake.MAC{0, 0x1b, 0x21, 0, id[0], id[1]} }

// go_ ends a machine's connection.
func (o *office) go_(id string) {
	o.t.Helper()
	o.agents.mu.Lock()
	epoch := o.agents.held[id]
	delete(o.agents.held, id)
	o.agents.mu.Unlock()
	o.ok(o.store.DeskGone(o.t.Context(), id, int64(epoch), "off")) //nolint:gosec // counts from 1
}

// pass lets time pass, with the gateway alive and at work every second.
func (o *office) pass(d time.Duration) {
	o.t.Helper()
	for end := o.clock.Now().Add(d); ; o.clock.Add(time.Second) {
		o.ok(o.store.GatewayAlive(o.t.Context(), "g1"))
		o.ok(o.work(o.t.Context()))
		if !o.clock.Now().Before(end) {
			return
		}
	}
}

func (o *office) newest(desk string) store.Wake {
	o.t.Helper()
	w, err := o.store.NewestWake(o.t.Context(), desk)
	o.ok(err)
	return w
}

func (o *office) equal(got, want any) {
	o.t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		o.t.Fatalf("(-want +got)\n%s", d)
	}
}

var tanaka = store.By{Actor: "user:tanaka"}

func TestAlwaysOnWakerWakesFirst(t *testing.T) {
	o := newOffice(t)
	w, err := o.Wake(t.Context(), tanaka, "k1")
	o.ok(err)
	o.equal(w.State, store.WakeQueued)
	o.pass(0)
	o.agents.mu.Lock()
	o.equal(o.agents.orders, []string{fmt.Sprintf("w1 [%x] 192.168.10.0/24", [6]byte(macOf("k1")))})
	o.agents.mu.Unlock()
	o.equal(o.newest("k1").State, store.WakeSent)
	o.clock.Add(9 * time.Second)
	o.come("k1", store.DeskHello{}, "192.168.10.21/24")
	w = o.newest("k1")
	o.equal([]any{w.State, w.WakerName, w.EndedMS - w.AskedMS}, []any{store.WakeOn, "w1", int64(9000)})
	again, err := o.Wake(t.Context(), tanaka, "k1")
	o.ok(err)
	o.equal([]any{again.ID, again.State}, []any{"", store.WakeOn}) // it is on: nothing is asked
}

func TestPacketsAreSentAgainByOthersUntilTheTimeIsOver(t *testing.T) {
	o := newOffice(t)
	_, err := o.Wake(t.Context(), tanaka, "k1")
	o.ok(err)
	o.pass(119 * time.Second)
	o.equal(o.agents.asked(), []string{"w1", "n1", "n2", "w1", "n1", "n2"})
	o.equal(o.newest("k1").State, store.WakeSent)
	o.pass(time.Second)
	w := o.newest("k1")
	o.equal([]any{w.State, w.Failure, w.EndedMS - w.SentMS}, []any{store.WakeFailed, "wake_no_answer", int64(120_000)})
	o.equal(len(o.agents.asked()), 0)
}

func TestAnotherWakerWhenOneCannot(t *testing.T) {
	o := newOffice(t)
	o.agents.refuse = map[string]string{"w1": "not_here", "n1": ""}
	_, err := o.Wake(t.Context(), tanaka, "k1")
	o.ok(err)
	o.pass(3 * time.Second)
	o.equal(o.agents.asked(), []string{"w1", "n1", "n2"})
	w := o.newest("k1")
	o.equal([]any{w.State, w.Waker}, []any{store.WakeSent, "n2"})

	o = newOffice(t)
	o.agents.refuse = map[string]string{"w1": "not_here", "n1": "", "n2": "too_many"}
	_, err = o.Wake(t.Context(), tanaka, "k1")
	o.ok(err)
	o.pass(10 * time.Second)
	o.equal(o.agents.asked(), []string{"w1", "n1", "n2", "w1", "n1", "n2"})
	w = o.newest("k1")
	o.equal([]any{w.State, w.Failure}, []any{store.WakeFailed, "wake_no_waker"})
}

func TestNobodyAwake(t *testing.T) {
	o := newOffice(t)
	for _, id := range []string{"w1", "n1", "n2"} {
		o.go_(id)
	}
	_, err := o.Wake(t.Context(), tanaka, "k1")
	var no *Refusal
	if !errors.As(err, &no) || no.Code != access.WakeNoWaker {
		t.Fatalf("got %v", err)
	}
	// A bulk has the reason in its list; the plan of the morning waits for a waker.
	wakes, err := o.WakeAll(t.Context(), tanaka, []string{"k1", "k2"})
	o.ok(err)
	o.equal(len(wakes), 2)
	o.pass(2 * time.Second)
	o.equal([]any{o.newest("k1").Failure, o.newest("k2").Failure}, []any{"wake_no_waker", "wake_no_waker"})
	_, err = o.store.AskWakes(t.Context(), tanaka, store.WakeAsk{
		Desk: "k1", Plan: "p", FirstMS: o.clock.Now().UnixMilli(), PatientMS: o.clock.Now().Add(planPatience).UnixMilli(),
	})
	o.ok(err)
	o.pass(5 * time.Minute)
	o.equal(o.newest("k1").State, store.WakeQueued)
	o.come("n2", store.DeskHello{}, "192.168.10.12/24")
	o.pass(lookAgain)
	o.equal([]any{o.newest("k1").State, o.newest("k1").Waker}, []any{store.WakeSent, "n2"})
}

// TestZonesAndNetworksAreApart: a machine of another zone or network is never asked, unless it says that it reaches
// there.
func TestZonesAndNetworksAreApart(t *testing.T) {
	o := newOffice(t)
	_, err := o.Wake(t.Context(), tanaka, "k2") // 192.168.10.0/24 too, but of zone internet
	var no *Refusal
	if !errors.As(err, &no) || no.Code != access.WakeNoWaker {
		t.Fatalf("got %v", err)
	}
	o.come("k1", store.DeskHello{}, "192.168.20.21/24")
	o.go_("k1")
	if _, err := o.Wake(t.Context(), tanaka, "k1"); !errors.As(err, &no) {
		t.Fatalf("from another network: %v", err)
	}
	o.come("w1", store.DeskHello{AlwaysOn: true, Reaches: []netip.Prefix{netip.MustParsePrefix("192.168.16.0/20")}}, "192.168.10.2/24")
	_, err = o.Wake(t.Context(), tanaka, "k1")
	o.ok(err)
	o.pass(0)
	o.agents.mu.Lock()
	o.equal(o.agents.orders, []string{fmt.Sprintf("w1 [%x] 192.168.20.0/24", [6]byte(macOf("k1")))})
	o.agents.mu.Unlock()
}

func TestUnknownAndForbiddenAdapters(t *testing.T) {
	o := newOffice(t)
	var no *Refusal
	o.come("k1", store.DeskHello{}, "")
	o.go_("k1")
	if _, err := o.Wake(t.Context(), tanaka, "k1"); !errors.As(err, &no) || no.Code != access.WakeMACUnknown {
		t.Fatalf("without adapters: %v", err)
	}
	o.come("k1", store.DeskHello{Adapters: []wake.Adapter{{
		MAC: macOf("k1"), Prefixes: []netip.Prefix{netip.MustParsePrefix("192.168.10.21/24")}, Wake: wake.Forbidden,
	}}}, "")
	o.go_("k1")
	problems, err := o.Problems(t.Context(), "k1", "n1", "k9")
	o.ok(err)
	o.equal(problems, map[string]access.Code{"k1": access.WakeAdapter, "n1": ""})
	_, err = o.Wake(t.Context(), tanaka, "k1") // tried all the same
	o.ok(err)
	o.pass(answerIn)
	w := o.newest("k1")
	o.equal([]any{w.State, w.Failure, len(o.agents.asked())}, []any{store.WakeFailed, "wake_adapter", 6})
	if _, err := o.Wake(t.Context(), tanaka, "k9"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a desk that is none: %v", err)
	}
}

func TestBulkIsStaggered(t *testing.T) {
	o := newOffice(t)
	o.go_("n1")
	o.go_("n2")
	o.setPolicy(func(p *access.PolicySettings) { p.WakeStagger = 3 * time.Second })
	wakes, err := o.WakeAll(t.Context(), tanaka, []string{"n1", "w1", "k1", "n2"})
	o.ok(err)
	o.equal([]any{wakes[1].State, wakes[2].Desk}, []any{store.WakeOn, "k1"})
	var sent []string
	start := o.clock.Now()
	for range 8 {
		o.pass(0)
		for _, w := range wakes {
			if w.ID == "" {
				continue
			}
			if now := o.newest(w.Desk); now.State == store.WakeSent && now.SentMS == o.clock.Now().UnixMilli() {
				sent = append(sent, fmt.Sprint(w.Desk, " ", o.clock.Now().Sub(start)))
			}
		}
		o.clock.Add(time.Second)
	}
	o.equal(sent, []string{"n1 0s", "k1 3s", "n2 6s"})
}

// TestTwoGateways: two gateways on one database send each order once.
func TestTwoGateways(t *testing.T) {
	o := newOffice(t)
	o.ok(o.store.GatewayStarted(t.Context(), "g2", "v"))
	other := New(Config{Log: slog.New(slog.DiscardHandler), Now: o.clock.Now, Store: o.store, Agents: o.agents, Gateway: "g2"})
	_, err := o.Wake(t.Context(), tanaka, "k1")
	o.ok(err)
	for range 41 {
		var group sync.WaitGroup
		failed := make([]error, 2)
		group.Go(func() { failed[0] = o.work(t.Context()) })
		group.Go(func() { failed[1] = other.work(t.Context()) })
		group.Wait()
		o.ok(errors.Join(failed...))
		o.clock.Add(time.Second)
		o.ok(o.store.GatewayAlive(t.Context(), "g1"))
	}
	o.equal(o.agents.asked(), []string{"w1", "n1", "n2"}) // at 0, 20 and 40 seconds
}

func (o *office) setPolicy(change func(*access.PolicySettings)) {
	o.t.Helper()
	now, err := o.store.Organisation(o.t.Context())
	o.ok(err)
	change(&now.Settings.Policy)
	_, err = o.store.UpdatePolicy(o.t.Context(), storetest.Admin, now.Revision, now.Settings.Policy)
	o.ok(err)
}

func TestSegments(t *testing.T) {
	o := newOffice(t)
	describe := func() (lines []string) {
		all, err := o.Segments(t.Context())
		o.ok(err)
		for _, s := range all {
			var wakers []string
			for _, w := range s.Wakers {
				wakers = append(wakers, fmt.Sprint(w.Name, " ", w.AlwaysOn, " ", w.Connected))
			}
			lines = append(lines, fmt.Sprint(s.Zone, " ", s.Prefix, " ", s.Desks, s.DesksOn, s.Unwakeable, " ", s.Warning, " ", strings.Join(wakers, ",")))
		}
		return lines
	}
	o.equal(describe(), []string{
		"lgwan 192.168.10.0/24 3 2 0  w1 true true,n1 false true,n2 false true,総務課 01 false false",
		"internet 192.168.10.0/24 1 0 0 segment_no_waker 税務課 01 false false",
	})
	o.go_("w1")
	o.equal(describe()[0], "lgwan 192.168.10.0/24 3 2 0 segment_no_always_on w1 true false,n1 false true,n2 false true,総務課 01 false false")
}

func jst(d calendar.Date, hour, minute int) time.Time { return d.At(hour*60 + minute) }

func cover(d calendar.Date, from, until int) telework.Cover {
	return telework.Cover{Kind: telework.Telework, From: d.At(from), Until: d.At(until), Place: access.Home}
}

func TestWakeTimes(t *testing.T) {
	day := calendar.Date{Year: 2026, Month: 11, Day: 25}
	covers := []telework.Cover{cover(day, 13*60, 17*60), cover(day, 8*60+30, 12*60), cover(day, 8*60+30, 17*60)}
	times := wakeTimes(covers, 20*time.Minute)
	want := []time.Time{jst(day, 8, 10), jst(day, 12, 40)}
	if d := cmp.Diff(want, times); d != "" {
		t.Fatal(d)
	}
	for _, c := range []struct {
		now  time.Time
		want time.Time
	}{
		{jst(day, 8, 9), time.Time{}},
		{jst(day, 8, 10), want[0]},
		{jst(day, 8, 44), want[0]},
		{jst(day, 8, 45), time.Time{}},
		{jst(day, 12, 41), want[1]},
		{jst(day, 23, 0), time.Time{}},
	} {
		if got, _ := dueWake(times, 20*time.Minute, c.now); !got.Equal(c.want) {
			t.Errorf("at %s: %s, want %s", c.now, got, c.want)
		}
	}
	o := order(times, access.PowerSleep, jst(day, 8, 8))
	if d := cmp.Diff([]int64{jst(day, 12, 37).UnixMilli()}, o.GetWakeMs()); d != "" || o.GetAfter() != 2 {
		t.Errorf("after %d, times %s", o.GetAfter(), d)
	}
	many := make([]telework.Cover, 40)
	for i := range many {
		many[i] = cover(day.Add(i), 510, 1035)
	}
	if n := len(order(wakeTimes(many, time.Minute), 0, jst(day, 0, 0)).GetWakeMs()); n != maxWakes {
		t.Errorf("%d times in one order", n)
	}
}

func TestReminderComesTheEveningBefore(t *testing.T) {
	hours := calendar.Timetable{Usual: calendar.Hours{Start: 510, End: 1035}}
	friday := calendar.Date{Year: 2026, Month: 11, Day: 27}
	newYear := calendar.Date{Year: 2026, Month: 12, Day: 28}
	for name, c := range map[string]struct {
		covers []telework.Cover
		now    calendar.Date
		want   string
	}{
		"tomorrow":                        {[]telework.Cover{cover(friday, 510, 1035)}, friday.Add(-1), "16:45 to 22:00"},
		"not two days before":             {[]telework.Cover{cover(friday, 510, 1035)}, friday.Add(-2), ""},
		"over the weekend":                {[]telework.Cover{cover(friday.Add(3), 510, 1035)}, friday, "16:45 to 22:00"},
		"over the new year":               {[]telework.Cover{cover(calendar.Date{Year: 2027, Month: 1, Day: 4}, 510, 1035)}, newYear, "16:45 to 22:00"},
		"nobody is there on Saturday":     {[]telework.Cover{cover(friday.Add(3), 510, 1035)}, friday.Add(1), ""},
		"not while teleworking already":   {[]telework.Cover{cover(friday.Add(-1), 510, 1035), cover(friday, 510, 1035)}, friday.Add(-1), ""},
		"after a morning of telework too": {[]telework.Cover{cover(friday.Add(-1), 510, 720), cover(friday, 510, 1035)}, friday.Add(-1), "16:45 to 22:00"},
		"nothing approved":                {nil, friday, ""},
		"today is no tomorrow":            {[]telework.Cover{cover(friday, 510, 720)}, friday, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			if from, until, ok := reminder(c.covers, &hours, jst(c.now, 9, 0)); ok {
				got = from.In(calendar.JST).Format("15:04") + " to " + until.In(calendar.JST).Format("15:04")
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestMorningOfAnApprovedDay: from the order of telework to the desk that wakes, and what its agent was told.
func TestMorningOfAnApprovedDay(t *testing.T) {
	o := newOffice(t)
	o.ok(o.store.CreateUsers(t.Context(), storetest.Admin, []store.NewUser{{
		ID: "sato", Name: "佐藤 次郎", MainSection: "soumu", Roles: []access.Role{access.Staff}, PasswordHash: "hash", Desks: []string{"k1", "n1"},
	}}))
	today := calendar.Date{Year: 2026, Month: 11, Day: 24} // a Tuesday, nine o'clock
	_, err := o.store.OrderTelework(t.Context(), tanaka, telework.TeleworkOrder, []string{"sato"}, telework.Draft{
		Days: []telework.Day{{Date: today.Add(1), Unit: telework.Full}}, Place: access.Home, Work: "議案の作成",
	})
	o.ok(err)
	o.ok(o.plan(t.Context()))
	want := &controlv1.PlanOrder{
		WakeMs: []int64{jst(today.Add(1), 8, 7).UnixMilli()}, After: 1,
		RemindFromMs: jst(today, 16, 45).UnixMilli(), RemindUntilMs: jst(today, 22, 0).UnixMilli(),
	}
	o.equal([]any{len(o.agents.plans), o.agents.plans["n1"].String(), o.agents.plans["n2"].String()}, // not the waker, not who is away
		[]any{2, want.String(), (&controlv1.PlanOrder{After: 1}).String()})
	o.agents.plans = map[string]*controlv1.PlanOrder{}
	o.ok(o.plan(t.Context()))
	o.equal(len(o.agents.plans), 0) // they know it
	o.come("n2", store.DeskHello{}, "192.168.10.12/24")
	o.setPolicy(func(p *access.PolicySettings) {
		p.Rules = append(p.Rules, access.PolicyRule{Section: "soumu", PowerAfter: access.PowerSleep})
	})
	o.ok(o.plan(t.Context()))
	o.equal([]any{len(o.agents.plans), o.agents.plans["n1"].GetAfter(), o.agents.plans["n2"].GetAfter()}, []any{2, uint32(2), uint32(1)})

	for o.clock.Now().Before(jst(today.Add(1), 8, 9)) {
		o.clock.Add(time.Hour / 4)
		o.clock.Add(min(0, jst(today.Add(1), 8, 9).Sub(o.clock.Now())))
	}
	o.ok(o.store.GatewayAlive(t.Context(), "g1"))
	o.ok(o.plan(t.Context()))
	o.pass(0)
	o.equal(len(o.agents.asked()), 0)
	o.clock.Add(time.Minute)
	o.ok(o.store.GatewayAlive(t.Context(), "g1"))
	o.ok(o.plan(t.Context()))
	o.pass(0)
	o.equal(o.agents.asked(), []string{"w1"}) // k1 sleeps, n1 is on
	w := o.newest("k1")
	o.equal([]any{w.By, w.Plan}, []any{"gateway:g1", "k1@2026-11-24T23:10:00Z"})
	o.come("k1", store.DeskHello{}, "192.168.10.21/24")
	o.go_("k1") // its user shuts it down again
	o.clock.Add(time.Minute)
	o.ok(o.store.GatewayAlive(t.Context(), "g1"))
	o.ok(o.plan(t.Context()))
	o.pass(0)
	o.equal(len(o.agents.asked()), 0)
	if _, err := o.store.NewestWake(t.Context(), "n1"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a desk that was on has a wake: %v", err)
	}
}

// BenchmarkMorning decides the first step for each of 1,000 sleeping desks in 20 networks of 50 desks and a waker.
func BenchmarkMorning(b *testing.B) {
	var machines []store.Machine
	now := time.Unix(1_800_000_000, 0)
	for network := range 20 {
		for n := range 51 {
			m := store.Machine{AlwaysOn: n == 0, Desk: store.Desk{
				ID: fmt.Sprintf("d%d-%d", network, n), Zone: grant.ZoneLGWAN, Connected: n == 0, Gateway: "g1", AliveMS: now.UnixMilli(),
			}}
			m.Adapters = []wake.Adapter{{
				MAC:      wake.MAC{0, 0x1b, 0x21, 0, byte(network), byte(n)},
				Prefixes: []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(network), byte(n + 1)}), 24)},
			}}
			machines = append(machines, m)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		l := newLAN(machines, now)
		asked := 0
		for id := range l.machines {
			if l.next(&store.Wake{Desk: id, State: store.WakeQueued}).ask.id != "" {
				asked++
			}
		}
		if asked != 1000 {
			b.Fatalf("%d desks have a waker", asked)
		}
	}
}

// TestClockThatWasAhead: what was asked while the gateway's clock was a month ahead ends all the same when it has been
// put right, and the desk can be woken again.
func TestClockThatWasAhead(t *testing.T) {
	const month = 30 * 24 * time.Hour
	for name, before := range map[string]func(*office){
		"queued":  func(*office) {},
		"claimed": func(o *office) { _, err := o.store.ClaimWakes(t.Context(), "g2", hold, atOnce); o.ok(err) },
		"sent":    func(o *office) { o.pass(0) },
		"patient": func(o *office) {
			for _, id := range []string{"w1", "n1", "n2"} {
				o.go_(id)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			o.clock.Add(month)
			_, err := o.store.AskWakes(t.Context(), tanaka, store.WakeAsk{
				Desk: "k1", FirstMS: o.clock.Now().UnixMilli(), PatientMS: o.clock.Now().Add(planPatience).UnixMilli(),
			})
			o.ok(err)
			before(o)
			o.clock.Add(-month)
			o.pass(planPatience + 3*time.Minute)
			if w := o.newest("k1"); w.State != store.WakeFailed {
				t.Fatalf("the wake goes on: %+v", w)
			}
			first := o.newest("k1").ID
			w, err := o.store.AskWakes(t.Context(), tanaka, store.WakeAsk{Desk: "k1", FirstMS: o.clock.Now().UnixMilli()})
			o.ok(err)
			if w[0].ID == first || w[0].State != store.WakeQueued {
				t.Errorf("asked again: %+v", w[0])
			}
		})
	}
}
