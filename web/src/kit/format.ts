import type { Language } from "./i18n.ts";

/** The town hall's zone. Times are told in it, wherever the device is or thinks to be. */
const timeZone = "Asia/Tokyo";
/** Japan is so far ahead of UTC, all the year. */
export const JST_MS = 9 * 3_600_000;

const locale = (language: Language): string => (language === "ja" ? "ja-JP" : "en-GB");

/** Milliseconds as JSON carries them; 0 if there are none. */
export function millis(value: string | undefined): number {
  const n = Number(value ?? 0);
  return Number.isFinite(n) ? n : 0;
}

/** A day and a time to the minute, `2026年11月23日 13:05`. */
export function dateTime(ms: number, language: Language): string {
  return new Intl.DateTimeFormat(locale(language), {
    year: "numeric",
    month: language === "ja" ? "long" : "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    timeZone,
  }).format(ms);
}

/** The same, short for tables: `2026/11/23 13:05`. */
export function shortDateTime(ms: number, seconds = false): string {
  const iso = new Date(ms + JST_MS).toISOString();
  return `${iso.slice(0, 10).replaceAll("-", "/")} ${iso.slice(11, seconds ? 19 : 16)}`;
}

/** A day: `2026年11月23日`. */
export function day(ms: number, language: Language): string {
  const month = language === "ja" ? "long" : "short";
  return new Intl.DateTimeFormat(locale(language), { year: "numeric", month, day: "numeric", timeZone }).format(ms);
}

/** Words one after another: 職員、管理者. */
export function listing(words: readonly string[], language: Language): string {
  return words.join(language === "ja" ? "、" : ", ");
}

/** An amount of data in decimal units: `1.2 MB`. */
export function amount(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let n = bytes;
  let unit = 0;
  while (n >= 1000 && unit < units.length - 1) {
    n /= 1000;
    unit++;
  }
  return `${unit === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)} ${units[unit]}`;
}

/** Bytes in base64 as hexadecimal digits. */
export function hex(bytes: Uint8Array): string {
  return [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
}
