package ca_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"jiseki/internal/ca"
	"jiseki/internal/cert"
)

// A desk that follows step by step trusts the gateway after each; one that missed the next key does not.
func TestRotate(t *testing.T) {
	for _, role := range []ca.Role{ca.RoleGrant, ca.RoleDevice, ca.RoleDesk} {
		t.Run(string(role), func(t *testing.T) {
			a, cfg, _ := create(t, false)
			first := a.Bundle()
			in := func(b *cert.Bundle) []cert.PublicKey {
				return map[ca.Role][]cert.PublicKey{ca.RoleGrant: b.Grants, ca.RoleDevice: b.DeviceCAs, ca.RoleDesk: b.DeskCAs}[role]
			}
			use := func(step func(string, ca.Role, time.Time) (*cert.Bundle, error)) *ca.Authority {
				t.Helper()
				made, err := step(cfg.Dir, role, time.Now())
				if err != nil {
					t.Fatal(err)
				}
				next, err := ca.Open(cfg)
				if err != nil {
					t.Fatal(err)
				}
				if next.Bundle().Version <= a.Bundle().Version || made.Version != next.Bundle().Version {
					t.Fatalf("version %d after %d", next.Bundle().Version, a.Bundle().Version)
				}
				a = next
				return a
			}
			refuse := func(step func(string, ca.Role, time.Time) (*cert.Bundle, error), want error) {
				t.Helper()
				if _, err := step(cfg.Dir, role, time.Now()); !errors.Is(err, want) {
					t.Fatalf("got %v, want %v", err, want)
				}
			}
			former, err := a.IssueDesk("k1", cert.ZoneLGWAN, cert.GradeFile, in(first)[0])
			if err != nil {
				t.Fatal(err)
			}
			if c := a.Present(cert.KindDesk, former.Append(nil)); c == nil || *c != *former {
				t.Errorf("a certificate that is not due is issued anew: %v", c)
			}
			if a.Present(cert.KindDevice, former.Append(nil)) != nil || a.Present(cert.KindDesk, nil) != nil {
				t.Error("what is no certificate of the kind is kept")
			}
			refuse(ca.Use, ca.ErrNotReady)
			refuse(ca.Retire, ca.ErrKept)
			prepared := use(ca.Prepare).Bundle()
			if got := in(prepared); len(got) != 2 || got[0] != in(first)[0] {
				t.Fatalf("prepared: %v", got)
			}
			refuse(ca.Prepare, ca.ErrPrepared)
			refuse(ca.Retire, ca.ErrKept)
			used := use(ca.Use).Bundle()
			if got := in(used); len(got) != 2 || got[0] != in(prepared)[1] || got[1] != in(first)[0] {
				t.Fatalf("used: %v", got)
			}
			refuse(ca.Use, ca.ErrNotReady)
			if role == ca.RoleGrant && a.GrantKey().Public() != in(prepared)[1] {
				t.Error("grants are signed by another key")
			}
			if role == ca.RoleDesk {
				if a.Present(cert.KindDesk, former.Append(nil)) != nil {
					t.Error("a certificate of the former key is not issued anew")
				}
				c, err := a.IssueDesk("k1", cert.ZoneLGWAN, cert.GradeFile, in(first)[0])
				if err != nil {
					t.Fatal(err)
				}
				if err := c.Verify(cert.KindDesk, in(prepared), cfg.Now(), 0); err != nil {
					t.Errorf("who knows the next key refuses: %v", err)
				}
				if err := c.Verify(cert.KindDesk, in(first), cfg.Now(), 0); err == nil {
					t.Error("who missed the next key takes what it signed")
				}
			}
			retired := use(ca.Retire).Bundle()
			if got := in(retired); len(got) != 1 || got[0] != in(used)[0] {
				t.Fatalf("retired: %v", got)
			}
			left, err := filepath.Glob(filepath.Join(cfg.Dir, "*.old"))
			if err != nil || len(left) > 0 {
				t.Errorf("left: %v, %v", left, err)
			}
			use(ca.Prepare) // and again
		})
	}
	_, cfg, _ := create(t, false)
	for _, step := range []func(string, ca.Role, time.Time) (*cert.Bundle, error){ca.Prepare, ca.Use, ca.Retire} {
		if _, err := step(cfg.Dir, "audit", time.Now()); !errors.Is(err, ca.ErrRole) {
			t.Errorf("another role: %v", err)
		}
	}
}

// Whatever a crash leaves of a step, doing the step again finishes it, and in between nothing is signed by a key that
// nobody knows.
func TestRotateAfterCrash(t *testing.T) {
	_, cfg, _ := create(t, false)
	key := filepath.Join(cfg.Dir, "grant.key")
	rename := func(from, to string) {
		t.Helper()
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	next, err := cert.GenerateKey()
	if err == nil {
		err = cert.SaveKey(key+".next", next) // Prepare ended before it wrote the bundle
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ca.Use(cfg.Dir, ca.RoleGrant, time.Now()); !errors.Is(err, ca.ErrNotReady) {
		t.Errorf("a key that no desk knows is used: %v", err)
	}
	if b, err := ca.Prepare(cfg.Dir, ca.RoleGrant, time.Now()); err != nil || b.Grants[1] != next.Public() {
		t.Fatalf("prepare again: %v", err)
	}
	for name, crash := range map[string]func(){
		"after the first name":  func() { rename(key, key+".old") },
		"after the second name": func() { rename(key, key+".old"); rename(key+".next", key) },
	} {
		t.Run(name, func(t *testing.T) {
			crash()
			if _, err := ca.Open(cfg); err == nil {
				t.Error("a gateway starts in the middle of a step")
			}
			b, err := ca.Use(cfg.Dir, ca.RoleGrant, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			if a, err := ca.Open(cfg); err != nil || a.GrantKey().Public() != b.Grants[0] {
				t.Errorf("after the step was repeated: %v", err)
			}
			if _, err := ca.Prepare(cfg.Dir, ca.RoleGrant, time.Now()); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestBundleAfterARestore: the next bundle of keys that were restored from a copy is newer than the one that desks had from
// the gateway that was lost, or they would not take it.
func TestBundleAfterARestore(t *testing.T) {
	_, cfg, _ := create(t, false)
	backup := filepath.Join(t.TempDir(), "keys")
	if err := os.CopyFS(backup, os.DirFS(cfg.Dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(backup, 0o700); err != nil { //nolint:gosec // a folder
		t.Fatal(err)
	}
	lost := time.Now()
	for _, step := range []func(string, ca.Role, time.Time) (*cert.Bundle, error){ca.Prepare, ca.Use, ca.Retire} {
		if _, err := step(cfg.Dir, ca.RoleGrant, lost); err != nil {
			t.Fatal(err)
		}
	}
	atDesks, err := ca.Prepare(cfg.Dir, ca.RoleDesk, lost)
	if err != nil {
		t.Fatal(err)
	}
	restored, err := ca.Prepare(backup, ca.RoleGrant, lost.Add(time.Hour))
	if err != nil || restored.Version <= atDesks.Version {
		t.Errorf("version %d after %d, %v", restored.Version, atDesks.Version, err)
	}
}
