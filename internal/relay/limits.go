package relay

import (
	"time"

	"jiseki/internal/crowd"
)

// Limits bound what strangers can make the relay hold. A link over a limit takes the place of an older one that has not claimed
// anything either: an honest claim comes within moments.
type Limits struct {
	// Unclaimed is how many links of strangers may be open without a valid claim. Default 512: each holds about 30 KB with
	// its TLS.
	Unclaimed int

	// UnclaimedPerAddress is the same for one source address, or network of IPv6. Default 64: the whole home line of
	// a provider's customers may share one, and after a restart of the gateway all come back at once with two links each.
	UnclaimedPerAddress int

	// UnclaimedKnown are places kept for the town hall, and as many for others of whom Config.Standing knows something; a network of the town hall's own may take
	// all. Default 1024.
	UnclaimedKnown int

	// PairWait is how long a link lives unpaired. Default 10 s (docs/PROTOCOL.md section 3).
	PairWait time.Duration

	// Sessions is how many sessions may be offered or running. Default 4096.
	Sessions int
}

func (l Limits) withDefaults() Limits {
	if l.Unclaimed == 0 {
		l.Unclaimed = 512
	}
	if l.UnclaimedPerAddress == 0 {
		l.UnclaimedPerAddress = 64
	}
	if l.UnclaimedKnown == 0 {
		l.UnclaimedKnown = 1024
	}
	if l.PairWait == 0 {
		l.PairWait = 10 * time.Second
	}
	if l.Sessions == 0 {
		l.Sessions = 4096
	}
	return l
}

func (l Limits) unclaimed() crowd.Limits {
	return crowd.Limits{
		Strangers: l.Unclaimed, Met: l.UnclaimedKnown, Inside: l.UnclaimedKnown, PerNetwork: l.UnclaimedPerAddress, PerInside: l.UnclaimedKnown,
	}
}
