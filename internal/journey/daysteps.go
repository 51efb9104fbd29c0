//go:build linux

package journey

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"jiseki/internal/calendar"
	"jiseki/internal/journey/browser"
)

// staffComesHome enrols the lent PC from home.
func staffComesHome(ctx context.Context, j *Journey) error {
	s := j.day.staff
	return j.as(s, "",
		s.enters, s.heading("この端末の登録"), s.fill("端末登録コード", s.staff.Code), s.click("この端末を登録"), s.text("この端末を登録しました。"),
		s.goTo("/"), s.text("今日のテレワークの予定はありません。"), j.picture(s, ""), j.pictureAt(s, phone, "phone"),
	)(ctx)
}

// picture returns a thing to do: keep a picture of what somebody sees.
func (j *Journey) picture(g *Journey, detail string) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := g.settle(ctx); err != nil {
			return err
		}
		return j.shootPage(ctx, g.page, detail)
	}
}

// pictureAt is picture in a window of another size.
func (j *Journey) pictureAt(g *Journey, size browser.Size, detail string) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := g.page.Resize(size); err != nil {
			return err
		}
		err := g.page.Wait(ctx, "the window of "+size.String(), fmt.Sprintf("innerWidth === %d", size.Width))
		if err == nil {
			err = j.picture(g, detail)(ctx)
		}
		return errors.Join(err, g.page.Resize(laptop))
	}
}

// viewerOf is the address of the day's desk.
func (d *day) viewer() string { return "/viewer?test&desk=" + d.desk }

func withoutApproval(ctx context.Context, j *Journey) error {
	s := j.day.staff
	return j.as(s, "",
		s.goTo(j.day.viewer()), s.text("現在の時間に承認済みの申請がありません。"), s.text("テレワークを申請し、所属長の承認を受けてください。"),
		func(ctx context.Context) error { return j.shootPage(ctx, s.page, "") },
	)(ctx)
}

// today presses today's day in the calendar.
func (j *Journey) today(ctx context.Context) error {
	day := calendar.DateOf(time.Now()).Day
	return j.page.ClickOn(ctx, "today in the calendar", fmt.Sprintf(
		`[...document.querySelectorAll(".day:not(.day-other)")].find((e) => e.querySelector("[aria-hidden]")?.textContent === "%d")`, day))
}

func (j *Journey) choose(label, option string) func(context.Context) error {
	return func(ctx context.Context) error { return j.page.Choose(ctx, label, option) }
}

func (j *Journey) tick(label string) func(context.Context) error {
	return func(ctx context.Context) error { return j.page.Tick(ctx, label) }
}

func (j *Journey) clickIn(within, name string) func(context.Context) error {
	return func(ctx context.Context) error { return j.page.ClickIn(ctx, within, name) }
}

const plannedWork = "固定資産税の課税台帳の点検、照会への回答案の作成"

// staffRequests asks for today, from midnight to midnight, so that the journey can be walked at any hour.
func staffRequests(ctx context.Context, j *Journey) error {
	s := j.day.staff
	return j.as(s, "",
		s.goTo("/"), s.click("申請する"), s.heading("テレワーク申請"), s.today,
		s.choose("単位", "時間"), s.fill("開始", "0:00"), s.fill("終了", "23:59"),
		s.choose("理由", "傷病"), s.fill("理由の補足", "子どもの発熱のため、看病しながら自宅で勤務したい。"), s.fill("行う業務", plannedWork),
		s.text("1次 税務課"), j.picture(s, "form"), j.pictureAt(s, phone, "form-phone"),
		s.clickIn("form", "申請する"), s.heading("申請の内容"), s.text("承認待ち"), s.text("事後の申請"), j.picture(s, ""),
	)(ctx)
}

