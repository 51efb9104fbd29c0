// Package session is the life of a session on the gateway: prepared, decided,
// granted and offered, open, ended.
//
// It guarantees that a grant is minted only for a request that the device's
// identity key signed over a fresh nonce, after [access.Decide] said yes to what
// the store says now; that each step is in the audit log before anybody acts on
// it; and that taking a right away ends the running sessions that stood on it:
// in the store first, then by a signed order to the agent, and a second later at
// the relay, whether the order arrived or not. If it does not, the next lease does
// not name the session any more, and without a lease the agent ends by itself. If the
// store cannot write it, they end all the same, and it is written as soon as that is possible.
//
// Whatever else a running session stands on (policy, hours, holidays, approvals,
// registration) is watched through the audit log: when it says that something
// changed, running sessions are decided anew within two seconds, on every gateway.
package session

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/audit"
	"jiseki/internal/bus"
	"jiseki/internal/cert"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/link"
	"jiseki/internal/relay"
	"jiseki/internal/store"
)

// End codes of docs/PROTOCOL.md section 5.2 that the gateway gives.
const (
	codeEndedByUser   = 1
	codeRevoked       = 4
	codeExpired       = 5
	codePolicy        = 7
	codeAgentStopping = 8
)

const (
	// sweepEvery is how often what can no longer run is ended.
	sweepEvery = 30 * time.Second
	// silentAfter is how long a gateway may be silent before what it said of its
	// desks no longer counts. It says that it lives every few seconds.
	silentAfter = 45 * time.Second
	// actTimeout bounds what must be done after the caller has gone.
	actTimeout = 10 * time.Second
	// orderTime is what an order that no agent answers may take to the gateway that holds the agent: milliseconds, unless
	// that gateway hangs. mostOrders are on their way at once; more wait.
	orderTime  = 3 * time.Second
	mostOrders = 64

	// topicEnd tells all relays: session 16 B, link code u16.
	topicEnd = "session-end"
)

// Agents brings offers and orders to agents: the hub.
type Agents interface {
	Offer(ctx context.Context, desk string, session cert.SessionID, offer *controlv1.Offer) (*controlv1.OfferAnswer, error)
	EndSession(ctx context.Context, desk string, session cert.SessionID, code uint32) error
	RevokeDevice(ctx context.Context, desk, device string) error
	Warn(ctx context.Context, desk string, session cert.SessionID, code string, at time.Time) error
}

// Config is what a Manager needs.
type Config struct {
	Log    *slog.Logger
	Now    func() time.Time
	Store  *store.Store
	Agents Agents
	Bus    *bus.Bus
	Relay  *relay.Relay
	// Grants is the grant key.
	Grants cert.PrivateKey
	// Gateway is the id of this gateway.
	Gateway string
	// RelayForDesks is host:port of this gateway's relay as desks see it, given the
	// address of the portal.
	RelayForDesks func(portal string) string
	// MyNumber says that this gateway serves zone mynumber, and nothing else.
	MyNumber bool
}

// A Manager makes and ends sessions. It is safe for use by several goroutines.
type Manager struct {
	cfg      Config
	log      *slog.Logger
	silent   func()         // ends listening to the bus
	work     sync.WaitGroup // what goes on after a call has returned
	stopping chan struct{}
	pace     *pace

	orders chan struct{} // holds one for each order on its way

	owed   owed
	newest atomic.Uint64 // number of the newest event that the last look found

	reviewing  chan struct{} // holds one while review is used
	review     review
	reviewed   atomic.Pointer[time.Time] // see Reviewed
	overlooked atomic.Bool               // a user's sessions were not decided anew after a report of work
}

// New makes a Manager, which the caller closes.
func New(cfg Config) (*Manager, error) {
	m := &Manager{
		cfg: cfg, log: cfg.Log, stopping: make(chan struct{}), pace: newPace(cfg.Now),
		orders: make(chan struct{}, mostOrders), reviewing: make(chan struct{}, 1),
	}
	m.review.warned = make(map[cert.SessionID]warning)
	silent, err := cfg.Bus.Listen(topicEnd, m.onEnd)
	if err != nil {
		return nil, err
	}
	m.silent = silent
	return m, nil
}

// Close waits for what is still being done. The relay must have been shut down.
func (m *Manager) Close() {
	m.silent()
	close(m.stopping)
	m.work.Wait()
}

// Run ends sessions that can no longer run or that policy does not allow any more, until ctx ends. None of what it does waits for
// the rest: what hangs on a write keeps no review.
func (m *Manager) Run(ctx context.Context) error {
	var work sync.WaitGroup
	work.Go(func() { m.every(ctx, lookEvery, "running sessions were not decided anew", m.look) })
	work.Go(func() { m.every(ctx, oweEvery, "what is owed was not written", m.writeOwed) })
	work.Go(func() { m.every(ctx, sweepEvery, "stale sessions were not ended", m.sweep) })
	work.Wait()
	return nil
}

