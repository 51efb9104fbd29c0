// Takes the pictures of the manuals and prints the manuals to PDF, against a real gateway.
//
//   node check/manual.mjs pictures [GATEWAY]      writes docs/manual/pictures
//   node check/manual.mjs print OUT [GATEWAY]     prints what the portal publishes into the folder OUT
//
// The walks are those that check the pages (day.mjs); only what is photographed differs. CHROMIUM names the browser.
import { mkdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { startBrowser } from "./browser.mjs";
import { day } from "./day.mjs";
import { startGateway } from "./gateway.mjs";
import { pictures } from "./manualpictures.mjs";
import { Photographer } from "./photographer.mjs";
import { at, firstPassword, open, signIn } from "./steps.mjs";

const root = resolve(import.meta.dirname, "../..");
const [what, ...rest] = process.argv.slice(2);
const program = resolve(rest[what === "print" ? 1 : 0] ?? join(root, "bin/jiseki-gateway"));
const browser = await startBrowser(process.env.CHROMIUM ?? "/usr/bin/chromium");
const gateway = await startGateway(program);
try {
  if (what === "pictures") await photograph();
  else if (what === "print" && rest[0] !== undefined) await printAll(resolve(rest[0]));
  else throw new Error("usage: manual.mjs pictures [GATEWAY] | print OUT [GATEWAY]");
} finally {
  await browser.close();
  await gateway.stop();
}

async function photograph() {
  const photographer = new Photographer(browser, join(root, "docs/manual/pictures"), pictures);
  await photographer.start();
  const sharp = photographer.sharpBrowser();
  await firstDay(sharp, photographer);
  await day({ browser: sharp, checker: photographer, gateway });
  for (const p of photographer.problems) process.stderr.write(`${p}\n`);
  for (const name of photographer.missing()) process.stderr.write(`no picture ${name} was taken\n`);
  process.stdout.write(`${photographer.shots} pictures in ${photographer.out}\n`);
  if (photographer.problems.length + photographer.missing().length > 0) process.exitCode = 1;
}

/** Somebody's first day at home: first password, enrolment, the check, a lost device. */
async function firstDay(sharp, photographer) {
  const PASSWORD = "Yuki-to-kawa-no-oto 42";
  const section = JSON.parse(await gateway.command("--json", "section", "add", "税務課")).section.section_id;
  const added = await gateway.command("--json", "user", "add", "zeimu02", "--name", "田中 美咲", "--kana", "たなか みさき", "--section", section, "--device", "lent");
  const [slip] = JSON.parse(added).slips;
  const page = await open(sharp, photographer, gateway.home);
  const shot = async (name) => photographer.shot(page, name);
  await page.goto("/");
  await at(page, "サインイン");
  await page.getByLabel("利用者ID").fill("zeimu02");
  await page.getByRole("textbox", { name: "パスワード" }).fill(slip.initial_password);
  await shot("first-signin");
  await signIn(page, "zeimu02", slip.initial_password);
  await at(page, "パスワードの変更");
  await page.getByLabel(/初期パスワード/).fill(slip.initial_password);
  await page.getByLabel(/^新しいパスワード(?!（確認）)/).fill(PASSWORD);
  await page.getByLabel(/^新しいパスワード（確認）/).fill(PASSWORD);
  await shot("first-password");
  await firstPassword(page, slip.initial_password, PASSWORD);
  await at(page, "この端末の登録");
  await page.getByLabel("端末登録コード").fill(slip.device_code);
  await shot("first-enrol");
  await page.getByRole("button", { name: "この端末を登録" }).click();
  await page.getByText("この端末を登録しました。").waitFor();
  await page.goto("/check");
  await page.getByRole("button", { name: "確認を始める" }).click();
  await page.getByText("情報システム担当に問い合わせるときのコード").waitFor();
  await shot("first-check");
  await page.goto("/lost");
  await page.getByLabel("状況（いつ、どこで、どのように）").fill("23日18時ごろ、帰宅途中の電車の網棚に、かばんごと置き忘れた。");
  await shot("first-lost");
  await page.context().close();
}

/** Waits until the gateway answers. */
async function started(page) {
  for (let i = 0; ; i++) {
    try {
      return await page.goto("/");
    } catch (e) {
      if (i === 200) throw e;
      await page.waitForTimeout(300);
    }
  }
}

async function printAll(out) {
  await mkdir(out, { recursive: true });
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "ja-JP", baseURL: gateway.office });
  const page = await context.newPage();
  await started(page);
  for (const [path, file] of [
    ["/manual", "staff.pdf"],
    ["/manual/approver", "approver.pdf"],
  ]) {
    await page.goto(path);
    await page.locator(".manual .chapter").first().waitFor();
    await page.locator("img").evaluateAll(async (images) => Promise.all(images.map(async (i) => ((i.loading = "eager"), i.decode()))));
    await page.evaluate(async () => document.fonts.ready);
    await page.pdf({ path: join(out, file), preferCSSPageSize: true, printBackground: true, tagged: true, outline: true });
    process.stdout.write(`${join(out, file)} ${Math.round((await stat(join(out, file))).size / 1024)} KB\n`);
  }
}