// deputyApproves: the head enters an absence, and the deputy decides.
func deputyApproves(ctx context.Context, j *Journey) error {
	h, d, name := j.day.head, j.day.deputy, j.day.staff.staff.Name
	return j.as(d, "",
		h.goTo("/absences"), h.heading("不在の登録"), h.fill("備考", "県庁への出張"),
		h.click("不在を登録"), h.text("不在を登録しました。"), h.text("県庁への出張"), j.picture(h, "absence"),
		d.goTo("/inbox"), d.tick(name+"さんの申請を選ぶ"), j.picture(d, "inbox"),
		d.clickIn(".bulk", "承認"), d.clickIn("[role=dialog]", "承認"), d.text("1件を承認しました。"), d.text("最近処理した申請"), j.picture(d, ""),
	)(ctx)
}

func headReviews(ctx context.Context, j *Journey) error {
	h := j.day.head
	mine := fmt.Sprintf(`[...document.querySelectorAll("tr")].filter((r) => r.textContent.includes(%q)).flatMap((r) => [...r.querySelectorAll("button")]).find((b) => b.textContent.trim() === "確認した")`,
		j.day.staff.staff.Name)
	return j.as(h, "",
		h.goTo("/absences"), h.click(h.staff.Name+" 登録を消す"), h.text("不在の登録を消しました。"),
		h.goTo("/inbox"), h.text("後閲・供覧"), h.text(j.day.deputy.staff.Name+"が代決"), j.picture(h, ""), j.pictureAt(h, phone, "phone"),
		func(ctx context.Context) error { return h.page.ClickOn(ctx, "the review of the request", mine) }, h.text("確認を記録しました。"),
	)(ctx)
}

// staffWakes switches the desk on, which sleeps in a network of its own beside an always-on waker.
func staffWakes(ctx context.Context, j *Journey) error {
	if j.day.sleeper == nil {
		j.note("省略：眠る自席端末のネットワークを作るには、root 権限と iproute2 が要る")
		return nil
	}
	if err := j.day.sleeper.Sleep(ctx); err != nil {
		return err
	}
	s := j.day.staff
	began := time.Now()
	return j.as(s, "",
		s.goTo("/"), s.text("「"+dayDesk+"」の電源が入っていません。"), j.picture(s, "off"), j.pictureAt(s, phone, "phone"),
		s.clickIn(".today", "電源を入れる"), s.text("「"+dayDesk+"」が起動しました。"), j.picture(s, ""),
		func(context.Context) error {
			j.note("起動の信号を受けた自席端末が %.1f 秒後に起動", time.Since(began).Seconds())
			return nil
		},
		s.text("始業を報告"),
	)(ctx)
}

// staffStarts follows the one big button: report the begin, connect.
func staffStarts(ctx context.Context, j *Journey) error {
	s := j.day.staff
	return j.as(s, "",
		s.goTo("/"), s.text("自宅でのテレワークが承認されています。"), j.picture(s, "approved"),
		s.click("始業を報告"), s.text("勤務を報告しました。"), s.text("接続する"), j.picture(s, ""), j.pictureAt(s, phone, "phone"),
		s.click("接続する"), s.live, func(ctx context.Context) error { return j.shootPage(ctx, s.page, "desk") },
		s.goTo(j.day.viewer()), s.live, s.same,
	)(ctx)
}

// staffRests reports from the telephone, as somebody would who has the desk on the whole screen of the PC.
func staffRests(ctx context.Context, j *Journey) error {
	s := j.day.staff
	if err := j.openPhone(ctx); err != nil {
		return err
	}
	p := &Journey{cfg: j.cfg, town: j.town, browser: s.browser, page: j.day.phone, step: j.step, staff: s.staff}
	return j.as(s, "",
		p.front, p.goTo("/"), p.text("勤務中"), p.click("休憩"), p.text("休憩を報告しました。"), j.picture(p, "phone"),
		s.front, s.text("休憩、中断または休暇の時間中のため"), s.ended, j.deskLocked(true), func(ctx context.Context) error { return j.shootPage(ctx, s.page, "") },
		p.front, p.click("再開を報告"), p.text("勤務を報告しました。"),
		s.front, s.click("もう一度接続"), s.live, j.unlockAs(s),
	)(ctx)
}

// front brings the tab in front of the others of its browser.
func (j *Journey) front(ctx context.Context) error { return j.page.Front(ctx) }