// every does something in each period until ctx ends, and says when it failed.
func (m *Manager) every(ctx context.Context, period time.Duration, failed string, do func(context.Context) error) {
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := do(ctx); err != nil && ctx.Err() == nil {
				m.log.Error(failed, "err", err)
			}
		}
	}
}

// A Caller is a user on a device, as a sign-in proved.
type Caller struct {
	SignIn  store.SignIn
	Address string // of this request
	Place   access.Place
}

func (c Caller) by() store.By { return store.By{Actor: "user:" + c.SignIn.User, Address: c.Address} }

// A Refusal is a "no" with its reasons, most important first. It is an error so
// that steps can return it; it is expected and not logged as a failure.
type Refusal struct {
	Reasons []access.Code
	// Agent is the agent's own code when it said no.
	Agent string
	// RetryAfter is when to ask again; 0: that does not help.
	RetryAfter time.Duration
}

func (r *Refusal) Error() string { return fmt.Sprint("refused: ", r.Reasons) }

func refuse(code access.Code) error { return &Refusal{Reasons: []access.Code{code}} }

// Prepared is what a viewer needs to sign its request.
type Prepared struct {
	Session         cert.SessionID
	Nonce           cert.Nonce
	DeskCertificate []byte
}

// Prepare begins a session. Nothing is decided yet, but what is refused already
// now is refused here.
func (m *Manager) Prepare(ctx context.Context, c Caller, desk string) (Prepared, error) {
	if err := m.pace.take(m.pace.prepared, c.SignIn.User); err != nil {
		return Prepared{}, err
	}
	s, err := m.situation(ctx, c, desk, anyViewer)
	var no *Refusal
	if errors.As(err, &no) {
		return Prepared{}, m.recordRefusal(ctx, c, desk, nil, no)
	}
	if err != nil {
		return Prepared{}, err
	}
	if decision := access.Decide(s.input); !decision.Allowed() {
		return Prepared{}, m.recordRefusal(ctx, c, desk, nil, &Refusal{Reasons: decision.Reasons})
	}
	var p Prepared
	_, _ = rand.Read(p.Session[:]) // never fails: crypto/rand ends the process instead
	_, _ = rand.Read(p.Nonce[:])
	err = m.cfg.Store.PrepareSession(ctx, store.Session{
		ID: p.Session, User: c.SignIn.User, Device: c.SignIn.Device, Desk: desk,
		Place: c.Place, Address: c.Address, Nonce: p.Nonce, Second: c.SignIn.Second,
	})
	if err != nil {
		return Prepared{}, fmt.Errorf("prepare session: %w", err)
	}
	p.DeskCertificate = s.desk.Certificate
	return p, nil
}

// recordRefusal writes a refusal to the log and returns it.
func (m *Manager) recordRefusal(ctx context.Context, c Caller, desk string, id []byte, r *Refusal) error {
	code := string(r.Reasons[0])
	details := audit.Details{"device": c.SignIn.Device, "place": c.Place.String()}
	if r.Agent != "" {
		details["agent_code"] = audit.Cut(r.Agent, 64)
	}
	err := m.cfg.Store.Record(ctx, c.by(), audit.Entry{
		Kind: audit.SessionRefused, Subject: "desk:" + audit.Cut(desk, 128), Session: id,
		Outcome: audit.Refused, Code: code, Details: details,
	})
	if err != nil {
		return fmt.Errorf("record a refusal: %w", err)
	}
	return r
}

// End ends a session of the caller. Ending an ended one does nothing.
func (m *Manager) End(ctx context.Context, c Caller, id cert.SessionID) error {
	s, err := m.cfg.Store.Session(ctx, id)
	if err != nil {
		return err
	}
	if s.User != c.SignIn.User {
		return store.ErrNotFound
	}
	return m.end(ctx, c.by(), s, codeEndedByUser, "ended_by_user")
}

// EndAny ends a session because somebody ordered it. Of one that has ended already it is store.ErrNotFound.
func (m *Manager) EndAny(ctx context.Context, by store.By, id cert.SessionID, reason string) error {
	order := &write{act: fmt.Sprintf("%s of %x", audit.SessionEndOrdered, id[:]), by: m.late(by), do: func(ctx context.Context, by store.By) error {
		_, err := m.cfg.Store.OrderEnd(ctx, by, id, reason)
		return err
	}}
	var s store.Session
	err := inTime(ctx, func(ctx context.Context) (err error) {
		s, err = m.cfg.Store.Session(ctx, id)
		return err
	})
	switch {
	case isFailed(err):
		return m.endUnread(by, id, order, err)
	case err != nil:
		return err
	case s.Life == store.LifeEnded:
		return store.ErrNotFound
	}
	err = order.do(ctx, by)
	switch {
	case errors.Is(err, store.ErrFailed):
		err = m.owe(order, err)
	case err != nil:
		return err
	}
	return errors.Join(err, m.end(ctx, by, s, codeRevoked, endedByAdministrator))
}

