package register_test

import (
	"bytes"
	"errors"
	"testing"

	"jiseki/internal/cert"
	"jiseki/internal/register"
)

func what(n byte) [32]byte { return [32]byte{n} }

// of is a list of additions.
func of(numbers ...byte) *register.List {
	l := &register.List{}
	for _, n := range numbers {
		l.Add(register.Entry{Op: register.Add, What: what(n)})
	}
	return l
}

func TestFollow(t *testing.T) {
	for name, c := range map[string]struct {
		copy, list *register.List
		from       uint64
		want       error
		length     uint64
	}{
		"from nothing":             {of(), of(1, 2, 3), 0, nil, 3},
		"the rest":                 {of(1, 2), of(1, 2, 3), 2, nil, 3},
		"nothing new":              {of(1, 2), of(1, 2), 2, nil, 2},
		"some of it twice":         {of(1, 2), of(1, 2, 3), 1, nil, 3},
		"a gap":                    {of(1), of(1, 2, 3), 2, register.ErrGap, 1},
		"another end":              {of(1, 2), of(1, 9, 3), 2, register.ErrDiffers, 2},
		"another entry":            {of(1, 2), of(1, 9, 3), 1, register.ErrDiffers, 2},
		"another list":             {of(1, 2), of(9), 2, register.ErrDiffers, 2},
		"shorter":                  {of(1, 2), of(1), 2, register.ErrAhead, 2},
		"shorter and another":      {of(1, 2), of(9), 0, register.ErrDiffers, 2},
		"none where there was one": {of(1, 2), of(), 2, register.ErrAhead, 2},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.copy.Follow(c.list.Part(c.from, register.MaxEntries))
			if !errors.Is(err, c.want) || c.copy.Len() != c.length {
				t.Errorf("%v, %d entries; want %v, %d", err, c.copy.Len(), c.want, c.length)
			}
			again, err := register.Read(c.copy.Bytes())
			if err != nil || again.Hash(again.Len()) != c.copy.Hash(c.copy.Len()) {
				t.Errorf("kept and read again it is another list: %v", err)
			}
		})
	}
}

func TestHolds(t *testing.T) {
	l := of(1, 2)
	l.Add(register.Entry{Op: register.Remove, What: what(1)})
	l.Add(register.Entry{Op: register.Mark, What: what(7)})
	if l.Holds(what(1)) || !l.Holds(what(2)) || l.Holds(what(7)) {
		t.Error("what was removed or only marks holds, or what was added does not")
	}
	for _, s := range l.Steps([][32]byte{what(3), what(1)}) {
		l.Add(s)
	}
	if !l.Holds(what(1)) || l.Holds(what(2)) || !l.Holds(what(3)) || len(l.Steps([][32]byte{what(1), what(3)})) > 0 {
		t.Error("the steps do not lead to what is wanted")
	}
}

func TestWhatIsAnnouncedIsOneThing(t *testing.T) {
	var key, other cert.PublicKey
	other[1] = 1
	seen := map[[32]byte]bool{}
	for _, w := range [][32]byte{
		register.Device("a", "user:b", key), register.Device("a", "user:c", key), register.Device("c", "user:b", key),
		register.Device("a", "user:b", other), register.Device("auser:b", "", key),
		register.Assignment("a", "b"), register.Assignment("ab", ""), register.Assignment("", "ab"),
	} {
		if seen[w] {
			t.Errorf("two things are announced as %x", w)
		}
		seen[w] = true
	}
}

func FuzzParse(f *testing.F) {
	f.Add(of(1, 2).Bytes())
	f.Add([]byte{})
	f.Add(make([]byte, register.EntryLen))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := register.Read(b)
		if err != nil {
			return
		}
		if !bytes.Equal(l.Bytes(), b) {
			t.Error("another form than what was read")
		}
	})
}

// TestEveryPrefixFails but those that end with an entry.
func TestEveryPrefixFails(t *testing.T) {
	b := of(1, 2).Bytes()
	for n := range b {
		if _, err := register.Parse(b[:n]); (err == nil) != (n%register.EntryLen == 0) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}
