// Steps that several walks take.

/** A window in Japanese with a device of its own. */
export async function open(browser, checker, base, locale = "ja-JP") {
  const context = await browser.newContext({
    ignoreHTTPSErrors: true,
    locale,
    timezoneId: "Asia/Tokyo",
    baseURL: base,
    reducedMotion: "reduce",
  });
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

/** The first sign-in of somebody in the hall, up to the first page. */
export async function firstWindow(page, slip, password) {
  await page.goto("/");
  await at(page, "サインイン");
  await signIn(page, slip.user, slip.password);
  await firstPassword(page, slip.password, password);
  await page.getByText("パスワードを変更しました。").waitFor();
  await page.goto("/");
  await at(page, "自席端末");
}

/** Goes from field to field by the Tab key until the target has the focus, as who has no mouse does. */
export async function tabTo(page, target) {
  for (let i = 0; i < 100; i++) {
    if (await target.evaluate((e) => e === document.activeElement)) {
      return;
    }
    await page.keyboard.press("Tab");
  }
  throw new Error(`the Tab key does not come to ${target}`);
}
