import { CertError } from "./error.ts";
import type { Bytes } from "./reader.ts";

/** What a signature is for: it is signed, with a zero byte after it, in front of the message. */
export type Context =
  | "jiseki-cert-1"
  | "jiseki-desk-1"
  | "jiseki-request-1"
  | "jiseki-signin-1"
  | "jiseki-enrol-1"
  | "jiseki-seal-1 viewer"
  | "jiseki-seal-1 desk";

/** Size of a signature: r || s. */
export const SIGNATURE_SIZE = 64;

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" } as const;
const SIGNING = { name: "ECDSA", hash: "SHA-256" } as const;

/** Puts byte strings one after another. */
export function concat(...parts: readonly Uint8Array[]): Bytes {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

/** Says whether two byte strings are equal. Not for secrets: it takes variable time. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((x, i) => x === b[i]);
}

function signed(context: Context, message: Uint8Array): Bytes {
  return concat(new TextEncoder().encode(context), Uint8Array.of(0), message);
}

/** Signs context, a zero byte and message with an identity key (ECDSA P-256, usage sign). */
export async function sign(key: CryptoKey, context: Context, message: Uint8Array): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.sign(SIGNING, key, signed(context, message)));
}

/** Says whether signature is one of message in context by the key, which has 65 bytes and is on the curve. */
export async function verify(key: Bytes, context: Context, message: Uint8Array, signature: Bytes): Promise<boolean> {
  const imported = await crypto.subtle.importKey("raw", key, ALGORITHM, false, ["verify"]);
  return crypto.subtle.verify(SIGNING, imported, signature, signed(context, message));
}

/** The first 8 bytes of SHA-256 of a public key. */
async function keyID(key: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", key), 0, 8);
}

/** Finds the issuer among the trusted keys and verifies a signature with it. Throws CertError: issuer or signature. */
export async function verifyIssued(
  what: string,
  context: Context,
  trusted: readonly Bytes[],
  issuer: Bytes,
  message: Uint8Array,
  signature: Bytes,
): Promise<void> {
  for (const key of trusted) {
    if (equal(await keyID(key), issuer)) {
      if (await verify(key, context, message, signature)) {
        return;
      }
      throw new CertError(what, "signature");
    }
  }
  throw new CertError(what, "issuer");
}
