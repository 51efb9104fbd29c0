// What a device signs to prove itself: docs/PROTOCOL.md section 2.
import { CertError } from "./error.ts";
import { MAX_ID } from "./cert.ts";
import { concat, sign } from "./key.ts";
import type { Bytes } from "./reader.ts";

/** Before a grant is minted. */
export interface Request {
  /** 32 bytes, drawn by the gateway. */
  readonly nonce: Bytes;
  /** 16 bytes. */
  readonly session: Bytes;
  readonly user: string;
  readonly desk: string;
  /** The viewer's X25519 key: 32 bytes. */
  readonly noiseKey: Bytes;
}

/** When a user signs in on the device. */
export interface SignIn {
  readonly nonce: Bytes;
  readonly user: string;
  readonly device: string;
}

/** When the device is enrolled. */
export interface Enrol {
  readonly nonce: Bytes;
  /** The key that is enrolled, and that signs: 65 bytes. */
  readonly key: Bytes;
}

/** The bytes that are signed, without their context. Throws CertError if a field has a wrong size. */
export function requestBytes(p: Request): Bytes {
  const { nonce, session, noiseKey } = p;
  return concat(sized(nonce, 32), sized(session, 16), id(p.user), id(p.desk), sized(noiseKey, 32));
}

/** The bytes that are signed, without their context. Throws CertError if a field has a wrong size. */
export function signInBytes(p: SignIn): Bytes {
  return concat(sized(p.nonce, 32), id(p.user), id(p.device));
}

/** The bytes that are signed, without their context. Throws CertError if a field has a wrong size. */
export function enrolBytes(p: Enrol): Bytes {
  return concat(sized(p.nonce, 32), sized(p.key, 65));
}

/** Signs with the device's identity key. */
export async function signRequest(key: CryptoKey, p: Request): Promise<Bytes> {
  return sign(key, "jiseki-request-1", requestBytes(p));
}

/** Signs with the device's identity key. */
export async function signSignIn(key: CryptoKey, p: SignIn): Promise<Bytes> {
  return sign(key, "jiseki-signin-1", signInBytes(p));
}

/** Signs with the identity key that is enrolled. */
export async function signEnrol(key: CryptoKey, p: Enrol): Promise<Bytes> {
  return sign(key, "jiseki-enrol-1", enrolBytes(p));
}

function sized(b: Bytes, n: number): Bytes {
  if (b.length !== n) {
    throw new CertError("proof", "range");
  }
  return b;
}

function id(s: string): Bytes {
  const b = new TextEncoder().encode(s);
  if (b.length < 1 || b.length > MAX_ID) {
    throw new CertError("proof", "range");
  }
  return concat(Uint8Array.of(b.length), b);
}
