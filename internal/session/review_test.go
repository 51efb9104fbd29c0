package session

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/audit"
	"jiseki/internal/cert"
	"jiseki/internal/grant"
	"jiseki/internal/store"
	"jiseki/internal/store/storetest"
)

// TestQuietKinds: what running sessions stand on is never quiet.
func TestQuietKinds(t *testing.T) {
	for _, k := range []audit.Kind{
		audit.SettingsChanged, audit.PolicyChanged, audit.HolidaysChanged, audit.StaffChanged, audit.RegistrationsRenewed,
		audit.SectionChanged, audit.SectionDeleted, audit.UserChanged, audit.UserDisabled, audit.DeviceRevoked, audit.DeskChanged, audit.DeskDeleted,
		audit.RequestWithdrawn, audit.RequestCancelled, audit.WorkdayCorrected,
	} {
		if quietKinds[k] {
			t.Errorf("%s is not looked at", k)
		}
	}
	known := map[audit.Kind]bool{}
	for _, k := range audit.Kinds() {
		known[k] = true
	}
	for k := range quietKinds {
		if !known[k] {
			t.Errorf("%s is no kind of event", k)
		}
	}
}

// TestUndecidableSessionKeepsNoOther: what is damaged about one session does not keep the others from ending in time.
func TestUndecidableSessionKeepsNoOther(t *testing.T) {
	h := newHall(t)
	ctx := t.Context()
	r := h.prepare()
	_, err := h.m.Open(ctx, h.caller, r)
	h.check(err)
	h.open(r.Session)
	damaged := storetest.Session(t, h.store, 2, "suzuki", "d2", "k2")
	h.open(damaged)
	h.damage(`UPDATE devices SET kind = 'none' WHERE id = 'd2'`)
	o, err := h.store.Organisation(ctx)
	h.check(err)
	o.Settings.SessionMax = time.Hour // shorter than the grant says
	_, err = h.store.UpdateSettings(ctx, storetest.Admin, o.Revision, o.Name, o.Settings)
	h.check(err)
	for _, at := range []store.Life{store.LifeOpen, store.LifeEnded} {
		if err := h.m.look(ctx); err == nil {
			t.Fatal("the damaged session was decided")
		}
		if got := h.m.Reviewed(); !got.Equal(h.clock.Now()) {
			t.Errorf("what is damaged about one session takes the lease of all: reviewed %v", got)
		}
		if got := h.life(r.Session); got != at {
			t.Errorf("the other session: life %v, want %v", got, at)
		}
		h.clock.Add(time.Hour + time.Second)
	}
	if got := h.life(damaged); got == store.LifeEnded {
		t.Errorf("the damaged session ended: life %v", got)
	}
}

// TestNetworksPutRightEndSessions: when a network is not the town hall's own after all, what was opened from there is
// decided as from home.
func TestNetworksPutRightEndSessions(t *testing.T) {
	h := newHall(t)
	ctx := t.Context()
	office := func(networks ...netip.Prefix) {
		t.Helper()
		o, err := h.store.Organisation(ctx)
		h.check(err)
		o.Settings.OfficeNetworks, o.Settings.ApprovalRequired = networks, true
		_, err = h.store.UpdateSettings(ctx, storetest.Admin, o.Revision, o.Name, o.Settings)
		h.check(err)
	}
	office(netip.MustParsePrefix("203.0.113.0/24"))
	h.check(h.m.look(ctx))
	h.caller.Place = access.Office
	r := h.prepare()
	_, err := h.m.Open(ctx, h.caller, r)
	h.check(err)
	h.open(r.Session)
	for range 2 {
		h.check(h.m.look(ctx))
	}
	if got := h.life(r.Session); got != store.LifeOpen {
		t.Fatalf("in the town hall: life %v", got)
	}
	office()
	for range 2 {
		h.check(h.m.look(ctx))
	}
	if got := h.life(r.Session); got != store.LifeEnded {
		t.Errorf("life %v", got)
	}
}

