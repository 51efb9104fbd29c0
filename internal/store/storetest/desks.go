package storetest

import (
	"errors"
	"slices"
	"time"

	"jiseki/internal/audit"
	"jiseki/internal/cert"
	"jiseki/internal/grant"
	"jiseki/internal/store"
)

func desks(t *suite) {
	mine, err := t.s.DesksOf(t.ctx, "tanaka")
	t.ok(err)
	t.equal(len(mine), 2)
	k, err := t.s.Desk(t.ctx, "k1")
	t.ok(err)
	t.equal([]any{k.Zone, k.Users, k.Hostname, k.Key, k.Section}, []any{grant.ZoneLGWAN, []string{"tanaka"}, "PC-k1", Key("k1"), "soumu"})

	k.Zone = grant.ZoneInternet
	_, err = t.s.UpdateDesk(t.ctx, Admin, k)
	t.fails(err, store.ErrInUse)
	id := Session(t.T, t.s, 1, "tanaka", "d1", "k1")
	k.Zone, k.Users, k.Name = grant.ZoneLGWAN, []string{"suzuki"}, "引継ぎ"
	lost, err := t.s.UpdateDesk(t.ctx, Admin, k)
	t.ok(err)
	t.equal([]any{len(lost), lost[0].ID}, []any{1, id})
	_, err = t.s.UpdateDesk(t.ctx, Admin, store.Desk{ID: "k1", Name: "x", Zone: 1, Users: []string{"nobody"}})
	t.fails(err, store.ErrInUse)

	found, _, err := t.s.Desks(t.ctx, "pc-K2", store.Page{})
	t.ok(err)
	t.equal(len(found), 1)
	for _, query := range []string{"ＰＣーｋ２", "pcｰk2", "pc−k2"} {
		found, _, err = t.s.Desks(t.ctx, query, store.Page{})
		t.ok(err)
		t.equal(len(found), 1)
	}
	enrolled := func() (ids []string) {
		all, err := t.s.EnrolledDesks(t.ctx)
		t.ok(err)
		for _, d := range all {
			kept, err := t.s.Desk(t.ctx, d.ID)
			t.ok(err)
			t.equal([]any{d.Key, d.Epoch}, []any{kept.Key, kept.Epoch})
			ids = append(ids, d.ID)
		}
		slices.Sort(ids)
		return ids
	}
	t.equal(enrolled(), []string{"k1", "k2"})
	running, err := t.s.DeleteDesk(t.ctx, Admin, "k1")
	t.ok(err)
	t.equal(len(running), 1)
	t.equal(enrolled(), []string{"k2"})
	_, err = t.s.Desk(t.ctx, "k1")
	t.fails(err, store.ErrNotFound)
	_, err = t.s.DeskConnected(t.ctx, store.DeskHello{Desk: "k1"})
	t.fails(err, store.ErrNotFound)
	t.fails(t.s.AddDesk(t.ctx, Admin, store.Desk{ID: "k2", Name: "x", Zone: 1}), store.ErrExists)
	t.fails(t.s.AddDesk(t.ctx, Admin, store.Desk{ID: "k9", Name: "x", Zone: 9}), store.ErrInvalid)
}

