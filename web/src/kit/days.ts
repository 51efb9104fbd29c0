// Days and hours in Japan as the API writes them: YYYY-MM-DD, YYYY-MM and minutes after midnight. The browser's own
// zone does not count.
import type { RequestDayJson, WorkingHoursJson } from "../gen/jiseki/control/v1/telework_pb.js";
import { JST_MS } from "./format.ts";
import type { Language } from "./i18n.ts";

const DAY_MS = 86_400_000;

/** The day in Japan at an instant in milliseconds. */
export function dayAt(ms: number): string {
  return new Date(ms + JST_MS).toISOString().slice(0, 10);
}

/** Noon in UTC of the day with that date: for arithmetic on days. */
function noon(day: string): number {
  return Date.parse(`${day}T12:00:00Z`);
}

/** The day n days later. */
export function addDays(day: string, n: number): string {
  return new Date(noon(day) + n * DAY_MS).toISOString().slice(0, 10);
}

/** The day of the week, 0 for Monday to 6 for Sunday: weeks begin on Monday. */
export function weekday(day: string): number {
  return (new Date(noon(day)).getUTCDay() + 6) % 7;
}

/** The Monday of the day's week. */
export function mondayOf(day: string): string {
  return addDays(day, -weekday(day));
}

/** The month, YYYY-MM, of a day. */
export function monthOf(day: string): string {
  return day.slice(0, 7);
}

/** The month n months later. */
export function addMonths(month: string, n: number): string {
  const [year = 0, m = 1] = month.split("-").map(Number);
  return new Date(Date.UTC(year, m - 1 + n, 1)).toISOString().slice(0, 7);
}

/** The days that a month's calendar shows: whole weeks from Monday. */
export function weeksOf(month: string): string[][] {
  const end = addDays(`${addMonths(month, 1)}-01`, -1);
  const weeks: string[][] = [];
  for (let monday = mondayOf(`${month}-01`); monday <= end; monday = addDays(monday, 7)) {
    weeks.push(Array.from({ length: 7 }, (_, i) => addDays(monday, i)));
  }
  return weeks;
}

/** The days from one to another, both included. */
export function daysBetween(from: string, until: string): string[] {
  const days: string[] = [];
  for (let day = from; day <= until; day = addDays(day, 1)) {
    days.push(day);
  }
  return days;
}

const WEEKDAYS = {
  ja: ["日", "月", "火", "水", "木", "金", "土"],
  en: ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"],
};

// Made once: making one takes as long as hundreds of uses, and a form shows many days.
const english = (options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", ...options });
const DAY = english({ weekday: "short", day: "numeric", month: "short" });
const FULL_DAY = english({ weekday: "short", day: "numeric", month: "short", year: "numeric" });
const MONTH = english({ month: "long", year: "numeric" });

/** A day in words: `11月24日（火）`. */
export function dayWords(day: string, language: Language): string {
  return language === "en" ? DAY.format(noon(day)) : `${monthDay(day)}（${weekdayWord(day, "ja")}）`;
}

function monthDay(day: string): string {
  return `${Number(day.slice(5, 7))}月${Number(day.slice(8))}日`;
}

/** A day in words with its year: `令和8年11月24日（火）`. */
export function fullDay(day: string, language: Language): string {
  return language === "en" ? FULL_DAY.format(noon(day)) : `${era(day)}${monthDay(day)}（${weekdayWord(day, "ja")}）`;
}

/** A month in words: `令和8年11月`. */
export function monthWords(month: string, language: Language): string {
  return language === "en" ? MONTH.format(noon(`${month}-01`)) : `${era(`${month}-01`)}${Number(month.slice(5))}月`;
}

/** Reiwa began on 1 May 2019; days before are not written by this system. */
function era(day: string): string {
  const year = Number(day.slice(0, 4)) - 2018;
  return `令和${year === 1 ? "元" : year}年`;
}

/** 月 to 日, or Mon to Sun. */
export function weekdayWord(day: string, language: Language): string {
  return WEEKDAYS[language][new Date(noon(day)).getUTCDay()] ?? "";
}

/** Minutes after midnight as `8:30`. */
export function clock(minute: number): string {
  return `${Math.floor(minute / 60)}:${String(minute % 60).padStart(2, "0")}`;
}

/** Reads `8:30`, `08:30` or `830`; null if it is no time of day. */
export function readClock(text: string): number | null {
  const m = /^(\d{1,2}):?(\d{2})$/.exec(text.normalize("NFKC").trim());
  if (m === null) {
    return null;
  }
  const minute = Number(m[1]) * 60 + Number(m[2]);
  return Number(m[2]) < 60 && minute <= 24 * 60 ? minute : null;
}

/** From and until: `8:30～17:15`. */
export function span(from: number, until: number): string {
  return `${clock(from)}～${clock(until)}`;
}

/** The hours of a day of a request. */
export function daySpan(day: RequestDayJson): string {
  return span(day.fromMinute ?? 0, day.untilMinute ?? 0);
}

/** Whether there are working hours. */
export function works(hours: WorkingHoursJson | undefined): boolean {
  return (hours?.endMinute ?? 0) > (hours?.startMinute ?? 0);
}

/** The time of day in Japan, `8:29`. */
export function timeAt(ms: number): string {
  const d = new Date(ms + JST_MS);
  return clock(d.getUTCHours() * 60 + d.getUTCMinutes());
}

/** A length of time in hours and minutes, not rounded up: `7時間45分`. */
export function lengthWords(ms: number, language: Language): string {
  const minutes = Math.floor(ms / 60_000);
  const h = Math.floor(minutes / 60);
  const m = minutes % 60;
  if (language === "en") {
    return h === 0 ? `${m} min` : `${h} h ${m} min`;
  }
  return h === 0 ? `${m}分` : `${h}時間${m}分`;
}

/** The fiscal year (年度) of a day: from 1 April. */
export function fiscalYear(day: string): number {
  return Number(day.slice(0, 4)) - (day.slice(5) < "04-01" ? 1 : 0);
}

/** A fiscal year in words. */
export function fiscalYearWords(year: number, language: Language): string {
  return language === "ja" ? `令和${year - 2018}年度` : String(year);
}
