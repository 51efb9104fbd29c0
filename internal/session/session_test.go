package session

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/audit"
	"jiseki/internal/bus"
	"jiseki/internal/cert"
	"jiseki/internal/cert/certtest"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/grant"
	"jiseki/internal/hub"
	"jiseki/internal/link"
	"jiseki/internal/quiet"
	"jiseki/internal/relay"
	"jiseki/internal/store"
	"jiseki/internal/store/storetest"
)

// agents are the desks as the hub would reach them.
type agents struct {
	offer func(ctx context.Context, id cert.SessionID) (*controlv1.OfferAnswer, error)
	hangs string // a desk whose gateway does not answer

	mu     sync.Mutex
	ended  []cert.SessionID
	gaveUp int
}

// orders is how many sessions were ordered to end.
func (a *agents) orders() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.ended)
}

// hang waits as long as its caller does, if the gateway of the desk does not answer.
func (a *agents) hang(ctx context.Context, desk string) error {
	if desk != a.hangs {
		return nil
	}
	<-ctx.Done()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.gaveUp++
	return ctx.Err()
}

// givenUp is how often somebody waited in vain.
func (a *agents) givenUp() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.gaveUp
}

func (a *agents) Offer(ctx context.Context, _ string, id cert.SessionID, _ *controlv1.Offer) (*controlv1.OfferAnswer, error) {
	return a.offer(ctx, id)
}

func (a *agents) EndSession(ctx context.Context, desk string, id cert.SessionID, _ uint32) error {
	if err := a.hang(ctx, desk); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ended = append(a.ended, id)
	return nil
}

func (a *agents) RevokeDevice(ctx context.Context, desk, _ string) error { return a.hang(ctx, desk) }

func (a *agents) Warn(ctx context.Context, desk string, _ cert.SessionID, _ string, _ time.Time) error {
	return a.hang(ctx, desk)
}

// A hall is a manager on a real store, relay and bus, with desk k9 of tanaka that is on, and tanaka signed in on device
// d9.
type hall struct {
	t      *testing.T
	file   string // of the database
	clock  *storetest.Clock
	store  *store.Store
	relay  *relay.Relay
	agents *agents
	m      *Manager
	key    cert.PrivateKey // of d9
	caller Caller
	close  func() // of m
}

func newHall(t *testing.T) *hall {
	t.Helper()
	h := &hall{t: t, clock: storetest.NewClock(), agents: &agents{}, key: certtest.Key(t, "d9")}
	log := slog.New(slog.DiscardHandler)
	dsn := storetest.SQLite(t)
	h.file, h.store = strings.TrimPrefix(dsn, "sqlite:"), storetest.Open(t, dsn, h.clock.Now)
	storetest.Town(t, h.store)
	b, err := bus.New(bus.Config{Log: log})
	h.check(err)
	t.Cleanup(b.Close)
	h.relay = relay.New(relay.Config{Log: log, Now: h.clock.Now, Closed: func(relay.Stats, link.Code) {}})
	h.m, err = New(Config{
		Log: log, Now: h.clock.Now, Store: h.store, Agents: h.agents, Bus: b, Relay: h.relay, Grants: certtest.Key(t, "grants"), Gateway: "g1",
		RelayForDesks: func(string) string { return "relay:443" },
	})
	h.check(err)
	h.close = sync.OnceFunc(h.m.Close)
	t.Cleanup(h.close)
	t.Cleanup(func() { h.check(h.relay.Shutdown(context.Background())) })
	h.furnish()
	h.agents.offer = func(context.Context, cert.SessionID) (*controlv1.OfferAnswer, error) {
		return &controlv1.OfferAnswer{Accepted: true}, nil
	}
	return h
}

