import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { BAD, fold, foldId, tidy } from "../typed/fold.ts";
import { byFold } from "./pick.ts";

interface Row {
  readonly comment: string;
  readonly typed: string;
  readonly fold: string;
  readonly id?: string;
}
const table = JSON.parse(readFileSync(new URL("../../../vectors/typed/folds.json", import.meta.url), "utf8")) as Row[];

test.each(table)("$comment", (row) => {
  expect(fold(row.typed)).toBe(row.fold);
  if (row.id !== undefined) {
    expect(foldId(row.typed)).toBe(row.id);
  }
});

test("names that are kept stay as they are", () => {
  for (const name of ["\uf9dc\ufa19", "葛\u{e0100}城", "野口　太郎", "か\u3099", "\ue000"]) {
    expect(tidy(name)).toBe(name);
  }
  expect(tidy("\u3000野口\u00a0太郎\u200b ")).toBe("野口 太郎");
  for (const bad of ["a\u202eb", "a\u0000", "\u2066", "\u200f", "a\nb"]) {
    expect(BAD.test(bad), bad).toBe(true);
  }
  for (const good of ["隆\uf9dc　 ", "𠮷\u{e0100}", "\u200d"]) {
    expect(BAD.test(good), good).toBe(false);
  }
});

test("choices are found by what people type", () => {
  const options = [
    { value: "a", label: "野口 太郎（noguchi）" },
    { group: "税務課", items: [{ value: "b", label: "ノグチ 花子（F010）" }] },
  ];
  const found = (search: string): string[] =>
    byFold({ options, search, limit: 10 }).flatMap((o) => ("group" in o ? o.items.map((i) => i.value) : [o.value]));
  expect(found("野口太郎")).toEqual(["a"]);
  expect(found("のぐち")).toEqual(["b"]);
  expect(found("ﾉｸﾞﾁ")).toEqual(["b"]);
  expect(found("ｆ０１０")).toEqual(["b"]);
  expect(found("")).toEqual(["a", "b"]);
  expect(found("x")).toEqual([]);
  expect(byFold({ options, search: "", limit: 1 })).toHaveLength(1);
});
