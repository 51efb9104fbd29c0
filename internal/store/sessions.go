package store

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"jiseki/internal/access"
	"jiseki/internal/audit"
	"jiseki/internal/cert"
	"jiseki/internal/grant"
)

// Session is one viewer on one desk.
type Session struct {
	ID             cert.SessionID
	User           string
	UserName       string // read only
	Device         string
	DeviceLabel    string // read only
	Desk           string
	DeskName       string // read only
	Viewer         grant.ViewerKind
	Place          access.Place
	Address        string // the viewer's
	Life           Life
	Nonce          cert.Nonce
	ReconnectOf    []byte // id of the session that this one continues, or nil
	Rights         grant.Rights
	Relay          string
	Gateway        string // id of the gateway whose relay carries it
	PreparedMS     int64
	GrantedMS      int64
	OpenedMS       int64
	EndedMS        int64
	UntilMS        int64  // session_until of the grant
	EndCode        uint16 // PROTOCOL.md section 5.2; 0 while it runs
	EndReason      string
	BytesToViewer  int64
	BytesToDesk    int64
	LockedAfterEnd bool
	Second         bool  // a one-time password was given at the sign-in
	IdleMS         int64 // idle limit of the grant; 0: none
}

// prepareLife is how long a prepared session waits for its signature, in milliseconds.
const prepareLife = 120_000

// offerLife is how long a granted session may take to open before its slot is free again: open_before plus skew.
const offerLife = 120_000

const selectSession = `SELECT s.id, s.user_id, su.name, s.device_id, sd.label, s.desk_id, sk.name, s.viewer_kind, s.place, s.address,
	s.life, s.nonce, s.reconnect_of, s.rights, s.relay, s.gateway, s.prepared_ms, s.granted_ms, s.opened_ms, s.ended_ms, s.until_ms,
	s.end_code, s.end_reason, s.bytes_to_viewer, s.bytes_to_desk, s.locked_after_end, s.second, s.idle_ms
	FROM sessions s JOIN users su ON su.id = s.user_id JOIN devices sd ON sd.id = s.device_id JOIN desks sk ON sk.id = s.desk_id`

func scanSession(row scanner, s *Session) error {
	var id, nonce []byte
	err := row.Scan(&id, &s.User, &s.UserName, &s.Device, &s.DeviceLabel, &s.Desk, &s.DeskName, &s.Viewer, &s.Place, &s.Address, &s.Life,
		&nonce, &s.ReconnectOf, &s.Rights, &s.Relay, &s.Gateway, &s.PreparedMS, &s.GrantedMS, &s.OpenedMS, &s.EndedMS, &s.UntilMS,
		&s.EndCode, &s.EndReason, &s.BytesToViewer, &s.BytesToDesk, &s.LockedAfterEnd, &s.Second, &s.IdleMS)
	copy(s.ID[:], id)
	copy(s.Nonce[:], nonce)
	return err
}

// PrepareSession keeps a session that waits for the viewer's signature. Nothing is decided yet, so there is no event.
// Fields: ID, User, Device, Desk, Place, Address, Nonce, Second.
func (s *Store) PrepareSession(ctx context.Context, x Session) error {
	return s.transact(ctx, func(t *tx) error {
		err := t.exec(`DELETE FROM sessions WHERE life < 4 AND life = 1 AND (prepared_ms < $1 OR prepared_ms > $2)`, t.now-prepareLife, latest(t.time()))
		if err != nil {
			return err
		}
		return t.exec(`INSERT INTO sessions (id, user_id, device_id, desk_id, viewer_kind, place, address, life, nonce, rights, relay,
			gateway, prepared_ms, granted_ms, opened_ms, ended_ms, until_ms, end_code, end_reason, bytes_to_viewer, bytes_to_desk,
			locked_after_end, second)
			VALUES ($1, $2, $3, $4, 0, $5, $6, 1, $7, 0, '', '', $8, 0, 0, 0, 0, 0, '', 0, 0, FALSE, $9)`,
			x.ID[:], x.User, x.Device, x.Desk, int64(x.Place), x.Address, x.Nonce[:], t.now, x.Second)
	})
}

