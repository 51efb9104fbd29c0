// Dated working hours of a user while they are changed. Pure.
import type { DatedHoursJson } from "../gen/jiseki/control/v1/policy_pb.js";
import { clock, readClock } from "../kit/days.ts";

/** One line: from a date on, on some weekdays (0 is Monday). */
export interface HoursLine {
  readonly key: number;
  readonly from: string;
  readonly weekdays: readonly number[];
  readonly start: string;
  readonly end: string;
  readonly breakStart: string;
  readonly breakEnd: string;
  readonly note: string;
}

/** The lines for the hours of a user. */
export function hoursLines(dated: readonly DatedHoursJson[]): HoursLine[] {
  return dated.map((d, key) => ({
    key,
    from: d.from ?? "",
    weekdays: [0, 1, 2, 3, 4, 5, 6].filter((w) => ((d.weekdays ?? 0) & (1 << w)) !== 0),
    start: clock(d.hours?.startMinute ?? 0),
    end: clock(d.hours?.endMinute ?? 0),
    breakStart: clock(d.hours?.breakStartMinute ?? 0),
    breakEnd: clock(d.hours?.breakEndMinute ?? 0),
    note: d.note ?? "",
  }));
}

/** A new line: Monday to Friday, the usual hours. */
export function newLine(lines: readonly HoursLine[], from: string): HoursLine {
  const key = Math.max(-1, ...lines.map((l) => l.key)) + 1;
  return {
    key,
    from,
    weekdays: [0, 1, 2, 3, 4],
    start: "8:30",
    end: "17:15",
    breakStart: "12:00",
    breakEnd: "13:00",
    note: "",
  };
}

/** Whether a line cannot stay as it is. */
export function lineProblem(l: HoursLine): boolean {
  const times = [l.start, l.end, l.breakStart, l.breakEnd].map(readClock);
  return l.from === "" || l.weekdays.length === 0 || times.includes(null) || (times[0] ?? 0) >= (times[1] ?? 0);
}

/** Whether any line cannot stay as it is. */
export function datedProblem(lines: readonly HoursLine[]): boolean {
  return lines.some(lineProblem);
}

/** The hours that the lines stand for. */
export function datedOf(lines: readonly HoursLine[]): DatedHoursJson[] {
  return lines.map((l) => ({
    from: l.from,
    weekdays: l.weekdays.reduce((bits, w) => bits | (1 << w), 0),
    hours: {
      startMinute: readClock(l.start) ?? 0,
      endMinute: readClock(l.end) ?? 0,
      breakStartMinute: readClock(l.breakStart) ?? 0,
      breakEndMinute: readClock(l.breakEnd) ?? 0,
    },
    note: l.note.trim(),
  }));
}
