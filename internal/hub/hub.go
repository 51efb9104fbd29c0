// Package hub holds the control channels of the agents (docs/PROTOCOL.md
// section 6): it lets desks in that prove their identity, carries offers and
// signed orders to them, renews their lease, and hands on what they report.
//
// The hub decides nothing about sessions. Whatever it carries to an agent is a
// grant or an order that the agent verifies by itself; what an agent reports is
// taken for that agent's own desk only. A desk has at most one channel: each
// connection has an epoch, and the newer closes the older, also between several
// gateways. When the store cannot say which sessions may go on, or they were not
// decided anew lately, no lease is sent, and the agents end their sessions after 60 s.
package hub

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"jiseki/internal/bus"
	"jiseki/internal/cert"
	"jiseki/internal/crowd"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/link"
	"jiseki/internal/quiet"
	"jiseki/internal/register"
	"jiseki/internal/remote"
	"jiseki/internal/wake"
)

// Why a desk cannot be reached or let in. The texts are codes of
// docs/manual and of the messages Refused and OfferAnswer.
var (
	// ErrAway: no gateway holds a channel to the desk.
	ErrAway = errors.New("desk_away")
	// ErrSilent: the desk has a channel, but did not answer in time.
	ErrSilent = errors.New("desk_silent")
	// ErrFailed: the gateway that holds the desk's channel could not do what comes before, and its log says why; or this
	// one holds none, and the bus to the others is gone.
	ErrFailed = errors.New("gateway_failed")
	// ErrUnknownDesk is what Desks.Attach returns for a desk that is not enrolled.
	ErrUnknownDesk = errors.New("desk_unknown")
	// ErrRevoked is what Desks.Attach returns for a desk whose certificate was revoked.
	ErrRevoked = errors.New("desk_revoked")
	// ErrOtherKey is what Desks.Attach returns when the key is not the desk's.
	ErrOtherKey = errors.New("desk_other_key")
)

// An Arrival is a desk whose identity was proven by its certificate.
type Arrival struct {
	Desk         string
	Zone         string // as the certificate says
	Key          cert.PublicKey
	Serial       cert.Serial
	Statement    []byte // byte form of the desk statement
	NoiseKey     cert.NoiseKey
	StatementEnd time.Time
	Run          []byte
	AgentVersion string
	Hostname     string
	System       string
	Address      string // of the agent's connection
	Adapters     []wake.Adapter
	AlwaysOn     bool           // jiseki-agent waker: no desk
	Reaches      []netip.Prefix // of an always-on waker
}

// Attached is what the store makes of an arrival.
type Attached struct {
	Epoch uint64 // higher than all before of this desk
	Name  string // as the administrator calls the desk
}

// An Enrolment is which channel of a desk may be there.
type Enrolment struct {
	Key   cert.PublicKey
	Epoch uint64
}

// Desks keeps what is known of desks and their sessions.
type Desks interface {
	// Attach checks that the desk is enrolled with this key and not revoked, and
	// records that it is on. Errors are ErrUnknownDesk, ErrRevoked, ErrOtherKey or
	// those of the store.
	Attach(ctx context.Context, arrival Arrival) (Attached, error)
	// SetState records what an agent says of its desk, unless a newer epoch has.
	SetState(ctx context.Context, desk string, epoch uint64, state *controlv1.State) error
	// Detach records that the channel ended, unless a newer epoch began. The desk
	// is off, or unknown when the gateway itself stops.
	Detach(ctx context.Context, desk string, epoch uint64, stopping bool) error
	// Record writes a session event to the audit log once, however often it is
	// called with the same run and seq. An event of a session that is not the
	// desk's is recorded as such and no error.
	Record(ctx context.Context, desk string, event *controlv1.SessionEvent) error
	// Enrolled says of each desk that is enrolled with which key, and the epoch of its newest channel.
	Enrolled(ctx context.Context) (map[string]Enrolment, error)
	// Running names the sessions that may go on, by desk.
	Running(ctx context.Context) (map[string][]cert.SessionID, error)
	// Register reads what comes behind the first from entries of the register of devices, at most limit of it. Of a
	// register that is shorter than that it says where it ends.
	Register(ctx context.Context, from uint64, limit int) (register.Part, error)
	// RegisterEnd is how many entries the register has.
	RegisterEnd(ctx context.Context) (uint64, error)
	// Differs records that the desk, which holds so many entries by its own word, cannot follow the register, and tells
	// administrators. code says why, as in docs/PROTOCOL.md section 6.
	Differs(ctx context.Context, desk, code string, entries uint64) error
}

