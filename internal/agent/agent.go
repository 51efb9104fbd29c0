// Package agent is the engine of the desk's side: it holds the control channel to the gateway, opens sessions that were
// granted, sends pictures of the screen, injects what viewers type, and locks the desk when nobody works on it.
//
// Rights are decided here: whatever a viewer sends, only what grant, device certificate and the desk's own limits allow
// is done. Nothing listens; the agent only dials out.
package agent

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"jiseki/internal/capture"
	"jiseki/internal/cert"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/grant"
	"jiseki/internal/input"
	"jiseki/internal/lock"
	"jiseki/internal/power"
	"jiseki/internal/wake"
	"jiseki/internal/wire"
)

// A Locker locks the desk's screen and reads the lock back.
type Locker interface {
	// Can says why the desk could not be locked now, or nil.
	Can() error
	// Lock locks the screen and returns nil only when the lock was read back, and no unlock by a viewer, who pressed
	// something last at typed, can be on its way. It is harmless on a locked screen.
	Lock(ctx context.Context, typed time.Time) error
	// Changes delivers how the screen stands: the present state at once, then each change. It is closed when the desk is
	// lost.
	Changes() <-chan lock.State
	// LoggedOn says whether somebody is logged on.
	LoggedOn() (bool, error)
	// UsedLocally is when the desk's own keyboard or mouse was used last; zero if never.
	UsedLocally() time.Time
}

// A Desk is what the agent serves. Input, Lock and Notice are used by several goroutines.
type Desk struct {
	Screen func() (capture.Source, error) // opens the screen; called when the first session of several begins
	// Faults delivers why the screen cannot be shown: the present fault at once, then each change. nil: it always can.
	Faults <-chan capture.Fault
	Input  input.Injector
	Lock   Locker
	// Notice tells whoever is at the desk that it is used from elsewhere, by whom, until it is closed. end is called when
	// somebody at the desk ends the session.
	Notice func(name string, end func()) (io.Closer, error)
	// Say shows a line with a button until it is closed; pressed is called when somebody presses the button. nil: the
	// desk has no place for it.
	Say func(text, button string, pressed func()) (io.Closer, error)
	// Recall is Say for the last sessions, below the other lines. nil: they are not shown.
	Recall func(text, button string, pressed func()) (io.Closer, error)
}

// Limits are the desk's own, beside those of the grant.
type Limits struct {
	Deny        grant.Rights  // never given, whatever a grant says
	RequireLock bool          // no session while the desk could not lock itself
	MaxGrace    time.Duration // longest grace period; 0 means what the grant says
}

// Config is what an agent needs. All fields but Proxy, Limits, Waker, Machine, Timer and Command are required.
type Config struct {
	Gateway  string            // https URL
	Identity cert.PrivateKey   // the desk's identity key
	Self     *cert.Certificate // the desk's
	Bundle   *cert.Bundle      // what the desk trusts
	Dir      string            // for events that the gateway has not yet got
	Desk     Desk
	Limits   Limits
	Proxy    string // see link.DialConfig
	Version  string
	Hostname string
	System   string // the operating system in words
	Log      *slog.Logger
	Now      func() time.Time

	Waker   bool          // an always-on machine without a desk: Desk is [NoDesk], and no session is opened
	Machine *wake.Machine // says what adapters there are, and wakes neighbours; nil: neither
	Timer   power.Timer   // wakes the machine; nil: nothing does
	// Command runs a program of the system; nil is [power.Run].
	Command func(ctx context.Context, name string, args ...string) error

	// These keep what the gateway sends: a newer trust bundle, a copy of the audit log's head, a renewed certificate.
	SaveBundle, SaveHead, SaveCertificate func(raw []byte) error
}

// ErrDeskLost is what Run returns when the desk's screen is gone: open the desk anew.
var ErrDeskLost = errors.New("the desk's screen is gone")

// maxOpening bounds the handshakes that run at once.
const maxOpening = 4

// An Agent is the engine. Make it with New.
type Agent struct {
	cfg    Config
	desk   Desk
	log    *slog.Logger
	now    func() time.Time
	run    [16]byte
	bundle bundle
	noise  noise
	feed   *feed
	events *outbox
	leases leases
	guard  guard
	resume resume
	spent  *grant.Spent
	power  *power.Manager
	work   work // guarded by mu

	announced announced
	visits    *visits
	recall    recall

	stateChanged chan struct{}
	opening      chan struct{}
	tasks        sync.WaitGroup

	mu         sync.Mutex
	self       *cert.Certificate
	ctx        context.Context   // of Run; sessions end with it
	name       string            // of the desk, as the gateway says it
	session    *session          // the one that has the desk
	pending    map[*session]bool // those that shake hands
	isLocked   bool
	stood      bool      // the locker has said how the desk stands
	vacant     bool      // a session has ended, and nobody has unlocked the desk on the spot since
	usedBefore time.Time // when the desk's own keyboard or mouse was used last before that
	loggedOn   bool
	present    bool
	fault      capture.Fault   // why the screen cannot be shown
	revoked    map[string]bool // device ids
	stopping   bool            // no session begins any more
}

