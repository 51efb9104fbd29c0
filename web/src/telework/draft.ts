// The draft of a request while it is filled in. Pure: the page shows it, the gateway checks it.
import type {
  DayUnitJson,
  DraftJson,
  RequestDayJson,
  RequestJson,
  RequestReasonJson,
} from "../gen/jiseki/control/v1/telework_pb.js";
import type { PlaceJson } from "../gen/jiseki/control/v1/shared_pb.js";
import { addDays, readClock } from "../kit/days.ts";

/** One chosen day. The texts hold what was typed, for the unit of hours only. */
export interface ChosenDay {
  readonly date: string;
  readonly unit: DayUnitJson;
  readonly from: string;
  readonly until: string;
  readonly leave: number;
}

/** What is filled in. Days are in their order. */
export interface Filled {
  readonly days: readonly ChosenDay[];
  readonly place: PlaceJson;
  readonly placeNote: string;
  readonly reason: RequestReasonJson;
  readonly reasonText: string;
  readonly work: string;
  readonly personalData: boolean;
  readonly takeOut: boolean;
  readonly takeOutDevice: string;
}

/** The most days of one request. */
export const MOST_DAYS = 60;

/** Nothing filled in yet. */
export const blank: Filled = {
  days: [],
  place: "PLACE_HOME",
  placeNote: "",
  reason: "REQUEST_REASON_WORK",
  reasonText: "",
  work: "",
  personalData: false,
  takeOut: false,
  takeOutDevice: "",
};

const wholeDay = (date: string): ChosenDay => ({ date, unit: "DAY_UNIT_FULL", from: "", until: "", leave: 0 });

/** Chooses a day, or leaves it out if it was chosen. */
export function toggleDay(filled: Filled, date: string): Filled {
  if (filled.days.some((d) => d.date === date)) {
    return { ...filled, days: filled.days.filter((d) => d.date !== date) };
  }
  return addChosen(filled, [date]);
}

/** Chooses days, as far as there is room. New days are like the last one. */
export function addChosen(filled: Filled, dates: readonly string[]): Filled {
  const like = filled.days.at(-1);
  const chosen = new Set(filled.days.map((d) => d.date));
  const added = dates
    .filter((date) => !chosen.has(date))
    .map((date) => (like === undefined ? wholeDay(date) : { ...like, date, leave: 0 }));
  const days = [...filled.days, ...added].toSorted((a, b) => a.date.localeCompare(b.date));
  return { ...filled, days: days.slice(0, MOST_DAYS) };
}

/** Changes one day. */
export function changeDay(filled: Filled, date: string, change: Partial<ChosenDay>): Filled {
  return { ...filled, days: filled.days.map((d) => (d.date === date ? { ...d, ...change } : d)) };
}

/** What is wrong with the hours of a day: nothing, not a time, or the end before the start. */
export function hoursProblem(day: ChosenDay): "clock" | "order" | null {
  if (day.unit !== "DAY_UNIT_HOURS") {
    return null;
  }
  const from = readClock(day.from);
  const until = readClock(day.until);
  if (from === null || until === null) {
    return "clock";
  }
  return from < until ? null : "order";
}

/** The draft as the API takes it. */
export function draftOf(filled: Filled): DraftJson {
  const other = filled.place === "PLACE_OTHER";
  return {
    days: filled.days.map(dayOf),
    place: filled.place,
    placeNote: other ? filled.placeNote.trim() : "",
    reason: filled.reason,
    reasonText: filled.reasonText.trim(),
    work: filled.work.trim(),
    personalData: filled.personalData,
    takeOut: filled.takeOut,
    takeOutDevice: filled.takeOut ? filled.takeOutDevice.trim() : "",
  };
}

function dayOf(d: ChosenDay): RequestDayJson {
  const hours =
    d.unit === "DAY_UNIT_HOURS" ? { fromMinute: readClock(d.from) ?? 0, untilMinute: readClock(d.until) ?? 0 } : {};
  return { date: d.date, unit: d.unit, leaveMinutes: d.leave, ...hours };
}

/** A former request filled in again, its days moved by a number of days. */
export function filledFrom(request: RequestJson, by: number): Filled {
  const draft = request.draft ?? {};
  return {
    days: (draft.days ?? []).map((d) => ({
      date: addDays(d.date ?? "", by),
      unit: d.unit ?? "DAY_UNIT_FULL",
      from: clockText(d.fromMinute),
      until: clockText(d.untilMinute),
      leave: d.leaveMinutes ?? 0,
    })),
    place: draft.place ?? "PLACE_HOME",
    placeNote: draft.placeNote ?? "",
    reason: draft.reason ?? "REQUEST_REASON_WORK",
    reasonText: draft.reasonText ?? "",
    work: draft.work ?? "",
    personalData: draft.personalData ?? false,
    takeOut: draft.takeOut ?? false,
    takeOutDevice: draft.takeOutDevice ?? "",
  };
}

function clockText(minute = 0): string {
  return `${Math.floor(minute / 60)}:${String(minute % 60).padStart(2, "0")}`;
}

/** The days of the next four weeks, from a day on, that fall on a weekday (0 is Monday). */
export function repeated(from: string, weekdays: readonly number[], weekdayOf: (day: string) => number): string[] {
  return Array.from({ length: 28 }, (_, i) => addDays(from, i)).filter((day) => weekdays.includes(weekdayOf(day)));
}
