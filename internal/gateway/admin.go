package gateway

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/api"
	"jiseki/internal/audit"
	"jiseki/internal/ca"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/gen/jiseki/control/v1/controlv1connect"
	"jiseki/internal/store"
)

// OpenAdmin reaches the administration of the gateway that uses this data, or,
// when none runs, does the work in this process under the lock of the data. The
// caller calls done. Errors that an administrator can act on are *Error.
func OpenAdmin(ctx context.Context, cfg Config) (client controlv1connect.AdminServiceClient, done func() error, err error) {
	c, done, err := openClient(ctx, cfg)
	if err != nil {
		return nil, nil, err
	}
	return controlv1connect.NewAdminServiceClient(c, clientBase), done, nil
}

// OpenPolicy is [OpenAdmin] for policy.
func OpenPolicy(ctx context.Context, cfg Config) (client controlv1connect.PolicyServiceClient, done func() error, err error) {
	c, done, err := openClient(ctx, cfg)
	if err != nil {
		return nil, nil, err
	}
	return controlv1connect.NewPolicyServiceClient(c, clientBase), done, nil
}

// clientBase is the address behind a socket, whose name nobody looks at.
const clientBase = "http://gateway"

func openClient(ctx context.Context, cfg Config) (client *http.Client, done func() error, err error) {
	// A gateway that is starting holds the lock before it answers, and another command holds it for a moment.
	err = patient(ctx, commandPatience, func() error {
		client, done, err = tryClient(ctx, cfg)
		return err
	})
	return client, done, err
}

const (
	// commandPatience is how long a command waits for whoever holds the lock.
	commandPatience = 15 * time.Second
	// servePatience is the same for a gateway that starts: it waits for commands, which on a slow disk take their time,
	// and not for a gateway that answers.
	servePatience = 30 * time.Second
	lockPause     = 100 * time.Millisecond
)

// patient repeats what failed only because somebody else holds the lock of the data.
func patient(ctx context.Context, patience time.Duration, do func() error) error {
	for deadline := time.Now().Add(patience); ; {
		err := do()
		var known *Error
		if !errors.As(err, &known) || known.Code != codeLocked || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lockPause):
		}
	}
}

// dialAdmin reaches the administration of a running gateway.
func (c *Config) dialAdmin(ctx context.Context) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, "unix", c.AdminSocket())
}

func tryClient(ctx context.Context, cfg Config) (*http.Client, func() error, error) {
	dial := cfg.dialAdmin
	conn, err := dial(ctx)
	if err == nil {
		conn.Close()
		return dialClient(dial), func() error { return nil }, nil
	}
	if errors.Is(err, fs.ErrPermission) {
		return nil, nil, errNotAllowed(err)
	}
	return openInside(ctx, cfg, Environment{})
}

// openInside serves the administration to this process alone.
func openInside(ctx context.Context, cfg Config, env Environment) (*http.Client, func() error, error) {
	env.fill()
	if _, err := os.Stat(cfg.keys()); errors.Is(err, fs.ErrNotExist) {
		return nil, nil, errNotInitialised()
	}
	c, err := open(ctx, cfg, env)
	if err != nil {
		return nil, nil, err
	}
	// What the command does is copied out as in a running gateway; one that only reads leaves no copy.
	if c.heads.Last, err = c.store.Head(ctx); err != nil {
		return nil, nil, errors.Join(err, c.finish())
	}
	inside := newInside()
	server := &http.Server{Handler: c.api.Handler(api.Socket), ReadHeaderTimeout: headerTimeout}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(inside) // ends by done, with nothing to say
	}()
	return dialClient(inside.dial), func() error {
		err := server.Close()
		<-served
		return errors.Join(err, c.finish())
	}, nil
}

// finish closes a core that was never run.
func (c *core) finish() error {
	stopped, cancel := context.WithCancel(context.Background())
	cancel()
	err := c.hub.Run(stopped)
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if perr := c.heads.Publish(ctx); perr != nil {
		err = errors.Join(err, fmt.Errorf("what was done stays done, but: %w", perr))
	}
	return errors.Join(err, c.close())
}

func dialClient(dial func(context.Context) (net.Conn, error)) *http.Client {
	return &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
	}}
}

