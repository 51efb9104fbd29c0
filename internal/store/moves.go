package store

import (
	"encoding/json"
	"errors"

	"jiseki/internal/audit"
)

// Codes of the event that a desk came from another address than before.
const (
	movedAlone = "other_address" // it was not connected: another network, a new lease, another machine
	movedTurns = "two_at_once"   // it was: two machines with one key may take turns
)

// A move is that a desk comes from another address than it last did.
type move struct{ from, code string }

// moveOf compares a desk's address with that of its last connection. Of a desk that never was connected, or is not
// there, nothing is said.
func (t *tx) moveOf(h *DeskHello) (*move, error) {
	var details string
	err := t.one(`SELECT details FROM events WHERE kind = $1 AND subject = $2 ORDER BY number DESC LIMIT 1`,
		[]any{string(audit.DeskConnected), "desk:" + h.Desk}, &details)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var last struct {
		Address string `json:"address"`
	}
	if err := json.Unmarshal([]byte(details), &last); err != nil {
		return nil, err
	}
	if last.Address == "" || h.Address == "" || last.Address == h.Address {
		return nil, nil
	}
	var connected bool
	err = t.one(`SELECT connected FROM desks WHERE id = $1`, []any{h.Desk}, &connected)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	m := &move{from: last.Address, code: movedAlone}
	if connected {
		m.code = movedTurns
	}
	return m, err
}

// recordMove records a move and tells the administrators.
func (t *tx) recordMove(by By, h *DeskHello, m *move) error {
	e := by.entry(audit.DeskMoved, "desk:"+h.Desk, audit.Details{"former_address": audit.Cut(m.from, 64)})
	e.Code = m.code
	if err := t.record(e); err != nil {
		return err
	}
	kind := "desk_moved"
	if m.code == movedTurns {
		kind = "desk_turns"
	}
	return t.tellOfDesk(kind, h.Desk)
}
