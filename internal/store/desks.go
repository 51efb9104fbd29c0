package store

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	"jiseki/internal/audit"
	"jiseki/internal/cert"
	"jiseki/internal/grant"
	"jiseki/internal/wake"
)

// Desk is an office PC with its agent, and what the gateways last knew of it.
type Desk struct {
	ID           string
	Name         string
	Zone         grant.Zone
	Section      string   // section id, may be empty
	Users        []string // ids of the users it is assigned to
	Key          cert.PublicKey
	Grade        cert.Grade
	Certificate  []byte // nil: not enrolled
	UntilMS      int64  // end of the certificate
	Statement    []byte // newest desk statement, nil until the agent's first hello
	Hostname     string
	AgentVersion string
	System       string
	CreatedMS    int64
	EnrolledMS   int64
	DeletedMS    int64

	Epoch      int64  // of the newest control channel
	Gateway    string // id of the gateway that holds it
	Connected  bool   // by the last word of that gateway
	AliveMS    int64  // when that gateway last said that it lives; 0 if never
	LastSeenMS int64
	LoggedIn   bool
	Locked     bool
	Lockable   bool
	Present    bool
	Fault      string // code of why its screen cannot be shown, as the agent says; empty: it can
	Session    []byte // id of the open session, nil if none
	SessionBy  string // user id of the open session
}

// DeskState is what an agent reports.
type DeskState struct {
	LoggedIn, Locked, Lockable, Present bool
	Fault                               string // code of why the screen cannot be shown
}

// AddDesk creates a desk and assigns it.
func (s *Store) AddDesk(ctx context.Context, by By, d Desk) error {
	return s.act(ctx, func(t *tx) error {
		if err := t.insertDesk(&d); err != nil {
			return err
		}
		return t.recordRegister(by.entry(audit.DeskCreated, "desk:"+d.ID, deskDetails(&d)))
	})
}

func (t *tx) insertDesk(d *Desk) error {
	if err := checkDesk(d); err != nil {
		return err
	}
	err := t.exec(`INSERT INTO desks (id, name, zone, section_id, grade, until_ms, hostname, agent_version, system, created_ms,
		enrolled_ms, deleted_ms, epoch, gateway, connected, last_seen_ms, logged_in, locked, lockable, present)
		VALUES ($1, $2, $3, $4, 0, 0, '', '', '', $5, 0, 0, 0, '', FALSE, 0, FALSE, FALSE, FALSE, FALSE)`,
		d.ID, d.Name, int64(d.Zone), null(d.Section), t.now)
	if err != nil {
		return err
	}
	return t.assignDesk(d.ID, d.Users)
}

func checkDesk(d *Desk) error {
	if err := checkID("desk id", d.ID); err != nil {
		return err
	}
	if d.Zone < grant.ZoneLGWAN || d.Zone > grant.ZoneMyNumber {
		return ErrInvalid
	}
	return checkText("name", d.Name, 1, 60)
}

func (t *tx) assignDesk(desk string, users []string) error {
	if err := t.announceUsers(desk, users); err != nil {
		return err
	}
	if err := t.exec(`DELETE FROM desk_users WHERE desk_id = $1`, desk); err != nil {
		return err
	}
	for _, u := range users {
		t.putDeskUser(desk, u)
	}
	return t.flush() // what follows looks at them
}

func (t *tx) putDeskUser(desk, user string) {
	t.put(`INSERT INTO desk_users (desk_id, user_id) VALUES ($1, $2)`, desk, user)
}

func deskDetails(d *Desk) audit.Details {
	return audit.Details{"name": audit.Cut(d.Name, 200), "zone": d.Zone.String(), "section": d.Section, "users": d.Users}
}

