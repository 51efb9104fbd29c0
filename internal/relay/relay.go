// Package relay pairs a viewer's links with an agent's and forwards what comes, blind: the messages are sealed, and it
// links no code that could open them. It reads one side only when it can write the other, so it holds at most one
// message (64 KiB) per direction, and never drops one.
//
// A session is announced with [Relay.Offer]; each side then claims its two links (control, display) with its ticket. When
// one of the four ends, all end.
package relay

import (
	"context"
	"crypto/subtle"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"jiseki/internal/crowd"
	"jiseki/internal/link"
	"jiseki/internal/quiet"
	"jiseki/internal/remote"
)

// Errors of Offer.
var (
	ErrOffered = errors.New("relay: session or ticket is offered already")
	ErrExpired = errors.New("relay: offer has expired")
	ErrFull    = errors.New("relay: too many sessions")
	ErrStopped = errors.New("relay: is stopping")
)

// A Config is what a relay needs.
type Config struct {
	Log    *slog.Logger
	Now    func() time.Time // wall clock, for the expiry of offers
	Limits Limits           // a zero means its default

	// Standing says what is known of who is at an address; nil: all are strangers.
	Standing func(netip.Addr) crowd.Standing

	// Opened, if set, is called when the first links of a session are paired, and Closed when an offered session has ended
	// and its last byte is counted, also if no links were paired: then Stats.Since is zero. They are called from the
	// relay's goroutines and must not block.
	Opened func(Stats)
	Closed func(Stats, link.Code)
}

// An Offer announces a session.
type Offer struct {
	Session          [16]byte
	ViewerTicketHash [32]byte  // SHA-256 of the viewer's ticket
	AgentTicketHash  [32]byte  // SHA-256 of the agent's ticket
	Expires          time.Time // nothing is claimed from then on
}

// Stats tells what a session has carried.
type Stats struct {
	Session       [16]byte
	Since         time.Time // when the first links were paired; zero before
	FromViewer    uint64    // bytes of messages, sealed
	FromAgent     uint64
	ViewerAddress string // host and port, as the relay sees them
	AgentAddress  string
}

// A Relay pairs links. It has no goroutine of its own.
type Relay struct {
	cfg Config

	mu       sync.Mutex
	sessions map[[16]byte]*session
	tickets  map[[32]byte]*session   // both sides' ticket hashes
	open     map[*link.Conn]struct{} // without a claim
	stopped  bool

	unclaimed *crowd.Crowd // of the links without a claim

	running sync.WaitGroup // goroutines of links
}

// New returns a relay that knows no session.
func New(cfg Config) *Relay {
	cfg.Limits = cfg.Limits.withDefaults()
	if cfg.Opened == nil {
		cfg.Opened = func(Stats) {}
	}
	if cfg.Closed == nil {
		cfg.Closed = func(Stats, link.Code) {}
	}
	return &Relay{
		cfg:      cfg,
		sessions: make(map[[16]byte]*session),
		tickets:  make(map[[32]byte]*session),
		open:     make(map[*link.Conn]struct{}),

		unclaimed: crowd.New(cfg.Limits.unclaimed(), cfg.Standing),
	}
}

// Offer announces a session whose links may be claimed until it expires.
func (r *Relay) Offer(o Offer) error {
	in := o.Expires.Sub(r.cfg.Now())
	if in <= 0 {
		return ErrExpired
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.stopped:
		return ErrStopped
	case len(r.sessions) >= r.cfg.Limits.Sessions:
		return ErrFull
	case r.sessions[o.Session] != nil, r.tickets[o.ViewerTicketHash] != nil, r.tickets[o.AgentTicketHash] != nil,
		o.ViewerTicketHash == o.AgentTicketHash:
		return ErrOffered
	}
	s := &session{relay: r, offer: o}
	r.sessions[o.Session] = s
	r.tickets[o.ViewerTicketHash] = s
	r.tickets[o.AgentTicketHash] = s
	s.expiry = time.AfterFunc(in, s.expire)
	return nil
}

// End ends a session and forgets its offer. It returns before the links are closed.
func (r *Relay) End(id [16]byte, code link.Code) {
	r.mu.Lock()
	s := r.sessions[id]
	r.mu.Unlock()
	if s != nil {
		s.end(code)
	}
}

// Sessions returns the sessions of which links are paired, in no order.
func (r *Relay) Sessions() []Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []Stats
	for _, s := range r.sessions {
		if !s.since.IsZero() {
			all = append(all, s.stats())
		}
	}
	return all
}