// Session reads a session.
func (s *Store) Session(ctx context.Context, id cert.SessionID) (Session, error) {
	return get(ctx, s.read, scanSession, selectSession+` WHERE s.id = $1`, id[:])
}

// GrantSession spends a prepared session: its nonce and id can mint no second grant (ErrLife), nor can they after two
// minutes (ErrExpired). ErrLife too when the user was disabled, the device revoked or the desk taken away since, and
// ErrStale when the sign-in in which it is opened has ended, by its hash; the zero hash is of no sign-in, for a past
// that is made up. It refuses when there is no seat (*NoSeat); sessions of the same desk do not count. A desk has one
// grant that waits to be opened: older ones end, and are returned for the caller to end at the relay. Place, address
// and second factor are those of who opens, wherever it was prepared. Fields: ID, Place, Address, Second, Viewer,
// Rights, Relay, Gateway, UntilMS, IdleMS, ReconnectOf.
func (s *Store) GrantSession(ctx context.Context, by By, signIn [32]byte, x Session) (replaced []Session, err error) {
	err = s.act(ctx, func(t *tx) error {
		old, err := get(ctx, t, scanSession, selectSession+` WHERE s.id = $1`, x.ID[:])
		if err != nil {
			return err
		}
		if err := by.checkStep(&old, LifeGranted); err != nil {
			return err
		}
		if !t.lately(old.PreparedMS, prepareLife) {
			return ErrExpired
		}
		// Whoever takes one of these away holds the same lock: a session that was prepared before is not granted after.
		var rights int64
		err = t.one(`SELECT COUNT(*) FROM users u JOIN devices d ON d.id = $2 JOIN desk_users k ON k.user_id = u.id AND k.desk_id = $3
			WHERE u.id = $1 AND NOT u.disabled AND d.revoked_ms = 0`, []any{old.User, old.Device, old.Desk}, &rights)
		if err != nil {
			return err
		}
		if rights == 0 {
			return ErrLife
		}
		if signIn != [32]byte{} {
			if err := t.signedIn(old.User, signIn); err != nil {
				return err
			}
		}
		old.Place = x.Place
		if err := t.takeSeat(&old); err != nil {
			return err
		}
		if replaced, err = t.replace(by, &old, LifeGranted); err != nil {
			return err
		}
		err = t.must(`UPDATE sessions SET life = 2, viewer_kind = $2, rights = $3, relay = $4, gateway = $5, until_ms = $6,
			reconnect_of = $7, granted_ms = $8, idle_ms = $9, place = $10, address = $11, second = $12 WHERE id = $1 AND life = 1`,
			x.ID[:], int64(x.Viewer), int64(x.Rights), x.Relay, x.Gateway, x.UntilMS, x.ReconnectOf, t.now, x.IdleMS,
			int64(x.Place), x.Address, x.Second)
		if err != nil {
			return err
		}
		return t.recordSession(by, audit.SessionGranted, &old, "", audit.Details{
			"device": old.Device, "place": old.Place.String(), "rights": x.Rights.String(), "viewer": int(x.Viewer),
			"reconnect_of": hex.EncodeToString(x.ReconnectOf),
		})
	})
	return replaced, err
}

// replace ends what stands at a life on the desk of x, for x takes its place.
func (t *tx) replace(by By, x *Session, life Life) ([]Session, error) {
	others, err := list(t.ctx, t, scanSession, selectSession+` WHERE s.desk_id = $1 AND s.life < 4 AND s.life = $2`, x.Desk, int64(life))
	if err != nil {
		return nil, err
	}
	for i := range others {
		code := uint16(codeTakenOver)
		if others[i].Device == x.Device {
			code = codeReplaced
		}
		if err := t.endSession(by, &others[i], code, "", nil); err != nil {
			return nil, err
		}
	}
	return others, nil
}

