// Package gateway puts the parts of a gateway together: database, keys, bus, hub,
// relay, sessions, API and pages behind TLS.
//
// [New] and [Gateway.Run] are the whole server; the program and the tests start
// it the same way. [OpenAdmin] reaches the administration of a running gateway,
// or takes its place while none runs. [Init] makes a new organisation.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"jiseki/internal/api"
	"jiseki/internal/auth"
	"jiseki/internal/pages"
	"jiseki/internal/quiet"
	"jiseki/internal/store"
	"jiseki/web"
)

// Environment is what a gateway needs of the world around it. The zero value of a
// field means what its comment says.
type Environment struct {
	Log  *slog.Logger     // slog.Default() would be global: nil is silence
	Now  func() time.Time // time.Now
	Cost auth.Cost        // auth.DefaultCost()
	// Pages are the built pages: those in the program.
	Pages fs.FS
	// Ready is called once, when all listeners answer.
	Ready func(Listening)
	// Version of the program, for the audit log.
	Version string
}

func (e *Environment) fill() {
	if e.Log == nil {
		e.Log = slog.New(slog.DiscardHandler)
	}
	if e.Now == nil {
		e.Now = time.Now
	}
	if _, sampled := e.Log.Handler().(*quiet.Handler); !sampled {
		e.Log = slog.New(quiet.New(e.Log.Handler(), time.Now)) // strangers do not stop with the clock of a test
	}
	if e.Cost == (auth.Cost{}) {
		e.Cost = auth.DefaultCost()
	}
	if e.Ready == nil {
		e.Ready = func(Listening) {}
	}
}

// Listening says where a gateway answers.
type Listening struct {
	Public     net.Addr
	Office     net.Addr // nil when the public listener is the office's too, or there is none
	Congestion string   // the congestion control of the public listener
}

// A Gateway is a server that has not been started.
type Gateway struct {
	cfg Config
	env Environment
}

// New makes a Gateway of a valid configuration.
func New(cfg Config, env Environment) (*Gateway, error) {
	env.fill()
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return &Gateway{cfg: cfg, env: env}, nil
}

// Run serves until ctx ends or a part fails, then stops in good order: no new
// requests, viewers and agents are told, the log says that the gateway stopped.
// Errors that an administrator can act on are *Error.
func (g *Gateway) Run(ctx context.Context) error {
	err := g.run(ctx)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil // stopped while it was starting
	}
	return err
}

func (g *Gateway) run(ctx context.Context) (err error) {
	if conn, err := g.cfg.dialAdmin(ctx); err == nil {
		conn.Close()
		return errLocked(nil)
	}
	var c *core
	err = patient(ctx, servePatience, func() error {
		c, err = open(ctx, g.cfg, g.env)
		return err
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	doors, err := g.openDoors(ctx, c)
	if err != nil {
		return err
	}
	if err := c.store.GatewayStarted(ctx, c.id, g.env.Version); err != nil {
		doors.close()
		return fmt.Errorf("record the start: %w", err)
	}
	if err := c.store.KeepRegister(ctx, c.id); errors.Is(err, store.ErrFull) {
		g.env.Log.Error("the register of devices is kept up when the disk has room", "err", err) // it waits for keepTidy
	} else if err != nil {
		doors.close()
		return fmt.Errorf("keep the register of devices: %w", err)
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, run := range []func(context.Context) error{c.hub.Run, c.sessions.Run, c.heads.Run, c.keepAlive, c.keepTidy, c.post.Run, c.remind, c.waking.Run} {
		group.Go(func() error { return run(ctx) })
	}
	doors.serve(ctx, group)
	g.env.Ready(doors.listening)
	err = group.Wait()
	return errors.Join(err, c.stop())
}

// openDoors opens all listeners before any of them answers.
func (g *Gateway) openDoors(ctx context.Context, c *core) (*doors, error) {
	files := g.env.Pages
	if files == nil {
		sub, err := fs.Sub(web.Dist, "dist")
		if err != nil {
			return nil, fmt.Errorf("pages: %w", err)
		}
		files = sub
	}
	built, err := pages.New(files)
	if err != nil {
		return nil, err
	}
	tlsConfig, err := c.serverTLS(ctx)
	if err != nil {
		return nil, err
	}
	d := &doors{log: g.env.Log, standing: c.known.Of}
	public := api.Public
	if g.cfg.Office.Shared {
		public = api.Office
	}
	l, err := listen(ctx, g.cfg.Public.Address, g.env.Log)
	if err != nil {
		return nil, err
	}
	d.listening.Public, d.listening.Congestion = l.Addr(), l.Congestion
	d.add(l, tlsConfig, c.routes(public, built))
	if g.cfg.Office.Address != "" {
		l, err := listen(ctx, g.cfg.Office.Address, g.env.Log)
		if err != nil {
			d.close()
			return nil, err
		}
		d.listening.Office = l.Addr()
		d.add(l, tlsConfig, c.routes(api.Office, built))
	}
	admin, err := listenAdmin(ctx, g.cfg.AdminSocket())
	if err != nil {
		d.close()
		return nil, err
	}
	if admin != nil {
		d.add(admin, nil, c.api.Handler(api.Socket))
	}
	return d, nil
}

// routes are the paths that a listener answers.
func (c *core) routes(door api.Door, built http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /relay", bodiless(sameOrigin(c.relay)))
	mux.Handle("GET /relay/check", bodiless(sameOrigin(c.api.ProbeSocket(door))))
	mux.Handle("GET /agent", bodiless(c.fromDesks(noBrowser(c.hub))))
	mux.Handle("GET /healthz", bodiless(c.pulse))
	control := c.api.Handler(door)
	for _, service := range []string{
		"AuthService/", "DeskService/", "TeleworkService/", "ApprovalService/", "PolicyService/", "AdminService/", "AgentService/",
	} {
		mux.Handle("/api"+api.Prefix+service, http.StripPrefix("/api", control))
		mux.Handle(api.Prefix+service, control)
	}
	mux.Handle("/probe", c.api.Probe(door))
	mux.Handle("/", bodiless(built))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pages.SecureHeaders(w.Header())
		mux.ServeHTTP(w, r)
	})
}

// bodiless refuses requests with a body, of which not a byte is read.
func bodiless(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			_ = http.NewResponseController(w).SetReadDeadline(time.Now()) // of a connection that may be gone
			http.Error(w, "no body is expected", http.StatusBadRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// sameOrigin refuses sockets that a page of another site opens. Native viewers
// and agents send no Origin.
func sameOrigin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if origin := r.Header.Get("Origin"); origin != "" && origin != "https://"+r.Host {
			http.Error(w, "cross-origin request refused", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// noBrowser refuses pages altogether.
func noBrowser(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Origin") != "" {
			http.Error(w, "this is for agents", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}