// Config is what a Hub needs.
type Config struct {
	Log   *slog.Logger
	Now   func() time.Time
	Bus   *bus.Bus
	Desks Desks
	// Orders is the grant key: it signs orders.
	Orders cert.PrivateKey
	// Bundle is the trust bundle in force.
	Bundle func() *cert.Bundle
	// Organisation is shown at the desk.
	Organisation func() string
	// Reviewed is when what running sessions stand on was last looked at and acted on, on this gateway's clock. No lease is sent while that
	// is longer ago than 30 s.
	Reviewed func() time.Time
	// Head is the audit log's newest signed head in its byte form, or nil; it is
	// left at the desks with the lease.
	Head func() []byte
	// Standing says what is known of who is at an address, Met hears where which desks
	// proved themselves. They may be nil.
	Standing func(netip.Addr) crowd.Standing
	Met      func(who string, at netip.Addr)
	// MyNumber says that this gateway serves zone mynumber, and nothing else.
	MyNumber bool
}

// A Hub is the gateway's end of all control channels it holds.
type Hub struct {
	cfg    Config
	log    *slog.Logger
	work   sync.WaitGroup // readers and writers of connections
	stop   context.CancelFunc
	ctx    context.Context // ends when the hub stops; passed to the store
	silent func()          // ends listening to the bus

	halfOpen *crowd.Crowd // of the connections without a hello
	budget   *budget

	mu     sync.Mutex
	closed bool
	desks  map[string]*conn
	gone   map[string]uint64 // desks by the epoch of a channel whose end is not recorded yet
}

// New makes a Hub. It answers at once; leases are sent by [Hub.Run].
func New(cfg Config) (*Hub, error) {
	if cfg.Met == nil {
		cfg.Met = func(string, netip.Addr) {}
	}
	ctx, stop := context.WithCancel(context.Background())
	h := &Hub{
		cfg: cfg, log: cfg.Log, ctx: ctx, stop: stop, budget: newBudget(),
		desks: make(map[string]*conn), gone: make(map[string]uint64), halfOpen: crowd.New(crowd.Limits{
			Strangers: halfOpenStrangers, Met: halfOpenKnown, Inside: halfOpenKnown, PerNetwork: halfOpenPerNetwork, PerInside: halfOpenKnown,
		}, cfg.Standing),
	}
	silent, err := cfg.Bus.Listen(topicEpoch, h.onEpoch)
	if err != nil {
		stop()
		return nil, err
	}
	h.silent = silent
	return h, nil
}

// Run sends leases, and closes channels that should not be there, until ctx ends; then it closes all channels and
// returns when nothing of them runs any more.
func (h *Hub) Run(ctx context.Context) error {
	defer h.close()
	h.work.Go(h.recordGone)
	ticker := time.NewTicker(leaseEvery / leaseSteps)
	defer ticker.Stop()
	behind := false // the step before sent none: this one makes up for it
	for step := 0; ; step++ {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			err := h.lease(step%leaseSteps, behind)
			if err != nil && !behind {
				h.log.Error("no leases are sent", "err", err)
			}
			behind = err != nil
			if step%compareSteps > 0 {
				continue
			}
			if err := h.compare(); err != nil && !behind {
				h.log.Error("channels were not compared with the enrolled desks", "err", err)
			}
		}
	}
}

