package store_test

import (
	"strings"
	"testing"
	"time"

	"jiseki/internal/store"
	"jiseki/internal/store/storetest"
)

// TestReserveIsForWhatTakesRightsAway: on a full disk neither a desk in hostile hands that reports what cannot be, nor
// a user who reports the same lost device again and again, nor a right that is given, is written out of the room that
// is left.
func TestReserveIsForWhatTakesRightsAway(t *testing.T) {
	dsn := storetest.SQLite(t)
	storetest.Town(t, storetest.Open(t, dsn, time.Now))
	short, err := store.Open(t.Context(), store.Config{DSN: dsn, Now: time.Now, Short: func() bool { return true }})
	if err != nil {
		t.Fatal(err)
	}
	defer short.Close()
	written := func(act func()) uint64 {
		t.Helper()
		before, err := short.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		act()
		after, err := short.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return after.Number - before.Number
	}
	suzuki := store.By{Actor: "user:suzuki"}
	for name, c := range map[string]struct {
		act  func()
		most uint64
	}{
		"reports of a foreign session": {func() {
			for i := range 10 {
				_ = short.AddAgentEvent(t.Context(), store.AgentEvent{
					Desk: "k1", Run: [16]byte{1}, Seq: uint64(i + 1), Session: [16]byte{9}, Kind: store.AgentOpened, //nolint:gosec // below 10
				})
			}
		}, 0},
		"a device lost again": {func() {
			for range 10 {
				_, _ = short.ReportLost(t.Context(), suzuki, "d2", strings.Repeat("紛失", 500))
			}
		}, 2}, // the revocation and the register's entry
		"a user enabled": {func() { _, _ = short.SetUserDisabled(t.Context(), storetest.Admin, "tanaka", false) }, 0},
	} {
		if n := written(c.act); n > c.most {
			t.Errorf("%s: %d events", name, n)
		}
	}
	if n := written(func() { _, _ = short.SetUserDisabled(t.Context(), storetest.Admin, "tanaka", true) }); n == 0 {
		t.Error("nobody can be disabled")
	}
}
