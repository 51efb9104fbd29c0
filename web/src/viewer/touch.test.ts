// Fingers and a keyboard on the screen in a real Chromium of a telephone's size: toolbar, input and their styles as on
// the page.
import { fileURLToPath } from "node:url";
import { type Browser, type CDPSession, chromium, type Page } from "playwright-core";
import { createServer, type ViteDevServer } from "vite";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";

let server: ViteDevServer;
let browser: Browser;
let page: Page;
let cdp: CDPSession;

interface Sent {
  readonly kind: string;
  readonly x?: number;
  readonly y?: number;
  readonly buttons?: number;
  readonly dy?: number;
  readonly text?: string;
  readonly code?: number;
  readonly factor?: number;
}

const PAGE = `<!doctype html><html lang="ja"><head><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/src/viewer/viewer.css"></head>
<body><main id="viewer" data-phase="live"></main></body></html>`;

/** Puts a desk of 1920 by 1080 on the page, without a session: what would be sent is kept in \`sent\`. */
const SCRIPT = `
  const parts = ["input/input.ts", "input/sink.ts", "input/touch.ts",
    "viewer/toolbar.ts", "viewer/text.ts", "viewer/softkeys.ts", "viewer/dom.ts"];
  const [{ Input }, { browserTimers }, { LONG_PRESS }, { Toolbar }, { Text }, { writingField }, { el }] =
    await Promise.all(parts.map((p) => import("/src/" + p)));
  const sent = (window.sent = []);
  const text = new Text("ja");
  const canvas = el("canvas", { style: "left: 0; top: 312px; width: 390px; height: 219px; background: #dfe6ee" });
  const stage = el("div", { class: "stage", tabindex: "0" }, canvas);
  const field = writingField("文字を入力");
  const nothing = () => {};
  const toolbar = new Toolbar(text,
    { keys: nothing, scale: nothing, monitor: nothing, fullScreen: nothing, paste: nothing,
      softKeyboard: () => field.focus({ preventScroll: true }), end: nothing, leave: nothing },
    { desk: "総務課-03", scale: "fit", monitor: 255, layout: null, isFullScreen: false, mayPaste: true, mayType: true });
  document.querySelector("main").append(stage, field, toolbar.element);
  // A finger has rested for as long as a long press takes when the test says so, however long the machine takes for
  // a tap.
  const real = browserTimers(window);
  const rest = (f) => ((window.rest = f), () => { window.rest = nothing; });
  const timers = { ...real, after: (ms, f) => ms === LONG_PRESS ? rest(f) : real.after(ms, f) };
  const input = new Input({
    element: stage, field, timers, systemKeys: () => false, system: "other",
    area: () => ({ generation: 1, x: 0, y: 0, width: 1920, height: 1080, box: canvas.getBoundingClientRect() }),
    sink: { send: (m) => sent.push(m), write: (text) => sent.push({ kind: "text", text }), toToolbar: nothing,
      unknownKey: () => sent.push({ kind: "unknown" }), zoom: (z) => sent.push({ ...z, kind: "zoom" }) },
  });
  input.start();
  toolbar.open();
`;

beforeAll(async () => {
  server = await createServer({
    root: fileURLToPath(new URL("../..", import.meta.url)),
    configFile: false,
    logLevel: "error",
    optimizeDeps: { noDiscovery: true },
    server: { host: "127.0.0.1", port: 0, hmr: false, watch: null },
  });
  await server.listen();
  browser = await chromium.launch({
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    chromiumSandbox: process.getuid?.() !== 0,
  });
  const context = await browser.newContext({
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    isMobile: true,
    deviceScaleFactor: 2,
  });
  page = await context.newPage();
  cdp = await context.newCDPSession(page);
  await page.goto(`${server.resolvedUrls?.local[0] ?? ""}src/viewer/viewer.css`);
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await server?.close();
});

beforeEach(async () => {
  await page.setContent(PAGE, { waitUntil: "load" });
  await page.evaluate(`(async () => {${SCRIPT}})()`);
});

type Place = readonly [x: number, y: number];

let fingers = 0;
/** Where fingers are now: more than before went down, as many moved, none at all were lifted. */
async function touch(...places: Place[]): Promise<void> {
  const type = places.length === 0 ? "touchEnd" : places.length > fingers ? "touchStart" : "touchMove";
  fingers = places.length;
  await cdp.send("Input.dispatchTouchEvent", { type, touchPoints: places.map(([x, y], id) => ({ x, y, id })) });
}

/** Moves fingers together by a way in steps, and lifts them. */
async function move(by: Place, ...from: Place[]): Promise<void> {
  for (let i = 0; i <= 10; i++) {
    await touch(...from.map(([x, y]): Place => [x + (by[0] * i) / 10, y + (by[1] * i) / 10]));
  }
  await touch();
}

