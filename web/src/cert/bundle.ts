import { equal } from "./key.ts";
import { type Bytes, Reader } from "./reader.ts";

const MAX_KEYS = 8;
const MAX_TLS = 8 << 10;

/**
 * What a device trusts. In each list the first entry is in use now and the others are old or next; all of them verify.
 * It has no signature: it is worth what the place is worth that it comes from.
 */
export interface Bundle {
  /** Grows with each change. */
  readonly version: number;
  readonly deviceCAs: readonly Bytes[];
  readonly deskCAs: readonly Bytes[];
  readonly grants: readonly Bytes[];
  /** DER; a browser uses them to show fingerprints only, so their content is not checked here. */
  readonly tls: readonly Bytes[];
}

/** Reads a trust bundle. Throws CertError. */
export function parseBundle(b: Uint8Array): Bundle {
  const r = new Reader("trust bundle", b);
  r.header("JB", 1);
  const version = r.u32();
  const seen: Bytes[] = [];
  const deviceCAs = keys(r, seen);
  const deskCAs = keys(r, seen);
  const grants = keys(r, seen);
  const tls = certificates(r);
  r.done();
  r.require(!seen.some((k, i) => seen.slice(0, i).some((other) => equal(k, other))));
  return { version, deviceCAs, deskCAs, grants, tls };
}

function keys(r: Reader, seen: Bytes[]): Bytes[] {
  const n = r.u8();
  r.require(n >= 1 && n <= MAX_KEYS);
  const list = Array.from({ length: n }, () => r.key());
  seen.push(...list);
  return list;
}

function certificates(r: Reader): Bytes[] {
  const n = r.u8();
  r.require(n <= MAX_KEYS);
  return Array.from({ length: n }, () => {
    const size = r.u16();
    r.require(size <= MAX_TLS);
    return r.bytes(size);
  });
}
