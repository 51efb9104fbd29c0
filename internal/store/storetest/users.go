package storetest

import (
	"fmt"

	"jiseki/internal/access"
	"jiseki/internal/audit"
	"jiseki/internal/store"
)

func users(t *suite) {
	u, err := t.s.User(t.ctx, "tanaka")
	t.ok(err)
	t.equal(u, store.User{
		ID: "tanaka", Name: "田中 花子", MainSection: "soumu", Roles: []access.Role{access.Staff, access.Approver}, PasswordHash: "hash",
		MustChange: true, PasswordChangedMS: t.clock.Now().UnixMilli(), CreatedMS: t.clock.Now().UnixMilli(), Devices: 1,
	})
	_, err = t.s.User(t.ctx, "nobody")
	t.fails(err, store.ErrNotFound)
	u.Kana, u.OtherSections, u.MainSection = "タナカ ハナコ", []string{"soumu"}, "zeimu"
	t.ok(t.s.UpdateUser(t.ctx, Admin, u))
	got, err := t.s.User(t.ctx, "tanaka")
	t.ok(err)
	t.equal(got, u)

	found := func(f store.UserFilter) (ids []string) {
		all, _, err := t.s.Users(t.ctx, f, store.Page{})
		t.ok(err)
		for i := range all {
			ids = append(ids, all[i].ID)
		}
		return ids
	}
	t.equal(found(store.UserFilter{}), []string{"admin", "suzuki", "tanaka"})
	t.equal(found(store.UserFilter{Query: "タナカ"}), []string{"tanaka"})
	t.equal(found(store.UserFilter{Query: "SUZU"}), []string{"suzuki"})
	t.equal(len(found(store.UserFilter{Query: "%"})), 0)
	for _, query := range []string{"ﾀﾅｶ", "たなか はなこ", "田中花子", "田中　花子", "ＴＡＮＡ", "ﾊﾅｺ"} {
		t.equal(found(store.UserFilter{Query: query}), []string{"tanaka"})
		staff, _, err := t.s.Staff(t.ctx, store.UserFilter{Query: query}, store.Page{})
		t.ok(err)
		t.equal([]any{len(staff), staff[0].User}, []any{1, "tanaka"})
	}
	first, next, err := t.s.Users(t.ctx, store.UserFilter{Query: "Ａ"}, store.Page{Limit: 1}) // all but suzuki have one
	t.ok(err)
	t.equal([]any{len(first), first[0].ID, next}, []any{1, "admin", "admin"})
	first, next, err = t.s.Users(t.ctx, store.UserFilter{Query: "Ａ"}, store.Page{Limit: 1, After: next})
	t.ok(err)
	t.equal([]any{len(first), first[0].ID, next}, []any{1, "tanaka", ""})
	t.equal(len(found(store.UserFilter{Query: "_"})), 0)
	t.equal(found(store.UserFilter{Section: "soumu"}), []string{"tanaka"})

	before := t.last().Number
	err = t.s.CreateUsers(t.ctx, Admin, []store.NewUser{{ID: "new", Name: "新人"}, {ID: "suzuki", Name: "同じ"}})
	t.fails(err, store.ErrExists)
	_, err = t.s.User(t.ctx, "new") // all or none
	t.fails(err, store.ErrNotFound)
	t.equal(t.last().Number, before)
	t.fails(t.s.CreateUsers(t.ctx, Admin, []store.NewUser{{ID: "Big", Name: "x"}}), store.ErrInvalid)
	for _, bad := range []string{"改\n行", "右\u202eから", "\u2066分離", "行\u2028区切り", "制御\u0085", "不明\ufffd"} {
		t.fails(t.s.CreateUsers(t.ctx, Admin, []store.NewUser{{ID: "x", Name: bad}}), store.ErrInvalid)
	}
	for i, name := range []string{"\uf9dc\ufa19\ufa1b\ufa10\ufa17", "葛\U000e0100城 \u795e\ufe00", "外字\ue000\ue757", "か\u3099　ｶﾞ", "𠮷田 Ｂ"} { // each byte is kept
		id := fmt.Sprintf("name-%d", i)
		t.ok(t.s.CreateUsers(t.ctx, Admin, []store.NewUser{{ID: id, Name: name, Kana: name}}))
		u, err := t.s.User(t.ctx, id)
		t.ok(err)
		t.equal([]string{u.Name, u.Kana}, []string{name, name})
		t.equal(found(store.UserFilter{Query: name}), []string{id})
	}
}

