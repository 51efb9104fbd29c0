import { expect, test } from "vitest";
import {
  addDays,
  addMonths,
  clock,
  dayAt,
  daysBetween,
  dayWords,
  fullDay,
  lengthWords,
  mondayOf,
  monthWords,
  readClock,
  timeAt,
  weeksOf,
} from "./days.ts";

test("the day in Japan begins at 15:00 UTC", () => {
  expect(dayAt(Date.parse("2026-11-23T14:59:59Z"))).toBe("2026-11-23");
  expect(dayAt(Date.parse("2026-11-23T15:00:00Z"))).toBe("2026-11-24");
  expect(timeAt(Date.parse("2026-11-23T15:00:00Z"))).toBe("0:00");
});

test.each([
  ["2026-11-30", 1, "2026-12-01"],
  ["2027-03-31", 1, "2027-04-01"],
  ["2028-02-28", 1, "2028-02-29"],
  ["2027-01-01", -1, "2026-12-31"],
])("%s and %i days", (day, n, want) => expect(addDays(day, n)).toBe(want));

test("weeks begin on Monday", () => {
  expect(mondayOf("2026-11-23")).toBe("2026-11-23");
  expect(mondayOf("2026-11-29")).toBe("2026-11-23");
  const weeks = weeksOf("2026-11");
  expect(weeks[0]?.[0]).toBe("2026-10-26");
  expect(weeks.at(-1)?.[6]).toBe("2026-12-06");
  expect(weeksOf("2027-02")).toHaveLength(4);
});

test("months pass the year", () => {
  expect(addMonths("2026-12", 1)).toBe("2027-01");
  expect(addMonths("2026-01", -1)).toBe("2025-12");
});

test("days in words", () => {
  expect(dayWords("2026-11-24", "ja")).toBe("11月24日（火）");
  expect(fullDay("2026-11-24", "ja")).toBe("令和8年11月24日（火）");
  expect(monthWords("2026-11", "ja")).toBe("令和8年11月");
  expect(fullDay("2019-05-01", "ja")).toBe("令和元年5月1日（水）");
  expect(daysBetween("2026-11-30", "2026-12-02")).toEqual(["2026-11-30", "2026-12-01", "2026-12-02"]);
});

test.each([
  ["8:30", 510],
  ["0830", 510],
  ["１７：１５", 1035],
  ["24:00", 1440],
  ["24:01", null],
  ["8:60", null],
  ["", null],
])("%s is a time of day", (text, want) => expect(readClock(text)).toBe(want));

test("lengths are not rounded up", () => {
  expect(lengthWords(7 * 3_600_000 + 45 * 60_000 + 59_999, "ja")).toBe("7時間45分");
  expect(lengthWords(59_999, "en")).toBe("0 min");
  expect(clock(510)).toBe("8:30");
});
