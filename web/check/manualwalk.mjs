// The walk through the town that the pictures of the manuals are taken on: a first day at home, a day's work, and the
// approvers.
import { at, firstPassword, open, signIn } from "./steps.mjs";

const PASSWORD = "Yuki-to-kawa-no-oto 42";

export async function manualWalk({ browser, checker, town }) {
  const staff = await firstDay({ browser, checker, town, person: town.people.soumu02 });
  await request({ checker, page: staff });
  await work({ checker, page: staff, desk: town.desk });
  await results({ checker, page: staff });
  await lost({ checker, page: staff });
  await staff.context().close();
  await approvers({ browser, checker, town });
}

/** The first sign-in, the first password, the enrolment and the check of the line. */
async function firstDay({ browser, checker, town, person }) {
  const page = await open(browser, checker, town.home);
  await page.goto("/");
  await at(page, "サインイン");
  await page.getByLabel("利用者ID").fill(person.id);
  await page.getByRole("textbox", { name: "パスワード" }).fill(person.initial_password);
  await checker.shot(page, "signin");
  await signIn(page, person.id, person.initial_password);
  await at(page, "パスワードの変更");
  await page.getByLabel(/初期パスワード/).fill(person.initial_password);
  await page.getByLabel(/^新しいパスワード(?!（確認）)/).fill(PASSWORD);
  await page.getByLabel(/^新しいパスワード（確認）/).fill(PASSWORD);
  await checker.shot(page, "password");
  await firstPassword(page, person.initial_password, PASSWORD);
  await page.getByText("パスワードを変更しました。").waitFor();
  await page.goto("/enrol");
  await page.getByLabel("端末登録コード").fill(person.device_code);
  await page.getByLabel("端末の名前").fill("貸与PC R8-042");
  await checker.shot(page, "enrol");
  await page.getByRole("button", { name: "この端末を登録" }).click();
  await page.getByText("この端末を登録しました。").waitFor();
  await page.goto("/check");
  await page.getByRole("button", { name: "確認を始める" }).click();
  await page.getByText("情報システム担当に問い合わせるときのコード").waitFor();
  await checker.shot(page, "check");
  return page;
}

async function request({ checker, page }) {
  await page.goto("/requests/new");
  await at(page, "テレワーク申請");
  await page.getByRole("button", { name: "次の月" }).click();
  const free = page.locator('.day[aria-pressed="false"]:not(.day-closed, .day-other, .day-approved, .day-pending)');
  await free.nth(3).click();
  await free.nth(8).click();
  await page.getByLabel(/行う業務/).fill("令和9年度当初予算の要求書を作成する。");
  await page.getByLabel("理由", { exact: true }).selectOption({ label: "育児" });
  await page.getByText(/^1次/).waitFor();
  await page.waitForLoadState("networkidle");
  await checker.shot(page, "form");
  await page.goto("/requests");
  await page.getByRole("table").waitFor();
  await checker.shot(page, "requests");
}

async function work({ checker, page, desk }) {
  await page.goto("/");
  await page
    .getByRole("button", { name: "始業を報告" })
    .or(page.getByRole("link", { name: "接続する" }))
    .first()
    .waitFor();
  await checker.shot(page, "home");
  await report(page, "SEGMENT_KIND_WORK");
  await page.goto(`/viewer?desk=${encodeURIComponent(desk)}&test`);
  await page.locator('#viewer[data-phase="live"]').waitFor();
  await openEditor(page);
  await checker.shot(page, "viewer");
  await page.goto("/");
  await report(page, "SEGMENT_KIND_BREAK");
  await page.reload();
  await page.getByRole("button", { name: "再開を報告" }).first().waitFor();
  await checker.shot(page, "break");
  await page.getByRole("button", { name: "再開を報告" }).first().click();
  await page.getByText("勤務を報告しました。").waitFor();
  await page.getByRole("button", { name: "終業を報告" }).first().click();
  await page.getByLabel("今日行った業務").fill("予算要求書の素案を作成し、課長に送付した。");
  await checker.shot(page, "finish");
  await page.getByRole("button", { name: "終業を報告する" }).click();
  await page.getByText("終業を報告しました。").waitFor();
}