func lastAdministrator(t *suite) {
	_, err := t.s.SetUserDisabled(t.ctx, Admin, "admin", true)
	t.fails(err, store.ErrInUse)
	u, err := t.s.User(t.ctx, "admin")
	t.ok(err)
	u.Roles = []access.Role{access.Staff}
	t.fails(t.s.UpdateUser(t.ctx, Admin, u), store.ErrInUse)
	t.ok(t.s.CreateUsers(t.ctx, Admin, []store.NewUser{{ID: "second", Name: "二人目", Roles: []access.Role{access.Admin}}}))
	t.ok(t.s.UpdateUser(t.ctx, Admin, u))
	_, err = t.s.SetUserDisabled(t.ctx, Admin, "second", true)
	t.fails(err, store.ErrInUse)
}

func passwords(t *suite) {
	mine, other := t.signIn(1, "tanaka", ""), t.signIn(2, "tanaka", "d1")
	t.ok(t.s.SetPassword(t.ctx, store.By{Actor: "user:tanaka"}, "tanaka", "newer", mine))
	u, err := t.s.User(t.ctx, "tanaka")
	t.ok(err)
	t.equal([]any{u.PasswordHash, u.MustChange}, []any{"newer", false})
	_, err = t.s.SignIn(t.ctx, other)
	t.fails(err, store.ErrNotFound)
	_, err = t.s.SignIn(t.ctx, mine)
	t.ok(err)

	session := t.bringTo(1, store.LifeOpen)
	running, err := t.s.ResetPassword(t.ctx, Admin, "tanaka", "first")
	t.ok(err)
	t.equal([]any{len(running), running[0].ID}, []any{1, session})
	_, err = t.s.SignIn(t.ctx, mine)
	t.fails(err, store.ErrNotFound)
	u, err = t.s.User(t.ctx, "tanaka")
	t.ok(err)
	t.equal(u.MustChange, true)
	t.equal(t.last().Kind, audit.PasswordReset)
}

func secondFactor(t *suite) {
	code := [32]byte{7}
	t.ok(t.s.SetTOTP(t.ctx, Admin, "tanaka", store.TOTP{Sealed: []byte("sealed"), LastStep: 99, Recovery: [][32]byte{code, {8}}}))
	t.fails(t.s.SpendTOTPStep(t.ctx, "tanaka", 99), store.ErrSpent)
	t.ok(t.s.SpendTOTPStep(t.ctx, "tanaka", 100))
	t.fails(t.s.SpendTOTPStep(t.ctx, "tanaka", 100), store.ErrSpent)
	t.fails(t.s.SpendTOTPStep(t.ctx, "tanaka", 99), store.ErrSpent)
	t.ok(t.s.SpendTOTPStep(t.ctx, "tanaka", 101))
	by := store.By{Actor: "user:tanaka"}
	t.fails(t.s.SpendRecoveryCode(t.ctx, by, "suzuki", code), store.ErrWrongCode)
	t.ok(t.s.SpendRecoveryCode(t.ctx, by, "tanaka", code))
	t.fails(t.s.SpendRecoveryCode(t.ctx, by, "tanaka", code), store.ErrWrongCode)
	t.equal(t.last().Details, `{"left":1}`)
	u, err := t.s.User(t.ctx, "tanaka")
	t.ok(err)
	t.equal(u.TOTPSealed, []byte("sealed"))
	t.ok(t.s.SetTOTP(t.ctx, Admin, "tanaka", store.TOTP{}))
	u, err = t.s.User(t.ctx, "tanaka")
	t.ok(err)
	t.equal(u.TOTPSealed == nil, true)
}