func (j *Journey) openPhone(ctx context.Context) (err error) {
	if j.day.phone == nil {
		if j.day.phone, err = openPage(j.day.staff.browser); err == nil {
			err = j.day.phone.Resize(phone)
		}
	}
	return err
}

// unlockAs unlocks the desk in somebody's viewer.
func (j *Journey) unlockAs(g *Journey) func(context.Context) error {
	return func(ctx context.Context) error {
		g.step = j.step
		if err := g.page.Front(ctx); err != nil {
			return err
		}
		err := all(ctx, g.focusOnDesk,
			func(ctx context.Context) error { return g.page.Type(ctx, j.town.LockPassword) },
			func(ctx context.Context) error { return g.page.Press(ctx, "Enter") }, j.deskLocked(false), g.same)
		return err
	}
}

// ended waits until the viewer says that the session is over.
func (j *Journey) ended(ctx context.Context) error {
	return j.page.Wait(ctx, "the end of the session", phase+` === "ended"`)
}

// policyChanges: the administrator withdraws telework from the section while somebody works.
func policyChanges(ctx context.Context, j *Journey) error {
	a, s := j.day.admin, j.day.staff
	began := time.Now()
	return j.as(a, "",
		a.goTo("/console/policy"), a.heading("利用の条件"), j.picture(a, "rules"),
		a.click("条件を加える"), a.choose("所属", "税務課"), a.choose("ネットワーク区分", "インターネット接続系"), a.choose("テレワーク", "認めない"), j.picture(a, "rule"),
		a.clickIn("[role=dialog]", "一覧に入れる"),
		func(ctx context.Context) error {
			began = time.Now()
			return all(ctx, a.click("保存"), a.text("保存しました。"))
		},
		s.text("あなたの所属または任用区分では、庁外からの接続は認められていません。"), s.ended,
		func(ctx context.Context) error {
			j.note("保存から %.1f 秒後に、職員の画面に理由が表示された", time.Since(began).Seconds())
			return j.shootPage(ctx, s.page, "")
		},
		j.deskLocked(true),
	)(ctx)
}

// administratorAsksWhy looks the decision up and takes the rule back.
func administratorAsksWhy(ctx context.Context, j *Journey) error {
	a := j.day.admin
	return j.as(a, "",
		a.goTo("/console/why"), a.heading("接続可否の確認"),
		a.pick("職員", j.day.staff.staff.Name), a.choose("接続元端末", "Chrome"), a.click("確かめる"),
		a.text("接続できません"), a.text("あなたの所属または任用区分では、庁外からの接続は認められていません。"), j.picture(a, ""),
		a.goTo("/console/policy"), a.heading("利用の条件"), a.lastRuleGoes, a.click("保存"), a.text("保存しました。"),
	)(ctx)
}

// pick chooses in a list that is searched by typing.
func (j *Journey) pick(label, option string) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := j.page.Fill(ctx, label, option); err != nil {
			return err
		}
		return j.page.ClickOn(ctx, "the option "+option, fmt.Sprintf(
			`[...document.querySelectorAll("[role=option]")].find((e) => e.checkVisibility() && e.textContent.includes(%q))`, option))
	}
}

// lastRuleGoes removes the rule that was added last.
func (j *Journey) lastRuleGoes(ctx context.Context) error {
	const menu = `[...document.querySelectorAll("main table")].find((t) => t.caption?.textContent.includes("条件の一覧"))?.querySelector("tbody tr:last-child button[aria-haspopup]")`
	return all(ctx,
		func(ctx context.Context) error { return j.page.ClickOn(ctx, "the menu of the last rule", menu) },
		j.click("条件を消す"),
	)
}

func staffReturns(ctx context.Context, j *Journey) error {
	s := j.day.staff
	return j.as(s, "", s.click("もう一度接続"), s.live, j.unlockAs(s), func(ctx context.Context) error { return j.shootPage(ctx, s.page, "") })(ctx)
}

// endsSoon is the end of the hours, one minute from now.
func endsSoon() string {
	minute := calendar.MinuteOf(time.Now()) + 1 // 24:00 at the latest
	return fmt.Sprintf("%d:%02d", minute/60, minute%60)
}

