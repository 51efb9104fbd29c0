package store_test

import (
	"fmt"
	"testing"
	"time"

	"jiseki/internal/store"
	"jiseki/internal/store/storetest"
)

// BenchmarkHeads reads the organisation of a town hall of 1,000 people in 80 sections and finds out what one of them is
// to the others.
func BenchmarkHeads(b *testing.B) {
	s := storetest.Open(b, storetest.SQLite(b), time.Now)
	storetest.Town(b, s)
	for i := range 80 {
		must(b, s.PutSection(b.Context(), storetest.Admin, store.Section{ID: fmt.Sprintf("s%d", i), Name: "課"}))
	}
	for i := range 5 {
		var users []store.NewUser
		for j := range 200 {
			n := i*200 + j
			users = append(users, store.NewUser{ID: fmt.Sprintf("u%d", n), Name: "職員", MainSection: fmt.Sprintf("s%d", n%80), PasswordHash: "hash"})
		}
		must(b, s.CreateUsers(b.Context(), storetest.Admin, users))
	}
	for b.Loop() {
		a, err := s.Heads(b.Context(), "tanaka")
		must(b, err)
		if !a.Approver() {
			b.Fatal("tanaka heads nothing")
		}
	}
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}
