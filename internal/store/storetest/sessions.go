package storetest

import (
	"errors"
	"slices"
	"strings"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/audit"
	"jiseki/internal/cert"
	"jiseki/internal/grant"
	"jiseki/internal/store"
)

// report sends an agent's event.
func (t *suite) report(seq uint64, desk string, id cert.SessionID, kind store.AgentEventKind, code uint16) {
	t.Helper()
	t.ok(t.s.AddAgentEvent(t.ctx, store.AgentEvent{Desk: desk, Run: [16]byte{1}, Seq: seq, Session: id, Kind: kind, Code: code}))
}

// grant grants a prepared session.
func (t *suite) grant(by store.By, x store.Session) error {
	_, err := t.s.GrantSession(t.ctx, by, [32]byte{}, x)
	return err
}

func sessionLife(t *suite) {
	id := Session(t.T, t.s, 1, "tanaka", "d1", "k1")
	t.clock.Add(time.Second)
	t.report(1, "k1", id, store.AgentOpened, 0)
	k, err := t.s.Desk(t.ctx, "k1")
	t.ok(err)
	t.equal([]any{k.Session, k.SessionBy}, []any{id[:], "tanaka"})
	t.ok(t.s.AddBytes(t.ctx, id, 100, 7))
	t.ok(t.s.AddBytes(t.ctx, id, 1, 1))
	running, err := t.s.RunningSessions(t.ctx, "")
	t.ok(err)
	t.equal(len(running), 1)
	_, err = t.s.OrderEnd(t.ctx, Admin, id, "保守")
	t.ok(err)
	t.clock.Add(time.Minute)
	t.ok(t.s.EndSession(t.ctx, Admin, id, 7, "ordered"))
	before := t.last()
	t.equal([]any{before.Kind, before.Code, before.Details}, []any{audit.SessionEnded, "7", `{"reason":"ordered","seconds":60,"user":"tanaka"}`})
	t.ok(t.s.EndSession(t.ctx, Admin, id, 1, ""))
	t.equal(t.last().Number, before.Number)
	t.report(2, "k1", id, store.AgentLocked, 0)
	x, err := t.s.Session(t.ctx, id)
	t.ok(err)
	t.equal(x, store.Session{
		ID: id, User: "tanaka", UserName: "田中 花子", Device: "d1", DeviceLabel: "端末 d1", Desk: "k1", DeskName: "総務課 01",
		Viewer: grant.ViewerBrowser, Place: access.Home, Address: "203.0.113.9", Life: store.LifeEnded, Nonce: cert.Nonce{1},
		Rights: grant.RightView | grant.RightInput, Relay: "gw:443", Gateway: "g1", PreparedMS: x.PreparedMS, GrantedMS: x.PreparedMS,
		OpenedMS: x.PreparedMS + 1000, EndedMS: x.PreparedMS + 61000, UntilMS: x.UntilMS, EndCode: 7, EndReason: "ordered", BytesToViewer: 101,
		BytesToDesk: 8, LockedAfterEnd: true,
	})
	_, err = t.s.OrderEnd(t.ctx, Admin, id, "")
	t.fails(err, store.ErrNotFound)
	events, _, err := t.s.Events(t.ctx, store.EventFilter{Session: id[:]}, store.Page{})
	t.ok(err)
	var kinds []audit.Kind
	for i := range events {
		kinds = append(kinds, events[i].Kind)
	}
	t.equal(kinds, []audit.Kind{audit.SessionLocked, audit.SessionEnded, audit.SessionEndOrdered, audit.SessionOpened, audit.SessionGranted})
}