// UpdateDesk changes name, section and users; the zone only before an agent is enrolled (ErrInUse after), for the
// certificate says it. Other fields of d do not count. It returns the running sessions of users who lost the desk,
// which the caller must end now.
func (s *Store) UpdateDesk(ctx context.Context, by By, d Desk) (lost []Session, err error) {
	if err := checkDesk(&d); err != nil {
		return nil, err
	}
	err = s.takeAway(ctx, func(t *tx) error {
		var zone, enrolled int64
		err := t.one(`SELECT zone, enrolled_ms FROM desks WHERE id = $1 AND deleted_ms = 0`, []any{d.ID}, &zone, &enrolled)
		if err != nil {
			return err
		}
		if enrolled > 0 && grant.Zone(zone) != d.Zone { //nolint:gosec // 1 to 3
			return ErrInUse
		}
		err = t.exec(`UPDATE desks SET name = $2, zone = $3, section_id = $4 WHERE id = $1`, d.ID, d.Name, int64(d.Zone), null(d.Section))
		if err != nil {
			return err
		}
		lost, err = t.reassign(by, &d)
		return err
	})
	return lost, err
}

// reassign gives a desk its users, records the change, and returns the running sessions of those who lost it.
func (t *tx) reassign(by By, d *Desk) (lost []Session, err error) {
	if err := t.assignDesk(d.ID, d.Users); err != nil {
		return nil, err
	}
	lost, err = list(t.ctx, t, scanSession, selectSession+` WHERE s.desk_id = $1 AND s.life < 4
		AND NOT EXISTS (SELECT 1 FROM desk_users du WHERE du.desk_id = s.desk_id AND du.user_id = s.user_id)`, d.ID)
	if err != nil {
		return nil, err
	}
	return lost, t.recordRegister(by.entry(audit.DeskChanged, "desk:"+d.ID, deskDetails(d)))
}

// TakeDesk takes a desk from all its users but those named, and changes nothing else of it: ErrNotFound if there are
// none. It returns the running sessions of who lost it, which the caller must end now. Late, it is ErrOvertaken by any
// later change of the desk.
func (s *Store) TakeDesk(ctx context.Context, by By, id string, keep []string) (lost []Session, err error) {
	err = s.takeAway(ctx, func(t *tx) error {
		if err := t.overtaken(by, "desk:"+id, audit.DeskChanged); err != nil {
			return err
		}
		d, err := get(ctx, t, scanDesk, selectDesk+` WHERE d.id = $1 AND d.deleted_ms = 0`, id)
		if err != nil {
			return err
		}
		had := len(d.Users)
		d.Users = slices.DeleteFunc(d.Users, func(u string) bool { return !slices.Contains(keep, u) })
		if len(d.Users) == had {
			return ErrNotFound
		}
		lost, err = t.reassign(by, &d)
		return err
	})
	return lost, err
}

// DeleteDesk takes a desk out of service for ever: its certificate is worth nothing, its name may be used again. It
// returns the running sessions, which the caller must end now. Late, it is ErrOvertaken by a later change of the desk.
func (s *Store) DeleteDesk(ctx context.Context, by By, id string) (running []Session, err error) {
	err = s.takeAway(ctx, func(t *tx) error {
		if err := t.overtaken(by, "desk:"+id, audit.DeskChanged); err != nil {
			return err
		}
		err := t.must(`UPDATE desks SET deleted_ms = $2, connected = FALSE, epoch = epoch + 1, public_key = NULL
			WHERE id = $1 AND deleted_ms = 0`, id, t.now)
		if err != nil {
			return err
		}
		if err := t.assignDesk(id, nil); err != nil {
			return err
		}
		if err := t.exec(`DELETE FROM desk_tokens WHERE desk_id = $1`, id); err != nil {
			return err
		}
		running, err = list(ctx, t, scanSession, selectSession+` WHERE s.desk_id = $1 AND s.life < 4`, id)
		if err != nil {
			return err
		}
		return t.recordRegister(by.entry(audit.DeskDeleted, "desk:"+id, audit.Details{"running_sessions": len(running)}))
	})
	return running, err
}

