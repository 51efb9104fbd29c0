// @vitest-environment jsdom
import { screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { shortDateTime } from "../kit/format.ts";
import { usePages, visit } from "../portal/visittest.tsx";

usePages();

test.each([
  [
    "/console/devices",
    "ListDevices",
    (ms: string) => ({ devices: [{ deviceId: "d1", label: "自宅のPC", lastUsedMs: ms }] }),
  ],
  [
    "/console/users",
    "ListUsers",
    (ms: string) => ({ users: [{ userId: "soumu02", name: "鈴木 花子", lastSignInMs: ms }] }),
  ],
  ["/account", "ListMyDevices", (ms: string) => ({ devices: [{ deviceId: "d1", label: "自宅のPC", lastUsedMs: ms }] })],
])("the times of the last use on %s do not stand still", async (path, method, answer) => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  try {
    let asked = 0;
    const at = (n: number): number => Date.parse("2026-11-24T09:00:00+09:00") + n * 3_600_000;
    await visit(path, { [method]: () => answer(String(at(++asked))) });
    await screen.findByText(shortDateTime(at(1)));
    await vi.advanceTimersByTimeAsync(61_000);
    await screen.findByText(shortDateTime(at(2)));
    expect(asked).toBeGreaterThan(1);
  } finally {
    vi.useRealTimers();
  }
});
