package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"jiseki/internal/cert"
	"jiseki/internal/codec"
	"jiseki/internal/grant"
	"jiseki/internal/input"
	"jiseki/internal/link"
	"jiseki/internal/seal"
	"jiseki/internal/wire"
)

const (
	openLimit = 20 * time.Second // for reaching the relay and the handshake
	// startLimit is for the viewer's first message and the answer to it. Until then nothing else ends the session.
	startLimit = 15 * time.Second
	sayLimit   = 2 * time.Second  // for the last message to a viewer that may not read any more
	hearLimit  = 2 * time.Second  // for the viewer to hang up after it
	endsSoon   = 10 * time.Minute // before session_until the viewer is told
	idleCheck  = time.Second      // how exactly the idle limit is kept
)

// An endError ends a session with a code.
type endError struct {
	code wire.Code
	told bool // by the desk to the viewer, who then hangs up
}

func (e *endError) Error() string { return "session ended: " + e.code.String() }

// A session is one viewer on the desk, from the offer to the end.
type session struct {
	agent  *Agent
	grant  *grant.Grant
	log    *slog.Logger
	sealed *seal.Session
	held   *input.Held
	view   *view
	rights grant.Rights
	since  time.Time   // when it took the desk
	locks  input.Locks // as the viewer was told first

	stop  chan wire.Code // holds the code with which somebody else ends the session
	ended chan struct{}  // closed when nothing of the session runs any more

	say chan struct{} // holds one token while somebody sends on the control channel

	mu        sync.Mutex
	verdict   *endError // why the desk's side ends the session, before the viewer knows
	lastInput time.Time
	coming    *announcement // that the viewer was not told of yet
	wish      wish
	wake      chan struct{} // holds one token when the picture loop has something to look at
	reshape   chan struct{} // the same for the pointer's shapes
	marked    chan uint32   // the viewer's answers to marks
}

// An announcement is something that the gateway has the viewer told of.
type announcement struct {
	code wire.Code
	at   time.Time
}

// announce has the viewer told within a second. A later announcement replaces one that was not told yet.
func (s *session) announce(a announcement) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.coming = &a
}

func (s *session) announced() *announcement {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.coming
	s.coming = nil
	return a
}

// A wish is what the viewer wants to see.
type wish struct {
	visible bool
	monitor uint8 // index in the layout, or wire.AllMonitors
}

func newSession(a *Agent, g *grant.Grant) *session {
	return &session{
		agent: a, grant: g, rights: g.Rights &^ a.cfg.Limits.Deny,
		log:  a.log.With("session", fmt.Sprintf("%x", g.Session[:4]), "user", g.User, "device", g.Device),
		stop: make(chan wire.Code, 1), ended: make(chan struct{}), say: make(chan struct{}, 1), wake: make(chan struct{}, 1),
		reshape: make(chan struct{}, 1), marked: make(chan uint32, 1),
	}
}

// finish asks the session to end with a code; the first code counts. It does not wait.
func (s *session) finish(code wire.Code) {
	select {
	case s.stop <- code:
	default:
	}
}

func (s *session) poke()     { signal(s.wake) }
func (s *session) reshaped() { signal(s.reshape) }

// open reaches the relay on both channels and shakes hands. When it returns nil, the session has taken the desk.
func (s *session) open(ctx context.Context, ticket link.Ticket, device *cert.Certificate) error {
	ctx, cancel := context.WithTimeout(ctx, openLimit)
	defer cancel()
	control, display, err := link.DialBoth(ctx, link.DialConfig{
		URL: "wss://" + s.grant.Relay + "/relay", TLS: s.agent.tlsConfig(), Proxy: s.agent.cfg.Proxy,
		Side: link.Agent, Ticket: ticket, Log: s.log,
	})
	if err != nil {
		return err
	}
	bundle := s.agent.bundle.get()
	s.sealed, err = seal.Accept(ctx, link.Pipe{Conn: control}, link.Pipe{Conn: display}, seal.AcceptConfig{
		Grant: s.grant, Device: device, DeviceCAs: bundle.DeviceCAs, Identity: s.agent.cfg.Identity,
		Keys: s.agent.noise.keys(), Wire: seal.Wire{Min: wire.MinVersion, Max: wire.Version},
		Coders: []uint8{uint8(codec.CoderQ2Z)}, Now: s.agent.now,
		Commit: func(ctx context.Context) error { return s.agent.commit(ctx, s) },
	})
	if err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	return nil
}

