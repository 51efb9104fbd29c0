package gateway

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/api"
	"jiseki/internal/audit"
	"jiseki/internal/auth"
	"jiseki/internal/bus"
	"jiseki/internal/ca"
	"jiseki/internal/crowd"
	"jiseki/internal/durable"
	"jiseki/internal/hub"
	"jiseki/internal/link"
	"jiseki/internal/mail"
	"jiseki/internal/relay"
	"jiseki/internal/session"
	"jiseki/internal/store"
	"jiseki/internal/waking"
)

const (
	// aliveEvery is how often a gateway says in the database that it lives.
	aliveEvery = 10 * time.Second
	// tidyEvery is how often what nobody can need is forgotten.
	tidyEvery = time.Hour
	// reserveSize is what is kept of the disk for what takes rights away when it is full, in bytes: an end of a session
	// takes some tens of KB in the log of SQLite.
	reserveSize = 8 << 20
	// closeTimeout bounds what is said when the gateway stops.
	closeTimeout = 10 * time.Second
)

// core is everything behind the listeners. It holds the lock of the data folder.
type core struct {
	cfg      Config
	env      Environment
	id       string
	unlock   func() error
	ca       *ca.Authority
	store    *store.Store
	reserve  durable.Reserve
	pulse    *pulse
	bus      *bus.Bus
	relay    *relay.Relay
	hub      *hub.Hub
	waking   *waking.Service
	sessions *session.Manager
	post     *mail.Post
	heads    *audit.Publisher
	newest   *newestHead
	api      *api.Server
	org      *organisation
	known    *crowd.Acquaintances
	desks    []netip.Prefix // where agents come from
}

// open takes the lock and opens everything. What was opened is closed again when
// a later step fails.
func open(ctx context.Context, cfg Config, env Environment) (*core, error) {
	unlock, err := takeLock(cfg.lock())
	if err != nil {
		return nil, err
	}
	c := &core{cfg: cfg, env: env, unlock: unlock}
	for _, step := range []func(context.Context) error{c.openKeys, c.openStore, c.openBus, c.openSessions, c.openPost, c.openAPI} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, c.close())
		}
	}
	return c, nil
}

func (c *core) openKeys(context.Context) error {
	if err := checkOwner(c.cfg.DataDir); err != nil {
		return err
	}
	var err error
	if c.id, err = c.gatewayID(); err != nil {
		return err
	}
	c.ca, err = ca.Open(ca.Config{Dir: c.cfg.keys(), Now: c.env.Now, PublicTLS: c.cfg.TLS.CertificateFile != ""})
	if errors.Is(err, fs.ErrNotExist) {
		return missingKey(c.cfg.keys(), err)
	}
	return err
}

// missingKey tells a data folder without keys from one that has lost some.
func missingKey(dir string, cause error) error {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return errNotInitialised()
	}
	path := dir
	var missing *fs.PathError
	if errors.As(cause, &missing) {
		path = missing.Path
	}
	return errKeyMissing(path, cause)
}

func (c *core) openStore(ctx context.Context) error {
	dsn, err := c.cfg.DSN()
	if err != nil {
		return err
	}
	moved := make(chan struct{}, 1)
	wake := func() {
		select {
		case moved <- struct{}{}:
		default: // the publisher looks at the newest head anyway
		}
	}
	c.reserve = durable.Reserve{Path: filepath.Join(c.cfg.DataDir, "reserve"), Size: reserveSize}
	if err := c.reserve.Hold(); err != nil {
		c.env.Log.Error("the disk is full; make room", "err", err)
	}
	config := store.Config{DSN: dsn, Now: c.env.Now, Gateway: c.id, Moved: wake, MakeRoom: c.makeRoom, Short: c.short}
	if c.store, err = openStore(ctx, config); errors.Is(err, store.ErrFull) && c.makeRoom() == nil {
		c.store, err = openStore(ctx, config)
	}
	if err != nil {
		return err
	}
	c.env.Now = c.store.Now // what goes on while our clock is wrong goes by the time of the other gateways
	c.pulse = &pulse{log: c.env.Log, now: c.env.Now, look: c.canWrite}
	c.org = &organisation{store: c.store}
	c.known = crowd.NewAcquaintances(c.env.Now, c.org.inside)
	if err := c.org.refresh(ctx); errors.Is(err, store.ErrNotFound) {
		return errNotInitialised()
	} else if err != nil {
		return fmt.Errorf("read the organisation: %w", err)
	}
	return c.openHeads(ctx, moved)
}

