// Package waking wakes desks: it knows which machines stand in which network, chooses one that is awake to send the
// magic packets, follows until the desk's agent connects, and says why when it does not. Bulks are staggered. In the
// morning it wakes the desks of approved days, and it leaves with each agent a plan: when its own timer wakes the
// machine, when to remind its user in the evening, and what to do after sessions.
//
// What is asked and what became of it is in the store, with events; several gateways on one database share the work and
// do no step twice. A gateway that dies loses nothing: another one goes on.
package waking

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"jiseki/internal/access"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/hub"
	"jiseki/internal/store"
	"jiseki/internal/telework"
)

const (
	// lookEvery is how often due wakes are looked for; a local request is seen at once.
	lookEvery = time.Second
	// planEvery is how often the morning plan and the agents' plans are made.
	planEvery = time.Minute
	// hold is how long a step may take before another gateway does it: longer than an agent may take to answer.
	hold = 30 * time.Second
	// atOnce is how many steps a gateway does at the same time.
	atOnce = 16
	// planPatience is how long the morning plan waits for a waker.
	planPatience = 10 * time.Minute
	// maxBulk bounds one request.
	maxBulk = 2000
)

// Agents brings orders to agents: the hub.
type Agents interface {
	Wake(ctx context.Context, desk string, order *controlv1.WakeOrder) (*controlv1.OrderAnswer, error)
	// Plan leaves a plan with an agent that this gateway holds.
	Plan(desk string, plan *controlv1.PlanOrder) error
	// Epochs says which desks this gateway holds, by the epoch of their channels.
	Epochs() map[string]uint64
}

// Config is what a Service needs.
type Config struct {
	Log     *slog.Logger
	Now     func() time.Time
	Store   *store.Store
	Agents  Agents
	Gateway string // id of this gateway
}

// A Service wakes desks. It is safe for use by several goroutines.
type Service struct {
	cfg  Config
	kick chan struct{} // holds one token when somebody asked

	told map[string]told // of Run alone: the plans that agents have
}

// told is the plan that an agent was told on a connection.
type told struct {
	epoch uint64
	plan  *controlv1.PlanOrder
}

// A Refusal says why a desk is not woken.
type Refusal struct{ Code access.Code }

func (r *Refusal) Error() string { return "refused: " + string(r.Code) }

// New makes a Service.
func New(cfg Config) *Service {
	return &Service{cfg: cfg, kick: make(chan struct{}, 1), told: map[string]told{}}
}

// Wake wakes one desk: a *Refusal when it is known already that nobody can. A desk that is on is on: the wake then has
// no id.
func (s *Service) Wake(ctx context.Context, by store.By, desk string) (store.Wake, error) {
	l, err := s.lan(ctx)
	if err != nil {
		return store.Wake{}, err
	}
	m := l.machines[desk]
	if m == nil {
		return store.Wake{}, store.ErrNotFound
	}
	if !l.on(m) {
		// An adapter that forbids it is tried all the same: drivers err, and the packet costs nothing.
		if code := l.problem(m); code == access.WakeNoWaker || code == access.WakeMACUnknown {
			return store.Wake{}, &Refusal{code}
		}
	}
	wakes, err := s.ask(ctx, by, l, 0, desk)
	if err != nil {
		return store.Wake{}, err
	}
	return wakes[0], nil
}

// WakeAll wakes many desks, staggered as the settings say. What cannot be woken is in the list with the reason a moment
// later.
func (s *Service) WakeAll(ctx context.Context, by store.By, desks []string) ([]store.Wake, error) {
	if len(desks) > maxBulk {
		return nil, fmt.Errorf("%w: more than %d desks", store.ErrInvalid, maxBulk)
	}
	o, err := s.cfg.Store.Organisation(ctx)
	if err != nil {
		return nil, err
	}
	l, err := s.lan(ctx)
	if err != nil {
		return nil, err
	}
	return s.ask(ctx, by, l, o.Settings.Policy.WakeStagger, desks...)
}

// ask queues wakes of those desks that are not on.
func (s *Service) ask(ctx context.Context, by store.By, l *lan, stagger time.Duration, desks ...string) ([]store.Wake, error) {
	wakes := make([]store.Wake, len(desks))
	var asks []store.WakeAsk
	var places []int
	for i, id := range desks {
		m := l.machines[id]
		if m == nil {
			return nil, store.ErrNotFound
		}
		if l.on(m) {
			now := l.now.UnixMilli()
			wakes[i] = store.Wake{Desk: id, DeskName: m.Name, State: store.WakeOn, By: by.Actor, AskedMS: now, EndedMS: now}
			continue
		}
		asks = append(asks, store.WakeAsk{Desk: id, FirstMS: l.now.Add(time.Duration(len(asks)) * stagger).UnixMilli()})
		places = append(places, i)
	}
	if len(asks) == 0 {
		return wakes, nil
	}
	queued, err := s.cfg.Store.AskWakes(ctx, by, asks...)
	if err != nil {
		return nil, err
	}
	for i, w := range queued {
		wakes[places[i]] = w
	}
	s.look()
	return wakes, nil
}