/** Opens the text editor on the desk by its icon, and the toolbar. */
async function openEditor(page) {
  const shown = async () => page.evaluate(async () => (await globalThis.jisekiTest.picture())?.sha256);
  const before = await shown();
  const desk = await page.locator("canvas").first().boundingBox();
  await page.mouse.dblclick(desk.x + desk.width * 0.0316, desk.y + desk.height * 0.228, { delay: 40 });
  for (let i = 0; i < 100 && (await shown()) === before; i++) {
    await page.waitForTimeout(300);
  }
  await page.waitForTimeout(6000); // for the editor's window: the picture only, nothing depends on it
  await page.keyboard.type("reiwa 9 nendo ", { delay: 60 });
  await page.waitForTimeout(2000);
  await page.mouse.move(desk.x + desk.width / 2, desk.y + 4);
  await page.waitForTimeout(1500);
}

/** Reports through the call that the page's button makes. */
async function report(page, kind) {
  await page.evaluate(async (k) => {
    const answer = await fetch("/api/jiseki.control.v1.TeleworkService/ReportWorkday", {
      method: "POST",
      headers: { "Content-Type": "application/json", "Connect-Protocol-Version": "1" },
      body: JSON.stringify({ kind: k }),
    });
    if (!answer.ok) {
      throw new Error(await answer.text());
    }
  }, kind);
}

async function results({ checker, page }) {
  await page.goto("/workdays");
  await page.getByRole("button", { name: "前の月" }).click();
  await page.locator("tbody th a").first().waitFor();
  await page.waitForLoadState("networkidle");
  await checker.shot(page, "month");
  await page.locator("tbody th a").first().click();
  await page.getByRole("heading", { name: "勤務の記録" }).waitFor();
  await page.getByLabel(/訂正の理由/).fill("終業の報告を忘れていたため。");
  await checker.shot(page, "workday");
}

async function lost({ checker, page }) {
  await page.goto("/lost");
  await page.getByRole("radio", { name: /R8-042/ }).check();
  await page
    .getByLabel("状況（いつ、どこで、どのように）")
    .fill("18時ごろ、帰宅途中の電車の網棚に、かばんごと置き忘れた。");
  await checker.shot(page, "lost");
}

async function approvers({ browser, checker, town }) {
  const page = await enter(browser, checker, town.office, town.people.zeimu01);
  await page.goto("/inbox");
  await page
    .getByLabel(/さんの申請を選ぶ/)
    .first()
    .check();
  await checker.shot(page, "inbox");
  await page.getByRole("button", { name: "承認", exact: true }).click();
  await page.getByRole("dialog").getByLabel("申請者への連絡").fill("案内文は、月曜日に打ち合わせましょう。");
  await checker.shot(page, "approve");
  await page.getByRole("button", { name: "キャンセル" }).click();
  await page.getByRole("button", { name: "確認した" }).first().scrollIntoViewIfNeeded();
  await checker.shot(page, "reviews");
  await page.goto("/absences");
  await page.getByLabel("備考").fill("東京出張");
  await checker.shot(page, "absences");
  for (const [path, heading, name] of [
    ["/board", "在席状況", "board"],
    ["/week", "テレワークの予定表", "week"],
    ["/members", "所属の職員", "members"],
    ["/poweron", "電源投入一覧", "poweron"],
    ["/months", "月次の確認", "months"],
  ]) {
    await page.goto(path);
    await at(page, heading);
    if (name === "months") {
      await page.getByRole("button", { name: "前の月" }).click();
      await page
        .getByLabel(/さんを選ぶ/)
        .first()
        .check();
    }
    await page.locator("tbody tr").first().waitFor();
    await page.waitForLoadState("networkidle");
    await checker.shot(page, name);
  }
  await page.context().close();
}

async function enter(browser, checker, base, person) {
  const page = await open(browser, checker, base);
  await page.goto("/");
  await at(page, "サインイン");
  await signIn(page, person.id, person.initial_password);
  await firstPassword(page, person.initial_password, PASSWORD);
  await page.getByText("パスワードを変更しました。").waitFor();
  return page;
}