func (c *core) openBus(context.Context) (err error) {
	if path := c.cfg.Bus.CredentialsFile; path != "" { // which the bus reads for each connection
		if _, err := readSecret("bus.credentials_file", path); err != nil {
			return err
		}
	}
	c.bus, err = bus.New(bus.Config{
		Log: c.env.Log, URL: c.cfg.Bus.URL, CredentialsFile: c.cfg.Bus.CredentialsFile, CAFile: c.cfg.Bus.CAFile,
	})
	return err
}

func (c *core) openSessions(context.Context) (err error) {
	c.relay = relay.New(c.relayConfig())
	if c.hub, err = hub.New(c.hubConfig()); err != nil {
		return err
	}
	c.waking = waking.New(waking.Config{Log: c.env.Log, Now: c.env.Now, Store: c.store, Agents: c.hub, Gateway: c.id})
	c.sessions, err = session.New(session.Config{
		Log: c.env.Log, Now: c.env.Now, Store: c.store, Agents: c.hub, Bus: c.bus, Relay: c.relay, Grants: c.ca.GrantKey(),
		Gateway: c.id, RelayForDesks: c.relayForDesks, MyNumber: c.cfg.MyNumber(),
	})
	return err
}

func (c *core) relayConfig() relay.Config {
	return relay.Config{
		Log: c.env.Log, Now: c.env.Now, Limits: relay.Limits{Sessions: c.cfg.Relay.MaxSessions}, Standing: c.known.Of,
		Closed: func(s relay.Stats, code link.Code) { c.sessions.Closed(s, code) },
	}
}

func (c *core) hubConfig() hub.Config {
	return hub.Config{
		Log: c.env.Log, Now: c.env.Now, Bus: c.bus, Desks: session.NewDesks(c.env.Log, c.env.Now, c.store, c.id),
		Orders: c.ca.GrantKey(), Bundle: c.ca.Bundle, Organisation: c.org.name, Head: c.newest.bytes, MyNumber: c.cfg.MyNumber(),
		Standing: c.known.Of, Met: c.known.Meet, Reviewed: func() time.Time { return c.sessions.Reviewed() },
	}
}

func (c *core) openAPI(context.Context) error {
	hasher, err := auth.NewHasher(c.env.Cost)
	if err != nil {
		return err
	}
	if c.desks, err = c.cfg.agentNetworks(); err != nil {
		return err
	}
	c.api = api.New(c.apiConfig(hasher))
	return nil
}

func (c *core) apiConfig(hasher *auth.Hasher) api.Config {
	nonces := auth.NewNonces(c.ca.Secret("nonces"), c.env.Now)
	return api.Config{
		Log: c.env.Log, Now: c.env.Now, Store: c.store, Nonces: nonces, Hasher: hasher, CA: c.ca, Sessions: c.sessions, Hub: c.hub,
		Waking:    c.waking,
		KeptHeads: c.keptHeads, MailPasswordSet: c.mailPasswordSet, Met: c.known.Meet,
		MayBeDesk: c.mayBeDesk,
		Gateway:   access.Gateway{MyNumberOnly: c.cfg.MyNumber()},
		Auth: auth.New(auth.Config{
			Store: c.store, Issuer: c.ca, Hasher: hasher, Nonces: nonces, TOTPSecret: c.ca.Secret("totp"), TokenSecret: c.ca.Secret("tokens"), Now: c.env.Now, Log: c.env.Log,
		}),
	}
}

// makeRoom gives up the reserve on the disk.
func (c *core) makeRoom() error {
	err := c.reserve.Release()
	if err == nil {
		c.env.Log.Error("the disk is full: its reserve is given up for what takes rights away; make room")
	}
	return err
}

// short says that what room is left is for what takes rights away.
func (c *core) short() bool { return !c.reserve.Held() }

// canWrite says whether the gateway can record what it does: whether its database takes a write, its clock is right, and
// the reserve is there.
func (c *core) canWrite(ctx context.Context) error {
	if err := c.store.GatewayAlive(ctx, c.id); err != nil {
		return err
	}
	if err := c.store.CheckClock(ctx); err != nil {
		return err
	}
	if c.short() {
		return errors.New("the disk has no room for a reserve")
	}
	return nil
}

// relayForDesks is host:port of the relay as desks see it.
func (c *core) relayForDesks(portal string) string {
	if c.cfg.Relay.DeskAddress != "" {
		return c.cfg.Relay.DeskAddress
	}
	u, err := url.Parse(portal)
	if err != nil || u.Host == "" {
		return ""
	}
	if u.Port() == "" {
		return net.JoinHostPort(u.Hostname(), "443")
	}
	return u.Host
}

