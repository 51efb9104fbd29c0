// The administrator's walk through the pages of policy: rules by keyboard, staff, opening days, routes, mails, and why
// somebody cannot connect.
import { at, firstWindow, open, tabTo } from "./steps.mjs";

const PASSWORD = "Kitakaze-to-taiyou 31";
const json = "application/json";

export async function policy({ browser, checker, gateway }) {
  const town = await found(gateway);
  const page = await open(browser, checker, gateway.office);
  await firstWindow(page, town.slips.johoka, PASSWORD);
  const shot = async (name) => checker.shot(page, name);
  await rules(page, shot);
  await general(page, shot, checker);
  await conflict(page, shot);
  await staff(page, shot);
  await holidays(page, shot);
  await routes(page, shot);
  const code = await request({ browser, checker, gateway, slip: town.slips.kimura });
  await mails(page, shot);
  await why(page, shot);
  await helpdesk(page, shot, code);
  await power(page, shot);
  await page.context().close();
}

/** A department with a section of two, and somebody of the information section who administers. */
async function found(gateway) {
  const run = async (...words) => JSON.parse(await gateway.command("--json", ...words));
  const section = async (name, ...more) => (await run("section", "add", name, ...more)).section.section_id;
  const top = await section("企画部");
  const below = await section("企画財政課", "--parent", top);
  await section("会計課");
  const slips = {};
  for (const [id, name, where, ...more] of [
    ["johoka", "情報 次郎", top, "--role", "admin"],
    ["kimura", "木村 さくら", below],
    ["zaizen", "財前 進", below],
  ]) {
    const slip = (await run("user", "add", id, "--name", name, "--section", where, ...more)).slips[0];
    slips[id] = { user: id, password: slip.initial_password };
  }
  await run("section", "set", top, "--head", "johoka");
  await run("section", "set", below, "--head", "zaizen");
  const desk = (await run("desk", "add", "企画財政課-03", "--section", below)).desk.desk_id;
  await run("desk", "assign", desk, "kimura");
  return { slips };
}

