import { describe, expect, test } from "vitest";
import type { GetSelfCheckResponseJson } from "../gen/jiseki/control/v1/telework_pb.js";
import { judge, type Item, type Measured } from "./selfcheck.ts";

const now = Date.parse("2026-11-24T08:00:00+09:00");
const good: Measured = {
  nowMs: now,
  persisted: true,
  clockOffsetMs: 300,
  downBitsPerSecond: 20e6,
  upBitsPerSecond: 5e6,
  delayMs: 20,
  socket: "open",
  keyboard: "jis",
};
const server: GetSelfCheckResponseJson = {
  certificateUntilMs: String(now + 60 * 86_400_000),
  sentSegments: 1000,
  retransmittedSegments: 2,
  outsideMs: String(now - 86_400_000),
  desks: [{ name: "総務01", state: "DESK_STATE_ON" }],
};
const outcome = (items: Item[], name: string): string | undefined => items.find((i) => i.name === name)?.outcome;

test("a good line is good in every item", () => {
  expect(judge(server, good).filter((i) => i.outcome !== "ok")).toEqual([]);
});

describe("each trouble shows in its own item only", () => {
  const cases: [string, object, Partial<Measured>, string, string][] = [
    ["no device", { certificateUntilMs: "0" }, {}, "certificate", "bad"],
    ["certificate ends", { certificateUntilMs: String(now + 86_400_000) }, {}, "certificate", "warn"],
    ["storage", {}, { persisted: false }, "storage", "warn"],
    ["clock", {}, { clockOffsetMs: -61_000 }, "clock", "bad"],
    ["slow", {}, { downBitsPerSecond: 500_000 }, "download", "warn"],
    ["too slow", {}, { downBitsPerSecond: 100_000 }, "download", "bad"],
    ["slow up", {}, { upBitsPerSecond: 100_000 }, "upload", "warn"],
    ["far", {}, { delayMs: 400 }, "delay", "bad"],
    ["WebSockets stopped", {}, { socket: "blocked" }, "socket", "bad"],
    ["another answer", {}, { socket: "between" }, "socket", "bad"],
    ["socket not checked", {}, { socket: "busy" }, "socket", "warn"],
    ["loss", { retransmittedSegments: 30 }, {}, "loss", "warn"],
    ["desk off", { desks: [{ name: "総務01", state: "DESK_STATE_OFF" }] }, {}, "desk 総務01", "warn"],
    ["never outside", { outsideMs: "0" }, {}, "outside", "warn"],
  ];
  test.each(cases)("%s", (_, change, m, name, want) => {
    const items = judge({ ...server, ...change }, { ...good, ...m });
    expect(outcome(items, name)).toBe(want);
    expect(items.filter((i) => i.outcome !== "ok").map((i) => i.name)).toEqual([name]);
  });
});

test("a desk that can be woken is good", () => {
  const items = judge({ ...server, desks: [{ name: "総務01", state: "DESK_STATE_OFF", wakeable: true }] }, good);
  expect(outcome(items, "desk 総務01")).toBe("ok");
});

test("what could not be measured is said", () => {
  const { downBitsPerSecond: _down, delayMs: _delay, ...rest } = good;
  const items = judge(server, rest);
  expect([outcome(items, "download"), outcome(items, "delay")]).toEqual(["warn", "warn"]);
});