func (h *hall) check(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// furnish makes device and desk with real keys.
func (h *hall) furnish() {
	ctx := h.t.Context()
	device := storetest.Device("d9", "user:tanaka")
	device.Key = h.key.Public()
	h.check(h.store.AddDevice(ctx, storetest.Admin, device))
	h.check(h.store.AddDesk(ctx, storetest.Admin, store.Desk{ID: "k9", Name: "総務課 09", Zone: grant.ZoneInternet, Users: []string{"tanaka"}}))
	token := sha256.Sum256([]byte("token k9"))
	until := h.clock.Now().Add(80 * 24 * time.Hour)
	h.check(h.store.AddDeskToken(ctx, storetest.Admin, store.DeskToken{
		Hash: token, Desk: "k9", Zone: grant.ZoneInternet, Uses: 1, UntilMS: h.clock.Now().Add(24 * time.Hour).UnixMilli(),
	}))
	key := certtest.Key(h.t, "k9")
	_, err := h.store.EnrolDesk(ctx, store.DeskEnrolment{
		TokenHash: token, Key: key.Public(), Grade: cert.GradeFile, Hostname: "pc-9", AgentVersion: "1", System: "Debian",
		Certify: func(string, grant.Zone) ([]byte, time.Time, error) { return []byte("c-k9"), until, nil },
	})
	h.check(err)
	storetest.SetPassword(h.t, h.store, "tanaka", "hash")
	h.check(h.store.GatewayStarted(ctx, "g1", "test"))
	statement := certtest.Statement(h.t, key, cert.NoiseKey{9}, h.clock.Now())
	epoch, err := h.store.DeskConnected(ctx, store.DeskHello{Desk: "k9", Gateway: "g1", Statement: statement.Append(nil), Address: "10.0.0.9"})
	h.check(err)
	h.check(h.store.SetDeskState(ctx, "k9", epoch, store.DeskState{LoggedIn: true, Lockable: true}))
	h.caller = Caller{
		SignIn: store.SignIn{
			Hash: [32]byte{9}, User: "tanaka", Device: "d9", Second: true, Place: access.Home, UntilMS: h.clock.Now().Add(8 * time.Hour).UnixMilli(),
		},
		Address: "203.0.113.9", Place: access.Home,
	}
	tanaka, err := h.store.User(ctx, "tanaka")
	h.check(err)
	h.check(h.store.AddSignIn(ctx, h.caller.SignIn, &tanaka, [32]byte{}))
}

// prepare begins a session and signs it.
func (h *hall) prepare() OpenRequest {
	h.t.Helper()
	p, err := h.m.Prepare(h.t.Context(), h.caller, "k9")
	h.check(err)
	r := OpenRequest{Session: p.Session, NoiseKey: cert.NoiseKey{7}, Viewer: grant.ViewerBrowser}
	r.Signature, err = cert.Request{Nonce: p.Nonce, Session: p.Session, User: "tanaka", Desk: "k9", NoiseKey: r.NoiseKey}.Sign(h.key)
	h.check(err)
	return r
}

// open has the desk report that a session is open.
func (h *hall) open(id cert.SessionID) {
	h.t.Helper()
	s, err := h.store.Session(h.t.Context(), id)
	h.check(err)
	h.check(h.store.AddAgentEvent(h.t.Context(), store.AgentEvent{
		Desk: s.Desk, Run: [16]byte{1}, Seq: 1, Session: id, Kind: store.AgentOpened, TimeMS: h.clock.Now().UnixMilli(),
	}))
}

// life is where the store says that a session stands.
func (h *hall) life(id cert.SessionID) store.Life {
	h.t.Helper()
	s, err := h.store.Session(h.t.Context(), id)
	h.check(err)
	return s.Life
}

// offered says whether the relay waits for the links of a session: it then takes no second offer of it.
func (h *hall) offered(id cert.SessionID) bool {
	h.t.Helper()
	err := h.relay.Offer(relay.Offer{
		Session: id, ViewerTicketHash: [32]byte{1}, AgentTicketHash: [32]byte{2}, Expires: h.clock.Now().Add(time.Minute),
	})
	if err != nil && !errors.Is(err, relay.ErrOffered) {
		h.t.Fatal(err)
	}
	if err == nil {
		h.relay.End(id, link.Normal)
	}
	return err != nil
}

// refusals are the codes of the refusals that the log holds of a session.
func (h *hall) refusals(id cert.SessionID) (codes []string) {
	h.t.Helper()
	for e, err := range h.store.EventsFrom(h.t.Context(), 1) {
		h.check(err)
		if e.Kind == audit.SessionRefused && string(e.Session) == string(id[:]) {
			codes = append(codes, e.Code)
		}
	}
	return codes
}

func TestOpen(t *testing.T) {
	h := newHall(t)
	r := h.prepare()
	o, err := h.m.Open(t.Context(), h.caller, r)
	h.check(err)
	if o.Grant.Relay != "relay:443" || o.Grant.User != "tanaka" || o.Grant.Desk != "k9" || o.Ticket.Hash() != o.Grant.ViewerTicket {
		t.Errorf("grant: %+v", o.Grant)
	}
	if h.life(r.Session) != store.LifeGranted || !h.offered(r.Session) {
		t.Errorf("life %v, at the relay %v", h.life(r.Session), h.offered(r.Session))
	}
}

// TestOfferFails: whatever goes wrong between grant and desk, nothing of the session is left, the user is told why, and
// it is in the log.
func TestOfferFails(t *testing.T) {
	broken := errors.New("the bus is broken")
	no := func(code string) func(*hall, cert.SessionID) (*controlv1.OfferAnswer, error) {
		return func(*hall, cert.SessionID) (*controlv1.OfferAnswer, error) {
			return &controlv1.OfferAnswer{Code: code}, nil
		}
	}
	fails := func(err error) func(*hall, cert.SessionID) (*controlv1.OfferAnswer, error) {
		return func(*hall, cert.SessionID) (*controlv1.OfferAnswer, error) { return nil, err }
	}
	for name, c := range map[string]struct {
		answer func(*hall, cert.SessionID) (*controlv1.OfferAnswer, error)
		want   access.Code // empty: a failure, not a refusal
	}{
		"away":              {fails(hub.ErrAway), access.DeskOff},
		"silent":            {fails(hub.ErrSilent), access.AgentNoAnswer},
		"bus":               {fails(broken), ""},
		"in use":            {no("in_use"), access.DeskInUse},
		"cannot lock":       {no("cannot_lock"), access.DeskCannotLock},
		"cannot be shown":   {no("screen_size"), access.DeskScreenSize},
		"clock":             {no("grant_clock_skew"), access.ClockSkew},
		"anything else":     {no("grant_signature"), access.AgentRefused},
		"ended on the way ": {endedMeanwhile, access.SessionState},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHall(t)
			r := h.prepare()
			h.agents.offer = func(_ context.Context, id cert.SessionID) (*controlv1.OfferAnswer, error) { return c.answer(h, id) }
			_, err := h.m.Open(t.Context(), h.caller, r)
			var refusal *Refusal
			switch {
			case c.want == "" && !errors.Is(err, broken):
				t.Errorf("got %v", err)
			case c.want != "" && (!errors.As(err, &refusal) || refusal.Reasons[0] != c.want):
				t.Errorf("got %v, want %s", err, c.want)
			}
			if h.life(r.Session) != store.LifeEnded || h.offered(r.Session) {
				t.Errorf("left over: life %v, at the relay %v", h.life(r.Session), h.offered(r.Session))
			}
			if codes := h.refusals(r.Session); c.want != "" && (len(codes) != 1 || codes[0] != string(c.want)) {
				t.Errorf("the log holds the refusals %q", codes)
			}
		})
	}
}

