//go:build linux

package journey

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/chromedp/cdproto/network"

	"jiseki/internal/demo"
	"jiseki/internal/journey/browser"
)

// fill returns a thing to do: fill a field of the page.
func (j *Journey) fill(label, text string) func(context.Context) error {
	return func(ctx context.Context) error { return j.page.Fill(ctx, label, text) }
}

func (j *Journey) click(name string) func(context.Context) error {
	return func(ctx context.Context) error { return j.page.Click(ctx, name) }
}

func (j *Journey) text(words string) func(context.Context) error {
	return func(ctx context.Context) error { return j.page.Text(ctx, words) }
}

func (j *Journey) sizes(detail string) func(context.Context) error {
	return func(ctx context.Context) error { return j.shootSizes(ctx, detail) }
}

// heading waits for a page's heading.
func (j *Journey) heading(words string) func(context.Context) error {
	return func(ctx context.Context) error {
		return j.page.Wait(ctx, "the page "+words, fmt.Sprintf("document.querySelector('main h1')?.textContent === %q", words))
	}
}

// goTo opens an address of the town.
func (j *Journey) goTo(path string) func(context.Context) error {
	return func(ctx context.Context) error { return j.page.Go(ctx, j.town.Address()+path) }
}

// signIn signs somebody in, from the address on the slip.
func (j *Journey) signIn(p demo.Person, password string) func(context.Context) error {
	return j.signInAt("/", p.ID, password)
}

// signInAt asks for a page and signs in before it comes.
func (j *Journey) signInAt(path, user, password string) func(context.Context) error {
	return func(ctx context.Context) error {
		return all(ctx, j.goTo(path), j.heading("サインイン"), j.fill("利用者ID", user), j.fill("パスワード", password), j.click("サインイン"),
			func(ctx context.Context) error {
				return j.page.Wait(ctx, "the page after the sign-in", `location.pathname !== "/signin"`)
			})
	}
}

const (
	presentWord = "初期パスワード（利用者登録通知書に記載）"
	newWord     = "新しいパスワード"
	againWord   = "新しいパスワード（確認）"
)

// changeWord fills the page that asks for a new password.
func (j *Journey) changeWord(present, word string) func(context.Context) error {
	return func(ctx context.Context) error {
		return all(ctx, j.heading("パスワードの変更"), j.fill(presentWord, present), j.fill(newWord, word), j.fill(againWord, word))
	}
}

func adminSignsIn(ctx context.Context, j *Journey) error {
	j.adminKnown = true
	return all(ctx,
		j.goTo("/"), j.heading("サインイン"), j.sizes(""),
		j.signIn(j.admin, j.admin.Password),
		j.goTo("/console/users"), // nothing opens before the password is changed
		j.changeWord(j.admin.Password, j.adminWord),
		j.click("パスワードを変更"), j.text("パスワードを変更しました。"),
	)
}

func adminLooksAround(ctx context.Context, j *Journey) error {
	menu := func(name string) func(context.Context) error {
		return func(ctx context.Context) error { return j.page.ClickIn(ctx, ".console-nav", name) }
	}
	return all(ctx,
		j.goTo("/"), j.click("管理"),
		j.heading("利用者"), j.text(j.staff.Name), j.sizes("users"),
		menu("自席端末"), j.heading("自席端末"), j.text("総務課-03"), j.sizes("desks"),
		menu("接続元端末"), j.heading("接続元端末"), j.sizes("devices"),
		menu("接続"), j.heading("接続"), j.sizes("sessions"),
		menu("監査記録"), j.heading("監査記録"), j.text("パスワード"), j.sizes("events"), j.timesAreJapans,
		menu("所属"), j.heading("所属"), j.text("税務課"), j.sizes("sections"),
		menu("設定"), j.heading("設定"), j.sizes("settings"),
		j.signOut,
	)
}

