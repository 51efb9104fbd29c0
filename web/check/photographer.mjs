// Takes the pictures of the manuals while a walk goes its way: crops, marks what is to be pressed, and writes small
// WebP files.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** The size of the window, in which pages look as on a small office PC. */
const WINDOW = { width: 1040, height: 760 };

/** Pixels of a picture for each of the page: sharp on paper, small in the repository. */
const SHARP = 1.5;

/** No picture may be larger, in bytes. */
const LARGEST = 150_000;

/** Has the shape of a Checker, so that the walks take it for one. */
export class Photographer {
  constructor(browser, out, pictures) {
    this.browser = browser;
    this.out = out;
    this.pictures = pictures;
    this.problems = [];
    this.shots = 0;
    this.taken = new Set();
  }

  async start() {
    await mkdir(this.out, { recursive: true });
    this.darkroom = await this.browser.newPage();
  }

  /** The browser with windows of the pictures' sharpness. */
  sharpBrowser() {
    return {
      newContext: async (options) =>
        this.browser.newContext({ ...options, deviceScaleFactor: SHARP, viewport: WINDOW, bypassCSP: true }),
    };
  }

  watch(page) {
    page.on("pageerror", (e) => this.problem("page error", e.message));
  }

  problem(where, what) {
    this.problems.push(`${where}: ${what}`);
  }

  missing() {
    return this.pictures.map((p) => p.name).filter((name) => !this.taken.has(name));
  }

  /** Called where a walk photographs: takes those pictures that belong here. */
  async shot(page, at) {
    for (const picture of this.pictures.filter((p) => p.name === at)) {
      await this.take(page, picture);
    }
  }

  async take(page, { name, of = ["main"], marks = [], window = WINDOW, inset = -8, tallest = 2000 }) {
    await page.setViewportSize(window);
    await page.evaluate(async () => document.fonts.ready);
    await page.evaluate(() => {
      document.activeElement?.blur?.();
      scrollTo(0, 0); // what sticks to the window stands where the page has it
      const toasts = document.querySelectorAll(".mantine-Notifications-root");
      for (const t of toasts) {
        t.style.visibility = "hidden";
      }
    });
    const clip = await area(page, of, inset, tallest);
    const boxes = [];
    for (const mark of marks) {
      boxes.push(await onPage(page, mark(page).first()));
    }
    await drawMarks(page, boxes);
    const png = await page.screenshot({ clip, fullPage: true, animations: "disabled" });
    await eraseMarks(page);
    await this.keep(name, png);
    await page.setViewportSize({ width: 1366, height: 768 });
  }

  /** Writes a picture as WebP, the smaller the less sharp. */
  async keep(name, png) {
    for (const quality of [0.9, 0.8]) {
      const webp = await develop(this.darkroom, png, quality);
      if (webp.length > LARGEST) {
        continue;
      }
      await writeFile(join(this.out, `${name}.webp`), webp);
      this.taken.add(name);
      this.shots++;
      return;
    }
    this.problem(name, `larger than ${LARGEST} bytes`);
  }
}

/** The rectangle around the elements, with a margin where the inset is negative. */
async function area(page, selectors, inset, tallest) {
  const boxes = [];
  for (const s of selectors) {
    boxes.push(await onPage(page, page.locator(s).first()));
  }
  const left = Math.min(...boxes.map((b) => b.x)) + inset;
  const top = Math.min(...boxes.map((b) => b.y)) + inset;
  const right = Math.max(...boxes.map((b) => b.x + b.width)) - inset;
  const bottom = Math.max(...boxes.map((b) => b.y + b.height)) - inset;
  const x = Math.max(0, left);
  const y = Math.max(0, top);
  return { x, y, width: right - x, height: Math.min(tallest, bottom - y) };
}

async function onPage(page, locator) {
  const box = await locator.boundingBox();
  if (box === null) {
    throw new Error(`${locator} is not to be seen`);
  }
  const scrolled = await page.evaluate(() => ({ x: scrollX, y: scrollY }));
  return { x: box.x + scrolled.x, y: box.y + scrolled.y, width: box.width, height: box.height };
}

/** Frames what is to be pressed, numbered when there are several. */
async function drawMarks(page, boxes) {
  await page.evaluate((all) => {
    for (const [i, b] of all.entries()) {
      const frame = document.createElement("div");
      frame.className = "manual-mark";
      const at = `left:${b.x - 5}px;top:${b.y - 5}px;width:${b.width + 10}px;height:${b.height + 10}px`;
      const line = "border:3px solid #d5001c;border-radius:8px;box-sizing:border-box";
      frame.style.cssText = `position:absolute;z-index:9999;pointer-events:none;${at};${line}`;
      if (all.length > 1) {
        const number = document.createElement("span");
        number.textContent = String(i + 1);
        number.style.cssText =
          "position:absolute;left:-13px;top:-13px;width:24px;height:24px;border-radius:50%;background:#d5001c;color:#fff;font:700 15px/24px sans-serif;text-align:center";
        frame.append(number);
      }
      document.body.append(frame);
    }
  }, boxes);
}

async function eraseMarks(page) {
  await page.evaluate(() => {
    for (const m of document.querySelectorAll(".manual-mark")) {
      m.remove();
    }
    for (const t of document.querySelectorAll(".mantine-Notifications-root")) {
      t.style.visibility = "";
    }
  });
}

/** PNG to WebP, by the browser's own encoder. */
async function develop(darkroom, png, quality) {
  const base64 = await darkroom.evaluate(
    async ({ source, quality: q }) => {
      const image = new Image();
      image.src = `data:image/png;base64,${source}`;
      await image.decode();
      const canvas = new OffscreenCanvas(image.width, image.height);
      canvas.getContext("2d").drawImage(image, 0, 0);
      const bytes = new Uint8Array(
        await (await canvas.convertToBlob({ type: "image/webp", quality: q })).arrayBuffer(),
      );
      let text = "";
      for (let i = 0; i < bytes.length; i += 8192) {
        text += String.fromCharCode(...bytes.subarray(i, i + 8192));
      }
      return btoa(text);
    },
    { source: png.toString("base64"), quality },
  );
  return Buffer.from(base64, "base64");
}
