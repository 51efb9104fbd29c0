// Package api answers the control API: what the portal, the console, the agents
// and the administrative commands say to the gateway (proto/jiseki/control/v1).
//
// Its handlers are thin: they check the form of what comes in, ask the packages
// that decide, and put the answer into words. What holds for all of them is in
// one place: who may call which method is one table, a method without a row is
// refused, every error goes out as a code with words in both languages and stays
// in the log with its cause once.
package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"connectrpc.com/connect"
	"golang.org/x/sync/semaphore"

	"jiseki/internal/access"
	"jiseki/internal/audit"
	"jiseki/internal/auth"
	"jiseki/internal/ca"
	"jiseki/internal/gen/jiseki/control/v1/controlv1connect"
	"jiseki/internal/hub"
	"jiseki/internal/pages"
	"jiseki/internal/remote"
	"jiseki/internal/session"
	"jiseki/internal/store"
	"jiseki/internal/waking"
)

// Config is what a Server needs.
type Config struct {
	Log      *slog.Logger
	Now      func() time.Time
	Store    *store.Store
	Auth     *auth.Service
	Nonces   *auth.Nonces
	Hasher   *auth.Hasher
	CA       *ca.Authority
	Sessions *session.Manager
	// Hub reaches agents. It is nil in a command that works on a stopped gateway.
	Hub *hub.Hub
	// KeptHeads are the signed heads of the audit log that this gateway kept outside the database.
	KeptHeads func() audit.Kept
	// Met hears who calls from where with an enrolled device; nil: nobody does.
	Met func(who string, at netip.Addr)
	// MayBeDesk says whether desks stand at an address; elsewhere none is enrolled. nil: they stand everywhere.
	MayBeDesk func(netip.Addr) bool
	// MailPasswordSet says whether a password for the mail server is kept; nil: no.
	MailPasswordSet func() bool
	// Gateway is what is special about this gateway.
	Gateway access.Gateway
	// Waking knows which desks can be woken. It is nil in a command that works on a stopped gateway: then none can.
	Waking Waking
}

// Waking wakes desks. Refusals are *waking.Refusal.
type Waking interface {
	Wake(ctx context.Context, by store.By, desk string) (store.Wake, error)
	WakeAll(ctx context.Context, by store.By, desks []string) ([]store.Wake, error)
	Segments(ctx context.Context) ([]waking.Segment, error)
	// Problems says of each desk why it cannot be woken now, with an empty code for one that can.
	Problems(ctx context.Context, desks ...string) (map[string]access.Code, error)
}

// A Server answers the control API.
type Server struct {
	cfg     Config
	log     *slog.Logger
	limiter *limiter
	orders  *pace
	bodies  *bodies
	work    *work
	// newcomers are calls whose sign-in is looked up for the first time: few at a time ask the database.
	newcomers *semaphore.Weighted
	probes    *probes
}

const newcomersAtOnce = 4

// New makes a Server.
func New(cfg Config) *Server {
	return &Server{
		cfg: cfg, log: cfg.Log, limiter: newLimiter(cfg.Now), orders: newPace(cfg.Now, ordersPerMinute), bodies: newBodies(), work: newWork(), probes: newProbes(cfg.Now),
		newcomers: semaphore.NewWeighted(newcomersAtOnce),
	}
}

// Handler is the API as it is behind a door. It belongs at the root of a mux:
// see [Prefix].
func (s *Server) Handler(door Door) http.Handler {
	options := []connect.HandlerOption{
		connect.WithInterceptors(s.intercept()),
		connect.WithRecover(s.recovered),
		connect.WithCompressMinBytes(minPacked),
	}
	mux := http.NewServeMux()
	if door != Public { // what is not there cannot be attacked from outside
		mux.Handle(controlv1connect.NewAdminServiceHandler(&adminService{s}, options...))
		mux.Handle(controlv1connect.NewPolicyServiceHandler(&policyService{Server: s}, options...))
	}
	if door != Socket {
		mux.Handle(controlv1connect.NewAuthServiceHandler(&authService{s}, options...))
		mux.Handle(controlv1connect.NewDeskServiceHandler(&deskService{s}, options...))
		mux.Handle(controlv1connect.NewTeleworkServiceHandler(&teleworkService{Server: s}, options...))
		mux.Handle(controlv1connect.NewApprovalServiceHandler(&approvalService{Server: s}, options...))
		mux.Handle(controlv1connect.NewAgentServiceHandler(&agentService{s}, options...))
	}
	return s.enclose(door, s.gate(door, mux))
}

// minPacked is how long an answer is that is worth packing, in bytes.
const minPacked = 1024

// Prefix begins the path of every method.
const Prefix = "/jiseki.control.v1."

// enclose gives a call its identity, refuses what comes from other sites, and
// keeps answers out of every cache.
func (s *Server) enclose(door Door, next http.Handler) http.Handler {
	guarded := http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pages.SecureHeaders(w.Header())
		call := &request{id: newID(), door: door, remote: remote.Addr(r.RemoteAddr), host: r.Host}
		w.Header().Set("X-Request-Id", call.id)
		guarded.ServeHTTP(w, r.WithContext(withRequest(r.Context(), call)))
	})
}

// fromBrowser says that a page in a browser made the request: only a browser
// sends these headers, and a page cannot leave them out.
func fromBrowser(h http.Header) bool {
	return h.Get("Sec-Fetch-Site") != "" || h.Get("Origin") != "" || strings.Contains(h.Get("User-Agent"), "Mozilla/")
}

func newID() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the process instead
	return hex.EncodeToString(b)
}
