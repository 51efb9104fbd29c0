// Segments of a day while they are corrected. Pure.
import type { SegmentJson, SegmentKindJson } from "../gen/jiseki/control/v1/telework_pb.js";
import { millis } from "../kit/format.ts";
import { readClock, timeAt } from "../kit/days.ts";

/** One line of the correction, as it is typed. */
export interface Line {
  readonly key: number;
  readonly kind: SegmentKindJson;
  readonly from: string;
  readonly until: string;
}

/** The lines for the segments of a day. */
export function linesOf(segments: readonly SegmentJson[]): Line[] {
  return segments.map((s, key) => ({
    key,
    kind: s.kind ?? "SEGMENT_KIND_WORK",
    from: timeAt(millis(s.fromMs)),
    until: millis(s.untilMs) === 0 ? "" : timeAt(millis(s.untilMs)),
  }));
}

/** What is wrong with the lines: nothing, something that is no time, or an overlap. */
export function linesProblem(lines: readonly Line[]): "clock" | "order" | null {
  let last = -1;
  for (const line of lines) {
    const from = readClock(line.from);
    const until = readClock(line.until);
    if (from === null || until === null) {
      return "clock";
    }
    if (from < last || until <= from) {
      return "order";
    }
    last = until;
  }
  return null;
}

/** The segments that the lines stand for, on a day in Japan. Lines without a problem only. */
export function segmentsOf(lines: readonly Line[], date: string): SegmentJson[] {
  const midnight = Date.parse(`${date}T00:00:00+09:00`);
  const at = (text: string): string => String(midnight + (readClock(text) ?? 0) * 60_000);
  return lines.map((l) => ({ kind: l.kind, fromMs: at(l.from), untilMs: at(l.until) }));
}
