package session

import (
	"fmt"
	"log/slog"
	"testing"

	"jiseki/internal/access"
	"jiseki/internal/audit"
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
		if quiet[k] {
			t.Errorf("%s is not looked at", k)
		}
	}
	known := map[audit.Kind]bool{}
	for _, k := range audit.Kinds() {
		known[k] = true
	}
	for k := range quiet {
		if !known[k] {
			t.Errorf("%s is no kind of event", k)
		}
	}
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
