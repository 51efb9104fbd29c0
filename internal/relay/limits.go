package relay

import (
	"net/http"
	"net/netip"
	"time"

	"jiseki/internal/link"
)

// Limits bound what strangers can make the relay hold.
type Limits struct {
	// Unclaimed is how many links may be open without a valid claim, in all. Default 1024: each holds about 30 KB with
	// its TLS.
	Unclaimed int

	// UnclaimedPerAddress is the same for one source address. Default 128: a satellite office or the whole home line of
	// a provider's customers may share one, and after a restart of the gateway all come back at once with two links each.
	UnclaimedPerAddress int

	// PairWait is how long a link lives unpaired. Default 10 s (docs/PROTOCOL.md section 3).
	PairWait time.Duration

	// Sessions is how many sessions may be offered or running. Default 4096.
	Sessions int
}

func (l Limits) withDefaults() Limits {
	if l.Unclaimed == 0 {
		l.Unclaimed = 1024
	}
	if l.UnclaimedPerAddress == 0 {
		l.UnclaimedPerAddress = 128
	}
	if l.PairWait == 0 {
		l.PairWait = 10 * time.Second
	}
	if l.Sessions == 0 {
		l.Sessions = 4096
	}
	return l
}

// waiting counts the links without a valid claim. The relay's lock guards it.
type waiting struct {
	limits Limits
	total  int
	by     map[netip.Prefix]int // per source network
	open   map[*link.Conn]struct{}
}

func (w *waiting) enter(from netip.Prefix) int {
	switch {
	case w.by[from] >= w.limits.UnclaimedPerAddress:
		return http.StatusTooManyRequests
	case w.total >= w.limits.Unclaimed:
		return http.StatusServiceUnavailable
	}
	w.total++
	w.by[from]++
	return 0
}

func (w *waiting) hold(c *link.Conn) {
	if w.open == nil {
		w.open = make(map[*link.Conn]struct{})
	}
	w.open[c] = struct{}{}
}

// leave ends what enter and, unless c is nil, hold began.
func (w *waiting) leave(from netip.Prefix, c *link.Conn) {
	delete(w.open, c)
	w.total--
	if w.by[from]--; w.by[from] == 0 {
		delete(w.by, from)
	}
}

func (w *waiting) links() []*link.Conn {
	all := make([]*link.Conn, 0, len(w.open))
	for c := range w.open {
		all = append(all, c)
	}
	return all
}
