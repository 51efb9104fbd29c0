package store

import (
	"strings"

	"jiseki/internal/audit"
)

// Life is where a session is in its life. It only goes up.
type Life int64

// The lives. Their numbers are those of the control API.
const (
	LifePrepared Life = 1 // has a nonce, waits for the viewer's signature
	LifeGranted  Life = 2 // a grant was minted and offered
	LifeOpen     Life = 3 // the agent says that the viewer is on
	LifeEnded    Life = 4
)

// A mover is who moves a session on in its life.
type mover uint8

const (
	byUser    mover = 1 << iota // whose session it is, through the gateway that checked signature, decision and seat
	byDesk                      // the agent of the session's own desk
	byGateway                   // a gateway by itself: its relay, its review of running sessions, its sweeps
	byOthers                    // administrators, superiors and commands that take a right away

	byAnybody = byUser | byDesk | byGateway | byOthers
)

// lives is every step of a session's life and who may cause it. What is not in it does not happen: nothing comes back
// from its end, and a desk opens and ends only what was granted for it.
var lives = map[[2]Life]mover{
	{LifePrepared, LifeGranted}: byUser,
	{LifePrepared, LifeEnded}:   byUser | byGateway | byOthers,
	{LifeGranted, LifeOpen}:     byDesk,
	{LifeGranted, LifeEnded}:    byAnybody,
	{LifeOpen, LifeEnded}:       byAnybody,
}

// mover says what an actor is to a session; 0: nothing.
func (b By) mover(x *Session) mover {
	kind, id, _ := strings.Cut(b.Actor, ":")
	switch {
	case kind == "user" && id == x.User:
		return byUser
	case kind == "desk" && id == x.Desk:
		return byDesk
	case kind == "gateway":
		return byGateway
	case kind == "user", kind == "cli":
		return byOthers
	}
	return 0
}

// checkStep says ErrLife if by may not take a session to a life. Statements that take it there name the life before
// too.
func (b By) checkStep(x *Session, to Life) error {
	if lives[[2]Life{x.Life, to}]&b.mover(x) == 0 {
		return ErrLife
	}
	return nil
}

// Why a desk's report is refused, for the log.
const (
	foreignSession = "foreign_session" // of no session of this desk
	sessionLife    = "session_life"    // of a session that was not granted
	unknownEvent   = "unknown_event"
)

// refuseReport keeps in the log that a desk reported what cannot be, and returns why after the commit.
func (t *tx) refuseReport(e *AgentEvent, code string, why error) error {
	t.refuse(why)
	entry := By{Actor: "desk:" + e.Desk}.entry(audit.SessionRefused, "desk:"+e.Desk, audit.Details{"kind": int(e.Kind)})
	entry.Session, entry.Outcome, entry.Code = e.Session[:], audit.Refused, code
	return t.record(entry)
}