// endedMeanwhile is an agent that accepts what was ended before the offer came.
func endedMeanwhile(h *hall, id cert.SessionID) (*controlv1.OfferAnswer, error) {
	if err := h.store.EndSession(h.t.Context(), storetest.Admin, id, codeRevoked, "device_revoked"); err != nil {
		return nil, err
	}
	return &controlv1.OfferAnswer{Accepted: true}, nil
}

// TestPreparedSessionIsOpenedOnce, by who prepared it, on the same device, with a signature over its own nonce.
func TestPreparedSessionIsOpenedOnce(t *testing.T) {
	h := newHall(t)
	refused := func(what string, c Caller, r OpenRequest, want access.Code) {
		t.Helper()
		_, err := h.m.Open(t.Context(), c, r)
		var refusal *Refusal
		if !errors.As(err, &refusal) || refusal.Reasons[0] != want {
			t.Errorf("%s: %v, want %s", what, err, want)
		}
	}
	r := h.prepare()
	other := h.caller
	other.SignIn.Device = "d1"
	refused("another device", other, r, access.SessionState)
	other = h.caller
	other.SignIn.User = "suzuki"
	refused("another user", other, r, access.SessionState)
	refused("unknown", h.caller, OpenRequest{Session: cert.SessionID{1}}, access.SessionState)
	if h.life(r.Session) != store.LifePrepared {
		t.Error("a stranger spent the session")
	}
	wrong := r
	wrong.NoiseKey = cert.NoiseKey{8} // not what was signed
	refused("another key for the session", h.caller, wrong, access.SignatureWrong)
	refused("after a wrong signature", h.caller, r, access.SessionState)

	r = h.prepare()
	_, err := h.m.Open(t.Context(), h.caller, r)
	h.check(err)
	refused("a second time", h.caller, r, access.SessionState)
	if h.life(r.Session) != store.LifeGranted {
		t.Error("the second try ended the session of the first")
	}
}