// timesAreJapans looks at the audit log on a device that is in another zone, or thinks so.
func (j *Journey) timesAreJapans(ctx context.Context) (err error) {
	out, err := j.town.Gateway(ctx, "--json", "audit", "list", "--kind", "sign_in", "--limit", "1")
	if err != nil {
		return err
	}
	var log struct {
		Events []struct {
			Number int64 `json:"number,string"`
			TimeMS int64 `json:"time_ms,string"`
		} `json:"events"`
	}
	if err := json.Unmarshal([]byte(out), &log); err != nil || len(log.Events) != 1 {
		return errors.Join(fmt.Errorf("the audit log has %d sign-ins", len(log.Events)), err)
	}
	const abroad = "America/New_York"
	if err := j.page.Zone(abroad); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.page.Zone("")) }()
	last := log.Events[0]
	japan := time.UnixMilli(last.TimeMS).In(time.FixedZone("JST", 9*60*60))
	err = all(ctx,
		j.goTo("/console/events"), j.heading("監査記録"),
		func(ctx context.Context) error {
			return j.page.Wait(ctx, "the device to be abroad", `Intl.DateTimeFormat().resolvedOptions().timeZone === "`+abroad+`"`)
		},
		j.text(japan.Format("2006/01/02 15:04:05")),
		j.click(fmt.Sprintf("番号%dの内訳", last.Number)), j.text(japan.Format("2006年1月2日 15:04")),
		j.goTo("/console/events"),
	)
	j.note("端末の時間帯が %s でも、画面の時刻は日本時間", abroad)
	return err
}

func (j *Journey) signOut(ctx context.Context) error {
	menu := `document.querySelector(".user-name")?.closest("button")`
	if err := j.page.Wait(ctx, "the user's menu", menu); err != nil {
		return err
	}
	name, err := browser.Get[string](ctx, j.page, menu+`.textContent`)
	if err != nil {
		return err
	}
	return all(ctx, j.click(strings.Join(strings.Fields(name), " ")), j.click("サインアウト"), j.text("サインアウトしました。"))
}

// A password that has the length and the letters, but that everybody knows.
const weakWord = "Password2026!"

func staffSignsIn(ctx context.Context, j *Journey) error {
	return all(ctx,
		j.signIn(j.staff, j.staff.Password),
		j.changeWord(j.staff.Password, "abc"),
		j.click("パスワードを変更"), j.text("条件を満たしていません。"), j.sizes("short"),
		j.changeWord(j.staff.Password, weakWord),
		j.click("パスワードを変更"), j.text("推測されやすい言葉や並びが使われています。"), j.sizes("weak"),
		j.changeWord(j.staff.Password, j.staffWord),
		j.click("パスワードを変更"), j.text("パスワードを変更しました。"),
	)
}

func staffEnrols(ctx context.Context, j *Journey) error {
	return all(ctx,
		j.heading("この端末の登録"), j.fill("端末登録コード", j.staff.Code), j.sizes(""),
		j.click("この端末を登録"), j.text("この端末を登録しました。"), j.sizes("done"),
		j.keyStaysInside,
		j.click("自席端末の一覧へ進む"),
	)
}

// keyStaysInside asks the browser for the private half of the device's key.
func (j *Journey) keyStaysInside(ctx context.Context) error {
	const dig = `(async () => {
  const names = (await indexedDB.databases()).map((d) => d.name);
  const keys = [];
  const look = (v) => {
    if (v instanceof CryptoKey) keys.push(v);
    else if (v && typeof v === "object" && !ArrayBuffer.isView(v)) Object.values(v).forEach(look);
  };
  for (const name of names) {
    const db = await new Promise((ok, no) => { const r = indexedDB.open(name); r.onsuccess = () => ok(r.result); r.onerror = no; });
    for (const store of db.objectStoreNames)
      look(await new Promise((ok, no) => { const r = db.transaction(store).objectStore(store).getAll(); r.onsuccess = () => ok(r.result); r.onerror = no; }));
    db.close();
  }
  if (keys.length === 0) return "no key is kept";
  for (const k of keys) {
    if (k.type === "private" && k.extractable) return "the private key can be extracted";
    for (const format of ["pkcs8", "jwk"])
      if (k.type === "private" && (await crypto.subtle.exportKey(format, k).then(() => true, () => false))) return "the private key came out as " + format;
  }
  return "";
})()`
	problem, err := browser.Get[string](ctx, j.page, dig)
	if err != nil {
		return err
	}
	if problem != "" {
		return errors.New(problem)
	}
	j.note("端末の秘密鍵は取り出せない形で保管されている")
	return nil
}

