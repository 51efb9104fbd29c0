// @vitest-environment jsdom
import { screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { shortDateTime } from "../kit/format.ts";
import type { Answers } from "../portal/gatewaytest.ts";
import { usePages, visit } from "../portal/visittest.tsx";

usePages();

const use = { deviceId: "d1", label: "自宅のPC" };

test.each<[string, (ms: () => string) => Answers]>([
  ["/console/devices", (ms) => ({ ListDevices: () => ({ devices: [{ ...use, lastUsedMs: ms() }] }), ListUsers: {} })],
  [
    "/console/users",
    (ms) => ({ ListUsers: () => ({ users: [{ userId: "soumu02", lastSignInMs: ms() }] }), ListSections: {} }),
  ],
  ["/account", (ms) => ({ ListMyDevices: () => ({ devices: [{ ...use, lastUsedMs: ms() }] }), ListMySessions: {} })],
])("the times of the last use on %s do not stand still", async (path, answers) => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  try {
    let asked = 0;
    const at = (n: number): number => Date.parse("2026-11-24T09:00:00+09:00") + n * 3_600_000;
    await visit(
      path,
      answers(() => String(at(++asked))),
    );
    await screen.findByText(shortDateTime(at(1)));
    await vi.advanceTimersByTimeAsync(61_000);
    await screen.findByText(shortDateTime(at(2)));
    expect(asked).toBeGreaterThan(1);
  } finally {
    vi.useRealTimers();
  }
});