// TestEndedSignInOpensNothing: a call that was let in before its sign-in ended, by a reset of the password or
// otherwise, is not granted after it, however long it waited for its turn to write.
func TestEndedSignInOpensNothing(t *testing.T) {
	h := newHall(t)
	r := h.prepare()
	h.check(h.store.SignOut(t.Context(), h.caller.by(), h.caller.SignIn.Hash))
	_, err := h.m.Open(t.Context(), h.caller, r)
	var refusal *Refusal
	if !errors.As(err, &refusal) || refusal.Reasons[0] != access.NotSignedIn {
		t.Errorf("%v, want %s", err, access.NotSignedIn)
	}
	if got := h.life(r.Session); got != store.LifeEnded {
		t.Errorf("life %v", got)
	}
}

// TestClosedAtTheRelay: when the relay has given a session up, one that was never opened ends in the store, paired or
// not; an opened one, and one that somebody ends with a reason, is left to whom it concerns.
func TestClosedAtTheRelay(t *testing.T) {
	for name, c := range map[string]struct {
		paired, opened bool
		code           link.Code
		want           store.Life
	}{
		"unpaired":        {false, false, link.Unpaired, store.LifeEnded},
		"paired and mute": {true, false, link.PeerGone, store.LifeEnded},
		"opened":          {true, true, link.PeerGone, store.LifeOpen},
		"revoked":         {false, false, link.Revoked, store.LifeGranted},
		"gateway stops":   {false, false, link.Stopping, store.LifeEnded},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHall(t)
			r := h.prepare()
			_, err := h.m.Open(t.Context(), h.caller, r)
			h.check(err)
			stats := relay.Stats{Session: r.Session}
			if c.paired {
				stats.Since = h.clock.Now()
			}
			h.m.Closed(stats, c.code)
			if c.opened {
				h.open(r.Session)
			}
			h.close() // waits for what goes on, and for nothing else
			if got := h.life(r.Session); got != c.want {
				t.Errorf("life %v, want %v", got, c.want)
			}
		})
	}
}

// TestTakeAwayOfNobodyTakesNothing: a filter that names nobody stands for every session, whatever the database says.
func TestTakeAwayOfNobodyTakesNothing(t *testing.T) {
	h := newHall(t)
	r := h.prepare()
	_, err := h.m.Open(t.Context(), h.caller, r)
	h.check(err)
	h.open(r.Session)
	for name, c := range map[string]struct {
		filter store.SessionFilter
		want   error
		n      int
	}{
		"nobody":          {store.SessionFilter{}, store.ErrInvalid, 0},
		"only running":    {store.SessionFilter{Running: true}, store.ErrInvalid, 0},
		"the device":      {store.SessionFilter{Device: "d9"}, ErrUnwritten, 1},
		"another device":  {store.SessionFilter{Device: "d8"}, ErrUnwritten, 0},
		"the user's desk": {store.SessionFilter{User: "tanaka", Desk: "k9"}, ErrUnwritten, 1},
	} {
		sessions, err := h.m.TakeAway(t.Context(), storetest.Admin, Taking{Kind: audit.DeviceRevoked, From: c.filter, Do: failing})
		if !errors.Is(err, c.want) || len(sessions) != c.n {
			t.Errorf("%s: %d sessions, %v", name, len(sessions), err)
		}
	}
}

// TestSweepEndsWhatTheDeskLost: a session at a desk whose channel is gone is over when no lease can hold it any more,
// and not before.
func TestSweepEndsWhatTheDeskLost(t *testing.T) {
	h := newHall(t)
	r := h.prepare()
	_, err := h.m.Open(t.Context(), h.caller, r)
	h.check(err)
	h.open(r.Session)
	d, err := h.store.Desk(t.Context(), "k9")
	h.check(err)
	h.check(h.store.DeskGone(t.Context(), "k9", d.Epoch, ""))
	h.clock.Add(lostAfter)
	h.check(h.m.sweep(t.Context()))
	if h.life(r.Session) != store.LifeOpen {
		t.Fatalf("life %v while the agent may still have its lease", h.life(r.Session))
	}
	h.clock.Add(time.Second)
	_, err = h.store.DeleteDesk(t.Context(), storetest.Admin, "k9") // its sessions were not ended: the gateway was killed
	h.check(err)
	h.check(h.m.sweep(t.Context()))
	h.close()
	if got := h.agents.orders(); h.life(r.Session) != store.LifeEnded || got != 1 {
		t.Errorf("life %v, %d orders to end it", h.life(r.Session), got)
	}
}

