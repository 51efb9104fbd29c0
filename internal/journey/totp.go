//go:build linux

package journey

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // what RFC 6238 and every authenticator app use
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"jiseki/internal/journey/browser"
)

// An authenticator is what a member of staff has on a telephone: RFC 6238 with SHA-1, 30 seconds and 6 digits.
type authenticator struct {
	key  []byte
	last int64 // time step of the last password
}

const totpStep = 30

// next is a password that was not used before: the present one, or the one after the last, which gateways take too.
func (a *authenticator) next(now time.Time) string {
	a.last = max(now.Unix()/totpStep, a.last+1)
	m := hmac.New(sha1.New, a.key)
	_ = binary.Write(m, binary.BigEndian, a.last) // a hash never fails
	sum := m.Sum(nil)
	at := sum[len(sum)-1] & 15
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[at:])&(1<<31-1)%1_000_000)
}

// staffSetsUpTOTP sets up one-time passwords in the office by what the page shows, goes home, and signs in with one.
func staffSetsUpTOTP(ctx context.Context, j *Journey) error {
	app, err := j.beginTOTP(ctx)
	if err != nil {
		return err
	}
	const field = "ワンタイムパスワード"
	return all(ctx,
		func(ctx context.Context) error { return j.fill(field, app.next(time.Now()))(ctx) }, j.click("確認して設定"),
		j.text("ワンタイムパスワードを設定しました。"), j.recoveryCodes, j.sizes("codes"),
		j.click("書き写して保管した"), j.click("自席端末の一覧へ進む"), j.heading("自席端末"),
		j.signOut, j.goHome,
		j.fill("利用者ID", j.staff.ID), j.fill("パスワード", j.staffWord), j.click("サインイン"),
		j.text("続けて、ワンタイムパスワードを入力してください。"), j.sizes("asked"),
		// Neither nothing nor a wrong password lets anybody in.
		j.fill(field, "12345"), j.click("サインイン"), j.text("ワンタイムパスワードが違うか、すでに使われています。"),
		func(ctx context.Context) error { return j.fill(field, app.next(time.Now()))(ctx) },
		j.click("サインイン"), j.heading("自席端末"),
	)
}

// goHome takes this machine's addresses out of the office's networks: one-time passwords are asked for outside.
func (j *Journey) goHome(ctx context.Context) error {
	_, err := j.town.Gateway(ctx, "settings", "set", `office_networks=["192.0.2.0/24"]`)
	return err
}

// beginTOTP asks for a new key and reads it from the page, as somebody does who cannot scan the QR code.
func (j *Journey) beginTOTP(ctx context.Context) (*authenticator, error) {
	err := all(ctx,
		j.goTo("/totp"), j.heading("ワンタイムパスワード"), j.sizes(""),
		j.fill("現在のパスワード", j.staffWord), j.click("設定を始める"),
		func(ctx context.Context) error {
			return j.page.Wait(ctx, "the key", `document.querySelector(".totp-secret")?.textContent.length > 30 && document.querySelector(".totp-key svg")`)
		},
		j.sizes("key"),
	)
	if err != nil {
		return nil, err
	}
	text, err := browser.Get[string](ctx, j.page, `document.querySelector(".totp-secret").textContent`)
	if err != nil {
		return nil, err
	}
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		return nil, fmt.Errorf("the key on the page: %w", err)
	}
	return &authenticator{key: key}, nil
}

// recoveryCodes checks that there are ten different ones.
func (j *Journey) recoveryCodes(ctx context.Context) error {
	n, err := browser.Get[int](ctx, j.page, `new Set([...document.querySelectorAll(".recovery-codes li")].map((e) => e.textContent)).size`)
	if err != nil {
		return err
	}
	if n != 10 {
		return fmt.Errorf("%d different recovery codes, want 10", n)
	}
	return nil
}
