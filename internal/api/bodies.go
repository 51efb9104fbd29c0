package api

import (
	"container/list"
	"sync"
)

// Limits of the bodies of calls that are read or worked on at the same time.
const (
	// bodiesTotal bounds all of them, in bytes. What they are decoded to is some sixteen times that at worst
	// (bytesPerElement).
	bodiesTotal = 16 << 20
	// bodiesShare is the most of it that one user, or one network without a sign-in, has: two of the longest.
	bodiesShare = 2 * listBody
	// unreadShare bounds how many that one begins and does not end: two hundred browsers behind one address send theirs
	// at once.
	unreadShare = 64
)

// bodies are those that calls have sent, or are sending. Bodies that are not complete give way to new ones, the oldest
// first: whoever lets them hang takes nobody's place for longer than others need to send theirs.
type bodies struct {
	mu      sync.Mutex
	total   int
	unread  *list.List // of *body, oldest first
	holders map[string]*share
}

type share struct{ bytes, unread, count int }

// A body is one of a call.
type body struct {
	holder string
	bytes  int
	cut    func()        // ends its reading
	place  *list.Element // among the unread; nil when it was read or cut
	isCut  bool
}

func newBodies() *bodies { return &bodies{unread: list.New(), holders: make(map[string]*share)} }

// begin gives a body of so many bytes at most room, if there is any; cut is called when it gives way to another before
// it was read.
func (b *bodies) begin(holder string, bytes int, cut func()) (*body, bool) {
	one := &body{holder: holder, bytes: bytes, cut: cut}
	given, ok := b.enter(one)
	for _, other := range given {
		other.cut()
	}
	return one, ok
}

// enter is begin without the cuts, which take their time.
func (b *bodies) enter(one *body) (given []*body, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	own := b.holders[one.holder]
	if own == nil {
		own = &share{}
		b.holders[one.holder] = own
	}
	own.count++
	defer func() {
		if !ok {
			b.leave(one.holder)
		}
	}()
	for {
		from := "" // of all
		if own.unread >= unreadShare || own.bytes+one.bytes > bodiesShare {
			from = one.holder
		} else if b.total+one.bytes <= bodiesTotal {
			break
		}
		oldest := b.oldest(from)
		if oldest == nil {
			return given, false
		}
		given = append(given, b.giveWay(oldest))
	}
	b.charge(one.holder, one.bytes)
	own.unread++
	one.place = b.unread.PushBack(one)
	return given, true
}

// oldest is the oldest unread body of a holder, of all for "".
func (b *bodies) oldest(holder string) *body {
	for e := b.unread.Front(); e != nil; e = e.Next() {
		if one := e.Value.(*body); holder == "" || one.holder == holder {
			return one
		}
	}
	return nil
}

func (b *bodies) giveWay(one *body) *body {
	one.isCut = true
	b.charge(one.holder, -one.bytes)
	one.bytes = 0
	b.arrived(one)
	return one
}

func (b *bodies) charge(holder string, bytes int) {
	b.total += bytes
	b.holders[holder].bytes += bytes
}

// arrived takes a body from the unread ones.
func (b *bodies) arrived(one *body) {
	if one.place == nil {
		return
	}
	b.unread.Remove(one.place)
	one.place = nil
	b.holders[one.holder].unread--
}

func (b *bodies) leave(holder string) {
	own := b.holders[holder]
	if own.count--; own.count == 0 {
		delete(b.holders, holder)
	}
}

// read says that a body was read and is so long. It returns false if it gave way before.
func (b *bodies) read(one *body, bytes int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if one.isCut {
		return false
	}
	b.arrived(one)
	b.charge(one.holder, bytes-one.bytes)
	one.bytes = bytes
	return true
}

// end gives the room of a body back.
func (b *bodies) end(one *body) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.arrived(one)
	b.charge(one.holder, -one.bytes)
	b.leave(one.holder)
}
