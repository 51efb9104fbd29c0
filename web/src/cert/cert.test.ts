import { describe, expect, test } from "vitest";
import { fromHex, readVectors, toHex, type Vector } from "../vectors/vectors.ts";
import { parseBundle } from "./bundle.ts";
import { parseCertificate, parseDeskStatement, verifyCertificate, verifyDeskStatement } from "./cert.ts";
import { CertError, checkWindow } from "./error.ts";
import { verify } from "./key.ts";
import { enrolBytes, requestBytes, signEnrol, signInBytes, signRequest, signSignIn } from "./proof.ts";

interface Check {
  kind: number;
  cas: string[];
  key: string;
  now: number;
  skew: number;
}

/** Bytes as hexadecimal digits, names in snake_case, so that it can be compared with a vector's value. */
function plain(o: object): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(o)) {
    if (name !== "signed") {
      out[name.replaceAll(/CAs/g, "Cas").replaceAll(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)] = shown(value);
    }
  }
  return out;
}

function shown(v: unknown): unknown {
  if (v instanceof Uint8Array) {
    return toHex(v);
  }
  return Array.isArray(v) ? v.map(shown) : v;
}

async function read(message: string, b: Uint8Array, check: Check | undefined): Promise<object> {
  if (message === "certificate") {
    const c = parseCertificate(b);
    if (check !== undefined) {
      await verifyCertificate(c, check.kind, check.cas.map(fromHex), check.now, check.skew);
    }
    return c;
  }
  if (message === "desk_statement") {
    const s = parseDeskStatement(b);
    if (check !== undefined) {
      await verifyDeskStatement(s, fromHex(check.key), check.now, check.skew);
    }
    return s;
  }
  return parseBundle(b);
}

async function outcome(v: Vector): Promise<string | object> {
  const check = v.header.get("verify");
  try {
    const known = check === undefined ? undefined : (JSON.parse(check) as Check);
    return await read(v.header.get("message") ?? "", v.payload, known);
  } catch (e) {
    if (e instanceof CertError) {
      return e.code;
    }
    throw e;
  }
}

const structures = new Set(["certificate", "desk_statement", "bundle"]);
const vectors = readVectors("cert");

describe("vectors", () => {
  // A browser does not read X.509: what is in a TLS CA is for Go alone.
  const list = vectors.filter((v) => structures.has(v.header.get("message") ?? "") && v.name !== "bundle_tls");
  test.each(list.map((v) => [v.name, v] as const))("%s", async (_, v) => {
    const got = await outcome(v);
    if (v.header.get("expect") !== "ok") {
      expect(got).toBe(v.header.get("expect"));
      return;
    }
    expect(plain(got as object)).toEqual(JSON.parse(v.header.get("value") ?? ""));
    for (let n = 0; n < v.payload.length; n++) {
      await expect(read(v.header.get("message") ?? "", v.payload.subarray(0, n), undefined)).rejects.toThrow(CertError);
    }
  });
});

/** A vector of a proof and the fields of its value. */
function of(name: string) {
  const v = vectors.find((x) => x.name === name);
  if (v === undefined) {
    throw new Error(`no vector ${name}`);
  }
  const value = JSON.parse(v.header.get("value") ?? "") as Record<string, string>;
  return { payload: v.payload, text: (k: string) => value[k] ?? "", bytes: (k: string) => fromHex(value[k] ?? "") };
}

async function pair() {
  const keys = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
  return { key: keys.privateKey, public: new Uint8Array(await crypto.subtle.exportKey("raw", keys.publicKey)) };
}

describe("proofs", () => {
  test("request", async () => {
    const v = of("request");
    const p = {
      nonce: v.bytes("nonce"),
      session: v.bytes("session"),
      user: v.text("user"),
      desk: v.text("desk"),
      noiseKey: v.bytes("noise_key"),
    };
    expect(toHex(requestBytes(p))).toBe(toHex(v.payload));
    expect(await verify(v.bytes("key"), "jiseki-request-1", v.payload, v.bytes("signature"))).toBe(true);
    expect(await verify(v.bytes("key"), "jiseki-signin-1", v.payload, v.bytes("signature"))).toBe(false);
    const own = await pair();
    expect(await verify(own.public, "jiseki-request-1", v.payload, await signRequest(own.key, p))).toBe(true);
    expect(() => requestBytes({ ...p, user: "" })).toThrow(CertError);
    expect(() => requestBytes({ ...p, desk: "x".repeat(65) })).toThrow(CertError);
    expect(() => requestBytes({ ...p, session: p.nonce })).toThrow(CertError);
  });

  test("sign-in", async () => {
    const v = of("sign_in");
    const p = { nonce: v.bytes("nonce"), user: v.text("user"), device: v.text("device") };
    expect(toHex(signInBytes(p))).toBe(toHex(v.payload));
    expect(await verify(v.bytes("key"), "jiseki-signin-1", v.payload, v.bytes("signature"))).toBe(true);
    const own = await pair();
    expect(await verify(own.public, "jiseki-signin-1", v.payload, await signSignIn(own.key, p))).toBe(true);
  });

  test("enrolment", async () => {
    const v = of("enrol");
    expect(toHex(enrolBytes({ nonce: v.bytes("nonce"), key: v.bytes("key") }))).toBe(toHex(v.payload));
    expect(await verify(v.bytes("key"), "jiseki-enrol-1", v.payload, v.bytes("signature"))).toBe(true);
    const own = await pair();
    const p = { nonce: v.bytes("nonce"), key: own.public };
    expect(await verify(own.public, "jiseki-enrol-1", enrolBytes(p), await signEnrol(own.key, p))).toBe(true);
  });

  test("an agent's hello is only for Go", () => {
    expect(of("agent_hello").payload.length).toBeGreaterThan(0);
  });
});

test("time: the first moment counts, the last does not, a clock that is none never", () => {
  const at = (now: number) => () => checkWindow("x", 100, 200, now, 10);
  for (const now of [90, 100, 199, 209]) {
    expect(at(now)).not.toThrow();
  }
  for (const now of [0, 89, Number.NaN, -Infinity]) {
    expect(at(now)).toThrow(expect.objectContaining({ code: "clock_skew" }));
  }
  for (const now of [210, 1000, Infinity]) {
    expect(at(now)).toThrow(expect.objectContaining({ code: "expired" }));
  }
});