const selectDesk = `SELECT d.id, d.name, d.zone, COALESCE(d.section_id, ''),
	COALESCE((SELECT string_agg(du.user_id, ',' ORDER BY du.user_id) FROM desk_users du WHERE du.desk_id = d.id), ''),
	d.public_key, d.grade, d.certificate, d.until_ms, d.statement, d.hostname, d.agent_version, d.system, d.created_ms, d.enrolled_ms,
	d.deleted_ms, d.epoch, d.gateway, d.connected, COALESCE(g.alive_ms, 0), d.last_seen_ms, d.logged_in, d.locked, d.lockable,
	d.present, d.screen_fault, s.id, COALESCE(s.user_id, '')
	FROM desks d LEFT JOIN gateways g ON g.id = d.gateway LEFT JOIN sessions s ON s.desk_id = d.id AND s.life = 3`

func scanDesk(row scanner, d *Desk) error {
	var users string
	var key []byte
	err := row.Scan(&d.ID, &d.Name, &d.Zone, &d.Section, &users, &key, &d.Grade, &d.Certificate, &d.UntilMS, &d.Statement, &d.Hostname,
		&d.AgentVersion, &d.System, &d.CreatedMS, &d.EnrolledMS, &d.DeletedMS, &d.Epoch, &d.Gateway, &d.Connected, &d.AliveMS,
		&d.LastSeenMS, &d.LoggedIn, &d.Locked, &d.Lockable, &d.Present, &d.Fault, &d.Session, &d.SessionBy)
	d.Users = split(users)
	copy(d.Key[:], key)
	return err
}

// Desk reads a desk that is in service.
func (s *Store) Desk(ctx context.Context, id string) (Desk, error) {
	return get(ctx, s.read, scanDesk, selectDesk+` WHERE d.id = $1 AND d.deleted_ms = 0`, id)
}

// DesksOf lists the desks that are assigned to a user, by name.
func (s *Store) DesksOf(ctx context.Context, user string) ([]Desk, error) {
	return list(ctx, s.read, scanDesk, selectDesk+` JOIN desk_users mine ON mine.desk_id = d.id AND mine.user_id = $1
		WHERE d.deleted_ms = 0 ORDER BY d.name, d.id`, user)
}

// EnrolledDesks lists the desks that are in service with a key: of each its id, key and epoch.
func (s *Store) EnrolledDesks(ctx context.Context) ([]Desk, error) {
	return list(ctx, s.read, func(row scanner, d *Desk) error {
		var key []byte
		err := row.Scan(&d.ID, &key, &d.Epoch)
		copy(d.Key[:], key)
		return err
	}, `SELECT id, public_key, epoch FROM desks WHERE deleted_ms = 0 AND public_key IS NOT NULL`)
}

// Desks lists desks by id; query is a part of id, name or hostname, as typed.Fold compares them.
func (s *Store) Desks(ctx context.Context, query string, p Page) (desks []Desk, next string, err error) {
	return search(p, query, func(d *Desk) string { return d.ID }, func(d *Desk) []string { return []string{d.ID, d.Name, d.Hostname} },
		func(after string, limit int) ([]Desk, error) {
			return list(ctx, s.read, scanDesk, selectDesk+` WHERE d.id > $1 AND d.deleted_ms = 0 ORDER BY d.id LIMIT $2`, after, limit)
		})
}

// DeskToken lets agents enrol: one desk, or a batch of new ones.
type DeskToken struct {
	Hash    [32]byte // SHA-256 of the token's secret
	Desk    string   // desk id, empty for a batch
	Zone    grant.Zone
	Section string
	Uses    int
	UntilMS int64
}

