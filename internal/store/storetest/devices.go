package storetest

import (
	"crypto/sha256"
	"strings"
	"time"

	"jiseki/internal/audit"
	"jiseki/internal/grant"
	"jiseki/internal/store"
)

func deviceCodes(t *suite) {
	right, wrong := sha256.Sum256([]byte("right")), sha256.Sum256([]byte("wrong"))
	by := store.By{Actor: "user:tanaka"}
	add := func(hash [32]byte) {
		t.ok(t.s.AddDeviceCode(t.ctx, Admin, "tanaka", store.NewDeviceCode{
			Hash: hash, Kind: grant.DevicePrivate, UntilMS: t.clock.Now().Add(time.Hour).UnixMilli(),
		}))
	}
	enrol := func(id string, code [32]byte) error {
		return t.s.EnrolDevice(t.ctx, by, "tanaka", code, [32]byte{1}, Device(id, "user:tanaka"))
	}
	t.signIn(1, "tanaka", "")
	t.signIn(2, "suzuki", "")
	t.fails(enrol("n1", right), store.ErrSpent) // none was given out
	add(wrong)
	add(right) // voids the former
	t.fails(enrol("n1", wrong), store.ErrWrongCode)
	t.equal([]any{t.last().Kind, t.last().Outcome, t.last().Code}, []any{audit.DeviceRefused, audit.Refused, "wrong_code"})
	t.fails(t.s.EnrolDevice(t.ctx, by, "suzuki", right, [32]byte{2}, Device("n1", "user:suzuki")), store.ErrSpent) // another's
	t.fails(enrol("d1", right), store.ErrExists)                                                                   // taken id: nothing happened, the code is still good
	t.ok(enrol("n1", right))
	d, err := t.s.Device(t.ctx, "n1")
	t.ok(err)
	t.equal([]any{d.Kind, d.OwnerName, d.EnrolledBy}, []any{grant.DevicePrivate, "田中 花子", "user:tanaka"})
	in, err := t.s.SignIn(t.ctx, [32]byte{1})
	t.ok(err)
	t.equal(in.Device, "n1")
	t.fails(enrol("n2", right), store.ErrSpent)

	third := sha256.Sum256([]byte("third"))
	add(third)
	for range 10 { // wrong ones do not use it up: whoever sends them is slowed down
		t.fails(enrol("n2", wrong), store.ErrWrongCode)
	}
	t.ok(enrol("n2", third))
	again := sha256.Sum256([]byte("again"))
	add(again)
	t.clock.Add(time.Hour)
	t.fails(enrol("n3", again), store.ErrExpired)
	t.fails(t.s.AddDeviceCode(t.ctx, Admin, "nobody", store.NewDeviceCode{Kind: 1}), store.ErrNotFound)
}

// inventory: kind and number of a device are those of the administrator's code, whatever the device says.
func inventory(t *suite) {
	t.signIn(1, "tanaka", "")
	for name, c := range map[string]struct {
		kind   grant.DeviceKind
		number string
		err    error
	}{
		"lent without a number":    {grant.DeviceLent, "", store.ErrNoInventory},
		"private with one":         {grant.DevicePrivate, "R6-014", store.ErrInvalid},
		"too long":                 {grant.DeviceLent, strings.Repeat("9", 65), store.ErrInvalid},
		"a control":                {grant.DeviceLent, "R6\x00", store.ErrInvalid},
		"neither lent nor private": {3, "R6-014", store.ErrInvalid},
		"lent, has none":           {grant.DeviceLent, store.NoInventory, nil},
		"lent":                     {grant.DeviceLent, "備品-0014", nil},
		"private":                  {grant.DevicePrivate, "", nil},
	} {
		code := store.NewDeviceCode{Hash: sha256.Sum256([]byte(name)), Kind: c.kind, Inventory: c.number, UntilMS: t.clock.Now().Add(time.Hour).UnixMilli()}
		err := t.s.AddDeviceCode(t.ctx, Admin, "tanaka", code)
		if c.err != nil {
			t.fails(err, c.err)
			t.fails(t.s.CreateUsers(t.ctx, Admin, []store.NewUser{{ID: "sato", Name: "佐藤", PasswordHash: "hash", DeviceCode: &code}}), c.err)
			continue
		}
		t.ok(err)
		t.equal(strings.Contains(t.last().Details, `"inventory":"`+c.number+`"`), true)
		claims := Device("of "+name, "user:tanaka")
		claims.Kind, claims.Inventory = grant.DevicePrivate+grant.DeviceLent-c.kind, "X-1"
		t.ok(t.s.EnrolDevice(t.ctx, store.By{Actor: "user:tanaka"}, "tanaka", code.Hash, [32]byte{1}, claims))
		t.equal(strings.Contains(t.last().Details, `"inventory":"`+c.number+`"`), true)
		d, err := t.s.Device(t.ctx, claims.ID)
		t.ok(err)
		t.equal([]any{d.Kind, d.Inventory}, []any{c.kind, c.number})
	}
}

func revokedDevice(t *suite) {
	hash := t.signIn(1, "tanaka", "d1")
	id := Session(t.T, t.s, 1, "tanaka", "d1", "k1")
	running, err := t.s.RevokeDevice(t.ctx, Admin, "d1", "紛失")
	t.ok(err)
	t.equal(len(running), 1)
	t.equal(running[0].ID, id)
	_, err = t.s.SignIn(t.ctx, hash)
	t.fails(err, store.ErrNotFound)
	_, err = t.s.RevokeDevice(t.ctx, Admin, "d1", "")
	t.fails(err, store.ErrNotFound)
	t.fails(t.s.RenewDevice(t.ctx, Admin, "d1", []byte("c"), 1), store.ErrNotFound)
	t.ok(t.s.RenewDevice(t.ctx, Admin, "d2", []byte("newer"), 5))
	d, err := t.s.Device(t.ctx, "d2")
	t.ok(err)
	t.equal([]any{string(d.Certificate), d.UntilMS}, []any{"newer", int64(5)})
	devices, _, err := t.s.Devices(t.ctx, "user:tanaka", store.Page{})
	t.ok(err)
	t.equal([]any{len(devices), devices[0].RevokedReason}, []any{1, "紛失"})
}