// run serves the open session until it ends, and returns the code if it was ended, or the reason if the link was lost.
// No key is down when it returns.
func (s *session) run(ctx context.Context) error {
	defer s.sealed.Close(int(link.Normal), "")
	s.held = input.NewHeld(s.agent.desk.Input)
	defer func() {
		if err := s.held.Close(); err != nil {
			s.log.Error("release keys", "err", err)
		}
	}()
	s.view = s.agent.feed.look(s.poke, s.reshaped)
	defer s.view.close()

	pictures, err := s.greet(ctx)
	if err == nil {
		err = s.work(ctx, pictures)
		s.putLocksBack()
	}
	// A viewer whose line died unnoticed replaces its own session when it comes back.
	if _, code := endCode(err); pictures != nil && (code == 0 || code == wire.Replaced) {
		s.agent.keepResume(s, pictures)
	}
	return err
}

// putLocksBack leaves the lock keys as the session found them: whoever sits down at the desk knows nothing of a device
// at home.
func (s *session) putLocksBack() {
	if !s.rights.Has(grant.RightInput) {
		return
	}
	if err := s.agent.desk.Input.SetLocks(s.locks); err != nil {
		s.log.Warn("lock keys are not as they were", "err", err)
	}
}

// greet takes the viewer's start and answers it, within a time: a viewer that says nothing must not keep the desk. The
// pictures count also when the answer did not reach the viewer.
func (s *session) greet(ctx context.Context) (*pictures, error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	start, err := s.readStart(ctx)
	if err != nil {
		return nil, err
	}
	return s.begin(ctx, start)
}

// work runs the session's loops until one of them ends, and returns why.
//
// Ending a loop must not cut the links: the relay ends all four with the first, and the viewer's last message could be
// lost on its way. So a viewer that was told the end hangs up itself, within reason.
func (s *session) work(ctx context.Context, p *pictures) error {
	working, end := context.WithCancelCause(ctx)
	links, hangUp := context.WithCancel(ctx)
	defer hangUp()
	var loops sync.WaitGroup
	gone := make(chan struct{})
	loops.Go(func() {
		defer close(gone)
		end(s.readControl(working, links))
		s.ignore(links)
	})
	loops.Go(func() { end(s.watch(working)) })
	loops.Go(func() { end(s.inform(working, links)) })
	loops.Go(func() { end(p.send(working, links)) })
	loops.Go(func() { end((&cursors{session: s}).run(working, links)) })
	loops.Go(func() { end(p.readAcks(links)) })
	<-working.Done()
	why := s.reason(context.Cause(working))
	if ended, _ := endCode(why); ended != nil && ended.told {
		select {
		case <-gone:
		case <-time.After(hearLimit):
		}
	}
	hangUp()
	loops.Wait()
	return why
}

// reason is the verdict if there is one, otherwise what happened.
func (s *session) reason(happened error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.verdict != nil {
		return s.verdict
	}
	return happened
}

// ignore reads what the viewer sends after the session's end, until the link is gone.
func (s *session) ignore(links context.Context) {
	for {
		if _, err := s.sealed.Control.Receive(links); err != nil {
			return
		}
	}
}

// endCode returns the code of an endError; otherwise 0.
func endCode(err error) (*endError, wire.Code) {
	var end *endError
	if errors.As(err, &end) {
		return end, end.code
	}
	return nil, 0
}

// readStart takes the viewer's first message, which must be a start.
func (s *session) readStart(ctx context.Context) (*wire.Start, error) {
	raw, err := s.sealed.Control.Receive(ctx)
	if err != nil {
		return nil, err
	}
	message, err := wire.Parse(wire.ControlToAgent, raw)
	if err != nil {
		return nil, s.leave(ctx, wire.ProtocolError, err)
	}
	start, ok := message.(*wire.Start)
	if !ok {
		return nil, s.leave(ctx, wire.ProtocolError, errors.New("the first message is no start"))
	}
	return start, nil
}

// begin answers the start: it waits for the first picture, and says what this desk is and whether the viewer's picture
// still counts.
func (s *session) begin(ctx context.Context, start *wire.Start) (*pictures, error) {
	s.setWish(wish{visible: start.Visible, monitor: start.Monitor})
	s.touched()
	p, resumed, err := newPictures(ctx, s, start)
	if err != nil {
		return nil, s.leave(ctx, wire.CaptureFailed, err)
	}
	if s.locks, err = s.agent.desk.Input.Locks(); err != nil {
		return nil, s.leave(ctx, wire.CaptureFailed, err)
	}
	welcome := &wire.Welcome{
		Run: s.agent.run, Resumed: resumed, Lockable: s.agent.lockable(), Rights: uint32(s.rights),
		SessionUntil: s.grant.SessionUntil, Idle: s.grant.Idle, Desk: s.agent.deskName(),
	}
	layout, locks := &wire.Layout{Layout: p.layout}, &wire.LockState{Locks: wire.LockBits(s.locks)}
	for _, m := range []wire.Message{welcome, layout, locks} {
		if err := s.tell(ctx, m); err != nil {
			return p, err
		}
	}
	return p, nil
}

