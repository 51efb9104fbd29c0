package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"jiseki/internal/audit"
	"jiseki/internal/ca"
	"jiseki/internal/cert"
	"jiseki/internal/store"
)

// A KeyStep is one step in replacing a key of the gateway.
type KeyStep string

// The steps, in their order.
const (
	KeyPrepare KeyStep = "prepare" // make the next key, and let desks and devices learn of it
	KeyUse     KeyStep = "use"     // use it
	KeyRetire  KeyStep = "retire"  // trust the old one no more
)

// ChangeKeys takes a step in replacing the key of a role and returns the trust bundle after it. No gateway may run
// meanwhile (code data_locked). The step is an event, also one that fails; if the event cannot be written, nothing is
// done.
func ChangeKeys(ctx context.Context, cfg Config, env Environment, step KeyStep, role ca.Role) (*cert.Bundle, error) {
	take, known := map[KeyStep]func(string, ca.Role, time.Time) (*cert.Bundle, error){
		KeyPrepare: ca.Prepare, KeyUse: ca.Use, KeyRetire: ca.Retire,
	}[step]
	if !known {
		return nil, fmt.Errorf("%q is no step in replacing a key", step)
	}
	env.fill()
	details := audit.Details{"step": string(step), "use": string(role)}
	return changeKeys(ctx, cfg, env, details, func(*store.Store) (*cert.Bundle, error) {
		return take(cfg.keys(), role, env.Now())
	})
}

// RenewTLS makes the certificate of the TLS CA anew, with its key, for the names that the gateway has now: see
// [ca.RenewTLS]. What holds of ChangeKeys holds of it. It returns the names too.
func RenewTLS(ctx context.Context, cfg Config, env Environment) (names []string, err error) {
	env.fill()
	_, err = changeKeys(ctx, cfg, env, audit.Details{"step": "renew", "use": "tls"}, func(s *store.Store) (*cert.Bundle, error) {
		org, err := s.Organisation(ctx)
		if err != nil {
			return nil, err
		}
		if names = tlsNames(org.Settings.Address, cfg); len(names) == 0 {
			return nil, errors.New("the TLS CA needs a name: set the portal's address, or tls.names")
		}
		return ca.RenewTLS(cfg.keys(), org.Name, names, env.Now())
	})
	return names, err
}

// changeKeys does something to the keys of a gateway that does not run, and records it.
func changeKeys(
	ctx context.Context, cfg Config, env Environment, details audit.Details, take func(*store.Store) (*cert.Bundle, error),
) (bundle *cert.Bundle, err error) {
	env.fill()
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	unlock, err := takeLock(cfg.lock())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	dsn, err := cfg.DSN()
	if err != nil {
		return nil, err
	}
	s, err := openStore(ctx, store.Config{DSN: dsn, Now: env.Now})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	by, entry := store.By{Actor: "cli:keys"}, audit.Entry{Kind: audit.KeysChanged, Details: details}
	if err := s.Record(ctx, by, entry); err != nil {
		return nil, err
	}
	bundle, err = take(s)
	if err != nil {
		entry.Outcome = audit.Failed
		return nil, errors.Join(err, s.Record(ctx, by, entry))
	}
	return bundle, nil
}
