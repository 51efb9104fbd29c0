// Manuals stay true: their pictures are there, what they quote stands on the pages, and they have the length that
// people read.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { chromium } from "playwright-core";
import { describe, expect, test } from "vitest";
import { ja } from "../kit/words/ja.ts";
import { render, type Manual } from "./markdown.ts";
import { webpSize } from "./webp.ts";

const root = resolve(import.meta.dirname, "../../..");
const folder = join(root, "docs/manual");
const names = ["staff", "approver"] as const;
const source = (name: string): string => readFileSync(join(folder, `${name}.ja.md`), "utf8");

/** A manual with its pictures as data, so that it stands alone. */
function alone(name: string): Manual {
  return render(source(name), (path) => {
    const file = readFileSync(join(folder, path));
    return { url: `data:image/webp;base64,${file.toString("base64")}`, ...webpSize(file) };
  });
}

const picturesOf = (name: string): string[] =>
  [...source(name).matchAll(/\]\((pictures\/[^) ]+)/g)].map((m) => m[1] ?? "");

describe.each(names)("%s", (name) => {
  test("has its pictures, and they are small", () => {
    const pictures = picturesOf(name);
    expect(pictures.length).toBeGreaterThan(5);
    for (const picture of pictures) {
      expect(existsSync(join(folder, picture)), picture).toBe(true);
      expect(statSync(join(folder, picture)).size, picture).toBeLessThan(150_000);
    }
  });

  test("quotes what the pages say", () => {
    const said = wordsOnPages();
    const quoted = quotes(source(name));
    expect(quoted.length).toBeGreaterThan(30);
    expect(quoted.filter((q) => !said(q))).toEqual([]);
  });

  test("would not quote what no page says", () => {
    expect(wordsOnPages()("この端末を登録する前に戻る")).toBe(false);
  });

  test("explains codes that there are", () => {
    const known = codes();
    const named = [...source(name).matchAll(/`([a-z0-9_-]+)`/g)].map((m) => m[1] ?? "");
    expect(named.length).toBeGreaterThan(5);
    for (const code of named) {
      expect(known.has(code), code).toBe(true);
    }
  });

  test("marks its chapters and figures", () => {
    const manual = alone(name);
    expect(manual.title).not.toBe("");
    expect(manual.chapters.length).toBeGreaterThan(4);
    expect(manual.html.match(/<figure/g)?.length).toBe(picturesOf(name).length);
    expect(manual.html).not.toContain("undefined");
  });
});

test("no picture lies about that no manual shows", () => {
  const shown = new Set(names.flatMap(picturesOf));
  expect(readdirSync(join(folder, "pictures")).filter((p) => !shown.has(`pictures/${p}`))).toEqual([]);
});

test("a picture within a sentence, and HTML, are refused", () => {
  const picture = () => ({ url: "", width: 1, height: 1 });
  expect(() => render("# A\n\nsee ![b](c.webp) there", picture)).toThrow("c.webp");
  expect(() => render("# A\n\n<b>bold</b>", picture)).toThrow("HTML");
  expect(() => render("no title", picture)).toThrow("title");
});

test.each([
  ["staff", 8, 12],
  ["approver", 4, 6],
] as const)(
  "%s has %i to %i pages on paper",
  async (name, least, most) => {
    const browser = await chromium.launch({
      executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
      args: ["--no-sandbox"],
    });
    try {
      const page = await browser.newPage();
      await page.setContent(document(name), { waitUntil: "load" });
      await page.evaluate(async () => Promise.all([...globalThis.document.images].map(async (i) => i.decode())));
      const pdf = await page.pdf({ preferCSSPageSize: true, printBackground: true });
      const pages = pdf.toString("latin1").match(/\/Type\s*\/Page\b/g)?.length ?? 0;
      expect(pages).toBeGreaterThanOrEqual(least);
      expect(pages).toBeLessThanOrEqual(most);
    } finally {
      await browser.close();
    }
  },
  300_000,
);

/** The page of the portal with all its styles, without the portal around. */
function document(name: (typeof names)[number]): string {
  const { resolve: find } = createRequire(import.meta.url);
  const styles = [
    find("@digital-go-jp/design-tokens/dist/tokens.css"),
    find("@mantine/core/styles.css"),
    join(import.meta.dirname, "../kit/theme.css"),
    join(import.meta.dirname, "../portal/portal.css"),
    join(import.meta.dirname, "manual.css"),
  ]
    .map((f) => `<style>${readFileSync(f, "utf8")}</style>`)
    .join("");
  const manual = alone(name);
  const contents = manual.chapters.map((c) => `<li>${c.title}</li>`).join("");
  return `<!doctype html><html lang="ja" data-mantine-color-scheme="light">${styles}<body>
    <div class="frame"><main><div class="content"><article class="manual manual-${name}"><div class="manual-front">
    <p class="manual-system">テレワークシステム「自席」</p><p class="manual-title">${manual.title}</p>
    <div class="manual-text">${manual.intro}</div><nav class="manual-contents"><p>目次</p><ol>${contents}</ol></nav></div>
    <div class="manual-text">${manual.html.replaceAll(' loading="lazy"', "")}</div></article></div></main></div>`;
}

/** What stands between 「」. */
const quotes = (text: string): string[] => [...text.matchAll(/「([^「」]+)」/g)].map((m) => m[1] ?? "");

type Tree = { readonly [key: string]: string | Tree };
const leaves = (tree: Tree): string[] => Object.values(tree).flatMap((v) => (typeof v === "string" ? [v] : leaves(v)));

/**
 * Says whether a text stands on a page: in the portal with anything in its holes, in the viewer, or in what the gateway
 * answers.
 */
function wordsOnPages(): (text: string) => boolean {
  const viewer = readFileSync(join(root, "web/src/viewer/text.ts"), "utf8");
  const gateway = readFileSync(join(root, "internal/access/words.go"), "utf8");
  const texts = [
    ...leaves(ja),
    ...[viewer, gateway].flatMap((s) =>
      [...s.matchAll(/"([^"\\]*[\u3040-\u30ff\u4e00-\u9fff][^"\\]*)"/g)].map((m) => m[1] ?? ""),
    ),
  ];
  const plain = new Set(texts);
  // A text that is little else than its holes would match everything.
  const holed = texts
    .filter((t) => t.includes("{") && t.replaceAll(/\{+\w+\}+|\s/g, "").length >= 4)
    .map(
      (t) =>
        new RegExp(
          `^${t
            .split(/\{+\w+\}+/)
            .map((p) => p.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
            .join(".+")}$`,
        ),
    );
  return (text) => plain.has(text) || holed.some((h) => h.test(text));
}

/** The codes of refusals, and those that the viewer shows for the ends of sessions and links. */
function codes(): ReadonlySet<string> {
  const gateway = [...readFileSync(join(root, "internal/access/reason.go"), "utf8").matchAll(/Code = "(\w+)"/g)].map(
    (m) => m[1] ?? "",
  );
  const viewer = [...readFileSync(join(root, "web/src/viewer/text.ts"), "utf8").matchAll(/pair\([\w.]+, "(\w+)"/g)].map(
    (m) => m[1] ?? "",
  );
  const ends = Array.from({ length: 19 }, (_, i) => `end-${i + 1}`);
  return new Set([...gateway, ...viewer, ...ends]);
}