// TestReviewsLeaveTimeForOthers: a review that took long is not followed by the next at once, whatever changes
// meanwhile.
func TestReviewsLeaveTimeForOthers(t *testing.T) {
	h := newHall(t)
	ctx := t.Context()
	r := h.prepare()
	_, err := h.m.Open(ctx, h.caller, r)
	h.check(err)
	h.open(r.Session)
	h.check(h.m.look(ctx))
	h.m.review.took = time.Second
	o, err := h.store.Organisation(ctx)
	h.check(err)
	o.Settings.ApprovalRequired = true
	_, err = h.store.UpdateSettings(ctx, storetest.Admin, o.Revision, o.Name, o.Settings)
	h.check(err)
	for _, want := range []store.Life{store.LifeOpen, store.LifeOpen, store.LifeEnded} {
		h.check(h.m.look(ctx))
		if got := h.life(r.Session); got != want {
			t.Errorf("life %v, want %v", got, want)
		}
		h.clock.Add(time.Second)
	}
}

// TestOneKeepsNoOther: what is damaged about one session, or gone, keeps no other from ending: not in a sweep, not
// after a report of work, and not when several are taken away together.
func TestOneKeepsNoOther(t *testing.T) {
	for name, end := range map[string]func(h *hall, all []store.Session) error{
		"sweep":          func(h *hall, _ []store.Session) error { return h.m.sweep(h.t.Context()) },
		"review":         func(h *hall, _ []store.Session) error { return h.m.look(h.t.Context()) },
		"report of work": func(h *hall, _ []store.Session) error { h.m.OnSegment(h.t.Context(), "tanaka"); return nil },
		"taken away": func(h *hall, all []store.Session) error {
			_, err := h.m.EndAll(h.t.Context(), storetest.Admin, append([]store.Session{{ID: cert.SessionID{0xee}}}, all...), "device_revoked")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHall(t)
			ctx := t.Context()
			damaged := storetest.Session(t, h.store, 2, "tanaka", "d1", "k2")
			h.open(damaged)
			h.clock.Add(time.Second)
			r := h.prepare()
			_, err := h.m.Open(ctx, h.caller, r)
			h.check(err)
			h.open(r.Session)
			whole, err := h.store.Session(ctx, r.Session)
			h.check(err)
			_, err = h.store.DeleteDesk(ctx, storetest.Admin, "k9") // its sessions were not ended: the gateway was killed
			h.check(err)
			h.damage(`UPDATE devices SET kind = 'none' WHERE id = 'd1'`)
			h.damage(`UPDATE desks SET zone = 'none' WHERE id = 'k2'`)
			if err := end(h, []store.Session{whole}); err == nil && name != "report of work" {
				t.Error("the damaged session was decided")
			}
			if got := h.life(r.Session); got != store.LifeEnded {
				t.Errorf("the other session: life %v", got)
			}
		})
	}
}

// TestHungGatewayKeepsNoOther: orders to a desk whose channel a gateway holds that hangs keep no review, no report of work, no other
// session and no administrator waiting.
func TestHungGatewayKeepsNoOther(t *testing.T) {
	for name, act := range map[string]func(h *hall, hung store.Session) error{
		"review": func(h *hall, _ store.Session) error { return h.m.look(h.t.Context()) },
		"report of work": func(h *hall, _ store.Session) error {
			h.m.OnSegment(h.t.Context(), "suzuki")
			return h.m.look(h.t.Context())
		},
		"revoked": func(h *hall, hung store.Session) error {
			_, err := h.m.RevokeDevice(h.t.Context(), storetest.Admin, "d2", []store.Session{hung})
			return errors.Join(err, h.m.look(h.t.Context()))
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHall(t)
			ctx := t.Context()
			h.agents.hangs = "k2"
			id := storetest.Session(t, h.store, 2, "suzuki", "d2", "k2")
			h.open(id)
			h.clock.Add(time.Second)
			r := h.prepare()
			_, err := h.m.Open(ctx, h.caller, r)
			h.check(err)
			h.open(r.Session)
			o, err := h.store.Organisation(ctx)
			h.check(err)
			o.Settings.ApprovalRequired = true
			_, err = h.store.UpdateSettings(ctx, storetest.Admin, o.Revision, o.Name, o.Settings)
			h.check(err)
			hung, err := h.store.Session(ctx, id)
			h.check(err)
			h.check(act(h, hung))
			if got := h.agents.givenUp(); got != 0 {
				t.Errorf("it waited for the hung gateway, %d times", got)
			}
			if hung, other := h.life(id), h.life(r.Session); hung != store.LifeEnded || other != store.LifeEnded {
				t.Errorf("life %v at the hung gateway, %v at the other", hung, other)
			}
		})
	}
}

