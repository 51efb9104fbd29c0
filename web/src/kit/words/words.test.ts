import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { en } from "./en.ts";
import { ja } from "./ja.ts";
import { kindsEn } from "./kinds.en.ts";
import { kindsJa } from "./kinds.ja.ts";

type Tree = { readonly [key: string]: string | Tree };

const flat = (tree: Tree, prefix = ""): [string, string][] =>
  Object.entries(tree).flatMap(([k, v]) =>
    typeof v === "string" ? [[prefix + k, v] as [string, string]] : flat(v, `${prefix}${k}.`),
  );

const japanese = flat(ja);
const english = new Map(flat(en));
const holes = (text: string): string[] => (text.match(/\{\{\w+\}\}/g) ?? []).toSorted();

test("both languages have the same keys", () => {
  expect([...english.keys()].toSorted()).toEqual(japanese.map(([k]) => k).toSorted());
});

test("both languages fill in the same values", () => {
  for (const [key, text] of japanese) {
    expect(holes(english.get(key) ?? ""), key).toEqual(holes(text));
  }
});

test("nothing is empty", () => {
  for (const [key, text] of japanese) {
    expect(text.trim(), key).not.toBe("");
  }
  for (const [key, text] of english) {
    expect(text.trim(), key).not.toBe("");
  }
});

test("no English word stands in the Japanese", () => {
  // Names, abbreviations and what is typed as it stands.
  const known =
    /\b(English|TPM|QR|ID|LGWAN|PC\d*|https?|user|desk|device|time|tanaka|soumu|CSV|Excel|UTF|Shift_JIS|JIS|TLS|STARTTLS|mail|example|jp|regular)\b/g;
  for (const [key, text] of japanese) {
    const rest = text.replaceAll(/\{\{\w+\}\}/g, "").replaceAll(known, "");
    expect(rest.match(/[A-Za-z]{2,}/g) ?? [], key).toEqual([]);
  }
});

test("no Japanese stands in the English", () => {
  for (const [key, text] of english) {
    if (key !== "language") {
      expect(text, key).not.toMatch(/[\u3040-\u30ff\u4e00-\u9fff]/);
    }
  }
});

test("events are called what package audit calls them", () => {
  const source = readFileSync(resolve(import.meta.dirname, "../../../../internal/audit/kind.go"), "utf8");
  const names = new Map([...source.matchAll(/^\t(\w+)\s+Kind = "(\w+)"/gm)].map((m) => [m[1], m[2]]));
  const words = [...source.matchAll(/^\t(\w+):\s+\{"([^"]+)", "([^"]+)"\}/gm)];
  const first = (s = ""): string => s.charAt(0).toUpperCase() + s.slice(1);
  expect(words.length).toBeGreaterThan(30);
  expect(Object.fromEntries(words.map((m) => [names.get(m[1]), m[2]]))).toEqual(kindsJa);
  expect(Object.fromEntries(words.map((m) => [names.get(m[1]), first(m[3])]))).toEqual(kindsEn);
});

test("a grade of a key is shown as what the device says of itself, wherever it is named", () => {
  const grades = japanese.filter(([k]) => /(^grade\.(?!unknown)|\.grade[A-Z])/.test(k));
  expect(grades.length).toBeGreaterThanOrEqual(6);
  for (const [key, text] of grades) {
    expect(text, key).toContain("自己申告");
    expect(english.get(key), key).toMatch(/self-declared|as the device says/);
  }
});
