// The telework day of three people in the office: a request, its approval by a deputy, the workday, and every page on
// the way.
import { at, firstWindow, open, tabTo } from "./steps.mjs";

const PASSWORD = "Aki-no-yo-no-tsuki 7";

const people = [
  { id: "bucho", name: "渡辺 浩", kana: "わたなべ ひろし" },
  { id: "kacho", name: "佐藤 健", kana: "さとう けん" },
  { id: "hosa", name: "山本 由美", kana: "やまもと ゆみ" },
  { id: "shoku", name: "鈴木 花子", kana: "すずき はなこ" },
  { id: "shoku2", name: "中村 翔", kana: "なかむら しょう" },
];

export async function day({ browser, checker, gateway }) {
  const slips = await found(gateway);
  const windows = {};
  for (const { id } of people) {
    windows[id] = await enter(browser, checker, gateway, slips[id]);
  }
  await request({ checker, page: windows.shoku });
  await approve({ checker, head: windows.kacho, deputy: windows.hosa, other: windows.bucho });
  await work({ checker, page: windows.shoku });
  await look({ checker, page: windows.kacho });
  for (const page of Object.values(windows)) {
    await page.context().close();
  }
}

/** Three sections, one above; a head with a deputy. */
async function found(gateway) {
  const json = async (...words) => JSON.parse(await gateway.command("--json", ...words));
  const add = async (name, ...more) => (await json("section", "add", name, ...more)).section.section_id;
  const top = await add("総務部");
  const below = await add("総務課", "--parent", top);
  const slips = {};
  for (const p of people) {
    const slip = (
      await json("user", "add", p.id, "--name", p.name, "--kana", p.kana, "--section", p.id === "bucho" ? top : below)
    ).slips[0];
    slips[p.id] = { user: p.id, password: slip.initial_password };
  }
  await json("section", "set", top, "--head", "bucho");
  await json("section", "set", below, "--head", "kacho", "--deputy", "hosa");
  const desk = (await json("desk", "add", "総務課-11", "--section", below)).desk.desk_id;
  await json("desk", "assign", desk, "shoku");
  return slips;
}

async function enter(browser, checker, gateway, slip) {
  const page = await open(browser, checker, gateway.office);
  await firstWindow(page, slip, PASSWORD);
  return page;
}

/** Chooses two days of the next month by the arrows of the keyboard. */
async function pickDays(page, checker) {
  const reached = page.locator('.day[tabindex="0"]');
  await tabTo(page, reached);
  await page.keyboard.press("PageDown");
  const month = await page.locator(".days-head p").textContent();
  for (let chosen = 0; chosen < 2;) {
    await page.keyboard.press("ArrowRight");
    await page.waitForFunction(() => document.activeElement?.matches('.day[tabindex="0"]'));
    if (await reached.evaluate((e) => e.matches(".day-closed, .day-other"))) {
      continue;
    }
    await page.keyboard.press("Space");
    chosen++;
  }
  if ((await page.locator('.day[aria-pressed="true"]').count()) !== 2) {
    checker.problem("calendar", "the keyboard did not choose two days");
  }
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowUp");
  if ((await page.locator(".days-head p").textContent()) !== month) {
    checker.problem("calendar", "the arrows left the month");
  }
}

async function request({ checker, page }) {
  await page.getByRole("link", { name: "この端末を登録する" }).waitFor();
  await checker.shot(page, "day-home-nothing");
  await page.goto("/requests");
  await page.getByText("申請はまだありません。").waitFor();
  await checker.shot(page, "day-requests-empty");
  await page.getByRole("link", { name: "新しく申請" }).click();
  await at(page, "テレワーク申請");
  await page.getByRole("button", { name: "申請する" }).click();
  await page.getByText("実施日を選んでください。").waitFor();
  await checker.shot(page, "day-form-errors");
  if (!(await page.evaluate(() => document.activeElement?.matches(".day")))) {
    checker.problem("focus", "does not go to the days that are missing");
  }
  await pickDays(page, checker);
  await tabTo(page, page.getByLabel("理由", { exact: true }));
  await page.keyboard.press("ArrowDown");
  await tabTo(page, page.getByLabel("理由の補足"));
  await page.keyboard.type("保育園の送迎のため");
  await tabTo(page, page.getByLabel(/行う業務/));
  await page.keyboard.type("令和9年度当初予算の要求書を作成する。");
  await page.getByText("1次 総務課").waitFor();
  await checker.shot(page, "day-form");
  await tabTo(page, page.getByRole("button", { name: "申請する" }));
  await page.keyboard.press("Enter");
  await at(page, "申請の内容");
  await page.getByText("承認待ち").waitFor();
  await checker.shot(page, "day-request");
  await page.goto("/requests");
  await page.getByText("申請中").first().waitFor();
  await checker.shot(page, "day-requests");
}