// livesAndMovers tries every step of a session's life by everybody.
func livesAndMovers(t *suite) {
	const user, desk, otherDesk, gateway, other, stranger = "user:tanaka", "desk:k2", "desk:k1", "gateway:g1", "user:admin", "anonymous"
	steps := map[store.Life]func(by store.By, id cert.SessionID) error{
		store.LifeGranted: func(by store.By, id cert.SessionID) error {
			return t.grant(by, store.Session{ID: id, Place: access.Home, Viewer: grant.ViewerBrowser, UntilMS: t.clock.Now().Add(time.Hour).UnixMilli()})
		},
		store.LifeOpen: func(by store.By, id cert.SessionID) error {
			from, isDesk := strings.CutPrefix(by.Actor, "desk:")
			if !isDesk {
				return store.ErrLife // there is no such act
			}
			t.seq++
			return t.s.AddAgentEvent(t.ctx, store.AgentEvent{Desk: from, Run: [16]byte{9}, Seq: t.seq, Session: id, Kind: store.AgentOpened})
		},
		store.LifeEnded: func(by store.By, id cert.SessionID) error {
			from, isDesk := strings.CutPrefix(by.Actor, "desk:")
			if !isDesk {
				return t.s.EndSession(t.ctx, by, id, 7, "")
			}
			t.seq++
			return t.s.AddAgentEvent(t.ctx, store.AgentEvent{Desk: from, Run: [16]byte{9}, Seq: t.seq, Session: id, Kind: store.AgentEnded, Code: 7})
		},
	}
	everybody := []string{user, desk, gateway, other}
	may := map[[2]store.Life][]string{
		{store.LifePrepared, store.LifeGranted}: {user},
		{store.LifePrepared, store.LifeEnded}:   {user, gateway, other},
		{store.LifeGranted, store.LifeOpen}:     {desk},
		{store.LifeGranted, store.LifeEnded}:    everybody,
		{store.LifeOpen, store.LifeEnded}:       everybody,
	}
	n := byte(0)
	for from := store.LifePrepared; from <= store.LifeEnded; from++ {
		for to, step := range steps {
			for _, actor := range append(everybody, otherDesk, stranger) {
				n++
				id := t.bringTo(n, from)
				err := step(store.By{Actor: actor}, id)
				x, lookErr := t.s.Session(t.ctx, id)
				t.ok(lookErr)
				want := from
				if slices.Contains(may[[2]store.Life{from, to}], actor) {
					want = to
				}
				if x.Life != want {
					t.Errorf("%d to %d by %s: it is %d, err %v", from, to, actor, x.Life, err)
				}
				if x.Life == to && from < to && err != nil {
					t.Errorf("%d to %d by %s: %v", from, to, actor, err)
				}
				t.ok(t.s.EndSession(t.ctx, Admin, id, 7, ""))
			}
		}
	}
}

// bringTo makes a session of tanaka on desk k2 that stands at a life.
func (t *suite) bringTo(n byte, life store.Life) cert.SessionID {
	t.Helper()
	x := store.Session{ID: cert.SessionID{n, 2}, User: "tanaka", Device: "d1", Desk: "k2", Place: access.Home, Nonce: cert.Nonce{n}}
	t.ok(t.s.PrepareSession(t.ctx, x))
	if life == store.LifePrepared {
		return x.ID
	}
	x.UntilMS = t.clock.Now().Add(time.Hour).UnixMilli()
	t.ok(t.grant(store.By{Actor: "user:tanaka"}, x))
	if life >= store.LifeOpen {
		t.seq++
		t.ok(t.s.AddAgentEvent(t.ctx, store.AgentEvent{Desk: "k2", Run: [16]byte{9}, Seq: t.seq, Session: x.ID, Kind: store.AgentOpened}))
	}
	if life == store.LifeEnded {
		t.ok(t.s.EndSession(t.ctx, Admin, x.ID, 7, ""))
	}
	return x.ID
}

// foreignReports: what a desk says of sessions that are not its own, or not granted, is a refusal in the log, once, and
// changes nothing.
func foreignReports(t *suite) {
	prepared := t.bringTo(1, store.LifePrepared)
	run := [16]byte{1}
	for seq, c := range []struct {
		desk string
		kind store.AgentEventKind
		code string
	}{
		{"k2", store.AgentOpened, "session_life"},
		{"k2", store.AgentEnded, "session_life"},
		{"k2", store.AgentRefused, "session_life"},
		{"k2", store.AgentLocked, "session_life"},
		{"k2", store.AgentLockFailed, "session_life"},
		{"k1", store.AgentOpened, "foreign_session"},
		{"k2", 99, "unknown_event"},
	} {
		e := store.AgentEvent{Desk: c.desk, Run: run, Seq: uint64(seq) + 1, Session: prepared, Kind: c.kind}
		if err := t.s.AddAgentEvent(t.ctx, e); err == nil {
			t.Errorf("kind %d of desk %s was taken", c.kind, c.desk)
		}
		told := t.last()
		t.equal([]any{told.Kind, told.Outcome, told.Code, told.Actor}, []any{audit.SessionRefused, audit.Refused, c.code, "desk:" + c.desk})
		t.ok(t.s.AddAgentEvent(t.ctx, e)) // it was told already
		t.equal(t.last().Number, told.Number)
	}
	t.fails(t.s.EndSession(t.ctx, store.By{Actor: "desk:k2"}, prepared, 7, ""), store.ErrLife)
	x, err := t.s.Session(t.ctx, prepared)
	t.ok(err)
	t.equal([]any{x.Life, x.LockedAfterEnd, x.OpenedMS}, []any{store.LifePrepared, false, int64(0)})
}

