// Steps that several walks take.

/** A window in Japanese with a device of its own. */
export async function open(browser, checker, base, locale = "ja-JP") {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale, timezoneId: "Asia/Tokyo", baseURL: base, reducedMotion: "reduce" });
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  checker.watch(page);
  return page;
}

/** Waits for a page by its heading. */
export async function at(page, heading) {
  await page.getByRole("heading", { level: 1, name: heading, exact: true }).waitFor();
}

/** Fills in the sign-in and sends it. */
export async function signIn(page, user, password) {
  await page.getByLabel("利用者ID").fill(user);
  await page.getByRole("textbox", { name: "パスワード" }).fill(password);
  await page.getByRole("button", { name: "サインイン", exact: true }).click();
}

/** Changes the initial password, photographing on the way if `shot` is given. */
export async function firstPassword(page, before, after, shot = async () => {}) {
  await at(page, "パスワードの変更");
  await page.getByLabel(/初期パスワード/).fill(before);
  await page.getByLabel(/^新しいパスワード(?!（確認）)/).fill("password");
  await shot("rules");
  await page.getByLabel(/^新しいパスワード(?!（確認）)/).fill(after);
  await page.getByLabel(/^新しいパスワード（確認）/).fill(after);
  await page.getByRole("button", { name: "パスワードを変更" }).click();
}
