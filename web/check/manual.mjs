// Takes the pictures of the manuals in the demo's town, and prints the manuals to PDF as the portal publishes them.
//
//   node check/manual.mjs pictures [BIN]      writes docs/manual/pictures
//   node check/manual.mjs print OUT [BIN]     writes OUT/staff.pdf and OUT/approver.pdf
//
// BIN is the folder with the programs, by default ../bin. CHROMIUM names the browser.
import { mkdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { startBrowser } from "./browser.mjs";
import { startGateway } from "./gateway.mjs";
import { pictures } from "./manualpictures.mjs";
import { manualWalk } from "./manualwalk.mjs";
import { Photographer } from "./photographer.mjs";
import { startTown } from "./town.mjs";

const root = resolve(import.meta.dirname, "../..");
const [what, ...rest] = process.argv.slice(2);
const bin = resolve(rest[what === "print" ? 1 : 0] ?? join(root, "bin"));
const browser = await startBrowser(process.env.CHROMIUM ?? "/usr/bin/chromium");
try {
  if (what === "pictures") {
    await photograph();
  } else if (what === "print" && rest[0] !== undefined) {
    await printAll(resolve(rest[0]));
  } else {
    throw new Error("usage: manual.mjs pictures [BIN] | print OUT [BIN]");
  }
} finally {
  await browser.close();
}

async function photograph() {
  const town = await startTown(join(bin, "jiseki-demo"));
  try {
    const photographer = new Photographer(browser, join(root, "docs/manual/pictures"), pictures);
    await photographer.start();
    await manualWalk({ browser: photographer.sharpBrowser(), checker: photographer, town });
    for (const p of photographer.problems) {
      process.stderr.write(`${p}\n`);
    }
    for (const name of photographer.missing()) {
      process.stderr.write(`no picture ${name} was taken\n`);
    }
    process.stdout.write(`${photographer.shots} pictures in ${photographer.out}\n`);
    if (photographer.problems.length + photographer.missing().length > 0) {
      process.exitCode = 1;
    }
  } finally {
    await town.stop();
  }
}

/** Waits until the gateway answers. */
async function started(page) {
  for (let i = 0; ; i++) {
    try {
      return await page.goto("/");
    } catch (e) {
      if (i === 200) {
        throw e;
      }
      await page.waitForTimeout(300);
    }
  }
}

async function printAll(out) {
  const gateway = await startGateway(join(bin, "jiseki-gateway"));
  try {
    await mkdir(out, { recursive: true });
    await printFrom(gateway, out);
  } finally {
    await gateway.stop();
  }
}

async function printFrom(gateway, out) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "ja-JP", baseURL: gateway.office });
  const page = await context.newPage();
  await started(page);
  for (const [path, file] of [
    ["/manual", "staff.pdf"],
    ["/manual/approver", "approver.pdf"],
  ]) {
    await page.goto(path);
    await page.locator(".manual .chapter").first().waitFor();
    await page
      .locator("img")
      .evaluateAll(async (images) => Promise.all(images.map(async (i) => ((i.loading = "eager"), i.decode()))));
    await page.evaluate(async () => document.fonts.ready);
    await page.pdf({
      path: join(out, file),
      preferCSSPageSize: true,
      printBackground: true,
      tagged: true,
      outline: true,
    });
    process.stdout.write(`${join(out, file)} ${Math.round((await stat(join(out, file))).size / 1024)} KB\n`);
  }
}