// Shutdown refuses new links, ends all sessions with the code for a stopping gateway, and waits until all is closed or
// ctx ends.
func (r *Relay) Shutdown(ctx context.Context) error {
	r.mu.Lock()
	r.stopped = true
	sessions := make([]*session, 0, len(r.sessions))
	for _, s := range r.sessions {
		sessions = append(sessions, s)
	}
	unclaimed := slices.Collect(maps.Keys(r.open))
	r.mu.Unlock()
	for _, s := range sessions {
		s.end(link.Stopping)
	}
	for _, c := range unclaimed {
		go func() { _ = c.Close(link.Stopping, "") }()
	}
	done := make(chan struct{})
	go func() {
		r.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ServeHTTP answers GET /relay: it upgrades the request to a link and leaves the rest to another goroutine.
func (r *Relay) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	address := remote.Addr(req.RemoteAddr)
	wait, giveWay := context.WithCancelCause(context.Background())
	place := r.admit(address, func() { giveWay(errGaveWay) })
	if place == nil {
		http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
		return
	}
	c, err := link.Upgrade(w, req)
	if err != nil {
		r.cfg.Log.Debug("no link", quiet.From(address), slog.Any("error", err))
		place.Leave()
		r.running.Done()
		return
	}
	go func() {
		defer r.running.Done()
		r.serve(wait, c, place, address)
	}()
}

// admit gives a new link a place among those without a claim: none when the relay stops.
func (r *Relay) admit(address netip.Addr, giveWay func()) *crowd.Place {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		return nil
	}
	place := r.unclaimed.Enter(address, giveWay)
	if place != nil {
		r.running.Add(1)
	}
	return place
}

// serve takes a link from its claim to the end of one direction.
func (r *Relay) serve(wait context.Context, c *link.Conn, place *crowd.Place, address netip.Addr) {
	deadline := time.Now().Add(r.cfg.Limits.PairWait)
	claim, err := r.awaitClaim(wait, c)
	place.Leave()
	if err != nil {
		r.cfg.Log.Info("link without a claim", quiet.From(address), slog.Any("error", err))
		return
	}
	s, err := r.claim(c, claim)
	if err != nil {
		r.cfg.Log.Warn("claim refused", quiet.From(address), slog.Any("reason", err))
		_ = c.Close(link.BadClaim, "") // why is nothing for strangers
		return
	}
	peer := s.await(c, claim, deadline)
	if peer == nil {
		return
	}
	s.pump(c, peer, claim.Side)
}

// awaitClaim reads the claim of a link that may live for PairWait without one, unless it gives way to another.
func (r *Relay) awaitClaim(wait context.Context, c *link.Conn) (link.Claim, error) {
	r.mu.Lock()
	r.open[c] = struct{}{}
	stopped := r.stopped
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.open, c)
	}()
	if stopped {
		_ = c.Close(link.Stopping, "")
		return link.Claim{}, ErrStopped
	}
	limit := time.AfterFunc(r.cfg.Limits.PairWait, func() { _ = c.Close(link.Unpaired, "no claim") })
	defer limit.Stop()
	claim, err := c.ReceiveClaim(wait)
	switch {
	case wait.Err() != nil:
		_ = c.Close(link.Unpaired, "gave way") // the peer may see no code: the wait ended in the middle of its message
		return claim, context.Cause(wait)
	case err != nil:
		_ = c.Close(link.BadClaim, "")
	}
	return claim, err
}

// Why a claim is refused, or a link without one ended, for the log.
var (
	errGaveWay = errors.New("gave way to another link")
	errTicket  = errors.New("unknown ticket")
	errSide    = errors.New("ticket of the other side")
	errLate    = errors.New("offer has expired")
	errClaimed = errors.New("claimed before")
)

// claim finds the session that a claim's ticket belongs to and gives it the link.
func (r *Relay) claim(c *link.Conn, claim link.Claim) (*session, error) {
	hash := claim.Ticket.Hash()
	r.mu.Lock()
	defer r.mu.Unlock()
	// Looking up a hash tells by its time at most bits of the hash, which lead to no ticket.
	s := r.tickets[hash]
	if s == nil {
		return nil, errTicket
	}
	want := s.offer.ViewerTicketHash
	if claim.Side == link.Agent {
		want = s.offer.AgentTicketHash
	}
	if subtle.ConstantTimeCompare(hash[:], want[:]) != 1 {
		return nil, errSide
	}
	if s.ended || !r.cfg.Now().Before(s.offer.Expires) {
		return nil, errLate
	}
	slot := &s.slots[claim.Channel][claim.Side-1]
	if slot.conn != nil {
		return nil, errClaimed
	}
	slot.conn = c
	s.pumps.Add(1) // here, where the session is known not to have ended: its end waits for pumps
	return s, nil
}
