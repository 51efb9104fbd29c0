package session

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/audit"
	"jiseki/internal/cert"
	"jiseki/internal/grant"
	"jiseki/internal/hub"
	"jiseki/internal/store"
)

const (
	// lookEvery is how often a gateway looks whether anything was recorded. What changes is acted on at the second
	// look, so that whoever made the change ends with its own reason what it ends itself.
	lookEvery = 500 * time.Millisecond
	// reviewEvery is how often running sessions are decided anew although nothing seems to have changed.
	reviewEvery = time.Minute
	// manyEvents between two looks are not read one by one: something will have changed.
	manyEvents = 1000
	// rest is how long a review waits behind the last one, in times of what that took: whoever changes something every
	// second does not have a gateway with many sessions do nothing else.
	rest = 2
	// warnBefore is how long before an end the user is told.
	warnBefore = 10 * time.Minute
)

// Codes of docs/PROTOCOL.md section 5.2 that a viewer is warned with.
const (
	warnEndsSoon = "ends_soon"
	warnHoursEnd = "hours_end"
)

// quietKinds are the kinds of events that no running session stands on, or that are acted on at once where they happen
// (OnSegment), or that only give more. Every other kind, also one that is added later, has running
// sessions decided anew.
var quietKinds = map[audit.Kind]bool{
	audit.GatewayStarted: true, audit.GatewayStopped: true, audit.KeysCreated: true, audit.KeysChanged: true,
	audit.SignIn: true, audit.SignInRefused: true, audit.SignOut: true, audit.PasswordChanged: true, audit.RecoveryCodeUsed: true,
	audit.UserCreated: true, audit.UserUnlocked: true, audit.UserEnabled: true,
	audit.DeviceCodeCreated: true, audit.DeviceEnrolled: true, audit.DeviceRefused: true, audit.DeviceRenewed: true,
	audit.DeskCreated: true, audit.DeskTokenCreated: true, audit.DeskRefused: true, audit.DeskRenewed: true,
	audit.DeskConnected: true, audit.DeskGone: true, audit.DeskLockOrdered: true, audit.DeskLockAnswered: true,
	audit.DeskDiffers: true, audit.DeskMoved: true, audit.RegisterKept: true,
	audit.SessionPrepared: true, audit.SessionRefused: true, audit.SessionGranted: true, audit.SessionOpened: true,
	audit.SessionEnded: true, audit.SessionEndOrdered: true, audit.SessionLocked: true, audit.SessionLockFailed: true,
	audit.WorkdayReported: true, audit.WorkdayDone: true, audit.MonthConfirmed: true, audit.MonthsExported: true, audit.MailsRetried: true,
	audit.RequestSubmitted: true, audit.RequestPassed: true, audit.RequestReturned: true, audit.RequestRefused: true,
	audit.RequestsConfirmed: true, audit.AbsenceEntered: true, audit.AbsenceDeleted: true,
}

// A review is what a gateway knows of the running sessions that its relay carries, beyond their grants. The caller of
// each method has begun a review.
type review struct {
	head   uint64        // number of the newest event that was looked at
	due    bool          // something changed
	took   time.Duration // the last review
	last   time.Time     // of the last review, on the gateway's clock
	known  map[cert.SessionID]outlook
	warned map[cert.SessionID]warning
}

// A warning is what the user of a session was told last.
type warning struct {
	code string
	end  int64 // milliseconds since 1970-01-01 UTC
}

// An outlook is how a running session was decided last.
type outlook struct {
	session store.Session
	end     time.Time // earlier than the grant says; zero: as the grant says
	warn    time.Time // end of hours that does not end the session
}

// Reviewed is the time, on the gateway's clock, up to which what running sessions stand on is known and was acted on; zero before the
// first look. It stands still while the database does not answer.
func (m *Manager) Reviewed() time.Time {
	if at := m.reviewed.Load(); at != nil {
		return *at
	}
	return time.Time{}
}