async function approve({ checker, head, deputy, other }) {
  await other.goto("/inbox");
  await other.getByText("承認を待っている申請はありません。").waitFor();
  await checker.shot(other, "day-inbox-empty");
  await deputy.goto("/absences");
  await at(deputy, "不在の登録");
  await deputy.getByLabel("不在の人").selectOption({ label: "佐藤 健" });
  await deputy.getByLabel("備考").fill("東京出張");
  await deputy.getByRole("button", { name: "不在を登録" }).click();
  await deputy.getByText("東京出張").waitFor();
  await checker.shot(deputy, "day-absences");
  await deputy.goto("/inbox");
  await deputy.getByLabel("鈴木 花子さんの申請を選ぶ").check();
  await checker.shot(deputy, "day-inbox");
  await deputy.getByRole("link", { name: /ほか1日/ }).click();
  await at(deputy, "申請の内容");
  await checker.shot(deputy, "day-decision");
  await tabTo(deputy, deputy.getByRole("button", { name: "承認", exact: true }));
  await deputy.keyboard.press("Enter");
  const dialog = deputy.getByRole("dialog");
  await tabTo(deputy, dialog.getByLabel("申請者への連絡"));
  await deputy.keyboard.type("来週の議会資料も併せてお願いします。");
  await checker.shot(deputy, "day-approve");
  await tabTo(deputy, dialog.getByRole("button", { name: "承認", exact: true }));
  await deputy.keyboard.press("Enter");
  await at(deputy, "承認を待っている申請");
  await deputy.getByRole("heading", { name: "最近処理した申請" }).waitFor();
  await head.goto("/inbox");
  await head.getByRole("heading", { name: "後閲・供覧" }).waitFor();
  await checker.shot(head, "day-reviews");
  await head.getByRole("button", { name: "確認した" }).click();
  await head.getByText("確認を記録しました。").waitFor();
  for (const [path, heading, name] of [
    ["/board", "在席状況", "day-board"],
    ["/week", "テレワークの予定表", "day-week"],
    ["/members", "所属の職員", "day-members"],
    ["/months", "月次の確認", "day-months-empty"],
    ["/orders/new", "在宅勤務等の命令", "day-order"],
    ["/poweron", "電源投入一覧", "day-poweron"],
  ]) {
    await deputy.goto(path);
    await at(deputy, heading);
    await deputy.waitForLoadState("networkidle");
    await checker.shot(deputy, name);
  }
}

async function work({ checker, page }) {
  await page.goto("/notices");
  await at(page, "お知らせ");
  await page.waitForLoadState("networkidle");
  await checker.shot(page, "day-notices");
  await page.goto("/check");
  await page.getByRole("button", { name: "確認を始める" }).click();
  await page.getByText("情報システム担当に問い合わせるときのコード").waitFor();
  await checker.shot(page, "day-check");
  await page.goto("/lost");
  await at(page, "端末紛失の届出");
  await page.waitForLoadState("networkidle");
  await checker.shot(page, "day-lost-none");
  await page.evaluate(async () => {
    for (const kind of ["SEGMENT_KIND_WORK", "SEGMENT_KIND_BREAK"]) {
      const answer = await fetch("/api/jiseki.control.v1.TeleworkService/ReportWorkday", {
        method: "POST",
        headers: { "Content-Type": "application/json", "Connect-Protocol-Version": "1" },
        body: JSON.stringify({ kind }),
      });
      if (!answer.ok) {
        throw new Error(await answer.text());
      }
    }
  });
  await page.goto("/");
  await page.getByText("休憩", { exact: false }).first().waitFor();
  await page.getByRole("button", { name: "再開を報告" }).first().waitFor();
  await checker.shot(page, "day-home-break");
  await page.getByRole("button", { name: "再開を報告" }).first().click();
  await page.getByText("勤務を報告しました。").waitFor();
  await checker.shot(page, "day-home-working");
  await page.getByRole("button", { name: "終業を報告" }).first().click();
  await page.getByLabel("今日行った業務").fill("予算要求書の素案を作成し、課長に送付した。");
  await checker.shot(page, "day-finish");
  await page.getByRole("button", { name: "終業を報告する" }).click();
  await page.getByText("終業を報告しました。").waitFor();
  await page.goto("/workdays");
  await page.getByText("予算要求書の素案").waitFor();
  await checker.shot(page, "day-month");
  await page.locator("tbody th a").first().click();
  await page.getByRole("heading", { name: "勤務の記録" }).waitFor();
  await checker.shot(page, "day-workday");
}

async function look({ checker, page }) {
  await page.goto("/months");
  await page.getByText("鈴木 花子").first().waitFor();
  await checker.shot(page, "day-months");
  await page.goto("/board");
  await page.getByText("鈴木 花子").first().waitFor();
  await checker.shot(page, "day-board-finished");
}
