package auth

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
)

// hold takes a place and keeps it until the test says so.
func hold(t *testing.T, turns *turns, turn Turn) {
	t.Helper()
	if err := turns.enter(t.Context(), turn); err != nil {
		t.Fatal(err)
	}
}

func stranger(n int) Turn { return Turn{From: fmt.Sprint("stranger ", n)} }

// TestStrangersKeepNobodyWaiting: whatever waits of them, a place is free for who is known.
func TestStrangersKeepNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns, ctx := newTurns(), t.Context()
		var wg sync.WaitGroup
		hold(t, turns, stranger(0))
		for i := range 48 * 64 {
			wg.Go(func() {
				if err := turns.enter(ctx, stranger(i%64)); err == nil {
					turns.leave(stranger(i % 64))
				} else if !errors.Is(err, ErrBusy) {
					t.Errorf("stranger: %v", err)
				}
			})
		}
		synctest.Wait()
		device := Turn{Reserved: true, From: "device:pc1"}
		hold(t, turns, device)
		honest := make(chan error, 1)
		go func() { honest <- turns.enter(ctx, Turn{From: "honest"}) }() // a stranger too, but one alone
		synctest.Wait()
		turns.leave(stranger(0))
		if err := <-honest; err != nil {
			t.Errorf("an honest stranger: %v", err)
		}
		turns.leave(Turn{From: "honest"})
		turns.leave(device)
		wg.Wait()
		if turns.strangers.running+turns.strangers.waiting+turns.reserved.running+turns.reserved.waiting != 0 || len(turns.strangers.order) != 0 {
			t.Errorf("left: %+v", turns)
		}
	})
}

// TestStrangersRunOneAtATime: however many they are and however long each takes, the other place is free at once for
// who is known.
func TestStrangersRunOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns()
		hold(t, turns, stranger(0))
		next := make(chan error, 1)
		go func() { next <- turns.enter(t.Context(), stranger(1)) }()
		synctest.Wait()
		hold(t, turns, Turn{Reserved: true, From: "device:pc1"})
		select {
		case err := <-next:
			t.Fatalf("two strangers run at once: %v", err)
		default:
		}
		turns.leave(stranger(0))
		if err := <-next; err != nil {
			t.Error(err)
		}
	})
}

// TestTheKnownStarveNoStranger: one place in two is theirs when they wait.
func TestTheKnownStarveNoStranger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns, ctx := newTurns(), t.Context()
		office := Turn{Reserved: true, From: "office"}
		hold(t, turns, office)
		hold(t, turns, office)
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if err := turns.enter(ctx, office); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		first := make(chan error, 1)
		go func() { first <- turns.enter(ctx, stranger(1)) }()
		synctest.Wait()
		turns.leave(office)
		if err := <-first; err != nil {
			t.Error(err)
		}
		for range 51 {
			turns.leave(office)
			synctest.Wait()
		}
		wg.Wait()
	})
}

// TestHashersAreBounded: one more than may wait is told so at once, and who goes away leaves no place taken.
func TestHashersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns()
		hold(t, turns, stranger(0))
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for i := range hashesWait {
			wg.Go(func() {
				if err := turns.enter(ctx, stranger(i)); !errors.Is(err, context.Canceled) {
					t.Errorf("waited: %v", err)
				}
			})
		}
		synctest.Wait()
		if err := turns.enter(ctx, Turn{From: "one more"}); !errors.Is(err, ErrBusy) {
			t.Errorf("one more: %v", err)
		}
		cancel()
		wg.Wait()
		for range strangersPerFrom {
			go func() { _ = turns.enter(t.Context(), stranger(1)) }()
		}
		synctest.Wait()
		if err := turns.enter(t.Context(), stranger(1)); !errors.Is(err, ErrBusy) {
			t.Errorf("more than the share of a network: %v", err)
		}
		turns.leave(stranger(0))
		for range strangersPerFrom {
			synctest.Wait()
			turns.leave(stranger(1))
		}
		hold(t, turns, stranger(2))
	})
}

func TestTurnOf(t *testing.T) {
	for address, want := range map[string]string{"192.0.2.7": "192.0.2.7/32", "2001:db8:1:2345::6": "2001:db8:1:2300::/56"} {
		if got := TurnOf(netip.MustParseAddr(address), false).From; got != want {
			t.Errorf("%s: %s", address, got)
		}
	}
}
