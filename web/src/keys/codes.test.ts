import { expect, test } from "vitest";
import { readVectorJSON } from "../vectors/vectors.ts";
import { CODES, LOCAL_CODES, MODIFIER_CODES, REPEATING_CODES, TAP_CODES } from "./codes.ts";

interface Entry {
  readonly name: string;
  readonly code: number;
  readonly tap: boolean;
  readonly modifier: boolean;
  readonly local: boolean;
  readonly repeats: boolean;
}

const table = readVectorJSON("keys/codes.json") as Entry[];

test("the table is the one in vectors/keys", () => {
  expect(Object.entries(CODES)).toEqual(table.map((e) => [e.name, e.code]));
});

test.each([
  ["tap", TAP_CODES],
  ["modifier", MODIFIER_CODES],
  ["local", LOCAL_CODES],
  ["repeats", REPEATING_CODES],
] as const)("the keys with the trait %s are the same", (trait, set) => {
  expect([...set]).toEqual(table.filter((e) => e[trait]).map((e) => e.code));
});
