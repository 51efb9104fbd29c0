import { describe, expect, test } from "vitest";
import { brokenRules } from "./strength.ts";

const owner = { userId: "tanaka", name: "田中 花子", present: "jfgs-2xs5-bz8z-2mdq" };
const broken = (password: string): string[] => [...brokenRules(password, owner)];

describe("brokenRules", () => {
  test.each([
    ["kaze-ni-mau-Hato", []],
    ["Ab1-xyzw", []],
    ["Ab1-xyz", ["length"]],
    ["abcdxyzw", ["length"]],
    ["x9Tanaka-owl-sea", ["name"]],
    ["ＴＡＮＡＫＡ-owl-sea", ["name"]],
    ["forest田中river-lake", ["name"]],
    ["abcabcabcabcabc", ["repeats"]],
    ["aaaabbbbccccdddd", ["repeats"]],
    [Array.from({ length: 13 }, (_, i) => `quiet-forest${i}`).join(""), ["long"]],
    ["JFGS-2xs5-bz8z-2mdq9", ["same"]],
    ["", ["length", "repeats"]],
  ])("%j breaks %j", (password, rules) => {
    expect(broken(password)).toEqual(rules);
  });

  test("counts characters, not UTF-16 units", () => {
    expect(broken("𠮷野家𩸽定食𠮟")).toContain("length");
    expect(broken("空飛ぶ魚と十二本の青い傘")).toEqual([]);
  });
});