func (t *tx) recordSession(by By, kind audit.Kind, x *Session, code string, d audit.Details) error {
	e := by.entry(kind, "desk:"+x.Desk, d)
	e.Session, e.Code = x.ID[:], code
	if e.Details == nil {
		e.Details = audit.Details{}
	}
	e.Details["user"] = x.User
	if kind == audit.SessionLockFailed {
		e.Outcome = audit.Failed
	}
	return t.record(e)
}

// AgentEvent is what an agent reports of a session. (Desk, Run, Seq) names it; a second copy is ignored.
type AgentEvent struct {
	Desk    string
	Run     [16]byte
	Seq     uint64
	Session cert.SessionID
	Kind    AgentEventKind
	Code    uint16 // PROTOCOL.md section 5.2
	TimeMS  int64  // the agent's clock
}

// AgentEventKind is what happened at the desk.
type AgentEventKind int64

// The kinds. Their numbers are those of the control API.
const (
	AgentOpened      AgentEventKind = 1
	AgentEnded       AgentEventKind = 2
	AgentLocked      AgentEventKind = 3
	AgentLockFailed  AgentEventKind = 4
	AgentRefused     AgentEventKind = 5
	AgentTakenOver   AgentEventKind = 6
	AgentEndedAtDesk AgentEventKind = 7
)

// Codes of PROTOCOL.md section 5.2 that the store itself sets.
const (
	codeEndedByUser = 1
	codeTakenOver   = 2
	codeEndedAtDesk = 3
	codeExpired     = 5
	codeReplaced    = 18
)

