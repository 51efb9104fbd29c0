package api

import (
	"errors"
	"testing"

	"jiseki/internal/access"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
)

// TestTooManyUsersSayWhichLimit: the code names it; nothing of the store is needed to refuse them.
func TestTooManyUsersSayWhichLimit(t *testing.T) {
	s := &adminService{&Server{}}
	for door, n := range map[Door]int{Public: maxNewUsers + 1, Office: maxNewUsers + 1, Socket: maxNewUsersCommand + 1} {
		_, err := s.CreateUsers(withRequest(t.Context(), &request{door: door}), &controlv1.CreateUsersRequest{Users: make([]*controlv1.NewUser, n)})
		var f *failure
		if !errors.As(err, &f) || f.code != access.TooManyUsers {
			t.Errorf("door %d: %v", door, err)
		}
	}
}
