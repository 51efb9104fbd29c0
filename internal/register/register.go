// Package register is the list of what desks may believe: which devices are announced for whom, and which desks for
// which users. It only grows, each entry continues the hash of all before it, the gateway's audit log names that hash,
// and every desk holds a copy. So who has the gateway's keys and not its list cannot announce a device to a desk, and
// who has both cannot do it unseen. It is pure: bytes are those of docs/PROTOCOL.md section 6.
package register

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"jiseki/internal/cert"
)

// An Op is what an entry does.
type Op uint8

// The ops.
const (
	Add    Op = 1 // What holds from now on
	Remove Op = 2 // What holds no more
	Mark   Op = 3 // What is random, so that an old copy of the list is soon not the end of it any more
)

// An Entry is one step of the list.
type Entry struct {
	Op   Op
	What [32]byte
}

// EntryLen is the byte form of an entry: op u8, what 32 B.
const EntryLen = 1 + 32

// MaxEntries go into one message, so that it stays below the limit of messages.
const MaxEntries = 1024

// Errors of a copy that is continued. None of them changes it.
var (
	// ErrForm: the bytes are no entries.
	ErrForm = errors.New("register: malformed")
	// ErrGap: entries in between are missing.
	ErrGap = errors.New("register: entries are missing")
	// ErrDiffers: the other side's list is another one than the copy, from some entry on.
	ErrDiffers = errors.New("register: two lists that differ")
	// ErrAhead: the copy holds entries that the other side does not know.
	ErrAhead = errors.New("register: the copy is ahead")
)

// Device is what announces a device: its id, its owner as in its certificate ("user:<id>", "section:<id>" or "all") and
// its key.
func Device(id, owner string, key cert.PublicKey) [32]byte {
	return what("device", []byte(id), []byte(owner), key[:])
}

// Assignment is what announces that a user may open a desk.
func Assignment(desk, user string) [32]byte { return what("desk", []byte(desk), []byte(user)) }

// what is SHA-256 over `jiseki-register-1`, a zero byte, and each field with its length u16; big-endian.
func what(kind string, fields ...[]byte) [32]byte {
	b := append([]byte("jiseki-register-1\x00"), byte(len(kind)))
	b = append(b, kind...)
	for _, f := range fields {
		b = binary.BigEndian.AppendUint16(b, uint16(len(f))) //nolint:gosec // ids are short
		b = append(b, f...)
	}
	return sha256.Sum256(b)
}

// Next is the hash of the list whose end had hash, after entry number (from 1).
func Next(hash [32]byte, number uint64, e Entry) [32]byte {
	b := append([]byte("jiseki-register-2\x00"), hash[:]...)
	b = binary.BigEndian.AppendUint64(b, number)
	return sha256.Sum256(e.Append(b))
}

// Append writes the byte form.
func (e Entry) Append(b []byte) []byte { return append(append(b, byte(e.Op)), e.What[:]...) }

// Parse reads entries, at most as many as the bytes hold.
func Parse(b []byte) ([]Entry, error) {
	if len(b)%EntryLen != 0 {
		return nil, ErrForm
	}
	entries := make([]Entry, 0, len(b)/EntryLen)
	for ; len(b) > 0; b = b[EntryLen:] {
		e := Entry{Op: Op(b[0]), What: [32]byte(b[1:EntryLen])}
		if e.Op < Add || e.Op > Mark {
			return nil, ErrForm
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// A Part is what the holder of the list tells of it: the entries behind the first From, whose hash is Before, and how
// long it is.
type Part struct {
	From    uint64
	Before  [32]byte
	Entries []Entry
	Total   uint64
}

// A List is a copy of the register, or the register itself. The zero List is empty. It is not safe for concurrent use.
type List struct {
	entries []Entry
	hashes  [][32]byte // after each entry
	holds   map[[32]byte]bool
}

// Len is how many entries there are.
func (l *List) Len() uint64 {
	if l == nil {
		return 0
	}
	return uint64(len(l.entries))
}

// Hash is that after the first n entries, zero for none. n is at most Len.
func (l *List) Hash(n uint64) [32]byte {
	if n == 0 {
		return [32]byte{}
	}
	return l.hashes[n-1]
}

// Holds says whether something was added and not removed.
func (l *List) Holds(what [32]byte) bool { return l.holds[what] }

// Add continues the list.
func (l *List) Add(e Entry) {
	l.hashes = append(l.hashes, Next(l.Hash(l.Len()), l.Len()+1, e))
	l.entries = append(l.entries, e)
	if l.holds == nil {
		l.holds = map[[32]byte]bool{}
	}
	switch e.Op {
	case Add:
		l.holds[e.What] = true
	case Remove:
		delete(l.holds, e.What)
	}
}

// Steps are the entries after which the list holds what is wanted and nothing else.
func (l *List) Steps(want [][32]byte) (steps []Entry) {
	wanted := map[[32]byte]bool{}
	for _, w := range want {
		wanted[w] = true
		if !l.holds[w] {
			steps = append(steps, Entry{Add, w})
		}
	}
	for _, e := range l.entries {
		if e.Op == Add && l.holds[e.What] && !wanted[e.What] {
			wanted[e.What] = true // once
			steps = append(steps, Entry{Remove, e.What})
		}
	}
	return steps
}

// Part returns what comes behind the first from entries, at most n of it.
func (l *List) Part(from uint64, n int) Part {
	from = min(from, l.Len())
	if from == 0 && l.Len() == 0 {
		return Part{}
	}
	end := min(from+uint64(n), l.Len()) //nolint:gosec // n is not negative
	return Part{From: from, Before: l.Hash(from), Entries: l.entries[from:end], Total: l.Len()}
}

// Follow continues the copy by what the holder of the list says, and returns the entries that are new. What the copy
// has already must be the same there.
func (l *List) Follow(p Part) (fresh []Entry, err error) {
	switch {
	case p.From > l.Len():
		return nil, ErrGap
	case p.Before != l.Hash(p.From):
		return nil, ErrDiffers
	}
	known := min(uint64(len(p.Entries)), l.Len()-p.From)
	for i, e := range p.Entries[:known] {
		if l.entries[p.From+uint64(i)] != e { //nolint:gosec // not negative
			return nil, ErrDiffers
		}
	}
	for _, e := range p.Entries[known:] {
		l.Add(e)
	}
	if p.Total < l.Len() {
		return p.Entries[known:], ErrAhead
	}
	return p.Entries[known:], nil
}

// Bytes is the byte form of all entries.
func (l *List) Bytes() []byte {
	b := make([]byte, 0, len(l.entries)*EntryLen)
	for _, e := range l.entries {
		b = e.Append(b)
	}
	return b
}

// Read makes a list of the byte form.
func Read(b []byte) (*List, error) {
	entries, err := Parse(b)
	if err != nil {
		return nil, err
	}
	l := &List{}
	for _, e := range entries {
		l.Add(e)
	}
	return l, nil
}