func deskTokens(t *suite) {
	hash := [32]byte{5}
	until := t.clock.Now().Add(time.Hour)
	t.ok(t.s.AddDeskToken(t.ctx, Admin, store.DeskToken{Hash: hash, Zone: grant.ZoneInternet, Section: "zeimu", Uses: 2, UntilMS: until.UnixMilli()}))
	enrol := func(id string) (store.Desk, error) {
		return t.s.EnrolDesk(t.ctx, store.DeskEnrolment{
			TokenHash: hash, NewID: id, Key: Key(id), Grade: cert.GradeFile, Hostname: "host " + id,
			Certify: func(got string, zone grant.Zone) ([]byte, time.Time, error) {
				return []byte(got + " " + zone.String()), until, nil
			},
		})
	}
	open := func(want bool) {
		t.Helper()
		got, err := t.s.DeskTokenOpen(t.ctx, hash)
		t.ok(err)
		t.equal(got, want)
	}
	open(true)
	k, err := enrol("b1")
	t.ok(err)
	t.equal([]any{k.Name, k.Zone, k.Section, string(k.Certificate)}, []any{"host b1", grant.ZoneInternet, "zeimu", "b1 internet"})
	_, err = enrol("k2") // taken: the use is not gone
	t.fails(err, store.ErrExists)
	_, err = enrol("b2")
	t.ok(err)
	open(false)
	_, err = enrol("b3")
	t.fails(err, store.ErrSpent)
	t.equal([]any{t.last().Kind, t.last().Code}, []any{audit.DeskRefused, "spent"})
	hash = [32]byte{6}
	t.ok(t.s.AddDeskToken(t.ctx, Admin, store.DeskToken{Hash: hash, Zone: 1, Uses: 1, UntilMS: until.UnixMilli()}))
	t.clock.Add(time.Hour)
	open(false)
	_, err = enrol("b4")
	t.fails(err, store.ErrExpired)
	failing := errors.New("no")
	hash, until = [32]byte{7}, t.clock.Now().Add(time.Hour)
	t.ok(t.s.AddDeskToken(t.ctx, Admin, store.DeskToken{Hash: hash, Desk: "k1", Uses: 1, Zone: 1, UntilMS: until.UnixMilli()}))
	_, err = t.s.EnrolDesk(t.ctx, store.DeskEnrolment{TokenHash: hash, Key: Key("z"), Certify: func(string, grant.Zone) ([]byte, time.Time, error) {
		return nil, time.Time{}, failing
	}})
	t.fails(err, failing)
	k, err = t.s.EnrolDesk(t.ctx, store.DeskEnrolment{TokenHash: hash, Key: Key("z"), Certify: func(string, grant.Zone) ([]byte, time.Time, error) {
		return []byte("new"), until, nil
	}})
	t.ok(err)
	t.equal([]any{k.ID, k.Key}, []any{"k1", Key("z")})
}

func deskEpochs(t *suite) {
	t.ok(t.s.GatewayStarted(t.ctx, "g1", "v1"))
	hello := store.DeskHello{Desk: "k1", Gateway: "g1", Statement: []byte("s"), AgentVersion: "2"}
	first, err := t.s.DeskConnected(t.ctx, hello)
	t.ok(err)
	second, err := t.s.DeskConnected(t.ctx, hello)
	t.ok(err)
	if second <= first {
		t.Fatalf("epoch %d after %d", second, first)
	}
	t.fails(t.s.SetDeskState(t.ctx, "k1", first, store.DeskState{}), store.ErrStale)
	t.ok(t.s.SetDeskState(t.ctx, "k1", second, store.DeskState{LoggedIn: true, Lockable: true, Fault: "screen_size"}))
	before := t.last().Number
	t.ok(t.s.DeskGone(t.ctx, "k1", first, "replaced"))
	t.equal(t.last().Number, before)
	k, err := t.s.Desk(t.ctx, "k1")
	t.ok(err)
	t.equal([]any{k.Connected, k.LoggedIn, k.Lockable, k.Fault, k.Gateway, k.AliveMS, k.AgentVersion},
		[]any{true, true, true, "screen_size", "g1", t.clock.Now().UnixMilli(), "2"})
	t.ok(t.s.SetDeskState(t.ctx, "k1", second, store.DeskState{Lockable: true})) // an older agent says nothing of it
	k, err = t.s.Desk(t.ctx, "k1")
	t.ok(err)
	t.equal([]any{k.LoggedIn, k.Fault}, []any{false, ""})
	t.clock.Add(time.Minute)
	t.ok(t.s.GatewayAlive(t.ctx, "g1"))
	t.fails(t.s.GatewayAlive(t.ctx, "g9"), store.ErrNotFound)
	t.ok(t.s.DeskGone(t.ctx, "k1", second, "silent"))
	t.equal([]any{t.last().Kind, t.last().Code}, []any{audit.DeskGone, "silent"})
	_, err = t.s.DeskConnected(t.ctx, hello)
	t.ok(err)
	t.ok(t.s.GatewayStarted(t.ctx, "g1", "v1")) // after a crash nothing is connected to it
	k, err = t.s.Desk(t.ctx, "k1")
	t.ok(err)
	t.equal(k.Connected, false)
	t.ok(t.s.GatewayStopped(t.ctx, "g1"))
}
