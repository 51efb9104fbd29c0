//go:build linux

package journey

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"jiseki/internal/journey/browser"
)

// outage are the complaints of a browser whose line is broken.
const outage = `net::ERR_|WebSocket connection|Failed to load resource`

// recorder makes the page keep what it says and in which phase it is, for what passes quickly.
const recorder = `(() => {
  const viewer = document.getElementById("viewer");
  window.journeySaid = [];
  const note = () => window.journeySaid.push(viewer.dataset.phase + "|" + (document.querySelector(".cover:not([hidden])")?.innerText ?? "").replace(/\s+/g, " "));
  window.journeyObserver?.disconnect();
  window.journeyObserver = new MutationObserver(note);
  window.journeyObserver.observe(viewer, { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ["data-phase", "hidden"] });
  return true;
})()`

// survives breaks something in the middle of a session: the page says so, and goes on by itself with the newest picture.
func (j *Journey) survives(ctx context.Context, breakIt func()) error {
	defer j.page.Tolerate(outage)()
	if err := all(ctx, j.live, j.same); err != nil {
		return err
	}
	if _, err := browser.Get[bool](ctx, j.page, recorder); err != nil {
		return err
	}
	began := time.Now()
	breakIt()
	const said = `journeySaid.some((s) => /^(waiting|authorizing|linking)/.test(s) && s.includes("再接続しています"))`
	if err := j.page.Wait(ctx, "the page to say that it connects again", said); err != nil {
		return err
	}
	if err := j.shoot(ctx, "broken"); err != nil {
		return err
	}
	if err := j.live(ctx); err != nil {
		return err
	}
	j.note("切断の表示を経て %.1f 秒後に画面が戻った", time.Since(began).Seconds())
	return all(ctx, j.same, j.focusOnDesk)
}

// outageTime is how long the line carries nothing.
const outageTime = 4 * time.Second

func lineBreaks(ctx context.Context, j *Journey) error {
	return j.survives(ctx, func() {
		j.line.Freeze(outageTime)
		j.line.Cut()
	})
}

func gatewayDies(ctx context.Context, j *Journey) error { return j.survives(ctx, j.town.BreakGateway) }

func agentDies(ctx context.Context, j *Journey) error {
	if err := j.survives(ctx, j.town.BreakAgent); err != nil {
		return err
	}
	// The agent that comes does not know what became of the one before: it locks the desk. The keys still reach it.
	if err := j.deskLocked(true)(ctx); err != nil {
		return err
	}
	j.note("再起動したエージェントが自席端末をロック")
	return j.unlock(ctx)
}

// staffTakesOver opens the desk from a second browser.
func staffTakesOver(ctx context.Context, j *Journey) (err error) {
	second, err := j.secondDevice(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, second.browser.Close()) }()
	p := second.page
	if err := all(ctx, second.goTo(j.viewerPath()), second.live); err != nil {
		return err
	}
	if err := j.text("別の端末から同じ自席端末に接続したため、この接続を終了しました。")(ctx); err != nil {
		return err
	}
	if err := all(ctx, second.same, func(ctx context.Context) error { return j.shootPage(ctx, p, "second") }); err != nil {
		return err
	}
	j.notes = append(j.notes, second.notes...)
	if err := j.shoot(ctx, "first"); err != nil {
		return err
	}
	// The first one takes the desk back.
	if err := all(ctx, j.click("もう一度接続"), j.live, j.same); err != nil {
		return err
	}
	return errors.Join(second.text("別の端末から同じ自席端末に接続したため、この接続を終了しました。")(ctx), p.Check())
}

// secondDevice is another browser of the same member of staff, signed in and enrolled.
func (j *Journey) secondDevice(ctx context.Context) (*Journey, error) {
	out, err := j.town.Gateway(ctx, "--json", "device", "code", j.staff.ID)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Slip struct {
			DeviceCode string `json:"device_code"`
		} `json:"slip"`
	}
	if err := json.Unmarshal([]byte(out), &answer); err != nil {
		return nil, fmt.Errorf("device code: %w", err)
	}
	// It lives as long as the first browser, not as the step.
	other, err := j.newBrowser(context.WithoutCancel(ctx), "browser-2")
	if err != nil {
		return nil, err
	}
	s := &Journey{cfg: j.cfg, town: j.town, browser: other, line: j.line, x: j.x, step: j.step}
	if s.page, err = openPage(other); err == nil {
		// Who asks for a page is asked to sign in, and gets it then.
		err = all(ctx,
			s.signInAt("/enrol", j.staff.ID, j.staffWord), s.heading("この端末の登録"),
			s.fill("端末登録コード", answer.Slip.DeviceCode), s.click("この端末を登録"), s.text("この端末を登録しました。"),
		)
	}
	if err != nil {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), Patience)
		defer cancel()
		err = errors.Join(fmt.Errorf("second browser: %w", err), s.page.Check(), s.shoot(last, "second"))
		j.shots = append(j.shots, s.shots...)
		return nil, errors.Join(err, other.Close())
	}
	return s, nil
}