// TestSweepAfterAClockThatWasAhead: a desk that was seen in the future only has not been seen.
func TestSweepAfterAClockThatWasAhead(t *testing.T) {
	h := newHall(t)
	r := h.prepare()
	_, err := h.m.Open(t.Context(), h.caller, r)
	h.check(err)
	h.open(r.Session)
	d, err := h.store.Desk(t.Context(), "k9")
	h.check(err)
	h.clock.Add(24 * time.Hour)
	h.check(h.store.DeskGone(t.Context(), "k9", d.Epoch, ""))
	h.clock.Add(-24 * time.Hour)
	h.check(h.m.sweep(t.Context()))
	if h.life(r.Session) != store.LifeEnded {
		t.Errorf("life %v", h.life(r.Session))
	}
}

// TestLostAtTheDeskAfterAClockThatWasAhead: a session that opened in the future is no young one, which the desk need
// not name yet.
func TestLostAtTheDeskAfterAClockThatWasAhead(t *testing.T) {
	h := newHall(t)
	r := h.prepare()
	_, err := h.m.Open(t.Context(), h.caller, r)
	h.check(err)
	h.clock.Add(time.Minute + 50*time.Second)
	h.open(r.Session)
	h.clock.Add(-time.Minute - 50*time.Second)
	d, err := h.store.Desk(t.Context(), "k9")
	h.check(err)
	desks := NewDesks(slog.New(slog.DiscardHandler), h.clock.Now, h.store, "g1")
	h.check(desks.SetState(t.Context(), "k9", uint64(d.Epoch), &controlv1.State{LoggedIn: true, Lockable: true})) //nolint:gosec // counts from 1
	if h.life(r.Session) != store.LifeEnded {
		t.Errorf("life %v", h.life(r.Session))
	}
}

// TestPaceAfterTheClockWasSetBack: nobody waits for a minute of a clock that was ahead.
func TestPaceAfterTheClockWasSetBack(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	p := newPace(func() time.Time { return now })
	for p.take(p.opened, "tanaka") == nil {
	}
	now = now.Add(-30 * 24 * time.Hour)
	if err := p.take(p.opened, "tanaka"); err != nil {
		t.Error(err)
	}
}

func TestPresence(t *testing.T) {
	now := time.Now().Truncate(time.Millisecond) // as the store keeps times
	at := func(ago time.Duration) int64 { return now.Add(-ago).UnixMilli() }
	for name, c := range map[string]struct {
		desk store.Desk
		want access.Presence
	}{
		"never seen":                    {store.Desk{}, access.Off},
		"on":                            {store.Desk{Connected: true, Gateway: "g1", AliveMS: at(time.Second)}, access.On},
		"on at a gateway just silent":   {store.Desk{Connected: true, Gateway: "g1", AliveMS: at(silentAfter)}, access.On},
		"on at a gateway that is gone":  {store.Desk{Connected: true, Gateway: "g1", AliveMS: at(silentAfter + time.Second)}, access.Unknown},
		"off":                           {store.Desk{Gateway: "g1", AliveMS: at(time.Second)}, access.Off},
		"off at a gateway that is gone": {store.Desk{Gateway: "g1", AliveMS: at(time.Hour)}, access.Unknown},
		"lost in a session":             {store.Desk{Gateway: "g1", AliveMS: at(time.Second), Session: []byte{1}}, access.Unknown},
		"on at a clock that was ahead":  {store.Desk{Connected: true, Gateway: "g1", AliveMS: at(-time.Hour)}, access.Unknown},
		"on in a session":               {store.Desk{Connected: true, Gateway: "g1", AliveMS: at(time.Second), Session: []byte{1}}, access.On},
	} {
		if got := Presence(&c.desk, now); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// TestWhatADeskReportsDoesNotFillTheLog: a desk in hostile hands reports 600 times a minute what cannot be.
func TestWhatADeskReportsDoesNotFillTheLog(t *testing.T) {
	h := newHall(t)
	var text strings.Builder
	log := slog.New(quiet.New(slog.NewTextHandler(&text, nil), h.clock.Now))
	desks := NewDesks(log, h.clock.Now, h.store, "g1")
	for i := range uint64(20) {
		h.check(desks.Record(t.Context(), "k9", &controlv1.SessionEvent{
			SessionId: make([]byte, 16), Run: make([]byte, 16), Seq: i + 1, Kind: controlv1.SessionEventKind_SESSION_EVENT_KIND_OPENED,
		}))
	}
	if n := strings.Count(text.String(), "what cannot be"); n != 5 || !strings.Contains(text.String(), "desk=k9") {
		t.Errorf("%d lines:\n%s", n, text.String())
	}
}
