import { expect, test } from "vitest";
import { datedOf, datedProblem, hoursLines, newLine } from "./dated.ts";

const part = {
  from: "2026-10-01",
  weekdays: 0b10101,
  hours: { startMinute: 540, endMinute: 960, breakStartMinute: 720, breakEndMinute: 780 },
  note: "育児短時間勤務",
};

test("hours come back as they were", () => expect(datedOf(hoursLines([part]))).toEqual([part]));

test("a new line is a usual week", () => {
  const line = newLine([], "2026-12-01");
  expect(datedProblem([line])).toBe(false);
  expect(datedOf([line])[0]?.weekdays).toBe(0b11111);
});

test.each([{ from: "" }, { weekdays: [] }, { start: "9" }, { end: "8:00" }])("%j is refused", (change) => {
  expect(datedProblem([{ ...newLine([], "2026-12-01"), ...change }])).toBe(true);
});