// inside is a listener without a network.
type inside struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newInside() *inside {
	return &inside{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (i *inside) dial(ctx context.Context) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case i.conns <- there:
		return here, nil
	case <-i.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (i *inside) Accept() (net.Conn, error) {
	select {
	case c := <-i.conns:
		return c, nil
	case <-i.closed:
		return nil, net.ErrClosed
	}
}

func (i *inside) Close() error {
	i.once.Do(func() { close(i.closed) })
	return nil
}

// Addr has nothing to say.
func (i *inside) Addr() net.Addr { return &net.UnixAddr{Net: "inside"} }

// A Founding is what a new organisation begins with.
type Founding struct {
	Organisation string // its name
	Address      string // of the portal, https://host[:port]
	AdminID      string // user id of the first administrator
	AdminName    string
	// Settings changes the settings before they are kept; may be nil.
	Settings func(*access.Settings)
	// Furnish does what else belongs to the organisation, on the clock of the
	// environment, once there is an administrator; may be nil. What it did stays
	// when it fails.
	Furnish func(context.Context, controlv1connect.AdminServiceClient, controlv1connect.PolicyServiceClient) error
}

// Init makes the keys, the organisation and its first administrator, whose slip
// it returns, also with an error of what came after. It can be repeated when it was interrupted; once there is an
// organisation it fails with code already_initialised.
func Init(ctx context.Context, cfg Config, env Environment, f Founding) (*controlv1.Slip, error) {
	env.fill()
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	if err := found(ctx, cfg, env, f); err != nil {
		return nil, err
	}
	client, done, err := openInside(ctx, cfg, env)
	if err != nil {
		return nil, err
	}
	admin := controlv1connect.NewAdminServiceClient(client, clientBase)
	r, err := admin.CreateUsers(ctx, &controlv1.CreateUsersRequest{Users: []*controlv1.NewUser{{
		UserId: f.AdminID, Name: f.AdminName, Roles: []controlv1.Role{controlv1.Role_ROLE_STAFF, controlv1.Role_ROLE_ADMIN},
		DeviceKind: controlv1.DeviceKind_DEVICE_KIND_LENT, InventoryNumber: store.NoInventory,
	}}})
	if err == nil && f.Furnish != nil {
		err = f.Furnish(ctx, admin, controlv1connect.NewPolicyServiceClient(client, clientBase))
	}
	err = errors.Join(err, done())
	if r == nil || len(r.GetSlips()) == 0 {
		return nil, err
	}
	return r.GetSlips()[0], err
}

// found makes keys and organisation under the lock.
func found(ctx context.Context, cfg Config, env Environment, f Founding) (err error) {
	unlock, err := takeLock(cfg.lock())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	dsn, err := cfg.DSN()
	if err != nil {
		return err
	}
	s, err := openStore(ctx, store.Config{DSN: dsn, Now: env.Now})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	// With a user the founding was finished; without one it was interrupted.
	users, _, err := s.Users(ctx, store.UserFilter{}, store.Page{Limit: 1})
	if err != nil {
		return err
	}
	if len(users) > 0 {
		return errInitialised(nil)
	}
	// Once the organisation is there, keys are of a founding that was interrupted; before it, they are somebody else's.
	_, err = s.Organisation(ctx)
	if errors.Is(err, store.ErrNotFound) {
		if err = refuseLeftovers(cfg); err == nil {
			err = createOrganisation(ctx, s, f)
		}
	}
	if err != nil {
		return err
	}
	made, err := makeKeys(cfg, env, f.Organisation, f.Address)
	if err != nil || !made {
		return err
	}
	return s.Record(ctx, store.By{Actor: "cli:init"}, audit.Entry{Kind: audit.KeysCreated})
}

// refuseLeftovers names keys or heads that are there without an organisation: a lost database must not be founded over
// unnoticed.
func refuseLeftovers(cfg Config) error {
	for _, path := range []string{cfg.keys(), cfg.headsFile()} {
		_, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		return errLeftovers(path)
	}
	return nil
}

func createOrganisation(ctx context.Context, s *store.Store, f Founding) error {
	settings := access.Default()
	settings.Address = f.Address
	if f.Settings != nil {
		f.Settings(&settings)
	}
	return s.CreateOrganisation(ctx, store.By{Actor: "cli:init"}, f.Organisation, settings)
}

// makeKeys makes the keys, or opens those of an interrupted founding.
func makeKeys(cfg Config, env Environment, organisation, address string) (made bool, err error) {
	config := ca.Config{Dir: cfg.keys(), Now: env.Now, PublicTLS: cfg.TLS.CertificateFile != "", Names: tlsNames(address, cfg)}
	_, err = ca.Create(config, organisation)
	if errors.Is(err, ca.ErrExists) {
		_, err = ca.Open(config)
		if errors.Is(err, fs.ErrNotExist) {
			err = missingKey(cfg.keys(), err)
		}
		return false, err
	}
	return err == nil, err
}