// hours fills in the usual working hours.
func (j *Journey) hours(start, end, breakStart, breakEnd string) func(context.Context) error {
	return func(ctx context.Context) error {
		return all(ctx, j.fill("始業", start), j.fill("終業", end), j.fill("休憩の開始", breakStart), j.fill("休憩の終了", breakEnd),
			j.click("保存"), j.text("保存しました。"))
	}
}

// hoursEnd: the hours of the section end while somebody works. Today is an open day, whatever day it is.
func hoursEnd(ctx context.Context, j *Journey) error {
	a, s := j.day.admin, j.day.staff
	return j.as(a, "",
		a.policyCall("PutHoliday", fmt.Sprintf(`{ holiday: { date: %q, name: "臨時開庁", open: true } }`, calendar.DateOf(time.Now()))),
		a.goTo("/console/policy"), a.heading("利用の条件"),
		a.click("条件を加える"), a.choose("所属", "税務課"), a.choose("ネットワーク区分", "インターネット接続系"),
		a.choose("勤務時間の終わり", "10分前に知らせ、終了してロック"), a.clickIn("[role=dialog]", "一覧に入れる"),
		func(ctx context.Context) error { return a.hours("0:00", endsSoon(), "0:00", "0:00")(ctx) }, j.picture(a, "rule"),
		s.text("勤務時間外のため、接続できません。"), s.ended, func(ctx context.Context) error { return j.shootPage(ctx, s.page, "") }, j.deskLocked(true),
	)(ctx)
}

// hoursReturn takes the rule and the hours back, and the session goes on.
func hoursReturn(ctx context.Context, j *Journey) error {
	a, s := j.day.admin, j.day.staff
	return j.as(a, "",
		a.goTo("/console/policy"), a.heading("利用の条件"), a.lastRuleGoes, a.hours("8:30", "17:15", "12:00", "13:00"),
		a.policyCall("DeleteHoliday", fmt.Sprintf(`{ date: %q }`, calendar.DateOf(time.Now()))),
		s.click("もう一度接続"), s.live, j.unlockAs(s), func(ctx context.Context) error { return j.shootPage(ctx, s.page, "") },
	)(ctx)
}

// policyCall returns a thing to do: what a page of the console would ask of the gateway.
func (j *Journey) policyCall(method, request string) func(context.Context) error {
	return func(ctx context.Context) error {
		status, err := browser.Get[int](ctx, j.page, fmt.Sprintf(`fetch("/api/jiseki.control.v1.PolicyService/%s", { method: "POST",
  headers: { "Content-Type": "application/json", "Connect-Protocol-Version": "1" }, body: JSON.stringify(%s) }).then((r) => r.status)`, method, request))
		if err == nil && status != 200 {
			err = fmt.Errorf("%s: status %d", method, status)
		}
		return err
	}
}

// headCancels takes the approval back, which ends the session.
func headCancels(ctx context.Context, j *Journey) error {
	h, s := j.day.head, j.day.staff
	return j.as(h, "",
		h.openRequest(j.day.phone), h.heading("申請の内容"), h.click("承認を取り消す"), h.text("この承認による接続中の画面は終了します。"), j.picture(h, "ask"),
		h.clickIn("[role=dialog]", "承認を取り消す"), h.text("承認を取り消しました。"),
		s.text("現在の時間に承認済みの申請がありません。"), s.ended, func(ctx context.Context) error { return j.shootPage(ctx, s.page, "") }, j.deskLocked(true),
	)(ctx)
}

// openRequest opens the page of the newest request of whoever has a phone.
func (j *Journey) openRequest(phone *browser.Page) func(context.Context) error {
	return func(ctx context.Context) error {
		const ask = `fetch("/api/jiseki.control.v1.TeleworkService/ListMyRequests", { method: "POST", headers: { "Content-Type": "application/json",
  "Connect-Protocol-Version": "1" }, body: "{}" }).then((r) => r.json()).then((r) => r.requests[0].requestId)`
		id, err := browser.Get[string](ctx, phone, ask)
		if err != nil {
			return fmt.Errorf("the day's request: %w", err)
		}
		return j.goTo("/inbox/" + id)(ctx)
	}
}