// staffEnds ends the session by keyboard; the desk is locked. Then it is opened again, unlocked by its password through
// the viewer, and ended again.
func staffEnds(ctx context.Context, j *Journey) error {
	if err := all(ctx, j.endSession, j.deskLocked(true), func(ctx context.Context) error { return j.shoot(ctx, "") }); err != nil {
		return err
	}
	j.note("自席端末のロックを X サーバーで確認")
	if err := all(ctx, j.click("もう一度接続"), j.live, j.same, func(ctx context.Context) error { return j.shoot(ctx, "locked") }); err != nil {
		return err
	}
	return all(ctx, j.unlock, j.endSession, j.deskLocked(true))
}

// unlock types the password of the desk's screen lock into the viewer.
func (j *Journey) unlock(ctx context.Context) error {
	err := all(ctx, j.focusOnDesk,
		func(ctx context.Context) error { return j.page.Type(ctx, j.town.LockPassword) },
		func(ctx context.Context) error { return j.page.Press(ctx, "Enter") },
		j.deskLocked(false), j.same, func(ctx context.Context) error { return j.shoot(ctx, "unlocked") },
	)
	if err == nil {
		j.note("ビューアからパスワードを入力してロックを解除")
	}
	return err
}

// endSession ends the session from the toolbar.
func (j *Journey) endSession(ctx context.Context) error {
	return all(ctx,
		func(ctx context.Context) error { return j.tool(ctx, "接続を終了") },
		func(ctx context.Context) error {
			return j.page.Wait(ctx, "the question", `document.querySelector("dialog[open]")`)
		},
		func(ctx context.Context) error { return j.page.ClickIn(ctx, "dialog[open]", "接続を終了") },
		func(ctx context.Context) error {
			return j.page.Wait(ctx, "the end of the session", phase+` === "ended"`)
		},
		j.text("接続を終了しました"),
	)
}

// auditTells looks for what the journey did among the newest events of the audit log, and has its chain checked.
func auditTells(ctx context.Context, j *Journey) error {
	out, err := j.town.Gateway(ctx, "--json", "audit", "list", "--limit", "500")
	if err != nil {
		return err
	}
	var log struct {
		Events []struct {
			Kind      string `json:"kind"`
			Actor     string `json:"actor"`
			SessionID []byte `json:"session_id"`
			Code      string `json:"code"`
		} `json:"events"`
	}
	if err := json.Unmarshal([]byte(out), &log); err != nil {
		return fmt.Errorf("audit list: %w", err)
	}
	count := map[string]int{}
	for _, e := range log.Events {
		count[e.Kind]++
		if len(e.SessionID) > 0 {
			count[e.Kind+" "+e.Code]++
		}
	}
	var missing []string
	for kind, least := range map[string]int{
		"desk_enrolled": 1, "gateway_started": 2, "sign_in": 3, "sign_out": 1,
		"password_changed": 2, "device_code_created": 1, "device_enrolled": 2, "session_granted": 5, "session_opened": 5,
		"session_ended 1": 2, "session_ended 2": 2, "session_locked": 2, "settings_changed": 1, "totp_changed": 1,
	} {
		if count[kind] < least {
			missing = append(missing, fmt.Sprintf("%s: %d of %d", kind, count[kind], least))
		}
	}
	if missing != nil {
		return fmt.Errorf("the audit log lacks %s; it has %v", strings.Join(missing, ", "), count)
	}
	verdict, err := j.town.Gateway(ctx, "audit", "verify")
	if err != nil {
		return err
	}
	verdict, _, _ = strings.Cut(verdict, "\n")
	j.note("監査記録 %d 件。%s", len(log.Events), verdict)
	return nil
}