// ServeHTTP upgrades a request to a control channel and returns; the channel
// lives on by itself.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	address := remote.Addr(r.RemoteAddr)
	ctx, giveWay := context.WithCancel(h.ctx)
	place := h.admit(address, giveWay)
	if place == nil {
		giveWay()
		http.Error(w, "too many agents are connecting", http.StatusServiceUnavailable)
		return
	}
	socket, err := upgrade(w, r)
	if err != nil {
		place.Leave()
		giveWay()
		h.work.Done()
		h.log.Info("control channel was not opened", quiet.From(address), slog.Any("err", err))
		return
	}
	go func() {
		defer h.work.Done()
		c, err := h.shakeHands(ctx, socket, address)
		place.Leave()
		giveWay()
		if err != nil {
			h.log.Info("agent was refused", quiet.From(address), slog.Any("err", err))
			return
		}
		h.serve(c, address)
	}()
}

// Offer brings an offer to the agent of the desk, whichever gateway holds it,
// and returns its answer. Errors are ErrAway, ErrSilent, ErrFailed, ctx's, or the bus's.
//
// Who offers has read in the store that the desk is there. So when nobody holds
// it, it is on its way from one gateway to another, or has just come and the news
// of it has not reached all servers of the bus: it is asked for again.
func (h *Hub) Offer(ctx context.Context, desk string, session cert.SessionID, offer *controlv1.Offer) (*controlv1.OfferAnswer, error) {
	for try := 1; ; try++ {
		answer, err := ask[controlv1.OfferAnswer](ctx, h, desk, append([]byte{kindOffer}, session[:]...), offer)
		if try == offerTries || !errors.Is(err, ErrAway) {
			return answer, err
		}
		select {
		case <-time.After(offerPause):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// EndSession orders the agent of the desk to end a session now.
func (h *Hub) EndSession(ctx context.Context, desk string, session cert.SessionID, code uint32) error {
	return h.order(ctx, desk, &controlv1.Order{Order: &controlv1.Order_EndSession{
		EndSession: &controlv1.EndSessionOrder{SessionId: session[:], Code: code},
	}})
}

// RevokeDevice orders the agent of the desk to end the device's sessions and to
// refuse its grants.
func (h *Hub) RevokeDevice(ctx context.Context, desk, device string) error {
	return h.order(ctx, desk, &controlv1.Order{Order: &controlv1.Order_RevokeDevice{
		RevokeDevice: &controlv1.RevokeDeviceOrder{DeviceId: device},
	}})
}

// Warn has the agent tell the user of a session of something that comes at a time. code is the name of a notice of
// docs/PROTOCOL.md section 5.2.
func (h *Hub) Warn(ctx context.Context, desk string, session cert.SessionID, code string, at time.Time) error {
	return h.order(ctx, desk, &controlv1.Order{Order: &controlv1.Order_Warn{
		Warn: &controlv1.WarnOrder{SessionId: session[:], Code: code, AtMs: at.UnixMilli()},
	}})
}

// Lock orders the agent to lock its desk and waits for its answer. The code of
// the answer says why if it could not.
func (h *Hub) Lock(ctx context.Context, desk string) (*controlv1.OrderAnswer, error) {
	return ask[controlv1.OrderAnswer](ctx, h, desk, []byte{kindOrder},
		&controlv1.Order{Order: &controlv1.Order_Lock{Lock: &controlv1.LockOrder{}}})
}

// Wake orders the agent of the desk to send magic packets, and waits for its
// answer. The code of the answer says why if it could not.
func (h *Hub) Wake(ctx context.Context, desk string, order *controlv1.WakeOrder) (*controlv1.OrderAnswer, error) {
	return ask[controlv1.OrderAnswer](ctx, h, desk, []byte{kindOrder}, &controlv1.Order{Order: &controlv1.Order_Wake{Wake: order}})
}

// Plan leaves a plan with the agent of the desk if this gateway holds it, else
// it is ErrAway. Plans do not travel between gateways: what a desk does with its
// power comes from the store of the gateway that signs it.
func (h *Hub) Plan(desk string, plan *controlv1.PlanOrder) error {
	h.mu.Lock()
	c := h.desks[desk]
	h.mu.Unlock()
	if c == nil {
		return ErrAway
	}
	err := c.order(&controlv1.Order{Order: &controlv1.Order_Plan{Plan: plan}})
	if errors.Is(err, errClosed) {
		return ErrAway
	}
	return err
}

// Epochs says which desks this gateway holds, by the epoch of their channels.
func (h *Hub) Epochs() map[string]uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	held := make(map[string]uint64, len(h.desks))
	for desk, c := range h.desks {
		held[desk] = c.epoch
	}
	return held
}

// Drop closes the channel of a desk that was revoked or enrolled again, whichever gateway holds it. Without it, that gateway notices
// within 5 s.
func (h *Hub) Drop(ctx context.Context, desk string) error {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	_, err := h.deliver(ctx, desk, []byte{kindDrop})
	if errors.Is(err, bus.ErrNobody) {
		return nil
	}
	return err
}

// Connected is how many desks this gateway holds.
func (h *Hub) Connected() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.desks)
}

