package auth

import (
	"encoding/hex"
	"net/netip"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/remote"
	"jiseki/internal/store"
)

// Slowing down after failures. The first few are free; then each doubles the wait, up to a quarter of an hour: slow
// enough that guessing 77 bits, or a password by the rules, takes for ever, and short enough that nobody is locked out
// for the day.
const (
	freeUser    = 5
	freeAddress = 30 // a family may stand behind one address
	// freeInside is the same for the networks of the town hall, behind one address of which all its staff may stand. It
	// slows who guesses ids, and those who have used up freeUser: nobody who guesses there keeps the others from working.
	freeInside  = 300
	freeEnrol   = 100 // a batch of desks behind one address may enrol at once
	firstWait   = 30 * time.Second
	longestWait = 15 * time.Minute
	forgetAfter = 12 * time.Hour
)

// backoff doubles from firstWait on.
func backoff(free int64) func(failures int64) time.Duration {
	return func(failures int64) time.Duration {
		over := failures - free
		if over < 0 {
			return 0
		}
		if over > 5 {
			return longestWait
		}
		return min(firstWait<<over, longestWait)
	}
}

// throttles are the counters of an attempt without a device's proof. Failures from outside do not slow the same user
// inside the town hall, so that a stranger can keep nobody from working there. Inside, users who exist have their free
// tries whatever others do behind the same address: one password tried on all of them is tried freeUser times on each.
func throttles(user string, exists bool, addr netip.Addr, place access.Place) []store.Throttle {
	keys := UserThrottles(user)
	if !inside(place) {
		return append([]store.Throttle{counter(keys[0], freeUser)}, addressCounters("address:", addr, freeAddress)...)
	}
	own := counter(keys[1], freeUser)
	if exists {
		own.Spares = freeUser
	}
	return append([]store.Throttle{own}, addressCounters("address:", addr, freeInside)...)
}

// inside says that a place is one of the town hall's networks.
func inside(p access.Place) bool { return p == access.Office || p == access.Satellite }

// proofThrottles are the counters of an attempt with a device's proof: apart from all others, for nobody without the
// device can drive them. A device of a section has one of its own, which colleagues can.
func proofThrottles(user string, d *store.Device) []store.Throttle {
	keys := UserThrottles(user)
	if d.Owner == "user:"+user {
		return []store.Throttle{counter(keys[2], freeUser)}
	}
	return []store.Throttle{counter(keys[3], freeUser)}
}

// signInThrottles count what is tried in one sign-in, by the hash of its token: who wants another must prove the
// password first.
func signInThrottles(purpose string, hash [32]byte) []store.Throttle {
	return []store.Throttle{counter(purpose+":"+hex.EncodeToString(hash[:]), freeUser)}
}

func counter(key string, free int64) store.Throttle {
	return store.Throttle{Key: key, Wait: backoff(free), Forget: forgetAfter}
}

// addressCounters are those of all networks that the address is of: wider ones bear more.
func addressCounters(prefix string, addr netip.Addr, free int64) []store.Throttle {
	var all []store.Throttle
	for _, n := range remote.Networks(addr) {
		all = append(all, counter(prefix+n.Prefix.String(), free*int64(n.Times)))
	}
	return all
}

// EnrolThrottles are the counters of enrolments of desks. A stranger who sends tokens that are none would fill the log.
func EnrolThrottles(addr netip.Addr) []store.Throttle {
	return addressCounters("enrol:", addr, freeEnrol)
}

// UserThrottles are the names of a user's counters, for showing and for unlocking: from outside, from inside, on
// devices of the user's own, on devices of a section.
func UserThrottles(user string) []string {
	return []string{"user:" + user, "user-inside:" + user, "user-device:" + user, "user-shared:" + user}
}