// TestWarningsWaitForNobody: what users are warned of at desks whose gateway hangs keeps no review.
func TestWarningsWaitForNobody(t *testing.T) {
	h := newHall(t)
	h.agents.hangs = "k2"
	s := store.Session{ID: cert.SessionID{2}, Desk: "k2", Life: store.LifeOpen}
	h.m.review.known = map[cert.SessionID]outlook{s.ID: {session: s, end: h.clock.Now().Add(time.Minute)}}
	h.check(h.m.keepTimes(t.Context(), h.clock.Now()))
	if got := h.agents.givenUp(); got != 0 {
		t.Errorf("it waited for the hung gateway, %d times", got)
	}
	h.close()
	if got := h.agents.givenUp(); got != 1 {
		t.Errorf("warned %d times", got)
	}
}

// TestReportOfWorkGivesUpWithItsCaller: it does not wait for a review that hangs, and the next look makes up for it.
func TestReportOfWorkGivesUpWithItsCaller(t *testing.T) {
	h := newHall(t)
	for range 2 {
		h.check(h.m.look(t.Context()))
	}
	last := h.m.review.last
	h.clock.Add(time.Second)
	h.check(h.m.beginReview(t.Context()))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	h.m.OnSegment(ctx, "tanaka")
	h.m.endReview()
	h.check(h.m.look(t.Context()))
	if !h.m.review.last.After(last) {
		t.Error("nothing was decided anew after the report")
	}
}

// TestReviewAfterTheClockWasSetBack: running sessions are decided anew at once, not when the clock has come to where it
// was.
func TestReviewAfterTheClockWasSetBack(t *testing.T) {
	h := newHall(t)
	h.check(h.m.look(t.Context()))
	h.check(h.m.look(t.Context())) // nothing is new any more
	h.clock.Add(-time.Hour)
	h.check(h.m.look(t.Context()))
	if got := h.m.review.last; !got.Equal(h.clock.Now()) {
		t.Errorf("the last review was at %s", got)
	}
}

// damage changes the database as a failing disk or a program with a fault could.
func (h *hall) damage(statement string) {
	h.t.Helper()
	db, err := sql.Open("sqlite", h.file)
	h.check(err)
	_, err = db.ExecContext(h.t.Context(), statement)
	h.check(err)
	h.check(db.Close())
}

// BenchmarkReview decides 200 running sessions of 200 users anew: what a change of policy costs.
func BenchmarkReview(b *testing.B) {
	clock := storetest.NewClock()
	s := storetest.Open(b, storetest.SQLite(b), clock.Now)
	storetest.Town(b, s)
	ctx := b.Context()
	for i := range 200 {
		id := fmt.Sprintf("u%03d", i)
		err := s.CreateUsers(ctx, storetest.Admin, []store.NewUser{{ID: id, Name: id, MainSection: "soumu", Roles: []access.Role{access.Staff}, PasswordHash: "hash"}})
		if err == nil {
			err = s.AddDevice(ctx, storetest.Admin, storetest.Device("d-"+id, "user:"+id))
		}
		if err == nil {
			err = s.AddDesk(ctx, storetest.Admin, store.Desk{ID: "k-" + id, Name: id, Zone: grant.ZoneInternet, Users: []string{id}})
		}
		if err != nil {
			b.Fatal(err)
		}
		storetest.EnrolDesk(b, s, "k-"+id)
		storetest.Session(b, s, byte(i), id, "d-"+id, "k-"+id)
	}
	m := &Manager{cfg: Config{Store: s, Now: clock.Now, Gateway: "g1"}, log: slog.New(slog.DiscardHandler)}
	running, err := s.RunningSessions(ctx, "")
	if err != nil || len(running) != 200 {
		b.Fatal(len(running), err)
	}
	for b.Loop() {
		for i := range running {
			if _, err := m.redecide(ctx, &running[i]); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// TestReviewOfAHungDatabaseGrowsOld: looks that the database does not answer count as none.
func TestReviewOfAHungDatabaseGrowsOld(t *testing.T) {
	h := newHall(t)
	h.check(h.m.look(t.Context()))
	looked := h.clock.Now()
	if got := h.m.Reviewed(); !got.Equal(looked) {
		t.Fatalf("reviewed %v, want %v", got, looked)
	}
	h.check(h.store.Close())
	for range 2 {
		h.clock.Add(time.Minute)
		if err := h.m.look(t.Context()); err == nil {
			t.Fatal("a database that is closed answered")
		}
	}
	if got := h.m.Reviewed(); !got.Equal(looked) {
		t.Errorf("reviewed %v, want %v", got, looked)
	}
}
