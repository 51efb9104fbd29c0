// Certificates of devices and desks, and desk statements: docs/PROTOCOL.md section 1. Counterpart of package cert in
// Go.
import { CertError, checkWindow } from "./error.ts";
import { SIGNATURE_SIZE, verify, verifyIssued } from "./key.ts";
import { type Bytes, Reader } from "./reader.ts";

/** What a certificate is for. */
export const KIND = { device: 1, desk: 2 } as const;

/** The greatest length of an id, in bytes of UTF-8. */
export const MAX_ID = 64;

/** How far ahead the end of a desk statement may lie, in milliseconds. */
const STATEMENT_LIFE = 7 * 24 * 3600 * 1000;

const VERSION = 1;
const ZONES: readonly string[] = ["lgwan", "internet", "mynumber"];

/** Binds an identity key to a device or a desk. Nothing of it may be trusted before verifyCertificate. */
export interface Certificate {
  readonly kind: number;
  readonly serial: Bytes;
  /** Key id of the CA key that signed. */
  readonly issuer: Bytes;
  /** Id of the device or desk. */
  readonly subject: string;
  /** Device: user:<id>, section:<id> or all; desk: its zone. */
  readonly owner: string;
  /** Where the identity key lives: 1 hardware, 2 system or browser, 3 file. */
  readonly grade: number;
  readonly key: Bytes;
  /** Milliseconds since 1970, included. */
  readonly notBefore: number;
  /** Milliseconds since 1970, excluded. */
  readonly notAfter: number;
  readonly signature: Bytes;
  /** What the signature is over. */
  readonly signed: Bytes;
}

/** Reads a certificate. Checks the form only. Throws CertError. */
export function parseCertificate(b: Uint8Array): Certificate {
  const r = new Reader("certificate", b);
  r.header("JC", VERSION);
  const kind = r.u8();
  r.require(kind === KIND.device || kind === KIND.desk);
  const serial = r.bytes(16);
  const issuer = r.bytes(8);
  const subject = r.string(1, MAX_ID);
  const owner = r.string(1, "section:".length + MAX_ID);
  r.require(validOwner(kind, owner));
  const grade = r.u8();
  r.require(grade >= 1 && grade <= 3);
  const key = r.key();
  const notBefore = r.time();
  const notAfter = r.time();
  r.require(notBefore < notAfter);
  const signed = new Uint8Array(b.subarray(0, r.position));
  const signature = r.bytes(SIGNATURE_SIZE);
  r.done();
  return { kind, serial, issuer, subject, owner, grade, key, notBefore, notAfter, signature, signed };
}

function validOwner(kind: number, owner: string): boolean {
  if (kind === KIND.desk) {
    return ZONES.includes(owner);
  }
  if (owner === "all") {
    return true;
  }
  const colon = owner.indexOf(":");
  const role = owner.slice(0, Math.max(colon, 0));
  const id = new TextEncoder().encode(owner.slice(colon + 1)).length;
  return (role === "user" || role === "section") && id >= 1 && id <= MAX_ID;
}

/**
 * Resolves if c is a certificate of this kind, signed by one of the CA keys, and valid at now give or take skew (both
 * in milliseconds). Rejects with CertError: kind, issuer, signature, clock_skew (not yet valid) or expired.
 */
export async function verifyCertificate(
  c: Certificate,
  kind: number,
  cas: readonly Bytes[],
  now: number,
  skew: number,
): Promise<void> {
  if (c.kind !== kind) {
    throw new CertError("certificate", "kind");
  }
  await verifyIssued("certificate", "jiseki-cert-1", cas, c.issuer, c.signed, c.signature);
  checkWindow("certificate", c.notBefore, c.notAfter, now, skew);
}

/** Binds a desk's rotating X25519 key to its identity key. */
export interface DeskStatement {
  readonly noiseKey: Bytes;
  /** Milliseconds since 1970, excluded. */
  readonly notAfter: number;
  readonly signature: Bytes;
  /** What the signature is over. */
  readonly signed: Bytes;
}

/** Reads a desk statement. Checks the form only. Throws CertError. */
export function parseDeskStatement(b: Uint8Array): DeskStatement {
  const r = new Reader("desk statement", b);
  r.header("JS", VERSION);
  const noiseKey = r.bytes(32);
  const notAfter = r.time();
  const signed = new Uint8Array(b.subarray(0, r.position));
  const signature = r.bytes(SIGNATURE_SIZE);
  r.done();
  return { noiseKey, notAfter, signature, signed };
}

/**
 * Resolves if s was signed by the desk's identity key and is valid at now give or take skew. Rejects with CertError:
 * signature, expired, or clock_skew if it ends more than STATEMENT_LIFE ahead.
 */
export async function verifyDeskStatement(s: DeskStatement, desk: Bytes, now: number, skew: number): Promise<void> {
  if (!(await verify(desk, "jiseki-desk-1", s.signed, s.signature))) {
    throw new CertError("desk statement", "signature");
  }
  checkWindow("desk statement", s.notAfter - STATEMENT_LIFE, s.notAfter, now, skew);
}