// A bundle is the trust bundle in use.
type bundle struct {
	mu sync.Mutex
	b  *cert.Bundle
}

func (b *bundle) get() *cert.Bundle {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b
}

func (b *bundle) set(next *cert.Bundle) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.b = next
}

// New returns an agent that does nothing until Run.
func New(cfg Config) (*Agent, error) {
	a := &Agent{
		cfg: cfg, desk: cfg.Desk, self: cfg.Self, log: cfg.Log, now: cfg.Now, name: cfg.Self.Subject,
		bundle: bundle{b: cfg.Bundle}, noise: noise{identity: cfg.Identity, now: cfg.Now},
		feed: newFeed(cfg.Desk.Screen), spent: grant.NewSpent(1024, cert.Skew),
		stateChanged: make(chan struct{}, 1), opening: make(chan struct{}, maxOpening),
		revoked: map[string]bool{}, pending: map[*session]bool{},
	}
	rand.Read(a.run[:]) // never fails
	a.guard.agent = a
	a.power = power.New(power.Config{
		Log: cfg.Log, Now: cfg.Now, Use: a.use, Timer: cfg.Timer, Show: cfg.Desk.Say, Command: cfg.Command,
	})
	var err error
	if a.events, err = openOutbox(cfg.Dir, a.run[:], cfg.Now); err != nil {
		return nil, err
	}
	a.work = openWork(cfg.Dir)
	if a.events.aside != "" {
		a.log.Error("undelivered events were damaged: what they said is lost to the gateway", "kept", a.events.aside)
		a.work.suspect() // an end may be among them
	}
	if err := a.openAnnounced(); err != nil {
		return nil, err
	}
	if a.visits, err = openVisits(cfg.Dir, cfg.Now); err != nil {
		return nil, err
	}
	// One that a clock that was ahead has made is renewed before the first channel, and opens nothing until then.
	err = a.self.Verify(cert.KindDesk, cfg.Bundle.DeskCAs, cfg.Now(), cert.Skew)
	if err != nil && !errors.Is(err, cert.ErrClockSkew) {
		return nil, fmt.Errorf("the desk's own certificate: %w", err)
	}
	return a, nil
}

// farewell is how long an agent that stops waits for the gateway to take its last events.
const farewell = 2 * time.Second

// Run serves the desk until ctx ends. Before it returns, it ends the session, locks the desk if somebody worked on it,
// and tells the gateway if that listens.
func (a *Agent) Run(ctx context.Context) error {
	sessions, cancel := context.WithCancel(context.WithoutCancel(ctx)) // they are told before they end
	defer cancel()
	channel, hangUp := context.WithCancel(context.WithoutCancel(ctx)) // brings the gateway the last events
	defer hangUp()
	a.mu.Lock()
	a.ctx = sessions
	a.mu.Unlock()
	a.lockLeftOpen()
	select { // before the gateway hears of this desk
	case fault := <-a.desk.Faults:
		a.faulty(fault)
	default:
	}
	if _, err := a.noise.statement(); err != nil {
		return err
	}
	var control sync.WaitGroup
	control.Go(func() { a.keepControl(channel) })
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return a.watchDesk(ctx) })
	group.Go(func() error { return a.power.Run(ctx) })
	err := group.Wait()
	a.endSession()
	cancel()
	a.guard.hasten()
	a.sayFarewell(channel)
	hangUp()
	control.Wait()
	a.tasks.Wait()
	a.hideVisits()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// endSession lets no session begin any more, and ends the one that has the desk.
func (a *Agent) endSession() {
	a.mu.Lock()
	a.stopping = true
	a.mu.Unlock()
	a.endUnless(wire.AgentStopping, func(*session) bool { return false })
	a.mu.Lock()
	s := a.session
	a.mu.Unlock()
	if s != nil {
		<-s.ended
	}
}

// sayFarewell gives the gateway some time to take the last events.
func (a *Agent) sayFarewell(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, farewell)
	defer cancel()
	a.events.drain(ctx)
}

