import { describe, expect, test } from "vitest";
import { CertError } from "../cert/error.ts";
import { readVectors, toHex } from "../vectors/vectors.ts";
import { checkOwn, parseGrant } from "./grant.ts";

/** What the agent alone verifies; a viewer takes these. */
const agentOnly = new Set(["signature", "desk", "expired", "clock_skew"]);

function code(f: () => unknown): string {
  try {
    f();
    return "ok";
  } catch (e) {
    if (e instanceof CertError) {
      return e.code;
    }
    throw e;
  }
}

const vectors = readVectors("grant");

describe("vectors", () => {
  test.each(vectors.map((v) => [v.name, v] as const))("%s", (_, v) => {
    const want = v.header.get("expect") ?? "";
    expect(code(() => parseGrant(v.payload))).toBe(agentOnly.has(want) ? "ok" : want);
    if (want !== "ok") {
      return;
    }
    const got: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(parseGrant(v.payload))) {
      got[name.replaceAll(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)] = value instanceof Uint8Array ? toHex(value) : value;
    }
    expect(got).toEqual(JSON.parse(v.header.get("value") ?? ""));
    for (let n = 0; n < v.payload.length; n++) {
      expect(() => parseGrant(v.payload.subarray(0, n))).toThrow(CertError);
    }
  });
});

describe("checkOwn", () => {
  const good = vectors.find((v) => v.name === "grant_good");
  const g = parseGrant(good?.payload ?? new Uint8Array());
  const own = { session: g.session, device: g.deviceKey, noiseKey: g.noiseKey, desk: g.desk, deskKey: g.deskKey };

  test("own grant", () => {
    expect(code(() => checkOwn(g, own))).toBe("ok");
  });

  test.each([
    ["session", { ...own, session: new Uint8Array(16) }],
    ["device", { ...own, device: g.deskKey }],
    ["X25519 key", { ...own, noiseKey: new Uint8Array(32) }],
    ["desk", { ...own, desk: "desk-0305" }],
    ["desk key", { ...own, deskKey: g.deviceKey }],
  ])("another %s", (_, other) => {
    expect(code(() => checkOwn(g, other))).toBe("viewer");
  });
});