/** A rule with nothing but the keyboard. */
async function rules(page, shot) {
  await page.goto("/console/policy");
  await at(page, "利用の条件");
  await page.getByText("条件はまだありません。", { exact: false }).waitFor();
  await shot("policy-empty");
  await page.getByRole("heading", { level: 1 }).focus();
  await tabTo(page, page.getByRole("button", { name: "条件を加える" }));
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog");
  await choose(page, dialog.getByLabel("所属", { exact: true }), "企画部 > 企画財政課");
  await choose(page, dialog.getByLabel("承認", { exact: true }), "常に必要");
  await choose(page, dialog.getByLabel("勤務時間の終わり"), "10分前に知らせ、終了してロック");
  await tabTo(page, dialog.getByLabel(/操作のない時間の上限/));
  await page.keyboard.type("20");
  await tabTo(page, dialog.getByRole("checkbox", { name: "貸与端末" }));
  await page.keyboard.press("Space");
  await tabTo(page, dialog.getByRole("checkbox", { name: "申請の期限" }));
  await page.keyboard.press("Space");
  await tabTo(page, dialog.getByRole("textbox", { name: "期限の時刻" }));
  await page.keyboard.press("Control+A");
  await page.keyboard.type("25:00");
  await page.keyboard.press("Enter");
  await dialog.getByText("「8:30」のように入力してください。").waitFor();
  await shot("policy-rule-wrong");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("17:15");
  await shot("policy-rule");
  await page.keyboard.press("Enter");
  await dialog.waitFor({ state: "hidden" });
  await page.getByRole("rowheader", { name: "企画部 > 企画財政課" }).waitFor();
  await page.getByRole("button", { name: "企画部 > 企画財政課の操作" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("menuitem", { name: "条件の変更" }).waitFor();
  await shot("policy-rule-menu");
  await page.keyboard.press("Escape");
}

/** Chooses in the focused list by its words, as a keyboard does. */
async function choose(page, list, words) {
  await tabTo(page, list);
  const steps = await list.evaluate(
    (select, w) => [...select.options].findIndex((o) => o.label === w) - select.selectedIndex,
    words,
  );
  for (let i = 0; i < steps; i++) {
    await page.keyboard.press("ArrowDown");
  }
  const chosen = await list.evaluate((select) => select.selectedOptions[0]?.label);
  if (chosen !== words) {
    throw new Error(`the keyboard chose ${chosen}, not ${words}`);
  }
}

async function general(page, shot, checker) {
  const save = page.getByRole("button", { name: "保存", exact: true });
  await page.getByLabel("始業", { exact: true }).fill("8時半");
  await page.getByRole("textbox", { name: "任用区分" }).fill("一般職");
  await save.click();
  await page.getByText("入力を確かめてください。").waitFor();
  await shot("policy-wrong");
  const focus = await page.evaluate(() => document.activeElement?.getAttribute("aria-invalid"));
  if (focus !== "true") {
    checker.problem("focus", "does not go to the first field that is wrong");
  }
  await page.getByLabel("始業", { exact: true }).fill("8:30");
  await page
    .getByRole("textbox", { name: "任用区分" })
    .fill("regular 一般職\nfiscal-year 会計年度任用職員\nterm 任期付職員");
  await page.getByLabel("送信サーバー").fill("127.0.0.1:9");
  await page.getByLabel("暗号化").selectOption("none");
  await page.getByLabel("差出人のアドレス").fill("jiseki@aoba.example.jp");
  await page.getByLabel("まとめて送る間隔").fill("0");
  await page.getByLabel("所属を加える").selectOption({ label: "企画部 > 企画財政課" });
  await save.click();
  await page.getByText("保存しました。").waitFor();
  await shot("policy-saved");
}

/** Somebody else was faster: what was typed stays until the newest is asked for. */
async function conflict(page, shot) {
  const second = await page.context().newPage();
  await second.goto("/console/policy");
  await second.getByLabel("乖離として示す違い").fill("45");
  await second.getByRole("button", { name: "保存", exact: true }).click();
  await second.getByText("保存しました。").waitFor();
  await second.close();
  await page.getByLabel("休憩の終了").fill("13:15");
  await page.getByRole("button", { name: "保存", exact: true }).click();
  await page.getByText("ほかの人が先に変更しました。", { exact: false }).waitFor();
  if ((await page.getByLabel("休憩の終了").inputValue()) !== "13:15") {
    throw new Error("what was typed is lost");
  }
  await shot("policy-conflict");
  await page.getByRole("button", { name: "最新の内容を読み込む" }).click();
  await page.getByRole("button", { name: "最新の内容を読み込む" }).waitFor({ state: "hidden" });
  if ((await page.getByLabel("乖離として示す違い").inputValue()) !== "45") {
    throw new Error("the newest was not read");
  }
}

async function staff(page, shot) {
  await page.goto("/console/staff");
  await at(page, "職員の勤務条件");
  const dialog = page.getByRole("dialog");
  await page.getByLabel("利用者ID、氏名、よみ").fill("いない人");
  await page.getByRole("button", { name: "検索する" }).click();
  await page.getByText("条件に合うものがありません。").waitFor();
  await shot("policy-staff-none");
  await page.getByLabel("利用者ID、氏名、よみ").fill("");
  await page.getByRole("button", { name: "検索する" }).click();
  await page.getByRole("button", { name: "木村 さくら 変更" }).click();
  await dialog.getByLabel("任用区分").selectOption({ label: "会計年度任用職員" });
  await dialog.getByLabel("メール").fill("kimura@aoba.example.jp");
  await dialog.getByRole("button", { name: "勤務時間を加える" }).click();
  await dialog.getByLabel("備考").fill("育児短時間勤務");
  await dialog.getByLabel("終業").fill("7:00");
  await dialog.getByRole("button", { name: "保存" }).click();
  await dialog.getByText("終業が始業より後になるように", { exact: false }).waitFor();
  await shot("policy-staff-wrong");
  await dialog.getByLabel("終業").fill("15:30");
  await dialog.getByRole("button", { name: "勤務時間を加える" }).click();
  await shot("policy-staff-edit");
  await dialog.getByRole("button", { name: "2行目を消す" }).click();
  await dialog.getByRole("button", { name: "保存" }).click();
  await dialog.waitFor({ state: "hidden" });
  await page.getByRole("button", { name: "財前 進 変更" }).click();
  await dialog.getByLabel("メール").fill("zaizen@aoba.example.jp");
  await dialog.getByLabel("庶務担当").check();
  await dialog.getByRole("button", { name: "保存" }).click();
  await dialog.waitFor({ state: "hidden" });
  await page.getByRole("button", { name: "利用登録の一括更新" }).click();
  await shot("policy-staff-renew");
  await dialog.getByRole("button", { name: "更新する" }).click();
  await dialog.waitFor({ state: "hidden" });
  await page.getByText("育児短時間勤務", { exact: false }).waitFor();
  await page.getByText(/利用登録を更新しました/).waitFor();
  await shot("policy-staff");
}

async function holidays(page, shot) {
  const csv = async (text) =>
    page
      .locator('input[type="file"]')
      .setInputFiles({ name: "syukujitsu.csv", mimeType: "text/csv", buffer: Buffer.from(text) });
  await page.goto("/console/holidays");
  await at(page, "開庁日");
  await page.getByText("この年度に登録された日はありません。").waitFor();
  await shot("policy-holidays-empty");
  await csv("国民の祝日・休日月日,国民の祝日・休日名称\n2026/4/29,昭和の日\n2026/13/3,憲法記念日\n2026/5/4,\n");
  await page.getByText("取り込めませんでした。", { exact: false }).waitFor();
  await shot("policy-holidays-wrong");
  await csv(
    "国民の祝日・休日月日,国民の祝日・休日名称\n2026/4/29,昭和の日\n2026/5/3,憲法記念日\n2026/11/3,文化の日\n2027/1/1,元日\n2027/1/11,成人の日\n",
  );
  await page.getByText("5日を取り込みました。").waitFor();
  await page.getByText("成人の日").waitFor();
  await page.getByRole("button", { name: "日を加える" }).click();
  await page.getByText("名称を入力してください。").waitFor();
  await shot("policy-holidays-add-wrong");
  await page.getByLabel("日付").fill("2027-02-14");
  await page.getByLabel("名称").fill("町議会議員選挙");
  await page.getByLabel("区分").selectOption({ label: "臨時の開庁日" });
  await page.getByRole("button", { name: "日を加える" }).click();
  await page.getByText("町議会議員選挙").waitFor();
  await shot("policy-holidays");
}

async function routes(page, shot) {
  await page.goto("/console/routes");
  await at(page, "承認の経路");
  await page.getByRole("button", { name: "企画財政課 変更" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/1次/).selectOption({ label: "企画部 > 企画財政課" });
  await dialog.getByLabel(/2次/).selectOption({ label: "企画部" });
  await dialog.getByRole("combobox", { name: "供覧する所属" }).click();
  await page.getByRole("listbox").getByRole("option", { name: "会計課", exact: true }).click();
  await page.keyboard.press("Escape");
  await shot("policy-route");
  await dialog.getByRole("button", { name: "保存" }).click();
  await dialog.waitFor({ state: "hidden" });
  await page.getByText(/供覧 会計課/).waitFor();
  await shot("policy-routes");
}

/** A request, whose mail will wait, and a self-check with its code. */
async function request({ browser, checker, gateway, slip }) {
  const page = await open(browser, checker, gateway.office);
  await firstWindow(page, slip, "Sakura-no-hana-ga 8");
  const answers = await page.evaluate(async () => {
    // oxlint-disable-next-line unicorn/consistent-function-scoping -- it goes into the page whole
    const call = async (method, body) => {
      const answer = await fetch(`/api/jiseki.control.v1.TeleworkService/${method}`, {
        method: "POST",
        headers: { "Content-Type": "application/json", "Connect-Protocol-Version": "1" },
        body: JSON.stringify(body),
      });
      if (!answer.ok) {
        throw new Error(await answer.text());
      }
      return answer.json();
    };
    const { days } = await call("GetCalendar", { from: "2027-06-01", until: "2027-06-14" });
    const draft = {
      days: [{ date: days.find((d) => d.open).date, unit: "DAY_UNIT_FULL" }],
      place: "PLACE_HOME",
      reason: "REQUEST_REASON_WORK",
      work: "予算書の作成",
    };
    const sent = await call("SubmitRequest", { draft });
    if (sent.request === undefined) {
      throw new Error(JSON.stringify(sent));
    }
    return call("SaveSelfCheck", {
      items: [
        { name: "clock", outcome: "ok", value: "正しい" },
        { name: "desk 企画財政課-03", outcome: "bad", value: "接続できない" },
      ],
    });
  });
  await page.context().close();
  return answers.code;
}

async function mails(page, shot) {
  await page.goto("/console/mails");
  await at(page, "通知メール");
  await page.getByText("zaizen@aoba.example.jp").first().waitFor();
  await page.getByText("試行", { exact: false }).first().waitFor();
  await shot("policy-mails");
  await page.getByRole("button", { name: "すぐに送り直す" }).click();
  await page.getByText("通を送り直します。", { exact: false }).waitFor();
}

async function why(page, shot) {
  await page.goto("/console/why");
  await at(page, "接続可否の確認");
  await page.getByText("職員と自席端末を選んでください。").waitFor();
  await shot("policy-why-empty");
  await page.getByRole("combobox", { name: "職員" }).click();
  await page.getByRole("option", { name: /木村 さくら/ }).click();
  await page.getByRole("button", { name: "確かめる" }).click();
  await page.getByText("接続できません", { exact: true }).waitFor();
  await shot("policy-why");
}

async function helpdesk(page, shot, code) {
  await page.goto("/console/helpdesk");
  await at(page, "問合せの確認");
  await page.getByLabel("コード").fill("AAAAA-AAAAA");
  await page.getByRole("button", { name: "表示する" }).click();
  await page.getByRole("alert").waitFor();
  await shot("policy-helpdesk-wrong");
  await page.getByLabel("コード").fill(code.toLowerCase());
  await page.getByRole("button", { name: "表示する" }).click();
  await page.getByRole("heading", { name: /木村 さくらさんの確認/ }).waitFor();
  await shot("policy-helpdesk");
}

const ago = (minutes) => String(Date.now() - minutes * 60_000);

const SEGMENTS = [
  {
    zone: "ZONE_LGWAN",
    prefix: "10.20.3.0/24",
    desks: 12,
    desksOn: 8,
    desksUnwakeable: 1,
    wakers: [
      { deskId: "w1", name: "総務課-起動", alwaysOn: true, connected: true },
      { deskId: "d7", name: "税務課-PC07", connected: true },
    ],
  },
  {
    zone: "ZONE_INTERNET",
    prefix: "192.168.40.0/24",
    desks: 3,
    desksOn: 0,
    warning: {
      code: "segment_without_waker",
      ja: "起動の信号を送れる端末がありません。",
      helpJa: "常時稼働の端末を1台置いてください。",
    },
  },
];

const WAKES = [
  {
    wakeId: "k1",
    deskName: "総務課-PC04",
    askedMs: ago(1),
    byName: "鈴木 花子",
    state: "WAKE_STATE_SENT",
    wakerName: "総務課-起動",
  },
  { wakeId: "k2", deskName: "税務課-PC01", askedMs: ago(30), state: "WAKE_STATE_ON", wakerName: "総務課-起動" },
  {
    wakeId: "k3",
    deskName: "出先-PC02",
    askedMs: ago(90),
    byName: "木村 さくら",
    state: "WAKE_STATE_FAILED",
    failure: {
      code: "wake_no_waker",
      ja: "同じ区画に、起動の信号を送れる端末がありません。",
      helpJa: "庁内にいる人に電源の投入を依頼してください。",
    },
  },
];

const DESKS = [1, 2, 3].map((n) => ({
  deskId: `d${n}`,
  name: `総務課-PC0${n}`,
  zone: "ZONE_LGWAN",
  state: "DESK_STATE_OFF",
  userIds: [],
}));

/**
 * Segments and wakes come about through agents: the real page without them first, then with answers put in their place.
 */
async function power(page, shot) {
  await page.goto("/console/power");
  await at(page, "電源");
  await page.getByText("自席端末のネットワークはまだ報告されていません。").waitFor();
  await shot("policy-power-empty");
  const instead = async (method, body) =>
    page.route(`**/jiseki.control.v1.${method}`, async (route) =>
      route.fulfill({ contentType: json, body: JSON.stringify(body) }),
    );
  await instead("PolicyService/ListSegments", { segments: SEGMENTS });
  await instead("PolicyService/ListWakes", { wakes: WAKES });
  await instead("AdminService/ListAllDesks", { desks: DESKS });
  await page.reload();
  await page.getByText("10.20.3.0/24").waitFor();
  await page.getByText("出先-PC02").waitFor();
  await shot("policy-power");
  await page.getByRole("button", { name: "まとめて電源を入れる" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/すべて選ぶ/).check();
  await shot("policy-power-bulk");
  await dialog.getByRole("button", { name: "キャンセル" }).click();
}
