import { expect, test } from "vitest";
import { fromHex, parseVector, toHex } from "./vectors.ts";

test("a file is taken apart", () => {
  const v = parseVector("x", "comment: long: with a colon\nexpect: ok\n\n0102\nfe\n");
  expect([...v.header]).toEqual([
    ["comment", "long: with a colon"],
    ["expect", "ok"],
  ]);
  expect([...v.payload]).toEqual([1, 2, 0xfe]);
});

test.each([
  "",
  "comment: a\nexpect: ok\n",
  "comment: a\n\n00\n",
  "expect: ok\n\n00\n",
  "comment: a\nexpect: ok\nexpect: ok\n\n00\n",
  "comment: a\nexpect: \n\n00\n",
  "comment: a\nexpect: ok\n\n0\n",
  "comment: a\nexpect: ok\n\nzz\n",
])("a malformed file is refused: %j", (text) => {
  expect(() => parseVector("x", text)).toThrow();
});

test("hexadecimal goes both ways", () => {
  expect(toHex(fromHex("00ff10"))).toBe("00ff10");
});