// look makes Run look for due wakes at once.
func (s *Service) look() {
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

// Problems says of each desk why it could not be woken now; empty if it could.
func (s *Service) Problems(ctx context.Context, desks ...string) (map[string]access.Code, error) {
	l, err := s.lan(ctx)
	if err != nil {
		return nil, err
	}
	found := make(map[string]access.Code, len(desks))
	for _, id := range desks {
		if m := l.machines[id]; m != nil {
			found[id] = l.problem(m)
		}
	}
	return found, nil
}

// Segments describes the networks in which desks stand.
func (s *Service) Segments(ctx context.Context) ([]Segment, error) {
	l, err := s.lan(ctx)
	if err != nil {
		return nil, err
	}
	return l.list(), nil
}

func (s *Service) lan(ctx context.Context) (*lan, error) {
	machines, err := s.cfg.Store.Machines(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the machines: %w", err)
	}
	return newLAN(machines, s.cfg.Now()), nil
}

// Run wakes and plans until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	looking := time.NewTicker(lookEvery)
	defer looking.Stop()
	planning := time.NewTicker(planEvery)
	defer planning.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-s.kick:
			err = s.work(ctx)
		case <-looking.C:
			err = s.work(ctx)
		case <-planning.C: // not at once: after a restart the agents need some seconds to come back
			err = s.plan(ctx)
		}
		if err != nil && ctx.Err() == nil {
			s.cfg.Log.Error("desks are not woken", "err", err)
		}
	}
}

// work does the due steps of all wakes that no other gateway does.
func (s *Service) work(ctx context.Context) (failing error) {
	for ctx.Err() == nil {
		due, err := s.cfg.Store.WakesDue(ctx)
		if err != nil || !due {
			return errors.Join(failing, err)
		}
		claimed, err := s.cfg.Store.ClaimWakes(ctx, s.cfg.Gateway, hold, atOnce)
		if err != nil || len(claimed) == 0 {
			return errors.Join(failing, err)
		}
		l, err := s.lan(ctx)
		if err != nil {
			return errors.Join(failing, err)
		}
		failed := make([]error, len(claimed))
		var group sync.WaitGroup
		for i, w := range claimed {
			group.Go(func() { failed[i] = s.step(ctx, l, w) })
		}
		group.Wait()
		failing = errors.Join(failing, errors.Join(failed...)) // who failed is held for a while, and keeps no other waiting
	}
	return failing
}

// step goes on with one wake. A wake that ended meanwhile, for its desk came, is well.
func (s *Service) step(ctx context.Context, l *lan, w store.Wake) error {
	next := l.next(&w)
	var err error
	switch {
	case next.end:
		err = s.cfg.Store.EndWake(ctx, s.cfg.Gateway, w.ID, string(next.code))
	case next.ask.id != "":
		err = s.cfg.Store.StepWake(ctx, s.cfg.Gateway, asked(w, next.ask, s.send(ctx, l, w.Desk, next.ask), s.cfg.Now()))
	default:
		err = s.cfg.Store.StepWake(ctx, s.cfg.Gateway, waited(w, next.wait, l.now))
	}
	if errors.Is(err, store.ErrStale) {
		return nil
	}
	return err
}

// send asks a waker and says whether it has sent the packets.
func (s *Service) send(ctx context.Context, l *lan, desk string, c candidate) bool {
	answer, err := s.cfg.Agents.Wake(ctx, c.id, &controlv1.WakeOrder{Macs: macs(l.machines[desk]), Networks: c.networks})
	if err != nil {
		s.cfg.Log.Info("a waker did not answer", "waker", c.id, "desk", desk, "err", err)
		return false
	}
	if !answer.GetDone() {
		s.cfg.Log.Warn("a waker did not send", "waker", c.id, "desk", desk, "code", answer.GetCode())
	}
	return answer.GetDone()
}

// plan wakes the desks of this morning and tells the agents of this gateway what is planned.
func (s *Service) plan(ctx context.Context) error {
	o, err := s.cfg.Store.Organisation(ctx)
	if err != nil {
		return err
	}
	now := s.cfg.Now()
	covers, err := s.cfg.Store.DeskCovers(ctx, now.Add(-24*time.Hour), now.Add(ahead))
	if err != nil {
		return fmt.Errorf("read approved times: %w", err)
	}
	byDesk := map[string][]store.DeskCover{}
	for _, c := range covers {
		byDesk[c.Desk] = append(byDesk[c.Desk], c)
	}
	l, err := s.lan(ctx)
	if err != nil {
		return err
	}
	policy := &o.Settings.Policy
	if policy.WakeByPlan {
		err = s.wakeMorning(ctx, l, byDesk, policy)
	}
	return errors.Join(err, s.tell(ctx, l, byDesk, &o.Settings))
}