// endUnread ends a session of which the database does not even say whose it is: at the relay, by its id. Its desk finds it
// missing in the next lease, or gets none.
func (m *Manager) endUnread(by store.By, id cert.SessionID, order *write, cause error) error {
	m.endRelay(id, link.Revoked)
	return errors.Join(m.owe(order, cause), m.owe(m.endOf(by, id, codeRevoked, endedByAdministrator), cause))
}

const endedByAdministrator = "ended_by_administrator"

// EndAll ends sessions whose right was taken away and says how many. All are
// tried; the errors are joined.
func (m *Manager) EndAll(ctx context.Context, by store.By, sessions []store.Session, reason string) (int, error) {
	var failed []error
	ended := 0
	for _, s := range sessions {
		if s.Life == store.LifeGranted || s.Life == store.LifeOpen {
			ended++
		}
		failed = append(failed, m.end(ctx, by, s, codeRevoked, reason))
	}
	return ended, errors.Join(failed...)
}

// RevokeDevice ends the sessions of a revoked device and tells the desks that
// had one to refuse its grants.
func (m *Manager) RevokeDevice(ctx context.Context, by store.By, device string, sessions []store.Session) (int, error) {
	told := make(map[string]bool)
	for _, s := range sessions {
		if !told[s.Desk] {
			told[s.Desk] = true
			m.order(s.Desk, "a desk was not told of a revoked device", func(ctx context.Context) error {
				return m.cfg.Agents.RevokeDevice(ctx, s.Desk, device)
			})
		}
	}
	return m.EndAll(ctx, by, sessions, "device_revoked")
}

// end ends a session everywhere. Once the store says that it has ended, it has:
// relay and agent are told at once, and by the lease if that fails. When the
// store cannot write it, they are told all the same: ErrUnwritten or ErrLost. It does not
// wait for them: who hangs at one desk keeps no other session from ending.
func (m *Manager) end(ctx context.Context, by store.By, s store.Session, code uint16, reason string) error {
	// The caller may go away now; the session must end all the same.
	unwritten := m.writeEnd(context.WithoutCancel(ctx), by, &s, code, reason)
	if s.Life == store.LifePrepared {
		return unwritten
	}
	// The agent comes first: it says to the viewer why, through the relay.
	m.order(s.Desk, "a desk was not told that its session has ended", func(ctx context.Context) error {
		return m.cfg.Agents.EndSession(ctx, s.Desk, s.ID, uint32(code))
	})
	m.work.Go(func() {
		m.pause(lastWord)
		m.endRelay(s.ID, link.Revoked)
	})
	return unwritten
}

// writeEnd writes the end of a session down, now or later. It owes no end of one that never ran: that is over by itself.
func (m *Manager) writeEnd(ctx context.Context, by store.By, s *store.Session, code uint16, reason string) error {
	if s.Life == store.LifeEnded {
		return nil
	}
	end := m.endOf(by, s.ID, code, reason)
	err := inTime(ctx, func(ctx context.Context) error { return end.do(ctx, by) })
	switch {
	case err == nil:
		return nil
	case isFailed(err) && s.Life != store.LifePrepared:
		return m.owe(end, err)
	}
	return fmt.Errorf("end session: %w", err)
}

// endOf is the end of a session as it is written down.
func (m *Manager) endOf(by store.By, id cert.SessionID, code uint16, reason string) *write {
	return &write{act: fmt.Sprintf("%s of %x", audit.SessionEnded, id[:]), by: m.late(by), do: func(ctx context.Context, by store.By) error {
		return m.cfg.Store.EndSession(ctx, by, id, code, reason)
	}}
}

// isFailed says whether the database failed, or did not answer in time.
func isFailed(err error) bool {
	return errors.Is(err, store.ErrFailed) || errors.Is(err, context.DeadlineExceeded)
}

// order gives an agent an order, on a goroutine of its own: a gateway that holds the agent's channel and hangs keeps
// nobody waiting. failed is what the log says if the order did not arrive.
func (m *Manager) order(desk, failed string, give func(context.Context) error) {
	m.work.Go(func() {
		m.orders <- struct{}{}
		defer func() { <-m.orders }()
		ctx, cancel := context.WithTimeout(context.Background(), orderTime)
		defer cancel()
		if err := give(ctx); err != nil {
			m.log.Warn(failed, "desk", desk, "err", err)
		}
	})
}

