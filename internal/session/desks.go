package session

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"jiseki/internal/cert"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/hub"
	"jiseki/internal/quiet"
	"jiseki/internal/register"
	"jiseki/internal/store"
)

// reportTime is how long a report of an agent may be on its way. A session that
// has been open for less does not end because the desk's own list of sessions does
// not name it.
const reportTime = 10 * time.Second

// Desks keeps in the store what the agents of one gateway report. It is what the
// hub asks and tells.
type Desks struct {
	log     *slog.Logger
	now     func() time.Time
	store   *store.Store
	gateway string
}

// NewDesks makes the Desks of the gateway with this id.
func NewDesks(log *slog.Logger, now func() time.Time, s *store.Store, gateway string) *Desks {
	return &Desks{log: log, now: now, store: s, gateway: gateway}
}

// Attach checks that the desk is in service with this key and begins its
// channel.
func (d *Desks) Attach(ctx context.Context, a hub.Arrival) (hub.Attached, error) {
	desk, err := d.store.Desk(ctx, a.Desk)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return hub.Attached{}, hub.ErrUnknownDesk
	case err != nil:
		return hub.Attached{}, err
	case desk.Key != a.Key:
		return hub.Attached{}, hub.ErrOtherKey
	}
	epoch, err := d.store.DeskConnected(ctx, store.DeskHello{
		Desk: a.Desk, Gateway: d.gateway, Statement: a.Statement, Hostname: a.Hostname,
		AgentVersion: a.AgentVersion, System: a.System, Address: a.Address,
		Adapters: a.Adapters, AlwaysOn: a.AlwaysOn, Reaches: a.Reaches,
	})
	switch {
	case errors.Is(err, store.ErrNotFound): // deleted in between
		return hub.Attached{}, hub.ErrRevoked
	case err != nil:
		return hub.Attached{}, err
	}
	return hub.Attached{Epoch: uint64(epoch), Name: desk.Name}, nil //nolint:gosec // counts from 1
}

// SetState keeps what the agent says, and ends in the store what no longer runs
// at the desk although nobody reported its end: the agent was killed.
func (d *Desks) SetState(ctx context.Context, desk string, epoch uint64, state *controlv1.State) error {
	err := d.store.SetDeskState(ctx, desk, int64(epoch), store.DeskState{ //nolint:gosec // counts from 1
		LoggedIn: state.GetLoggedIn(), Locked: state.GetLocked(), Lockable: state.GetLockable(), Present: state.GetPresent(),
		Fault: state.GetScreenFault(),
	})
	if errors.Is(err, store.ErrStale) {
		return nil // a newer channel speaks for the desk
	}
	if err != nil {
		return err
	}
	return d.endLost(ctx, desk, state.GetSessionIds())
}

func (d *Desks) endLost(ctx context.Context, desk string, running [][]byte) error {
	sessions, err := d.store.RunningSessions(ctx, desk)
	if err != nil {
		return err
	}
	for _, s := range sessions {
		young := store.Since(d.now(), s.OpenedMS) < reportTime
		named := slices.ContainsFunc(running, func(id []byte) bool { return string(id) == string(s.ID[:]) })
		if s.Life != store.LifeOpen || young || named {
			continue
		}
		by := store.By{Actor: "gateway:" + d.gateway}
		if err := d.store.EndSession(ctx, by, s.ID, codeAgentStopping, "lost_at_desk"); err != nil {
			return err
		}
	}
	return nil
}

// Detach records that a channel ended.
func (d *Desks) Detach(ctx context.Context, desk string, epoch uint64, stopping bool) error {
	code := ""
	if stopping {
		code = "gateway_stopping"
	}
	return d.store.DeskGone(ctx, desk, int64(epoch), code) //nolint:gosec // counts from 1
}

// Record writes a session event once. What the desk cannot report is in the log as a refusal, so that the agent need
// not send it for ever.
func (d *Desks) Record(ctx context.Context, desk string, e *controlv1.SessionEvent) error {
	id := cert.SessionID(e.GetSessionId())
	err := d.store.AddAgentEvent(ctx, store.AgentEvent{
		Desk: desk, Run: [16]byte(e.GetRun()), Seq: e.GetSeq(), Session: id,
		Kind: store.AgentEventKind(e.GetKind()), Code: uint16(min(e.GetCode(), 0xffff)), //nolint:gosec // bounded here
		TimeMS: e.GetTimeMs(),
	})
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrLife) || errors.Is(err, store.ErrInvalid) {
		d.log.With(quiet.Desk(desk)).Warn("a desk reported of a session what cannot be", "session", id, "kind", e.GetKind(), "err", err)
		return nil
	}
	return err
}

// Register reads a part of the register of devices.
func (d *Desks) Register(ctx context.Context, from uint64, limit int) (register.Part, error) {
	return d.store.Register(ctx, from, limit)
}

// RegisterEnd is how many entries the register of devices has.
func (d *Desks) RegisterEnd(ctx context.Context) (uint64, error) { return d.store.RegisterEnd(ctx) }

// Differs records that a desk cannot follow the register, and tells administrators.
func (d *Desks) Differs(ctx context.Context, desk, code string, entries uint64) error {
	d.log.With(quiet.Desk(desk)).Error("a desk holds another register of devices than this gateway", "code", code, "entries", entries)
	return d.store.DeskDiffers(ctx, desk, code, entries)
}

// Enrolled says of each desk that is enrolled with which key, and the epoch of its newest channel.
func (d *Desks) Enrolled(ctx context.Context) (map[string]hub.Enrolment, error) {
	all, err := d.store.EnrolledDesks(ctx)
	if err != nil {
		return nil, err
	}
	enrolled := make(map[string]hub.Enrolment, len(all))
	for _, k := range all {
		enrolled[k.ID] = hub.Enrolment{Key: k.Key, Epoch: uint64(k.Epoch)} //nolint:gosec // counts from 1
	}
	return enrolled, nil
}

// Running names the sessions that may go on, by desk: granted or open, and not
// past their time.
func (d *Desks) Running(ctx context.Context) (map[string][]cert.SessionID, error) {
	sessions, err := d.store.RunningSessions(ctx, "")
	if err != nil {
		return nil, err
	}
	running := make(map[string][]cert.SessionID)
	for _, s := range sessions {
		running[s.Desk] = append(running[s.Desk], s.ID)
	}
	return running, nil
}
