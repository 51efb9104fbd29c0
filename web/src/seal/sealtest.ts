// What the tests of this folder share: vectors, keys and pipes. For tests only.
import { concat } from "../cert/key.ts";
import type { Bytes } from "../cert/reader.ts";
import { fromHex, readVectors, type Vector } from "../vectors/vectors.ts";
import type { Owner, Pipe } from "./channel.ts";
import { SealError } from "./error.ts";
import { bundledKEM } from "./mlkem.ts";
import type { X25519Pair } from "./noise.ts";
import type { DialConfig } from "./seal.ts";

export const vectors = readVectors("seal");

export function vector(name: string): Vector {
  const v = vectors.find((x) => x.name === name);
  if (v === undefined) {
    throw new Error(`no vector ${name}`);
  }
  return v;
}

export interface First {
  channel: 0 | 1;
  direction: 0 | 1;
  message: string;
  record: string;
}

/** The value of handshake.vec. */
export interface HandshakeValue {
  [name: string]: unknown;
  secrets: string[];
  keys: string[];
  next_secrets: string[];
  first: First[];
  now: number;
  wire: number;
  coder: number;
  wire_min: number;
  wire_max: number;
  desk: string;
}

export const value = JSON.parse(vector("handshake").header.get("value") ?? "") as HandshakeValue;

/** A field of handshake.vec as bytes. */
export function bytes(name: string): Bytes {
  const s = value[name];
  if (typeof s !== "string") {
    throw new TypeError(`no field ${name}`);
  }
  return fromHex(s);
}

/** Head of PKCS#8 with an X25519 key (RFC 8410). */
const PKCS8_X25519 = fromHex("302e020100300506032b656e04220420");

export async function x25519(name: string): Promise<X25519Pair> {
  const pkcs8 = concat(PKCS8_X25519, bytes(name));
  const privateKey = await crypto.subtle.importKey("pkcs8", pkcs8, { name: "X25519" }, false, ["deriveBits"]);
  return { privateKey, publicKey: bytes(`${name}_public`) };
}

function base64url(b: Uint8Array): string {
  return Buffer.from(b).toString("base64url");
}

/** The test key of a label, as package certtest in Go makes it; public is its public half. */
export async function identity(label: string, publicKey: Bytes): Promise<{ key: CryptoKey; publicKey: Bytes }> {
  const scalar = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`jiseki test key ${label}`));
  const jwk = {
    kty: "EC",
    crv: "P-256",
    d: base64url(new Uint8Array(scalar)),
    x: base64url(publicKey.subarray(1, 33)),
    y: base64url(publicKey.subarray(33)),
  };
  const key = await crypto.subtle.importKey("jwk", jwk, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
  return { key, publicKey };
}

/** The configuration of the viewer in handshake.vec. */
export async function config(): Promise<DialConfig> {
  return {
    grant: bytes("grant"),
    session: bytes("session"),
    desk: value.desk,
    certificate: bytes("certificate"),
    statement: bytes("statement"),
    deskCAs: [bytes("desk_ca")],
    identity: await identity("device", bytes("device_key")),
    key: await x25519("viewer_static"),
    wire: { min: value.wire_min, max: value.wire_max },
    coders: [...bytes("coders")],
    now: () => value.now,
  };
}

/** The keys of the handshake in handshake.vec. */
export async function fresh() {
  return { ephemeral: await x25519("viewer_ephemeral"), kem: await bundledKEM(bytes("kem_seed")) };
}

/** A pipe whose other side is a script: it gives what is in `incoming` and then ends or waits. */
export class ScriptedPipe implements Pipe {
  readonly sent: Bytes[] = [];
  readonly incoming: Bytes[];
  closed: number | undefined;
  readonly #end: () => Promise<Bytes>;

  constructor(incoming: Bytes[], end: "ends" | "waits" = "ends") {
    this.incoming = incoming;
    this.#end = end === "ends" ? () => Promise.reject(new Error("link closed")) : () => new Promise<Bytes>(() => {});
  }

  send(message: Bytes): void {
    this.sent.push(message);
  }

  async receive(): Promise<Bytes> {
    return this.incoming.shift() ?? (await this.#end());
  }

  close(code: number): void {
    this.closed ??= code;
  }
}

/** Stands for the session of a channel that has none. */
export class LoneOwner implements Owner {
  cause: SealError | undefined;

  fail(e: unknown): SealError {
    this.cause ??= e instanceof SealError ? e : new SealError("handshake", "", e);
    return this.cause;
  }
}

/** A message whose bytes tell their place; the same as pattern in Go. */
export function pattern(n: number): Bytes {
  return Uint8Array.from({ length: n }, (_, i) => (i ^ Math.imul((i >> 8) & 0xff, 3) ^ n) & 0xff);
}
