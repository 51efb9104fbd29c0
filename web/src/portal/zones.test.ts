import { readFileSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { requestOf } from "../console/events.tsx";
import { dayAt, timeAt } from "../kit/days.ts";
import { stamp } from "../viewer/watermark.ts";
import { dateTime, day, shortDateTime } from "../kit/format.ts";

const before = process.env["TZ"];
afterEach(() => {
  if (before === undefined) {
    delete process.env["TZ"];
  } else {
    process.env["TZ"] = before;
  }
});

describe.each(["Asia/Tokyo", "UTC", "America/Los_Angeles", "Pacific/Kiritimati"])("on a device in %s", (zone) => {
  test("every time is Japan's", () => {
    process.env["TZ"] = zone;
    const ms = Date.parse("2026-11-03T00:05:07+09:00"); // another day almost everywhere else
    expect(new Date(ms).getTimezoneOffset()).toBe(
      { "Asia/Tokyo": -540, UTC: 0, "America/Los_Angeles": 480, "Pacific/Kiritimati": -840 }[zone],
    );
    expect(shortDateTime(ms, true)).toBe("2026/11/03 00:05:07");
    expect(dateTime(ms, "ja")).toBe("2026年11月3日 00:05");
    expect(dateTime(ms, "en")).toContain("3 Nov 2026");
    expect(day(ms, "ja")).toBe("2026年11月3日");
    expect(dayAt(ms)).toBe("2026-11-03");
    expect(timeAt(ms)).toBe("0:05");
    expect(stamp(new Date(ms))).toBe("2026-11-03 00:05");
    const all = requestOf({ kind: "", actor: "", subject: "", from: "2026-11-03", until: "2026-11-03" });
    expect([Number(all.fromMs), Number(all.untilMs)]).toEqual([
      Date.parse("2026-11-03T00:00:00+09:00"),
      Date.parse("2026-11-04T00:00:00+09:00"),
    ]);
  });
});

test.each(["index.html", "viewer.html"])(
  "%s is not for browsers to translate: they would change names, numbers and what pages look for",
  (page) => {
    expect(readFileSync(new URL(`../../${page}`, import.meta.url), "utf8")).toContain(
      '<html lang="ja" translate="no">',
    );
  },
);