// AddDeskToken keeps a token. A new one for the same desk voids the former.
func (s *Store) AddDeskToken(ctx context.Context, by By, k DeskToken) error {
	if k.Zone < grant.ZoneLGWAN || k.Zone > grant.ZoneMyNumber || k.Uses < 1 || k.Uses > 1000 || (k.Desk != "" && k.Uses != 1) {
		return ErrInvalid
	}
	return s.act(ctx, func(t *tx) error {
		if k.Desk != "" {
			var zone int64
			if err := t.one(`SELECT zone FROM desks WHERE id = $1 AND deleted_ms = 0`, []any{k.Desk}, &zone); err != nil {
				return err
			}
			k.Zone = grant.Zone(zone) //nolint:gosec // 1 to 3
			if err := t.exec(`DELETE FROM desk_tokens WHERE desk_id = $1`, k.Desk); err != nil {
				return err
			}
		}
		err := t.exec(`INSERT INTO desk_tokens (hash, desk_id, zone, section_id, uses_left, until_ms, created_ms, created_by)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			k.Hash[:], null(k.Desk), int64(k.Zone), null(k.Section), k.Uses, k.UntilMS, t.now, by.Actor)
		if err != nil {
			return err
		}
		return t.record(by.entry(audit.DeskTokenCreated, "desk:"+k.Desk, audit.Details{
			"uses": k.Uses, "zone": k.Zone.String(), "until": time.UnixMilli(k.UntilMS).UTC().Format(time.RFC3339),
		}))
	})
}

// DeskEnrolment is what an agent brings to enrol.
type DeskEnrolment struct {
	TokenHash    [32]byte
	NewID        string // id of the desk if the token is for a batch
	Key          cert.PublicKey
	Grade        cert.Grade
	Hostname     string
	AgentVersion string
	System       string
	Address      string
	// Certify makes the certificate once the desk is known. It runs inside the transaction and must be quick.
	Certify func(id string, zone grant.Zone) (certificate []byte, until time.Time, err error)
}

// EnrolDesk uses a token up by one and binds the key to the desk; a desk that had a key gets the new one (a reinstalled
// PC), and its running channel ends with the new epoch. ErrSpent, ErrExpired: the token (an event too); ErrExists: the
// key is another desk's.
func (s *Store) EnrolDesk(ctx context.Context, e DeskEnrolment) (Desk, error) {
	var id string
	err := s.act(ctx, func(t *tx) error {
		d, refusal, err := t.useDeskToken(&e)
		if err != nil {
			return err
		}
		by := By{Actor: "anonymous", Address: e.Address}
		if refusal != nil {
			t.refuse(refusal)
			x := by.entry(audit.DeskRefused, "", audit.Details{"hostname": audit.Cut(e.Hostname, 128)})
			x.Outcome, x.Code = audit.Refused, refusalCode(refusal)
			return t.record(x)
		}
		id = d.ID
		by.Actor = "desk:" + id
		return t.bindDesk(by, d, &e)
	})
	if err != nil {
		return Desk{}, err
	}
	return s.Desk(ctx, id)
}

// DeskTokenOpen says whether a token, by its hash, can enrol a desk now. Nothing is used up.
func (s *Store) DeskTokenOpen(ctx context.Context, hash [32]byte) (bool, error) {
	now := s.Now()
	return get(ctx, s.read, func(row scanner, open *bool) error { return row.Scan(open) },
		`SELECT COUNT(*) > 0 FROM desk_tokens WHERE hash = $1 AND uses_left > 0 AND until_ms > $2 AND created_ms <= $3`,
		hash[:], now.UnixMilli(), latest(now))
}

// useDeskToken finds the desk a token is for, or creates it.
func (t *tx) useDeskToken(e *DeskEnrolment) (d *Desk, refusal, err error) {
	var left, created, until int64
	d = &Desk{}
	err = t.one(`SELECT COALESCE(desk_id, ''), zone, COALESCE(section_id, ''), uses_left, created_ms, until_ms FROM desk_tokens WHERE hash = $1`,
		[]any{e.TokenHash[:]}, &d.ID, &d.Zone, &d.Section, &left, &created, &until)
	switch {
	case errors.Is(err, ErrNotFound), err == nil && left <= 0:
		return nil, ErrSpent, nil
	case err != nil:
		return nil, nil, err
	case until <= t.now, created > latest(t.time()):
		return nil, ErrExpired, nil
	}
	if err := t.exec(`UPDATE desk_tokens SET uses_left = uses_left - 1 WHERE hash = $1`, e.TokenHash[:]); err != nil {
		return nil, nil, err
	}
	if d.ID == "" {
		d.ID, d.Name = e.NewID, audit.Cut(e.Hostname, 60)
		if d.Name == "" {
			d.Name = e.NewID
		}
		return d, nil, t.insertDesk(d)
	}
	return d, nil, nil
}

func (t *tx) bindDesk(by By, d *Desk, e *DeskEnrolment) error {
	certificate, until, err := e.Certify(d.ID, d.Zone)
	if err != nil {
		return err
	}
	err = t.must(`UPDATE desks SET public_key = $2, grade = $3, certificate = $4, until_ms = $5, statement = NULL, hostname = $6,
		agent_version = $7, system = $8, enrolled_ms = $9, epoch = epoch + 1, connected = FALSE WHERE id = $1 AND deleted_ms = 0`,
		d.ID, e.Key[:], int64(e.Grade), certificate, until.UnixMilli(), audit.Cut(e.Hostname, 128), audit.Cut(e.AgentVersion, 64),
		audit.Cut(e.System, 128), t.now)
	if err != nil {
		return err
	}
	return t.record(by.entry(audit.DeskEnrolled, "desk:"+d.ID, audit.Details{
		"hostname": audit.Cut(e.Hostname, 128), "grade": int(e.Grade), "key": e.Key.ID().String(), "zone": d.Zone.String(),
	}))
}

// RenewDesk keeps a newer certificate of the same key.
func (s *Store) RenewDesk(ctx context.Context, by By, id string, certificate []byte, untilMS int64) error {
	return s.act(ctx, func(t *tx) error {
		err := t.must(`UPDATE desks SET certificate = $2, until_ms = $3 WHERE id = $1 AND deleted_ms = 0`, id, certificate, untilMS)
		if err != nil {
			return err
		}
		return t.record(by.entry(audit.DeskRenewed, "desk:"+id, audit.Details{
			"until": time.UnixMilli(untilMS).UTC().Format(time.RFC3339),
		}))
	})
}

// DeskHello is what an agent says when its control channel begins.
type DeskHello struct {
	Desk         string
	Gateway      string // id of the gateway that holds the channel
	Statement    []byte
	Hostname     string
	AgentVersion string
	System       string
	Address      string
	Adapters     []wake.Adapter
	AlwaysOn     bool           // jiseki-agent waker
	Reaches      []netip.Prefix // of an always-on waker
}

// DeskConnected begins a control channel and returns its epoch, higher than any before: the channel with a lower one
// must be closed. A desk that is being woken is awake now.
func (s *Store) DeskConnected(ctx context.Context, h DeskHello) (epoch int64, err error) {
	err = s.note(ctx, func(t *tx) error {
		move, err := t.moveOf(&h)
		if err != nil {
			return err
		}
		err = t.one(`UPDATE desks SET epoch = epoch + 1, gateway = $2, connected = TRUE, last_seen_ms = $3, statement = $4,
			hostname = $5, agent_version = $6, system = $7 WHERE id = $1 AND deleted_ms = 0 AND public_key IS NOT NULL RETURNING epoch`,
			[]any{h.Desk, h.Gateway, t.now, h.Statement, audit.Cut(h.Hostname, 128), audit.Cut(h.AgentVersion, 64), audit.Cut(h.System, 128)},
			&epoch)
		if err != nil {
			return err
		}
		if err := t.putMachine(&h); err != nil {
			return err
		}
		if err := t.awake(h.Desk); err != nil {
			return err
		}
		by := By{Actor: "desk:" + h.Desk, Address: h.Address}
		if move != nil {
			if err := t.recordMove(by, &h, move); err != nil {
				return err
			}
		}
		return t.record(by.entry(audit.DeskConnected, "desk:"+h.Desk, audit.Details{
			"epoch": epoch, "gateway": h.Gateway, "version": audit.Cut(h.AgentVersion, 64),
		}))
	})
	return epoch, err
}

// SetDeskState keeps what the agent of this epoch reported: ErrStale if a newer channel exists.
func (s *Store) SetDeskState(ctx context.Context, desk string, epoch int64, st DeskState) error {
	return s.run(ctx, func(t *tx) error {
		n, err := t.count(`UPDATE desks SET logged_in = $3, locked = $4, lockable = $5, present = $6, screen_fault = $7, last_seen_ms = $8
			WHERE id = $1 AND epoch = $2 AND connected`, desk, epoch, st.LoggedIn, st.Locked, st.Lockable, st.Present, st.Fault, t.now)
		if err == nil && n == 0 {
			return ErrStale
		}
		return err
	})
}

// DeskGone ends a control channel. A channel that was replaced changes nothing.
func (s *Store) DeskGone(ctx context.Context, desk string, epoch int64, code string) error {
	return s.note(ctx, func(t *tx) error {
		n, err := t.count(`UPDATE desks SET connected = FALSE, last_seen_ms = $3 WHERE id = $1 AND epoch = $2 AND connected`,
			desk, epoch, t.now)
		if err != nil {
			return err
		}
		if n == 0 {
			return errUnchanged
		}
		e := By{Actor: "desk:" + desk}.entry(audit.DeskGone, "desk:"+desk, audit.Details{"epoch": epoch})
		e.Code = audit.Cut(code, 64)
		return t.record(e)
	})
}

// GatewayStarted notes a gateway and clears what it left behind when it last ran: no desk is connected to it now.
func (s *Store) GatewayStarted(ctx context.Context, id, version string) error {
	return s.takeAway(ctx, func(t *tx) error {
		err := t.exec(`INSERT INTO gateways (id, started_ms, alive_ms, seen_ms, ahead_ms) VALUES ($1, $2, $2, $3, $4)
			ON CONFLICT (id) DO UPDATE SET started_ms = excluded.started_ms, alive_ms = excluded.alive_ms,
			seen_ms = excluded.seen_ms, ahead_ms = excluded.ahead_ms`, id, t.now, t.clock.database, t.clock.ahead)
		if err != nil {
			return err
		}
		if err := t.exec(`UPDATE desks SET connected = FALSE WHERE gateway = $1 AND connected`, id); err != nil {
			return err
		}
		return t.record(By{Actor: "gateway:" + id}.entry(audit.GatewayStarted, "gateway:"+id, audit.Details{"version": version}))
	})
}

// GatewayAlive is the gateway's sign of life, every few seconds, and what its clock says for the others to see. Desks of a
// gateway without one are in state unknown.
func (s *Store) GatewayAlive(ctx context.Context, id string) error {
	return s.run(ctx, func(t *tx) error {
		return t.must(`UPDATE gateways SET alive_ms = $2, seen_ms = $3, ahead_ms = $4 WHERE id = $1`,
			id, t.now, t.clock.database, t.clock.ahead)
	})
}

// GatewayStopped notes an orderly end.
func (s *Store) GatewayStopped(ctx context.Context, id string) error {
	return s.takeAway(ctx, func(t *tx) error {
		if err := t.exec(`UPDATE desks SET connected = FALSE, last_seen_ms = $2 WHERE gateway = $1 AND connected`, id, t.now); err != nil {
			return err
		}
		if err := t.exec(`UPDATE gateways SET seen_ms = 0 WHERE id = $1`, id); err != nil { // its clock counts no more
			return err
		}
		return t.record(By{Actor: "gateway:" + id}.entry(audit.GatewayStopped, "gateway:"+id, nil))
	})
}
