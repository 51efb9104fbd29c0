package api

import (
	"strconv"
	"testing"
)

// TestOldestUnreadBodiesGiveWay: neither one nor many who let bodies hang take the room of somebody who sends one.
func TestOldestUnreadBodiesGiveWay(t *testing.T) {
	b := newBodies()
	cut := make(map[string]int)
	begin := func(holder string, bytes int) (*body, bool) {
		return b.begin(holder, bytes, func() { cut[holder]++ })
	}
	first, ok := begin("flood", openBody)
	if !ok || !b.read(first, 100) {
		t.Fatal("the first finds no room")
	}
	for range 2 * unreadShare {
		if _, ok := begin("flood", openBody); !ok {
			t.Fatal("a new one does not take an old one's place")
		}
	}
	if cut["flood"] != unreadShare {
		t.Errorf("%d gave way, want %d", cut["flood"], unreadShare)
	}
	for i := range bodiesTotal / openBody {
		if _, ok := begin(strconv.Itoa(i), openBody); !ok {
			t.Fatalf("holder %d finds no room", i)
		}
	}
	if cut["flood"] != 2*unreadShare || cut["0"] != 1 {
		t.Errorf("cut %d of the flood, %d of the oldest", cut["flood"], cut["0"])
	}
	if b.total > bodiesTotal {
		t.Errorf("%d bytes, %d allowed", b.total, bodiesTotal)
	}
	b.end(first)
}

// TestReadBodiesStay: what was read keeps its room until it ends, and others are refused instead; then nothing is left.
func TestReadBodiesStay(t *testing.T) {
	b := newBodies()
	var held []*body
	for i := range bodiesTotal / listBody {
		one, ok := b.begin(strconv.Itoa(i/2), listBody, func() { t.Error("a body that was read gave way") })
		if !ok || !b.read(one, listBody) {
			t.Fatalf("body %d finds no room", i)
		}
		held = append(held, one)
	}
	if _, ok := b.begin("0", 1, nil); ok {
		t.Error("more than a share")
	}
	if _, ok := b.begin("other", 1, nil); ok {
		t.Error("more than all")
	}
	b.end(held[0])
	late, ok := b.begin("other", openBody, func() {})
	if !ok {
		t.Fatal("the room of one that ended is not there")
	}
	for i := range bodiesTotal / openBody {
		if _, ok := b.begin("more"+strconv.Itoa(i), openBody, func() {}); !ok {
			break
		}
	}
	if b.read(late, 10) {
		t.Error("a body that gave way was read all the same")
	}
	b.end(late)
	for _, one := range held[1:] {
		b.end(one)
	}
	for e := b.unread.Front(); e != nil; e = b.unread.Front() {
		b.end(e.Value.(*body))
	}
	if b.total != 0 {
		t.Errorf("%d bytes are left", b.total)
	}
}
