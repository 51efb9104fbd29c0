import { create, toBinary } from "@bufbuild/protobuf";
import { afterEach, describe, expect, test, vi } from "vitest";
import { ApiError, call, fromBase64, toBase64 } from "./api.ts";
import { RefusalSchema } from "../gen/jiseki/control/v1/shared_pb.js";

const answerWith = (body: string, status = 200): ReturnType<typeof vi.fn> => {
  const fetched = vi.fn(async () => new Response(body, { status }));
  vi.stubGlobal("fetch", fetched);
  return fetched;
};

const failed = async (p: Promise<unknown>): Promise<ApiError> => {
  const e: unknown = await p.then(
    () => null,
    (x: unknown) => x,
  );
  if (!(e instanceof ApiError)) {
    throw new Error(`no ApiError: ${String(e)}`);
  }
  return e;
};

afterEach(() => vi.unstubAllGlobals());

describe("call", () => {
  test("posts JSON to the method and returns its answer", async () => {
    const fetched = answerWith('{"unchanged":true,"etag":"e1"}');
    const answer = await call("DeskService", "ListDesks", { etag: "e1" });
    expect(answer).toEqual({ unchanged: true, etag: "e1" });
    const [url, init] = fetched.mock.calls[0] as [string, RequestInit];
    expect(url).toBe("/api/jiseki.control.v1.DeskService/ListDesks");
    expect(init).toMatchObject({
      method: "POST",
      body: '{"etag":"e1"}',
      credentials: "same-origin",
      redirect: "error",
    });
    expect(new Headers(init.headers).get("Content-Type")).toBe("application/json");
  });

  test("takes the reasons out of a Connect error", async () => {
    const value = toBase64(
      toBinary(
        RefusalSchema,
        create(RefusalSchema, { reasons: [{ code: "stale", ja: "先に変更", en: "changed" }], retryAfterS: 7 }),
      ),
    ).replace(/=+$/, "");
    answerWith(
      JSON.stringify({ code: "aborted", message: "stale", details: [{ type: "jiseki.control.v1.Refusal", value }] }),
      409,
    );
    const e = await failed(call("AdminService", "GetSettings", {}));
    expect(e.code).toBe("aborted");
    expect(e.reasons).toEqual([{ code: "stale", ja: "先に変更", en: "changed" }]);
    expect(e.refusal.retryAfterS).toBe(7);
    expect(e.signedOut).toBe(false);
  });

  test("knows that the sign-in is over", async () => {
    answerWith('{"code":"unauthenticated"}', 401);
    expect((await failed(call("AuthService", "GetMe", {}))).signedOut).toBe(true);
  });

  test.each([
    ["a proxy's page", "<html>bad gateway</html>", 502, "http_502"],
    ["details of another kind", '{"code":"internal","details":[{"type":"x","value":"AA"},7,null]}', 500, "internal"],
    [
      "details that are broken",
      '{"code":"internal","details":[{"type":"jiseki.control.v1.Refusal","value":"%%"}]}',
      500,
      "internal",
    ],
    ["a page where JSON was due", "<html></html>", 200, "unreachable"],
  ])("survives %s", async (_, body, status, code) => {
    answerWith(body, status);
    const e = await failed(call("AuthService", "GetMe", {}));
    expect(e.code).toBe(code);
    expect(e.reasons).toEqual([]);
  });

  test("says when nobody answers", async () => {
    vi.stubGlobal("fetch", async () => Promise.reject(new TypeError("failed to fetch")));
    expect((await failed(call("AuthService", "GetMe", {}))).code).toBe("unreachable");
  });

  test("passes a cancellation on", async () => {
    const stop = new AbortController();
    stop.abort(new Error("gone"));
    vi.stubGlobal("fetch", async () => Promise.reject(stop.signal.reason as Error));
    await expect(call("AuthService", "GetMe", {}, stop.signal)).rejects.toThrow("gone");
  });
});

test("base64 goes both ways, also without padding and in the URL alphabet", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  expect(fromBase64(toBase64(bytes))).toEqual(bytes);
  expect(fromBase64("-_8")).toEqual(Uint8Array.of(0xfb, 0xff));
});
