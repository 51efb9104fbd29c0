package api

import (
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"

	"connectrpc.com/connect"

	"jiseki/internal/access"
	"jiseki/internal/pages"
	"jiseki/internal/quiet"
	"jiseki/internal/remote"
)

// Limits of the throughput measurement (docs/PROTOCOL.md section 7).
const (
	// maxProbe is the most that one request moves, in bytes.
	maxProbe = 4 << 20
	// probeBytes and probeRequests are what one user may move and ask in a minute: a check moves less than 3 MiB each
	// way.
	probeBytes    = 64 << 20
	probeRequests = 300
	// probesAtOnce bounds the requests of all users together, probesOfUser those of one: who lets them hang blocks
	// nobody else.
	probesAtOnce = 32
	probesOfUser = 4
	probeAgain   = 5 // seconds after which one that found no room may be tried again
)

// probes counts what users measure, in windows of one minute.
type probes struct {
	now  func() time.Time
	room chan struct{}

	mu     sync.Mutex
	window time.Time
	use    map[string]*probeUse
	moving map[string]int // requests of each user that have not ended
}

type probeUse struct{ requests, bytes int }

func newProbes(now func() time.Time) *probes {
	return &probes{now: now, room: make(chan struct{}, probesAtOnce), use: map[string]*probeUse{}, moving: map[string]int{}}
}

// begin gives a request of a user room, until done is called, if there is any.
func (p *probes) begin(user string) (done func(), ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.moving[user] >= probesOfUser {
		return nil, false
	}
	select {
	case p.room <- struct{}{}:
	default:
		return nil, false
	}
	p.moving[user]++
	return func() { p.end(user) }, true
}

func (p *probes) end(user string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	<-p.room
	if p.moving[user]--; p.moving[user] == 0 {
		delete(p.moving, user)
	}
}

// take counts a request that may move so many bytes, and says how many seconds to wait if that is too much; 0 is go on.
func (p *probes) take(user string, bytes int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if now.Sub(p.window) >= time.Minute || now.Before(p.window) {
		p.window = now
		clear(p.use)
	}
	u := p.use[user]
	if u == nil {
		u = &probeUse{}
		p.use[user] = u
	}
	if u.requests+1 > probeRequests || u.bytes+bytes > probeBytes {
		return int((time.Minute-now.Sub(p.window))/time.Second) + 1
	}
	u.requests++
	u.bytes += bytes
	return 0
}

// Probe answers the throughput measurement behind a door: GET gives random bytes, POST takes bytes and counts them.
func (s *Server) Probe(door Door) http.Handler {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, size, err := s.admitProbe(door, r)
		if err != nil {
			s.refuseProbe(w, r, err)
			return
		}
		done, ok := s.probes.begin(user)
		if !ok {
			s.refuseProbe(w, r, busy(probeAgain, nil))
			return
		}
		defer done()
		if r.Method == http.MethodGet {
			giveProbe(w, size)
		} else {
			takeProbe(w, r)
		}
	})
	guarded := http.NewCrossOriginProtection().Handler(handler)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pages.SecureHeaders(w.Header())
		w.Header().Set("Cache-Control", "no-store")
		r.Body = http.MaxBytesReader(w, r.Body, maxProbe)
		call := &request{id: newID(), door: door, remote: remote.Addr(r.RemoteAddr), host: r.Host}
		guarded.ServeHTTP(w, r.WithContext(withRequest(r.Context(), call)))
	})
}

// admitProbe finds out who asks and whether that is within the limits; size is what a GET asks for.
func (s *Server) admitProbe(door Door, r *http.Request) (user string, size int, err error) {
	if user, err = s.probeUser(door, r); err != nil {
		return "", 0, err
	}
	size = maxProbe
	switch r.Method {
	case http.MethodGet:
		if size, err = strconv.Atoi(r.URL.Query().Get("bytes")); err != nil || size < 0 || size > maxProbe {
			return "", 0, invalid(err)
		}
	case http.MethodPost:
		if r.ContentLength >= 0 {
			size = int(min(r.ContentLength, maxProbe+1)) // too long a body is refused while it is read
		}
	default:
		return "", 0, &failure{code: access.Invalid, status: connect.CodeUnimplemented}
	}
	if wait := s.probes.take(user, size); wait > 0 {
		return "", 0, tooSoon(wait)
	}
	return user, size, nil
}

// probeUser finds out who measures: a sign-in that may use the portal.
func (s *Server) probeUser(door Door, r *http.Request) (user string, err error) {
	known, err := s.countCall(r.Context(), false, r.Header)
	if err != nil {
		return "", err
	}
	c, err := s.identify(r.Context(), door, r.Header, known)
	if err != nil {
		return "", err
	}
	if !c.may.Has(access.MayUsePortal) {
		return "", s.denial(c, portal)
	}
	return c.identity.User.ID, nil
}

func (s *Server) refuseProbe(w http.ResponseWriter, r *http.Request, err error) {
	f := failureOf(err)
	if f.serious() {
		call := requestOf(r.Context())
		s.log.With(quiet.From(call.remote)).Error("a measurement failed", "request", call.id, "err", err)
	}
	if f.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(f.retryAfter))
	}
	status := map[connect.Code]int{
		connect.CodeUnauthenticated: http.StatusUnauthorized, connect.CodePermissionDenied: http.StatusForbidden,
		connect.CodeInvalidArgument: http.StatusBadRequest, connect.CodeResourceExhausted: http.StatusTooManyRequests,
		connect.CodeUnavailable: http.StatusServiceUnavailable, connect.CodeUnimplemented: http.StatusMethodNotAllowed,
	}[f.status]
	if status == 0 {
		status = http.StatusInternalServerError
	}
	http.Error(w, string(f.code), status)
}

// giveProbe sends bytes that nothing on the way can pack.
func giveProbe(w http.ResponseWriter, size int) {
	var seed [32]byte
	for i := range seed {
		seed[i] = byte(rand.Uint32()) //nolint:gosec // noise to send, no secret
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.Itoa(size))
	_, _ = io.CopyN(w, rand.NewChaCha8(seed), int64(size)) // who asked may be gone
}

// takeProbe reads a body and says how long it was.
func takeProbe(w http.ResponseWriter, r *http.Request) {
	n, err := io.Copy(io.Discard, r.Body)
	if err != nil {
		http.Error(w, string(access.Invalid), http.StatusRequestEntityTooLarge)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]int64{"bytes": n}) // who asked may be gone
}
