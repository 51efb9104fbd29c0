// SHA-256, HMAC and HKDF (RFC 5869) for outputs of one block, on WebCrypto.
import { concat } from "../cert/key.ts";
import type { Bytes } from "../cert/reader.ts";

const encoder = new TextEncoder();

export async function sha256(...parts: readonly Uint8Array[]): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", concat(...parts)));
}

async function hmac(key: Uint8Array, message: Bytes): Promise<Bytes> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const k = await crypto.subtle.importKey("raw", new Uint8Array(key), algorithm, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", k, message));
}

/** HKDF-Extract. */
export async function extract(salt: Uint8Array, ikm: Bytes): Promise<Bytes> {
  return hmac(salt, ikm);
}

/** HKDF-Expand to 32 bytes; info is the label and the bytes after it. */
export async function expand(prk: Uint8Array, label: string, ...more: readonly number[]): Promise<Bytes> {
  return hmac(prk, concat(encoder.encode(label), Uint8Array.from(more), Uint8Array.of(1)));
}

/** The HKDF of the Noise specification (section 4.3) with two outputs. */
export async function hkdf2(chainingKey: Uint8Array, ikm: Bytes): Promise<[Bytes, Bytes]> {
  const temp = await hmac(chainingKey, ikm);
  const first = await hmac(temp, Uint8Array.of(1));
  return [first, await hmac(temp, concat(first, Uint8Array.of(2)))];
}