func staffSeesDesk(ctx context.Context, j *Journey) error {
	return all(ctx, j.heading("自席端末"), j.text("総務課-03"), j.text("電源オン"), j.text("ログオン中"), j.sizes(""))
}

// browserRules checks what the gateway tells the browser to keep to.
func browserRules(ctx context.Context, j *Journey) error {
	return all(ctx, j.cookieRules, j.storeRules, j.scriptRules)
}

func (j *Journey) cookieRules(context.Context) error {
	cookies, err := j.browser.Cookies()
	if err != nil {
		return err
	}
	if len(cookies) == 0 {
		return errors.New("somebody is signed in without a cookie")
	}
	for _, c := range cookies {
		strict := c.SameSite == network.CookieSameSiteStrict || c.SameSite == network.CookieSameSiteLax
		if !strings.HasPrefix(c.Name, "__Host-") || !c.HTTPOnly || !c.Secure || !strict || c.Path != "/" || strings.HasPrefix(c.Domain, ".") {
			return fmt.Errorf("the cookie %s is not kept close: %+v", c.Name, *c)
		}
		j.note("Cookie %s: HttpOnly, Secure, SameSite=%s", c.Name, c.SameSite)
	}
	return nil
}

// storeRules checks that nothing but assets named by their content may be kept.
func (j *Journey) storeRules(context.Context) error {
	calls := 0
	for _, r := range j.page.Responses() {
		at, err := url.Parse(r.URL)
		if err != nil || at.Scheme != "https" {
			continue
		}
		control := r.Header.Get("Cache-Control")
		if !strings.HasPrefix(at.Path, "/assets/") && control != "no-store" {
			return fmt.Errorf("%s may be kept: Cache-Control %q", at.Path, control)
		}
		if strings.Contains(at.Path, "jiseki.control") {
			calls++
		}
	}
	if calls == 0 {
		return errors.New("no call of the API was seen")
	}
	j.note("API の応答 %d 件すべてが no-store", calls)
	return nil
}

// scriptRules puts a script into the page as an attacker would; it must not run.
func (j *Journey) scriptRules(ctx context.Context) error {
	defer j.page.Tolerate(`Content Security Policy`)()
	const inject = `new Promise((done) => {
  const blocked = [];
  document.addEventListener("securitypolicyviolation", (e) => blocked.push(e.effectiveDirective));
  window.stolen = 0;
  const inline = document.createElement("script");
  inline.textContent = "window.stolen++";
  const far = document.createElement("script");
  far.src = "https://example.invalid/x.js";
  const image = document.createElement("img");
  image.setAttribute("onerror", "window.stolen++");
  image.src = "data:,";
  document.body.append(inline, far, image);
  const look = () => (blocked.length >= 3 ? done(window.stolen + " " + [...new Set(blocked)].sort().join(" ")) : setTimeout(look, 20));
  look();
})`
	got, err := browser.Get[string](ctx, j.page, inject)
	if err != nil {
		return err
	}
	if want := "0 script-src-attr script-src-elem"; got != want {
		return fmt.Errorf("injected scripts: %q, want %q", got, want)
	}
	j.note("差し込んだスクリプトは実行されない（%s）", got)
	return j.goTo("/")(ctx)
}
