// The manuals in the portal: they are read without a sign-in, and the sign-in leads to them.
import { at, open } from "./steps.mjs";

export async function manuals({ browser, checker, gateway }) {
  const page = await open(browser, checker, gateway.home);
  await page.goto("/signin");
  await at(page, "サインイン");
  await page.getByText("サインインできないとき").click();
  await page.getByRole("link", { name: "利用手順書を開く" }).click();
  await at(page, "利用手順書");
  await seen(page);
  await checker.shot(page, "manual-staff");
  await page.goto("/manual/approver");
  await at(page, "承認者の手引");
  await seen(page);
  await checker.shot(page, "manual-approver");
  await page.context().close();
}

/** Loads all pictures, those far below too. */
async function seen(page) {
  await page
    .locator(".manual img")
    .evaluateAll(async (images) => Promise.all(images.map(async (i) => ((i.loading = "eager"), i.decode()))));
}
