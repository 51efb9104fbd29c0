// The administrator's walk: first sign-in, then every page of the console, empty and filled.
import { at, firstPassword, open, signIn } from "./steps.mjs";
import { lockOutDialog, setUpTotp } from "./totp.mjs";

const PASSWORD = "kaze-ni-mau-Hato-7wa";

/** Returns the slips of the users it makes, as texts by user id. */
export async function administrator({ browser, checker, gateway }) {
  const page = await open(browser, checker, gateway.office);
  const shot = async (name) => checker.shot(page, name);
  await page.goto("/");
  await at(page, "サインイン");
  await shot("signin");
  await page.getByRole("button", { name: "サインイン", exact: true }).click();
  await page.getByText("利用者IDを入力してください。").waitFor();
  await shot("signin-empty");
  await signIn(page, "admin", "wrong");
  await page.getByText("利用者IDまたはパスワードが違います。").waitFor();
  await shot("signin-wrong");
  await signIn(page, gateway.slip.user_id, gateway.slip.initial_password);
  await firstPassword(page, gateway.slip.initial_password, PASSWORD, async () => shot("password-rules"));
  await at(page, "この端末の登録");
  await page.getByRole("link", { name: "後で登録する" }).click();
  await at(page, "自席端末");
  await page.getByText("割り当てられた自席端末がありません。").waitFor();
  await closeMessages(page);
  await shot("home-empty");
  await empty(page, shot);
  await sections(page, shot);
  await desks(page, shot);
  const slips = await users(page, shot, checker);
  await devicesAndSessions(page, shot);
  await events(page, shot, checker);
  await settings(page, shot, browser, checker);
  await setUpTotp(page, shot, PASSWORD);
  await page.context().close();
  return slips;
}

async function closeMessages(page) {
  const close = page.locator(".mantine-Notification-closeButton");
  // A message that goes by itself meanwhile is as good as closed.
  while ((await close.count()) > 0) {
    await close
      .first()
      .click({ timeout: 1000 })
      .catch(() => {});
  }
}

async function goTo(page, name) {
  const title = { 接続: "接続" }[name] ?? name;
  await page.getByRole("navigation", { name: "管理のメニュー" }).getByRole("link", { name, exact: true }).click();
  await at(page, title);
}

async function empty(page, shot) {
  await page.getByRole("link", { name: "管理", exact: true }).click();
  await at(page, "利用者");
  await goTo(page, "自席端末");
  await page.getByText("まだ登録がありません。").waitFor();
  await shot("console-desks-empty");
  await goTo(page, "所属");
  await page.getByText("所属がまだありません。").waitFor();
  await shot("console-sections-empty");
}

