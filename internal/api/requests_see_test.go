package api

import (
	"errors"
	"testing"

	"jiseki/internal/auth"
	"jiseki/internal/store"
	"jiseki/internal/store/storetest"
	"jiseki/internal/telework"
)

// TestRequestThatNobodyMayShow: who may not see a request any more after what was done to it, because a post changed
// meanwhile, is told that it is not there.
func TestRequestThatNobodyMayShow(t *testing.T) {
	clock := storetest.NewClock()
	town := storetest.Open(t, storetest.SQLite(t), clock.Now)
	storetest.Town(t, town)
	s := &Server{cfg: Config{Now: clock.Now, Store: town}}
	for user, want := range map[string]error{"suzuki": nil, "tanaka": store.ErrNotFound} {
		ctx := withCaller(t.Context(), &caller{identity: &auth.Identity{User: store.User{ID: user}}})
		got, err := s.oneRequest(ctx, telework.Request{ID: "r1", User: "suzuki"})
		if !errors.Is(err, want) || (err == nil) != (got != nil) {
			t.Errorf("%s: %v, %v; want %v", user, got, err, want)
		}
	}
}
