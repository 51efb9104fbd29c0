package demo

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"jiseki/internal/access"
	"jiseki/internal/ca"
	"jiseki/internal/calendar"
	"jiseki/internal/cert"
	"jiseki/internal/grant"
	"jiseki/internal/store"
	"jiseki/internal/telework"
)

// An act is something that somebody did at a time.
type act struct {
	at time.Time
	do func(context.Context) error
}

// A past is what happened in the town, in the order in which it was written down; it is played in the order of time.
type past struct {
	*founding
	store   *store.Store
	ca      *ca.Authority
	days    calendar.Days
	acts    []act
	devices map[string]string // id of each user's lent PC
	run     [16]byte          // of all agents
	seq     uint64
}

// letPass plays the time from the founding until now. What it writes is written by the gateway's store with its events, as the
// gateway would have.
func (f *founding) letPass(ctx context.Context, now time.Time) (err error) {
	dsn, err := f.cfg.DSN()
	if err != nil {
		return err
	}
	p := &past{founding: f, devices: map[string]string{}}
	if p.store, err = store.Open(ctx, store.Config{DSN: dsn, Now: f.clock.Now}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.store.Close()) }()
	if p.ca, err = ca.Open(ca.Config{Dir: f.keys(), Now: f.clock.Now}); err != nil {
		return err
	}
	if p.days, err = p.store.Calendar(ctx); err != nil {
		return err
	}
	p.write(f.clock.now, now)
	return p.play(ctx, now)
}

// at notes an act.
func (p *past) at(t time.Time, do func(context.Context) error) { p.acts = append(p.acts, act{t, do}) }

// play does what was noted, up to now.
func (p *past) play(ctx context.Context, now time.Time) error {
	slices.SortStableFunc(p.acts, func(a, b act) int { return a.at.Compare(b.at) })
	for _, a := range p.acts {
		if a.at.After(now) {
			return nil
		}
		if a.at.After(p.clock.now) { // never backwards: the audit log would show it
			p.clock.now = a.at
		}
		if err := a.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", a.at.Format(time.DateTime), err)
		}
	}
	return nil
}

// The networks that the past's people come from; RFC 5737 keeps them free.
const (
	hallAddress = "192.0.2.31"
	homeAddress = "203.0.113.24"
)

func inHall(user string) store.By { return store.By{Actor: "user:" + user, Address: hallAddress} }

func atHome(user string) store.By { return store.By{Actor: "user:" + user, Address: homeAddress} }

// equip enrols everybody's lent PC, and the office PCs of those whose desk the demo does not run. Nobody has their keys any more.
func (p *past) equip(ctx context.Context) error {
	rand.Read(p.run[:])
	done := map[string]bool{deskName: true}
	for _, r := range cast {
		if err := p.lend(ctx, r); err != nil {
			return fmt.Errorf("device of %s: %w", r.id, err)
		}
		if done[r.desk] {
			continue
		}
		done[r.desk] = true
		if err := p.enrolPC(ctx, r); err != nil {
			return fmt.Errorf("desk %s: %w", r.desk, err)
		}
	}
	return nil
}

func newID() string {
	serial := cert.NewSerial()
	return hex.EncodeToString(serial[:8])
}

func (p *past) lend(ctx context.Context, r role) error {
	key, err := cert.GenerateKey()
	if err != nil {
		return err
	}
	id, owner := newID(), "user:"+r.id
	c, err := p.ca.IssueDevice(id, owner, cert.GradeSystem, key.Public())
	if err != nil {
		return err
	}
	p.devices[r.id] = id
	return p.store.AddDevice(ctx, inHall(r.id), store.Device{
		ID: id, Owner: owner, Label: "貸与PC " + r.desk, Kind: grant.DeviceLent, Inventory: inventoryOf(r.id), Grade: cert.GradeSystem, Key: key.Public(), Certificate: c.Append(nil),
		UntilMS: c.NotAfter.UnixMilli(), Persistent: true,
	})
}