// admit gives a connection a place among those without a hello: none when the
// hub stops. Who was admitted is part of h.work.
func (h *Hub) admit(address netip.Addr, giveWay func()) *crowd.Place {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil
	}
	place := h.halfOpen.Enter(address, giveWay)
	if place != nil {
		h.work.Add(1)
	}
	return place
}

// serve runs one channel from the welcome to its end.
func (h *Hub) serve(c *conn, address netip.Addr) {
	h.cfg.Met("desk:"+c.desk, address)
	log := h.log.With("desk", c.desk, "epoch", c.epoch)
	log.Info("agent came", "address", address)
	err := c.read()
	h.leave(c)
	log.Info("agent went", "err", err)
}

// enter makes c the channel of its desk and closes the one before, here and on
// every other gateway. It says no when the hub stops or c is not the newest.
func (h *Hub) enter(c *conn) bool {
	h.mu.Lock()
	before := h.desks[c.desk]
	if h.closed || before != nil && before.epoch > c.epoch {
		h.mu.Unlock()
		return false
	}
	h.desks[c.desk] = c
	h.mu.Unlock()
	if before != nil {
		before.close(link.Replaced, "a later connection of the same desk")
	}
	if err := h.tellEpoch(c.desk, c.epoch); err != nil {
		h.log.Warn("other gateways were not told of an agent", "desk", c.desk, "err", err)
	}
	return true
}

// leave forgets c and records that its desk is gone, if no newer channel is there.
func (h *Hub) leave(c *conn) {
	c.close(link.Normal, "")
	c.unserve()
	h.mu.Lock()
	if h.desks[c.desk] == c {
		delete(h.desks, c.desk)
	}
	h.mu.Unlock()
	h.detach(c)
}

// detach records that the desk of c is gone, if no newer channel is there.
func (h *Hub) detach(c *conn) {
	err := h.tryDetach(c.desk, c.epoch)
	if err == nil {
		return
	}
	h.log.Error("the end of a control channel is not recorded; it is tried again", "desk", c.desk, "err", err)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.gone[c.desk] = max(h.gone[c.desk], c.epoch)
}

func (h *Hub) tryDetach(desk string, epoch uint64) error {
	h.mu.Lock()
	stopping := h.closed
	h.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(h.ctx), storeTimeout)
	defer cancel()
	return h.cfg.Desks.Detach(ctx, desk, epoch, stopping)
}

// recordGone records what [Hub.detach] could not, until the hub stops: else a desk would be on for ever that is off,
// and nobody could wake it. What a gateway leaves, its next start clears.
func (h *Hub) recordGone() {
	ticker := time.NewTicker(goneAgain)
	defer ticker.Stop()
	for {
		select {
		case <-h.ctx.Done():
			return
		case <-ticker.C:
		}
		h.mu.Lock()
		gone := maps.Clone(h.gone)
		h.mu.Unlock()
		for desk, epoch := range gone {
			if h.tryDetach(desk, epoch) != nil {
				break // the store takes nothing yet
			}
			h.mu.Lock()
			if h.gone[desk] == epoch {
				delete(h.gone, desk)
			}
			h.mu.Unlock()
		}
	}
}

func (h *Hub) close() {
	h.mu.Lock()
	h.closed = true
	all := make([]*conn, 0, len(h.desks))
	for _, c := range h.desks {
		all = append(all, c)
	}
	h.mu.Unlock()
	for _, c := range all {
		c.close(link.Stopping, "gateway stops")
	}
	h.stop()
	h.silent()
	h.work.Wait()
}
