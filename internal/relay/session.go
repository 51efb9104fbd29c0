package relay

import (
	"context"
	"encoding/hex"
	"sync"
	"sync/atomic"
	"time"

	"jiseki/internal/link"
)

// A session is an offer and the links that were claimed with it. The relay's lock guards what is not atomic.
type session struct {
	relay  *Relay
	offer  Offer
	expiry *time.Timer

	slots [2][2]slot // by channel, by side-1
	since time.Time  // zero until links are paired
	ended bool
	code  link.Code // why it ended

	pumps sync.WaitGroup   // directions that run
	bytes [2]atomic.Uint64 // by side-1: what came from it
}

// A slot is the place of one of the four links.
type slot struct {
	conn   *link.Conn
	paired chan *link.Conn // brings the other side's link to the one that waits
}

// expire forgets an offer of which nothing is paired.
func (s *session) expire() {
	s.relay.mu.Lock()
	open := !s.since.IsZero()
	s.relay.mu.Unlock()
	if !open {
		s.end(link.Unpaired)
	}
}

// await returns the other side's link of the same channel, after both sides have been told, or nil when the session
// has ended. Whoever comes second tells both, so that nothing is forwarded to a link before it knows that it is paired.
func (s *session) await(c *link.Conn, claim link.Claim, deadline time.Time) *link.Conn {
	other, arrives := s.meet(claim)
	var peer *link.Conn
	if other == nil {
		peer = s.waitFor(c, arrives, deadline)
	} else {
		peer = s.introduce(c, other)
	}
	if peer == nil {
		s.pumps.Done()
	}
	return peer
}

// meet returns the other side's slot if it is taken, and otherwise a channel that will bring its link.
func (s *session) meet(claim link.Claim) (other *slot, arrives <-chan *link.Conn) {
	s.relay.mu.Lock()
	defer s.relay.mu.Unlock()
	slots := &s.slots[claim.Channel]
	mine, other := &slots[claim.Side-1], &slots[2-claim.Side]
	if other.paired != nil {
		return other, nil
	}
	mine.paired = make(chan *link.Conn, 1)
	return nil, mine.paired
}

// introduce tells c and the link that waits in other that they are paired, and lets the latter go on.
func (s *session) introduce(c *link.Conn, other *slot) *link.Conn {
	s.open()
	for _, to := range []*link.Conn{other.conn, c} {
		if err := to.SendPaired(context.Background()); err != nil {
			s.endAfter(err)
			return nil
		}
	}
	other.paired <- c
	return other.conn
}

// open notes that links are paired and reports the session, once.
func (s *session) open() {
	r := s.relay
	r.mu.Lock()
	first := s.since.IsZero()
	if first {
		s.since = r.cfg.Now()
	}
	stats := s.stats()
	r.mu.Unlock()
	if first {
		r.cfg.Log.Info("session opened", "session", s.name(), "viewer", stats.ViewerAddress, "agent", stats.AgentAddress)
		r.cfg.Opened(stats)
	}
}

// waitFor waits until the other side comes. The client has nothing to say meanwhile, so nothing is read from it.
func (s *session) waitFor(c *link.Conn, arrives <-chan *link.Conn, deadline time.Time) *link.Conn {
	limit := time.NewTimer(time.Until(deadline))
	defer limit.Stop()
	select {
	case peer := <-arrives:
		return peer
	case <-limit.C:
		s.end(link.Unpaired)
	case <-c.Done():
		s.end(link.PeerGone)
	}
	return nil
}

// pump forwards messages from c to peer until one of them ends.
func (s *session) pump(c, peer *link.Conn, side link.Side) {
	defer s.pumps.Done()
	count := &s.bytes[side-1]
	for {
		n, err := c.Forward(context.Background(), peer)
		if err != nil {
			s.endAfter(err)
			return
		}
		count.Add(uint64(n))
	}
}

// endAfter ends the session because a link ended with err.
func (s *session) endAfter(err error) {
	code := link.PeerGone
	if link.CloseCode(err) == link.PeerStalled {
		code = link.PeerStalled
	}
	s.relay.cfg.Log.Debug("link ended", "session", s.name(), "reason", err)
	s.end(code)
}

// end ends the session, once: it can no longer be claimed, and its links are closed with the code. It does not wait.
func (s *session) end(code link.Code) {
	r := s.relay
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.ended {
		return
	}
	s.ended, s.code = true, code
	s.expiry.Stop()
	delete(r.sessions, s.offer.Session)
	delete(r.tickets, s.offer.ViewerTicketHash)
	delete(r.tickets, s.offer.AgentTicketHash)
	r.running.Add(1)
	go func() {
		defer r.running.Done()
		s.close(code)
	}()
}

// close closes all links at once, for each may take a second or two, and reports the session when nothing more can
// come.
func (s *session) close(code link.Code) {
	var closing sync.WaitGroup
	for _, c := range s.conns() {
		closing.Go(func() { _ = c.Close(code, "") })
	}
	closing.Wait()
	s.pumps.Wait()
	r := s.relay
	r.mu.Lock()
	stats := s.stats()
	r.mu.Unlock()
	if stats.Since.IsZero() {
		r.cfg.Log.Info("session never opened", "session", s.name(), "code", code)
	} else {
		r.cfg.Log.Info("session closed", "session", s.name(), "code", code,
			"from_viewer", stats.FromViewer, "from_agent", stats.FromAgent)
	}
	r.cfg.Closed(stats, code)
}

func (s *session) conns() []*link.Conn {
	s.relay.mu.Lock()
	defer s.relay.mu.Unlock()
	var all []*link.Conn
	for i := range s.slots {
		for _, slot := range s.slots[i] {
			if slot.conn != nil {
				all = append(all, slot.conn)
			}
		}
	}
	return all
}

// stats is called with the relay's lock held.
func (s *session) stats() Stats {
	st := Stats{
		Session: s.offer.Session, Since: s.since,
		FromViewer: s.bytes[link.Viewer-1].Load(), FromAgent: s.bytes[link.Agent-1].Load(),
	}
	for i := range s.slots {
		if c := s.slots[i][link.Viewer-1].conn; c != nil && st.ViewerAddress == "" {
			st.ViewerAddress = c.RemoteAddr().String()
		}
		if c := s.slots[i][link.Agent-1].conn; c != nil && st.AgentAddress == "" {
			st.AgentAddress = c.RemoteAddr().String()
		}
	}
	return st
}

func (s *session) name() string { return hex.EncodeToString(s.offer.Session[:]) }