// wakeMorning queues the wakes whose time has come. Each entry of the plan is carried out once, whichever gateway is
// first.
func (s *Service) wakeMorning(ctx context.Context, l *lan, covers map[string][]store.DeskCover, policy *access.PolicySettings) error {
	var asks []store.WakeAsk
	for _, desk := range slices.Sorted(maps.Keys(covers)) {
		at, due := dueWake(wakeTimes(bare(covers[desk]), policy.WakeLead), policy.WakeLead, l.now)
		if m := l.machines[desk]; due && m != nil && !l.on(m) {
			asks = append(asks, store.WakeAsk{
				Desk: desk, Plan: desk + "@" + at.UTC().Format(time.RFC3339), PatientMS: l.now.Add(planPatience).UnixMilli(),
				FirstMS: l.now.Add(time.Duration(len(asks)) * policy.WakeStagger).UnixMilli(),
			})
		}
	}
	failed := make([]error, len(asks))
	for i, ask := range asks { // each by itself: one that cannot be asked for, for its desk was just deleted, keeps no other asleep
		_, failed[i] = s.cfg.Store.AskWakes(ctx, store.By{Actor: "gateway:" + s.cfg.Gateway}, ask)
	}
	return errors.Join(failed...)
}

func bare(covers []store.DeskCover) []telework.Cover {
	all := make([]telework.Cover, len(covers))
	for i, c := range covers {
		all[i] = c.Cover
	}
	return all
}

// tell leaves their plans with the agents of this gateway that have another one. All are tried.
func (s *Service) tell(ctx context.Context, l *lan, covers map[string][]store.DeskCover, settings *access.Settings) error {
	held := s.cfg.Agents.Epochs()
	maps.DeleteFunc(s.told, func(desk string, _ told) bool { _, here := held[desk]; return !here })
	var failed []error
	for desk, epoch := range held {
		m := l.machines[desk]
		if m == nil || m.AlwaysOn {
			continue
		}
		plan, err := s.planOf(ctx, m, covers[desk], settings, l.now)
		if err != nil {
			failed = append(failed, fmt.Errorf("plan of desk %s: %w", desk, err))
			continue
		}
		if before := s.told[desk]; before.epoch == epoch && proto.Equal(before.plan, plan) {
			continue
		}
		switch err := s.cfg.Agents.Plan(desk, plan); {
		case err == nil:
			s.told[desk] = told{epoch, plan}
		case !errors.Is(err, hub.ErrAway):
			failed = append(failed, fmt.Errorf("plan of desk %s: %w", desk, err))
		}
	}
	return errors.Join(failed...)
}

// planOf is the plan of one desk, for all its users.
func (s *Service) planOf(ctx context.Context, m *store.Machine, covers []store.DeskCover, settings *access.Settings, now time.Time) (*controlv1.PlanOrder, error) {
	after, err := s.after(ctx, m, settings)
	if err != nil {
		return nil, err
	}
	policy := &settings.Policy
	if !policy.WakeByPlan {
		return order(nil, after, now), nil
	}
	plan := order(wakeTimes(bare(covers), policy.WakeLead), after, now)
	byUser := map[string][]telework.Cover{}
	for _, c := range covers {
		byUser[c.User] = append(byUser[c.User], c.Cover)
	}
	for user, mine := range byUser {
		hours, err := s.cfg.Store.Timetable(ctx, user)
		if err != nil {
			return nil, err
		}
		if from, until, ok := reminder(mine, &hours, now); ok && (plan.RemindFromMs == 0 || from.UnixMilli() < plan.RemindFromMs) {
			plan.RemindFromMs, plan.RemindUntilMs = from.UnixMilli(), until.UnixMilli()
		}
	}
	return plan, nil
}

// after is what a desk does after sessions: of its users' policies the one that leaves most on.
func (s *Service) after(ctx context.Context, m *store.Machine, settings *access.Settings) (access.PowerAfter, error) {
	if !slices.ContainsFunc(settings.Policy.Rules, func(r access.PolicyRule) bool { return r.PowerAfter > access.PowerLeave }) {
		return access.PowerLeave, nil
	}
	var least access.PowerAfter
	for _, user := range m.Users {
		standing, err := s.cfg.Store.Standing(ctx, user)
		if err != nil {
			return 0, err
		}
		policy := settings.Resolve(standing.Subject(m.Zone))
		if least == 0 || policy.PowerAfter < least {
			least = policy.PowerAfter
		}
	}
	return max(least, access.PowerLeave), nil
}
