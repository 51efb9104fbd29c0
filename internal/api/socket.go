package api

import (
	"context"
	"net/http"
	"time"

	"jiseki/internal/link"
	"jiseki/internal/remote"
)

// socketTime is what the check of a socket may take after its upgrade.
const socketTime = 10 * time.Second

// ProbeSocket answers the check whether WebSockets come through, behind a door: the same upgrade, claim and answer as
// the relay's (docs/PROTOCOL.md section 7), but the claim's ticket means nothing and the link ends with the answer. Who
// asks is held to the limits of [Server.Probe]. Without an upgrade the answer is 426, so that a page can tell whether
// something on the way took the upgrade out.
func (s *Server) ProbeSocket(door Door) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		call := &request{id: newID(), door: door, remote: remote.Addr(r.RemoteAddr), host: r.Host}
		r = r.WithContext(withRequest(r.Context(), call))
		done, err := s.beginSocket(door, r)
		if err != nil {
			s.refuseProbe(w, r, err)
			return
		}
		c, err := link.Upgrade(w, r)
		if err != nil { // the answer is written
			done()
			return
		}
		go func() {
			defer done()
			answerClaim(c)
		}()
	})
}

// beginSocket finds out who asks and gives the check room until done is called.
func (s *Server) beginSocket(door Door, r *http.Request) (done func(), err error) {
	user, err := s.probeUser(door, r)
	if err != nil {
		return nil, err
	}
	if wait := s.probes.take(user, 0); wait > 0 {
		return nil, tooSoon(wait)
	}
	done, ok := s.probes.begin(user)
	if !ok {
		return nil, busy(probeAgain, nil)
	}
	return done, nil
}

// answerClaim takes a claim, says that it is paired, and ends the link.
func answerClaim(c *link.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), socketTime)
	defer cancel()
	code := link.BadClaim
	if _, err := c.ReceiveClaim(ctx); err == nil && c.SendPaired(ctx) == nil {
		code = link.Normal
	}
	_ = c.Close(code, "") // who asked may be gone
}
