package storetest

import (
	"strings"
	"time"

	"jiseki/internal/audit"
	"jiseki/internal/store"
)

// lateActs: what is written late is not written over what was decided since, and says when it was done.
func lateActs(t *suite) {
	keep := []string{"suzuki"}
	late := func() store.By {
		mark, err := t.s.Head(t.ctx)
		t.ok(err)
		by := Admin
		by.Late = &store.Late{AtMS: t.clock.Now().UnixMilli(), After: mark.Number}
		t.clock.Add(time.Second)
		return by
	}
	users := func(desk string) string {
		d, err := t.s.Desk(t.ctx, desk)
		t.ok(err)
		return strings.Join(d.Users, " ")
	}
	id := Session(t.T, t.s, 1, "tanaka", "d1", "k2")

	by := late()
	rename := store.Desk{ID: "k2", Name: "税務課 窓側", Zone: 3, Users: []string{"suzuki", "tanaka"}}
	rename.Zone = must(t, "k2").Zone
	_, err := t.s.UpdateDesk(t.ctx, Admin, rename)
	t.ok(err)
	_, err = t.s.TakeDesk(t.ctx, by, "k2", keep)
	t.fails(err, store.ErrOvertaken)
	_, err = t.s.DeleteDesk(t.ctx, by, "k2")
	t.fails(err, store.ErrOvertaken)
	t.equal(users("k2"), "suzuki tanaka")

	by = late()
	t.ok(t.s.Record(t.ctx, Admin, audit.Entry{Kind: audit.DeskLockOrdered, Subject: "desk:k2"})) // decides nothing about users
	lost, err := t.s.TakeDesk(t.ctx, by, "k2", keep)
	t.ok(err)
	t.equal([]any{len(lost), lost[0].ID, users("k2"), must(t, "k2").Name}, []any{1, id, "suzuki", rename.Name})
	newest, _, err := t.s.Events(t.ctx, store.EventFilter{Kind: audit.DeskChanged}, store.Page{Limit: 1})
	t.ok(err)
	if want := time.UnixMilli(by.Late.AtMS).UTC().Format(time.RFC3339); !strings.Contains(newest[0].Details, want) {
		t.Errorf("the event of a late act says %s, not that it was done at %s", newest[0].Details, want)
	}
	_, err = t.s.TakeDesk(t.ctx, Admin, "k2", keep)
	t.fails(err, store.ErrNotFound)

	by = late()
	_, err = t.s.SetUserDisabled(t.ctx, by, "tanaka", true)
	t.ok(err)
	_, err = t.s.SetUserDisabled(t.ctx, Admin, "tanaka", false)
	t.ok(err)
	_, err = t.s.SetUserDisabled(t.ctx, by, "tanaka", true)
	t.fails(err, store.ErrOvertaken)
	u, err := t.s.User(t.ctx, "tanaka")
	t.ok(err)
	t.equal(u.Disabled, false)
}

func must(t *suite, desk string) store.Desk {
	t.Helper()
	d, err := t.s.Desk(t.ctx, desk)
	t.ok(err)
	return d
}