// inTime does something that may take actTimeout.
func inTime(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, actTimeout)
	defer cancel()
	return do(ctx)
}

// lastWord is how long the agent has to tell the viewer why the session ends,
// before the relay cuts the line.
const lastWord = time.Second

// endRelay ends a session at the relay that carries it, on this gateway or
// another.
func (m *Manager) endRelay(id cert.SessionID, code link.Code) {
	m.cfg.Relay.End(id, code)
	if err := m.cfg.Bus.Tell(topicEnd, binary.BigEndian.AppendUint16(id[:], uint16(code))); err != nil { //nolint:gosec // 4001 to 4010
		m.log.Warn("other relays were not told that a session has ended", "err", err)
	}
}

func (m *Manager) onEnd(_ context.Context, message []byte) []byte {
	if len(message) == len(cert.SessionID{})+2 {
		m.cfg.Relay.End([16]byte(message), link.Code(binary.BigEndian.Uint16(message[16:])))
	}
	return nil
}

// sweep ends what never opened, what is past its time, and what was open at a
// desk that has been away for longer than its lease lasted.
func (m *Manager) sweep(ctx context.Context) error {
	by := store.By{Actor: "gateway:" + m.cfg.Gateway}
	if _, err := m.cfg.Store.EndStale(ctx, by); err != nil {
		return err
	}
	carried := m.cfg.Relay.Sessions() // before the store is asked: what is carried was granted there
	open, err := m.cfg.Store.RunningSessions(ctx, "")
	if err != nil {
		return err
	}
	m.cutEnded(carried, open)
	var failed []error // one that cannot be ended keeps no other
	for _, s := range open {
		lost, err := m.lost(ctx, &s)
		if err == nil && lost {
			err = m.end(ctx, by, s, codeAgentStopping, "desk_lost")
		}
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// cutEnded ends at the relay what has ended in the store, whoever said so: a desk in hostile hands says that a session is
// over and goes on with it.
func (m *Manager) cutEnded(carried []relay.Stats, running []store.Session) {
	for _, c := range carried {
		id := cert.SessionID(c.Session)
		if slices.ContainsFunc(running, func(s store.Session) bool { return s.ID == id }) {
			continue
		}
		m.work.Go(func() {
			m.pause(lastWord)
			m.cfg.Relay.End(id, link.Revoked)
		})
	}
}

// lost says whether a session is open at a desk that has been away for too long, or was deleted.
func (m *Manager) lost(ctx context.Context, s *store.Session) (bool, error) {
	if s.Life != store.LifeOpen {
		return false, nil
	}
	desk, err := m.cfg.Store.Desk(ctx, s.Desk)
	if errors.Is(err, store.ErrNotFound) {
		return true, nil
	}
	return err == nil && !desk.Connected && store.Since(m.cfg.Now(), desk.LastSeenMS) > lostAfter, err
}

// lostAfter is when a session at a desk without a channel is over for sure: the
// agent ends without a lease after 60 s.
const lostAfter = 2 * time.Minute

// Closed adds what the relay forwarded for a session, and gives its seat back if it was never opened. It is called by
// the relay and returns at once.
func (m *Manager) Closed(s relay.Stats, code link.Code) {
	m.work.Go(func() {
		if !s.Since.IsZero() {
			m.addBytes(&s)
			m.pause(reportTime) // the agent's report of the opening may be on its way
		}
		if code == link.Revoked || code == link.Replaced {
			return // whoever ended it says why
		}
		ctx, cancel := context.WithTimeout(context.Background(), actTimeout)
		defer cancel()
		if err := m.cfg.Store.EndUnopened(ctx, store.By{Actor: "gateway:" + m.cfg.Gateway}, s.Session); err != nil {
			m.log.Warn("a session that was never opened was not ended", "session", cert.SessionID(s.Session), "err", err)
		}
	})
}

func (m *Manager) addBytes(s *relay.Stats) {
	ctx, cancel := context.WithTimeout(context.Background(), actTimeout)
	defer cancel()
	err := m.cfg.Store.AddBytes(ctx, s.Session, int64(s.FromAgent), int64(s.FromViewer)) //nolint:gosec // below 2^63
	if err != nil {
		m.log.Warn("the bytes of a session were not recorded", "err", err)
	}
}

// pause waits, unless the manager is closed meanwhile.
func (m *Manager) pause(d time.Duration) {
	select {
	case <-time.After(d):
	case <-m.stopping:
	}
}
