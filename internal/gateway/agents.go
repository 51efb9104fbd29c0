package gateway

import (
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"jiseki/internal/remote"
)

// tellRefusedEvery bounds how often the log tells of agents that were refused for their network: strangers must not
// fill it.
const tellRefusedEvery = time.Minute

// mayBeDesk says whether an address is in the networks of agents.networks.
func (c *core) mayBeDesk(address netip.Addr) bool {
	return slices.ContainsFunc(c.desks, func(n netip.Prefix) bool { return n.Contains(address) })
}

// fromDesks lets agents in from the networks of agents.networks only. Others get 403 and the reason; the log tells of
// one a minute.
func (c *core) fromDesks(next http.Handler) http.Handler {
	var mu sync.Mutex
	var told time.Time
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		address := remote.Addr(r.RemoteAddr)
		if c.mayBeDesk(address) {
			next.ServeHTTP(w, r)
			return
		}
		mu.Lock()
		tell := c.env.Now().Sub(told).Abs() >= tellRefusedEvery
		if tell {
			told = c.env.Now()
		}
		mu.Unlock()
		if tell {
			c.env.Log.Warn("an agent was refused: its address is in none of agents.networks", "address", address)
		}
		http.Error(w, "agent_network: "+address.String()+" is in none of the networks from which desks may connect (agents.networks)",
			http.StatusForbidden)
	})
}