// agentURL is the address of the control channel.
func (a *Agent) agentURL() string { return "wss" + a.cfg.Gateway[len("https"):] + "/agent" }

func (a *Agent) tlsConfig() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: a.bundle.get().Pool()}
}

func (a *Agent) deskName() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.name
}

func (a *Agent) welcomed(w *controlv1.Welcome) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.name = w.GetDeskName()
}

func (a *Agent) inSession() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.session != nil
}

func (a *Agent) locked() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.isLocked
}

// record keeps an event for the gateway. What it tells has happened already: failing to write it down is logged.
func (a *Agent) record(kind controlv1.SessionEventKind, session [16]byte, code wire.Code) {
	if session == unknownSession {
		return // the gateway could do nothing with it
	}
	if err := a.events.note(kind, session, uint32(code)); err != nil {
		a.log.Error("event is not on the disk", "kind", kind.String(), "session", fmt.Sprintf("%x", session[:4]), "err", err)
	}
}

// changed makes the control channel report the state.
func (a *Agent) changed() {
	signal(a.stateChanged)
}

// state is what the gateway shows of this desk.
func (a *Agent) state() *controlv1.State {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := &controlv1.State{
		LoggedIn: a.loggedOn, Locked: a.isLocked, Present: a.present, Lockable: a.lockable(), ScreenFault: string(a.fault),
	}
	if a.session != nil {
		id := a.session.grant.Session
		s.SessionIds = [][]byte{id[:]}
	}
	return s
}

// lockable says whether the desk can be locked, as far as is known: a locker is there, and none failed just now.
func (a *Agent) lockable() bool { return a.desk.Lock.Can() == nil && !a.guard.isFailing() }

const (
	presenceCheck = 10 * time.Second // how often log-on and presence are looked at
	presenceLasts = 5 * time.Minute  // after the last use of the desk's own keyboard or mouse
)

// watchDesk follows whether the desk is locked, somebody is logged on, and somebody is there.
func (a *Agent) watchDesk(ctx context.Context) error {
	tick := time.NewTicker(presenceCheck)
	defer tick.Stop()
	a.look()
	faults := a.desk.Faults
	for {
		select {
		case fault, ok := <-faults:
			if !ok {
				faults = nil // the lock's end tells that the desk is lost
				continue
			}
			a.faulty(fault)
		case state, ok := <-a.desk.Lock.Changes():
			if !ok {
				return ErrDeskLost
			}
			a.stands(ctx, state)
		case <-tick.C:
			a.look()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// faulty notes why the screen cannot be shown, or that it can.
func (a *Agent) faulty(fault capture.Fault) {
	a.mu.Lock()
	a.fault = fault
	a.mu.Unlock()
	a.changed()
}

// stands notes whether the desk is locked, and has it locked again when the lock fell without anybody unlocking on the
// spot.
func (a *Agent) stands(ctx context.Context, state lock.State) {
	a.mu.Lock()
	unlocked := a.isLocked && state == lock.Open
	a.isLocked = state == lock.Locked
	first := !a.stood // how the desk was found
	a.stood = true
	fell := state == lock.Torn || state == lock.Open && !first && a.byNobody()
	switch {
	case fell:
		a.bare()
		a.guard.insist(ctx, true, a.left())
	case a.session != nil || first && state == lock.Open:
	case state == lock.Open:
		a.taken()
	case a.work.kept.User != "": // whoever locked it, it is to be proved
		a.guard.insist(ctx, false, a.left())
	}
	a.mu.Unlock()
	switch {
	case fell:
		a.log.Error("the desk's lock fell, or was undone with nobody there: locking again")
	case state == lock.Locked:
		a.hideVisits()
	case unlocked:
		a.recallVisits()
	}
	a.changed()
}

// look notes whether somebody is logged on and there.
func (a *Agent) look() {
	loggedOn, unknown := a.desk.Lock.LoggedOn()
	if unknown != nil {
		a.log.Debug("cannot tell whether somebody is logged on", "err", unknown)
	}
	used := a.desk.Lock.UsedLocally()
	since := a.now().Sub(used) // below 0: by a clock that was ahead
	present := !used.IsZero() && since >= 0 && since < presenceLasts
	a.mu.Lock()
	if unknown != nil {
		loggedOn = a.loggedOn // whoever was is asked before the desk is shut down
	}
	differs := loggedOn != a.loggedOn || present != a.present
	a.loggedOn, a.present = loggedOn, present
	a.mu.Unlock()
	if differs {
		a.changed()
	}
}
