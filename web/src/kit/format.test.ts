import { expect, test } from "vitest";
import { amount, dateTime, day, hex, listing, millis, shortDateTime } from "./format.ts";

const noon = Date.parse("2026-11-03T09:05:07+09:00");

test("times are told in the reader's language", () => {
  expect(dateTime(noon, "ja")).toBe("2026年11月3日 09:05");
  expect(dateTime(noon, "en")).toContain("3 Nov 2026");
  expect(day(noon, "ja")).toBe("2026年11月3日");
  expect(shortDateTime(noon)).toBe("2026/11/03 09:05");
  expect(shortDateTime(noon, true)).toBe("2026/11/03 09:05:07");
});

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1.0 kB"],
  [48_210_333, "48.2 MB"],
  [123_456_789, "123 MB"],
  [5e15, "5000 TB"],
])("%d bytes are %s", (n, text) => {
  expect(amount(n)).toBe(text);
});

test("numbers of JSON are read, and nothing is zero", () => {
  expect(millis("1796048038985")).toBe(1_796_048_038_985);
  expect(millis(undefined)).toBe(0);
  expect(millis("soon")).toBe(0);
});

test("lists and bytes", () => {
  expect(listing(["職員", "管理者"], "ja")).toBe("職員、管理者");
  expect(listing(["a", "b"], "en")).toBe("a, b");
  expect(hex(Uint8Array.of(0, 15, 255))).toBe("000fff");
});