// keepAlive says that the gateway lives, keeps the reserve, looks at its clock, and follows changes of the settings.
func (c *core) keepAlive(ctx context.Context) error {
	return every(ctx, aliveEvery, func() {
		if err := c.reserve.Hold(); err != nil {
			c.env.Log.Error("the disk is full; make room", "err", err)
		}
		if err := c.store.GatewayAlive(ctx, c.id); err != nil && ctx.Err() == nil {
			c.env.Log.Error("sign of life was not written", "err", err)
		}
		if err := c.checkClock(ctx); err != nil && ctx.Err() == nil {
			c.env.Log.Error("the clock of this gateway was not found to be right; look at its time synchronisation", "err", err)
		}
		if err := c.org.refresh(ctx); err != nil && ctx.Err() == nil {
			c.env.Log.Error("settings were not read", "err", err)
		}
	})
}

// checkClock tells administrators while the clock is wrong.
func (c *core) checkClock(ctx context.Context) error {
	err := c.store.CheckClock(ctx)
	if errors.Is(err, store.ErrClock) {
		return errors.Join(err, c.store.TellClock(ctx, c.id))
	}
	return err
}

func (c *core) keepTidy(ctx context.Context) error {
	ran := time.Duration(0)
	return every(ctx, tidyEvery, func() {
		err := c.store.Tidy(ctx, ran)
		ran = tidyEvery
		if err != nil && ctx.Err() == nil {
			c.env.Log.Error("old entries were not removed", "err", err)
		}
		if err := c.store.KeepRegister(ctx, c.id); err != nil && ctx.Err() == nil {
			c.env.Log.Error("the register of devices was not kept up", "err", err)
		}
	})
}

// every calls do at once and then in each period until ctx ends.
func every(ctx context.Context, period time.Duration, do func()) error {
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	for {
		do()
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// stop ends the running sessions' links and notes the end. The listeners and the
// hub have ended before.
func (c *core) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	err := c.relay.Shutdown(ctx)
	err = errors.Join(err, c.store.GatewayStopped(ctx, c.id))
	if err := c.heads.Publish(ctx); err != nil {
		c.env.Log.Error("the last head of the audit log was not copied", "err", err)
	}
	return err
}

// close closes what is open and gives the lock back.
func (c *core) close() error {
	var failed []error
	if c.sessions != nil {
		c.sessions.Close()
	}
	if c.bus != nil {
		c.bus.Close()
	}
	if c.store != nil {
		failed = append(failed, c.store.Close())
	}
	return errors.Join(append(failed, c.unlock())...)
}

// checkOwner refuses a data folder that others may enter: keys and the socket
// are in it.
func checkOwner(dir string) error {
	st, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	if exposed(st) {
		return fmt.Errorf("data folder %s is open to other users (mode %04o, expected 0700)", dir, st.Mode().Perm())
	}
	return nil
}

// gatewayID names this gateway for ever: several share a database. A file that holds no name, as a crash can leave it,
// is set aside: under a new name the gateway is another one, and what the old one held counts as gone soon.
func (c *core) gatewayID() (string, error) {
	path := filepath.Join(c.cfg.DataDir, "gateway.id")
	b, err := os.ReadFile(path)
	if err == nil {
		if id := strings.TrimSpace(string(b)); auth.IsID(id) {
			return id, nil
		}
		var aside string
		if aside, err = durable.SetAside(path, c.env.Now()); err == nil {
			c.env.Log.Error("the gateway's id was damaged; it gets a new one", "kept", aside)
			err = fs.ErrNotExist
		}
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the gateway's id: %w", err)
	}
	id := auth.NewID()
	if err := durable.Create(path, []byte(id+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("write the gateway's id: %w", err)
	}
	return id, nil
}

// tlsNames are what the gateway's own certificate is for.
func tlsNames(address string, cfg Config) []string {
	var names []string
	if u, err := url.Parse(address); err == nil && u.Hostname() != "" {
		names = append(names, u.Hostname())
	}
	for _, name := range cfg.TLS.Names {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// openStore opens the database, or says what an administrator can do.
func openStore(ctx context.Context, cfg store.Config) (*store.Store, error) {
	s, err := store.Open(ctx, cfg)
	if errors.Is(err, store.ErrForeignLog) {
		return nil, errForeignLog(err)
	}
	return s, err
}
