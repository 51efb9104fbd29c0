package auth

import (
	"context"
	"net/netip"
	"slices"
	"sync"

	"jiseki/internal/remote"
)

// A Turn says for whom a password is hashed. Those who wait are served in turns by From.
type Turn struct {
	// Reserved is for who has proven an enrolled device, is signed in, or stands in the town hall: strangers never keep
	// these waiting.
	Reserved bool
	From     string
}

// TurnOf is that of a stranger at an address, or with reserved of somebody known who is told from others by it.
func TurnOf(a netip.Addr, reserved bool) Turn {
	networks := remote.Networks(a)
	return Turn{Reserved: reserved, From: networks[len(networks)/2].Prefix.String()} // of IPv6 the /56
}

// How many hashes run at the same time, and how many wait. Strangers run one at a time, so that a place is free for the
// others at once; what waits costs no memory to speak of.
const (
	hashesAtOnce     = 2
	strangersAtOnce  = 1
	hashesWait       = 256 // of strangers, and as many of the others
	strangersPerFrom = 4   // of one network
)

// turns let few hashes run at a time.
type turns struct {
	mu        sync.Mutex
	strangers class
	reserved  class
}

// A class is who waits apart from the others.
type class struct {
	running int
	waiting int
	most    int                  // waiting, of one From
	by      map[string][]*ticket // those who wait; an empty list is never kept
	order   []string             // of the keys of by: whose turn is next
}

// A ticket is one who waits.
type ticket struct {
	called  chan struct{} // closed when it is its turn, or it was refused
	refused bool          // it gave way to a newcomer; set before called is closed
}

func newTurns() *turns {
	return &turns{strangers: newClass(strangersPerFrom), reserved: newClass(hashesWait)}
}

func newClass(most int) class {
	return class{most: most, by: make(map[string][]*ticket)}
}

func (t *turns) class(reserved bool) *class {
	if reserved {
		return &t.reserved
	}
	return &t.strangers
}

// enter waits for a place to run in; ErrBusy says that too many wait, or ctx's error that it ended.
func (t *turns) enter(ctx context.Context, turn Turn) error {
	t.mu.Lock()
	c := t.class(turn.Reserved)
	mine, ok := c.queue(turn.From)
	t.next()
	t.mu.Unlock()
	if !ok {
		return ErrBusy
	}
	select {
	case <-mine.called:
		if mine.refused {
			return ErrBusy
		}
		return nil
	case <-ctx.Done():
		t.mu.Lock()
		defer t.mu.Unlock()
		if !c.forget(turn.From, mine) && !mine.refused { // it was its turn in this moment
			c.running--
			t.next()
		}
		return ctx.Err()
	}
}

func (t *turns) leave(turn Turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.class(turn.Reserved).running--
	t.next()
}

// next lets run whose turn it is, while there are places.
func (t *turns) next() {
	for t.strangers.running+t.reserved.running < hashesAtOnce {
		switch {
		case t.strangers.waiting > 0 && t.strangers.running < strangersAtOnce:
			t.strangers.start()
		case t.reserved.waiting > 0:
			t.reserved.start()
		default:
			return
		}
	}
}

// queue waits behind those of the same From. When too many wait, the last of those of whom most wait gives way.
func (c *class) queue(from string) (mine *ticket, ok bool) {
	if len(c.by[from]) >= c.most {
		return nil, false
	}
	if c.waiting >= hashesWait {
		heaviest := slices.MaxFunc(c.order, func(a, b string) int { return len(c.by[a]) - len(c.by[b]) })
		if len(c.by[heaviest]) <= len(c.by[from])+1 {
			return nil, false
		}
		last := c.by[heaviest][len(c.by[heaviest])-1]
		c.forget(heaviest, last)
		last.refused = true
		close(last.called)
	}
	mine = &ticket{called: make(chan struct{})}
	if c.by[from] == nil {
		c.order = append(c.order, from)
	}
	c.by[from] = append(c.by[from], mine)
	c.waiting++
	return mine, true
}

// start lets the next of who is due run; its From goes to the end.
func (c *class) start() {
	from := c.order[0]
	mine := c.by[from][0]
	c.forget(from, mine)
	if len(c.order) > 0 && c.order[0] == from {
		c.order = append(c.order[1:], from)
	}
	c.running++
	close(mine.called)
}

// forget takes one out of those who wait, and says whether it was there.
func (c *class) forget(from string, one *ticket) bool {
	i := slices.Index(c.by[from], one)
	if i < 0 {
		return false
	}
	c.waiting--
	c.by[from] = slices.Delete(c.by[from], i, i+1)
	if len(c.by[from]) == 0 {
		delete(c.by, from)
		c.order = slices.DeleteFunc(c.order, func(s string) bool { return s == from })
	}
	return true
}