const doneWork = "課税台帳の点検（大字西分 80件）を終えた。照会2件の回答案を作成し、課長補佐に送付した。"

func staffFinishes(ctx context.Context, j *Journey) error {
	s := j.day.staff
	return j.as(s, "",
		s.goTo("/"), s.click("終業を報告"), s.fill("今日行った業務", doneWork), j.picture(s, "done"),
		s.clickIn("[role=dialog]", "終業を報告する"), s.text("終業を報告しました。お疲れさまでした。"), j.picture(s, ""),
	)(ctx)
}

// monthIsConfirmed looks at the month as staff and as head, and takes the file.
func monthIsConfirmed(ctx context.Context, j *Journey) error {
	s, h := j.day.staff, j.day.head
	return j.as(h, "",
		s.goTo("/workdays"), s.heading("テレワーク実績"), s.text("課税台帳の点検（大字西分 80件）"), j.picture(s, "staff"), j.pictureAt(s, phone, "phone"),
		h.goTo("/months"), h.heading("月次の確認"), h.text(s.staff.Name), j.picture(h, "this"),
		h.click("前の月"), h.tick(s.staff.Name+"さんを選ぶ"), h.click("選んだ職員の実績を確認済みにする"), h.text("1人の実績を確認しました。"), j.picture(h, ""),
		h.takesCSV(s.staff.Name),
	)(ctx)
}

// takesCSV presses the button and reads what the browser was given as a file; a name is in it.
func (j *Journey) takesCSV(name string) func(context.Context) error {
	return func(ctx context.Context) error {
		const hook = `(() => {
  window.journeyFile = null;
  const make = URL.createObjectURL;
  URL.createObjectURL = (blob) => { blob.text().then((text) => { window.journeyFile = text; }); return make(blob); };
  return true;
})()`
		if _, err := browser.Get[bool](ctx, j.page, hook); err != nil {
			return err
		}
		err := all(ctx, j.click("CSV（Excel、UTF-8）"), func(ctx context.Context) error {
			return j.page.Wait(ctx, "the file", `window.journeyFile !== null`)
		})
		if err != nil {
			return err
		}
		file, err := browser.Get[string](ctx, j.page, "window.journeyFile")
		if err != nil {
			return err
		}
		if lines := strings.Split(strings.TrimSpace(file), "\n"); len(lines) < 5 || !strings.Contains(file, name) {
			return fmt.Errorf("the CSV has %d lines and begins with %q", len(lines), file[:min(len(file), 200)])
		}
		return nil
	}
}

// selfCheck: staff measures, the help desk sees the same by the code.
func selfCheck(ctx context.Context, j *Journey) error {
	s, a := j.day.staff, j.day.admin
	return j.as(s, "",
		s.goTo("/check"), s.click("確認を始める"), s.text("情報システム担当に問い合わせるときのコード"), j.picture(s, ""), j.pictureAt(s, phone, "phone"),
		func(ctx context.Context) error {
			code, err := browser.Get[string](ctx, s.page, `document.querySelector(".help-code").textContent`)
			if err != nil {
				return err
			}
			return all(ctx, a.goTo("/console/helpdesk"), a.fill("コード", code), a.click("表示する"), a.text(s.staff.Name+"さんの確認"), j.picture(a, "helpdesk"))
		},
	)(ctx)
}

// headLooks looks at who works and who will.
func headLooks(ctx context.Context, j *Journey) error {
	h := j.day.head
	return j.as(h, "",
		h.goTo("/board"), h.heading("在席状況"), h.text(j.named("zeimu05").Name), j.picture(h, "board"), j.pictureAt(h, phone, "board-phone"),
		h.goTo("/week"), h.heading("テレワークの予定表"), j.picture(h, "week"),
		h.goTo("/poweron"), h.heading("電源投入一覧"), j.picture(h, "power"),
		h.goTo("/notices"), h.heading("お知らせ"), j.picture(h, "notices"),
	)(ctx)
}