// AddAgentEvent brings the session to where the agent says it is, once per (desk, run, seq). An opened session ends any
// other open one of the desk: the agent let only one control. What cannot be is kept as a refusal, once, and is an
// error: ErrNotFound, no such session of this desk; ErrLife, it was not granted; ErrInvalid, no such kind.
func (s *Store) AddAgentEvent(ctx context.Context, e AgentEvent) error {
	keep := s.note
	if s.ends(ctx, &e) {
		keep = s.takeAway
	}
	return keep(ctx, func(t *tx) error {
		n, err := t.count(`INSERT INTO agent_events (desk_id, run, seq, time_ms) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
			e.Desk, e.Run[:], int64(e.Seq), t.now) //nolint:gosec // counts from 1
		if err != nil {
			return err
		}
		if n == 0 {
			return errUnchanged
		}
		x, err := get(ctx, t, scanSession, selectSession+` WHERE s.id = $1 AND s.desk_id = $2`, e.Session[:], e.Desk)
		switch {
		case errors.Is(err, ErrNotFound):
			return t.refuseReport(&e, foreignSession, err)
		case err != nil:
			return err
		case e.Kind < AgentOpened || e.Kind > AgentEndedAtDesk:
			return t.refuseReport(&e, unknownEvent, fmt.Errorf("%w: kind of agent event", ErrInvalid))
		case x.GrantedMS == 0:
			return t.refuseReport(&e, sessionLife, ErrLife)
		}
		return t.applyAgentEvent(&x, &e)
	})
}

// ends says that an event takes a session of its desk away, or says that the desk is locked, and for the first time: what else a desk
// reports, as often as it likes, is not for the room that is left on a full disk.
func (s *Store) ends(ctx context.Context, e *AgentEvent) bool {
	x, err := get(ctx, s.read, scanSession, selectSession+` WHERE s.id = $1 AND s.desk_id = $2`, e.Session[:], e.Desk)
	if err != nil || x.GrantedMS == 0 {
		return false
	}
	switch e.Kind {
	case AgentEnded, AgentTakenOver, AgentEndedAtDesk, AgentRefused:
		return x.Life != LifeEnded
	case AgentLocked:
		return !x.LockedAfterEnd
	}
	return false
}

func (t *tx) applyAgentEvent(x *Session, e *AgentEvent) error {
	by := By{Actor: "desk:" + e.Desk}
	d := audit.Details{"agent_time_ms": e.TimeMS}
	code := ""
	if e.Code != 0 {
		code = strconv.Itoa(int(e.Code))
	}
	switch e.Kind {
	case AgentOpened:
		return t.openSession(by, x, d)
	case AgentEnded:
		return t.endSession(by, x, e.Code, "", d)
	case AgentTakenOver:
		return t.endSession(by, x, codeTakenOver, "", d)
	case AgentEndedAtDesk:
		return t.endSession(by, x, codeEndedAtDesk, "", d)
	case AgentRefused:
		return t.endSession(by, x, e.Code, "refused_by_agent", d)
	case AgentLocked:
		if err := t.exec(`UPDATE sessions SET locked_after_end = TRUE WHERE id = $1`, x.ID[:]); err != nil {
			return err
		}
		return t.recordSession(by, audit.SessionLocked, x, code, d)
	default: // AgentLockFailed
		return t.recordSession(by, audit.SessionLockFailed, x, code, d)
	}
}

func (t *tx) openSession(by By, x *Session, d audit.Details) error {
	// Ended before this report came, or open, or no longer in time, so that its seat may be somebody else's: keep that
	// and note the opening. No lease names the session then.
	if by.checkStep(x, LifeOpen) != nil || !t.lately(x.GrantedMS, offerLife) {
		return t.recordSession(by, audit.SessionOpened, x, "late", d)
	}
	if _, err := t.replace(by, x, LifeOpen); err != nil {
		return err
	}
	if err := t.must(`UPDATE sessions SET life = 3, opened_ms = $2 WHERE id = $1 AND life = 2`, x.ID[:], t.now); err != nil {
		return err
	}
	return t.recordSession(by, audit.SessionOpened, x, "", d)
}

// endSession ends what has not ended; a later report of an ended session is an event only.
func (t *tx) endSession(by By, x *Session, code uint16, reason string, d audit.Details) error {
	if x.Life == LifeEnded {
		return t.recordSession(by, audit.SessionEnded, x, "late", d)
	}
	if err := by.checkStep(x, LifeEnded); err != nil {
		return err
	}
	err := t.must(`UPDATE sessions SET life = 4, ended_ms = $2, end_code = $3, end_reason = $4 WHERE id = $1 AND life = $5`,
		x.ID[:], t.now, int64(code), reason, int64(x.Life))
	if err != nil {
		return err
	}
	if d == nil {
		d = audit.Details{}
	}
	if reason != "" {
		d["reason"] = audit.Cut(reason, 200)
	}
	if x.OpenedMS > 0 {
		d["seconds"] = (t.now - x.OpenedMS) / 1000
	}
	return t.recordSession(by, audit.SessionEnded, x, strconv.Itoa(int(code)), d)
}

// EndSession ends a session from the gateway's side: the viewer asked, the relay lost it, the agent refused the offer,
// or somebody ordered it. Ending an ended session changes nothing.
func (s *Store) EndSession(ctx context.Context, by By, id cert.SessionID, code uint16, reason string) error {
	return s.takeAway(ctx, func(t *tx) error {
		x, err := get(ctx, t, scanSession, selectSession+` WHERE s.id = $1`, id[:])
		if err != nil {
			return err
		}
		if x.Life == LifeEnded {
			return errUnchanged
		}
		return t.endSession(by, &x, code, reason, nil)
	})
}

// EndUnopened ends a granted session that can no longer be opened: its links are gone. Any other session is left alone.
func (s *Store) EndUnopened(ctx context.Context, by By, id cert.SessionID) error {
	return s.note(ctx, func(t *tx) error {
		x, err := get(ctx, t, scanSession, selectSession+` WHERE s.id = $1`, id[:])
		if err != nil {
			return err
		}
		if x.Life != LifeGranted {
			return errUnchanged
		}
		return t.endSession(by, &x, codeExpired, neverOpened, nil)
	})
}

// neverOpened is the reason of an end before the opening.
const neverOpened = "never_opened"

// OrderEnd records that somebody ordered a session to end; the end itself is recorded when it is reached.
func (s *Store) OrderEnd(ctx context.Context, by By, id cert.SessionID, reason string) (Session, error) {
	var x Session
	err := s.takeAway(ctx, func(t *tx) (err error) {
		x, err = get(ctx, t, scanSession, selectSession+` WHERE s.id = $1 AND s.life < 4`, id[:])
		if err != nil {
			return err
		}
		return t.recordSession(by, audit.SessionEndOrdered, &x, "", audit.Details{"reason": audit.Cut(reason, 600)})
	})
	return x, err
}

// AddBytes adds what the relay forwarded.
func (s *Store) AddBytes(ctx context.Context, id cert.SessionID, toViewer, toDesk int64) error {
	return s.transact(ctx, func(t *tx) error {
		return t.must(`UPDATE sessions SET bytes_to_viewer = bytes_to_viewer + $2, bytes_to_desk = bytes_to_desk + $3 WHERE id = $1`,
			id[:], toViewer, toDesk)
	})
}

// SessionFilter narrows a list; empty fields do not.
type SessionFilter struct {
	User, Desk, Device string
	Running            bool // granted or open only
}

// Sessions lists sessions that were granted, newest first.
func (s *Store) Sessions(ctx context.Context, f SessionFilter, p Page) (sessions []Session, next string, err error) {
	before, id, err := parseSessionKey(p.After)
	if err != nil {
		return nil, "", err
	}
	where := where{text: ` WHERE (s.prepared_ms, s.id) < ($1, $2) AND s.life >= 2`, args: []any{before, id}}
	if f.Running {
		where.text += ` AND s.life < 4`
	}
	where.is("s.user_id", f.User)
	where.is("s.desk_id", f.Desk)
	where.is("s.device_id", f.Device)
	where.first("s.prepared_ms DESC, s.id DESC", p.limit()+1)
	all, err := list(ctx, s.read, scanSession, selectSession+where.text, where.args...)
	sessions, next = cut(all, p, func(x *Session) string {
		return place(x.PreparedMS, hex.EncodeToString(x.ID[:]))
	})
	return sessions, next, err
}

// parseSessionKey reads the place in the list; the empty one is before everything.
func parseSessionKey(after string) (ms int64, id []byte, err error) {
	if after == "" {
		return 1 << 62, []byte{0xff}, nil
	}
	ms, key, err := parsePlace(after)
	if err != nil {
		return 0, nil, err
	}
	if id, err = hex.DecodeString(key); err != nil {
		return 0, nil, fmt.Errorf("%w: page", ErrInvalid)
	}
	return ms, id, nil
}

// RunningSessions lists every session of a desk that is granted or open; with an empty desk, of all desks. Granted ones
// whose time to open is over are not running.
func (s *Store) RunningSessions(ctx context.Context, desk string) ([]Session, error) {
	where := where{
		text: ` WHERE s.life < 4 AND (s.life = 3 OR (s.life = 2 AND s.granted_ms > $1 AND s.granted_ms <= $2))`,
		args: []any{s.Now().UnixMilli() - offerLife, latest(s.Now())},
	}
	where.is("s.desk_id", desk)
	return list(ctx, s.read, scanSession, selectSession+where.text+` ORDER BY s.prepared_ms, s.id`, where.args...)
}

// EndStale ends what can no longer be running: granted sessions that never opened, open ones past their time plus two
// minutes, and both if a clock that was ahead let them begin. It returns how many.
func (s *Store) EndStale(ctx context.Context, by By) (n int, err error) {
	err = s.takeAway(ctx, func(t *tx) error {
		stale, err := list(ctx, t, scanSession, selectSession+` WHERE s.life < 4 AND ((s.life = 2 AND s.granted_ms < $1)
			OR (s.life = 3 AND s.until_ms < $1) OR (s.life >= 2 AND s.granted_ms > $2))`, t.now-offerLife, latest(t.time()))
		if err != nil {
			return err
		}
		if n = len(stale); n == 0 {
			return errUnchanged
		}
		for i := range stale {
			reason := neverOpened
			switch {
			case stale[i].Life == LifeOpen && stale[i].GrantedMS > latest(t.time()):
				reason = "clock"
			case stale[i].Life == LifeOpen:
				reason = "no_report"
			}
			if err := t.endSession(by, &stale[i], codeExpired, reason, nil); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}