const sent = (): Promise<Sent[]> => page.evaluate("sent");
const isOpen = (): Promise<boolean> => page.evaluate('document.querySelector(".dock").classList.contains("open")');
/** The buttons that went down and up, such as 1, 0 for a click, and where the first of them did. */
const buttons = (all: Sent[]): number[] =>
  all
    .filter((m) => m.kind === "pointer")
    .map((m) => m.buttons ?? 0)
    .filter((b, i, list) => b !== (list[i - 1] ?? 0));
const places = (all: Sent[]): number[][] =>
  all.filter((m) => m.kind === "pointer" && (m.buttons ?? 0) !== 0).map((m) => [m.x ?? 0, m.y ?? 0]);
const eventually = (check: () => Promise<void>): Promise<void> => vi.waitFor(check, { timeout: 50_000, interval: 20 });

test("a tap is a click where the finger is", async () => {
  await touch([195, 421.5]);
  await touch();
  const all = await sent();
  expect(buttons(all)).toEqual([1, 0]);
  expect(Math.abs((places(all)[0]?.[0] ?? 0) - 960)).toBeLessThanOrEqual(5);
  expect(Math.abs((places(all)[0]?.[1] ?? 0) - 540)).toBeLessThanOrEqual(5);
});

test("a finger that rests is a right click, before it is lifted; lifting it is nothing more", async () => {
  await touch([100, 400]);
  expect(buttons(await sent())).toEqual([]);
  await page.evaluate("rest()");
  expect(buttons(await sent())).toEqual([4, 0]);
  await touch();
  expect(buttons(await sent())).toEqual([4, 0]);
});

test("two fingers that tap are a right click", async () => {
  await touch([100, 400], [160, 400]);
  await touch();
  expect(buttons(await sent())).toEqual([4, 0]);
});

test("a finger that moves drags with the left button", async () => {
  await move([100, 40], [100, 400]);
  const all = await sent();
  expect(buttons(all)).toEqual([1, 0]);
  const [first, last] = [places(all)[0], all.findLast((m) => m.kind === "pointer")];
  expect(first?.[0]).toBeLessThan(500);
  expect(last?.x).toBeGreaterThan(960);
});

test("two fingers that move together scroll and press nothing", async () => {
  await move([0, -120], [150, 500], [210, 500]);
  const up = await sent();
  expect(buttons(up)).toEqual([]);
  expect(up.filter((m) => m.kind === "wheel").reduce((sum, m) => sum + (m.dy ?? 0), 0)).toBeGreaterThan(0);
  expect(up.filter((m) => m.kind === "zoom")).toEqual([]);
});

test("a pinch zooms the view and sends the desk nothing", async () => {
  for (let d = 30; d <= 90; d += 5) {
    await touch([195 - d, 420], [195 + d, 420]);
  }
  await touch();
  const all = await sent();
  expect(all.filter((m) => m.kind !== "zoom")).toEqual([]);
  expect(all.reduce((f, m) => f * (m.factor ?? 1), 1)).toBeGreaterThan(1.8);
});

test("the toolbar's button for writing opens a field; what is written comes as text, Enter as a key", async () => {
  const bar = await page.locator(".bar").boundingBox();
  expect(bar?.x).toBeGreaterThanOrEqual(0);
  expect((bar?.x ?? 0) + (bar?.width ?? 999)).toBeLessThanOrEqual(390);
  await page.locator("#soft-keyboard").tap();
  await eventually(async () => expect(await page.evaluate("document.activeElement.className")).toBe("writing"));
  for (const c of ["A", "k", "i", "7", "!"]) {
    await cdp.send("Input.insertText", { text: c });
  }
  for (const type of ["rawKeyDown", "keyUp"] as const) {
    await cdp.send("Input.dispatchKeyEvent", { type, key: "Enter", windowsVirtualKeyCode: 13 });
  }
  await eventually(async () => {
    const all = (await sent()).filter((m) => m.kind === "text" || m.kind.startsWith("key"));
    expect(all.map((m) => m.text ?? m.kind)).toEqual(["A", "k", "i", "7", "!", "key_tap"]);
  });
  await eventually(async () => expect(await isOpen()).toBe(false));
});

test("a tap on the handle brings the toolbar, a tap on the desk lets it go", async () => {
  await eventually(async () => expect(await isOpen()).toBe(false));
  await page.locator(".handle").tap();
  await eventually(async () => expect(await isOpen()).toBe(true));
  await touch([195, 600]);
  await touch();
  await eventually(async () => expect(await isOpen()).toBe(false));
});
