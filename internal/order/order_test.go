package order_test

import (
	"errors"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"jiseki/internal/cert"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/order"
)

var now = time.UnixMilli(1_790_000_000_000)

func key(t testing.TB) *cert.SignerKey {
	t.Helper()
	k, err := cert.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func welcome(nonce string) *controlv1.Order {
	return &controlv1.Order{
		DeskId: "d1", Epoch: 7, Number: 1, TimeMs: now.UnixMilli(),
		Order: &controlv1.Order_Welcome{Welcome: &controlv1.Welcome{Nonce: []byte(nonce)}},
	}
}

func lock(number uint64) *controlv1.Order {
	return &controlv1.Order{
		DeskId: "d1", Epoch: 7, Number: number, TimeMs: now.UnixMilli(),
		Order: &controlv1.Order_Lock{Lock: &controlv1.LockOrder{}},
	}
}

func sign(t testing.TB, k cert.PrivateKey, o *controlv1.Order) *controlv1.Signed {
	t.Helper()
	s, err := order.Sign(k, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestOrdersAreReadInTurn(t *testing.T) {
	k := key(t)
	r := order.NewReader("d1", []byte("n"))
	keys := []cert.PublicKey{key(t).Public(), k.Public()}
	for i, o := range []*controlv1.Order{welcome("n"), lock(2), lock(3), lock(9)} {
		got, err := r.Read(sign(t, k, o), keys, now)
		if err != nil || !proto.Equal(got, o) {
			t.Fatalf("order %d: got %v, %v", i, got, err)
		}
	}
	if r.Epoch() != 7 {
		t.Errorf("epoch is %d, want 7", r.Epoch())
	}
}

func TestBadOrdersAreRefused(t *testing.T) {
	k, other := key(t), key(t)
	change := func(o *controlv1.Order, f func(*controlv1.Order)) *controlv1.Order { f(o); return o }
	for name, c := range map[string]struct {
		order *controlv1.Order
		key   cert.PrivateKey
		want  error
	}{
		"other desk":    {change(lock(2), func(o *controlv1.Order) { o.DeskId = "d2" }), k, order.ErrDesk},
		"other epoch":   {change(lock(2), func(o *controlv1.Order) { o.Epoch = 8 }), k, order.ErrEpoch},
		"no epoch":      {change(lock(2), func(o *controlv1.Order) { o.Epoch = 0 }), k, order.ErrForm},
		"same number":   {lock(1), k, order.ErrNumber},
		"second hello":  {change(welcome("n"), func(o *controlv1.Order) { o.Number = 2 }), k, order.ErrWelcome},
		"too old":       {change(lock(2), func(o *controlv1.Order) { o.TimeMs -= 121_000 }), k, order.ErrAge},
		"from tomorrow": {change(lock(2), func(o *controlv1.Order) { o.TimeMs += 61_000 }), k, order.ErrAge},
		"empty":         {change(lock(2), func(o *controlv1.Order) { o.Order = nil }), k, order.ErrForm},
		"foreign key":   {lock(2), other, cert.ErrIssuer},
	} {
		r := order.NewReader("d1", []byte("n"))
		keys := []cert.PublicKey{k.Public()}
		if _, err := r.Read(sign(t, k, welcome("n")), keys, now); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Read(sign(t, c.key, c.order), keys, now); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

func TestTheFirstOrderAnswersTheHello(t *testing.T) {
	k := key(t)
	for name, o := range map[string]*controlv1.Order{"replayed welcome": welcome("old"), "no welcome": lock(1)} {
		r := order.NewReader("d1", []byte("n"))
		if _, err := r.Read(sign(t, k, o), []cert.PublicKey{k.Public()}, now); !errors.Is(err, order.ErrWelcome) {
			t.Errorf("%s: got %v, want ErrWelcome", name, err)
		}
	}
}

func TestChangedBytesAreRefused(t *testing.T) {
	k := key(t)
	good := sign(t, k, welcome("n"))
	for name, s := range map[string]*controlv1.Signed{
		"body":            {Body: append([]byte{0x50, 1}, good.Body...), Signature: good.Signature, Issuer: good.Issuer},
		"short signature": {Body: good.Body, Signature: good.Signature[:63], Issuer: good.Issuer},
		"long issuer":     {Body: good.Body, Signature: good.Signature, Issuer: append(good.Issuer, 0)},
		"nothing":         {},
	} {
		if _, err := order.NewReader("d1", []byte("n")).Read(s, []cert.PublicKey{k.Public()}, now); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// FuzzRead: whatever bytes a carrier makes up, no order comes of them.
func FuzzRead(f *testing.F) {
	k := key(f)
	good := sign(f, k, welcome("n"))
	f.Add(good.Body, good.Signature[:10], good.Issuer)
	f.Fuzz(func(t *testing.T, body, signature, issuer []byte) {
		r := order.NewReader("d1", []byte("n"))
		if _, err := r.Read(&controlv1.Signed{Body: body, Signature: signature, Issuer: issuer}, []cert.PublicKey{k.Public()}, now); err == nil {
			t.Fatal("a forged order was read")
		}
	})
}
