package storetest

import (
	"fmt"

	"github.com/google/go-cmp/cmp"

	"jiseki/internal/access"
	"jiseki/internal/store"
)

func organisation(t *suite) {
	o, err := t.s.Organisation(t.ctx)
	t.ok(err)
	t.equal(o.Name, "青葉町")
	t.equal(o.Settings, access.Default(), cmp.Comparer(func(a, b access.Settings) bool { return fmt.Sprint(a) == fmt.Sprint(b) }))
	t.fails(t.s.CreateOrganisation(t.ctx, Admin, "二つ目", access.Default()), store.ErrExists)

	changed := o.Settings
	changed.MaxSessions, changed.TOTPOutside = 3, true
	revision, err := t.s.UpdateSettings(t.ctx, Admin, o.Revision, "青葉町役場", changed)
	t.ok(err)
	t.equal(t.last().Details, `{"max_sessions":"200 -> 3","name":"青葉町 -> 青葉町役場","second_factor_outside":"false -> true"}`)
	_, err = t.s.UpdateSettings(t.ctx, Admin, o.Revision, "古い", changed)
	t.fails(err, store.ErrStale)
	o, err = t.s.Organisation(t.ctx)
	t.ok(err)
	t.equal([]any{o.Name, o.Revision, o.Settings.MaxSessions}, []any{"青葉町役場", revision, 3})
	changed.SessionMax = 0
	_, err = t.s.UpdateSettings(t.ctx, Admin, revision, "x", changed)
	t.fails(err, store.ErrInvalid)
}

func sections(t *suite) {
	t.ok(t.s.PutSection(t.ctx, Admin, store.Section{ID: "kakari", Parent: "soumu", Name: "庶務係", Position: 3}))
	all, err := t.s.Sections(t.ctx)
	t.ok(err)
	t.equal(all, []store.Section{
		{ID: "soumu", Name: "総務課", Position: 1, Head: "tanaka", Deputies: []string{"suzuki"}},
		{ID: "zeimu", Name: "税務課", Position: 2},
		{ID: "kakari", Parent: "soumu", Name: "庶務係", Position: 3},
	})
	t.fails(t.s.PutSection(t.ctx, Admin, store.Section{ID: "soumu", Parent: "kakari", Name: "総務課"}), store.ErrInvalid)
	t.fails(t.s.PutSection(t.ctx, Admin, store.Section{ID: "x", Parent: "nowhere", Name: "x"}), store.ErrNotFound)
	t.fails(t.s.PutSection(t.ctx, Admin, store.Section{ID: "総務", Name: "x"}), store.ErrInvalid)
	t.fails(t.s.PutSection(t.ctx, Admin, store.Section{ID: "x", Name: "x", Head: "nobody"}), store.ErrInUse)
	t.fails(t.s.DeleteSection(t.ctx, Admin, "soumu"), store.ErrInUse)
	t.ok(t.s.DeleteSection(t.ctx, Admin, "kakari"))
	t.fails(t.s.DeleteSection(t.ctx, Admin, "kakari"), store.ErrNotFound)
}
