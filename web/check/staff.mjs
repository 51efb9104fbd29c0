// The staff's walk from home: first sign-in, enrolment, the desk, the lock-out.
import { at, firstPassword, open, signIn } from "./steps.mjs";

const PASSWORD = "Yuki-to-kawa-no-oto 42";

export async function staff({ browser, checker, gateway, slips }) {
  const page = await open(browser, checker, gateway.home);
  const shot = async (name) => checker.shot(page, name);
  const slip = slips.tanaka;
  await page.goto("/account");
  await at(page, "サインイン");
  await signIn(page, "ＴＡＮＡＫＡ", slip.password);
  await firstPassword(page, slip.password, PASSWORD);
  await at(page, "この端末の登録");
  await page.locator(".mantine-Notification-closeButton").click();
  await shot("enrol");
  await page.goto("/");
  await page.getByText("庁外からは、登録済みの端末でサインインする必要があります。").waitFor();
  await shot("home-password-only");
  await page.getByRole("link", { name: "この端末を登録" }).click();
  await page.getByLabel("端末登録コード").fill("AAAA-BBBB-CCCC-DDDD");
  await page.getByRole("button", { name: "この端末を登録" }).click();
  await page.getByText("端末登録コードの文字に誤りがあります。").waitFor();
  await shot("enrol-mistyped");
  await page.getByLabel("端末登録コード").fill(slip.code.toLowerCase());
  await page.getByRole("button", { name: "この端末を登録" }).click();
  await page.getByText("この端末を登録しました。").waitFor();
  await shot("enrol-done");
  await page.getByRole("link", { name: "自席端末の一覧へ進む" }).click();
  await at(page, "自席端末");
  await page.getByText("この自席端末は、まだ登録されていません。").waitFor();
  await shot("home-not-enrolled");
  await page.getByRole("link", { name: "端末と接続の記録" }).click();
  await at(page, "端末と接続の記録");
  await page.getByText("接続の記録はまだありません。").waitFor();
  await shot("account");
  await leaveAndReturn(page, checker);
  await english(page, checker);
  await lockOut(browser, checker, gateway, slips.suzuki.user);
}

/** The second sign-in uses the key of this browser by itself. */
async function leaveAndReturn(page, checker) {
  await page.getByRole("button", { name: /田中 花子/ }).click();
  await checker.shot(page, "user-menu");
  await page.getByRole("menuitem", { name: "サインアウト" }).click();
  await page.getByText("サインアウトしました。").waitFor();
  await checker.shot(page, "signin-out");
  await signIn(page, "tanaka", PASSWORD);
  await at(page, "自席端末");
  await page.getByText("この自席端末は、まだ登録されていません。").waitFor();
  const focus = await page.evaluate(() => document.activeElement?.tagName);
  if (focus !== "H1") {
    checker.problem("focus", `after signing in ${focus} has it`);
  }
}

async function english(page, checker) {
  await page.getByRole("button", { name: /English/ }).click();
  await at(page, "My desks");
  await checker.shot(page, "home-english");
  await page.getByRole("button", { name: /日本語/ }).click();
  await at(page, "自席端末");
}

async function lockOut(browser, checker, gateway, user) {
  const page = await open(browser, checker, gateway.home);
  await page.goto("/signin");
  for (let i = 0; i < 12 && (await page.getByRole("timer").count()) === 0; i++) {
    await signIn(page, user, `wrong-${i}`);
    await page.getByRole("alert").waitFor();
    await page.locator('button[type="submit"]:not([data-loading])').waitFor();
  }
  await page.getByRole("timer").waitFor();
  await checker.shot(page, "signin-locked");
  await page.context().close();
}
