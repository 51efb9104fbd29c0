// A browser that photographs pages at three sizes and holds them against axe, the console's silence and the window's
// width.
import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";

/** The sizes of the pages. Screen readers meet the same page at the first and the last. */
export const SIZES = [
  { name: "1366", width: 1366, height: 768 },
  { name: "1920", width: 1920, height: 1080 },
  { name: "390", width: 390, height: 844 },
];

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Starts Chromium. Errors of certificates are passed over: the gateway's is its own. */
export async function startBrowser(executablePath) {
  return chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--ignore-certificate-errors", "--force-prefers-reduced-motion"],
  });
}

/** Takes pictures into a folder and collects what is wrong. */
export class Checker {
  constructor(out) {
    this.out = out;
    this.problems = [];
    this.shots = 0;
  }

  async start() {
    await mkdir(this.out, { recursive: true });
    this.axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  }

  /** Listens to a page. `expected` are errors that belong to what is tried. */
  watch(page, expected = /status of 4\d\d|status of 5\d\d|ERR_FAILED/) {
    page.on("pageerror", (e) => this.problem("page error", e.message));
    page.on("console", (m) => {
      if (m.type() === "error" && !expected.test(m.text())) {
        this.problem("console", m.text());
      }
    });
  }

  problem(where, what) {
    this.problems.push(`${where}: ${what}`);
  }

  /** Photographs the page at all sizes and checks it. */
  async shot(page, name) {
    for (const size of SIZES) {
      await page.setViewportSize({ width: size.width, height: size.height });
      await page.evaluate(async () => document.fonts.ready);
      await page.evaluate(() => new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r))));
      await page.screenshot({ path: join(this.out, `${name}-${size.name}.png`), fullPage: true });
      await this.checkWidth(page, `${name} ${size.name}`);
      await this.checkMenu(page, `${name} ${size.name}`);
      if (size.name !== "1920") {
        await this.checkAxe(page, `${name} ${size.name}`);
      }
      this.shots++;
    }
    await page.setViewportSize({ width: SIZES[0].width, height: SIZES[0].height });
  }

  async checkWidth(page, name) {
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (over > 0) {
      this.problem(name, `${over} pixels wider than the window`);
    }
  }

  /** A menu that scrolls shows the link to the page that is open. */
  async checkMenu(page, name) {
    const hidden = await page.evaluate(() =>
      [...document.querySelectorAll('.console-nav a[aria-current="page"]')].some((a) => {
        const link = a.getBoundingClientRect();
        const menu = a.parentElement.getBoundingClientRect();
        return link.left < menu.left || link.right > menu.right;
      }),
    );
    if (hidden) {
      this.problem(name, "the menu does not show where one is");
    }
  }

  async checkAxe(page, name) {
    await page.evaluate(this.axe);
    const found = await page.evaluate(async (tags) => {
      const { violations } = await globalThis.axe.run(document, { runOnly: { type: "tag", values: tags } });
      return violations.map(
        (v) =>
          `${v.id} (${v.impact}): ${v.nodes.map((n) => `${n.target.join(" ")} ${n.failureSummary ?? ""}`).join(" | ")}`,
      );
    }, TAGS);
    for (const violation of found) {
      this.problem(`axe ${name}`, violation.replaceAll(/\s+/g, " "));
    }
  }
}