async function sections(page, shot) {
  const add = async (name, parent) => {
    await page.getByRole("button", { name: "所属を追加" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("名称").fill(name);
    if (parent !== undefined) {
      await dialog.getByLabel("上位の所属").selectOption({ label: parent });
    }
    if (name === "税務課") {
      await shot("console-sections-add");
    }
    await dialog.getByRole("button", { name: "保存" }).click();
    await dialog.waitFor({ state: "hidden" });
    await page.locator(".tree-name", { hasText: name }).waitFor();
  };
  await add("総務部");
  await add("総務課", "総務部");
  await add("情報係", "総務部 > 総務課");
  await add("税務課", "総務部");
  await closeMessages(page);
  await shot("console-sections");
}

async function desks(page, shot) {
  await goTo(page, "自席端末");
  for (const [name, zone, section] of [
    ["総務課-PC01", "LGWAN接続系", "総務部 > 総務課"],
    ["総務課-PC02", "インターネット接続系", "総務部 > 総務課"],
    ["税務課-PC01", "LGWAN接続系", "総務部 > 税務課"],
  ]) {
    await page.getByRole("button", { name: "自席端末を登録" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("名称").fill(name);
    if (name === "税務課-PC01") {
      await dialog.getByRole("button", { name: "保存" }).click();
      await dialog.getByText("ネットワーク区分を選んでください。").waitFor();
      await shot("console-desks-add");
    }
    await dialog.getByLabel("ネットワーク区分").selectOption({ label: zone });
    await dialog.getByLabel("所属").selectOption({ label: section });
    await dialog.getByRole("button", { name: "保存" }).click();
    await dialog.waitFor({ state: "hidden" });
    await page.getByRole("rowheader", { name: new RegExp(name) }).waitFor();
  }
  await closeMessages(page);
  await shot("console-desks");
  await page.getByRole("button", { name: "総務課-PC01の操作" }).click();
  await page.getByRole("menuitem", { name: "登録トークンを発行" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "発行" }).click();
  await page.getByText("自席端末で、それを使う利用者として、次のコマンドを実行してください。").waitFor();
  await shot("console-desks-token");
  await page.getByRole("dialog").getByRole("button", { name: "閉じる" }).last().click();
}

async function users(page, shot, checker) {
  await goTo(page, "利用者");
  await page.getByRole("link", { name: "利用者を登録" }).click();
  await at(page, "利用者の登録");
  await shot("console-users-new");
  await page.getByRole("tab", { name: "まとめて" }).click();
  const lines = page.getByLabel("登録する利用者");
  await lines.fill("tanaka,田中 花子,タナカ ハナコ,総務課,総務課-PC01\n鈴木,鈴木 一郎,,経理課");
  await page.getByText("「経理課」という所属はありません。").waitFor();
  await shot("console-users-paste-wrong");
  await lines.fill(
    "tanaka\t田中 花子\tタナカ ハナコ\t総務課\t総務課-PC01\nsuzuki\t鈴木 一郎\tスズキ イチロウ\t税務課\t税務課-PC01\nsato\t佐藤 美咲\tサトウ ミサキ\t情報係\n",
  );
  await shot("console-users-paste");
  await page.getByRole("button", { name: "3人を登録して通知書を作成" }).click();
  await at(page, "利用者登録通知書");
  await shot("console-slips");
  await page.emulateMedia({ media: "print" });
  const paper = await page.pdf({ path: `${checker.out}/console-slips.pdf`, preferCSSPageSize: true });
  await page.emulateMedia({ media: "screen" });
  const sheets = paper.toString("latin1").match(/\/Type\s*\/Page\b/g)?.length ?? 0;
  if (sheets !== 3) {
    checker.problem("slips", `3 slips on ${sheets} sheets`);
  }
  const slips = await readSlips(page);
  page.once("dialog", (d) => void d.accept());
  await page.getByRole("link", { name: "利用者の一覧へ" }).click();
  await at(page, "利用者");
  await page.getByRole("rowheader", { name: /田中 花子/ }).waitFor();
  await shot("console-users");
  await page.getByRole("button", { name: "佐藤 美咲の操作" }).click();
  await shot("console-users-menu");
  await page.getByRole("menuitem", { name: "利用を停止" }).click();
  await page.getByRole("dialog").waitFor();
  await shot("console-users-disable");
  await page.getByRole("dialog").getByRole("button", { name: "利用を停止" }).click();
  await page.getByText("停止中").waitFor();
  await page.getByRole("button", { name: "鈴木 一郎の操作" }).click();
  await page.getByRole("menuitem", { name: "変更" }).click();
  await shot("console-users-edit");
  await page.getByRole("dialog").getByRole("button", { name: "保存" }).click();
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  await closeMessages(page);
  await page.getByLabel("利用者ID、氏名、フリガナ").fill("いない人");
  await page.getByRole("button", { name: "検索する" }).click();
  await page.getByText("条件に合うものがありません。").waitFor();
  await shot("console-users-none");
  return slips;
}

async function readSlips(page) {
  const slips = {};
  for (const slip of await page.locator(".slip").all()) {
    const [, user, password, code] = await slip.locator(".slip-secret").allTextContents();
    slips[user] = { user, password, code };
  }
  return slips;
}

async function devicesAndSessions(page, shot) {
  await goTo(page, "接続元端末");
  await page.getByText("まだ登録がありません。").waitFor();
  await shot("console-devices-empty");
  await goTo(page, "接続");
  await page.getByText("接続中の利用者はいません。").waitFor();
  await shot("console-sessions-empty");
}

async function events(page, shot, checker) {
  await goTo(page, "監査記録");
  await page.getByRole("row").nth(3).waitFor();
  await page.getByRole("button", { name: "改ざんの有無を検証" }).click();
  await page.getByText("改ざんは見つかりませんでした。").waitFor();
  await shot("console-events");
  await page
    .getByRole("button", { name: /の内訳/ })
    .first()
    .click();
  await page.getByRole("dialog").waitFor();
  await shot("console-events-details");
  await page.getByRole("dialog").getByRole("button", { name: "閉じる" }).click();
  await page.getByLabel("種類").selectOption({ label: "サインインを拒否" });
  await page.getByRole("button", { name: "検索する" }).click();
  await page.getByText("wrong_credentials").first().waitFor();
  const others = await page.getByRole("rowheader").filter({ hasNotText: "サインインを拒否" }).count();
  if (others > 0) {
    checker.problem("events", "the filter lets other kinds through");
  }
}

async function settings(page, shot, browser, checker) {
  await goTo(page, "設定");
  await page.getByLabel("組織の名称").waitFor();
  await shot("console-settings");
  await lockOutDialog(page, shot);
  const second = await page.context().newPage();
  checker.watch(second);
  await second.goto("/console/settings");
  await second.getByLabel("組織の名称").fill("青葉町");
  await second.getByRole("button", { name: "設定を保存" }).click();
  await second.getByText("設定を保存しました。").waitFor();
  await second.getByText("変更はありません。").waitFor();
  await second.close();
  await page.getByLabel("操作がないとき終了するまで").fill("2000");
  await page.getByRole("button", { name: "設定を保存" }).click();
  await page.getByText("0から1440までの整数で入力してください。").waitFor();
  await page.getByLabel("操作がないとき終了するまで").fill("45");
  await page.getByRole("button", { name: "設定を保存" }).click();
  await page.getByText("ほかの管理者が先に設定を変更しました。").waitFor();
  await shot("console-settings-conflict");
  await page.getByRole("button", { name: "最新の設定を読み込む" }).click();
  await page.getByText("変更はありません。").waitFor();
  if ((await page.getByLabel("組織の名称").inputValue()) !== "青葉町") {
    checker.problem("settings", "the newest were not loaded");
  }
}