// opensInTime: a grant opens its desk while its seat is kept for it, and not later.
func opensInTime(t *suite) {
	x := t.bringTo(1, store.LifeGranted)
	t.clock.Add(3 * time.Minute) // nobody has swept it away
	t.report(1, "k2", x, store.AgentOpened, 0)
	got, err := t.s.Session(t.ctx, x)
	t.ok(err)
	t.equal([]any{got.Life, t.last().Kind, t.last().Code}, []any{store.LifeGranted, audit.SessionOpened, "late"})
	again := t.bringTo(2, store.LifeOpen)
	t.report(2, "k2", again, store.AgentOpened, 0)
	t.equal([]any{t.last().Kind, t.last().Code}, []any{audit.SessionOpened, "late"})
}

func grantOnce(t *suite) {
	id := Session(t.T, t.s, 1, "tanaka", "d1", "k1")
	by := store.By{Actor: "user:tanaka"}
	t.fails(t.grant(by, store.Session{ID: id}), store.ErrLife)
	t.fails(t.grant(by, store.Session{ID: cert.SessionID{9}}), store.ErrNotFound)
	x := store.Session{ID: cert.SessionID{3}, User: "tanaka", Device: "d1", Desk: "k1", Place: access.Home}
	t.ok(t.s.PrepareSession(t.ctx, x))
	t.fails(t.s.PrepareSession(t.ctx, x), store.ErrExists)
	t.clock.Add(3 * time.Minute)
	t.fails(t.grant(by, x), store.ErrExpired)
}

// grantAfterTakingAway: what was prepared before a right was taken away is not granted after.
func grantAfterTakingAway(t *suite) {
	for n, take := range []func() error{
		func() error { _, err := t.s.RevokeDevice(t.ctx, Admin, "d1", "lost"); return err },
		func() error { _, err := t.s.SetUserDisabled(t.ctx, Admin, "suzuki", true); return err },
		func() error { _, err := t.s.DeleteDesk(t.ctx, Admin, "k2"); return err },
	} {
		x := []store.Session{
			{User: "tanaka", Device: "d1", Desk: "k1"}, {User: "suzuki", Device: "d2", Desk: "k2"}, {User: "tanaka", Device: "d9", Desk: "k2"},
		}[n]
		x.ID, x.Place = cert.SessionID{byte(n + 1)}, access.Home
		if n == 2 {
			t.ok(t.s.AddDevice(t.ctx, Admin, Device("d9", "user:tanaka")))
		}
		t.ok(t.s.PrepareSession(t.ctx, x))
		t.ok(take())
		t.fails(t.grant(store.By{Actor: "user:" + x.User}, x), store.ErrLife)
	}
}

func takeOver(t *suite) {
	first := Session(t.T, t.s, 1, "tanaka", "d1", "k2")
	t.report(1, "k2", first, store.AgentOpened, 0)
	t.clock.Add(time.Second)
	t.ok(t.s.AddDevice(t.ctx, Admin, Device("d9", "user:tanaka")))
	second := Session(t.T, t.s, 2, "tanaka", "d9", "k2")
	t.report(2, "k2", second, store.AgentOpened, 0)
	x, err := t.s.Session(t.ctx, first)
	t.ok(err)
	t.equal([]any{x.Life, x.EndCode}, []any{store.LifeEnded, uint16(2)})
	t.report(3, "k2", first, store.AgentTakenOver, 2) // the agent's own report comes later
	t.equal(t.last().Code, "late")
	third := Session(t.T, t.s, 3, "tanaka", "d9", "k2")
	t.report(4, "k2", third, store.AgentOpened, 0)
	x, err = t.s.Session(t.ctx, second)
	t.ok(err)
	t.equal(x.EndCode, uint16(18))
}

func sessionLimit(t *suite) {
	Session(t.T, t.s, 1, "tanaka", "d1", "k1")
	t.policy(func(s *access.Settings) { s.MaxSessions = 1 })
	x := store.Session{ID: cert.SessionID{2}, User: "suzuki", Device: "d2", Desk: "k2", Place: access.Home}
	t.ok(t.s.PrepareSession(t.ctx, x))
	t.noSeat(t.grant(store.By{Actor: "user:" + x.User}, x), access.Full)
	t.policy(func(s *access.Settings) { s.MaxSessions = 2 })
	t.ok(t.grant(store.By{Actor: "user:" + x.User}, x))
	again := store.Session{ID: cert.SessionID{3}, User: "suzuki", Device: "d2", Desk: "k2", Place: access.Home}
	t.ok(t.s.PrepareSession(t.ctx, again))
	t.ok(t.grant(store.By{Actor: "user:suzuki"}, again)) // its own desk's session does not count
}

