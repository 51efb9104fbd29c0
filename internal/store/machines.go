package store

import (
	"context"
	"net/netip"
	"strings"

	"jiseki/internal/wake"
)

// Machine is a desk, or an always-on waker, as a machine in a local network.
type Machine struct {
	Desk
	Adapters []wake.Adapter // without names, by address
	AlwaysOn bool           // jiseki-agent waker
	Reaches  []netip.Prefix // of an always-on waker: networks of others that it wakes by directed broadcast
}

// Machines reads all machines in service, by desk id.
func (s *Store) Machines(ctx context.Context) ([]Machine, error) {
	desks, err := list(ctx, s.read, scanDesk, selectDesk+` WHERE d.deleted_ms = 0 ORDER BY d.id`)
	if err != nil {
		return nil, err
	}
	machines := make([]Machine, len(desks))
	place := make(map[string]*Machine, len(desks))
	for i := range desks {
		machines[i].Desk = desks[i]
		place[desks[i].ID] = &machines[i]
	}
	adapters, err := list(ctx, s.read, scanAdapter, `SELECT desk_id, mac, prefixes, wake FROM desk_adapters ORDER BY desk_id, mac`)
	if err != nil {
		return nil, err
	}
	for _, a := range adapters {
		if m := place[a.desk]; m != nil {
			m.Adapters = append(m.Adapters, a.Adapter)
		}
	}
	wakers, err := list(ctx, s.read, scanWaker, `SELECT desk_id, reaches FROM wakers`)
	if err != nil {
		return nil, err
	}
	for _, w := range wakers {
		if m := place[w.desk]; m != nil {
			m.AlwaysOn, m.Reaches = true, w.reaches
		}
	}
	return machines, nil
}

type deskAdapter struct {
	wake.Adapter
	desk string
}

func scanAdapter(row scanner, a *deskAdapter) error {
	var mac []byte
	var prefixes string
	if err := row.Scan(&a.desk, &mac, &prefixes, &a.Wake); err != nil {
		return err
	}
	copy(a.MAC[:], mac)
	var err error
	a.Prefixes, err = parsePrefixes(prefixes)
	return err
}

type waker struct {
	desk    string
	reaches []netip.Prefix
}

func scanWaker(row scanner, w *waker) error {
	var reaches string
	if err := row.Scan(&w.desk, &reaches); err != nil {
		return err
	}
	var err error
	w.reaches, err = parsePrefixes(reaches)
	return err
}

func parsePrefixes(text string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, one := range split(text) {
		p, err := netip.ParsePrefix(one)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

func joinPrefixes(prefixes []netip.Prefix) string {
	all := make([]string, len(prefixes))
	for i, p := range prefixes {
		all[i] = p.String()
	}
	return strings.Join(all, ",")
}

// putMachine keeps what an agent said of its machine in its hello.
func (t *tx) putMachine(h *DeskHello) error {
	for _, query := range []string{`DELETE FROM desk_adapters WHERE desk_id = $1`, `DELETE FROM wakers WHERE desk_id = $1`} {
		if err := t.exec(query, h.Desk); err != nil {
			return err
		}
	}
	for _, a := range h.Adapters {
		err := t.exec(`INSERT INTO desk_adapters (desk_id, mac, prefixes, wake) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
			h.Desk, a.MAC[:], joinPrefixes(a.Prefixes), int64(a.Wake))
		if err != nil {
			return err
		}
	}
	if !h.AlwaysOn {
		return nil
	}
	return t.exec(`INSERT INTO wakers (desk_id, reaches) VALUES ($1, $2)`, h.Desk, joinPrefixes(h.Reaches))
}
