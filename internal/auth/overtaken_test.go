package auth_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/auth"
	"jiseki/internal/store"
	"jiseki/internal/store/storetest"
)

// A slowStore lets something happen once when user and device have been read and the password is not proven yet.
type slowStore struct {
	*store.Store
	meanwhile *sync.Once
	happens   func()
}

func (s slowStore) BeginAttempt(ctx context.Context, keys ...store.Throttle) (time.Duration, error) {
	s.meanwhile.Do(s.happens)
	return s.Store.BeginAttempt(ctx, keys...)
}

// while is a service for which something happens while its first request is on the way.
func (h *hall) while(happens func()) *auth.Service {
	cfg := h.svc.Config
	cfg.Store = slowStore{h.store, &sync.Once{}, happens}
	return auth.New(cfg)
}

// TestSignInIsOvertaken: a sign-in that has proven the old password while it was changed or reset, the user disabled,
// one-time passwords set up or the device revoked is not kept behind that.
func TestSignInIsOvertaken(t *testing.T) {
	for name, change := range map[string]func(h *hall) error{
		"changed": func(h *hall) error {
			_, id, err := h.signIn(auth.Attempt{User: "tanaka", Password: password})
			h.ok(err)
			return h.svc.ChangePassword(h.Context(), id, password, "kuroi-neko-7-hiki")
		},
		"reset": func(h *hall) error {
			_, err := h.store.ResetPassword(h.Context(), storetest.Admin, "tanaka", "other")
			return err
		},
		"disabled and enabled later": func(h *hall) error {
			_, err := h.store.SetUserDisabled(h.Context(), storetest.Admin, "tanaka", true)
			return err
		},
		"one-time passwords": func(h *hall) error {
			return h.store.SetTOTP(h.Context(), storetest.Admin, "tanaka", store.TOTP{Sealed: []byte("sealed")})
		},
		"revoked": func(h *hall) error {
			_, err := h.store.RevokeDevice(h.Context(), storetest.Admin, "pc1", "lost")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHall(t)
			svc := h.while(func() { h.ok(change(h)) })
			token, _, err := svc.SignIn(t.Context(), auth.Attempt{User: "tanaka", Password: password, Device: h.proof("tanaka", h.key), Address: office})
			if err == nil {
				_, err := h.store.SetUserDisabled(t.Context(), storetest.Admin, "tanaka", false)
				h.ok(err)
				_, err = h.svc.Resume(t.Context(), token, office)
				t.Fatalf("a sign-in with what was proven before; asked again: %v", err)
			}
			h.refused(err, access.WrongCredentials)
		})
	}
}

// TestEndedSignInChangesNothing: whoever has found out a password and is just changing it, or the one-time passwords,
// does not undo the reset that ended the sign-in.
func TestEndedSignInChangesNothing(t *testing.T) {
	for name, act := range map[string]func(*auth.Service, *hall, *auth.Identity) error{
		"password": func(s *auth.Service, h *hall, id *auth.Identity) error {
			return s.ChangePassword(h.Context(), id, password, "kuroi-neko-7-hiki")
		},
		"one-time passwords": func(s *auth.Service, h *hall, id *auth.Identity) error {
			return s.DisableTOTP(h.Context(), id, password)
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHall(t)
			_, thief, err := h.signIn(auth.Attempt{User: "tanaka", Password: password, Address: office})
			h.ok(err)
			svc := h.while(func() {
				_, err := h.store.ResetPassword(t.Context(), storetest.Admin, "tanaka", "reset")
				h.ok(err)
				h.ok(h.store.SetTOTP(t.Context(), storetest.Admin, "tanaka", store.TOTP{Sealed: []byte("sealed")}))
			})
			h.refused(act(svc, h, thief), access.NotSignedIn)
			u, err := h.store.User(t.Context(), "tanaka")
			h.ok(err)
			if u.PasswordHash != "reset" || !u.MustChange || string(u.TOTPSealed) != "sealed" {
				t.Errorf("the reset was undone: %+v", u)
			}
		})
	}
}