// enrolPC enrols an office PC whose agent was on once and is off now.
func (p *past) enrolPC(ctx context.Context, r role) error {
	key, err := cert.GenerateKey()
	if err != nil {
		return err
	}
	desk := p.desks[r.desk]
	token := sha256.Sum256([]byte(desk))
	err = p.store.AddDeskToken(ctx, inHall(adminID), store.DeskToken{
		Hash: token, Desk: desk, Zone: grant.ZoneLGWAN, Uses: 1, UntilMS: p.clock.now.Add(time.Hour).UnixMilli(),
	})
	if err != nil {
		return err
	}
	_, err = p.store.EnrolDesk(ctx, store.DeskEnrolment{
		TokenHash: token, Key: key.Public(), Grade: cert.GradeFile, Hostname: r.id + "-pc", AgentVersion: "demo", System: "linux", Address: hallAddress,
		Certify: func(id string, zone grant.Zone) ([]byte, time.Time, error) {
			c, err := p.ca.IssueDesk(id, zone.String(), cert.GradeFile, key.Public())
			if err != nil {
				return nil, time.Time{}, err
			}
			return c.Append(nil), c.NotAfter, nil
		},
	})
	if err != nil {
		return err
	}
	epoch, err := p.store.DeskConnected(ctx, store.DeskHello{Desk: desk, Hostname: r.id + "-pc", AgentVersion: "demo", System: "linux", Address: hallAddress})
	if err != nil {
		return err
	}
	return p.store.DeskGone(ctx, desk, epoch, "")
}

// connect notes a session from one time until another.
func (p *past) connect(user string, from, until time.Time) {
	x := store.Session{
		User: user, Device: p.devices[user], Desk: p.desks[find(user).desk], Viewer: grant.ViewerBrowser, Place: access.Home, Address: homeAddress,
		Rights: grant.RightView | grant.RightInput, UntilMS: until.Add(time.Hour).UnixMilli(),
	}
	rand.Read(x.ID[:])
	rand.Read(x.Nonce[:])
	p.at(from, func(ctx context.Context) error {
		x.Device = p.devices[user] // enrolled meanwhile
		if err := p.store.PrepareSession(ctx, x); err != nil {
			return err
		}
		if _, err := p.store.GrantSession(ctx, atHome(user), [32]byte{}, x); err != nil {
			return err
		}
		return p.tell(ctx, &x, store.AgentOpened)
	})
	p.at(until, func(ctx context.Context) error {
		seconds := int64(until.Sub(from) / time.Second)
		if err := p.store.AddBytes(ctx, x.ID, seconds*9_100, seconds*310); err != nil {
			return err
		}
		if err := p.store.EndSession(ctx, atHome(user), x.ID, 1, ""); err != nil {
			return err
		}
		return p.tell(ctx, &x, store.AgentLocked)
	})
}

// tell is an agent's report.
func (p *past) tell(ctx context.Context, x *store.Session, kind store.AgentEventKind) error {
	p.seq++
	return p.store.AddAgentEvent(ctx, store.AgentEvent{Desk: x.Desk, Run: p.run, Seq: p.seq, Session: x.ID, Kind: kind, TimeMS: p.clock.now.UnixMilli()})
}

// report notes a segment that begins.
func (p *past) report(user string, t time.Time, kind telework.SegmentKind) {
	p.at(t, func(ctx context.Context) error {
		_, err := p.store.ReportWorkday(ctx, atHome(user), user, store.WorkdayReport{Kind: kind})
		return err
	})
}

// finish notes the end of a workday.
func (p *past) finish(user string, t time.Time, done string) {
	p.at(t, func(ctx context.Context) error {
		_, err := p.store.ReportWorkday(ctx, atHome(user), user, store.WorkdayReport{Finish: true, Done: done})
		return err
	})
}

// A sent request is known by its id once it was sent.
type sent struct{ request telework.Request }

// ask notes a request; by is the user, or whoever enters it for the user.
func (p *past) ask(by, user string, t time.Time, d telework.Draft) *sent {
	s := &sent{}
	p.at(t, func(ctx context.Context) (err error) {
		s.request, err = p.store.SubmitRequest(ctx, inHall(by), store.Submission{User: user, Draft: d})
		return explain(err)
	})
	return s
}

// again notes that a request which was returned is sent with another draft.
func (p *past) again(s *sent, t time.Time, d telework.Draft) {
	p.at(t, func(ctx context.Context) (err error) {
		s.request, err = p.store.SubmitRequest(ctx, inHall(s.request.User), store.Submission{
			Request: s.request.ID, Revision: s.request.Revision, Draft: d,
		})
		return explain(err)
	})
}

// answer notes a decision.
func (p *past) answer(by string, s *sent, t time.Time, answer telework.Answer, comment string) {
	p.at(t, func(ctx context.Context) (err error) {
		s.request, err = p.store.DecideRequest(ctx, inHall(by), s.request.ID, telework.Decision{
			By: by, Answer: answer, Revision: s.request.Revision, Comment: comment,
		})
		return explain(err)
	})
}

// explain names what a refusal refuses.
func explain(err error) error {
	var no *telework.Refusal
	if errors.As(err, &no) {
		return fmt.Errorf("%w: %v", err, no.Problems)
	}
	return err
}