// tell sends one message on the control channel.
func (s *session) tell(ctx context.Context, m wire.Message) error {
	select {
	case s.say <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.say }()
	return s.sealed.Control.Send(ctx, m.Append(nil))
}

// leave tells the viewer why the session ends and returns the error that ends it.
func (s *session) leave(ctx context.Context, code wire.Code, why error) error {
	s.log.Info("session ends", "code", code.String(), "why", why)
	verdict := s.judge(&endError{code: code, told: true})
	ctx, cancel := context.WithTimeout(ctx, sayLimit)
	defer cancel()
	if err := s.tell(ctx, &wire.AgentEnd{Code: verdict.code}); err != nil {
		s.log.Debug("viewer was not told", "err", err)
	}
	return verdict
}

// judge makes e the reason of the session's end, if it is the first, and returns the reason. A viewer that hears it
// hangs up at once, and then the lost link must not count.
func (s *session) judge(e *endError) *endError {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.verdict == nil {
		s.verdict = e
	}
	return s.verdict
}

// watch ends the session when its time is over, when nobody has typed for too long, and when an operator asks. It waits
// for the viewer in nothing but the last word: one that does not read must not put off the end.
func (s *session) watch(ctx context.Context) error {
	tick := time.NewTicker(idleCheck)
	defer tick.Stop()
	for {
		if code := s.overdue(s.agent.now()); code != 0 {
			return s.leave(ctx, code, nil)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case code := <-s.stop:
			return s.leave(ctx, code, nil)
		case <-tick.C:
		}
	}
}

// inform tells the viewer of lock keys, the lock and the coming end, while the session works or until the links are
// lost.
func (s *session) inform(working, links context.Context) error {
	tick := time.NewTicker(idleCheck)
	defer tick.Stop()
	told := told{locks: s.locks}
	for {
		select {
		case <-working.Done():
			return working.Err()
		case <-tick.C:
		}
		if err := s.news(links, s.agent.now(), &told); err != nil {
			return err
		}
	}
}

// told is what the viewer knows of the desk.
type told struct {
	ending bool // that the session ends soon
	locked bool
	locks  input.Locks
}

// news tells the viewer what it does not know yet.
func (s *session) news(ctx context.Context, now time.Time, t *told) error {
	if left := s.grant.SessionUntil.Sub(now); !t.ending && left < endsSoon {
		t.ending = true
		if err := s.tell(ctx, soon(wire.EndsSoon, left)); err != nil {
			return err
		}
	}
	if a := s.announced(); a != nil {
		if err := s.tell(ctx, soon(a.code, a.at.Sub(now))); err != nil {
			return err
		}
	}
	if locked := s.agent.locked(); locked != t.locked {
		t.locked = locked
		if err := s.tell(ctx, lockNotice(locked)); err != nil {
			return err
		}
	}
	locks, err := s.agent.desk.Input.Locks()
	if err != nil {
		return s.leave(ctx, wire.CaptureFailed, err)
	}
	if locks == t.locks {
		return nil
	}
	t.locks = locks
	return s.tell(ctx, &wire.LockState{Locks: wire.LockBits(locks)})
}

// soon tells of something that comes in a while, or is due.
func soon(code wire.Code, left time.Duration) *wire.Notice {
	return &wire.Notice{Code: code, Seconds: uint32(max(left, 0) / time.Second)} //nolint:gosec // far below 2^32
}

func lockNotice(locked bool) *wire.Notice {
	if locked {
		return &wire.Notice{Code: wire.DeskLocked}
	}
	return &wire.Notice{Code: wire.DeskUnlocked}
}

// overdue says with which code the session has to end now, or 0.
func (s *session) overdue(now time.Time) wire.Code {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !now.Before(s.grant.SessionUntil):
		return wire.Expired
	case !s.agent.leases.hold(now):
		return wire.LeaseLost
	case s.grant.Idle > 0 && now.Sub(s.lastInput) >= s.grant.Idle:
		return wire.Idle
	}
	return 0
}

// touched notes that the viewer's user did something.
func (s *session) touched() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastInput = s.agent.now()
}

func (s *session) setWish(w wish) {
	s.mu.Lock()
	s.wish = w
	s.mu.Unlock()
	s.poke()
	s.reshaped()
}

func (s *session) wanted() wish {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wish
}