// seatsApart: sessions from the hall are counted apart, and reserved seats are kept for their section and those below
// it.
func seatsApart(t *suite) {
	t.ok(t.s.PutSection(t.ctx, Admin, store.Section{ID: "bu", Name: "総務部", Position: 1}))
	t.ok(t.s.PutSection(t.ctx, Admin, store.Section{ID: "soumu", Parent: "bu", Name: "総務課", Position: 1}))
	t.policy(func(s *access.Settings) {
		s.MaxSessions, s.Policy.MaxOfficeSessions = 1, 1
		s.Policy.ReservedSeats = []access.ReservedSeats{{Section: "bu", Seats: 1}}
	})
	try := func(n byte, user, device, desk string, place access.Place) error {
		x := store.Session{ID: cert.SessionID{n}, User: user, Device: device, Desk: desk, Place: place}
		t.ok(t.s.PrepareSession(t.ctx, x))
		return t.grant(store.By{Actor: "user:" + x.User}, x)
	}
	t.noSeat(try(1, "suzuki", "d2", "k2", access.Home), access.SeatsReserved)
	t.ok(try(2, "suzuki", "d2", "k2", access.Office))
	t.ok(try(3, "tanaka", "d1", "k1", access.Home))
	t.noSeat(try(4, "suzuki", "d2", "k2", access.Home), access.Full)
	t.ok(try(5, "suzuki", "d2", "k2", access.Office)) // takes its own seat again
	t.noSeat(try(6, "tanaka", "d1", "k1", access.Office), access.OfficeFull)

	t.policy(func(s *access.Settings) { s.MaxSessions, s.Policy.MaxOfficeSessions = 1, 9 })
	x := store.Session{ID: cert.SessionID{7}, User: "suzuki", Device: "d2", Desk: "k2", Place: access.Office, Address: "10.0.0.7", Second: true}
	t.ok(t.s.PrepareSession(t.ctx, x)) // in the hall, and opened at home
	x.Place, x.Address, x.Second = access.Home, "203.0.113.9", false
	t.noSeat(t.grant(store.By{Actor: "user:suzuki"}, x), access.Full)
	t.policy(func(s *access.Settings) { s.MaxSessions, s.Policy.ReservedSeats = 9, nil })
	t.ok(t.grant(store.By{Actor: "user:suzuki"}, x))
	t.equal(strings.Contains(t.last().Details, `"place":"home"`), true)
	kept, err := t.s.Session(t.ctx, x.ID)
	t.ok(err)
	t.equal([]any{kept.Place, kept.Address, kept.Second}, []any{access.Home, "203.0.113.9", false})
}

func (t *suite) noSeat(err error, why access.Code) {
	t.Helper()
	var no *store.NoSeat
	if !errors.As(err, &no) || no.Code != why {
		t.Fatalf("got %v, want %s", err, why)
	}
}

func agentEventsOnce(t *suite) {
	id := Session(t.T, t.s, 1, "tanaka", "d1", "k1")
	e := store.AgentEvent{Desk: "k1", Run: [16]byte{1}, Seq: 1, Session: id, Kind: store.AgentOpened}
	t.ok(t.s.AddAgentEvent(t.ctx, e))
	before := t.last().Number
	t.ok(t.s.AddAgentEvent(t.ctx, e))
	t.equal(t.last().Number, before)
	e.Desk = "k2" // another desk's session
	t.fails(t.s.AddAgentEvent(t.ctx, e), store.ErrNotFound)
	e.Desk, e.Seq, e.Kind = "k1", 2, 99
	t.fails(t.s.AddAgentEvent(t.ctx, e), store.ErrInvalid)
	e.Seq, e.Kind = 3, store.AgentLockFailed
	t.ok(t.s.AddAgentEvent(t.ctx, e))
	t.equal(t.last().Outcome, audit.Failed)
}

func staleSessions(t *suite) {
	never := Session(t.T, t.s, 1, "tanaka", "d1", "k1")
	open := Session(t.T, t.s, 2, "suzuki", "d2", "k2")
	t.report(1, "k2", open, store.AgentOpened, 0)
	n, err := t.s.EndStale(t.ctx, Admin)
	t.ok(err)
	t.equal(n, 0)
	t.clock.Add(3 * time.Minute)
	n, err = t.s.EndStale(t.ctx, Admin)
	t.ok(err)
	t.equal(n, 1)
	x, err := t.s.Session(t.ctx, never)
	t.ok(err)
	t.equal(x.EndReason, "never_opened")
	t.report(2, "k1", never, store.AgentOpened, 0) // too late: it stays ended
	x, err = t.s.Session(t.ctx, never)
	t.ok(err)
	t.equal(x.Life, store.LifeEnded)
	t.clock.Add(13 * time.Hour)
	_, err = t.s.EndStale(t.ctx, Admin)
	t.ok(err)
	x, err = t.s.Session(t.ctx, open)
	t.ok(err)
	t.equal([]any{x.EndCode, x.EndReason}, []any{uint16(5), "no_report"})
}
