import { expect, test } from "vitest";
import { linesOf, linesProblem, segmentsOf, type Line } from "./corrected.ts";

const line = (from: string, until: string, key = 0): Line => ({ key, kind: "SEGMENT_KIND_WORK", from, until });

test("segments come back as they were", () => {
  const segments = [
    {
      kind: "SEGMENT_KIND_WORK",
      fromMs: String(Date.parse("2026-11-24T08:30:00+09:00")),
      untilMs: String(Date.parse("2026-11-24T12:00:00+09:00")),
    },
    {
      kind: "SEGMENT_KIND_BREAK",
      fromMs: String(Date.parse("2026-11-24T12:00:00+09:00")),
      untilMs: String(Date.parse("2026-11-24T13:00:00+09:00")),
    },
  ] as const;
  expect(segmentsOf(linesOf(segments), "2026-11-24")).toEqual(segments);
});

test.each([
  [[line("8:30", "12:00"), line("12:00", "13:00", 1)], null],
  [[line("8:30", "12:00"), line("11:59", "13:00", 1)], "order"],
  [[line("8:30", "8:30")], "order"],
  [[line("8:30", "")], "clock"],
  [[], null],
])("%j", (lines, want) => expect(linesProblem(lines)).toBe(want));
