package storetest

import (
	"time"

	"jiseki/internal/mail"
	"jiseki/internal/store"
)

// approvedNotice is a notice to a user, different for each date.
func approvedNotice(user, date string) mail.Notice {
	return mail.Notice{User: user, Kind: "request_approved", Args: map[string]string{"date": date, "more": "0"}, Path: "/requests/1"}
}

func notices(t *suite) {
	t.ok(t.s.Notify(t.ctx, approvedNotice("tanaka", "2026-11-25"), approvedNotice("suzuki", "2026-11-25")))
	t.clock.Add(time.Second)
	t.ok(t.s.Notify(t.ctx, approvedNotice("tanaka", "2026-11-26"), approvedNotice("tanaka", "2026-11-27")))
	var got []store.Notice
	for p := (store.Page{Limit: 1}); ; {
		part, next, err := t.s.Notices(t.ctx, "tanaka", p)
		t.ok(err)
		got = append(got, part...)
		if p.After = next; next == "" {
			break
		}
	}
	t.equal(len(got), 3)
	t.equal(got[2], store.Notice{
		ID: got[2].ID, User: "tanaka", Kind: "request_approved", Args: map[string]string{"date": "2026-11-25", "more": "0"}, Path: "/requests/1",
		TimeMS: t.clock.Now().Add(-time.Second).UnixMilli(),
	})
	unread := func(user string) int {
		n, err := t.s.UnreadNotices(t.ctx, user)
		t.ok(err)
		return n
	}
	t.ok(t.s.ReadNotices(t.ctx, "suzuki", []string{got[0].ID})) // not hers to read
	t.equal(unread("tanaka"), 3)
	t.ok(t.s.ReadNotices(t.ctx, "tanaka", []string{got[0].ID}))
	t.equal([]int{unread("tanaka"), unread("suzuki")}, []int{2, 1})
	t.ok(t.s.ReadNotices(t.ctx, "tanaka", nil))
	t.equal([]int{unread("tanaka"), unread("suzuki")}, []int{0, 1})
	_, _, err := t.s.Notices(t.ctx, "tanaka", store.Page{After: "x"})
	t.fails(err, store.ErrInvalid)

	wrong := approvedNotice("tanaka", "2026-11-25")
	wrong.Args["reason"] = "看護"
	t.fails(t.s.Notify(t.ctx, approvedNotice("tanaka", "2026-11-28"), wrong), mail.ErrNotice)
	t.fails(t.s.Notify(t.ctx, approvedNotice("nobody", "2026-11-28")), store.ErrInUse)
	t.equal(unread("tanaka"), 0)
}

func noticesOnce(t *suite) {
	n := approvedNotice("tanaka", "2026-11-25")
	n.Once = "tomorrow 2026-11-25"
	other := n
	other.User = "suzuki"
	for range 3 {
		t.ok(t.s.Notify(t.ctx, n, other))
	}
	all, _, err := t.s.Notices(t.ctx, "tanaka", store.Page{})
	t.ok(err)
	t.equal(len(all), 1)
}
