package waking

import (
	"slices"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/store"
)

const (
	// answerIn is how long a desk has to answer after the first packets.
	answerIn = 120 * time.Second
	// sendAgain is how long after packets they are sent again, by another waker if there is one.
	sendAgain = 20 * time.Second
	// tryNext is how long after a waker that could not send the next is asked.
	tryNext = time.Second
	// lookAgain is how often a wake that may wait looks for a waker.
	lookAgain = 15 * time.Second
	// failsEach is how often each waker may fail to send the first packets; triesEach bounds all its tries.
	failsEach = 2
	triesEach = 8
)

// A step is what to do with a wake now: end it, ask a waker, or wait.
type step struct {
	end  bool
	code access.Code // of the end; empty: the desk is on
	ask  candidate   // with an id: ask this one
	wait time.Duration
}

// next decides the step of a wake that is due.
func (l *lan) next(w *store.Wake) step {
	desk := l.machines[w.Desk]
	if desk == nil {
		return step{end: true, code: access.WakeNoAnswer} // it was taken out of service
	}
	sent := time.UnixMilli(w.SentMS)
	switch {
	case l.on(desk):
		return step{end: true}
	case w.AskedMS > l.now.Add(store.Skew).UnixMilli(): // before the clock was put right
		return step{end: true, code: unanswered(desk)}
	case w.State == store.WakeSent && l.now.Sub(sent) >= answerIn:
		return step{end: true, code: unanswered(desk)}
	case len(macs(desk)) == 0:
		return step{end: true, code: access.WakeMACUnknown}
	}
	most := triesEach
	if w.State == store.WakeQueued {
		most = failsEach
	}
	c, ok := l.choose(desk, w.Tried, most)
	switch patient := l.now.UnixMilli() < w.PatientMS; {
	case ok:
		return step{ask: c}
	case w.State == store.WakeSent:
		return step{wait: min(sendAgain, answerIn-l.now.Sub(sent))}
	case patient:
		return step{wait: lookAgain}
	}
	return step{end: true, code: access.WakeNoWaker}
}

// unanswered says why a desk that got its packets may not have answered.
func unanswered(desk *store.Machine) access.Code {
	if forbidden(desk) {
		return access.WakeAdapter
	}
	return access.WakeNoAnswer
}

// choose picks the candidate that was tried least, the best of these. There is none when all were tried that often.
func (l *lan) choose(desk *store.Machine, tried []string, most int) (candidate, bool) {
	var best candidate
	least := most
	for _, c := range l.candidates(desk) {
		if n := count(tried, c.id); n < least {
			best, least = c, n
		}
	}
	return best, best.id != ""
}

func count(tried []string, id string) int {
	n := 0
	for _, t := range tried {
		if t == id {
			n++
		}
	}
	return n
}

// waited is the wake after a step without anybody to ask. Wakers that could not send before are asked anew.
func waited(w store.Wake, wait time.Duration, now time.Time) store.Wake {
	if w.State == store.WakeQueued {
		w.Tried = nil
	}
	w.NextMS = now.Add(wait).UnixMilli()
	return w
}

// asked is the wake after a waker was asked and has sent the packets, or not.
func asked(w store.Wake, c candidate, done bool, now time.Time) store.Wake {
	w.Tried = append(slices.Clone(w.Tried), c.id)
	if !done {
		w.NextMS = now.Add(tryNext).UnixMilli()
		return w
	}
	w.Waker = c.id
	if w.State == store.WakeQueued {
		w.State, w.SentMS = store.WakeSent, now.UnixMilli()
	}
	w.NextMS = min(now.Add(sendAgain).UnixMilli(), w.SentMS+answerIn.Milliseconds())
	return w
}
