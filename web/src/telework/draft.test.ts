import { describe, expect, test } from "vitest";
import {
  addChosen,
  blank,
  changeDay,
  draftOf,
  filledFrom,
  hoursProblem,
  MOST_DAYS,
  repeated,
  toggleDay,
} from "./draft.ts";
import { addDays, weekday } from "../kit/days.ts";

describe("choosing days", () => {
  test("a second press leaves the day out", () => {
    const once = toggleDay(toggleDay(blank, "2026-11-26"), "2026-11-24");
    expect(once.days.map((d) => d.date)).toEqual(["2026-11-24", "2026-11-26"]);
    expect(toggleDay(once, "2026-11-24").days.map((d) => d.date)).toEqual(["2026-11-26"]);
  });
  test("a new day is like the last one, without its leave", () => {
    const hours = changeDay(toggleDay(blank, "2026-11-24"), "2026-11-24", { unit: "DAY_UNIT_MORNING", leave: 60 });
    expect(addChosen(hours, ["2026-11-25"]).days[1]).toEqual({
      date: "2026-11-25",
      unit: "DAY_UNIT_MORNING",
      from: "",
      until: "",
      leave: 0,
    });
  });
  test("no more than a request may hold", () => {
    const many = Array.from({ length: 80 }, (_, i) => addDays("2026-11-24", i));
    expect(addChosen(blank, many).days).toHaveLength(MOST_DAYS);
  });
  test("weekdays repeat for four weeks", () => {
    expect(repeated("2026-11-24", [1, 3], weekday)).toEqual([
      "2026-11-24",
      "2026-11-26",
      "2026-12-01",
      "2026-12-03",
      "2026-12-08",
      "2026-12-10",
      "2026-12-15",
      "2026-12-17",
    ]);
  });
});

test.each([
  ["8:30", "12:00", null],
  ["8:30", "8:30", "order"],
  ["8", "12:00", "clock"],
  ["", "", "clock"],
])("hours from %s until %s", (from, until, want) => {
  expect(hoursProblem({ date: "2026-11-24", unit: "DAY_UNIT_HOURS", from, until, leave: 0 })).toBe(want);
});

test("a draft says only what its choices need", () => {
  const filled = {
    ...toggleDay(blank, "2026-11-24"),
    placeNote: "left over",
    takeOutDevice: "left over",
    work: " 議案の整理 ",
  };
  expect(draftOf(filled)).toEqual({
    days: [{ date: "2026-11-24", unit: "DAY_UNIT_FULL", leaveMinutes: 0 }],
    place: "PLACE_HOME",
    placeNote: "",
    reason: "REQUEST_REASON_WORK",
    reasonText: "",
    work: "議案の整理",
    personalData: false,
    takeOut: false,
    takeOutDevice: "",
  });
});

test("a former request is filled in again, a week later", () => {
  const draft = {
    days: [{ date: "2026-11-24", unit: "DAY_UNIT_HOURS", fromMinute: 510, untilMinute: 720 } as const],
    work: "議案の整理",
  };
  const filled = filledFrom({ draft }, 7);
  expect(filled.days).toEqual([{ date: "2026-12-01", unit: "DAY_UNIT_HOURS", from: "8:30", until: "12:00", leave: 0 }]);
  expect(draftOf(filled).days).toEqual([
    { date: "2026-12-01", unit: "DAY_UNIT_HOURS", fromMinute: 510, untilMinute: 720, leaveMinutes: 0 },
  ]);
});
