package ca

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"jiseki/internal/cert"
	"jiseki/internal/durable"
)

// A Role is what a key is used for. The keys of these roles can be replaced while the town hall works: in steps, with
// time between them for every desk and device to learn of the next key from the one that it knows.
type Role string

// The roles.
const (
	RoleGrant  Role = "grant"  // signs grants, and orders to agents
	RoleDevice Role = "device" // certifies devices
	RoleDesk   Role = "desk"   // certifies desks
)

// Why a step cannot be taken.
var (
	ErrRole     = errors.New("ca: no such role")
	ErrPrepared = errors.New("ca: a next key is prepared already")
	ErrNotReady = errors.New("ca: no next key is prepared")
	ErrKept     = errors.New("ca: there is no old key")
)

// Prepare makes the next key of a role and adds it to the trust bundle, whose new version desks and devices get when
// they connect. It is not used yet. No Authority may be open meanwhile, here or elsewhere: so for all steps. Each may
// be repeated after it failed half way.
func Prepare(dir string, role Role, now time.Time) (*cert.Bundle, error) {
	return step(dir, role, now, func(files roleFiles, list []cert.PublicKey) ([]cert.PublicKey, error) {
		next, err := cert.LoadOrCreateKey(files.next)
		if err != nil {
			return nil, fmt.Errorf("ca: %w", err)
		}
		if slices.Contains(list, next.Public()) {
			return nil, ErrPrepared
		}
		return append(list, next.Public()), nil
	})
}

// Use makes the next key of a role the one in use. What the old one signed stays good. Whoever has not connected since
// Prepare is locked out, for it does not know the key.
func Use(dir string, role Role, now time.Time) (*cert.Bundle, error) {
	return step(dir, role, now, func(files roleFiles, list []cert.PublicKey) ([]cert.PublicKey, error) {
		next, err := cert.LoadKey(files.next)
		switch {
		case err == nil && !slices.Contains(list, next.Public()):
			return nil, ErrNotReady // Prepare failed half way
		case err == nil:
			err = durable.Rename(files.key, files.old) // both names are there at no time without a key that Use finds again
			if err == nil || errors.Is(err, os.ErrNotExist) {
				err = durable.Rename(files.next, files.key)
			}
		case errors.Is(err, os.ErrNotExist):
			err = nil // Use failed half way, or there is nothing to do
		}
		if err != nil {
			return nil, fmt.Errorf("ca: %w", err)
		}
		current, err := cert.LoadKey(files.key)
		if err != nil {
			return nil, fmt.Errorf("ca: %w", err)
		}
		at := slices.Index(list, current.Public())
		if at < 1 {
			return nil, ErrNotReady
		}
		return append([]cert.PublicKey{current.Public()}, slices.Delete(list, at, at+1)...), nil
	})
}

// Retire drops the old keys of a role from the trust bundle and destroys what is left of them here. What they signed is
// refused from then on: certificates of devices and desks last 90 days and are renewed after 60.
func Retire(dir string, role Role, now time.Time) (*cert.Bundle, error) {
	return step(dir, role, now, func(files roleFiles, list []cert.PublicKey) ([]cert.PublicKey, error) {
		kept := list[:1:1]
		next, err := cert.LoadKey(files.next)
		if err == nil && slices.Contains(list, next.Public()) {
			kept = append(kept, next.Public())
		}
		if err := durable.Remove(files.old); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("ca: %w", err)
		}
		if len(kept) == len(list) {
			return nil, ErrKept
		}
		return kept, nil
	})
}

// roleFiles are the files of a role's keys.
type roleFiles struct{ key, next, old string }

func readBundle(dir string) (*cert.Bundle, error) {
	b, err := os.ReadFile(filepath.Join(dir, bundleFile))
	if err != nil {
		return nil, fmt.Errorf("ca: %w", err)
	}
	bundle, err := cert.ParseBundle(b)
	if err != nil {
		return nil, fmt.Errorf("ca: %w", err)
	}
	return bundle, nil
}

// nextVersion grows with time too: after a restore it is above the versions that desks have from what was lost.
func nextVersion(version uint32, now time.Time) uint32 {
	return max(version+1, uint32(min(max(now.Unix(), 0), math.MaxUint32-1<<20))) //nolint:gosec // bounded here
}

// step changes the list of a role's keys in the trust bundle.
func step(dir string, role Role, now time.Time, change func(roleFiles, []cert.PublicKey) ([]cert.PublicKey, error)) (*cert.Bundle, error) {
	if err := checkFolder(dir); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, bundleFile)
	bundle, err := readBundle(dir)
	if err != nil {
		return nil, err
	}
	var name string
	var list *[]cert.PublicKey
	switch role {
	case RoleGrant:
		name, list = grantKeyFile, &bundle.Grants
	case RoleDevice:
		name, list = deviceKeyFile, &bundle.DeviceCAs
	case RoleDesk:
		name, list = deskKeyFile, &bundle.DeskCAs
	default:
		return nil, fmt.Errorf("%w: %q", ErrRole, role)
	}
	key := filepath.Join(dir, name)
	if *list, err = change(roleFiles{key: key, next: key + ".next", old: key + ".old"}, *list); err != nil {
		return nil, err
	}
	bundle.Version = nextVersion(bundle.Version, now)
	if err := bundle.Check(); err != nil {
		return nil, fmt.Errorf("ca: %w", err)
	}
	if err := durable.Replace(path, bundle.Append(nil), public); err != nil {
		return nil, fmt.Errorf("ca: %w", err)
	}
	return bundle, nil
}
