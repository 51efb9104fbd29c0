import { expect, test, vi } from "vitest";
import { ApiError, call } from "../api/api.ts";
import { causeOf, patience } from "./cause.ts";

test.each([
  ["nobody answers", new ApiError("unreachable", {}), { kind: "network" }],
  ["a proxy's page", new ApiError("http_502", {}), { kind: "between" }],
  [
    "a gateway that is busy",
    new ApiError("unavailable", { reasons: [{ code: "busy" }] }),
    { kind: "refused", retryAfter: 5, reasons: [{ code: "busy", ja: "", en: "", helpJa: "", helpEn: "" }] },
  ],
  ["no sign-in", new ApiError("unauthenticated", { reasons: [{ code: "not_signed_in" }] }), { kind: "signed_out" }],
  [
    "an error without words",
    new ApiError("internal", {}),
    { kind: "refused", retryAfter: 0, reasons: [{ code: "internal", ja: "", en: "", helpJa: "", helpEn: "" }] },
  ],
  [
    "a no",
    new ApiError("failed_precondition", {
      reasons: [{ code: "desk_off", ja: "電源断", en: "off", helpJa: "起動", helpEn: "wake" }],
      retryAfterS: 9,
    }),
    {
      kind: "refused",
      retryAfter: 9,
      reasons: [{ code: "desk_off", ja: "電源断", en: "off", helpJa: "起動", helpEn: "wake" }],
    },
  ],
  ["a fault of the page", new TypeError("x is undefined"), { kind: "broken", detail: "x is undefined" }],
])("knows %s", (_, e, cause) => {
  expect(causeOf(e)).toEqual(cause);
});

test("whoever does not answer in time is away", async () => {
  const late = AbortSignal.abort(new DOMException("late", "TimeoutError"));
  vi.spyOn(AbortSignal, "timeout").mockReturnValue(late);
  vi.stubGlobal("fetch", async (_: string, init: RequestInit) => Promise.reject(init.signal?.reason as Error));
  const rejected: unknown = await call("AuthService", "GetMe", {}, patience()).catch((e: unknown) => e);
  expect(causeOf(rejected)).toEqual({ kind: "network" });
});