// beginReview waits until nobody else uses the review, unless ctx ends before.
func (m *Manager) beginReview(ctx context.Context) error {
	select {
	case m.reviewing <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (m *Manager) endReview() { <-m.reviewing }

// look is one look of the review: it acts on what was noticed at the look before.
func (m *Manager) look(ctx context.Context) error {
	if err := m.beginReview(ctx); err != nil {
		return err
	}
	defer m.endReview()
	r := &m.review
	r.due = m.overlooked.Swap(false) || r.due
	_ = m.cfg.Store.CheckClock(ctx) // a clock that has just jumped must end nothing; what does not answer is told of below
	now := m.cfg.Now()
	if r.last.IsZero() { // what was recorded before this gateway started is in its first review
		mark, err := m.cfg.Store.Head(ctx)
		if err != nil {
			return err
		}
		r.head = mark.Number
	}
	if since := now.Sub(r.last); r.due && since >= rest*r.took || since >= reviewEvery || since < 0 { // below 0: the clock was set back
		if err := m.reviewAll(ctx); err != nil { // tried again at the next look; the times of all others are kept
			if !errors.Is(err, errUnanswered) { // something is damaged about one session, or its end not written
				m.reviewed.Store(&now)
			}
			return errors.Join(err, m.keepTimes(ctx, now))
		}
		r.due, r.last = false, m.cfg.Now()
		r.took = r.last.Sub(now)
	}
	waits := r.due
	changed, head, err := m.changed(ctx, r.head)
	if err != nil {
		return err
	}
	r.due, r.head = r.due || changed, head
	m.newest.Store(head)
	if !waits {
		m.reviewed.Store(&now)
	}
	return m.keepTimes(ctx, now)
}

// errUnanswered: the database did not say what sessions are decided by.
var errUnanswered = errors.New("session: the database did not answer")

// changed says whether anything that running sessions stand on was recorded after an event, and names the newest event.
func (m *Manager) changed(ctx context.Context, after uint64) (changed bool, head uint64, err error) {
	mark, err := m.cfg.Store.Head(ctx)
	if err != nil || mark.Number == after {
		return false, mark.Number, err
	}
	kinds, err := m.cfg.Store.KindsAfter(ctx, after, manyEvents)
	if err != nil {
		return false, after, err
	}
	changed = len(kinds) == manyEvents || slices.ContainsFunc(kinds, func(k audit.Kind) bool { return !quietKinds[k] })
	return changed, mark.Number, nil
}

// reviewAll decides all running sessions of this gateway anew and ends those that may not go on.
func (m *Manager) reviewAll(ctx context.Context) error {
	running, err := m.cfg.Store.RunningSessions(ctx, "")
	if err != nil {
		return fmt.Errorf("%w: %w", errUnanswered, err)
	}
	known := make(map[cert.SessionID]outlook, len(running))
	var failed []error
	for _, s := range running {
		if s.Gateway != m.cfg.Gateway {
			continue // its gateway sees the same events
		}
		o, err := m.reconsider(ctx, s)
		if err != nil {
			failed = append(failed, err)
			o = m.review.known[s.ID]
			o.session = s
		}
		known[s.ID] = o
	}
	m.review.known = known
	for id := range m.review.warned {
		if _, ok := known[id]; !ok {
			delete(m.review.warned, id)
		}
	}
	return errors.Join(failed...)
}

// reconsider decides a running session anew. It ends it if the answer is no, and says what is to be expected of it if
// yes.
func (m *Manager) reconsider(ctx context.Context, s store.Session) (outlook, error) {
	o := outlook{session: s}
	now := m.cfg.Now()
	granted := time.UnixMilli(s.UntilMS)
	if !now.Before(granted) {
		return o, nil // the agent ends it by itself
	}
	d, err := m.redecide(ctx, &s)
	if errors.Is(err, store.ErrFailed) {
		return o, fmt.Errorf("decide a running session anew: %w: %w", errUnanswered, err)
	}
	if err != nil {
		return o, fmt.Errorf("decide a running session anew: %w", err)
	}
	switch {
	case !d.Allowed():
		return o, m.endByPolicy(ctx, s, d.Reasons[0])
	case s.Rights&^d.Rights != 0, d.Idle > 0 && (s.IdleMS == 0 || d.Idle < time.Duration(s.IdleMS)*time.Millisecond):
		return o, m.endByPolicy(ctx, s, rightsChanged) // the viewer asks again and gets what it may have now
	}
	if d.Until.Before(granted.Add(-time.Second)) {
		o.end = d.Until
	}
	o.warn = d.Warn
	return o, nil
}

// rightsChanged is why a session ends whose user may have less of it now, but may have it.
const rightsChanged access.Code = "rights_changed"

// redecide decides a running session as if it were asked for now. What matters only for opening it does not count:
// whether the desk is on, in use, or a seat free; the session has all that.
func (m *Manager) redecide(ctx context.Context, s *store.Session) (access.Decision, error) {
	c := Caller{SignIn: store.SignIn{User: s.User, Device: s.Device, Second: s.Second, UntilMS: s.UntilMS}, Place: s.Place}
	about, err := m.caller(ctx, c, s.Viewer)
	if err != nil {
		return access.Decision{}, err
	}
	desk, err := m.cfg.Store.Desk(ctx, s.Desk)
	if errors.Is(err, store.ErrNotFound) { // deleted
		return access.Decision{Reasons: []access.Code{access.DeskNotYours}}, nil
	}
	if err != nil {
		return access.Decision{}, fmt.Errorf("read desk: %w", err)
	}
	about.at(desk, nil, m.cfg.Now())
	in := &about.input
	if a, err := netip.ParseAddr(s.Address); err == nil { // networks may have been put right since
		in.Place = in.Settings.PlaceOf(a)
	}
	in.User.MustChange = false
	in.Desk.Presence, in.Desk.InUseBy = access.On, ""
	d := access.Decide(*in)
	if last := time.UnixMilli(s.GrantedMS).Add(in.Settings.SessionMax); last.Before(d.Until) {
		d.Until = last
	}
	return d, nil
}

// takenAway are reasons after which the viewer need not ask again: somebody decided about this user, device or desk.
var takenAway = []access.Code{access.UserDisabled, access.DeviceRevoked, access.DeviceNotYours, access.DeskNotYours, access.DeskNotEnrolled}

// endByPolicy ends a session that may not go on. With the code of policy the viewer asks again, and shows what is
// refused.
func (m *Manager) endByPolicy(ctx context.Context, s store.Session, why access.Code) error {
	code := uint16(codePolicy)
	if slices.Contains(takenAway, why) {
		code = codeRevoked
	}
	return m.end(ctx, store.By{Actor: "gateway:" + m.cfg.Gateway}, s, code, string(why))
}

// keepTimes ends sessions whose time was made shorter, and warns of ends that the agent does not know of.
func (m *Manager) keepTimes(ctx context.Context, now time.Time) error {
	var failed []error
	for id, o := range m.review.known {
		switch {
		case !o.end.IsZero() && !now.Before(o.end):
			delete(m.review.known, id)
			failed = append(failed, m.endShortened(ctx, o.session))
		case !o.end.IsZero():
			m.warn(&o.session, warnEndsSoon, o.end, now)
		case !o.warn.IsZero():
			m.warn(&o.session, warnHoursEnd, o.warn, now)
		}
	}
	return errors.Join(failed...)
}

// endShortened decides once more, for the reason, and ends the session in any case.
func (m *Manager) endShortened(ctx context.Context, s store.Session) error {
	why := access.HoursOver
	if d, err := m.redecide(ctx, &s); err == nil && len(d.Reasons) > 0 {
		why = d.Reasons[0]
	}
	return m.endByPolicy(ctx, s, why)
}

// warn tells the user of a session of an end, ten minutes before it, once.
func (m *Manager) warn(s *store.Session, code string, end, now time.Time) {
	w := warning{code, end.UnixMilli()}
	if s.Life != store.LifeOpen || end.Sub(now) > warnBefore || !now.Before(end) || m.review.warned[s.ID] == w {
		return
	}
	m.review.warned[s.ID] = w
	desk, id := s.Desk, s.ID
	m.order(desk, "a user was not told that the session ends", func(ctx context.Context) error {
		if err := m.cfg.Agents.Warn(ctx, desk, id, code, end); !errors.Is(err, hub.ErrAway) {
			return err
		}
		return nil
	})
}

// OnSegment decides the running sessions of a user anew, because another segment of the workday began: during breaks
// and leave policy may end and lock them. When that takes too long, or fails, the next look decides all sessions anew.
func (m *Manager) OnSegment(ctx context.Context, user string) {
	if err := m.redecideOf(ctx, user); err != nil {
		m.overlooked.Store(true)
		m.log.Error("sessions were not decided anew after a report of work", "user", user, "err", err)
	}
}

// segmentWait is how long a report of work waits for a review.
const segmentWait = 2 * time.Second

func (m *Manager) redecideOf(ctx context.Context, user string) error {
	waiting, cancel := context.WithTimeout(ctx, segmentWait)
	defer cancel()
	if err := m.beginReview(waiting); err != nil {
		return err
	}
	defer m.endReview()
	running, err := m.cfg.Store.RunningSessions(ctx, "")
	if err != nil {
		return err
	}
	var failed []error
	for _, s := range running {
		if s.User == user {
			_, err := m.reconsider(ctx, s)
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// overtaken says whether a decision about a session, made when the log ended with an event, may no longer hold: what it
// stands on changed before the session was granted, so that the review of that change, or OnSegment, did not find it.
func (m *Manager) overtaken(ctx context.Context, id cert.SessionID, after uint64) (bool, error) {
	kinds, err := m.cfg.Store.KindsAfter(ctx, after, manyEvents)
	loud := func(k audit.Kind) bool { return !quietKinds[k] || k == audit.WorkdayReported }
	if err != nil || (len(kinds) < manyEvents && !slices.ContainsFunc(kinds, loud)) {
		return false, err
	}
	s, err := m.cfg.Store.Session(ctx, id)
	if err != nil {
		return false, err
	}
	d, err := m.redecide(ctx, &s)
	return !d.Allowed() || s.Rights&^d.Rights != grant.Rights(0), err
}
