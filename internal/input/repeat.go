package input

import (
	"errors"
	"time"

	"jiseki/internal/keys"
)

const (
	// repeatLook is when a key that is held is looked at first. Most keys are up again by then, and no keyboard repeats
	// sooner.
	repeatLook = 150 * time.Millisecond
	// repeatTrust is how long after the viewer said that a key is held it is repeated: the time until the viewer's next
	// word, and some for the line. On a line that is stalled nothing is repeated.
	repeatTrust = 350 * time.Millisecond
)

// repeating is the key that is repeated while the viewer says that it is held: the one that was pressed last, as on any
// keyboard. The zero value repeats nothing.
type repeating struct {
	code      keys.Code
	due       time.Time     // for the first; while every is 0: when it was pressed
	said      time.Time     // when the viewer last said that it is held; zero: not since it was pressed
	every     time.Duration // between two; 0: not known yet
	waiting   bool          // for the viewer's word
	timer     *time.Timer
	afterward func()
}

func (r *repeating) stop() {
	r.code = 0
	if r.timer != nil {
		r.timer.Stop()
	}
}

func (r *repeating) in(d time.Duration) {
	if r.timer == nil {
		r.timer = time.AfterFunc(d, r.afterward)
		return
	}
	r.timer.Reset(d)
}

// confirm takes the viewer's word for what is held.
func (r *repeating) confirm(held bool) {
	if r.code == 0 || !held {
		return
	}
	r.said = time.Now()
	if r.waiting {
		r.waiting = false
		r.in(0)
	}
}

// watchRepeat begins to repeat a key that was just pressed, unless it is one that does not repeat and leaves others
// alone, such as a modifier.
func (h *Held) watchRepeat(code keys.Code) {
	if !code.Repeats() {
		return
	}
	h.repeat.stop()
	h.repeat = repeating{code: code, due: time.Now(), timer: h.repeat.timer, afterward: h.again}
	h.repeat.in(repeatLook)
}

// again repeats the key if it is time. It runs on the timer's goroutine.
func (h *Held) again() {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := &h.repeat
	if h.closed || r.code == 0 {
		return
	}
	if r.every == 0 && !h.learnRepeat() {
		return
	}
	switch now := time.Now(); {
	case now.Before(r.due):
		r.in(r.due.Sub(now))
	case r.said.IsZero() || now.Sub(r.said) > repeatTrust:
		r.waiting = true
	default:
		h.err = errors.Join(h.err, h.inj.Repeat(r.code))
		r.in(r.every)
	}
}

// learnRepeat asks the desk how it repeats the key; it says whether it does.
func (h *Held) learnRepeat() bool {
	r := &h.repeat
	delay, every, err := h.inj.RepeatTimes(r.code)
	h.err = errors.Join(h.err, err)
	if err != nil || every <= 0 {
		r.stop()
		return false
	}
	r.due, r.every = r.due.Add(delay), every
	return true
}
